"""Every tampering with a real vault is named, at its place, with its weight; and a sound one is not accused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit_day.bare import Bare, copy_tree
from tests.audit_day.cases import Case
from tests.audit_day.day import NEW_PASSPHRASE, Day
from tests.audit_day.scene import BUNDLE, Scene
from tests.audit_day.tampering import ALL, do

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(day: Day, bare: Bare, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene.make(day, bare, tmp_path_factory.mktemp("scene"))


@pytest.mark.parametrize("case", ALL, ids=[f"{case.group}: {case.name}" for case in ALL])
def test_it_is_named(case: Case, scene: Scene, go: Path) -> None:
    row = do(case, scene, go)
    assert row.faults == [], row.said.out


def test_the_vault_is_large_enough_and_the_list_complete(scene: Scene) -> None:
    copy = scene.copy("size")
    assert copy.size > 3 * BUNDLE, "full bundles, and a begun one"
    assert copy.epoch >= 16
    assert copy.closes[-1] < copy.size - 1, "an open end after the last seal"
    assert copy.which("session.fail")[0] < copy.closes[3], "what the thief hides lies deep"
    assert {case.group for case in ALL} == {
        "clean", "truncated", "removed", "missing bundles", "reordered", "edited", "inserted", "duplicated",
        "rolled back", "forked", "thief, keys of today", "a stranger", "unsealed", "seals", "wrong card",
        "another vault's", "notes", "key files", "logs",
    }  # fmt: skip


def test_a_thief_who_knows_the_keys_of_today_and_rewrote_the_past_is_found(scene: Scene, go: Path) -> None:
    """With nothing but the card: no earlier visit, no backup place."""
    (case,) = (each for each in ALL if each.name == "past written anew and signed again")
    row = do(case, scene, go)
    assert row.said.code == 1
    assert row.said.out.startswith("TAMPERED")
    assert row.sentence.startswith("REWRITTEN between entries ")
    assert row.sentence.endswith(" is of other entries")
    assert row.go is not None
    assert row.go[0] == 1


def test_the_noise_that_a_thief_may_add_is_told_by_the_vault_itself(scene: Scene, tmp_path: Path) -> None:
    """Outsiders cannot judge entries that claim an open vault; whoever opens it can, for they lack its MAC."""
    copy = scene.copy("noise")
    home = scene.day.home.copy(tmp_path / "home")
    (case,) = (each for each in ALL if each.name.startswith("noise added"))
    assert case.do(copy).exit == 0
    copy_tree(copy.folder, home.vault)
    key = home.file("new-passphrase", NEW_PASSPHRASE + "\n")
    done = home.run("verify", "--no-input", "--passphrase-file", key, code=None)
    assert done.returncode == 1
    assert f"entry {copy.size}" in done.stdout.lower() + done.stderr.lower()
