"""The contract of WriteOnce: the real one on a real disk, and the harsher fake, behave the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.adapters.place_files import DiskPlace
from notevault.errors import Damaged, NotFound, OwnFault
from notevault.ports import Tree, WriteOnce
from tests.fakes.places import PlaceDisk

DEVICE = "d" * 32
DAY = "2025-11-21"
LOG = "ab" * 16
HOLDING = ("entries", "parts", "seals")


class Ground:
    """A place to write to, and a hand that touches it from outside."""

    def __init__(self, kind: str, tmp: Path) -> None:
        self.kind = kind
        self.top = tmp / "stick"
        self.disk = PlaceDisk(self.top)
        if kind == "disk":
            self.top.mkdir()

    def open(self) -> WriteOnce:
        return DiskPlace(self.top, DEVICE) if self.kind == "disk" else self.disk.open(self.top)

    def put(self, path: str, data: bytes) -> None:
        if self.kind == "disk":
            (self.top / path).parent.mkdir(parents=True, exist_ok=True)
            (self.top / path).write_bytes(data)
        else:
            self.disk.put(self.top / path, data)

    def make(self, path: str) -> None:
        if self.kind == "disk":
            (self.top / path).mkdir(parents=True, exist_ok=True)
        else:
            self.disk.make(self.top / path)

    def link(self, path: str) -> None:
        if self.kind == "disk":
            (self.top / path).parent.mkdir(parents=True, exist_ok=True)
            (self.top / path).symlink_to(self.top.parent)
        else:
            self.disk.put(self.top / path, b"", link=True)

    def take_away(self) -> None:
        if self.kind == "disk":
            self.top.rename(self.top.parent / "unplugged")
        else:
            self.disk.unplug()

    def left_over(self) -> list[str]:
        if self.kind == "disk":
            return [p.name for p in self.top.glob(".stage-*/*")]
        return [p for p in self.disk.files if "/.stage-" in p]


@pytest.fixture(params=["disk", "fake"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    return Ground(request.param, tmp_path)


@pytest.fixture
def place(ground: Ground) -> WriteOnce:
    place = ground.open()
    place.make_folders(["blobs/aa", "blobs/bb"])
    return place


def test_what_was_added_is_read_listed_and_sized(ground: Ground, place: WriteOnce) -> None:
    place.add("blobs/aa/one", b"first")
    assert place.add_batch([("blobs/aa/two", b"second"), ("blobs/bb/three", b"")]) == 2
    tree: Tree = ground.open()
    assert tree.read("blobs/aa/one", limit=5) == b"first"
    assert b"".join(tree.stream("blobs/aa/two", chunk=4)) == b"second"
    assert tree.size("blobs/bb/three") == 0
    assert tree.names("blobs/aa") == {"one", "two"}
    listed = tree.listing("blobs/aa")
    assert {name: (seen.kind, seen.size, seen.offline) for name, seen in listed.items()} == {
        "one": ("file", 5, False),
        "two": ("file", 6, False),
    }
    assert {name for name, seen in tree.listing("blobs").items() if seen.kind == "folder"} == {"aa", "bb"}
    assert ground.left_over() == []


def test_absent_things_are_absent(ground: Ground, place: WriteOnce) -> None:
    assert place.names("blobs/cc") == set()
    assert place.listing("headers/x/y") == {}
    assert place.size("blobs/aa/none") is None
    assert place.size("nowhere/none") is None
    for path in ("blobs/aa/none", "nowhere/none"):
        with pytest.raises(NotFound):
            place.read(path, limit=10)
        with pytest.raises(NotFound):
            list(place.stream(path, chunk=10))


def test_a_file_larger_than_asked_for_is_not_read(place: WriteOnce) -> None:
    place.add("blobs/aa/one", b"123456")
    with pytest.raises(Damaged):
        place.read("blobs/aa/one", limit=5)


def test_an_equal_file_is_kept_and_another_is_never_overwritten(ground: Ground, place: WriteOnce) -> None:
    ground.put("blobs/aa/good", b"good")
    ground.put("blobs/aa/bad", b"evil")
    assert place.add_batch([("blobs/aa/good", b"good"), ("blobs/aa/new", b"new")]) == 1
    place.add("blobs/aa/good", b"good")
    with pytest.raises(Damaged):
        place.add("blobs/aa/bad", b"good")
    with pytest.raises(Damaged):
        place.add_batch([("blobs/aa/bad", b"good"), ("blobs/aa/later", b"later")])
    with pytest.raises(Damaged):
        place.add_stream("blobs/aa/bad", [b"good"], sha256=hashlib.sha256(b"good").hexdigest())
    assert place.read("blobs/aa/bad", limit=10) == b"evil"
    assert place.read("blobs/aa/later", limit=10) == b"later"  # one bad name does not hold up the others
    assert ground.left_over() == []


def test_a_link_under_a_name_is_neither_read_nor_replaced(ground: Ground, place: WriteOnce) -> None:
    ground.link("blobs/aa/planted")
    with pytest.raises(Damaged):
        place.size("blobs/aa/planted")
    with pytest.raises(Damaged):
        place.read("blobs/aa/planted", limit=10)
    with pytest.raises(Damaged):
        place.add("blobs/aa/planted", b"x")
    assert place.listing("blobs/aa")["planted"].kind == "other"


@pytest.mark.parametrize("at", ["headers", "headers/deep"])
def test_a_link_for_a_folder_is_refused_at_every_step(ground: Ground, at: str) -> None:
    ground.link(at)
    place = ground.open()
    for attempt in (
        lambda: place.make_folders(["headers/deep/er"]),
        lambda: place.add("headers/deep/er/x", b"x"),
        lambda: place.add_batch([("headers/deep/er/x", b"x")]),
        lambda: place.read("headers/deep/er/x", limit=9),
        lambda: place.size("headers/deep/er/x"),
        lambda: place.names("headers/deep/er"),
    ):
        with pytest.raises(Damaged):
            attempt()


def test_a_place_that_was_taken_away_is_never_made_again(ground: Ground, place: WriteOnce) -> None:
    place.add("blobs/aa/one", b"1")
    ground.take_away()
    attempts: list[Callable[[], object]] = [
        lambda: place.make_folders(["blobs/cc"]),
        lambda: place.add("blobs/aa/two", b"2"),
        lambda: place.add_batch([("blobs/aa/two", b"2")]),
        lambda: place.add_stream("blobs/aa/two", [b"2"], sha256=hashlib.sha256(b"2").hexdigest()),
        lambda: place.set_aside("blobs/aa/one", DAY),
        lambda: place.sweep(0),
        place.settle,
        lambda: place.read("blobs/aa/one", limit=9),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert not ground.top.exists()


def test_what_was_unplugged_is_not_called_absent(ground: Ground, place: WriteOnce) -> None:
    """Else an unplugged stick would look like one whose files were deleted, which is an alarm."""
    assert place.names("blobs/aa") == set()
    ground.take_away()
    for look in (lambda: place.names("headers"), lambda: place.listing("seals"), lambda: place.size("headers/x")):
        with pytest.raises(NotFound):
            look()


def test_a_root_that_never_was_is_empty_and_is_not_made(ground: Ground) -> None:
    ground.take_away()
    place = ground.open()
    assert place.names("") == set()
    assert place.listing("blobs") == {}
    assert place.size("VAULT.json") is None
    with pytest.raises(NotFound):
        place.make_folders(["blobs"])
    assert not ground.top.exists()


def test_one_file_makes_no_folder_and_a_batch_the_last_of_each_path(ground: Ground, place: WriteOnce) -> None:
    with pytest.raises(NotFound):
        place.add("blobs/cc/one", b"1")
    with pytest.raises(NotFound):
        place.add_stream("blobs/cc/one", [b"1"], sha256=hashlib.sha256(b"1").hexdigest())
    with pytest.raises(NotFound):
        place.add_batch([("blobs/cc/deep/one", b"1")])
    assert place.names("blobs") == {"aa", "bb"}
    items = [("blobs/cc/one", b"1"), ("blobs/aa/two", b"2"), ("blobs/cc/three", b"3"), ("blobs/dd/four", b"4")]
    assert place.add_batch(items, read_back=True) == 4
    assert [place.read(path, limit=9) for path, _ in items] == [b"1", b"2", b"3", b"4"]
    assert place.names("blobs/cc") == {"one", "three"}
    assert place.add_batch([*items, ("blobs/dd/five", b"5")]) == 1
    assert ground.left_over() == []


def test_what_is_twice_in_a_batch_is_there_once_and_never_with_other_bytes(ground: Ground, place: WriteOnce) -> None:
    assert place.add_batch([("blobs/cc/one", b"1"), ("blobs/cc/two", b"2"), ("blobs/cc/one", b"1")]) == 2
    with pytest.raises(Damaged):
        place.add_batch([("blobs/dd/one", b"1"), ("blobs/dd/one", b"other"), ("blobs/dd/two", b"2")])
    assert [place.read(f"blobs/dd/{name}", limit=9) for name in ("one", "two")] == [b"1", b"2"]
    assert ground.left_over() == []


def test_a_batch_that_ends_early_leaves_no_file_and_nothing_unfinished(ground: Ground, place: WriteOnce) -> None:
    def items():
        yield "blobs/cc/one", b"1"
        raise Damaged("a file of the vault does not hold")

    with pytest.raises(Damaged):
        place.add_batch(items())
    assert place.names("blobs/cc") == set()
    assert ground.left_over() == []


def test_an_empty_batch_does_nothing_at_all(ground: Ground, place: WriteOnce) -> None:
    before = place.names("")
    assert place.add_batch([]) == 0
    assert place.names("") == before


def test_a_stream_that_does_not_hash_right_adds_nothing(ground: Ground, place: WriteOnce) -> None:
    with pytest.raises(Damaged):
        place.add_stream("blobs/aa/big", [b"a", b"b"], sha256="0" * 64)
    assert place.names("blobs/aa") == set()
    assert ground.left_over() == []
    place.add_stream("blobs/aa/big", [b"a", b"b"], sha256=hashlib.sha256(b"ab").hexdigest(), read_back=True)
    assert place.read("blobs/aa/big", limit=9) == b"ab"


def test_a_source_that_fails_in_the_middle_leaves_nothing_unfinished(ground: Ground, place: WriteOnce) -> None:
    def items():
        yield "blobs/aa/one", b"1"
        raise Damaged("a file of the vault does not hold")

    with pytest.raises(Damaged):
        place.add_batch(items())
    assert place.names("blobs/aa") == set()
    assert ground.left_over() == []


def test_what_is_wrong_is_moved_aside_and_never_lost(ground: Ground, place: WriteOnce) -> None:
    bad = "blobs/aa/" + "e" * 64
    ground.put(bad, b"first")
    new = place.set_aside(bad, DAY)
    assert new.startswith(f"quarantine/{DAY}/" + "e" * 64 + "-")
    assert place.read(new, limit=9) == b"first"
    assert place.size(bad) is None
    ground.put(bad, b"second")
    again = place.set_aside(bad, DAY)
    assert again != new
    assert place.read(new, limit=9) == b"first"
    assert place.read(again, limit=9) == b"second"
    with pytest.raises(NotFound):
        place.set_aside(bad, DAY)


def test_the_marker_is_never_set_aside(ground: Ground, place: WriteOnce) -> None:
    ground.put("VAULT.json", b"marker")
    with pytest.raises(OwnFault):
        place.set_aside("VAULT.json", DAY)
    assert place.read("VAULT.json", limit=9) == b"marker"


@pytest.mark.parametrize("path", ["blobs", "blobs/aa", *(f"audit/{LOG}/{name}" for name in HOLDING)])
def test_a_whole_folder_of_backups_is_never_set_aside(ground: Ground, place: WriteOnce, path: str) -> None:
    ground.put(f"{path}/good", b"good")
    with pytest.raises(OwnFault):
        place.set_aside(path, DAY)
    assert place.read(f"{path}/good", limit=9) == b"good"


@pytest.mark.parametrize("name", HOLDING)
@pytest.mark.parametrize("above", ["blobs/aa", f"audit/{LOG}/parts", f"audit/{LOG}/entries", "audit/none"])
def test_a_folder_planted_under_the_name_of_one_of_ours_can_be_set_aside(
    ground: Ground, place: WriteOnce, above: str, name: str
) -> None:
    """Else one empty folder would keep everything from being backed up to that place."""
    ground.make(f"{above}/{name}/deep")
    ground.put(f"{above}/{name}/file", b"planted")
    new = place.set_aside(f"{above}/{name}", DAY)
    assert name not in place.names(above)
    assert place.names(new) == {"deep", "file"}
    assert place.read(f"{new}/file", limit=9) == b"planted"


@pytest.mark.parametrize("path", ["", "/x", "../x", "a/../x", "a//x", "a/./x", "a/\0", "a/"])
def test_no_path_leads_out_of_the_place(place: WriteOnce, path: str) -> None:
    for attempt in (
        lambda: place.add(path, b"x"),
        lambda: place.add_batch([(path, b"x")]),
        lambda: place.read(path, limit=9),
        lambda: place.make_folders([path]),
    ):
        with pytest.raises(OwnFault):
            attempt()


def test_it_says_how_much_room_there_is(ground: Ground, place: WriteOnce) -> None:
    free = place.free_bytes()
    assert free is None or free > 0


def test_durability_is_full_until_a_sync_is_refused(place: WriteOnce) -> None:
    place.add("blobs/aa/one", b"1")
    assert place.durability == "full"


def test_settling_changes_nothing_that_can_be_seen(ground: Ground, place: WriteOnce) -> None:
    ground.put("blobs/aa/one", b"1")
    ground.link("blobs/bb/planted")
    ground.open().settle()
    assert place.durability == "full"
    assert (place.names(""), place.names("blobs/aa"), place.names("blobs/bb")) == ({"blobs"}, {"one"}, {"planted"})


def test_only_old_unfinished_writes_are_swept(ground: Ground, place: WriteOnce) -> None:
    stage = f".stage-{DEVICE if ground.kind == 'disk' else 'f' * 32}"
    ground.put(f"{stage}/{'a' * 16}-1", b"unfinished")
    ground.put("blobs/aa/one", b"1")
    age = 0 if ground.kind == "fake" else (ground.top / stage / f"{'a' * 16}-1").stat().st_mtime_ns // 1_000_000
    assert place.sweep(age + 23 * 3_600_000) == 0
    assert place.sweep(age + 25 * 3_600_000) == 1
    assert ground.left_over() == []
    assert place.read("blobs/aa/one", limit=9) == b"1"
