"""What cloud clients and hands leave among our files: conflict copies, doubled names. Never believed by its name.

A copy that hashes to a live file which is missing under its right name is added under it; then, like any other stray,
it is set aside. Names that a system or a cloud client keeps for itself are left alone: it would only make them again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from notevault.backup.model import Problem
from notevault.backup.places import hashing
from notevault.backup.places import layout as place
from notevault.backup.source.source import Source
from notevault.errors import Damaged, NotFound
from notevault.ports import WriteOnce

MOST = 64  # strays a pass
MOST_BYTES = 256 << 20  # of them, hashed in a pass
_LEFT_ALONE = frozenset({"desktop.ini", "thumbs.db", "icon\r"})


def left_alone(name: str) -> bool:
    return name.startswith((".", "~")) or name.casefold() in _LEFT_ALONE or name.endswith((".tmp", ".part"))


def settle(source: Source, tree: WriteOnce, paths: Iterable[str], day: str, *, read_back: bool) -> list[Problem]:
    """Look at these paths, put what is missing where it belongs, set the rest aside. Raises as `WriteOnce` does."""
    problems: list[Problem] = []
    budget = MOST_BYTES
    ours = [path for path in paths if not left_alone(path.rpartition("/")[2])]
    for path in ours[:MOST]:
        folder, _, name = path.rpartition("/")
        seen = tree.listing(folder).get(name)
        if seen is None or seen.offline or seen.size > budget:
            continue  # it would have to be fetched first, or is for another pass
        if seen.kind == "file":
            budget -= seen.size
            _use(source, tree, path, seen.size, read_back=read_back)
        tree.set_aside(path, day)
        problems.append(Problem("CONFLICT", path, "a file under a name that is none of ours; set aside"))
    return problems


def _use(source: Source, tree: WriteOnce, path: str, size: int, *, read_back: bool) -> None:
    try:
        digest = hashing.digest_of(tree, path, size)
    except (Damaged, NotFound):
        return
    if digest is None or source.live.get(digest) != size or tree.size(place.blob(digest)) is not None:
        return
    tree.make_folders([place.blob(digest).rpartition("/")[0]])
    if size > hashing.WHOLE:
        tree.add_stream(place.blob(digest), hashing.pieces(tree, path), sha256=digest, read_back=read_back)
        return
    data = tree.read(path, limit=hashing.WHOLE)
    if hashlib.sha256(data).hexdigest() == digest:
        tree.add(place.blob(digest), data, read_back=read_back)
