"""Is a log whole, and is it the signed one? One pass over one origin's files, in bounded memory.

Order: card, checkpoint and its identity signature, bundles and `open`, root, epoch signature; on the way what vouches
for its beginnings (`vouch`). Bad input never raises: it becomes findings (`verdict`). Whoever has keys checks the MACs
and blobs besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Union

from . import beyond, bundle, card, checkpoint, ed25519, merkle
from .fault import Fault
from .folder import Read, folder_reader
from .note import Verify
from .outcome import LogReport, Seen
from .places import Extent, place_changes
from .verdict import Finding, LogVerdict, Weight, add
from .vouch import Vouchers
from .walk import Mine, Room, Sign, Walker

__all__ = ["Read", "check_log", "examine", "folder_reader"]

BUNDLE = merkle.BUNDLE
MAX_GAPS = 4096  # absent bundles in all, a million entries: then we stop looking, a forged size may be 2^53
MAX_GAPS_UNSIGNED = 16  # where nobody's card says whether the size was signed at all
MAX_FINDINGS = 20  # of each kind and weight; then one more says that there are more
MAX_TRIES = 4  # looks at a log whose checkpoint moved while it was read: a writer is at work beside us

Progress = Callable[[int, int], None]  # entries done, entries signed
State = Union[Seen, "tuple[int, bytes]"]  # a tuple is a size and a root


def check_log(
    read: Read,
    origin: str,
    pinned: card.Card | bytes | None = None,
    vik: bytes | Sequence[bytes] | None = None,
    verify: Verify = ed25519.verify,
    progress: Progress | None = None,
    *,
    anchors: Iterable[State] = (),
) -> LogVerdict:
    """Check the log `origin` (32 hex digits) through `read`.

    `pinned`: the card as known from elsewhere; `vik`: the vault's identity key, or several that are cross-signed, the
    newest first. Without either the log may be sound in itself and yet another's: the verdict says UNPINNED.
    `anchors`: states of this log seen before.
    """
    return examine(read, origin, pinned, vik, verify, progress, anchors=anchors).verdict


def examine(
    read: Read,
    origin: str,
    pinned: card.Card | bytes | None = None,
    vik: bytes | Sequence[bytes] | None = None,
    verify: Verify = ed25519.verify,
    progress: Progress | None = None,
    *,
    anchors: Iterable[State] = (),
    mine: Mine = None,
    room: Room | None = None,
) -> LogReport:
    """`check_log`, with all that the log tells besides; `mine` picks the entries that go into `disclosed`, `room` is
    what several logs share.
    """
    left = room or Room()
    viks = [vik] if isinstance(vik, bytes) else list(vik or ())
    seen = [one if isinstance(one, Seen) else Seen(origin, one[0], one[1], "") for one in anchors]
    for _ in range(MAX_TRIES):
        taken = replace(left)
        check = _Check(read, origin, verify, progress, seen, mine, taken)
        check.keys(pinned, viks)
        before = check.signed()
        check.walk()
        check.judge()
        if check.verdict.exit_code == 0 or _readable(read("checkpoint")) == before:
            break
    else:
        text = "The log was written to all the while: what was read of it may belong to different moments"
        check.verdict.findings, check.verdict.proven = [Finding("MOVING", Weight.UNDECIDED, text)], False
    vars(left).update(vars(taken))
    return check.report


def _readable(data: bytes | Fault | None) -> bytes | None:
    """As `_Check.signed` gives it: a link in its place, say, is no reason to look for ever."""
    return None if isinstance(data, Fault) else data


class _Check:
    def __init__(
        self,
        read: Read,
        origin: str,
        verify: Verify,
        progress: Progress | None,
        seen: list[Seen],
        mine: Mine,
        room: Room,
    ) -> None:
        self._reader, self._verify, self._progress = read, verify, progress
        self.verdict = LogVerdict(origin)
        self.report = LogReport(self.verdict)
        self._card: card.Card | None = None
        self._checkpoint: checkpoint.Checkpoint | None = None
        self._walker = Walker(self.report, verify, (), {}, mine, room=room)
        self._vouchers = Vouchers(self.report, seen, verify, self._read, self._find)
        self._vouchers.room = room
        self._extent = Extent()
        self._leaves: list[bytes] = []  # of `open`
        self._frontier: merkle.Frontier | None = merkle.Frontier()  # over the bundles so far; None after a gap

    def keys(self, pinned: card.Card | bytes | None, viks: list[bytes]) -> None:
        """Settle on a card: the pinned one, else the folder's."""
        data = self._read("card")
        own = card.parse(data) if data is not None else None
        if isinstance(own, Fault) and (pinned is not None or viks):
            self._find("FORGED", Weight.TAMPERED, f"FORGED card: {own.sentence}")
        elif isinstance(own, Fault):  # a copy that failed looks the same, and there is no card to hold it against
            self._find("NO_CARD", Weight.UNDECIDED, f"The log's card does not read: {own.sentence}")
        given = card.parse(pinned) if isinstance(pinned, bytes) else pinned
        if isinstance(given, Fault):
            self._find("NO_CARD", Weight.UNDECIDED, f"The card given for this check does not read: {given.sentence}")
            given = None
        if given is not None and isinstance(own, card.Card) and own != given:
            self._find("FORGED", Weight.TAMPERED, "FORGED card: the log's card is not the one you hold")
        chosen = given or (own if isinstance(own, card.Card) else None)
        if own is None and chosen is not None:
            self._find("NO_CARD", Weight.NOTE, "The log's own card is not with it; it was checked by the one you hold")
        if chosen is None:
            if own is None:
                self._find("NO_CARD", Weight.UNDECIDED, "The log has no card: its signatures cannot be checked")
            return
        if given is None and not viks:
            text = "Nothing known beforehand says whose log this is: its card, from the therapist in person, is needed"
            self._find("UNPINNED", Weight.UNDECIDED, text)
        faults = [card.check(chosen, key, self._verify) for key in viks or [chosen.vik_pub]]
        fault = None if None in faults else faults[0]
        if fault is None and chosen.origin != self.verdict.origin:
            fault = Fault("WRONG_ORIGIN", "it is the card of another log")
        if fault is not None:
            self._find("FORGED", Weight.TAMPERED, f"FORGED card: {fault.sentence}")
            return
        self._card = self._vouchers.card = chosen
        self.verdict.vault = chosen.vault
        self._walker.viks = viks or [chosen.vik_pub]
        self._walker.epoch_keys[0] = chosen.epoch0_pub

    def signed(self) -> bytes | None:
        """The checkpoint, as far as it can be judged before the entries are read; gives its bytes."""
        data = self._read("checkpoint")
        if data is None:
            self._find("NO_CHECKPOINT", Weight.UNDECIDED, "The log has no signed state: nothing in it can be checked")
            return None
        found = checkpoint.parse(data)
        if not isinstance(found, Fault):
            fault = self._signature(found)
            if fault is None:
                self._checkpoint = self._vouchers.signed = found
                self.verdict.size, self.verdict.root, self.verdict.epoch = found.size, found.root, found.epoch
                self.verdict.raw = found.raw
                return data
            found = fault
        self._find("FORGED", Weight.TAMPERED, f"FORGED checkpoint: {found.sentence}")
        return data

    def _signature(self, found: checkpoint.Checkpoint) -> Fault | None:
        if found.origin != self.verdict.origin:
            return Fault("WRONG_ORIGIN", "it is of another log")
        if self._card is None:
            return None
        return checkpoint.check_identity(found, self._card.identity_pub, self._verify)

    def walk(self) -> None:
        """Every entry that the checkpoint covers; without a checkpoint, every entry there is."""
        self._all()
        self._vouchers.finish()
        self._walker.tell()
        if self._walker.without_day:
            text = f"{self._walker.without_day} entries are of more days than are listed; no day's number tells of them"
            self._find("MORE", Weight.NOTE, text)
        if self.verdict.purges_unchecked:
            text = (
                f"{self.verdict.purges_unchecked} files more are destroyed by signatures that were not tried:"
                " too many before them did not hold"
            )
            self._find("UNREADABLE", Weight.UNDECIDED, text)
        if self._walker.more_headers:
            text = (
                f"{self._walker.more_headers} key files more are named than any vault has had; they were not looked for"
            )
            self._find("UNREADABLE", Weight.UNDECIDED, text)

    def _all(self) -> None:
        signed = self._checkpoint
        size = signed.size if signed else None
        number, gaps = 0, 0
        most = MAX_GAPS if self._card is not None else MAX_GAPS_UNSIGNED
        while size is None or number < size // BUNDLE:
            data = self._read(f"entries/{bundle.tile_path(number)}")
            if data is None and (size is None or (number + 1) * BUNDLE == size) and self._whole_open(number):
                return
            if data is None and (size is None or gaps >= most):
                break
            gaps += data is None
            self._bundle(number, data)
            number += 1
        rest = BUNDLE if size is None else size % BUNDLE
        if size is None or number == size // BUNDLE:
            newer = self._read(f"entries/{bundle.tile_path(number)}") if size is not None else None
            self._rest(newer, rest)
            if newer is not None:  # a bundle is full only when a checkpoint has covered all of it
                bundles = beyond.onward(self._read, newer, number)
                self._add(beyond.newer(bundles, rest, self.verdict.size, self._walker.previous))

    def _whole_open(self, number: int) -> bool:
        """The last full bundle may still be called `open`: covered, but not renamed yet (FORMAT 6.4)."""
        data = self._read("open")
        found = bundle.split_prefix(data, BUNDLE) if data else None
        if not isinstance(found, tuple) or len(found[0]) < BUNDLE or data is None:
            return False
        self._bundle(number, data[: found[1]])
        self._beyond(data[found[1] :])
        return True

    def _bundle(self, number: int, data: bytes | None) -> None:
        found = bundle.split(data) if data is not None else None
        if not isinstance(found, list) or len(found) != BUNDLE:
            self._extent.roots.append(None)
            _extend(self._extent.missing if data is None else self._extent.broken, number)
            self._walker.skip(BUNDLE)
            self._frontier = None
            return
        leaves = self._feed(found)
        root = merkle.bundle_root(leaves)
        self._extent.roots.append(root)
        if self._frontier is not None:
            self._frontier.append_bundle(root)
        if self._progress:
            self._progress(self._walker.index, self.verdict.size)

    def _rest(self, newer: bytes | None, rest: int) -> None:
        """The entries after the last full bundle, from `open`; in a log rolled back, from the bundle they went into."""
        data = newer if newer is not None else self._read("open") or b""
        found = bundle.split_prefix(data, rest)
        if isinstance(found, Fault):
            self._extent.rest_broken = True
            found = ([], 0)
        self._leaves = self._feed(found[0])
        self._extent.rest = len(self._leaves)
        if len(self._leaves) == rest and newer is None:
            self._beyond(data[found[1] :])
        if self._progress:
            self._progress(self._walker.index, self.verdict.size)

    def _beyond(self, data: bytes) -> None:
        if data and self._checkpoint:
            self._add(beyond.uncommitted(data, self._walker.index, self._walker.previous))

    def _feed(self, entries: list[bytes]) -> list[bytes]:
        walker = self._walker
        start = walker.index
        leaves = walker.feed(entries)
        self._vouchers.look(self._frontier, start, leaves, walker.closes, walker.epoch_keys)
        walker.forget()
        return leaves

    def judge(self) -> None:
        """What is printed of the entries later is held against these roots; then the judgement itself."""
        self.report.roots = [*self._extent.roots, *([merkle.root(self._leaves)] if self._leaves else [])]
        self._judge()

    def _judge(self) -> None:
        """Compare to the signed root, say where it differs; then the epoch's signature and what single entries say."""
        walker, signed = self._walker, self._checkpoint
        if signed is None:
            self._signs(walker.signs, "REWRITTEN")
            return
        self._extent.signed, self._extent.prefix_good = signed.size, self._vouchers.good
        frontier = self._frontier.copy() if self._frontier is not None else None
        if frontier is not None:
            frontier.extend(self._leaves)
        matches = frontier is not None and (frontier.size, frontier.root()) == (signed.size, signed.root)
        self._vouchers.settle(walker.epoch, proven=matches)
        rewritten = [self._vouchers.rewritten] if self._vouchers.rewritten is not None else []
        if matches:
            for finding in rewritten:
                self._add(finding)
            self.verdict.proven = self._epoch_holds(signed) and self._card is not None
            self._signs(walker.signs, "MALFORMED")
            return
        hashes = self._reader("hashes")  # only a cache: it proves or it is not there
        cache = hashes if isinstance(hashes, bytes) else None
        placed = list(place_changes(self._extent, self._leaves, walker, signed.root, cache))
        if not any(finding.code == "REWRITTEN" for finding in placed):
            placed += rewritten
        for finding in placed:
            self._add(finding)
        if not placed and not self._extent.unreadable:  # no place found: still not the signed root
            self._find("REWRITTEN", Weight.TAMPERED, "REWRITTEN: these are not the signed entries", 0, signed.size - 1)

    def _epoch_holds(self, signed: checkpoint.Checkpoint) -> bool:
        allowed, fault = self._walker.epochs_now, None
        if allowed and signed.epoch not in allowed:
            fault = Fault("UNKNOWN_EPOCH", f"it is signed in epoch {signed.epoch}, the log is in {allowed[-1]}")
        elif self._card is not None:
            fault = checkpoint.check_epoch(signed, self._walker.epoch_keys, self._verify)
        if fault is not None:
            self._find("FORGED", Weight.TAMPERED, f"FORGED checkpoint: {fault.sentence}")
        return fault is None

    def _signs(self, signs: list[Sign], broken_chain: str) -> None:
        """Single entries. A broken chain under the signed root was signed so; without a signature it was rewritten."""
        for sign in signs:
            if sign.code == "FORGED" and self._card is None:
                continue  # a purge signature cannot be judged without the vault's identity
            code = broken_chain if sign.code == "CHAIN" else sign.code
            text = f"{code} entry {sign.index}: it {sign.sentence}"
            self._find(code, Weight.TAMPERED, text, sign.index, sign.index)

    def _read(self, name: str) -> bytes | None:
        data = self._reader(name)
        if isinstance(data, Fault):
            self._extent.unreadable = self._extent.unreadable or name == "open" or name.startswith("entries/")
            self._find("UNREADABLE", Weight.UNDECIDED, f"{name} cannot be read: {data.sentence}")
            return None
        return data

    def _find(self, code: str, weight: Weight, sentence: str, first: int = -1, last: int = -1) -> None:
        self._add(Finding(code, weight, sentence, first, last))

    def _add(self, finding: Finding) -> None:
        add(self.verdict.findings, finding, MAX_FINDINGS)


def _extend(spans: list[range], number: int) -> None:
    """Add a number, which lies beyond all that are there."""
    if spans and spans[-1].stop == number:
        spans[-1] = range(spans[-1].start, number + 1)
    else:
        spans.append(range(number, number + 1))
