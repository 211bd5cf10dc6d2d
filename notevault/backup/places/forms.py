"""The bytes of what this device keeps of a backup place (FORMAT.md section 13.2): `place`, `state`, `found`,
`proofs`, `frozen`.

`place` holds a path and a name that somebody chose, in any script, so it is payload JSON (FORMAT.md section 5.1);
`state` and `frozen` are canonical JSON. Each ends with one newline.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, fields
from typing import Any

from notevault.backup.model import VERDICTS, Head, More, Neighbour, PlaceFile, PlaceState
from notevault.errors import Damaged
from notevault.formats import text

PLACE_LIMIT = 1 << 18
"""Bytes: a path has at most 64 KiB on any system, and six bytes a character are the most that JSON makes of one."""
STATE_LIMIT = 1 << 20
"""Bytes: 100 a log, 10,000 logs."""
FROZEN_LIMIT = 4096
KINDS = ("fixed", "removable", "network", "cloud", "memory", "unknown")
PROOFS = 257
"""One per first byte of a file's name, and the last for logs and key files."""
_PROOFS = struct.Struct(f">{PROOFS}Q")
_WORD = re.compile(r"[a-z][a-z.\-]{0,31}")
_DURABLE = ("full", "reduced")
_COUNTS = tuple(f.name for f in fields(PlaceState) if f.type == "int")


@dataclass(frozen=True)
class Frozen:
    """Nothing is copied to any place: since `at` (ms), for `files` saved files that changed or vanished at once."""

    at: int
    files: int
    why: str  # plain ASCII: words of ours, no name


def encode_place(place: PlaceFile) -> bytes:
    """Raises OwnFault for what the form cannot hold (a path whose bytes are no text)."""
    return (
        text.payload_json(
            {
                "added": place.added_ms,
                "kind": place.kind,
                "name": place.name,
                "path": place.path,
                "v": 1,
                "volume": place.volume,
            }
        )
        + b"\n"
    )


def decode_place(place_id: str, data: bytes) -> PlaceFile:
    """Raises Damaged."""
    if len(data) > PLACE_LIMIT or not data.endswith(b"\n"):
        raise Damaged("What this laptop remembers of a backup place does not read.")
    found = text.parse_payload(data[:-1])
    text.exact_keys(found, frozenset({"added", "kind", "name", "path", "v", "volume"}))
    text.integer(found["v"], 1, 1)
    for name in ("name", "path"):
        if type(found[name]) is not str or not found[name] or "\0" in found[name]:
            raise Damaged("What this laptop remembers of a backup place lacks its name or its path.")
    if found["kind"] not in KINDS or not (found["volume"] is None or type(found["volume"]) is str):
        raise Damaged("What this laptop remembers of a backup place is of no known kind.")
    return PlaceFile(
        place_id, found["name"], found["path"], found["kind"], text.integer(found["added"]), found["volume"]
    )


def encode_state(state: PlaceState) -> bytes:
    packed: dict[str, Any] = {name: getattr(state, name) for name in _COUNTS}
    packed["verdict"] = state.verdict
    packed["durability"] = state.durability
    packed["read_back"] = int(state.read_back)
    packed["heads"] = {origin: [head.size, head.root.hex()] for origin, head in state.heads.items()}
    packed["more"] = {
        origin: [more.head.size, more.head.root.hex(), more.ours, more.changes, more.files, int(more.read)]
        for origin, more in state.more.items()
    }
    packed["others"] = {
        origin: [one.head.size, one.head.root.hex(), one.files, one.last_ms, int(one.fresh)]
        for origin, one in state.others.items()
    }
    packed["told"] = {event: [outcome, ms] for event, (outcome, ms) in state.told.items()}
    packed["v"] = 1
    return text.canonical(packed) + b"\n"


def decode_state(data: bytes) -> PlaceState:
    """Raises Damaged. Fields that another version of this program knows are no damage, and left out."""
    found = text.parse_canonical(data, limit=STATE_LIMIT, newline=True)
    text.integer(found.get("v"), 1, 1)
    known: dict[str, Any] = {name: text.integer(found[name]) for name in _COUNTS if name in found}
    if "read_back" in found:
        known["read_back"] = text.integer(found["read_back"], 0, 1) == 1
    for name, allowed in (("verdict", VERDICTS), ("durability", _DURABLE)):
        if name in found:
            if found[name] not in allowed:
                raise Damaged("What this laptop remembers of a backup place says what no backup says.")
            known[name] = found[name]
    known["heads"] = {_origin(o): _head(value) for o, value in _object(found.get("heads", {})).items()}
    known["more"] = {_origin(o): _more(value) for o, value in _object(found.get("more", {})).items()}
    known["others"] = {_origin(o): _neighbour(value) for o, value in _object(found.get("others", {})).items()}
    known["told"] = {_word(event): _told(value) for event, value in _object(found.get("told", {})).items()}
    return PlaceState(**known)


def encode_proofs(proofs: list[int]) -> bytes:
    return _PROOFS.pack(*proofs)


def decode_proofs(data: bytes) -> list[int]:
    """Raises Damaged."""
    if len(data) != _PROOFS.size:
        raise Damaged("The times of the last proofs of a backup place do not read.")
    return list(_PROOFS.unpack(data))


def encode_found(hurt: int, hurt_log: int) -> bytes:
    return text.canonical({"hurt": hurt, "hurt_log": hurt_log, "v": 1}) + b"\n"


def decode_found(data: bytes) -> tuple[int, int]:
    """Raises Damaged."""
    found = text.parse_canonical(data, limit=FROZEN_LIMIT, newline=True)
    text.exact_keys(found, frozenset({"hurt", "hurt_log", "v"}))
    text.integer(found["v"], 1, 1)
    return text.integer(found["hurt"]), text.integer(found["hurt_log"])


def encode_frozen(frozen: Frozen) -> bytes:
    return text.canonical({"at": frozen.at, "files": frozen.files, "v": 1, "why": frozen.why}) + b"\n"


def decode_frozen(data: bytes) -> Frozen:
    """Raises Damaged."""
    found = text.parse_canonical(data, limit=FROZEN_LIMIT, newline=True)
    text.exact_keys(found, frozenset({"at", "files", "v", "why"}))
    text.integer(found["v"], 1, 1)
    if type(found["why"]) is not str:
        raise Damaged("Why the backups stopped does not read.")
    return Frozen(text.integer(found["at"]), text.integer(found["files"]), found["why"])


def _object(value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise Damaged("What this laptop remembers of a backup place does not read.")
    return value


def _pair(value: object) -> list[Any]:
    if type(value) is not list or len(value) != 2:
        raise Damaged("What this laptop remembers of a backup place does not read.")
    return value


def _origin(name: str) -> str:
    return text.unhex(name, 16).hex()


def _head(value: object) -> Head:
    size, root = _pair(value)
    return Head(text.integer(size), text.unhex(root, 32))


def _neighbour(value: object) -> Neighbour:
    if type(value) is not list or len(value) != 5:
        raise Damaged("What this laptop remembers of a backup place does not read.")
    files, last_ms = map(text.integer, value[2:4])
    return Neighbour(_head(value[:2]), files, last_ms, text.integer(value[4], 0, 1) == 1)


def _more(value: object) -> More:
    if type(value) is not list or len(value) != 6:
        raise Damaged("What this laptop remembers of a backup place does not read.")
    ours, changes, files = map(text.integer, value[2:5])
    return More(_head(value[:2]), ours, changes, files, text.integer(value[5], 0, 1) == 1)


def _word(value: object) -> str:
    if type(value) is not str or _WORD.fullmatch(value) is None:
        raise Damaged("What this laptop remembers of a backup place does not read.")
    return value


def _told(value: object) -> tuple[str, int]:
    outcome, ms = _pair(value)
    if type(outcome) is not str:
        raise Damaged("What this laptop remembers of a backup place does not read.")
    return outcome, text.integer(ms)
