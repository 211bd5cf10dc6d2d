"""A log as a backup place keeps it (FORMAT section 13), read as if it lay in a vault.

The newest state that counts (7.1) and whose entries are all there stands for `checkpoint`; full bundles and `parts/`
put together stand for `entries/` and `open`. Of pieces that differ those count that lead back from the last entry by
`p`, each to the hash of the entry before. A state whose entries are not all there is *still arriving*. Where entries
lie there and lead nowhere, the state stands all the same, and the check of the log says what is wrong with them.

Bounded like all here: so many anchors, pieces and last entries are looked at; one bundle at a time is in memory.
"""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterator
from pathlib import Path

from . import anchor, bundle, card, checkpoint, entry, merkle
from .events import INT
from .fault import Fault
from .folder import folder_reader, names, read_file
from .note import Verify

BUNDLE = bundle.ENTRIES
MAX_NAMES = 100_000  # of anchors and of pieces that are looked at
MAX_STATES = 512  # opened, the longest first
MAX_ENDS = 16  # pieces that differ in the last entry
MAX_ROUNDS = 16  # states whose entries are read through
MAX_PIECES = 512  # of one bundle: more than its entries
_PART = re.compile(rf"({INT})-({INT})")
_TILE = re.compile(r"entries/((?:x[0-9]{3}/)*[0-9]{3})")
_SEAL = re.compile(r"[0-9]{8}")
_LAST_SEALS = 64  # tried where no anchor is left
_TOP = (1 << 53) - 1


class _Stop(Exception):
    """The way back ends at entry `index`; `absent`: no piece has one of that number."""

    def __init__(self, index: int, *, absent: bool) -> None:
        super().__init__(index)
        self.index, self.absent = index, absent


class PlaceLog:
    """A `folder.Read` of the log in `folder`, a log's folder of a place; `states` holds its anchors.

    `identity`: the log's identity key, by its card; without it no state counts. `size`: of the state that stands for
    the checkpoint, 0 for none. `arriving`: of the longest state that counts and is not whole, 0 for none.
    """

    def __init__(self, folder: Path, origin: str, states: Path | None, identity: bytes | None, verify: Verify) -> None:
        self._read, self._folder, self._origin = folder_reader(folder), folder, origin
        self._states, self._identity, self._verify = states, identity, verify
        self._chosen: checkpoint.Checkpoint | None = None
        self._parts: dict[int, list[tuple[int, int, str]]] | None = None
        self._ends: dict[int, str] = {}  # bundle -> hash of the last entry that is wanted of it; where all is whole
        self._crowded: set[int] = set()  # bundles with more pieces than are looked at: what differs proves nothing
        self._looked, self._arriving = False, 0

    def __call__(self, name: str) -> bytes | Fault | None:
        if name == "checkpoint":
            self._look()
            return None if self._chosen is None else self._chosen.raw
        if name in ("open", "hashes"):
            return self._rest() if name == "open" else None
        tile = _TILE.fullmatch(name)
        if tile is None:
            return self._read(name)
        number = int(tile[1].replace("x", "").replace("/", ""))
        return self._bundle(number) if number < self.size // BUNDLE else None

    @property
    def size(self) -> int:
        self._look()
        return 0 if self._chosen is None else self._chosen.size

    @property
    def arriving(self) -> int:
        self._look()
        return self._arriving

    # -- which state

    def _look(self) -> None:
        if self._looked:
            return
        self._looked = True
        end, rounds = self._gap(), 0
        for state in self._signed():
            if state.size > end or rounds >= MAX_ROUNDS:
                self._arriving = max(self._arriving, state.size)
                continue
            rounds += 1
            try:
                self._ends = self._whole(state)
            except _Stop as stop:
                if stop.absent:
                    end = stop.index
                    self._arriving = max(self._arriving, state.size)
                    continue
                self._ends = {}
            self._chosen = state
            return

    def _signed(self) -> Iterator[checkpoint.Checkpoint]:
        """States that count, the longest first: anchors, and seals where the place has no anchor that counts."""
        found: list[tuple[int, str]] = []
        for count, (name, kind) in enumerate(names(self._states / self._origin) if self._states else ()):
            named = anchor.parse_name(name)
            if count >= MAX_NAMES:
                break
            if named is not None and named[0] and kind == "file":
                (heapq.heappush if len(found) < MAX_STATES else heapq.heappushpop)(found, (named[0], name))
        counting = False
        for _, name in sorted(found, reverse=True):
            data = read_file(self._states or self._folder, f"{self._origin}/{name}", anchor.MAX_BYTES)
            state = self._state(data)
            if state is not None and anchor.name_of(state.size, state.root) == name:
                counting = True
                yield state
        if counting:
            return
        seals = (name for name, _ in names(self._folder / "seals") if _SEAL.fullmatch(name))
        for name in heapq.nlargest(_LAST_SEALS, seals):
            state = self._state(self._read(f"seals/{name}"))
            if state is not None:
                yield state

    def _state(self, data: bytes | Fault | None) -> checkpoint.Checkpoint | None:
        found = checkpoint.parse(data) if isinstance(data, bytes) else None
        if not isinstance(found, checkpoint.Checkpoint) or found.origin != self._origin or self._identity is None:
            return None
        return found if checkpoint.check_identity(found, self._identity, self._verify) is None else None

    def _gap(self) -> int:
        """The first entry that no piece has, by the pieces' names."""
        number = 0
        while number * BUNDLE < _TOP:
            if not self._is_full(number):
                end = number * BUNDLE
                for start, stop, _ in sorted(self._pieces(number)):
                    if start > end:
                        break
                    end = max(end, stop)
                if end < (number + 1) * BUNDLE:
                    return end
            number += 1
        return _TOP

    def _is_full(self, number: int) -> bool:
        return os.path.lexists(self._folder / "entries" / bundle.tile_path(number))

    def _whole(self, state: checkpoint.Checkpoint) -> dict[int, str]:
        """The last entry of each bundle, by its hash. Raises _Stop where the entries are not all there, or where none
        of those that lie there can be the signed ones.
        """
        last = (state.size - 1) // BUNDLE
        ends = list(self._pool(last).get(state.size - 1, {}))[:MAX_ENDS]
        stop, whole = _Stop(state.size - 1, absent=True), []
        for end in ends:
            try:
                whole.append(self._back(state.size, end))
            except _Stop as found:
                stop = found if stop.absent else stop
        if not whole:
            raise stop
        if len(whole) > 1:
            whole = [way for way in whole if self._root(state.size, way) == state.root] or whole
        return whole[0]

    def _back(self, size: int, end: str) -> dict[int, str]:
        ends: dict[int, str] = {}
        for number in range((size - 1) // BUNDLE, -1, -1):
            ends[number] = end
            end = _p(self._chain(number, min(size, (number + 1) * BUNDLE), end)[0])
        return ends

    def _root(self, size: int, ends: dict[int, str]) -> bytes:
        tree = merkle.Frontier()
        for number in sorted(ends):
            entries = self._chain(number, min(size, (number + 1) * BUNDLE), ends[number])
            tree.extend(map(merkle.leaf_hash, entries))
        return tree.root()

    # -- one bundle

    def _chain(self, number: int, stop: int, end: str) -> list[bytes]:
        """The entries from the bundle's first to `stop` - 1, the last of which has the hash `end`."""
        count = stop - number * BUNDLE
        plain = self._full(number)[:count]
        if len(plain) == count and _links(plain, end):
            return plain
        pool, found = self._pool(number), []
        for index in range(stop - 1, number * BUNDLE - 1, -1):
            data = pool.get(index, {}).get(end)
            if data is None:
                raise _Stop(index, absent=index not in pool or number in self._crowded)
            found.append(data)
            end = _p(data)
        return found[::-1]

    def _pool(self, number: int) -> dict[int, dict[str, bytes]]:
        """All entries that pieces of this bundle have, by index and hash."""
        pool: dict[int, dict[str, bytes]] = {}
        whole = [(number * BUNDLE, (number + 1) * BUNDLE, f"entries/{bundle.tile_path(number)}")]
        for start, stop, name in [*whole, *self._pieces(number)]:
            for index, data in enumerate(self._entries(name, stop - start), start):
                pool.setdefault(index, {})[_hash(data)] = data
        return pool

    def _full(self, number: int) -> list[bytes]:
        return self._entries(f"entries/{bundle.tile_path(number)}", BUNDLE)

    def _entries(self, name: str, count: int) -> list[bytes]:
        """As many whole ones as it begins with: what is cut short has not arrived."""
        data = self._piece(name)
        found = bundle.split_prefix(data, count) if isinstance(data, bytes) else ([], 0)
        return [] if isinstance(found, Fault) else found[0]

    def _piece(self, name: str) -> bytes | Fault | None:
        return read_file(self._folder, name, bundle.MAX_BYTES)

    def _pieces(self, number: int) -> list[tuple[int, int, str]]:
        if self._parts is None:
            self._parts = {}
            for count, (name, kind) in enumerate(names(self._folder / "parts")):
                found = _PART.fullmatch(name)
                if count >= MAX_NAMES:
                    break
                if found is None or kind != "file":
                    continue
                start, stop = int(found[1]), int(found[2])
                if start < stop and start // BUNDLE == (stop - 1) // BUNDLE:
                    pieces = self._parts.setdefault(start // BUNDLE, [])
                    if len(pieces) < MAX_PIECES:
                        pieces.append((start, stop, f"parts/{name}"))
                    else:
                        self._crowded.add(start // BUNDLE)
        return self._parts.get(number, [])

    # -- as a vault's files

    def _bundle(self, number: int) -> bytes | Fault | None:
        if number in self._ends:
            try:
                return bundle.pack(self._chain(number, (number + 1) * BUNDLE, self._ends[number]))
            except _Stop:  # changed since it was looked at
                pass
        return self._as_it_lies(number, BUNDLE)

    def _rest(self) -> bytes | Fault | None:
        size = self.size
        number, count = size // BUNDLE, size % BUNDLE
        if not count:
            return None
        if number in self._ends:
            try:
                return bundle.pack(self._chain(number, size, self._ends[number]))
            except _Stop:
                pass
        return self._as_it_lies(number, count)

    def _as_it_lies(self, number: int, count: int) -> bytes | Fault | None:
        """What nobody can put together: the full bundle, else the pieces one behind the other."""
        data = self._piece(f"entries/{bundle.tile_path(number)}")
        if isinstance(data, Fault) or (data is not None and count == BUNDLE):
            return data
        found, first = self._full(number)[:count], number * BUNDLE
        for start, stop, name in sorted(self._pieces(number), key=lambda one: (one[0], -one[1])):
            at = first + len(found)
            if start <= at < stop:
                found += self._entries(name, stop - start)[at - start :]
        return bundle.pack(found[:count]) if found else None


def identity_of(data: bytes | Fault | None, origin: str) -> bytes | None:
    """The identity key on a log's card. Whether the card is the vault's is judged elsewhere."""
    found = card.parse(data) if isinstance(data, bytes) else None
    return found.identity_pub if isinstance(found, card.Card) and found.origin == origin else None


def _hash(data: bytes) -> str:
    return merkle.leaf_hash(data)[:16].hex()


def _p(data: bytes) -> str:
    """What the entry says of the one before it; "" where it does not read, which leads nowhere."""
    found = entry.parse(data)
    return found.p if isinstance(found, entry.Entry) else ""


def _links(entries: list[bytes], end: str) -> bool:
    """Does each entry name the one before it, up to the one with the hash `end`? That the name stands at its place in
    the entry, the check of the log will see.
    """
    before = _hash(entries[0])
    for data in entries[1:]:
        if b'"p":"' + before.encode() + b'"' not in data:
            return False
        before = _hash(data)
    return before == end
