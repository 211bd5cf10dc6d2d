"""The shell end to end on a real pty: lock and unlock, crash, kill -9 of either half, hang-up, a second shell."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest

from notevault.vault.drafts import Drafts
from notevault.vault.notebook import Notebook
from tests.shell.ptyshell import (
    CTRL_L,
    ESC,
    F8,
    LEFT,
    PASSPHRASE,
    PATIENCE_S,
    Shell,
    is_alive,
    make_vault,
    open_vault,
)


@pytest.fixture
def vault(own_home: Path) -> Path:
    make_vault()
    return own_home


def ended_within(pid: int, seconds: float = PATIENCE_S) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not is_alive(pid):
            return True
        time.sleep(0.05)
    return False


def texts() -> list[str]:
    """The texts of all notes, the newest first, as the vault has them now."""
    session = open_vault()
    notebook = Notebook(session)
    found = [notebook.open_note(view.id)[1].text for view in notebook.notes()]
    session.close("exit")
    return found


@pytest.mark.slow
def test_lock_and_unlock_return_to_the_same_note_and_cursor(vault: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.to_new_note()
        shell.type("Came late today.\rSpoke of the river.")
        shell.until("of the river.")
        shell.type(LEFT * 6)
        shell.until(lambda: shell.cursor == (14, 2))
        first = shell.child()
        shell.type(CTRL_L)
        shell.until("Locked.")
        assert "river" not in shell.text
        assert ended_within(first)
        shell.unlock()
        shell.until("of the river.")
        shell.until(lambda: shell.cursor == (14, 2))
        shell.type("dark ")
        shell.until("the dark river.")
        shell.type(ESC)
        shell.until("Saved at")
        shell.type("quit\r")
        assert shell.until_ended() == 0
        assert shell.terminal_is_as_before()
        assert shell.raw.rstrip().endswith(b"\x1b[?1049l\x1b[23;2t")
    assert texts()[0] == "Came late today.\nSpoke of the dark river."


@pytest.mark.slow
def test_a_killed_child_gives_the_text_back_with_its_word_count(vault: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.to_new_note()
        shell.type("Five words are kept here")
        shell.until("kept \u2502")
        os.kill(shell.child(), signal.SIGKILL)
        shell.until("The window stopped unexpectedly. Your text is kept.")
        shell.unlock()
        shell.until("It was kept for you")
        shell.until("5 words")  # a frame may come in two pieces
        shell.type("\r")
        shell.until("Five words are kept here")
        shell.type(ESC)
        shell.until("Saved at")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert texts()[0] == "Five words are kept here"


@pytest.mark.slow
def test_a_killed_parent_leaves_a_terminal_that_works_and_no_child(vault: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.to_new_note()
        shell.type("Typed a moment before the end.")
        shell.until("before the end.")
        child = shell.child()
        os.kill(shell.process.pid, signal.SIGKILL)
        end = time.monotonic() + PATIENCE_S
        while is_alive(child) and time.monotonic() < end:
            shell.read()
        assert not is_alive(child)
        shell.settle()
        assert shell.terminal_is_as_before()
        assert b"\x1b[?1049l" in shell.raw[-300:]
        assert b"\x1b[?25h" in shell.raw[-300:]
    assert texts()[0] == "Typed a moment before the end."


@pytest.mark.slow
def test_a_terminal_that_closes_locks_the_vault_and_saves_the_text(vault: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.to_new_note()
        shell.type("The window was closed on me.")
        shell.until("closed on me.")
        child, parent = shell.child(), shell.process.pid
        shell.hang_up()
        assert ended_within(child)
        assert os.waitstatus_to_exitcode(os.waitpid(parent, 0)[1]) == 128 + signal.SIGHUP
    assert texts()[0] == "The window was closed on me."


@pytest.mark.slow
def test_a_request_to_end_saves_and_ends(vault: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.to_new_note()
        shell.type("Shutting down.")
        shell.until("Shutting down.")
        os.kill(shell.process.pid, signal.SIGTERM)
        assert shell.until_ended() == 128 + signal.SIGTERM
        assert shell.terminal_is_as_before()
    assert texts()[0] == "Shutting down."


@pytest.mark.slow
def test_three_crashes_in_a_row_stop_and_say_so(vault: Path) -> None:
    with Shell() as shell:
        for _ in range(3):
            shell.until("Passphrase")
            child = shell.child()
            shell.screen.reset()
            os.kill(child, signal.SIGKILL)
            shell.until(lambda child=child: not is_alive(child))  # type: ignore[misc]
        assert shell.until_ended() == 70
        assert "three times in a row" in shell.flat
        assert "notevault doctor" in shell.flat
        assert shell.terminal_is_as_before()


@pytest.mark.slow
def test_a_second_shell_is_refused_also_while_the_first_is_locked(vault: Path) -> None:
    with Shell() as first:
        first.unlock()
        first.until("notevault>")
        with Shell() as second:
            assert second.until_ended() == 75
            assert "Another notevault window has this vault open." in second.flat
        first.type(CTRL_L)
        first.until("Locked.")
        with Shell() as third:
            assert third.until_ended() == 75
        first.unlock()
        first.until("notevault>")


@pytest.mark.slow
def test_interrupts_never_end_it(vault: Path) -> None:
    with Shell() as shell:
        shell.until("Passphrase")
        for pid in (shell.process.pid, shell.child()):
            os.kill(pid, signal.SIGINT)
            os.kill(pid, signal.SIGQUIT)
        shell.type("\x03")
        shell.unlock()
        shell.until("notevault>")
        shell.type("\x03")
        shell.type("hide\r")
        shell.until("Names are hidden")
        shell.type("quit\r")
        assert shell.until_ended() == 0


@pytest.mark.slow
def test_no_name_reaches_the_title_and_no_colour_is_sent(vault: Path) -> None:
    with Shell(NO_COLOR="1") as shell:
        shell.unlock()
        shell.until("Anna Berg")
        shell.type(F8)
        shell.until(lambda: "Anna" not in shell.text)
        shell.type("open c-014\r")
        shell.until("Slept four hours.")
        assert "Anna" not in shell.text
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0
        titles = re.findall(rb"\x1b\][012];([^\x07\x1b]*)", shell.raw)
        assert set(titles) <= {b"notevault"}
        colours = re.findall(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m", shell.raw)
        assert colours == []


@pytest.mark.slow
def test_the_passphrase_is_never_on_the_screen_nor_in_an_argument(vault: Path) -> None:
    with Shell() as shell:
        shell.until("Passphrase")
        for letter in PASSPHRASE:
            shell.type(letter)
        shell.until("\u2022" * len(PASSPHRASE))  # one row: no gap tells where a word ends
        for pid in (shell.process.pid, shell.child()):
            for name in ("cmdline", "environ"):
                assert PASSPHRASE.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()
        shell.type("x\r")
        shell.until("That is not the passphrase.")
        assert "amage" not in shell.text
        shell.unlock()
        shell.until("There was one failed try")
        assert PASSPHRASE.encode() not in shell.raw
        assert PASSPHRASE not in shell.text


@pytest.mark.slow
def test_nothing_typed_before_the_unlock_answers_reaches_the_vault(vault: Path) -> None:
    """Keys that come while the passphrase is checked are dropped: they were meant for another screen."""
    with Shell() as shell:
        shell.until("Passphrase")
        shell.type(PASSPHRASE + "\r" + "nonsense")
        shell.until("notevault>")
        shell.read(0.3)
        assert "nonsense" not in shell.raw.decode("utf-8", "replace")


@pytest.mark.slow
def test_a_draft_that_was_not_taken_up_stays_in_the_list(vault: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.to_new_note()
        shell.type("Left alone for now")
        shell.until("kept \u2502")
        os.kill(shell.child(), signal.SIGKILL)
        shell.unlock()
        shell.until("It was kept for you")
        shell.type("n")
        shell.until("Kept drafts, not saved yet")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    session = open_vault()
    assert [draft.text for draft in Drafts(session).list()] == ["Left alone for now"]
    session.close("exit")
