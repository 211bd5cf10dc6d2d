"""Entries in bytes of a log that are not what was written: what still reads between the damage (FORMAT.md 6.1, 6.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import entry

_BEGIN = re.compile(rb'\{"a":"')  # every entry begins so, and nothing within an entry does


def find(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(number that it gives itself, bytes) of every entry in a bundle, a part or `open` that reads.

    Where an entry begins, its end is told twice: by its length, and by where the next one begins. One of them may be
    altered; never both by one byte. Nothing is proven of the places.
    """
    starts = [found.start() for found in _BEGIN.finditer(data)]
    for number, start in enumerate(starts):
        told = start + int.from_bytes(data[max(0, start - 2) : start], "big")
        seen = starts[number + 1] - 2 if number + 1 < len(starts) else len(data)
        for piece in (data[start:told], data[start:seen], data[start : data.rfind(b"}", start, seen) + 1]):
            found = entry.parse(piece)
            if isinstance(found, entry.Entry):
                yield found.i, piece
                break
