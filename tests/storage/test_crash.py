"""A process that dies, or a power cut, at every step of writing; and a second one while the first is put in order.

The promise: what was acknowledged is there, what was not is covered only in whole steps (when its checkpoint had
already arrived), and the next commit works. A blob that a covered entry names is always there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest

from notevault.errors import Damaged, NotFound
from notevault.storage.layout import BUNDLE, make_lasting_folder
from tests.fakes.files import CrashNow, MemoryFiles
from tests.storage.making import ORIGIN, VAULT, Room, believe, builder, many

SEEDS = range(6)
CASES = [
    (1, 1),
    (3, 2),
    (254, 1),
    (254, 2),
    (255, 1),
    (255, 2),
    (256, 1),
    (511, 1),
    pytest.param(250, 270, marks=pytest.mark.slow),
]


def _vault(size: int) -> MemoryFiles:
    return _built(size).copy()


@functools.lru_cache(maxsize=8)
def _built(size: int) -> MemoryFiles:
    files = MemoryFiles()
    room = Room(files).found()
    for at in range(0, size, 100):
        room.commit(many(min(100, size - at), "old"))
    return files


def _steps(files: MemoryFiles, act: Callable[[MemoryFiles], object]) -> int:
    """How many steps `act` takes."""
    trial = files.copy()
    act(trial)
    return len(trial.trace)


def _crashes(files: MemoryFiles, act: Callable[[MemoryFiles], object]) -> Iterator[tuple[str, MemoryFiles]]:
    """The disk as the dead process left it in each step (the process not yet replaced)."""
    count = _steps(files, act)
    assert count > 0
    for step in range(1, count + 1):
        trial = files.copy()
        trial.crash_at(step)
        with pytest.raises(CrashNow):
            act(trial)
        yield f"step {step} {trial.trace[-1].kind} {trial.trace[-1].path.name[:8]}", trial


def _aftermaths(dead: MemoryFiles, seeds: range = SEEDS) -> Iterator[tuple[str, MemoryFiles]]:
    yield "kill", dead.after_kill()
    for seed in seeds:
        yield f"power cut {seed}", dead.after_power_cut(seed)


def _check(files: MemoryFiles, old: int, new: int, where: str) -> None:
    room = Room(files).opened()
    ends = {old, old + new} | {n for n in range(old, old + new) if n % BUNDLE == 0}
    assert room.tail.size in ends, where
    texts = room.texts()
    assert texts[old:] == [f"new{n}" for n in range(room.tail.size - old)], where
    room.say("after")
    assert Room(files.another_process()).opened().texts() == [*texts, "after"], where


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new"), CASES)
def test_after_a_crash_in_any_step_of_a_commit_every_acknowledged_entry_is_there(old: int, new: int) -> None:
    files = _vault(old)

    def act(trial: MemoryFiles) -> None:
        Room(trial).opened().commit(many(new, "new"))

    for where, dead in _crashes(files, act):
        for how, after in _aftermaths(dead):
            _check(after, old, new, f"{where}, {how}")


@pytest.mark.parametrize("size", [3, 255, 256, 300])
def test_what_was_acknowledged_survives_a_power_cut_a_moment_later(size: int) -> None:
    files = _vault(size)
    for seed in range(20):
        room = Room(files.after_power_cut(seed)).opened()
        assert room.tail.size == size
        assert room.log.last_settled.bytes == 0
        assert len(room.texts()) == size


@pytest.mark.parametrize(("old", "new"), [(3, 2), *(pytest.param(255, new, marks=pytest.mark.slow) for new in (1, 2))])
def test_a_second_crash_while_the_first_is_put_in_order_loses_nothing(old: int, new: int) -> None:
    files = _vault(old)

    def act(trial: MemoryFiles) -> None:
        Room(trial).opened().commit(many(new, "new"))

    def settle(trial: MemoryFiles) -> None:
        Room(trial).opened()

    for first, dead in _crashes(files, act):
        for how, after in [("kill", dead.after_kill()), ("power cut", dead.after_power_cut(1))]:
            if _steps(after, settle) == 0:
                continue
            for second, dead_again in _crashes(after, settle):
                for last, disk in _aftermaths(dead_again, range(2)):
                    _check(disk, old, new, f"{first}, {how}, {second}, {last}")


@pytest.mark.parametrize(("old", "new"), [(3, 2), (255, 1), (256, 1)])
def test_a_killed_process_a_successor_and_then_a_power_cut_lose_nothing_acknowledged(old: int, new: int) -> None:
    files = _vault(old)

    def act(trial: MemoryFiles) -> None:
        Room(trial).opened().commit(many(new, "new"))

    for where, dead in _crashes(files, act):
        successor = dead.after_kill()
        room = Room(successor).opened()
        room.say("after")
        texts = room.texts()
        for seed in SEEDS:
            assert Room(successor.after_power_cut(seed)).opened().texts() == texts, f"{where}, seed {seed}"


@pytest.mark.slow
def test_an_older_checkpoint_never_comes_back_once_the_bundle_has_its_name() -> None:
    """The first process dies before the checkpoint's name is durable, the second while it renames `open`.

    Not the first bundle: making its folder syncs the folder above, and the checkpoint's name with it.
    """
    files = _vault(511)

    def act(trial: MemoryFiles) -> None:
        Room(trial).opened().commit(many(1, "new"))

    def settle(trial: MemoryFiles) -> None:
        Room(trial).opened()

    seen = False
    for _, dead in _crashes(files, act):
        after = dead.after_kill()
        names = after.tree(Room(after).paths.audit(ORIGIN))
        if Room(after).log.load(believe).size == 511 or Room(after).paths.bundle(ORIGIN, 1) in names:
            continue
        seen = True
        for second, dead_again in _crashes(after, settle):
            for seed in range(12):
                _check(dead_again.after_power_cut(seed), 511, 1, f"{second}, seed {seed}")
    assert seen, "no process died between the checkpoint and the renaming"


def test_a_folder_that_a_killed_process_made_is_made_to_last_by_its_successor() -> None:
    folder = VAULT / "x001"
    files = MemoryFiles()
    files.make_folder(VAULT)
    files.crash_at(2)
    with pytest.raises(CrashNow):
        files.make_folder(folder)
    successor = files.after_kill()
    assert folder in successor.disk.live_folders
    make_lasting_folder(successor, folder)
    for seed in range(10):
        assert folder in successor.after_power_cut(seed).disk.live_folders


def test_an_interrupted_commit_is_set_aside_byte_for_byte_and_counted() -> None:
    files = _vault(3)

    def act(trial: MemoryFiles) -> None:
        Room(trial).opened().commit(many(2, "new"))

    seen = set()
    for _, dead in _crashes(files, act):
        after = dead.after_kill()
        room = Room(after)
        before = after.raw(room.paths.open(ORIGIN))
        room.opened()
        kept = [data for path, data in after.tree(room.local_paths.set_aside).items() if ".tmp-" not in path.name]
        covered = after.raw(room.paths.open(ORIGIN))
        assert covered + b"".join(kept) == before
        assert room.log.last_settled.bytes == len(before) - len(covered)
        seen.add(len(kept))
    assert seen == {0, 1}


def test_a_set_up_interrupted_in_any_step_is_an_unfinished_set_up_or_a_whole_log() -> None:
    def act(trial: MemoryFiles) -> None:
        room = Room(trial)
        room.tail = room.log.begin(believe, b"card\n")
        room.commit(many(1, "new"))

    for where, dead in _crashes(MemoryFiles(), act):
        for how, after in _aftermaths(dead):
            room = Room(after)
            try:
                room.opened()
            except NotFound:
                assert not room.log.begun(), where
            else:
                assert room.texts() == ["new0"], f"{where}, {how}"


@pytest.mark.slow
def test_a_covered_entry_never_names_a_blob_that_is_not_there() -> None:
    files = _vault(3)

    def act(trial: MemoryFiles) -> None:
        room = Room(trial).opened()
        digest = room.blobs.put(b"sealed")
        room.commit([builder(digest)])
        room.commit([builder(each) for each in room.blobs.put_many([b"third", b"fourth", b"third"])])

    for where, dead in _crashes(files, act):
        for how, after in _aftermaths(dead, range(4)):
            room = Room(after).opened()
            named = room.texts()[3:]
            for digest in named:
                assert room.blobs.get(digest, limit=100), f"{where}, {how}"
            for digest in room.blobs.digests():
                room.blobs.check(digest)  # whatever has a blob's name has its bytes, even when nothing names it
                if digest not in named:
                    room.blobs.set_aside(digest, room.local)
            assert set(room.blobs.digests()) == set(named)


def test_a_header_is_there_whole_or_not_at_all() -> None:
    files = _vault(3)
    data = b"{header}\n" * 100

    def act(trial: MemoryFiles) -> None:
        room = Room(trial)
        room.headers.write(ORIGIN, 1, data)

    for where, dead in _crashes(files, act):
        for how, after in _aftermaths(dead):
            room = Room(after)
            for candidate in room.headers.candidates():
                try:
                    assert room.headers.read(candidate) == data, f"{where}, {how}"
                except Damaged:
                    pytest.fail(f"a header cut short: {where}, {how}")
            written = room.headers.write(ORIGIN, 1, data)
            assert room.headers.read(written) == data


def test_a_draft_replaced_during_a_crash_is_the_old_or_the_new_one() -> None:
    files = _vault(1)
    name = "ab" * 16
    Room(files).local.drafts.put(name, b"old draft")

    def act(trial: MemoryFiles) -> None:
        Room(trial).local.drafts.put(name, b"new draft")

    found = set()
    for _, dead in _crashes(files, act):
        for _, after in _aftermaths(dead):
            found.add(Room(after).local.drafts.get(name))
    assert found == {b"old draft", b"new draft"}
