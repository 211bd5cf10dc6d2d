"""The key table in clear: VIK's seed, vault-wide and client keys (FORMAT.md section 4). All secret: repr hides it.

```
plain = length u32 ‖ body ‖ zeros, padded to a power of two, at least 4096
body  = version u16 0x0001 ‖ zero u16 ‖ VIK seed 32
      ‖ n u32 ‖ n x (purpose u8 ‖ generation u32 ‖ key 32)        strictly ascending
      ‖ n u32 ‖ n x (client id 16 ‖ generation u32 ‖ key 32)      strictly ascending
```
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from notevault.errors import Damaged, OwnFault, Refused, UnknownFormat, WrongSeal
from notevault.formats.ids import ZERO_ID, ClientId

MAGIC: Final = b"NVT1"
SUITE: Final = 1
HEAD_SIZE: Final = 72
MIN_PLAIN: Final = 4096
MAX_PLAIN: Final = 2 * 1024 * 1024
"""In base64 this still fits a header of 4 MiB; some 40,000 client keys."""
KEY_SIZE: Final = 32
_HEAD: Final = struct.Struct(">4sB3s")
_BODY: Final = struct.Struct(">HH32s")
_WIDE: Final = struct.Struct(">BI32s")
_CLIENT: Final = struct.Struct(">16sI32s")
_COUNT: Final = struct.Struct(">I")
_DAMAGED: Final = "The vault's table of keys is damaged."


class Purpose(IntEnum):
    """What a vault-wide key is for."""

    INDEX = 1
    DRAFTS = 2
    ROUTING = 3
    MAC = 4
    SETTINGS = 5


INDEX, DRAFTS, ROUTING, MAC, SETTINGS = Purpose


@dataclass(frozen=True, repr=False)
class KeyTable:
    """Every key the vault key opens. `wide` by (purpose, generation), `clients` by (client id, generation)."""

    vik_seed: bytes
    wide: Mapping[tuple[int, int], bytes]
    clients: Mapping[tuple[bytes, int], bytes]

    def __repr__(self) -> str:
        return "KeyTable(...)"

    def current(self, purpose: int) -> tuple[int, bytes]:
        """(generation, key) for writing: the highest generation of a purpose. OwnFault when there is none."""
        generation = max((gen for kind, gen in self.wide if kind == purpose), default=0)
        if not generation:
            raise OwnFault("The vault's table of keys lacks one that every vault has.")
        return generation, self.wide[purpose, generation]

    def wide_key(self, purpose: int, generation: int) -> bytes:
        """The key of one generation, for reading. WrongSeal when the table has none."""
        try:
            return self.wide[purpose, generation]
        except KeyError:
            raise WrongSeal("This was locked with a key that the vault does not have (any more).") from None

    def client_current(self, client: bytes) -> tuple[int, bytes]:
        """(generation, key) for writing. WrongSeal when the table has no key for this client."""
        generation = max((gen for owner, gen in self.clients if owner == client), default=0)
        if not generation:
            raise WrongSeal("The vault has no key for this client (any more).")
        return generation, self.clients[client, generation]

    def client_key(self, client: bytes, generation: int) -> bytes:
        """The key of one generation, for reading. WrongSeal when the table has none."""
        try:
            return self.clients[client, generation]
        except KeyError:
            raise WrongSeal("The vault has no key for this client (any more).") from None

    def client_ids(self) -> tuple[ClientId, ...]:
        """Every client id with a key, spares included, ascending."""
        return tuple(sorted({ClientId(client) for client, _ in self.clients}))

    def pack(self) -> bytes:
        """The padded plaintext. OwnFault for keys of a wrong size, Refused when there are too many clients."""
        body = bytearray(_BODY.pack(1, 0, _key(self.vik_seed)))
        body += _COUNT.pack(len(self.wide))
        for (purpose, generation), key in sorted(self.wide.items()):
            body += _WIDE.pack(Purpose(purpose), _generation(generation), _key(key))
        body += _COUNT.pack(len(self.clients))
        for (client, generation), key in sorted(self.clients.items()):
            if len(client) != len(ZERO_ID) or client == ZERO_ID:
                raise OwnFault("A key was about to be kept for a client that cannot be.")
            body += _CLIENT.pack(client, _generation(generation), _key(key))
        size = max(MIN_PLAIN, 1 << (_COUNT.size + len(body) - 1).bit_length())
        if size > MAX_PLAIN:
            raise Refused("This vault holds as many clients as one vault can.", "Start a second vault for new clients.")
        return (_COUNT.pack(len(body)) + bytes(body)).ljust(size, b"\0")

    @classmethod
    def unpack(cls, plain: bytes) -> KeyTable:
        """The table in a padded plaintext. Damaged, or UnknownFormat for another version or purpose."""
        try:
            return cls._unpack(plain)
        except struct.error:
            raise Damaged(_DAMAGED) from None

    @classmethod
    def _unpack(cls, plain: bytes) -> KeyTable:
        (length,) = _COUNT.unpack_from(plain)
        end = _COUNT.size + length
        size = max(MIN_PLAIN, 1 << (end - 1).bit_length())
        if len(plain) != size or size > MAX_PLAIN or plain[end:].strip(b"\0"):
            raise Damaged(_DAMAGED)
        body = plain[_COUNT.size : end]
        version, zero, vik_seed = _BODY.unpack_from(body)
        if version != 1:
            raise UnknownFormat("The vault's table of keys was written by a newer notevault.")
        wide_rows, at = _rows(body, _BODY.size, _WIDE)
        client_rows, at = _rows(body, at, _CLIENT)
        if zero or at != len(body):
            raise Damaged(_DAMAGED)
        wide: dict[tuple[int, int], bytes] = {}
        for number, generation, key in wide_rows:
            if number not in Purpose.__members__.values():
                raise UnknownFormat("The vault's table holds a key for something that this program does not know.")
            wide[Purpose(number), generation] = key
        clients: dict[tuple[bytes, int], bytes] = {(client, generation): key for client, generation, key in client_rows}
        if any(client == ZERO_ID for client, _ in clients):
            raise Damaged(_DAMAGED)
        return cls(vik_seed, wide, clients)


def _rows(body: bytes, at: int, row: struct.Struct) -> tuple[list[tuple[Any, ...]], int]:
    """The counted rows at an offset, strictly ascending by their first two columns, and the offset after them."""
    (count,) = _COUNT.unpack_from(body, at)
    start = at + _COUNT.size
    end = start + count * row.size
    if end > len(body):
        raise Damaged(_DAMAGED)
    rows = list(row.iter_unpack(body[start:end]))
    names = [found[:2] for found in rows]
    if any(not earlier < later for earlier, later in itertools.pairwise(names)):
        raise Damaged(_DAMAGED)
    if any(found[1] < 1 for found in rows):
        raise Damaged(_DAMAGED)
    return rows, end


def _key(key: bytes) -> bytes:
    if len(key) != KEY_SIZE:
        raise OwnFault("A key of the wrong size was about to be kept.")
    return key


def _generation(value: int) -> int:
    if not 1 <= value < 2**32:
        raise OwnFault("A key was about to be kept under a number that cannot be.")
    return value


def pack_head_prefix(salt: bytes) -> bytes:
    """bytes[0:40] of a sealed table."""
    return _HEAD.pack(MAGIC, SUITE, bytes(3)) + salt


def parse_head(data: bytes) -> tuple[bytes, bytes]:
    """(salt, commitment) of a sealed table. Damaged when it is none, UnknownFormat for another suite."""
    if not HEAD_SIZE + MIN_PLAIN + 16 <= len(data) <= HEAD_SIZE + MAX_PLAIN + 16:
        raise Damaged(_DAMAGED)
    magic, suite, zero = _HEAD.unpack_from(data)
    if magic == MAGIC and suite != SUITE:
        raise UnknownFormat("The vault's table of keys was written by a newer notevault.")
    if magic != MAGIC or zero != bytes(3):
        raise Damaged(_DAMAGED)
    return data[8:40], data[40:72]
