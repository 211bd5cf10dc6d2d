"""A check of a backup place: what it sees, what it remembers, and that it changes nothing there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.backup import model
from notevault.backup.checks.verify import DAY_MS, FULL, LEAST_PARTS, QUICK, SAMPLED, WITHIN_MS, verify
from notevault.backup.model import CheckReport
from notevault.backup.places import layout as place
from tests.backup import handmade
from tests.backup.scene import DEVICE, PLACE, Scene
from tests.backup.vaults import Made2


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path, (3000,) * 40)
    scene.place = replace(scene.place, added_ms=scene.clock.wall_ms())
    scene.ground.places.save(scene.place)
    scene.made.close_epoch()
    scene.made.read(300)
    scene.go(whole_log=True)
    return scene


def check(scene: Scene, how: str = FULL, *, source: bool = True) -> CheckReport:
    return verify(scene.ground, scene.place, scene.tree(), scene.source() if source else None, how)


def blob(scene: Scene, number: int) -> Path:
    return scene.base / place.blob(scene.made.digests[number])


def spoil(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", [QUICK, SAMPLED, FULL])
@pytest.mark.parametrize("source", [True, False])
def test_a_sound_place_is_found_so_and_is_not_touched(scene: Scene, how: str, source: bool) -> None:
    before = scene.there()
    report = check(scene, how, source=source)
    assert (report.verdict, report.files, report.missing, report.changed) == (model.SAFE, 40, 0, 0)
    assert report.problems == ()
    assert scene.there() == before
    if how == FULL:
        assert report.bytes == 40 * 3000
        assert set(scene.places.proofs(PLACE)) == {scene.clock.wall_ms()}
    if how == QUICK:
        assert report.bytes == 0
        assert set(scene.places.proofs(PLACE)) == {0}
    assert scene.state.quick_ms == scene.clock.wall_ms()


def test_a_changed_byte_is_seen_when_bytes_are_read_and_is_not_forgotten_by_a_quick_look(scene: Scene) -> None:
    spoil(blob(scene, 7))
    assert check(scene, QUICK).verdict == model.SAFE
    report = check(scene, FULL)
    assert (report.verdict, report.changed, report.missing) == (model.HURT, 1, 0)
    assert [problem.code for problem in report.problems] == ["CHANGED"]
    assert scene.state.hurt == 1
    first = int(scene.made.digests[7][:2], 16)
    proofs = scene.places.proofs(PLACE)
    assert [number for number, at in enumerate(proofs) if not at] == [first]
    check(scene, QUICK)
    assert scene.state.hurt == 1
    spoil(blob(scene, 7))
    check(scene, FULL)
    assert scene.state.hurt == 0


@pytest.mark.parametrize("source", [True, False])
def test_a_quick_look_sees_what_is_missing_or_has_another_size(scene: Scene, source: bool) -> None:
    blob(scene, 1).unlink()
    blob(scene, 2).write_bytes(b"longer" * 1000)
    report = check(scene, QUICK, source=source)
    assert (report.verdict, report.missing, report.changed) == (model.HURT, 1, 1)
    assert scene.state.hurt == 2


@pytest.mark.slow
def test_a_sample_a_day_sees_every_byte_within_ninety_days(scene: Scene) -> None:
    """Without the time that the logs take: the parts alone are what is sampled."""
    begun = scene.clock.wall_ms()
    for _ in range(256 // LEAST_PARTS + 1):
        scene.clock.advance(DAY_MS)
        check(scene, SAMPLED)
    proofs = scene.places.proofs(PLACE)
    assert min(proofs) > begun
    assert scene.clock.wall_ms() - min(proofs) <= WITHIN_MS


def test_after_a_long_absence_more_is_sampled_but_not_everything_at_once(scene: Scene) -> None:
    scene.clock.advance(2 * WITHIN_MS)
    check(scene, SAMPLED)
    assert LEAST_PARTS < sum(bool(at) for at in scene.places.proofs(PLACE)[:256]) < 256
    scene.clock.set_wall(scene.clock.wall_ms() - 100 * WITHIN_MS)  # proofs of a time to come prove nothing
    assert check(scene, SAMPLED).verdict == model.SAFE


def test_an_unplugged_place_is_absent_and_nothing_is_called_hurt(scene: Scene) -> None:
    gone = scene.base.parent.parent / "pulled"
    tree = scene.tree()

    class Pulled:
        """Goes away in the middle of the check."""

        def __getattr__(self, name: str) -> object:
            return getattr(tree, name)

        def listing(self, folder: str) -> object:
            if folder == "blobs/80":
                scene.base.rename(gone)
            return tree.listing(folder)

    report = verify(scene.ground, scene.place, Pulled(), scene.source(), FULL)  # type: ignore[arg-type]
    assert report.verdict == model.ABSENT
    assert scene.state.hurt == 0
    assert check(scene).verdict == model.ABSENT
    gone.rename(scene.base)
    assert check(scene).verdict == model.SAFE


def test_an_emptied_place_has_less_than_it_once_had(scene: Scene) -> None:
    for name in ("anchors", "audit", "blobs", "headers"):
        shutil.rmtree(scene.base / name)
    report = check(scene)
    assert (report.verdict, report.missing) == (model.SHRUNK, 40)
    assert scene.state.hurt == 40


def test_an_older_copy_of_a_place_put_back_has_less_than_it_once_had(scene: Scene, tmp_path: Path) -> None:
    shutil.copytree(scene.base, tmp_path / "older")
    scene.made.grow(3)
    scene.go()
    shutil.rmtree(scene.base)
    shutil.copytree(tmp_path / "older", scene.base)
    for how in (QUICK, FULL):
        report = check(scene, how)
        assert (report.verdict, report.missing) == (model.SHRUNK, 3)


def test_a_new_place_with_nothing_in_it_yet_waits(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert check(scene).verdict == model.WAITING


def test_another_marker_is_foreign_and_none_is_absent(scene: Scene) -> None:
    marker = scene.base / place.MARKER
    marker.write_bytes(place.Marker("cd" * 16, scene.made.hex).encode())
    assert check(scene).verdict == model.FOREIGN
    marker.write_bytes(b"{}")
    assert check(scene).verdict == model.FOREIGN
    marker.unlink()
    assert check(scene).verdict == model.ABSENT


def test_a_planted_link_is_called_so(scene: Scene, tmp_path: Path) -> None:
    target = blob(scene, 3)
    target.rename(tmp_path / "elsewhere")
    target.symlink_to(tmp_path / "elsewhere")
    assert check(scene, QUICK).verdict == model.PLANTED
    assert check(scene, FULL).verdict == model.PLANTED


@pytest.mark.parametrize("what", ["bundle", "part", "seal", "card", "header"])
def test_damage_to_log_and_key_files_is_found(scene: Scene, what: str) -> None:
    made = scene.made
    part = next((scene.base / place.parts(made.origin)).iterdir())
    path = {
        "bundle": scene.base / place.bundle(made.origin, 0),
        "part": part,
        "seal": scene.base / place.seal(made.origin, 0),
        "card": scene.base / place.card(made.origin),
        "header": scene.base / place.header(made.origin, 1, made.prev),
    }[what]
    data = path.read_bytes()
    spoil(path, -10)
    for how in (SAMPLED, FULL):
        report = check(scene, how)
        assert report.verdict in (model.HURT, model.SHRUNK), what
        assert report.problems
    assert scene.places.proofs(PLACE)[256] == 0
    path.unlink()
    assert check(scene, FULL).verdict in (model.HURT, model.SHRUNK)
    if what in ("bundle", "part", "header"):
        assert check(scene, QUICK).verdict in (model.HURT, model.SHRUNK)
    path.write_bytes(data)
    assert check(scene, FULL).verdict == model.SAFE
    assert scene.places.proofs(PLACE)[256] == scene.clock.wall_ms()


def test_a_signature_spoilt_in_a_seal_is_found(scene: Scene) -> None:
    path = scene.base / place.seal(scene.made.origin, 0)
    text = path.read_bytes()
    at = len(text) - 12
    path.write_bytes(text[:at] + (b"A" if text[at : at + 1] != b"A" else b"B") + text[at + 1 :])
    assert check(scene, FULL).verdict == model.HURT


def test_a_place_with_two_histories_is_forked(scene: Scene, tmp_path: Path) -> None:
    other = scene.made.copy_to(tmp_path / "other")
    other.grow(2)
    scene.made.grow(4)
    scene.go()
    lay_over(other, scene.base)
    assert check(scene, FULL).verdict == model.FORKED


def lay_over(made: Made2, base: Path) -> None:
    handmade.lay(made.vault, made.hex, base.parent.parent)


def test_a_check_that_is_stopped_proves_only_what_it_read(scene: Scene) -> None:
    asked = iter([False] * 30)
    report = verify(scene.ground, scene.place, scene.tree(), scene.source(), FULL, stop=lambda: next(asked, True))
    assert 0 < report.bytes < 40 * 3000
    assert sum(bool(at) for at in scene.places.proofs(PLACE)[:256]) < 256


def test_a_removed_place_does_not_come_back(scene: Scene) -> None:
    scene.places.forget(PLACE)
    check(scene, FULL)
    assert scene.places.all() == []
    assert scene.places.proofs(PLACE) == [0] * 257


def test_progress_ends_at_all_bytes(scene: Scene) -> None:
    told: list[tuple[int, int, int]] = []
    verify(scene.ground, scene.place, scene.tree(), None, FULL, progress=lambda *one: told.append(one))
    assert told[-1] == (40 * 3000, 40 * 3000, 40)
    assert told == sorted(told)


def test_a_slow_disk_is_asked_for_several_files_at_once_with_the_same_outcome(scene: Scene) -> None:
    """The fake clock stands still for the real disk, so the slow one is played: every read takes 2 ms."""
    spoil(blob(scene, 5))
    tree = DiskPlace(scene.base, DEVICE)
    clock = scene.clock

    class Slow(DiskTree):
        def read(self, path: str, *, limit: int) -> bytes:
            clock.advance(2)
            return super().read(path, limit=limit)

        def listing(self, folder: str) -> dict:  # type: ignore[type-arg]
            clock.advance(5)
            return super().listing(folder)

    assert tree.names("")
    report = verify(scene.ground, scene.place, Slow(scene.base), scene.source(), FULL)
    assert (report.verdict, report.changed, report.bytes) == (model.HURT, 1, 40 * 3000)


def test_proofs_of_a_clock_that_was_once_ahead_keep_no_part_from_being_read(scene: Scene) -> None:
    now = scene.clock.wall_ms()
    scene.places.save_proofs(PLACE, [now + 300 * DAY_MS] * 257)
    for _ in range(12):
        scene.clock.advance(DAY_MS)
        check(scene, SAMPLED)
    assert sum(at <= scene.clock.wall_ms() for at in scene.places.proofs(PLACE)[:256]) >= 12 * LEAST_PARTS
