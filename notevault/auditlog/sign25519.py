"""Ed25519 signing (RFC 8032 sections 5.1.5 and 5.1.6) in plain Python, for one purpose: an auditor's own cosigning key,
used by hand on her own machine, where there is nothing but Python.

NOT constant time: whoever can measure many of these signatures closely, on the same machine, may learn the key. The
vault's own keys never come here. Deterministic: the same key and message give the same 64 bytes. About 3 ms.
"""

from __future__ import annotations

import hashlib

from . import edwards


def public_key(seed: bytes) -> bytes:
    """The 32 bytes of the public key of a private key's 32 bytes. ValueError for another length."""
    return _product(_expand(seed)[0])


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature of `message`, 64 bytes. ValueError unless the private key has 32 bytes."""
    secret, prefix = _expand(seed)
    pub = _product(secret)
    r = _number(prefix + message)
    point = _product(r)
    s = (r + _number(point + pub + message) * secret) % edwards.L
    return point + s.to_bytes(32, "little")


def _expand(seed: bytes) -> tuple[int, bytes]:
    """The secret number, its bits set as RFC 8032 says, and the secret prefix of what is hashed."""
    if len(seed) != 32:
        raise ValueError("a private key has 32 bytes")
    digest = hashlib.sha512(seed).digest()
    number = int.from_bytes(digest[:32], "little")
    return number & (1 << 254) - 8 | 1 << 254, digest[32:]


def _number(data: bytes) -> int:
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % edwards.L


def _product(number: int) -> bytes:
    return edwards.encode(edwards.sum_of_products((number, edwards.base())))
