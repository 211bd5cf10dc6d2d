"""Saying where a log that does not give its signed root was changed, as narrowly as can be proven.

What helps: the cache `hashes`, when it gives the signed root with the entries at hand, proves every bundle right or
wrong by itself; the chain `p` proves entries backwards from a proven one, up to the last break; seals and anchors prove
a prefix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from . import merkle
from .verdict import Finding, Weight, entries
from .walk import Walker

BUNDLE = merkle.BUNDLE


@dataclass
class Extent:
    """What was found of the log: roots of full bundles (None: absent or not splittable), entries of `open`."""

    signed: int = 0
    roots: list[bytes | None] = field(default_factory=list)
    missing: list[range] = field(default_factory=list)  # bundle numbers without a file, ascending
    broken: list[range] = field(default_factory=list)  # whose bytes are not 256 entries
    rest: int = 0  # entries of `open` that were found
    rest_broken: bool = False  # `open` holds an impossible length
    unreadable: bool = False
    prefix_good: int = 0


def place_changes(
    extent: Extent, rest: list[bytes], walker: Walker, root: bytes, hashes: bytes | None
) -> Iterator[Finding]:
    """Findings for a log whose entries do not give `root`."""
    full = extent.signed // BUNDLE
    yield from _absent(extent)
    whole = len(extent.roots) == full and extent.rest == extent.signed % BUNDLE
    cached = _cached(hashes, full) if whole else None
    if cached is not None and merkle.Frontier.from_bundles(cached, rest).root() == root:
        gone = {q for span in extent.missing for q in span}
        wrong = [q for q in range(full) if extent.roots[q] != cached[q] and q not in gone]
        for q in wrong:
            start, end = q * BUNDLE, (q + 1) * BUNDLE
            next_proven = extent.roots[q + 1] == cached[q + 1] if q + 1 < full else bool(rest)
            if next_proven and q + 1 not in walker.breaks and walker.breaks.get(q, start) > start:
                end = walker.breaks[q]  # from the last break on, each entry is proven by the one after it
            yield _rewritten(max(start, extent.prefix_good), end - 1, walker)
        return
    for span in extent.broken:
        yield _rewritten(span.start * BUNDLE, span.stop * BUNDLE - 1, walker)
    if extent.unreadable or (extent.missing and not _chain_broken(walker)):
        return  # what is here may well be right: the finding above says what is not here
    if not whole and not _chain_broken(walker):
        return
    yield _rewritten(extent.prefix_good, max(extent.prefix_good, walker.index - 1), walker)


def _absent(extent: Extent) -> Iterator[Finding]:
    """MISSING for gaps, TRUNCATED when the end is not there."""
    bundles = len(extent.roots)
    if not extent.rest and extent.missing and extent.missing[-1].stop == bundles:
        bundles = extent.missing[-1].start  # nothing follows this gap: it is the end that is not there
    here = bundles * BUNDLE + extent.rest
    for span in extent.missing:
        if span.start < bundles:
            first, last = span.start * BUNDLE, span.stop * BUNDLE - 1
            yield Finding("MISSING", _weight(extent), f"MISSING {entries(first, last)}", first, last)
    if here < extent.signed and not extent.rest_broken:
        text = f"TRUNCATED: signed {extent.signed}, found {here}"
        yield Finding("TRUNCATED", _weight(extent), text, here, extent.signed - 1)
    elif here < extent.signed:
        text = f"REWRITTEN between {entries(here, extent.signed - 1)}: they cannot be told apart any more"
        yield Finding("REWRITTEN", Weight.TAMPERED, text, here, extent.signed - 1)


def _weight(extent: Extent) -> Weight:
    return Weight.UNDECIDED if extent.unreadable else Weight.TAMPERED


def _cached(hashes: bytes | None, full: int) -> list[bytes] | None:
    if not full or hashes is None or len(hashes) < 32 * full:
        return None
    return [hashes[32 * q : 32 * q + 32] for q in range(full)]


def _chain_broken(walker: Walker) -> bool:
    return bool(walker.signs or walker.more_signs)


def _rewritten(first: int, last: int, walker: Walker) -> Finding:
    text = f"REWRITTEN {'between ' if first < last else ''}{entries(first, last)}"
    sign = next((sign for sign in walker.signs if first <= sign.index <= last + 1), None)
    if sign is not None:
        text += f"; first sign: entry {sign.index} {sign.sentence}"
    return Finding("REWRITTEN", Weight.TAMPERED, text, first, last)
