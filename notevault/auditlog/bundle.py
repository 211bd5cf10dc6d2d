"""Bundles of entries (FORMAT 6.4, C2SP tlog-tiles): entries as length u16 big-endian, then the bytes. So is `open`."""

from __future__ import annotations

from collections.abc import Iterable

from .entry import LIMIT
from .fault import Fault

ENTRIES = 256  # in a full bundle
MAX_BYTES = ENTRIES * (2 + LIMIT)  # of a full bundle


def pack(entries: Iterable[bytes]) -> bytes:
    """The entries joined. ValueError when one is empty or over its limit."""
    parts: list[bytes] = []
    for data in entries:
        if not 0 < len(data) <= LIMIT:
            raise ValueError(f"an entry has 1 to {LIMIT} bytes")
        parts.append(len(data).to_bytes(2, "big"))
        parts.append(data)
    return b"".join(parts)


def split(data: bytes) -> list[bytes] | Fault:
    """The entries in `data`, which must end with the last of them (CUT_SHORT) and hold at most 256 (TOO_MANY)."""
    found = split_prefix(data, ENTRIES)
    if isinstance(found, Fault):
        return found
    entries, used = found
    if used == len(data):
        return entries
    if len(entries) == ENTRIES:
        return Fault("TOO_MANY", "bytes after the 256th entry", f"byte {used}")
    return Fault("CUT_SHORT", "the last entry is not whole", f"byte {used}")


def split_prefix(data: bytes, count: int) -> tuple[list[bytes], int] | Fault:
    """The first `count` whole entries, or as many as there are, and the number of bytes they take.

    What follows is not looked at: it may be the rest of an interrupted commit. BAD_LENGTH when one of the `count` has
    an impossible length.
    """
    entries: list[bytes] = []
    at, end = 0, len(data)
    while len(entries) < count and at + 2 <= end:
        length = data[at] << 8 | data[at + 1]
        if not 0 < length <= LIMIT:
            return Fault("BAD_LENGTH", f"an entry of {length} bytes cannot be", f"entry {len(entries)} at byte {at}")
        if at + 2 + length > end:
            break
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return entries, at


def tile_path(n: int) -> str:
    """Where bundle `n` lies under `entries/`: groups of three digits, an `x` before all but the last (`x001/234`)."""
    if n < 0:
        raise ValueError("bundles count from 0")
    path = f"{n % 1000:03d}"
    while n >= 1000:
        n //= 1000
        path = f"x{n % 1000:03d}/{path}"
    return path
