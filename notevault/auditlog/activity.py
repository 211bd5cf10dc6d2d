"""What happened when, from the tallies of logs: bars for a chart, days that no backup followed. Bounded in size."""

from __future__ import annotations

from dataclasses import dataclass, field

from .outcome import LogReport
from .plain import KINDS, kind_of

MAX_BARS = 170  # of a chart 680 units wide: four units a bar
_MONTH, _WEEK, _MONDAY = 28, 7, 4  # day 4 since 1970 was a Monday


@dataclass
class Bar:
    """`first` to `last` day, both included; entries by kind."""

    first: int
    last: int
    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    @property
    def total(self) -> int:
        return sum(self.kinds.values())


def bars(logs: list[LogReport]) -> tuple[int, list[Bar]]:
    """Days a bar (1, 7, 28 or more), and the bars that hold something, oldest first; at most `MAX_BARS`.

    Each day up to 13 weeks, then weeks from Monday, then as many weeks as it takes.
    """
    present = [day for log in logs for day in log.tally.days]
    if not present:
        return 1, []
    span = max(present) - min(present) + 1
    size = 1 if span <= 13 * _WEEK else _WEEK
    if span > size * (MAX_BARS - 1):
        size = -(-span // (MAX_BARS - 1))
        size = -(-size // _MONTH) * _MONTH
    found: dict[int, Bar] = {}
    for log in logs:
        for day, events in log.tally.days.items():
            place = (day - _MONDAY) // size
            bar = found.get(place)
            if bar is None:
                first = place * size + _MONDAY
                bar = found[place] = Bar(first, first + size - 1)
            for event, n in events.items():
                bar.kinds[kind_of(event)] += n
    return size, [found[place] for place in sorted(found)]


def tells_of_backups(log: LogReport) -> bool:
    """Is there any `backup.run`, whatever became of it? A program that writes none cannot be asked when it made one."""
    return log.verdict.counts.get("backup.run", 0) > 0


def without_backup(log: LogReport) -> list[tuple[int, int]]:
    """Ranges of days, both ends included, at whose end (UTC) something kept in the vault had not reached a backup.

    A day counts when, of the entries with a time before its end, the last that put something into the vault has a
    higher number than the last `backup.run` that is ok. The day of the log's last entry is left out: by the log it is
    not over. None are told where the log tells of no backup at all.
    """
    tally = log.tally
    if not tally.kept or not tells_of_backups(log):
        return []
    found: list[tuple[int, int]] = []
    since: int | None = None
    kept = backed = -1
    for day in sorted({*tally.kept, *tally.backups}):
        kept, backed = max(kept, tally.kept.get(day, -1)), max(backed, tally.backups.get(day, -1))
        if kept > backed:
            since = day if since is None else since
        elif since is not None:
            found.append((since, day - 1))
            since = None
    last = max((*tally.days, *tally.kept)) - 1
    if since is not None and since <= last:
        found.append((since, last))
    return found
