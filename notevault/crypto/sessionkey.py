"""The remembered session: a slot's 64 bytes, wrapped under a random half that lies elsewhere (FORMAT.md section 9)."""

from __future__ import annotations

from typing import Final

from notevault.crypto import aead
from notevault.crypto.hkdf import H, u64
from notevault.errors import OwnFault
from notevault.formats.ids import id_bytes

SALT_SIZE: Final = 32
WRAPPED_SIZE: Final = 80


def _key(
    half: bytes, salt: bytes, vault_id: bytes, device: bytes, slot_id: bytes, expires_ms: int, boot_id: bytes
) -> bytes:
    if len(half) != 32 or len(boot_id) != 8:
        raise OwnFault("A remembered session's key of the wrong size was used.")
    context = id_bytes(vault_id) + id_bytes(device) + id_bytes(slot_id) + u64(expires_ms) + boot_id
    return H(half, salt, "session", context, 32)


def wrap_okm(
    okm: bytes,
    half: bytes,
    salt: bytes,
    *,
    vault_id: bytes,
    device: bytes,
    slot_id: bytes,
    expires_ms: int,
    boot_id: bytes,
) -> bytes:
    """80 bytes: `okm` (64) under the key of `half` (32 random bytes) and `salt` (32 fresh ones)."""
    if len(okm) != 64 or len(salt) != SALT_SIZE:
        raise OwnFault("A remembered session's key of the wrong size was used.")
    return aead.gcm_seal(_key(half, salt, vault_id, device, slot_id, expires_ms, boot_id), b"", okm)


def unwrap_okm(
    wrapped: bytes,
    half: bytes,
    salt: bytes,
    *,
    vault_id: bytes,
    device: bytes,
    slot_id: bytes,
    expires_ms: int,
    boot_id: bytes,
) -> bytes:
    """The slot's 64 bytes. WrongSeal when the halves, vault, device, slot, expiry or boot are not those of wrapping.

    Expiry and boot are only bound here; the caller compares them with the clock and the machine.
    """
    key = _key(half, salt, vault_id, device, slot_id, expires_ms, boot_id)
    return aead.gcm_open(key, b"", wrapped, "The remembered session does not belong here, or was altered.")
