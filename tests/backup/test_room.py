"""A place that has no room says how much it has and how much is needed, in figures that are right."""

from __future__ import annotations

import re
from pathlib import Path

from notevault.backup import model
from tests.backup.scene import STICK, Scene
from tests.fakes.places import PlaceDisk


def test_little_room_is_told_in_little_units(tmp_path: Path) -> None:
    scene = Scene(tmp_path, sizes=(4096,) * 4, disk=PlaceDisk(STICK, capacity=57_344))
    report = scene.go()
    assert report.verdict == model.FULL
    found = re.fullmatch(
        r"It has (\d+\.\d) KB free; what is new takes (\d+\.\d) KB there, and 1\.0 MB must stay free\."
        r" Nothing was begun\.",
        report.detail,
    )
    assert found is not None, report.detail
    assert 50 < float(found[1]) < 57.4
    assert 16.3 < float(found[2]) < 30
