"""Closes the log's epochs while she writes, in a thread of its own: nothing on the screen ever waits for the key store.

Only its steps at the log take the vault's gate, for milliseconds (`vault.epochs`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from notevault.errors import NotevaultError
from notevault.ports import SecretStore
from notevault.shell.desk import Desk
from notevault.vault import epochs

AGAIN_MS = 10 * 60_000
"""After a key store that did not answer. The epoch stays open meanwhile; at a lock its closing is tried once more."""


class EpochKeeper:
    """`store`: a way to the key store that asks for no dialog and gives up soon."""

    def __init__(self, desk: Desk, store: Callable[[], SecretStore]) -> None:
        self._desk = desk
        self._store = store
        self._thread: threading.Thread | None = None
        self._not_before = 0

    def look(self) -> None:
        """To be called every second, from the loop's thread. Begins a close that is due; never waits."""
        desk = self._desk
        if not desk.open or desk.ui.leaving or (self._thread is not None and self._thread.is_alive()):
            return
        if desk.env.clock.boot_ms() < self._not_before or not desk.gate.acquire(blocking=False):
            return
        try:
            due = epochs.due(desk.session)
        except NotevaultError:
            due = False  # a damaged log: whatever writes to it next says so
        finally:
            desk.gate.release()
        if due:
            self._not_before = desk.env.clock.boot_ms() + AGAIN_MS
            self._thread = threading.Thread(target=self._close, daemon=True)
            self._thread.start()

    def _close(self) -> None:
        desk = self._desk
        try:
            with epochs.closing(desk.session, self._store(), wait_s=0.0) as close:
                with desk.gate:
                    close.look()
                close.prepare()
                with desk.gate:
                    close.commit()
                close.switch()
        except NotevaultError:
            return  # a lock tries again, and says so when it cannot
        self._not_before = 0

    def wait(self, seconds: float) -> None:
        """Before a lock: a close under way comes to its end, or is left to the next opening."""
        if self._thread is not None:
            self._thread.join(seconds)
