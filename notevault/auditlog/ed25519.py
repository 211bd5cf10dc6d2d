"""Ed25519 verification (RFC 8032 section 5.1.7) in plain Python: what an auditor has when there is nothing but Python.

Cofactorless, as OpenSSL and Go do it: encode([S]B - [k]A) must be the bytes R. S below the group's order, A canonical.
Only public values pass through here, so nothing needs to be constant time. About 3 ms a signature.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from . import edwards
from .pubkeys import usable


def verify(pub: bytes, msg: bytes, sig: bytes) -> bool:
    """Does `sig` (64 bytes) of `msg` hold under `pub` (`pubkeys.usable`)? False for anything else, whatever it is."""
    if not usable(pub) or len(sig) != 64:
        return False
    s = int.from_bytes(sig[32:], "little")
    minus_a = _minus_table(bytes(pub))
    if s >= edwards.L or minus_a is None:
        return False
    k = int.from_bytes(hashlib.sha512(sig[:32] + pub + msg).digest(), "little") % edwards.L
    return edwards.encode(edwards.sum_of_products((s, edwards.base()), (k, minus_a))) == sig[:32]


@lru_cache(maxsize=16)  # a log is checked with few keys, many times
def _minus_table(pub: bytes) -> list[edwards.Point] | None:
    point = edwards.decode(pub)
    return None if point is None else edwards.multiples(edwards.negative(point))
