"""Key files and notes' files against the logs that name them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import headers, words
from notevault.auditlog.blobs import MAX_FINDINGS
from notevault.auditlog.digests import Digests
from notevault.auditlog.fault import Fault
from notevault.auditlog.outcome import VaultVerdict
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Finding, Weight
from notevault.crypto import signing
from notevault.formats.header import Header
from tests.auditlog import forge, sample
from tests.auditlog.forge import FastKey, Forge, busy


@pytest.fixture
def vault(tmp_path: Path) -> Forge:
    return busy(tmp_path, 300)


def check(vault: Forge, **more: Any) -> VaultVerdict:
    return check_vault(vault.folder, **{"card": vault.card, "verify": sample.verify, **more})


def one(verdict: VaultVerdict, code: str) -> Finding:
    matching = [finding for finding in verdict.findings if finding.code == code]
    assert len(matching) == 1, verdict.findings
    return matching[0]


def only(verdict: VaultVerdict, weight: Weight) -> Finding:
    matching = verdict.of(weight)
    assert len(matching) == 1, matching
    return matching[0]


# -- notes' files


@pytest.mark.parametrize("spoil", [b"", b"x", None])
def test_a_changed_notes_file_is_named_with_its_entry(vault: Forge, spoil: bytes | None) -> None:
    digest = sorted(vault.blobs)[0]
    path = vault.blob_path(digest)
    path.write_bytes(path.read_bytes().replace(b"n", b"m", 1) if spoil is None else spoil)
    verdict = check(vault)
    finding = only(verdict, Weight.TAMPERED)
    assert finding.sentence.startswith(f"BLOB CHANGED: blobs/{digest[:2]}/{digest}, of entry {finding.first}: ")
    assert f'"c":"{digest}"' in vault.logs[0].entries[finding.first].decode()
    assert (verdict.blobs.changed, verdict.blobs.sound) == (1, len(vault.blobs) - 1)


def test_a_missing_notes_file_is_named_with_its_entry(vault: Forge) -> None:
    digest = sorted(vault.blobs)[3]
    vault.blob_path(digest).unlink()
    finding = only(check(vault), Weight.TAMPERED)
    assert finding.sentence.startswith(f"BLOB MISSING: blobs/{digest[:2]}/{digest}, which entry {finding.first} wrote")
    assert check(vault).blobs.missing == 1


def test_missing_notes_of_a_log_that_does_not_hold_prove_nothing_by_themselves(vault: Forge) -> None:
    vault.blob_path(sorted(vault.blobs)[3]).unlink()
    vault.path(vault.logs[0], "checkpoint").unlink()
    verdict = check(vault)
    assert verdict.exit_code == 2
    assert one(verdict, "BLOB_MISSING").weight is Weight.UNDECIDED


def test_a_file_that_no_log_names_is_told_and_not_accused(vault: Forge) -> None:
    forge.put(vault.blob_path("ab" * 32), b"planted")
    verdict = check(vault)
    assert one(verdict, "UNLOGGED_BLOB").sentence.startswith(f"UNLOGGED BLOB: blobs/ab/{'ab' * 32} is in no log; ")
    assert one(verdict, "UNLOGGED_BLOB").weight is Weight.NOTE
    assert (verdict.exit_code, verdict.blobs.unlogged) == (0, 1)
    for said in (words.headline(verdict), "\n".join(words.not_checked(verdict))):
        assert "1 file that no log names; it counts nowhere" in said


def test_many_files_that_no_log_names_are_no_interrupted_save(vault: Forge) -> None:
    for number in range(17):
        forge.put(vault.blob_path(f"{number:02x}" * 32), b"left over")
        code = check(vault).exit_code
        assert code == (2 if number == 16 else 0), number
    telling = [each for each in check(vault).findings if each.weight is Weight.UNDECIDED]
    assert [each.code for each in telling] == ["UNLOGGED_BLOB"]
    assert "17 files are in no log" in telling[0].sentence


def test_a_file_that_no_log_names_stays_open_while_anything_else_is(tmp_path: Path) -> None:
    vault = busy(tmp_path, 200, logs=2)
    forge.put(vault.blob_path("ab" * 32), b"planted")
    assert check(vault).exit_code == 0
    assert one(check(vault, card=None), "UNLOGGED_BLOB").weight is Weight.UNDECIDED
    shutil.rmtree(vault.logs[0].folder)
    assert {f.weight for f in check(vault).findings if f.code == "UNLOGGED_BLOB"} == {Weight.UNDECIDED}


def test_a_destroyed_note_that_is_still_there_is_only_told(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    log = vault.begin()
    kept = log.write(b"kept")
    log.purge(kept, keep=True)
    log.purge(log.write(b"gone"))
    verdict = check(vault.store())
    assert (verdict.exit_code, one(verdict, "LINGERING").weight) == (0, Weight.NOTE)
    assert (verdict.blobs.live, verdict.blobs.purged, verdict.blobs.lingering) == (0, 2, 1)


def test_a_note_written_in_one_log_and_destroyed_in_another_is_gone(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    digest = vault.begin().write(b"once")
    vault.recover().purge(digest)
    verdict = check(vault.store())
    assert (verdict.exit_code, verdict.blobs.live, verdict.blobs.purged) == (0, 0, 1)


def test_without_the_notes_files_it_is_undecided_unless_the_log_alone_was_asked_for(vault: Forge) -> None:
    shutil.rmtree(vault.folder / "blobs")
    verdict = check(vault)
    assert (verdict.exit_code, verdict.blobs.looked) == (2, False)
    assert only(verdict, Weight.UNDECIDED).sentence.startswith("NOTES NOT CHECKED: ")
    alone = check(vault, log_only=True)
    assert (alone.exit_code, alone.log_only, alone.blobs.looked) == (0, True, False)
    assert one(alone, "LOG_ONLY").sentence.startswith("THE LOG ALONE: ")


def test_a_vault_without_notes_needs_no_notes_folder(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    vault.begin().add("session.open")
    vault.store()
    (tmp_path / "blobs").rmdir()
    assert check(vault).exit_code == 0


def test_many_findings_of_a_kind_are_cut_and_counted(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    log = vault.begin()
    for _ in range(100):
        log.write()
    vault.store()
    shutil.rmtree(tmp_path / "blobs")
    (tmp_path / "blobs").mkdir()
    verdict = check(vault)
    codes = [finding.code for finding in verdict.of(Weight.TAMPERED)]
    assert (codes.count("BLOB_MISSING"), codes.count("MORE"), verdict.blobs.missing) == (MAX_FINDINGS, 1, 100)


def test_strangers_among_the_files_are_counted_and_nothing_else(vault: Forge) -> None:
    for name in ("notes.docx", "blobs/readme", "blobs/ab/x", "headers/x", "audit/desktop.ini", "audit/y"):
        forge.put(vault.folder / name, b"x")
    forge.put(vault.folder / "blobs" / "ab" / ".tmp-1", b"x")
    verdict = check(vault)
    assert (verdict.exit_code, one(verdict, "STRAY").sentence[:7]) == (0, "6 files")


def test_a_vault_written_to_while_it_is_checked_is_looked_at_again(vault: Forge) -> None:
    """A note is saved after its log was read: its file is there, the entry was not."""
    log, calls = vault.logs[0], []

    def progress(what: str, _done: int, _all: int) -> None:
        if what == "bytes of notes" and not calls:
            calls.append(what)
            digest = log.write(b"saved meanwhile" + bytes(200))
            forge.put(vault.blob_path(digest), vault.blobs[digest])
            log.store()

    late = min(vault.blobs)
    verdict = check(vault, progress=progress)
    assert (verdict.exit_code, verdict.logs[0].verdict.size) == (0, log.size)
    assert late


def test_a_vault_that_never_rests_is_not_decided(vault: Forge) -> None:
    log = vault.logs[0]

    def progress(what: str, done: int, _all: int) -> None:
        if what == "bytes of notes" and done > 20:
            digest = log.write()
            forge.put(vault.blob_path(digest), vault.blobs[digest])
            log.store()

    forge.put(vault.blob_path("ab" * 32), b"planted")
    verdict = check(vault, progress=progress)
    assert verdict.exit_code == 2
    assert "MOVING" in [finding.code for finding in verdict.findings]


# -- key files


def test_the_newest_key_file_gone_is_tampering_and_an_older_one_is_not(tmp_path: Path) -> None:
    vault = busy(tmp_path, 600)
    newest = len(vault.headers)
    vault.header_path(1).unlink()
    verdict = check(vault)
    assert (verdict.exit_code, verdict.headers.retired, one(verdict, "HEADER_RETIRED").weight) == (0, 1, Weight.NOTE)
    vault.header_path(newest).unlink()
    finding = only(check(vault), Weight.TAMPERED)
    assert finding.sentence == f"MISSING key file {newest}, which entry {finding.first} names"


@pytest.mark.parametrize("which", [1, -1])
def test_a_changed_key_file_is_tampering_whatever_its_age(tmp_path: Path, which: int) -> None:
    vault = busy(tmp_path, 600)
    seq = which % (len(vault.headers) + 1)
    path = vault.header_path(seq)
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    finding = only(check(vault), Weight.TAMPERED)
    assert finding.sentence.startswith(f"CHANGED: key file {seq}, which entry {finding.first} names: its bytes are not")


def test_a_vault_without_key_files_does_not_say_which_logs_count(vault: Forge) -> None:
    shutil.rmtree(vault.folder / "headers")
    verdict = check(vault)
    assert only(verdict, Weight.UNDECIDED).code == "NO_HEADER"
    assert verdict.logs[0].listed is None


def test_a_key_file_of_an_interrupted_change_is_only_told(vault: Forge) -> None:
    log = vault.logs[0]
    kept = vault.make_header(log, log.size)
    forge.put(vault.folder / "headers" / log.origin / f"{kept.seq:08d}-{kept.digest}", kept.data)
    verdict = check(vault)
    assert (verdict.exit_code, one(verdict, "HEADER_UNNAMED").weight) == (0, Weight.NOTE)
    assert verdict.headers.seq == len(vault.headers)


def test_a_key_file_that_knows_more_entries_than_there_are_leaves_it_undecided(vault: Forge) -> None:
    log = vault.logs[0]
    kept = vault.make_header(log, log.size + 40)
    forge.put(vault.folder / "headers" / log.origin / f"{kept.seq:08d}-{kept.digest}", kept.data)
    finding = one(check(vault), "HEADER_AHEAD")
    assert finding.weight is Weight.UNDECIDED
    assert f"knows {log.size + 40} entries of log {log.origin[:8]}, now {log.size} are signed" in finding.sentence


def test_a_log_shorter_than_the_current_key_file_says_is_rolled_back(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    old = vault.begin()
    for _ in range(20):
        old.add("record.open")
    vault.recover(cites={"origin": old.origin, "root": old.root(10).hex(), "size": 10})
    vault.store()
    old.lay(old.entries[:15])
    old.sign(old.signed(15))
    text = f"ROLLED BACK: key file 2 knows 21 entries, now 15 are signed (log {old.origin[:8]})"
    assert only(check(vault), Weight.TAMPERED).sentence == text


def test_a_key_file_of_a_thief_is_not_the_current_one(vault: Forge) -> None:
    """He can name it in the log, with the log's keys; he cannot sign it with the vault's identity."""
    log, own = vault.logs[0], vault.vik_key
    vault.vik_key = FastKey("thief")
    intruder = forge.ForgedLog(vault, "intruder", sample.START_MS)
    vault.logs.append(intruder)
    kept = vault.header(log=log)
    vault.logs.pop()
    vault.vik_key = own
    vault.store()
    verdict = check(vault)
    assert verdict.headers.seq == kept.seq - 1
    assert "another identity than the vault's signed it" in only(verdict, Weight.TAMPERED).sentence


def test_two_key_files_of_one_number_are_a_fork(tmp_path: Path) -> None:
    vault = Forge(tmp_path)
    first = vault.begin()
    kept = vault.headers.pop()
    second = vault.recover()
    vault.headers.insert(0, kept)
    vault.store()
    finding = one(check(vault), "FORKED")
    assert finding.sentence.startswith("FORKED: two key files 1, of log ")
    assert first.size == second.size == 1


def test_a_renewed_vault_is_known_by_the_card_of_before_and_by_its_new_identity(tmp_path: Path) -> None:
    vault = busy(tmp_path, 100)
    card, old = vault.card, vault.vik
    vault.renew("second identity")
    vault.header("sheet")
    vault.recover()
    new_card = vault.logs[1].card
    vault.logs[0].__dict__["card"] = card  # made before the renewal
    vault.store()
    for known in ({"card": card}, {"card": new_card}, {"card": None, "vik": old}, {"card": None, "vik": vault.vik}):
        verdict = check(vault, **known)
        assert (verdict.exit_code, verdict.headers.seq) == (0, len(vault.headers))


def test_an_identity_given_up_cannot_name_a_new_one_to_whoever_knows_the_new_one(tmp_path: Path) -> None:
    old, new, thief = (FastKey(word).pub for word in ("old", "new", "thief"))
    files = [
        headers.HeaderFile(2, "", "", 0, vault="v", vik=new, former=old),
        headers.HeaderFile(3, "", "", 0, vault="v", vik=thief, former=old),
        headers.HeaderFile(4, "", "", 0, vault="other", vik=thief, former=new),
    ]
    assert headers.identities(files, new, "v") == [new, old]


def test_the_products_headers_read_here_as_there(vault: Forge) -> None:
    vault.renew("second identity")
    for kept in vault.headers:
        mine, theirs = headers.parse(kept.data), Header.parse(kept.data)
        assert isinstance(mine, headers.Header)
        assert (mine.seq, mine.origin, mine.vik, mine.origins) == (
            theirs.seq, theirs.origin, theirs.vik, dict(theirs.origins),
        )  # fmt: skip
        assert headers.check(mine, sample.verify) is None
        assert headers.cross_holds(mine, sample.verify) is signing.verify_cross(theirs)


@given(st.data())
def test_no_changed_byte_of_a_header_passes(data: st.DataObject) -> None:
    kept = _header()
    at, value = data.draw(st.integers(0, len(kept) - 1)), data.draw(st.integers(1, 255))
    spoiled = kept[:at] + bytes([kept[at] ^ value]) + kept[at + 1 :]
    found = headers.parse(spoiled)
    assert isinstance(found, Fault) or headers.check(found, sample.verify) is not None


@given(st.binary(max_size=300))
def test_random_bytes_are_no_header(data: bytes) -> None:
    assert isinstance(headers.parse(data), Fault)


def _header() -> bytes:
    vault = Forge(Path(os.devnull))
    vault.begin()
    return vault.headers[0].data


# -- many digests in little room


@given(st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1))))
def test_digests_are_a_mapping_that_forgets_nothing(items: list[tuple[bytes, int, int]]) -> None:
    found, expected = Digests(), {}
    for digest, size, index in items:
        found.add(digest.hex(), size, index)
        expected[digest.hex()] = size
    assert dict(found) == expected
    assert (len(found), bool(found), found.added) == (len(expected), bool(expected), len(items))
    assert "00" not in found
    assert "zz" * 32 not in found
