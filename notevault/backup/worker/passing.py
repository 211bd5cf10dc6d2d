"""One pass or one check over one place, from finding it to remembering what came of it. `backup run` and the worker
both come through here, so that both tell the same of a place.

The vault is looked at once for all places (`take_round`); what that gave is only read afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from notevault.backup import model
from notevault.backup.mirror.mirror import run_pass
from notevault.backup.model import CheckReport, PlaceFile, PlaceState, Report, Waiting
from notevault.backup.places.ground import Ground
from notevault.backup.places.patience import in_time
from notevault.backup.places.registry import LOOK_S, find
from notevault.backup.source.guard import Look, look
from notevault.backup.source.reading import read_vault
from notevault.backup.source.source import Source
from notevault.backup.worker import results as told
from notevault.backup.worker import schedule
from notevault.errors import (
    Busy,
    CannotWrite,
    Damaged,
    DiskFull,
    NotevaultError,
    NotFound,
    OwnFault,
    PlaceEmptied,
    Refused,
)
from notevault.ports import Volumes, WriteOnce

MOMENT_S = 1.0
"""For a lock that others hold for a moment, to write a state."""
_KEPT = model.ALARMS - {model.SOURCE, model.FROZEN}


@dataclass(frozen=True)
class Way:
    """How places are reached. `open_tree`: a folder to which files can be added; nothing is made by opening it."""

    volumes: Volumes
    open_tree: Callable[[Path], WriteOnce]


@dataclass(frozen=True)
class Round:
    """One look at the vault, shared by all places. Without `source` the vault itself does not hold, `why` says how."""

    wall_ms: int
    source: Source | None = None
    look: Look | None = None
    why: str = ""
    number: int = 0
    scan: int = 0


def never() -> bool:
    return False


def take_round(ground: Ground, since_ms: int | None = None, *, number: int = 0, scan: int = 0) -> Round:
    """Read the vault's logs and look whether its files still are what they were. `since_ms`: when that was done last,
    None: as the guard remembers. Raises nothing of ours: a vault that does not hold is a round without a source.
    """
    now = ground.clock.wall_ms()
    try:
        source = read_vault(ground)
        seen = look(source, ground.vault_tree, ground.places, now, since_ms)
    except NotevaultError as fault:
        return Round(now, why=fault.sentence, number=number, scan=scan)
    return Round(now, source, seen, number=number, scan=scan)


def reach(ground: Ground, place: PlaceFile, source: Source | None, way: Way) -> tuple[PlaceFile, WriteOnce]:
    """Where the place is now. A path that changed (another drive letter, another mount) is remembered.

    Raises as `find` does.
    """
    vault = ground.vault_id if source is None else source.vault
    others = {other.id for other in ground.places.all()} - {place.id}
    folder, tree = find(place, vault, way.volumes, way.open_tree, others)
    if str(folder) != place.path:
        place = replace(place, path=str(folder))
        with suppress(NotevaultError):
            ground.places.save(place)
    return place, tree


def reach_in_time(ground: Ground, place: PlaceFile, source: Source | None, way: Way) -> tuple[PlaceFile, WriteOnce]:
    """As `reach`; a place that hangs is NotFound, so that the others have their turn."""
    found = in_time(("reach", place.id), partial(reach, ground, place, source, way), LOOK_S)
    if found is None:
        raise NotFound("It does not answer at present.", "Check the network or the cable, and try again.")
    return found


def pass_over(
    ground: Ground,
    place: PlaceFile,
    now: Round,
    way: Way,
    *,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] = never,
    asked: bool = False,
) -> Report:
    """Bring the place up to `now`. `asked`: a person wants it now, so what it brought goes into the log even if it is
    no news; a command may be a script's, every few minutes, and is not asked in that sense.

    Raises nothing of ours.
    """
    try:
        before = ground.places.state(place.id)
    except NotevaultError as fault:  # this computer's own disk; nothing could be remembered either
        return Report(model.FAULT, detail=fault.sentence)
    try:
        report = _pass(ground, place, now, way, progress, stop)
    except NotevaultError as fault:
        report = Report(verdict_of(fault), detail=fault.sentence)
    _remember(ground, place, before, report, now, asked=asked)
    return report


def _pass(
    ground: Ground,
    place: PlaceFile,
    now: Round,
    way: Way,
    progress: Callable[..., None] | None,
    stop: Callable[[], bool],
) -> Report:
    if now.source is None or now.look is None:
        return Report(model.SOURCE, detail=now.why)
    if fault := waiting_at(now, ground.places.state(place.id)).fault:  # told whether or not the place is there
        return Report(model.SOURCE, detail=fault)
    place, tree = reach(ground, place, now.source, way)
    volume = way.volumes.of(Path(place.path))
    return run_pass(ground, place, tree, volume, now.source, now.look, progress=progress, stop=stop)


def verdict_of(fault: NotevaultError) -> str:
    """What an error says of the place, where the mirror itself had no word for it."""
    for kind, verdict in (
        (OwnFault, model.FAULT),
        (DiskFull, model.FULL),
        (CannotWrite, model.READ_ONLY),
        (PlaceEmptied, model.EMPTIED),
        (NotFound, model.ABSENT),
        (Busy, model.BUSY),
        (Damaged, model.FOREIGN),  # a marker that does not read or is another's; found while looking for the place
        (Refused, model.FOREIGN),
    ):
        if isinstance(fault, kind):
            return verdict
    return model.BROKEN


def broke(ground: Ground, place: PlaceFile, now: Round, kind: str) -> Report:
    """A pass ended by a mistake of ours; `kind` is the exception's class, never its words. Raises nothing of ours."""
    report = Report(model.FAULT, detail=f"Something went wrong inside notevault ({kind}).")
    with suppress(NotevaultError):
        _remember(ground, place, ground.places.state(place.id), report, now, asked=False)
    return report


def slow(ground: Ground, place: PlaceFile) -> None:
    """The place has not moved for minutes. Without its lock, which whoever hangs there may hold."""
    with suppress(NotevaultError):
        state = ground.places.state(place.id)
        if state.verdict not in _KEPT | {model.SLOW}:
            wall = ground.clock.wall_ms()
            ground.places.save_state(place.id, replace(state, verdict=model.SLOW, verdict_ms=wall))


def _remember(ground: Ground, place: PlaceFile, before: PlaceState, report: Report, now: Round, *, asked: bool) -> None:
    """The pass has saved what it found at the place; here the pace and what the log is to be told are added.

    Written only where something is new: a place that is away, or that has everything, lets disks sleep.
    """
    if report.verdict == model.BUSY:
        return  # whoever is at it writes its state
    with suppress(NotevaultError), ground.places.lock(place.id, MOMENT_S):
        ground.places.get(place.id)  # NotFound: it was removed meanwhile, and must not come back
        state = ground.places.state(place.id)
        waiting = waiting_at(now, state)
        new = _paced(before, state, report, waiting, ground.clock.wall_ms())
        try:
            if now.source is None or waiting.fault:
                return  # a log that does not hold gets no entry more: the right one may be in a backup
            results = told.Results.of(ground)
            wall = ground.clock.wall_ms()
            new = told.queue(results, new, told.RUN, report.verdict, report.files, wall, always=asked)
        finally:
            if new != state:
                ground.places.save_state(place.id, new)


def _paced(before: PlaceState, state: PlaceState, report: Report, waiting: Waiting, wall: int) -> PlaceState:
    """`state`, as it was saved last, with verdict, pace and what waits."""
    verdict = report.verdict
    if verdict == model.ABSENT and before.verdict in _KEPT:
        verdict = before.verdict  # an alarm does not end because the stick was pulled
    failures = schedule.failures_after(before, report.verdict)
    failing = report.verdict in schedule.FAILING
    next_ms = wall + schedule.pause_ms(report.verdict, failures) if failing else 0
    since = before.verdict_ms if before.verdict == verdict and before.verdict_ms else wall
    return replace(
        state,
        verdict=verdict,
        verdict_ms=since,
        failures=failures,
        next_ms=next_ms,
        tried_ms=wall if failing else state.tried_ms,
        waiting=waiting.changes,
        waiting_ms=waiting.first_ms,
    )


def keep_waiting(ground: Ground, place: PlaceFile, now: Round) -> None:
    """For the toolbar: what waits for a place at which nothing is done just now. Raises nothing of ours."""
    with suppress(NotevaultError), ground.places.lock(place.id, 0.0):
        state = ground.places.state(place.id)
        found = waiting_at(now, state)
        if (found.changes, found.first_ms) != (state.waiting, state.waiting_ms):
            ground.places.save_state(place.id, replace(state, waiting=found.changes, waiting_ms=found.first_ms))


def waiting_at(now: Round, state: PlaceState) -> Waiting:
    """What the place does not have; as before where the vault does not tell. Raises nothing of ours: a log that does
    not hold is its `fault`.
    """
    if now.source is None:
        return Waiting(state.waiting, state.waiting_ms)
    return now.source.since(state.heads)


def refill(
    ground: Ground,
    targets: Sequence[tuple[PlaceFile, WriteOnce]],
    volumes: Volumes,
    show: Callable[[PlaceFile], Callable[..., None]],
) -> list[tuple[PlaceFile, Report]]:
    """A backup to what was mended: a place that had been emptied is filled again, for that is what was asked for.
    `show`: a progress callback for each. Raises nothing of ours; nothing is done while the vault does not hold.
    """
    now = take_round(ground, 0)
    done: list[tuple[PlaceFile, Report]] = []
    if now.source is None or now.look is None or now.look.frozen:
        return done
    for place, tree in targets:
        try:
            at = volumes.of(Path(place.path))
            report = run_pass(
                ground, place, tree, at, now.source, now.look, progress=show(place), refill=True, whole_log=True
            )
        except NotevaultError as fault:
            report = Report(verdict_of(fault), detail=fault.sentence)
        done.append((place, report))
    return done


def check_over(
    ground: Ground,
    place: PlaceFile,
    source: Source | None,
    way: Way,
    how: str,
    *,
    progress: Callable[..., None] | None = None,
    stop: Callable[[], bool] = never,
) -> CheckReport:
    """A check of what lies there: `quick` or `sampled` (or `full`). Raises nothing of ours."""
    from notevault.backup.checks.verify import verify

    try:
        place, tree = reach(ground, place, source, way)
        report = verify(ground, place, tree, source, how, progress=progress, stop=stop)
    except NotevaultError as fault:
        return CheckReport(how, verdict_of(fault))
    # A quick look every hour is no event; that it found something is.
    if how != "quick" or told.outcome_of(report.verdict) not in (None, "ok"):
        tell_check(ground, place, source, report, always=False)
    return report


def tell_check(ground: Ground, place: PlaceFile, source: Source | None, report: CheckReport, *, always: bool) -> None:
    """Keep a check's result for the log. `always`: a person asked for it. Raises nothing of ours."""

    def queued() -> PlaceState:
        if source is None and state.verdict == model.SOURCE:
            return state  # as in `_remember`
        results = told.Results.of(ground)
        wall = ground.clock.wall_ms()
        return told.queue(results, state, told.VERIFY, report.verdict, report.files, wall, always=always)

    with suppress(NotevaultError):
        ground.places.get(place.id)
        try:
            with ground.places.lock(place.id, MOMENT_S):
                state = ground.places.state(place.id)
                if (new := queued()) != state:
                    ground.places.save_state(place.id, new)
        except Busy:  # that it was told is then not remembered, and it may be told twice
            state = ground.places.state(place.id)
            queued()
