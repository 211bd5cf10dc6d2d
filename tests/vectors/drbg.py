"""Repeatable randomness for the vectors: HMAC-SHA256 of a counter under a named key. For vectors only."""

from __future__ import annotations

import hmac


class Drbg:
    """An Entropy whose bytes follow from its name; `taken` lists what was drawn, so that a vector can state it."""

    def __init__(self, name: str) -> None:
        self._key = b"notevault golden vectors, never a secret: " + name.encode()
        self._count = 0
        self.taken: list[str] = []

    def draw(self, n: int) -> bytes:
        out = b""
        while len(out) < n:
            out += hmac.digest(self._key, self._count.to_bytes(8, "big"), "sha256")
            self._count += 1
        self.taken.append(out[:n].hex())
        return out[:n]
