"""The unfinished writes of one call of `DiskPlace`, in the place's `.stage-<device>` folder. Everything speaks OSError
and our own errors; what has no name at the end of the call goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Iterable

from notevault.adapters.place_platform import Folder, PlacePlatform
from notevault.errors import Damaged, StorageFault

_PIECE = 1 << 20
NEW, KEPT, TAKEN = "new", "kept", "taken"


class Stage:
    """`root` and `folder` are held open by the caller, `next_name` gives a fresh `staged_name` each time.

    `reduced` becomes true once the system has refused a sync.
    """

    def __init__(self, platform: PlacePlatform, root: Folder, folder: Folder, next_name: Callable[[], str]) -> None:
        self._os = platform
        self.root = root
        self._folder = folder
        self._next = next_name
        self._unnamed: set[str] = set()
        self._gathered: set[str] = set()
        self.reduced = False

    def gather(self) -> str:
        """The name of a new folder below the stage; what is written into it has its last name already."""
        name = self._next()
        self._folder.make(name)
        self._gathered.add(name)
        return name

    def sub(self, gathered: str) -> Folder:
        return self._folder.sub(gathered)

    def write(self, data: bytes, *, sync: bool, into: Folder | None = None, name: str = "") -> str:
        """The name of a new file with these bytes: one of its own in the stage, or `name` in the gathered folder
        `into`. Without `sync` the caller syncs the whole file system later.
        """
        if into is not None:
            temp = name
            fd = into.new(temp)
        else:
            temp = self._next()
            fd = self._folder.new(temp)
            self._unnamed.add(temp)
        try:
            done = os.write(fd, data)
            if done != len(data):
                _write(fd, memoryview(data)[done:])
            if sync:
                self.note(self._os.sync_file(fd))
        finally:
            os.close(fd)
        return temp

    def write_pieces(self, pieces: Iterable[bytes], sha256: str) -> str:
        """As `write`, synced. Damaged when the pieces do not hash to `sha256`."""
        temp = self._next()
        digest = hashlib.sha256()
        fd = self._folder.new(temp)
        self._unnamed.add(temp)
        try:
            for piece in pieces:
                digest.update(piece)
                _write(fd, memoryview(piece))
            if digest.hexdigest() != sha256:
                raise Damaged("A file changed while it was copied; the copy was thrown away.")
            self.note(self._os.sync_file(fd))
        finally:
            os.close(fd)
        return temp

    def read_back(self, temp: str, digest: bytes, source: Folder | None = None) -> None:
        """StorageFault when the file does not hash to `digest` (32 bytes). `source`: the gathered folder it is in."""
        fd = (source or self._folder).read(temp)
        try:
            self._os.uncache(fd)
            found = hashlib.sha256()
            while piece := os.read(fd, _PIECE):
                found.update(piece)
        finally:
            os.close(fd)
        if found.digest() != digest:
            raise StorageFault(
                "What was written to the backup place came back with other bytes; the copy was thrown away.",
                "The stick or disk may be failing: use another one as well.",
            )

    def give(self, temp: str, target: Folder, name: str, *, sync: bool, source: Folder | None = None) -> str:
        """NEW: `temp` has its name. KEPT: an equal file has it. TAKEN: something else has it, and was left alone.

        `sync`: an equal file is made durable, for its writer may have died before that. `source`: the gathered folder
        that `temp` is in; there it stays when it is not NEW.
        """
        here = source or self._folder
        try:
            here.give(temp, target, name)
        except FileExistsError:
            outcome = KEPT if self._same(here, temp, target, name) else TAKEN
            if sync and outcome == KEPT:
                self._sync_kept(target, name)
            if source is None:
                self._folder.drop(temp)
        else:
            outcome = NEW
        self._unnamed.discard(temp)
        return outcome

    def give_gathered(self, gathered: str, parent: Folder, name: str) -> bool:
        """Whether the gathered folder became the folder `name` of `parent`; else that is there, for its files one by
        one.
        """
        try:
            self._folder.give(gathered, parent, name)
        except OSError:  # made meanwhile, or not possible here, or broken: then its files are told the same
            with contextlib.suppress(FileExistsError):
                parent.make(name)
            return False
        self._gathered.discard(gathered)
        return True

    def clear(self) -> None:
        for temp in self._unnamed:
            with contextlib.suppress(OSError):
                self._folder.drop(temp)
        for gathered in self._gathered:
            with contextlib.suppress(OSError):
                self._folder.drop_folder(gathered)
        self._unnamed.clear()
        self._gathered.clear()

    def note(self, reached: bool) -> None:
        """Whether a sync was carried out, or refused as unknown to the file system."""
        if not reached:
            self.reduced = True

    def _same(self, here: Folder, temp: str, target: Folder, name: str) -> bool:
        """Whether both hold the same bytes; a link or a folder never does."""
        if not stat.S_ISREG(target.look(name).st_mode):
            return False
        ours = here.read(temp)
        try:
            theirs = target.read(name)
            try:
                if os.fstat(ours).st_size != os.fstat(theirs).st_size:
                    return False
                return _sha256(ours) == _sha256(theirs)
            finally:
                os.close(theirs)
        finally:
            os.close(ours)

    def _sync_kept(self, target: Folder, name: str) -> None:
        fd = target.read(name)
        try:
            self.note(self._os.sync_file(fd))
        except PermissionError:
            self.note(False)  # Windows syncs only what was opened for writing, and nothing that has its name ever is
        finally:
            os.close(fd)


def _write(fd: int, view: memoryview) -> None:
    while view:
        view = view[os.write(fd, view) :]


def _sha256(fd: int) -> bytes:
    digest = hashlib.sha256()
    while piece := os.read(fd, _PIECE):
        digest.update(piece)
    return digest.digest()
