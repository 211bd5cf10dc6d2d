"""The fake disk must be harsh: these tests show that it forgets, breaks and dies as a real one may."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from notevault.errors import Busy, DiskFull, NotFound, StorageFault
from tests.fakes.files import CrashNow, MemoryFiles

V = Path("/v")
SEEDS = range(40)


def fresh() -> MemoryFiles:
    files = MemoryFiles()
    files.make_folder(V)
    return files


def test_what_a_method_returned_from_survives_every_power_cut() -> None:
    files = fresh()
    files.make_folder(V / "x")
    files.create(V / "x" / "a", b"created")
    files.create_batch([(V / "b", b"batched")])
    files.replace(V / "b", b"replaced")
    files.append(V / "log", b"one", at=0)
    files.append(V / "log", b"two", at=3)
    files.create(V / "c", b"moved")
    files.move(V / "c", V / "x" / "c")
    files.create(V / "d", b"removed")
    files.remove(V / "d")
    for seed in SEEDS:
        after = files.after_power_cut(seed)
        assert after.tree() == {
            V / "b": b"replaced",
            V / "log": b"onetwo",
            V / "x" / "a": b"created",
            V / "x" / "c": b"moved",
        }


def test_steps_are_numbered_and_named() -> None:
    files = fresh()
    before = len(files.trace)
    files.create(V / "a", b"1")
    assert [s.kind for s in files.trace[before:]] == ["temp", "sync", "rename", "folder"]
    assert [s.number for s in files.trace] == list(range(1, len(files.trace) + 1))


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_step_that_fails_leaves_the_target_as_before(step: int) -> None:
    files = fresh()
    files.create(V / "a", b"old")
    files.fail_at(step, errno.ENOSPC)
    with pytest.raises(DiskFull):
        files.create(V / "b", b"new")
    assert files.tree() == {V / "a": b"old"}
    files.create(V / "b", b"new")


def test_a_lasting_failure_lasts_until_it_is_mended() -> None:
    files = fresh()
    files.fail_when("temp", errno.ENOSPC, lasting=True)
    for _ in range(2):
        with pytest.raises(DiskFull):
            files.create(V / "a", b"1")
    files.mend()
    files.create(V / "a", b"1")


def test_a_dead_process_does_nothing_more_and_its_locks_are_free() -> None:
    files = fresh()
    other = files.another_process()
    files.crash_at(2)

    def work() -> None:
        with files.lock(V / "lock", wait_s=0):
            with pytest.raises(Busy), other.lock(V / "lock", wait_s=0):
                pytest.fail("two held the lock")
            files.create(V / "a", b"abcdef")

    with pytest.raises(CrashNow):
        work()
    with pytest.raises(CrashNow):
        files.create(V / "b", b"")
    with pytest.raises(CrashNow):
        files.read(V / "a", limit=9)
    after = files.after_kill()
    assert after.names(V) == ["lock"]
    assert len([p for p in after.tree() if p.name.startswith(".tmp-")]) == 1
    with after.lock(V / "lock", wait_s=0):
        pass


def test_a_kill_keeps_what_was_written_and_a_power_cut_need_not() -> None:
    files = fresh()
    files.append(V / "log", b"one", at=0)
    files.crash_at(2)  # after the write, before its sync
    with pytest.raises(CrashNow):
        files.append(V / "log", b"twothree", at=3)
    assert files.after_kill().raw(V / "log") == b"onetwothree"
    left = {files.after_power_cut(seed).raw(V / "log") for seed in SEEDS}
    assert all(data.startswith(b"one") for data in left)
    assert {len(data) for data in left} >= {3, 11}
    assert any(not b"onetwothree".startswith(data) for data in left)  # zeros or garbage in the tail


def test_an_unsynced_rename_is_sometimes_lost_and_sometimes_kept() -> None:
    files = fresh()
    files.create(V / "a", b"old")
    files.crash_at(4)  # renamed, folder not yet synced
    with pytest.raises(CrashNow):
        files.replace(V / "a", b"new")
    assert {files.after_power_cut(seed).raw(V / "a") for seed in SEEDS} == {b"old", b"new"}


def test_a_moved_file_never_vanishes_altogether() -> None:
    files = fresh()
    files.make_folder(V / "aside")
    files.create(V / "a", b"text")
    files.crash_at(2)
    with pytest.raises(CrashNow):
        files.move(V / "a", V / "aside" / "a")
    places = [sorted(files.after_power_cut(seed).tree()) for seed in SEEDS]
    assert [V / "a"] in places
    assert [V / "aside" / "a"] in places
    assert [V / "a", V / "aside" / "a"] in places
    assert [] not in places


def test_an_unsynced_folder_may_be_lost_with_all_it_holds() -> None:
    files = fresh()
    files.crash_at(2)
    with pytest.raises(CrashNow):
        files.make_folder(V / "x")
    assert {files.after_power_cut(seed).names(V) == ["x"] for seed in SEEDS} == {True, False}


def test_bytes_whose_sync_failed_never_arrive_even_if_a_later_sync_succeeds() -> None:
    files = fresh()
    files.append(V / "log", b"one", at=0)
    files.fail_when("sync", errno.EIO)
    with pytest.raises(StorageFault):
        files.append(V / "log", b"two", at=3)
    with pytest.raises(StorageFault):  # this process refuses to go on ...
        files.append(V / "log", b"3", at=6)
    files.another_process().append(V / "log", b"3", at=6)  # ... one that does not know of it is told "done"
    for seed in SEEDS:
        assert files.after_power_cut(seed).raw(V / "log") == b"one\0\0\x003"


def test_a_broken_write_leaves_half() -> None:
    files = fresh()
    files.append(V / "log", b"one", at=0)
    files.fail_when("grow", errno.ENOSPC)
    with pytest.raises(DiskFull):
        files.append(V / "log", b"abcdef", at=3)
    assert files.raw(V / "log") == b"oneabc"


def test_an_image_put_back_is_as_it_was() -> None:
    files = fresh()
    files.create(V / "a", b"old")
    image = files.copy()
    files.replace(V / "a", b"new")
    files.create(V / "b", b"more")
    assert image.tree() == {V / "a": b"old"}
    with pytest.raises(NotFound):
        image.read(V / "b", limit=9)
