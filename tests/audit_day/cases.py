"""The form of a case: what is done to a copy of the vault, and what must be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.audit_day.scene import Copy

CARD, STATE, ANCHORS, LATE = "card", "state", "anchors", "late"
SPAN = 256
"""A place that is not known to the entry is known to the bundle."""


@dataclass(frozen=True)
class Told:
    """What nvaudit must say: its exit code, a finding with this code whose sentence begins with `words`, and where.

    `first`, `last`: the entries named (-1: none). `near`: the place found may be wider, up to a bundle, but holds them.
    `also`: other codes that may count as tampering; any that is not named here would be a false accusation.
    `go`: a part of what the Go program must complain of, "" when it must accept the log, None when it is not asked.
    """

    exit: int
    code: str
    words: str
    first: int = -1
    last: int = -1
    near: bool = False
    also: tuple[str, ...] = ()
    go: str | None = None


@dataclass(frozen=True)
class Case:
    """`held`: what the auditor has besides the folder."""

    group: str
    name: str
    held: tuple[str, ...]
    do: Callable[[Copy], Told]


ALL: list[Case] = []


def case(group: str, name: str, *held: str) -> Callable[[Callable[[Copy], Told]], Callable[[Copy], Told]]:
    """The card is held unless something else is named."""

    def add(do: Callable[[Copy], Told]) -> Callable[[Copy], Told]:
        ALL.append(Case(group, name, held or (CARD,), do))
        return do

    return add
