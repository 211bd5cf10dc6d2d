"""Keys, tags and sealed parts of log entries (FORMAT.md sections 0 and 6.2).

Tags are blinded per entry: without the tag key nobody can link two entries or guess a client. A tag key is good for
one client, one UTC year and one generation of her key, so that it can be disclosed for that year alone.
"""

from __future__ import annotations

import hmac
import time
from typing import Any, Final

from notevault.crypto import aead
from notevault.crypto.hkdf import H, u16, u32, u64
from notevault.errors import OwnFault, WrongSeal
from notevault.formats.ids import id_bytes, origin_bytes
from notevault.formats.routing import SIZE as ROUTING_SIZE
from notevault.formats.routing import Routing
from notevault.formats.text import parse_payload, payload_json
from notevault.ports import Entropy

__all__ = ["Routing"]

SALT_SIZE: Final = 16
TAG_SIZE: Final = 16
DETAILS_BLOCK: Final = 256
DETAILS_MAX: Final = 8192
"""Padded size; in base64 it fits an entry of 16,384 bytes with room for the rest."""
_CLIENT_TAG: Final = b"notevault/st/v1\0"
_NOTE_TAG: Final = b"notevault/nt/v1\0"
_ENTRY_MAC: Final = b"notevault/v1/entry-mac\0"


def utc_year(wall_ms: int) -> int:
    """The UTC year of a wall clock in milliseconds: the one that tags and details are keyed by."""
    return time.gmtime(wall_ms // 1000).tm_year


def tag_key(ck: bytes, vault_id: bytes, client: bytes, year: int, ck_generation: int) -> bytes:
    """Kt of a client-year."""
    return H(ck, b"", "tag", id_bytes(vault_id) + id_bytes(client) + u16(year) + u32(ck_generation), 32)


def note_tag_key(ck: bytes, vault_id: bytes, client: bytes, object: bytes, year: int, ck_generation: int) -> bytes:
    """Kn of a note-year."""
    context = id_bytes(vault_id) + id_bytes(client) + id_bytes(object) + u16(year) + u32(ck_generation)
    return H(ck, b"", "note-tag", context, 32)


def details_key(key: bytes, vault_id: bytes, client: bytes, year: int, generation: int) -> bytes:
    """Kd: from the client's key and its generation; for entries without a client from the routing key, client zeros."""
    return H(key, b"", "details", id_bytes(vault_id) + id_bytes(client) + u16(year) + u32(generation), 32)


def _place(origin: str, i: int) -> bytes:
    return origin_bytes(origin) + u64(i)


def tag(kt: bytes, origin: str, i: int) -> bytes:
    """`st` of entry `i`, 16 bytes."""
    return hmac.digest(kt, _CLIENT_TAG + _place(origin, i), "sha256")[:TAG_SIZE]


def note_tag(kn: bytes, origin: str, i: int) -> bytes:
    """`nt` of entry `i`, 16 bytes."""
    return hmac.digest(kn, _NOTE_TAG + _place(origin, i), "sha256")[:TAG_SIZE]


def entry_mac(mac_key: bytes, origin: str, entry: bytes) -> bytes:
    """`h`, 16 bytes, of an entry's canonical JSON without `h`."""
    return hmac.digest(mac_key, _ENTRY_MAC + origin_bytes(origin) + entry, "sha256")[:TAG_SIZE]


def same(first: str | bytes, second: str | bytes) -> bool:
    """Compare tags or MACs (both bytes, or both ASCII text) in constant time."""
    if isinstance(first, str):
        first = first.encode("utf-8", "surrogatepass")
    if isinstance(second, str):
        second = second.encode("utf-8", "surrogatepass")
    return hmac.compare_digest(first, second)


def _route_key(routing_key: bytes, vault_id: bytes, origin: str, i: int, salt: bytes) -> bytes:
    return H(routing_key, salt, "route", id_bytes(vault_id) + _place(origin, i), 32)


def seal_routing(routing_key: bytes, vault_id: bytes, origin: str, i: int, routing: Routing, entropy: Entropy) -> bytes:
    """`r` of entry `i`: 80 bytes."""
    salt = entropy.draw(SALT_SIZE)
    return salt + aead.gcm_seal(_route_key(routing_key, vault_id, origin, i, salt), b"", routing.pack())


def open_routing(routing_key: bytes, vault_id: bytes, origin: str, i: int, data: bytes) -> Routing:
    """WrongSeal when it was altered or moved to another entry, log or vault; else as `Routing.parse`."""
    if len(data) != SALT_SIZE + ROUTING_SIZE + aead.TAG_SIZE:
        raise WrongSeal(f"The locked part of log entry {i} has a wrong size.")
    key = _route_key(routing_key, vault_id, origin, i, data[:SALT_SIZE])
    otherwise = f"The locked part of log entry {i} was altered, or belongs to another entry or vault."
    return Routing.parse(aead.gcm_open(key, b"", data[SALT_SIZE:], otherwise))


def seal_details(kd: bytes, origin: str, i: int, details: dict[str, Any], entropy: Entropy) -> bytes:
    """`d` of entry `i`. OwnFault when the details do not fit 8 KiB."""
    body = payload_json(details)
    size = -(-(2 + len(body)) // DETAILS_BLOCK) * DETAILS_BLOCK
    if size > DETAILS_MAX:
        raise OwnFault("A log entry's details were about to be longer than they may be.")
    salt = entropy.draw(SALT_SIZE)
    key = H(kd, salt, "detail", _place(origin, i), 32)
    return salt + aead.gcm_seal(key, b"", (u16(len(body)) + body).ljust(size, b"\0"))


def open_details(kd: bytes, origin: str, i: int, data: bytes) -> dict[str, Any]:
    """The details of entry `i`. WrongSeal when altered, moved, or padded otherwise than they must be; Damaged."""
    size = len(data) - SALT_SIZE - aead.TAG_SIZE
    if not 0 < size <= DETAILS_MAX or size % DETAILS_BLOCK:
        raise WrongSeal(f"The details of log entry {i} have a wrong size.")
    key = H(kd, data[:SALT_SIZE], "detail", _place(origin, i), 32)
    otherwise = f"The details of log entry {i} were altered, or belong to another entry or client."
    plain = aead.gcm_open(key, b"", data[SALT_SIZE:], otherwise)
    end = 2 + int.from_bytes(plain[:2], "big")
    if -(-end // DETAILS_BLOCK) * DETAILS_BLOCK != size or plain[end:].strip(b"\0"):
        raise WrongSeal(f"The details of log entry {i} are padded wrongly.")
    return parse_payload(plain[2:end])
