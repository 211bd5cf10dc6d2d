"""A backup that was deleted from a disk that is still there is an alarm; a stick in a drawer is none."""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace
from notevault.backup import model
from notevault.backup.model import PlaceFile, PlaceState
from notevault.backup.places import layout as place
from notevault.backup.places.layout import base
from notevault.backup.places.registry import Places, find, is_emptied
from notevault.backup.status.status import status_of
from notevault.backup.worker import passing, schedule
from notevault.backup.worker.passing import Way, check_over, pass_over, take_round
from notevault.errors import NotFound, PlaceEmptied
from notevault.ports import Volume, WriteOnce
from tests.backup.scene import DEVICE, PLACE, Scene
from tests.backup.working import Bench, DeafWatcher, SomeVolumes, until
from tests.fakes.places import FakeVolumes

VAULT = "a" * 32


def known(folder: Path, kind: str, volume: str | None) -> PlaceFile:
    return PlaceFile(PLACE, "USB", str(folder), kind, 1, volume)


def at(folder: Path, kind: str, identity: str | None) -> Volume:
    return Volume(kind, "", folder, 1, identity)


@pytest.mark.parametrize(
    ("kind", "number", "now", "emptied"),
    [
        ("fixed", "one", at(Path("/disk"), "fixed", "one"), True),
        ("removable", "one", at(Path("/disk"), "removable", "one"), True),
        ("cloud", "one", at(Path("/disk"), "cloud", "one"), True),
        ("fixed", None, at(Path("/disk"), "fixed", None), True),
        ("removable", "one", at(Path("/"), "fixed", "root"), False),  # the folder of a mount that is not mounted
        ("removable", "one", at(Path("/"), "fixed", None), False),
        ("removable", "one", at(Path("/disk"), "removable", "two"), False),  # another stick at its path
        ("removable", None, at(Path("/disk"), "removable", None), False),  # they cannot be told apart
        ("unknown", None, at(Path("/"), "fixed", None), False),
        ("network", None, at(Path("/"), "fixed", "root"), False),
        ("fixed", "one", at(Path("/elsewhere"), "fixed", "one"), False),  # nothing is known of where it was
    ],
)
def test_deleted_is_told_from_unplugged_by_the_disk(kind: str, number: str | None, now: Volume, emptied: bool) -> None:
    assert is_emptied(known(Path("/disk/backups/mine"), kind, number), FakeVolumes(now)) is emptied


@pytest.mark.parametrize("gone", ["marker", "backup", "folder"])
def test_finding_a_deleted_place_says_so_and_makes_nothing(tmp_path: Path, gone: str) -> None:
    stick = tmp_path / "stick"
    whole = base(stick, VAULT)
    whole.mkdir(parents=True)
    (whole / place.MARKER).write_bytes(place.Marker(PLACE, VAULT).encode())
    volumes = FakeVolumes(at(tmp_path, "removable", "one"))

    def open_tree(path: Path) -> WriteOnce:
        return DiskPlace(path, DEVICE)

    assert find(known(stick, "removable", "one"), VAULT, volumes, open_tree)[0] == stick
    if gone == "marker":
        (whole / place.MARKER).unlink()
    else:
        shutil.rmtree(stick if gone == "folder" else stick / "notevault")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(PlaceEmptied):
        find(known(stick, "removable", "one"), VAULT, volumes, open_tree)
    with pytest.raises(NotFound) as caught:
        find(known(stick, "removable", "two"), VAULT, volumes, open_tree)
    assert not isinstance(caught.value, PlaceEmptied)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_deleted_backup_is_red_at_once_stays_so_unplugged_and_ends_when_it_is_there_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (900,) * 4)
    scene.place = replace(scene.place, volume="one", added_ms=scene.clock.wall_ms())
    scene.places.save(scene.place)
    one, two = FakeVolumes(at(tmp_path, "fixed", "one")), FakeVolumes(at(tmp_path, "fixed", "two"))

    def once(volumes: FakeVolumes) -> str:
        way = Way(volumes, lambda path: DiskPlace(path, DEVICE))
        return pass_over(scene.ground, scene.place, take_round(scene.ground), way, asked=True).verdict

    assert once(one) == model.SAFE
    away = tmp_path / "away"
    scene.folder.rename(away)
    assert once(two) == model.ABSENT
    assert scene.state.verdict == model.ABSENT
    assert once(one) == model.EMPTIED
    assert (
        check_over(
            scene.ground, scene.place, scene.source(), Way(one, lambda path: DiskPlace(path, DEVICE)), "full"
        ).verdict
        == model.EMPTIED
    )
    status = status_of(scene.place, scene.state, [0] * 257, None, None, scene.clock.wall_ms(), False)
    assert (status.colour, status.verdict) == ("red", model.EMPTIED)
    assert "gone from the folder" in status.detail
    assert "backup add" in status.next_step
    assert once(two) == model.ABSENT
    assert scene.state.verdict == model.EMPTIED, "an alarm does not end because the stick was pulled"
    assert not scene.folder.exists()
    away.rename(scene.folder)
    assert once(one) == model.SAFE
    assert scene.state.verdict == model.SAFE


def test_it_is_looked_for_like_one_that_is_unplugged() -> None:
    assert schedule.pause_ms(model.EMPTIED, 3) == schedule.LOOK_MS
    assert schedule.failures_after(PlaceState(failures=2), model.EMPTIED) == 2
    assert passing.verdict_of(PlaceEmptied("It is gone.")) == model.EMPTIED


class Foreign(SomeVolumes):
    """Beside ours a mount at which every look fails as the system fails: no error of our own."""

    mounts_fail = False

    def of(self, folder: Path) -> Volume:
        if "foreign" in folder.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return super().of(folder)

    def mounts(self) -> list[Path]:
        if self.mounts_fail:
            raise PermissionError(errno.EACCES, "Permission denied")
        return super().mounts()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.ending.end()


@pytest.mark.parametrize("fail", [True, False])
def test_a_foreign_mount_that_cannot_be_looked_at_stops_nothing_and_delays_no_end(bench: Bench, fail: bool) -> None:
    volumes = Foreign()
    volumes.mounts_fail = fail
    volumes.plugged = [bench.tmp / "foreign"]
    bench.volumes = volumes
    Path(bench.places[1].path).rename(bench.tmp / "drawer")
    watcher = DeafWatcher(1.0)
    bench.start(watcher, tick_ms=100)
    until(lambda: bench.safe(0), "the place that is there")
    until(lambda: bench.state(1).verdict == model.ABSENT, "the one that is away")
    new = bench.made.grow(1)
    until(lambda: bench.safe(0, new), "a save while the foreign mount is there")
    bench.made.grow(1)
    began = time.monotonic()
    assert bench.stop()
    assert time.monotonic() - began < 25
    assert bench.safe(0), "what was saved last is brought at the end"
    assert bench.state(1).verdict == model.ABSENT


def test_looking_for_a_place_passes_over_what_the_system_refuses(tmp_path: Path) -> None:
    volumes = Foreign()
    volumes.plugged = [tmp_path / "foreign"]

    def open_tree(path: Path) -> WriteOnce:
        if "foreign" in path.parts:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        return DiskPlace(path, DEVICE)

    with pytest.raises(NotFound):
        find(known(tmp_path / "stick", "removable", "one"), VAULT, volumes, open_tree)
    assert Places(DiskFiles(), tmp_path / "local").all() == []
