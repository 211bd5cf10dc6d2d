"""Other laptops of the same vault that back up to the same place: whose log lies there, and is not one of this vault's.

They went on from one state, each by itself: a restore on a new laptop while the old one is still in use, two restores,
a trial at home. Nothing is wrong with it. What each saves is kept beside the other's, and a restore brings all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from notevault.auditlog import anchor
from notevault.backup.copies.copies import Copies
from notevault.backup.copies.facts import Facts
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.model import Head, Neighbour, PlaceState, Problem
from notevault.backup.places import layout as place
from notevault.backup.places.ground import Ground
from notevault.backup.source.keyfiles import remembered
from notevault.backup.source.source import Source
from notevault.backup.words.status import others_words
from notevault.errors import LogDamaged
from notevault.ports import Tree
from notevault.storage.layout import LocalPaths

MOST = 16  # told of; more laptops nobody has
AGAIN_MS = 3600 * 1000  # so often what another laptop has is counted anew: its whole log is read for it
SHORT = 4096  # entries; a log that has no more is read in a moment, and whenever it has grown


def look(
    ground: Ground, source: Source, tree: Tree, origins: Sequence[str], before: PlaceState, now_ms: int
) -> tuple[dict[str, Neighbour], list[Problem]]:
    """Those of these logs of the place that are another laptop's, and a word where there is one more than `before`."""
    again = not 0 <= now_ms - before.quick_ms < AGAIN_MS
    found = count(ground, source, tree, origins, before.others, again=again)
    if not found.keys() - before.others.keys():
        return found, []
    words = others_words(found, now_ms, ground.clock.utc_offset_minutes(now_ms))
    return found, [Problem("OTHER_LOG", "", words)]


def count(
    ground: Ground, source: Source, tree: Tree, origins: Sequence[str], known: Mapping[str, Neighbour], *, again: bool
) -> dict[str, Neighbour]:
    """Those of these logs whose card this vault's identity signed. What is `known` is counted again where the place has
    a newer state of it, and then only with `again`, since the whole log is read for it. Raises as `Tree` does.
    """
    heads = {origin: head for origin in origins if (head := _newest(tree, origin)) is not None}
    found = {origin: known[origin] for origin, head in heads.items() if origin in known}
    found = {
        origin: replace(one, fresh=one.head == heads[origin])
        for origin, one in found.items()
        if one.head == heads[origin] or not (again or heads[origin].size <= SHORT)
    }
    todo = [origin for origin in heads if origin not in found][: max(0, MOST - len(found))]
    if not todo:
        return found
    vik = remembered(ground.files, LocalPaths(ground.local))
    copies = Copies([PlaceCopy(tree, source.vault)], source.vault, vik)
    for origin in todo:
        if origin in copies.cards:
            found[origin] = _look(copies, source, origin, heads[origin])
    return found


def _newest(tree: Tree, origin: str) -> Head | None:
    """By the names of its states alone."""
    names = [one for name in tree.names(place.anchors(origin)) if (one := anchor.parse_name(name)) is not None]
    return Head(*max(names)) if names else None


def _look(copies: Copies, source: Source, origin: str, head: Head) -> Neighbour:
    """Its largest state that is there: when it wrote last, and how many files are its alone."""
    for size, root in reversed(copies.named(origin)):
        if next(copies.signed(origin, size, root), None) is None:
            continue
        try:
            facts = Facts(copies.joiner(origin).log(size, root), copies.vault, copies.viks, [size], copies.verify)
        except LogDamaged:
            continue
        files = sum(len(facts.part(first, size).keys() - source.live.part(first).keys()) for first in range(256))
        return Neighbour(head, files, facts.last_ms(size), fresh=size == head.size)
    return Neighbour(head, 0, 0, fresh=False)
