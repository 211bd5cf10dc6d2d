"""Find in a note: blind to case, accents and the shape of quotes and dashes. Pure."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Word processors write curly quotes and long dashes where a hand types straight ones.
_CURLED = "\u2018\u2019\u201b\u2032\u201c\u201d\u201e\u2033\u2010\u2011\u2012\u2013\u2014"
_PLAIN = str.maketrans(_CURLED, "''''\"\"\"\"-----")


@lru_cache(maxsize=4096)
def _fold(char: str) -> str:
    parts = unicodedata.normalize("NFKD", char.translate(_PLAIN).casefold())
    return "".join(c for c in parts if not unicodedata.combining(c)).casefold().translate(_PLAIN)


class Folded:
    """A text folded once, to be searched many times (each key in the find bar)."""

    def __init__(self, text: str) -> None:
        self._at: list[int] | None = None  # original offset of each folded character; None: they are the same
        if text.isascii():
            self._text = text.lower()
            return
        folds = {c: _fold(c) for c in set(text)}
        if all(len(f) == 1 for f in folds.values()):
            self._text = text.translate({ord(c): f for c, f in folds.items()})
            return
        pieces, at = [], []
        for i, char in enumerate(text):
            fold = folds[char]
            pieces.append(fold)
            at += [i] * len(fold)
        self._text, self._at = "".join(pieces), [*at, len(text)]

    def hits(self, query: str) -> list[tuple[int, int]]:
        """Offsets (start, end) of every place, in order, not overlapping; [] for a query of blanks alone."""
        wanted = "".join(map(_fold, query))
        if not wanted.strip():
            return []
        found: list[tuple[int, int]] = []
        size, at = len(wanted), self._at
        i = self._text.find(wanted)
        while i >= 0:
            start, end = i, i + size
            if at is not None:  # marks that fold to nothing belong to the hit; a query may end inside `ß` (ss)
                start, end = at[i], max(at[i + size], at[i + size - 1] + 1)
            if not found or start >= found[-1][1]:
                found.append((start, end))
            i = self._text.find(wanted, i + size)
        return found


def next_hit(hits: list[tuple[int, int]], offset: int, *, back: bool = False) -> int | None:
    """Index of the first hit at or after `offset` (`back`: the last before it), wrapping around; None without hits."""
    if not hits:
        return None
    if back:
        return max((i for i, (start, _) in enumerate(hits) if start < offset), default=len(hits) - 1)
    return min((i for i, (start, _) in enumerate(hits) if start >= offset), default=0)
