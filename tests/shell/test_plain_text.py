"""`--plain`: no words of a note are lost by a key that locks or leaves, by Ctrl-S, or by the terminal's own limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from notevault.vault.notebook import Notebook
from tests.shell.ptyshell import PASSPHRASE, Shell, make_vault, open_vault


@pytest.fixture
def vault(own_home: Path) -> Path:
    make_vault()
    return own_home


def to_text(shell: Shell) -> None:
    shell.until("Passphrase (not shown):")
    shell.type(PASSPHRASE + "\r")
    shell.until("notevault>")
    shell.type("new anna\r")
    shell.until("Number [1]")
    shell.type("\r")
    shell.until("single dot ends it")
    shell.until(lambda: shell.text.rstrip().endswith(">"))


def newest() -> str:
    session = open_vault()
    notebook = Notebook(session)
    text = notebook.open_note(notebook.notes()[0].id)[1].text
    session.close("exit")
    return text


@pytest.mark.slow
def test_words_before_a_ctrl_l_in_the_same_line_are_kept(vault: Path) -> None:
    with Shell("plain", rows=80) as shell:
        to_text(shell)
        shell.type("First line.\rHalf a line\x0c\r")
        shell.until("What was shown may still be in this window")
        shell.until(lambda: shell.text.count("Passphrase (not shown):") == 1)
        shell.type("\x04")
        shell.until_ended()
    assert newest() == "First line.\nHalf a line"


@pytest.mark.slow
def test_words_before_a_ctrl_d_are_kept(vault: Path) -> None:
    with Shell("plain", rows=80) as shell:
        to_text(shell)
        shell.type("First line.\rHalf a line\x04\x04")
        assert shell.until_ended() == 0
    assert newest() == "First line.\nHalf a line"


@pytest.mark.slow
def test_words_in_a_line_that_was_not_ended_are_kept_when_it_is_told_to_end(vault: Path) -> None:
    with Shell("plain", rows=80) as shell:
        to_text(shell)
        shell.type("First line.\rHalf a line")
        shell.until("Half a line")
        shell.process.kill(15)
        shell.until_ended()
    assert newest() == "First line.\nHalf a line"


@pytest.mark.slow
def test_ctrl_s_does_not_stop_it_enter_alone_keeps_a_line_and_a_cut_line_is_told_of(vault: Path) -> None:
    with Shell("plain", rows=200) as shell:
        to_text(shell)
        shell.type("One.\r.\r")
        shell.until("note>")
        shell.type("\x13c 1\r")
        shell.until("Enter alone keeps it.")
        shell.type("\r")
        shell.until(lambda: shell.text.rstrip().endswith("note>"))
        shell.type("a\r")
        shell.until(lambda: shell.text.rstrip().endswith("\n>"))
        shell.type("x" * 2000)
        shell.until(lambda: shell.text.count("x") >= 1900)
        shell.type("x" * 3000 + "\r")
        shell.until("was cut off")
        shell.type(".\r\r")
        shell.until("Not signed yet")
        shell.type("quit\r")
        assert shell.until_ended() == 0
        assert shell.terminal_is_as_before()
    text = newest()
    assert text.startswith("One.\nxxx")
    assert len(text) == len("One.\n") + 4095
