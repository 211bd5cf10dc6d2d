"""The card of a log (FORMAT section 8): its name, its first keys, and who vouches for them. What an auditor pins.

A card's fingerprint is what two people compare over the telephone: it covers every byte of the card.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from . import canon, shape
from .events import HEX16, HEX32, INT, SIGNATURE
from .fault import Fault, sound
from .note import Sign, Verify

MAX_BYTES = 4096
PREFIX = b"notevault/v1/card\0"
FINGERPRINT_PREFIX = b"notevault/v1/card-fingerprint\0"
_MAX_SPELT = 200  # characters of a typed fingerprint; 39 are due, and somebody may indent
_FIELDS = {
    "created": INT, "device": HEX16, "epoch0": HEX32, "identity": HEX32, "origin": HEX16, "sig": SIGNATURE,
    "vault": HEX16, "vik": HEX32,
}  # fmt: skip
_DIGITS = re.compile("[0-9a-f]{32}")
_GAPS = re.compile("[\\s\u2010-\u2015-]")  # white space, the hyphen and what a word processor makes of it


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
    fields = shape.load(data, MAX_BYTES, "a card", _FIELDS)
    if isinstance(fields, Fault):
        return fields
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


def fingerprint(card_bytes: bytes) -> str:
    """Hex16 of a card's file as it is, newline and all. Of any bytes: compare it, then parse."""
    return hashlib.sha256(FINGERPRINT_PREFIX + card_bytes).digest()[:16].hex()


def spell_fingerprint(fingerprint: str) -> str:
    """For paper and screen: eight groups of four digits. ValueError unless it is hex16."""
    if not _DIGITS.fullmatch(fingerprint):
        raise ValueError("a fingerprint has 32 hexadecimal digits")
    return " ".join(fingerprint[at : at + 4] for at in range(0, 32, 4))


def parse_fingerprint(text: str) -> str | None:
    """Hex16 of what somebody typed: any case, spaces and dashes anywhere or nowhere. None when it is no fingerprint."""
    if len(text) > _MAX_SPELT:
        return None
    bare = _GAPS.sub("", text).lower()
    return bare if _DIGITS.fullmatch(bare) else None
