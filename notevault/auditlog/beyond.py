"""What lies behind the signed entries: the rest of an interrupted commit, or entries newer than the signed state.

None of it counts. How much of it is whole, and whether it follows on, tells what may have happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from . import entry, merkle, plain
from .bundle import tile_path
from .entry import LIMIT
from .verdict import Finding, Weight

BUNDLE = merkle.BUNDLE


def whole(data: bytes) -> Iterator[bytes]:
    """The whole entries that `data` begins with, up to one that is cut short or of an impossible length."""
    at, end = 0, len(data)
    while at + 2 <= end:
        length = data[at] << 8 | data[at + 1]
        if not 0 < length <= LIMIT or at + 2 + length > end:
            return
        yield data[at + 2 : at + 2 + length]
        at += 2 + length


class Chain:
    """Entries after entry `index` - 1, whose `p` must be `previous` (None: not known). `good` while they follow on."""

    def __init__(self, index: int, previous: str | None) -> None:
        self.index, self._previous = index, previous
        self.count, self.good = 0, True

    def feed(self, entries: Iterable[bytes]) -> None:
        for data in entries:
            found = entry.parse(data) if self.good else None
            self.good = isinstance(found, entry.Entry) and found.i == self.index
            if isinstance(found, entry.Entry) and self.good and self._previous is not None:
                self.good = found.p == self._previous
            self._previous = merkle.leaf_hash(data)[:16].hex()
            self.index += 1
            self.count += 1


def uncommitted(data: bytes, index: int, previous: str | None) -> Finding:
    """For the bytes of `open` behind the signed entries. A commit of several entries leaves several."""
    chain = Chain(index, previous)
    chain.feed(whole(data))
    if not chain.count:
        text = f"{len(data)} bytes of an interrupted commit lie behind the last entry; they count nowhere"
    elif chain.good:
        entries = f"{chain.count} whole {'entry lies' if chain.count == 1 else 'entries lie'}"
        text = (
            f"{entries} behind the signed ones and {'follows' if chain.count == 1 else 'follow'} on: an interrupted"
            f" commit, or an older signed state; not counted ({len(data)} bytes)"
        )
    else:
        entries = plain.count(chain.count, "whole entry", "whole entries")
        follow = "does not follow" if chain.count == 1 else "do not follow"
        text = f"{len(data)} bytes with {entries} that {follow} on lie behind the signed ones; they count nowhere"
    return Finding("UNCOMMITTED", Weight.NOTE, text)


def onward(read: Callable[[str], bytes | None], first: bytes, number: int) -> Iterator[bytes]:
    """Bundle `number` (its bytes are `first`), and those after it without a gap."""
    data: bytes | None = first
    while data is not None:
        yield data
        number += 1
        data = read(f"entries/{tile_path(number)}")


def newer(bundles: Iterable[bytes], skip: int, size: int, previous: str | None) -> Finding:
    """For full bundles beyond the signed `size`; the first begins with `skip` entries that are signed.

    They were made after a later state had been signed. Where they follow on from the signed entries nothing is gone,
    and a copy that was begun before that state and went on after it looks the same: no proof. What does not follow on
    no copying makes.
    """
    chain, held = Chain(size, previous), size - skip
    for data in bundles:
        found = list(whole(data))
        chain.feed(found[skip:])
        skip, held = 0, held + BUNDLE
    if not chain.good:
        text = f"ROLLED BACK: signed {size}, but the log once held {held} entries or more"
        return Finding("ROLLED_BACK", Weight.TAMPERED, text)
    there = "newer entries that follow on lie" if chain.count else "a file for newer entries lies"
    number = f"{chain.count} " if chain.count else ""
    text = (
        f"OLDER STATE: {size} entries are signed, and {number}{there} beside them: a copy made while the log was"
        " written to, or rolled back"
    )
    return Finding("OLDER_STATE", Weight.UNDECIDED, text)
