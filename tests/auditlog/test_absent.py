"""Logs that are not here, or without their signed state: who still speaks of them, and that none passes for unused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import cosign, keyfiles
from notevault.auditlog.headers import HeaderFiles
from notevault.auditlog.outcome import LogReport, Seen, VaultVerdict
from notevault.auditlog.trust import Trust
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Finding, HeaderRef, LogVerdict, Weight, add
from tests.auditlog import forge, sample
from tests.auditlog.forge import Forge, ForgedLog


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    """An old log, and one that follows it: notes in the first alone, the second has entries and a seal."""
    forged = Forge(tmp_path / "vault")
    old = forged.begin()
    old.write()
    old.close()
    new = forged.recover()
    new.add("session.open")
    new.close()
    new.add("session.lock")
    return forged.store()


def check(vault: Forge, **more: Any) -> VaultVerdict:
    return check_vault(vault.folder, **{"card": vault.card, "verify": sample.verify, **more})


def missing(verdict: VaultVerdict) -> list[tuple[Weight, str]]:
    return [(one.weight, one.sentence) for one in verdict.findings if one.code == "MISSING_LOG"]


def no_state(log: ForgedLog) -> None:
    (log.folder / "checkpoint").unlink()


def empty(log: ForgedLog) -> None:
    shutil.rmtree(log.folder)
    log.folder.mkdir()


def gone(log: ForgedLog) -> None:
    shutil.rmtree(log.folder)


GONE = pytest.mark.parametrize("remove", [no_state, empty, gone])
Remove = Callable[[ForgedLog], None]


def test_the_vault_of_these_tests_is_sound(vault: Forge) -> None:
    assert check(vault).exit_code == 0


@GONE
def test_the_newest_log_without_its_signed_state_is_tampering_to_whoever_saw_it(vault: Forge, remove: Remove) -> None:
    new = vault.logs[1]
    seen = [Seen(new.origin, new.size, new.root(), "your state file", 1_793_700_000_000)]
    remove(new)
    for card in (new.card, vault.card):
        verdict = check(vault, card=card, seen=seen)
        assert verdict.exit_code == 1
        assert [weight for weight, _ in missing(verdict)][:1] == [Weight.TAMPERED]
        text = f"MISSING log {new.origin[:8]}: your state file saw {new.size} entries on 3 Nov 2026"
        assert missing(verdict)[0][1].startswith(text)


@GONE
def test_the_newest_log_without_its_signed_state_is_tampering_to_a_backup_place_or_a_witness(
    vault: Forge, tmp_path: Path, remove: Remove
) -> None:
    new, key = vault.logs[1], forge.FastKey("witness")
    new.anchor(tmp_path / "usb" / "anchors")
    data = cosign.make(new.signed(), "auditor.example", key.pub, key.sign, 1_793_700_000)
    witness = cosign.witness_text(cosign.Witness("auditor.example", key.pub))
    remove(new)
    assert check(vault, card=new.card, anchor_folders=[tmp_path / "usb"]).exit_code == 1
    assert check(vault, card=new.card, cosigned=[data], witnesses=[witness]).exit_code == 1


@GONE
def test_the_newest_log_without_its_signed_state_never_passes_for_unused(vault: Forge, remove: Remove) -> None:
    new = vault.logs[1]
    remove(new)
    for card in (new.card, vault.card):
        verdict = check(vault, card=card)
        assert verdict.exit_code == 2
        assert {weight for weight, _ in missing(verdict)} == {Weight.UNDECIDED}
        assert not any("never used" in one.sentence for one in verdict.findings)


def test_what_is_left_of_a_log_speaks_of_it_even_without_its_key_file(vault: Forge) -> None:
    new = vault.logs[1]
    no_state(new)
    shutil.rmtree(vault.folder / "headers" / new.origin)
    verdict = check(vault)
    assert verdict.exit_code == 2
    text = f"MISSING log {new.origin[:8]}; its signed state is not here; here are still: entries, seals"
    assert missing(verdict) == [(Weight.UNDECIDED, text)]


@pytest.mark.parametrize("file", ["entries/000", "seals/00000000", "hashes"])
def test_any_one_file_that_a_used_log_leaves_speaks_of_it(vault: Forge, file: str) -> None:
    forge.put(vault.folder / "audit" / ("cd" * 16) / file, b"x" * 32)
    assert (check(vault).exit_code, len(missing(check(vault)))) == (2, 1)


def test_a_beginning_that_was_interrupted_and_made_again_is_only_a_note(tmp_path: Path) -> None:
    """A card, a key file and entry 0, and no signed state: then a later log with a later key file."""
    vault = Forge(tmp_path)
    vault.begin().write()
    begun = vault.recover("begun")
    vault.logs.remove(begun)
    vault.recover("made again")
    vault.store()
    forge.put(begun.folder / "card", begun.card)
    forge.put(begun.folder / "open", b"")
    assert check(vault).exit_code == 0
    begun.lay()
    verdict = check(vault)
    assert (verdict.exit_code, missing(verdict)) == (0, [])
    assert [one.weight for one in verdict.findings if one.code == "UNLISTED"] == [Weight.NOTE]
    (begun.folder / "card").unlink()
    assert check(vault).exit_code == 2


def test_a_single_log_without_its_signed_state_is_tampering_to_whoever_saw_it(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    log = vault.begin()
    log.write()
    vault.store()
    no_state(log)
    assert check(vault).exit_code == 2
    verdict = check(vault, seen=[Seen(log.origin, 2, log.root(), "your state file")])
    assert (verdict.exit_code, missing(verdict)[0][0]) == (1, Weight.TAMPERED)


# -- backup places


def test_a_backup_place_that_knows_a_log_that_is_not_here_leaves_it_undecided(vault: Forge, tmp_path: Path) -> None:
    old, new = vault.logs
    place = tmp_path / "usb"
    for log in vault.logs:
        log.anchor(place / "anchors")
    shutil.rmtree(vault.folder / "headers" / new.origin)
    gone(new)
    verdict = check(vault, anchor_folders=[place])
    assert verdict.exit_code == 2
    assert missing(verdict) == [
        (
            Weight.UNDECIDED,
            f"MISSING log {new.origin[:8]}: a backup place holds a state of {new.size} entries that needs its card",
        )
    ]
    state = [Seen(new.origin, new.size, new.root(), "your state file")]
    assert check(vault, anchor_folders=[place], seen=state).exit_code == 1
    shutil.rmtree(place / "anchors" / old.origin)
    assert [one.code for one in check(vault, anchor_folders=[place]).of(Weight.UNDECIDED)] == ["MISSING_LOG"]


def test_a_backup_place_that_holds_the_card_too_proves_that_a_log_is_gone(vault: Forge, tmp_path: Path) -> None:
    new = vault.logs[1]
    base = tmp_path / "usb" / "notevault" / sample.VAULT
    new.anchor(base / "anchors")
    forge.put(base / "audit" / new.origin / "card", new.card)
    shutil.rmtree(vault.folder / "headers" / new.origin)
    gone(new)
    for place in (tmp_path / "usb", base, base / "anchors"):
        verdict = check(vault, anchor_folders=[place])
        assert (verdict.exit_code, missing(verdict)[0][0]) == (1, Weight.TAMPERED)


def test_a_backup_place_of_another_vaults_log_says_nothing_of_this_one(vault: Forge, tmp_path: Path) -> None:
    stranger = Forge(tmp_path / "stranger", "another vault").begin("of another vault")
    place = tmp_path / "usb"
    stranger.anchor(place / "anchors")
    vault.logs[0].anchor(place / "anchors")
    forge.put(place / "audit" / stranger.origin / "card", stranger.card)
    assert check(vault, anchor_folders=[place]).exit_code == 0


def test_a_state_that_nobody_can_verify_never_vouches_and_never_accuses(vault: Forge, tmp_path: Path) -> None:
    name = "cd" * 16
    forge.put(tmp_path / "usb" / name / f"5-{bytes(32).hex()}", b"junk")
    verdict = check(vault, anchor_folders=[tmp_path / "usb"])
    assert (missing(verdict), verdict.first_visit) == ([], True)


def test_a_backup_place_in_the_folder_that_is_checked_is_no_word_from_outside(vault: Forge) -> None:
    old = vault.logs[0]
    old.anchor(vault.folder / "anchors")
    for place in (vault.folder, vault.folder / "anchors"):
        verdict = check(vault, anchor_folders=[place])
        assert (verdict.exit_code, verdict.first_visit, verdict.logs[0].anchored) == (0, True, 0)
        said = [one for one in verdict.findings if one.code == "NOT_USED"]
        assert [one.weight for one in said] == [Weight.NOTE]
        assert "lies in the folder that is checked" in said[0].sentence
    old.lay(old.entries[:2])
    old.sign(old.signed(2))
    assert check(vault, anchor_folders=[vault.folder]).exit_code == 1  # it can contradict


# -- one log's folder alone, and what could not be listed


def test_one_logs_folder_alone_does_not_pass_where_the_state_knows_another_log(vault: Forge, tmp_path: Path) -> None:
    old, new = vault.logs
    flat = shutil.copytree(old.folder, tmp_path / "flat")
    states = [Seen(log.origin, log.size, log.root(), "your state file") for log in vault.logs]
    for seen, code in ((states[:1], 0), (states, 2)):
        verdict = check_vault(flat, card=old.card, verify=sample.verify, log_only=True, seen=seen)
        assert (verdict.exit_code, verdict.of(Weight.TAMPERED)) == (code, [])
    assert missing(verdict)[0][0] is Weight.UNDECIDED
    assert new.origin[:8] in missing(verdict)[0][1]


def test_an_audit_folder_that_cannot_be_listed_accuses_nobody(vault: Forge) -> None:
    shutil.rmtree(vault.folder / "audit")
    (vault.folder / "audit").symlink_to(vault.folder / "headers")
    states = [Seen(log.origin, log.size, log.root(), "your state file") for log in vault.logs]
    verdict = check(vault, seen=states)
    assert (verdict.exit_code, verdict.of(Weight.TAMPERED)) == (2, [])


# -- many findings


def test_a_hundred_lesser_findings_never_crowd_out_a_proof(vault: Forge) -> None:
    unsure = [Seen(f"{n:08x}" * 4, 5, bytes(32), "a backup place", proven=False) for n in range(1, 150)]
    verdict = check(vault, seen=[*unsure, Seen("f" * 32, 9, bytes(32), "your state file")])
    assert verdict.exit_code == 1
    assert [one.sentence for one in verdict.of(Weight.TAMPERED)] == [
        "MISSING log ffffffff: your state file saw 9 entries"
    ]
    assert [one.code for one in verdict.findings].count("MORE") == 1


def test_of_each_kind_and_weight_a_few_findings_stay() -> None:
    found: list[Finding] = []
    for weight in (Weight.NOTE, Weight.UNDECIDED, Weight.TAMPERED):
        for n in range(30):
            add(found, Finding("FORKED", weight, f"{weight} {n}"), 20)
    add(found, Finding("FORGED", Weight.TAMPERED, "another kind"), 20)
    kept = [(one.code, one.weight) for one in found]
    assert all(kept.count(("FORKED", weight)) == 20 and kept.count(("MORE", weight)) == 1 for weight in Weight)
    assert found[-1].code == "FORGED"


def test_a_key_file_that_two_logs_made_differently_is_proof_after_twenty_doubts() -> None:
    judging = keyfiles._Judging(HeaderFiles(), Trust())
    for proven in (False, True):
        for n in range(25):
            log = LogReport(LogVerdict(f"{'b' if proven else 'a'}{n:031x}", proven=proven))
            log.verdict.headers = [HeaderRef(0, 1, "0" * 64, 1)]
            judging.log(log, newest=2)
    forked = [one.weight for one in judging.findings if one.code == "FORKED"]
    assert (forked.count(Weight.UNDECIDED), forked.count(Weight.TAMPERED)) == (20, 20)
