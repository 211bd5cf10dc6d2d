"""Files of this device alone for one vault (FORMAT.md section 9): all sealed, or free of anything about a client.

None of them is the truth about a note: losing the folder loses unsaved drafts and the memory of the last head, no more.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from notevault.errors import Damaged, NotevaultError, NotFound, OwnFault
from notevault.formats import text
from notevault.ports import Files
from notevault.storage.layout import LocalPaths, is_object_name, make_lasting_folder, object_name

OBJECT_LIMIT = 72 << 20
"""Bytes. The largest single-shot object is 64 MiB, its padding at most 1/8 more."""
SMALL_LIMIT = 4096
PLACE_LIMIT = 65_536
"""Bytes of a path; no system has longer ones."""
KEPT_FAILS = 1000
_WHY = re.compile(r"[a-z-]{1,32}")
_KEPT = re.compile(r"([0-9]{1,15}) ([a-z-]{1,32})")
STORES = ("keyring", "file")
_FAILS = re.compile(r"([0-9]{1,9}) ([0-9]{1,9})\n")
_PIECE = 1 << 20


@dataclass(frozen=True)
class DeviceFile:
    """Which installation this is. `vault` and `device` are 16 bytes, `user` 8; `store` is where its secrets are."""

    vault: bytes
    device: bytes
    user: bytes
    store: str

    def encode(self) -> bytes:
        fields = {"device": self.device.hex(), "store": self.store, "user": self.user.hex(), "v": 1}
        return text.canonical({**fields, "vault": self.vault.hex()}) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> DeviceFile:
        """Raises Damaged for anything but the exact form."""
        found = text.parse_canonical(data, limit=SMALL_LIMIT, newline=True)
        text.exact_keys(found, frozenset({"device", "store", "user", "v", "vault"}))
        text.integer(found["v"], 1, 1)
        if found["store"] not in STORES:
            raise Damaged("The file that names this laptop's key store names one that is not known.")
        return cls(
            text.unhex(found["vault"], 16),
            text.unhex(found["device"], 16),
            text.unhex(found["user"], 8),
            found["store"],
        )


@dataclass(frozen=True)
class HeadFile:
    """The last signed state of the log that this device saw: `size`, `root` (32 bytes), `seq` of the header."""

    vault: bytes
    origin: str
    size: int
    root: bytes
    seq: int

    def encode(self) -> bytes:
        fields = {"origin": self.origin, "root": self.root.hex(), "seq": self.seq, "size": self.size, "v": 1}
        return text.canonical({**fields, "vault": self.vault.hex()}) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> HeadFile:
        """Raises Damaged for anything but the exact form."""
        found = text.parse_canonical(data, limit=SMALL_LIMIT, newline=True)
        text.exact_keys(found, frozenset({"origin", "root", "seq", "size", "v", "vault"}))
        text.integer(found["v"], 1, 1)
        return cls(
            text.unhex(found["vault"], 16),
            text.unhex(found["origin"], 16).hex(),
            text.integer(found["size"]),
            text.unhex(found["root"], 32),
            text.integer(found["seq"]),
        )


class ObjectFolder:
    """Sealed objects named by an object id in 32 hexadecimal digits: drafts, pending entries."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder

    def list(self) -> list[str]:
        """Ids in hexadecimal, sorted. Other names are not ours and are passed over."""
        return [name for name in self._files.names(self._folder) if is_object_name(name)]

    def put(self, object_hex: str, data: bytes) -> None:
        """Durable; replaces what was there."""
        self._files.make_folder(self._folder)
        self._files.replace(self._path(object_hex), data)

    def get(self, object_hex: str) -> bytes:
        """Raises NotFound."""
        return self._files.read(self._path(object_hex), limit=OBJECT_LIMIT)

    def remove(self, object_hex: str) -> None:
        """Absent is fine."""
        self._files.remove(self._path(object_hex))

    def _path(self, object_hex: str) -> Path:
        return self._folder / object_name(object_hex)


class LocalState:
    """Access to the local folder `root` of one vault. Nothing is created before the first write."""

    def __init__(self, files: Files, root: Path) -> None:
        self.files = files
        self.paths = LocalPaths(root)
        self.drafts = ObjectFolder(files, self.paths.drafts)
        self.pending = ObjectFolder(files, self.paths.pending)

    def create_folders(self) -> None:
        make_lasting_folder(self.files, self.paths.root)
        for folder in (self.paths.drafts, self.paths.pending, self.paths.set_aside):
            make_lasting_folder(self.files, folder)

    # Device and head

    def read_device(self) -> DeviceFile | None:
        """None when this device never used the vault. Raises Damaged."""
        data = self._read_or_none(self.paths.device, SMALL_LIMIT)
        try:
            return None if data is None else DeviceFile.decode(data)
        except Damaged:  # no file of the vault's: no backup has it
            raise Damaged(
                "The file in which this laptop keeps where its key for this vault is does not read.",
                "Your recovery sheet opens the vault without this laptop's key: `notevault recover`.",
            ) from None

    def write_device(self, device: DeviceFile) -> None:
        self._put(self.paths.device, device.encode())

    def read_head(self) -> HeadFile | None:
        """None when there is none. Raises Damaged: a head that does not read is not the same as no head."""
        data = self._read_or_none(self.paths.head, SMALL_LIMIT)
        return None if data is None else HeadFile.decode(data)

    def write_head(self, head: HeadFile) -> bool:
        """Best effort: a commit that is durable stays acknowledged when this copy fails. Returns whether it is durable.

        Call only after a commit or a settle of this process: an older process may have left a state that is seen
        but not yet durable, and a head ahead of its log looks like a rollback.
        """
        try:
            self._put(self.paths.head, head.encode())
        except NotevaultError:
            return False
        return True

    def identity(self) -> bytes | None:
        """The vault's public identity key (32 bytes) as this device opened it last: a preference, never a proof."""
        try:
            data = self._read_or_none(self.paths.identity, 65)
            return None if data is None else text.unhex(data.decode("ascii", "replace").rstrip("\n"), 32)
        except NotevaultError:
            return None

    def keep_identity(self, vik: bytes) -> None:
        self._put(self.paths.identity, vik.hex().encode("ascii") + b"\n")

    # Where the vault lies: a copy of it elsewhere is not the vault

    def place(self) -> str | None:
        """The vault's folder as this device opened it for writing last; None when unknown."""
        try:
            data = self._read_or_none(self.paths.place, PLACE_LIMIT)
        except NotevaultError:
            return None
        return None if not data else data.decode("utf-8", "surrogateescape").removesuffix("\n")

    def keep_place(self, folder: str) -> None:
        self._put(self.paths.place, folder.encode("utf-8", "surrogateescape") + b"\n")

    # Failed unlocks

    def fails(self) -> tuple[int, int]:
        """How many unlocks failed since the last success, and how many of them are not in the log yet.

        Zeros when the file is absent or does not read.
        """
        try:
            data = self._read_or_none(self.paths.fails, 32)
        except NotevaultError:
            return 0, 0
        found = _FAILS.fullmatch((data or b"").decode("ascii", "replace"))
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def set_fails(self, count: int, waiting: int = 0) -> None:
        if count == 0:
            self.files.remove(self.paths.fails)
        else:
            self._put(self.paths.fails, b"%d %d\n" % (count, waiting))

    def keep_fail(self, wall_ms: int, why: str) -> None:
        """Remember a failed unlock that could not be logged, durable: a line `<ms> <why>`; the newest 1,000 stay."""
        if not _WHY.fullmatch(why):
            raise OwnFault("A reason was to be kept that is none.")
        kept = [*self.kept_fails(), (wall_ms, why)][-KEPT_FAILS:]
        self._put(self.paths.kept_fails, b"".join(b"%d %s\n" % (at, word.encode("ascii")) for at, word in kept))

    def kept_fails(self) -> list[tuple[int, str]]:
        """(wall ms, why) of each, the oldest first. Lines that do not read are passed over."""
        try:
            data = self._read_or_none(self.paths.kept_fails, 64 * KEPT_FAILS)
        except Damaged:
            return []
        found = map(_KEPT.fullmatch, (data or b"").decode("ascii", "replace").split("\n"))
        return [(int(line[1]), line[2]) for line in found if line is not None]

    def clear_kept_fails(self) -> None:
        self.files.remove(self.paths.kept_fails)

    # Index and view

    def write_index(self, pieces: bytes | Iterable[bytes]) -> None:
        """Durable and atomic; the snapshot may be larger than memory should hold twice, so it comes in pieces."""
        self._put(self.paths.index, pieces)

    def index_size(self) -> int | None:
        return self.files.size(self.paths.index)

    def stream_index(self, chunk: int = _PIECE) -> Iterator[bytes]:
        """Raises NotFound at the first piece when there is none."""
        return self.files.stream(self.paths.index, chunk=chunk)

    def remove_index(self) -> None:
        self.files.remove(self.paths.index)

    def write_view(self, data: bytes) -> None:
        self._put(self.paths.view, data)

    def read_view(self) -> bytes | None:
        return self._read_or_none(self.paths.view, OBJECT_LIMIT)

    def remove_view(self) -> None:
        self.files.remove(self.paths.view)

    # Set aside: what was found and not understood, byte for byte

    def set_aside(self, name: str, data: bytes, *, wall_ms: int | None = None) -> Path:
        """Keep `data` under set-aside/<UTC date>/<name>-<16 digits of its SHA-256>; durable. Returns where."""
        return self._keep(name, lambda: iter([data]), wall_ms)

    def set_aside_range(self, name: str, source: Path, start: int, end: int, *, wall_ms: int | None = None) -> Path:
        """Keep bytes `start` to `end` of a file; the file itself is left alone."""

        def pieces() -> Iterator[bytes]:
            for at in range(start, end, _PIECE):
                yield self.files.read_range(source, at, min(_PIECE, end - at))

        return self._keep(name, pieces, wall_ms)

    def set_aside_file(self, source: Path, *, wall_ms: int | None = None) -> Path:
        """Take a whole file out of its place: kept durably here first, then removed there.

        A copy rather than a rename, since vault and local folder may lie on different file systems. Raises NotFound,
        Damaged for a link (which stays where it is).
        """
        kept = self._keep(source.name, lambda: self.files.stream(source, chunk=_PIECE), wall_ms)
        self.files.remove(source)
        return kept

    def kept_copies(self, digest: str) -> Iterator[bytes]:
        """What lies in set-aside under this SHA-256 and still has it: a blob moved out too early can come back."""
        for day in self.files.names(self.paths.set_aside):
            for name in self.files.names(self.paths.set_aside / day):
                if not name.startswith(digest):
                    continue
                try:
                    data = self.files.read(self.paths.set_aside / day / name, limit=OBJECT_LIMIT)
                except (Damaged, NotFound):
                    continue
                if hashlib.sha256(data).hexdigest() == digest:
                    yield data

    def _keep(self, name: str, pieces: Callable[[], Iterator[bytes]], wall_ms: int | None) -> Path:
        """Two passes over the source. Content in the name makes a repeated attempt after a crash the same file."""
        digest = hashlib.sha256()
        for piece in pieces():
            digest.update(piece)
        day = "undated" if wall_ms is None else datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m-%d")
        folder = self.paths.set_aside / day
        self.files.make_folder(folder)
        target = folder / f"{name}-{digest.hexdigest()[:16]}"
        self.files.create(target, pieces())
        return target

    # Helpers

    def _put(self, path: Path, data: bytes | Iterable[bytes]) -> None:
        self.files.make_folder(self.paths.root)
        self.files.replace(path, data)

    def _read_or_none(self, path: Path, limit: int) -> bytes | None:
        try:
            return self.files.read(path, limit=limit)
        except NotFound:
            return None
