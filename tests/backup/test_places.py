"""What this device remembers of its backup places, and finding one again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters.files import DiskFiles
from notevault.backup.model import VERDICTS, Head, More, Neighbour, PlaceFile, PlaceState
from notevault.backup.places import forms as placefile
from notevault.backup.places import layout as place
from notevault.backup.places.layout import Marker, base
from notevault.backup.places.registry import Frozen, Places, find
from notevault.errors import Busy, Damaged, NotFound, OwnFault, Refused, StorageFault
from notevault.ports import Volume, WriteOnce
from tests.fakes.files import MemoryFiles
from tests.fakes.places import FakeVolumes, PlaceDisk

VAULT = "a" * 32
ID, OTHER = "1" * 32, "2" * 32
BLUE = PlaceFile(ID, "USB Blue", "/media/BLUE/backup", "removable", 1000, "ABCD-1234")
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)
MS = st.integers(0, 2**53 - 1)
HEX32 = st.text("0123456789abcdef", min_size=32, max_size=32)


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def places(files: MemoryFiles) -> Places:
    return Places(files, Path("/local") / VAULT)


# The bytes


@given(TEXT, TEXT, st.sampled_from(placefile.KINDS), MS, st.none() | TEXT)
def test_a_place_is_read_as_it_was_written(name: str, path: str, kind: str, added: int, volume: str | None) -> None:
    known = PlaceFile(ID, name, path, kind, added, volume)
    assert placefile.decode_place(ID, placefile.encode_place(known)) == known


STATES = st.builds(
    PlaceState,
    verdict=st.sampled_from(VERDICTS),
    heads=st.dictionaries(HEX32, st.builds(Head, MS, st.binary(min_size=32, max_size=32)), max_size=3),
    durability=st.sampled_from(["full", "reduced"]),
    read_back=st.booleans(),
    more=st.dictionaries(
        HEX32,
        st.builds(More, st.builds(Head, MS, st.binary(min_size=32, max_size=32)), MS, MS, MS, st.booleans()),
        max_size=2,
    ),
    others=st.dictionaries(
        HEX32,
        st.builds(Neighbour, st.builds(Head, MS, st.binary(min_size=32, max_size=32)), MS, MS, st.booleans()),
        max_size=2,
    ),
    told=st.dictionaries(
        st.sampled_from(["backup.run", "verify.run"]), st.tuples(st.sampled_from(["ok", "failed"]), MS), max_size=2
    ),
    **dict.fromkeys(placefile._COUNTS, MS),
)


@given(STATES)
def test_a_state_is_read_as_it_was_written(state: PlaceState) -> None:
    assert placefile.decode_state(placefile.encode_state(state)) == state


def test_every_field_of_a_state_is_kept() -> None:
    kept = set(placefile._COUNTS) | {"verdict", "heads", "durability", "read_back", "told", "more", "others"}
    assert kept == set(PlaceState.__dataclass_fields__)


@given(st.binary(max_size=300))
def test_bytes_of_another_kind_are_damaged_and_nothing_else(data: bytes) -> None:
    for decode in (
        lambda: placefile.decode_place(ID, data),
        lambda: placefile.decode_state(data),
        lambda: placefile.decode_proofs(data),
        lambda: placefile.decode_frozen(data),
    ):
        with pytest.raises(Damaged):
            decode()


@pytest.mark.parametrize(
    "data",
    [
        b'{"heads":{"x":[1,"00"]},"told":{},"v":1}\n',
        b'{"heads":[],"told":{},"v":1}\n',
        b'{"told":{"backup.run":["ok"]},"v":1}\n',
        b'{"v":1,"verdict":"wonderful"}\n',
        b'{"read_back":2,"v":1}\n',
        b'{"files":"many","v":1}\n',
        b'{"v":2}\n',
        b"{}\n",
    ],
)
def test_a_state_that_says_nonsense_is_damaged(data: bytes) -> None:
    with pytest.raises(Damaged):
        placefile.decode_state(data)


def test_a_state_of_another_version_keeps_what_is_known() -> None:
    assert placefile.decode_state(b'{"files":7,"moon":"full","v":1}\n') == PlaceState(files=7)


# The registry


def test_a_place_is_remembered_and_found_by_name_or_number(places: Places) -> None:
    places.save(BLUE)
    places.save(PlaceFile(OTHER, "Büro", "/srv/büro", "network", 500))
    assert [known.name for known in places.all()] == ["Büro", "USB Blue"]
    assert places.get("USB Blue") == BLUE
    assert places.get("usb") == BLUE
    assert places.get(ID) == BLUE
    assert places.get(" büro ").id == OTHER


def test_a_beginning_that_two_names_share_means_none_of_them(places: Places) -> None:
    places.save(BLUE)
    places.save(replace(BLUE, id=OTHER, name="USB Red"))
    for wanted in ("usb", "", "green"):
        with pytest.raises(NotFound) as told:
            places.get(wanted)
        assert "USB Blue" in told.value.sentence
        assert "USB Red" in told.value.sentence


def test_a_whole_name_wins_over_a_longer_one(places: Places) -> None:
    places.save(BLUE)
    places.save(replace(BLUE, id=OTHER, name="USB Blue 2"))
    assert places.get("usb blue") == BLUE


def test_without_any_place_the_next_step_is_to_add_one(places: Places) -> None:
    with pytest.raises(NotFound) as told:
        places.get("x")
    assert "backup add" in told.value.next_step


def test_looking_writes_nothing(files: MemoryFiles, places: Places) -> None:
    assert places.all() == []
    assert places.state(ID) == PlaceState()
    assert places.proofs(ID) == [0] * 257
    assert places.frozen() is None
    assert files.trace == []


def test_forgetting_a_place_leaves_the_others_and_nothing_of_it(files: MemoryFiles, places: Places) -> None:
    places.save(BLUE)
    places.save_state(ID, PlaceState(files=3))
    places.save_proofs(ID, [1] * 257)
    places.save(replace(BLUE, id=OTHER, name="Red"))
    places.forget(ID)
    assert [known.id for known in places.all()] == [OTHER]
    assert not [path for path in files.tree() if ID in str(path)]
    places.forget(ID)


def test_a_place_whose_file_does_not_read_is_left_out_and_named(files: MemoryFiles, places: Places) -> None:
    places.save(BLUE)
    files.put_raw(places.root / OTHER / "place", b"junk")
    assert places.all() == [BLUE]
    assert places.unreadable() == [OTHER]


def test_a_place_whose_file_this_disk_does_not_give_keeps_no_other_from_its_turn(
    files: MemoryFiles, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    places.save(BLUE)
    places.save(replace(BLUE, id=OTHER, name="Red"))
    read = files.read

    def failing(path: Path, *, limit: int) -> bytes:
        if path == places.root / OTHER / "place":
            raise StorageFault("Input/output error.")
        return read(path, limit=limit)

    monkeypatch.setattr(files, "read", failing)
    assert places.all() == [BLUE]
    assert places.unreadable() == [OTHER]


def test_a_state_that_does_not_read_is_as_none(files: MemoryFiles, places: Places) -> None:
    files.put_raw(places.root / ID / "state", b'{"files":')
    files.put_raw(places.root / ID / "proofs", b"short")
    assert places.state(ID) == PlaceState()
    assert places.proofs(ID) == [0] * 257
    files.drop_raw(places.root / ID / "state")
    files.put_irregular(places.root / ID / "state")
    assert places.state(ID) == PlaceState()


def test_state_and_proofs_are_kept(places: Places) -> None:
    state = PlaceState(verdict="safe", heads={VAULT: Head(3, bytes(32))}, told={"backup.run": ("ok", 5)})
    places.save_state(ID, state)
    places.save_proofs(ID, list(range(257)))
    assert places.state(ID) == state
    assert places.proofs(ID) == list(range(257))


def test_frozen_stays_until_it_is_thawed_even_when_it_was_spoilt(files: MemoryFiles, places: Places) -> None:
    places.freeze(5, 12, "12 saved files changed")
    assert places.frozen() == Frozen(5, 12, "12 saved files changed")
    files.put_raw(places.root / "frozen", b"")
    spoilt = places.frozen()
    assert spoilt is not None
    assert spoilt.files == 0
    places.thaw()
    assert places.frozen() is None


def test_a_name_that_is_no_number_leads_nowhere(places: Places) -> None:
    for wrong in ("..", "x", "../../etc", ID.upper().replace("1", "A")):
        with pytest.raises(OwnFault):
            places.state(wrong)


def test_two_at_one_place_exclude_each_other_and_two_places_do_not(tmp_path: Path) -> None:
    one, two = (Places(DiskFiles(), tmp_path / VAULT) for _ in range(2))
    with one.lock(ID, 0.0):
        with pytest.raises(Busy), two.lock(ID, 0.0):
            pass
        with two.lock(OTHER, 0.0), two.lock(None, 0.0), pytest.raises(Busy), one.lock(None, 0.0):
            pass
    with two.lock(ID, 0.0):
        pass


# Finding


class World:
    """Several disks at their paths, and the volumes that the system tells of."""

    def __init__(self, **disks: str) -> None:
        self.disks = {name: PlaceDisk(Path(top)) for name, top in disks.items()}
        self.volumes = FakeVolumes(
            *(Volume("removable", name, disk.top, at) for at, (name, disk) in enumerate(self.disks.items()))
        )

    def mark(self, disk: str, folder: str, place_id: str = ID) -> None:
        self.disks[disk].put(base(Path(folder), VAULT) / place.MARKER, Marker(place_id, VAULT).encode())

    def open(self, root: Path) -> WriteOnce:
        for disk in self.disks.values():
            if disk.top == root or disk.top in root.parents:
                return disk.open(root)
        return PlaceDisk(Path("/nowhere")).open(root)


def test_a_place_is_found_where_it_was() -> None:
    world = World(blue="/media/BLUE")
    world.mark("blue", "/media/BLUE/backup")
    folder, tree = find(BLUE, VAULT, world.volumes, world.open)
    assert folder == Path("/media/BLUE/backup")
    assert tree.root == base(folder, VAULT)


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("/media/BLUE/backup", "/media/BLUE1/backup"),
        ("/media/BLUE", "/run/media/eva/BLUE"),
        ("/media/BLUE/a/b", "/mnt/x/a/b"),
    ],
)
def test_a_stick_that_is_mounted_elsewhere_is_found_there(was: str, now: str) -> None:
    world = World(old="/other", new=str(Path(now).parents[1]) if now.endswith("/b") else now.removesuffix("/backup"))
    world.mark("new", now)
    folder, _ = find(replace(BLUE, path=was), VAULT, world.volumes, world.open)
    assert folder == Path(now)
    assert all(not disk.trace for disk in world.disks.values())  # looking writes nothing


def test_a_place_that_is_nowhere_is_not_plugged_in() -> None:
    world = World(other="/media/OTHER")
    world.mark("other", "/media/OTHER/backup", OTHER)
    with pytest.raises(NotFound):
        find(BLUE, VAULT, world.volumes, world.open)


def test_another_place_at_its_path_is_an_alarm_unless_it_is_known() -> None:
    """Two sticks that take turns at one mount point are no alarm; a strange marker is."""
    world = World(blue="/media/BLUE")
    world.mark("blue", "/media/BLUE/backup", OTHER)
    with pytest.raises(Damaged):
        find(BLUE, VAULT, world.volumes, world.open)
    with pytest.raises(NotFound):
        find(BLUE, VAULT, world.volumes, world.open, {OTHER})


def test_two_copies_elsewhere_are_not_told_apart() -> None:
    world = World(one="/media/ONE", two="/media/TWO")
    world.mark("one", "/media/ONE/backup")
    world.mark("two", "/media/TWO/backup")
    with pytest.raises(Refused):
        find(BLUE, VAULT, world.volumes, world.open)


def test_a_failing_disk_says_so_and_is_not_called_absent() -> None:
    world = World(blue="/media/BLUE")

    class Failing:
        def __init__(self, root: Path) -> None:
            self.root = root

        def size(self, path: str) -> int:
            raise StorageFault("The system reports an input or output error (EIO).")

    with pytest.raises(StorageFault):
        find(BLUE, VAULT, world.volumes, Failing)  # type: ignore[arg-type]
