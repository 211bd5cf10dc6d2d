"""How a place stands to our logs, by its anchors: behind, level, ahead, on another way, or with less than it once had.

Only an anchor that counts (FORMAT.md section 7.1: signed by the log's identity) is a word against our log; whatever
else lies among them proves nothing and is set aside later. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from notevault.auditlog import anchor, ed25519
from notevault.auditlog.fault import Fault
from notevault.backup.mirror.strays import left_alone
from notevault.backup.model import AHEAD, FORKED, SHRUNK, Head
from notevault.backup.places import layout as place
from notevault.backup.source.log import LogSource
from notevault.backup.source.source import Source
from notevault.errors import Damaged, LogDamaged, NotFound
from notevault.formats.ids import is_origin
from notevault.ports import Tree

MOST_JUNK = 64  # anchors that do not count, looked at in one pass; the next pass goes on


@dataclass
class Standing:
    """`heads`: the newest state of each of our logs that the place was brought to. `verdict` is empty where nothing
    speaks against going on. `junk`: paths of what does not count. `others`: logs of this place that the vault does not
    have. `gaps`: closed logs of which the place has more than the vault, with its newest state; whether that continues
    the vault's is for `beyond` to say. `again`: logs whose newest anchor is gone while all that it said is there.
    """

    heads: dict[str, Head] = field(default_factory=dict)
    verdict: str = ""
    junk: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    gaps: dict[str, Head] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)


def look(source: Source, tree: Tree, remembered: dict[str, Head], *, doubt: bool = False) -> Standing:
    """`remembered`: the states that were committed here last; with `doubt` their anchors are read all the same, and not
    known by their names. Raises as `Tree` and `Source` do.
    """
    found = Standing()
    named = tree.names(place.ANCHORS)
    found.others = sorted(name for name in named if is_origin(name) and name not in source.heads)
    for origin in source.heads:
        names = tree.names(place.anchors(origin)) if origin in named else set()
        _look(found, source, tree, origin, names, None if doubt else remembered.get(origin))
    for origin, head in remembered.items():
        if origin in source.heads and not _reaches(found.heads.get(origin), head) and not found.verdict:
            if _has_entries(source, tree, origin, head):
                found.again.add(origin)
            else:
                found.verdict = SHRUNK
    return found


def _has_entries(source: Source, tree: Tree, origin: str, head: Head) -> bool:
    """Whether only the anchor is gone, renamed by a cloud client or deleted: every entry of that state is there."""
    from notevault.backup.copies.joined import Joiner
    from notevault.backup.copies.place import PlaceCopy

    if not source.log(origin).had(head):
        return False
    try:
        Joiner(origin, [PlaceCopy(tree, source.vault)]).log(head.size, head.root)
    except LogDamaged:
        place.read_marker(tree, source.vault)  # NotFound: it was unplugged meanwhile
        return False
    return True


def _reaches(here: Head | None, head: Head) -> bool:
    return here is not None and here.size >= head.size


def _look(found: Standing, source: Source, tree: Tree, origin: str, names: set[str], known: Head | None) -> None:
    log = source.log(origin)
    found.junk += [
        f"{place.anchors(origin)}/{name}"
        for name in sorted(names)
        if anchor.parse_name(name) is None and not left_alone(name)
    ]
    for name, head in _sorted(names):
        ours = head.size <= log.size and log.root_at(head.size) == head.root
        if ours and known == head:
            found.heads[origin] = head
            return
        path = f"{place.anchors(origin)}/{name}"
        if not _counts(tree, path, name, log):
            found.junk.append(path)
            if len(found.junk) >= MOST_JUNK:
                return
            continue
        if ours:
            found.heads[origin] = head
            return
        if origin in source.closed and head.size > log.size:
            found.gaps.setdefault(origin, head)  # a later log goes on from what was found: told, and no alarm
            continue
        found.verdict = AHEAD if head.size > log.size else FORKED
        if found.verdict == AHEAD and not _same_way(tree, origin, names, log):
            found.verdict = FORKED
        return


def _same_way(tree: Tree, origin: str, names: set[str], log: LogSource) -> bool:
    """Whether the newest anchor that is no larger than our log is a state that it had."""
    for name, head in _sorted(names):
        if head.size <= log.size and _counts(tree, f"{place.anchors(origin)}/{name}", name, log):
            return log.root_at(head.size) == head.root
    return True


def _sorted(names: set[str]) -> Iterator[tuple[str, Head]]:
    """The anchors by their names, the largest first."""
    found = [(*said, name) for name in names if (said := anchor.parse_name(name)) is not None]
    for size, root, name in sorted(found, reverse=True):
        yield name, Head(size, root)


def _counts(tree: Tree, path: str, name: str, log: LogSource) -> bool:
    try:
        data = tree.read(path, limit=anchor.MAX_BYTES)
    except (Damaged, NotFound):
        return False
    said = anchor.check(log.card.origin, name, data, log.card.identity_pub, ed25519.verify, "")
    return not isinstance(said, Fault)
