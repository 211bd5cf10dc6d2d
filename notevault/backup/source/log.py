"""One log of the vault, proven: its card under the vault's identity, its signed state under the card, its entries
under the root (FORMAT.md sections 6.4, 7 and 8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator

from notevault.auditlog import bundle, checkpoint, ed25519, entry, merkle
from notevault.auditlog import card as cards
from notevault.auditlog.fault import Fault
from notevault.backup.model import Head
from notevault.backup.source.cache import Walked
from notevault.errors import LogDamaged, NotevaultError, OwnFault, UnknownFormat
from notevault.ports import Files
from notevault.storage.layout import BUNDLE, VaultPaths
from notevault.storage.logbelieve import CardBelieves
from notevault.storage.logread import LogReader

# An entry's first keys are `a`, one letter, and `b`, 16 digits; so `c` stands here wherever it is there at all (6.1).
_C_AT = len(b'{"a":"C","b":"0123456789abcdef",')
_C = b'"c":"'


class LogSource:
    def __init__(
        self, files: Files, paths: VaultPaths, origin: str, card_bytes: bytes, card: cards.Card, walked: Walked | None
    ) -> None:
        """Raises NotFound for a log that was never begun, LogDamaged when it does not hold."""
        self.origin = origin
        self.card_bytes = card_bytes
        self.card = card
        self._files = files
        self._paths = paths
        self._reader = LogReader(files, paths, origin)
        same = walked is not None and walked.card == hashlib.sha256(card_bytes).digest()
        known = walked.checkpoint if walked is not None and same else b""
        self._now = self._reader.load(CardBelieves(card, ed25519.verify, known))

    @property
    def size(self) -> int:
        return self._now.tail.size

    @property
    def root(self) -> bytes:
        return self._now.tail.root

    @property
    def checkpoint(self) -> bytes:
        return self._now.tail.checkpoint

    @property
    def closed_epochs(self) -> int:
        """How many seals there should be: their numbers are 0 up to this."""
        return self._now.tail.epoch

    def signed_now(self) -> bytes | None:
        """The checkpoint as it lies there by now, unverified."""
        return self._reader.checkpoint_bytes()

    def bundle(self, number: int) -> list[bytes]:
        """The covered entries of a bundle, proven. Raises LogDamaged."""
        return self._reader.entries(self._now, number)

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        if not 0 <= start <= stop <= self.size:
            raise OwnFault("A part of the log was asked for that is not there.")
        for number in range(start // BUNDLE, -(-stop // BUNDLE)):
            first = BUNDLE * number
            yield from self.bundle(number)[max(0, start - first) : stop - first]

    def root_at(self, size: int) -> bytes:
        if not 0 <= size <= self.size:
            raise OwnFault("A part of the log was asked for that is not there.")
        if size == self.size:
            return self.root
        full, rest = divmod(size, BUNDLE)
        leaves = [merkle.leaf_hash(each) for each in self.bundle(full)[:rest]] if rest else []
        return merkle.Frontier.from_bundles(bytes(self._now.roots[: 32 * full]), leaves).root()

    def had(self, head: Head) -> bool:
        """Whether this log was in that state once."""
        return head.size <= self.size and self.root_at(head.size) == head.root

    def cites(self) -> tuple[str, int, bytes] | None:
        """The log that this one continues, with the size and root that it says: entry 0 tells."""
        for data in self.entries(0, min(1, self.size)):
            first = entry.parse(data)
            if isinstance(first, entry.Entry) and "cites" in first.k:
                cited = first.k["cites"]
                return cited["origin"], cited["size"], bytes.fromhex(cited["root"])
        return None

    def seals(self, there: Collection[int] = ()) -> Iterator[tuple[int, bytes]]:
        """Those that hold: a state that this log had, signed by its identity. Where the newest entry closes an epoch
        and its seal is not written yet, the checkpoint is the same bytes.
        """
        for number in range(self.closed_epochs):
            if number in there:
                continue
            data = self.seal(number)
            if data is not None:
                yield number, data

    def seal(self, number: int) -> bytes | None:
        """The seal of a closed epoch, None where there is none that holds."""
        if number == self._now.tail.closed:
            return self.checkpoint
        try:
            data = self._files.read(self._paths.seal(self.origin, number), limit=checkpoint.MAX_BYTES)
        except NotevaultError:
            return None
        found = checkpoint.parse(data)
        if isinstance(found, Fault) or found.origin != self.origin or not 0 < found.size <= self.size:
            return None
        if found.epoch != number or self.root_at(found.size) != found.root:
            return None
        fault = checkpoint.check_identity(found, self.card.identity_pub, ed25519.verify)
        return data if fault is None else None

    def bundle_size(self, number: int) -> int:
        """Bytes of a full bundle as it lies in the vault; nothing is read where it has a file of its own."""
        size = self._files.size(self._paths.bundle(self.origin, number))
        return len(self.packed(BUNDLE * number, BUNDLE * (number + 1))) if size is None else size

    def seal_size(self, number: int) -> int | None:
        """Bytes of the seal of a closed epoch as it lies in the vault, unread; None where there is none."""
        return self._files.size(self._paths.seal(self.origin, number))

    def packed(self, start: int, stop: int) -> bytes:
        """Entries `start` to `stop` - 1 in the form of a bundle."""
        return bundle.pack(self.entries(start, stop))


def file_entries(first: int, entries: Iterable[bytes]) -> Iterator[tuple[int, entry.Entry]]:
    """Number and entry of those that name a file; `first` is the number of the first one given.

    Raises UnknownFormat for one that names a file and is none that this program knows: what it cannot read it cannot
    keep safe. Others that do not read name none.
    """
    for index, data in enumerate(entries, first):
        if data[_C_AT : _C_AT + 5] != _C:
            continue
        found = entry.parse(data)
        if isinstance(found, Fault):
            raise UnknownFormat(f"Entry {index} of the log names a file in a way that this program does not know.")
        if found.i != index:
            raise LogDamaged(f"Entry {index} of the log says that it is another.")
        yield index, found


def waiting_in(entries: Iterable[bytes]) -> tuple[int, int]:
    """How many of these entries name a file, and the time of the first (ms; 0: none)."""
    changes, first_ms = 0, 0
    for data in entries:
        if data[_C_AT : _C_AT + 5] == _C:
            changes += 1
            first_ms = first_ms or _time(data)
    return changes, first_ms


def _time(data: bytes) -> int:
    found = entry.parse(data)
    return found.t if isinstance(found, entry.Entry) else 0
