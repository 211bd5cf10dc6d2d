"""Volumes on Linux: `/proc/self/mountinfo` (proc(5)), `/sys/dev/block`, `/dev/disk/by-uuid` and `by-label` (udev).

Where one of them is missing (a container) less is known, and the kind is `unknown` rather than `fixed`: what is not
known to be built in is read back.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from notevault.adapters.file_errors import plain_errors
from notevault.adapters.volumes_cloud import cloud_of
from notevault.ports import Volume

_NETWORK = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "9p", "glusterfs", "lustre", "davfs", "coda",
    "fuse.sshfs", "fuse.glusterfs", "fuse.davfs", "fuse.davfs2", "fuse.curlftpfs", "fuse.gvfsd-fuse", "fuse.smbnetfs",
    "fuse.kio-fuse", "virtiofs",
}  # fmt: skip
_CLOUD = {
    "fuse.rclone": "A cloud service",
    "fuse.s3fs": "A cloud service",
    "fuse.pcloud": "pCloud",
    "fuse.pCloud.fs": "pCloud",
    "fuse.google-drive-ocamlfuse": "Google Drive",
    "fuse.onedriver": "OneDrive",
    "fuse.seadrive": "Seafile",
}
_MEMORY = {"tmpfs", "ramfs", "devtmpfs"}
_DISK = {
    "ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs", "vfat", "msdos", "exfat", "ntfs", "ntfs3",
    "fuseblk", "hfs", "hfsplus", "udf", "jfs", "reiserfs", "apfs", "fuse.exfat", "fuse.ntfs-3g", "fuse.veracrypt",
}  # fmt: skip
# Where the system mounts what is its own: looking there for a stick would be looking at everything.
_SYSTEM = {
    f"/{name}" for name in ["", "boot", "efi", "home", "usr", "var", "tmp", "opt", "srv", "root", "etc", "nix", "gnu"]
}
_SYSTEM_BELOW = ("/proc/", "/sys/", "/dev/", "/run/", "/boot/", "/snap/", "/var/lib/", "/var/snap/", "/usr/", "/etc/")
_MEDIA = ("/run/media/",)
_OCTAL = re.compile(rb"\\([0-7]{3})")
_DEEP = 8  # encryption on volume groups on arrays on disks: no more than this is followed


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo: where, which kind of file system, from what, the device's number."""

    point: str
    kind: str
    source: str
    number: str  # major:minor


def parse_mountinfo(data: bytes) -> list[Mount]:
    """In the order of mounting; lines that do not read are passed over (proc(5): `-` ends the optional fields)."""
    found = []
    for line in data.split(b"\n"):
        fields = line.split(b" ")
        try:
            dash = fields.index(b"-", 6)
            point, kind, source, number = (_plain(fields[at]) for at in (4, dash + 1, dash + 2, 2))
        except (ValueError, IndexError):
            continue
        found.append(Mount(point, kind, source, number))
    return found


def _plain(field: bytes) -> str:
    r"""Spaces and the like stand as `\040`."""
    return os.fsdecode(_OCTAL.sub(lambda octal: bytes([int(octal[1], 8) & 0xFF]), field))


class LinuxVolumes:
    """Implements `ports.Volumes`. The folders that the kernel and udev speak through are arguments for tests alone."""

    def __init__(self, proc: Path = Path("/proc"), sys: Path = Path("/sys"), dev: Path = Path("/dev")) -> None:
        self._mountinfo = proc / "self" / "mountinfo"
        self._sys = sys
        self._dev = dev

    def of(self, folder: Path) -> Volume:
        with plain_errors(folder):
            real = folder.resolve(strict=True)
            device = real.stat().st_dev
            told = os.statvfs(real)
        read_only = bool(told.f_flag & os.ST_RDONLY)
        mount = self._mount_of(str(real))
        if mount is None:
            service = cloud_of(real)
            kind = "unknown" if service is None else "cloud"
            return Volume(kind, _folder_of(service), Path("/"), device, read_only=read_only)
        service = _CLOUD.get(mount.kind) or cloud_of(real)
        below = self._kind(mount)
        kind = "cloud" if service is not None else below
        number = self._number(mount)
        identity = self._linked("by-uuid", number)
        if identity is None and below == "fixed" and told.f_fsid:
            # Without udev: else the empty folder that a disk is mounted on would pass for that disk. Of some file
            # systems this is the device's number, which two sticks may have by turns: so of built-in disks alone.
            identity = f"fsid-{told.f_fsid:016x}"
        name = _folder_of(service) if service is not None else self._name(kind, mount, number)
        return Volume(kind, name, Path(mount.point), device, identity, read_only)

    def mounts(self) -> list[Path]:
        """From the kernel's table alone: no mount is touched, since one that does not answer holds up whoever asks it.
        Network folders are left out.
        """
        points = {}
        for mount in self._all():
            wanted = (mount.kind in _DISK or mount.kind in _MEMORY) and not _is_system(mount.point)
            points[mount.point] = wanted  # a later mount covers an earlier one
        return [Path(point) for point, wanted in points.items() if wanted]

    # Helpers

    def _all(self) -> list[Mount]:
        try:
            return parse_mountinfo(self._mountinfo.read_bytes())
        except OSError:
            return []

    def _mount_of(self, path: str) -> Mount | None:
        found: Mount | None = None
        for mount in self._all():
            inside = mount.point == "/" or path == mount.point or path.startswith(f"{mount.point}/")
            if inside and (found is None or len(mount.point) >= len(found.point)):
                found = mount
        return found

    def _kind(self, mount: Mount) -> str:
        if mount.kind in _NETWORK:
            return "network"
        if mount.kind in _MEMORY:
            return "memory"
        if mount.kind == "overlay":
            return "fixed"  # a container's own folder
        number = self._number(mount)
        if number is None:
            return "unknown"
        return self._kind_of_device(number, _DEEP)

    def _number(self, mount: Mount) -> str | None:
        """major:minor of the block device below. Btrfs and some others give mounts a number of their own."""
        if mount.source.startswith("/dev/"):
            try:
                seen = (self._dev / mount.source.removeprefix("/dev/")).stat()
            except OSError:
                pass
            else:
                if stat.S_ISBLK(seen.st_mode):
                    return f"{os.major(seen.st_rdev)}:{os.minor(seen.st_rdev)}"
        return None if mount.number.startswith("0:") else mount.number

    def _kind_of_device(self, number: str, depth: int) -> str:
        try:
            found = (self._sys / "dev" / "block" / number).resolve(strict=True)
        except OSError:
            return "unknown"
        disk = found.parent if (found / "partition").exists() else found
        if re.search(r"/usb[0-9]", str(disk)) or self._word(disk / "removable") == "1" or (disk / "loop").exists():
            return "removable"  # an image in a file can go away as well
        below = _children(disk / "slaves")
        if below and depth:
            kinds = {self._kind_of_device(self._word(each / "dev"), depth - 1) for each in below}
            return "removable" if "removable" in kinds else "unknown" if "unknown" in kinds else "fixed"
        return "fixed"

    @staticmethod
    def _word(path: Path) -> str:
        try:
            return path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return ""

    def _linked(self, folder: str, number: str | None) -> str | None:
        """The name under which udev links this device."""
        if number is None:
            return None
        for link in _children(self._dev / "disk" / folder):
            try:
                device = link.stat().st_rdev
            except OSError:
                continue
            if f"{os.major(device)}:{os.minor(device)}" == number:
                return re.sub(r"\\x([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), link.name)
        return None

    def _name(self, kind: str, mount: Mount, number: str | None) -> str:
        if kind == "network":
            host = _host(mount.source)
            return f"network folder on {host}" if host else "network folder"
        label = self._linked("by-label", number) or ("" if kind == "fixed" else Path(mount.point).name)
        return f"USB stick {label}" if kind == "removable" and label else label


def _folder_of(service: str | None) -> str:
    """As the port has it: "Dropbox's folder"."""
    return "" if service is None else f"{service}'s folder"


def _host(source: str) -> str:
    """`nas` of `nas:/export`, `//nas/share`, `anna@nas:folder`; "" of anything else."""
    found = re.match(r"//([^/@]+)/", source) or re.match(r"(?:[^@/]*@)?([A-Za-z0-9.\-]+):", source)
    return found[1] if found else ""


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _is_system(point: str) -> bool:
    if point.startswith(_MEDIA):
        return False
    return point in _SYSTEM or f"{point}/".startswith(_SYSTEM_BELOW)
