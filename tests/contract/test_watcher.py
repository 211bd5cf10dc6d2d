"""The real watcher on a real folder: it tells of changes, keeps still otherwise, and never holds anybody up."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from notevault.adapters.watcher import FolderWatcher

LONG = 60.0  # a passing test never waits this long


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "vault"
    (root / "blobs" / "ab").mkdir(parents=True)
    (root / "blobs" / "ab" / "one").write_bytes(b"one")
    return root


@pytest.fixture
def watcher(folder: Path) -> Iterator[FolderWatcher]:
    made = FolderWatcher(folder, quiet_s=0.2, longest_s=1.0)
    made.wait(0.5)  # what making the folder still stirs
    yield made
    made.close()


def took(watcher: FolderWatcher, timeout_s: float) -> tuple[bool, float]:
    began = time.monotonic()
    return watcher.wait(timeout_s), time.monotonic() - began


def test_a_new_file_deep_below_is_told(watcher: FolderWatcher, folder: Path) -> None:
    (folder / "blobs" / "ab" / "two").write_bytes(b"two")
    told, seconds = took(watcher, LONG)
    assert told
    assert seconds < LONG / 2


def test_a_file_in_a_folder_that_is_new_is_told(watcher: FolderWatcher, folder: Path) -> None:
    (folder / "audit").mkdir()
    assert watcher.wait(LONG)
    (folder / "audit" / "open").write_bytes(b"x")
    assert watcher.wait(LONG)


@pytest.mark.slow
def test_a_rename_over_a_file_and_a_removal_are_told(watcher: FolderWatcher, folder: Path) -> None:
    (folder / "two").write_bytes(b"2")
    assert watcher.wait(LONG)
    (folder / "two").replace(folder / "blobs" / "ab" / "one")
    assert watcher.wait(LONG)
    (folder / "blobs" / "ab" / "one").unlink()
    assert watcher.wait(LONG)


@pytest.mark.slow
def test_reading_is_no_change(watcher: FolderWatcher, folder: Path) -> None:
    """Otherwise the mirror's own look would be the reason for its next one, for ever."""
    for _ in range(3):
        (folder / "blobs" / "ab" / "one").read_bytes()
        list((folder / "blobs").rglob("*"))
    assert not watcher.wait(1.0)


@pytest.mark.slow
def test_several_changes_are_one_hint(folder: Path) -> None:
    """With a longer quiet than elsewhere: the thread that listens may have its turn late."""
    watcher = FolderWatcher(folder, quiet_s=1.5, longest_s=LONG)
    try:
        for number in range(50):
            (folder / "blobs" / "ab" / f"n{number}").write_bytes(b"n")
        assert watcher.wait(LONG)
        assert not watcher.wait(0.6)
    finally:
        watcher.close()


@pytest.mark.slow
def test_changes_without_end_are_told_all_the_same(watcher: FolderWatcher, folder: Path) -> None:
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.wait(0.02):
            number += 1
            (folder / "blobs" / "ab" / f"{number}").write_bytes(b"n")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        told, seconds = took(watcher, LONG)
        assert told
        assert seconds < LONG / 2
    finally:
        over.set()
        thread.join()


@pytest.mark.slow
def test_waking_is_at_once_and_loses_no_change(watcher: FolderWatcher, folder: Path) -> None:
    threading.Timer(0.2, watcher.wake).start()
    told, seconds = took(watcher, LONG)
    assert told
    assert seconds < LONG / 2
    (folder / "two").write_bytes(b"2")
    time.sleep(0.1)
    watcher.wake()
    assert watcher.wait(LONG)  # one of the two
    assert watcher.wait(LONG)  # and the other


def test_nothing_is_waited_for_longer_than_asked(watcher: FolderWatcher) -> None:
    told, seconds = took(watcher, 0.3)
    assert not told
    assert 0.25 < seconds < LONG / 2


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timer here")
def test_it_may_be_woken_from_within_a_signal_while_it_waits(watcher: FolderWatcher) -> None:
    before = signal.signal(signal.SIGALRM, lambda *_: watcher.wake())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        told, seconds = took(watcher, LONG)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert told
    assert seconds < LONG / 2


def test_a_folder_that_is_not_there_is_no_error_and_no_busy_wait(tmp_path: Path) -> None:
    made = FolderWatcher(tmp_path / "absent")
    assert not made.watching
    told, seconds = took(made, 0.3)
    assert not told
    assert seconds > 0.25
    made.close()


@pytest.mark.slow
def test_a_watched_folder_that_vanishes_is_told_once_then_waited_for(folder: Path) -> None:
    watcher = FolderWatcher(folder, quiet_s=0.2, again_s=2.0)
    try:
        shutil.rmtree(folder)
        assert watcher.wait(LONG)
        deadline = time.monotonic() + LONG
        while watcher.wait(0.3):
            assert time.monotonic() < deadline, "it tells of a lost folder without end"
        # It is there again (a volume that was unplugged): watching goes on by itself, with a hint
        folder.mkdir()
        deadline = time.monotonic() + LONG
        while not (watcher.wait(0.3) and watcher.watching):
            assert time.monotonic() < deadline
    finally:
        watcher.close()


def test_closing_leaves_no_thread_and_may_be_done_twice(folder: Path) -> None:
    before = set(threading.enumerate())
    made = FolderWatcher(folder)
    assert made.watching
    made.close()
    made.close()
    deadline = time.monotonic() + LONG
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert set(threading.enumerate()) <= before
    assert made.wait(0.1)
    assert not made.wait(0.1)
