"""Ed25519 verification (RFC 8032 section 5.1.7) in plain Python: what an auditor has when there is nothing but Python.

Cofactorless, as OpenSSL and Go do it: encode([S]B - [k]A) must be the bytes R. S below the group's order, A canonical.
Only public values pass through here, so nothing needs to be constant time. About 3 ms a signature.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT_OF_MINUS_1 = pow(2, (_P - 1) // 4, _P)
_WINDOW = 4  # bits taken at once: tables of 16 points are cheap, wider ones cost more than they save

Point = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
_ZERO: Point = (0, 1, 1, 0)


def verify(pub: bytes, msg: bytes, sig: bytes) -> bool:
    """Does `sig` (64 bytes) of `msg` hold under `pub` (32 bytes)? False for anything else, whatever is wrong."""
    if len(pub) != 32 or len(sig) != 64:
        return False
    s = int.from_bytes(sig[32:], "little")
    table = _minus_table(bytes(pub))
    if s >= _L or table is None:
        return False
    k = int.from_bytes(hashlib.sha512(sig[:32] + pub + msg).digest(), "little") % _L
    return _encode(_sum_of_products(s, k, table)) == sig[:32]


def _sum_of_products(s: int, k: int, minus_a: list[Point]) -> Point:
    """[s]B + [k](-A), both walked together from the top (Straus)."""
    base, point = _base_table(), _ZERO
    top = (max(s.bit_length(), k.bit_length()) + _WINDOW - 1) // _WINDOW * _WINDOW
    for shift in range(top - _WINDOW, -1, -_WINDOW):
        for _ in range(_WINDOW):
            point = _double(point)
        digit = s >> shift & 15
        if digit:
            point = _add(point, base[digit])
        digit = k >> shift & 15
        if digit:
            point = _add(point, minus_a[digit])
    return point


def _add(p: Point, q: Point) -> Point:
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 - x1) * (y2 - x2) % _P
    b = (y1 + x1) * (y2 + x2) % _P
    c = 2 * t1 * t2 * _D % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _double(p: Point) -> Point:
    x, y, z, _ = p
    a = x * x % _P
    b = y * y % _P
    h = a + b
    e = h - (x + y) * (x + y) % _P
    g = a - b
    f = 2 * z * z % _P + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _encode(p: Point) -> bytes:
    x, y, z, _ = p
    inverse = pow(z, _P - 2, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data: bytes) -> Point | None:
    """The point of a public key; None unless it is on the curve and canonically spelled (RFC 8032 section 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P) % _P, (_P - 5) // 8, _P) % _P
    if v * x * x % _P == -u % _P:
        x = x * _ROOT_OF_MINUS_1 % _P
    if v * x * x % _P != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _multiples(p: Point) -> list[Point]:
    table = [_ZERO, p]
    while len(table) < 1 << _WINDOW:
        table.append(_add(table[-1], p))
    return table


@lru_cache(maxsize=1)
def _base_table() -> list[Point]:
    base = _decode((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))
    assert base is not None
    return _multiples(base)


@lru_cache(maxsize=16)  # a log is checked with few keys, many times
def _minus_table(pub: bytes) -> list[Point] | None:
    point = _decode(pub)
    if point is None:
        return None
    x, y, z, t = point
    return _multiples((-x % _P, y, z, -t % _P))
