"""The Windows half of `DiskPlace`. Untested on a real Windows so far; it passes the type checker only.

There are no folder descriptors here, so a folder is its path, looked at when it is opened. Renaming never overwrites.
Folders cannot be synced: FAT keeps no journal of its names, and NTFS does not say when its own has reached the disk.
So durability counts as reduced on every one, and what is written is read back.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from pathlib import Path

from notevault.adapters.place_platform import Folder, staged_name

if sys.platform == "win32":
    from notevault.adapters.files_windows import WindowsPlatform

    class WindowsFolder:
        """Implements `place_platform.Folder`."""

        def __init__(self, path: str, disk: WindowsPlatform) -> None:
            self.path = path
            self._disk = disk

        @property
        def device(self) -> int:
            return os.stat(self.path).st_dev  # noqa: PTH116

        def at(self, name: str) -> str:
            return f"{self.path}\\{name}"

        def sub(self, name: str) -> WindowsFolder:
            if not _is_folder(self.look(name)):
                raise NotADirectoryError(errno.ENOTDIR, "not a real folder")
            return WindowsFolder(self.at(name), self._disk)

        def make(self, name: str) -> None:
            os.mkdir(self.at(name))  # noqa: PTH102

        def look(self, name: str) -> os.stat_result:
            return os.lstat(self.at(name))

        def names(self) -> list[str]:
            return os.listdir(self.path)  # noqa: PTH208

        def new(self, name: str) -> int:
            return self._disk.open_new(Path(self.at(name)))

        def read(self, name: str) -> int:
            return self._disk.open_read(Path(self.at(name)))

        def give(self, name: str, target: Folder, new: str) -> None:
            assert isinstance(target, WindowsFolder)
            self._disk.place(Path(self.at(name)), Path(target.at(new)))

        def drop(self, name: str) -> None:
            os.unlink(self.at(staged_name(name)))  # noqa: PTH108

        def drop_folder(self, name: str) -> None:
            folder = self.sub(staged_name(name))
            for each in folder.names():
                os.unlink(folder.at(each))  # noqa: PTH108
            os.rmdir(self.at(name))  # noqa: PTH106

        def drop_empty(self, name: str) -> None:
            os.rmdir(self.at(name))  # noqa: PTH106

        def sync(self) -> bool:
            return False

        def close(self) -> None:
            return None

    def _is_folder(seen: os.stat_result) -> bool:
        return stat.S_ISDIR(seen.st_mode) and not seen.st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT

    class WindowsPlaces:
        """Implements `place_platform.PlacePlatform`."""

        def __init__(self) -> None:
            self._disk = WindowsPlatform()

        def open_root(self, root: str) -> WindowsFolder:
            if not stat.S_ISDIR(os.stat(root).st_mode):  # noqa: PTH116
                raise NotADirectoryError(errno.ENOTDIR, "not a folder")
            return WindowsFolder(root, self._disk)

        def open_read(self, path: str) -> int:
            return self._disk.open_read(Path(path))

        def is_folder(self, seen: os.stat_result) -> bool:
            return _is_folder(seen)

        def sync_file(self, fd: int) -> bool:
            os.fsync(fd)
            return True

        def syncs_all(self, root: Folder) -> bool:
            return False

        def moves_folders(self, root: Folder) -> bool:
            return False

        def sync_all(self, root: Folder) -> None:
            raise OSError(errno.ENOSYS, "no sync of a whole volume")

        def uncache(self, fd: int) -> None:
            return None

        def free_bytes(self, root: str) -> int | None:
            return shutil.disk_usage(root).free
