"""The bottom line of every unlocked screen. Pure: facts in, the longest wording that fits out."""

from __future__ import annotations

from dataclasses import dataclass

from notevault.shell.safe import cell_width, clip

SEPARATOR = " \u2502 "
DEMO = "DEMO \u2013 nothing here is kept"
FINDING = ("FINDING: type audit", "FINDING")
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
        """From the fullest to the barest. What warns goes first and stays longest."""
        last = max(0, len(self.backup) - 1)
        found = []
        for short, backup, saved in (
            *((False, at, True) for at in range(last + 1)),
            (True, last, True),
            (True, last, False),
            (True, None, False),
        ):
            words = self.backup[last if backup is None else backup] if self.backup else ""
            loud = words if self.alarm else ""
            parts = [DEMO[:4] if short else DEMO] if self.demo else []
            parts += [FINDING[short]] if self.finding else []
            parts += [loud, "READ-ONLY" if self.read_only else ""]
            parts += [NO_SHEET[short]] if not self.sheet and not self.demo else []
            parts += [self.locks, self.saved if saved else ""]
            parts += ["" if self.alarm or backup is None else words]
            found.append(SEPARATOR.join(part for part in parts if part))
        return found

    def text(self, width: int) -> str:
        for wording in self.wordings():
            if cell_width(wording) + 2 <= width:
                return f" {wording}".ljust(width)
        return clip(f" {self.wordings()[-1]}", width).ljust(width)
