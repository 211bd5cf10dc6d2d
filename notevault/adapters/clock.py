"""The system's clocks."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000  # noqa: TID251 - this is the one place behind the Clock port

    def boot_ms(self) -> int:
        """Linux: CLOCK_BOOTTIME. macOS: CLOCK_MONOTONIC, which there runs on through sleep, as GetTickCount64 does on
        Windows. Elsewhere the monotonic clock, which may stand still in suspend: an idle lock then comes later.
        """
        if sys.platform == "win32":
            import ctypes

            ticks = ctypes.windll.kernel32.GetTickCount64
            ticks.restype = ctypes.c_uint64
            return int(ticks())
        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return time.clock_gettime_ns(clock) // 1_000_000

    def utc_offset_minutes(self, wall_ms: int) -> int:
        moment = datetime.fromtimestamp(wall_ms // 1000, UTC).astimezone()
        offset = moment.utcoffset() or timedelta()
        return round(offset.total_seconds() / 60)
