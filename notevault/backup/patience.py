"""Volumes without those that do not answer: a network folder that hangs must not hang the search for a stick.

Each mount is asked in a thread of its own, and one that has not answered is left out until it has. A mount that
answers this question and hangs at the next one still holds up the one place that looks there; it is then told as slow.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path

from notevault.errors import NotevaultError
from notevault.ports import Volume, Volumes

PATIENCE_S = 2.0
FRESH_S = 60.0
"""How long an answer counts."""


class PatientVolumes:
    """Implements `ports.Volumes`; may be used from several threads. At most one thread waits for each mount."""

    def __init__(self, inner: Volumes, *, patience_s: float = PATIENCE_S) -> None:
        self._inner = inner
        self._patience_s = patience_s
        self._guard = threading.Lock()
        self._asking: dict[Path, threading.Thread] = {}
        self._answered: dict[Path, float] = {}

    def of(self, folder: Path) -> Volume:
        return self._inner.of(folder)

    def mounts(self) -> list[Path]:
        mounts = self._inner.mounts()
        deadline = time.monotonic() + self._patience_s
        with self._guard:
            for gone in self._answered.keys() - set(mounts):
                del self._answered[gone]
            asked = [thread for mount in mounts if (thread := self._ask(mount)) is not None]
        for thread in asked:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [mount for mount in mounts if self._is_fresh(mount)]

    def _ask(self, mount: Path) -> threading.Thread | None:
        if self._is_fresh(mount):
            return None
        thread = self._asking.get(mount)
        if thread is None or not thread.is_alive():
            thread = threading.Thread(target=self._probe, args=(mount,), name="mount", daemon=True)
            self._asking[mount] = thread
            thread.start()
        return thread

    def _is_fresh(self, mount: Path) -> bool:
        at = self._answered.get(mount)
        return at is not None and time.monotonic() - at < FRESH_S

    def _probe(self, mount: Path) -> None:
        with suppress(NotevaultError):  # that is an answer too: whoever looks there is told the same at once
            self._inner.of(mount)
        self._answered[mount] = time.monotonic()
