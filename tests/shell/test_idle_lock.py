"""The lock that nobody asked for, on a real terminal in real time: two minutes, the least that can be set."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from notevault.shell.idle import WARN_S
from notevault.vault.notebook import Notebook
from tests.shell.ptyshell import ESC, Shell, is_alive, make_vault, open_vault

MINUTES = 2
SPARE_S = 45  # a busy machine


@pytest.mark.slow  # two minutes of doing nothing
def test_two_minutes_without_a_key_warn_then_lock_and_unlocking_returns_to_the_text(own_home: Path) -> None:
    make_vault()
    session = open_vault()
    book = Notebook(session)
    book.save_settings(replace(book.settings(), idle=MINUTES))
    assert session.close("exit") == []
    with Shell() as shell:
        shell.unlock()
        shell.to_new_note()
        last_key = time.monotonic()  # not later than that: nothing below may come before its time
        shell.type("Then the phone rang.")
        shell.until("Then the phone rang.")
        child = shell.child()
        within(shell, MINUTES * 60 - WARN_S + SPARE_S, lambda: "LOCKS IN 0:" in shell.text)
        assert time.monotonic() - last_key > MINUTES * 60 - WARN_S - 2
        assert "Then the phone rang." in shell.text
        within(shell, WARN_S + SPARE_S, lambda: "Locked, because no key was pressed for a while." in shell.flat)
        assert time.monotonic() - last_key > MINUTES * 60 - 2
        assert "phone" not in shell.text
        assert not is_alive(child)
        shell.unlock()
        shell.until("Then the phone rang.")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0


def within(shell: Shell, seconds: float, held: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < end, f"it never came; the screen is:\n{shell.text}"
        shell.read(0.2)
