"""Blobs: sealed, immutable files named by the SHA-256 of their own bytes (FORMAT.md section 1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from notevault.errors import Damaged, Missing, NotFound
from notevault.formats.ids import Digest, is_digest
from notevault.ports import Files
from notevault.storage.layout import VaultPaths
from notevault.storage.local import LocalState

_PIECE = 1 << 20


class BlobStore:
    """Whatever `put` returned is durable and is never changed or removed; `set_aside` is for what no entry names."""

    def __init__(self, files: Files, paths: VaultPaths) -> None:
        self._files = files
        self._paths = paths

    def put(self, data: bytes) -> Digest:
        """Durable when it returns. Raises DiskFull, CannotWrite, StorageFault; Damaged when its name is taken."""
        digest = _digest_of(data)
        self._files.create(self._paths.blob(digest), data)
        return digest

    def put_many(self, items: Iterable[bytes]) -> list[Digest]:
        """`put` for many with as few syncs as possible; all durable when it returns, or an error and none counts."""
        unlike: dict[Digest, None] = {}
        digests: list[Digest] = []

        def pairs() -> Iterator[tuple[Path, bytes]]:
            for data in items:
                digest = _digest_of(data)
                digests.append(digest)
                if digest not in unlike:
                    unlike[digest] = None
                    yield self._paths.blob(digest), data

        self._files.create_batch(pairs())
        return digests

    def get(self, digest: str, *, limit: int) -> bytes:
        """The bytes, hashed again. Raises NotFound when it is missing, Damaged when altered or above `limit` bytes."""
        try:
            data = self._files.read(self._path(digest), limit=limit)
        except NotFound:
            raise _missing(digest) from None
        if _digest_of(data) != digest:
            raise _changed(digest)
        return data

    def check(self, digest: str) -> int:
        """Hash a blob of any size in pieces; returns its size. Raises NotFound or Damaged."""
        found, size = hashlib.sha256(), 0
        try:
            for piece in self._files.stream(self._path(digest), chunk=_PIECE):
                found.update(piece)
                size += len(piece)
        except NotFound:
            raise _missing(digest) from None
        if found.hexdigest() != digest:
            raise _changed(digest)
        return size

    def digests(self) -> Iterator[Digest]:
        """The names of all blobs there are, in order. What is not named like one is passed over."""
        for first in range(256):
            for name in self._files.names(self._paths.blob_folder(first)):
                if is_digest(name) and name.startswith(f"{first:02x}"):
                    yield Digest(name)

    def strangers(self) -> Iterator[Path]:
        """What lies among the blobs but is not named like one: conflict copies of cloud folders, things put there."""
        folders = {f"{first:02x}" for first in range(256)}
        for name in self._files.names(self._paths.blobs):
            if name not in folders:
                yield self._paths.blobs / name
        for folder in sorted(folders):
            for name in self._files.names(self._paths.blobs / folder):
                if not (is_digest(name) and name.startswith(folder)):
                    yield self._paths.blobs / folder / name

    def size(self, digest: str) -> int:
        """Bytes of the file, not hashed. Raises NotFound, Damaged for anything irregular."""
        size = self._files.size(self._path(digest))
        if size is None:
            raise _missing(digest)
        return size

    def set_aside(self, digest: str, local: LocalState, *, wall_ms: int | None = None) -> Path:
        """Move a blob that no committed entry names out of the vault, kept byte for byte. Raises NotFound, Damaged."""
        return local.set_aside_file(self._path(digest), wall_ms=wall_ms)

    def _path(self, digest: str) -> Path:
        return self._paths.blob(digest)


def _digest_of(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


def _changed(digest: str) -> Damaged:
    return Damaged(f"BLOB CHANGED: the saved file {digest[:16]}… is not what was saved.")


def _missing(digest: str) -> Missing:
    return Missing(f"BLOB MISSING: the saved file {digest[:16]}… is not in the vault folder.")
