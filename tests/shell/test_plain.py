"""`--plain`: a session with line prompts; nothing moves, nothing is coloured, the passphrase is not echoed."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from notevault.vault.notebook import Notebook
from tests.shell.ptyshell import PASSPHRASE, Shell, is_alive, make_vault, open_vault


@pytest.fixture
def vault(own_home: Path) -> Path:
    make_vault(sheet=False)
    return own_home


def open_shell(shell: Shell) -> None:
    shell.until("Passphrase (not shown):")
    shell.type(PASSPHRASE + "\r")
    shell.until("notevault>")


@pytest.mark.slow
def test_a_day_in_line_prompts(vault: Path) -> None:
    with Shell("plain", rows=120) as shell:
        open_shell(shell)
        assert "NOT RECOVERABLE: print your sheet" in shell.flat
        shell.type("opne\r")
        shell.until("Did you mean open?")
        shell.type("new anna\r")
        shell.until("Number [1]")
        shell.type("\r")
        shell.until("A line with a single dot ends it.")
        shell.type("Came late.\rSpoke of the river.\r.\r")
        shell.until("note>")
        shell.type("c 1\r")
        shell.until("instead>")
        shell.type("Came early.\r")
        shell.until(lambda: shell.text.rstrip().endswith("note>"))
        shell.type("\r")
        shell.until("Not signed yet")
        shell.type("find river\r")
        shell.until("1 note found")
        shell.type(".\r")
        shell.type("quit\r")
        assert shell.until_ended() == 0
        assert "Good-bye" in shell.flat
        assert shell.terminal_is_as_before()
        before_end = shell.raw.split(b"Good-bye")[0]
        assert PASSPHRASE.encode() not in shell.raw
        moves = set(re.findall(rb"\x1b[^A-Za-z]*[A-Za-z]", before_end))
        assert moves == {b"\x1b[2J", b"\x1b[H", b"\x1b[3J"}  # only at the end: what was shown is cleared away
    session = open_vault()
    notebook = Notebook(session)
    newest = notebook.notes()[0]
    assert notebook.open_note(newest.id)[1].text == "Came early.\nSpoke of the river."
    session.close("exit")


@pytest.mark.slow
def test_a_dumb_terminal_is_plain_by_itself_and_gets_no_escape_at_all(vault: Path) -> None:
    with Shell(TERM="dumb", rows=60) as shell:
        open_shell(shell)
        shell.type("help\r")
        shell.until("In a note, an unknown letter lists what can be done.")
        assert "F8" not in shell.text, "keys of the full screen do nothing here"
        shell.type("\r")
        shell.until(lambda: shell.text.count("notevault>") == 2)
        shell.type("\x0c\r")
        shell.until("What was shown may still be in this window")
        shell.until(lambda: shell.text.count("Passphrase (not shown):") == 2)
        shell.type(PASSPHRASE + "\r")
        shell.until(lambda: shell.text.count("notevault>") == 3)
        shell.type("quit\r")
        assert shell.until_ended() == 0
        assert b"\x1b" not in shell.raw


@pytest.mark.slow
def test_a_crash_in_the_middle_gives_the_lines_back(vault: Path) -> None:
    with Shell("plain", rows=80) as shell:
        open_shell(shell)
        shell.type("new anna\r")
        shell.until("Number [1]")
        shell.type("\r")
        shell.until("single dot ends it")
        shell.type("These words stay.\r")
        drafts = vault / ".local/state"
        shell.until(lambda: any(not each.name.startswith(".") for each in drafts.rglob("drafts/*")))
        child = shell.child()
        os.kill(child, signal.SIGKILL)
        shell.until(lambda: not is_alive(child))
        shell.until("The window stopped unexpectedly. Your text is kept.")
        shell.type(PASSPHRASE + "\r")
        shell.until("Continue? [Y/n]")
        assert "3 words" in shell.flat
        shell.type("\r")
        shell.until("1. These words stay.")
        shell.type("\r")
        shell.until("Not signed yet")
        shell.type("\x04")
        assert shell.until_ended() == 0
