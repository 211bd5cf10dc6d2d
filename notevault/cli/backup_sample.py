"""The daily look at bytes, for who never leaves notevault open: `backup run` takes it up where the worker does not.

Every part of a place is to be read again within 90 days (FORMAT.md section 13.2). One run reads the parts that were not
read for longest, and stops after about two seconds; what it did not come to is due at the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from notevault.backup import model
from notevault.backup.model import PlaceFile, Report
from notevault.backup.places.ground import Ground
from notevault.backup.words.clocks import all_past
from notevault.backup.worker import schedule
from notevault.backup.worker.passing import check_over
from notevault.wiring import backup as wired

LIMIT_MS = 2000
"""For the files of all places together; the log of each is read before."""


def sampled(ground: Ground, done: Sequence[tuple[PlaceFile, Report]]) -> list[tuple[PlaceFile, Report]]:
    """`done` as it was, but where a look at bytes found damage. Raises nothing of ours."""
    clock, until = ground.clock, 0

    def stop() -> bool:
        nonlocal until
        until = until or clock.boot_ms() + LIMIT_MS
        return clock.boot_ms() >= until

    found = []
    for place, report in done:
        due = _due(ground, place, report) and not (until and stop())
        found.append((place, _looked(ground, place, report, stop) if due else report))
    return found


def _due(ground: Ground, place: PlaceFile, report: Report) -> bool:
    """Once a day, and not on the day on which the place was added: all of it was written just now."""
    now = ground.clock.wall_ms()
    last = max(all_past([*ground.places.proofs(place.id), place.added_ms], now))
    return report.verdict in schedule.SOUND and now - last >= schedule.SAMPLED_MS


def _looked(ground: Ground, place: PlaceFile, report: Report, stop: Callable[[], bool]) -> Report:
    found = check_over(ground, place, None, wired.way(ground), "sampled", stop=stop)
    if found.verdict not in model.ALARMS:
        return report
    return replace(report, verdict=found.verdict, detail="", problems=(*report.problems, *found.problems))
