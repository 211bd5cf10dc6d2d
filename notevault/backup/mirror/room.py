"""Does what is to be copied fit on the place? Asked before anything is begun."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from notevault.backup.mirror.plan import Plan
from notevault.backup.model import Head
from notevault.backup.source.source import Source
from notevault.backup.words.plain import size_words
from notevault.ports import WriteOnce

SPARE = 1 << 20  # bytes that are left free: a stick filled to the last byte cannot even take the anchor
_CLUSTER = 4096
_ENTRY = 700  # bytes of a log's entry, more than most have


def lacking(tree: WriteOnce, source: Source, todo: Plan, due: Iterable[str], heads: Mapping[str, Head]) -> str:
    """A sentence where it does not fit, else "". `due`: logs that are brought from `heads` to their present state."""
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
