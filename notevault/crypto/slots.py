"""The passphrase slot: passphrase and this device's secret together open the vault key (FORMAT.md section 3.1).

The recovery slot's half of the API lives in `recovery` and is offered here too.

Only WrongSecret means "try the next slot": the commitment does not agree, so passphrase or device secret are not
the ones. When it agrees and the rest does not open, the slot was altered: WrongSeal.
"""

from __future__ import annotations

import hmac
from typing import Final

from notevault.crypto import aead
from notevault.crypto.hkdf import H, u8, u32
from notevault.crypto.kdf import KdfParams
from notevault.crypto.recovery import KitKeys, open_recovery_slot, seal_recovery_slot
from notevault.crypto.vaultkey import pack_vk, split_vk
from notevault.errors import OwnFault, WrongSecret
from notevault.formats.ids import DeviceId, SlotId, id_bytes
from notevault.formats.slots import PassphraseSlot
from notevault.formats.text import canonical
from notevault.ports import Entropy

__all__ = [
    "KitKeys",
    "open_passphrase_slot",
    "open_recovery_slot",
    "open_with_okm",
    "seal_passphrase_slot",
    "seal_recovery_slot",
    "slot_okm",
]

AAD: Final = b"notevault/v1/slot\0"
_ALTERED: Final = "The part of the vault's key file that your passphrase opens was altered."


def _aad(slot: PassphraseSlot) -> bytes:
    return AAD + canonical(slot.aad_json())


def slot_okm(slot: PassphraseSlot, vault_id: bytes, a: bytes, ds: bytes) -> bytes:
    """64 bytes: slot key and commitment, from A = `kdf.argon2id` and the device secret. What `remember` keeps."""
    if len(a) != 64 or len(ds) != 32:
        raise OwnFault("A passphrase key of the wrong size was used.")
    context = id_bytes(vault_id) + slot.id + u8(slot.kind_byte) + u32(slot.m) + u32(slot.t) + u8(slot.p) + u32(slot.ds)
    return H(a + ds, slot.salt2, "slot", context, 64)


def seal_passphrase_slot(
    vk: bytes,
    generation: int,
    *,
    vault_id: bytes,
    slot_id: bytes,
    device: bytes,
    ds_number: int,
    ds: bytes,
    a: bytes,
    params: KdfParams,
    salt: bytes,
    entropy: Entropy,
) -> PassphraseSlot:
    """A slot; `salt` (16 fresh bytes) and `params` are those that gave `a`. Draws its second salt."""
    blank = PassphraseSlot(
        id=SlotId(id_bytes(slot_id)),
        device=DeviceId(id_bytes(device)),
        ds=ds_number,
        m=params.m_kib,
        t=params.t,
        p=params.p,
        salt=salt,
        salt2=entropy.draw(32),
        commit=b"",
        sealed=b"",
    )
    okm = slot_okm(blank, vault_id, a, ds)
    sealed = aead.gcm_seal(okm[:32], _aad(blank), pack_vk(vk, generation))
    fields = {name: getattr(blank, name) for name in ("id", "device", "ds", "m", "t", "p", "salt", "salt2")}
    return PassphraseSlot(**fields, commit=okm[32:], sealed=sealed)


def open_with_okm(slot: PassphraseSlot, okm: bytes) -> tuple[bytes, int]:
    """(VK, generation) with a slot's own 64 bytes, as a remembered session has them. WrongSecret, WrongSeal."""
    if len(okm) != 64 or not hmac.compare_digest(okm[32:], slot.commit):
        raise WrongSecret("That passphrase does not open this vault.")
    return split_vk(aead.gcm_open(okm[:32], _aad(slot), slot.sealed, _ALTERED))


def open_passphrase_slot(slot: PassphraseSlot, vault_id: bytes, a: bytes, ds: bytes) -> tuple[bytes, int]:
    """(VK, generation). WrongSecret for a wrong passphrase or device secret, WrongSeal for an altered slot.

    The caller compares the generation with the header's.
    """
    return open_with_okm(slot, slot_okm(slot, vault_id, a, ds))
