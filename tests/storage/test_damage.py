"""A log that someone or something changed: named with its place, never repaired, and never a wrong entry given out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import bundle
from notevault.errors import Damaged, LogDamaged, NotFound
from tests.fakes.files import MemoryFiles
from tests.storage.making import ORIGIN, OTHER, Room, believe, many, sign

SIZE = 600  # two full bundles and 88 entries


def _vault(size: int = SIZE) -> Room:
    room = Room(MemoryFiles()).found()
    room.commit(many(size))
    return room


def _disk(room: Room) -> MemoryFiles:
    assert isinstance(room.files, MemoryFiles)
    return room.files


def _refused(room: Room, message: str) -> None:
    """A fresh process refuses, and nothing on the disk has changed."""
    files = _disk(room)
    before = files.tree()
    with pytest.raises(LogDamaged, match=message):
        Room(files.another_process()).opened()
    assert files.tree() == before


def _edit(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# The cache


@pytest.mark.parametrize(
    "spoil",
    [
        lambda hashes: None,
        lambda hashes: b"",
        lambda hashes: hashes[:32],
        lambda hashes: hashes[:40],
        lambda hashes: hashes + b"x",
        lambda hashes: hashes + hashes[:32],
        lambda hashes: _edit(hashes, 33),
        lambda hashes: bytes(64),
        lambda hashes: hashes[32:] + hashes[:32],
    ],
    ids=["lost", "empty", "stale", "torn", "too long", "ahead", "wrong", "zeros", "swapped"],
)
def test_a_lost_stale_or_wrong_cache_costs_nothing_but_reading(spoil: Callable[[bytes], bytes | None]) -> None:
    room = _vault()
    files, path = _disk(room), room.paths.hashes(ORIGIN)
    good = files.raw(path)
    spoilt = spoil(good)
    if spoilt is None:
        files.drop_raw(path)
    else:
        files.put_raw(path, spoilt)
    again = Room(files.another_process()).opened()
    assert again.tail == room.tail
    assert again.texts() == [f"n{n}" for n in range(SIZE)]
    assert files.raw(path) == good
    again.commit(many(256))
    assert Room(files.another_process()).opened().tail == again.tail


def test_a_link_in_place_of_the_cache_is_not_followed() -> None:
    room = _vault()
    _disk(room).put_irregular(room.paths.hashes(ORIGIN))
    assert room.log.load(believe) == room.tail


def test_a_cache_that_agrees_with_forged_bundles_is_not_believed() -> None:
    room = _vault()
    forged = Room(MemoryFiles()).found()
    forged.commit(many(SIZE, "forged"))
    files, from_ = _disk(room), _disk(forged)
    for path in (room.paths.bundle(ORIGIN, 0), room.paths.bundle(ORIGIN, 1), room.paths.hashes(ORIGIN)):
        files.put_raw(path, from_.raw(path))
    _refused(room, "REWRITTEN between entries 512-599 ")


# The entries


def test_a_shorter_open_is_truncated_and_says_how_much() -> None:
    room = _vault()
    files, path = _disk(room), room.paths.open(ORIGIN)
    entries = bundle.split(files.raw(path))
    assert isinstance(entries, list)
    files.put_raw(path, bundle.pack(entries[:-10]))
    _refused(room, "TRUNCATED: signed 600, found 590 ")
    files.put_raw(path, files.raw(path)[:-1])
    _refused(room, "TRUNCATED: signed 600, found 589 ")
    files.drop_raw(path)
    _refused(room, "TRUNCATED: signed 600, found 512 ")


def test_a_changed_entry_is_rewritten_and_its_bundle_is_named() -> None:
    room = _vault()
    files, path = _disk(room), room.paths.open(ORIGIN)
    files.put_raw(path, _edit(files.raw(path), 40))
    _refused(room, "REWRITTEN between entries 512-599 ")


def test_an_impossible_length_in_open_is_damage_and_no_crash() -> None:
    room = _vault()
    files, path = _disk(room), room.paths.open(ORIGIN)
    files.put_raw(path, b"\xff\xff" + files.raw(path)[2:])
    _refused(room, "TRUNCATED: signed 600, found 512 ")


def test_a_longer_open_is_an_interrupted_commit_and_goes_to_set_aside() -> None:
    room = _vault()
    files, path = _disk(room), room.paths.open(ORIGIN)
    covered = files.raw(path)
    files.put_raw(path, covered + b"\x00\x05hello" + b"rest" * 600_000)
    again = Room(files.another_process()).opened()
    assert again.tail == room.tail
    assert again.log.last_settled.bytes == 7 + 2_400_000
    assert files.raw(path) == covered
    (kept,) = files.tree(again.local_paths.set_aside).values()
    assert kept == b"\x00\x05hello" + b"rest" * 600_000
    again.say("after")
    assert again.texts()[-1] == "after"


def test_a_changed_bundle_gives_out_no_entry_even_when_the_cache_hides_it_at_load() -> None:
    room = _vault()
    files, path = _disk(room), room.paths.bundle(ORIGIN, 1)
    files.put_raw(path, _edit(files.raw(path), 9000))
    again = Room(files.another_process()).opened()
    assert len(list(again.log.entries(0, 256))) == 256
    with pytest.raises(LogDamaged, match="REWRITTEN between entries 256-511 "):
        list(again.log.entries(200, 600))
    with pytest.raises(LogDamaged, match="REWRITTEN between entries 256-511 "):
        again.log.root_at(300)
    files.drop_raw(room.paths.hashes(ORIGIN))
    _refused(room, "REWRITTEN between entries 0-599 ")


def test_a_bundle_cut_short_or_made_longer_is_named() -> None:
    room = _vault()
    files, path = _disk(room), room.paths.bundle(ORIGIN, 0)
    good = files.raw(path)
    files.put_raw(path, good[:-3])
    with pytest.raises(LogDamaged, match="MISSING entry 255 "):
        list(room.log.entries(0, 1))
    files.put_raw(path, good + b"more")
    with pytest.raises(LogDamaged, match="REWRITTEN between entries 0-255 "):
        list(room.log.entries(0, 1))
    files.drop_raw(room.paths.hashes(ORIGIN))
    _refused(room, "REWRITTEN between entries 0-255 ")


@pytest.mark.parametrize(
    ("size", "gone", "message"),
    [
        (600, [0], "MISSING entries 0-255 "),
        (600, [1], "MISSING entries 256-511 "),
        (1100, [1, 2], "MISSING entries 256-767 "),
        (1100, [1, 3], "MISSING entries 256-511 "),
        (512, [0], "MISSING entries 0-255 "),
        (512, [1], "TRUNCATED: signed 512, found 256 "),
        (512, [0, 1], "TRUNCATED: signed 512, found 0 "),
    ],
)
def test_a_missing_bundle_is_missed_at_load(size: int, gone: list[int], message: str) -> None:
    room = _vault(size)
    for number in gone:
        _disk(room).drop_raw(room.paths.bundle(ORIGIN, number))
    _refused(room, message)


def test_a_bundle_swapped_with_another_is_noticed() -> None:
    room = _vault()
    files, one, two = _disk(room), room.paths.bundle(ORIGIN, 0), room.paths.bundle(ORIGIN, 1)
    first, second = files.raw(one), files.raw(two)
    files.put_raw(one, second)
    files.put_raw(two, first)
    with pytest.raises(LogDamaged, match="REWRITTEN between entries 0-255 "):
        list(room.log.entries(0, 1))


@given(st.integers(0, 10**6), st.sampled_from(["open", "b0", "b1", "checkpoint"]), st.integers(1, 255))
def test_no_single_changed_byte_ever_changes_what_is_read(at: int, which: str, flip: int) -> None:
    room = _CHANGED
    files = _disk(room).copy()
    paths = {
        "open": room.paths.open(ORIGIN),
        "b0": room.paths.bundle(ORIGIN, 0),
        "b1": room.paths.bundle(ORIGIN, 1),
        "checkpoint": room.paths.checkpoint(ORIGIN),
    }
    data = bytearray(files.raw(paths[which]))
    data[at % len(data)] ^= flip
    files.put_raw(paths[which], bytes(data))
    with pytest.raises(Damaged):
        Room(files).opened().entries()


_CHANGED = _vault()


# The checkpoint


def test_a_missing_checkpoint_of_a_log_with_entries_is_damage_not_an_empty_log() -> None:
    for size in (3, 256, 600):  # up to two are what an interrupted beginning leaves
        room = _vault(size)
        _disk(room).drop_raw(room.paths.checkpoint(ORIGIN))
        _refused(room, "MISSING")


def test_an_empty_checkpoint_a_link_and_a_foreign_one_are_refused() -> None:
    room = _vault()
    files, path = _disk(room), room.paths.checkpoint(ORIGIN)
    files.put_raw(path, b"")
    _refused(room, "does not hold")
    files.put_raw(path, sign(600, room.tail.root, OTHER))
    _refused(room, "another log")
    files.put_raw(path, sign(600, room.tail.root) + b"\n" * 5000)
    with pytest.raises(Damaged):
        Room(files).log.load(believe)
    files.put_irregular(path)
    with pytest.raises(Damaged):
        Room(files).log.load(believe)


def test_a_link_in_place_of_open_is_refused() -> None:
    room = _vault()
    _disk(room).put_irregular(room.paths.open(ORIGIN))
    with pytest.raises(Damaged):
        Room(room.files).log.load(believe)


def test_an_old_checkpoint_put_back_is_seen_when_bundles_go_beyond_it() -> None:
    room = Room(MemoryFiles()).found()
    room.commit(many(200))
    files = _disk(room)
    old = files.raw(room.paths.checkpoint(ORIGIN))
    room.commit(many(100))
    files.put_raw(room.paths.checkpoint(ORIGIN), old)
    with pytest.raises(LogDamaged):
        Room(files.another_process()).opened()


def test_a_whole_older_log_put_back_is_a_rollback_for_whoever_saw_the_newer() -> None:
    room = Room(MemoryFiles()).found()
    room.say("a")
    old = _disk(room).copy()
    room.say("b")
    for path, data in old.tree(room.paths.audit(ORIGIN)).items():
        _disk(room).put_raw(path, data)
    with pytest.raises(LogDamaged, match="ROLLED BACK: 2 entries of the log were seen, now it has 1"):
        room.say("c")
    assert Room(_disk(room).another_process()).opened().texts() == ["a"]


def test_a_log_that_went_another_way_is_a_fork() -> None:
    room = Room(MemoryFiles()).found()
    room.say("a")
    twin = Room(_disk(room).copy()).opened()
    room.say("mine")
    twin.say("theirs")
    twin.say("theirs too")
    for path, data in _disk(twin).tree(room.paths.audit(ORIGIN)).items():
        _disk(room).put_raw(path, data)
    with pytest.raises(LogDamaged, match="FORKED"):
        room.say("c")
    assert room.log.dirty


def test_a_checkpoint_that_vanishes_under_a_running_process_is_damage() -> None:
    room = Room(MemoryFiles()).found()
    room.say("a")
    _disk(room).drop_raw(room.paths.checkpoint(ORIGIN))
    before = _disk(room).tree()
    with pytest.raises(LogDamaged, match="MISSING"):
        room.say("b")
    assert _disk(room).tree() == before


def test_an_entry_without_any_checkpoint_is_an_unfinished_set_up() -> None:
    room = Room(MemoryFiles()).found()
    room.say("a")
    _disk(room).drop_raw(room.paths.checkpoint(ORIGIN))
    with pytest.raises(NotFound):
        Room(room.files).log.load(believe)


class Hurried(MemoryFiles):
    """A reader between whose looks at the disk a writer always does something."""

    meanwhile: Iterator[Callable[[], object]] = iter(())

    def names(self, folder: Path) -> list[str]:
        next(self.meanwhile, lambda: None)()
        return super().names(folder)

    def read_range(self, path: Path, offset: int, length: int) -> bytes:
        next(self.meanwhile, lambda: None)()
        return super().read_range(path, offset, length)


@pytest.mark.parametrize("size", [253, 254, 255, 510, 511])
def test_a_reader_without_the_lock_sees_a_whole_log_while_a_writer_closes_a_bundle(size: int) -> None:
    room = _vault(size)
    files = Hurried(_disk(room).disk)
    files.meanwhile = iter([lambda: room.say("x"), lambda: room.say("y", "z"), lambda: room.say("w")])
    reader = Room(files)
    reader.tail = reader.log.load(believe)
    assert len(reader.entries()) == reader.tail.size >= size
    assert room.tail.size == size + 4, "the writer did write in between"


def test_entries_read_while_the_bundle_is_renamed_are_the_right_ones() -> None:
    room = _vault(200)
    reader = Room(_disk(room).another_process()).opened()
    room.commit(many(100))
    assert list(reader.log.entries(150, 200)) == list(room.log.entries(150, 200))
    reader.say("joins in")
    assert reader.texts()[-1] == "joins in"
    assert reader.tail.size == 301
