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
    """`locks` and `saved` in words; backups are a later part of the program, so none is claimed."""

    locks: str
    saved: str = ""
    backup: str = "backup: none yet"
    sheet: bool = True
    read_only: bool = False
    finding: bool = False
    demo: bool = False

    def wordings(self) -> list[str]:
        """From the fullest to the barest. What warns goes first and stays longest."""
        found = []
        for level in range(4):
            parts = [DEMO if level < 2 else "DEMO"] if self.demo else []
            parts += [FINDING[0 if level < 2 else 1]] if self.finding else []
            parts += ["READ-ONLY"] if self.read_only else []
            parts += [NO_SHEET[0 if level < 2 else 1]] if not self.sheet and not self.demo else []
            parts += [self.locks]
            parts += [self.saved] if level < 3 else []
            parts += [(self.backup, "no backup", "", "")[level] if self.backup == "backup: none yet" else self.backup]
            found.append(SEPARATOR.join(part for part in parts if part))
        return found

    def text(self, width: int) -> str:
        for wording in self.wordings():
            if cell_width(wording) + 2 <= width:
                return f" {wording}".ljust(width)
        return clip(f" {self.wordings()[-1]}", width).ljust(width)
