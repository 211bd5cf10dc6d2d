"""At a real terminal: secrets are asked without echo, questions take y, n or Enter, no escape sequence gets through."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pexpect
import pytest

from tests.cli.homes import PASSPHRASE, Home, empty_home

NEW = "nine green umbrellas sing softly"


def at_terminal(home: Home, *words: str, env: dict[str, str] | None = None) -> pexpect.spawn:
    return pexpect.spawn(
        sys.executable,
        ["-m", "notevault", *words],
        env=home.env | (env or {}),
        cwd=str(home.path),
        timeout=60,
        encoding="utf-8",
        dimensions=(24, 100),
    )


def type_secret(child: pexpect.spawn, secret: str) -> None:
    child.waitnoecho(60)
    child.sendline(secret)


def ending(child: pexpect.spawn) -> tuple[str, int]:
    child.expect(pexpect.EOF)
    child.close()
    assert isinstance(child.before, str)
    return child.before, child.exitstatus if child.exitstatus is not None else -1


def test_the_passphrase_is_asked_without_echo_and_may_be_mistyped_twice(worked: Home) -> None:
    child = at_terminal(worked, "client", "list")
    for _ in range(2):
        child.expect("Passphrase: ")
        type_secret(child, "mistyped words")
        child.expect("Caps Lock")
    child.expect("Passphrase: ")
    type_secret(child, PASSPHRASE)
    said, code = ending(child)
    assert code == 0
    assert "Anna Berg" in said
    assert PASSPHRASE not in said
    assert "mistyped" not in said


def test_three_wrong_passphrases_end_it(worked: Home) -> None:
    child = at_terminal(worked, "client", "list")
    for _ in range(3):
        child.expect("Passphrase: ")
        type_secret(child, "wrong")
    assert ending(child)[1] == 77


def test_no_input_is_believed_even_at_a_terminal(worked: Home) -> None:
    said, code = ending(at_terminal(worked, "client", "list", "--no-input"))
    assert code == 64
    assert "Passphrase:" not in said


def test_ctrl_c_and_ctrl_d_at_the_question_end_it_quietly(worked: Home) -> None:
    for key in ("\x03", "\x04"):
        child = at_terminal(worked, "client", "list")
        child.expect("Passphrase: ")
        child.waitnoecho(60)
        child.send(key)
        said, code = ending(child)
        assert code == 130
        assert "Traceback" not in said


@pytest.mark.slow
def test_note_text_cannot_steer_the_terminal(worked: Home) -> None:
    id_ = worked.saved("note", "add", "--client", "C-014", stdin="red \x1b[31m and \x1b]0;title\x07 \u202eabc\x9b5n\n")
    flag, name = worked.passphrase
    for words in (
        ("note", "show", id_),
        ("find", "title"),
        ("find", "title", "--json"),
        ("note", "show", id_, "--json"),
    ):
        said, code = ending(at_terminal(worked, *words, flag, name))
        assert code == 0
        assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(said)
        assert "title" in said


def test_a_note_in_a_pipe_leaves_the_terminal_for_the_passphrase(worked: Home) -> None:
    command = f"printf 'From a pipe.' | {sys.executable} -m notevault note add --client C-014"
    child = pexpect.spawn(
        "/bin/sh", ["-c", command], env=worked.env, cwd=str(worked.path), timeout=60, encoding="utf-8"
    )
    child.expect("Passphrase: ")
    type_secret(child, PASSPHRASE)
    said, code = ending(child)
    assert code == 0
    assert "saved " in said


def test_note_text_is_not_typed_where_it_would_be_seen(worked: Home) -> None:
    said, code = ending(at_terminal(worked, "note", "add", "--client", "C-014"))
    assert code == 64
    assert "it would be seen" in said


@pytest.mark.parametrize(("answers", "notes"), [(["maybe", "n"], 2), ([""], 2), (["y"], 3)])
def test_an_import_asks_first(worked: Home, answers: list[str], notes: int) -> None:
    flag, name = worked.passphrase
    child = at_terminal(worked, "import", worked.file("talk.txt", "client: Anna Berg\n\nWords.\n"), flag, name)
    for answer in answers:
        child.expect_exact("Import them now? [y/N] ")
        child.sendline(answer)
    said, code = ending(child)
    assert code == (0 if notes == 3 else 130), said
    assert len(worked.objects("note", "list")) == notes


FULL_DISK = """
import sys
from pathlib import Path
from notevault.cli import sheets
from notevault.cli.commands import COMMANDS
from notevault.cli.common import Context
from notevault.cli.parser import build
from notevault.errors import StorageFault
from notevault.vault import rekey
from notevault.wiring.locked import locked_side

def full(data):
    raise StorageFault("The disk is full.")

args = build("sheet new", COMMANDS["sheet new"]).parse(["--sheet=new.txt", f"--passphrase-file={sys.argv[1]}"])
ctx = Context(args, locked_side(None))
with ctx.session(passphrase_needed=True) as session:
    try:
        sheets.deliver(ctx, session, rekey.new_sheet(session), Path("new.txt"), full)
    except StorageFault:
        print("refused")
"""


def test_a_new_sheet_that_no_disk_takes_is_said_and_can_be_copied_from_the_terminal(worked: Home) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-c", FULL_DISK, worked.passphrase[1]],
        env=worked.env,
        cwd=str(worked.path),
        timeout=60,
        encoding="utf-8",
        dimensions=(24, 100),
    )
    child.expect_exact("NOT RECOVERABLE")
    child.expect_exact("copy it by hand? [y/N] ")
    child.sendline("y")
    said, code = ending(child)
    assert code == 0
    assert "refused" in said
    rows = re.findall(r"^ +[1-7]  (\w{5}  \w{5}  \w{5})\r?$", said, re.MULTILINE)
    assert len(rows) == 7
    copied = worked.file("copied.txt", "\n".join(rows))
    worked.run("sheet", "confirm", "--sheet", copied, open_it=True)


@pytest.mark.slow
def test_what_was_typed_ahead_answers_no_question(worked: Home) -> None:
    script = (
        "import select; from notevault.cli import asking; print('ready', flush=True); select.select([0], [], []);"
        "print('answered', asking.yes('Really?', default=False))"
    )
    child = pexpect.spawn(sys.executable, ["-c", script], env=worked.env, timeout=60, encoding="utf-8")
    child.expect_exact("ready")
    child.sendline("y")
    child.expect_exact("Really? [y/N] ")
    child.sendline("n")
    child.expect_exact("answered False")


def test_a_namesake_is_asked_about(worked: Home) -> None:
    flag, name = worked.passphrase
    child = at_terminal(worked, "client", "add", "Jon Lind", flag, name)
    child.expect_exact("Is this another person? [y/N] ")
    child.sendline("")
    assert ending(child)[1] == 130
    child = at_terminal(worked, "client", "add", "Jon Lind", flag, name)
    child.expect_exact("[y/N] ")
    child.sendline("y")
    assert "saved C-016" in ending(child)[0]


@pytest.mark.slow
def test_a_vault_is_recovered_by_typing_the_sheet_with_a_slip_named_at_once(worked: Home, tmp_path: Path) -> None:
    there = empty_home(tmp_path / "there")
    there.vault.parent.mkdir(parents=True)
    shutil.copytree(worked.vault, there.vault)
    groups = [
        group
        for line in worked.sheet.read_text().splitlines()
        if (parts := line.split()) and parts[0].isdigit() and len(parts) == 4 and len(parts[1]) == 5
        for group in parts[1:]
    ]
    assert len(groups) == 21
    child = at_terminal(there, "recover")
    child.expect_exact("Group 1 (line 1): ")
    type_secret(child, " ".join(groups[:3]).lower())
    child.expect_exact("3 of 21 right")
    child.expect_exact("Group 4 (line 2): ")
    type_secret(child, groups[4])
    child.expect_exact("Group 4 (line 2) is not as printed")
    child.expect_exact("Group 4 (line 2): ")
    type_secret(child, "-".join(groups[3:20]))
    child.expect_exact("Group 21 (line 7): ")
    type_secret(child, groups[20])
    child.expect_exact("The recovery sheet opens this vault.")
    child.expect_exact("New passphrase")
    type_secret(child, "password")
    child.expect_exact("too easy")
    child.expect_exact("New passphrase")
    type_secret(child, NEW)
    child.expect_exact("once more: ")
    type_secret(child, NEW + "x")
    child.expect_exact("not the same")
    child.expect_exact("New passphrase")
    type_secret(child, NEW)
    child.expect_exact("once more: ")
    type_secret(child, NEW)
    child.expect_exact("saved ")
    said, code = ending(child)
    assert code == 0, said
    done = there.run("client", "list", "--passphrase-file", there.file("new", NEW))
    assert "Anna Berg" in done.stdout


@pytest.mark.slow
def test_an_older_copy_is_gone_on_with_only_by_a_person_who_types_the_word(worked: Home, tmp_path: Path) -> None:
    old = worked.copy(tmp_path / "old")
    worked.saved("note", "add", "--client", "C-014", stdin="Newer than the copy.")
    shutil.rmtree(worked.vault)
    shutil.copytree(old.vault, worked.vault)
    assert "doctor --confirm-rollback" in worked.run("doctor", open_it=True).stdout
    for word in ("yes", "older"):
        child = at_terminal(worked, "doctor", "--confirm-rollback")
        child.expect("Passphrase: ")
        type_secret(child, PASSPHRASE)
        child.expect_exact("type the word older: ")
        child.sendline(word)
        said, code = ending(child)
        assert code == (0 if word == "older" else 130), said
    worked.saved("note", "add", "--client", "C-014", stdin="Going on.")
    assert worked.run("verify", open_it=True, code=None).returncode == 0
    flag, name = worked.passphrase
    said, code = ending(at_terminal(worked, "doctor", "--confirm-rollback", flag, name))
    assert code == 77
    assert "nothing to confirm" in said


def test_doctor_may_be_looked_at_without_opening(worked: Home) -> None:
    child = at_terminal(worked, "doctor")
    child.expect_exact("look from outside only): ")
    type_secret(child, "")
    said, code = ending(child)
    assert code == 0
    assert "Not opened" in said
