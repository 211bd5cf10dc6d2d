"""Reading a log's folder for a check: regular files only, links not followed, sizes bounded."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Union

from .bundle import MAX_BYTES
from .fault import Fault

Read = Callable[[str], Union[bytes, Fault, None]]  # noqa: UP007  (evaluated, and Python 3.9 has no other way)
"""Gives the bytes of a file by its name under `audit/<origin>/`, None when absent, a Fault when it cannot be read."""

# `open` may hold an interrupted commit beyond a full bundle; `hashes` has 32 bytes for 256 entries. More is not ours.
LIMIT = 8 * MAX_BYTES


def folder_reader(folder: str | os.PathLike[str]) -> Read:
    """A `Read` on a folder of the disk."""
    base = Path(folder)

    def read(name: str) -> bytes | Fault | None:
        try:
            return _read(base, name)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return Fault("UNREADABLE", error.strerror or "the file cannot be read", name)

    return read


def _read(base: Path, name: str) -> bytes | Fault:
    *folders, _ = name.split("/")
    for depth in range(1, len(folders) + 1):
        if not stat.S_ISDIR(os.lstat(base.joinpath(*folders[:depth])).st_mode):
            return Fault("UNREADABLE", "a link or a file where a folder belongs", "/".join(folders[:depth]))
    if not stat.S_ISREG(os.lstat(base / name).st_mode):  # before opening: a pipe would wait for ever
        return Fault("UNREADABLE", "not a regular file", name)
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    with os.fdopen(os.open(base / name, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return Fault("UNREADABLE", "not a regular file", name)
        data = file.read(LIMIT + 1)
    return Fault("UNREADABLE", f"more than {LIMIT} bytes", name) if len(data) > LIMIT else data
