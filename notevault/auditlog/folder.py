"""Reading a log's folder for a check: regular files only, links not followed, sizes bounded, nothing that waits."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Union

from . import card
from .bundle import MAX_BYTES
from .fault import Fault

Read = Callable[[str], Union[bytes, Fault, None]]  # noqa: UP007  (evaluated, and Python 3.9 has no other way)
"""Gives the bytes of a file by its name under `audit/<origin>/`, None when absent, a Fault when it cannot be read."""

# `open` may hold an interrupted commit beyond a full bundle; `hashes` has 32 bytes for 256 entries.
LIMIT = 8 * MAX_BYTES
_FLAGS = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):  # not every system has each
    _FLAGS |= getattr(os, _flag, 0)
_WALKS = {os.open, os.stat} <= os.supports_dir_fd and hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_DIRECTORY")
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


def folder_reader(folder: str | os.PathLike[str]) -> Read:
    """A `Read` on a folder of the disk. Of a file longer than any of its kind one byte more than the longest is read:
    enough for whoever parses it to refuse it.
    """
    base = Path(folder)
    return lambda name: read_file(base, name, _limit(name))


def _limit(name: str) -> int:
    if name in ("card", "checkpoint") or name.startswith("seals/"):
        return card.MAX_BYTES
    return MAX_BYTES if name.startswith("entries/") else LIMIT


def read_file(base: Path, name: str, limit: int) -> bytes | Fault | None:
    """The first `limit` + 1 bytes of the file `name` below `base`, through no link. None when it is not there."""
    opened = open_file(base, name)
    if not isinstance(opened, int):
        return opened
    try:
        with os.fdopen(opened, "rb", buffering=0) as file:
            return _whole(file, limit + 1, name)
    except OSError as error:
        return unreadable(error, name)


def _whole(file: FileIO, most: int, name: str) -> bytes | Fault:
    """At most so many bytes, as often as it takes: a read may give fewer than were asked for."""
    first = file.read(most)
    if first is None:  # it would have to wait: no regular file does
        return Fault("UNREADABLE", "not a file that can be read at once", name)
    parts, left = [first], most - len(first)
    while parts[-1] and left:
        piece = file.read(left)
        if piece is None:
            return Fault("UNREADABLE", "not a file that can be read at once", name)
        parts.append(piece)
        left -= len(piece)
    return b"".join(parts)


def open_file(base: Path, name: str) -> int | Fault | None:
    """A descriptor of the regular file `name` below `base`, through no link. None when it is not there."""
    if _WALKS:
        return _walk(base, name)
    try:
        *folders, _ = name.split("/")
        for depth in range(1, len(folders) + 1):
            mode = os.lstat(base.joinpath(*folders[:depth])).st_mode
            if not stat.S_ISDIR(mode):
                return Fault("UNREADABLE", "a link or a file where a folder belongs", "/".join(folders[:depth]))
        if not stat.S_ISREG(os.lstat(base / name).st_mode):  # before opening: a device may act on being opened
            return Fault("UNREADABLE", "not a regular file", name)
        opened = os.open(base / name, _FLAGS)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        return unreadable(error, name)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        return Fault("UNREADABLE", "not a regular file", name)
    return opened


def _walk(base: Path, name: str) -> int | Fault | None:
    """Folder by folder from an open one, so that nobody slips a link in between looking and opening."""
    *folders, last = name.split("/")
    held = -1
    try:
        held = os.open(base, _FOLDER)
        for depth, folder in enumerate(folders, 1):
            if not stat.S_ISDIR(os.stat(folder, dir_fd=held, follow_symlinks=False).st_mode):
                return Fault("UNREADABLE", "a link or a file where a folder belongs", "/".join(folders[:depth]))
            inner = os.open(folder, _FOLDER | os.O_NOFOLLOW, dir_fd=held)
            os.close(held)
            held = inner
        kind = os.stat(last, dir_fd=held, follow_symlinks=False).st_mode
        if not stat.S_ISREG(kind):  # before opening: a device may act on being opened
            return Fault("UNREADABLE", "not a regular file", name)
        opened = os.open(last, _FLAGS, dir_fd=held)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        return unreadable(error, name)
    finally:
        if held >= 0:
            os.close(held)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        return Fault("UNREADABLE", "not a regular file", name)
    return opened


def unreadable(error: Exception, name: str) -> Fault:
    return Fault("UNREADABLE", getattr(error, "strerror", None) or "the file cannot be read", name)


def names(folder: Path) -> Iterator[tuple[str, str]]:
    """What lies in a folder, as it comes: name and kind (`file`, `folder`, `other`: links too). Ends early, with the
    name "" and the reason as its kind, where the folder cannot be read; gives nothing where there is none.
    """
    try:
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            yield "", "a link or a file where a folder belongs"
            return
        with os.scandir(folder) as found:
            for one in found:
                if one.is_file(follow_symlinks=False):
                    yield one.name, "file"
                else:
                    yield one.name, "folder" if one.is_dir(follow_symlinks=False) else "other"
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        yield "", unreadable(error, "").sentence
