"""What a folder lies on: this machine's own, and made-up ones with the kernel's words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

if not sys.platform.startswith("linux"):
    pytest.skip("the other systems' are untested so far", allow_module_level=True)

from notevault.adapters.volumes import this_volumes
from notevault.adapters.volumes_cloud import cloud_of, marked_by
from notevault.adapters.volumes_linux import LinuxVolumes, Mount, parse_mountinfo
from notevault.backup.model import PlaceFile
from notevault.backup.places.registry import is_emptied
from notevault.errors import NotFound
from notevault.ports import Volume
from tests.backup_day.sticks import NoSticks, Stick

pytestmark = pytest.mark.disk

LINE = b"36 35 %s / %s rw,noatime shared:1 - %s %s rw,errors=continue\n"


def line(point: str, kind: str, source: str, number: str = "0:99") -> bytes:
    escaped = point.encode().replace(b" ", rb"\040")
    return LINE % (number.encode(), escaped, kind.encode(), source.encode())


class Machine:
    """A /proc, /sys and /dev of our own making."""

    def __init__(self, tmp: Path, *mounts: bytes) -> None:
        self.tmp = tmp
        (tmp / "proc/self").mkdir(parents=True)
        (tmp / "sys/dev/block").mkdir(parents=True)
        (tmp / "dev/disk/by-uuid").mkdir(parents=True)
        (tmp / "proc/self/mountinfo").write_bytes(line("/", "ext4", "/dev/root", "8:1") + b"".join(mounts))
        self.block("8:1", "pci0000:00/nvme0n1")

    def block(self, number: str, device: str, *, removable: bool = False, below: tuple[str, ...] = ()) -> None:
        folder = self.tmp / "sys/devices" / device
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dev").write_text(f"{number}\n")
        (folder / "removable").write_text("1\n" if removable else "0\n")
        for each in below:
            (folder / "slaves" / each.replace(":", "-")).mkdir(parents=True)
            (folder / "slaves" / each.replace(":", "-") / "dev").write_text(f"{each}\n")
        (self.tmp / "sys/dev/block" / number).symlink_to(folder)

    @property
    def volumes(self) -> LinuxVolumes:
        return LinuxVolumes(self.tmp / "proc", self.tmp / "sys", self.tmp / "dev")


def at(tmp: Path, kind: str, source: str, number: str = "0:99", name: str = "point") -> tuple[Path, bytes]:
    folder = (tmp / name).resolve()
    folder.mkdir()
    return folder, line(str(folder), kind, source, number)


# This machine


def test_every_folder_lies_on_something(tmp_path: Path) -> None:
    found = this_volumes().of(tmp_path)
    assert found.device == tmp_path.stat().st_dev
    assert found.mount in (tmp_path.resolve(), *tmp_path.resolve().parents)
    assert not found.read_only


def test_memory_is_told_from_a_disk() -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir():
        pytest.skip("no /dev/shm here")
    assert this_volumes().of(shm).kind == "memory"


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        this_volumes().of(tmp_path / "none")


def test_the_systems_own_mounts_are_no_sticks() -> None:
    for mount in this_volumes().mounts():
        assert str(mount) != "/"
        assert not str(mount).startswith(("/proc", "/sys", "/dev"))


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    point = tmp_path.resolve() / "a stick ü"
    point.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "t", str(point)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("this system lets nobody mount")
    yield point
    subprocess.run(["umount", "-l", str(point)], capture_output=True)


@pytest.mark.root
def test_what_is_plugged_in_is_seen_and_what_is_pulled_out_is_not(mounted: Path) -> None:
    volumes = this_volumes()
    assert mounted in volumes.mounts()
    found = volumes.of(mounted)
    assert found.mount == mounted
    assert found.device != volumes.of(mounted.parent).device
    subprocess.run(["mount", "-o", "remount,ro", str(mounted)], check=True)
    assert volumes.of(mounted).read_only
    subprocess.run(["umount", str(mounted)], check=True)
    assert mounted not in volumes.mounts()


class BuiltIn(LinuxVolumes):
    """This machine as if its disks were built in and there were no udev; `own` is for the kernel's made-up words."""

    def __init__(self, own: Path, *folders: Path) -> None:
        for at, number in enumerate({_device(folder) for folder in folders}):
            device = own / "sys/devices" / f"nvme{at}n1"
            device.mkdir(parents=True)
            (own / "sys/dev/block").mkdir(parents=True, exist_ok=True)
            (own / "sys/dev/block" / number).symlink_to(device)
        super().__init__(Path("/proc"), own / "sys", own / "dev")


def _device(folder: Path) -> str:
    number = folder.stat().st_dev
    return f"{os.major(number)}:{os.minor(number)}"


@pytest.fixture
def second_disk(tmp_path: Path) -> Iterator[Stick]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    try:
        disk = Stick(tmp_path / "second", 16)
    except (NoSticks, OSError) as why:
        pytest.skip(f"no disks here: {why}")
    yield disk
    disk.eject(lazy=True)


@pytest.mark.root
def test_a_built_in_disk_that_is_not_mounted_is_not_plugged_in_and_one_that_was_emptied_is(
    second_disk: Stick, tmp_path: Path
) -> None:
    """The folder that it is mounted on stays, on another disk without a number of its own."""
    volumes = BuiltIn(tmp_path / "own", tmp_path, second_disk.place)
    if volumes.of(tmp_path).kind != "fixed":
        pytest.skip("this folder lies on no disk")
    folder = second_disk.place / "backups"
    folder.mkdir()
    found = volumes.of(folder)
    assert found.kind == "fixed"
    assert found.identity
    known = PlaceFile("a" * 32, "Second", str(folder), found.kind, 1, found.identity)
    second_disk.eject()
    assert volumes.of(second_disk.place).identity != found.identity
    assert not is_emptied(known, volumes)
    second_disk.plug()
    assert volumes.of(folder) == found
    folder.rmdir()
    assert is_emptied(known, volumes)


# Machines of our own making


@pytest.mark.parametrize(
    ("device", "removable", "kind"),
    [
        ("pci0000:00/nvme1n1", False, "fixed"),
        ("pci0000:00/usb2/2-1/host4/block/sda", False, "removable"),  # a disk on USB calls itself fixed
        ("platform/mmc1/block/mmcblk1", True, "removable"),
    ],
)
def test_what_can_be_pulled_out_is_removable(tmp_path: Path, device: str, removable: bool, kind: str) -> None:
    folder, mount = at(tmp_path, "ext4", "/dev/sdz1", "8:16")
    machine = Machine(tmp_path / "m", mount)
    machine.block("8:16", device, removable=removable)
    assert machine.volumes.of(folder).kind == kind


def test_an_encrypted_stick_is_a_stick(tmp_path: Path) -> None:
    folder, mount = at(tmp_path, "ext4", "/dev/mapper/luks-1", "254:3")
    machine = Machine(tmp_path / "m", mount)
    machine.block("254:3", "virtual/block/dm-3", below=("8:16",))
    machine.block("8:16", "pci0000:00/usb2/2-1/host4/block/sda")
    assert machine.volumes.of(folder).kind == "removable"


def test_what_the_system_does_not_tell_is_unknown_and_never_fixed(tmp_path: Path) -> None:
    folder, mount = at(tmp_path, "ext4", "/dev/sdz1", "8:99")
    assert Machine(tmp_path / "m", mount).volumes.of(folder).kind == "unknown"
    assert LinuxVolumes(tmp_path / "no", tmp_path / "no", tmp_path / "no").of(folder).kind == "unknown"
    assert LinuxVolumes(tmp_path / "no", tmp_path / "no", tmp_path / "no").mounts() == []


@pytest.mark.parametrize(
    ("kind", "source", "found", "name"),
    [
        ("nfs4", "nas:/export/eva", "network", "network folder on nas"),
        ("cifs", "//nas.home/eva", "network", "network folder on nas.home"),
        ("fuse.sshfs", "eva@server:backup", "network", "network folder on server"),
        ("fuse.gvfsd-fuse", "gvfsd-fuse", "network", "network folder"),
        ("tmpfs", "tmpfs", "memory", "point"),
        ("fuse.rclone", "remote:", "cloud", "A cloud service's folder"),
        ("fuse.strange", "strange", "unknown", "point"),
    ],
)
def test_kinds_and_names_of_what_is_mounted(tmp_path: Path, kind: str, source: str, found: str, name: str) -> None:
    folder, mount = at(tmp_path, kind, source)
    volume = Machine(tmp_path / "m", mount).volumes.of(folder)
    assert (volume.kind, volume.name) == (found, name)
    assert volume.mount == folder


def test_network_folders_are_not_searched_for_sticks(tmp_path: Path) -> None:
    """A server that does not answer would hold up every look for a stick."""
    stick, one = at(tmp_path, "vfat", "/dev/sdz1", "8:16", "stick")
    _, two = at(tmp_path, "nfs4", "nas:/x", "0:50", "nas")
    system = line("/boot/efi", "vfat", "/dev/sda1", "8:1")
    assert Machine(tmp_path / "m", one, two, system).volumes.mounts() == [stick]


def test_a_mount_that_answers_with_an_error_hides_no_other(tmp_path: Path) -> None:
    """As a stick that was pulled out without being unmounted; here a name that is too long for any look at it."""
    folder, mounted_line = at(tmp_path, "ext4", "/dev/sdb1")
    dead = line(f"/media/{'x' * 300}", "ext4", "/dev/sdc1")
    assert folder in Machine(tmp_path, dead, mounted_line).volumes.mounts()


def test_the_mounts_are_read_from_the_table_and_none_of_them_is_touched(tmp_path: Path) -> None:
    """A look at one that does not answer would never end: what is not there at all is listed like any other."""
    nowhere = line("/media/nobody/gone", "fuse.veracrypt", "/dev/sdb1")
    assert Machine(tmp_path, nowhere).volumes.mounts() == [Path("/media/nobody/gone")]


def test_the_later_of_two_mounts_counts(tmp_path: Path) -> None:
    folder, below = at(tmp_path, "ext4", "/dev/sdz1", "8:16")
    above = line(str(folder), "tmpfs", "tmpfs")
    assert Machine(tmp_path / "m", below, above).volumes.of(folder).kind == "memory"


def test_only_a_built_in_disk_is_known_again_without_udev(tmp_path: Path) -> None:
    """What FAT sticks tell of themselves is the number of the socket: two of them in turns would pass for one."""
    stick, one = at(tmp_path, "vfat", "/dev/sdz1", "8:16", "stick")
    disk, two = at(tmp_path, "ext4", "/dev/sdy1", "8:32", "disk")
    machine = Machine(tmp_path / "m", one, two)
    machine.block("8:16", "pci0000:00/usb2/2-1/host4/block/sda")
    machine.block("8:32", "pci0000:00/nvme1n1")
    assert machine.volumes.of(stick).identity is None
    assert str(machine.volumes.of(disk).identity).startswith("fsid-")


def test_a_neighbour_with_a_longer_name_is_not_inside(tmp_path: Path) -> None:
    _, mount = at(tmp_path, "nfs4", "nas:/x", "0:50", "BLUE")
    other = tmp_path / "BLUE2"
    other.mkdir()
    assert Machine(tmp_path / "m", mount).volumes.of(other).kind == "fixed"


def test_spaces_and_other_scripts_in_a_mount_are_read() -> None:
    found = parse_mountinfo(line("/media/eva/Büro Stick", "vfat", "/dev/sdb1", "8:17"))
    assert found == [Mount("/media/eva/Büro Stick", "vfat", "/dev/sdb1", "8:17")]


@given(st.binary(max_size=300) | st.lists(st.sampled_from([b"-", b"1", b"/", b"\\0", b"\xff", b""])).map(b" ".join))
def test_lines_that_do_not_read_are_passed_over(data: bytes) -> None:
    good = line("/good", "ext4", "/dev/sda1", "8:1")
    assert parse_mountinfo(data + b"\n" + good)[-1] == Mount("/good", "ext4", "/dev/sda1", "8:1")


# Cloud folders


@pytest.mark.parametrize(
    ("mark", "service"),
    [
        (".dropbox.cache", "Dropbox"),
        (".sync_1234abcd.db", "Nextcloud"),
        ("._sync_1234.db", "Nextcloud"),
        (".stfolder", "Syncthing"),
        (".sync_notes.txt", None),
        ("dropbox.txt", None),
    ],
)
def test_a_folder_is_known_by_its_clients_mark(tmp_path: Path, mark: str, service: str | None) -> None:
    inner = tmp_path / "shared" / "practice"
    inner.mkdir(parents=True)
    (tmp_path / "shared" / mark).write_bytes(b"")
    assert marked_by(inner) == service
    found = this_volumes().of(inner)
    assert (found.kind == "cloud") is (service is not None)
    if service is not None:
        assert found.name == f"{service}'s folder"


def test_dropbox_says_itself_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "anywhere" / "in"
    folder.mkdir(parents=True)
    (tmp_path / ".dropbox").mkdir()
    (tmp_path / ".dropbox/info.json").write_text(json.dumps({"personal": {"path": str(folder.parent)}, "x": 3}))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cloud_of(folder) == "Dropbox"
    assert cloud_of(tmp_path) is None  # the home folder itself, where the client keeps its settings
    for junk in ("[", "[]", "null", '{"personal": {"path": 7}}'):
        (tmp_path / ".dropbox/info.json").write_text(junk)
        assert cloud_of(folder) is None


def test_a_volume_is_a_plain_value(tmp_path: Path) -> None:
    assert this_volumes().of(tmp_path) == this_volumes().of(tmp_path)
    assert isinstance(this_volumes().of(tmp_path), Volume)
