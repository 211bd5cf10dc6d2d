"""Everything that lies in the folders named, when no log of the vault can be put together: all sealed files and key
files that are what their names say, cards, signed states, and of the logs whatever entries still read.

No state is restored then, and nobody can say what is missing. What comes of it is a vault whose logs cannot be
believed; the recovery sheet opens it, and every record that a key of the vault still opens is taken into a new log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from notevault.auditlog import bundle, checkpoint, headers, merkle, pieces
from notevault.auditlog.entry import Entry, parse
from notevault.auditlog.fault import Fault
from notevault.backup.copies.copies import READ_LIMIT, Choice, Copies
from notevault.backup.copies.identities import fingerprint
from notevault.backup.copies.place import PlaceCopy, TreeCopy
from notevault.backup.copies.port import HeaderName, State
from notevault.backup.places import layout as names
from notevault.errors import Missing
from notevault.storage.layout import BUNDLE

MOST = 1_000_000  # bundles; more are in nobody's vault
_TAKEN = (b'"ev":"import.run"', b'"pu":"recovery"')
_OPEN_LIMIT = 8 * bundle.MAX_BYTES


class Everything:
    """The sealed files of all copies, by name; as `choice.LiveFiles`. Of a file with several sizes the right one."""

    def __init__(self, copies: Copies) -> None:
        self._copies = copies
        self._parts: dict[int, dict[bytes, tuple[int, int]]] = {}

    @property
    def count(self) -> int:
        return sum(len(self.part(first)) for first in range(256))

    @property
    def weight(self) -> int:
        return sum(size for first in range(256) for size, _ in self.part(first).values())

    def part(self, first: int) -> dict[bytes, tuple[int, int]]:
        if first not in self._parts:
            found = self._copies.files(first)
            self._parts[first] = {digest: (self._size(digest, sizes), 0) for digest, sizes in found.items()}
        return self._parts[first]

    def _size(self, digest: bytes, sizes: set[int]) -> int:
        if len(sizes) > 1:
            for size in sorted(sizes, reverse=True):
                if size <= READ_LIMIT and self._read(digest, size):
                    return size
        return max(sizes)

    def _read(self, digest: bytes, size: int) -> bool:
        before = set(self._copies.bad)
        try:
            self._copies.read(digest.hex(), size)
        except Missing:
            self._copies.bad = before  # it had another size than was asked for: nothing is known against it
            return False
        return True


@dataclass(frozen=True)
class Salvage:
    """What a restore copies, in the shape of a `Choice`. `entries`: of all logs together, that still read."""

    copies: Copies = field(repr=False, compare=False)
    states: dict[str, State]  # the largest signed one of each log, readable or not
    headers: tuple[HeaderName, ...]  # all of this vault's identity, the highest number last
    live: Everything = field(repr=False, compare=False)
    missing: int = 0
    last_ms: int = 0  # not known
    whole: bool = False

    def logs(self) -> Iterator[tuple[str, bytes]]:
        """Paths in the vault, and bytes: what there is of every log."""
        for origin in _origins(self.copies):
            card = self.copies.card(origin)
            if card is not None:
                yield names.card(origin), card
            for number, entries in sorted(_entries(self.copies, origin).items()):
                path = names.bundle(origin, number)
                if origin in self.states and entries.keys() == _last(self.states[origin].size, number):
                    path = f"{names.audit(origin)}/open"
                yield path, bundle.pack(_linked(entries))
            for number, data in sorted(_seals(self.copies, origin).items()):
                yield names.seal(origin, number), data
            if origin in self.states:
                yield f"{names.audit(origin)}/checkpoint", self.states[origin].checkpoint

    def folders(self) -> list[str]:
        """All that `logs` and `headers` need, in the order in which they are made."""
        found = {names.headers(one.origin): None for one in self.headers}
        for origin in _origins(self.copies):
            found |= dict.fromkeys((names.audit(origin), names.entries(origin), names.seals(origin)))
            for number in {max(0, number) for number, _ in _files(self.copies, origin)}:
                for each in (number, number + 1):  # `open` may be the first of the next folder
                    found[names.bundle(origin, each).rpartition("/")[0]] = None
        return list(found)


def salvage(copies: Copies) -> Salvage | None:
    """None where nothing could ever be opened: no key file of the vault that holds, or no sealed file."""
    ours = key_files(copies)
    live = Everything(copies)
    if not ours or not live.count:
        return None
    return Salvage(copies, _signed(copies), ours, live)


def taken_over(copies: Copies, choice: Choice, entries: int) -> bool:
    """Whether all that cannot be read are logs beyond belief whose records a later one has taken over (FORMAT.md 6.3,
    `import.run`): then nothing is missed.
    """
    unread = sum(state.size for origin, state in _signed(copies).items() if origin not in choice.facts)
    return unread == entries and any(
        _TAKEN[0] in data and _TAKEN[1] in data for facts in choice.facts.values() for data in facts.log.entries()
    )


def orphans(copies: Copies, choice: Choice) -> int:
    """Sealed files that are there and that no log, as far as it can be read, ever named."""
    count = 0
    for first in range(256):
        named = {digest for facts in choice.facts.values() for digest, _, _ in facts.records(first)}
        gone = {purge.digest for facts in choice.facts.values() for purge in facts.purges}
        count += len(copies.files(first).keys() - named - gone)
    return count


def key_files(copies: Copies) -> tuple[HeaderName, ...]:
    """Those that the vault's identity signed, named by a log or not; the highest number last."""
    found = []
    for name in dict.fromkeys(name for copy in copies.copies for name in copy.headers()):
        header = headers.parse(copies.header(name) or b"")
        if isinstance(header, Fault) or header.vault != copies.vault or header.seq != name.seq:
            continue
        if copies.viks and header.vik not in copies.viks:
            continue
        if not copies.viks and copies.known not in (None, header.vik, fingerprint(header.vik)):
            continue
        if headers.check(header, copies.verify) is None:
            found.append(name)
    return tuple(sorted(found, key=lambda one: (one.seq, one.origin, one.digest)))


def _signed(copies: Copies) -> dict[str, State]:
    found = {}
    for origin in copies.origins():
        for size, root in reversed(copies.named(origin)):
            data = next(copies.signed(origin, size, root), None)
            if data is not None:
                found[origin] = State(origin, size, root, data)
                break
    return found


def _trees(copies: Copies) -> list[TreeCopy]:
    return [copy for copy in copies.copies if isinstance(copy, TreeCopy)]


def _origins(copies: Copies) -> list[str]:
    """Those of the vault's own identity; where not one card reads, all."""
    return copies.origins() or sorted({origin for copy in _trees(copies) for origin in copy.origins()})


def _seals(copies: Copies, origin: str) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for copy in _trees(copies):
        for number in copy.seal_numbers(origin):
            data = copy.seal(origin, number)
            signed = checkpoint.parse(data or b"")
            if data is not None and not isinstance(signed, Fault) and signed.origin == origin:
                found.setdefault(number, data)
    return found


def _files(copies: Copies, origin: str) -> set[tuple[int, str]]:
    """Bundle and path, in some copy, of every file with entries of this log; `open` counts as of bundle -1."""
    found: set[tuple[int, str]] = set()
    for copy in _trees(copies):
        found |= _bundles(copy, names.entries(origin), 0)
        if isinstance(copy, PlaceCopy):
            parts = {name: names.parse_part(name) for name in copy.names(names.parts(origin))}
            found |= {
                (part[0] // BUNDLE, f"{names.parts(origin)}/{name}")
                for name, part in parts.items()
                if part is not None and part[0] // BUNDLE < MOST
            }
        elif copy.read(f"{names.audit(origin)}/open", _OPEN_LIMIT):
            found.add((-1, f"{names.audit(origin)}/open"))
    return found


def _bundles(copy: TreeCopy, folder: str, above: int) -> set[tuple[int, str]]:
    """`x001/234` is bundle 1234."""
    found = set()
    for name in copy.names(folder):
        digits = name.removeprefix("x")
        if len(digits) != 3 or not digits.isdecimal() or not digits.isascii():
            continue
        if name == digits:
            found.add((above * 1000 + int(digits), f"{folder}/{name}"))
        elif above == 0:
            found |= _bundles(copy, f"{folder}/{name}", int(digits))
    return found


def _entries(copies: Copies, origin: str) -> dict[int, dict[int, list[bytes]]]:
    """Bundle -> number of an entry -> all that somewhere call themselves so, each once."""
    found: dict[int, dict[int, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    for number, path in sorted(_files(copies, origin)):
        for copy in _trees(copies):
            for index, data in pieces.find(copy.read(path, _OPEN_LIMIT if number < 0 else bundle.MAX_BYTES) or b""):
                if (
                    number in (-1, index // BUNDLE)
                    and index // BUNDLE < MOST
                    and data not in found[index // BUNDLE][index]
                ):
                    found[index // BUNDLE][index].append(data)
    return {number: dict(entries) for number, entries in found.items()}


def _last(size: int, number: int) -> set[int]:
    """The numbers of the entries after the last full bundle, where that is what bundle `number` is."""
    return set(range(number * BUNDLE, size)) if size // BUNDLE == number else set()


def _linked(entries: dict[int, list[bytes]]) -> list[bytes]:
    """One of each number, from the last to the first: where the next entry says which, that one."""
    chosen: list[bytes] = []
    wanted: str | None = None
    for index in sorted(entries, reverse=True):
        right = [data for data in entries[index] if merkle.leaf_hash(data)[:16].hex() == wanted]
        chosen.append((right or entries[index])[0])
        after = parse(chosen[-1])
        wanted = after.p if isinstance(after, Entry) else None
    return chosen[::-1]
