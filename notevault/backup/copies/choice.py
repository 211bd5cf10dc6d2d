"""A state of the vault that can be taken from copies: of each log one signed state, and what it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from notevault.backup.copies.facts import Facts
from notevault.backup.copies.port import HeaderName, State


class LiveFiles(Protocol):
    """The sealed files that a state needs and that are not destroyed (FORMAT section 7.6)."""

    @property
    def count(self) -> int: ...

    @property
    def weight(self) -> int:
        """Bytes in all."""
        ...

    def part(self, first: int) -> dict[bytes, tuple[int, int]]:
        """Those whose SHA-256 begins with this byte: digest (32 bytes) -> size and the entry that wrote it."""
        ...


@dataclass(frozen=True)
class Arriving:
    """A newer state that is not whole: `arrived` of `expected` files are there. `only_here`: of those, how many the
    chosen older state would leave behind; 0: nothing intact is lost by taking the older one. `entries`: of the log that
    were signed and are not there (yet), so what they name is not known: of these no state can be had at all.
    """

    states: dict[str, State]
    arrived: int
    expected: int
    only_here: int
    last_ms: int
    entries: int = 0


@dataclass(frozen=True)
class Choice:
    """`live` holds what is there and what is missing alike. `headers`: the key files that these logs name and that are
    there, by hash, the highest `seq` last. `missing`: live files without a copy of the right size.
    """

    states: dict[str, State]
    live: LiveFiles
    headers: tuple[HeaderName, ...]
    missing: int
    whole: bool
    last_ms: int  # of the newest entry
    newer: Arriving | None = None
    lost: tuple[str, ...] = ()  # what is not there, in words without names, at most 20
    strangers: int = 0  # logs of another identity that lie here too and were left out
    forked: tuple[str, ...] = ()  # logs of which a copy has a signed state that contradicts the chosen one
    newest: tuple[HeaderName, ...] = ()  # of `headers`, those that no other one continues; the highest first
    facts: dict[str, Facts] = field(default_factory=dict, repr=False, compare=False)  # of each log's largest state


class ChosenFiles:
    """`sizes`: of each log's chosen state. `without`: destroyed later and in no copy any more: nobody can want it."""

    def __init__(self, facts: dict[str, Facts], sizes: dict[str, int], without: set[bytes]) -> None:
        self._facts, self._sizes = [(facts[origin], size) for origin, size in sizes.items()], sizes
        self._gone = without | {purge.digest for log, size in self._facts for purge in log.purges if purge.index < size}
        self._count: int | None = None
        self._weight = 0

    @property
    def count(self) -> int:
        return self._counted()[0]

    @property
    def weight(self) -> int:
        return self._counted()[1]

    def part(self, first: int) -> dict[bytes, tuple[int, int]]:
        found: dict[bytes, tuple[int, int]] = {}
        for log, size in self._facts:
            found.update(log.part(first, size))
        if self._gone:
            for digest in self._gone & found.keys():
                del found[digest]
        return found

    def _counted(self) -> tuple[int, int]:
        if self._count is None:
            count = weight = 0
            for first in range(256):
                part = self.part(first)
                count += len(part)
                weight += sum(size for size, _ in part.values())
            self._count, self._weight = count, weight
        return self._count, self._weight
