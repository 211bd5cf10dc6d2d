"""A USB stick played by a file system of its own in an image, so that it can be pulled out in the middle of a write.

`pull` is what happens when somebody does just that: the file system is shut down and nothing more is written, not
even its journal (EXT4_IOC_SHUTDOWN, as its own tests do it). Every later call of whoever writes gives an input/output
error, and what was not synced is gone. `plug` mounts it again, with its journal replayed, as the stick would be. Needs
root, loop devices and mkfs.ext4. `Share` is a file system in memory of a fixed size.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from contextlib import suppress
from pathlib import Path

_SHUTDOWN, _NO_LOG_FLUSH = 0x8004587D, 2  # _IOR('X', 125, __u32)
_PATH = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class NoSticks(Exception):
    """Nothing can be mounted here, and why."""


def _do(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, env=_PATH, check=False)
    if done.returncode:
        raise NoSticks(f"{argv[0]}: {done.stderr.decode('utf-8', 'replace').strip()[-200:]}")


class Stick:
    """`place`: where it is mounted while it is plugged in. The folder itself stays, as a mount point does."""

    def __init__(self, folder: Path, megabytes: int = 64, *, blocks: int = 0, options: str = "") -> None:
        folder.mkdir()
        self.image, self.place = folder / "image", folder / "stick"
        self.place.mkdir()
        with self.image.open("wb") as file:
            file.truncate(megabytes << 20)
        self._mounted = False
        size = ("-b", str(blocks)) if blocks else ()
        _do("mkfs.ext4", "-q", "-m", "0", *size, *(("-O", options) if options else ()), str(self.image))
        self.plug()

    def plug(self) -> None:
        _do("mount", "-o", "loop", str(self.image), str(self.place))
        self._mounted = True

    def pull(self) -> None:
        """Out, in the middle of whatever goes on. What holds files open keeps them, and gets errors."""
        self.shut_down()
        self.eject(lazy=True)

    def shut_down(self) -> None:
        """Out, and the system has not noticed: it is still mounted."""
        handle = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def eject(self, *, lazy: bool = False) -> None:
        if self._mounted:
            _do("umount", *(("-l",) if lazy else ()), str(self.place))
            self._mounted = False

    def write_protect(self, on: bool) -> None:
        _do("mount", "-o", f"remount,{'ro' if on else 'rw'}", str(self.place))


class Share:
    """A file system in memory with so many bytes; `grow` gives it more."""

    def __init__(self, place: Path, kilobytes: int) -> None:
        place.mkdir()
        self.place = place
        _do("mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=700", "notevault-test", str(place))

    def grow(self, kilobytes: int) -> None:
        _do("mount", "-o", f"remount,size={kilobytes}k", str(self.place))

    def eject(self) -> None:
        with suppress(NoSticks):
            _do("umount", "-l", str(self.place))
