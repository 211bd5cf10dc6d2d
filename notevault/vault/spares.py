"""Spare client keys: each belongs to one log, so that two laptops never give the same one to two people.

A client id's first four bytes are the first four of SHA-256(prefix ‖ origin 16) of the log that may
give it out (docs/FORMAT.md sections 0 and 4). Ids never stand in the clear, so the mark tells nobody anything.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from notevault.formats.keytable import KeyTable
from notevault.ports import Entropy

FIRST = 64  # a practice rarely has more clients in its first year
_MARK = 4


def mark(origin: str) -> bytes:
    return hashlib.sha256(b"notevault/v1/spare\0" + bytes.fromhex(origin)).digest()[:_MARK]


def with_spares(table: KeyTable, origin: str, count: int, generation: int, entropy: Entropy) -> KeyTable:
    """The table with `count` more client keys that only the log `origin` gives out."""
    fresh = {(mark(origin) + entropy.draw(16 - _MARK), generation): entropy.draw(32) for _ in range(count)}
    return replace(table, clients={**table.clients, **fresh})


def own(table: KeyTable, origin: str) -> set[bytes]:
    """The ids that this log may give out, used or not."""
    return {client for client, _ in table.clients if client[:_MARK] == mark(origin)}
