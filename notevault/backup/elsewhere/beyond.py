"""What copies have of a closed log beyond the vault's own copy of it: an older laptop went on after the backup that the
vault was restored from, and a later backup of it turns up.

Only what continues the vault's own entries counts: the other log's root at the vault's size must be the vault's root.
Of that the largest signed state is taken that is there whole (FORMAT.md section 13) and names no key file: the highest
number is the one in use, and the log that goes on here has used the same numbers (section 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from notevault.auditlog import checkpoint
from notevault.auditlog.fault import Fault
from notevault.backup.copies.copies import Copies
from notevault.backup.copies.facts import Facts
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.port import Copy, State
from notevault.backup.copies.vault import VaultCopy
from notevault.backup.model import Head, More
from notevault.backup.places.ground import Ground
from notevault.backup.source.keyfiles import remembered
from notevault.backup.source.log import waiting_in
from notevault.backup.source.source import Source
from notevault.errors import LogDamaged
from notevault.ports import Tree
from notevault.storage.layout import LocalPaths
from notevault.storage.logepoch import ending

MAX_WAYS = 8  # signed states whose entries are put together: of a log that forked, or has not arrived
MAX_NAMES = 256  # names of states that are looked at: others can be put there by anybody


@dataclass(frozen=True)
class Extension:
    """A closed log as the copies have it. `forked`: a copy's signed state contradicts the vault's entries. `facts`:
    of the entries that continue the vault's; None where there are none that can be proven.
    """

    origin: str
    ours: Head
    largest: Head
    forked: bool
    facts: Facts | None = field(repr=False)
    copies: Copies = field(repr=False)
    gone: frozenset[bytes] = field(repr=False, default=frozenset())  # destroyed by whichever log

    @property
    def size(self) -> int:
        """Of what can be read of it; the vault's own where that is nothing."""
        return self.ours.size if self.facts is None else self.facts.log.size

    def changes(self, size: int | None = None) -> int:
        """Entries that name a file, from the end of the vault's on."""
        if self.facts is None:
            return 0
        return waiting_in(self.facts.log.entries(self.ours.size, size))[0]

    def files(self, size: int | None = None) -> dict[bytes, tuple[int, int]]:
        """Sealed files that these entries wrote and none destroyed: digest -> bytes, entry."""
        if self.facts is None:
            return {}
        end = self.size if size is None else size
        gone = self.gone | {purge.digest for purge in self.facts.purges if purge.index < end}
        return {
            digest: (weight, index)
            for first in range(256)
            for digest, weight, index in self.facts.records(first)
            if self.ours.size <= index < end and digest not in gone
        }

    @property
    def most(self) -> int:
        """Up to here it can be brought in, whatever else is missing: the first key file that it names ends it."""
        if self.facts is None:
            return self.ours.size
        return min([self.size, *(ref.index for ref in self.facts.headers if ref.index >= self.ours.size)])

    def limit(self) -> int:
        """Up to here nothing is missing: files by name and size, without those that were read and were wrong; seals."""
        limit, there = self.most, [self.copies.files(first) for first in range(256)]
        for digest, (weight, index) in self.files().items():
            if index < limit and weight not in there[digest[0]].get(digest, ()):
                limit = index
        for close in [] if self.facts is None else self.facts.closes:
            if close.index + 1 < limit and self.seal(close.epoch) is None:
                limit = close.index + 1
        return limit

    def state(self) -> State | None:
        """The largest state beyond the vault's that is there whole."""
        return None if self.facts is None or self.forked else next(self._states(self.limit()), None)

    def _states(self, limit: int) -> Iterator[State]:
        """Those whose two signatures hold, the largest first."""
        assert self.facts is not None
        card, verify = self.copies.cards[self.origin][0], self.copies.verify
        for size, root in reversed(self.copies.named(self.origin)):
            if not self.ours.size < size <= limit or self.facts.roots.get(size) != root:
                continue
            last, close = ending(size, [self.facts.log.entry(size - 1)])
            keys = self.facts.epoch_keys(size, card.epoch0_pub)
            for data in self.copies.signed(self.origin, size, root):
                found = checkpoint.parse(data)
                if isinstance(found, Fault) or last is None:
                    continue
                right = found.epoch == last or (close is not None and found.epoch == last + 1)
                if right and checkpoint.check_epoch(found, keys, verify) is None:
                    yield State(self.origin, size, root, data)
                    break

    def seal(self, epoch: int) -> bytes | None:
        """What closed this epoch, both signatures checked."""
        assert self.facts is not None
        card = self.copies.cards[self.origin][0]
        keys = self.facts.epoch_keys(self.size, card.epoch0_pub)
        (close,) = [one for one in self.facts.closes if one.epoch == epoch]
        size = close.index + 1
        root = self.facts.roots[size]
        alleged = self.copies.alleged_seals(self.origin, epoch, size, root)
        for data in [*alleged, *self.copies.signed(self.origin, size, root)]:
            good = checkpoint.check(data, card.identity_pub, {epoch: keys[epoch]}, self.copies.verify, self.origin)
            if not isinstance(good, Fault):
                return data
        return None


def look(ground: Ground, source: Source, others: Sequence[Copy], origins: Sequence[str]) -> list[Extension]:
    """Of these closed logs, those of which the others have a signed state that the vault does not have.

    Raises as the copies do.
    """
    vik = remembered(ground.files, LocalPaths(ground.local))
    own = VaultCopy(ground.vault_tree, source.vault)
    copies = Copies([own, *others], source.vault, vik)
    found = [_one(copies, source, origin) for origin in origins if origin in copies.cards]
    return [one for one in found if one is not None]


def _one(copies: Copies, source: Source, origin: str) -> Extension | None:
    ours = source.heads[origin]
    names = [one for one in copies.named(origin) if one[0] > ours.size][-MAX_NAMES:]
    sizes = [ours.size, *(size for size, _ in names)]
    largest: Head | None = None
    top: Facts | None = None
    forked, ways = False, 0
    for size, root in reversed(names):
        if top is not None and top.roots.get(size) == root:
            continue
        if ways >= MAX_WAYS or next(copies.signed(origin, size, root), None) is None:
            continue
        largest = largest or Head(size, root)
        ways += 1
        try:
            facts = Facts(copies.joiner(origin).log(size, root), copies.vault, copies.viks, sizes, copies.verify)
        except LogDamaged:
            continue
        if facts.root_at(ours.size) != ours.root or top is not None:  # another past, or a second way on from ours
            forked = True
        else:
            top = facts
    return None if largest is None else Extension(origin, ours, largest, forked, top, copies, source.live.purged)


def count(
    ground: Ground, source: Source, tree: Tree, gaps: Mapping[str, Head], known: Mapping[str, More], *, again: bool
) -> tuple[dict[str, More], bool]:
    """What a place has beyond the vault of the closed logs in `gaps` (with its newest state of each), and whether that
    contradicts the vault. What is `known` is not counted again; with `again` what could not be read is looked for.
    """
    found = {
        origin: more
        for origin, head in gaps.items()
        if (more := known.get(origin)) is not None
        and (more.head, more.ours) == (head, source.heads[origin].size)
        and (more.read or not again)
    }
    todo = [origin for origin in gaps if origin not in found]
    seen = look(ground, source, [PlaceCopy(tree, source.vault)], todo) if todo else []
    for one in seen:
        whole = one.facts is not None and one.size == gaps[one.origin].size
        found[one.origin] = More(gaps[one.origin], one.ours.size, one.changes(), len(one.files()), whole)
    return found, any(one.forked for one in seen)
