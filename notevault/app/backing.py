"""What backups did enters the audit log: at every opening of the vault, and in between by a process that has the log's
keys and nothing else (`notevault _record`).

A backup needs no key, so it can only leave word of what it did (`backup/worker/results.py`). Such a word is no proof:
whoever may write into this laptop's own folder can put one there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from notevault.backup.model import AHEAD, FORKED
from notevault.backup.places.registry import Places
from notevault.backup.worker.results import Result, Results
from notevault.errors import NotevaultError
from notevault.storage.local import LocalState
from notevault.vault import door
from notevault.vault.env import Env
from notevault.vault.follow import heads_seen, rolled_back
from notevault.vault.items import LOG, LogItem
from notevault.vault.recorder import Act, Recorder, with_outcome
from notevault.vault.session import Session
from notevault.vault.survey import Survey, copy_of, open_log, survey

LATE_MS = 600_000
"""An older result is entered as reported, with the time at which it happened."""


def results_of(local: LocalState) -> Results:
    return Results(local.files, local.paths.root / "backup")


def act_of(result: Result, now_ms: int) -> Act:
    """`reported` would hide what came of it, so only what went well is entered so; a failure is told as one, later."""
    k: dict[str, object] = {"n": result.n} if result.to is None else {"n": result.n, "to": result.to}
    act = Act(result.event, "E", "system", result.outcome, k=k)
    late = not -LATE_MS <= now_ms - result.at_ms <= LATE_MS
    return with_outcome(act, "reported", result.at_ms) if late and result.outcome == "ok" else act


def enter(session: Session) -> int:
    """At an opening: what waits, in one commit. A vault that is only read keeps it waiting. How many were entered.

    Never in the way of the opening: what cannot be entered, or not even be listed, now waits on.
    """
    results = results_of(session.local)
    try:
        if session.read_only is not None or not results.any():
            return 0
        with session.recorder.writing():
            waiting = results.waiting()
            if waiting:
                session.log_acts(_acts(session.env, waiting))
                _done(results, waiting)
    except (NotevaultError, OSError):
        return 0
    return len(waiting)


def record_results(env: Env, vault: Path) -> int:
    """The same with the log's keys alone, while the vault is locked. How many were entered.

    `env.stores` must not wait for a dialog. Raises SecretsUnavailable, Busy, LogDamaged and whatever the disk says; a
    vault that is a copy or older than this laptop or a backup place has seen it gets no entry, and what waits goes on
    waiting: with one entry more there would be two logs, of which neither goes on from the other.
    """
    seen = survey(env, vault)
    results = results_of(seen.local)
    if _is_behind(seen.local):
        return 0
    if seen.device is None or seen.device.vault != seen.vault_id or not results.any():
        return 0
    if copy_of(env, seen) is not None:
        return 0
    value = env.stores.open(seen.device.store, seen.vault_id, seen.device.device).get([LOG])[0]
    if value is None:
        return 0
    item = LogItem.decode(value)
    recorder = door.own_recorder(env, seen, item, seen.device.user)
    if recorder.keys is None or _older(env, seen, item, recorder):
        return 0
    with recorder.writing():  # one process at a time reads what waits: nothing is entered twice
        waiting = results.waiting()
        if waiting:
            recorder.commit(_acts(env, waiting))
            _done(results, waiting)
    return len(waiting)


def _is_behind(local: LocalState) -> bool:
    """Whether some backup place had more of the log, or another one, when it was looked at last."""
    places = Places(local.files, local.paths.root)
    return any(places.state(place.id).verdict in (AHEAD, FORKED) for place in places.all())


def _acts(env: Env, waiting: Sequence[Result]) -> list[Act]:
    return [act_of(result, env.clock.wall_ms()) for result in waiting]


def _done(results: Results, waiting: Sequence[Result]) -> None:
    for result in waiting:
        results.done(result)


def _older(env: Env, seen: Survey, item: LogItem, recorder: Recorder) -> bool:
    heads, _ = heads_seen(seen.local, seen.vault_id, item)

    return (
        rolled_back(
            heads, seen.header, recorder, lambda origin: open_log(env, seen.paths, seen.local, seen.header, origin)
        )
        is not None
    )
