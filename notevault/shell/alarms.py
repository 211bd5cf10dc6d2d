"""What somebody must look at: said on home and in the toolbar until `audit` has shown it.

faults     something did not hold: a record, a draft, the log itself; or a check of the vault found something
notices    what the opening settled or found out, in sentences
The findings of the log itself are the session's; which of them were looked at, `app.reviewing` knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from notevault.domain.logwords import counted
from notevault.errors import Damaged, Missing, NotevaultError, Tampered
from notevault.shell.wording import in_plain_words

LOOK = "type `audit`"
SHORT = 70
"""Characters of a notice that has room for the advice."""
MOST = 3
"""Notices that home says; `audit` has them all."""


@dataclass(repr=False)
class Alarms:
    faults: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    read_only: str = ""
    _told: set[str] = field(default_factory=set)

    def heard(self, fault: NotevaultError) -> None:
        """Of a command that failed: only what tells of damage stays."""
        if isinstance(fault, (Damaged, Missing, Tampered)):
            self.found([fault.sentence])

    def found(self, sentences: Iterable[str]) -> None:
        """Something that does not hold, until it was looked at."""
        self.faults += [each for each in dict.fromkeys(sentences) if each not in self.faults]

    def noticed(self, sentences: Iterable[str], *, keep: bool = True) -> list[str]:
        """Those that were not said before; without `keep`, saying them once is enough."""
        fresh = [each for each in dict.fromkeys(sentences) if each not in self._told]
        self._told.update(fresh)
        self.notices += fresh if keep else []
        return fresh

    def sentences(self) -> list[str]:
        """All of it, the gravest first, as it may be read."""
        told = [*([self.read_only] if self.read_only else []), *self.faults, *self.notices]
        return [in_plain_words(each) for each in told]

    def clear(self) -> None:
        self.faults.clear()
        self.notices.clear()
        self.read_only = ""

    def lines(self, findings: int) -> list[str]:
        """For home: what must not be overlooked, and how to have it looked at."""
        lines = []
        if findings:
            what = "a finding" if findings == 1 else counted(findings, "finding")
            lines.append(f"The log has {what}: {LOOK}.")
        elif self.faults or self.read_only:
            lines.append(f"Something in this vault does not hold: {LOOK}.")
        if len(self.notices) == 1 and len(self.notices[0]) <= SHORT:
            return [*lines, f"{self.notices[0].rstrip('.')}: {LOOK}."]
        lines += self.notices[:MOST]
        return [*lines, f"To have looked at this, {LOOK}."] if self.notices else lines

    def is_grave(self, findings: int) -> bool:
        return bool(findings or self.faults or self.read_only)
