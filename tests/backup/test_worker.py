"""The worker: nothing is missed when events are lost, no place holds up another, and it ends when it is told to."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.watcher import FolderWatcher
from notevault.backup import model
from notevault.backup.places.layout import base
from notevault.backup.places.patience import PatientVolumes, in_time
from notevault.backup.places.registry import Places
from notevault.backup.worker import schedule
from notevault.backup.worker.ending import Ending
from notevault.backup.worker.passing import Way, pass_over, take_round
from notevault.backup.worker.results import Results
from notevault.errors import DiskFull, StorageFault
from notevault.ports import Volume
from tests.backup.working import PATIENCE_S, Bench, DeafWatcher, HangingPlace, SomeVolumes, until


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.ending.end()


@pytest.fixture
def none_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is slow at a thousand times the pace is this machine, and no place."""
    monkeypatch.setattr(schedule, "SLOW_MS", 100 * schedule.HOUR_MS)


@pytest.fixture
def fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Five minutes in 0.3 s. A thread that has its turn some milliseconds late is no computer that slept."""
    monkeypatch.setattr(schedule, "WOKE_MS", schedule.HOUR_MS)
    made = Bench(tmp_path, factor=1000.0)
    yield made
    made.ending.end()


def test_at_its_start_everything_is_brought_to_every_place(bench: Bench) -> None:
    bench.start()
    until(lambda: bench.safe(0) and bench.safe(1), "not everything was copied")
    assert bench.stop()
    assert [bench.state(n).verdict for n in (0, 1)] == [model.SAFE, model.SAFE]
    assert [bench.state(n).waiting for n in (0, 1)] == [0, 0]


def test_a_save_is_in_every_place_within_seconds(bench: Bench) -> None:
    bench.start(FolderWatcher(bench.made.vault, quiet_s=0.2), tick_ms=10 * 60_000)  # it does not look by itself
    until(lambda: bench.safe(0) and bench.safe(1), "the first backup")
    time.sleep(0.5)
    new = bench.made.grow(3)
    until(lambda: bench.safe(0, new) and bench.safe(1, new), "the watcher's hint led to nothing")
    assert bench.stop()


def test_a_save_is_not_missed_though_every_event_is_lost(fast: Bench) -> None:
    """The signed size of the log is looked at every half minute."""
    fast.start()
    until(lambda: fast.safe(0) and fast.safe(1), "the first backup")
    new = fast.made.grow(2)
    until(lambda: fast.safe(0, new) and fast.safe(1, new), "the change was missed")
    assert fast.stop()


def test_the_signed_size_alone_tells_of_a_save_long_before_the_next_scan(bench: Bench) -> None:
    """In real time, with a look at it every tenth of a second; the next scan would be minutes away."""
    bench.start(tick_ms=100)
    until(lambda: bench.safe(0) and bench.safe(1), "the first backup")
    time.sleep(0.5)
    new = bench.made.grow(2)
    until(lambda: bench.safe(0, new) and bench.safe(1, new), "the change was missed")
    assert bench.stop()


def test_damage_that_no_event_and_no_log_tells_of_is_seen_by_a_scan(fast: Bench) -> None:
    fast.start()
    until(lambda: fast.safe(0) and fast.safe(1), "the first backup")
    for digest in fast.made.digests:
        fast.made.paths.blob(digest).write_bytes(b"encrypted by somebody else")
    until(lambda: fast.ground.places.frozen() is not None, "five changed files were not noticed")
    until(lambda: {fast.state(0).verdict, fast.state(1).verdict} == {model.FROZEN}, "the places were not told")
    assert fast.safe(0)
    assert fast.safe(1)
    assert fast.stop()


def test_what_a_place_lost_is_brought_again_by_a_scan(fast: Bench) -> None:
    fast.start()
    until(lambda: fast.safe(0), "the first backup")
    digest = fast.made.digests[0]
    (base(Path(fast.places[0].path), fast.made.hex) / "blobs" / digest[:2] / digest).unlink()
    until(lambda: fast.has(0, digest), "it was not brought again")
    assert fast.stop()


def test_a_hanging_place_holds_up_no_other_and_is_told_as_slow(fast: Bench) -> None:
    free = threading.Event()
    fast.wrap["one"] = lambda tree: HangingPlace(tree, free)
    fast.start()
    until(lambda: fast.safe(1), "the other place waited for the one that hangs")
    until(lambda: fast.state(0).verdict == model.SLOW, "nobody says that it is slow")
    new = fast.made.grow(1)
    until(lambda: fast.safe(1, new), "a later change waited")
    free.set()
    until(lambda: fast.safe(0, new), "it did not go on when it answered again")
    until(lambda: fast.state(0).verdict == model.SAFE, "it is still told as slow")
    assert fast.stop()


@pytest.mark.slow
def test_what_was_saved_last_is_brought_though_somebody_else_was_at_the_place_just_now(bench: Bench) -> None:
    bench.start(tick_ms=100)
    until(lambda: bench.safe(0) and bench.safe(1), "the first backup")
    with bench.ground.places.lock(bench.places[0].id, PATIENCE_S):
        new = bench.made.grow(1)
        bench.told.clear()
        until(lambda: ("one", model.BUSY) in bench.told, "it was never tried")
        bench.ending.end()
        time.sleep(0.5)
    assert bench.stop()
    assert bench.safe(0, new)


def test_a_place_at_which_somebody_else_stays_for_minutes_is_told_as_slow(fast: Bench) -> None:
    with fast.ground.places.lock(fast.places[0].id, PATIENCE_S):
        fast.start()
        until(lambda: fast.state(0).verdict == model.SLOW, "nobody says that it does not go on")
    until(lambda: fast.state(0).verdict == model.SAFE, "it is still told as slow")
    assert fast.stop()


@pytest.mark.slow
def test_the_end_does_not_wait_for_a_place_that_hangs(bench: Bench) -> None:
    free = threading.Event()
    bench.wrap["one"] = lambda tree: HangingPlace(tree, free)
    bench.start(end_s=2.0)
    until(lambda: bench.safe(1), "the other place waited")
    began = time.monotonic()
    assert not bench.stop()
    assert time.monotonic() - began < PATIENCE_S / 2
    free.set()


def test_a_mistake_of_ours_at_one_place_holds_up_that_place_alone_and_blames_no_stick(bench: Bench) -> None:
    def broken(_tree: object) -> Any:
        raise KeyError("secret words")

    bench.wrap["one"] = broken
    bench.start()
    until(lambda: bench.safe(1), "the other place was broken too")
    until(lambda: bench.state(0).verdict == model.FAULT, "it is not told")
    assert bench.state(0).failures == 1
    assert bench.state(0).next_ms > bench.clock.wall_ms()
    assert bench.stop()


def test_a_place_of_which_nothing_can_be_remembered_keeps_no_other_from_its_turn(bench: Bench) -> None:
    class Failing(DiskFiles):
        """This computer's own disk fails where the state of the first place is kept."""

        failed = 0

        def read(self, path: Path, *, limit: int) -> bytes:
            if path == bad:
                self.failed += 1
                raise StorageFault("Input/output error.")
            return super().read(path, limit=limit)

    bad = bench.ground.places.root / bench.places[0].id / "state"
    files = Failing()
    bench.ground = replace(bench.ground, files=files, places=Places(files, bench.ground.local))
    bench.start(tick_ms=100)
    until(lambda: bench.safe(1), "the other place has no turn")
    new = bench.made.grow(1)
    until(lambda: bench.safe(1, new), "a later change waited")
    assert files.failed
    assert bench.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("none_is_slow")
def test_a_full_place_is_tried_ever_more_rarely_however_often_the_vault_changes(fast: Bench) -> None:
    class Full:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def add_batch(self, *_: object, **__: object) -> int:
            raise DiskFull("The disk is full.")

    fast.wrap["one"] = Full
    fast.start()
    began = fast.clock.boot_ms()
    while fast.clock.boot_ms() - began < 60 * 60_000:  # an hour, with a save every minute
        time.sleep(0.06)
        fast.made.grow(1)
    tries = [verdict for name, verdict in fast.told if name == "one"]
    assert tries == [model.FULL] * len(tries)
    assert 3 <= len(tries) <= 6
    assert fast.state(0).failures == len(tries)
    until(lambda: fast.safe(1), "the other place had to wait")
    assert fast.state(0).waiting >= 10
    assert fast.stop()


@pytest.mark.usefixtures("none_is_slow")
def test_a_place_that_is_plugged_in_again_catches_up_by_itself(fast: Bench) -> None:
    fast.start()
    until(lambda: fast.safe(0), "the first backup")
    stick, drawer = Path(fast.places[0].path), fast.tmp / "drawer"
    stick.rename(drawer)
    new = fast.made.grow(4)
    until(lambda: fast.state(0).waiting == 4, "what waits is not told")
    assert fast.state(0).verdict == model.ABSENT
    assert not stick.exists(), "a place that is not there must never be made"
    state = fast.ground.places.root / fast.places[0].id / "state"
    before = state.stat().st_mtime_ns
    looks = len(fast.opened)
    until(lambda: len(fast.opened) > looks + 6, "it is not looked for")
    assert state.stat().st_mtime_ns == before, "looking for it wakes the disk every half minute"
    drawer.rename(stick)
    until(lambda: fast.safe(0, new), "it did not catch up")
    assert fast.stop()


def test_a_stick_found_under_another_mount_is_used_and_its_new_path_kept(fast: Bench) -> None:
    fast.start()
    until(lambda: fast.safe(0), "the first backup")
    mount = fast.tmp / "media"
    mount.mkdir()
    shutil.move(fast.places[0].path, mount / "one")
    new = fast.made.grow(1)
    fast.volumes.plugged = [mount]
    found = mount / "one" / "notevault" / fast.made.hex / "blobs" / new[0][:2] / new[0]
    until(found.is_file, "it was not found under its new mount")
    until(lambda: fast.ground.places.get("one").path == str(mount / "one"), "its path is not kept")
    assert fast.stop()


def test_a_new_mount_ends_every_waiting(bench: Bench) -> None:
    """In real time: without the mount the next try of a broken place would be a minute away."""
    broken = threading.Event()
    broken.set()

    def maybe(tree: Any) -> Any:
        if broken.is_set():
            raise KeyError
        return tree

    bench.wrap["one"] = maybe
    bench.start(tick_ms=100)
    until(lambda: bench.state(0).verdict == model.FAULT, "it did not break")
    broken.clear()
    time.sleep(0.5)
    assert bench.state(0).verdict == model.FAULT
    bench.volumes.plugged = [bench.tmp]
    until(lambda: bench.safe(0), "a volume was plugged in, and nobody looked")
    assert bench.stop()


def test_asking_for_a_look_ends_every_waiting_too(bench: Bench) -> None:
    broken = [True]

    def maybe(tree: Any) -> Any:
        if broken[0]:
            raise KeyError
        return tree

    bench.wrap["one"] = maybe
    worker = bench.start()
    until(lambda: bench.state(0).verdict == model.FAULT, "it did not break")
    broken[0] = False
    worker.look_now()
    until(lambda: bench.safe(0), "it was asked for, and nobody looked")
    assert bench.stop()


def test_a_place_added_meanwhile_is_served_and_a_removed_one_does_not_come_back(bench: Bench) -> None:
    bench.start(tick_ms=100)
    until(lambda: bench.safe(0) and bench.safe(1), "the first backup")
    with bench.ground.places.lock(bench.places[0].id, PATIENCE_S):  # as `backup remove` does it
        bench.ground.places.forget(bench.places[0].id)
    bench.places.append(bench.add("three"))
    until(lambda: bench.safe(2), "the new place is not served")
    new = bench.made.grow(1)
    until(lambda: bench.safe(2, new), "the new place is not kept up")
    time.sleep(0.3)
    assert not bench.has(0, new[0])
    assert bench.stop()
    assert [place.name for place in bench.ground.places.all()] == ["two", "three"]
    assert not (bench.ground.places.root / bench.places[0].id / "state").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("none_is_slow")
def test_reading_notes_does_not_fill_a_stick_with_small_files(fast: Bench) -> None:
    """Entries that bring no file, our own results among them, are no reason for a backup each."""
    fast.start()
    until(lambda: fast.safe(0), "the first backup")
    anchors = base(Path(fast.places[0].path), fast.made.hex) / "anchors" / fast.made.origin
    began, before = fast.clock.boot_ms(), len(list(anchors.iterdir()))
    while fast.clock.boot_ms() - began < 120 * 60_000:  # two hours, one act of reading every two minutes
        time.sleep(0.12)
        fast.made.read()
    assert len(list(anchors.iterdir())) - before <= 10
    assert fast.stop()


def test_a_vault_that_does_not_hold_is_told_at_every_place_and_copied_to_none(bench: Bench) -> None:
    bench.start(tick_ms=100)
    until(lambda: bench.safe(0) and bench.safe(1), "the first backup")
    opened = bench.made.paths.open(bench.made.origin)
    whole = opened.read_bytes()
    opened.write_bytes(whole[:-40] + bytes(40))
    bench.made.paths.checkpoint(bench.made.origin).touch()
    until(lambda: {bench.state(0).verdict, bench.state(1).verdict} == {model.SOURCE}, "nobody says so")
    opened.write_bytes(whole)
    bench.made.paths.checkpoint(bench.made.origin).touch()
    until(lambda: {bench.state(0).verdict, bench.state(1).verdict} == {model.SAFE}, "it does not go on")
    assert bench.stop()


def test_what_was_saved_just_before_the_end_is_in_the_backup(bench: Bench) -> None:
    bench.start()
    until(lambda: bench.safe(0) and bench.safe(1), "the first backup")
    new = bench.made.grow(5)
    assert bench.stop()
    assert bench.safe(0, new)
    assert bench.safe(1, new)


def test_an_end_before_the_beginning_still_brings_what_waits(bench: Bench) -> None:
    bench.ending.end()
    bench.start()
    assert bench.stop()
    assert bench.safe(0)
    assert bench.safe(1)


@pytest.mark.slow
@pytest.mark.usefixtures("none_is_slow")
def test_results_are_kept_for_the_log_once_and_entered_by_whoever_has_the_keys(fast: Bench) -> None:
    results = Results(fast.ground.files, fast.ground.places.root)
    entered: list[str] = []

    def record() -> None:
        for each in results.waiting():
            entered.append(f"{each.event} {each.outcome}")
            results.done(each)

    fast.start(record=record)
    until(lambda: fast.safe(0) and fast.safe(1), "the first backup")
    until(lambda: all("backup.run" in fast.state(n).told for n in (0, 1)), "no result was kept")
    until(lambda: "backup.run ok" in entered and not results.any(), "the results were not entered")
    first, began = entered.count("backup.run ok"), fast.clock.boot_ms()
    assert first <= 2  # one, where both places ended in the same millisecond
    until(lambda: fast.clock.boot_ms() - began > 60 * 60_000, "an hour")
    assert fast.stop()
    assert entered.count("backup.run ok") == first, "an hour without any change is no news"


@pytest.mark.slow
def test_a_key_store_that_never_answers_holds_nothing_up(bench: Bench) -> None:
    free = threading.Event()
    bench.start(record=lambda: free.wait(PATIENCE_S) and None, end_s=1.0)
    until(lambda: bench.safe(0) and bench.safe(1), "the first backup")
    new = bench.made.grow(1)
    bench.stop()
    assert bench.safe(0, new)
    free.set()


def test_checks_run_by_themselves_when_nothing_else_is_to_do(fast: Bench) -> None:
    fast.start()
    until(lambda: fast.safe(0), "the first backup")
    until(lambda: max(fast.ground.places.proofs(fast.places[0].id)) > 0, "nothing was ever proven")
    assert fast.stop()


@pytest.mark.slow
def test_an_idle_worker_keeps_still(bench: Bench) -> None:
    watcher = DeafWatcher()
    bench.start(watcher)
    until(lambda: bench.safe(0) and bench.safe(1), "the first backup")
    time.sleep(0.5)
    waits, cpu = watcher.waits, time.process_time()
    time.sleep(3)
    assert watcher.waits - waits <= 1
    assert time.process_time() - cpu < 0.3
    assert bench.stop()


@pytest.mark.slow
def test_a_second_worker_waits_until_the_first_has_ended(bench: Bench, tmp_path: Path) -> None:
    held = bench.ground.places.lock(None, 0.0)
    held.__enter__()
    bench.start()
    time.sleep(0.5)
    assert not bench.safe(0)
    held.__exit__(None, None, None)
    until(lambda: bench.safe(0), "it did not take over")
    assert bench.stop()


def test_a_second_worker_ends_at_once_when_told_to(bench: Bench) -> None:
    class Patient(Ending):
        """Nothing but the ending itself ends a wait."""

        waits = threading.Event()

        def wait(self, seconds: float) -> bool:
            self.waits.set()
            return super().wait(1000 * seconds)

    bench.ending = ending = Patient()
    with bench.ground.places.lock(None, 0.0):
        bench.start()
        assert ending.waits.wait(PATIENCE_S), "it does not wait for the first"
        assert bench.stop()
    assert not bench.opened, "it was at a place"


def test_a_mount_that_hangs_does_not_hold_up_the_search_for_a_stick() -> None:
    free = threading.Event()

    class Hanging(SomeVolumes):
        def of(self, folder: Path) -> Volume:
            if folder == Path("/gone"):
                free.wait(PATIENCE_S)
            return super().of(folder)

    inner = Hanging()
    inner.plugged = [Path("/gone"), Path("/")]
    patient = PatientVolumes(inner, patience_s=1.0)
    before = set(threading.enumerate())
    for _ in range(3):
        began = time.monotonic()
        assert patient.mounts() == [Path("/")]
        assert time.monotonic() - began < PATIENCE_S / 2
    new = [thread for thread in set(threading.enumerate()) - before if thread.name == "mount"]
    assert len(new) == 1, "one thread waits for it, not one for every look"
    free.set()
    until(lambda: patient.mounts() == inner.plugged, "it is left out though it answers again")


@pytest.mark.slow
def test_the_loop_reads_the_table_of_mounts_and_asks_none_of_them(bench: Bench) -> None:
    """One that hangs, and is no backup place, must not stop the backups to the others."""
    free, asked = threading.Event(), threading.Event()
    plain = bench.volumes.of

    def hanging(folder: Path) -> Volume:
        if folder == Path("/gone"):
            asked.set()
            free.wait(PATIENCE_S)
        return plain(folder)

    bench.volumes.of = hanging  # type: ignore[method-assign]
    bench.volumes.plugged = [Path("/gone")]
    shutil.rmtree(bench.places[1].path)  # a place that is away: it is looked for on every mount
    bench.start(tick_ms=100)
    until(lambda: bench.safe(0), "the first backup")
    new = bench.made.grow(2)
    until(lambda: bench.safe(0, new), "the mount that hangs stopped the backup of a healthy place")
    assert asked.is_set()
    assert bench.stop()
    free.set()


def test_a_volume_that_hangs_only_when_it_is_read_is_given_up_as_well() -> None:
    free = threading.Event()

    def hang() -> str:
        free.wait(PATIENCE_S)
        return "late"

    began = time.monotonic()
    assert in_time("hangs", hang, 0.2) is None
    assert in_time("hangs", hang, PATIENCE_S) is None  # the first one still hangs: nobody waits for a second
    assert time.monotonic() - began < PATIENCE_S / 2
    assert in_time("answers", lambda: "soon", PATIENCE_S) == "soon"
    with pytest.raises(KeyError):
        in_time("fails", lambda: {}["nothing"], PATIENCE_S)
    free.set()
    until(lambda: in_time("hangs", hang, 5.0) == "late", "it is given up for ever")


def test_a_place_that_somebody_mended_by_hand_is_not_left_to_the_workers_own_back_off(bench: Bench) -> None:
    """A failing place would be tried after a minute; a backup that a person made meanwhile ends the waiting."""
    full = threading.Event()
    full.set()

    class Full:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

        def add_batch(self, *given: Any, **more: Any) -> Any:
            if full.is_set():
                raise DiskFull("The disk is full.")
            return self._inner.add_batch(*given, **more)

    bench.wrap["one"] = Full
    bench.start(tick_ms=100)
    until(lambda: bench.state(0).verdict == model.FULL, "it is not full")
    full.clear()
    way = Way(bench.volumes, bench._open)
    now = take_round(bench.ground)
    until(lambda: pass_over(bench.ground, bench.places[0], now, way).verdict == model.SAFE, "the backup by hand")
    new = bench.made.grow(2)
    until(lambda: bench.safe(0, new), "the worker kept its own back-off of a minute")
    assert bench.stop()
