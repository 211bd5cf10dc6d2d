"""The log as it should work: commits of any size, bundles, two writers, reading back, constant cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import bundle, merkle
from notevault.errors import Damaged, LogDamaged, NotFound, OwnFault
from notevault.storage.layout import BUNDLE
from notevault.storage.logfile import Tail
from tests.fakes.files import MemoryFiles
from tests.storage.making import ORIGIN, OTHER, Room, believe, builder, builders, many, root_of, sign

EDGES = [1, 2, 255, 256, 257, 511, 512, 513, 600, 768]


def test_what_was_committed_is_read_back_by_the_next_process() -> None:
    files = MemoryFiles()
    first = Room(files).found()
    first.say("a")
    first.say("b", "c")
    second = Room(files.another_process()).opened()
    assert second.texts() == ["a", "b", "c"]
    assert second.tail == first.tail


def test_an_empty_log_has_the_empty_root_and_is_not_begun() -> None:
    room = Room(MemoryFiles()).found()
    assert room.tail.root == merkle.EMPTY_ROOT
    assert not room.log.begun()
    with pytest.raises(NotFound):
        room.log.load(believe)


def test_a_log_is_not_begun_twice() -> None:
    room = Room(MemoryFiles()).found()
    room.say("a")
    with pytest.raises(Damaged):
        room.log.begin(believe)


@pytest.mark.parametrize("size", EDGES)
def test_one_commit_of_any_size_lies_in_bundles_of_256_and_the_rest_in_open(size: int) -> None:
    files = MemoryFiles()
    room = Room(files).found()
    room.commit(many(size))
    full, rest = divmod(size, BUNDLE)
    for number in range(full):
        data = files.read(room.paths.bundle(ORIGIN, number), limit=bundle.MAX_BYTES)
        assert len(bundle.split(data)) == BUNDLE  # type: ignore[arg-type]
    opened = files.read(room.paths.open(ORIGIN), limit=bundle.MAX_BYTES) if rest else b""
    assert len(bundle.split(opened)) == rest  # type: ignore[arg-type]
    assert (files.size(room.paths.open(ORIGIN)) is None) == (rest == 0)
    assert len(files.read(room.paths.hashes(ORIGIN), limit=4096) if full else b"") == 32 * full
    again = Room(files.another_process()).opened()
    assert again.texts() == [f"n{n}" for n in range(size)]
    assert again.tail == room.tail
    assert again.log.last_settled.bytes == 0
    again.say("next")
    assert again.texts()[-1] == "next"


@pytest.mark.slow
@given(st.lists(st.integers(1, 300), min_size=1, max_size=6))
def test_commits_of_any_sizes_give_the_same_tree_as_one_commit(sizes: list[int]) -> None:
    room = Room(MemoryFiles()).found()
    for size in sizes:
        room.commit(many(size))
    entries = room.entries()
    assert len(entries) == sum(sizes) == room.tail.size
    reopened = Room(room.files).opened()
    assert reopened.tail == room.tail
    for size in {0, 1, len(entries) // 2, len(entries) - 1, len(entries)}:
        assert reopened.log.root_at(size) == root_of(entries[:size])


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 300, 511, 512, 599, 600])
def test_the_root_of_any_earlier_size_is_known(size: int) -> None:
    room = Room(MemoryFiles()).found()
    room.commit(many(600))
    assert room.log.root_at(size) == root_of(room.entries()[:size])


def test_a_part_of_the_log_is_read_without_the_rest() -> None:
    room = Room(MemoryFiles()).found()
    room.commit(many(600))
    whole = room.entries()
    for start, stop in [(0, 0), (0, 1), (250, 260), (256, 512), (599, 600), (600, 600), (100, 599)]:
        assert list(room.log.entries(start, stop)) == whole[start:stop]
    for start, stop in [(-1, 2), (3, 2), (0, 601)]:
        with pytest.raises(OwnFault):
            room.log.entries(start, stop)


def test_two_processes_take_turns_and_none_loses_an_entry() -> None:
    files = MemoryFiles()
    one, two = Room(files).found(), Room(files.another_process())
    one.say("start")
    two.opened()
    for n in range(300):
        (one if n % 3 else two).say(f"t{n}")
    expected = ["start", *(f"t{n}" for n in range(300))]
    one.fresh()
    two.fresh()
    assert one.texts() == two.texts() == expected
    assert one.log.last_settled.bytes == two.log.last_settled.bytes == 0


def test_reload_says_nothing_when_nothing_moved_and_the_new_tail_when_it_did() -> None:
    files = MemoryFiles()
    one = Room(files).found()
    one.say("a")
    two = Room(files.another_process()).opened()
    assert two.log.reload_if_moved(two.tail) is None
    one.say("b")
    moved = two.log.reload_if_moved(two.tail)
    assert moved == one.tail


def test_a_commit_on_an_old_tail_is_refused_and_writes_nothing() -> None:
    files = MemoryFiles()
    room = Room(files).found()
    old = room.say("a")
    room.say("b")
    before = files.tree()
    with pytest.raises(OwnFault):
        room.log.commit(old, builders("c"), sign)
    assert files.tree() == before


@pytest.mark.parametrize("entry", [b"", b"x" * 16_385])
def test_an_impossible_entry_is_refused_before_anything_is_written(entry: bytes) -> None:
    files = MemoryFiles()
    room = Room(files).found()
    room.say("a")
    before = files.tree()
    with pytest.raises(OwnFault):
        room.log.commit(room.tail, [builder("b"), lambda _i, _p: entry], sign)
    assert files.tree() == before
    room.say("c")
    assert room.texts() == ["a", "c"]


def test_the_largest_entries_fill_a_bundle() -> None:
    room = Room(MemoryFiles()).found()
    room.commit([lambda i, p: f"{i} {p.hex()} ".encode().ljust(16_384, b"x")] * 257)
    assert len(Room(room.files).opened().entries()) == 257


def test_a_signer_that_fails_or_signs_something_else_leaves_the_log_as_it_was() -> None:
    files = MemoryFiles()
    room = Room(files).found()
    room.say("a")
    before = files.tree()

    def broken(size: int, root: bytes) -> bytes:
        raise LogDamaged("no key")

    with pytest.raises(LogDamaged, match="no key"):
        room.log.commit(room.tail, builders("b"), broken)
    for wrong in (
        lambda size, root: sign(size + 1, root),
        lambda size, root: sign(size, bytes(32)),
        lambda size, root: sign(size, root, OTHER),
        lambda size, root: b"",
    ):
        with pytest.raises(OwnFault):
            room.log.commit(room.tail, builders("b"), wrong)
    assert files.tree() == before
    room.say("b")
    assert room.texts() == ["a", "b"]


def test_logs_of_two_origins_do_not_touch_each_other() -> None:
    files = MemoryFiles()
    one, two = Room(files).found(), Room(files, origin=OTHER)
    two.tail = two.log.begin(believe)
    one.say("one")
    two.commit(many(257))
    one.say("uno")
    assert one.texts() == ["one", "uno"]
    assert len(two.texts()) == 257


def test_a_card_is_kept_and_read_back() -> None:
    room = Room(MemoryFiles())
    room.log.begin(believe, b"{card}\n")
    assert room.log.card_bytes() == b"{card}\n"


class CountingFiles(MemoryFiles):
    """Counts the bytes that go in and out."""

    read_bytes = 0
    written = 0

    def read(self, path: Path, *, limit: int) -> bytes:
        return self._count(super().read(path, limit=limit))

    def read_range(self, path: Path, offset: int, length: int) -> bytes:
        return self._count(super().read_range(path, offset, length))

    def stream(self, path: Path, *, chunk: int) -> Iterator[bytes]:
        for piece in super().stream(path, chunk=chunk):
            yield self._count(piece)

    def append(self, path: Path, data: bytes, *, at: int) -> None:
        self.written += len(data)
        super().append(path, data, at=at)

    def replace(self, path: Path, data: bytes | object) -> None:
        assert isinstance(data, bytes)
        self.written += len(data)
        super().replace(path, data)

    def _count(self, data: bytes) -> bytes:
        self.read_bytes += len(data)
        return data


def _cost_of_a_commit(files: CountingFiles, room: Room) -> tuple[int, int, int]:
    files.read_bytes = files.written = 0
    files.trace.clear()
    room.say("one more entry")
    return files.read_bytes, files.written, len(files.trace)


def test_a_commit_costs_the_same_at_20000_entries_as_at_20_and_loading_reads_one_bundle_and_the_hashes() -> None:
    files = CountingFiles()
    room = Room(files).found()
    room.commit(many(20))
    small = _cost_of_a_commit(files, room)
    room.commit(many(20_000 - room.tail.size - 236))
    large = _cost_of_a_commit(files, room)
    assert large[0] <= small[0] + 16  # the checkpoint, whose size has more digits
    assert large[1] <= small[1] + 16
    assert large[2] == small[2]
    files.read_bytes = 0
    again = Room(files).opened()
    opened = files.size(room.paths.open(ORIGIN)) or 0
    assert again.tail.size == room.tail.size
    assert files.read_bytes <= opened + 32 * (again.tail.size // BUNDLE) + 2048


def test_a_tail_is_not_changed_by_later_commits() -> None:
    room = Room(MemoryFiles()).found()
    old: Tail = room.say("a")
    size, root, peaks = old.size, old.root, old.frontier.root()
    room.commit(many(300))
    assert (old.size, old.root, old.frontier.root(), old.part.size) == (size, root, peaks, 1)
