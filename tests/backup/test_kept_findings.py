"""What a check finds at a place stays said until it is mended, and the log's pieces are mended by the next backup."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from notevault.backup import model
from notevault.backup.checks.verify import FULL, QUICK, SAMPLED, verify
from notevault.backup.model import CheckReport, PlaceState
from notevault.backup.places import layout as place
from notevault.backup.places.forms import decode_found, encode_found
from notevault.backup.status.status import PlaceStatus, status_of
from notevault.backup.worker.passing import Round, Way, pass_over, tell_check
from notevault.backup.worker.results import Results
from notevault.errors import Damaged
from tests.backup import handmade
from tests.backup.scene import PLACE, STICK, Scene, whole_states
from tests.fakes.files import CrashNow
from tests.fakes.places import FakeVolumes, PlaceDisk

SPOIL: dict[str, Callable[[bytes], bytes]] = {
    "zeroed": lambda data: bytes(len(data)),
    "cut": lambda data: data[: len(data) // 2],
    "emptied": lambda _: b"",
    "flipped": lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:],
}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path, (3000,) * 12)
    scene.place = replace(scene.place, added_ms=scene.clock.wall_ms())
    scene.places.save(scene.place)
    scene.made.close_epoch()
    scene.made.read(600)
    scene.go(whole_log=True)
    scene.made.grow(1)
    scene.go()
    return scene


def piece(scene: Scene, what: str) -> Path:
    origin = scene.made.origin
    newest = place.anchor(origin, scene.made.size, scene.made.root)
    parts = sorted((scene.base / place.parts(origin)).iterdir(), key=lambda path: path.stat().st_size)
    return {
        "bundle": scene.base / place.bundle(origin, 1),
        "part": parts[-1],
        "seal": scene.base / place.seal(origin, 0),
        "card": scene.base / place.card(origin),
        "anchor": scene.base / newest,
    }[what]


def check(scene: Scene, how: str = FULL) -> CheckReport:
    return verify(scene.ground, scene.place, scene.tree(), scene.source(), how)


def is_right(scene: Scene, path: Path, right: bytes) -> bool:
    """Parts may be written anew together with what came after them."""
    held = whole_states(scene.there(), scene.made)
    return len(held) == len(scene.anchors()) == 2 and (path.parent.name == "parts" or path.read_bytes() == right)


def told(scene: Scene) -> PlaceStatus:
    state, proofs = scene.state, scene.places.proofs(PLACE)
    return status_of(scene.place, state, proofs, None, None, scene.clock.wall_ms(), False)


@pytest.mark.slow
@pytest.mark.parametrize("how", [SAMPLED, FULL])
@pytest.mark.parametrize("spoil", list(SPOIL))
@pytest.mark.parametrize("what", ["bundle", "part", "seal", "card", "anchor"])
def test_damage_to_a_log_stays_said_until_a_backup_has_written_it_again(
    scene: Scene, what: str, spoil: str, how: str
) -> None:
    path = piece(scene, what)
    right = path.read_bytes()
    path.write_bytes(SPOIL[spoil](right))
    before = scene.places.proofs(PLACE)
    report = check(scene, how)
    assert report.verdict == model.HURT, report.problems
    assert (report.missing, report.changed) == (0, 0)
    assert scene.places.proofs(PLACE) == before, "nothing is proven by a log that does not hold"
    status = told(scene)
    assert (status.colour, status.verdict) == ("red", model.HURT)
    assert "log" in status.detail
    assert "backup run" in status.next_step
    scene.again()
    assert is_right(scene, path, right)
    assert scene.state.hurt_log == 0
    assert check(scene, FULL).verdict == model.SAFE
    assert told(scene).colour == "green"
    assert len(scene.aside()) == 1, "what was wrong is kept"


@pytest.mark.parametrize("what", ["bundle", "part", "seal", "card"])
def test_a_piece_of_the_log_with_another_size_is_mended_within_the_hour_without_any_check(
    scene: Scene, what: str
) -> None:
    path = piece(scene, what)
    right = path.read_bytes()
    path.write_bytes(right[:-1])
    assert scene.go().verdict == model.SAFE
    assert is_right(scene, path, right)


@pytest.mark.parametrize("what", ["bundle", "part", "seal"])
def test_a_quick_look_sees_a_piece_of_the_log_with_another_size(scene: Scene, what: str) -> None:
    path = piece(scene, what)
    right = path.read_bytes()
    path.write_bytes(right + b"x")
    report = check(scene, QUICK)
    assert (report.verdict, [one.code for one in report.problems]) == (model.HURT, ["LOG"])
    assert scene.state.hurt_log == 1
    assert scene.again().verdict == model.SAFE
    assert is_right(scene, path, right)


def test_a_card_that_does_not_hold_is_damage_and_no_emptied_place(scene: Scene) -> None:
    """The advice for an emptied place would have the good backup forgotten."""
    piece(scene, "card").write_bytes(b"x")
    report = check(scene)
    assert report.verdict == model.HURT
    assert "SHRUNK" not in {problem.code for problem in report.problems}


def test_the_log_of_another_laptop_that_is_damaged_there_is_not_forgotten_by_a_backup_of_ours(
    scene: Scene, tmp_path: Path
) -> None:
    """Our backup cannot write it again; theirs can."""
    other = scene.made.copy_to(tmp_path / "other")
    other.recover()
    other.grow(2)
    handmade.lay(other.vault, other.hex, scene.folder)
    assert check(scene).verdict == model.SAFE
    part = next((scene.base / place.parts(other.origin)).iterdir())
    part.write_bytes(b"x")
    assert check(scene).verdict == model.HURT
    scene.again()
    assert told(scene).verdict == model.HURT


@pytest.mark.parametrize("how", ["renamed", "deleted", "all"])
def test_an_anchor_that_went_missing_alone_is_written_again_and_no_alarm(scene: Scene, how: str) -> None:
    path = piece(scene, "anchor")
    if how == "renamed":
        path.rename(path.with_name(f"{path.name} (conflicted copy)"))
    else:
        for each in path.parent.iterdir() if how == "all" else [path]:
            each.unlink()
    report = scene.again()
    assert report.verdict == model.SAFE
    assert "ANCHOR" in {problem.code for problem in report.problems}
    assert path.is_file()
    assert scene.again().problems == ()
    assert check(scene).verdict == model.SAFE


def test_an_anchor_that_went_missing_with_what_it_says_is_an_alarm(scene: Scene) -> None:
    piece(scene, "anchor").unlink()
    for part in (scene.base / place.parts(scene.made.origin)).iterdir():
        part.unlink()
    before = scene.there()
    assert scene.again().verdict == model.SHRUNK
    assert scene.there() == before


def test_what_a_check_found_is_not_lost_while_a_backup_has_the_place(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = scene.base / place.blob(scene.made.digests[3])
    target.write_bytes(bytes(3000))
    piece(scene, "seal").write_bytes(b"x")
    monkeypatch.setattr("notevault.backup.checks.verify.LOCK_WAIT_S", 0.1)
    with scene.places.lock(PLACE, 1.0):
        found: list[CheckReport] = []
        other = threading.Thread(target=lambda: found.append(check(scene)))
        other.start()
        other.join()
        assert found[0].verdict == model.HURT
        assert (scene.state.hurt, scene.state.hurt_log > 0) == (1, True)
        scene.places.save_state(PLACE, PlaceState(files=12))  # the pass knows nothing of it, and ends
    assert told(scene).colour == "red"
    report = scene.again()
    assert report.verdict == model.HURT
    assert (scene.state.hurt, scene.state.hurt_log) == (1, 0)
    assert not (scene.places.root / PLACE / "found").exists()


def test_more_found_does_not_make_less_of_it(scene: Scene) -> None:
    scene.places.leave(PLACE, 3, 0)
    scene.places.leave(PLACE, 1, 2)
    scene.places.take_left(PLACE)
    scene.places.take_left(PLACE)
    assert (scene.state.hurt, scene.state.hurt_log) == (3, 2)
    assert decode_found(encode_found(3, 2)) == (3, 2)
    (scene.places.root / PLACE / "found").write_bytes(b"{}")
    assert scene.state.hurt == 3
    scene.places.take_left(PLACE)
    assert not (scene.places.root / PLACE / "found").exists()
    with pytest.raises(Damaged):
        decode_found(b'{"hurt":-1,"hurt_log":0,"v":1}\n')


def test_after_a_backup_that_was_killed_names_are_made_durable_before_an_anchor_vouches_for_them(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path, disk=PlaceDisk(STICK))
    scene.go()
    scene.made.grow(3)
    disk = scene.disk
    assert disk is not None
    names = 0
    for step in range(1, 60):  # after the last name of the batch, before its sync
        trial = disk.after_kill()
        trial.crash_at(step)
        scene.disk = trial
        with pytest.raises(CrashNow):
            scene.again()
        names = sum(one.kind == "name" and "/blobs/" in str(one.path) for one in trial.trace)
        if names == 3 and trial.trace[-1].kind == "sync":
            break
    assert names == 3
    killed = trial.after_kill()
    for path, file in killed.files.items():
        file.synced = trial.files[path].synced
    assert not all(file.synced for file in killed.files.values())
    scene.disk = killed
    assert scene.again().verdict == model.SAFE
    after = killed.after_power_cut()
    scene.disk = after
    there = scene.there()
    assert all(place.blob(digest) in there for digest in scene.made.digests)
    assert any(path.endswith(f"{scene.made.size}-{scene.made.root.hex()}") for path in there)


def test_nothing_is_kept_for_a_log_that_does_not_hold(scene: Scene) -> None:
    """The right one may be in a backup: an entry more in this one would part the two."""
    results = Results(scene.ground.files, scene.places.root)
    way = Way(FakeVolumes(), lambda path: scene.tree())
    report = pass_over(scene.ground, scene.place, Round(1, None, None, "It does not hold."), way, asked=True)
    assert report.verdict == scene.state.verdict == model.SOURCE
    tell_check(scene.ground, scene.place, None, check(scene), always=True)
    assert not results.any()
    tell_check(scene.ground, scene.place, scene.source(), check(scene), always=True)
    assert results.count() == 1


def test_a_checks_result_is_told_though_a_backup_has_the_place_and_its_state_is_not_written_then(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notevault.backup.worker.passing.MOMENT_S", 0.05)
    report, source = check(scene), scene.source()
    before = scene.state
    with scene.places.lock(PLACE, 1.0):
        other = threading.Thread(target=lambda: tell_check(scene.ground, scene.place, source, report, always=True))
        other.start()
        other.join()
        assert scene.state == before
    assert Results(scene.ground.files, scene.places.root).count() == 1


def test_a_place_that_is_removed_loses_all_that_was_remembered_of_it(scene: Scene) -> None:
    scene.places.leave(PLACE, 1, 1)
    scene.places.forget(PLACE)
    assert sorted(path.name for path in (scene.places.root / PLACE).iterdir()) == ["lock"]
