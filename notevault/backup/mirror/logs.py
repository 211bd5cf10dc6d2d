"""Bringing a log to a place: card, full bundles, parts of the begun one, seals (FORMAT.md section 13).

Everything written is proven against the signed root first. What lies there under one of these names with other bytes
is provably wrong and is set aside; `trusted` entries were committed here before by this device and are not read again,
which is what `verify` is for: where that found something wrong, nothing is trusted. Now and then (`sizes`) what is
trusted is compared by its size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from notevault.auditlog import bundle, checkpoint
from notevault.backup.checks import sizes as logsizes
from notevault.backup.mirror.strays import left_alone
from notevault.backup.model import Problem
from notevault.backup.places import layout as place
from notevault.backup.source.log import LogSource
from notevault.errors import Damaged, NotFound
from notevault.ports import WriteOnce
from notevault.storage.layout import BUNDLE

_BATCH = 256  # bundles: 40 MB
_CARD_LIMIT = 4096
_MOST_STRAYS = 100_000  # names looked at; there are as many parts as there were backups


@dataclass
class LogCopy:
    """`target`: how many entries the place is to have, at most the log's size. `day`: for the folder of what is set
    aside.
    """

    tree: WriteOnce
    log: LogSource
    target: int
    trusted: int
    read_back: bool
    day: str
    sizes: bool = False
    written: int = 0  # files
    problems: list[Problem] = field(default_factory=list)
    _odd: set[str] = field(default_factory=set)  # paths to be compared whatever is trusted

    def run(self) -> None:
        """Raises as `WriteOnce` and `LogSource` do. Idle, it costs four listings and a small file."""
        origin = self.log.origin
        there = self.tree.names(place.audit(origin))
        wanted = {"entries", "parts", "seals"}
        if not wanted <= there:
            self.tree.make_folders([f"{place.audit(origin)}/{name}" for name in sorted(wanted - there)])
        if self.sizes and self.trusted:
            self._odd = logsizes.odd(self.tree, self.log, self.target)
        # Every time: without its card no reader believes anything of a log
        self._put(place.card(origin), self.log.card_bytes, _CARD_LIMIT)
        self._bundles()
        self._begun()
        self._seals()

    def _put(self, path: str, data: bytes, limit: int) -> None:
        """Add it; first set aside what lies there and is another."""
        try:
            there = self.tree.read(path, limit=limit)
        except NotFound:
            there = None
        except Damaged:
            there = b""
        if there == data:
            return
        if there is not None:
            self._aside(path)
        self.tree.add(path, data, read_back=self.read_back)
        self.written += 1

    def _aside(self, path: str) -> None:
        self.tree.set_aside(path, self.day)
        self.problems.append(Problem("LOG", path, "a piece of the log there was not what was copied; set aside"))

    # Full bundles

    def _bundles(self) -> None:
        missing = list(self._missing())
        folders = sorted({place.bundle(self.log.origin, number).rpartition("/")[0] for number in missing})
        plain = place.entries(self.log.origin)
        if any(folder != plain for folder in folders):
            self.tree.make_folders([folder for folder in folders if folder != plain])
        for at in range(0, len(missing), _BATCH):
            self.written += self.tree.add_batch(self._packed(missing[at : at + _BATCH]), read_back=self.read_back)

    def _missing(self) -> Iterator[int]:
        """Numbers of the bundles that are not there; those not copied by this device are compared first."""
        folder, names = "", set[str]()
        for number in range(self.target // BUNDLE):
            path = place.bundle(self.log.origin, number)
            above, _, name = path.rpartition("/")
            if above != folder:
                folder, names = above, self.tree.names(above)
            if name not in names:
                yield number
            elif (BUNDLE * (number + 1) > self.trusted or path in self._odd) and not self._same(path, number):
                self._aside(path)
                yield number

    def _same(self, path: str, number: int) -> bool:
        try:
            there = self.tree.read(path, limit=bundle.MAX_BYTES)
        except (Damaged, NotFound):
            return False
        return there == self.log.packed(BUNDLE * number, BUNDLE * (number + 1))

    def _packed(self, numbers: list[int]) -> Iterator[tuple[str, bytes]]:
        for number in numbers:
            packed = self.log.packed(BUNDLE * number, BUNDLE * (number + 1))
            yield place.bundle(self.log.origin, number), packed

    # The begun bundle

    def _begun(self) -> None:
        start = self.target - self.target % BUNDLE
        if start == self.target:
            return
        reach = self._chain(start)
        if reach < self.target:
            path = place.part(self.log.origin, reach, self.target)
            self._put(path, self.log.packed(reach, self.target), bundle.MAX_BYTES)

    def _chain(self, start: int) -> int:
        """How far the parts that are there go on from `start` without a gap. Those beyond `trusted` are compared."""
        names = self.tree.names(place.parts(self.log.origin))
        for name in sorted(names)[:_MOST_STRAYS]:
            if place.parse_part(name) is None and not left_alone(name):
                self._aside(f"{place.parts(self.log.origin)}/{name}")
        parts = sorted(
            found
            for name in names
            if (found := place.parse_part(name)) is not None and found[0] >= start and found[1] <= self.target
        )
        reach = start
        for first, end in parts:
            if first > reach:
                break
            path = place.part(self.log.origin, first, end)
            sure = end <= self.trusted and path not in self._odd
            if end > reach and (sure or self._holds(first, end)):
                reach = end
        return reach

    def _holds(self, first: int, end: int) -> bool:
        path = place.part(self.log.origin, first, end)
        try:
            there = self.tree.read(path, limit=bundle.MAX_BYTES)
        except NotFound:
            return False
        except Damaged:
            there = b""
        if there == self.log.packed(first, end):
            return True
        self._aside(path)
        return False

    # Seals

    def _seals(self) -> None:
        names = self.tree.names(place.seals(self.log.origin))
        there = {number for number in range(self.log.closed_epochs) if f"{number:08d}" in names}
        doubted = {number for number in there if not self.trusted or place.seal(self.log.origin, number) in self._odd}
        there -= {number for number in doubted if not self._sealed(number)}
        if len(there) < self.log.closed_epochs:
            fresh = (
                (place.seal(self.log.origin, number), data)
                for number, data in self.log.seals(there)
                if self._covers(data)
            )
            self.written += self.tree.add_batch(fresh, read_back=self.read_back)

    def _covers(self, seal: bytes) -> bool:
        """Not of an epoch that ends beyond what is copied: a reader would miss the entries that it signs."""
        found = checkpoint.parse(seal)
        return isinstance(found, checkpoint.Checkpoint) and found.size <= self.target

    def _sealed(self, number: int) -> bool:
        """Whether the seal that is there is ours; one that is not goes out of the way."""
        path = place.seal(self.log.origin, number)
        ours = self.log.seal(number)
        try:
            there = self.tree.read(path, limit=checkpoint.MAX_BYTES)
        except (Damaged, NotFound):
            there = b""
        if ours is not None and there != ours:
            self._aside(path)
            return False
        return True
