"""A fault at every single step at the place: whatever was committed stays whole, and the next pass completes."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from notevault.backup import model
from tests.backup.scene import STICK, Scene, whole_states
from tests.fakes.files import CrashNow
from tests.fakes.places import FakePlace, PlaceDisk

FAULTS = {
    errno.ENOSPC: model.FULL,
    errno.EIO: model.BROKEN,
    errno.EACCES: model.READ_ONLY,
    errno.EROFS: model.READ_ONLY,
}


class Boasting(FakePlace):
    """It had room when it was asked; then somebody else took it."""

    def free_bytes(self) -> int | None:
        return 10**9


def _grown(scene: Scene) -> None:
    """A second day: bundles, a seal, a key file, a destroyed note and a further log."""
    made = scene.made
    made.read(250)
    made.grow(3, 20)
    made.close_epoch()
    made.purge(made.digests[1])
    made.renew()
    made.recover()
    made.grow(2, 20)


def _scenes(tmp_path: Path, *, second: bool) -> Iterator[tuple[int, Scene]]:
    """The same scene again and again, each with the number of the step that is to go wrong, until there is none."""
    scene = Scene(tmp_path, (30,) * 3, PlaceDisk(STICK))
    if second:
        scene.go()
        _grown(scene)
    first, state, clock = scene.disk, scene.state, scene.clock.wall_ms()
    assert first is not None
    trial = first.after_kill()
    scene.disk = trial
    scene.go()
    steps = len(trial.trace)
    for step in range(1, steps + 1):
        scene.disk = first.after_kill()
        scene.places.save_state(scene.place.id, state)
        scene.clock.set_wall(clock)
        yield step, scene


@pytest.mark.parametrize("second", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("code", FAULTS)
def test_whatever_step_fails_nothing_half_is_committed_and_the_next_pass_completes(
    tmp_path: Path, code: int, second: bool
) -> None:
    tried = 0
    for step, scene in _scenes(tmp_path, second=second):
        assert scene.disk is not None
        before = len(scene.anchors())
        scene.disk.fail_at(step, code)
        report = scene.go()
        assert report.verdict == FAULTS[code], step
        states = whole_states(scene.there(), scene.made)
        assert scene.state.verdict == FAULTS[code]
        assert (scene.state.waiting > 0) or len(states) > before
        assert scene.go().verdict == model.SAFE
        assert len(whole_states(scene.there(), scene.made)) == before + (2 if second else 1)
        assert scene.aside() == []
        tried += 1
    assert tried > 15


@pytest.mark.parametrize("second", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_unplugged_at_whatever_step_it_is_absent_and_completes_when_it_is_back(tmp_path: Path, second: bool) -> None:
    for step, scene in _scenes(tmp_path, second=second):
        assert scene.disk is not None
        scene.disk.vanish_at(step)
        assert scene.go().verdict == model.ABSENT, step
        scene.disk.plug_in()
        whole_states(scene.there(), scene.made)
        assert scene.go().verdict == model.SAFE
        assert whole_states(scene.there(), scene.made)


@pytest.mark.parametrize("cut", ["kill", "power"])
@pytest.mark.parametrize("second", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_after_a_crash_at_whatever_step_no_state_is_half_there(tmp_path: Path, second: bool, cut: str) -> None:
    for step, scene in _scenes(tmp_path, second=second):
        assert scene.disk is not None
        scene.disk.crash_at(step)
        with pytest.raises(CrashNow):
            scene.go()
        scene.disk = scene.disk.after_kill() if cut == "kill" else scene.disk.after_power_cut()
        whole_states(scene.there(), scene.made)
        assert scene.go().verdict == model.SAFE
        assert len(whole_states(scene.there(), scene.made)) == (3 if second else 1)
        assert scene.aside() == []


@pytest.mark.parametrize("spare", [0, 1, 5000, 70_000])
def test_a_disk_that_fills_up_meanwhile_gets_no_anchor_and_loses_nothing(tmp_path: Path, spare: int) -> None:
    scene = Scene(tmp_path, (20_000,) * 20, PlaceDisk(STICK))
    scene.go()
    scene.made.grow(20, 20_000)
    assert scene.disk is not None
    before = scene.there()
    scene.disk.capacity = scene.disk.used() + spare
    assert scene.go(tree=Boasting(scene.disk, scene.base)).verdict == model.FULL
    assert before.items() <= scene.there().items()
    assert len(whole_states(scene.there(), scene.made)) == 1
    scene.disk.capacity = None
    assert scene.go().verdict == model.SAFE
    assert len(whole_states(scene.there(), scene.made)) == 2
