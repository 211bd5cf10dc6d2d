"""Ransomware over the vault: what is seen, when nothing is copied any more, and what is no alarm."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.backup.mirror.mirror import run_pass
from notevault.backup.places.registry import Places
from notevault.backup.source import guard
from notevault.backup.source.reading import read_vault
from notevault.errors import DiskFull, LogDamaged
from notevault.ports import Volume
from tests.backup.scene import Scene

DAY = 24 * 3600 * 1000


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path, (2000,) * 20)
    assert scene.look() == guard.Look()
    return scene


def spoil(scene: Scene, digest: str, *, quietly: bool = False) -> None:
    """Other bytes of the same size; `quietly`: with the old time put back."""
    path = scene.made.paths.blob(digest)
    before = path.stat()
    path.write_bytes(bytes(byte ^ 0x55 for byte in path.read_bytes()))
    now = scene.clock.wall_ms() * 1_000_000
    os.utime(path, ns=(now, before.st_mtime_ns if quietly else now))


def old(scene: Scene) -> None:
    """All files were written long before the last look."""
    for path in (scene.made.vault / "blobs").glob("*/*"):
        os.utime(path, (1_000_000, 1_000_000))


def test_a_sound_vault_is_sound(scene: Scene) -> None:
    old(scene)
    scene.clock.advance(DAY)
    assert scene.look() == guard.Look()
    assert scene.places.frozen() is None


@pytest.mark.parametrize("how", ["gone", "short", "spoilt", "folder"])
def test_one_hurt_file_is_seen_and_freezes_nothing(scene: Scene, how: str) -> None:
    old(scene)
    scene.look()
    scene.clock.advance(5000)
    digest = scene.made.digests[3]
    path = scene.made.paths.blob(digest)
    if how == "gone":
        path.unlink()
    elif how == "short":
        path.write_bytes(b"short")
    elif how == "folder":
        path.unlink()
        path.mkdir()
    else:
        spoil(scene, digest)
    look = scene.look()
    assert look.hurt == {digest: "missing" if how == "gone" else "changed"}
    assert not look.frozen
    assert look.skip == {digest}


def test_what_a_copy_run_finds_does_not_count_as_a_look_at_the_other_files(scene: Scene) -> None:
    """Touched between the look and the end of the pass: the next look must still be told by their times."""
    old(scene)
    scene.clock.advance(DAY // 2)
    scene.look()
    scene.clock.advance(60_000)
    spoil(scene, scene.made.digests[1])
    scene.clock.advance(60_000)
    noted = guard.note(scene.source(), scene.places, scene.clock.wall_ms(), {scene.made.digests[0]: "changed"})
    assert noted.hurt == {scene.made.digests[0]: "changed"}
    assert scene.look().hurt == {scene.made.digests[1]: "changed"}


def test_a_freeze_by_a_copy_run_is_noted_with_its_own_time(scene: Scene) -> None:
    now = scene.clock.wall_ms() + 7777
    assert guard.note(scene.source(), scene.places, now, dict.fromkeys(scene.made.digests[:5], "missing")).frozen
    frozen = scene.places.frozen()
    assert frozen is not None
    assert frozen.at == now


@pytest.mark.parametrize("given", [True, False], ids=["said", "remembered"])
def test_a_file_system_that_counts_in_steps_of_two_seconds_hides_no_change(scene: Scene, given: bool) -> None:
    old(scene)
    scene.clock.advance(DAY // 2)
    scene.look()
    looked = scene.clock.wall_ms()
    path = scene.made.paths.blob(scene.made.digests[3])
    spoil(scene, path.name)  # just after the look; FAT keeps an earlier time
    os.utime(path, ns=((looked - 1900) * 1_000_000,) * 2)
    scene.clock.advance(60_000)
    assert scene.look(since_ms=looked if given else None).hurt == {path.name: "changed"}


def test_five_hurt_files_freeze_and_four_do_not(scene: Scene) -> None:
    for digest in scene.made.digests[:4]:
        scene.made.paths.blob(digest).unlink()
    assert not scene.look().frozen
    spoil(scene, scene.made.digests[4])
    os.utime(scene.made.paths.blob(scene.made.digests[4]))
    assert scene.look(since_ms=1).frozen
    frozen = scene.places.frozen()
    assert frozen is not None
    assert (frozen.files, frozen.why) == (5, "changed or missing")


def test_slow_ransomware_adds_up(scene: Scene) -> None:
    for number, digest in enumerate(scene.made.digests[:5]):
        scene.clock.advance(DAY // 3)
        spoil(scene, digest)
        look = scene.look()
        assert len(look.hurt) == number + 1
    assert look.frozen


def test_half_of_a_tiny_vault_is_many(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (2000,) * 4)
    scene.made.paths.blob(scene.made.digests[0]).unlink()
    assert not scene.look().frozen
    scene.made.paths.blob(scene.made.digests[1]).unlink()
    assert scene.look().frozen


def test_a_renamed_extension_is_a_missing_file(scene: Scene) -> None:
    for digest in scene.made.digests:
        path = scene.made.paths.blob(digest)
        path.rename(path.with_name(f"{path.name}.locked"))
    look = scene.look()
    assert look.frozen
    assert len(look.hurt) == 20


def test_a_change_with_its_time_put_back_is_found_within_86_days(scene: Scene) -> None:
    old(scene)
    scene.look()
    digest = scene.made.digests[7]
    spoil(scene, digest, quietly=True)
    assert scene.look().hurt == {}
    for _ in range(86):
        scene.clock.advance(DAY)
        scene.look()
    assert scene.look().hurt == {digest: "changed"}


def test_a_healed_file_is_forgotten(scene: Scene) -> None:
    path = scene.made.paths.blob(scene.made.digests[0])
    good = path.read_bytes()
    spoil(scene, path.name)
    assert scene.look(since_ms=1).hurt == {path.name: "changed"}
    assert scene.look().hurt == {path.name: "changed"}
    path.write_bytes(good)
    assert scene.look().hurt == {}


def test_while_frozen_nothing_is_looked_at_and_it_stays(scene: Scene) -> None:
    blobs = [scene.made.paths.blob(digest) for digest in scene.made.digests[:6]]
    good = [path.read_bytes() for path in blobs]
    for path in blobs:
        path.unlink()
    assert scene.look().frozen
    for path, data in zip(blobs, good, strict=True):
        path.write_bytes(data)
    assert scene.look().frozen  # only `heal` and a person end it
    scene.places.thaw()
    assert scene.look() == guard.Look()


def test_files_that_no_copy_has_are_given_up_and_freeze_nothing_any_more(scene: Scene) -> None:
    gone = scene.made.digests[:6]
    kept = {digest: scene.made.paths.blob(digest).read_bytes() for digest in gone}
    for digest in gone:
        scene.made.paths.blob(digest).unlink()
    assert scene.look().frozen
    guard.give_up(scene.ground.files, scene.places, gone)
    scene.places.thaw()
    look = scene.look()
    assert (look.hurt, look.frozen, look.lost) == ({}, False, frozenset(gone))
    scene.made.paths.blob(gone[0]).write_bytes(kept[gone[0]])
    assert scene.look().lost == frozenset(gone[1:])


def test_what_was_destroyed_rightly_while_looking_is_no_loss(scene: Scene) -> None:
    source = scene.source()
    for digest in scene.made.digests[:7]:
        scene.made.purge(digest)
    ground = scene.ground
    look = guard.look(source, ground.vault_tree, ground.places, scene.clock.wall_ms())
    assert look == guard.Look()
    assert scene.look() == guard.Look()


def test_the_key_file_that_opens_the_vault_is_watched(scene: Scene) -> None:
    path = scene.made.paths.header(scene.made.origin, 1, scene.made.prev)
    source = scene.source()
    path.write_bytes(b"{}" + path.read_bytes()[2:-1] + b"?")
    ground = scene.ground
    assert guard.look(source, ground.vault_tree, ground.places, 5).hurt == {scene.made.prev: "changed"}


@pytest.mark.parametrize("junk", [b"", b"{}", b"\xff" * 50, b'{"at":1}\n', b"[" * 5000])
def test_a_memory_that_does_not_read_is_made_anew(scene: Scene, junk: bytes) -> None:
    (scene.places.root / "hurt").write_bytes(junk)
    scene.made.paths.blob(scene.made.digests[0]).unlink()
    assert scene.look().hurt == {scene.made.digests[0]: "missing"}
    assert guard.recall(scene.ground.files, scene.places).hurt == {scene.made.digests[0]: "missing"}


def test_a_freeze_holds_even_when_the_memory_cannot_be_written(scene: Scene) -> None:
    path = scene.places.root / "hurt"
    path.unlink()
    path.mkdir()
    (scene.made.own / "set-aside").write_bytes(b"")  # nor can what lies there be put aside
    for digest in scene.made.digests:
        scene.made.paths.blob(digest).unlink()
    assert scene.look(since_ms=0).frozen
    assert path.is_dir()
    assert scene.places.frozen() is not None


@pytest.mark.parametrize("name", ["hurt", "live", "frozen"])
def test_a_folder_in_the_place_of_a_memory_stops_no_backup_for_good(scene: Scene, name: str) -> None:
    path = scene.places.root / name
    if path.is_file():
        path.unlink()
    path.mkdir(parents=True, exist_ok=True)
    (path / "x").write_bytes(b"kept")
    scene.clock.advance(DAY)
    scene.source()
    assert scene.look().frozen == (name == "frozen")
    if name == "frozen":  # whoever can spoil it must not be able to thaw the backups
        scene.places.freeze(1, 5, "missing")
        assert scene.places.frozen() is not None
        scene.places.thaw()
        assert scene.places.frozen() is None
    if name == "hurt":
        assert path.is_file()
    if name != "live":
        kept = list((scene.made.own / "set-aside/undated").glob(f"backup-{name}-*/x"))
        assert [one.read_bytes() for one in kept] == [b"kept"]


class FullHere(DiskFiles):
    """A disk that takes nothing more below one folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def replace(self, path: Path, data: bytes | Iterable[bytes]) -> None:
        if path.is_relative_to(self.folder):
            raise DiskFull("The disk is full.")
        super().replace(path, data)


def test_a_full_disk_of_this_laptop_keeps_nothing_from_a_healthy_place(scene: Scene) -> None:
    scene.go()
    new = scene.made.grow(2)
    scene.clock.advance(DAY)
    files = FullHere(scene.made.own)
    ground = replace(scene.ground, files=files, places=Places(files, scene.made.own))
    source = read_vault(ground)
    look = guard.look(source, ground.vault_tree, ground.places, scene.clock.wall_ms())
    report = run_pass(ground, scene.place, scene.tree(), Volume("fixed", "", scene.folder, 7), source, look)
    assert report.verdict == "safe"
    assert {f"blobs/{digest[:2]}/{digest}" for digest in new} <= scene.there().keys()
    assert ["disk is full" in one.detail for one in report.problems] == [True]


def test_a_freeze_that_cannot_be_noted_stops_the_backups_all_the_same(scene: Scene) -> None:
    for digest in scene.made.digests[:5]:
        scene.made.paths.blob(digest).unlink()
    files = FullHere(scene.made.own)
    ground = replace(scene.ground, files=files, places=Places(files, scene.made.own))
    with pytest.raises(LogDamaged, match="disk is full"):
        guard.look(read_vault(ground), ground.vault_tree, ground.places, scene.clock.wall_ms())
