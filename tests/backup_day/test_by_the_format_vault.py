"""An attack that knows docs/FORMAT.md, with write access to the vault's folder.

A log rolled back or forked (with the keys, where that is said), a log that does not hold, links, a destruction that
nobody signed. No place is touched by it.
"""

from __future__ import annotations

import shutil

import pytest

from notevault.backup import model
from tests.backup_day.planting import Outside, aim
from tests.backup_day.practice import Practice, good, snapshot

pytestmark = [pytest.mark.slow, pytest.mark.disk]


def test_a_log_rolled_back_in_the_vault_is_an_alarm_and_nothing_is_pushed(practice: Practice) -> None:
    old = practice.folder / "old-audit"
    shutil.copytree(practice.vault / "audit", old)
    practice.made.grow(6)
    practice.backup("run")
    shutil.rmtree(practice.vault / "audit")
    shutil.copytree(old, practice.vault / "audit")
    before = snapshot(practice.places["blue"])
    report = practice.report("run", "blue")
    assert (report["verdict"], report["code"]) == (model.AHEAD, 1), report
    assert snapshot(practice.places["blue"]) == before


def test_an_old_vault_written_on_is_another_copy_and_not_pushed(practice: Practice) -> None:
    """With the keys: an image of the laptop was put back, and worked with."""
    clone = practice.made.copy_to(practice.folder / "clone")
    practice.made.grow(4)
    practice.backup("run")
    clone.grow(7)
    shutil.rmtree(practice.vault)
    shutil.copytree(clone.vault, practice.vault)
    before = snapshot(practice.places["blue"])
    report = practice.report("run", "blue")
    assert (report["verdict"], report["code"]) == (model.FORKED, 1), report
    assert snapshot(practice.places["blue"]) == before


@pytest.mark.parametrize("part", ["checkpoint", "card", "open"])
def test_a_log_that_does_not_hold_stops_the_backup_and_touches_no_place(practice: Practice, part: str) -> None:
    path = practice.vault / "audit" / practice.made.origin / part
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(bytes(data))
    before = snapshot(practice.places["blue"])
    report = practice.report("run", "blue")
    assert report["verdict"] == model.SOURCE, report
    assert report["code"] in (1, 2)
    assert report["step"]
    assert snapshot(practice.places["blue"]) == before


def test_readings_and_locks_that_wait_for_the_next_backup_are_no_damage(practice: Practice) -> None:
    """They bring no file and go along later; the seal of an epoch that they end must not come before them."""
    practice.made.read(3)
    practice.made.close_epoch()
    practice.made.read(2)
    practice.made.close_epoch()
    assert practice.report("run", "blue")["verdict"] == model.SAFE
    assert practice.report("verify", "--full", "blue")["verdict"] == model.SAFE
    practice.made.grow(1)
    assert practice.report("run", "blue")["verdict"] == model.SAFE
    assert practice.report("verify", "--full", "blue")["verdict"] == model.SAFE


@pytest.mark.parametrize("what", ["blobs/{ab}", "blobs/{ab}/{digest}"])
def test_a_link_in_the_vault_carries_nothing_from_elsewhere_into_a_place(
    practice: Practice, outside: Outside, what: str
) -> None:
    (digest,) = practice.made.grow(1, 2500)
    path = practice.vault / what.format(ab=digest[:2], digest=digest)
    aim(path, outside.folder if path.name == digest[:2] else outside.folder / "photo")
    report = practice.report("run", "blue")
    assert report["code"] != 0
    assert not set(snapshot(practice.places["blue"]).values()) & set(outside.before.values())
    assert outside.untouched()


def test_a_destruction_without_the_vaults_signature_is_none(practice: Practice) -> None:
    """Whoever has the log's keys alone can enter that notes were destroyed; the files still count as live."""
    victim = practice.made.digests[3]
    practice.made.purge(victim, forged=True)
    report = practice.report("run", "blue")
    assert report["verdict"] != model.SAFE, report
    assert victim in good(practice.places["blue"])
    practice.backup("heal", code=None)
    assert victim in good(practice.vault)
