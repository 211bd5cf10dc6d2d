"""The names in a backup place, its marker, and finding its root."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.backup.places import layout as place
from notevault.backup.places.layout import Marker, base, look_for, read_marker
from notevault.errors import Damaged, NotFound, OwnFault
from notevault.storage.layout import VaultPaths
from tests.fakes.places import PlaceDisk

VAULT, OTHER = "a" * 32, "b" * 32
ORIGIN, DIGEST = "c" * 32, "d" * 64
HEX32 = st.text("0123456789abcdef", min_size=32, max_size=32)
TOP = Path("/stick")


@given(HEX32, HEX32)
def test_a_marker_is_read_as_it_was_written(place_id: str, vault: str) -> None:
    marker = Marker(place_id, vault)
    assert Marker.decode(marker.encode()) == marker


@given(st.binary(max_size=200))
def test_what_is_no_marker_is_damaged_and_nothing_else(data: bytes) -> None:
    try:
        found = Marker.decode(data)
    except Damaged:
        return
    assert found.encode() == data


@given(st.integers(0, 93))
def test_half_a_marker_is_damaged(length: int) -> None:
    whole = Marker("1" * 32, VAULT).encode()
    assert len(whole) == 94
    with pytest.raises(Damaged):
        Marker.decode(whole[:length])


@pytest.mark.parametrize(
    "data",
    [
        b'{"place":"%s","v":2,"vault":"%s"}\n' % (b"1" * 32, b"a" * 32),
        b'{"place":"%s","v":1,"vault":"%s"}' % (b"1" * 32, b"a" * 32),
        b'{"place":"%s","v":1,"vault":"%s","x":1}\n' % (b"1" * 32, b"a" * 32),
        b'{"place":"%s","v":1,"vault":"%s"}\n' % (b"A" * 32, b"a" * 32),
        b'{"place":"../../etc","v":1,"vault":"%s"}\n' % (b"a" * 32),
    ],
)
def test_a_marker_has_one_spelling(data: bytes) -> None:
    with pytest.raises(Damaged):
        Marker.decode(data)


@given(st.integers(0, 10**15 - 257), st.integers(0, 255), st.integers(1, 256))
def test_a_parts_name_says_its_numbers(bundle: int, first: int, length: int) -> None:
    start = bundle // 256 * 256 + first
    stop = min(start + length, bundle // 256 * 256 + 256)
    name = place.part(ORIGIN, start, stop).rpartition("/")[2]
    assert place.parse_part(name) == (start, stop)


@given(st.text(st.sampled_from("0123456789-x."), max_size=20))
def test_a_name_that_is_read_as_a_part_is_that_parts_name(name: str) -> None:
    found = place.parse_part(name)
    if found is not None:
        assert place.part(ORIGIN, *found).rpartition("/")[2] == name


@pytest.mark.parametrize("name", ["0-0", "5-4", "00-1", "0-01", "0-257", "255-257", "-1-2", "1-", "1", "1-2-3", " 1-2"])
def test_a_part_is_of_one_bundle_and_not_empty(name: str) -> None:
    assert place.parse_part(name) is None


@pytest.mark.parametrize("number", [0, 1, 255, 999, 1000, 1234, 999_999, 1_234_567])
def test_names_are_those_of_the_vault(number: int) -> None:
    """What the mirror copies keeps its path, so that a place can be read where the vault is."""
    paths = VaultPaths(Path("/v"))
    assert place.bundle(ORIGIN, number) == paths.bundle(ORIGIN, number).relative_to("/v").as_posix()
    assert place.seal(ORIGIN, number) == paths.seal(ORIGIN, number).relative_to("/v").as_posix()
    assert (
        place.header(ORIGIN, number + 1, DIGEST)
        == paths.header(ORIGIN, number + 1, DIGEST).relative_to("/v").as_posix()
    )
    assert place.blob(DIGEST) == paths.blob(DIGEST).relative_to("/v").as_posix()
    assert place.card(ORIGIN) == paths.card(ORIGIN).relative_to("/v").as_posix()
    assert place.blob_folder(number % 256) == paths.blob_folder(number % 256).relative_to("/v").as_posix()


@pytest.mark.parametrize("wrong", ["", "x" * 64, "../" + "a" * 61, "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_no_value_leads_out_of_its_folder(wrong: str) -> None:
    for make in (
        lambda: place.blob(wrong),
        lambda: place.header(ORIGIN, 1, wrong),
        lambda: place.card(wrong),
        lambda: place.anchors(wrong),
        lambda: base(Path("/p"), wrong),
        lambda: place.anchor(ORIGIN, -1, bytes(32)),
        lambda: place.seal(ORIGIN, -1),
        lambda: place.bundle(ORIGIN, -1),
        lambda: place.header(ORIGIN, 0, DIGEST),
        lambda: place.part(ORIGIN, 255, 257),
    ):
        with pytest.raises(OwnFault):
            make()


def test_an_anchor_is_named_as_the_auditors_read_it() -> None:
    assert place.anchor(ORIGIN, 12, bytes(32)) == f"anchors/{ORIGIN}/12-{'0' * 64}"


def test_the_read_me_tells_a_stranger_nothing_and_a_clinician_what_to_type() -> None:
    words = place.README.decode("ascii")
    assert "\n    notevault backup restore --from FOLDER\n" in words  # `--sheet -` would not ask at a terminal
    assert "It asks for the\nsheet." in words
    assert "Please do not rename" in words


# Finding it


def ready() -> PlaceDisk:
    disk = PlaceDisk(TOP)
    disk.put(base(TOP, VAULT) / place.MARKER, Marker("1" * 32, VAULT).encode())
    return disk


def test_a_place_is_known_by_its_marker() -> None:
    tree, marker = look_for(ready().open, TOP, VAULT)
    assert marker == Marker("1" * 32, VAULT)
    assert tree.root == base(TOP, VAULT)


@pytest.mark.parametrize("gone", ["unplugged", "no marker", "no folder"])
def test_without_its_marker_a_place_is_not_plugged_in(gone: str) -> None:
    disk = ready()
    if gone == "unplugged":
        disk.unplug()
    elif gone == "no marker":
        disk.drop(base(TOP, VAULT) / place.MARKER)
    else:
        disk = PlaceDisk(TOP)
    with pytest.raises(NotFound):
        look_for(disk.open, TOP, VAULT)
    assert disk.trace == []


def test_a_marker_of_another_vault_is_no_place_of_ours() -> None:
    disk = PlaceDisk(TOP)
    disk.put(base(TOP, VAULT) / place.MARKER, Marker("1" * 32, OTHER).encode())
    with pytest.raises(Damaged) as told:
        look_for(disk.open, TOP, VAULT)
    assert "another vault" in told.value.sentence


@pytest.mark.parametrize("data", [b"", b"{}\n", b"x" * 5000])
def test_a_marker_that_does_not_read_is_damaged(data: bytes) -> None:
    disk = PlaceDisk(TOP)
    disk.put(base(TOP, VAULT) / place.MARKER, data)
    with pytest.raises(Damaged):
        read_marker(disk.open(base(TOP, VAULT)), VAULT)


@pytest.mark.parametrize("at", ["notevault", f"notevault/{VAULT}", f"notevault/{VAULT}/VAULT.json"])
def test_a_link_on_the_way_to_the_marker_is_refused(at: str) -> None:
    disk = PlaceDisk(TOP)
    disk.put(TOP / at, b"", link=True)
    with pytest.raises(Damaged):
        look_for(disk.open, TOP, VAULT)


def test_the_base_lies_in_a_folder_of_ours() -> None:
    assert PurePosixPath(base(Path("/stick"), VAULT)) == PurePosixPath(f"/stick/notevault/{VAULT}")
