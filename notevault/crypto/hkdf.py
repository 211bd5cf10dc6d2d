"""H: HKDF-SHA512 with this program's labels (FORMAT.md section 0, RFC 5869)."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PREFIX: Final = b"notevault/v1/"
_SHA512: Final = SHA512()


def H(ikm: bytes, salt: bytes, label: str, context: bytes, n: int) -> bytes:
    """`n` bytes from `ikm`: extract with `salt`, expand with info = "notevault/v1/" ‖ label ‖ 0x00 ‖ context.

    An empty salt is a string of zeros (RFC 5869 section 2.2). Every label stands in FORMAT.md section 0.
    """
    info = PREFIX + label.encode("ascii") + b"\0" + context
    return HKDF(_SHA512, n, salt, info).derive(ikm)


def u8(value: int) -> bytes:
    return value.to_bytes(1, "big")


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "big")
