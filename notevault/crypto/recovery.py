"""The recovery sheet's keys and the slot they open: HPKE to the kit (FORMAT.md section 3.1, RFC 9180).

Sealing needs only the public key, so a rotation needs no paper. Anyone can seal to a public key: what opens here is
believed only after the header's identity was compared with the sheet's fingerprint.
`cryptography`'s HPKE is imported at first use: unlocking with a passphrase needs none of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from notevault.crypto.hkdf import H, u8, u64
from notevault.crypto.vaultkey import pack_vk, split_vk
from notevault.errors import Damaged, OwnFault, WrongSeal, WrongSecret
from notevault.formats.ids import SlotId, id_bytes
from notevault.formats.slots import ENC_SIZE, PK_SIZE, RecoverySlot

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

INFO: Final = b"notevault/v1/recovery\0"
SEED_SIZE: Final = 32
_MLKEM_PK: Final = 1184


def _suite() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA512, AEAD.AES_256_GCM)


@dataclass(frozen=True, repr=False)
class KitKeys:
    """The kit's key pair; `public` is ML-KEM-768 key 1184 ‖ X25519 key 32."""

    private: MLKEM768X25519PrivateKey
    public: bytes

    def __repr__(self) -> str:
        return "KitKeys(...)"

    @classmethod
    def from_seed(cls, seed: bytes) -> KitKeys:
        """Expand the sheet's 32 bytes: H(seed, "", "kit", "", 96) = ML-KEM seed d‖z 64 ‖ X25519 private key 32."""
        from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
        from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

        if len(seed) != SEED_SIZE:
            raise OwnFault("A recovery key of the wrong size was used.")
        okm = H(seed, b"", "kit", b"", 96)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(okm[:64])
        x25519 = X25519PrivateKey.from_private_bytes(okm[64:])
        public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        return cls(MLKEM768X25519PrivateKey(mlkem, x25519), public)


def _public(pk: bytes) -> MLKEM768X25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
    from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey

    try:
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(pk[:_MLKEM_PK]), X25519PublicKey.from_public_bytes(pk[_MLKEM_PK:])
        )
    except ValueError:
        raise Damaged("The vault's key file holds a recovery key that is none.") from None


def _info(vault_id: bytes, slot_id: bytes, kind: int, generation: int, pk: bytes) -> bytes:
    parts = id_bytes(vault_id) + id_bytes(slot_id) + u8(kind) + u64(generation)
    return INFO + parts + hashlib.sha256(pk).digest()


def seal_recovery_slot(vk: bytes, generation: int, vault_id: bytes, slot_id: bytes, pk: bytes) -> RecoverySlot:
    """A slot for the kit with public key `pk` (1216 bytes). HPKE draws its own randomness. Damaged for a bad key."""
    if len(pk) != PK_SIZE:
        raise OwnFault("A recovery key of the wrong size was used.")
    info = _info(vault_id, slot_id, RecoverySlot.kind_byte, generation, pk)
    try:
        both = _suite().encrypt(pack_vk(vk, generation), _public(pk), info)
    except ValueError:  # an X25519 key of small order
        raise Damaged("The vault's key file holds a recovery key that is none.") from None
    return RecoverySlot(SlotId(id_bytes(slot_id)), pk, both[:ENC_SIZE], both[ENC_SIZE:])


def open_recovery_slot(slot: RecoverySlot, vault_id: bytes, generation: int, kit: KitKeys) -> tuple[bytes, int]:
    """(VK, generation), `generation` being the header's: it is part of what HPKE binds.

    WrongSecret for the slot of another sheet, WrongSeal for an altered slot or one taken from elsewhere.
    """
    from cryptography.exceptions import InvalidTag

    if slot.pk != kit.public:
        raise WrongSecret("This recovery sheet is not the one that opens this vault.", "Is there a newer sheet?")
    info = _info(vault_id, slot.id, slot.kind_byte, generation, slot.pk)
    altered = "The part of the vault's key file that the recovery sheet opens was altered, or is of another vault."
    try:
        plain = _suite().decrypt(slot.enc + slot.sealed, kit.private, info)
    except (InvalidTag, ValueError):
        raise WrongSeal(altered) from None
    vk, found = split_vk(plain)
    if found != generation:
        raise WrongSeal(altered)
    return vk, found
