"""A million files by their SHA-256 in 44 MB: what a log says it wrote and destroyed, without a Python object for each.

Kept by first byte, in the order in which they came; one 256th at a time is spread out to be looked at. That is also how
`blobs/` is laid out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

_SIZE = 44  # digest 32, file size 7 (it is below 2^53), entry number 5
_MAX_INDEX = 2**40 - 1


class Digests(Mapping[str, int]):
    """Digest (64 hex digits) -> size of the file in bytes. A digest added again has the size it was given last."""

    __slots__ = ("_parts", "weight")

    def __init__(self) -> None:
        self.weight = 0  # bytes of the files, each as often as it was added
        self._parts = [bytearray() for _ in range(256)]

    def add(self, digest: str, size: int, index: int = 0) -> None:
        """`size` below 2^53; `index`: the entry that says so."""
        data = bytes.fromhex(digest)
        self.weight += size
        self._parts[data[0]] += data + (size << 40 | min(index, _MAX_INDEX)).to_bytes(12, "big")

    def part(self, first: int) -> dict[bytes, tuple[int, int]]:
        """All whose first byte is `first`: digest (32 bytes) -> size and entry."""
        part = bytes(self._parts[first])
        found: dict[bytes, tuple[int, int]] = {}
        for at in range(0, len(part), _SIZE):
            number = int.from_bytes(part[at + 32 : at + _SIZE], "big")
            found[part[at : at + 32]] = (number >> 40, number & _MAX_INDEX)
        return found

    @property
    def added(self) -> int:
        """How often something was added: at least the number of digests, and known at once."""
        return sum(map(len, self._parts)) // _SIZE

    def __bool__(self) -> bool:
        return any(self._parts)

    def __len__(self) -> int:
        return sum(len(self.part(first)) for first in range(256))

    def __iter__(self) -> Iterator[str]:
        for first in range(256):
            for digest in self.part(first):
                yield digest.hex()

    def __getitem__(self, digest: str) -> int:
        data = _bytes(digest)
        return self.part(data[0])[data][0]

    def __contains__(self, digest: object) -> bool:
        return isinstance(digest, str) and self.get(digest) is not None


class Remaining(Mapping[str, int]):
    """What of `all_` is not in `gone`, worked out when asked."""

    def __init__(self, all_: Digests, gone: Digests) -> None:
        self._all, self._gone = all_, gone

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        for first in range(256):
            gone: AbstractSet[bytes] = self._gone.part(first).keys()
            for digest in self._all.part(first):
                if digest not in gone:
                    yield digest.hex()

    def __getitem__(self, digest: str) -> int:
        if digest in self._gone:
            raise KeyError(digest)
        return self._all[digest]


def _bytes(digest: str) -> bytes:
    """KeyError for what is no digest."""
    try:
        data = bytes.fromhex(digest)
    except ValueError:
        raise KeyError(digest) from None
    if len(data) != 32:
        raise KeyError(digest)
    return data
