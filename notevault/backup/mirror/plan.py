"""What a pass is to do: what a place lacks (`make`), which logs to commit there (`is_due`), and whether it fits.

What is lacking is told by names alone: the vault's live files less the names that are there; nothing is opened. A
folder that is listed in full only now and then (`sizes`) also tells files whose size is wrong; their bytes are for
`verify` to read.

Each commit of a log costs two small files that stay at the place for ever:

    what grew                                     committed
    a file is named (a record, a key file)        at once
    reading, opening, locking                     15 minutes after the last commit
    nothing but backups' own results              a day after it
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from notevault.backup.model import Head, PlaceState
from notevault.backup.places import hashing
from notevault.backup.places import layout as place
from notevault.backup.source.cache import NamedKeyFile
from notevault.backup.source.log import waiting_in
from notevault.backup.source.source import Source
from notevault.backup.words.plain import size_words
from notevault.ports import Tree, WriteOnce
from notevault.storage.layout import parse_header_name

QUIET_MS = 15 * 60 * 1000
OWN_MS = 24 * 3600 * 1000
SPARE = 1 << 20  # bytes that are left free: a stick filled to the last byte cannot even take the anchor
_CLUSTER = 4096
_ENTRY = 700  # bytes of a log's entry, more than most have
_OWN = re.compile(rb'"ev":"(?:backup\.[a-z]+|verify\.run)"')
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class Plan:
    """`blobs`: digest and size of what is to be copied, in the order of names. `folders`: to be made before.
    `there`: live files that are there. `strays`: paths in our folders whose names are none of ours. `wrong`: paths with
    another size than logged.
    """

    blobs: list[tuple[str, int]] = field(default_factory=list)
    headers: list[NamedKeyFile] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    there: int = 0
    strays: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """Bytes to be copied."""
        return sum(size for _, size in self.blobs) + sum(header.size for header in self.headers)


def make(source: Source, tree: Tree, skip: Collection[str] = (), *, sizes: bool = False) -> Plan:
    """`skip`: digests that cannot be copied. Raises as `Tree` does; Damaged for a link where a folder belongs."""
    plan = Plan()
    there = tree.names(place.BLOBS)
    for first in range(256):
        if sizes:
            _with_sizes(plan, source, tree, first, skip)
        else:
            folder = place.blob_folder(first)
            names = tree.names(folder) if folder[-2:] in there else set()
            wanted = source.live.names(first)
            if names != wanted:
                _compare(plan, source, first, names, skip)
            else:
                plan.there += len(names)
    large = {digest[:2] for digest, size in plan.blobs if size > hashing.WHOLE}  # the others' are made with them
    plan.folders = [place.BLOBS] if plan.blobs and not there else []
    plan.folders += [f"{place.BLOBS}/{name}" for name in sorted(large - there)]
    _headers(plan, source, tree)
    return plan


def _with_sizes(plan: Plan, source: Source, tree: Tree, first: int, skip: Collection[str]) -> None:
    listing = tree.listing(place.blob_folder(first))
    _compare(plan, source, first, set(listing), skip)
    for name, size in source.live.sizes(first).items():
        seen = listing.get(name)
        if seen is not None and (seen.kind != "file" or (seen.size != size and not seen.offline)):
            plan.wrong.append(place.blob(name))
            plan.there -= 1


def _compare(plan: Plan, source: Source, first: int, names: set[str], skip: Collection[str]) -> None:
    wanted = source.live.sizes(first)
    missing = wanted.keys() - names
    plan.there += len(wanted) - len(missing)
    plan.blobs += [(name, wanted[name]) for name in sorted(missing) if name not in skip]
    folder = place.blob_folder(first)
    plan.strays += [f"{folder}/{name}" for name in sorted(names - wanted.keys()) if not _DIGEST.fullmatch(name)]


def _headers(plan: Plan, source: Source, tree: Tree) -> None:
    names: dict[str, set[str]] = {}
    for header in source.headers:
        if header.origin not in names:
            folder = place.headers(header.origin)
            names[header.origin] = there = tree.names(folder)
            plan.strays += [f"{folder}/{name}" for name in sorted(there) if parse_header_name(name) is None]
            if not names[header.origin]:
                plan.folders.append(place.headers(header.origin))
        if f"{header.seq:08d}-{header.digest}" not in names[header.origin]:
            plan.headers.append(header)


# -- which logs, and whether it fits


def is_due(source: Source, origin: str, there: Head | None, state: PlaceState, now_ms: int) -> bool:
    """Whether this log's present state is to be committed. `there`: the newest of its states at the place."""
    head = source.heads[origin]
    if there is None:
        return head.size > 0
    if there.size >= head.size:
        return False
    age = now_ms - state.committed_ms
    if not 0 <= age < QUIET_MS:
        if not 0 <= age < OWN_MS:
            return True
        return any(_OWN.search(data) is None for data in source.entries(origin, there.size, head.size))
    return waiting_in(source.entries(origin, there.size, head.size))[0] > 0


def lacking(tree: WriteOnce, source: Source, todo: Plan, due: Iterable[str], heads: Mapping[str, Head]) -> str:
    """A sentence where it does not fit, else "". `due`: logs that are brought from `heads` to their present state.

    Asked before anything is begun.
    """
    grown = [source.heads[one].size - heads.get(one, Head(0, b"")).size for one in due]
    if not todo.blobs and not grown:
        return ""
    free = tree.free_bytes()
    if free is None:
        return ""
    rounded = sum(-size % _CLUSTER for _, size in todo.blobs)
    copied = todo.weight + rounded + _ENTRY * sum(grown)
    spare = SPARE if todo.blobs else 0
    if copied + spare <= free:
        return ""
    left = f", and {size_words(spare)} must stay free" if spare else ""
    return f"It has {size_words(free)} free; what is new takes {size_words(copied)} there{left}. Nothing was begun."
