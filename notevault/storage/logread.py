"""Reading one log and believing it: the signed checkpoint is the measure, everything else must give its root.

    bundles 0..q-1   entries/000, 001, ...   believed through `hashes`, and hashed again whenever entries are read
    open             the rest of the covered entries, then perhaps bytes of an interrupted commit

Nothing is written here and nothing is repaired. Sentences name the place, entries counted from 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from notevault.auditlog import bundle, checkpoint, merkle
from notevault.auditlog.fault import Fault
from notevault.errors import Damaged, LogDamaged, NotFound
from notevault.ports import Files
from notevault.storage.layout import BUNDLE, VaultPaths
from notevault.storage.logepoch import Believe, Close, ending, introduction

MAX_GAP = 4096  # missing bundles, a million entries; beyond that nothing more is learned


@dataclass(frozen=True)
class Tail:
    """The end of a log as it was signed. A value: a commit gives a new one, a failed commit leaves the old one true."""

    size: int
    root: bytes  # 32 bytes
    last16: bytes  # first 16 bytes of the last entry's leaf hash, zeros when there is none: `p` of the next entry
    epoch: int  # that the next entry belongs to
    open_bytes: int  # of the covered entries after the last full bundle
    checkpoint: bytes = field(repr=False)  # empty before the first commit
    frontier: merkle.Frontier = field(repr=False, compare=False)
    part: merkle.Frontier = field(repr=False, compare=False)  # of the entries after the last full bundle
    closed: int | None = None  # the epoch that the last entry closes and whose key signed this state: a seal's bytes

    @classmethod
    def empty(cls) -> Tail:
        """A log before its first entry."""
        return cls(0, merkle.EMPTY_ROOT, bytes(16), 0, 0, b"", merkle.Frontier(), merkle.Frontier())


@dataclass(frozen=True)
class Believed:
    """A tail with the roots of its full bundles, 32 bytes each. `cache_good`: the file `hashes` says the same."""

    tail: Tail
    roots: bytearray = field(repr=False)
    cache_good: bool

    def bundle_root(self, number: int) -> bytes:
        return bytes(self.roots[32 * number : 32 * number + 32])


def span(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first}-{last}"


class LogReader:
    def __init__(self, files: Files, paths: VaultPaths, origin: str) -> None:
        self.files = files
        self.paths = paths
        self.origin = origin

    def checkpoint_bytes(self) -> bytes | None:
        """The signed state as it lies there, unverified; None when there is none. Raises Damaged for a link."""
        try:
            return self.files.read(self.paths.checkpoint(self.origin), limit=checkpoint.MAX_BYTES)
        except NotFound:
            return None

    def load(self, believe: Believe) -> Believed:
        """Raises NotFound for a log that was never committed to, LogDamaged with the place.

        May run beside a writer: what does not fit is looked at again, because the writer may just have moved on.
        """
        seen: bytes | None = None
        while True:
            raw = self.checkpoint_bytes()
            if raw is None:
                raise self._without_checkpoint()
            signed = believe.identity(raw)
            if signed.origin != self.origin:
                raise LogDamaged("The log's signed state is that of another log.")
            try:
                now, newest = self._believe(raw, signed)
                return self._check_epoch(now, newest, signed, believe)
            except LogDamaged:
                if raw == seen:
                    raise
                seen = raw

    def covered(self, path: Path, count: int) -> tuple[list[bytes], int]:
        """The first `count` entries of a bundle or of `open`, or as many as there are; and the bytes they take."""
        try:
            data = self.files.read_range(path, 0, bundle.MAX_BYTES)
        except NotFound:
            return [], 0
        found = bundle.split_prefix(data, count)
        return ([], 0) if isinstance(found, Fault) else found

    def bundle_entries(self, number: int, count: int, root: bytes) -> list[bytes]:
        """The first `count` entries from number 256 x `number` on, when `root` is theirs. Raises LogDamaged.

        They lie in a bundle, or in `open` when it is not full or was not renamed yet; a writer may rename it meanwhile.
        """
        full, opened = self.paths.bundle(self.origin, number), self.paths.open(self.origin)
        best = 0
        for path in (full, opened, full) if count == BUNDLE else (opened, full, opened):
            entries, used = self.covered(path, count)
            best = max(best, len(entries))
            if len(entries) == count and merkle.root([merkle.leaf_hash(each) for each in entries]) == root:
                if path == full and count == BUNDLE and self.files.size(full) != used:
                    continue
                return entries
        start = BUNDLE * number
        if best < count:
            raise LogDamaged(f"MISSING {span(start + best, start + count - 1)} of the log.")
        raise LogDamaged(f"REWRITTEN between {span(start, start + count - 1)} of the log.")

    def entries(self, now: Believed, number: int) -> list[bytes]:
        """The covered entries of a bundle, or of `open`, proven. Raises LogDamaged."""
        if number < now.tail.size // BUNDLE:
            return self.bundle_entries(number, BUNDLE, now.bundle_root(number))
        return self.bundle_entries(number, now.tail.part.size, now.tail.part.root())

    def introduction(self, now: Believed, epoch: int) -> Close | None:
        """The entry that brought the key of `epoch`; None for the first epoch, and where there is none."""
        if epoch == 0:
            return None
        return introduction(epoch, now.tail.size, lambda number: self.entries(now, number), self._hint(epoch - 1))

    def _hint(self, epoch: int) -> int | None:
        """The size that this epoch's seal names, unverified."""
        try:
            found = checkpoint.parse(self.files.read(self.paths.seal(self.origin, epoch), limit=checkpoint.MAX_BYTES))
        except (NotFound, Damaged):
            return None
        return None if isinstance(found, Fault) else found.size

    def _check_epoch(
        self, now: Believed, newest: list[bytes], signed: checkpoint.Checkpoint, believe: Believe
    ) -> Believed:
        """The second signature: under the key of the epoch that the entries say. `newest`: those of the last bundle."""
        last, close = ending(signed.size, newest) if signed.size else (0, None)
        if last is not None and signed.epoch != last and (close is None or signed.epoch != last + 1):
            raise LogDamaged(f"FORGED: the log is signed in epoch {signed.epoch}, its entries are of {last}.")
        brought = self.introduction(now, signed.epoch)
        if signed.epoch and brought is None:
            raise LogDamaged(f"FORGED: no entry of the log brings the key of its epoch {signed.epoch}.")
        believe.epoch(signed, None if brought is None else brought.key)
        epoch = signed.epoch if last is None else last + (close is not None)
        closed = last if close is not None and signed.epoch == last else None
        return replace(now, tail=replace(now.tail, epoch=epoch, closed=closed))

    def _without_checkpoint(self) -> NotFound | LogDamaged:
        """An interrupted beginning leaves its one or two entries behind; anything more once had a checkpoint."""
        entries, _ = self.covered(self.paths.open(self.origin), 3)
        if len(entries) > 2 or self.files.size(self.paths.bundle(self.origin, 0)) is not None:
            return LogDamaged("MISSING: the log is there, but not its signed state.")
        return NotFound("This log was never begun.", "")

    def _believe(self, raw: bytes, signed: checkpoint.Checkpoint) -> tuple[Believed, list[bytes]]:
        full, rest = divmod(signed.size, BUNDLE)
        missing = self._missing(full)
        waiting = rest == 0 and missing == [full - 1]  # the last full bundle is still called `open`
        closed, count = (full - 1, BUNDLE) if waiting else (full, rest)
        entries, used = self.covered(self.paths.open(self.origin), count)
        self._check_extent(signed.size, closed, count, len(entries), [] if waiting else missing)
        leaves = [merkle.leaf_hash(each) for each in entries]
        cached = self._cached(full)
        roots = self._roots(signed, closed, leaves, cached)
        if waiting:
            roots += merkle.root(leaves)
        if rest == 0 and full and not waiting:
            entries = self.bundle_entries(full - 1, BUNDLE, bytes(roots[-32:]))
            last16 = merkle.leaf_hash(entries[-1])[:16]
        else:
            last16 = leaves[-1][:16] if leaves else bytes(16)
        part = merkle.Frontier()
        if rest:
            part.extend(leaves)
        frontier = merkle.Frontier.from_bundles(bytes(roots), leaves if rest else ())
        tail = Tail(signed.size, signed.root, last16, signed.epoch, used if rest else 0, raw, frontier, part)
        return Believed(tail, roots, cached == roots), entries

    def _missing(self, full: int) -> list[int]:
        """Numbers of the bundles that should be there and are not, by listing their folders: one for 1,000 bundles."""
        missing: list[int] = []
        for first in range(0, full, 1000):  # building a path for each bundle took most of a load
            there = set(self.files.names(self.paths.bundle(self.origin, first).parent))
            missing += [first + at for at in range(min(1000, full - first)) if f"{at:03d}" not in there]
            if len(missing) > MAX_GAP and missing[-1] != full - 1:
                return [*missing, full - 1]  # a signed size may be absurd; what is missing is known well enough
        return missing

    def _check_extent(self, size: int, closed: int, count: int, found: int, missing: list[int]) -> None:
        if missing:
            first = missing[0]
            if found == 0 and len(missing) == closed - first:
                raise _truncated(size, BUNDLE * first)
            last = next((n for n in range(first, closed) if n not in missing), closed) - 1
            raise LogDamaged(f"MISSING {span(BUNDLE * first, BUNDLE * last + BUNDLE - 1)} of the log.")
        if found < count:
            raise _truncated(size, BUNDLE * closed + found)
        if size % BUNDLE and self.files.size(self.paths.bundle(self.origin, closed)) is not None:
            held = BUNDLE * (closed + 1)
            raise LogDamaged(f"ROLLED BACK: the log's signed state covers {size} entries, but it holds {held} or more.")

    def _cached(self, full: int) -> bytes:
        """What `hashes` holds, a byte more than it should when it is too long; empty when absent or irregular."""
        try:
            return self.files.read_range(self.paths.hashes(self.origin), 0, 32 * full + 1)
        except (NotFound, Damaged):
            return b""

    def _roots(self, signed: checkpoint.Checkpoint, closed: int, leaves: list[bytes], cached: bytes) -> bytearray:
        """Roots of the `closed` bundles that, with `leaves`, give the signed root: from the cache, else hashed anew."""
        known = min(len(cached) // 32, closed)
        roots = bytearray(cached[: 32 * known])
        for number in range(known, closed):
            roots += self._hash_bundle(number)
        if merkle.Frontier.from_bundles(bytes(roots), leaves).root() == signed.root:
            return roots
        anew = bytearray()
        for number in range(closed):
            anew += self._hash_bundle(number)
        if merkle.Frontier.from_bundles(bytes(anew), leaves).root() == signed.root:
            return anew
        changed = [n for n in range(known) if anew[32 * n : 32 * n + 32] != roots[32 * n : 32 * n + 32]]
        # Only what the cache remembers can be told apart; where that agrees, the fault lies somewhere after it.
        first, last = (changed[0], BUNDLE * changed[-1] + BUNDLE) if changed else (known, signed.size)
        raise LogDamaged(f"REWRITTEN between {span(BUNDLE * first, last - 1)} of the log.")

    def _hash_bundle(self, number: int) -> bytes:
        path, start = self.paths.bundle(self.origin, number), BUNDLE * number
        entries, used = self.covered(path, BUNDLE)
        if len(entries) < BUNDLE:
            raise LogDamaged(f"MISSING {span(start + len(entries), start + BUNDLE - 1)} of the log.")
        if self.files.size(path) != used:
            raise LogDamaged(f"REWRITTEN between {span(start, start + BUNDLE - 1)} of the log.")
        return merkle.root([merkle.leaf_hash(each) for each in entries])


def _truncated(signed: int, found: int) -> LogDamaged:
    return LogDamaged(f"TRUNCATED: signed {signed}, found {found} entries of the log.")
