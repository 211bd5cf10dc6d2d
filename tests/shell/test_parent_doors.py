"""The door when something is amiss: this laptop's key is gone, an old copy was put back, a file is damaged."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from notevault.adapters.places import default_vault, secrets_folder
from notevault.auditlog import entry
from notevault.crypto import kdf
from notevault.formats import sheet
from notevault.formats.envelope import RecordType
from notevault.vault import rekey
from notevault.vault.notebook import Notebook
from tests.shell.ptyshell import CTRL_L, ESC, F8, PASSPHRASE, Shell, disk_env, make_vault, open_vault

NEW = "green lamps walk slowly"


@pytest.fixture
def vault(own_home: Path) -> Path:
    make_vault()
    return own_home


@pytest.mark.slow
def test_without_this_laptops_key_the_right_passphrase_is_refused_and_the_sheet_opens(vault: Path) -> None:
    session = open_vault()
    kit = rekey.new_sheet(session)
    rekey.confirm_sheet(session)
    session.close("exit")
    groups = sheet.encode(kit.seed, kit.fingerprint)
    shutil.rmtree(secrets_folder())
    with Shell() as shell:
        shell.unlock()
        shell.until("2 Open with my recovery sheet")
        assert "This laptop's key for this vault is not in its key store." in shell.flat
        shell.type("2")
        for number in range(7):
            shell.until(f"Type line {number + 1} of 7")
            line = " ".join(groups[3 * number : 3 * number + 3])
            if number == 0:
                wrong = "Z" if line[4] != "Z" else "Y"
                shell.type(line[:4] + wrong + line[5:] + "\r")
                shell.until("Group 1 (line 1) is not as printed")
                shell.type("\x01")
            shell.type(line.lower() + "\r")
        shell.until("A new passphrase for this laptop")
        shell.type(NEW + "\r")
        shell.until("Once more")
        shell.type(NEW + "\r")
        shell.until("The vault is open and belongs to this laptop now.")
        assert all(group not in shell.raw.decode("utf-8", "replace").upper() for group in groups)
        shell.type("open c-014\r")
        shell.until("Slept four hours.")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.slow
def test_an_old_copy_put_back_is_explained_read_only_and_can_be_confirmed(vault: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(default_vault(), old)
    session = open_vault()
    rekey.confirm_sheet(session)
    assert session.close("exit") == []
    shutil.rmtree(default_vault())
    shutil.copytree(old, default_vault())
    with Shell() as shell:
        shell.unlock()
        shell.until("This vault is older than it should be")
        assert "nothing new can be written here" in shell.flat
        shell.type("1")
        shell.until("notevault>")
        assert "READ-ONLY" in shell.text
        shell.type("new c-014\r")
        shell.until("This vault is read-only")
        shell.type(CTRL_L)
        shell.until("Locked.")
        shell.unlock()
        shell.until("This vault is older than it should be")
        shell.type("2")
        shell.until("Are you sure? [y or n]")
        shell.type("y")
        shell.until("notevault>")
        assert "READ-ONLY" not in shell.text
        shell.to_new_note()
        shell.type("Written after it.")
        shell.until("Written after it.")
        shell.type(ESC)
        shell.until("Saved at")
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.slow
def test_a_new_passphrase_needs_the_present_one(vault: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("passphrase\r")
        shell.until("First the passphrase you have now.")
        shell.type("guess\r")
        shell.until("That is not your passphrase. Nothing was changed.")
        shell.type("passphrase\r")
        shell.until("First the passphrase you have now.")
        shell.type(PASSPHRASE + "\r")
        shell.until("Take four or more words")
        shell.type(ESC)
        shell.until("The passphrase is as it was.")
        shell.type("audit\r")
        shell.until("could not unlock: wrong passphrase")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.slow
def test_what_belongs_to_a_client_is_hidden_with_her_name(vault: Path) -> None:
    with Shell(rows=30) as shell:
        shell.unlock()
        shell.until("notevault>")

        def edit(*answers: str) -> None:
            shell.type("client edit c-014\r")
            for label, answer in zip(("Name", "Code", "Born", "Remark"), answers, strict=True):
                shell.until(lambda label=label: re.search(rf"^ {label}\b", shell.text, re.MULTILINE) is not None)
                assert not (hidden and re.search("Anna|1979|Karl", shell.text))
                shell.type(answer + "\r")
            shell.until("Is the treatment going on?")
            shell.type("\r")

        hidden = False
        edit("", "", "1979-03-02", "Sees Dr Karl")
        shell.until("C-014 is changed.")
        shell.type("client c-014\r")
        shell.until("Sees Dr Karl")
        shell.until("born 1979-03-02")
        shell.type(F8)
        shell.until("Remark (hidden)")
        assert not re.search("Anna|1979|Karl", shell.text)
        shell.type(ESC)
        shell.until("notevault>")
        hidden = True
        edit("", "", "", "")
        shell.until("Nothing was changed.")
        shell.type("find slept\r")
        shell.until("1 note found")
        assert "four hours" in shell.text
        assert "lept" not in shell.text
        shell.type(F8)
        shell.until("Find: slept")
        shell.until("Slept four hours.")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("client edit c-014\r")
        shell.until("Anna Berg")
        shell.type(F8)
        shell.until(lambda: "Anna" not in shell.text)
        shell.type("\r")
        shell.type("\r")
        shell.until("Born")
        assert "1979" not in shell.text
        shell.type(F8)
        shell.until("1979-03-02")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    session = open_vault()
    (anna,) = Notebook(session).clients()
    assert (str(anna.client.born), anna.client.note) == ("1979-03-02", "Sees Dr Karl")
    parsed = [entry.parse(data) for data in session.recorder.entries(0, session.recorder.tail.size)]
    opened = [each for each in parsed if isinstance(each, entry.Entry) and each.ev == "record.open"]
    subjects = [session.sealer.routing_of(each, session.origin) for each in opened]
    shown = [each for each in subjects if each is not None and each.type == RecordType.CLIENT]
    assert len(shown) == 4, "her page, and each time her data were shown to be changed"
    session.close("exit")


@pytest.mark.slow
def test_notes_are_imported_signed_and_read_with_names_hidden(vault: Path) -> None:
    source = vault / "notes.csv"
    source.write_text(
        "client,date,title,text\nJon Lind,2025-03-04,Jon will move,Talked about it.\nJon Lind,2025-03-11,,Moved.\n",
        encoding="utf-8",
    )
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type(f"import {source}\r")
        shell.until("Import them now? [y/N]")
        assert "2 notes of 1 client: 1 new" in shell.flat
        shell.type("y")
        shell.until("2 notes imported")
        shell.type(f"import {source}\r")
        shell.until("all of it is here already")
        shell.type("notes lind\r")
        shell.until("Notes: Jon Lind")
        shell.until("Jon will move")
        shell.type(F8)
        shell.until(lambda: "Jon" not in shell.text)
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("sign lind\r")
        shell.until("Sign which note?")
        shell.type("\r")
        shell.until("Sign this note?")
        assert "[y/N]" in shell.text  # keys typed ahead sign nothing
        assert "Your name is not set" in shell.flat
        shell.type("y")
        shell.until("Signed.")
        shell.type("verify\r")
        shell.until("Nothing was changed, moved or taken away.")
        assert "Jon" not in shell.text
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    session = open_vault()
    assert [view.signed for view in Notebook(session).notes()] == [False, True, False]
    session.close("exit")


def test_damage_is_said_and_leaving_tells_it_by_the_exit_status(vault: Path) -> None:
    for header in (default_vault() / "headers").rglob("*-*"):
        if header.is_file():
            header.write_bytes(header.read_bytes()[:-1] + b"?")
    assert kdf.normalise(PASSPHRASE)
    with Shell() as shell:
        shell.until("Passphrase")
        shell.unlock()
        shell.until("3 Leave")
        shell.type("3")
        assert shell.until_ended() == 65
        assert b"Traceback" not in shell.raw


def test_the_shell_needs_a_terminal(vault: Path) -> None:
    import subprocess
    import sys

    from tests.shell.ptyshell import _ROOT, _START

    done = subprocess.run(
        [sys.executable, "-P", "-c", _START],
        env=dict(os.environ) | {"PYTHONPATH": str(_ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 64
    assert b"needs a terminal" in done.stderr
    assert disk_env().local_root.exists()
