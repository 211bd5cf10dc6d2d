"""`kill -9`, a power cut and a full disk at every step of a healing: whatever was good is still there, and the next
healing completes. A step is whatever changes a disk: an unfinished file, a sync, a name given, a file moved away.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from notevault.adapters import files_posix, place_posix
from notevault.adapters.file_platform import Platform, this_platform
from notevault.adapters.files import DiskFiles
from notevault.backup import model
from notevault.backup.checks.verify import FULL, verify
from notevault.backup.heal.heal import heal
from notevault.backup.model import HealReport
from notevault.backup.places import layout as place
from notevault.errors import DiskFull
from tests.backup import handmade
from tests.backup.killing import killed_at, ticking
from tests.backup.scene import STICK, Scene
from tests.backup.test_heal import Two, contents, files_below, spoil
from tests.fakes.files import CrashNow
from tests.fakes.places import PlaceDisk

PARTS = 4  # the steps are shared out, so that several processors can work
LARGE = 9 << 20  # bytes; healed in pieces
CHANGES = ("make_folder", "open_new", "place", "replace", "sync_batch", "sync_file", "sync_folder")
STEPS = (
    (place_posix.PosixFolder, ("make", "new", "give", "drop", "sync")),
    (place_posix.PosixPlaces, ("sync_all", "sync_file")),
    (files_posix.PosixPlatform, CHANGES),
)


class Hurt(Two):
    """Two places and a vault, of everything something is spoilt somewhere; each right file is still right in one."""

    def __init__(self, tmp: Path, *, large: bool = False) -> None:
        super().__init__(tmp)
        made = self.made
        if large:
            made.grow(1, LARGE)
            self.remember()
            self.go(whole_log=True)
            handmade.lay(made.vault, made.hex, tmp / "nas")
        origin, first = made.origin, made.digests[0]
        self.right = {path: path.read_bytes() for path in files_below(*self.roots)}
        for path in (
            *(made.paths.blob(digest) for digest in (first, made.digests[1], made.digests[-1])),
            made.paths.header(origin, made.seq, made.prev),
            made.paths.card(origin),
            made.paths.seal(origin, 0),
            made.paths.bundle(origin, 0),
            made.paths.open(origin),
            made.paths.checkpoint(origin),
            *(self.base / place.blob(digest) for digest in made.digests[2:4]),
            self.base / place.card(origin),
            self.base / place.bundle(origin, 0),
            *(self.base / place.parts(origin)).iterdir(),
            self.other / place.blob(made.digests[4]),
            self.other / place.seal(origin, 0),
        ):
            spoil(path)
        for path in (made.paths.blob(made.digests[5]), self.base / place.blob(made.digests[6])):
            path.unlink()
        self.before = {path: path.read_bytes() for path in files_below(*self.roots)}
        self.kept = tmp / "kept"
        for name in self.folders:
            shutil.copytree(tmp / name, self.kept / name)
        self._tmp = tmp

    @property
    def folders(self) -> tuple[str, ...]:
        return ("home", "stick", "nas")

    @property
    def roots(self) -> tuple[Path, ...]:
        return self.made.vault, self.base, self.other

    def reset(self) -> None:
        """As it was before any healing."""
        for name in self.folders:
            shutil.rmtree(self._tmp / name)
            shutil.copytree(self.kept / name, self._tmp / name)

    def nothing_is_lost(self, step: int) -> None:
        """Every file, right or wrong, is still there somewhere, and no name has anything half."""
        everything = contents(*self.roots, self.made.own / "set-aside")
        for path, data in self.before.items():
            assert hashlib.sha256(data).digest() in everything, f"step {step}: {path}"
            if data == self.right[path]:
                assert path.read_bytes() == data, f"step {step}: {path} was right"
        for path, data in self.right.items():
            if path.exists():
                assert path.read_bytes() in (data, self.before.get(path)), f"step {step}: {path}"

    def completes(self, step: int) -> None:
        report = self.heal()
        assert (report.lost, report.problems) == ((), ()), step
        self.check_all()
        for path, data in self.right.items():
            # a piece of the log that a larger one has too need not be right
            assert path.read_bytes() == data or path.parent.name == "parts", f"step {step}: {path}"
        again = self.heal()
        assert (again.healed, again.aside, again.problems) == (0, 0, ()), step


def _killed_at(hurt: Hurt, step: int) -> int:
    def whole() -> bool:
        report = hurt.heal()
        return not report.problems and not report.lost

    return killed_at(step, STEPS, whole)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are POSIX's")
@pytest.mark.parametrize("share", range(PARTS))
def test_killed_at_every_step_of_a_healing_nothing_is_lost_and_the_next_completes(tmp_path: Path, share: int) -> None:
    hurt = Hurt(tmp_path, large=share == 0)
    step, killed = 1 + share, 0
    while (ended := _killed_at(hurt, step)) != 0:
        assert ended == signal.SIGKILL, step
        killed += 1
        hurt.nothing_is_lost(step)
        hurt.completes(step)
        hurt.reset()
        step += PARTS
    assert killed * PARTS > 100
    hurt.completes(step)


class Filling:
    """Implements `Platform` on the real disk, with one step at which it is full; `for_good`: from then on."""

    def __init__(self, step: int, *, for_good: bool) -> None:
        self._inner, self.left, self._for_good = this_platform(), step, for_good

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        return ticking(method, self._tick) if name in CHANGES else method

    def _tick(self) -> None:
        self.left -= 1
        if self.left == 0 or (self.left < 0 and self._for_good):
            raise OSError(errno.ENOSPC, "full")


def _heal_while_it_fills(hurt: Hurt, step: int, *, for_good: bool) -> tuple[HealReport | None, bool]:
    """What came of it, None: it was told that the disk is full; and whether that step was reached at all."""
    disk = Filling(step, for_good=for_good)
    ground = replace(hurt.ground, files=DiskFiles(platform=cast("Platform", disk)))
    with suppress(DiskFull):
        return heal(ground, None, hurt.targets(), [], True), disk.left <= 0
    return None, True


@pytest.mark.slow
@pytest.mark.parametrize("for_good", [False, True])
def test_a_disk_that_is_full_at_any_step_of_healing_the_vault_loses_nothing_and_room_completes_it(
    tmp_path: Path, for_good: bool
) -> None:
    hurt = Hurt(tmp_path)
    step, told = 1, 0
    while True:
        report, reached = _heal_while_it_fills(hurt, step, for_good=for_good)
        hurt.nothing_is_lost(step)
        if not reached:
            break
        if report is not None and not report.problems:
            hurt.check_all()  # it managed all the same
        else:
            told += 1
        hurt.completes(step)
        hurt.reset()
        step += 1
    assert told > 30


# -- a place, on a disk in memory


class HurtPlace(Scene):
    def __init__(self, tmp: Path) -> None:
        super().__init__(tmp, (3000,) * 8, PlaceDisk(STICK))
        made = self.made
        made.close_epoch()
        made.read(250)
        made.header()
        made.grow(2, 400)
        made.grow(1, LARGE)
        self.places.save(self.place)
        self.go(whole_log=True)
        self.right = self.there()
        log = made.origin
        wrong = [place.blob(made.digests[number]) for number in (0, 1, -1)]
        wrong += [place.card(log), place.seal(log, 0), place.bundle(log, 0), *self.names(place.parts(log))]
        wrong += [*self.names("headers/")[:1], *self.anchors()[-1:]]
        for path in wrong:
            self.put(path, b"ENCRYPTED" + self.right[path][::-1])
        for path in (place.blob(made.digests[2]), *self.names("headers/")[-1:]):
            self.drop(path)
        self.before = self.there()

    def heal(self) -> HealReport:
        return heal(self.ground, None, [(self.place, self.tree())], [], False)

    def nothing_is_lost(self) -> None:
        now = self.there()
        everything = set(now.values())
        for path, data in self.before.items():
            assert data in everything, path
            assert data != self.right[path] or now[path] == data, path
        for path, data in now.items():
            assert path.startswith("quarantine/") or data in (self.right[path], self.before.get(path)), path

    def completes(self) -> None:
        report = self.heal()
        assert (report.lost, report.problems) == ((), ())
        now = self.there()
        assert {path: now.get(path) for path in self.right} == self.right
        assert verify(self.ground, self.place, self.tree(), None, FULL).verdict == model.SAFE
        again = self.heal()
        assert (again.healed, again.aside, again.problems) == (0, 0, ())


def _scenes(tmp_path: Path) -> Iterator[tuple[int, HurtPlace]]:
    """The same hurt place again and again, each with the number of the step that is to go wrong."""
    scene = HurtPlace(tmp_path)
    first, state = scene.disk, scene.state
    assert first is not None
    trial = scene.disk = first.after_kill()
    scene.completes()
    for step in range(1, len(trial.trace) + 1):
        scene.disk = first.after_kill()
        scene.places.save_state(scene.place.id, state)
        yield step, scene
    assert len(trial.trace) > 40


@pytest.mark.slow
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_place_that_fails_at_any_step_of_its_healing_loses_nothing_and_the_next_completes(
    tmp_path: Path, code: int
) -> None:
    for step, scene in _scenes(tmp_path):
        assert scene.disk is not None
        scene.disk.fail_at(step, code)
        report = scene.heal()
        assert [problem.code for problem in report.problems] == ["PLACE"], step
        scene.nothing_is_lost()
        scene.completes()


@pytest.mark.slow
@pytest.mark.parametrize("cut", ["kill", "power"])
def test_after_a_crash_at_any_step_of_its_healing_a_place_has_lost_nothing_and_the_next_completes(
    tmp_path: Path, cut: str
) -> None:
    for step, scene in _scenes(tmp_path):
        assert scene.disk is not None
        scene.disk.crash_at(step)
        with pytest.raises(CrashNow):
            scene.heal()
        scene.disk = scene.disk.after_kill() if cut == "kill" else scene.disk.after_power_cut()
        scene.nothing_is_lost()
        scene.completes()


@pytest.mark.parametrize("spare", [0, 1000, 5000, 70_000])
def test_a_place_that_has_no_room_keeps_what_it_had_and_is_healed_once_it_has(tmp_path: Path, spare: int) -> None:
    scene = HurtPlace(tmp_path)
    assert scene.disk is not None
    scene.disk.capacity = scene.disk.used() + spare
    report = scene.heal()
    assert [problem.code for problem in report.problems] == ["PLACE"]
    scene.nothing_is_lost()
    scene.disk.capacity = None
    scene.completes()
