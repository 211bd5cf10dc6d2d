"""The memory scanner itself: it finds strings of every width and keys, also in processes that are not dumpable."""

from __future__ import annotations

import random
import subprocess

import pytest

from tests.leaks import scan_memory
from tests.leaks.canary import in_memory, key_needles, nonsense
from tests.leaks.user import Person

pytestmark = pytest.mark.root

HOLD = """
import sys
line = sys.stdin.buffer.readline()[:-1]
held = {hold}
del line
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.readline()
"""
RNG = random.Random(77)
WIDTHS = {"latin-1": "", "UCS-2": "\u0107", "UCS-4": "\U0001f984"}


def _holder(person: Person, hold: str) -> subprocess.Popen[bytes]:
    return person.start([person.python, "-c", HOLD.format(hold=hold)])


@pytest.mark.parametrize("width", WIDTHS)
def test_a_string_held_by_a_process_is_found(person: Person, width: str) -> None:
    word = nonsense(RNG) + WIDTHS[width]
    with _holder(person, "line.decode()") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(word.encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        hits = scan_memory.scan_all(person.processes(), in_memory(word))
        assert {hit.pid for hit in hits} == {process.pid}
        hows = {hit.how for hit in hits if hit.what == word}
        assert {"latin-1": "utf-8", "UCS-2": "utf-16-le", "UCS-4": "utf-32-le"}[width] in hows
        assert scan_memory.scan_all(person.processes(), in_memory(nonsense(RNG))) == []
        process.kill()


def test_a_key_held_by_a_process_that_is_not_dumpable_is_found(person: Person) -> None:
    key = RNG.randbytes(32)
    hold = "[bytes.fromhex(line.decode()), __import__('ctypes').CDLL(None).prctl(4, 0, 0, 0, 0)]"
    with _holder(person, hold) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(key.hex().encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        assert process.pid in person.processes(), "the owner is known although /proc says root"
        hits = scan_memory.scan_all(person.processes(), key_needles("the key", key))
        assert "bytes" in {hit.how for hit in hits}
        process.kill()


def test_the_watch_sees_arguments_and_environments(person: Person) -> None:
    word = nonsense(RNG)
    with scan_memory.Watch(person.uid, in_memory(word)) as watch:
        with person.start([person.python, "-c", "input()", word]) as process:  # it lives until it was seen
            assert scan_memory.wait_for(lambda: "cmdline" in {hit.where for hit in watch.hits})
            process.communicate(b"\n")
        person.env["SOME_NAME"] = word
        with person.start([person.python, "-c", "input()"]) as process:
            assert scan_memory.wait_for(lambda: "environ" in {hit.where for hit in watch.hits})
            process.communicate(b"\n")
    assert {hit.where for hit in watch.hits} == {"cmdline", "environ"}
    assert len(watch.seen) == 2
