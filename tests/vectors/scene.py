"""The made-up vault that all vectors share: ids, keys, a table, slots and a signed header."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from notevault.crypto import keytable, signing, slots
from notevault.crypto.kdf import KdfParams, argon2id, normalise
from notevault.errors import NotevaultError
from notevault.formats.header import Header, RecoverySlot
from notevault.formats.ids import NO_DIGEST, ClientId, DeviceId, ObjectId, Origin, SlotId, VaultId
from notevault.formats.keytable import KeyTable, Purpose
from notevault.formats.slots import PassphraseSlot
from tests.vectors.drbg import Drbg

HERE = Path(__file__).resolve().parent
PASSPHRASE = "  Fünf Äpfel im ﬂachen Korb "
PARAMS = KdfParams(65536, 3, 4)
GENERATION = 1

_draw = Drbg("scene").draw
VAULT, OTHER_VAULT = VaultId(_draw(16)), VaultId(_draw(16))
DEVICE = DeviceId(_draw(16))
CLIENT, OTHER_CLIENT = ClientId(_draw(16)), ClientId(_draw(16))
NOTE, OTHER_NOTE = ObjectId(_draw(16)), ObjectId(_draw(16))
ORIGIN, OTHER_ORIGIN = Origin(_draw(16).hex()), Origin(_draw(16).hex())
PASSPHRASE_SLOT_ID, RECOVERY_SLOT_ID = SlotId(_draw(16)), SlotId(_draw(16))
VK, VIK_SEED, DS, KIT_SEED = _draw(32), _draw(32), _draw(32), _draw(32)
CK, OTHER_CK = _draw(32), _draw(32)
ARGON_SALT = _draw(16)
WIDE = {(purpose, 1): _draw(32) for purpose in Purpose}
TABLE = KeyTable(VIK_SEED, WIDE, {(CLIENT, 1): CK, (OTHER_CLIENT, 1): OTHER_CK})
KIT = slots.KitKeys.from_seed(KIT_SEED)
A = argon2id(normalise(PASSPHRASE), ARGON_SALT, PARAMS)


def passphrase_slot(entropy: Drbg) -> PassphraseSlot:
    return slots.seal_passphrase_slot(
        VK,
        GENERATION,
        vault_id=VAULT,
        slot_id=PASSPHRASE_SLOT_ID,
        device=DEVICE,
        ds_number=1,
        ds=DS,
        a=A,
        params=PARAMS,
        salt=ARGON_SALT,
        entropy=entropy,
    )


def recovery_slot() -> RecoverySlot:
    """The stored slot, when it is there and opens; HPKE draws its own randomness, so it cannot be made again."""
    try:
        stored = json.loads((HERE / "recovery.json").read_text("ascii"))["slot"]
        slot = RecoverySlot.from_json(stored)
        if slots.open_recovery_slot(slot, VAULT, GENERATION, KIT) == (VK, GENERATION) and slot.id == RECOVERY_SLOT_ID:
            return slot
    except (OSError, KeyError, ValueError, NotevaultError):
        pass
    return slots.seal_recovery_slot(VK, GENERATION, VAULT, RECOVERY_SLOT_ID, KIT.public)


PASSPHRASE_SLOT = passphrase_slot(Drbg("passphrase slot"))
RECOVERY_SLOT = recovery_slot()


def signed(header: Header) -> Header:
    return replace(header, sig=signing.sign_header(header, VIK_SEED))


def header() -> Header:
    bare = Header(
        vault=VAULT,
        device=DEVICE,
        origin=ORIGIN,
        seq=1,
        prev=NO_DIGEST,
        generation=GENERATION,
        origins={ORIGIN: 0},
        slots=tuple(sorted((PASSPHRASE_SLOT, RECOVERY_SLOT), key=lambda slot: slot.id)),
        retired=(),
        table=b"",
        vik=signing.public_key(VIK_SEED),
    )
    return signed(replace(bare, table=keytable.seal_table(TABLE, VK, bare, Drbg("table"))))


HEADER = header()


def pattern(n: int) -> bytes:
    """`n` bytes counting 0 to 250, again and again: a payload that need not be stored."""
    return (bytes(range(251)) * (n // 251 + 1))[:n]
