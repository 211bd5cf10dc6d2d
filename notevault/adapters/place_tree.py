"""`DiskTree`: reading below one folder of a real disk, whoever may have put links into it.

Speed matters (a pass looks at 20,000 names): paths are text, and a folder found to be a real one is believed for a few
seconds. Within these, whoever swaps it for a link makes us read a file elsewhere, which then does not hash to its name.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from notevault.adapters.file_errors import irregular, translate
from notevault.adapters.place_platform import PlacePlatform, this_place_platform
from notevault.errors import Damaged, NotevaultError, NotFound, OwnFault
from notevault.ports import Listed

_BELIEVED_S = 3.0
_PIECE = 1 << 20
_SPECIAL = ("", ".", "..")
_FOREIGN = "\0/" if os.sep == "/" else '\0/\\:*?"<>|'
# What a folder says whose server, connection or device is gone; not every system knows all of them.
_AWAY = {
    number
    for name in ["ENOTCONN", "ESTALE", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ETIMEDOUT", "ENODEV"]
    if (number := getattr(errno, name, None)) is not None
}
# Of Windows: offline, recall on open, recall on data access. Of macOS: SF_DATALESS.
_ATTRIBUTES_AWAY = 0x1000 | 0x40000 | 0x400000
_FLAG_AWAY = 0x40000000


def split(path: str) -> tuple[str, str]:
    """(folder, name) of a relative path. OwnFault for one that could lead elsewhere."""
    folder, _, name = path.rpartition("/")
    if name in _SPECIAL or any(c in name for c in _FOREIGN) or (not folder and path != name):
        raise OwnFault("A file was asked for by a path that is none.")
    return folder, name


def _away(seen: os.stat_result) -> bool:
    """Whether a cloud client keeps the bytes elsewhere."""
    return bool(getattr(seen, "st_file_attributes", 0) & _ATTRIBUTES_AWAY or getattr(seen, "st_flags", 0) & _FLAG_AWAY)


class DiskTree:
    """Implements `ports.Tree`. Once the root was seen, a root that is gone, or on another file system, is NotFound:
    its files are not "absent", they were unplugged.
    """

    def __init__(self, root: Path, platform: PlacePlatform | None = None) -> None:
        self._root = root
        self._base = str(root)
        self._os = platform or this_place_platform()
        self._device: int | None = None  # of the root, once it was seen
        self._real: dict[str, tuple[str, float]] = {}  # folder -> (whole path, when it was looked at)

    @property
    def root(self) -> Path:
        return self._root

    def names(self, folder: str) -> set[str]:
        path = self._folder(folder)
        if path is None:
            return set()
        try:
            return set(os.listdir(path))  # noqa: PTH208 - a path object per name costs more than the look
        except FileNotFoundError:
            self._need_root()
            return set()
        except OSError as error:
            raise self._told(error, path) from None

    def listing(self, folder: str) -> dict[str, Listed]:
        path = self._folder(folder)
        if path is None:
            return {}
        found: dict[str, Listed] = {}
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    try:
                        seen = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    found[entry.name] = self._listed(seen)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._told(error, path) from None
        if not found:
            self._need_root()
        return found

    def size(self, path: str) -> int | None:
        whole = self._path(path)
        if whole is None:
            return None
        try:
            seen = os.lstat(whole)
        except FileNotFoundError:
            self._need_root()
            return None
        except OSError as error:
            raise self._told(error, whole) from None
        if not stat.S_ISREG(seen.st_mode):
            raise irregular(Path(whole))
        return seen.st_size

    def read(self, path: str, *, limit: int) -> bytes:
        whole = self._path(path)
        if whole is None:
            raise self._told(FileNotFoundError(errno.ENOENT, "absent"), path)
        try:
            fd = self._os.open_read(whole)
            try:
                return self._whole(fd, limit)
            finally:
                os.close(fd)
        except OSError as error:
            raise self._told(error, whole) from None

    def stream(self, path: str, *, chunk: int) -> Iterator[bytes]:
        whole = self._path(path)
        if whole is None:
            raise self._told(FileNotFoundError(errno.ENOENT, "absent"), path)
        try:
            fd = self._os.open_read(whole)
        except OSError as error:
            raise self._told(error, whole) from None
        try:
            while True:
                try:
                    piece = os.read(fd, chunk)
                    # A short piece is the end, or a slow network: only an empty one says which.
                    while 0 < len(piece) < chunk and (more := os.read(fd, chunk - len(piece))):
                        piece += more
                except OSError as error:
                    raise self._told(error, whole) from None
                if not piece:
                    return
                yield piece
        finally:
            os.close(fd)

    # Helpers

    @staticmethod
    def _whole(fd: int, limit: int) -> bytes:
        expected = os.fstat(fd).st_size
        if expected <= limit:
            data = os.read(fd, min(expected, _PIECE) + 1)
            if len(data) == expected:
                return data
            pieces, total = [data], len(data)
            while total <= limit and (piece := os.read(fd, _PIECE)):
                pieces.append(piece)
                total += len(piece)
            if total <= limit:
                return b"".join(pieces)
        raise Damaged(f"More than {limit} bytes lie in a file: more than it can have.")

    def _listed(self, seen: os.stat_result) -> Listed:
        if stat.S_ISREG(seen.st_mode):
            return Listed("file", seen.st_size, seen.st_mtime_ns, _away(seen))
        return Listed("folder" if self._os.is_folder(seen) else "other", 0, seen.st_mtime_ns, False)

    def _path(self, path: str) -> str | None:
        """The whole path of a file, None when its folder is absent. Every folder on the way is a real one."""
        folder, name = split(path)
        above = self._folder(folder)
        return None if above is None else f"{above}{os.sep}{name}"

    def _folder(self, folder: str) -> str | None:
        known = self._real.get(folder)
        now = time.monotonic()
        if known is not None and now - known[1] < _BELIEVED_S:
            return known[0]
        if not folder:
            return self._look_at_root(now)
        above, name = split(folder)
        upper = self._folder(above)
        if upper is None:
            return None
        path = f"{upper}{os.sep}{name}"
        try:
            seen = os.lstat(path)
        except FileNotFoundError:
            self._need_root()
            return None
        except OSError as error:
            raise self._told(error, path) from None
        if not self._os.is_folder(seen):
            raise irregular(Path(path))
        self._real[folder] = (path, now)
        return path

    def _look_at_root(self, now: float) -> str | None:
        try:
            seen = os.stat(self._base)  # noqa: PTH116
        except FileNotFoundError:
            self._need_root()
            return None
        except OSError as error:
            raise self._told(error, self._base) from None
        if not stat.S_ISDIR(seen.st_mode):
            raise irregular(self._root)
        if self._device is None:
            self._device = seen.st_dev
        elif self._device != seen.st_dev:
            raise gone()
        self._real[""] = (self._base, now)
        return self._base

    def _need_root(self) -> None:
        """Something is absent: because it was never there, or because everything was unplugged?"""
        if self._is_gone():
            raise gone()

    def _is_gone(self) -> bool:
        if self._device is None:
            return False
        try:
            return os.stat(self._base).st_dev != self._device  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as error:
            return error.errno in _AWAY  # else the error at hand says more

    def _told(self, error: OSError, path: str) -> NotevaultError:
        """The error for what the system said; a missing root explains all others."""
        never_seen = self._device is None and error.errno in _AWAY
        return gone() if never_seen or self._is_gone() else translate(error, Path(path))


def gone() -> NotFound:
    return NotFound(
        "The folder was taken away meanwhile (unplugged, or its connection ended).",
        "Plug it in again; whatever is missing is copied then.",
    )
