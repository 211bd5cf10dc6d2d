"""What still reads of a log that does not agree with its signed state, so that notes stay readable.

The places of entries are not proven here: whoever uses them checks each entry's MAC, which holds its log and number.
Nothing is written, and nothing that is given out makes the log pass for sound.
"""

from __future__ import annotations

from collections.abc import Iterator

from notevault.auditlog import bundle, pieces
from notevault.errors import Damaged, NotFound
from notevault.storage.layout import BUNDLE, VaultPaths
from notevault.vault.env import Env

MOST_ABSENT = 64  # bundles in a row that may be missing (16,384 entries) before the end is believed to be reached


def entries(env: Env, paths: VaultPaths, origin: str) -> Iterator[tuple[int, bytes]]:
    """(number that it gives itself, bytes) of every entry that reads, bundles first, then `open`."""
    number = absent = 0
    while absent <= MOST_ABSENT:
        path = paths.bundle(origin, number)
        absent = 0 if env.files.size(path) is not None else absent + 1
        if absent == 0:
            yield from pieces.find(_bytes(env, paths, origin, number))
        number += 1
    yield from pieces.find(_bytes(env, paths, origin, None))


def _bytes(env: Env, paths: VaultPaths, origin: str, number: int | None) -> bytes:
    path = paths.open(origin) if number is None else paths.bundle(origin, number)
    try:
        return env.files.read_range(path, 0, bundle.MAX_BYTES + BUNDLE)
    except (NotFound, Damaged):
        return b""
