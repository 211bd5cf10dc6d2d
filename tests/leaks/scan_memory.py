"""Looks into the memory of other people's processes: all that is readable of /proc/<pid>/mem. Needs root.

Processes of notevault are not dumpable, so nobody else can do this; that is also why their /proc entries belong to
root, and whose they are is read from the status file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.leaks.canary import Needle
from tests.leaks.scan_files import without_zeros

PIECE = 16 << 20
OVERLAP = 4096
_NO_MEMORY = ("[vvar", "[vsyscall]")  # the kernel's own pages


@dataclass(frozen=True)
class Hit:
    pid: int
    what: str
    how: str
    where: str

    def __str__(self) -> str:
        return f"process {self.pid}: {self.what!r} as {self.how} in {self.where}"


def owner(pid: int) -> int | None:
    """The real user id, from the status file: the folder of a process that is not dumpable belongs to root."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("Uid:"):
                return int(line.split()[1])
    return None


def parent_of(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def is_running(pid: int) -> bool:
    """Alive, and not a zombie, which has no memory any more."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


def pids() -> list[int]:
    return [int(each) for each in os.listdir("/proc") if each.isdecimal()]


def processes_of(uid: int, roots: Iterable[int] = ()) -> list[int]:
    """Every running process of that user, and every descendant of `roots`, whoever owns it."""
    everybody = pids()
    found = {pid for pid in everybody if owner(pid) == uid}
    family = set(roots)
    parents = {pid: parent_of(pid) for pid in everybody}
    grown = True
    while grown:
        more = {pid for pid, above in parents.items() if above in family} - family
        family |= more
        grown = bool(more)
    return sorted(pid for pid in found | family if is_running(pid))


def command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return ""


def scan(pid: int, needles: Iterable[Needle]) -> list[Hit]:
    """Every needle found, once per mapping. Raises OSError when the process cannot be read at all."""
    wanted = list(needles)
    hits: dict[tuple[str, str, str], Hit] = {}
    seen = 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps.read().splitlines():
            span, mode, *rest = line.split(None, 5)
            name = rest[3] if len(rest) > 3 else "memory without a name"
            if "r" not in mode or name.startswith(_NO_MEMORY):
                continue
            if name.startswith("/") and "w" not in mode:
                continue  # a program's own file, which nobody can have written to
            start, end = (int(each, 16) for each in span.split("-"))
            for piece in _pieces(memory.fileno(), start, end):
                seen += len(piece)
                low = piece.lower()
                for each in wanted:
                    if each.data in (low if each.folded else piece):
                        hits.setdefault((each.what, each.how, name), Hit(pid, each.what, each.how, name))
    if not seen and is_running(pid):
        raise OSError(f"nothing of process {pid} could be read")
    return list(hits.values())


def _pieces(fd: int, start: int, end: int) -> Iterable[bytes]:
    at, tail = start, b""
    while at < end:
        try:
            data = os.pread(fd, min(PIECE, end - at), at)
        except OSError:  # unmapped meanwhile, or pages of a device
            return
        if not data:
            return
        yield tail + without_zeros(data)
        tail = data[-OVERLAP:]
        at += len(data)


def scan_all(processes: Iterable[int], needles: Iterable[Needle]) -> list[Hit]:
    """Of several; one that ended meanwhile has no memory left."""
    wanted = list(needles)
    hits: list[Hit] = []
    for pid in processes:
        try:
            hits += scan(pid, wanted)
        except OSError:
            if is_running(pid):
                raise
    return hits


class Watch:
    """Reads command line and environment of every process of a user, again and again, while a day goes by.

    What lives for less than `pause_s` may be missed; a start of Python takes ten times that.
    """

    def __init__(self, uid: int, needles: Iterable[Needle], pause_s: float = 0.005) -> None:
        self.hits: list[Hit] = []
        self.seen: dict[int, str] = {}
        self._uid, self._needles, self._pause = uid, list(needles), pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.fault: BaseException | None = None

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self.fault:
            raise self.fault

    def _run(self) -> None:
        try:
            strangers: set[int] = set()
            known: dict[tuple[int, str], bytes] = {}
            while not self._stop.wait(self._pause):
                here = set(pids())
                strangers &= here
                for pid in here - strangers:
                    uid = owner(pid)
                    if uid == self._uid:
                        self._look(pid, known)
                    elif uid is not None and parent_of(pid) != os.getpid():  # ours become the user's at their start
                        strangers.add(pid)
        except BaseException as fault:  # noqa: BLE001  told in the test's own thread
            self.fault = fault

    def _look(self, pid: int, known: dict[tuple[int, str], bytes]) -> None:
        for name in ("cmdline", "environ"):
            data = b""
            with suppress(OSError):
                data = Path(f"/proc/{pid}/{name}").read_bytes()
            if name == "cmdline" and data:
                self.seen[pid] = data.replace(b"\0", b" ").decode("utf-8", "replace").strip()
            if known.get((pid, name)) == data:
                continue
            known[pid, name] = data
            low = data.lower()
            self.hits += [
                Hit(pid, each.what, each.how, name)
                for each in self._needles
                if each.data in (low if each.folded else data)
            ]


def wait_for(what: Callable[[], object], seconds: float = 60.0) -> bool:
    """Asks twenty times a second; whether it came true."""
    pause = threading.Event()
    for _ in range(int(seconds * 20)):
        if what():
            return True
        pause.wait(0.05)
    return bool(what())
