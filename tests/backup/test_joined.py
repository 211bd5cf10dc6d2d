"""A log joined from damaged copies: whatever is intact anywhere is found, and nothing else is ever taken for it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.auditlog import merkle
from notevault.backup.copies.facts import Facts
from notevault.backup.copies.joined import Broken, Joiner
from notevault.backup.copies.port import HeaderName, Piece
from notevault.errors import NotFound
from notevault.storage.layout import BUNDLE

ORIGIN = "0a" * 16


def chain(count: int, seed: int, start: list[bytes] | None = None) -> list[bytes]:
    """Entries linked as those of a log are; what else they hold does not matter here."""
    dice, entries = random.Random(seed), list(start or [])
    while len(entries) < count:
        before = merkle.leaf_hash(entries[-1])[:16].hex() if entries else "0" * 32
        fields = {"h": dice.randbytes(8).hex(), "i": len(entries), "p": before}
        entries.append(json.dumps(fields, separators=(",", ":")).encode())
    return entries


def root_of(entries: list[bytes]) -> bytes:
    return merkle.root([merkle.leaf_hash(each) for each in entries])


class Pieces:
    """A copy that has nothing but pieces of one log."""

    name = "pieces"

    def __init__(self, *found: Piece) -> None:
        self.found = found
        self.read = 0

    def pieces(self, origin: str, number: int) -> Iterator[Piece]:
        for piece in self.found:
            if piece.start // BUNDLE == number:
                self.read += 1
                yield piece

    def vault(self) -> str:
        return "0b" * 16

    def origins(self) -> list[str]:
        return [ORIGIN]

    def card(self, origin: str) -> bytes | None:
        return None

    def named(self, origin: str) -> list[tuple[int, bytes]]:
        return []

    def signed(self, origin: str, size: int, root: bytes) -> Iterator[bytes]:
        return iter(())

    def seal(self, origin: str, number: int) -> bytes | None:
        return None

    def seal_numbers(self, origin: str) -> list[int]:
        return []

    def headers(self) -> list[HeaderName]:
        return []

    def header(self, name: HeaderName) -> bytes | None:
        return None

    def files(self, first: int) -> dict[bytes, int]:
        return {}

    def blob(self, digest: str, limit: int) -> bytes | None:
        return None

    def stream(self, digest: str) -> Iterator[bytes]:
        raise NotFound("Nothing is here.")


def whole(entries: list[bytes]) -> Pieces:
    return Pieces(*(Piece(at, entries[at : at + BUNDLE]) for at in range(0, len(entries), BUNDLE)))


LONG = chain(2 * BUNDLE + 40, 1)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_some_copy_has_intact_is_found_and_a_gap_is_named(data: st.DataObject) -> None:
    size = data.draw(st.sampled_from([1, 40, BUNDLE - 1, BUNDLE, BUNDLE + 1, 2 * BUNDLE, len(LONG)]))
    entries = LONG[:size]
    dice = random.Random(data.draw(st.integers(0, 2**32)))
    copies, intact = [], set[int]()
    for _ in range(data.draw(st.integers(1, 3))):
        bad = data.draw(st.sampled_from([0.0, 0.01, 0.3]))
        pieces = []
        at = 0
        while at < size:
            stop = min(size, at + dice.choice([3, 30, 300]), (at // BUNDLE + 1) * BUNDLE)
            if dice.random() >= bad:  # else the whole piece is gone
                found = []
                for index in range(at, stop):
                    if dice.random() < bad:
                        found.append(entries[index][:-2] + b" }")
                    else:
                        found.append(entries[index])
                        intact.add(index)
                pieces.append(Piece(at, found))
            at = stop
        dice.shuffle(pieces)
        copies.append(Pieces(*pieces))
    joiner = Joiner(ORIGIN, copies)
    lacking = set(range(size)) - intact
    if not lacking:
        log = joiner.log(size, root_of(entries))
        assert list(log.entries()) == entries
        assert log.entry(size // 2) == entries[size // 2]
    else:
        with pytest.raises(Broken) as broken:
            joiner.log(size, root_of(entries))
        assert min(lacking) <= broken.value.index < size
        # what it says is of use: below the first entry that is lacking everything can be had
        if good := min(lacking):
            assert list(joiner.log(good, root_of(entries[:good])).entries()) == entries[:good]


def test_entries_that_somebody_chained_anew_are_passed_over() -> None:
    forged = chain(len(LONG), 2, LONG[:100])
    joiner = Joiner(ORIGIN, [whole(forged), whole(LONG)])
    assert list(joiner.log(len(LONG), root_of(LONG)).entries()) == LONG
    assert list(joiner.log(len(forged), root_of(forged)).entries()) == forged  # both are there to be had: a fork
    with pytest.raises(Broken):
        joiner.log(len(LONG), bytes(32))


def test_a_sound_first_copy_is_all_that_is_read() -> None:
    first, second = whole(LONG), whole(LONG)
    assert list(Joiner(ORIGIN, [first, second]).log(len(LONG), root_of(LONG)).entries()) == LONG
    assert (first.read, second.read) == (3, 0)


def test_an_empty_log_has_only_the_empty_root() -> None:
    joiner = Joiner(ORIGIN, [])
    assert list(joiner.log(0, merkle.EMPTY_ROOT).entries()) == []
    with pytest.raises(Broken):
        joiner.log(0, bytes(32))


@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, len(LONG)])
def test_the_root_of_every_wanted_size_is_known(size: int) -> None:
    log = Joiner(ORIGIN, [whole(LONG[:size])]).log(size, root_of(LONG[:size]))
    wanted = [at for at in (1, 100, 255, 256, 257, 300, 512, 513) if at <= size]
    facts = Facts(log, "0b" * 16, [], [*wanted, 10_000], lambda *_: False)
    for at in [*wanted, size]:
        assert facts.roots[at] == root_of(LONG[:at])
