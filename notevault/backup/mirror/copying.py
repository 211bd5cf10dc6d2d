"""Sealed files from the vault to a place, in batches. Every byte is hashed when it is read; what does not hash to its
name is not copied and is told of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from notevault.backup.places import hashing
from notevault.backup.places import layout as place
from notevault.backup.source.cache import NamedKeyFile
from notevault.errors import Damaged, NotevaultError, NotFound
from notevault.ports import Tree, WriteOnce

BATCH_FILES = (256, 8192)
"""The first batch and the largest: each costs two syncs, and one that is cut off is lost."""
BATCH_BYTES = 64 << 20
_HEADER_LIMIT = 4 << 20

Progress = Callable[[int, int, int], None]
"""(bytes done, bytes in all, files done)"""


@dataclass
class Copying:
    vault: Tree
    tree: WriteOnce
    read_back: bool
    stop: Callable[[], bool]
    progress: Progress | None
    total: int  # bytes, for `progress`
    files: int = 0  # that are at the place now and were not before
    weight: int = 0  # bytes of them
    bad: dict[str, str] = field(default_factory=dict)  # digest -> why it was not copied

    def blobs(self, todo: list[tuple[str, int]], enough: Callable[[], bool]) -> bool:
        """False when it was told to stop, or when so much was bad that `enough` says so. Raises as `WriteOnce`."""
        most, at = BATCH_FILES[0], 0
        while at < len(todo):
            if self.stop() or enough():
                return False
            batch, at = self._next(todo, at, most)
            if batch:
                self.tree.add_batch(self._read(batch), read_back=self.read_back)
                most = min(2 * most, BATCH_FILES[1])
            else:
                self._stream(*todo[at])
                at += 1
            self._tell()
        return not enough()

    def headers(self, todo: list[NamedKeyFile]) -> dict[NamedKeyFile, str]:
        """Key files; given back is which were not copied and why, as in `bad`."""
        wrong: dict[NamedKeyFile, str] = {}

        def read() -> Iterator[tuple[str, bytes]]:
            for one in todo:
                path = place.header(one.origin, one.seq, one.digest)
                try:
                    data = self.vault.read(path, limit=_HEADER_LIMIT)
                except NotevaultError as fault:
                    wrong[one] = _why(fault)
                    continue
                if hashlib.sha256(data).hexdigest() == one.digest:
                    yield path, data
                else:
                    wrong[one] = hashing.CHANGED

        self.tree.add_batch(read(), read_back=self.read_back)
        return wrong

    def _next(self, todo: list[tuple[str, int]], at: int, most: int) -> tuple[list[tuple[str, int]], int]:
        """The next batch and where it ends; an empty one where a large file comes first."""
        batch: list[tuple[str, int]] = []
        weight = 0
        while at < len(todo) and len(batch) < most and weight < BATCH_BYTES and todo[at][1] <= hashing.WHOLE:
            batch.append(todo[at])
            weight += todo[at][1]
            at += 1
        return batch, at

    def _read(self, batch: list[tuple[str, int]]) -> Iterator[tuple[str, bytes]]:
        """The place takes one after the other. A fault of the vault is told of; it never ends the batch."""
        read, sha256, whole = self.vault.read, hashlib.sha256, hashing.WHOLE
        files = size_all = 0
        for digest, size in batch:
            path = f"blobs/{digest[:2]}/{digest}"
            try:
                data = read(path, limit=whole)
            except NotevaultError as fault:
                self._bad(digest, fault)
                continue
            if len(data) != size or sha256(data).hexdigest() != digest:
                self.bad[digest] = hashing.CHANGED
                continue
            files += 1
            size_all += size
            yield path, data
        self.files += files
        self.weight += size_all

    def _stream(self, digest: str, size: int) -> None:
        path = place.blob(digest)
        try:
            if (there := self.vault.size(path)) is None:
                raise NotFound("A file is not there.", "")
        except NotevaultError as fault:
            self._bad(digest, fault)
            return
        if there != size:
            self.bad[digest] = hashing.CHANGED
            return
        try:
            self.tree.add_stream(path, self._pieces(path, digest), sha256=digest, read_back=self.read_back)
        except Damaged:
            if digest not in self.bad and self.tree.size(path) is not None:
                raise  # other bytes lie under that name at the place
            self.bad.setdefault(digest, hashing.CHANGED)
        else:
            self.files += 1
            self.weight += size

    def _pieces(self, path: str, digest: str) -> Iterator[bytes]:
        """The vault's faults become bytes that do not hash, so that they are not taken for the place's."""
        done = 0
        try:
            for piece in hashing.pieces(self.vault, path):
                yield piece
                done += len(piece)
                self._tell(done)
        except NotevaultError as fault:
            self._bad(digest, fault)

    def _bad(self, digest: str, fault: NotevaultError) -> None:
        self.bad[digest] = _why(fault)

    def _tell(self, more: int = 0) -> None:
        if self.progress is not None:
            self.progress(self.weight + more, self.total, self.files)


def _why(fault: NotevaultError) -> str:
    return hashing.MISSING if isinstance(fault, NotFound) else hashing.UNREADABLE
