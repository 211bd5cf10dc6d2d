"""Logs for the Go program: every kind that we write, small, stored on disk."""

from __future__ import annotations

from pathlib import Path

from tests.auditlog import sample
from tests.auditlog.forge import Forge, ForgedLog

SIZES = (0, 1, 2, 255, 256, 257, 700)


def plain(folder: Path, size: int) -> Path:
    """A log of one epoch; gives its folder."""
    if size == 0:
        return sample.Log.of([]).store(folder)
    log = Forge(folder).begin()
    while log.size < size:
        log.add(sample.WORK[log.size % len(sample.WORK)])
    log.store()
    return log.folder


def epochs(folder: Path, *sizes: int, then: int = 0) -> ForgedLog:
    """A stored log whose epochs end at these sizes, with `then` entries after the last of them."""
    log = Forge(folder).begin()
    for size in sizes:
        _fill(log, size - 1)
        log.close()
    _fill(log, log.size + then)
    log.store()
    return log


def _fill(log: ForgedLog, size: int) -> None:
    while log.size < size:
        log.add(sample.WORK[log.size % len(sample.WORK)])


def flip(data: bytes, at: int) -> bytes:
    """One bit of one byte changed."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def spoil(path: Path, at: int) -> None:
    path.write_bytes(flip(path.read_bytes(), at))
