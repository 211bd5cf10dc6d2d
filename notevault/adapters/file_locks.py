"""Locks between processes and between threads, freed by the system when a process dies."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from notevault.adapters.file_errors import plain_errors
from notevault.adapters.file_platform import Platform
from notevault.errors import Busy

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.01, 0.05


class FileLocks:
    """Waits by asking again every few hundredths of a second; the lock file itself is never removed."""

    def __init__(self, platform: Platform) -> None:
        self._os = platform
        self._gates: dict[Path, threading.Lock] = {}  # beside flock, which NFS gives per process only
        self._guard = threading.Lock()

    @contextmanager
    def hold(self, path: Path, wait_s: float) -> Iterator[None]:
        """Raises Busy after `wait_s` seconds, and what opening the lock file raises."""
        deadline = time.monotonic() + wait_s
        with self._guard:
            gate = self._gates.setdefault(path, threading.Lock())
        if not gate.acquire(timeout=max(0.0, wait_s)):
            raise _busy()
        try:
            with plain_errors(path):
                fd = self._os.open_lock(path)
                try:
                    self._wait(fd, deadline)
                except BaseException:
                    os.close(fd)
                    raise
            try:
                yield
            finally:
                # Said aloud, not left to the closing: a helper that is just being started may share the open file.
                try:
                    with plain_errors(path):
                        self._os.unlock(fd)
                finally:
                    os.close(fd)
        finally:
            gate.release()

    def _wait(self, fd: int, deadline: float) -> None:
        pause = _FIRST_PAUSE_S
        while not self._os.try_lock(fd):
            left = deadline - time.monotonic()
            if left <= 0:
                raise _busy()
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE_S)


def _busy() -> Busy:
    return Busy("Another notevault is using this vault right now.")
