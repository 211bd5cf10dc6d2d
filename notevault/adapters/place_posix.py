"""The POSIX half of `DiskPlace`: folders held by descriptors, renames that never replace, one sync for many files.

Everything here speaks OSError; `place_files.py` translates.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import sys
from pathlib import Path

from notevault.adapters.place_platform import Folder, staged_name

if sys.platform != "win32":
    from notevault.adapters.files_posix import NO_SYNC, PosixPlatform, sync

    # O_NONBLOCK: opening a pipe laid in a file's place would otherwise wait for its other end for ever.
    _SAFE = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
    _READ = os.O_RDONLY | _SAFE
    _NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE
    _FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    _NO_FLAG = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
    _NO_LINK = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV, errno.EINVAL}
    _NOREPLACE = 1
    # File systems whose syncfs reaches the disk (linux/magic.h). Not NFS, SMB and FUSE: theirs stops at this computer,
    # or at the server's memory, where the fsync of a file goes all the way.
    _LOCAL = {
        0xEF53,  # ext2, ext3, ext4
        0x58465342,  # XFS
        0x9123683E,  # Btrfs
        0xF2F52010,  # F2FS
        0xCA451A4E,  # bcachefs
        0x2FC12FC1,  # ZFS
        0x4D44,  # FAT
        0x2011BAB0,  # exFAT
        0x7366746E,  # NTFS, the kernel's own
        0x01021994,  # tmpfs
        0x794C7630,  # overlay
    }
    # Of these, those that rename in two writes: a cut in between leaves two names of one file, or of one whole folder.
    _IN_TWO = {0x4D44, 0x2011BAB0, 0x7366746E}

    def _libc() -> ctypes.CDLL | None:
        if not sys.platform.startswith("linux"):
            return None
        try:
            return ctypes.CDLL(None, use_errno=True)
        except OSError:
            return None

    _LIBC = _libc()
    _RENAME = getattr(_LIBC, "renameat2", None)
    if _RENAME is not None:
        _RENAME.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]

    def _regular(fd: int) -> int:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
        raise OSError(errno.ELOOP, "not a regular file")

    def _sync(fd: int) -> bool:
        try:
            return sync(fd)
        except OSError as error:
            if error.errno not in NO_SYNC:
                raise
            return False

    class PosixFolder:
        """Implements `place_platform.Folder`."""

        def __init__(self, fd: int) -> None:
            self.fd = fd

        @property
        def device(self) -> int:
            return os.fstat(self.fd).st_dev

        def sub(self, name: str) -> PosixFolder:
            return PosixFolder(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self.fd))

        def make(self, name: str) -> None:
            os.mkdir(name, 0o700, dir_fd=self.fd)

        def look(self, name: str) -> os.stat_result:
            return os.stat(name, dir_fd=self.fd, follow_symlinks=False)

        def names(self) -> list[str]:
            return os.listdir(self.fd)  # noqa: PTH208 - pathlib has no folder descriptors

        def new(self, name: str) -> int:
            return os.open(name, _NEW, 0o600, dir_fd=self.fd)

        def read(self, name: str) -> int:
            return _regular(os.open(name, _READ, dir_fd=self.fd))

        def give(self, name: str, target: Folder, new: str) -> None:
            """Three ways, best first.

            1. renameat2 with NOREPLACE: one step, Linux. 2. link and unlink: a crash in between leaves a second name
            in the stage folder, which `sweep` removes. 3. look, then rename, where there are no hard links (FAT on
            macOS, some network folders): a race is possible, but only against somebody who writes the same name. A
            folder has the third way alone instead of the second; what it could replace there is an empty folder.
            """
            assert isinstance(target, PosixFolder)
            if _RENAME is not None:
                if _RENAME(self.fd, os.fsencode(name), target.fd, os.fsencode(new), _NOREPLACE) == 0:
                    return
                code = ctypes.get_errno()
                if code == errno.EEXIST:
                    raise FileExistsError(code, "exists")
                if code not in _NO_FLAG:
                    raise OSError(code, "renameat2")
            self._give_slowly(name, target, new)

        def _give_slowly(self, name: str, target: PosixFolder, new: str) -> None:
            try:
                self._link(name, target, new)
            except OSError as error:
                if error.errno not in _NO_LINK:
                    raise
            else:
                self._unlink_second_name(name, target, new)
                return
            try:
                target.look(new)
            except FileNotFoundError:
                os.rename(name, new, src_dir_fd=self.fd, dst_dir_fd=target.fd)
            else:
                raise FileExistsError(errno.EEXIST, "exists")

        def _link(self, name: str, target: PosixFolder, new: str) -> None:
            os.link(name, new, src_dir_fd=self.fd, dst_dir_fd=target.fd, follow_symlinks=False)

        def _unlink_second_name(self, name: str, target: PosixFolder, new: str) -> None:
            """Only after seeing that the file really has its new name."""
            if not os.path.samestat(self.look(name), target.look(new)):
                raise OSError(errno.EIO, "the new name is not that file")
            os.unlink(name, dir_fd=self.fd)

        def drop(self, name: str) -> None:
            os.unlink(staged_name(name), dir_fd=self.fd)

        def drop_folder(self, name: str) -> None:
            folder = self.sub(staged_name(name))
            try:
                for each in folder.names():
                    os.unlink(each, dir_fd=folder.fd)
            finally:
                folder.close()
            os.rmdir(name, dir_fd=self.fd)

        def drop_empty(self, name: str) -> None:
            os.rmdir(name, dir_fd=self.fd)

        def sync(self) -> bool:
            return _sync(self.fd)

        def close(self) -> None:
            os.close(self.fd)

    class PosixPlaces:
        """Implements `place_platform.PlacePlatform` for Linux and macOS."""

        def __init__(self) -> None:
            self._disk = PosixPlatform()
            self._tells: bool | None = None

        def open_root(self, root: str) -> PosixFolder:
            return PosixFolder(os.open(root, _FOLDER))

        def open_read(self, path: str) -> int:
            return _regular(os.open(path, _READ))

        def is_folder(self, seen: os.stat_result) -> bool:
            return stat.S_ISDIR(seen.st_mode)

        def sync_file(self, fd: int) -> bool:
            return _sync(fd)

        def syncs_all(self, root: Folder) -> bool:
            assert isinstance(root, PosixFolder)
            return self._syncfs_tells() and self._kind(root.fd) in _LOCAL

        def _syncfs_tells(self) -> bool:
            """Whether this kernel has a syncfs that reports failed writes (Linux 5.8)."""
            if self._tells is None:
                handle = self._disk.open_batch(Path("/"))
                self._tells = handle is not None
                if handle is not None:
                    os.close(handle)
            return self._tells

        def moves_folders(self, root: Folder) -> bool:
            assert isinstance(root, PosixFolder)
            return self._kind(root.fd) in _LOCAL - _IN_TWO

        def sync_all(self, root: Folder) -> None:
            assert isinstance(root, PosixFolder)
            self._disk.sync_batch(root.fd)
            _sync(root.fd)  # FAT's syncfs does not ask the drive to empty its cache; its fsync does

        def _kind(self, fd: int) -> int:
            """The file system's magic number, 0 where it cannot be had. Linux: the first word of `struct statfs`."""
            if _LIBC is None:
                return 0
            answer = ctypes.create_string_buffer(512)  # 120 bytes on all 64-bit Linuxes
            if _LIBC.fstatfs(ctypes.c_int(fd), answer) != 0:
                return 0
            return ctypes.c_long.from_buffer(answer).value & 0xFFFFFFFF

        def uncache(self, fd: int) -> None:
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)

        def free_bytes(self, root: str) -> int | None:
            found = os.statvfs(root)
            return found.f_bavail * found.f_frsize if found.f_blocks else None
