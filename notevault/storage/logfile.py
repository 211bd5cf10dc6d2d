"""One log on disk: load, settle, commit (FORMAT.md section 6.4). **The checkpoint is the commit.**

    commit:  append to `open`, fsync  ->  replace `checkpoint`, fsync  ->  acknowledged
             at a bundle's end then: append to `hashes`, rename `open` to its bundle
             the commit that closes an epoch is copied to `seals/` before anything else is committed
    settle:  make a seen checkpoint durable, finish such a rename, write such a seal, set bytes beyond aside

Rules. Every write happens under the writer lock. After a write that raised, `dirty` holds: what is on the disk is not
known, no tail moved on, and the next commit is refused until `settle` has looked and has put a new `open` in place
(after a failed fsync the old one must not be written to again). Tails are values; this object remembers the newest one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from notevault.auditlog import bundle, merkle
from notevault.errors import Damaged, LogDamaged, NotevaultError, NotFound, OwnFault
from notevault.ports import Files
from notevault.storage.layout import BUNDLE, VaultPaths, make_lasting_folder
from notevault.storage.local import LocalState
from notevault.storage.logepoch import Believe, Close, close_of
from notevault.storage.logplan import Builder, MakeCheckpoint, Step, plan
from notevault.storage.logread import Believed, LogReader, Tail

CARD_LIMIT = 4096

__all__ = ["Believe", "Builder", "LogFile", "MakeCheckpoint", "Settled", "Tail"]


@dataclass(frozen=True)
class Settled:
    """What an interrupted run had left: `bytes` beyond the signed state, now set aside; was a rename still to do?"""

    bytes: int = 0
    finished: bool = False


class LogFile:
    """`local` receives what is set aside and holds the writer lock's file."""

    def __init__(self, files: Files, paths: VaultPaths, local: LocalState, origin: str) -> None:
        self.files = files
        self.paths = paths
        self.local = local
        self.origin = origin
        self.dirty = False
        self.last_settled = Settled()
        self._reader = LogReader(files, paths, origin)
        self._believe: Believe | None = None
        self._sealed: int | None = None  # the epoch whose seal is known to be written
        self._now = Believed(Tail.empty(), bytearray(), True)

    # A log's beginning

    def begin(self, believe: Believe, card: bytes | None = None) -> Tail:
        """Folders (and card) of a new log, and its empty tail. Damaged when this log was begun before."""
        for folder in (self.paths.all_audit, self.paths.audit(self.origin), self.paths.entries(self.origin)):
            make_lasting_folder(self.files, folder)
        self.files.make_folder(self.paths.seals(self.origin))
        if self.begun() or self.files.names(self.paths.entries(self.origin)):
            raise Damaged("A new log was to be begun where there is one already.")
        if card is not None:
            self.files.create(self.paths.card(self.origin), card)
        self._believe = believe
        self._now = Believed(Tail.empty(), bytearray(), True)
        self.settle(self._now.tail)
        return self._now.tail

    def begun(self) -> bool:
        """Whether something was ever committed. False for an unfinished set-up."""
        return self._reader.checkpoint_bytes() is not None

    def card_bytes(self) -> bytes:
        """Raises NotFound, Damaged above 4 KiB."""
        return self.files.read(self.paths.card(self.origin), limit=CARD_LIMIT)

    def checkpoint_bytes(self) -> bytes:
        """The newest checkpoint as it lies there, unverified; empty when there is none."""
        return self._reader.checkpoint_bytes() or b""

    # Reading

    def load(self, believe: Believe) -> Tail:
        """The tail as signed. Raises NotFound for a log never committed to, LogDamaged with the place.

        Needs no lock.
        """
        self._believe = believe
        self._now = self._reader.load(believe)
        return self._now.tail

    def reload_if_moved(self, tail: Tail) -> Tail | None:
        """Under the writer lock: None when the log is still where `tail` says, else its new tail; settled either way.

        Cheap when nothing moved: the checkpoint's bytes and the size of `open`. Raises LogDamaged when the log is not
        a continuation of `tail`.
        """
        self.last_settled = Settled()
        if self._unmoved(tail):
            return None
        fresh = self._settle_now(tail, None)
        return None if fresh == tail else fresh

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """The entries from `start` up to `stop`, each bundle proven against the signed root before any is given out.

        Raises LogDamaged; OwnFault for a range outside the newest tail.
        """
        now = self._now
        if not 0 <= start <= stop <= now.tail.size:
            raise OwnFault("A part of the log was asked for that is not there.")
        return self._entries(now, start, stop)

    def root_at(self, size: int) -> bytes:
        """The root that the log had at `size`; reads at most one bundle. Raises as `entries`."""
        now = self._now
        if not 0 <= size <= now.tail.size:
            raise OwnFault("A part of the log was asked for that is not there.")
        if size == now.tail.size:
            return now.tail.root
        full, rest = divmod(size, BUNDLE)
        leaves = [merkle.leaf_hash(each) for each in self._reader.entries(now, full)[:rest]] if rest else []
        return merkle.Frontier.from_bundles(bytes(now.roots[: 32 * full]), leaves).root()

    def _entries(self, now: Believed, start: int, stop: int) -> Iterator[bytes]:
        for number in range(start // BUNDLE, -(-stop // BUNDLE)):
            first = BUNDLE * number
            yield from self._reader.entries(now, number)[max(0, start - first) : stop - first]

    def introduction(self) -> Close | None:
        """The entry that brought the key of the epoch the next entry belongs to; None in the first one.

        Raises LogDamaged; OwnFault where there is no such entry, which loading would have refused.
        """
        now = self._now
        if now.tail.closed is not None:
            for data in self.entries(now.tail.size - 1, now.tail.size):
                return close_of(now.tail.size - 1, data)
        found = self._reader.introduction(now, now.tail.epoch)
        if found is None and now.tail.epoch:
            raise OwnFault("The log is in an epoch whose key it does not name.")
        return found

    # Writing, all under the writer lock

    def commit(self, tail: Tail, builders: Sequence[Builder], make_checkpoint: MakeCheckpoint) -> Tail:
        """Append the entries that `builders` give; all durable and covered when it returns the new tail.

        Everything is built and signed before the first write. Crossing a bundle's end it goes in steps, each with its
        own checkpoint: when a later step raises, the earlier ones stand, and `reload_if_moved` tells of them. Raises
        DiskFull, CannotWrite, StorageFault, Damaged; OwnFault when `tail` is not the newest or nothing was settled.
        """
        if self.dirty or tail != self._now.tail:
            raise OwnFault("The log was to be written to without looking at it again first.")
        self.seal()
        for step in plan(tail, self.origin, builders, make_checkpoint):
            self._write(step)
        return self._now.tail

    def seal(self) -> None:
        """Where the newest entry closes an epoch: make its signed state durable as that epoch's seal.

        The next checkpoint takes the place of those bytes, so nothing is committed before. A file that stands there
        already and is another is set aside: nobody else writes seals. Raises DiskFull, CannotWrite, StorageFault.
        """
        tail = self._now.tail
        if tail.closed is None or tail.closed == self._sealed:
            return
        path = self.paths.seal(self.origin, tail.closed)
        try:
            self.files.create(path, tail.checkpoint)
        except Damaged:
            self.local.set_aside_file(path)
            self.files.create(path, tail.checkpoint)
        self._sealed = tail.closed

    def settle(self, tail: Tail, *, wall_ms: int | None = None) -> Settled:
        """Put in order what an interrupted run left, this process's or another's. Never touches a covered byte.

        Looks at the disk again when `dirty`; `reload_if_moved` then tells whether the log has moved on from `tail`.
        """
        self.last_settled = Settled()
        if not self._unmoved(tail) or not self._now.cache_good:
            self._settle_now(tail, wall_ms)
        with contextlib.suppress(NotevaultError):
            self.seal()  # the next commit insists on it
        return self.last_settled

    def _unmoved(self, tail: Tail) -> bool:
        if self.dirty or tail != self._now.tail:
            return False
        size = self.files.size(self.paths.open(self.origin)) or 0
        return size == tail.open_bytes and self.checkpoint_bytes() == tail.checkpoint

    def _write(self, step: Step) -> None:
        if self.dirty:  # the step before could not rename its bundle: `open` must not grow past 256 entries
            self._settle_now(self._now.tail, None)
        self.dirty = True
        self.files.append(self.paths.open(self.origin), step.data, at=self._now.tail.open_bytes)
        self.files.replace(self.paths.checkpoint(self.origin), step.after.checkpoint)
        roots = self._now.roots
        if step.closed_root is not None:
            roots = roots + step.closed_root
        self._now = Believed(step.after, roots, self._now.cache_good)
        if step.closed_root is None:
            self.dirty = False
            return
        # The entries are committed: what fails from here on is left `dirty` for the next settle, and is no failure
        # of this commit.
        with contextlib.suppress(NotevaultError):
            self._close_bundle(step.closed_root)
            self.dirty = False

    def _close_bundle(self, root: bytes) -> None:
        """`hashes` comes last: where it says the right thing, the bundle is durable under its name."""
        number = self._now.tail.size // BUNDLE - 1
        self._rename(number)
        good, self._now = self._now.cache_good, Believed(self._now.tail, self._now.roots, False)
        if good:
            self.files.append(self.paths.hashes(self.origin), root, at=32 * number)
            self._now = Believed(self._now.tail, self._now.roots, True)

    def _rename(self, number: int) -> None:
        target = self.paths.bundle(self.origin, number)
        if number % 1000 == 0:
            make_lasting_folder(self.files, target.parent)
        self.files.move(self.paths.open(self.origin), target)

    # Settling

    def _settle_now(self, known: Tail, wall_ms: int | None) -> Tail:
        """Believe the disk again, see that it continues `known`, and put all beside the covered bytes in order."""
        thorough, self.dirty = self.dirty, True
        self._read_again(known)
        tail = self._now.tail
        waiting = self._bundle_waits(tail)
        if tail.checkpoint and (thorough or waiting):
            # Seen is not yet durable: an older checkpoint must not come back once `open` has been renamed.
            self.files.replace(self.paths.checkpoint(self.origin), tail.checkpoint)
        surplus = self._settle_open(tail, waiting, thorough, wall_ms)
        if thorough or not self._now.cache_good:
            self._rewrite_hashes()
        self.dirty = False
        self.last_settled = Settled(surplus, waiting)
        return tail

    def _read_again(self, known: Tail) -> None:
        if known.size == 0 and not self.begun():
            self._now = Believed(Tail.empty(), bytearray(), False)
            return
        if self._believe is None:
            raise OwnFault("The log was to be settled before it was loaded.")
        try:
            fresh = self._reader.load(self._believe)
        except NotFound:
            raise LogDamaged("MISSING: the log's signed state was there before and is gone.") from None
        if fresh.tail.size < known.size:
            raise LogDamaged(f"ROLLED BACK: {known.size} entries of the log were seen, now it has {fresh.tail.size}.")
        self._now, before = fresh, self._now
        if self.root_at(known.size) != known.root:
            self._now = before
            raise LogDamaged(f"FORKED: the log is another than the one seen with {known.size} entries.")

    def _bundle_waits(self, tail: Tail) -> bool:
        if tail.size == 0 or tail.size % BUNDLE:
            return False
        return self.files.size(self.paths.bundle(self.origin, tail.size // BUNDLE - 1)) is None

    def _settle_open(self, tail: Tail, waiting: bool, thorough: bool, wall_ms: int | None) -> int:
        """Returns how many bytes were set aside."""
        path = self.paths.open(self.origin)
        size = self.files.size(path)
        number = tail.size // BUNDLE - 1
        keep = tail.open_bytes
        if waiting:
            _, keep = self._reader.covered(path, BUNDLE)
        elif tail.size and tail.size % BUNDLE == 0:
            size = self._confirm_bundle(number, path, size)
        surplus = max(0, (size or 0) - keep)
        if surplus:
            self.local.set_aside_range(f"open-{self.origin}-{tail.size}", path, keep, keep + surplus, wall_ms=wall_ms)
        if surplus or thorough:
            if keep:
                self.files.replace(path, self.files.read_range(path, 0, keep))
            else:
                self.files.remove(path)  # even when absent: `files` remembers which path it must not append to
        if waiting:
            self._rename(number)
        return surplus

    def _confirm_bundle(self, number: int, opened: Path, size: int | None) -> int | None:
        """Make the last full bundle durable under its name; drop `open` where it is a second name of the same bytes."""
        path = self.paths.bundle(self.origin, number)
        data = self.files.read(path, limit=bundle.MAX_BYTES)
        self.files.create(path, data)
        if size == len(data) and self.files.read(opened, limit=size) == data:
            self.files.remove(opened)
            return None
        return size

    def _rewrite_hashes(self) -> None:
        path = self.paths.hashes(self.origin)
        if self._now.roots:
            self.files.replace(path, bytes(self._now.roots))
        else:
            self.files.remove(path)
        self._now = Believed(self._now.tail, self._now.roots, True)
