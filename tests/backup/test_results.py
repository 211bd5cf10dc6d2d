"""What backups leave to be logged: kept whole, read strictly, queued when it says something new."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters.files import DiskFiles
from notevault.auditlog.events import EVENTS as LOGGED
from notevault.backup import model
from notevault.backup.model import PlaceState
from notevault.backup.worker import results
from notevault.backup.worker.results import Result, Results, outcome_of, queue
from notevault.errors import Damaged, OwnFault

NOW = 1_790_000_000_000
HOUR, DAY = 3_600_000, 86_400_000
BIG = 2**53 - 1

made = st.one_of(
    st.builds(
        Result,
        st.sampled_from([event for event in results.EVENTS if event != results.PLACE]),
        st.sampled_from(results.OUTCOMES),
        st.integers(0, BIG),
        st.integers(0, BIG),
    ),
    st.builds(
        Result,
        st.just(results.PLACE),
        st.sampled_from(results.OUTCOMES),
        st.integers(0, BIG),
        st.integers(0, BIG),
        st.sampled_from(results.TO),
    ),
)


@pytest.fixture
def kept(tmp_path: Path) -> Results:
    return Results(DiskFiles(), tmp_path / "backup")


@given(made)
def test_a_result_is_read_back_as_it_was(result: Result) -> None:
    assert Result.decode(result.encode()) == result


@given(made, st.data())
def test_one_changed_byte_is_another_result_or_none(result: Result, data: st.DataObject) -> None:
    whole = bytearray(result.encode())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        other = Result.decode(bytes(whole))
    except Damaged:
        return
    assert other != result
    assert other.encode() == bytes(whole)
    assert other.name != result.name


@given(st.binary(max_size=600))
def test_any_bytes_are_a_result_or_damaged(data: bytes) -> None:
    with contextlib.suppress(Damaged):
        assert Result.decode(data).encode() == data


@pytest.mark.parametrize(
    "result",
    [
        Result("session.open", "ok", 1, 1),
        Result(results.RUN, "reported", 1, 1),
        Result(results.RUN, "ok", 1, 1, "added"),
        Result(results.PLACE, "ok", 1, 1),
        Result(results.PLACE, "ok", 1, 1, "moved"),
        Result(results.RUN, "ok", -1, 1),
    ],
)
def test_what_is_no_result_is_never_written(kept: Results, result: Result) -> None:
    with pytest.raises(OwnFault):
        kept.put(result.event, result.outcome, result.n, result.at_ms, result.to)
    assert not kept.any()


def test_every_result_has_its_event_in_the_log() -> None:
    assert {name for name in LOGGED if name.startswith("backup.")} == set(results.EVENTS)


def test_results_wait_oldest_first_until_they_are_done(kept: Results) -> None:
    assert kept.waiting() == []
    kept.put(results.RUN, "ok", 3, NOW)
    kept.put(results.PLACE, "ok", 1, NOW - 5, "added")
    kept.put(results.RUN, "ok", 3, NOW)  # the same once more is the same
    kept.put(results.HEAL, "part", 2, 9)  # 9 comes before 1790...: by number, not by letter
    first, *_ = waiting = kept.waiting()
    assert [one.event for one in waiting] == [results.HEAL, results.PLACE, results.RUN]
    for one in waiting:
        assert kept.any()
        kept.done(one)
    kept.done(first)
    assert not kept.any()


def test_what_lies_there_and_is_no_result_is_passed_over_and_kept(kept: Results, tmp_path: Path) -> None:
    kept.put(results.RUN, "ok", 3, NOW)
    folder = tmp_path / "backup" / "results"
    (real,) = folder.iterdir()
    (folder / "notes.txt").write_bytes(b"x")
    (folder / "5-00000000").write_bytes(real.read_bytes())  # sound bytes under another's name
    (folder / f"{NOW}-ffffffff").write_bytes(b"{}\n")
    (folder / "6-00000000").symlink_to(real)
    (folder / "7-00000000").mkdir()
    assert [one.n for one in kept.waiting()] == [3]
    aside = tmp_path / "set-aside/undated"
    assert len([*folder.iterdir(), *aside.iterdir()]) == 6


def test_a_flood_of_files_is_read_a_thousand_at_a_time(kept: Results, tmp_path: Path) -> None:
    (tmp_path / "backup" / "results").mkdir(parents=True)
    for at in range(results.MOST + 5):
        one = Result(results.RUN, "ok", 1, at)
        (tmp_path / "backup" / "results" / one.name).write_bytes(one.encode())
    assert [one.at_ms for one in kept.waiting()] == list(range(results.MOST))


# -- what is due


def told(kept: Results) -> list[tuple[str, str]]:
    found = [(one.event, one.outcome) for one in kept.waiting()]
    for one in kept.waiting():
        kept.done(one)
    return found


def test_every_verdict_is_an_outcome_or_no_event() -> None:
    found = {verdict: outcome_of(verdict) for verdict in model.VERDICTS}
    nothing = {model.ABSENT, model.BUSY, model.AHEAD, model.FORKED}
    assert {verdict for verdict, outcome in found.items() if outcome is None} == nothing
    assert {verdict for verdict, outcome in found.items() if outcome == "ok"} == {model.SAFE}
    assert set(found.values()) - {None} <= set(results.OUTCOMES)


@pytest.mark.parametrize("verdict", [model.AHEAD, model.FORKED])
def test_nothing_is_entered_in_a_log_that_a_place_knows_to_be_older_or_another(kept: Results, verdict: str) -> None:
    """One entry would make two logs of it, of which neither goes on from the other."""
    state = PlaceState(verdict=verdict)
    for event, found in ((results.RUN, verdict), (results.VERIFY, model.SAFE), (results.VERIFY, model.HURT)):
        assert queue(kept, state, event, found, 5, NOW, always=True) == state
    assert told(kept) == []


def test_a_change_of_outcome_is_told_at_once_and_the_same_once_a_day(kept: Results) -> None:
    state = queue(kept, PlaceState(), results.RUN, model.SAFE, 5, NOW)
    assert told(kept) == [(results.RUN, "ok")]
    state = queue(kept, state, results.RUN, model.SAFE, 5, NOW + DAY - 1)
    assert told(kept) == []
    state = queue(kept, state, results.RUN, model.ABSENT, 5, NOW + DAY - 1)  # a stick in a drawer is no event
    assert told(kept) == []
    state = queue(kept, state, results.RUN, model.FULL, 5, NOW + DAY - 1)
    assert told(kept) == [(results.RUN, "fail")]
    state = queue(kept, state, results.RUN, model.SAFE, 5, NOW + DAY)
    assert told(kept) == [(results.RUN, "ok")]
    state = queue(kept, state, results.RUN, model.SAFE, 5, NOW + 2 * DAY)
    assert told(kept) == [(results.RUN, "ok")]
    queue(kept, state, results.RUN, model.SAFE, 5, NOW)  # the clock went back: rather once too often
    assert told(kept) == [(results.RUN, "ok")]


def test_what_was_brought_since_is_told_hours_later_or_when_somebody_asked(kept: Results) -> None:
    state = queue(kept, PlaceState(committed_ms=NOW), results.RUN, model.SAFE, 5, NOW)
    told(kept)
    asked = queue(kept, state, results.RUN, model.SAFE, 5, NOW + HOUR, always=True)
    assert told(kept) == []  # nothing was brought: no event
    assert asked == state
    brought = replace(state, committed_ms=NOW + HOUR)
    assert queue(kept, brought, results.RUN, model.SAFE, 6, NOW + HOUR) == brought
    assert told(kept) == []
    assert queue(kept, brought, results.RUN, model.SAFE, 6, NOW + HOUR, always=True).told[results.RUN] == (
        "ok",
        NOW + HOUR,
    )
    assert told(kept) == [(results.RUN, "ok")]
    queue(kept, brought, results.RUN, model.SAFE, 6, NOW + results.AGAIN_MS)
    assert told(kept) == [(results.RUN, "ok")]


def test_a_check_that_somebody_asked_for_is_always_told(kept: Results) -> None:
    state = queue(kept, PlaceState(), results.VERIFY, model.SAFE, 5, NOW)
    state = queue(kept, state, results.VERIFY, model.SAFE, 5, NOW + 1)
    assert told(kept) == [(results.VERIFY, "ok")]
    queue(kept, state, results.VERIFY, model.SAFE, 5, NOW + 2, always=True)
    assert told(kept) == [(results.VERIFY, "ok")]


def test_junk_keeps_no_result_from_its_turn_and_is_put_aside(tmp_path: Path) -> None:
    left = Results(DiskFiles(), tmp_path / "backup")
    left.put(results.RUN, "ok", 1, 1_700_000_000_000)
    for number in range(1_100):
        (tmp_path / "backup/results" / f"{number}-00000000").write_bytes(b"x")
    assert [result.n for result in left.waiting()] == [1]
    assert left.count() == 1
    assert len(list((tmp_path / "set-aside/undated").iterdir())) == 1_100
