"""Disclosures (FORMAT 6.6): the tag keys of one client and one UTC year, signed by the vault's identity.

With one, an auditor finds the entries of that client in that year, and learns nothing of anybody else: tags of other
clients and years are made with other keys. It does not name the client.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import canon, shape
from .entry import Entry
from .events import HEX16, HEX32, INT, SIGNATURE, U32
from .fault import Fault, sound
from .note import Sign, Verify

MAX_BYTES = 65536
PREFIX = b"notevault/v1/disclosure\0"
TAG_PREFIX = b"notevault/st/v1\0"
FIRST_YEAR, LAST_YEAR = 1970, 9999

Matcher = Callable[[Entry, str], bool]
"""Is this entry of this log (hex16) one of the disclosed client's?"""


@dataclass(frozen=True)
class Disclosure:
    """`keys`: (generation of the client key, 32 bytes), ascending; `made` in ms; ids and `vik` as hex digits.

    Nothing is verified before `check`. The keys are secret to anyone who may not see this client's entries.
    """

    keys: tuple[tuple[int, bytes], ...] = field(repr=False)
    made: int
    sig: bytes
    vault: str
    vik: str
    year: int


def body(vault: str, vik_pub: bytes, year: int, keys: Mapping[int, bytes], made: int) -> dict[str, Any]:
    """The fields without `sig`."""
    listed = [{"g": generation, "k": keys[generation].hex()} for generation in sorted(keys)]
    return {"keys": listed, "made": made, "v": 1, "vault": vault, "vik": vik_pub.hex(), "year": year}


def make(vault: str, vik_pub: bytes, year: int, keys: Mapping[int, bytes], made: int, sign: Sign) -> bytes:
    """A disclosure's bytes, signed with the vault's identity; `keys`: generation of the client key -> Kt.

    ValueError for a wrong shape.
    """
    fields = body(vault, vik_pub, year, keys, made)
    fields["sig"] = base64.b64encode(sign(PREFIX + canon.dump(fields))).decode("ascii")
    data = canon.dump(fields) + b"\n"
    sound(parse(data))
    return data


def parse(data: bytes) -> Disclosure | Fault:
    """A disclosure from its exact bytes. Codes of `shape.load`."""
    fields = shape.load(data, MAX_BYTES, "a disclosure", _FIELDS)
    if isinstance(fields, Fault):
        return fields
    fields["keys"] = tuple((one["g"], bytes.fromhex(one["k"])) for one in fields["keys"])
    fields["sig"] = sound(canon.unbase64(fields["sig"], 64))
    return Disclosure(**fields)


def check(disclosure: Disclosure, vault: str, viks: Iterable[bytes], verify: Verify) -> Fault | None:
    """None when one of `viks`, the identities known for `vault` (hex16), signed it.

    Codes WRONG_VAULT, WRONG_KEY (of another vault identity), BAD_SIGNATURE.
    """
    if disclosure.vault != vault:
        return Fault("WRONG_VAULT", "the disclosure is of another vault")
    vik = bytes.fromhex(disclosure.vik)
    if vik not in viks:
        return Fault("WRONG_KEY", "the disclosure is of another vault identity")
    signed = body(disclosure.vault, vik, disclosure.year, dict(disclosure.keys), disclosure.made)
    if not verify(vik, PREFIX + canon.dump(signed), disclosure.sig):
        return Fault("BAD_SIGNATURE", "the disclosure's signature does not hold")
    return None


def matcher(disclosure: Disclosure) -> Matcher:
    """Says of each entry whether it is the client's. The keyed halves of HMAC are made once: about 2 µs a tag and key,
    and nothing for entries of another year or without a tag.
    """
    start, end = year_ms(disclosure.year), year_ms(disclosure.year + 1)
    keyed = [_halves(key) for _, key in disclosure.keys]
    of_log: dict[str, list[tuple[Any, Any]]] = {}

    def matches(entry: Entry, origin: str) -> bool:
        tag = entry.st
        if tag is None or not start <= entry.t < end:
            return False
        states = of_log.get(origin)
        if states is None:
            states = of_log[origin] = [_begun(inner, outer, origin) for inner, outer in keyed]
        number = entry.i.to_bytes(8, "big")
        for inner, outer in states:
            first, second = inner.copy(), outer.copy()
            first.update(number)
            second.update(first.digest())
            if second.hexdigest()[:32] == tag:
                return True
        return False

    return matches


def year_ms(year: int) -> int:
    """When a UTC year begins, in ms since 1970."""
    days = 365 * (year - 1970) + calendar.leapdays(1970, year)
    return 86_400_000 * days


def _halves(key: bytes) -> tuple[Any, Any]:
    """HMAC (RFC 2104) begun: SHA-256 fed with the key's inner and its outer block."""
    block = key.ljust(64, b"\0")
    return hashlib.sha256(bytes(x ^ 0x36 for x in block)), hashlib.sha256(bytes(x ^ 0x5C for x in block))


def _begun(inner: Any, outer: Any, origin: str) -> tuple[Any, Any]:
    inner = inner.copy()
    inner.update(TAG_PREFIX + bytes.fromhex(origin))
    return inner, outer


def _is_keys(value: Any) -> bool:
    """One key or more, their generations strictly ascending from 1 on."""
    if not isinstance(value, list) or not value:
        return False
    last = 0
    for one in value:
        if not isinstance(one, dict) or one.keys() != {"g", "k"}:
            return False
        if not shape.matches(one["g"], U32) or not shape.matches(one["k"], HEX32) or one["g"] <= last:
            return False
        last = one["g"]
    return True


def _is_year(value: Any) -> bool:
    return shape.matches(value, INT) and FIRST_YEAR <= value <= LAST_YEAR


_FIELDS: dict[str, shape.Field] = {
    "keys": _is_keys, "made": INT, "sig": SIGNATURE, "vault": HEX16, "vik": HEX32, "year": _is_year,
}  # fmt: skip
