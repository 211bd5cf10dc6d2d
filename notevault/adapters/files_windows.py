"""The Windows half of `DiskFiles`. Untested on a real Windows so far; it passes the type checker only.

Privacy of files comes from the access list of the user's profile folder, which new files inherit; 0600 has no meaning
here. Folders cannot be synced; NTFS journals its names.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    _PLAIN = os.O_BINARY | os.O_NOINHERIT
    _SHARING = {5, 32, 33}  # access denied, sharing violation, lock violation: a scanner or indexer has it open
    _PATIENCE_S = 2.0

    def _retrying(old: Path, new: Path, *, overwrite: bool) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        pause = 0.01
        while True:
            try:
                if overwrite:
                    old.replace(new)
                else:
                    old.rename(new)  # on Windows this never overwrites
            except OSError as error:
                if isinstance(error, FileExistsError) or error.winerror not in _SHARING:
                    raise
                if time.monotonic() > deadline:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 0.2)
            else:
                return

    class WindowsPlatform:
        """As `PosixPlatform`, with what Windows has."""

        def open_read(self, path: Path) -> int:
            return self._open(path, os.O_RDONLY)

        def open_new(self, path: Path) -> int:
            return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN, 0o600)

        def open_write(self, path: Path) -> int:
            return self._open(path, os.O_WRONLY)

        def open_lock(self, path: Path) -> int:
            if not os.path.lexists(path):
                return os.open(path, os.O_RDWR | os.O_CREAT | _PLAIN, 0o600)
            return self._open(path, os.O_RDWR)

        def _open(self, path: Path, flags: int) -> int:
            """Refuse reparse points (links, junctions, online-only files): look, open, and see it is the same file."""
            seen = path.lstat()
            if seen.st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT or not stat.S_ISREG(seen.st_mode):
                raise OSError(errno.ELOOP, "not a regular file")
            fd = os.open(path, flags | _PLAIN)
            if not os.path.samestat(seen, os.fstat(fd)):
                os.close(fd)
                raise OSError(errno.ELOOP, "changed while it was opened")
            return fd

        def make_folder(self, folder: Path) -> None:
            folder.mkdir(0o700)

        def sync_file(self, fd: int) -> None:
            os.fsync(fd)

        def sync_folder(self, folder: Path) -> None:
            return None

        def open_batch(self, folder: Path) -> int | None:
            return None

        def sync_batch(self, fd: int) -> None:
            raise OSError(errno.ENOSYS, "no sync of a whole volume")

        def place(self, temp: Path, target: Path) -> None:
            _retrying(temp, target, overwrite=False)

        def replace(self, temp: Path, target: Path) -> None:
            _retrying(temp, target, overwrite=True)

        def try_lock(self, fd: int) -> bool:
            os.lseek(fd, 0, os.SEEK_SET)
            try:
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EDEADLK):
                    return False
                raise
            return True

        def unlock(self, fd: int) -> None:
            os.lseek(fd, 0, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
