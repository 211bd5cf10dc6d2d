"""Facts from the log folded into the lines that are read: one line per act, repeats of an act counted. Pure.

09:02-09:31  wrote ×4  Anna Berg C-014, session 12 of 17 Nov
09:40        searched for “sleep”: 3 notes found; shown: Anna Berg C-014, Jon Lind C-031 (2)
21:15        could not unlock: wrong passphrase, 3 times
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from notevault.domain import dates
from notevault.domain.logwords import Fact, act_words, counted, object_words, remark_words, who_words

APART_MS = 30 * 60_000
"""The same act on the same note after a longer pause is a line of its own. Autosaves come every five minutes."""
_REPEATED = ("record.", "search.run", "session.fail", "session.list", "backup.")


@dataclass(repr=False)
class Line:
    """`facts` are one act, or repeats of it; `shown`: what a search gave."""

    facts: list[Fact]
    shown: list[Fact] = field(default_factory=list)

    @property
    def first(self) -> Fact:
        return self.facts[0]

    @property
    def last(self) -> Fact:
        return self.facts[-1]

    @property
    def loud(self) -> bool:
        return any(fact.loud for fact in (*self.facts, *self.shown))

    @property
    def clock(self) -> str:
        """As "09:02", or from first to last."""
        one, two = self.first.clock, self.last.clock
        return one if one == two else f"{one}-{two}"

    def words(self, today: date, *, hidden: bool) -> str:
        first = self.first
        if first.fault:
            return self._faulty(today, hidden=hidden)
        remark = remark_words(first, today)
        if first.event == "session.fail":
            tries = sum(max(1, int(fact.k.get("n", 1))) for fact in self.facts)
            return f"{act_words(first)}{'' if tries == 1 else f', {tries:,} times'}{remark}"
        if _imported(first):
            clients = len({fact.client for fact in self.facts})
            what = [fact.kind for fact in self.facts]
            notes = counted(what.count("note"), "note")
            new = f", {counted(what.count('client'), 'new client')}" if "client" in what else ""
            whom = who_words(first, hidden=hidden) if clients == 1 else counted(clients, "client")
            return f"{act_words(first)} {notes} of {whom}{new}{remark}"
        times = f" \u00d7{len(self.facts)}" if len(self.facts) > 1 else ""
        about = object_words(first, today, hidden=hidden)
        gap = "  " if first.kind else " " if about.startswith("for ") else ": " if about else ""
        return f"{act_words(first)}{times}{gap}{about}".rstrip() + self._shown(hidden=hidden) + remark

    def _shown(self, *, hidden: bool) -> str:
        if not self.shown:
            return ""
        names: dict[str, int] = {}
        for fact in self.shown:
            name = who_words(fact, hidden=hidden)
            names[name] = names.get(name, 0) + 1
        return "; shown: " + ", ".join(f"{name} ({n})" if n > 1 else name for name, n in names.items())

    def _faulty(self, today: date, *, hidden: bool) -> str:
        first = self.first
        claim = f" It says: {act_words(first)}  {object_words(first, today, hidden=hidden)}".rstrip()
        return f"DOES NOT HOLD: {first.fault}" + (f"{claim}." if first.event else "")


@dataclass(repr=False)
class Day:
    """`day` None: no calendar has it."""

    day: date | None
    lines: list[Line] = field(default_factory=list)

    def heading(self, today: date) -> str:
        if self.day is None:
            return "At no possible time"
        return f"{'Today, ' if self.day == today else ''}{dates.day_words(self.day, today)}"


def days_of(facts: Iterable[Fact]) -> list[Day]:
    """Lines under their days, in the order of the log: where a clock was set back, a day may come twice."""
    found: list[Day] = []
    for line in folded(facts):
        if not found or found[-1].day != line.first.day:
            found.append(Day(line.first.day))
        found[-1].lines.append(line)
    return found


def folded(facts: Iterable[Fact]) -> Iterator[Line]:
    """Neighbours that are the same act become one line; what a search showed goes into its line."""
    line: Line | None = None
    for fact in facts:
        if line is not None and fact.found and line.first.event == "search.run" and not fact.fault:
            line.shown.append(fact)
            continue
        if line is not None and not line.shown and _goes_on(line.last, fact):
            line.facts.append(fact)
            continue
        if line is not None:
            yield line
        line = Line([fact])
    if line is not None:
        yield line


def _goes_on(before: Fact, fact: Fact) -> bool:
    if not fact.event.startswith(_REPEATED) or fact.day != before.day or not 0 <= fact.t - before.t <= APART_MS:
        return False
    return _key(before) == _key(fact)


def _key(fact: Fact) -> tuple[object, ...]:
    common = (fact.event, fact.outcome, fact.purpose, fact.elsewhere, fact.locked, fact.fault, fact.found)
    if _imported(fact):
        return common
    about = (fact.kind, fact.client, fact.record, fact.kind == "client" and fact.action, fact.words)
    return (*common, *about, fact.k.get("why"), fact.k.get("at"))


def _imported(fact: Fact) -> bool:
    return fact.event == "record.write" and fact.purpose == "import" and not fact.fault
