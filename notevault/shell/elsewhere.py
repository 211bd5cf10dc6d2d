"""At the first run, for whoever has a vault already: out of a backup place, or in a folder that was brought along.

A backup place is never opened itself: what is said here is the command that makes a vault of it.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from notevault.adapters.places import default_vault, user_path
from notevault.shell.desk import Desk
from notevault.shell.ui import options, rows_of
from notevault.storage import backupplace

TITLE = "The vault you have"
_WHERE = "With your recovery sheet it opens on this laptop too. Where is it?"
_PLACE = "Plug the backup place in, and name its folder: the stick, the disk, or the folder of the cloud service."


async def elsewhere(desk: Desk) -> None:
    picked = await desk.ui.choose(
        TITLE,
        [_WHERE],
        options(
            "In a backup place\na stick, a disk, the folder of a cloud service",
            "In a vault's folder that I brought along, or that lies on this laptop",
            "Back",
        ),
        numbered=True,
    )
    if picked == 0:
        await _from_a_place(desk)
    elif picked == 1:
        await _brought_along(desk)


async def _from_a_place(desk: Desk) -> None:
    typed = await desk.ui.ask(TITLE, [_PLACE], "Folder", check=_fault)
    if typed is None:
        return
    await desk.ui.page(
        TITLE,
        rows_of(
            "The backup of a vault is in it. Have your recovery sheet at hand, leave notevault and type",
            "",
            f"   {command(_path(typed), desk.side.vault)}",
            "",
            f"It brings the vault back into {desk.side.vault}. It asks for the sheet and for a new passphrase; the"
            " backup place is only read. Then `notevault` opens the vault.",
        ),
    )


async def _brought_along(desk: Desk) -> None:
    await desk.ui.page(
        TITLE,
        rows_of(
            "A vault is a folder. If it lies somewhere on this laptop already, leave and start notevault with",
            "",
            "   notevault --vault FOLDER",
            "",
            "If you brought that folder from another laptop, copy it to",
            "",
            f"   {desk.side.vault}",
            "",
            "leave, and type `notevault recover`: with your recovery sheet it becomes this laptop's own. What lies in a"
            " backup place is no such folder: go back and choose the backup place.",
        ),
    )


def command(folder: Path, vault: Path) -> str:
    """What brings a vault back out of this place, into the folder where it is looked for."""
    words = ["notevault", "backup", "restore", "--from", _quoted(folder)]
    if vault != default_vault().resolve():
        words += ["--to", _quoted(vault)]
    return " ".join(words)


def _quoted(path: Path) -> str:
    return f'"{path}"' if sys.platform == "win32" else shlex.quote(str(path))


def _path(text: str) -> Path:
    return user_path(text.strip().strip("'\""))


def _fault(text: str) -> str | None:
    if not text.strip().strip("'\""):
        return "Type the folder's whole name, or press Esc."
    if backupplace.found_in(_path(text)) is None:
        return "There is no backup of a vault in this folder. Is it plugged in, and the name right?"
    return None
