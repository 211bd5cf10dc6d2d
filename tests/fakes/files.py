"""`MemoryFiles`: the Files port in memory, with every primitive step counted and breakable.

A step is one of `temp` (write a temporary file), `sync` (fsync a file), `batch` (one sync for many files), `rename`,
`folder` (fsync a folder), `grow` (write at the end), `unlink`, `mkdir`. Steps are numbered from 1 in `trace`.

    files = MemoryFiles()
    files.fail_at(3, errno.ENOSPC)              # the third step from now on raises DiskFull
    files.fail_when("sync", errno.EIO)          # the next fsync of a file raises StorageFault
    files.crash_at(5)                           # the process dies in step 5: CrashNow, and every later call too
    after = files.after_kill()                  # the next process finds what was written, synced or not
    after = files.after_power_cut(seed=7)       # ... or what a power cut left

A broken write leaves half of its bytes, as on a real disk. To try every step: run once whole, take `len(trace)`,
then run with `crash_at(n)` for each n (and `after_power_cut` for some seeds each).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from notevault.adapters.file_errors import irregular, translate
from notevault.errors import Busy, Damaged, NotFound, StorageFault
from tests.fakes.disk import Disk, Inode

TEMP_PREFIX = ".tmp-"


class CrashNow(BaseException):
    """The process dies here. Not an Exception, so that nothing of ours can catch it by mistake."""


@dataclass(frozen=True)
class Step:
    number: int
    kind: str
    path: Path


@dataclass
class _Fault:
    code: int | None  # None: crash
    kind: str | None = None
    at: int | None = None
    lasting: bool = False


class MemoryFiles:
    """Implements `ports.Files`. Several may share one `Disk` and one set of locks (`another_process`)."""

    def __init__(self, disk: Disk | None = None, locks: dict[Path, threading.Lock] | None = None) -> None:
        self.disk = disk or Disk()
        self.trace: list[Step] = []
        self.dead = False
        self._faults: list[_Fault] = []
        self._locks = {} if locks is None else locks
        self._held: list[threading.Lock] = []
        self._unsure: set[Path] = set()
        self._temps = 0

    # Breaking things

    def fail_at(self, step: int, code: int, *, lasting: bool = False) -> None:
        """Step number `step`, counted from now (1 is the next), fails with this errno; `lasting`: all after it too."""
        self._faults.append(_Fault(code, at=len(self.trace) + step, lasting=lasting))

    def fail_when(self, kind: str, code: int, *, lasting: bool = False) -> None:
        """The next step of this kind fails."""
        self._faults.append(_Fault(code, kind=kind, lasting=lasting))

    def crash_at(self, step: int) -> None:
        self._faults.append(_Fault(None, at=len(self.trace) + step))

    def mend(self) -> None:
        self._faults.clear()

    def after_kill(self) -> MemoryFiles:
        self._free()
        return MemoryFiles(self.disk.after_kill(), self._locks)

    def after_power_cut(self, seed: int) -> MemoryFiles:
        return MemoryFiles(self.disk.after_power_cut(seed))

    def another_process(self) -> MemoryFiles:
        return MemoryFiles(self.disk, self._locks)

    def copy(self) -> MemoryFiles:
        """A copy of the whole disk as it is now (an image to put back later)."""
        return MemoryFiles(self.disk.clone())

    # Looking and tampering from outside, without steps

    def raw(self, path: Path) -> bytes:
        return self.disk.live[path].live

    def put_raw(self, path: Path, data: bytes) -> None:
        self._folders_for(path)
        self.disk.live[path] = self.disk.durable[path] = Inode(data, data)

    def drop_raw(self, path: Path) -> None:
        self.disk.live.pop(path, None)
        self.disk.durable.pop(path, None)

    def put_irregular(self, path: Path) -> None:
        """A link or a device lies at this path."""
        self._folders_for(path)
        self.disk.live[path] = self.disk.durable[path] = Inode(b"", b"", irregular=True)

    def tree(self, under: Path | None = None) -> dict[Path, bytes]:
        """Every file seen now, temporary ones included."""
        return {p: i.live for p, i in sorted(self.disk.live.items()) if under is None or under in p.parents}

    # Reading

    def read(self, path: Path, *, limit: int) -> bytes:
        data = self._inode(path).live
        if len(data) > limit:
            raise Damaged(f"More than {limit} bytes lie in a file: more than it can have.")
        return data

    def read_range(self, path: Path, offset: int, length: int) -> bytes:
        return self._inode(path).live[offset : offset + max(0, length)]

    def stream(self, path: Path, *, chunk: int) -> Iterator[bytes]:
        data = self._inode(path).live
        for start in range(0, len(data), chunk):
            yield data[start : start + chunk]

    def size(self, path: Path) -> int | None:
        self._alive()
        if path not in self.disk.live and path not in self.disk.live_folders:
            self._no_file_above(path)
            return None
        return len(self._inode(path).live)

    def names(self, folder: Path) -> list[str]:
        self._alive()
        if folder in self.disk.live:
            raise irregular(folder)
        prefix = f"{str(folder).rstrip('/')}/"  # strings: comparing paths is slow, and a vault has 256 blob folders
        found = [str(p)[len(prefix) :] for p in (*self.disk.live, *self.disk.live_folders) if str(p).startswith(prefix)]
        return sorted(name for name in found if name and "/" not in name and not name.startswith(TEMP_PREFIX))

    # Writing

    def make_folder(self, folder: Path) -> None:
        self._alive()
        for each in (*reversed(folder.parents), folder):
            if each in self.disk.live:
                raise irregular(each)
            if each not in self.disk.live_folders:
                self._step("mkdir", each)
                self.disk.live_folders.add(each)
                self._sync_folder(each.parent)

    def create(self, path: Path, data: bytes | Iterable[bytes]) -> None:
        temp = self._write_temp(path, data, sync=True)
        placed = False
        try:
            placed = self._place(temp, path)
            self._sync_folder(path.parent)
        except Exception:
            self._discard([temp, path] if placed else [temp])
            raise

    def create_batch(self, items: Iterable[tuple[Path, bytes]]) -> None:
        temps: list[tuple[Path, Path]] = []
        placed: list[Path] = []
        try:
            for path, data in items:
                temps.append((self._write_temp(path, data, sync=False), path))
            if temps:
                self._sync([self.disk.live[temp] for temp, _ in temps], "batch", temps[0][1])
            for temp, path in temps:
                if self._place(temp, path):
                    placed.append(path)
            for folder in dict.fromkeys(path.parent for _, path in temps):
                self._sync_folder(folder)
        except Exception:
            self._discard([temp for temp, _ in temps] + placed)
            raise

    def replace(self, path: Path, data: bytes | Iterable[bytes]) -> None:
        if path in self.disk.live_folders:
            raise irregular(path)
        temp = self._write_temp(path, data, sync=True)
        try:
            self._step("rename", path)
        except Exception:
            self._discard([temp])
            raise
        self.disk.live[path] = self.disk.live.pop(temp)
        self._sync_folder(path.parent)
        self._unsure.discard(path)

    def append(self, path: Path, data: bytes, *, at: int) -> None:
        self._alive()
        if path in self._unsure:
            raise StorageFault("An earlier write failed on the disk, so nothing more is added to that file.")
        if at == 0 and path not in self.disk.live:
            self._need_folder(path)
            self.disk.live[path] = Inode()
        inode = self._inode(path)
        if len(inode.live) != at:
            raise Damaged(f"Expected {at} bytes in a file, found {len(inode.live)}.")
        try:
            self._grow(inode, data, path)
            self._sync([inode], "sync", path)
            if at == 0:
                self._sync_folder(path.parent)
        except Exception:
            self._unsure.add(path)
            raise

    def move(self, source: Path, target: Path) -> None:
        self._alive()
        self._need_folder(target)
        if source in self.disk.live_folders:
            self._move_folder(source, target)
            return
        if source not in self.disk.live:
            raise NotFound("Looked for a file of notevault, and it is not there.", "")
        if target in self.disk.live or target in self.disk.live_folders:
            raise Damaged("Cannot set a file aside: its new place is taken.")
        self._step("rename", target)
        inode = self.disk.live.pop(source)
        self.disk.live[target] = inode
        self.disk.moved.append((source, target, inode))
        self._sync_folder(target.parent)
        if source.parent != target.parent:
            self._sync_folder(source.parent)
        self.disk.moved.remove((source, target, inode))
        self._unsure.discard(source)

    def remove(self, path: Path) -> None:
        self._alive()
        if path in self.disk.live_folders:
            raise irregular(path)
        if path in self.disk.live:
            self._step("unlink", path)
            del self.disk.live[path]
        if path.parent in self.disk.live_folders:
            self._sync_folder(path.parent)
        self._unsure.discard(path)

    def sweep_temp(self, folder: Path, *, now_ms: int) -> int:
        """Every temporary file counts as old here."""
        old = [p for p in self.disk.live if p.parent == folder and p.name.startswith(TEMP_PREFIX)]
        self._discard(old)
        return len(old)

    @contextmanager
    def lock(self, path: Path, *, wait_s: float) -> Iterator[None]:
        self._alive()
        self._need_folder(path)
        gate = self._locks.setdefault(path, threading.Lock())
        if not gate.acquire(timeout=max(0.0, wait_s)):
            raise Busy("Another notevault is using this vault right now.")
        self._held.append(gate)
        self.disk.live.setdefault(path, Inode())
        try:
            yield
        finally:
            if gate in self._held:
                self._held.remove(gate)
                gate.release()

    # Steps

    def _alive(self) -> None:
        if self.dead:
            raise CrashNow

    def _step(self, kind: str, path: Path) -> None:
        """Count the step; raise when it is to fail. The caller has not yet done it."""
        self._alive()
        self.trace.append(Step(len(self.trace) + 1, kind, path))
        for fault in self._faults:
            reached = fault.at is not None and (
                len(self.trace) == fault.at or (fault.lasting and len(self.trace) > fault.at)
            )
            if not reached and fault.kind != kind:
                continue
            if fault.code is None:
                self.dead = True
                self._free()
                raise CrashNow(f"step {len(self.trace)}: {kind}")
            if not fault.lasting:
                self._faults.remove(fault)
            raise translate(OSError(fault.code, "broken on purpose"), path)

    def _free(self) -> None:
        """The system frees the locks of a dead process."""
        for gate in self._held:
            gate.release()
        self._held.clear()

    def _write_temp(self, path: Path, data: bytes | Iterable[bytes], *, sync: bool) -> Path:
        self._alive()
        self._need_folder(path)
        self._temps += 1
        temp = path.parent / f"{TEMP_PREFIX}{id(self):016x}{self._temps:016x}"
        inode = self.disk.live[temp] = Inode()
        try:
            for piece in (data,) if isinstance(data, bytes) else data:
                self._grow(inode, piece, temp, kind="temp")
            if sync:
                self._sync([inode], "sync", path)
        except Exception:
            self._discard([temp])
            raise
        return temp

    def _grow(self, inode: Inode, data: bytes, path: Path, kind: str = "grow") -> None:
        try:
            self._step(kind, path)
        except BaseException:
            if self.dead or kind == "grow":
                inode.live += data[: len(data) // 2]
            raise
        inode.live += data

    def _sync(self, inodes: list[Inode], kind: str, path: Path) -> None:
        try:
            self._step(kind, path)
        except Exception:
            for inode in inodes:
                inode.failed_sync()
            raise
        for inode in inodes:
            inode.sync()

    def _sync_folder(self, folder: Path) -> None:
        self._step("folder", folder)
        self.disk.sync_folder(folder)

    def _place(self, temp: Path, path: Path) -> bool:
        if path not in self.disk.live and path not in self.disk.live_folders:
            self._step("rename", path)
            self.disk.live[path] = self.disk.live.pop(temp)
            self._unsure.discard(path)
            return True
        old = self._inode(path)
        if old.live != self.disk.live[temp].live:
            raise Damaged("Other bytes than the expected ones already lie in a file.")
        self._sync([old], "sync", path)
        self._discard([temp])
        return False

    def _move_folder(self, source: Path, target: Path) -> None:
        """One step; a power cut leaves a moved folder in its new place (a fake need not be harsh everywhere)."""
        if target in self.disk.live or target in self.disk.live_folders:
            raise Damaged("Cannot set a file aside: its new place is taken.")
        self._step("rename", target)
        for table in (self.disk.live, self.disk.durable):
            for path in [p for p in table if source in p.parents]:
                table[target / path.relative_to(source)] = table.pop(path)
        for folders in (self.disk.live_folders, self.disk.durable_folders):
            for path in [p for p in folders if p == source or source in p.parents]:
                folders.discard(path)
                folders.add(target / path.relative_to(source))
        self._sync_folder(target.parent)
        self._sync_folder(source.parent)

    # Helpers

    def _discard(self, paths: list[Path]) -> None:
        for path in paths:
            self.disk.live.pop(path, None)

    def _inode(self, path: Path) -> Inode:
        self._alive()
        if path in self.disk.live_folders:
            raise irregular(path)
        if path not in self.disk.live:
            self._no_file_above(path)
            raise NotFound("Looked for a file of notevault, and it is not there.", "")
        inode = self.disk.live[path]
        if inode.irregular:
            raise irregular(path)
        return inode

    def _no_file_above(self, path: Path) -> None:
        for above in path.parents:
            if above in self.disk.live:
                raise irregular(above)

    def _need_folder(self, path: Path) -> None:
        if path.parent not in self.disk.live_folders:
            self._no_file_above(path)
            raise NotFound("Looked for a folder of notevault, and it is not there.", "")

    def _folders_for(self, path: Path) -> None:
        self.disk.live_folders.update(path.parents)
        self.disk.durable_folders.update(path.parents)
