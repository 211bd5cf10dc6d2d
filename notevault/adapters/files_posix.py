"""The POSIX half of `DiskFiles`: opening without following links, syncing, placing without overwriting, locking.

Everything here speaks OSError; `files.py` translates. No-follow covers the last part of a path only: the folders above
it belong to the user, who may well keep a vault behind a linked home.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import stat
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl

    # O_NONBLOCK: opening a pipe laid in a file's place would otherwise wait for its other end for ever.
    _SAFE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY, errno.ENOSYS}
    """What a file system that knows no sync answers."""
    _NO_LINK = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EINVAL}
    _AT_FDCWD = -100
    _RENAME_NOREPLACE = 1

    def _libc() -> ctypes.CDLL | None:
        try:
            return ctypes.CDLL(None, use_errno=True)
        except OSError:
            return None

    def _kernel() -> tuple[int, int]:
        found = re.match(r"(\d+)\.(\d+)", os.uname().release)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def sync(fd: int) -> bool:
        """Whether it reached the drive itself: macOS has file systems for which only fsync can be asked, and that
        leaves the data in the drive's cache. OSError of `NO_SYNC` where there is not even that.
        """
        full = getattr(fcntl, "F_FULLFSYNC", None)
        if full is not None:
            try:
                fcntl.fcntl(fd, full)
            except OSError as error:
                if error.errno not in NO_SYNC:
                    raise
            else:
                return True
        os.fsync(fd)
        return full is None

    class PosixPlatform:
        """Linux and macOS. File descriptors are plain integers owned by the caller."""

        def __init__(self) -> None:
            linux = sys.platform.startswith("linux")
            libc = _libc() if linux else None
            self._renameat2 = getattr(libc, "renameat2", None)
            # Before Linux 5.8 syncfs did not tell of failed writes, so it proves nothing there.
            self._syncfs = getattr(libc, "syncfs", None) if _kernel() >= (5, 8) else None

        def open_read(self, path: Path) -> int:
            return self._regular(os.open(path, os.O_RDONLY | _SAFE))

        def open_new(self, path: Path) -> int:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, 0o600)
            os.fchmod(fd, 0o600)  # a strange umask may have taken even our own bits
            return fd

        def open_write(self, path: Path) -> int:
            return self._regular(os.open(path, os.O_WRONLY | _SAFE))

        def open_lock(self, path: Path) -> int:
            return self._regular(os.open(path, os.O_RDWR | os.O_CREAT | _SAFE, 0o600))

        def _regular(self, fd: int) -> int:
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return fd
            os.close(fd)
            raise OSError(errno.ELOOP, "not a regular file")

        def make_folder(self, folder: Path) -> None:
            folder.mkdir(0o700)
            folder.chmod(0o700)

        def sync_file(self, fd: int) -> None:
            sync(fd)

        def sync_folder(self, folder: Path) -> None:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                self.sync_file(fd)
            except OSError as error:
                if error.errno not in NO_SYNC:  # some network and FUSE file systems know no sync of folders
                    raise
            finally:
                os.close(fd)

        def open_batch(self, folder: Path) -> int | None:
            """A handle for one sync of the whole file system, or None where that is not possible.

            It must be opened before the first write: the kernel reports the failures since the opening.
            """
            if self._syncfs is None:
                return None
            return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

        def sync_batch(self, fd: int) -> None:
            assert self._syncfs is not None
            if self._syncfs(ctypes.c_int(fd)) != 0:
                raise OSError(ctypes.get_errno(), "syncfs")

        def place(self, temp: Path, target: Path) -> None:
            """Rename, FileExistsError when `target` exists. Three ways, best first.

            1. renameat2 with NOREPLACE: one step, Linux. 2. link and unlink: a crash in between leaves a second name,
            which the sweeping of temporary files removes. 3. look, then rename, where there are no hard links (exFAT,
            some network folders): a race is possible, but only against someone who does not take our writer lock.
            """
            if self._renameat2 is not None:
                done = self._renameat2(
                    _AT_FDCWD, os.fsencode(temp), _AT_FDCWD, os.fsencode(target), ctypes.c_uint(_RENAME_NOREPLACE)
                )
                if done == 0:
                    return
                code = ctypes.get_errno()
                if code not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
                    raise OSError(code, "renameat2")
            try:
                self._link(temp, target)
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
            else:
                temp.unlink()
                return
            if os.path.lexists(target):
                raise FileExistsError(errno.EEXIST, "exists")
            temp.rename(target)

        def _link(self, temp: Path, target: Path) -> None:
            os.link(temp, target, follow_symlinks=False)

        def replace(self, temp: Path, target: Path) -> None:
            temp.replace(target)

        def try_lock(self, fd: int) -> bool:
            """A lock of flock belongs to the open file, not to the process: two threads exclude each other as well."""
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    return False
                raise
            return True

        def unlock(self, fd: int) -> None:
            fcntl.flock(fd, fcntl.LOCK_UN)
