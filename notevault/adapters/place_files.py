"""`DiskPlace`: a backup place on a real disk or network folder, which can be added to and nothing else.

A file is written under `.stage-<device>/`, synced, and then renamed to a name that nothing has, or with the others of a
folder that is not there yet (FORMAT.md section 13).
On Linux one sync of the file system stands for the sync of every file of a batch, and one more for the names.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path

from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.file_errors import irregular
from notevault.adapters.place_batch import Batch
from notevault.adapters.place_platform import STAGED, Folder, PlacePlatform
from notevault.adapters.place_stage import NEW, TAKEN, Stage
from notevault.adapters.place_tree import DiskTree, gone, split
from notevault.errors import Damaged, NotFound, OwnFault
from notevault.formats.ids import is_origin as is_id
from notevault.ports import Entropy

__all__ = ["DiskPlace", "DiskTree"]

_STALE_MS = 24 * 3600 * 1000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST = 50  # characters of a name kept when it is set aside: any script's fit in 255 bytes with what is added
# Folders that hold good files; one with such a name anywhere else was planted.
_HOLDING = re.compile(r"[^/]+(/[^/]+)?|audit/[0-9a-f]{32}/(entries|parts|seals)")
_MARKER = "VAULT.json"
_QUARANTINE = "quarantine"


class DiskPlace(DiskTree):
    """Implements `ports.WriteOnce`. `device`: 32 hexadecimal digits. Several threads may read at once; one writes.

    Folders are made by `make_folders`, and the last one of a path by `add_batch`: adding to others is NotFound.
    """

    def __init__(
        self, root: Path, device: str, *, platform: PlacePlatform | None = None, entropy: Entropy | None = None
    ) -> None:
        super().__init__(root, platform)
        if not is_id(device):
            raise OwnFault("A device's number was used that is none.")
        self._stage = f".stage-{device}"
        self._entropy = entropy or SystemEntropy()
        self._token = ""
        self._count = 0
        self._durability = "full"
        self._lasting: set[str] = set()  # folders whose names were synced by this object

    @property
    def durability(self) -> str:
        return self._durability

    def free_bytes(self) -> int | None:
        """None where the system does not say; NotFound when the place is gone."""
        try:
            return self._os.free_bytes(self._base)
        except OSError as error:
            if self._is_gone():
                raise self._told(error, "") from None
            return None

    def make_folders(self, folders: Iterable[str]) -> None:
        changed: dict[str, None] = {}  # and those of which it is not known: a process may have died after making one
        with self._errors(), self._held_root() as root:
            for folder in folders:
                above = ""
                for name in folder.split("/"):
                    split(name)
                    if above not in self._lasting:
                        changed[above] = None
                    with self._descend(root, above) as held, contextlib.suppress(FileExistsError):
                        held.make(name)
                        changed[above] = None
                    above = f"{above}/{name}" if above else name
                with self._descend(root, folder):
                    pass  # one that was there may be a link, and that is refused here
            for above in changed:
                with self._descend(root, above) as held:
                    self._note(held.sync())
        self._lasting.update(changed)

    # Adding

    def add(self, path: str, data: bytes, *, read_back: bool = False) -> None:
        self.add_stream(path, (data,), sha256=hashlib.sha256(data).hexdigest(), read_back=read_back)

    def add_stream(self, path: str, pieces: Iterable[bytes], *, sha256: str, read_back: bool = False) -> None:
        folder, name = split(path)
        with self._staging() as stage:
            temp = stage.write_pieces(pieces, sha256)
            if read_back:
                stage.read_back(temp, bytes.fromhex(sha256))
            with self._descend(stage.root, folder) as target:
                outcome = stage.give(temp, target, name, sync=True)
                stage.note(target.sync())
        if outcome == TAKEN:
            raise _taken()

    def add_batch(self, items: Iterable[tuple[str, bytes]], *, read_back: bool = False) -> int:
        """Names that other bytes have are left alone, the rest of the batch gets its names, then Damaged is raised."""
        source = iter(items)
        first = next(source, None)
        if first is None:
            return 0
        with self._staging() as stage:
            each = not self._os.syncs_all(stage.root)  # whether every file needs a sync of its own
            gathers = not each and self._os.moves_folders(stage.root)
            descend = partial(self._descend, stage.root)
            batch = Batch(stage, descend, self.make_folders, each=each, gathers=gathers, hashed=read_back)
            with contextlib.closing(batch):
                for path, data in chain((first,), source):
                    batch.write(*split(path), data)
            if not each:
                self._os.sync_all(stage.root)
            if read_back:
                batch.read_back()
            outcomes = batch.give()
            if not each:
                self._os.sync_all(stage.root)
        if TAKEN in outcomes:
            raise _taken()
        return outcomes.count(NEW)

    def settle(self) -> None:
        """One sync of the file system, or one of every folder: those of a network hold hundreds of names each."""
        with self._errors(), self._held_root() as root:
            if self._os.syncs_all(root):
                self._os.sync_all(root)
                return
            waiting = [""]
            while waiting:
                folder = waiting.pop()
                with self._descend(root, folder) as held:
                    self._note(held.sync())
                below = [name for name, seen in self.listing(folder).items() if seen.kind == "folder"]
                if not folder:
                    below = [name for name in below if name != _QUARANTINE and not name.startswith(".")]
                waiting += [f"{folder}/{name}" if folder else name for name in below]

    # Setting aside and sweeping

    def set_aside(self, path: str, day: str) -> str:
        folder, name = split(path)
        if _DAY.fullmatch(day) is None or path == _MARKER or path.startswith((".stage-", f"{_QUARANTINE}/")):
            raise OwnFault("Something was to be set aside that cannot be.")
        aside = f"{_QUARANTINE}/{day}"
        new = f"{name[:_LONGEST]}-{self._entropy.draw(8).hex()}"
        if len(name) == 64:
            new = f"{name}{new[_LONGEST:]}"  # a checksum is kept whole
        with self._errors(), self._held_root() as root, self._descend(root, folder) as source:
            if stat.S_ISDIR(source.look(name).st_mode) and _HOLDING.fullmatch(path) is not None:
                raise OwnFault("A whole folder of backups was about to be set aside. It was not.")
            self.make_folders([aside])
            with self._descend(root, aside) as target:
                source.give(name, target, new)
                self._note(target.sync())  # first: a power cut in between leaves two names rather than none
                self._note(source.sync())
        self._real.clear()
        return f"{aside}/{new}"

    def sweep(self, now_ms: int) -> int:
        """Also removes the staging folder once it is empty."""
        swept = 0
        with self._errors(), self._held_root() as root:
            try:
                stage = root.sub(self._stage)
            except FileNotFoundError:
                return 0
            with contextlib.closing(stage):
                for name in stage.names():
                    if STAGED.fullmatch(name) is None:
                        continue
                    with contextlib.suppress(FileNotFoundError):
                        seen = stage.look(name)
                        if now_ms - seen.st_mtime_ns // 1_000_000 <= _STALE_MS:
                            continue
                        if stat.S_ISREG(seen.st_mode):
                            stage.drop(name)
                            swept += 1
                        elif self._os.is_folder(seen):
                            with contextlib.suppress(OSError):  # somebody else's folder in it is in nobody's way
                                stage.drop_folder(name)
                                swept += 1
            with contextlib.suppress(OSError):
                root.drop_empty(self._stage)
        return swept

    # Helpers

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._told(error, "") from None

    @contextmanager
    def _held_root(self) -> Iterator[Folder]:
        """The root, which is there, on the file system where it was first seen. It is never made."""
        root = self._os.open_root(self._base)
        try:
            if self._device is None:
                self._device = root.device
            elif self._device != root.device:
                raise gone()
            yield root
        finally:
            root.close()

    @contextmanager
    def _staging(self) -> Iterator[Stage]:
        """The handle on the root is opened before the first write: the system reports failures since then."""
        with self._errors(), self._held_root() as root:
            with contextlib.suppress(FileExistsError):
                root.make(self._stage)
            with contextlib.closing(root.sub(self._stage)) as folder:
                stage = Stage(self._os, root, folder, self._next_name)
                try:
                    yield stage
                finally:
                    stage.clear()
                    self._note(not stage.reduced)

    def _next_name(self) -> str:
        self._token = self._token or self._entropy.draw(8).hex()
        self._count += 1
        return f"{self._token}-{self._count:x}"

    @contextmanager
    def _descend(self, root: Folder, folder: str) -> Iterator[Folder]:
        """The folder, held. Links are refused at every step (Damaged); NotFound when it is absent."""
        here = root
        names = folder.split("/") if folder else []
        for name in names:
            split(name)
        try:
            for name in names:
                try:
                    below = here.sub(name)
                except FileNotFoundError:
                    self._need_root()
                    raise NotFound("A folder of the backup place is not there.", "") from None
                except NotADirectoryError:
                    raise irregular(Path(name)) from None
                if here is not root:
                    here.close()
                here = below
            yield here
        finally:
            if here is not root:
                here.close()

    def _note(self, reached: bool) -> None:
        if not reached:
            self._durability = "reduced"


def _taken() -> Damaged:
    return Damaged(
        "Other bytes than the right ones lie under the name of a backup file; they were left as they are.",
        "`notevault backup heal` sets them aside and copies the right ones.",
    )
