"""A lock that the child cannot do by itself: the parent keeps it to its promise."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from prompt_toolkit.input import DummyInput
from prompt_toolkit.output import DummyOutput

from notevault.shell.control import Channel
from notevault.shell.desk import Desk
from notevault.shell.idle import WORK_MS, Idle
from notevault.shell.overdue import GRACE_MS, KILL_MS, Overdue
from notevault.shell.parent import _Parent
from notevault.shell.stage import Stage
from notevault.vault.notebook import Notebook
from notevault.wiring.locked import locked_side
from tests.fakes.simple import FakeClock
from tests.shell.ptyshell import Shell, is_alive, make_vault, open_vault
from tests.shell.test_idle_lock import MINUTES, SPARE_S, within
from tests.vault.build import ROOT, small


def test_a_child_is_told_to_end_once_and_then_killed() -> None:
    lock = Overdue()
    assert lock.look(5_000_000) == "", "nothing was promised"
    lock.promise("1000")
    assert lock.look(1000) == ""
    said = {at: lock.look(at) for at in range(2000, 1000 + GRACE_MS + KILL_MS + 3000, 1000)}
    assert [at for at, step in said.items() if step == "end"] == [1000 + GRACE_MS + 1000]
    assert lock.ended
    assert next(at for at, step in said.items() if step == "kill") == 1000 + GRACE_MS + KILL_MS + 1000


def test_a_new_promise_is_waited_for_and_a_laptop_that_slept_has_time_to_lock() -> None:
    lock = Overdue()
    lock.promise("1000")
    for at in range(1000, GRACE_MS, 1000):
        assert lock.look(at) == ""
    lock.promise("9000000")
    assert lock.look(8_000_000) == ""
    lock.promise("no number")
    assert [lock.look(at) for at in (90_000_000, 90_001_000, 90_002_000)] == ["", "", ""]
    assert not lock.ended


def test_keys_put_the_moment_off_until_it_is_to_be_locked_and_a_job_that_goes_on_is_waited_for() -> None:
    clock = FakeClock()
    idle = Idle(clock)
    assert idle.due_ms() is None
    idle.start(10)
    first = idle.due_ms()
    assert first == clock.boot_ms() + 600_000
    clock.advance(60_000)
    idle.activity()
    assert idle.due_ms() == first + 60_000
    assert idle.due_ms(leaving=first) == first
    clock.advance(590_000)
    idle.worked()
    assert idle.due_ms(leaving=first) == clock.boot_ms() + WORK_MS


class Hurried(FakeClock):
    """Each look at it is two seconds later."""

    def boot_ms(self) -> int:
        self.advance(2000)
        return super().boot_ms()


def test_the_parent_kills_a_child_that_does_not_lock_even_if_it_will_not_be_told(own_home: Path) -> None:
    stuck = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(90)"
    ours, theirs = socket.socketpair()
    with ExitStack() as stack:
        parent = _Parent(replace(locked_side(None), clock=Hurried()), None, plain=True, stack=stack)
        child = subprocess.Popen([sys.executable, "-c", stuck], stdout=subprocess.PIPE)
        stack.callback(child.kill)
        assert child.stdout is not None
        child.stdout.readline()
        over = threading.Event()
        stack.callback(over.set)
        threading.Thread(target=_promise_until, args=(theirs, over)).start()
        parent._child = child
        listening = threading.Thread(target=parent._listen, args=(Channel(ours),))
        listening.start()
        assert child.wait(60) == -signal.SIGKILL
        over.set()
        listening.join(60)
        child.stdout.close()
    ours.close()
    assert parent._lock.ended


def _promise_until(end: socket.socket, over: threading.Event) -> None:
    """The same old promise again and again, then the end of the line."""
    while not over.wait(0.05):
        end.send(b"until 1\n")
    end.close()


def test_what_a_child_said_at_a_lock_is_told_to_the_next_one_and_no_other(own_home: Path) -> None:
    ours, theirs = socket.socketpair()
    with ExitStack() as stack:
        parent = _Parent(locked_side(None), None, plain=True, stack=stack)
        channel = Channel(ours)
        parent._answer(channel, "say What was written last could not be kept.")
        parent._answer(channel, "words")
        parent._answer(channel, "words")
    ours.close()
    assert theirs.recv(4096).splitlines() == [b"words What was written last could not be kept. ", b"words "]
    theirs.close()


def test_the_open_vault_promises_its_lock_and_no_key_puts_it_off_once_it_is_to_be_locked() -> None:
    house = small("promise")
    session = house.unlock()
    clock = FakeClock()
    stage = Stage(Idle(clock), lambda width: "", source=DummyInput(), output=DummyOutput())
    stage.news = ["What was written last could not be kept."]
    ours, theirs = socket.socketpair()
    desk = Desk(session.env, locked_side(str(ROOT)), stage, Channel(theirs))
    desk.promise()
    desk.take(session)
    assert stage.news == [], "it was said until the vault was open"
    first = clock.boot_ms() + 600_000
    clock.advance(5000)
    stage.idle.activity()
    desk.promise()
    stage.leave("key")
    clock.advance(5000)
    stage.idle.activity()
    desk.promise()
    theirs.close()
    assert ours.recv(4096).decode().splitlines() == [f"until {first}", f"until {first + 5000}"]
    ours.close()
    session.close("exit")


@pytest.mark.slow  # two minutes of doing nothing
def test_a_child_that_stands_still_is_locked_all_the_same_and_its_text_comes_back(own_home: Path) -> None:
    make_vault()
    session = open_vault()
    book = Notebook(session)
    book.save_settings(replace(book.settings(), idle=MINUTES))
    assert session.close("exit") == []
    with Shell() as shell:
        shell.unlock()
        shell.to_new_note()
        shell.type("Five words are kept here")
        shell.until("kept \u2502")
        child, stopped = shell.child(), time.monotonic()
        os.kill(child, signal.SIGSTOP)
        within(shell, MINUTES * 60 + (GRACE_MS + KILL_MS) / 1000 + SPARE_S, lambda: not is_alive(child))
        assert time.monotonic() - stopped > MINUTES * 60
        shell.until("The window did not answer any more, so it was closed to lock the vault.")
        shell.unlock()
        shell.until("It was kept for you")
