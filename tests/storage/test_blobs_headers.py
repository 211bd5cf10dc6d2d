"""Blobs and headers on the fake and on the real disk: named by their bytes, immutable, never adopted by name alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters.files import DiskFiles
from notevault.errors import Damaged, NotFound, OwnFault
from notevault.storage.headers import HEADER_LIMIT
from notevault.storage.layout import LocalPaths, VaultPaths, create_folders, parse_header_name
from tests.fakes.files import MemoryFiles
from tests.storage.making import ORIGIN, OTHER, VAULT, Room


@pytest.fixture(params=["memory", "disk"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    if request.param == "memory":
        return Room(MemoryFiles()).found()
    return Room(DiskFiles(), tmp_path / "vault", tmp_path / "local").found()


def _overwrite(room: Room, path: Path, data: bytes) -> None:
    if isinstance(room.files, MemoryFiles):
        room.files.put_raw(path, data)
    else:
        path.write_bytes(data)


def test_a_blob_is_named_by_its_sha256_and_comes_back(room: Room) -> None:
    digest = room.blobs.put(b"sealed")
    assert digest == hashlib.sha256(b"sealed").hexdigest()
    assert room.blobs.get(digest, limit=6) == b"sealed"
    assert room.blobs.size(digest) == room.blobs.check(digest) == 6
    assert room.blobs.put(b"sealed") == digest
    assert list(room.blobs.digests()) == [digest]


def test_many_blobs_at_once_come_back_in_order_also_when_some_are_the_same(room: Room) -> None:
    items = [b"%d" % (n % 7) for n in range(20)]
    digests = room.blobs.put_many(items)
    assert [room.blobs.get(digest, limit=2) for digest in digests] == items
    assert list(room.blobs.digests()) == sorted(set(digests))
    assert room.blobs.put_many([]) == []


def test_a_changed_blob_does_not_come_back(room: Room) -> None:
    digest = room.blobs.put(b"sealed")
    _overwrite(room, room.paths.blob(digest), b"sealeD")
    with pytest.raises(Damaged, match="BLOB CHANGED"):
        room.blobs.get(digest, limit=100)
    with pytest.raises(Damaged, match="BLOB CHANGED"):
        room.blobs.check(digest)
    with pytest.raises(Damaged):
        room.blobs.put(b"sealed")


def test_a_missing_blob_is_missing_and_a_large_one_is_not_read(room: Room) -> None:
    absent = "ab" * 32
    for ask in (
        lambda: room.blobs.get(absent, limit=9),
        lambda: room.blobs.size(absent),
        lambda: room.blobs.check(absent),
    ):
        with pytest.raises(NotFound, match="BLOB MISSING"):
            ask()
    digest = room.blobs.put(b"0123456789")
    with pytest.raises(Damaged, match="More than 9 bytes"):
        room.blobs.get(digest, limit=9)


def test_a_blob_that_no_entry_names_is_kept_in_set_aside(room: Room) -> None:
    digest = room.blobs.put(b"orphan")
    kept = room.blobs.set_aside(digest, room.local, wall_ms=1_763_715_600_000)
    assert kept.parent == room.local_paths.set_aside / "2025-11-21"
    assert kept.name.startswith(digest)
    assert room.files.read(kept, limit=100) == b"orphan"
    assert list(room.blobs.digests()) == []
    with pytest.raises(NotFound):
        room.blobs.set_aside(digest, room.local)
    room.blobs.put(b"orphan")
    assert room.blobs.set_aside(digest, room.local, wall_ms=1_763_715_600_000) == kept


def test_a_changed_orphan_does_not_push_out_the_one_set_aside_before(room: Room) -> None:
    digest = room.blobs.put(b"orphan")
    first = room.blobs.set_aside(digest, room.local)
    _overwrite(room, room.paths.blob(digest), b"other")
    second = room.blobs.set_aside(digest, room.local)
    assert room.files.read(first, limit=9) == b"orphan"
    assert room.files.read(second, limit=9) == b"other"


def test_conflict_copies_and_other_strangers_are_no_blobs(room: Room) -> None:
    digest = room.blobs.put(b"sealed")
    folder = room.paths.blob(digest).parent
    other = "00" * 32 if folder.name != "00" else "11" * 32
    strangers = [folder / f"{digest} (1)", folder / digest.upper(), folder / other, room.paths.blobs / "notes.txt"]
    for path in strangers:
        _overwrite(room, path, b"x")
    assert list(room.blobs.digests()) == [digest]
    assert sorted(room.blobs.strangers()) == sorted(path for path in strangers if path.name != digest)


@pytest.mark.parametrize("name", ["", "..", "ab", "AB" * 32, "../" + "a" * 61, "ab" * 31 + "a\n"])
def test_nothing_but_a_digest_becomes_a_path(room: Room, name: str) -> None:
    with pytest.raises(OwnFault):
        room.blobs.get(name, limit=9)
    with pytest.raises(OwnFault):
        room.paths.header(ORIGIN, 1, name)
    with pytest.raises(OwnFault):
        room.paths.audit(name)
    with pytest.raises(OwnFault):
        room.local_paths.draft(name)


def test_all_blob_folders_are_made_at_creation() -> None:
    files = MemoryFiles()
    create_folders(files, VaultPaths(VAULT))
    assert files.names(VAULT / "blobs") == [f"{n:02x}" for n in range(256)]
    files.trace.clear()
    Room(files).blobs.put(b"x")
    assert "mkdir" not in {step.kind for step in files.trace}
    for seed in range(3):
        assert len(files.after_power_cut(seed).names(VAULT / "blobs")) == 256


# Headers


def test_headers_are_listed_from_the_highest_number_down(room: Room) -> None:
    written = [
        room.headers.write(ORIGIN, 2, b"two"),
        room.headers.write(ORIGIN, 10, b"ten"),
        room.headers.write(OTHER, 3, b"three"),
        room.headers.write(ORIGIN, 10, b"another ten"),
    ]
    found = room.headers.candidates()
    assert [each.seq for each in found] == [10, 10, 3, 2]
    assert set(found) == set(written)
    assert {room.headers.read(each) for each in found} == {b"two", b"ten", b"three", b"another ten"}


def test_only_exact_names_are_headers(room: Room) -> None:
    kept = room.headers.write(ORIGIN, 1, b"one")
    folder, digest = kept.path.parent, kept.digest
    for name in (f"1-{digest}", f"00000000-{digest}", f"00000001-{digest} (1)", f"00000002-{digest.upper()}", "x"):
        _overwrite(room, folder / name, b"one")
    _overwrite(room, room.paths.all_headers / "desktop.ini", b"x")
    assert room.headers.candidates() == [kept]


def test_a_header_that_does_not_hash_to_its_name_is_refused(room: Room) -> None:
    written = room.headers.write(ORIGIN, 1, b"one")
    _overwrite(room, written.path, b"0ne")
    with pytest.raises(Damaged):
        room.headers.read(written)
    _overwrite(room, written.path, b"1" * (HEADER_LIMIT + 1))
    with pytest.raises(Damaged):
        room.headers.read(written)
    with pytest.raises(Damaged):
        room.headers.write(ORIGIN, 2, b"1" * (HEADER_LIMIT + 1))


def test_a_header_that_no_entry_names_is_kept_in_set_aside(room: Room) -> None:
    written = room.headers.write(ORIGIN, 1, b"one")
    kept = room.headers.set_aside(written, room.local)
    assert room.files.read(kept, limit=9) == b"one"
    assert room.headers.candidates() == []


def test_a_link_among_the_headers_is_never_read(tmp_path: Path) -> None:
    room = Room(DiskFiles(), tmp_path / "vault", tmp_path / "local").found()
    written = room.headers.write(ORIGIN, 1, b"one")
    elsewhere = tmp_path / "elsewhere"
    written.path.rename(elsewhere)
    written.path.symlink_to(elsewhere)
    with pytest.raises(Damaged):
        room.headers.read(written)
    with pytest.raises(Damaged):
        room.headers.set_aside(written, room.local)
    assert written.path.is_symlink()


@given(st.integers(1, 99_999_999), st.binary(min_size=32, max_size=32))
def test_a_header_name_reads_back_as_it_was_made(seq: int, digest: bytes) -> None:
    path = VaultPaths(VAULT).header(ORIGIN, seq, digest.hex())
    assert parse_header_name(path.name) == (seq, digest.hex())


@given(st.text(max_size=80))
def test_a_name_that_reads_as_a_header_is_spelled_in_that_one_way(name: str) -> None:
    parsed = parse_header_name(name)
    assert parsed is None or VaultPaths(VAULT).header(ORIGIN, *parsed).name == name


@pytest.mark.parametrize(
    ("number", "name"),
    [(0, "000"), (7, "007"), (999, "999"), (1000, "x001/000"), (1234, "x001/234"), (1_234_567, "x001/x234/567")],
)
def test_bundles_are_named_as_in_tlog_tiles(number: int, name: str) -> None:
    from notevault.auditlog.bundle import tile_path

    paths = VaultPaths(VAULT)
    assert paths.bundle(ORIGIN, number) == paths.entries(ORIGIN) / name == paths.entries(ORIGIN) / tile_path(number)


def test_the_local_names_are_those_of_the_format() -> None:
    paths = LocalPaths(Path("/l"))
    found = {paths.device, paths.head, paths.lock, paths.shell_lock, paths.drafts, paths.index, paths.view}
    found |= {paths.pending, paths.set_aside}
    names = {"device", "head", "lock", "shell.lock", "drafts", "index", "view", "pending", "set-aside"}
    assert {path.name for path in found} == names
