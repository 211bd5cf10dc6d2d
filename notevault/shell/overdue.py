"""When the parent locks in its child's place: a child that is stuck cannot lock by itself.

The child promises when it will have locked (`until T` on the line between them, `clock.boot_ms`), later and later as
long as keys come. A child that writes to a terminal which takes nothing, or waits for a file that never ends, makes
no new promise, and the parent ends it:

    T + GRACE_MS                SIGTERM: a child that still answers makes its text safe
    T + GRACE_MS + KILL_MS      SIGKILL
Counted in looks, each worth LOOK_MS at most: after a laptop slept both have had no time, however late it is.
"""

from __future__ import annotations

GRACE_MS = 10_000
KILL_MS = 5_000
LOOK_MS = 2_000


class Overdue:
    def __init__(self) -> None:
        self._until: int | None = None
        self._looked = self._waited = 0
        self.ended = False
        """The child has been told to end, or killed: whatever its status is, the vault is locked now."""

    def promise(self, words: str) -> None:
        """The number of an `until` line; anything else is none."""
        if words.isdecimal():
            self._until = int(words)

    def look(self, now: int) -> str:
        """About once a second: "end" once, later "kill"; "" while there is nothing to do."""
        if self._until is None or now <= self._until:
            self._looked, self._waited = now, 0
            return ""
        self._waited += min(now - self._looked, LOOK_MS)
        self._looked = now
        if self._waited > GRACE_MS + KILL_MS:
            return "kill"
        if self._waited > GRACE_MS and not self.ended:
            self.ended = True
            return "end"
        return ""
