"""A vault's own folder, read as a copy: the vault itself, or one that somebody copied (FORMAT.md section 1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from notevault.auditlog import bundle, checkpoint
from notevault.auditlog.fault import Fault
from notevault.backup.copies.place import TreeCopy
from notevault.backup.copies.port import Piece
from notevault.backup.places import layout as place
from notevault.storage.layout import BUNDLE

_INDEX = re.compile(rb'"i":([0-9]{1,16})[,}]')


class VaultCopy(TreeCopy):
    """`tree`: of the vault's folder. It may be written to beside us; what does not fit together is then not proven."""

    def checkpoint(self, origin: str) -> bytes | None:
        return self.read(f"{place.audit(origin)}/checkpoint", checkpoint.MAX_BYTES)

    def named(self, origin: str) -> list[tuple[int, bytes]]:
        found = checkpoint.parse(self.checkpoint(origin) or b"")
        return [] if isinstance(found, Fault) or found.origin != origin else [(found.size, found.root)]

    def signed(self, origin: str, size: int, root: bytes) -> Iterator[bytes]:
        data = self.checkpoint(origin)
        found = checkpoint.parse(data or b"")
        if data is not None and not isinstance(found, Fault) and (found.size, found.root) == (size, root):
            yield data

    def pieces(self, origin: str, number: int) -> Iterator[Piece]:
        yield from self.whole_bundle(origin, number)
        data = self.read(f"{place.audit(origin)}/open", 8 * bundle.MAX_BYTES)
        found = bundle.split_prefix(data, BUNDLE) if data else None
        if found is None or isinstance(found, Fault) or not found[0]:
            return
        first = _INDEX.search(found[0][0])
        if first is not None and int(first[1]) == number * BUNDLE:
            yield Piece(number * BUNDLE, found[0])
