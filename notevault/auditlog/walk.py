"""Going through a log's entries once, in order: form, chain, indices, epochs; what they tell is gathered on the way.

Nothing is believed here: whether these entries are the signed ones is decided by their root, in `check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import entry, merkle
from .canon import unbase64
from .events import FIRST, HEADERS, ONLY_FIRST
from .fault import Fault
from .note import Verify
from .verdict import HeaderRef, LogVerdict

PURGE = b"notevault/v1/purge\0"
MAX_SIGNS = 1000  # single oddities kept; a rewritten log could give millions


@dataclass(frozen=True)
class Sign:
    """Something odd about entry `index`, that alone proves only that the log was not made by an honest writer."""

    index: int
    code: str
    sentence: str


@dataclass
class Walker:
    """`feed` takes the entries of one bundle (or of `open`) and gives their leaf hashes; `skip` passes over a gap."""

    verdict: LogVerdict
    verify: Verify
    viks: Sequence[bytes]
    epoch_keys: dict[int, bytes]
    index: int = 0
    signs: list[Sign] = field(default_factory=list)
    more_signs: int = 0
    breaks: dict[int, int] = field(default_factory=dict)  # bundle number -> last index in it whose `p` proves nothing
    closes: list[tuple[int, int]] = field(default_factory=list)  # (index, epoch) of `epoch.close` in the last feed
    _previous: str | None = entry.NO_PREVIOUS  # what `p` must be; None after a gap
    _last_close: int = -2
    _epoch: int | None = 0  # what `e` must be; None after a gap

    def feed(self, entries: Sequence[bytes]) -> list[bytes]:
        leaves: list[bytes] = []
        counts, parse, leaf_hash = self.verdict.counts, entry.parse, merkle.leaf_hash
        self.closes = []
        for data in entries:
            found = parse(data)
            leaf = leaf_hash(data)
            leaves.append(leaf)
            if isinstance(found, Fault):
                self._sign("MALFORMED", f"does not read: {found.sentence}")
                self.breaks[self.index // merkle.BUNDLE] = self.index
                self._epoch = None
            else:
                if found.i != self.index:
                    self._sign("MALFORMED", f"calls itself entry {found.i}")
                if found.p != self._previous and self._previous is not None:
                    self._sign("CHAIN", "does not follow from the entry before it")
                    self.breaks[self.index // merkle.BUNDLE] = self.index
                if found.e != self._epoch and self._epoch is not None:
                    self._sign("MALFORMED", f"is of epoch {found.e} where {self._epoch} runs")
                self._epoch = found.e
                counts[found.ev] = counts.get(found.ev, 0) + 1
                if found.c is not None or found.ev == "epoch.close" or not self.index or found.ev in ONLY_FIRST:
                    self._gather(found)
            self._previous = leaf[:16].hex()
            self.index += 1
        self.verdict.found += len(leaves)
        return leaves

    def skip(self, count: int) -> None:
        """`count` entries are not there."""
        self.index += count
        self._previous = self._epoch = None

    @property
    def epochs_now(self) -> tuple[int, ...]:
        """Epochs that a checkpoint of this size may be signed in; empty when that is not known."""
        if self._epoch is None:
            return ()
        return (self._epoch - 1, self._epoch) if self._last_close == self.index - 1 else (self._epoch,)

    def _gather(self, found: entry.Entry) -> None:
        if (self.index == 0 and found.ev not in FIRST) or (self.index and found.ev in ONLY_FIRST):
            self._sign("MALFORMED", f"is a {found.ev}, which may not stand there")
        if found.ev == "epoch.close":
            self.closes.append((self.index, found.e))
            self._last_close = self.index
            self._epoch = found.e + 1
            self.epoch_keys[found.e + 1] = bytes.fromhex(found.k["key"])
        elif found.c is None or found.z is None:
            return
        elif found.ev in HEADERS:
            self.verdict.headers.append(HeaderRef(self.index, found.k["seq"], found.c, found.z))
        elif found.ev == "record.purge":
            self._purge(found.c, found.k["sig"])
        else:
            self.verdict.written[found.c] = found.z

    def _purge(self, digest: str, sig: str) -> None:
        message = PURGE + bytes.fromhex(self.verdict.vault) + bytes.fromhex(digest)
        signature = unbase64(sig, 64)
        if isinstance(signature, bytes) and any(self.verify(vik, message, signature) for vik in self.viks):
            self.verdict.purged.add(digest)
        else:
            self._sign("FORGED", "destroys a file without the vault's signature")

    def _sign(self, code: str, sentence: str) -> None:
        if len(self.signs) < MAX_SIGNS:
            self.signs.append(Sign(self.index, code, sentence))
        else:
            self.more_signs += 1
