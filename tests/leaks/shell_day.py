"""A day in the shell, act by act, so that tests can look in between; each act ends with what must be on the screen."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.leaks import scan_memory
from tests.leaks.day import Canaries
from tests.leaks.terminal import CTRL_G, CTRL_L, ENTER, ESC, Shell
from tests.leaks.user import Person

PROMPT = "notevault>"
ASKS = "Your passphrase opens the vault"
KEPT = "kept"


def set_up(shell: Shell, canaries: Canaries, minutes: int = 10) -> None:
    """The wizard; the recovery sheet is put off."""
    shell.until("Set up a new vault")
    shell.type("1", "Length counts")
    shell.type(canaries.passphrase + ENTER, "The same once more")
    shell.type(canaries.passphrase + ENTER, "Your vault is ready")
    shell.type(ENTER, "Recovery sheet")
    shell.type("5", "Almost done")
    shell.type(ENTER, "Minutes")
    shell.type("\x7f" * 3 + f"{minutes}{ENTER}", "Name a backup place now")
    shell.type("2", PROMPT)


def unlock(shell: Shell, canaries: Canaries, then: str = PROMPT) -> None:
    shell.until(ASKS)
    shell.type(canaries.passphrase + ENTER, then)


def wrong(shell: Shell, canaries: Canaries) -> None:
    shell.until(ASKS)
    shell.type(canaries.wrong + ENTER, "That is not the passphrase")


def begin_note(shell: Shell, canaries: Canaries, text: str) -> None:
    """A client is made on the way; the text is typed until a draft keeps it."""
    shell.type(f"new {canaries.name}{ENTER}", "as you would write it on a folder")
    shell.type(ENTER, "stands for the name")
    shell.type(ENTER, "Date of birth")
    shell.type(ENTER, "New note:")
    shell.type("1", "Esc close")
    write(shell, text)


def write(shell: Shell, text: str) -> None:
    shell.type(text, text.split()[-1])
    shell.until(KEPT)


def close_note(shell: Shell) -> None:
    shell.type(ESC, PROMPT)


def find(shell: Shell, word: str, then: str) -> None:
    shell.type(f"find {word}{ENTER}", then)


def back(shell: Shell) -> None:
    shell.type(ESC, PROMPT)


def list_clients(shell: Shell, canaries: Canaries) -> None:
    shell.type(f"clients{ENTER}", "Clients (1)")
    assert canaries.name in shell.text
    back(shell)


def bring_in(shell: Shell, original: Path) -> None:
    shell.type(f"import {original}{ENTER}", "Import them now?")
    shell.type("y", "imported")


def sign(shell: Shell) -> None:
    """The note in the editor; signing closes it."""
    shell.type(CTRL_G, "y signs")
    shell.type("y", PROMPT)


def lock(shell: Shell) -> int:
    """Ctrl-L; returns the process that ended."""
    old = shell.child
    shell.type(CTRL_L)
    shell.until_another_child(old)
    shell.until(ASKS)
    return old


def kill_child(shell: Shell, number: int = signal.SIGKILL) -> int:
    old = shell.child
    os.kill(old, number)
    shell.until_another_child(old)
    shell.until("stopped unexpectedly")
    return old


def hang_up(shell: Shell) -> None:
    """The window is closed: the terminal is gone, and with it everything of hers must end."""
    shell.process.close(force=False)
    assert scan_memory.wait_for(lambda: not shell.person.processes(), 30), [
        scan_memory.command(pid) for pid in shell.person.processes()
    ]


def leave(shell: Shell) -> None:
    shell.type(f"quit{ENTER}")
    assert shell.ended() == 0


@contextmanager
def a_shell(person: Person) -> Iterator[Shell]:
    with Shell(person) as shell:
        yield shell
