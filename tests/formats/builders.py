"""Headers, tables and ids made from repeatable randomness, for tests of bytes."""

from __future__ import annotations

from notevault.formats.header import Cross, Header, PassphraseSlot, RecoverySlot, ShareSlot
from notevault.formats.ids import NO_DIGEST, DeviceId, Digest, Origin, SlotId, VaultId
from notevault.formats.keytable import KeyTable, Purpose
from tests.fakes.simple import FakeEntropy

ORIGIN = Origin("5a" * 16)


def a_table(seed: int = 0, clients: int = 3) -> KeyTable:
    draw = FakeEntropy(("table", seed)).draw
    wide = {(purpose, generation): draw(32) for purpose in Purpose for generation in (1, 2)}
    return KeyTable(draw(32), wide, {(draw(16), 1 + i % 2): draw(32) for i in range(clients)})


def passphrase_slot(seed: int = 0) -> PassphraseSlot:
    draw = FakeEntropy(("passphrase", seed)).draw
    return PassphraseSlot(SlotId(draw(16)), DeviceId(draw(16)), 1, 65536, 3, 4, draw(16), draw(32), draw(32), draw(56))


def recovery_slot(seed: int = 0) -> RecoverySlot:
    draw = FakeEntropy(("recovery", seed)).draw
    return RecoverySlot(SlotId(draw(16)), draw(1216), draw(1120), draw(56))


def share_slot(seed: int = 0) -> ShareSlot:
    draw = FakeEntropy(("share", seed)).draw
    return ShareSlot(SlotId(draw(16)), 2, 3, draw(1216), draw(1120), draw(56))


def a_header(seed: int = 0, *, seq: int = 1, cross: bool = False, share: bool = False) -> Header:
    """A header with random bytes where keys and ciphertext stand; its signature does not hold."""
    draw = FakeEntropy(("header", seed)).draw
    slots = (passphrase_slot(seed), recovery_slot(seed), *((share_slot(seed),) if share else ()))
    return Header(
        vault=VaultId(draw(16)),
        device=DeviceId(draw(16)),
        origin=ORIGIN,
        seq=seq,
        prev=NO_DIGEST if seq == 1 else Digest(draw(32).hex()),
        generation=1,
        origins={ORIGIN: 0 if seq == 1 else 41, Origin("01" * 16): 7},
        slots=tuple(sorted(slots, key=lambda slot: slot.id)),
        retired=tuple(sorted(SlotId(draw(16)) for _ in range(seq - 1))),
        table=draw(72 + 4096 + 16),
        vik=draw(32),
        sig=draw(64),
        cross=Cross(draw(32), draw(64)) if cross else None,
    )
