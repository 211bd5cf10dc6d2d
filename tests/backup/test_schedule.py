"""What is due when, as a table, and what must hold for every state of things."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.backup import model
from notevault.backup.model import PlaceState
from notevault.backup.worker import schedule
from notevault.backup.worker.schedule import HOUR_MS, IDLE_MS, MINUTE_MS, NOTHING, PASS, QUICK, SAMPLED, Now, Tried

T = 10 * HOUR_MS  # since boot
WALL = 1_700_000_000_000
DONE = Tried(verdict=model.SAFE, tried=T, tried_round=7, tried_scan=3, quick=WALL - MINUTE_MS, sampled=WALL - MINUTE_MS)
NOW = Now(boot=T + MINUTE_MS, wall=WALL, round=7, scan=3, fresh=T - HOUR_MS)


def later(ms: int, **more: int) -> Now:
    return replace(NOW, boot=T + ms, **more)


@pytest.mark.parametrize(
    ("place", "now", "behind", "what"),
    [
        # The first look of a run, and after a poke (wake, mount)
        (Tried(), NOW, False, PASS),
        (replace(DONE, tried=None), NOW, False, PASS),
        (replace(DONE, tried=None, verdict=model.FULL, failures=9), NOW, False, PASS),
        # All is there
        (DONE, NOW, False, NOTHING),
        (DONE, replace(NOW, round=8), False, NOTHING),  # the vault changed, but nothing that this place lacks
        (DONE, replace(NOW, round=8), True, PASS),
        (DONE, NOW, True, NOTHING),  # this very look was tried already: not over and over
        (DONE, replace(NOW, scan=4), False, PASS),
        # Something is missing still
        (replace(DONE, verdict=model.WAITING), later(schedule.AGAIN_MS - 1), True, NOTHING),
        (replace(DONE, verdict=model.WAITING), later(schedule.AGAIN_MS), True, PASS),
        (replace(DONE, verdict=model.WAITING), later(1, round=8), True, PASS),
        # Away: every half minute, and no oftener because the vault changes
        (replace(DONE, verdict=model.ABSENT), later(29_999, round=8, scan=4), True, NOTHING),
        (replace(DONE, verdict=model.ABSENT), later(30_000), False, PASS),
        (replace(DONE, verdict=model.BUSY), later(1_999, round=8), True, NOTHING),
        (replace(DONE, verdict=model.BUSY), later(2_000), False, PASS),  # whoever is at it is soon gone
        # Failing: ever more rarely, whatever the vault does
        (replace(DONE, verdict=model.FULL, failures=1), later(MINUTE_MS - 1, round=9, scan=9), True, NOTHING),
        (replace(DONE, verdict=model.FULL, failures=1), later(MINUTE_MS), False, PASS),
        (replace(DONE, verdict=model.BROKEN, failures=4), later(15 * MINUTE_MS - 1, round=9), True, NOTHING),
        (replace(DONE, verdict=model.BROKEN, failures=4), later(15 * MINUTE_MS), False, PASS),
        (replace(DONE, verdict=model.FORKED, failures=99), later(HOUR_MS), False, PASS),
        # The vault itself: again as soon as it changes
        (replace(DONE, verdict=model.SOURCE), replace(NOW, round=8), True, PASS),
        (replace(DONE, verdict=model.FROZEN), replace(NOW, scan=4), False, PASS),
        (replace(DONE, verdict=model.FROZEN), NOW, True, NOTHING),
        # Checks, when idle
        (replace(DONE, quick=0), NOW, False, QUICK),
        (replace(DONE, quick=WALL - HOUR_MS), NOW, False, QUICK),
        (replace(DONE, quick=WALL + HOUR_MS), NOW, False, QUICK),  # a clock that was wrong
        (replace(DONE, quick=0), replace(NOW, fresh=NOW.boot - IDLE_MS + 1), False, NOTHING),
        (replace(DONE, sampled=WALL - 24 * HOUR_MS, quick=0), NOW, False, SAMPLED),
        (replace(DONE, sampled=0, checked={SAMPLED: T}), NOW, False, NOTHING),  # it said nothing: not at once again
        (replace(DONE, quick=0, checked={QUICK: T}), NOW, False, NOTHING),
        (replace(DONE, quick=0, verdict=model.HURT), NOW, False, QUICK),
        (replace(DONE, quick=0, verdict=model.FROZEN), NOW, False, NOTHING),
        # The end: what was saved last, where it can still go
        (DONE, replace(NOW, ending=True, round=8), True, PASS),
        (DONE, replace(NOW, ending=True, scan=9, round=8), False, NOTHING),
        (Tried(), replace(NOW, ending=True), True, PASS),
        (replace(DONE, verdict=model.ABSENT), replace(NOW, ending=True, boot=T + HOUR_MS, round=8), True, NOTHING),
        (replace(DONE, verdict=model.BUSY), later(2_000, ending=True), True, PASS),  # it was never tried
        (replace(DONE, verdict=model.BUSY), later(1_999, ending=True), True, NOTHING),
        (replace(DONE, verdict=model.BUSY), later(2_000, ending=True), False, NOTHING),
        (replace(DONE, verdict=model.FULL), replace(NOW, ending=True, boot=T + HOUR_MS, round=8), True, NOTHING),
        (replace(DONE, quick=0), replace(NOW, ending=True), False, NOTHING),
    ],
)
def test_what_is_due(place: Tried, now: Now, behind: bool, what: str) -> None:
    assert schedule.due(place, now, behind=behind) == what


VERDICTS = st.sampled_from(model.VERDICTS)


@given(VERDICTS, st.integers(0, 50), st.booleans(), st.integers(0, 3), st.integers(0, 3))
def test_nothing_is_tried_twice_at_one_moment(verdict: str, failures: int, behind: bool, r: int, s: int) -> None:
    """Right after any pass, with the look and the scan that it used, no other pass is due: the loop cannot spin."""
    now = replace(NOW, boot=T, round=r, scan=s)
    place = Tried(verdict, failures, T, r, s, quick=0, sampled=0, checked={QUICK: T, SAMPLED: T})
    assert schedule.due(place, now, behind=behind) == NOTHING


@given(VERDICTS, st.integers(0, 50), st.booleans())
def test_no_place_is_given_up(verdict: str, failures: int, behind: bool) -> None:
    """An hour later, with a newer scan, every place is tried again, whatever was wrong with it."""
    place = replace(DONE, verdict=verdict, failures=failures)
    assert schedule.due(place, later(HOUR_MS, scan=4), behind=behind) == PASS


def test_failures_grow_only_with_passes_that_failed() -> None:
    before = PlaceState(failures=2)
    assert schedule.failures_after(before, model.FULL) == 3
    assert schedule.failures_after(before, model.ABSENT) == 2
    assert schedule.failures_after(before, model.SAFE) == 0
    assert [schedule.backoff_ms(n) // MINUTE_MS for n in (0, 1, 2, 3, 4, 5, 6, 1000)] == [1, 1, 2, 5, 15, 60, 60, 60]


def test_every_verdict_has_a_pace() -> None:
    assert schedule.AWAY | schedule.FAILING | schedule.SOUND | {model.WAITING, model.SOURCE, model.FROZEN} == set(
        model.VERDICTS
    )
    assert all(schedule.pause_ms(verdict, 3) >= schedule.BUSY_MS for verdict in model.VERDICTS)


def test_a_suspend_is_told_from_a_wait_that_was_only_late() -> None:
    assert not schedule.woke(30_000, 42_000)
    assert schedule.woke(30_000, 50_000)


def test_a_silent_key_store_is_asked_ever_more_rarely() -> None:
    assert schedule.may_record(5, None, 0)
    assert not schedule.may_record(5 * MINUTE_MS - 1, 0, 0)
    assert schedule.may_record(5 * MINUTE_MS, 0, 0)
    assert not schedule.may_record(15 * MINUTE_MS - 1, 0, 1)
    assert schedule.may_record(HOUR_MS, 0, 99)
