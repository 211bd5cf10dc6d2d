"""RFC 9180 base mode with X-Wing, from primitives alone: proves that FORMAT.md section 3.1 tells a stranger enough.

Written from the documents, independent of `notevault` and of the HPKE module that the product uses.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM_ID, KDF_ID, AEAD_ID = 0x647A, 0x0003, 0x0002
SUITE_ID = b"HPKE" + KEM_ID.to_bytes(2, "big") + KDF_ID.to_bytes(2, "big") + AEAD_ID.to_bytes(2, "big")
X_WING_LABEL = bytes.fromhex("5c2e2f2f5e5c")  # \.//^\


def extract(salt: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(64), ikm, "sha512")


def expand(prk: bytes, info: bytes, n: int) -> bytes:
    out, block, counter = b"", b"", 0
    while len(out) < n:
        counter += 1
        block = hmac.digest(prk, block + info + bytes([counter]), "sha512")
        out += block
    return out[:n]


def hkdf(ikm: bytes, salt: bytes, info: bytes, n: int) -> bytes:
    return expand(extract(salt, ikm), info, n)


def labeled_extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return extract(salt, b"HPKE-v1" + SUITE_ID + label + ikm)


def labeled_expand(prk: bytes, label: bytes, info: bytes, n: int) -> bytes:
    return expand(prk, n.to_bytes(2, "big") + b"HPKE-v1" + SUITE_ID + label + info, n)


def combine(ss_m: bytes, ss_x: bytes, ct_x: bytes, pk_x: bytes) -> bytes:
    """X-Wing's shared secret (draft-connolly-cfrg-xwing-kem section 5.3)."""
    return hashlib.sha3_256(ss_m + ss_x + ct_x + pk_x + X_WING_LABEL).digest()


def key_and_nonce(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """RFC 9180 section 5.1, mode_base: psk and psk_id empty."""
    context = b"\x00" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(shared, b"secret", b"")
    return labeled_expand(secret, b"key", context, 32), labeled_expand(secret, b"base_nonce", context, 12)


def seal(pk: bytes, info: bytes, plaintext: bytes) -> tuple[bytes, bytes]:
    """(enc 1120, ciphertext with tag)."""
    ss_m, ct_m = MLKEM768PublicKey.from_public_bytes(pk[:1184]).encapsulate()
    ephemeral = X25519PrivateKey.generate()
    ct_x = ephemeral.public_key().public_bytes_raw()
    ss_x = ephemeral.exchange(X25519PublicKey.from_public_bytes(pk[1184:]))
    key, nonce = key_and_nonce(combine(ss_m, ss_x, ct_x, pk[1184:]), info)
    return ct_m + ct_x, AESGCM(key).encrypt(nonce, plaintext, b"")


def open_(kit_seed: bytes, enc: bytes, info: bytes, ciphertext: bytes) -> bytes:
    """The plaintext with the private keys that the kit seed expands to."""
    okm = hkdf(kit_seed, b"", b"notevault/v1/kit\0", 96)
    ss_m = MLKEM768PrivateKey.from_seed_bytes(okm[:64]).decapsulate(enc[:1088])
    x25519 = X25519PrivateKey.from_private_bytes(okm[64:])
    ss_x = x25519.exchange(X25519PublicKey.from_public_bytes(enc[1088:]))
    pk_x = x25519.public_key().public_bytes_raw()
    key, nonce = key_and_nonce(combine(ss_m, ss_x, enc[1088:], pk_x), info)
    return AESGCM(key).decrypt(nonce, ciphertext, b"")


def recovery_info(vault: bytes, slot: bytes, generation: int, pk: bytes) -> bytes:
    parts = vault + slot + b"\x02" + generation.to_bytes(8, "big")
    return b"notevault/v1/recovery\0" + parts + hashlib.sha256(pk).digest()
