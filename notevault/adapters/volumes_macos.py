"""Volumes on macOS, by statfs(2). Untested on a real Mac so far; it passes the type checker only.

Whether a disk is built in takes more than statfs tells: a local volume other than the system's own counts as removable,
which costs a reading back and nothing else.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from notevault.adapters.file_errors import plain_errors
from notevault.adapters.volumes_cloud import cloud_of
from notevault.ports import Volume

_READ_ONLY, _IS_LOCAL = 0x1, 0x1000
_MEMORY = {"tmpfs"}


class _Statfs(ctypes.Structure):
    """`struct statfs` with 64-bit inodes (sys/mount.h)."""

    _fields_ = (
        ("bsize", ctypes.c_uint32),
        ("iosize", ctypes.c_int32),
        ("blocks", ctypes.c_uint64 * 5),
        ("fsid", ctypes.c_int32 * 2),
        ("owner", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("subtype", ctypes.c_uint32),
        ("typename", ctypes.c_char * 16),
        ("mounted_on", ctypes.c_char * 1024),
        ("mounted_from", ctypes.c_char * 1024),
        ("reserved", ctypes.c_uint32 * 8),
    )


if sys.platform == "darwin":

    class MacVolumes:
        """Implements `ports.Volumes`."""

        def of(self, folder: Path) -> Volume:
            with plain_errors(folder):
                real = folder.resolve(strict=True)
                device = real.stat().st_dev
                found = _statfs(os.fsencode(real))
            mount = Path(os.fsdecode(found.mounted_on))
            read_only = bool(found.flags & _READ_ONLY)
            service = cloud_of(real)
            if service is not None:
                return Volume("cloud", f"{service}'s folder", mount, device, None, read_only)
            if not found.flags & _IS_LOCAL:
                host = os.fsdecode(found.mounted_from).removeprefix("//").rpartition("@")[2].partition("/")[0]
                name = f"network folder on {host}" if host else "network folder"
                return Volume("network", name, mount, device, None, read_only)
            if os.fsdecode(found.typename) in _MEMORY:
                return Volume("memory", "", mount, device, None, read_only)
            if Path("/Volumes") in mount.parents:
                return Volume("removable", mount.name, mount, device, None, read_only)
            return Volume("fixed", "", mount, device, None, read_only)

        def mounts(self) -> list[Path]:
            """Network folders are left out: one whose server does not answer would hold up the search for a stick."""
            try:
                found = sorted(Path("/Volumes").iterdir())
            except OSError:
                return []
            return [each for each in found if not each.is_symlink() and _is_local(each)]

    def _is_local(mount: Path) -> bool:
        try:
            return bool(_statfs(os.fsencode(mount)).flags & _IS_LOCAL)
        except OSError:
            return False

    def _statfs(path: bytes) -> _Statfs:
        libc = ctypes.CDLL(None, use_errno=True)
        call = getattr(libc, "statfs$INODE64", None) or libc.statfs  # the first on Intel, where `statfs` is the old one
        found = _Statfs()
        if call(ctypes.c_char_p(path), ctypes.byref(found)) != 0:
            raise OSError(ctypes.get_errno(), "statfs")
        return found
