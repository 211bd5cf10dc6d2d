"""What the storage tests share: a vault on some Files, a log signed by a stand-in key, and honest expectations.

The signature is a keyed hash: storage never checks one itself, it calls what it is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from notevault.auditlog import checkpoint, merkle
from notevault.auditlog.fault import Fault
from notevault.errors import LogDamaged
from notevault.ports import Files
from notevault.storage.blobs import BlobStore
from notevault.storage.headers import HeaderStore
from notevault.storage.layout import LocalPaths, VaultPaths, create_folders
from notevault.storage.local import LocalState
from notevault.storage.logfile import LogFile, Tail

ORIGIN = "0a" * 16
OTHER = "0b" * 16
VAULT = Path("/v")
LOCAL = Path("/l")


def _stand_in(pub: bytes) -> Callable[[bytes], bytes]:
    return lambda text: hashlib.sha512(pub + text).digest()


IDENTITY, EPOCH = b"i" * 32, b"e" * 32


def sign(size: int, root: bytes, origin: str = ORIGIN) -> bytes:
    return checkpoint.make(origin, size, root, 0, _stand_in(IDENTITY), _stand_in(EPOCH), IDENTITY, EPOCH)


def _holds(pub: bytes, text: bytes, signature: bytes) -> bool:
    return _stand_in(pub)(text) == signature


class _Believe:
    """With the stand-in keys above; the entries of these tests bring no further ones."""

    def identity(self, data: bytes) -> checkpoint.Checkpoint:
        found = checkpoint.parse(data)
        fault = found if isinstance(found, Fault) else checkpoint.check_identity(found, IDENTITY, _holds)
        if fault is not None:
            raise LogDamaged(f"The log's signed state does not hold: {fault.sentence}")
        assert isinstance(found, checkpoint.Checkpoint)
        return found

    def epoch(self, signed: checkpoint.Checkpoint, key: bytes | None) -> None:
        fault = checkpoint.check_epoch(signed, {signed.epoch: key or EPOCH}, _holds)
        if fault is not None:
            raise LogDamaged(f"The log's signed state does not hold: {fault.sentence}")


believe = _Believe()


def builder(text: str) -> Callable[[int, bytes], bytes]:
    """An entry that tells its place, so that a misplaced one shows."""
    return lambda i, p: f"{i} {p.hex()} {text}".encode()


def builders(*texts: str) -> list[Callable[[int, bytes], bytes]]:
    return [builder(text) for text in texts]


def many(count: int, word: str = "n") -> list[Callable[[int, bytes], bytes]]:
    return [builder(f"{word}{n}") for n in range(count)]


def text_of(entry: bytes) -> str:
    return entry.decode().split(" ", 2)[2]


def check_chain(entries: Sequence[bytes], start: int = 0) -> None:
    """Every entry stands at its index and cites the one before."""
    previous: str | None = "0" * 32 if start == 0 else None
    for i, data in enumerate(entries, start):
        index, cited, _ = data.decode().split(" ", 2)
        assert int(index) == i
        assert previous is None or cited == previous
        previous = merkle.leaf_hash(data)[:16].hex()


def root_of(entries: Sequence[bytes]) -> bytes:
    return merkle.root([merkle.leaf_hash(each) for each in entries])


@dataclass
class Room:
    """One process's view of a vault."""

    files: Files
    root: Path = VAULT
    local_root: Path = LOCAL
    origin: str = ORIGIN
    tail: Tail = field(default_factory=Tail.empty)

    def __post_init__(self) -> None:
        self.paths = VaultPaths(self.root)
        self.local_paths = LocalPaths(self.local_root)
        self.local = LocalState(self.files, self.local_root)
        self.blobs = BlobStore(self.files, self.paths)
        self.headers = HeaderStore(self.files, self.paths)
        self.log = LogFile(self.files, self.paths, self.local, self.origin)

    def found(self) -> Room:
        """A new vault with an empty log."""
        create_folders(self.files, self.paths)
        self.local.create_folders()
        self.tail = self.log.begin(believe)
        return self

    def opened(self) -> Room:
        """As at unlock: load, then settle."""
        self.tail = self.log.load(believe)
        self.log.settle(self.tail)
        return self

    def fresh(self) -> None:
        """As the recorder does before each commit, under the writer lock."""
        if self.log.dirty:
            self.log.settle(self.tail)
        self.tail = self.log.reload_if_moved(self.tail) or self.tail

    def say(self, *texts: str) -> Tail:
        return self.commit(builders(*texts))

    def commit(self, entries: list[Callable[[int, bytes], bytes]]) -> Tail:
        self.fresh()
        self.tail = self.log.commit(self.tail, entries, lambda size, root: sign(size, root, self.origin))
        return self.tail

    def entries(self) -> list[bytes]:
        found = list(self.log.entries(0, self.tail.size))
        check_chain(found)
        assert root_of(found) == self.tail.root
        return found

    def texts(self) -> list[str]:
        return [text_of(each) for each in self.entries()]
