"""A backup place, read as a copy of its vault (FORMAT.md section 13). Bytes that are wrong are simply not there."""

from __future__ import annotations

import contextlib
import hashlib
from collections import defaultdict
from collections.abc import Iterator

from notevault.auditlog import anchor, bundle, card, checkpoint
from notevault.auditlog.fault import Fault
from notevault.backup.copies.port import HeaderName, Piece
from notevault.backup.places import layout as place
from notevault.errors import CannotWrite, Damaged, NotFound, StorageFault
from notevault.formats.ids import is_digest, is_origin
from notevault.ports import Listed, Tree
from notevault.storage.headers import HEADER_LIMIT
from notevault.storage.layout import BUNDLE, parse_header_name

_PIECE = 1 << 20
NOT_HERE = (NotFound, Damaged, StorageFault, CannotWrite)
"""Absent, irregular, unplugged, not given by the disk or not allowed: another copy may have it."""


class TreeCopy:
    """What backup places and vault folders have in common: sealed files, key files, cards, seals, bundles."""

    def __init__(self, tree: Tree, vault: str = "") -> None:
        self.tree = tree
        self._vault = vault

    @property
    def name(self) -> str:
        return str(self.tree.root)

    def vault(self) -> str:
        """What was said when it was opened, else what most of its cards say."""
        if not self._vault:
            found = [
                one.vault
                for origin in self.origins()
                if isinstance(one := card.parse(self.card(origin) or b""), card.Card)
            ]
            self._vault = max(sorted(set(found)), key=found.count, default="")
        return self._vault

    def origins(self) -> list[str]:
        return sorted(name for name in self.names(place.AUDIT) if is_origin(name))

    def card(self, origin: str) -> bytes | None:
        return self.read(place.card(origin), card.MAX_BYTES)

    def seal(self, origin: str, number: int) -> bytes | None:
        return self.read(place.seal(origin, number), checkpoint.MAX_BYTES)

    def seal_numbers(self, origin: str) -> list[int]:
        return sorted(
            int(name)
            for name in self.names(place.seals(origin))
            if len(name) == 8 and name.isdecimal() and name.isascii()
        )

    def headers(self) -> list[HeaderName]:
        found = []
        for origin in self.names(place.HEADERS):
            for name in self.names(place.headers(origin)) if is_origin(origin) else ():
                parsed = parse_header_name(name)
                if parsed is not None:
                    found.append(HeaderName(origin, *parsed))
        return sorted(found, key=lambda one: (one.seq, one.origin, one.digest))

    def header(self, name: HeaderName) -> bytes | None:
        data = self.read(place.header(*name), HEADER_LIMIT)
        return data if data is not None and hashlib.sha256(data).hexdigest() == name.digest else None

    def listed(self, first: int) -> dict[bytes, Listed]:
        """The regular files among the sealed ones whose names begin with this byte."""
        folder = place.blob_folder(first)
        try:
            listing = self.tree.listing(folder)
        except NOT_HERE:
            return {}
        start = folder[-2:]
        return {
            bytes.fromhex(name): one
            for name, one in listing.items()
            if one.kind == "file" and name.startswith(start) and is_digest(name)
        }

    def files(self, first: int) -> dict[bytes, int]:
        return {digest: one.size for digest, one in self.listed(first).items()}

    def blob(self, digest: str, limit: int) -> bytes | None:
        return self.read(place.blob(digest), limit)

    def stream(self, digest: str) -> Iterator[bytes]:
        return self.tree.stream(place.blob(digest), chunk=_PIECE)

    def whole_bundle(self, origin: str, number: int) -> Iterator[Piece]:
        yield from self._piece(place.bundle(origin, number), number * BUNDLE, BUNDLE)

    def names(self, folder: str) -> set[str]:
        with contextlib.suppress(*NOT_HERE):
            return self.tree.names(folder)
        return set()

    def read(self, path: str, limit: int) -> bytes | None:
        """None for what is not here, or longer than it can be."""
        try:
            return self.tree.read(path, limit=limit)
        except NOT_HERE:
            return None

    def _piece(self, path: str, start: int, count: int) -> Iterator[Piece]:
        data = self.read(path, bundle.MAX_BYTES)
        found = bundle.split_prefix(data, count) if data else None
        if found is not None and not isinstance(found, Fault) and found[0]:
            yield Piece(start, found[0])


class PlaceCopy(TreeCopy):
    """`tree`: of `<place>/notevault/<vault id>`."""

    def __init__(self, tree: Tree, vault: str = "") -> None:
        super().__init__(tree, vault)
        self._parts: dict[str, dict[int, list[tuple[int, int]]]] = {}

    def origins(self) -> list[str]:
        """Of the logs and of the signed states: where one of them is gone, the other still says there is such a log."""
        return sorted({*super().origins(), *(name for name in self.names(place.ANCHORS) if is_origin(name))})

    def named(self, origin: str) -> list[tuple[int, bytes]]:
        found = map(anchor.parse_name, self.names(place.anchors(origin)))
        return sorted(one for one in found if one is not None)

    def signed(self, origin: str, size: int, root: bytes) -> Iterator[bytes]:
        data = self.read(place.anchor(origin, size, root), checkpoint.MAX_BYTES)
        if data is not None:
            yield data

    def pieces(self, origin: str, number: int) -> Iterator[Piece]:
        yield from self.whole_bundle(origin, number)
        for start, stop in self._of(origin).get(number, ()):
            yield from self._piece(place.part(origin, start, stop), start, stop - start)

    def uncovered(self, origin: str, size: int) -> int:
        """How many of the first `size` entries lie, by the names of the files, in none of them."""
        missing, names, listed = 0, set[str](), ""
        for number in range(-(-size // BUNDLE)):
            folder, _, name = place.bundle(origin, number).rpartition("/")
            if folder != listed:
                names, listed = self.names(folder), folder
            if name in names:
                continue
            at, stop = number * BUNDLE, min(size, (number + 1) * BUNDLE)
            for start, end in sorted(self._of(origin).get(number, ())):
                missing += max(0, min(start, stop) - at)
                at = max(at, end)
            missing += max(0, stop - at)
        return missing

    def _of(self, origin: str) -> dict[int, list[tuple[int, int]]]:
        """The parts of a log by bundle, the longest first."""
        if origin not in self._parts:
            found: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for name in self.names(place.parts(origin)):
                part = place.parse_part(name)
                if part is not None:
                    found[part[0] // BUNDLE].append(part)
            for parts in found.values():
                parts.sort(key=lambda part: (part[0] - part[1], part[0]))
            self._parts[origin] = found
        return self._parts[origin]
