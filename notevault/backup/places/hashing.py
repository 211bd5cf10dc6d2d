"""Reading sealed files, and whether they are what their names say. Nothing is copied that does not hash to its name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from notevault.errors import NotFound
from notevault.ports import Tree

WHOLE = 8 << 20
"""Bytes. Longer files are streamed: memory stays small whatever an attachment has."""
PIECE = 1 << 20
MISSING, CHANGED, UNREADABLE = "missing", "changed", "unreadable"


def whole(tree: Tree, path: str, digest: str, size: int) -> bytes | None:
    """The file's bytes when they hash to `digest`; None when they do not. Raises as `Tree.read`, NotFound too."""
    data = tree.read(path, limit=WHOLE)
    return data if len(data) == size and hashlib.sha256(data).hexdigest() == digest else None


def holds(tree: Tree, path: str, digest: str, size: int) -> bool:
    """Whether the file's bytes hash to `digest`. Raises as `Tree.read`; NotFound when it is not there."""
    if size <= WHOLE:
        there = tree.size(path)
        if there is None:
            raise NotFound("A file is not there.", "")
        return there == size and whole(tree, path, digest, size) is not None
    return digest_of(tree, path, size) == digest


def digest_of(tree: Tree, path: str, most: int) -> str | None:
    """SHA-256 of a file; None when it has more than `most` bytes."""
    found, left = hashlib.sha256(), most
    for piece in tree.stream(path, chunk=PIECE):
        left -= len(piece)
        if left < 0:
            return None
        found.update(piece)
    return found.hexdigest()


def pieces(tree: Tree, path: str) -> Iterator[bytes]:
    return tree.stream(path, chunk=PIECE)
