"""Volumes on Windows, by the calls of kernel32. Untested on a real Windows so far; it passes the type checker only.

A disk on USB calls itself fixed: one that is not the system's counts as unknown, and is read back.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from notevault.adapters.file_errors import plain_errors
from notevault.adapters.volumes_cloud import cloud_of
from notevault.ports import Volume

_REMOVABLE, _FIXED, _REMOTE, _DISC, _MEMORY = 2, 3, 4, 5, 6  # of GetDriveTypeW
_READ_ONLY = 0x00080000  # FILE_READ_ONLY_VOLUME
_LONGEST = 32_768

if sys.platform == "win32":

    class WindowsVolumes:
        """Implements `ports.Volumes`."""

        def of(self, folder: Path) -> Volume:
            with plain_errors(folder):
                real = folder.resolve(strict=True)
                device = real.stat().st_dev
                top = _volume_path(str(real))
            kind = ctypes.windll.kernel32.GetDriveTypeW(ctypes.c_wchar_p(top))
            label, serial, flags = _information(top)
            read_only = bool(flags & _READ_ONLY) or kind == _DISC
            identity = None if serial is None else f"{serial:08x}"
            service = cloud_of(real)
            if service is not None:
                return Volume("cloud", f"{service}'s folder", Path(top), device, identity, read_only)
            if kind == _REMOTE:
                return Volume("network", "network folder", Path(top), device, identity, read_only)
            if kind == _MEMORY:
                return Volume("memory", label, Path(top), device, identity, read_only)
            if kind == _REMOVABLE:
                return Volume("removable", label and f"USB stick {label}", Path(top), device, identity, read_only)
            ours = kind == _FIXED and top.casefold() == _system_drive().casefold()
            return Volume("fixed" if ours else "unknown", label, Path(top), device, identity, read_only)

        def mounts(self) -> list[Path]:
            """Drive letters, without the system's and without network folders (a silent server holds everything up)."""
            drives = ctypes.windll.kernel32.GetLogicalDrives()
            found = []
            for at in range(26):
                top = f"{chr(65 + at)}:\\"
                if not drives >> at & 1 or top.casefold() == _system_drive().casefold():
                    continue
                if ctypes.windll.kernel32.GetDriveTypeW(ctypes.c_wchar_p(top)) in (_REMOVABLE, _FIXED, _MEMORY):
                    found.append(Path(top))
            return found

    def _system_drive() -> str:
        return os.environ.get("SYSTEMDRIVE", "C:") + "\\"

    def _volume_path(path: str) -> str:
        buffer = ctypes.create_unicode_buffer(_LONGEST)
        if not ctypes.windll.kernel32.GetVolumePathNameW(ctypes.c_wchar_p(path), buffer, _LONGEST):
            raise ctypes.WinError()
        return buffer.value

    def _information(top: str) -> tuple[str, int | None, int]:
        """Label, serial number, flags; nothing of them for a drive that does not answer."""
        label = ctypes.create_unicode_buffer(261)
        serial, flags = ctypes.c_uint32(), ctypes.c_uint32()
        done = ctypes.windll.kernel32.GetVolumeInformationW(
            ctypes.c_wchar_p(top), label, 261, ctypes.byref(serial), None, ctypes.byref(flags), None, 0
        )
        return (label.value, serial.value, flags.value) if done else ("", None, 0)
