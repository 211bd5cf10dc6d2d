"""When an open vault locks by itself: after so many minutes without a key, on a clock that runs on through suspend.

key        the countdown starts anew
warning    WARN_S seconds before the end
due        `idle` at the end; `suspend` when the clock jumped between two looks: the laptop slept
"""

from __future__ import annotations

from notevault.domain.dates import countdown
from notevault.ports import Clock

WARN_S = 30
JUMP_MS = 20_000
"""Looks come every second; a gap this long means that the machine, or this process, was stopped."""
WORK_MS = 60_000
"""A job that told of its progress so lately is not stuck, and is waited for before a lock."""


class Idle:
    """Off until `start`: a vault that is locked needs no countdown."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limit_ms: int | None = None
        self._last = self._looked = clock.boot_ms()
        self._worked: int | None = None

    def start(self, minutes: int) -> None:
        """Begin, or change the limit; the countdown starts anew."""
        self._limit_ms = minutes * 60_000
        self._last = self._looked = self._clock.boot_ms()

    @property
    def running(self) -> bool:
        return self._limit_ms is not None

    def activity(self) -> None:
        self._last = self._clock.boot_ms()

    def worked(self) -> None:
        """A job went on by a step. Called from its thread."""
        self._worked = self._clock.boot_ms()

    def due_ms(self, *, leaving: int | None = None) -> int | None:
        """When it must be locked at the latest, on `boot_ms`; None while it does not run. `leaving`: it is to be locked
        already, keys do not put off the moment that was promised then.
        """
        if self._limit_ms is None:
            return None
        due = self._last + self._limit_ms if leaving is None else leaving
        return due if self._worked is None else max(due, self._worked + WORK_MS)

    def left_s(self) -> int:
        """Whole seconds until it locks; 0 when due."""
        if self._limit_ms is None:
            return 0
        return max(0, -(-(self._last + self._limit_ms - self._clock.boot_ms()) // 1000))

    def look(self) -> str | None:
        """To be called every second: why to lock now, or None."""
        now, before = self._clock.boot_ms(), self._looked
        self._looked = now
        if self._limit_ms is None:
            return None
        if now - before > JUMP_MS:
            return "suspend"
        return "idle" if self.left_s() == 0 else None

    def words(self) -> str:
        """For the toolbar: `locks in 4:32`; nothing while it does not run."""
        if self._limit_ms is None:
            return ""
        left = self.left_s()
        return f"LOCKS IN {countdown(left)}: press a key" if left <= WARN_S else f"locks in {countdown(left)}"
