"""What still reads of a log that does not agree with its signed state, so that notes stay readable.

The places of entries are not proven here: whoever uses them checks each entry's MAC, which holds its log and number.
Nothing is written, and nothing that is given out makes the log pass for sound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from notevault.auditlog import bundle, entry
from notevault.errors import Damaged, NotFound
from notevault.storage.layout import BUNDLE, VaultPaths
from notevault.vault.env import Env

MOST_ABSENT = 64  # bundles in a row that may be missing (16,384 entries) before the end is believed to be reached
_ENDS = 3  # closing braces to try from the end: the two bytes of the next length may look like one
_BEGIN = re.compile(rb'\{"a":"')  # every entry begins so, and nothing within an entry does (FORMAT.md section 6.1)


def entries(env: Env, paths: VaultPaths, origin: str) -> Iterator[tuple[int, bytes]]:
    """(number that it gives itself, bytes) of every entry that reads, bundles first, then `open`."""
    number = absent = 0
    while absent <= MOST_ABSENT:
        path = paths.bundle(origin, number)
        absent = 0 if env.files.size(path) is not None else absent + 1
        if absent == 0:
            yield from _pieces(_bytes(env, paths, origin, number))
        number += 1
    yield from _pieces(_bytes(env, paths, origin, None))


def _bytes(env: Env, paths: VaultPaths, origin: str, number: int | None) -> bytes:
    path = paths.open(origin) if number is None else paths.bundle(origin, number)
    try:
        return env.files.read_range(path, 0, bundle.MAX_BYTES + BUNDLE)
    except (NotFound, Damaged):
        return b""


def _pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Where an entry begins, its end is told twice: by its length, and by where the next one begins. One of them may be
    altered; never both by one byte.
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
