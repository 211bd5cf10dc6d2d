"""How a worker is told to end: from another thread or from a signal handler, so nothing here waits for a lock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue


class Ending:
    """Once ended, always ended. `SimpleQueue.put` may be called while the same thread is inside `get`."""

    def __init__(self) -> None:
        self.ended = False
        self._queue: SimpleQueue[None] = SimpleQueue()
        self._hooks: list[Callable[[], None]] = []

    def end(self) -> None:
        self.ended = True
        self._queue.put(None)
        for hook in list(self._hooks):
            hook()

    def also(self, hook: Callable[[], None]) -> None:
        """Call this too, at once when it has ended already. It must neither block nor raise."""
        self._hooks.append(hook)
        if self.ended:
            hook()

    def wait(self, seconds: float) -> bool:
        """True as soon as it has ended, False after the time. For one waiting thread."""
        if not self.ended:
            with suppress(Empty):
                self._queue.get(timeout=seconds)
        return self.ended
