"""`kill -9` of a real process at every step of a real pass on a real disk; then another process completes it.

A step is whatever changes the place or this device's memory: a folder, an unfinished file, a sync, a name given, a
state saved. The killed process is a fork, so that every step can be tried.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from notevault.adapters import files, place_posix
from notevault.backup import model
from tests.backup.killing import killed_at
from tests.backup.scene import DEVICE, Scene, whole_states

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are POSIX's")
STEPS = (
    (place_posix.PosixFolder, ("make", "new", "give", "drop", "sync")),
    (place_posix.PosixPlaces, ("sync_all", "sync_file")),
    (files.DiskFiles, ("replace", "make_folder")),
)


def _killed_at(scene: Scene, step: int) -> int:
    return killed_at(step, STEPS, lambda: scene.go().verdict == model.SAFE)


@pytest.mark.slow
@pytest.mark.parametrize("second", [False, True])
def test_killed_at_every_step_a_pass_leaves_whole_states_and_the_next_completes(tmp_path: Path, second: bool) -> None:
    scene = Scene(tmp_path / "s", (40, 9 << 20, 50) if not second else (40,))
    if second:
        scene.go()
        scene.made.close_epoch()
        scene.made.read(250)
        scene.made.grow(2, 10)
        scene.made.recover()
        scene.made.grow(3, 10)
    keep = tmp_path / "keep"
    shutil.copytree(scene.folder, keep / "stick")
    if scene.made.own.exists():
        shutil.copytree(scene.made.own, keep / "own")
    step, killed = 1, 0
    while True:
        ended = _killed_at(scene, step)
        if ended == 0:
            break
        assert ended == signal.SIGKILL
        killed += 1
        states = whole_states(scene.there(), scene.made)
        assert scene.go().verdict == model.SAFE
        assert len(whole_states(scene.there(), scene.made)) == (3 if second else 1) >= len(states)
        assert scene.aside() == []
        for folder, name in ((scene.folder, "stick"), (scene.made.own, "own")):
            shutil.rmtree(folder)
            if (keep / name).exists():
                shutil.copytree(keep / name, folder)
        step += 1
    assert killed > 25


def test_what_a_killed_pass_left_unfinished_is_cleaned_a_day_later(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (4000,) * 3)
    stage = scene.base / f".stage-{DEVICE}"
    for step in range(1, 60):
        assert _killed_at(scene, step) == signal.SIGKILL
        if stage.exists() and list(stage.iterdir()):
            break
    for file in stage.iterdir():
        os.utime(file, (1_000_000, 1_000_000))
    scene.go()
    assert not stage.exists() or list(stage.iterdir()) == []
