"""Volumes without those that do not answer: a disk or folder that hangs must not hang the search for a stick.

Each mount is asked in a thread of its own, and one that has not answered is left out until it has. The list of mounts
itself comes from the system's table and touches none of them. A mount that answers this question and hangs at the next
one is given up there as well (`in_time`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from notevault.errors import NotevaultError
from notevault.ports import Volume, Volumes

T = TypeVar("T")
PATIENCE_S = 2.0
FRESH_S = 60.0
"""How long an answer counts."""


class PatientVolumes:
    """Implements `ports.Volumes`; may be used from several threads. At most one thread waits for each mount, and each
    is waited for once: who asks again while it still hangs is answered at once.
    """

    def __init__(self, inner: Volumes, *, patience_s: float = PATIENCE_S) -> None:
        self._inner = inner
        self._patience_s = patience_s
        self._guard = threading.Lock()
        self._asking: dict[Path, tuple[threading.Thread, float]] = {}  # the thread, and until when it is waited for
        self._answered: dict[Path, float] = {}

    def of(self, folder: Path) -> Volume:
        return self._inner.of(folder)

    def table(self) -> list[Path]:
        """What the system's own table names, answering or not; never waits."""
        return self._inner.mounts()

    def mounts(self) -> list[Path]:
        mounts = self.table()
        with self._guard:
            for gone in self._answered.keys() - set(mounts):
                del self._answered[gone]
            asked = [asking for mount in mounts if (asking := self._ask(mount)) is not None]
        for thread, until in asked:
            thread.join(max(0.0, until - time.monotonic()))
        return [mount for mount in mounts if self._is_fresh(mount)]

    def _ask(self, mount: Path) -> tuple[threading.Thread, float] | None:
        if self._is_fresh(mount):
            return None
        asking = self._asking.get(mount)
        if asking is None or not asking[0].is_alive():
            thread = threading.Thread(target=self._probe, args=(mount,), name="mount", daemon=True)
            asking = self._asking[mount] = thread, time.monotonic() + self._patience_s
            thread.start()
        return asking

    def _is_fresh(self, mount: Path) -> bool:
        at = self._answered.get(mount)
        return at is not None and time.monotonic() - at < FRESH_S

    def _probe(self, mount: Path) -> None:
        with suppress(NotevaultError, OSError):  # that is an answer too: whoever looks there is told the same at once
            self._inner.of(mount)
        self._answered[mount] = time.monotonic()


_late: dict[Hashable, threading.Thread] = {}
_guard = threading.Lock()


def in_time(key: Hashable, job: Callable[[], T], seconds: float) -> T | None:
    """What `job` gives; None where it takes longer: it is then left to itself, and while it still hangs None is the
    answer for this `key` at once. What it raises comes out here.
    """
    found: list[T] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            found.append(job())
        except BaseException as fault:  # noqa: BLE001  it is raised where it was asked for
            faults.append(fault)

    with _guard:
        if (before := _late.pop(key, None)) is not None and before.is_alive():
            _late[key] = before
            return None
        thread = threading.Thread(target=run, name="patience", daemon=True)
        thread.start()
    thread.join(seconds)
    if faults:
        raise faults[0]
    if found:
        return found[0]
    with _guard:
        _late[key] = thread
    return None
