"""Another laptop of the same vault at a backup place: said once in words, kept in mind, and never an alarm."""

from __future__ import annotations

from pathlib import Path

import pytest

from notevault.adapters.place_files import DiskTree
from notevault.backup import model
from notevault.backup.model import Neighbour, PlaceState
from notevault.backup.places import layout as place
from tests.backup.handmade import lay
from tests.backup.scene import Scene
from tests.backup.vaults import Made2


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, (300,) * 4)


def others(scene: Scene) -> dict[str, Neighbour]:
    return state(scene).others


def state(scene: Scene) -> PlaceState:
    return scene.state


def gone_on(scene: Scene, tmp: Path, files: int) -> Made2:
    """A new laptop that the vault was restored on, and that backs up to the place too."""
    other = scene.made.copy_to(tmp / "new laptop")
    other.recover()
    other.grow(files)
    scene.go(made=other)
    return other


def test_it_is_said_once_and_kept_in_mind(scene: Scene, tmp_path: Path) -> None:
    other = gone_on(scene, tmp_path, 3)
    first = scene.go()
    assert first.verdict == model.SAFE
    (told,) = first.problems
    assert told.code == "OTHER_LOG"
    assert told.detail.startswith("Another laptop of yours, last seen ")
    assert told.detail.endswith(" backs up here too: its 3 files are kept; a restore brings both.")
    assert scene.go().problems == ()
    (kept,) = others(scene).values()
    assert (kept.head.size, kept.files, kept.last_ms) == (other.size, 3, other.now_ms)


def test_what_it_saved_since_is_counted_and_not_said_again(scene: Scene, tmp_path: Path) -> None:
    other = gone_on(scene, tmp_path, 1)
    scene.go()
    other.grow(4)
    scene.go(made=other)
    report = scene.go()
    assert (report.verdict, report.problems) == (model.SAFE, ())
    assert [one.files for one in others(scene).values()] == [5]


def test_another_vaults_log_is_no_laptop_of_hers(scene: Scene, tmp_path: Path) -> None:
    scene.go()
    stranger = Made2(tmp_path / "stranger", "stranger")
    stranger.begin()
    stranger.grow(1)
    base = lay(stranger.vault, scene.made.hex, tmp_path / "laid")
    for name in (place.AUDIT, place.ANCHORS):
        for source in (base / name).rglob("*"):
            if source.is_file():
                target = scene.base / source.relative_to(base)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
    assert DiskTree(scene.base).names(place.ANCHORS) == {scene.made.origin, stranger.origin}
    report = scene.go()
    assert (report.verdict, report.problems) == (model.SAFE, ())
    assert others(scene) == {}


def test_a_laptop_whose_log_has_not_all_arrived_has_files_without_a_number(scene: Scene, tmp_path: Path) -> None:
    other = gone_on(scene, tmp_path, 2)
    for part in (scene.base / place.parts(other.origin)).iterdir():
        part.unlink()
    (told,) = scene.go().problems
    assert told.detail == "Another laptop of yours backs up here too: its files are kept; a restore brings both."
