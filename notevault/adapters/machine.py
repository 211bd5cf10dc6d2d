"""What this machine is: its boot, its memory, and a folder that power-off empties."""

from __future__ import annotations

import ctypes
import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_NO_LIMIT = 1 << 60  # cgroup v1 writes "no limit" as a number near 2^63
_UNKNOWN_RAM = 1 << 30  # where the system does not say: assume a small machine rather than exhaust it
_TMPFS = (0x01021994, 0x858458F6)  # magic numbers of tmpfs and ramfs (statfs(2))


class SystemMachine:
    def __init__(self, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> None:
        """The two folders are arguments so that tests can lay out other machines."""
        self._proc = proc
        self._cgroups = cgroups

    def boot_id(self) -> bytes:
        """First 8 bytes of SHA-256 over the kernel's boot id (Linux) or the time of boot to the minute (elsewhere).

        Hashed, because the raw boot id is also told to other programs' servers.
        """
        text = _text(self._proc / "sys/kernel/random/boot_id") or _boot_time_text()
        return hashlib.sha256(b"notevault boot\0" + text.strip().encode()).digest()[:8]

    def ram_total(self) -> int:
        physical = self._meminfo("MemTotal") or _physical_elsewhere()[0]
        return min([physical, *(limit for limit, _ in self._cgroup_limits())])

    def ram_available(self) -> int:
        free = self._meminfo("MemAvailable") or _physical_elsewhere()[1]
        return max(0, min([free, *(limit - used for limit, used in self._cgroup_limits())]))

    def private_runtime_dir(self) -> Path | None:
        """`XDG_RUNTIME_DIR`, else `/run/user/<uid>`: memory-backed, ours and 0700, or None.

        Never /dev/shm: a folder made there outlives the login session, which is what a half of a remembered
        session must not do; without a folder that the login manager empties, remembering is offered with that said.
        """
        if sys.platform == "win32":
            return None
        named = os.environ.get("XDG_RUNTIME_DIR", "")
        for folder in (Path(named) if named.startswith("/") else None, Path(f"/run/user/{os.getuid()}")):
            if folder is not None and _is_private_memory(folder):
                return folder
        return None

    def _meminfo(self, key: str) -> int | None:
        for line in (_text(self._proc / "meminfo") or "").splitlines():
            name, _, rest = line.partition(":")
            if name == key and rest.split()[:1] and rest.split()[0].isdigit():
                return int(rest.split()[0]) * 1024
        return None

    def _cgroup_limits(self) -> Iterator[tuple[int, int]]:
        """(limit, used) of this process's memory group and of each one above it, v1 and v2."""
        for line in (_text(self._proc / "self/cgroup") or "").splitlines():
            parts = line.split(":", 2)
            if len(parts) != 3:
                continue
            _, controllers, group = parts
            if controllers == "":
                top, names = self._cgroups, ("memory.max", "memory.current")
            elif "memory" in controllers.split(","):
                top, names = self._cgroups / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
            else:
                continue
            folder = top / group.lstrip("/")
            # In a container the group's path may lie outside of what is mounted; the top then stands for it.
            for each in (folder, *folder.parents):
                if ".." in each.parts or (each != top and top not in each.parents):
                    continue
                limit, used = _number(each / names[0]), _number(each / names[1])
                if limit is not None and limit < _NO_LIMIT:
                    yield limit, used or 0


def _text(path: Path) -> str | None:
    try:
        return path.read_text("ascii", errors="replace")
    except OSError:
        return None


def _number(path: Path) -> int | None:
    text = (_text(path) or "").strip()
    return int(text) if text.isdigit() else None  # "max" means none


def _is_private_memory(folder: Path) -> bool:
    if sys.platform == "win32":
        return False
    try:
        seen = folder.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.getuid() and stat.S_IMODE(seen.st_mode) == 0o700
    return ours and _is_tmpfs(folder)


def _is_tmpfs(folder: Path) -> bool:
    """Linux only (statfs(2): the first word of the structure is the type). macOS has no such folder."""
    if not sys.platform.startswith("linux"):
        return False
    buffer = ctypes.create_string_buffer(512)
    try:
        if ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(folder), buffer) != 0:
            return False
    except (OSError, AttributeError):
        return False
    return int.from_bytes(buffer.raw[: ctypes.sizeof(ctypes.c_long)], sys.byteorder) in _TMPFS


def _boot_time_text() -> str:
    if sys.platform == "darwin":
        return _sysctl("kern.bootsessionuuid") or _sysctl("kern.boottime")
    from notevault.adapters.clock import SystemClock

    clock = SystemClock()
    # To the minute: the wall clock is corrected while the machine runs.
    return str(round((clock.wall_ms() - clock.boot_ms()) / 60_000))


def _physical_elsewhere() -> tuple[int, int]:
    """(total, available) on systems without /proc."""
    if sys.platform == "win32":

        class Status(ctypes.Structure):
            _fields_ = [
                ("length", ctypes.c_ulong),
                ("load", ctypes.c_ulong),
                *((name, ctypes.c_ulonglong) for name in ("total", "free", "a", "b", "c", "d", "e")),
            ]

        status = Status()
        status.length = ctypes.sizeof(status)
        if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
            return status.total, status.free
        return _UNKNOWN_RAM, _UNKNOWN_RAM // 2
    total = _sysctl("hw.memsize") if sys.platform == "darwin" else ""
    physical = int(total) if total.isdigit() else _UNKNOWN_RAM
    return physical, physical // 2  # macOS: much of "free" memory is cache; half is a fair hope


def _sysctl(name: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program and fixed names
            ["/usr/sbin/sysctl", "-n", name], capture_output=True, timeout=2, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("ascii", "replace").strip()
