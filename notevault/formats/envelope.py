"""Objects without their cryptography: the 72-byte head, the inner record and its padding (FORMAT.md section 5).

```
0 "NVO1" | 4 suite 0x01 | 5 flags | 6 chunk_log2 | 7 zero | 8 salt 32 | 40 commitment 32 | 72 body
inner = type u8 ‖ client id 16 ‖ object id 16 ‖ version u32 ‖ length u64 ‖ payload ‖ zeros
```
Readers raise Damaged or UnknownFormat, printers OwnFault.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from notevault.errors import Damaged, OwnFault, UnknownFormat
from notevault.formats.ids import ZERO_ID, ClientId, ObjectId, id_bytes

MAGIC: Final = b"NVO1"
SUITE: Final = 1
FLAG_STREAM: Final = 1
HEAD_SIZE: Final = 72
TAG_SIZE: Final = 16
OVERHEAD: Final = HEAD_SIZE + TAG_SIZE
"""What a single-shot object is larger than its padded inner."""
CHUNK_LOG2_MIN, CHUNK_LOG2_MAX = 16, 22
"""64 KiB to 4 MiB: smaller only adds tags, larger only adds memory."""
SINGLE_MAX: Final = 64 * 1024 * 1024
"""Largest payload of a single-shot object: it is held in memory several times over."""
_PREFIX: Final = struct.Struct(">4sBBBB")
_INNER: Final = struct.Struct(">B16s16sIQ")
INNER_HEAD: Final = _INNER.size  # 45
_MIN_PADDED: Final = 4096
_POWERS_UP_TO: Final = 16384


class RecordType(IntEnum):
    """What a record is; which key, ids and version belong to it stands in FORMAT.md section 5."""

    CLIENT = 1
    NOTE = 2
    SETTINGS = 3
    ATTACHMENT = 4
    DRAFT = 5
    SNAPSHOT = 6
    VIEW = 7
    PENDING = 8


# type -> (has a client id, has an object id, lowest version, highest version); ids it has not are zeros
_U32 = 2**32 - 1
_RULES: Final = {
    RecordType.CLIENT: (True, False, 1, _U32),
    RecordType.NOTE: (True, True, 1, _U32),
    RecordType.SETTINGS: (False, False, 1, _U32),
    RecordType.ATTACHMENT: (True, True, 1, 1),
    RecordType.DRAFT: (False, True, 0, _U32),
    RecordType.SNAPSHOT: (False, False, 1, 1),
    RecordType.VIEW: (False, False, 1, 1),
    RecordType.PENDING: (False, True, 1, 1),
}


@dataclass(frozen=True)
class Inner:
    """A record: what it is, whose, which one, which revision, and its payload (never shown by repr)."""

    type: int
    client: bytes
    object: bytes
    version: int
    payload: bytes = field(repr=False)


def address_is_valid(type: int, client: bytes, object: bytes, version: int) -> bool:
    """Whether these belong together as FORMAT.md section 5 has them."""
    has_client, has_object, lowest, highest = _RULES[RecordType(type)]
    return (client != ZERO_ID) is has_client and (object != ZERO_ID) is has_object and lowest <= version <= highest


def padded_size(n: int) -> int:
    """The size to which an inner of `n` bytes is padded: 4096, then powers of two to 16384, then Padmé.

    Padmé (Nikitin and others, "Reducing Metadata Leakage from Encrypted Files", PETS 2019, section 4) keeps
    the leak to O(log log n) bits for at most 12 % more bytes.
    """
    if n <= _MIN_PADDED:
        return _MIN_PADDED
    if n <= _POWERS_UP_TO:
        return int(1 << (n - 1).bit_length())
    exponent = n.bit_length() - 1
    step = 1 << (exponent - exponent.bit_length())  # E - S with S = floor(log2 E) + 1
    return (n + step - 1) & -step


def pack_inner_head(type: int, client: bytes, object: bytes, version: int, length: int) -> bytes:
    """The 45 bytes before the payload. OwnFault when the parts do not belong together."""
    if not address_is_valid(type, id_bytes(client), id_bytes(object), version):
        raise OwnFault("A record was about to be written under a wrong address.")
    return _INNER.pack(type, client, object, version, length)


def pack_inner(inner: Inner) -> bytes:
    """Inner without its padding."""
    head = pack_inner_head(inner.type, inner.client, inner.object, inner.version, len(inner.payload))
    return head + inner.payload


def parse_inner_head(data: bytes | memoryview) -> tuple[RecordType, ClientId, ObjectId, int, int]:
    """(type, client, object, version, payload length) of the first 45 bytes."""
    if len(data) < INNER_HEAD:
        raise Damaged("A record is cut short.")
    number, client, object_, version, length = _INNER.unpack_from(data)
    try:
        kind = RecordType(number)
    except ValueError:
        raise UnknownFormat("A record is of a kind that this program does not know.") from None
    if not address_is_valid(kind, client, object_, version):
        raise Damaged("A record's address contradicts its kind.")
    return kind, ClientId(client), ObjectId(object_), version, length


def check_padding(padded: bytes | memoryview, length: int) -> None:
    """Damaged unless `padded` is an inner with a payload of `length` bytes, padded with zeros to its proper size."""
    end = INNER_HEAD + length
    if end > len(padded) or padded_size(end) != len(padded):
        raise Damaged("A record's length contradicts its size.")
    rest = len(padded) - end
    if padded[end:] != bytes(rest):
        raise Damaged("A record's padding holds something.")


def parse_inner(padded: bytes | memoryview) -> Inner:
    """The record in a padded inner; every padding byte must be zero and the padded size the proper one."""
    kind, client, object_, version, length = parse_inner_head(padded)
    check_padding(padded, length)
    return Inner(kind, client, object_, version, bytes(padded[INNER_HEAD : INNER_HEAD + length]))


@dataclass(frozen=True)
class Head:
    """The 72 bytes in clear before the body. `stream` with its `chunk_log2`, else both absent (False, 0)."""

    stream: bool
    chunk_log2: int
    salt: bytes
    commitment: bytes


def pack_head_prefix(salt: bytes, *, chunk_log2: int = 0) -> bytes:
    """bytes[0:40] of an object; a stream when `chunk_log2` is not 0."""
    if len(salt) != 32 or (chunk_log2 and not CHUNK_LOG2_MIN <= chunk_log2 <= CHUNK_LOG2_MAX):
        raise OwnFault("An object's first bytes were about to be written wrongly.")
    return _PREFIX.pack(MAGIC, SUITE, FLAG_STREAM if chunk_log2 else 0, chunk_log2, 0) + salt


def parse_head(data: bytes | memoryview) -> Head:
    """The head of an object. Damaged when it is none or too short, UnknownFormat for another suite or flag."""
    if len(data) < HEAD_SIZE:
        raise Damaged("A stored record is cut short.")
    magic, suite, flags, chunk_log2, zero = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise Damaged("A file that should be a stored record is none.")
    if suite != SUITE or flags & ~FLAG_STREAM:
        raise UnknownFormat("A stored record was written by a newer notevault, in a way that this one does not know.")
    stream = bool(flags)
    if zero or (chunk_log2 != 0 if not stream else not CHUNK_LOG2_MIN <= chunk_log2 <= CHUNK_LOG2_MAX):
        raise Damaged("A stored record's first bytes were altered.")
    return Head(stream, chunk_log2, bytes(data[8:40]), bytes(data[40:72]))


def chunk_count(padded: int, chunk_log2: int) -> int:
    """How many chunks a padded inner of this size makes."""
    return (padded + (1 << chunk_log2) - 1) >> chunk_log2


def stream_padded_size(size: int, chunk_log2: int) -> int:
    """The padded inner's size in a stream object of `size` bytes; Damaged when no such object has this size."""
    body = size - HEAD_SIZE
    chunks = -(-body // ((1 << chunk_log2) + TAG_SIZE))
    padded = body - TAG_SIZE * chunks
    if padded < _MIN_PADDED or padded_size(padded) != padded or chunk_count(padded, chunk_log2) != chunks:
        raise Damaged("A stored record is cut short or was lengthened.")
    return padded
