"""Every folder that somebody may name: one sentence and a next step for each, and nothing lost.

Real folders of a real disk; what they lie on is told by a made-up Volumes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace
from notevault.backup.model import PlaceState
from notevault.backup.places import layout as place
from notevault.backup.places.adding import Added, add
from notevault.backup.places.layout import Marker, base
from notevault.backup.places.registry import Places, find
from notevault.errors import (
    CannotWrite,
    Damaged,
    DiskFull,
    NotevaultError,
    NotFound,
    Refused,
    StorageFault,
    UsageFault,
)
from notevault.ports import Volume
from tests.fakes.places import FakeVolumes, PlaceDisk
from tests.fakes.simple import FakeEntropy

VAULT = "a" * 32
DEVICE = "d" * 32
NOW = 1_763_715_600_000


@dataclass
class Desk:
    """A laptop with a vault, and sticks that are folders with a file system of their own."""

    tmp: Path
    table: list[Volume] = field(default_factory=list)
    seed: int = 0

    def __post_init__(self) -> None:
        self.vault = self.folder("laptop/data/vault")
        self.local_root = self.folder("laptop/state")
        self.places = Places(DiskFiles(), self.local_root / VAULT)
        self.table.append(Volume("fixed", "", self.tmp, 1))

    def folder(self, name: str) -> Path:
        path = self.tmp / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def stick(self, name: str, kind: str = "removable", *, read_only: bool = False) -> Path:
        path = self.folder(name)
        number = len(self.table) + 1
        self.table.append(Volume(kind, name, path, number, f"id-{number}", read_only))
        return path

    def add(self, folder: Path, name: str | None = None) -> Added:
        self.seed += 1
        return add(
            DiskFiles(),
            self.places,
            self.vault,
            self.local_root,
            VAULT,
            folder,
            name,
            FakeVolumes(*self.table),
            lambda root: DiskPlace(root, DEVICE),
            FakeEntropy(self.seed),
            NOW,
        )

    def refuses(self, folder: Path, kind: type[NotevaultError], name: str | None = None) -> str:
        """The sentence; nothing is written anywhere and nothing is remembered."""
        before = self.everything()
        with pytest.raises(kind) as told:
            self.add(folder, name)
        assert type(told.value) is kind
        assert told.value.next_step
        assert self.everything() == before
        return told.value.sentence

    def everything(self) -> list[tuple[str, bytes]]:
        return sorted(
            (str(path), path.read_bytes() if path.is_file() and not path.is_symlink() else b"")
            for path in self.tmp.rglob("*")
            if not path.name.startswith(".stage-")
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path.resolve())


def test_a_folder_becomes_a_backup_place(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    added = desk.add(blue)
    assert added.fresh
    assert added.remarks == []
    assert (added.place.name, added.place.kind, added.place.path) == ("BLUE", "removable", str(blue))
    assert added.place.added_ms == NOW
    assert desk.places.all() == [added.place]
    marker = Marker.decode((base(blue, VAULT) / "VAULT.json").read_bytes())
    assert marker == Marker(added.place.id, VAULT)
    assert (blue / "notevault" / "READ-ME.txt").read_bytes() == place.README
    assert {path.name for path in (blue / "notevault").iterdir()} == {"READ-ME.txt", VAULT}
    folder, _ = find(added.place, VAULT, FakeVolumes(*desk.table), lambda root: DiskPlace(root, DEVICE))
    assert folder == blue


def test_what_else_lies_in_the_folder_stays(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    (blue / "holiday.jpg").write_bytes(b"sea")
    (blue / "notevault").mkdir()
    (blue / "notevault" / "READ-ME.txt").write_bytes(b"mine")
    desk.add(blue)
    assert (blue / "holiday.jpg").read_bytes() == b"sea"
    assert (blue / "notevault" / "READ-ME.txt").read_bytes() == b"mine"


# Where it may not be


@pytest.mark.parametrize("where", ["laptop/data/vault", "laptop/data/vault/blobs"])
def test_not_inside_the_vault(desk: Desk, where: str) -> None:
    assert "inside the vault" in desk.refuses(desk.folder(where), Refused)


@pytest.mark.parametrize("where", ["laptop/data", "laptop", "."])
def test_not_around_the_vault(desk: Desk, where: str) -> None:
    assert "inside that folder" in desk.refuses(desk.tmp / where, Refused)


@pytest.mark.parametrize("where", ["laptop/state", f"laptop/state/{VAULT}"])
def test_not_in_this_laptops_own_folder(desk: Desk, where: str) -> None:
    desk.refuses(desk.folder(where), Refused)


def test_not_inside_the_vault_by_another_way(desk: Desk) -> None:
    link = desk.tmp / "link"
    link.symlink_to(desk.vault)
    desk.refuses(link, Refused)


def test_not_deep_in_another_backup_place(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    desk.add(blue)
    deep = base(blue, VAULT) / "blobs"
    deep.mkdir()
    desk.refuses(deep, Refused)


@pytest.mark.parametrize("named", ["notevault", f"notevault/{VAULT}"])
def test_who_names_the_folder_that_we_made_means_the_one_around_it(desk: Desk, named: str) -> None:
    blue = desk.stick("BLUE")
    first = desk.add(blue)
    again = desk.add(blue / named)
    assert again.place == first.place
    assert not again.fresh
    assert not (blue / "notevault" / "notevault").exists()


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda path: None, NotFound),
        (lambda path: path.write_bytes(b"x"), UsageFault),
        (lambda path: path.symlink_to("/nowhere/at/all"), NotFound),
        (lambda path: path.symlink_to(path), UsageFault),
        (lambda path: os.mkfifo(path), UsageFault),
    ],
    ids=["missing", "a file", "a link to nothing", "a ring", "a pipe"],
)
def test_what_is_no_folder_is_named_as_such(desk: Desk, make: Callable[[Path], object], kind: type) -> None:
    make(desk.tmp / "x")
    desk.refuses(desk.tmp / "x", kind)


def test_a_path_that_is_no_text_is_refused(desk: Desk) -> None:
    odd = Path(os.fsdecode(os.fsencode(desk.tmp) + b"/\xff\xfe"))
    odd.mkdir()
    desk.refuses(odd, UsageFault)


# What cannot be written to


def test_a_read_only_stick_is_refused(desk: Desk) -> None:
    desk.refuses(desk.stick("DISC", read_only=True), CannotWrite)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_refused(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    blue.chmod(0o500)
    desk.refuses(blue, CannotWrite)
    blue.chmod(0o700)


@pytest.mark.parametrize(("kind", "error"), [({"read_only": True}, CannotWrite), ({"capacity": 10}, DiskFull)])
def test_a_place_that_cannot_take_the_marker_is_none(desk: Desk, kind: dict[str, int], error: type) -> None:
    blue = desk.stick("BLUE")
    disk = PlaceDisk(blue, **kind)  # type: ignore[arg-type]
    with pytest.raises(error):
        add_to(desk, disk, blue)
    assert desk.places.all() == []
    assert not [path for path in disk.tree() if path.endswith("VAULT.json")]


@pytest.mark.parametrize("step", range(1, 12))
def test_killed_at_any_step_it_is_a_place_at_the_next_try(desk: Desk, step: int) -> None:
    from tests.fakes.files import CrashNow

    blue = desk.stick("BLUE")
    disk = PlaceDisk(blue)
    disk.crash_at(step)
    try:
        add_to(desk, disk, blue)
    except CrashNow:
        assert desk.places.all() == []
    for after in (disk.after_kill(), disk.after_power_cut()):
        added = add_to(desk, after, blue)
        assert desk.places.all() == [added.place]
        desk.places.forget(added.place.id)


def test_a_stick_pulled_out_while_it_is_added_is_none(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    disk = PlaceDisk(blue)
    disk.vanish_at(4)
    with pytest.raises((StorageFault, NotFound)):
        add_to(desk, disk, blue)
    assert desk.places.all() == []


def test_a_place_that_lies_about_what_it_wrote_is_none(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    with pytest.raises((StorageFault, Damaged)):
        add_to(desk, PlaceDisk(blue, lying=True), blue)
    assert desk.places.all() == []


def add_to(desk: Desk, disk: PlaceDisk, folder: Path) -> Added:
    volumes = FakeVolumes(*desk.table)
    args = (DiskFiles(), desk.places, desk.vault, desk.local_root, VAULT, folder, None, volumes, disk.open)
    return add(*args, FakeEntropy(9), NOW)


# Markers


def test_the_same_folder_twice_is_one_place(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    first = desk.add(blue)
    desk.places.save_state(first.place.id, PlaceState(files=5))
    again = desk.add(blue)
    assert not again.fresh
    assert again.place == first.place
    assert desk.places.state(first.place.id).files == 5
    assert "already" in again.remarks[0]


def test_a_place_can_get_another_name(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    first = desk.add(blue)
    assert desk.add(blue, "Safe at home").place.name == "Safe at home"
    assert [known.id for known in desk.places.all()] == [first.place.id]


def test_a_place_that_moved_is_known_at_its_new_path(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    first = desk.add(blue)
    desk.places.save_state(first.place.id, PlaceState(files=5))
    moved = desk.tmp / "BLUE1"
    blue.rename(moved)
    desk.table[-1] = Volume("removable", "BLUE", moved, 9, "id-9")
    again = desk.add(moved)
    assert not again.fresh
    assert again.place.id == first.place.id
    assert again.place.path == str(moved)
    assert [known.path for known in desk.places.all()] == [str(moved)]
    assert desk.places.state(first.place.id).files == 5


def test_a_clone_of_a_stick_is_refused_while_the_other_is_there(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    desk.add(blue)
    clone = desk.stick("CLONE")
    shutil.copytree(blue / "notevault", clone / "notevault")
    assert "copy of the backup place BLUE" in desk.refuses(clone, Refused)


def test_a_place_that_this_laptop_forgot_is_taken_up_again(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    first = desk.add(blue)
    desk.places.forget(first.place.id)
    again = desk.add(blue)
    assert not again.fresh
    assert again.place.id == first.place.id
    assert "already" in again.remarks[0]


@pytest.mark.parametrize(
    "marker", [b"", b"junk", Marker("1" * 32, "b" * 32).encode()], ids=["empty", "junk", "another vault's"]
)
def test_a_marker_that_is_not_ours_is_never_replaced(desk: Desk, marker: bytes) -> None:
    blue = desk.stick("BLUE")
    base(blue, VAULT).mkdir(parents=True)
    (base(blue, VAULT) / "VAULT.json").write_bytes(marker)
    desk.refuses(blue, Damaged)


@pytest.mark.parametrize("at", ["notevault", f"notevault/{VAULT}", f"notevault/{VAULT}/VAULT.json"])
def test_planted_links_are_refused(desk: Desk, at: str) -> None:
    blue = desk.stick("BLUE")
    elsewhere = desk.folder("elsewhere")
    (blue / at).parent.mkdir(parents=True, exist_ok=True)
    (blue / at).symlink_to(elsewhere)
    desk.refuses(blue, Damaged)
    assert list(elsewhere.iterdir()) == []


def test_two_vaults_side_by_side_do_not_touch_each_other(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    other = base(blue, "b" * 32)
    other.mkdir(parents=True)
    (other / "VAULT.json").write_bytes(Marker("1" * 32, "b" * 32).encode())
    before = (other / "VAULT.json").read_bytes()
    assert desk.add(blue).fresh
    assert (other / "VAULT.json").read_bytes() == before


def test_another_stick_at_a_known_path_is_a_place_of_its_own(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    first = desk.add(blue)
    blue.rename(desk.tmp / "pulled out")
    del desk.table[-1]
    desk.stick("spare")
    desk.stick("BLUE")
    second = desk.add(blue)
    assert second.fresh
    assert second.place.id != first.place.id
    assert second.place.name == "BLUE 2"
    assert "BLUE was at this path before" in second.remarks[0]
    assert len(desk.places.all()) == 2


@pytest.mark.parametrize("kind", ["removable", "fixed", "cloud"])
@pytest.mark.parametrize("gone", ["marker", "all", "folder"])
def test_a_place_that_was_deleted_from_its_disk_is_replaced_by_a_new_one_there(
    desk: Desk, kind: str, gone: str
) -> None:
    blue = desk.stick("BLUE", kind)
    folder = desk.folder("BLUE/backups")
    first = desk.add(folder, "Desk")
    desk.add(desk.stick("RED"))
    desk.places.save_state(first.place.id, PlaceState(verdict="emptied", files=9))
    if gone == "marker":
        (base(folder, VAULT) / "VAULT.json").unlink()
    else:
        shutil.rmtree(folder if gone == "folder" else folder / "notevault")
        folder.mkdir(exist_ok=True)
    second = desk.add(folder)
    assert blue.exists()
    assert second.fresh
    assert second.place.id != first.place.id
    assert second.place.name == "Desk"
    assert "is gone" in second.remarks[0]
    assert sorted(each.id for each in desk.places.all()) == sorted({second.place.id, desk.places.get("RED").id})
    assert desk.places.state(second.place.id) == PlaceState()
    assert not (desk.places.root / first.place.id / "state").exists()


# Names


def test_a_name_that_is_taken_is_refused(desk: Desk) -> None:
    desk.add(desk.stick("BLUE"), "Desk")
    assert "has that name" in desk.refuses(desk.stick("RED"), UsageFault, "desk")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"), ("  ", "empty"), ("x" * 61, "too long: 61"), ("two\nlines", "cannot be shown"),
        ("bell\a", "cannot be shown"), ("1" * 32, "looks like a number"), ("--full", "begin with a dash"),
    ],
)  # fmt: skip
def test_a_name_that_spoils_a_line_is_refused_and_why_is_said(desk: Desk, name: str, why: str) -> None:
    assert why in desk.refuses(desk.stick("BLUE"), UsageFault, name)


def test_a_cloud_service_is_called_by_its_name_and_is_no_second_folder_on_this_disk(desk: Desk) -> None:
    desk.add(desk.stick("Disk", "fixed"), "Disk")
    folder = desk.folder("somewhere")
    desk.table.append(Volume("cloud", "Dropbox's folder", folder, 1))
    added = desk.add(folder)
    assert added.place.name == "Dropbox"
    assert [remark for remark in added.remarks if "same disk" in remark] == []


def test_names_of_its_own_choice_are_free_ones(desk: Desk) -> None:
    one = desk.add(desk.stick("a/BLUE", "fixed")).place.name
    two = desk.add(desk.stick("b/BLUE", "fixed")).place.name
    assert (one, two) == ("BLUE", "BLUE 2")


# Remarks


def test_the_vaults_own_disk_is_no_second_place(desk: Desk) -> None:
    added = desk.add(desk.folder("beside"))
    assert "same disk as the vault" in added.remarks[0]


def test_one_disk_is_one_copy(desk: Desk) -> None:
    blue = desk.stick("BLUE")
    desk.add(desk.folder("BLUE/one"), "One")
    added = desk.add(desk.folder("BLUE/two"), "Two")
    assert any("same disk as the backup place One" in remark for remark in added.remarks)
    assert blue.is_dir()


@pytest.mark.parametrize(("kind", "words"), [("cloud", "handed over"), ("memory", "gone at the next start")])
def test_what_a_place_cannot_do_is_said(desk: Desk, kind: str, words: str) -> None:
    assert any(words in remark for remark in desk.add(desk.stick("X", kind)).remarks)


def test_of_a_place_in_the_same_memory_as_the_vault_the_worse_of_the_two_is_said_alone(desk: Desk) -> None:
    stick = desk.stick("X", "memory")
    desk.table.append(Volume("memory", "shm", desk.vault.parent, desk.table[-1].device))
    said = desk.add(stick).remarks
    assert [remark for remark in said if "at the next start" in remark] == list(said)


def test_a_vault_in_a_cloud_folder_is_remarked(desk: Desk) -> None:
    desk.table.append(Volume("cloud", "Dropbox's folder", desk.vault.parent, 1))
    assert any("The vault itself lies in a folder" in remark for remark in desk.add(desk.stick("BLUE")).remarks)
