"""Where everything lies: the vault folder and this device's own folder (FORMAT.md sections 1 and 9).

Names are built here and nowhere else. What becomes part of a path is checked first, so no value read from a file can
lead out of its folder. A wrong value is our own fault: readers of files check before they ask for a path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from notevault.errors import OwnFault
from notevault.formats.ids import is_digest, is_origin
from notevault.ports import Files

BUNDLE = 256
"""Entries of a full bundle (FORMAT.md section 6.4)."""
MAX_SEQ = 99_999_999
"""Header numbers have 8 digits in their file names."""
_HEADER_NAME = re.compile(r"([0-9]{8})-([0-9a-f]{64})")
_NO_NAME = ".tmp-nothing"


def _origin(text: str) -> str:
    if not is_origin(text):
        raise OwnFault("A log's name was used that is none.")
    return text


def _digest(text: str) -> str:
    if not is_digest(text):
        raise OwnFault("A file was asked for by a checksum that is none.")
    return text


def is_object_name(text: str) -> bool:
    """Whether this is the 32 hexadecimal digits of an object id (an origin is spelled the same way)."""
    return is_origin(text)


def object_name(text: str) -> str:
    if not is_object_name(text):
        raise OwnFault("A draft was asked for by a name that is none.")
    return text


@dataclass(frozen=True)
class VaultPaths:
    """The vault folder: what backups carry."""

    root: Path

    @property
    def all_headers(self) -> Path:
        return self.root / "headers"

    @property
    def all_audit(self) -> Path:
        return self.root / "audit"

    @property
    def blobs(self) -> Path:
        return self.root / "blobs"

    def headers(self, origin: str) -> Path:
        return self.all_headers / _origin(origin)

    def header(self, origin: str, seq: int, digest: str) -> Path:
        if not 1 <= seq <= MAX_SEQ:
            raise OwnFault("A key file was asked for by a number that is none.")
        return self.headers(origin) / f"{seq:08d}-{_digest(digest)}"

    def blob_folder(self, first: int) -> Path:
        return self.blobs / f"{first:02x}"

    def blob(self, digest: str) -> Path:
        return self.blobs / _digest(digest)[:2] / digest

    def audit(self, origin: str) -> Path:
        return self.all_audit / _origin(origin)

    def card(self, origin: str) -> Path:
        return self.audit(origin) / "card"

    def checkpoint(self, origin: str) -> Path:
        return self.audit(origin) / "checkpoint"

    def open(self, origin: str) -> Path:
        return self.audit(origin) / "open"

    def hashes(self, origin: str) -> Path:
        return self.audit(origin) / "hashes"

    def entries(self, origin: str) -> Path:
        return self.audit(origin) / "entries"

    def bundle(self, origin: str, number: int) -> Path:
        """`number` in groups of three digits, all but the last with an `x` before them: 1234 is x001/234."""
        if number < 0:
            raise OwnFault("A part of the log was asked for by a number that is none.")
        digits = str(number)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        return self.entries(origin).joinpath(*(f"x{group}" for group in groups[:-1]), groups[-1])

    def seals(self, origin: str) -> Path:
        return self.audit(origin) / "seals"

    def seal(self, origin: str, number: int) -> Path:
        return self.seals(origin) / f"{number:08d}"


@dataclass(frozen=True)
class LocalPaths:
    """The folder of this device alone, one per vault, outside the vault and never in a backup."""

    root: Path

    @property
    def device(self) -> Path:
        return self.root / "device"

    @property
    def head(self) -> Path:
        return self.root / "head"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def log_lock(self) -> Path:
        """Held by whoever writes the log's item in the key store."""
        return self.root / "log.lock"

    @property
    def shell_lock(self) -> Path:
        return self.root / "shell.lock"

    @property
    def drafts(self) -> Path:
        return self.root / "drafts"

    def draft(self, object_hex: str) -> Path:
        return self.drafts / object_name(object_hex)

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def view(self) -> Path:
        return self.root / "view"

    @property
    def pending(self) -> Path:
        return self.root / "pending"

    def pending_entry(self, object_hex: str) -> Path:
        return self.pending / object_name(object_hex)

    @property
    def set_aside(self) -> Path:
        return self.root / "set-aside"

    @property
    def fails(self) -> Path:
        return self.root / "fails"

    @property
    def identity(self) -> Path:
        return self.root / "identity"

    @property
    def place(self) -> Path:
        return self.root / "place"

    @property
    def kept_fails(self) -> Path:
        return self.root / "fails.kept"


def parse_header_name(name: str) -> tuple[int, str] | None:
    """(seq, digest) of a header's file name, None for any other name. The inverse of `VaultPaths.header`."""
    found = _HEADER_NAME.fullmatch(name)
    if found is None or int(found[1]) == 0:
        return None
    return int(found[1]), found[2]


def make_lasting_folder(files: Files, folder: Path) -> None:
    """`folder`, durable even when a killed process made it and never synced the folder above.

    `Files` has no bare sync of a folder; removing a name that is not there costs exactly that.
    """
    files.make_folder(folder)
    files.remove(folder.parent / _NO_NAME)


def create_folders(files: Files, paths: VaultPaths) -> None:
    """All folders of a new vault. The 256 blob folders are made now so that no save ever pays for one."""
    make_lasting_folder(files, paths.root)
    for folder in (paths.all_headers, paths.all_audit, paths.blobs):
        files.make_folder(folder)
    files.remove(paths.root / _NO_NAME)
    for first in range(256):
        files.make_folder(paths.blob_folder(first))
    files.remove(paths.blobs / _NO_NAME)
