"""Whatever goes wrong while a text is in flight, the words that come out are ours: no traceback, no name, no text."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.leaks import day, ground, probe, scan_memory
from tests.leaks.scan_files import Scanner
from tests.leaks.user import Done, Person

pytestmark = [pytest.mark.root, pytest.mark.slow]

ORDERLY = {64, 65, 66, 69, 73, 74, 75, 77, 130}  # 70 would be our own fault


@dataclass
class Desk:
    """A vault with one client and one note, on a small disk of its own where that can be had."""

    person: Person
    canaries: day.Canaries
    opened: tuple[str, ...]
    note: str

    def does(self, *words: str, stdin: bytes = b"") -> Done:
        return self.person.does(*words, *self.opened, stdin=stdin)

    def check(self, done: Done, codes: set[int] = ORDERLY) -> None:
        assert done.code in codes, f"{done.code}\n{done.text()}"
        self.check_words(done.out + done.err)
        assert done.err.strip(), "it says what happened"

    def check_words(self, said: bytes, *but: str) -> None:
        assert b"Traceback" not in said, said.decode()
        assert Scanner(self.canaries.phrases(*but)).data(said + b" " * 8, "what was said") == []


@pytest.fixture(scope="module")
def desk(her_python: tuple[int, str, str | None], open_ground: Path) -> Iterator[Desk]:
    uid, python, path = her_python
    canaries = day.Canaries()
    with ground.new_person(python, path, open_ground, uid, disk=True) as person:
        key = person.file("passphrase", canaries.passphrase.encode())
        opened = ("--passphrase-file", str(key), "--no-input")
        sheet = str(person.base / "desk/sheet.txt")
        assert person.does("init", "--sheet", sheet, *opened).code == 0
        assert person.does("client", "add", "-", "--code", "C-001", *opened, stdin=canaries.name.encode()).code == 0
        done = person.does("note", "add", "--client", "C-001", *opened, stdin=canaries.text.encode())
        assert done.code == 0, done.text()
        yield Desk(person, canaries, opened, done.out.decode().split()[-1])


def test_a_full_disk(desk: Desk) -> None:
    if desk.person.disk is None:
        pytest.skip("no disk image can be mounted here")
    filler = desk.person.private / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass
    try:
        desk.check(desk.does("note", "add", "--client", "C-001", stdin=desk.canaries.piped.encode() * 500), {73, 74})
        desk.check(desk.does("client", "add", "-", stdin=desk.canaries.second_name.encode()), {73, 74})
    finally:
        filler.unlink()
    done = desk.does("note", "list", "--json")
    assert done.code == 0
    assert done.out.count(b"\n") == 1, "what was not acknowledged is not there"


def test_an_answer_into_a_full_device_or_a_closed_pipe(desk: Desk) -> None:
    words = desk.person.command("note", "show", desk.note, *desk.opened)
    with open("/dev/full", "wb") as full, desk.person.start(words, stdout=full) as process:
        code, _, err = _end(process)
    assert code == 74, err.decode()
    desk.check_words(err, desk.canaries.name)  # the note's heading, a message, names the client
    read, write = os.pipe()
    os.close(read)
    try:
        with desk.person.start(words, stdout=write) as process:
            code, _, err = _end(process)
    finally:
        os.close(write)
    assert code == 74
    desk.check_words(err, desk.canaries.name)


def _end(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    out, err = process.communicate(b"", 60)
    return process.returncode, out or b"", err


@pytest.mark.parametrize("how", ["unreadable", "altered", "gone", "a folder"])
def test_a_record_that_cannot_be_read(desk: Desk, how: str) -> None:
    blobs = sorted(path for path in day.everything(desk.person.vault / "blobs") if path.is_file())
    kept = [(path, path.read_bytes()) for path in blobs]
    for path, data in kept:
        path.unlink()
        if how == "unreadable":
            path.write_bytes(data)  # root's own now
            path.chmod(0)
        elif how == "altered":
            path.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
            os.chown(path, desk.person.uid, desk.person.uid)
        elif how == "a folder":
            path.mkdir()
    try:
        desk.check(desk.does("note", "show", desk.note))
        desk.check_words(desk.does("verify").err)
    finally:
        for path, data in kept:
            if path.is_dir():
                path.rmdir()
            path.unlink(missing_ok=True)
            path.write_bytes(data)
            path.chmod(0o600)
            os.chown(path, desk.person.uid, desk.person.uid)
    assert desk.canaries.text in desk.does("note", "show", desk.note).out.decode()


BAD_INPUTS: dict[str, tuple[tuple[str, ...], str, bytes]] = {
    "a name with a control character": (("client", "add", "-"), "name", b"\x1b[31m"),
    "a name that is too long": (("client", "add", "-"), "name", b"x" * 500),
    "a code that cannot be": (("client", "add", "-", "--code", "!!"), "name", b""),
    "a client who is not there": (("note", "add", "--client", "C-999"), "piped", b""),
    "a date that cannot be": (("note", "add", "--client", "C-001", "--date", "the 40th"), "piped", b""),
    "a text that is too long": (("note", "add", "--client", "C-001"), "piped", b"x" * 9_000_000),
    "search words that are none": (("find", "-"), "sought", b" " + b"\xff" * 2000),
}


@pytest.mark.parametrize("what", BAD_INPUTS)
def test_input_that_is_refused_is_not_repeated(desk: Desk, what: str) -> None:
    words, canary, more = BAD_INPUTS[what]
    desk.check(desk.does(*words, stdin=getattr(desk.canaries, canary).encode() + more), {64, 66, 74})


def test_a_passphrase_that_is_no_text_is_not_repeated(desk: Desk) -> None:
    for more in (b"\xff\xfe", b"\0", b"\xef\xbf\xbf", b"x" * 5000, "\u0378".encode()):
        stdin = desk.canaries.wrong.encode() + more + b"\n"
        done = desk.person.does("note", "list", "--passphrase-file", "-", "--no-input", stdin=stdin)
        desk.check(done, {64, 77})


def test_a_device_key_that_is_damaged(desk: Desk) -> None:
    [path] = (desk.person.home / ".config/notevault/device").glob("*.json")
    data = path.read_bytes()
    try:
        for bad in (b"", b"{}", data[:40], data.replace(b'"device"', b'"decive"'), b"\xff" * 70_000):
            path.write_bytes(bad)
            done = desk.does("note", "show", desk.note)
            desk.check(done, {65, 69})
    finally:
        path.write_bytes(data)


def test_an_interrupt_at_any_moment(desk: Desk) -> None:
    """Ctrl-C and the end of the terminal, from our first lines (before them Python itself starts) to after the last."""
    words = desk.person.command("note", "add", "--client", "C-001", *desk.opened)
    started = time.monotonic()
    with desk.person.start(words) as process:
        process.communicate(desk.canaries.piped.encode(), 60)
    whole = time.monotonic() - started
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        for step in range(12):
            with desk.person.start(words) as process:
                assert process.stdin is not None
                process.stdin.write(desk.canaries.piped.encode())
                assert scan_memory.wait_for(lambda: probe.core_limit(process.pid)[1] == "0"), "our own code runs"
                try:
                    process.communicate(timeout=0.001 + whole * step / 10)
                except subprocess.TimeoutExpired:
                    process.send_signal(number)
                out, err = process.communicate(timeout=60)
            said = out + err
            assert Scanner(desk.canaries.phrases()).data(said + b" " * 8, "what was said") == []
            assert b"Traceback" not in said, f"signal {number}, step {step}: {said.decode()}"
