"""Who may write: one process at a time, and one shell per vault. The system frees a dead process's locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notevault.errors import Busy
from notevault.ports import Files
from notevault.storage.local import LocalState

WRITER_WAIT_S = 10.0
"""A commit takes milliseconds and the largest import batch about a second; beyond this someone hangs."""


@contextmanager
def writer_lock(files: Files, local: LocalState, *, wait_s: float = WRITER_WAIT_S) -> Iterator[None]:
    """Held around every commit. Raises Busy after `wait_s` seconds."""
    with _held(
        files,
        local.paths.lock,
        wait_s,
        "Another notevault is writing to this vault and has not finished.",
        "Wait a moment and try again; nothing was changed.",
    ):
        yield


@contextmanager
def shell_lock(files: Files, local: LocalState) -> Iterator[None]:
    """Held by an open shell for as long as it runs. Raises Busy at once when there is another."""
    with _held(
        files,
        local.paths.shell_lock,
        0.0,
        "Another notevault window has this vault open.",
        "Go on in that window, or close it first.",
    ):
        yield


def shell_is_open(files: Files, local: LocalState) -> bool:
    """Whether another process has a shell open on this vault just now."""
    try:
        with shell_lock(files, local):
            return False
    except Busy:
        return True


@contextmanager
def _held(files: Files, path: Path, wait_s: float, sentence: str, next_step: str) -> Iterator[None]:
    files.make_folder(path.parent)
    lock = files.lock(path, wait_s=wait_s)
    try:
        lock.__enter__()
    except Busy:
        raise Busy(sentence, next_step) from None
    # Entered by hand: a Busy raised inside the block belongs to the caller and keeps its own words.
    try:
        yield
    finally:
        lock.__exit__(None, None, None)
