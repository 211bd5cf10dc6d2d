"""What is due when, as pure functions of what is known. Nothing here reads a clock, a file or a place.

    verdict                            next try
    safe, hurt, waiting, source,       a change in the vault · every scan
      frozen
    absent, emptied                    every 30 s (a look, no more)
    busy                               every 2 s: whoever is at it was there first, and is soon gone
    slow, full, read-only, broken,     1, 2, 5, 15, then 60 minutes after the last try, however often the vault changes
      fault, foreign, planted,
      shrunk, ahead, forked

A scan is due at the start, after waking up, when a volume was plugged in (these three also end every waiting), after
trouble with the watcher, and every 5 minutes. Times within a run are milliseconds since boot, which run on through
suspend and which nobody sets back; times that outlive a run are the wall clock's, and a future one counts as never.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from notevault.backup import model
from notevault.backup.model import PlaceState

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
TICK_MS = 30 * SECOND_MS
"""The loop's own pace: it looks at the registry, the mounts and the log's signed size, whatever the watcher says."""
SCAN_MS = 5 * MINUTE_MS
LOOK_MS = TICK_MS
BUSY_MS = 2 * SECOND_MS
BACKOFF_MS = (MINUTE_MS, 2 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS)
AGAIN_MS = MINUTE_MS
"""After a pass that brought something but not everything."""
QUICK_MS = HOUR_MS
SAMPLED_MS = 24 * HOUR_MS
IDLE_MS = 2 * MINUTE_MS
"""Nothing new for so long before a check may take the place's time."""
SLOW_MS = 3 * MINUTE_MS
"""Without any progress for so long, a place is said to be slow."""
WOKE_MS = 15 * SECOND_MS
"""A wait that took so much longer than was asked was a suspend (or a very busy machine: then a scan does no harm)."""
RECORD_MS = (5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS)
"""Between attempts to enter results in the log, while the key store does not answer."""

NOTHING, PASS, QUICK, SAMPLED = "nothing", "pass", "quick", "sampled"
AWAY = frozenset({model.ABSENT, model.EMPTIED, model.BUSY})
FAILING = frozenset({
    model.SLOW, model.FULL, model.READ_ONLY, model.BROKEN, model.FAULT, model.FOREIGN, model.PLANTED, model.SHRUNK,
    model.AHEAD, model.FORKED,
})  # fmt: skip
SOUND = frozenset({model.SAFE, model.HURT})  # a check may run there


@dataclass(frozen=True)
class Tried:
    """How one place stands in this run of the worker. `tried` is None before its first pass, and after a poke."""

    verdict: str = model.WAITING
    failures: int = 0
    tried: int | None = None  # ms since boot, at the end of the last pass
    tried_round: int = 0  # the look at the vault that this pass used
    tried_scan: int = 0
    quick: int = 0  # wall ms of the last quick check, 0: never
    sampled: int = 0  # wall ms of the newest proof
    tried_wall: int = 0  # when it was tried, in wall ms
    busy: int = 0  # ms since boot: since when others are at it whenever it is tried; 0: they are not
    checked: dict[str, int] = field(default_factory=dict)  # QUICK, SAMPLED -> ms since boot of the last of this run


@dataclass(frozen=True)
class Now:
    boot: int  # ms since boot
    wall: int  # ms since 1970
    round: int  # number of the newest look at the vault
    scan: int  # number of the newest scan
    fresh: int  # ms since boot when the vault was last seen to change
    ending: bool = False


def backoff_ms(failures: int) -> int:
    """After the first failed try in a row, the second, ..."""
    return BACKOFF_MS[min(max(failures, 1), len(BACKOFF_MS)) - 1]


def pause_ms(verdict: str, failures: int) -> int:
    """How long after a pass with this verdict the next may be tried; a change in the vault comes on top of it."""
    if verdict in AWAY:
        return BUSY_MS if verdict == model.BUSY else LOOK_MS
    if verdict in FAILING:
        return backoff_ms(failures)
    return AGAIN_MS if verdict == model.WAITING else SCAN_MS


def failures_after(before: PlaceState, verdict: str) -> int:
    """Passes in a row that did not get through. A place that is away has neither failed nor got through."""
    if verdict in AWAY:
        return before.failures
    return before.failures + 1 if verdict in FAILING else 0


def due(place: Tried, now: Now, *, behind: bool) -> str:
    """PASS, QUICK, SAMPLED or NOTHING. `behind`: the log names changes that the place does not have."""
    if now.ending:
        if place.tried is not None and place.verdict == model.BUSY:  # it was not tried yet, whoever else was at it
            return PASS if behind and now.boot >= place.tried + BUSY_MS else NOTHING
        reachable = place.tried is None or place.verdict not in AWAY | FAILING
        return PASS if behind and reachable and place.tried_round < now.round else NOTHING
    if place.tried is None:
        return PASS
    if place.verdict in AWAY | FAILING or place.verdict == model.WAITING:
        late = now.boot >= place.tried + pause_ms(place.verdict, place.failures)
        if late or place.verdict != model.WAITING:
            return PASS if late else NOTHING
    # One try for each look at the vault: what cannot be copied now is not tried over and over
    if place.tried_scan < now.scan or (behind and place.tried_round < now.round):
        return PASS
    return _check(place, now)


def got_through(place: Tried, state: PlaceState) -> bool:
    """Whether somebody else, a command or the shell, has brought the place up to date since our last try failed: then
    it is over, and nothing is waited for any more.
    """
    newest = max(state.passed_ms, state.committed_ms)
    return place.verdict in AWAY | FAILING and state.verdict == model.SAFE and newest > place.tried_wall > 0


def _check(place: Tried, now: Now) -> str:
    if place.verdict not in SOUND or now.boot < now.fresh + IDLE_MS:
        return NOTHING
    for how, proven, every in ((SAMPLED, place.sampled, SAMPLED_MS), (QUICK, place.quick, QUICK_MS)):
        last = place.checked.get(how)
        # The time of this run counts too: a check that cannot say when it was made must not begin anew at once
        if (last is None or now.boot >= last + every) and _older(proven, now.wall, every):
            return how
    return NOTHING


def _older(then: int, now: int, span: int) -> bool:
    """A time in the future was written by a clock that was wrong: it counts as long ago."""
    return then <= 0 or then > now or now - then >= span


def woke(asked_ms: int, took_ms: int) -> bool:
    return took_ms > asked_ms + WOKE_MS


def may_record(now_boot: int, last: int | None, attempts: int) -> bool:
    """`attempts`: in a row after which results still waited."""
    return last is None or now_boot >= last + RECORD_MS[min(attempts, len(RECORD_MS) - 1)]
