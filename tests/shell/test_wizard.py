"""The first run on a real pty: passphrase twice, the sheet copied by hand and typed back, name, home."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from notevault.adapters.places import default_vault
from notevault.formats import sheet
from notevault.vault import rekey
from tests.backup import vaults
from tests.backup.handmade import lay
from tests.shell.ptyshell import CTRL_L, ESC, PASSPHRASE, Shell, open_vault

pytestmark = pytest.mark.slow  # the passphrase's cost is measured on this machine, as at a real set-up


def choose_passphrase(shell: Shell) -> None:
    shell.until("1 Set up a new vault")
    shell.type("1")
    shell.until("Passphrase")
    shell.type("password\r")
    shell.until("This passphrase is too easy")
    shell.type("\x01" + PASSPHRASE)  # Ctrl-A selects what is there
    shell.until("That is very good.")
    shell.type("\r")
    shell.until("Once more")
    shell.type("something else\r")
    shell.until("These two are not the same.")
    shell.type("\x01" + PASSPHRASE + "\r")
    shell.until("Your vault is ready")


def test_set_up_with_a_sheet_copied_by_hand_ends_at_home_and_recoverable(own_home: Path) -> None:
    with Shell() as shell:
        choose_passphrase(shell)
        assert "kept in a file that only you can read" in shell.flat
        assert "NOT RECOVERABLE" in shell.text
        shell.type("\r")
        shell.until("3 Show it here")
        shell.type("3")
        shell.until("Copy these seven lines by hand")
        rows = re.findall(r"^ +[1-7] +(\w{5}) +(\w{5}) +(\w{5}) *$", shell.text, re.MULTILINE)
        groups = [group for row in rows for group in row]
        code = sheet.decode(" ".join(groups))
        shell.type("\r")
        for number in range(1, 4):
            shell.until(f"check {number} of 3")
            shell.settle()
            asked = int(re.search(r"\(group (\d+)\)", shell.flat)[1])  # type: ignore[index]
            if number == 1:
                shell.type("AAAAA\r")
                shell.until("Not as on the sheet")
                shell.type("\x01")
            shell.type(groups[asked - 1].lower())
            shell.until(lambda: shell.text.count("\u2022") == 5)  # never shown by itself
            shell.type("\r")
        shell.until("Your name")
        shell.type("Dr. Holt\r")
        shell.until("Minutes")
        shell.type("\r")
        shell.until("1 Name a backup place now")
        shell.type("2")
        shell.until("Your vault is empty.")
        assert "NOT RECOVERABLE" not in shell.text
        for group in groups:
            assert group not in shell.text
        shell.type("quit\r")
        assert shell.until_ended() == 0
    session = open_vault()
    assert rekey.sheet_confirmed(session)
    assert code.fingerprint
    assert session.close("exit") == []


def test_the_sheet_may_wait_and_the_first_note_gets_its_client_on_the_way(own_home: Path) -> None:
    with Shell() as shell:
        choose_passphrase(shell)
        shell.type("\r")
        shell.until("5 Later")
        shell.type("5")
        shell.until("Your name")
        shell.type(ESC)
        shell.until("Minutes")
        shell.type(ESC)
        shell.until("2 Later")
        shell.type(ESC)
        shell.until("Your vault is empty.")
        assert "NOT RECOVERABLE: print your sheet" in shell.text
        shell.type("new Anna Berg\r")
        shell.until("as you would write it on a folder")
        shell.type("\r")
        shell.until("Code C-001")
        shell.type("\r")
        shell.until("Date of birth")
        shell.type("17/5/1980\r")
        shell.until("1 free")
        shell.type("1")
        shell.until("NOT RECOVERABLE")
        shell.type("First words.")
        shell.until("First words.")
        shell.type(ESC)
        shell.until("Saved at")
        shell.type(CTRL_L)
        shell.until("Locked.")
        shell.unlock()
        shell.until("notevault>")
        assert "NOT RECOVERABLE" in shell.text
        shell.type("find fir\r")
        shell.until("1 note found")
        shell.type("\r")
        shell.until("^S save")
        shell.type(ESC)
        shell.until("1 note found")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("sheet\r")
        shell.until("It was not typed back yet.")
        shell.type("1")
        shell.until("First the passphrase you have now.")
        shell.type(PASSPHRASE + "\r")
        shell.until("A page to print (PDF)")
        shell.type("1")
        shell.until("Where shall the page be written?")
        shell.type("\r")
        shell.until("Open it and print it")
        page = own_home / "notevault-recovery-sheet.pdf"
        assert page.read_bytes().startswith(b"%PDF")
        assert page.stat().st_mode & 0o777 == 0o600
        shell.type("\r")
        shell.until("check 1 of 3")
        shell.type(ESC)
        shell.until("4 I have it on paper")
        shell.type("5")
        shell.until("Delete the file now? [y/N]")
        assert "notevault-recovery-sheet.pdf" in shell.flat
        shell.type("\r")
        shell.until("notevault>")
        assert page.exists()
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.disk
def test_a_backup_place_named_at_the_end_holds_the_vault_when_home_appears(own_home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    with Shell() as shell:
        choose_passphrase(shell)
        shell.type("\r")
        shell.until("5 Later")
        shell.type("5")
        shell.until("Your name")
        shell.type(ESC)
        shell.until("Minutes")
        shell.type(ESC)
        shell.until("If this computer is lost, your notes are gone")
        shell.type("\r")
        shell.until(lambda: "Folder" in shell.text or "Another folder" in shell.text)
        if "Another folder" in shell.text:  # something is plugged in here
            number = re.search(r"(\d) +Another folder", shell.text)
            assert number is not None
            shell.type(number[1])
        shell.until("Folder ")
        shell.type(f"{own_home}/nowhere\r")
        shell.until("Enter or Esc goes on")
        shell.type("\r")  # refused, and asked again
        shell.until(lambda: "Folder " in shell.flat or "Another folder" in shell.flat)
        if "Another folder" in shell.text:
            shell.type(number[1])  # type: ignore[index]
            shell.until("Folder ")
        shell.type(f"{folder}\r")
        shell.until("The first backup")
        shell.until("done, ")
        shell.type("\r")
        shell.until("Your vault is empty.")
        shell.until("backup just now")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert list(folder.glob("notevault/*/anchors/*/*"))


def test_leaving_before_the_vault_is_made_leaves_nothing(own_home: Path) -> None:
    with Shell() as shell:
        shell.until("1 Set up a new vault")
        shell.type("1")
        shell.until("Passphrase")
        shell.type(PASSPHRASE + "\r")
        shell.until("Once more")
        shell.type(ESC)
        shell.until("Take four or more words")
        shell.type(ESC)
        shell.until("3 Leave")
        shell.type(ESC)
        shell.until("Leave without setting up? [Y/n]")
        shell.type("\r")
        assert shell.until_ended() == 0
    assert not default_vault().exists()


def test_who_has_a_vault_already_is_told_how_it_comes_out_of_a_backup_place(own_home: Path, tmp_path: Path) -> None:
    lost = vaults.small(tmp_path / "lost", 1)
    stick = tmp_path / "stick"
    lay(lost.vault, lost.hex, stick)
    with Shell() as shell:
        shell.until("2 I have a vault already")
        shell.type("2")
        shell.until("1 In a backup place")
        shell.type("1")
        shell.until("Folder")
        shell.type(f"{tmp_path}\r")
        shell.until("There is no backup of a vault in this folder.")
        shell.type(f"\x01{stick}\r")
        shell.until("notevault backup restore --from")
        assert str(stick) in shell.flat.replace(" ", "")
        assert "--to" not in shell.flat
        shell.type("\r")
        shell.until("2 I have a vault already")
        shell.type("2")
        shell.until("2 In a vault's folder")
        shell.type("2")
        shell.until("type `notevault recover`")
        shell.type("\r")
        shell.until("3 Leave")
        shell.type("3")
        assert shell.until_ended() == 0
