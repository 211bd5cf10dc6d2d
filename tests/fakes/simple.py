"""A clock that is set by hand, randomness that repeats on purpose, and a made-up machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

# Fri 21 Nov 2025 09:00:00 UTC
MORNING_MS = 1_763_715_600_000


class FakeClock:
    """Stands still until told. `advance` moves both hands; `set_wall` moves the wall clock alone (a clock change)."""

    def __init__(self, wall_ms: int = MORNING_MS, boot_ms: int = 3_600_000, offset_minutes: int = 60) -> None:
        self._wall_ms = wall_ms
        self._boot_ms = boot_ms
        self.offset_minutes = offset_minutes

    def wall_ms(self) -> int:
        return self._wall_ms

    def boot_ms(self) -> int:
        return self._boot_ms

    def utc_offset_minutes(self, wall_ms: int) -> int:
        return self.offset_minutes

    def advance(self, ms: int) -> None:
        assert ms >= 0
        self._wall_ms += ms
        self._boot_ms += ms

    def set_wall(self, wall_ms: int) -> None:
        self._wall_ms = wall_ms

    def reboot(self, off_ms: int = 60_000) -> None:
        self._wall_ms += off_ms
        self._boot_ms = 0


class FakeEntropy:
    """SHA-256 over seed and counter: the same seed gives the same bytes, two draws never the same."""

    def __init__(self, seed: int | str | bytes = 0) -> None:
        self._key = hashlib.sha256(repr(seed).encode()).digest()
        self._count = 0
        self.drawn = 0

    def draw(self, n: int) -> bytes:
        out = b""
        while len(out) < n:
            out += hashlib.sha256(self._key + self._count.to_bytes(8, "big")).digest()
            self._count += 1
        self.drawn += n
        return out[:n]


class RepeatingEntropy:
    """A broken source: every draw of a length gives the same bytes (a snapshot put back, a dead generator)."""

    def __init__(self, byte: int = 0x42) -> None:
        self._byte = byte

    def draw(self, n: int) -> bytes:
        return bytes([self._byte]) * n


class FakeMachine:
    def __init__(
        self,
        *,
        boot: int = 1,
        ram_total: int = 8 << 30,
        ram_available: int = 4 << 30,
        runtime_dir: Path | None = None,
    ) -> None:
        self.boot = boot
        self.total = ram_total
        self.available = ram_available
        self.runtime_dir = runtime_dir

    def boot_id(self) -> bytes:
        return hashlib.sha256(b"boot" + self.boot.to_bytes(4, "big")).digest()[:8]

    def ram_total(self) -> int:
        return self.total

    def ram_available(self) -> int:
        return self.available

    def private_runtime_dir(self) -> Path | None:
        return self.runtime_dir

    def reboot(self) -> None:
        self.boot += 1
