"""No core file, no debugger, no other program of the same user: from the first moment of every process of ours."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.leaks import day, probe, scan_memory
from tests.leaks.user import Person

pytestmark = pytest.mark.root

WAITING = {
    "a note from a pipe": ("note", "add", "--client", "C-001"),
    "a name from a pipe": ("client", "add", "-"),
    "a passphrase from a pipe": ("note", "list", "--passphrase-file", "-"),
    "the key store's helper": ("_keyring",),
}


def _until_hardened(pid: int) -> bool:
    """Python itself starts first; then our first line runs."""
    return scan_memory.wait_for(lambda: probe.core_limit(pid)[1] == "0")


def test_a_soft_target_can_be_read_in_many_ways(person: Person) -> None:
    with probe.soft_target(person) as process:
        assert {"mem", "environ", "maps", "fd", "ptrace", "process_vm_readv"} <= set(probe.reaches(person, process.pid))
        assert probe.core_limit(process.pid) == ("unlimited", "unlimited")
        process.kill()


@pytest.mark.parametrize("what", WAITING)
def test_a_command_cannot_be_read_by_other_programs_of_the_same_user(person: Person, what: str) -> None:
    with person.start(person.command(*WAITING[what])) as process:
        assert _until_hardened(process.pid)
        assert probe.core_limit(process.pid) == ("0", "0")
        assert probe.reaches(person, process.pid) == []
        process.kill()


@pytest.mark.slow
def test_a_soft_target_leaves_a_core_file_and_a_command_does_not(person: Person) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    with probe.soft_target(person) as process:
        process.send_signal(signal.SIGABRT)
    left = day.cores(person)
    if not pattern.startswith(("|", "/")):
        assert left, "the proof that core files would be seen"
    for path in left:
        path.unlink()
    for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGQUIT):
        with person.start(person.command(*WAITING["a note from a pipe"])) as process:
            assert _until_hardened(process.pid)
            process.send_signal(number)
            assert process.wait(60) != 0
        assert day.cores(person) == []
