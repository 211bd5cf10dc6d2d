"""Headers: key slots and sealed key table, one immutable signed file per change (FORMAT.md section 3).

Parsing proves the spelling only. Whether the signature holds is `crypto.signing.verify_header`; even then the
header's `vik` is alleged until the key table (or the recovery sheet) confirms it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from notevault.errors import Damaged, UnknownFormat
from notevault.formats import ids
from notevault.formats.ids import DeviceId, Digest, Origin, SlotId, VaultId
from notevault.formats.slots import PassphraseSlot, RecoverySlot, ShareSlot, Slot, slot_from_json
from notevault.formats.text import b64, canonical, exact_keys, integer, parse_canonical, unb64, unhex

__all__ = ["Cross", "Header", "PassphraseSlot", "RecoverySlot", "ShareSlot", "Slot", "file_name", "parse_file_name"]

VERSION: Final = 1
LIMIT: Final = 4 * 1024 * 1024
"""Largest header file: its key table then holds some 40,000 clients, more than one practice sees in a lifetime."""
SEQ_MAX: Final = 99_999_999
"""`seq` is 8 decimal digits in the file's name."""
MOST_SLOTS: Final = 256  # ways to open one vault: laptops, sheets, shares
MOST_RETIRED: Final = 65_536
_REQUIRED: Final = frozenset(
    "device generation origin origins prev retired seq sig slots table v vault vik".split()  # noqa: SIM905
)
_OPTIONAL: Final = frozenset({"cross"})


@dataclass(frozen=True)
class Cross:
    """After a renewal: the former VIK's public key and its signature of the new one."""

    vik: bytes
    sig: bytes


@dataclass(frozen=True)
class Header:
    """One state of the vault's keys. `origins` gives each log's last known size; `sig` is empty before signing."""

    vault: VaultId
    device: DeviceId
    origin: Origin
    seq: int
    prev: Digest
    generation: int
    origins: dict[Origin, int]
    slots: tuple[Slot, ...]
    retired: tuple[SlotId, ...]
    table: bytes
    vik: bytes
    sig: bytes = b""
    cross: Cross | None = None

    def _unsigned_json(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "device": self.device.hex(),
            "generation": self.generation,
            "origin": self.origin,
            "origins": dict(self.origins),
            "prev": self.prev,
            "retired": sorted(slot.hex() for slot in self.retired),
            "seq": self.seq,
            "slots": [slot.to_json() for slot in sorted(self.slots, key=lambda slot: slot.id)],
            "table": b64(self.table),
            "v": VERSION,
            "vault": self.vault.hex(),
            "vik": self.vik.hex(),
        }
        if self.cross is not None:
            fields["cross"] = {"sig": b64(self.cross.sig), "vik": self.cross.vik.hex()}
        return fields

    def unsigned_bytes(self) -> bytes:
        """Canonical JSON without `sig` and without newline: what VIK signs, after its prefix."""
        return canonical(self._unsigned_json())

    def to_bytes(self) -> bytes:
        """The file: canonical JSON and one newline."""
        return canonical(self._unsigned_json() | {"sig": b64(self.sig)}) + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Header:
        """The header in a file's bytes. Damaged, or UnknownFormat for another version or kind of slot."""
        obj = parse_canonical(data, limit=LIMIT, newline=True)
        if integer(obj.get("v")) != VERSION:
            raise UnknownFormat("The vault's key file was written by a newer notevault.")
        found = exact_keys(obj, _REQUIRED, _OPTIONAL)
        header = cls(
            vault=VaultId(unhex(found["vault"], 16)),
            device=DeviceId(unhex(found["device"], 16)),
            origin=ids.origin(found["origin"]),
            seq=integer(found["seq"], 1, SEQ_MAX),
            prev=ids.digest(found["prev"]),
            generation=integer(found["generation"], 1),
            origins=_origins(found["origins"]),
            slots=tuple(slot_from_json(slot) for slot in _list(found["slots"], MOST_SLOTS)),
            retired=tuple(SlotId(unhex(slot, 16)) for slot in _list(found["retired"], MOST_RETIRED)),
            table=unb64(found["table"]),
            vik=unhex(found["vik"], 32),
            sig=unb64(found["sig"], 64),
            cross=_cross(found["cross"]) if "cross" in found else None,
        )
        header._check_agreement()
        if header.to_bytes() != data:  # the orders of slots and retired ids, which canonical JSON leaves open
            raise Damaged("The vault's key file is not spelled as notevault spells it.")
        return header

    def _check_agreement(self) -> None:
        known = [slot.id for slot in self.slots] + list(self.retired)
        if len(set(known)) != len(known):
            raise Damaged("The vault's key file names one way to open the vault twice.")
        if self.origin not in self.origins:
            raise Damaged("The vault's key file does not list the log that it belongs to.")
        if (self.seq == 1) is not (self.prev == ids.NO_DIGEST):
            raise Damaged("The vault's key file contradicts itself about what came before it.")


def _list(value: object, most: int) -> list[Any]:
    if type(value) is not list:
        raise Damaged("A list is missing in the vault's key file.")
    if len(value) > most:
        raise Damaged("A list in the vault's key file is longer than any can be.")
    return value


def _origins(value: object) -> dict[Origin, int]:
    if type(value) is not dict:
        raise Damaged("The vault's key file does not list its logs.")
    return {ids.origin(name): integer(size) for name, size in value.items()}


def _cross(value: object) -> Cross:
    found = exact_keys(value, frozenset({"sig", "vik"}))
    return Cross(unhex(found["vik"], 32), unb64(found["sig"], 64))


def file_name(data: bytes) -> str:
    """The name of the file that holds these header bytes: seq in 8 digits, `-`, SHA-256. Damaged when they are none."""
    return f"{Header.parse(data).seq:08d}-{hashlib.sha256(data).hexdigest()}"


def parse_file_name(name: str) -> tuple[int, Digest]:
    """(seq, digest) of a header file's name; Damaged for any other name."""
    number, dash, digest = name[:8], name[8:9], name[9:]
    if len(number) != 8 or not (number.isascii() and number.isdigit()) or dash != "-" or int(number) < 1:
        raise Damaged("A file among the vault's key files has a name that none of them can have.")
    return int(number), ids.digest(digest)
