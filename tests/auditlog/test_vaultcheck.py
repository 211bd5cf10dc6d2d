"""A whole vault from outside: who vouches for it, which logs count, what was seen of them before."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import anchor, cosign, merkle, words
from notevault.auditlog.outcome import Seen, VaultVerdict
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Finding, Weight
from tests.auditlog import forge, sample
from tests.auditlog.forge import Forge, busy


def check(vault: Forge, **more: Any) -> VaultVerdict:
    return check_vault(vault.folder, **{"card": vault.card, "verify": sample.verify, **more})


def found(verdict: VaultVerdict, weight: Weight) -> list[str]:
    return [finding.code for finding in verdict.of(weight)]


def one(verdict: VaultVerdict, code: str) -> Finding:
    matching = [finding for finding in verdict.findings if finding.code == code]
    assert len(matching) == 1, verdict.findings
    return matching[0]


def seen(log: forge.ForgedLog, size: int, source: str = "your state file", when: int | None = None) -> Seen:
    return Seen(log.origin, size, log.root(size), source, when)


@pytest.mark.parametrize("logs", [1, 2, 3])
def test_a_sound_vault_is_intact_with_its_card_its_fingerprint_or_its_identity(tmp_path: Path, logs: int) -> None:
    vault = busy(tmp_path, 600, logs=logs)
    for given in ({}, {"card": vault.fingerprint}, {"card": None, "vik": vault.vik}):
        verdict = check(vault, **given)
        assert (verdict.exit_code, len(verdict.logs)) == (0, logs)
        assert {finding.weight for finding in verdict.findings} == {Weight.NOTE}
        assert all(log.listed and log.verdict.proven for log in verdict.logs)
        assert verdict.blobs.sound == verdict.blobs.live == len(vault.blobs)
        assert verdict.headers.sound == verdict.headers.seq == len(vault.headers)
        assert verdict.vault == sample.VAULT
    assert [log.current for log in verdict.logs] == [False] * (logs - 1) + [True]
    assert check(vault).fingerprint == vault.fingerprint


def test_a_fingerprint_is_taken_as_it_is_printed(tmp_path: Path) -> None:
    vault = busy(tmp_path, 60)
    printed = " ".join(vault.fingerprint[at : at + 4] for at in range(0, 32, 4))
    assert check(vault, card=printed.upper()).exit_code == 0


def test_without_anything_from_outside_nothing_is_decided(tmp_path: Path) -> None:
    verdict = check(busy(tmp_path, 60), card=None)
    assert (verdict.exit_code, found(verdict, Weight.UNDECIDED)) == (2, ["UNPINNED"])
    assert all(log.verdict.exit_code == 2 for log in verdict.logs)


def test_a_first_visit_says_what_it_cannot_tell_and_a_second_does_not(tmp_path: Path) -> None:
    vault = busy(tmp_path, 60)
    assert check(vault).first_visit
    assert one(check(vault), "FIRST_VISIT").sentence.startswith("FIRST VISIT: ")
    again = check(vault, seen=[seen(vault.logs[0], 20)])
    assert not again.first_visit
    assert "FIRST_VISIT" not in found(again, Weight.NOTE)
    assert one(again, "NOT_ANCHORED").sentence.startswith(
        f"NOT SEEN BEFORE: the last {vault.logs[0].size - 20} entries"
    )


def test_an_open_epoch_is_told_of(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    log = vault.begin()
    log.write()
    log.close()
    log.add("session.open")
    finding = one(check(vault.store()), "NOT_SEALED_YET")
    assert finding.sentence.startswith(f"NOT SEALED YET: the last entry of log {log.origin[:8]}")


def test_a_state_seen_before_that_the_log_continues_vouches_for_its_beginning(tmp_path: Path) -> None:
    vault = busy(tmp_path, 300)
    log = vault.logs[0]
    report = check(vault, seen=[seen(log, 100), seen(log, 290)]).logs[0]
    assert ([ref.state for ref in report.anchors], report.anchored) == (["agrees", "agrees"], 290)


def test_a_log_cut_back_since_the_last_visit_is_named_with_its_date(tmp_path: Path) -> None:
    vault = busy(tmp_path, 300, epochs=1)
    log = vault.logs[0]
    before = seen(log, 290, when=1_793_700_000_000)
    log.lay(log.entries[:280])
    log.sign(log.signed(280))
    verdict = check(vault, seen=[before], log_only=True)
    sentence = f"ROLLED BACK: your state file saw 290 entries on 3 Nov 2026, now 280 are signed (log {log.origin[:8]})"
    assert sentence in [finding.sentence for finding in verdict.of(Weight.TAMPERED)]
    assert [ref.state for ref in verdict.logs[0].anchors] == ["beyond"]


def test_a_log_that_went_on_otherwise_is_forked(tmp_path: Path) -> None:
    vault = busy(tmp_path, 300, epochs=1)
    log = vault.logs[0]
    other = merkle.root([merkle.leaf_hash(data) for data in sample.rechain(log.entries, 200, log.size, _later)][:250])
    verdict = check(vault, seen=[seen(log, 150), Seen(log.origin, 250, other, "backup place")])
    finding = one(verdict, "FORKED")
    assert finding.sentence.startswith("FORKED: the first 250 entries are not what backup place saw")
    assert (finding.first, finding.last, verdict.exit_code) == (150, 249, 1)


def test_a_log_seen_before_that_is_gone_is_tampering(tmp_path: Path) -> None:
    vault = busy(tmp_path, 200, logs=2)
    old = vault.logs[0]
    before = seen(old, 90, when=1_793_700_000_000)
    shutil.rmtree(old.folder)
    verdict = check(vault, seen=[before])
    text = f"MISSING log {old.origin[:8]}: your state file saw 90 entries on 3 Nov 2026"
    assert text in [finding.sentence for finding in verdict.of(Weight.TAMPERED)]


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_listed_log_that_is_not_here_leaves_it_undecided(tmp_path: Path, gone: int) -> None:
    vault = busy(tmp_path, 200, logs=3)
    shutil.rmtree(vault.logs[gone].folder)
    verdict = check(vault, log_only=True)
    assert (verdict.exit_code, set(found(verdict, Weight.UNDECIDED))) == (2, {"MISSING_LOG"})
    sentences = [finding.sentence for finding in verdict.of(Weight.UNDECIDED)]
    assert all(text.startswith(f"MISSING log {vault.logs[gone].origin[:8]}") for text in sentences)


def test_a_log_that_its_successor_cites_is_held_against_that(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    old = vault.begin()
    for _ in range(5):
        old.write()
    vault.recover()
    vault.store()
    first = check(vault).logs[0]
    assert [(ref.seen.outside, ref.state) for ref in first.anchors] == [(False, "agrees")]
    assert first.anchored == 0
    forked = sample.rechain(old.entries, 4, old.size, _later)
    old.lay(forked)
    old.sign(old.statement(6, merkle.root([merkle.leaf_hash(data) for data in forked]), 0))
    finding = one(check(vault), "FORKED")
    assert "which follows it" in finding.sentence
    old.lay(old.entries[:4])
    old.sign(old.signed(4))
    assert {"ROLLED_BACK"} <= set(found(check(vault), Weight.TAMPERED))


def test_a_citation_is_a_word_from_outside_only_where_the_citing_entry_was_seen(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    old = vault.begin()
    old.write()
    new = vault.recover()
    vault.store()
    verdict = check(vault, card=new.card)
    assert "nothing of it is vouched for from outside" in words.headline(verdict)
    agrees = f"log {old.origin[:8]}: up to entry 1 it agrees with the log {new.origin[:8]}, which follows it; that lies"
    assert any(line.startswith(agrees) for line in words.checked(verdict))
    verdict = check(vault, seen=[seen(new, 1)])
    assert [log.anchored for log in verdict.logs] == [2, 1]
    assert not any("agrees" in line for line in words.checked(verdict))


def test_an_unlisted_log_counts_nowhere(tmp_path: Path) -> None:
    vault = busy(tmp_path / "vault", 100)
    stranger = busy(tmp_path / "stranger", 50, vik="another vault")
    intruder = forge.ForgedLog(vault, "intruder", sample.START_MS)
    intruder.add("vault.create")
    own, vault.vik_key = vault.vik_key, forge.FastKey("thief")
    intruder.store()
    vault.vik_key = own
    shutil.copytree(stranger.logs[0].folder, vault.folder / "audit" / ("ab" * 16))
    verdict = check(vault)
    assert found(verdict, Weight.TAMPERED) == []
    assert found(verdict, Weight.UNDECIDED) == ["UNLISTED", "UNLISTED"]
    assert any(f.sentence.startswith(f"UNLISTED origin: the log {intruder.origin[:8]}") for f in verdict.findings)
    assert [log.listed for log in verdict.logs].count(False) == 2


def test_a_log_that_the_vault_signed_and_no_key_file_lists_is_looked_at_all_the_same(tmp_path: Path) -> None:
    vault = busy(tmp_path, 100, logs=2)
    newest = vault.header_path(len(vault.headers))
    for kept in vault.headers:
        if kept.origin == vault.logs[1].origin:
            vault.header_path(kept.seq).unlink()
    assert newest.parent.name == vault.logs[1].origin
    verdict = check(vault)
    assert one(verdict, "UNLISTED").weight is Weight.UNDECIDED
    assert found(verdict, Weight.TAMPERED) == ["HEADER_MISSING"]
    assert [log.listed for log in verdict.logs] == [None, True]


def test_a_log_begun_and_never_used_is_only_a_note(tmp_path: Path) -> None:
    vault = busy(tmp_path, 60)
    (vault.folder / "audit" / ("cd" * 16)).mkdir()
    verdict = check(vault)
    assert (verdict.exit_code, one(verdict, "UNLISTED").weight) == (0, Weight.NOTE)


def test_the_card_of_another_vault_decides_nothing_and_passes_nothing(tmp_path: Path) -> None:
    vault, other = busy(tmp_path / "a", 60), busy(tmp_path / "b", 60, vik="another vault")
    for card in (other.card, other.fingerprint):
        verdict = check(vault, card=card)
        assert (verdict.exit_code, found(verdict, Weight.UNDECIDED)) == (2, ["WRONG_CARD"])
        assert one(verdict, "WRONG_CARD").sentence.startswith("WRONG CARD: ")
        assert verdict.fingerprint == ""


def test_another_vaults_log_under_a_listed_name_is_forged(tmp_path: Path) -> None:
    vault, other = busy(tmp_path / "a", 60), busy(tmp_path / "b", 60, vik="another vault")
    shutil.rmtree(vault.logs[0].folder)
    shutil.copytree(other.logs[0].folder, vault.logs[0].folder)
    assert check(vault).exit_code == 1
    assert "FORGED" in found(check(vault), Weight.TAMPERED)


@pytest.mark.parametrize("card", [b"", b"{}\n", b"\xff" * 5000, "not hex", "ab" * 17])
def test_a_card_that_does_not_read_pins_nothing(tmp_path: Path, card: bytes | str) -> None:
    verdict = check(busy(tmp_path, 30), card=card)
    assert (verdict.exit_code, found(verdict, Weight.UNDECIDED)) == (2, ["NO_CARD"])


def test_a_card_with_a_broken_signature_pins_nothing(tmp_path: Path) -> None:
    vault = busy(tmp_path, 30)
    spoiled = vault.card.replace(b'"created":', b'"created":1')
    assert found(check(vault, card=spoiled), Weight.UNDECIDED) == ["NO_CARD"]


def test_the_folder_may_be_the_audit_folder_or_one_log_and_says_what_it_lacks(tmp_path: Path) -> None:
    vault = busy(tmp_path, 200, logs=2)
    audit = check_vault(vault.folder / "audit", card=vault.card, verify=sample.verify)
    assert (audit.exit_code, len(audit.logs)) == (2, 2)
    assert set(found(audit, Weight.UNDECIDED)) == {"NO_HEADER", "NOTES_NOT_CHECKED"}
    alone = check_vault(vault.folder / "audit", card=vault.card, verify=sample.verify, log_only=True)
    assert (alone.exit_code, alone.log_only) == (0, True)
    assert {"NO_HEADER", "LOG_ONLY"} <= set(found(alone, Weight.NOTE))
    moved = shutil.copytree(vault.logs[0].folder, tmp_path / "elsewhere")
    single = check_vault(moved, card=vault.card, verify=sample.verify, log_only=True)
    assert (single.exit_code, [log.verdict.origin for log in single.logs]) == (0, [vault.logs[0].origin])


def test_a_backup_place_is_found_in_its_folder(tmp_path: Path) -> None:
    vault = busy(tmp_path / "place" / "notevault" / sample.VAULT, 60)
    vault.logs[0].anchor(vault.folder / "anchors", 30)
    forge.put(vault.folder / "VAULT.json", b"{}\n")
    verdict = check_vault(tmp_path / "place", card=vault.card, verify=sample.verify)
    assert (verdict.exit_code, verdict.first_visit, verdict.logs[0].anchored) == (0, True, 0)
    assert [ref.state for ref in verdict.logs[0].anchors] == ["agrees"]


@pytest.mark.parametrize("name", ["", "absent", "file"])
def test_where_there_is_no_log_it_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    verdict = check_vault(tmp_path / name if name else tmp_path / "empty", card=b"x")
    assert (verdict.exit_code, len(verdict.findings), verdict.logs) == (2, 1, [])


# -- anchors, cosignatures, disclosures


def test_anchors_of_a_backup_place_vouch_and_contradict(tmp_path: Path) -> None:
    vault = busy(tmp_path / "vault", 300, epochs=1)
    log, place = vault.logs[0], tmp_path / "usb"
    log.anchor(place / "anchors", 100)
    log.anchor(place / "anchors", 250)
    verdict = check(vault, anchor_folders=[place])
    assert (verdict.exit_code, verdict.logs[0].anchored, verdict.first_visit) == (0, 250, False)
    log.lay(log.entries[:200])
    log.sign(log.signed(200))
    finding = next(f for f in check(vault, anchor_folders=[place]).findings if f.code == "ROLLED_BACK")
    assert "a backup place saw 250 entries" in finding.sentence


def test_a_state_laid_into_a_backup_place_by_a_stranger_changes_nothing(tmp_path: Path) -> None:
    vault, place = busy(tmp_path / "vault", 100), tmp_path / "usb"
    log = vault.logs[0]
    log.anchor(place, 50)
    stranger = sample.Log.of(sample.entries(3)).files["checkpoint"]
    forge.put(place / log.origin / anchor.name_of(999, b"\7" * 32), stranger)
    forge.put(place / log.origin / "notes.txt", b"hello")
    verdict = check(vault, anchor_folders=[place])
    assert (verdict.exit_code, verdict.logs[0].anchored) == (0, 50)
    assert "2 files among the states kept in a backup place prove nothing" in one(verdict, "NOT_USED").sentence


def test_an_empty_backup_place_is_not_taken_for_agreement(tmp_path: Path) -> None:
    verdict = check(busy(tmp_path / "vault", 60), anchor_folders=[tmp_path])
    assert (verdict.exit_code, verdict.first_visit) == (2, True)
    assert one(verdict, "NOT_USED").weight is Weight.UNDECIDED


def test_a_witness_vouches_with_its_time_and_a_strangers_word_is_not_used(tmp_path: Path) -> None:
    vault = busy(tmp_path, 100)
    log, key = vault.logs[0], forge.FastKey("witness")
    data = cosign.make(log.signed(80, epoch=3), "auditor.example", key.pub, key.sign, 1_793_700_000)
    text = cosign.witness_text(cosign.Witness("auditor.example", key.pub))
    verdict = check(vault, cosigned=[data], witnesses=[text])
    ref = verdict.logs[0].anchors[0]
    assert (verdict.exit_code, ref.state, ref.seen.when) == (0, "agrees", 1_793_700_000_000)
    for cosigned, witnesses in (([data], []), ([data], ["nonsense"]), ([b"x"], [text])):
        bad = check(vault, cosigned=cosigned, witnesses=witnesses)
        assert (bad.exit_code, set(found(bad, Weight.UNDECIDED))) == (2, {"NOT_USED"})


def test_a_disclosure_picks_one_clients_entries_of_one_year_and_no_others(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    log = vault.begin()
    mine = []
    for step in range(40):
        client = f"C-{step % 3}"
        log.add("record.open", client=client)
        if client == "C-1" and step < 20:
            mine.append(log.size - 1)
        if step == 19:
            log.day(60)  # into the next year
    vault.store()
    verdict = check(vault, disclosure=vault.disclosure("C-1", 2025))
    assert (verdict.exit_code, verdict.logs[0].disclosed) == (0, mine)
    spoiled = vault.disclosure("C-1", 2025).replace(b'"year":2025', b'"year":2026')
    bad = check(vault, disclosure=spoiled)
    assert (bad.exit_code, bad.logs[0].disclosed, found(bad, Weight.UNDECIDED)) == (2, [], ["NOT_USED"])


# -- what an intact log tells


def test_the_tally_counts_days_outcomes_failures_jumps_and_backups(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    log = vault.begin()
    log.add("session.open")
    log.fail(3)
    log.day()
    log.fail(2, "keyring", at=sample.START_MS)
    log.jump(60_000, "back")
    log.backup()
    log.day(2)
    log.backup("fail")
    log.close()
    tally = check(vault.store()).logs[0].tally
    day = sample.START_MS // forge.DAY
    assert sorted(tally.days) == [day, day + 1, day + 3]
    assert dict(tally.days[day]) == {"vault.create": 1, "session.open": 1, "session.fail": 1}
    assert tally.outcomes["session.fail", "reported"] == tally.outcomes["session.fail", "fail"] == 1
    assert (tally.fails_total, [(fail.n, fail.why, fail.at) for fail in tally.fails][1]) == (
        5,
        (2, "keyring", sample.START_MS),
    )
    assert [(jump.ms, jump.to) for jump in tally.jumps] == [(60_000, "back")]
    assert (set(tally.backups), tally.reported, tally.users) == ({day + 1}, 1, {sample.USER})
    assert (tally.first_ms, tally.last_ms) == (sample.START_MS, log.now_ms - 1000)
    assert sum(tally.purposes.values()) == log.size


def test_progress_tells_of_entries_and_notes(tmp_path: Path) -> None:
    vault, calls = busy(tmp_path, 600, logs=2), []
    check(vault, progress=lambda what, done, total: calls.append((what, done, total)))
    entries = [call for call in calls if call[0] == "log entries"]
    notes = [call for call in calls if call[0] == "bytes of notes"]
    assert entries[-1][1:] == (sum(log.size for log in vault.logs),) * 2
    assert notes[-1][1:] == (sum(map(len, vault.blobs.values())),) * 2
    assert [call[1] for call in entries] == sorted(call[1] for call in entries)


def _later(values: dict[str, Any]) -> None:
    values["t"] += 1
