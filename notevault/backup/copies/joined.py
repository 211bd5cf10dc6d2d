"""One log put together from all copies, entry by entry where it must be, and proven by its signed root.

Every entry holds the beginning of the hash of the one before it (`p`, FORMAT 6.1). So a log is read from its end: the
last entry says which one must lie before it, and of all the copies of that one any will do. At the start of the log
the whole gives the root or it does not. Work and memory are bounded by bundles of 256; damage in different places of
different copies does no harm, and neither does what somebody added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from notevault.auditlog import merkle
from notevault.backup.copies.port import Copy
from notevault.errors import LogDamaged
from notevault.storage.layout import BUNDLE

MAX_ENDS = 64  # last entries that are tried for one signed state; each costs at most one reading of the log
KEPT_BYTES = 32 << 20  # of entries that are kept, so that a log is not read twice from a slow disk
_PREVIOUS = re.compile(rb'"p":"([0-9a-f]{32})"')
_START = bytes(16)


@dataclass(frozen=True)
class _Node:
    """A full bundle that ends with a certain entry: its root, and what the entry before it must hash to."""

    root: bytes
    before: bytes


class Broken(LogDamaged):
    """`index`: no state of more entries than this can be had along this way."""

    def __init__(self, sentence: str, index: int) -> None:
        super().__init__(sentence)
        self.index = index


class Joiner:
    """All that the copies hold of the log `origin`."""

    def __init__(self, origin: str, copies: Sequence[Copy]) -> None:
        self.origin = origin
        self._copies = copies
        self._nodes: dict[tuple[int, bytes], _Node | int] = {}  # an int: the entry at which this way ends
        self._kept: dict[tuple[int, bytes], list[bytes]] = {}
        self._room = KEPT_BYTES

    def log(self, size: int, root: bytes) -> Log:
        """The log of that state. Raises Broken, and what the copies raise."""
        if size == 0:
            if root != merkle.EMPTY_ROOT:
                raise Broken("REWRITTEN: an empty log is signed with another root.", 0)
            return Log(self, 0, root, [], [], [])
        number, count = (size - 1) // BUNDLE, (size - 1) % BUNDLE + 1
        reached = [number * BUNDLE]
        lowest, tried = size - 1, 0
        for entries in self._ways(number, count, None, reached):
            tried += 1
            leaves = [merkle.leaf_hash(each) for each in entries]
            found = self._back(number, _previous(entries[0]))
            if isinstance(found, int):
                lowest = min(lowest, found)
                continue
            needs, roots = found
            frontier = merkle.Frontier.from_bundles(b"".join(roots), leaves)
            if frontier.root() == root:
                return Log(self, size, root, roots, needs, entries)
            if tried >= MAX_ENDS:
                break
        if tried == 0:
            raise Broken(f"MISSING: entries from number {reached[0]} on are in no copy.", min(reached[0], size - 1))
        if lowest < size - 1:
            raise Broken(f"MISSING: entry {lowest} of the log is in no copy as it was signed.", lowest)
        raise Broken("REWRITTEN: the entries in the copies are not the signed ones.", size - 1)

    def full(self, number: int, need: bytes) -> list[bytes]:
        """The entries of a full bundle whose last one begins with this hash. Raises Broken."""
        kept = self._kept.get((number, need))
        if kept is not None:
            return kept
        reached = [number * BUNDLE]
        for entries in self._ways(number, BUNDLE, need, reached):
            weight = sum(map(len, entries))
            if weight <= self._room:
                self._room -= weight
                self._kept[number, need] = entries
            return entries
        raise Broken(f"MISSING: entry {reached[0]} of the log is in no copy as it was signed.", reached[0])

    def _back(self, number: int, need: bytes | None) -> tuple[list[bytes], list[bytes]] | int:
        """Of the bundles before `number`: what their last entries hash to, and their roots. Or where it breaks off."""
        needs: list[bytes] = []
        roots: list[bytes] = []
        for at in range(number - 1, -1, -1):
            if need is None:
                return (at + 1) * BUNDLE
            node = self._nodes.get((at, need))
            if node is None:
                node = self._nodes[at, need] = self._node(at, need)
            if isinstance(node, int):
                return node
            needs.append(need)
            roots.append(node.root)
            need = node.before
        if need != _START:
            return 0
        return needs[::-1], roots[::-1]

    def _node(self, number: int, need: bytes) -> _Node | int:
        try:
            entries = self.full(number, need)
        except Broken as broken:
            return broken.index
        before = _previous(entries[0])
        if before is None:
            return number * BUNDLE
        return _Node(merkle.bundle_root([merkle.leaf_hash(each) for each in entries]), before)

    def _ways(self, number: int, count: int, need: bytes | None, reached: list[int]) -> Iterator[list[bytes]]:
        """Chains of the first `count` entries of a bundle, as they are found; with `need` at most one.

        `reached[0]` becomes the entry at which the best of the others broke off. Copies are read only as far as needed.
        """
        first, options, seen = number * BUNDLE, _Options(), set[bytes]()
        for copy in self._copies:
            for piece in copy.pieces(self.origin, number):
                options.add(piece.start, piece.entries)
                if piece.start > first or piece.start + len(piece.entries) < first + count:
                    continue  # not all of it: joined with others below
                for entries in options.chains(first, count, need, seen, reached):
                    yield entries
                    if need is not None:
                        return
            for entries in options.chains(first, count, need, seen, reached):
                yield entries
                if need is not None:
                    return


class _Options:
    """Entries of one bundle by number, and for each number all that some copy has there."""

    def __init__(self) -> None:
        self._at: dict[int, dict[bytes, bytes]] = {}  # number -> first 16 bytes of the leaf hash -> entry

    def add(self, start: int, entries: Sequence[bytes]) -> None:
        for index, data in enumerate(entries, start):
            self._at.setdefault(index, {})[merkle.leaf_hash(data)[:16]] = data

    def chains(
        self, first: int, count: int, need: bytes | None, seen: set[bytes], reached: list[int]
    ) -> Iterator[list[bytes]]:
        """`seen`: last entries from which a chain was found before. `reached`: set anew, by what is there by now."""
        last = first + count - 1
        reached[0] = first
        for end in [need] if need is not None else list(self._at.get(last, ())):
            if end in seen:
                continue
            found = self._chain(first, last, end)
            if isinstance(found, int):
                gap = next((index for index in range(first, last + 1) if index not in self._at), found)
                reached[0] = max(reached[0], min(gap, found))
            else:
                seen.add(end)
                yield found
        if need is None and last not in self._at:
            reached[0] = next(index for index in range(first, last + 1) if index not in self._at)

    def _chain(self, first: int, last: int, need: bytes) -> list[bytes] | int:
        found: list[bytes] = []
        wanted: bytes | None = need
        for index in range(last, first - 1, -1):
            data = None if wanted is None else self._at.get(index, {}).get(wanted)
            if data is None:
                return index
            found.append(data)
            wanted = _previous(data)
        found.reverse()
        return found


class Log:
    """The entries of one signed state, proven. What is not kept in memory is read and proven again."""

    def __init__(
        self, joiner: Joiner, size: int, root: bytes, roots: list[bytes], needs: list[bytes], tail: list[bytes]
    ) -> None:
        self.origin, self.size, self.root = joiner.origin, size, root
        self._joiner, self._roots, self._needs, self._tail = joiner, roots, needs, tail

    def bundle(self, number: int) -> list[bytes]:
        """Entries from number 256 x `number` on: 256, fewer in the last one. Raises LogDamaged when they are gone."""
        if number == len(self._needs):
            return self._tail
        entries = self._joiner.full(number, self._needs[number])
        if merkle.root([merkle.leaf_hash(each) for each in entries]) != self._roots[number]:
            raise Broken("REWRITTEN: the copies changed while they were read.", number * BUNDLE)
        return entries

    def bundle_root(self, number: int) -> bytes | None:
        """Of a bundle before the last one."""
        return self._roots[number] if number < len(self._roots) else None

    @property
    def bundles(self) -> int:
        return len(self._needs) + bool(self._tail)

    def entry(self, index: int) -> bytes:
        return self.bundle(index // BUNDLE)[index % BUNDLE]

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        end = self.size if stop is None else min(stop, self.size)
        for number in range(start // BUNDLE, -(-end // BUNDLE)):
            first = number * BUNDLE
            yield from self.bundle(number)[max(0, start - first) : end - first]


def _previous(data: bytes) -> bytes | None:
    """What the entry before this one hashes to, its first 16 bytes; None for what is no entry."""
    found = _PREVIOUS.search(data)
    return bytes.fromhex(found[1].decode("ascii")) if found else None
