"""Looking whether something is there that a person named. What the system does not let us see is not there.

`pathlib` passes on whatever a folder says that may not be entered, a disk that fails or a server that is gone; here all
of that is an answer. What is to be done about it is found out by whoever opens it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def is_there(path: Path) -> bool:
    return _asked(path.exists)


def is_folder(path: Path) -> bool:
    """Also through a link."""
    return _asked(path.is_dir)


def is_file(path: Path) -> bool:
    """Also through a link."""
    return _asked(path.is_file)


def is_link(path: Path) -> bool:
    return _asked(path.is_symlink)


def _asked(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except OSError:
        return False
