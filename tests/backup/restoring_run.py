"""A whole restore as the command does it, in this process or in one that kills itself at a chosen step.

    python -m tests.backup.restoring_run HOME TO STEP SHEET FOLDER...

STEP counts everything that changes a disk, each file of a batch included; the process ends by SIGKILL before it.
The exit status is 0 when the restore was over before that step came.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.app import opening, restored, restoring
from notevault.backup.restore import rest as restore_rest
from notevault.backup.restore.plan import Building, decide, decide_again
from notevault.backup.restore.restore import Restored, finish, restore
from notevault.crypto import kdf
from notevault.formats import sheet
from notevault.ports import Volume, WriteOnce
from tests.backup import vaults
from tests.fakes.places import FakeVolumes

NEW_PASSPHRASE = "nine brown foxes cross the old bridge"
CHANGES = ("append", "create", "create_batch", "make_folder", "move", "remove", "replace")


class Countdown:
    """Kills this process before the step whose turn it is."""

    def __init__(self, step: int) -> None:
        self.left = step

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class KilledFiles(DiskFiles):
    def __init__(self, count: Countdown) -> None:
        super().__init__()
        for name in CHANGES:
            setattr(self, name, _before(count, getattr(self, name)))


def _before(count: Countdown, method: Callable[..., Any]) -> Callable[..., Any]:
    def called(*args: Any, **named: Any) -> Any:
        if not (method.__name__ == "make_folder" and args[0].exists()):
            count.tick()
        return method(*args, **named)

    return called


class KilledPlace(DiskPlace):
    """Also between the files of a batch, and before the names are given."""

    def __init__(self, root: Path, count: Countdown) -> None:
        super().__init__(root, "0d" * 16)
        self._countdown = count

    def make_folders(self, folders: Any) -> None:
        wanted = list(folders)
        for part in (wanted[:5], wanted[5:200], wanted[200:]):
            self._countdown.tick()
            super().make_folders(part)

    def add_batch(self, items: Any, *, read_back: bool = False) -> int:
        def each() -> Any:
            for item in items:
                self._countdown.tick()
                yield item
            self._countdown.tick()

        return super().add_batch(each(), read_back=read_back)


def bring_back(home: Path, to: Path, code: str, folders: list[Path], count: Countdown | None = None) -> Restored:
    """Restored with the sheet and opened on the laptop whose home this is; closed again."""
    files = DiskFiles() if count is None else KilledFiles(count)
    env = replace(vaults._env(home), files=files)
    env = replace(env, stores=vaults._Stores(home / ".config/notevault/device", files))

    def open_place(root: Path) -> WriteOnce:
        return DiskPlace(root, "0d" * 16) if count is None else KilledPlace(root, count)

    read = sheet.parse_sheet(code)
    rest = restore_rest.left(files, to)
    if rest is not None:
        copied = Restored(to, rest.files, 0, rest.missing, rest.highest, again=True)
    else:
        copies = restoring.find(folders, DiskTree, None, read.fingerprint)
        begun = Building(to).read(files)
        choice = decide_again(copies, begun) if begun is not None else None
        choice = choice or decide(copies).choice
        restoring.try_sheet(copies, choice, read)
        copied = restore(copies, choice, to, files, open_place, folders=folders)
    if rest is not None and rest.opened:
        session = opening.open_vault(env, to, NEW_PASSPHRASE, shell=False)
    else:
        session = restoring.recover_here(env, copied, read, NEW_PASSPHRASE, kdf.CHEAPEST)
    restored.register(env, session.vault_id.hex(), to, folders, sticks(folders), open_place)
    finish(files, to)
    session.close("exit")
    return copied


def sticks(folders: list[Path], *, read_only: bool = False) -> FakeVolumes:
    """As if each folder, and the laptop, were a disk of its own."""
    laptop = Volume("fixed", "", Path("/"), 1)
    return FakeVolumes(
        laptop, *(Volume("removable", "stick", one, at, read_only=read_only) for at, one in enumerate(folders, 2))
    )


def main(argv: list[str]) -> int:
    home, to, step, code, *folders = argv
    bring_back(Path(home), Path(to), code, [Path(each) for each in folders], Countdown(int(step)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
