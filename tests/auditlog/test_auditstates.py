"""What further folders know of the vault's logs, and of logs that the vault does not have any more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from notevault.app.auditstates import states_in
from notevault.auditlog import card as cards
from notevault.auditlog.card import Card
from notevault.auditlog.outcome import Seen
from notevault.auditlog.vaultcheck import check_vault
from notevault.errors import NotFound
from tests.auditlog import forge, sample
from tests.auditlog.forge import Forge
from tests.vault.build import bare

PLACE, VAULT = Path("/usb"), Path("/vault")


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    forged = Forge(tmp_path / "vault")
    forged.begin().write()
    forged.recover().add("session.open")
    return forged.store()


def states(disk: Path, logs: list[bytes], place: str = "", within: Path | None = None) -> list[Seen]:
    """What `states_in` finds in a copy of the folder `disk`, by the cards `logs`."""
    house = bare()
    for path in disk.rglob("*"):
        if path.is_file():
            house.files.put_raw(PLACE / path.relative_to(disk), path.read_bytes())
    known = [card for card in map(cards.parse, logs) if isinstance(card, Card)]
    return states_in(house.env, PLACE / place, known, within)


def test_a_place_that_holds_card_and_state_of_a_log_proves_that_it_is_gone(vault: Forge) -> None:
    old, new = vault.logs
    new.anchor(vault.folder / "anchors")
    found = states(vault.folder, [old.card])
    assert {(seen.origin, seen.size, seen.proven) for seen in found} == {(old.origin, 2, True), (new.origin, 2, True)}
    shutil.rmtree(new.folder)
    shutil.rmtree(vault.folder / "headers" / new.origin)
    verdict = check_vault(vault.folder, vik=vault.vik, seen=found, verify=sample.verify)
    assert verdict.exit_code == 1


def test_a_place_without_the_card_leaves_it_undecided_and_is_named(vault: Forge, tmp_path: Path) -> None:
    old, new = vault.logs
    for log in vault.logs:
        log.anchor(tmp_path / "kept" / "anchors")
    found = states(tmp_path / "kept", [old.card])
    assert {(seen.origin, seen.proven) for seen in found} == {(old.origin, True), (new.origin, False)}
    shutil.rmtree(new.folder)
    shutil.rmtree(vault.folder / "headers" / new.origin)
    verdict = check_vault(vault.folder, vik=vault.vik, seen=found, verify=sample.verify)
    assert verdict.exit_code == 2
    text = f"MISSING log {new.origin[:8]}: {PLACE} holds a state of 2 entries that needs its card"
    assert text in [one.sentence for one in verdict.findings]


def test_logs_of_another_vault_in_the_same_place_are_passed_over(vault: Forge, tmp_path: Path) -> None:
    other = Forge(tmp_path / "other", "another vault").begin("of another vault")
    forge.put(vault.folder / "audit" / other.origin / "card", other.card)
    other.anchor(vault.folder / "anchors")
    assert {seen.origin for seen in states(vault.folder, [log.card for log in vault.logs])} == {
        log.origin for log in vault.logs
    }


def test_what_lies_in_the_vault_itself_is_no_word_from_outside(vault: Forge) -> None:
    logs = [log.card for log in vault.logs]
    assert {seen.outside for seen in states(vault.folder, logs)} == {True}
    assert {seen.outside for seen in states(vault.folder, logs, within=PLACE)} == {False}
    assert {seen.outside for seen in states(vault.folder, logs, within=VAULT)} == {True}


def test_a_place_that_knows_nothing_is_refused(vault: Forge, tmp_path: Path) -> None:
    forge.put(tmp_path / "kept" / ("cd" * 16) / "5-00", b"junk")
    with pytest.raises(NotFound):
        states(tmp_path / "kept", [vault.card])
