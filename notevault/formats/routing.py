"""Routing of a log entry: which record it is about, 48 bytes (FORMAT.md section 6.2).

routing = type u8 ‖ flags u8 ‖ zero u16 ‖ version u32 ‖ CK generation u32 ‖ zero u32 ‖ client id 16 ‖ object id 16
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from notevault.errors import Damaged, OwnFault, UnknownFormat
from notevault.formats.envelope import RecordType
from notevault.formats.ids import ClientId, ObjectId, id_bytes

SIGNED: Final = 1
"""Flag: the note revision is signed."""
_ROUTING: Final = struct.Struct(">BBHIII16s16s")
SIZE: Final = _ROUTING.size  # 48


@dataclass(frozen=True)
class Routing:
    """Which record: `ck_generation` says which of its client's keys (0 where no client key is used)."""

    type: int
    flags: int
    version: int
    ck_generation: int
    client: bytes
    object: bytes

    @property
    def signed(self) -> bool:
        return bool(self.flags & SIGNED)

    def pack(self) -> bytes:
        if self.flags & ~SIGNED:
            raise OwnFault("A log line was about to carry a mark that does not exist.")
        parts = (self.version, self.ck_generation, 0, id_bytes(self.client), id_bytes(self.object))
        return _ROUTING.pack(RecordType(self.type), self.flags, 0, *parts)

    @classmethod
    def parse(cls, data: bytes) -> Routing:
        """Damaged, or UnknownFormat for a record type or flag that this program does not know."""
        if len(data) != SIZE:
            raise Damaged("A log line's locked part has a wrong size.")
        number, flags, zero, version, generation, zero2, client, object_ = _ROUTING.unpack(data)
        if zero or zero2:
            raise Damaged("A log line's locked part is damaged.")
        if number not in RecordType.__members__.values() or flags & ~SIGNED:
            raise UnknownFormat("A log line is about a kind of record that this program does not know.")
        return cls(RecordType(number), flags, version, generation, ClientId(client), ObjectId(object_))
