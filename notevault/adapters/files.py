"""`DiskFiles`: the Files port on a real disk. What differs between systems is in `files_posix` and `files_windows`.

Each durable write is: temporary file `.tmp-<32 hex>` in the same folder, fsync, rename, fsync of the folder. After a
failed fsync the kernel may have dropped the data and call the next fsync a success, so nothing is tried again in
place: the temporary file goes, and a file whose appending failed takes no more until it has been replaced.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.file_errors import called, irregular, plain_errors
from notevault.adapters.file_locks import FileLocks
from notevault.adapters.file_platform import Platform, this_platform
from notevault.errors import Damaged, StorageFault
from notevault.ports import Entropy

TEMP_PREFIX = ".tmp-"
_TEMP_NAME = re.compile(r"\.tmp-[0-9a-f]{32}")
_STALE_MS = 24 * 3600 * 1000
_PIECE = 1 << 20


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class DiskFiles:
    """Implements `ports.Files`; see there for what each method promises."""

    def __init__(self, entropy: Entropy | None = None, platform: Platform | None = None) -> None:
        self._entropy = entropy or SystemEntropy()
        self._os = platform or this_platform()
        self._unsure: set[Path] = set()  # appended to, and the fsync failed: what is on the disk is unknown
        self._locks = FileLocks(self._os)

    # Reading

    def read(self, path: Path, *, limit: int) -> bytes:
        with plain_errors(path), self._reading(path) as fd:
            if os.fstat(fd).st_size > limit:
                raise self._too_large(path, limit)
            pieces, total = [], 0
            while piece := os.read(fd, min(_PIECE, limit + 1 - total)):
                pieces.append(piece)
                total += len(piece)
                if total > limit:
                    raise self._too_large(path, limit)
            return b"".join(pieces)

    def read_range(self, path: Path, offset: int, length: int) -> bytes:
        with plain_errors(path), self._reading(path) as fd:
            os.lseek(fd, offset, os.SEEK_SET)
            pieces = []
            while length > 0 and (piece := os.read(fd, min(_PIECE, length))):
                pieces.append(piece)
                length -= len(piece)
            return b"".join(pieces)

    def stream(self, path: Path, *, chunk: int) -> Iterator[bytes]:
        with plain_errors(path), self._reading(path) as fd:
            rest = b""
            while piece := os.read(fd, chunk - len(rest)):
                rest += piece
                if len(rest) == chunk:
                    yield rest
                    rest = b""
            if rest:
                yield rest

    def size(self, path: Path) -> int | None:
        with plain_errors(path):
            try:
                seen = path.lstat()
            except FileNotFoundError:
                return None
        if not stat.S_ISREG(seen.st_mode):
            raise irregular(path)
        return seen.st_size

    def names(self, folder: Path) -> list[str]:
        with plain_errors(folder):
            try:
                return sorted(p.name for p in folder.iterdir() if not p.name.startswith(TEMP_PREFIX))
            except FileNotFoundError:
                return []

    # Writing

    def make_folder(self, folder: Path) -> None:
        missing = []
        with plain_errors(folder):
            while not folder.is_dir():
                if os.path.lexists(folder):
                    raise irregular(folder)
                missing.append(folder)
                folder = folder.parent
            for each in reversed(missing):
                with contextlib.suppress(FileExistsError):  # another process was faster
                    self._os.make_folder(each)
                self._os.sync_folder(each.parent)

    def create(self, path: Path, data: bytes | Iterable[bytes]) -> None:
        with plain_errors(path):
            temp = self._write_temp(path.parent, data, sync=True)
            placed = False
            try:
                placed = self._place_or_compare(temp, path)
                self._os.sync_folder(path.parent)
            except BaseException:
                self._discard([temp, path] if placed else [temp])
                raise
            self._unsure.discard(path)

    def create_batch(self, items: Iterable[tuple[Path, bytes]]) -> None:
        """On Linux one sync per file system stands for the fsync of every file; elsewhere each is synced by itself."""
        handles: dict[int, int] = {}  # device number -> handle for its sync
        temps: list[tuple[Path, Path]] = []
        placed: list[Path] = []
        path = Path()
        try:
            for path, data in items:
                with plain_errors(path):
                    batched = self._join_batch(path.parent, handles)
                    temps.append((self._write_temp(path.parent, data, sync=not batched), path))
            with plain_errors(path):
                for handle in handles.values():
                    self._os.sync_batch(handle)
            for temp, path in temps:
                with plain_errors(path):
                    if self._place_or_compare(temp, path):
                        placed.append(path)
            for folder in dict.fromkeys(target.parent for _, target in temps):
                with plain_errors(folder):
                    self._os.sync_folder(folder)
        except BaseException:
            self._discard([temp for temp, _ in temps] + placed)
            raise
        finally:
            for handle in handles.values():
                os.close(handle)
        self._unsure.difference_update(placed)

    def replace(self, path: Path, data: bytes | Iterable[bytes]) -> None:
        with plain_errors(path):
            temp = self._write_temp(path.parent, data, sync=True)
            try:
                self._os.replace(temp, path)
            except BaseException:
                self._discard([temp])
                raise
            self._os.sync_folder(path.parent)
            self._unsure.discard(path)

    def append(self, path: Path, data: bytes, *, at: int) -> None:
        if path in self._unsure:
            raise StorageFault("An earlier write failed on the disk, so nothing more is added to that file.")
        with plain_errors(path):
            fd, new = self._open_append(path, at)
            try:
                if os.fstat(fd).st_size != at:
                    raise Damaged(f"Expected {at} bytes in {called(path)}, found {os.fstat(fd).st_size}.")
                try:
                    os.lseek(fd, at, os.SEEK_SET)
                    _write_all(fd, data)
                    self._os.sync_file(fd)
                    if new:
                        self._os.sync_folder(path.parent)
                except BaseException:
                    self._unsure.add(path)
                    raise
            finally:
                os.close(fd)

    def move(self, source: Path, target: Path) -> None:
        """The target's folder is synced first: a power cut in between leaves two names rather than none."""
        with plain_errors(source):
            try:
                self._os.place(source, target)
            except FileExistsError:
                raise Damaged(f"Cannot set {called(source)} aside: its new place is taken.") from None
            self._os.sync_folder(target.parent)
            if source.parent != target.parent:
                self._os.sync_folder(source.parent)
        self._unsure.discard(source)

    def remove(self, path: Path) -> None:
        """An absent file still costs the folder's sync: an earlier removal may not have been durable yet."""
        with plain_errors(path):
            with contextlib.suppress(FileNotFoundError):
                if not self._is_plain(path):
                    raise irregular(path)
                path.unlink()
            with contextlib.suppress(FileNotFoundError):
                self._os.sync_folder(path.parent)
        self._unsure.discard(path)

    def sweep_temp(self, folder: Path, *, now_ms: int) -> int:
        """Remove our own temporary files older than 24 hours, left by a crash. Returns how many."""
        swept = 0
        with plain_errors(folder):
            try:
                found = [p for p in folder.iterdir() if _TEMP_NAME.fullmatch(p.name)]
            except FileNotFoundError:
                return 0
            for path in found:
                with contextlib.suppress(FileNotFoundError):
                    seen = path.lstat()
                    if stat.S_ISREG(seen.st_mode) and now_ms - seen.st_mtime_ns // 1_000_000 > _STALE_MS:
                        path.unlink()
                        swept += 1
        return swept

    @contextmanager
    def lock(self, path: Path, *, wait_s: float) -> Iterator[None]:
        with self._locks.hold(path, wait_s):
            yield

    # Helpers

    @staticmethod
    def _too_large(path: Path, limit: int) -> Damaged:
        return Damaged(f"More than {limit} bytes lie in {called(path)}: more than it can have.")

    @contextmanager
    def _reading(self, path: Path) -> Iterator[int]:
        fd = self._os.open_read(path)
        try:
            yield fd
        finally:
            os.close(fd)

    @staticmethod
    def _is_plain(path: Path) -> bool:
        mode = path.lstat().st_mode
        return stat.S_ISREG(mode) or stat.S_ISLNK(mode)  # unlink takes the link itself, never its target

    def _write_temp(self, folder: Path, data: bytes | Iterable[bytes], *, sync: bool) -> Path:
        temp = folder / f"{TEMP_PREFIX}{self._entropy.draw(16).hex()}"
        fd = self._os.open_new(temp)
        try:
            try:
                for piece in (data,) if isinstance(data, bytes) else data:
                    _write_all(fd, piece)
                if sync:
                    self._os.sync_file(fd)
            finally:
                os.close(fd)
        except BaseException:
            self._discard([temp])
            raise
        return temp

    def _join_batch(self, folder: Path, handles: dict[int, int]) -> bool:
        device = folder.stat().st_dev
        if device not in handles:
            handle = self._os.open_batch(folder)
            if handle is None:
                return False
            handles[device] = handle
        return True

    def _place_or_compare(self, temp: Path, path: Path) -> bool:
        """True when `path` is new. An equal file is kept, made durable (its writer may have died before), False."""
        try:
            self._os.place(temp, path)
        except FileExistsError:
            with self._reading(path) as old:
                same = os.fstat(old).st_size == temp.lstat().st_size and all(
                    a == b for a, b in zip(self._pieces(old), self.stream(temp, chunk=_PIECE), strict=True)
                )
            if not same:
                raise Damaged(f"Other bytes than the expected ones already lie in {called(path)}.") from None
            fd = self._os.open_write(path)
            try:
                self._os.sync_file(fd)
            finally:
                os.close(fd)
            temp.unlink()
            return False
        return True

    @staticmethod
    def _pieces(fd: int) -> Iterator[bytes]:
        with open(fd, "rb", closefd=False) as handle:
            while piece := handle.read(_PIECE):
                yield piece

    def _open_append(self, path: Path, at: int) -> tuple[int, bool]:
        if at:
            return self._os.open_write(path), False
        try:
            return self._os.open_new(path), True
        except FileExistsError:
            return self._os.open_write(path), True  # its making may not have been durable

    @staticmethod
    def _discard(paths: Iterable[Path]) -> None:
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()
