"""A disk that is full, refuses, or fails a sync, at every step: the right error, nothing lost, and on it goes."""

from __future__ import annotations

import errno
import functools
from collections.abc import Iterator

import pytest

from notevault.errors import CannotWrite, DiskFull, NotevaultError, OwnFault, StorageFault
from notevault.storage.blobs import BlobStore
from notevault.storage.layout import BUNDLE
from notevault.storage.local import HeadFile
from tests.fakes.files import MemoryFiles
from tests.storage.making import ORIGIN, Room, builders, many, sign

CODES = [(errno.ENOSPC, DiskFull), (errno.EIO, StorageFault), (errno.EROFS, CannotWrite)]
CASES = [(1, 1), (3, 2), (254, 2), (255, 1), (255, 2), pytest.param(511, 300, marks=pytest.mark.slow)]


def _vault(size: int) -> MemoryFiles:
    return _built(size).copy()


@functools.lru_cache(maxsize=8)
def _built(size: int) -> MemoryFiles:
    files = MemoryFiles()
    Room(files).found().commit(many(size, "old"))
    return files


def _failures(
    files: MemoryFiles, new: int, code: int, error: type[NotevaultError], *, lasting: bool
) -> Iterator[tuple[str, Room, bool]]:
    """For each step: the room after its commit failed there (True) or was acknowledged all the same (False)."""
    trial = files.copy()
    room = Room(trial).opened()
    start = len(trial.trace)
    room.commit(many(new, "new"))
    for step in range(1, len(trial.trace) - start + 1):
        disk = files.copy()
        room = Room(disk).opened()
        before = room.tail
        disk.fail_at(step, code, lasting=lasting)
        raised: list[type[NotevaultError]] = []
        try:
            room.commit(many(new, "new"))
        except NotevaultError as fault:
            raised.append(type(fault))
        failed = bool(raised)
        assert raised in ([], [error]), f"step {step}"
        assert not failed or room.tail is before
        disk.mend()
        yield f"step {step} {disk.trace[-1].kind}", room, failed


@pytest.mark.parametrize("lasting", [False, True])
@pytest.mark.parametrize(("code", "error"), CODES)
@pytest.mark.parametrize(("old", "new"), CASES)
def test_whatever_step_fails_nothing_is_lost_and_the_next_commit_works(
    old: int, new: int, code: int, error: type[NotevaultError], lasting: bool
) -> None:
    failures = 0
    for where, room, failed in _failures(_vault(old), new, code, error, lasting=lasting):
        failures += failed
        room.say("after")
        texts = room.texts()
        news = len(texts) - old - 1
        whole = {new} | ({0} | {n for n in range(new) if (old + n) % BUNDLE == 0} if failed else set())
        assert news in whole, where
        assert texts[old:] == [*(f"new{n}" for n in range(news)), "after"], where
        files = room.files
        assert isinstance(files, MemoryFiles)
        assert Room(files.another_process()).opened().texts() == texts, where
        for seed in range(3):
            assert Room(files.after_power_cut(seed)).opened().texts() == texts, f"{where}, power cut {seed}"
    assert failures > 3


@pytest.mark.parametrize(("old", "new"), CASES)
def test_after_a_failure_another_process_goes_on(old: int, new: int) -> None:
    for where, room, failed in _failures(_vault(old), new, errno.EIO, StorageFault, lasting=False):
        files = room.files
        assert isinstance(files, MemoryFiles)
        other = Room(files.another_process()).opened()
        other.say("other")
        texts = other.texts()
        assert len(texts) > old + (0 if failed else new), where
        room.say("mine")
        assert room.texts() == [*texts, "mine"], where


def test_after_a_failed_sync_the_log_must_be_looked_at_before_it_is_written_to() -> None:
    files = _vault(3)
    room = Room(files).opened()
    files.fail_when("sync", errno.EIO)
    with pytest.raises(StorageFault):
        room.log.commit(room.tail, builders("lost"), sign)
    assert room.log.dirty
    with pytest.raises(OwnFault):
        room.log.commit(room.tail, builders("next"), sign)
    inode = files.disk.live[room.paths.open(ORIGIN)]
    assert room.log.settle(room.tail).bytes > 0
    assert files.disk.live[room.paths.open(ORIGIN)] is not inode, "the file whose sync failed is written to again"
    assert not room.log.dirty
    room.say("next")
    assert room.texts() == ["old0", "old1", "old2", "next"]


@pytest.mark.parametrize(("old", "new"), [(3, 1), (254, 2), (255, 1)])
def test_what_a_window_was_told_of_after_a_failure_survives_a_power_cut(old: int, new: int) -> None:
    seen = set()
    for where, room, _ in _failures(_vault(old), new, errno.EIO, StorageFault, lasting=False):
        room.fresh()
        texts = room.texts()
        seen.add(len(texts))
        files = room.files
        assert isinstance(files, MemoryFiles)
        for seed in range(10):
            assert Room(files.after_power_cut(seed)).opened().texts() == texts, f"{where}, seed {seed}"
    assert seen == {old, old + new}


def test_a_failure_after_the_commit_is_no_failure_of_the_commit() -> None:
    files = _vault(255)
    room = Room(files).opened()
    appended = []
    for step in range(1, 40):
        disk = files.copy()
        room = Room(disk).opened()
        disk.fail_at(step, errno.EIO)
        try:
            room.commit(many(1, "new"))
        except StorageFault:
            continue
        appended.append(step)
        assert room.tail.size == 256
        assert Room(disk.another_process()).opened().texts()[-1] == "new0"
    assert appended, "some step lies after the commit: the renaming of a full bundle"


@pytest.mark.parametrize(("code", "error"), CODES)
def test_a_blob_that_could_not_be_written_is_not_there_and_can_be_written_later(
    code: int, error: type[NotevaultError]
) -> None:
    files = _vault(1)
    trial = files.copy()
    Room(trial).blobs.put(b"sealed")
    Room(trial).blobs.put_many([b"a", b"b"])
    for step in range(1, len(trial.trace) + 1):
        disk = files.copy()
        blobs = Room(disk).blobs
        disk.fail_at(step, code)

        def both(blobs: BlobStore = blobs) -> None:
            blobs.put(b"sealed")
            blobs.put_many([b"a", b"b"])

        with pytest.raises(error):
            both()
        names = [blobs.put(b"sealed"), *blobs.put_many([b"a", b"b"])]
        for seed in range(4):
            after = Room(disk.after_power_cut(seed)).blobs
            assert [after.get(name, limit=10) for name in names] == [b"sealed", b"a", b"b"]


def test_a_head_that_cannot_be_written_does_not_fail_the_save() -> None:
    files = _vault(1)
    room = Room(files).opened()
    head = HeadFile(b"v" * 16, ORIGIN, 1, room.tail.root, 1)
    files.fail_when("sync", errno.ENOSPC)
    assert room.local.write_head(head) is False
    assert room.local.read_head() is None
    assert room.local.write_head(head) is True
    assert room.local.read_head() == head
