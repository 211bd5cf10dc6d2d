"""After a restore on a second laptop to the same place, healing on the first leaves the log of the other there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskTree
from notevault.backup import model
from notevault.backup.checks.verify import FULL, verify
from notevault.backup.copies.copies import Copies
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.vault import VaultCopy
from notevault.backup.heal.ours import own_logs
from notevault.backup.places import layout as place
from notevault.backup.source import guard
from notevault.storage.local import LocalState
from tests.backup import handmade
from tests.backup.test_heal import Two, contents, files_below, spoil, vault_blob
from tests.backup.vaults import Made2


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """Laptop A's, with both places; B went on from it at the first one."""
    two = Two(tmp_path)
    b = two.made.copy_to(tmp_path / "b")
    b.recover()
    b.header()
    b.grow(6, 900)
    handmade.lay(b.vault, b.hex, tmp_path / "stick")
    two.b = b  # type: ignore[attr-defined]
    return two


def other(two: Two) -> Made2:
    found: Made2 = two.b  # type: ignore[attr-defined]
    return found


def test_a_sound_vault_gets_nothing_of_the_other_laptop(two: Two) -> None:
    before = {path: path.read_bytes() for path in files_below(two.made.vault)}
    report = two.heal()
    assert (report.healed, report.aside, report.lost, report.problems) == (0, 0, (), ())
    assert {path: path.read_bytes() for path in files_below(two.made.vault)} == before


def test_a_freeze_can_be_left_though_another_laptop_went_on_at_the_place(two: Two) -> None:
    good = contents(two.made.vault)
    for number in range(6):
        vault_blob(two.made, number).unlink()
    assert two.look().frozen
    report = two.heal()
    assert (report.unfrozen, report.healed, report.lost) == (True, 6, ())
    assert contents(two.made.vault) == good
    assert two.places.frozen() is None
    assert two.go().verdict == model.SAFE


def test_a_vault_of_which_nothing_is_left_comes_back_as_this_laptop_had_it(two: Two) -> None:
    good = contents(two.made.vault / "blobs", two.made.vault / "headers")
    for path in files_below(two.made.vault):
        spoil(path)
    report = two.heal()
    assert report.lost == ()
    assert contents(two.made.vault / "blobs", two.made.vault / "headers") == good
    assert {path.name for path in (two.made.vault / "audit").iterdir()} == {two.made.origin}


def test_a_file_of_the_other_laptop_that_no_copy_has_holds_nothing_up(two: Two) -> None:
    (two.base / place.blob(other(two).digests[-1])).unlink()
    vault_blob(two.made, 0).unlink()
    two.places.freeze(1, 25, "many files changed")
    report = two.heal()
    assert report.lost == ()
    assert report.unfrozen
    assert guard.recall(DiskFiles(), two.places).lost == frozenset()


def logs(made: Made2, own: Path, *others: Path, head: bool = True) -> frozenset[str] | None:
    local = LocalState(DiskFiles(), made.own if head else made.own.parent / "nobody")
    vault = VaultCopy(DiskTree(own), made.hex)
    return own_logs(local, vault, Copies([vault, *(PlaceCopy(DiskTree(one), made.hex) for one in others)], made.hex))


def test_which_logs_are_ours(two: Two, tmp_path: Path) -> None:
    made, b = two.made, other(two)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert logs(made, made.vault, two.base) == {made.origin}
    assert logs(made, empty, two.base) == {made.origin}
    assert logs(made, made.vault, two.base, head=False) == {made.origin}
    assert logs(made, b.vault, two.base, head=False) == {made.origin, b.origin}
    assert logs(made, empty, two.base, head=False) is None


def test_a_damaged_seal_at_a_place_is_put_back(two: Two) -> None:
    seal = two.base / place.seal(two.made.origin, 0)
    right = seal.read_bytes()
    for wrong in (bytes(len(right)), b""):
        seal.write_bytes(wrong)
        assert two.heal().healed == 1
        assert seal.read_bytes() == right
        report = verify(two.ground, two.place, two.tree(), two.source(), FULL)
        assert report.verdict == model.SAFE


def test_the_seal_of_an_epoch_closed_by_the_very_last_entry_is_put_back_too(two: Two) -> None:
    two.made.close_epoch()
    two.remember()
    two.go()
    seals = sorted((two.base / place.seals(two.made.origin)).iterdir())
    right = seals[-1].read_bytes()
    seals[-1].write_bytes(bytes(len(right)))
    assert two.heal().healed == 1
    assert seals[-1].read_bytes() == right


def test_healing_takes_in_what_a_check_left_while_the_place_was_busy(two: Two) -> None:
    two.places.leave(two.place.id, 4, 0)
    assert two.state.hurt == 4
    two.heal()
    assert two.state.hurt == 0
    assert replace(two.state, hurt=0) == two.state
