"""Which 32 bytes are an Ed25519 public key worth asking: one answer for every verifier used here.

Verifiers differ where a key is spelled beyond the field's prime (some take it, some do not) and for the keys in the
subgroup of order 8, under which one signature holds for many messages. No writer makes such keys: refused before any
verifier sees them, so a log has the same verdict everywhere.
"""

from __future__ import annotations

_P = 2**255 - 19
_Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7  # y of a point of order 8
_SMALL_ORDER = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


def usable(pub: bytes) -> bool:
    """Is this spelled as RFC 8032 section 5.1.2 does it, and of large order? Whether it is on the curve, the verifier
    finds out.
    """
    if len(pub) != 32:
        return False
    y = int.from_bytes(pub, "little") & (1 << 255) - 1
    return y < _P and y not in _SMALL_ORDER
