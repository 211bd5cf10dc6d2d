"""One 256th of the sealed files at a place against what there should be: names and sizes, or every byte."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from notevault.backup.model import Problem
from notevault.backup.places import layout as place
from notevault.errors import CannotWrite, Damaged, NotFound, StorageFault
from notevault.ports import Listed, Tree

WHOLE = 1 << 20  # bytes read at once; longer files in pieces of this
MAX_PROBLEMS = 20  # of one part; the counts have them all


@dataclass
class Looked:
    files: int = 0  # of those that should be there
    hashed: int = 0  # bytes
    missing: int = 0
    changed: int = 0
    offline: int = 0
    stopped: bool = False
    bad: list[bytes] = field(default_factory=list)  # digests of what is missing or changed
    problems: list[Problem] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)

    def add(self, other: Looked) -> None:
        """The counts and codes; the lists stay with whoever has them."""
        self.files += other.files
        self.hashed += other.hashed
        self.missing += other.missing
        self.changed += other.changed
        self.offline += other.offline
        self.stopped = self.stopped or other.stopped
        self.codes |= other.codes

    def find(self, code: str, digest: bytes, path: str, detail: str = "") -> None:
        if code == "MISSING":
            self.missing += 1
        else:
            self.changed += 1
        self.codes.add(code)
        self.bad.append(digest)
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, path, detail))


def look_at_part(
    tree: Tree, first: int, expected: dict[bytes, tuple[int, int]], stop: Callable[[], bool] | None
) -> Looked:
    """`expected`: digest -> size, entry. Without `stop` nothing is opened; with it all is read and hashed.

    Codes MISSING, CHANGED (size or bytes), PLANTED (no regular file, or no real folder). Raises NotFound when the root
    is gone, CannotWrite and StorageFault when a folder cannot be listed.
    """
    found = Looked()
    if not expected:
        return found
    folder = place.blob_folder(first)
    listing: dict[str, Listed] = {}
    try:
        listing = tree.listing(folder)
    except Damaged:
        found.codes.add("PLANTED")
        found.problems.append(Problem("PLANTED", folder, "it is no real folder"))
    for digest, (size, _) in expected.items():
        found.files += 1
        name = digest.hex()
        one = listing.get(name)
        path = f"{folder}/{name}"
        if one is None:
            found.find("MISSING", digest, path)
        elif one.kind != "file":
            found.find("PLANTED", digest, path, "it is no regular file")
        elif one.size != size:
            found.find("CHANGED", digest, path, f"it has {one.size} bytes, {size} are right")
        elif one.offline:
            found.offline += 1
        elif stop is not None:
            if stop():
                found.stopped = True
                return found
            why = _wrong(tree, path, name, size)
            found.hashed += size
            if why:
                found.find("MISSING" if why == "gone" else "CHANGED", digest, path, why)
    return found


def _wrong(tree: Tree, path: str, name: str, size: int) -> str:
    """What is wrong with a file, "" when it hashes to its name."""
    try:
        if size <= WHOLE:
            data = tree.read(path, limit=size)
            return "" if hashlib.sha256(data).hexdigest() == name else "its bytes are others"
        hash_, left = hashlib.sha256(), size
        for piece in tree.stream(path, chunk=WHOLE):
            hash_.update(piece)
            left -= len(piece)
            if left < 0:
                break
        return "" if left == 0 and hash_.hexdigest() == name else "its bytes are others"
    except NotFound:
        tree.names("")  # NotFound again when everything is gone
        return "gone"
    except Damaged:
        return "its bytes are others"
    except (StorageFault, CannotWrite):
        return "the disk does not give its bytes"


def exhausts(pieces: Iterable[bytes]) -> bool:
    """Read a stream that checks itself to its end. Whether it was right."""
    try:
        for _ in pieces:
            pass
    except (Damaged, NotFound, StorageFault, CannotWrite):
        return False
    return True
