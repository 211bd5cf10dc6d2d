"""Pieces of a log at a place that cannot be right, by their size alone: the cheap look between two readings.

What has the right size and other bytes is for `verify`, which reads all of it once a day.
"""

from __future__ import annotations

from collections.abc import Iterator

from notevault.backup.places import layout as place
from notevault.backup.source.log import LogSource
from notevault.ports import Listed, Tree
from notevault.storage.layout import BUNDLE


def odd(tree: Tree, log: LogSource, target: int) -> set[str]:
    """Paths of the card, full bundles, parts of the begun bundle and seals whose size is not that of the vault's own,
    or that are no files. `target`: how many entries the place has. Raises as `Tree` and `LogSource` do.
    """
    return {*_card(tree, log), *_bundles(tree, log, target), *_parts(tree, log, target), *_seals(tree, log)}


def _card(tree: Tree, log: LogSource) -> Iterator[str]:
    seen = tree.listing(place.audit(log.origin)).get("card")
    if seen is not None and _differs(seen, len(log.card_bytes)):
        yield place.card(log.origin)


def _bundles(tree: Tree, log: LogSource, target: int) -> Iterator[str]:
    listed, there = "", dict[str, Listed]()
    for number in range(target // BUNDLE):
        path = place.bundle(log.origin, number)
        folder, _, name = path.rpartition("/")
        if folder != listed:
            listed, there = folder, tree.listing(folder)
        if name in there and _differs(there[name], log.bundle_size(number)):
            yield path


def _parts(tree: Tree, log: LogSource, target: int) -> Iterator[str]:
    """Those of bundles that are full by now are not read any more."""
    start = target - target % BUNDLE
    for name, seen in tree.listing(place.parts(log.origin)).items():
        part = place.parse_part(name)
        if part is not None and start <= part[0] and part[1] <= target and _differs(seen, len(log.packed(*part))):
            yield place.part(log.origin, *part)


def _seals(tree: Tree, log: LogSource) -> Iterator[str]:
    there = tree.listing(place.seals(log.origin))
    for number in range(log.closed_epochs):
        seen = there.get(f"{number:08d}")
        size = log.seal_size(number)
        if seen is not None and size is not None and _differs(seen, size):
            yield place.seal(log.origin, number)


def _differs(seen: Listed, size: int) -> bool:
    return seen.kind != "file" or seen.size != size
