"""Healing one backup place: what it once held as a whole is made right. What it never had is the mirror's work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from notevault.auditlog import bundle, card, checkpoint
from notevault.backup.checks.parts import exhausts, look_at_part
from notevault.backup.copies.choice import Choice, ChosenFiles
from notevault.backup.copies.copies import Copies
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.port import State
from notevault.backup.heal.batch import Batch
from notevault.backup.heal.healing import Healing
from notevault.backup.model import Head, Problem
from notevault.backup.places import layout as place
from notevault.errors import NotFound
from notevault.ports import WriteOnce
from notevault.storage.headers import HEADER_LIMIT
from notevault.storage.layout import BUNDLE

STEM = 40  # characters of a name that set aside still says


class PlaceHealer:
    """`rest`: the other copies. `every`: this place and the others. `sound`: it is right now, as far as is known."""

    def __init__(self, own: PlaceCopy, tree: WriteOnce, rest: Copies, every: Copies, found: Healing) -> None:
        self._own, self._tree, self._rest, self._every, self._found = own, tree, rest, every, found
        self._day = ""
        self.sound = True
        self._kept: set[str] | None = None
        self._batch = Batch(rest, self._put_back, self._large, lambda digest: self._lack(place.blob(digest)))

    def run(self, heads: Mapping[str, Head], wall_ms: int) -> None:
        """`heads`: what it once held, by this device's memory. Raises as `WriteOnce` does; NotFound without a log."""
        self._day = datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y-%m-%d")
        choice = self._every.newest()
        choice, sizes = self._mine(choice, heads)
        purged = {purge.digest for one in choice.facts.values() for purge in one.purges}
        live = ChosenFiles({origin: choice.facts[origin] for origin in sizes}, sizes, purged)
        for first in range(256):
            self._part(first, live.part(first))
            if not self._found.step():
                self._batch.flush()
                self.sound = False
                return
        self._batch.flush()
        self._key_files(choice, sizes)
        for origin, size in sizes.items():
            self._log(choice, origin, size)

    def _mine(self, choice: Choice, heads: Mapping[str, Head]) -> tuple[Choice, dict[str, int]]:
        """The logs at the size that the place should have: of its largest signed state, or of the remembered one."""
        facts, sizes = {}, {}
        for origin in self._every.origins():
            states = {(size, root) for size, root in self._own.named(origin) if size}
            if origin in heads:
                states.add((heads[origin].size, heads[origin].root))
            for size, root in sorted(states, reverse=True):
                if next(self._every.signed(origin, size, root), None) is None and not _is(
                    heads.get(origin), size, root
                ):
                    continue
                found = self._every.facts(choice, origin, size, root)
                if found is not None:
                    facts[origin], sizes[origin] = found, size
                    break
            if origin in sizes and facts[origin] is not choice.facts.get(origin):
                text = "it holds a signed state that contradicts that of another copy"
                self._found.problems.append(Problem("FORKED", place.anchors(origin), text))
        states_ = {
            origin: State(origin, size, facts[origin].root_at(size) or b"", b"") for origin, size in sizes.items()
        }
        return replace(choice, facts=facts, states=states_), sizes

    # -- sealed files

    def _part(self, first: int, expected: dict[bytes, tuple[int, int]]) -> None:
        looked = look_at_part(self._tree, first, expected, self._found.stop)
        if not looked.bad:
            return
        folder = place.blob_folder(first)
        if any(problem.path == folder for problem in looked.problems):
            self._aside(folder)
        self._tree.make_folders([folder])
        self._batch.take(looked.bad, expected)

    def _put_back(self, files: list[tuple[str, bytes]]) -> None:
        """The right bytes are in memory: the wrong files are moved away, all of these get their names."""
        right = [(place.blob(digest), data) for digest, data in files]
        for path, _ in right:
            self._aside(path)
        self._found.healed += self._tree.add_batch(right, read_back=True)

    def _large(self, digest: str, size: int) -> None:
        """In pieces, twice: a copy is read to its end before the wrong file is moved."""
        path = place.blob(digest)
        if any(exhausts(pieces) for pieces in self._rest.tries(digest, size)):
            self._aside(path)
            for pieces in self._rest.tries(digest, size):  # begins with the one that was right
                self._tree.add_stream(path, pieces, sha256=digest, read_back=True)
                self._found.healed += 1
                return
        self._lack(path)

    # -- key files and logs

    def _key_files(self, choice: Choice, sizes: dict[str, int]) -> None:
        refs = [ref for origin in sizes for ref in choice.facts[origin].headers if ref.index < sizes[origin]]
        newest = max(refs, key=lambda ref: (ref.name.seq, ref.name.origin), default=None)
        there = set(self._own.headers())
        for ref in refs:
            gone = ref.name not in there and not self._was_aside(place.header(*ref.name))
            if (ref is not newest and gone) or self._own.header(ref.name) is not None:
                continue
            data, path = self._rest.header(ref.name), place.header(*ref.name)
            if data is None:
                self._lack(path)
            else:
                self._tree.make_folders([place.headers(ref.name.origin)])
                self._right(path, data, HEADER_LIMIT)

    def _log(self, choice: Choice, origin: str, size: int) -> None:
        """Card, entries, seals; the signed state last."""
        facts, data = choice.facts[origin], self._every.card(origin)
        names = [place.entries(origin), place.parts(origin), place.seals(origin), place.anchors(origin)]
        self._tree.make_folders(names)
        if data is not None:
            self._right(place.card(origin), data, card.MAX_BYTES)
        for number in range(size // BUNDLE):
            path = place.bundle(origin, number)
            self._tree.make_folders([path.rpartition("/")[0]])
            self._right(path, bundle.pack(facts.log.bundle(number)), bundle.MAX_BYTES)
        number, count = divmod(size, BUNDLE)
        if count:
            entries = facts.log.bundle(number)[:count]
            if not self._has(origin, number, entries):
                start = number * BUNDLE
                self._right(place.part(origin, start, start + count), bundle.pack(entries), bundle.MAX_BYTES)
        closed = {one.epoch: one.index for one in facts.closes}
        for epoch, seal in self._every.seals(choice, origin):
            # Of an epoch closed by the very last entry the anchor is the seal; a file that is there must be right
            if closed[epoch] + 1 < size or (closed[epoch] + 1 == size and epoch in self._own.seal_numbers(origin)):
                self._right(place.seal(origin, epoch), seal, checkpoint.MAX_BYTES)
        root = facts.root_at(size) or b""
        signed = next(self._every.signed(origin, size, root), None)
        if signed is not None:  # else only this device remembers the state: the mirror brings one that is signed
            self._right(place.anchor(origin, size, root), signed, checkpoint.MAX_BYTES)

    def _has(self, origin: str, number: int, entries: list[bytes]) -> bool:
        """Do the pieces that lie there give these entries without a gap?"""
        first, found = number * BUNDLE, set[int]()
        for piece in self._own.pieces(origin, number):
            for index, data in enumerate(piece.entries, piece.start - first):
                if index < len(entries) and entries[index] == data:
                    found.add(index)
        return len(found) == len(entries)

    # -- helpers

    def _right(self, path: str, data: bytes, limit: int) -> None:
        """See that exactly these bytes lie there."""
        if self._own.read(path, limit) == data:
            return
        self._aside(path)
        self._tree.add(path, data, read_back=True)
        self._found.healed += 1

    def _aside(self, path: str) -> None:
        try:
            self._tree.set_aside(path, self._day)
        except NotFound:
            return
        self._found.aside += 1

    def _was_aside(self, path: str) -> bool:
        """Whether a file of this name was set aside here: by a healing that did not come to put the right one back."""
        if self._kept is None:
            days = (f"{place.QUARANTINE}/{day}" for day in self._own.names(place.QUARANTINE))
            self._kept = {name[:STEM] for day in days for name in self._own.names(day)}
        return path.rpartition("/")[2][:STEM] in self._kept

    def _lack(self, path: str) -> None:
        self.sound = False
        self._found.problems.append(Problem("LOST", path, "no other copy has it as it was"))


def _is(head: Head | None, size: int, root: bytes) -> bool:
    return head is not None and (head.size, head.root) == (size, root)
