"""Does the vault still look as it should? What ransomware does to it is seen here, before anything is copied.

A saved file is never changed: its name is the hash of its bytes. So one that is gone, has another size or other bytes
is hurt, whoever did it; several at once are no accident, and then nothing is copied to any place (`frozen`). At each
look names and sizes of all live files are compared; of those that were touched since the last look (a hint, which an
attacker can avoid) the bytes; and every day those of three of the 256 folders, so that 86 days see all of them.

`<local>/backup/hurt`: canonical JSON and a newline, {`at` ms of the last look, `hurt` {digest: why}, `lost` [digest],
`next` the folder to be hashed next, `sampled` ms of the last daily hashing, `v` 1}. A memory, never a proof: what it
names is looked at again each time, and forgotten once it is right.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from notevault.backup.places import aside, hashing
from notevault.backup.places import layout as place
from notevault.backup.places.registry import Places
from notevault.backup.source.source import Source
from notevault.errors import CannotWrite, Damaged, LogDamaged, NotevaultError, NotFound, StorageFault
from notevault.formats import text
from notevault.formats.ids import is_digest
from notevault.ports import Files, Tree

FREEZE_AT = 5
"""One or two bad files are a failing disk; so many between two looks are somebody at work."""
TOUCHED_MOST = 2048  # files hashed on the hint of their times; beyond that, every second, third, ... of them
PARTS_A_DAY = 3
DAY_MS = 24 * 3600 * 1000
HOUR_MS = 3600 * 1000  # so old the remembered time of the last look may be: disks want to sleep
BEFORE_MS = 2000  # times of files and of our clock need not agree to the millisecond (FAT counts in steps of 2 s)
KEPT_MOST = 10_000  # hurt files named in the memory; a freeze does not need more
_LIMIT = 4 << 20


@dataclass(frozen=True)
class Look:
    """`hurt`: digest -> why (`missing`, `changed`, `unreadable`). `lost`: given up, since no copy has them."""

    hurt: dict[str, str] = field(default_factory=dict)
    frozen: bool = False
    lost: frozenset[str] = frozenset()

    @property
    def skip(self) -> set[str]:
        """What cannot be copied."""
        return {*self.hurt, *self.lost}


@dataclass(frozen=True)
class Memory:
    at: int = 0
    hurt: dict[str, str] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()
    next: int = 0
    sampled: int = 0


def look(source: Source, vault_tree: Tree, places: Places, now_ms: int, since_ms: int | None = None) -> Look:
    """Look at the vault's files. `since_ms`: when it was looked at last, for the hint (None: as remembered; 0: never,
    then every file is about to be hashed by the first backup anyway). Files that are `BEFORE_MS` older are looked at
    as well.

    Freezes where too much is hurt. Raises NotFound when the vault's folder is gone, CannotWrite, StorageFault;
    LogDamaged when too much is hurt and no freeze can be written: then nothing may be copied either.
    """
    before = recall(source.files, places)
    if places.frozen() is not None:
        return Look(before.hurt, True, before.lost)
    looking = _Looking(source, vault_tree, before.at if since_ms is None else since_ms)
    for first in range(256):
        looking.part(first)
    looking.newest_key_file()
    looking.remembered({*before.hurt, *before.lost})
    looking.touched()
    after = replace(before, at=now_ms, sampled=before.sampled or now_ms)
    if now_ms - after.sampled >= DAY_MS or after.sampled > now_ms:
        for number in range(PARTS_A_DAY):
            looking.hash_part((before.next + number) % 256)
        after = replace(after, next=(before.next + PARTS_A_DAY) % 256, sampled=now_ms)
    hurt = looking.hurt
    if any(why == hashing.MISSING for why in hurt.values()) and source.moved():
        # Written to meanwhile: what is missing may have been destroyed rightly. The next look will tell.
        hurt = {digest: why for digest, why in hurt.items() if why != hashing.MISSING or digest in before.hurt}
    lost = frozenset(before.lost & hurt.keys())
    hurt = {digest: why for digest, why in hurt.items() if digest not in lost}
    return _settle(source, places, replace(after, hurt=hurt, lost=lost), before, now_ms)


def note(source: Source, places: Places, now_ms: int, found: dict[str, str]) -> Look:
    """Files that a copy run found hurt, added to what is known; freezes as `look` does. The others were not looked at,
    so the time of the last look stays.
    """
    before = recall(source.files, places)
    fresh = {digest: why for digest, why in found.items() if digest not in before.lost}
    return _settle(source, places, replace(before, hurt={**before.hurt, **fresh}), before, now_ms)


def give_up(files: Files, places: Places, digests: Iterable[str]) -> None:
    """No copy anywhere has these: they freeze nothing any more. Should one come back, it is copied like any other."""
    before = recall(files, places)
    lost = before.lost.union(digests)
    hurt = {digest: why for digest, why in before.hurt.items() if digest not in lost}
    _keep(files, places, replace(before, hurt=hurt, lost=lost))


def recall(files: Files, places: Places) -> Memory:
    try:
        found = text.parse_canonical(files.read(_path(places), limit=_LIMIT), limit=_LIMIT, newline=True)
        text.exact_keys(found, frozenset({"at", "hurt", "lost", "next", "sampled", "v"}))
        text.integer(found["v"], 1, 1)
        hurt = {digest: str(why) for digest, why in found["hurt"].items() if is_digest(digest)}
        lost = frozenset(digest for digest in found["lost"] if is_digest(digest))
        return Memory(
            text.integer(found["at"]), hurt, lost, text.integer(found["next"], 0, 255), text.integer(found["sampled"])
        )
    except (NotFound, Damaged, CannotWrite, StorageFault, AttributeError, TypeError):
        return Memory()


def _settle(source: Source, places: Places, after: Memory, before: Memory, now_ms: int) -> Look:
    count, hurt = source.live.count, len(after.hurt)
    frozen = hurt >= FREEZE_AT or (hurt >= 2 and 2 * hurt >= count)
    if frozen:  # first: should the memory not be writable any more, nothing is copied all the same
        missing = sum(why == hashing.MISSING for why in after.hurt.values())
        why = "missing" if missing == hurt else "changed" if not missing else "changed or missing"
        try:
            places.freeze(now_ms, hurt, why)
        except NotevaultError as fault:
            raise LogDamaged(
                f"{hurt:,} saved files are missing or changed, and this laptop cannot even note that the backups stop"
                f" here: {fault.sentence} Nothing is copied.",
                "Unplug your backup places, free some space on this laptop, and have the computer looked at.",
            ) from None
    changed = (after.hurt, after.lost, after.next) != (before.hurt, before.lost, before.next)
    if changed or not 0 <= after.at - before.at < HOUR_MS:
        with suppress(CannotWrite, StorageFault, Damaged):  # a memory: without it the next look takes longer
            _keep(source.files, places, after)
    return Look(after.hurt, frozen, after.lost)


def _keep(files: Files, places: Places, memory: Memory) -> None:
    says = {
        "at": memory.at,
        "hurt": dict(sorted(memory.hurt.items())[:KEPT_MOST]),
        "lost": sorted(memory.lost)[:KEPT_MOST],
        "next": memory.next,
        "sampled": memory.sampled,
        "v": 1,
    }
    aside.put(files, _path(places), text.canonical(says) + b"\n")


def _path(places: Places) -> Path:
    return places.root / "hurt"


class _Looking:
    def __init__(self, source: Source, tree: Tree, since_ms: int) -> None:
        self._source, self._live, self._tree = source, source.live, tree
        self._since_ns = max(1, since_ms - BEFORE_MS) * 1_000_000 if since_ms else 0
        self._touched: list[tuple[str, int]] = []
        self.hurt: dict[str, str] = {}

    def part(self, first: int) -> None:
        """Names and sizes of one folder."""
        folder = place.blob_folder(first)
        try:
            there = self._tree.listing(folder)
        except Damaged:  # a link or a file where the folder belongs
            there = {}
        since = self._since_ns
        for name, size in self._live.sizes(first).items():
            seen = there.get(name)
            if seen is None:
                self.hurt[name] = hashing.MISSING
            elif seen.size != size or seen.kind != "file":
                if not seen.offline:
                    self.hurt[name] = hashing.CHANGED
            elif since and seen.mtime_ns > since and not seen.offline:
                self._touched.append((name, size))

    def newest_key_file(self) -> None:
        """The one that opens the vault. Older ones may be gone."""
        ours = [header for header in self._source.headers if header.origin == self._source.current]
        for header in sorted(ours, key=lambda one: one.seq)[-1:]:
            self._hash(header.digest, header.size, place.header(header.origin, header.seq, header.digest))

    def touched(self) -> None:
        step = -(-len(self._touched) // TOUCHED_MOST) or 1
        for name, size in self._touched[::step]:
            self._hash(name, size)

    def remembered(self, digests: Iterable[str]) -> None:
        for digest in digests:
            size = self._live.get(digest)
            if size is not None and digest not in self.hurt:
                self._hash(digest, size)

    def hash_part(self, first: int) -> None:
        for name, size in self._live.sizes(first).items():
            if name not in self.hurt:
                self._hash(name, size)

    def _hash(self, digest: str, size: int, path: str = "") -> None:
        try:
            sound = hashing.holds(self._tree, path or place.blob(digest), digest, size)
        except NotFound:
            self.hurt[digest] = hashing.MISSING
        except NotevaultError:
            self.hurt[digest] = hashing.UNREADABLE
        else:
            if not sound:
                self.hurt[digest] = hashing.CHANGED
