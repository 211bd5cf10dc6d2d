"""Ed25519 signatures and what they cover (FORMAT.md section 0, "Signature and hash prefixes"; RFC 8032)."""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from notevault.auditlog import pubkeys
from notevault.errors import OwnFault, WrongSeal
from notevault.formats.header import Cross, Header
from notevault.formats.ids import id_bytes

HEADER: Final = b"notevault/v1/header\0"
CARD: Final = b"notevault/v1/card\0"
VIK: Final = b"notevault/v1/vik\0"
PURGE: Final = b"notevault/v1/purge\0"
FINGERPRINT: Final = b"notevault/v1/vik-fingerprint\0"


def private_key(seed: bytes) -> Ed25519PrivateKey:
    """The private key of a 32-byte seed."""
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of a private key's public key."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_key(seed: bytes) -> bytes:
    """The 32 bytes of the public key that belongs to a seed."""
    return public_bytes(private_key(seed))


def sign(seed: bytes, message: bytes) -> bytes:
    """64 bytes."""
    return private_key(seed).sign(message)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature holds. False, never an exception, for keys that no verifier here takes (`pubkeys`)."""
    if len(signature) != 64 or not pubkeys.usable(public):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def vik_fingerprint(vik: bytes) -> bytes:
    """16 bytes of SHA-256, printed on the recovery sheet."""
    return hashlib.sha256(FINGERPRINT + vik).digest()[:16]


def sign_header(header: Header, vik_seed: bytes) -> bytes:
    """The signature that becomes the header's `sig`. OwnFault when the header names another identity as its `vik`."""
    if header.vik != public_key(vik_seed):
        raise OwnFault("A key file was about to be signed by another identity than it names.")
    return sign(vik_seed, HEADER + header.unsigned_bytes())


def verify_header(header: Header) -> bool:
    """Whether the signature holds under the header's own, still alleged, `vik`. Says nothing about `cross`."""
    return verify(header.vik, HEADER + header.unsigned_bytes(), header.sig)


def check_header(header: Header) -> None:
    """WrongSeal unless `verify_header`."""
    if not verify_header(header):
        raise WrongSeal("The vault's key file was altered after it was signed.")


def sign_card(vik_seed: bytes, unsigned: bytes) -> bytes:
    """VIK's signature of a card's canonical JSON without `sig`."""
    return sign(vik_seed, CARD + unsigned)


def verify_card(vik: bytes, unsigned: bytes, signature: bytes) -> bool:
    return verify(vik, CARD + unsigned, signature)


def sign_purge(vik_seed: bytes, vault_id: bytes, digest: str) -> bytes:
    """VIK's signature of a purge of the file with this SHA-256."""
    return sign(vik_seed, PURGE + id_bytes(vault_id) + bytes.fromhex(digest))


def verify_purge(vik: bytes, vault_id: bytes, digest: str, signature: bytes) -> bool:
    return verify(vik, PURGE + id_bytes(vault_id) + bytes.fromhex(digest), signature)


def cross_sign(old_seed: bytes, vault_id: bytes, new_vik: bytes) -> Cross:
    """The former identity's word for the new one (renewal)."""
    return Cross(public_key(old_seed), sign(old_seed, VIK + id_bytes(vault_id) + new_vik))


def verify_cross(header: Header) -> bool:
    """Whether the header is cross-signed, and rightly, by the former identity that it names."""
    if header.cross is None:
        return False
    return verify(header.cross.vik, VIK + header.vault + header.vik, header.cross.sig)
