"""Which epoch a log is in and under which key, read from the log's own entries (FORMAT.md section 6.5).

Entries are given as proven against the signed root; a seal file is only a hint where to look. What does not read as an
entry says nothing about epochs: whoever judges entries tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from notevault.auditlog import checkpoint, entry
from notevault.storage.layout import BUNDLE

Fetch = Callable[[int], list[bytes]]
"""The covered entries of one bundle, by its number; of the last one as many as there are."""
_CLOSE = b'"ev":"epoch.close"'


class Believe(Protocol):
    """How the signatures of one log are checked: with the keys of its card."""

    def identity(self, data: bytes) -> checkpoint.Checkpoint:
        """The checkpoint of these bytes when the identity's signature holds. Raises LogDamaged."""
        ...

    def epoch(self, signed: checkpoint.Checkpoint, key: bytes | None) -> None:
        """Raises LogDamaged unless the epoch's signature holds under `key` (None: the first epoch's)."""
        ...


@dataclass(frozen=True)
class Close:
    """An entry that closes `epoch` and introduces the key of the next one."""

    index: int
    epoch: int
    key: bytes


def close_of(index: int, data: bytes) -> Close | None:
    """What the entry at `index` closes; None for every other entry."""
    if _CLOSE not in data:
        return None
    found = entry.parse(data)
    if not isinstance(found, entry.Entry) or found.ev != "epoch.close":
        return None
    return Close(index, found.e, bytes.fromhex(found.k["key"]))


def ending(size: int, newest: Sequence[bytes]) -> tuple[int | None, Close | None]:
    """The epoch of the last entry that reads, and what the very last entry closes; `newest` ends a log of `size`."""
    for back, data in enumerate(reversed(newest)):
        found = entry.parse(data)
        if isinstance(found, entry.Entry):
            return found.e, close_of(size - 1, data) if back == 0 else None
    return None, None


def introduction(epoch: int, size: int, fetch: Fetch, hint: int | None) -> Close | None:
    """The entry that brought the key of `epoch`, of a log of `size` entries; `hint`: the size its seal names."""
    if hint is not None and 0 < hint <= size:
        entries = fetch((hint - 1) // BUNDLE)
        at = (hint - 1) % BUNDLE
        found = close_of(hint - 1, entries[at]) if at < len(entries) else None
        if found is not None and found.epoch == epoch - 1:
            return found
    for number in range((size - 1) // BUNDLE, -1, -1):
        found = _close_in(fetch(number), number * BUNDLE, epoch - 1)
        if found is not None:
            return found
    return None


def _close_in(entries: Sequence[bytes], first: int, epoch: int) -> Close | None:
    for at in range(len(entries) - 1, -1, -1):
        found = close_of(first + at, entries[at])
        if found is not None and found.epoch == epoch:
            return found
    return None
