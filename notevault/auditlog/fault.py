"""Faults: how this package says that bytes are wrong. Reading functions return a value or a `Fault`; they never raise.

Codes are stable (the vectors name them): TOO_LARGE NOT_ASCII NOT_TEXT NOT_JSON NUMBER REPEATED_KEY NOT_CANONICAL
MISSING_FIELD UNKNOWN_FIELD UNKNOWN_VERSION UNKNOWN_EVENT BAD_VALUE (JSON and entries) · CUT_SHORT BAD_LENGTH TOO_MANY
(bundles) · NOT_A_NOTE BAD_LINE (signed notes) · EXTENSION BAD_SIZE BAD_ROOT BAD_SIGNERS (checkpoints) · KEY_ID
UNKNOWN_EPOCH BAD_SIGNATURE WRONG_ORIGIN WRONG_KEY (signed things that do not hold) · NOT_A_PROOF BAD_INDEX BAD_PROOF
(offline proofs) · WRONG_ROOT WRONG_TILE (entries or hashes that are not the signed ones) · BAD_NAME WRONG_SIZE
(anchors) · BAD_TIME BAD_KEY (cosignatures) · WRONG_VAULT (state files, disclosures) · UNREADABLE MISSING EXISTS
UNWRITABLE (files).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Fault:
    """What is wrong: a stable code, a plain sentence, and the place (a file, an entry, a field; may be empty)."""

    code: str
    sentence: str
    where: str = ""

    def at(self, place: str) -> Fault:
        """The same fault seen from further out: `place` goes before what is already known of the place."""
        return Fault(self.code, self.sentence, f"{place}: {self.where}" if self.where else place)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}" + (f" ({self.where})" if self.where else "")


def sound(value: T | Fault) -> T:
    """The value itself; ValueError when it is a Fault. For our own writers and for tests, never for input."""
    if isinstance(value, Fault):
        raise ValueError(str(value))  # noqa: TRY004  (a Fault is a value here, not a wrong type)
    return value
