"""The card of a log (FORMAT section 8): its name, its first keys, and who vouches for them. What an auditor pins."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from . import canon
from .events import HEX16, HEX32, INT, SIGNATURE
from .fault import Fault, sound
from .note import Sign, Verify

MAX_BYTES = 4096
PREFIX = b"notevault/v1/card\0"
_FIELDS = {
    "created": INT, "device": HEX16, "epoch0": HEX32, "identity": HEX32, "origin": HEX16, "sig": SIGNATURE, "v": "1",
    "vault": HEX16, "vik": HEX32,
}  # fmt: skip


@dataclass(frozen=True)
class Card:
    """The values as they stand on the card: `created` in ms since 1970; ids, `origin` and keys as hex digits, `sig` as
    bytes. Nothing is verified before `check`.
    """

    created: int
    device: str
    epoch0: str
    identity: str
    origin: str
    sig: bytes
    vault: str
    vik: str

    @property
    def epoch0_pub(self) -> bytes:
        return bytes.fromhex(self.epoch0)

    @property
    def identity_pub(self) -> bytes:
        return bytes.fromhex(self.identity)

    @property
    def vik_pub(self) -> bytes:
        return bytes.fromhex(self.vik)


def origin_of(identity_pub: bytes, epoch_pub: bytes) -> str:
    """The name of a log, 32 hex digits, from its identity key and its first epoch key."""
    return hashlib.sha256(identity_pub + epoch_pub).digest()[:16].hex()


def body(created: int, device: str, epoch0: bytes, identity: bytes, vault: str, vik: bytes) -> dict[str, Any]:
    """The card's fields without `sig`; the origin follows from the keys."""
    origin = origin_of(identity, epoch0)
    keys = {"epoch0": epoch0.hex(), "identity": identity.hex(), "vik": vik.hex()}
    return {"created": created, "device": device, "origin": origin, "v": 1, "vault": vault, **keys}


def make(created: int, device: str, epoch0: bytes, identity: bytes, vault: str, vik: bytes, sign: Sign) -> bytes:
    """A card's bytes, signed with the vault's identity key through `sign`. ValueError for a wrong shape."""
    fields = body(created, device, epoch0, identity, vault, vik)
    fields["sig"] = base64.b64encode(sign(PREFIX + canon.dump(fields))).decode("ascii")
    data = canon.dump(fields) + b"\n"
    sound(parse(data))
    return data


def parse(data: bytes) -> Card | Fault:
    """A card from its exact bytes, with its newline. Codes of JSON, MISSING_FIELD, UNKNOWN_FIELD, BAD_VALUE."""
    if len(data) > MAX_BYTES:
        return Fault("TOO_LARGE", f"a card of {len(data)} bytes, at most {MAX_BYTES} are allowed")
    if not data.endswith(b"\n"):
        return Fault("NOT_CANONICAL", "a card ends with a newline")
    fields = canon.load(data[:-1], MAX_BYTES)
    if isinstance(fields, Fault):
        return fields
    if fields.get("v", 1) != 1:
        return Fault("UNKNOWN_VERSION", "a card's version is 1", "v")
    for name, pattern in _FIELDS.items():
        if name not in fields:
            return Fault("MISSING_FIELD", f"a card needs `{name}`", name)
        value = fields[name]
        text = f'"{value}"' if isinstance(value, str) else str(value)
        if not re.fullmatch(pattern, text):
            return Fault("BAD_VALUE", f"`{name}` is not what the format allows there", name)
    if len(fields) != len(_FIELDS):
        return Fault("UNKNOWN_FIELD", "a field that a card does not have")
    fault = canon.is_canonical(fields, data[:-1])
    if fault:
        return fault
    del fields["v"]
    fields["sig"] = sound(canon.unbase64(fields["sig"], 64))
    return Card(**fields)


def check(card: Card, vik_pub: bytes, verify: Verify) -> Fault | None:
    """None when the card's keys hash to its name and the vault's identity `vik_pub` signed it.

    Codes WRONG_ORIGIN, WRONG_KEY (of another vault identity), BAD_SIGNATURE.
    """
    if origin_of(card.identity_pub, card.epoch0_pub) != card.origin:
        return Fault("WRONG_ORIGIN", "the keys on the card do not give the log's name")
    if card.vik_pub != vik_pub:
        return Fault("WRONG_KEY", "the card is of another vault identity")
    signed = body(card.created, card.device, card.epoch0_pub, card.identity_pub, card.vault, card.vik_pub)
    if not verify(vik_pub, PREFIX + canon.dump(signed), card.sig):
        return Fault("BAD_SIGNATURE", "the card's signature does not hold")
    return None
