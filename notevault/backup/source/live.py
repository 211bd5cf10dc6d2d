"""Which files the logs say are live: written by any of them, destroyed for good by none (FORMAT.md section 7.6).

A million files take 44 MB: they are kept by the first byte of their name, as `blobs/` is laid out, and one 256th at a
time is spread out to be looked at.

    record (44 bytes) = digest 32 ‖ size of the file u56 ‖ number of the entry that wrote it, u40
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

RECORD = 44
_HEX = 2 * RECORD  # characters of a record in hexadecimal digits: 64 of the digest, 14 of the size, 10 of the entry
_MOST = 2**40 - 1


class Live:
    """A value: `grown` gives another one."""

    __slots__ = ("_parts", "_weight", "count", "purged")

    def __init__(self, parts: tuple[bytes, ...] = (b"",) * 256, purged: frozenset[bytes] = frozenset()) -> None:
        self._parts = parts
        self.purged = purged  # digests, 32 bytes each
        self.count = sum(map(len, parts)) // RECORD
        self._weight: int | None = None

    @property
    def weight(self) -> int:
        """Bytes of all live files together."""
        if self._weight is None:
            self._weight = sum(size for first in range(256) for size in self.sizes(first).values())
        return self._weight

    def part(self, first: int) -> dict[bytes, tuple[int, int]]:
        """Those whose name begins with this byte: digest (32 bytes) -> size, entry."""
        raw, found = self._parts[first], {}
        for at in range(0, len(raw), RECORD):
            number = int.from_bytes(raw[at + 32 : at + RECORD], "big")
            found[raw[at : at + 32]] = (number >> 40, number & _MOST)
        return found

    def names(self, first: int) -> set[str]:
        """The file names alone; the cheapest look, for passes that find nothing to do."""
        text = self._parts[first].hex()
        return {text[at : at + 64] for at in range(0, len(text), _HEX)}

    def sizes(self, first: int) -> dict[str, int]:
        """File name -> size."""
        text = self._parts[first].hex()
        return {text[at : at + 64]: int(text[at + 64 : at + 78], 16) for at in range(0, len(text), _HEX)}

    def get(self, digest: bytes | str) -> int | None:
        """The size of a live file; None when it is none."""
        raw = bytes.fromhex(digest) if isinstance(digest, str) else digest
        found = self.part(raw[0]).get(raw)
        return None if found is None else found[0]

    def grown(self, written: Mapping[bytes, tuple[int, int]], purged: Iterable[bytes]) -> Live:
        """With further entries. A file that was destroyed stays so, even when it is written again (7.6)."""
        gone = self.purged.union(purged)
        fresh: dict[int, list[tuple[bytes, tuple[int, int]]]] = {}
        for digest, what in written.items():
            fresh.setdefault(digest[0], []).append((digest, what))
        touched = fresh.keys() | {digest[0] for digest in gone - self.purged}
        parts = list(self._parts)
        for first in touched:
            part = self.part(first)
            part.update(fresh.get(first, ()))
            parts[first] = b"".join(
                digest + (size << 40 | min(index, _MOST)).to_bytes(12, "big")
                for digest, (size, index) in part.items()
                if digest not in gone
            )
        return Live(tuple(parts), gone)

    # The cache's form

    def pack(self) -> tuple[list[int], bytes]:
        """How many records each part has, and all of them joined."""
        return [len(part) // RECORD for part in self._parts], b"".join(self._parts)

    @classmethod
    def unpack(cls, counts: list[int], data: bytes, purged: frozenset[bytes]) -> Live:
        """The inverse of `pack`. ValueError when counts and bytes do not fit."""
        if len(counts) != 256 or any(type(count) is not int or count < 0 for count in counts):
            raise ValueError("256 counts")
        if sum(counts) * RECORD != len(data):
            raise ValueError("other bytes than were counted")
        parts, at = [], 0
        for first, count in enumerate(counts):
            part = data[at : at + count * RECORD]
            if count and (part[0] != first or part[-RECORD] != first):
                raise ValueError("a record in a wrong part")
            parts.append(part)
            at += len(part)
        return cls(tuple(parts), purged)
