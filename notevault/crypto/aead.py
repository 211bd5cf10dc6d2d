"""AES-256-GCM under keys that are used once (FORMAT.md section 0: nonce of 12 zero bytes).

The zero nonce is right only because each key here is derived from a fresh salt for one message.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from notevault.errors import WrongSeal

ZERO_NONCE: Final = bytes(12)
TAG_SIZE: Final = 16


def gcm_seal(key: bytes, aad: bytes, plaintext: bytes | bytearray | memoryview) -> bytes:
    """Ciphertext followed by its 16-byte tag."""
    return AESGCM(key).encrypt(ZERO_NONCE, plaintext, aad)


def gcm_open(key: bytes, aad: bytes, data: bytes | memoryview, otherwise: str) -> bytes:
    """The plaintext; WrongSeal with the sentence `otherwise` when key, associated data or ciphertext do not agree."""
    try:
        return AESGCM(key).decrypt(ZERO_NONCE, data, aad)
    except (InvalidTag, ValueError):  # ValueError: shorter than a tag
        raise WrongSeal(otherwise) from None
