"""Headers as files: immutable, one per change, named by number and SHA-256 (FORMAT.md sections 1 and 3).

Nothing is parsed here. Which header is current is for the log to say; a file that no entry names is the rest of an
interrupted change.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from notevault.errors import Damaged
from notevault.formats.ids import Digest, Origin, is_origin
from notevault.ports import Files
from notevault.storage.layout import VaultPaths, parse_header_name
from notevault.storage.local import LocalState

HEADER_LIMIT = 4 << 20
"""Bytes (FORMAT.md section 3)."""


@dataclass(frozen=True)
class Candidate:
    """A file that its name says is a header. Nothing about it is proven."""

    seq: int
    digest: Digest
    origin: Origin
    path: Path


class HeaderStore:
    def __init__(self, files: Files, paths: VaultPaths) -> None:
        self._files = files
        self._paths = paths

    def candidates(self) -> list[Candidate]:
        """By name alone, the highest number first (then by origin and digest). Other names are passed over."""
        found = []
        for folder in self._files.names(self._paths.all_headers):
            if not is_origin(folder):
                continue
            origin = Origin(folder)
            for name in self._files.names(self._paths.headers(origin)):
                parsed = parse_header_name(name)
                if parsed is not None:
                    seq, digest = parsed
                    found.append(Candidate(seq, Digest(digest), origin, self._paths.header(origin, seq, digest)))
        return sorted(found, key=lambda each: (-each.seq, each.origin, each.digest))

    def read(self, candidate: Candidate) -> bytes:
        """Raises NotFound; Damaged for a link, more than 4 MiB, or bytes that do not hash to the name."""
        data = self._files.read(candidate.path, limit=HEADER_LIMIT)
        if hashlib.sha256(data).hexdigest() != candidate.digest:
            raise Damaged(f"Version {candidate.seq} of the vault's key file is not what was written.")
        return data

    def write(self, origin: str, seq: int, data: bytes) -> Candidate:
        """Durable when it returns; not current before a committed entry names it."""
        if len(data) > HEADER_LIMIT:
            raise Damaged("The vault's key file would be larger than any notevault reads.")
        digest = hashlib.sha256(data).hexdigest()
        path = self._paths.header(origin, seq, digest)
        self._files.make_folder(path.parent)
        self._files.create(path, data)
        return Candidate(seq, Digest(digest), Origin(origin), path)

    def set_aside(self, candidate: Candidate, local: LocalState, *, wall_ms: int | None = None) -> Path:
        """Move a header that no committed entry names out of the vault, byte for byte. Raises NotFound, Damaged."""
        return local.set_aside_file(candidate.path, wall_ms=wall_ms)
