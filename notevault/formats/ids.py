"""Identifiers: 16 random bytes each, typed so that one cannot be taken for another (FORMAT.md section 1).

Origins and digests are the lowercase hexadecimal text that names files and stands in JSON.
"""

from __future__ import annotations

from typing import Final, NewType

from notevault.errors import Damaged, OwnFault

VaultId = NewType("VaultId", bytes)
DeviceId = NewType("DeviceId", bytes)
ClientId = NewType("ClientId", bytes)
ObjectId = NewType("ObjectId", bytes)
SlotId = NewType("SlotId", bytes)
Origin = NewType("Origin", str)
"""32 hexadecimal digits: the name of one log."""
Digest = NewType("Digest", str)
"""64 hexadecimal digits: the SHA-256 of a file."""

ID_SIZE: Final = 16
ZERO_ID: Final = bytes(ID_SIZE)
NO_CLIENT: Final = ClientId(ZERO_ID)
NO_OBJECT: Final = ObjectId(ZERO_ID)
NO_DIGEST: Final = Digest("0" * 64)
_HEX: Final = frozenset("0123456789abcdef")


def is_digest(text: object) -> bool:
    """Whether this is 64 lowercase hexadecimal digits."""
    return type(text) is str and len(text) == 64 and _HEX.issuperset(text)


def is_origin(text: object) -> bool:
    """Whether this is 32 lowercase hexadecimal digits."""
    return type(text) is str and len(text) == 32 and _HEX.issuperset(text)


def digest(text: object) -> Digest:
    """`text` as a Digest; Damaged when it is none."""
    if not is_digest(text):
        raise Damaged("A file's checksum is not the hexadecimal number that it must be.")
    return Digest(str(text))


def origin(text: object) -> Origin:
    """`text` as an Origin; Damaged when it is none."""
    if not is_origin(text):
        raise Damaged("A log's name is not the hexadecimal number that it must be.")
    return Origin(str(text))


def origin_bytes(name: str) -> bytes:
    """The 16 bytes of an origin, as they stand in byte formulas."""
    if not is_origin(name):
        raise OwnFault("A log's name was used that is none.")
    return bytes.fromhex(name)


def id_bytes(value: bytes) -> bytes:
    """`value` when it has the size of an identifier, else OwnFault: a wrong size would shift a byte formula."""
    if len(value) != ID_SIZE:
        raise OwnFault("An identifier of the wrong size was used.")
    return bytes(value)
