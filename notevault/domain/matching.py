"""Finding a client by a few letters, telling namesakes apart, noticing similar names before they become two.

    rank 0  the whole name, or the code (C-014, c14 and c-14 are one)
    rank 1  the words typed begin words of the name, the first one its first word
    rank 2  the words typed begin words of the name; or the code begins so
    rank 3  three letters or more found inside words of the name
Within a rank: clients in treatment first, then by name and code. Case, accents and hyphens do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol, TypeVar

from notevault.domain.folding import fold, words
from notevault.domain.suggest import distance

INSIDE = 3  # letters from which the middle of a word counts


class Named(Protocol):
    """What matching needs to know of a client; `clients.Client` is one."""

    @property
    def name(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def born(self) -> date | None: ...
    @property
    def active(self) -> bool: ...


N = TypeVar("N", bound=Named)


def code_key(text: str) -> str:
    """A code without what people leave out: case, separators and leading zeros of numbers."""
    plain = re.sub(r"[ ._-]+", "-", text.strip().upper())
    parts = re.findall(r"[0-9]+|[^0-9-]+", plain)
    return "-".join(part.lstrip("0") or "0" if part[0] in "0123456789" else part for part in parts)


def _each_finds_its_own(query: Sequence[str], name: Sequence[str], inside: bool) -> bool:
    """Whether every word typed lies in a word of the name of its own; backtracking, names are short."""
    if not query:
        return True
    head = query[0]
    for at, word in enumerate(name):
        fits = (head in word and len(head) >= INSIDE) or word.startswith(head) if inside else word.startswith(head)
        if fits and _each_finds_its_own(query[1:], [*name[:at], *name[at + 1 :]], inside):
            return True
    return False


def rank(query: str, client: Named) -> int | None:
    """How well a client fits what was typed (see the table above), None when not at all."""
    asked, name = words(query)[:6], words(client.name)
    if not asked:
        return None
    if asked == name or code_key(query) == code_key(client.code):
        return 0
    if name and name[0].startswith(asked[0]) and _each_finds_its_own(asked[1:], name[1:], inside=False):
        return 1
    if _each_finds_its_own(asked, name[:12], inside=False):
        return 2
    plain = query.strip().upper()
    if any(letter.isdigit() for letter in plain) and client.code.startswith(plain):
        return 2
    return 3 if _each_finds_its_own(asked, name[:12], inside=True) else None


def find_clients(query: str, clients: Iterable[N]) -> list[N]:
    """All clients that fit, best first; namesakes are all there."""
    ranked = [(found, client) for client in clients if (found := rank(query, client)) is not None]
    ranked.sort(key=lambda each: (each[0], not each[1].active, fold(each[1].name), each[1].code))
    return [client for _, client in ranked]


def namesakes(client: Named, others: Iterable[Named]) -> list[Named]:
    """The others of the same name (case and accents aside); a client is itself by its code."""
    own = words(client.name)
    return [other for other in others if other.code != client.code and words(other.name) == own]


def label(client: Named, others: Iterable[Named]) -> str:
    """The name, and where it is not the only one the year of birth, or the code if years do not tell."""
    same = namesakes(client, others)
    if not same:
        return client.name
    if client.born and all(other.born and other.born.year != client.born.year for other in same):
        return f"{client.name} (born {client.born.year})"
    return f"{client.name} ({client.code})"


def _is_close(one: list[str], two: list[str]) -> bool:
    a, b = " ".join(one), " ".join(two)
    allowed = 1 if min(len(a), len(b)) < 6 else 2
    if abs(len(a) - len(b)) > allowed:
        return False
    return distance(a, b) <= allowed


def similar(name: str, clients: Iterable[N]) -> tuple[list[N], list[N]]:
    """Before a client is created: (the same name, also with its words in another order; names within a slip or two)."""
    own = words(name)
    same: list[N] = []
    close: list[N] = []
    for client in clients:
        theirs = words(client.name)
        if own and sorted(own) == sorted(theirs):
            same.append(client)
        elif own and _is_close(own, theirs):
            close.append(client)
    return same, close
