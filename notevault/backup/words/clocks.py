"""Times that a clock which was wrong has left behind: a time to come is no time at all, and counts as never. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from notevault.backup.model import PlaceFile, PlaceState

SLACK_MS = 24 * 3600 * 1000
"""So far clocks may disagree (another time zone, a battery that is weak) without anything being wrong."""


def past(at_ms: int, now_ms: int) -> int:
    """As it is, or 0 where it has not come yet."""
    return at_ms if at_ms <= now_ms + SLACK_MS else 0


def all_past(times: Iterable[int], now_ms: int) -> list[int]:
    return [past(at_ms, now_ms) for at_ms in times]


def place_past(place: PlaceFile, now_ms: int) -> PlaceFile:
    return place if place.added_ms <= now_ms + SLACK_MS else replace(place, added_ms=0)


def state_past(state: PlaceState, now_ms: int) -> PlaceState:
    """A last backup in the future was made on a wrong day; a pass that was made since then, and found that all is
    there, stands for it. Without one it stays: then it is today's clock that may be wrong.
    """
    drill_ms, quick_ms, committed_ms = past(state.drill_ms, now_ms), past(state.quick_ms, now_ms), state.committed_ms
    if not past(committed_ms, now_ms) and past(state.passed_ms, now_ms):
        committed_ms = state.passed_ms
    if (drill_ms, quick_ms, committed_ms) == (state.drill_ms, state.quick_ms, state.committed_ms):
        return state
    return replace(state, drill_ms=drill_ms, quick_ms=quick_ms, committed_ms=committed_ms)
