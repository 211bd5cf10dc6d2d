"""What the entries of one proven log say that a state of it needs: sealed files, key files, seals (FORMAT.md 6.3, 7.6).

Read once for the largest state; a smaller one is everything with an entry number below its size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from notevault.auditlog import entry, merkle
from notevault.auditlog.canon import unbase64
from notevault.auditlog.events import HEADERS
from notevault.auditlog.note import Verify
from notevault.auditlog.walk import PURGE
from notevault.backup.copies.joined import Log
from notevault.backup.copies.port import HeaderName
from notevault.storage.layout import BUNDLE

MAX_FALSE = 1000  # purges whose signature does not hold that are tried; each costs a millisecond
_RECORD = 44  # digest 32, file size 7, entry number 5: a million files in 44 MB
_MARKS = (b'"c":"', b'"ev":"epoch.close"', b'"cites":')


@dataclass(frozen=True)
class Close:
    """Entry `index` closes `epoch` and brings the public key of the next one."""

    index: int
    epoch: int
    key: bytes


@dataclass(frozen=True)
class HeaderRef:
    index: int
    name: HeaderName
    size: int


@dataclass(frozen=True)
class Purge:
    index: int
    digest: bytes


class Facts:
    """`viks`: the vault's identities. `sizes`: at which the root of this log is wanted (`roots`)."""

    def __init__(self, log: Log, vault: str, viks: Sequence[bytes], sizes: Sequence[int], verify: Verify) -> None:
        self.log = log
        self.headers: list[HeaderRef] = []
        self.closes: list[Close] = []
        self.purges: list[Purge] = []
        self.roots: dict[int, bytes] = {0: merkle.EMPTY_ROOT}
        self.cites: tuple[str, int] | None = None
        self._parts = [bytearray() for _ in range(256)]
        self._vault, self._viks, self._verify = bytes.fromhex(vault), viks, verify
        self._left = MAX_FALSE
        self._read(sorted(set(sizes)))

    def records(self, first: int) -> Iterator[tuple[bytes, int, int]]:
        """Digest, size and entry number of every sealed file logged whose name begins with this byte; in order."""
        part = bytes(self._parts[first])
        for at in range(0, len(part), _RECORD):
            number = int.from_bytes(part[at + 32 : at + _RECORD], "big")
            yield part[at : at + 32], number >> 40, number & 0xFF_FFFF_FFFF

    def part(self, first: int, size: int) -> dict[bytes, tuple[int, int]]:
        """Digest -> file size and entry, as a state of so many entries says; purges are not taken off."""
        return {digest: (weight, index) for digest, weight, index in self.records(first) if index < size}

    def epoch_keys(self, size: int, first: bytes) -> dict[int, bytes]:
        """Epoch -> public key, of the epochs a state of this size may be signed in. `first`: the card's."""
        return {0: first, **{one.epoch + 1: one.key for one in self.closes if one.index < size}}

    def root_at(self, size: int) -> bytes | None:
        """The root of the first `size` entries; None where there are fewer."""
        if size > self.log.size:
            return None
        if size not in self.roots:
            frontier = merkle.Frontier()
            frontier.extend(merkle.leaf_hash(each) for each in self.log.entries(0, size))
            self.roots[size] = frontier.root()
        return self.roots[size]

    def last_ms(self, size: int) -> int:
        """The time of the last entry of a state that reads; 0 when there is none."""
        for index in range(size - 1, max(-1, size - 1 - BUNDLE), -1):
            found = entry.parse(self.log.entry(index), False)
            if isinstance(found, entry.Entry):
                return found.t
        return 0

    def _read(self, wanted: list[int]) -> None:
        frontier, at = merkle.Frontier(), 0
        for number in range(self.log.bundles):
            entries = self.log.bundle(number)
            first = number * BUNDLE
            points = set()
            for index, data in enumerate(entries, first):
                if _MARKS[0] in data or _MARKS[1] in data or _MARKS[2] in data:
                    found = entry.parse(data, False)
                    if isinstance(found, entry.Entry) and self._gather(index, found):
                        points.add(index + 1)
            while at < len(wanted) and wanted[at] <= first + len(entries):
                points.add(wanted[at])
                at += 1
            root = self.log.bundle_root(number)
            if root is not None and points <= {first + BUNDLE}:
                frontier.append_bundle(root)
                self.roots[first + BUNDLE] = frontier.root()
                continue
            for index, data in enumerate(entries, first + 1):
                frontier.append(merkle.leaf_hash(data))
                if index in points:
                    self.roots[index] = frontier.root()
        self.roots[self.log.size] = self.log.root

    def _gather(self, index: int, found: entry.Entry) -> bool:
        """Whether the root after this entry is wanted: it closes an epoch."""
        if index == 0 and "cites" in found.k:
            self.cites = (found.k["cites"]["origin"], found.k["cites"]["size"])
        if found.ev == "epoch.close":
            self.closes.append(Close(index, found.e, bytes.fromhex(found.k["key"])))
            return True
        if found.c is None or found.z is None:
            return False
        if found.ev in HEADERS:
            if found.k["seq"] > 0:
                self.headers.append(HeaderRef(index, HeaderName(self.log.origin, found.k["seq"], found.c), found.z))
        elif found.ev == "record.purge":
            if self._by_vault(found.c, found.k["sig"]):
                self.purges.append(Purge(index, bytes.fromhex(found.c)))
        else:
            digest = bytes.fromhex(found.c)
            self._parts[digest[0]] += digest + (found.z << 40 | index).to_bytes(12, "big")
        return False

    def _by_vault(self, digest: str, sig: str) -> bool:
        signature = unbase64(sig, 64)
        message = PURGE + self._vault + bytes.fromhex(digest)
        for vik in self._viks:
            if self._left <= 0 or not isinstance(signature, bytes):
                return False
            if self._verify(vik, message, signature):
                return True
            self._left -= 1
        return False
