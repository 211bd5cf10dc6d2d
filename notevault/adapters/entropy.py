"""The system's cryptographic random source."""

from __future__ import annotations

import os


class SystemEntropy:
    def draw(self, n: int) -> bytes:
        """`n` bytes from getrandom or its like; it waits at early boot rather than give weak ones."""
        return os.urandom(n)  # noqa: TID251 - this is the one place behind the Entropy port
