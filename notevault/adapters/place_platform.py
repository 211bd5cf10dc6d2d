"""What `DiskTree` and `DiskPlace` need of a system, as protocols, and the choice of this system's.

There is no way here to overwrite a file, and one kind to delete: `drop` and `drop_folder`, which take the names of our
own unfinished writes only.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Protocol

from notevault.errors import OwnFault

STAGED = re.compile(r"[0-9a-f]{16}-[0-9a-f]{1,8}")
"""The name of an unfinished write, file or folder: a random number of the process, and a count."""


def staged_name(name: str) -> str:
    """`name` when it is that of an unfinished write; OwnFault otherwise."""
    if STAGED.fullmatch(name) is None:
        raise OwnFault("Something else than an unfinished copy was about to be removed. It was not.")
    return name


class Folder(Protocol):
    """A folder held for the length of one call: a stick on which nothing is held open can be unplugged. OSErrors."""

    @property
    def device(self) -> int:
        """The number of its file system."""
        ...

    def sub(self, name: str) -> Folder:
        """The real folder `name` in it; NotADirectoryError or ELOOP for a link and for anything else."""
        ...

    def make(self, name: str) -> None:
        """A new folder, 0700; FileExistsError."""
        ...

    def look(self, name: str) -> os.stat_result:
        """What lies there, links not followed."""
        ...

    def names(self) -> list[str]: ...

    def new(self, name: str) -> int:
        """A new file, 0600, open for writing; FileExistsError."""
        ...

    def read(self, name: str) -> int:
        """A regular file, open for reading; ELOOP for anything else."""
        ...

    def give(self, name: str, target: Folder, new: str) -> None:
        """Rename a file or folder to `new` in `target`; FileExistsError when anything is there, which is left alone."""
        ...

    def drop(self, name: str) -> None:
        """Unlink an unfinished write of ours (`staged_name`)."""
        ...

    def drop_folder(self, name: str) -> None:
        """Remove an unfinished folder of ours (`staged_name`) with all files and links in it; OSError for a folder in
        it, when some of them may be gone.
        """
        ...

    def drop_empty(self, name: str) -> None:
        """Remove the folder `name` if nothing is in it; OSError otherwise."""
        ...

    def sync(self) -> bool:
        """Make its names durable; False when this system or file system knows no such thing."""
        ...

    def close(self) -> None: ...


class PlacePlatform(Protocol):
    def open_root(self, root: str) -> Folder:
        """Links above and at `root` are followed: they belong to the user."""
        ...

    def open_read(self, path: str) -> int:
        """A regular file; no link at the last part of the path. ELOOP for anything else."""
        ...

    def is_folder(self, seen: os.stat_result) -> bool:
        """Whether an `lstat` saw a real folder: no link, junction or other reparse point."""
        ...

    def sync_file(self, fd: int) -> bool:
        """False when the file system has no such thing."""
        ...

    def syncs_all(self, root: Folder) -> bool:
        """Whether `sync_all` is to be had here. Ask before the first write: failures since then are reported."""
        ...

    def moves_folders(self, root: Folder) -> bool:
        """Whether a whole folder is renamed at once there, or not at all, whatever happens in between."""
        ...

    def sync_all(self, root: Folder) -> None:
        """Everything written on that file system, by anyone, is durable."""
        ...

    def uncache(self, fd: int) -> None:
        """Let the next read come from the device, where the system can be asked for that."""
        ...

    def free_bytes(self, root: str) -> int | None: ...


def this_place_platform() -> PlacePlatform:
    if sys.platform == "win32":
        from notevault.adapters.place_windows import WindowsPlaces

        return WindowsPlaces()
    else:  # noqa: RET505 - the type checker leaves out the other system's half only in this form
        from notevault.adapters.place_posix import PosixPlaces

        return PosixPlaces()
