"""audit verify and audit report: what an outsider would find, said of one's own vault without a passphrase."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from notevault.auditlog import anchor, bundle, entry
from notevault.formats import text
from tests.cli.homes import Home
from tests.cli.test_terminal import at_terminal, ending

SCREEN = {1: "TAMPERED", 0: "INTACT", 2: "CANNOT DECIDE"}


def entries(home: Home) -> list[entry.Entry]:
    (path,) = home.vault.glob("audit/*/open")
    found = bundle.split_prefix(path.read_bytes(), 256)
    assert isinstance(found, tuple)
    parsed = [entry.parse(each) for each in found[0]]
    return [each for each in parsed if isinstance(each, entry.Entry)]


def verify(home: Home, *words: str, code: int) -> str:
    """What standard output says; its first line is the verdict in words."""
    done = home.run("audit", "verify", *words, code=code)
    assert done.stdout.startswith(SCREEN[code]), done.stdout
    return done.stdout


def put_back(home: Home, older: Home) -> None:
    """The vault folder as it was; what this laptop keeps outside stays."""
    shutil.rmtree(home.vault)
    shutil.copytree(older.vault, home.vault)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.slow
def test_an_intact_vault_is_intact_and_the_check_is_in_the_log(worked: Home) -> None:
    size = worked.log_size()
    said = verify(worked, code=0)
    assert f"{size} entries" in said
    assert "Anna" not in said
    told = entries(worked)[-1]
    assert (told.ev, told.o, told.pu, told.i) == ("verify.run", "ok", "review", size)
    live = len({each.c for each in entries(worked) if each.ev in ("record.write", "record.sign")})
    assert told.k == {"bad": 0, "n": live}
    assert told.h is None  # nobody unlocked anything
    verify(worked, code=0)
    assert worked.log_size() == size + 2
    worked.run("client", "list", open_it=True)
    assert worked.run("verify", open_it=True).stdout.startswith("INTACT")


def test_it_needs_no_passphrase_and_asks_for_none(worked: Home) -> None:
    done = worked.run("audit", "verify")
    assert "assphrase" not in done.stdout + done.stderr
    assert "session.open" not in [each.ev for each in entries(worked)[-1:]]


def test_as_objects_there_is_a_line_for_each_finding_and_the_verdict_last(worked: Home) -> None:
    lines = [json.loads(line) for line in worked.run("--json", "audit", "verify").stdout.splitlines()]
    *findings, verdict = lines
    assert all({"finding", "sentence", "weight"} <= set(each) <= {"finding", "sentence", "weight", "first", "last"}
               for each in findings)  # fmt: skip
    assert (verdict["verdict"], verdict["findings"], verdict["undecided"], verdict["entered"]) == ("intact", 0, 0, True)
    assert verdict["headline"].startswith("INTACT: ")
    assert (verdict["vouched"], verdict["remembered"]) == (0, verdict["entries"])  # nobody outside has seen it
    flip(min(worked.vault.glob("blobs/*/*")), 100)
    done = worked.run("--json", "audit", "verify", code=1)
    (proof, *_, verdict) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (proof["weight"], verdict["verdict"]) == ("tampered", "tampered")


def test_one_changed_byte_in_an_entry_is_found_with_its_place_and_nothing_is_added_to_that_log(worked: Home) -> None:
    (path,) = worked.vault.glob("audit/*/open")
    data = path.read_bytes()
    at = data.index(b'"ev":"record.write"')
    number = bundle.split_prefix(data[:at], 256)
    assert isinstance(number, tuple)
    flip(path, at + 7)
    after = path.read_bytes()
    said = verify(worked, code=1)
    assert "REWRITTEN" in said
    assert str(len(number[0])) in said.split("REWRITTEN", 1)[1]
    assert path.read_bytes() == after
    done = worked.run("audit", "verify", code=1)
    assert "was not entered in the log" in done.stderr
    assert "`notevault backup heal` puts back what a backup still has." in done.stderr
    assert "`notevault backup restore --from DIR --to NEWVAULT`" in done.stderr


def test_a_missing_note_is_proof_and_enters_the_log_which_itself_holds(worked: Home) -> None:
    gone = max(worked.vault.glob("blobs/*/*"))
    gone.unlink()
    said = verify(worked, code=1)
    assert gone.name[:8] in said
    told = entries(worked)[-1]
    assert (told.ev, told.o, told.k["bad"]) == ("verify.run", "fail", 1)


def test_a_file_nobody_logged_is_told_of_and_counts_nowhere(worked: Home) -> None:
    import hashlib

    data = b"put here by somebody"
    name = hashlib.sha256(data).hexdigest()
    path = worked.vault / "blobs" / name[:2] / name
    path.write_bytes(data)
    said = verify(worked, code=0)
    assert name[:8] in said
    assert "1 file that no log names; it counts nowhere" in said.splitlines()[0]
    assert entries(worked)[-1].o == "ok"


def test_an_older_copy_put_back_is_found_by_what_this_laptop_keeps(worked: Home, tmp_path: Path) -> None:
    older = worked.copy(tmp_path / "older")
    worked.saved("note", "add", "--client", "C-014", stdin="Newer than the copy.")
    worked.run("audit", "verify")
    put_back(worked, older)
    size = worked.log_size()
    said = verify(worked, code=1)
    assert "ROLLED BACK" in said
    assert "this laptop's memory" in said
    assert worked.log_size() == size


@pytest.mark.slow
def test_an_older_copy_that_was_taken_as_the_present_one_is_no_finding_any_more(worked: Home, tmp_path: Path) -> None:
    older = worked.copy(tmp_path / "older")
    worked.saved("note", "add", "--client", "C-014", stdin="Newer than the copy.")
    put_back(worked, older)
    verify(worked, code=1)
    child = at_terminal(worked, "doctor", "--confirm-rollback", *worked.passphrase)
    child.expect("type the word")
    child.sendline("older")
    assert ending(child)[1] == 0
    assert "2 logs" in verify(worked, code=0)


@pytest.mark.slow
def test_the_key_store_alone_finds_it_too(worked: Home, tmp_path: Path) -> None:
    older = worked.copy(tmp_path / "older")
    worked.saved("note", "add", "--client", "C-014", stdin="Newer than the copy.")
    worked.run("passphrase", "change", "--new-passphrase-file", worked.file("new", "x9 amber horses walk home\n"),
               open_it=True)  # fmt: skip
    put_back(worked, older)
    (worked.local / "head").unlink()
    said = verify(worked, code=1)
    assert "ROLLED BACK" in said
    assert "the file with this laptop's key" in said
    assert "key store" not in said


def test_without_the_key_store_it_still_checks_and_says_what_it_could_not(worked: Home) -> None:
    worked.key_file.unlink()
    size = worked.log_size()
    done = worked.run("audit", "verify")
    assert "The file with this laptop's key" in done.stderr
    assert "key store" not in done.stderr.lower().replace("the system's key store", "")
    assert worked.log_size() == size


def test_a_copy_that_is_ahead_shows_what_was_cut_off(worked: Home, tmp_path: Path) -> None:
    older = worked.copy(tmp_path / "older")
    worked.saved("note", "add", "--client", "C-014", stdin="Newer than the copy.")
    ahead = tmp_path / "b"
    shutil.copytree(worked.vault, ahead)
    put_back(worked, older)
    shutil.copy(older.local / "head", worked.local / "head")  # the thief has been at this laptop's own files too
    shutil.copy(older.key_file, worked.key_file)
    verify(worked, code=0)
    said = verify(worked, "--from", str(ahead), code=1)
    assert "ROLLED BACK" in said
    assert str(ahead) in said


def test_states_kept_in_a_backup_place_are_compared(worked: Home, tmp_path: Path) -> None:
    (log,) = worked.vault.glob("audit/*")
    state = (log / "checkpoint").read_bytes()
    _, size, root, *_ = state.decode().split("\n")
    place = tmp_path / "usb/notevault" / json.loads((log / "card").read_bytes())["vault"] / "anchors" / log.name
    place.mkdir(parents=True)
    (place / anchor.name_of(int(size), text.unb64(root, 32))).write_bytes(state)
    (place / f"{int(size) + 5}-{'ab' * 32}").write_bytes(b"not a state\n")  # proves nothing
    verify(worked, "--from", str(tmp_path / "usb"), code=0)
    worked.saved("note", "add", "--client", "C-014", stdin="More.")
    verify(worked, "--from", str(tmp_path / "usb"), code=0)


def test_a_vault_that_this_laptop_never_opened_cannot_be_decided(worked: Home) -> None:
    shutil.rmtree(worked.local)
    said = verify(worked, code=2)
    assert "INTACT" not in said


def test_damaged_key_files_are_a_verdict_too(worked: Home) -> None:
    for path in worked.vault.glob("headers/*/*"):
        path.write_bytes(path.read_bytes()[:-10])
    verify(worked, code=1)


def test_the_log_alone_says_that_it_is_the_log_alone(worked: Home) -> None:
    max(worked.vault.glob("blobs/*/*")).unlink()
    said = verify(worked, "--log-only", code=0)
    assert "the log alone" in said


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("verify", "more"), 64),
        (("verify", "--from", "run"), 66),
        (("verify", "--from", "nowhere"), 66),
        (("verfy",), 64),
        ((), 64),
        (("report", "--out", "sheet.txt"), 64),
        (("report", "--html", ".local/share/notevault/vault/r.html"), 64),
        (("report", "--out", "nowhere/r.json"), 73),
    ],
)
def test_wrong_use_is_said_and_nothing_is_done(worked: Home, words: tuple[str, ...], code: int) -> None:
    size = worked.log_size()
    done = worked.run("audit", *words, code=code)
    assert done.stdout == ""
    assert done.stderr.startswith("notevault: ")
    assert worked.log_size() == size


def test_without_a_vault_there_is_nothing_to_check(bare: Home) -> None:
    for word in ("verify", "report", "card"):
        assert "no vault" in bare.run("audit", word, code=66).stderr


def test_the_report_is_written_for_people_and_for_programs(worked: Home) -> None:
    done = worked.run("audit", "report", "--out", "r.json", "--html", "r.html")
    assert done.stdout.startswith("INTACT: ")
    found = json.loads((worked.path / "r.json").read_bytes())
    assert (found["verdict"], found["exit_code"]) == ("intact", 0)
    page = (worked.path / "r.html").read_text("utf-8")
    for told in (page, json.dumps(found)):
        assert "Anna" not in told
        assert "http://" not in told.replace("http://www.w3.org/", "")
        assert "https://" not in told
    for name in ("r.json", "r.html"):
        assert (worked.path / name).stat().st_mode & 0o777 == 0o600


def test_the_own_report_is_no_auditors_and_takes_nothing_of_this_laptop_for_a_word_from_outside(worked: Home) -> None:
    done = worked.run("audit", "report", "--out", "r.json", "--html", "r.html")
    found = json.loads((worked.path / "r.json").read_bytes())
    assert found["own"] is True
    assert "it agrees with what this laptop remembers; nothing of it is vouched for from outside" in done.stdout
    assert "NOT SEEN BEFORE" not in done.stdout
    page = (worked.path / "r.html").read_text("utf-8")
    assert page.index("no auditor's report") < page.index("INTACT. ")
    assert "all of it is vouched for" not in page
    assert "I made this check myself" not in page
    assert "Signature</div>" not in page
    assert "The file with this laptop's key" in page
    assert "this laptop's key store" not in page.lower()


def test_the_report_alone_goes_to_standard_output(worked: Home) -> None:
    assert json.loads(worked.run("audit", "report").stdout)["verdict"] == "intact"
    (line,) = worked.run("--json", "audit", "report").stdout.splitlines()
    assert json.loads(line)["verdict"] == "intact"
    flip(min(worked.vault.glob("blobs/*/*")), 100)
    assert json.loads(worked.run("audit", "report", code=1).stdout)["verdict"] == "tampered"


def test_a_card_taken_along_lets_an_auditor_check_a_copy(worked: Home, tmp_path: Path) -> None:
    from notevault.auditlog.cli import main

    worked.run("audit", "card", "--out", "card")
    shutil.copytree(worked.vault, tmp_path / "copy")
    words = ["check", str(tmp_path / "copy"), "--card", str(worked.path / "card"), "--quiet"]
    assert main(words) == 0
    flip(next(tmp_path.glob("copy/audit/*/open")), 400)
    assert main(words) == 1


@pytest.mark.slow
def test_a_copy_beside_its_vault_is_read_and_says_where_to_write(worked: Home, tmp_path: Path) -> None:
    worked.saved("note", "add", "--client", "C-014", stdin="From now on this laptop knows where the vault lies.")
    copy = tmp_path / "stick"
    shutil.copytree(worked.vault, copy)
    size = worked.log_size()
    shown = worked.run("note", "list", "--vault", str(copy), open_it=True)
    assert shown.stdout.count("\n") >= 1
    refused = worked.run(
        "note", "add", "--client", "C-014", "--vault", str(copy), stdin="Not here.", open_it=True, code=73
    )
    for said in (shown.stderr, refused.stderr):
        assert str(worked.vault) in said
        assert "doctor" not in said
    seen = worked.run("doctor", "--vault", str(copy), open_it=True, code=None).stdout
    assert "the vault's own log" in seen
    assert "--confirm-rollback" not in seen
    worked.saved("note", "add", "--client", "C-014", stdin="And on.")
    assert worked.log_size() > size
    assert [each.o for each in entries(worked) if each.o == "reported"]
