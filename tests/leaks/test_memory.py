"""What a lock takes away: text, names, search words, passphrase and keys are in no process that stays."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.leaks import day, probe, scan_memory, shell_day, user
from tests.leaks.canary import Needle
from tests.leaks.terminal import Shell
from tests.leaks.user import Person

pytestmark = pytest.mark.root


@dataclass
class Open:
    """A shell with a note in its editor, and everything that memory is searched for."""

    shell: Shell
    person: Person
    canaries: day.Canaries
    keys: dict[str, bytes]

    @property
    def needles(self) -> list[Needle]:
        return self.canaries.needles() + user.needles_of(day.but_of_the_log(self.keys))

    def found(self) -> list[scan_memory.Hit]:
        """In every process of hers, and in every descendant of the shell, whoever owns it."""
        processes = scan_memory.processes_of(self.person.uid, [self.shell.parent])
        assert self.shell.parent in processes
        return scan_memory.scan_all(processes, self.needles)

    def prove(self) -> None:
        """Before a lock everything is there to be found, in the child and nowhere else."""
        child = self.shell.child
        inside = [each for each in self.needles if each.what in (self.canaries.text, self.canaries.name, "VK")]
        inside += [each for each in self.needles if each.what.startswith("client key")][:8]
        hits = scan_memory.scan(child, inside)
        what = {hit.what for hit in hits}
        assert {self.canaries.text, self.canaries.name, "VK"} <= what, what
        assert any(each.startswith("client key") for each in what)
        others = set(scan_memory.processes_of(self.person.uid, [self.shell.parent])) - {child}
        assert self.shell.parent in others
        hits = scan_memory.scan_all(others, self.needles)
        assert hits == [], "\n".join(map(str, hits))

    def nothing(self) -> None:
        hits = self.found()
        assert hits == [], "\n".join(map(str, hits))


@pytest.fixture
def opened(person: Person) -> Iterator[Open]:
    canaries = day.Canaries()
    key = person.file("passphrase", canaries.passphrase.encode())
    sheet = str(person.base / "desk/sheet.txt")
    assert person.does("init", "--sheet", sheet, "--passphrase-file", str(key), "--no-input").code == 0
    keys = user.keys_of(person, person.vault, canaries.passphrase)
    with Shell(person) as shell:
        shell_day.unlock(shell, canaries)
        shell_day.begin_note(shell, canaries, canaries.text)
        yield Open(shell, person, canaries, keys)


@pytest.mark.slow
def test_after_ctrl_l_no_process_holds_anything_and_unlocking_returns_to_the_note(opened: Open) -> None:
    opened.prove()
    shell_day.lock(opened.shell)
    opened.nothing()
    shell_day.unlock(opened.shell, opened.canaries, opened.canaries.text)


@pytest.mark.slow
def test_after_kill_9_no_process_holds_anything_and_the_text_is_back(opened: Open) -> None:
    opened.prove()
    shell_day.kill_child(opened.shell)
    opened.nothing()
    shell_day.unlock(opened.shell, opened.canaries, "Text that was not saved yet")
    opened.shell.type("y", opened.canaries.text)


@pytest.mark.slow
def test_no_process_of_the_shell_can_be_read_or_leaves_a_core(opened: Open) -> None:
    for pid in (opened.shell.parent, opened.shell.child):
        assert probe.core_limit(pid) == ("0", "0")
        assert probe.reaches(opened.person, pid) == []
    shell_day.kill_child(opened.shell, signal.SIGABRT)
    assert day.cores(opened.person) == []
    opened.nothing()


@pytest.mark.slow
def test_a_passphrase_that_was_refused_goes_with_the_child(opened: Open) -> None:
    shell_day.lock(opened.shell)
    shell_day.wrong(opened.shell, opened.canaries)
    shell_day.kill_child(opened.shell)
    opened.nothing()


@pytest.mark.slow
def test_with_the_parent_killed_the_child_ends_by_itself(opened: Open) -> None:
    child = opened.shell.child
    os.kill(opened.shell.parent, signal.SIGKILL)
    assert scan_memory.wait_for(lambda: not scan_memory.is_running(child) and not opened.person.processes(), 30)
    assert day.cores(opened.person) == []


@pytest.mark.slow
def test_when_the_window_is_closed_everything_ends(opened: Open) -> None:
    shell_day.hang_up(opened.shell)
    assert day.cores(opened.person) == []
    with Shell(opened.person) as again:
        shell_day.unlock(again, opened.canaries)
        assert day.cores(opened.person) == []


@pytest.mark.slow
def test_after_the_idle_lock_no_process_holds_anything(person: Person) -> None:
    """The real one, two minutes of it: there is no door for tests in what locks."""
    canaries = day.Canaries()
    with Shell(person) as shell:
        shell_day.set_up(shell, canaries, minutes=2)
        keys = user.keys_of(person, person.vault, canaries.passphrase)
        shell_day.begin_note(shell, canaries, canaries.text)
        opened = Open(shell, person, canaries, keys)
        opened.prove()
        old = shell.child
        shell.until(lambda: not scan_memory.is_running(old), 180)
        shell.until_another_child(old)
        shell.until("no key was pressed")
        opened.nothing()
        shell_day.unlock(shell, canaries, canaries.text)
