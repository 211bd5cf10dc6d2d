"""The recovery sheet in an open shell: who may make one, where it may go, what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from notevault.app import oneshot
from notevault.formats import sheet
from notevault.vault import rekey
from tests.shell.ptyshell import CTRL_L, F8, PASSPHRASE, Shell, disk_env, make_vault, open_vault


@pytest.fixture
def vault(own_home: Path) -> Path:
    make_vault(sheet=False)
    return own_home


def ask_for_a_new_one(shell: Shell) -> None:
    shell.until("notevault>")
    shell.type("sheet\r")
    shell.until("It was not typed back yet.")
    shell.type("1")
    shell.until("First the passphrase you have now.")


@pytest.mark.slow
def test_an_unlocked_shell_gives_nobody_a_new_sheet_without_the_passphrase(vault: Path) -> None:
    session = open_vault()
    before = session.header_digest
    session.close("exit")
    with Shell() as shell:
        shell.unlock()
        ask_for_a_new_one(shell)
        shell.type("guess\r")
        shell.until("That is not your passphrase. Nothing was changed.")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    session = open_vault()
    assert session.header_digest == before
    session.close("exit")


@pytest.mark.slow
@pytest.mark.disk
def test_a_place_that_cannot_be_is_said_and_the_sheet_is_not_lost(vault: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        ask_for_a_new_one(shell)
        shell.type(PASSPHRASE + "\r")
        shell.until("2 A text file to print")
        shell.type("2")
        for place in ("~nobody-is-called-so/x", "a" * 300, "/", str(vault / "no-folder" / "x")):
            shell.until("Where shall the page be written?")
            shell.type("\x01" + place + "\r")
            shell.until(
                lambda: (
                    "can have that name" in shell.flat
                    or "That is no name" in shell.flat
                    or "There is no such folder" in shell.flat
                )
            )
            shell.type("\x01x")
            shell.until(lambda: "name." not in shell.flat and "folder." not in shell.flat)
        shell.type("\x01" + str(vault / "notevault-recovery-sheet-9") + "\r")
        shell.until("Open it and print it")
        page = vault / "notevault-recovery-sheet-9.txt"
        code = sheet.parse_sheet(page.read_text())
        shell.type("\r")
        shell.until("check 1 of 3")
        shell.type(CTRL_L)
        shell.until("Locked.")
        shell.unlock()
        shell.until("A recovery sheet still lies in a file")
        assert page.name in shell.flat
        shell.type("quit\r")
        assert shell.until_ended() == 0
    session = open_vault()
    session.close("exit")
    oneshot.try_sheet(disk_env(), session.paths.root, code)


@pytest.mark.slow
def test_a_sheet_that_is_refused_waits_to_be_logged(vault: Path) -> None:
    session = open_vault()
    old = rekey.new_sheet(session)
    rekey.new_sheet(session)
    session.close("exit")
    groups = sheet.encode(old.seed, old.fingerprint)
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("sheet\r")
        shell.until("It was not typed back yet.")
        shell.type("2")
        for number in range(7):
            shell.until(f"Type line {number + 1} of 7")
            shell.type(" ".join(groups[3 * number : 3 * number + 3]) + "\r")
        shell.until("replaced by a newer one")
        assert [why for _, why in session.local.kept_fails()] == ["sheet"]
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.slow
def test_with_names_hidden_a_client_is_changed_without_showing_the_name(vault: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type(F8)
        shell.until(lambda: "Anna" not in shell.text)
        shell.type("client edit c-014\r")
        shell.until("Names are hidden. Enter alone leaves the name as it is.")
        assert "Anna" not in shell.text
        shell.type("\r")
        shell.until("Code C-014")
        shell.type("\x01C-020\r")
        shell.until("Date of birth")
        shell.type("\r")
        shell.until("Remark")
        shell.type("\r")
        shell.until("Is the treatment going on?")
        shell.type("\r")
        shell.until("C-020 is changed.")
        shell.type(F8)
        shell.until("Anna Berg")
        shell.type("quit\r")
        assert shell.until_ended() == 0
