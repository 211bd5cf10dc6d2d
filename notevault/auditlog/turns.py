"""In which order a vault's logs are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def in_turn(logs: Iterable[str], cites: Mapping[str, str]) -> list[str]:
    """Each log before the one that it cites, so that it can vouch for it; of a ring, each once. Every log cites at most
    one, so this takes one step a log, however they were made to cite each other.
    """
    waiting = dict.fromkeys(logs, 0)  # how many cite it that did not have their turn yet
    for origin, cited in cites.items():
        if cited in waiting and cited != origin:
            waiting[cited] += 1
    free = sorted(origin for origin, by in waiting.items() if not by)
    order: dict[str, None] = {}
    for origin in (*free, *sorted(waiting)):  # what is left after those that nobody cites goes round in rings
        turn = origin
        while turn in waiting and turn not in order:
            order[turn] = None
            turn = cites.get(turn, "")
            if turn in waiting:
                waiting[turn] -= 1
                if waiting[turn] > 0:
                    break  # somebody else comes to it later
    return [*order]
