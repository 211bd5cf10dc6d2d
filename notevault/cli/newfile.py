"""A file that a command makes because it was asked to: new, 0600, durable, never over another one.

Reserved before anything is changed, so that a full or read-only disk, or a name that is taken, is found in time.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from notevault.adapters.places import user_path
from notevault.errors import CannotWrite, StorageFault, UsageFault


def place(name: str, vault: Path, what: str) -> Path:
    """The path that was typed. UsageFault for one inside the vault folder, for `-` and for what is there already."""
    if name == "-":
        raise UsageFault(f"{what} goes into a file.", "Name a new file.")
    path = user_path(name)
    outside(path, vault, what)
    if path.exists() or path.is_symlink():
        raise _taken(path)
    return path


def outside(path: Path, vault: Path, what: str) -> None:
    """UsageFault for a place in the vault folder."""
    if path.resolve().is_relative_to(vault.resolve()):
        raise UsageFault(
            f"{what} must not lie in the vault folder: every backup would carry it along.", "Name another folder."
        )


@contextmanager
def reserved(
    path: Path, what: str, next_step: str = "Name a file on another disk."
) -> Iterator[Callable[[bytes], None]]:
    """The file, made empty (0600). Yields what writes it durably; it is taken away again when nothing was written.

    UsageFault when there is a file of that name; CannotWrite, StorageFault (with `next_step`) from the writing.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except FileExistsError:
        raise _taken(path) from None
    except (FileNotFoundError, NotADirectoryError):
        raise CannotWrite(f"The folder of {path} does not exist.", "Make it, or name another file.") from None
    except OSError as fault:
        raise CannotWrite(f"{path} cannot be written ({fault.strerror}).", "Name another file.") from None
    written = False

    def write(data: bytes) -> None:
        nonlocal written
        try:
            with os.fdopen(fd, "wb", closefd=False) as file:
                file.write(data)
            os.fsync(fd)
            _sync_folder(path.parent)
        except OSError as fault:
            raise StorageFault(f"{what} could not be written to {path} ({fault.strerror}).", next_step) from None
        written = True

    try:
        yield write
    finally:
        os.close(fd)
        if not written:
            path.unlink(missing_ok=True)


def write_new(path: Path, data: bytes, what: str) -> None:
    """One whole new file. Raises as `reserved`."""
    with reserved(path, what) as write:
        write(data)


def _taken(path: Path) -> UsageFault:
    return UsageFault(f"{path} exists already; it is not overwritten.", "Name another file.")


def _sync_folder(folder: Path) -> None:
    """The file's name is as durable as what is in it, where the system can do that."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network and FUSE file systems know no sync of folders
            os.fsync(handle)
    finally:
        os.close(handle)
