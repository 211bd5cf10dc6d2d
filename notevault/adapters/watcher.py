"""Hints that something below a folder changed, from the system through `watchdog`. Never the truth.

Only what changes something is listened to: watching for opening and reading too would let the reader of a hint cause
the next one. Where the system cannot watch (no such folder yet, too many watches, a file system that does not tell),
`wait` is just a pause, and watching is tried again every few minutes.
"""

from __future__ import annotations

import logging
import threading
import time
import warnings
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

QUIET_S = 2.0
"""A hint is given this long after the last of several changes: a save is many files."""
LONGEST_S = 10.0
"""... and at the latest so long after the first, however long they go on."""
AGAIN_S = 300.0
_MOST = 64  # tokens that wait; more say nothing more
_CHANGE, _WAKE = "change", "wake"


class FolderWatcher:
    """Implements `ports.Watcher`. `wait` belongs to one thread; `wake` may be called from any, and from a signal."""

    def __init__(
        self, folder: Path, *, quiet_s: float = QUIET_S, longest_s: float = LONGEST_S, again_s: float = AGAIN_S
    ) -> None:
        self._folder = folder
        self._quiet_s, self._longest_s, self._again_s = quiet_s, longest_s, again_s
        self._tokens: SimpleQueue[str] = SimpleQueue()
        self._observer: BaseObserver | None = None
        self._closed = False
        self._armed_at = 0.0
        self._begun: float | None = None  # when the first change of those that are not told yet came
        self._arm()

    @property
    def watching(self) -> bool:
        """Whether the system is listening for us now."""
        observer = self._observer
        return observer is not None and observer.is_alive() and all(each.is_alive() for each in observer.emitters)

    def wait(self, timeout_s: float) -> bool:
        if self._lost():
            return True
        deadline = time.monotonic() + timeout_s
        while True:
            now = time.monotonic()
            limit = deadline - now
            if self._begun is not None:  # the quiet after a change may end after the time that was asked for
                limit = min(self._quiet_s, self._begun + self._longest_s - now)
            try:
                token = self._tokens.get(timeout=max(0.0, limit))
            except Empty:
                changed, self._begun = self._begun is not None, None
                return changed
            if token == _WAKE:
                return True  # a change that waits for its quiet is told by the next call
            if self._begun is None:
                self._begun = time.monotonic()

    def wake(self) -> None:
        self._tokens.put(_WAKE)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._disarm()
            self.wake()

    def _changed(self, event: Any) -> None:
        # Which one it was means nothing
        if self._tokens.qsize() < _MOST:
            self._tokens.put(_CHANGE)

    def _lost(self) -> bool:
        """Whether watching has just ended, or has just begun again: in both cases something may have been missed."""
        if self._closed or self.watching:
            return False
        had = self._observer is not None
        self._disarm()
        if not had and time.monotonic() - self._armed_at < self._again_s:
            return False
        return self._arm() or had

    def _arm(self) -> bool:
        self._armed_at = time.monotonic()
        try:
            self._observer = self._start()
        except Exception:  # noqa: BLE001  each system fails in its own way (limits, paths); a pause does instead
            self._observer = None
        return self._observer is not None

    def _start(self) -> BaseObserver:
        # Imported here: 60 ms that nobody else need pay
        from watchdog import events
        from watchdog.observers import Observer

        _hush()
        handler = events.FileSystemEventHandler()
        handler.on_any_event = self._changed  # type: ignore[method-assign]
        changes: list[type[events.FileSystemEvent]] = [
            events.DirCreatedEvent,
            events.DirDeletedEvent,
            events.DirMovedEvent,
            events.FileCreatedEvent,
            events.FileDeletedEvent,
            events.FileModifiedEvent,
            events.FileMovedEvent,
        ]
        observer = Observer()
        observer.daemon = True
        try:
            observer.schedule(handler, str(self._folder), recursive=True, event_filter=changes)
            observer.start()
        except BaseException:
            _stop(observer)
            raise
        return observer

    def _disarm(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            _stop(observer)


def _stop(observer: BaseObserver) -> None:
    """In a thread of its own: a watch on a folder that does not answer can hold up its own end."""

    def stop() -> None:
        try:
            observer.stop()
            if observer.is_alive():
                observer.join(5)
            else:
                observer.on_thread_stop()  # what it took before it was to start
        except Exception:  # noqa: BLE001  it is given up in any case
            return

    ender = threading.Thread(target=stop, name="watch-end", daemon=True)
    ender.start()
    ender.join(2)


def _hush() -> None:
    """Nothing of ours writes to the terminal, and its messages would carry the vault's path."""
    logger = logging.getLogger("watchdog")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", module=r"watchdog\..*")
