"""What vouches for a beginning of a log besides its newest signature: its seals, and states of it seen outside.

A seal counts while all before it hold: the key it is signed with came in an entry that only the seal before protects
from somebody who has today's keys. Seal 0 is signed with the key on the card.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from . import card, checkpoint, merkle, plain
from .fault import Fault
from .note import Verify
from .outcome import DAY_MS, AnchorRef, LogReport, SealRef, Seen
from .verdict import Finding, Weight, entries
from .walk import Closed, Room

MAX_SEALS = 10_000  # told of one by one; the report cuts them again


class Find(Protocol):
    """Adds a finding."""

    def __call__(self, code: str, weight: Weight, sentence: str, first: int = ..., last: int = ...) -> None: ...


Read = Callable[[str], "bytes | None"]


class Vouchers:
    """Takes the log bundle by bundle (`look`), then its end (`finish`); fills seals and anchors of the report."""

    def __init__(self, report: LogReport, seen: Iterable[Seen], verify: Verify, read: Read, find: Find) -> None:
        self.report, self._verify, self._read, self._find = report, verify, read, find
        self._seen = sorted(seen, key=lambda one: one.size)
        self.room = Room()
        self._next = 0  # of `_seen`
        self._unbroken = True  # every seal so far holds
        self.card: card.Card | None = None
        self.signed: checkpoint.Checkpoint | None = None
        self.rewritten: Finding | None = None  # by the first seal of other entries; narrower places may be known
        # Seals signed well, of another size: epoch -> the entries that would be its own here.
        self._misplaced: dict[int, tuple[int, int]] = {}
        self._told: set[str] = set()  # sources whose narrowest contradiction was told
        self.good = 0  # so many entries are vouched for: where the log was changed, it was after them

    def look(
        self,
        frontier: merkle.Frontier | None,
        start: int,
        leaves: Sequence[bytes],
        closes: Sequence[Closed],
        keys: dict[int, bytes],
    ) -> None:
        """Seals and seen states of sizes within these entries; `frontier` is the tree before them, None after a gap."""
        end = start + len(leaves)
        points: list[tuple[int, Closed | Seen]] = [(one.index + 1, one) for one in closes]
        while self._next < len(self._seen) and self._seen[self._next].size <= end:
            one = self._seen[self._next]
            self._next += 1
            if one.size == 0:
                self._empty(one)
            else:
                points.append((one.size, one))
        if not points:
            return
        points.sort(key=lambda point: (point[0], isinstance(point[1], Closed)))  # a state first: it narrows a place
        tree, at = (frontier.copy() if frontier is not None else None), start
        for size, what in points:
            if tree is not None and size > start:
                tree.extend(leaves[at - start : size - start])
                at = size
            root = tree.root() if tree is not None and size > start else None
            if isinstance(what, Seen):
                self._compare(what, root)
            else:
                self._seal(what, root, keys)

    def finish(self) -> None:
        """After the last entry: states beyond it."""
        longest: dict[str, Seen] = {}
        for one in self._seen[self._next :]:
            if self.signed is not None and one.size > self.signed.size:
                longest[one.source] = one
                self.report.anchors.append(AnchorRef(one, "beyond"))
            elif one.size == 0:
                self._empty(one)
            else:
                self.report.anchors.append(AnchorRef(one, "unchecked"))
        here = self.signed.size if self.signed is not None else 0
        for one in longest.values():
            entries_ = plain.count(one.size, "entry", "entries")
            are = "is" if here == 1 else "are"
            text = f"ROLLED BACK: {who(one)} saw {entries_}{on_day(one)}, now {here} {are} signed"
            self._find("ROLLED_BACK", Weight.TAMPERED, text, here, one.size - 1)

    def settle(self, epoch: int | None, *, proven: bool) -> None:
        """Seals that end where these entries close no epoch; `epoch`: the one that, by these entries, is still open.
        `proven`: they are all here and the signed ones. Where they are not, not the seals are wrong but the entries.
        """
        for number, (first, last) in self._misplaced.items():
            if proven:
                text = f"FORGED seal {number}: it is not of the entry that closes the epoch"
                self._find("FORGED", Weight.TAMPERED, text, last, last)
            elif self.rewritten is None:
                between = "between " if first < last else ""
                text = f"REWRITTEN {between}{entries(first, last)}: seal {number} is of other entries"
                self.rewritten = Finding("REWRITTEN", Weight.TAMPERED, text, first, last)
        if not proven:
            self.report.seals = [
                replace(one, state="rewritten") if one.epoch in self._misplaced else one for one in self.report.seals
            ]
        if epoch is not None and self.signed is not None and self.card is not None:
            self._later(epoch, self.signed, self.card, proven=proven)

    def _empty(self, one: Seen) -> None:
        """Nothing was seen of the log; that agrees with every log, and vouches for nothing."""
        good = one.root == merkle.EMPTY_ROOT
        if not good:
            text = f"FORKED: an empty log has another root than the one that {who(one)} saw{on_day(one)}"
            self._find("FORKED", Weight.TAMPERED, text)
        self.report.anchors.append(AnchorRef(one, "agrees" if good else "contradicts"))

    def _compare(self, one: Seen, root: bytes | None) -> None:
        state = "unchecked" if root is None else "agrees" if root == one.root else "contradicts"
        if state == "agrees" and (one.outside or one.own):
            self.good = max(self.good, one.size)
        if state == "agrees" and one.outside:
            self.report.anchored = max(self.report.anchored, one.size)
        elif state == "contradicts" and one.source not in self._told:
            self._told.add(one.source)
            first = plain.count(one.size, "entry is", "entries are")
            text = f"FORKED: the first {first} not what {who(one)} saw{on_day(one)}"
            self._find("FORKED", Weight.TAMPERED, text, min(self.good, one.size - 1), one.size - 1)
        self.report.anchors.append(AnchorRef(one, state))

    def _seal(self, closed: Closed, root: bytes | None, keys: dict[int, bytes]) -> None:
        state = self._seal_state(closed.epoch, closed.index + 1, root, keys)
        if state == "holds" and self._unbroken:
            self.report.sealed = closed.index + 1
            self.good = max(self.good, self.report.sealed)
        self._unbroken = self._unbroken and state == "holds"
        self.report.seals_total += 1
        if len(self.report.seals) < MAX_SEALS and self.room.seals > 0:
            self.room.seals -= 1
            self.report.seals.append(SealRef(closed.epoch, closed.index + 1, closed.t, state))

    def _seal_state(self, epoch: int, size: int, root: bytes | None, keys: dict[int, bytes]) -> str:
        data = self._read(f"seals/{epoch:08d}")
        if data is None and self.signed is not None and (self.signed.size, self.signed.epoch) == (size, epoch):
            data = self.signed.raw  # the seal is a copy of it, made before anything follows
        if data is None:
            text = f"NOT SEALED: epoch {epoch}, which entry {size - 1} closes"
            self._find("NOT_SEALED", Weight.UNDECIDED, text, size - 1, size - 1)
            return "missing"
        seal = checkpoint.parse(data)
        fault = seal if isinstance(seal, Fault) else None
        if fault is None and not isinstance(seal, Fault):
            if self.card is None or epoch not in keys:
                return "unchecked"
            fault = self._signed_by(seal, self.card) or checkpoint.check_epoch(seal, keys, self._verify)
            if fault is None and seal.epoch != epoch:
                fault = Fault("BAD_EPOCH", f"it is the seal of epoch {seal.epoch}")
            if fault is None and root is None:
                return "unchecked"
            if fault is None and seal.size != size:
                self._misplaced[epoch] = min(self.good, size - 1), size - 1
                return "forged"
            if fault is None and seal.root != root:
                first = min(self.good, size - 1)
                between = "between " if first < size - 1 else ""
                text = f"REWRITTEN {between}{entries(first, size - 1)}: seal {epoch} is of other entries"
                self.rewritten = self.rewritten or Finding("REWRITTEN", Weight.TAMPERED, text, first, size - 1)
                return "rewritten"
        if fault is not None:
            self._find("FORGED", Weight.TAMPERED, f"FORGED seal {epoch}: {fault.sentence}", size - 1, size - 1)
            return "forged"
        return "holds"

    def _later(self, epoch: int, signed: checkpoint.Checkpoint, pinned: card.Card, *, proven: bool) -> None:
        """A seal is written only once the signed state of its size was: one that lies beyond shows what is gone."""
        data = self._read(f"seals/{epoch:08d}")
        seal = checkpoint.parse(data) if data is not None else None
        if seal is None or isinstance(seal, Fault) or self._signed_by(seal, pinned) is not None:
            if data is not None:
                self._find("STRAY", Weight.NOTE, f"A seal of epoch {epoch}, which is still open, holds nothing")
        elif seal.size > signed.size:
            text = f"ROLLED BACK: seal {epoch} is of {seal.size} entries, now {signed.size} are signed"
            self._find("ROLLED_BACK", Weight.TAMPERED, text, signed.size, seal.size - 1)
        elif proven:
            text = f"FORKED: seal {epoch} closes an epoch after {seal.size} entries where these entries do not"
            self._find("FORKED", Weight.TAMPERED, text, min(self.report.sealed, seal.size), max(0, seal.size - 1))

    def _signed_by(self, found: checkpoint.Checkpoint, pinned: card.Card) -> Fault | None:
        if found.origin != self.report.verdict.origin:
            return Fault("WRONG_ORIGIN", "it is of another log")
        return checkpoint.check_identity(found, pinned.identity_pub, self._verify)


def who(one: Seen) -> str:
    """The source as the subject of a sentence: `a backup place`, `your state file`."""
    source = plain.text(one.source, 80) or "you"
    return f"{source}," if ", " in source else source


def on_day(one: Seen) -> str:
    """` on 3 Nov 2026`, where that is known."""
    return f" on {plain.day(one.when // DAY_MS)}" if one.when is not None else ""
