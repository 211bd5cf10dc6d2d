"""Whether a log's signed states hold, by the keys of its card (FORMAT.md sections 7, 8)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from notevault.auditlog import card as cards
from notevault.auditlog import checkpoint
from notevault.auditlog.fault import Fault
from notevault.auditlog.note import Verify
from notevault.errors import LogDamaged


@dataclass(frozen=True)
class CardBelieves:
    """Implements `storage.logepoch.Believe`. `verify`: Ed25519, as whoever asks has it. `known`: SHA-256 of a
    checkpoint whose two signatures were found to hold under this very card, so that an idle look checks none.
    """

    card: cards.Card
    verify: Verify
    known: bytes = b""

    def identity(self, data: bytes) -> checkpoint.Checkpoint:
        found = checkpoint.parse(data)
        if not isinstance(found, Fault) and found.origin != self.card.origin:
            found = Fault("WRONG_ORIGIN", "a checkpoint of another log")
        if isinstance(found, Fault):
            raise _not_held(found)
        if not self._is_known(data):
            fault = checkpoint.check_identity(found, self.card.identity_pub, self.verify)
            if fault is not None:
                raise _not_held(fault)
        return found

    def epoch(self, signed: checkpoint.Checkpoint, key: bytes | None) -> None:
        if not self._is_known(signed.raw):
            fault = checkpoint.check_epoch(signed, {signed.epoch: key or self.card.epoch0_pub}, self.verify)
            if fault is not None:
                raise _not_held(fault)

    def _is_known(self, data: bytes) -> bool:
        return bool(self.known) and hashlib.sha256(data).digest() == self.known


def _not_held(fault: Fault) -> LogDamaged:
    return LogDamaged(f"The log's signed state does not hold: {fault.sentence}")
