"""The curve of Ed25519 (RFC 8032 section 5.1) in plain Python: what verifying and signing share.

Nothing here takes a constant time: how long it runs tells of the numbers in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493  # the order of the base point
_D = -121665 * pow(121666, P - 2, P) % P
_ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
_WINDOW = 4  # bits taken at once: tables of 16 points are cheap, wider ones cost more than they save

Point = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
ZERO: Point = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * t1 * t2 * _D % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def double(p: Point) -> Point:
    x, y, z, _ = p
    a = x * x % P
    b = y * y % P
    h = a + b
    e = h - (x + y) * (x + y) % P
    g = a - b
    f = 2 * z * z % P + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def encode(p: Point) -> bytes:
    x, y, z, _ = p
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point of a public key; None unless it is on the curve and canonically spelled (RFC 8032 section 5.1.3)."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (_D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P) % P, (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * _ROOT_OF_MINUS_1 % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def negative(p: Point) -> Point:
    x, y, z, t = p
    return -x % P, y, z, -t % P


def multiples(p: Point) -> list[Point]:
    """[0]p to [15]p: what `sum_of_products` takes for a point."""
    table = [ZERO, p]
    while len(table) < 1 << _WINDOW:
        table.append(add(table[-1], p))
    return table


@lru_cache(maxsize=1)
def base() -> list[Point]:
    """Multiples of the base point, y = 4/5."""
    point = decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    assert point is not None
    return multiples(point)


def sum_of_products(*terms: tuple[int, Sequence[Point]]) -> Point:
    """[n]p + [m]q + ..., each point given by its `multiples`, all walked together from the top (Straus)."""
    point = ZERO
    bits = max(number.bit_length() for number, _ in terms)
    top = (bits + _WINDOW - 1) // _WINDOW * _WINDOW
    for shift in range(top - _WINDOW, -1, -_WINDOW):
        for _ in range(_WINDOW):
            point = double(point)
        for number, table in terms:
            digit = number >> shift & 15
            if digit:
                point = add(point, table[digit])
    return point
