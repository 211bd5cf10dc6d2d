"""`notevault demo`: says so on every screen, asks for no passphrase, leaves nothing behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.shell.ptyshell import CTRL_L, ESC, Shell, is_alive

WORDS = "nothing here is kept"


@pytest.fixture
def places(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Where a demo may put its folder: the temp folder of this test, and its runtime folder."""
    temp = tmp_path / "tmp"
    temp.mkdir()
    monkeypatch.setenv("TMPDIR", str(temp))
    return [temp, own_home]


def files_in(places: list[Path]) -> list[Path]:
    return [path for place in places for path in place.rglob("*") if path.is_file()]


@pytest.mark.slow
def test_a_demo_says_so_everywhere_and_leaves_nothing(places: list[Path]) -> None:
    with Shell("demo") as shell:
        shell.until("notevault>")
        assert shell.flat.count(WORDS) >= 1
        assert files_in(places)
        shell.type("open ander\r")
        shell.until("^S save")
        assert WORDS in shell.text
        shell.type(ESC)
        shell.until("notevault>")
        for line, seen in (("help\r", "Keys"), ("clients\r", "Clients (5)"), ("find choir\r", "notes found")):
            shell.type(line)
            shell.until(seen)
            assert WORDS in shell.text
            shell.type(ESC)
            shell.until("notevault>")
        shell.type(CTRL_L)
        shell.until("Enter opens the demo again")
        assert WORDS in shell.text
        shell.type("\r")
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert files_in(places) == []


@pytest.mark.slow
def test_a_killed_demo_is_taken_away_by_its_child_or_by_the_next(places: list[Path]) -> None:
    with Shell("demo") as shell:
        shell.until("notevault>")
        child = shell.child()
        os.kill(shell.process.pid, signal.SIGKILL)
        shell.until(lambda: not is_alive(child))
    assert files_in(places) == []
    with Shell("demo") as shell:
        shell.until("notevault>")
        os.kill(shell.child(), signal.SIGSTOP)
        os.kill(shell.process.pid, signal.SIGKILL)
    assert files_in(places)
    with Shell("demo") as shell:
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert files_in(places) == []
