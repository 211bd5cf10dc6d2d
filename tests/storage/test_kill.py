"""Real processes on a real disk, killed with SIGKILL while they save; and two of them saving at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from tests.storage.making import Room, builder, text_of

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")]

REPO = Path(__file__).resolve().parents[2]
WORKER = """
import sys
from pathlib import Path
from notevault.adapters.files import DiskFiles
from notevault.storage.lock import writer_lock
from tests.storage.making import Room, builder

name, base, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
room = Room(DiskFiles(), base / "vault", base / "local")
with writer_lock(room.files, room.local):
    room.opened()
print("ready", flush=True)
n = 0
while True:
    digests = room.blobs.put_many([f"{name} {n} {k}".encode() for k in range(size)])
    with writer_lock(room.files, room.local):
        room.commit([builder(digest) for digest in digests])
    print("\\n".join(digests), flush=True)
    n += 1
"""


def _start(name: str, base: Path, size: int) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    arguments = [sys.executable, "-c", WORKER, name, str(base), str(size)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment, cwd=REPO)


def _ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"


def _line(process: subprocess.Popen[bytes]) -> str:
    """The next digest that it acknowledges."""
    assert process.stdout is not None
    line = process.stdout.readline().decode().strip()
    assert line, "it ended"
    return line


def _kill(process: subprocess.Popen[bytes]) -> list[str]:
    """The digests that the process had acknowledged."""
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    output = process.stdout.read()
    process.stdout.close()
    process.wait()
    return output[: output.rfind(b"\n") + 1].decode().split()


def _room(base: Path) -> Room:
    return Room(DiskFiles(), base / "vault", base / "local")


def _check(base: Path, acknowledged: list[str]) -> int:
    """Returns how many entries there are."""
    room = _room(base).opened()
    named = [text_of(each) for each in room.entries()]
    assert set(acknowledged) <= set(named)
    for digest in named[1:]:
        room.blobs.check(digest)
    room.commit([builder(room.blobs.put(b"after"))])
    return room.tail.size


def test_whatever_a_killed_process_acknowledged_is_there(tmp_path: Path) -> None:
    _room(tmp_path).found().say("start")
    dice = random.Random(1)
    acknowledged: list[str] = []
    for round_ in range(12):
        process = _start(f"r{round_}", tmp_path, 1 if round_ % 2 else 40)
        _ready(process)
        time.sleep(dice.uniform(0.0, 0.12))
        acknowledged += _kill(process)
        size = _check(tmp_path, acknowledged)
    assert acknowledged, "nothing was ever saved: the loop proves nothing"
    assert size > len(acknowledged)


def test_two_processes_saving_at_once_lose_nothing_even_when_one_is_killed(tmp_path: Path) -> None:
    _room(tmp_path).found().say("start")
    one, two = _start("one", tmp_path, 7), _start("two", tmp_path, 5)
    _ready(one)
    _ready(two)
    begun = [_line(one), _line(two)]  # however long it takes: both save, side by side
    time.sleep(0.7)
    first = _kill(one)
    time.sleep(0.4)
    second = _kill(two)
    _check(tmp_path, begun + first + second)
