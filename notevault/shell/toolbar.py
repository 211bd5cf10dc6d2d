"""The bottom line of every unlocked screen. Pure: facts in, the longest wording that fits out.

The countdown counts as wide as it ever is: else the wording would change with a digit less, and back with every key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from notevault.shell.safe import cell_width, clip

SEPARATOR = " \u2502 "
DEMO = "DEMO \u2013 nothing here is kept"
FINDING = ("FINDING: type audit", "FINDING")
COUNTDOWN = len("locks in 10:00")
_TIME = re.compile(r"[0-9]+:[0-9]{2}")
NO_SHEET = ("NOT RECOVERABLE: print your sheet", "NOT RECOVERABLE")


@dataclass(frozen=True)
class Bar:
    """`locks` and `saved` in words; `backup` in several, the longest first, none where nothing is known of it. With
    `alarm` the backup needs her now: then it stands in front, and is never left out.
    """

    locks: str
    saved: str = ""
    backup: tuple[str, ...] = ()
    alarm: bool = False
    sheet: bool = True
    read_only: bool = False
    finding: bool = False
    demo: bool = False

    def wordings(self) -> list[str]:
        """From the fullest to the barest. What warns goes first and stays longest; the countdown is in all of them."""
        last = max(0, len(self.backup) - 1)
        found = []
        for short, backup, saved in (
            *((False, at, True) for at in range(last + 1)),
            (True, last, True),
            (True, last, False),
            (True, None, False),
        ):
            words = self.backup[last if backup is None else backup] if self.backup else ""
            parts = self._warnings(words, short=short)
            parts += [NO_SHEET[short]] if not self.sheet and not self.demo else []
            parts += [self.locks, self.saved if saved else ""]
            parts += ["" if self.alarm or backup is None else words]
            found.append(SEPARATOR.join(filter(None, parts)))
        warnings = list(filter(None, self._warnings(self.backup[-1] if self.backup else "", short=True)))
        time = _TIME.search(self.locks)
        brief = time[0] if time else self.locks
        found += [SEPARATOR.join(filter(None, [*warnings, locks])) for locks in (self.locks, brief)]
        first = [self.backup[-1]] if self.alarm and self.backup else warnings[:1]
        return [*found, SEPARATOR.join(filter(None, [*first, brief]))]

    def _warnings(self, backup: str, *, short: bool) -> list[str]:
        return [
            DEMO[: 4 if short else None] if self.demo else "",
            FINDING[short] if self.finding else "",
            backup if self.alarm else "",
            "READ-ONLY" if self.read_only else "",
        ]

    def text(self, width: int) -> str:
        narrower = max(0, COUNTDOWN - cell_width(self.locks))
        for wording in self.wordings():
            if cell_width(wording) + narrower + 1 <= width:
                return f" {wording}".ljust(width)
        return clip(f" {self.wordings()[-1]}", width).ljust(width)
