"""What another process of the same user gets at: each way is tried by a process of hers, and once on a soft target."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.leaks.user import Person

_TRY = """
import ctypes, json, os, sys
pid = int(sys.argv[1])
got = []
for name in ("mem", "environ", "maps", "auxv", "stack", "io"):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            if name != "mem":
                file.read(1)
        got.append(name)
    except OSError:
        pass
for name in ("fd", "cwd", "exe", "map_files"):
    try:
        os.listdir(f"/proc/{pid}/{name}") if name in ("fd", "map_files") else os.readlink(f"/proc/{pid}/{name}")
        got.append(name)
    except OSError:
        pass
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(16, pid, None, None) == 0:  # PTRACE_ATTACH
    os.waitpid(pid, 0x40000000)
    libc.ptrace(17, pid, None, None)
    got.append("ptrace")
class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
space = ctypes.create_string_buffer(8)
ours, theirs = Piece(ctypes.addressof(space), 8), Piece(int(sys.argv[2]), 8)
if libc.process_vm_readv(pid, ctypes.byref(ours), 1, ctypes.byref(theirs), 1, 0) == 8:
    got.append("process_vm_readv")
print(json.dumps(got))
"""


def reaches(person: Person, pid: int) -> list[str]:
    """Which doors into the process stand open to its own user."""
    with open(f"/proc/{pid}/maps") as maps:  # we are root; only an address that is surely there
        address = next(int(line.split("-")[0], 16) for line in maps if " r" in line)
    with person.start([person.python, "-c", _TRY, str(pid), str(address)]) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    return list(json.loads(out))


def core_limit(pid: int) -> tuple[str, str]:
    """(soft, hard) as /proc prints it."""
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith("Max core file size"):
            soft, hard = line.split()[4:6]
            return soft, hard
    raise AssertionError("no such limit")


def soft_target(person: Person) -> subprocess.Popen[bytes]:
    """A process of hers that protects nothing, ready when this returns: what works on it is what can be tried."""
    process = person.start([person.python, "-c", "print('ready', flush=True); input()"])
    assert process.stdout is not None
    process.stdout.readline()
    return process
