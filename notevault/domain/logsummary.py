"""A month of the log at a glance, for the review: each week in one sentence, and what is worth a second look. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from notevault.domain import dates
from notevault.domain.loglines import Line, folded
from notevault.domain.logwords import Fact, counted

NIGHT_BEGINS, NIGHT_ENDS = 22, 6
"""Hours of local time between which nobody is expected to work."""
_BY_HAND = (
    "session.open",
    "session.list",
    "record.",
    "search.",
    "sheet.",
    "settings.",
    "header.write",
    "remember.start",
)
_ALWAYS = (
    "record.export",
    "record.print",
    "record.purge",
    "client.shred",
    "audit.disclose",
    "remember.start",
    "vault.recover",
    "device.fork",
    "rollback.confirm",
    "clock.jump",
    "session.fail",
    "backup.restore",
    "backup.heal",
    "backup.place",
)
_KEYS = ("passphrase", "sheet", "device", "renewal", "shred")
"""Reasons for new keys that a person had; the others are the program's own."""


@dataclass(repr=False)
class Week:
    """From `monday` on. `opened` without what a search showed, `written` with what was signed; `days` worked on."""

    monday: date
    opened: int = 0
    written: int = 0
    searched: int = 0
    failed: int = 0
    days: set[date] = field(default_factory=set)
    earliest: int = 24 * 60
    latest: int = -1

    def words(self, today: date) -> str:
        parts = [
            f"{self.opened:,} opened",
            f"{self.written:,} written",
            counted(self.searched, "search").replace("searchs", "searches"),
            f"{counted(self.failed, 'FAILED unlock')}" if self.failed else "no failed unlock",
        ]
        hours = f", {_clock(self.earliest)}-{_clock(self.latest)}" if self.latest >= 0 else ""
        when = f"worked on {counted(len(self.days), 'day')}{hours}" if self.days else "nobody worked"
        return f"Week of {dates.day_words(self.monday, today)}: {', '.join(parts)}; {when}."


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def weeks_of(facts: Iterable[Fact]) -> list[Week]:
    """In order of time; weeks without an entry are left out. What does not hold is counted nowhere."""
    weeks: dict[date, Week] = {}
    for fact in facts:
        day = fact.day
        if day is None or fact.fault:
            continue
        monday = day - timedelta(days=day.weekday())
        week = weeks.setdefault(monday, Week(monday))
        if fact.event == "session.fail":
            week.failed += max(1, int(fact.k.get("n", 1)))
        elif fact.event == "search.run":
            week.searched += 1
        elif fact.event == "record.open":
            week.opened += not fact.found
        elif fact.event in ("record.write", "record.sign"):
            week.written += fact.kind == "note"
        if by_hand(fact):
            then = dates.local(fact.t, fact.offset)
            minute = then.hour * 60 + then.minute
            week.days.add(day)
            week.earliest, week.latest = min(week.earliest, minute), max(week.latest, minute)
    return [weeks[monday] for monday in sorted(weeks)]


def by_hand(fact: Fact) -> bool:
    """Something that somebody did at the keyboard."""
    return fact.event.startswith(_BY_HAND)


def unusual(facts: Sequence[Fact]) -> list[Line]:
    """What deserves a second look, in the order of the log; the nights are `nights_of`'s."""
    return [line for line in folded(facts) if any(map(_unusual, line.facts))]


def _unusual(fact: Fact) -> bool:
    if fact.loud or fact.event in _ALWAYS:
        return True
    if fact.event == "session.open":
        return fact.k.get("how") == "sheet"
    if fact.event == "header.write":
        return fact.k.get("why") in _KEYS
    return fact.event == "verify.run" and bool(fact.k.get("bad"))


@dataclass(repr=False)
class Night:
    """Acts by hand between ten in the evening and six; `evening` is the day on which the night began."""

    evening: date
    first: Fact
    last: Fact
    acts: int = 1

    def words(self, today: date) -> str:
        clock = self.first.clock if self.first.clock == self.last.clock else f"{self.first.clock}-{self.last.clock}"
        return f"In the night of {dates.day_words(self.evening, today)}, {clock}: {counted(self.acts, 'act')}"


def nights_of(facts: Iterable[Fact]) -> list[Night]:
    nights: dict[date, Night] = {}
    for fact in facts:
        day = fact.day
        if day is None or fact.fault or not by_hand(fact):
            continue
        hour = dates.local(fact.t, fact.offset).hour
        if NIGHT_ENDS <= hour < NIGHT_BEGINS:
            continue
        evening = day if hour >= NIGHT_BEGINS else day - timedelta(days=1)
        if evening in nights:
            night = nights[evening]
            night.acts, night.last = night.acts + 1, fact
        else:
            nights[evening] = Night(evening, fact, fact)
    return [nights[evening] for evening in sorted(nights)]
