"""Did you mean: the nearest word to a mistyped one. Suggested only, never run."""

from __future__ import annotations

from collections.abc import Iterable


def distance(a: str, b: str) -> int:
    """Damerau-Levenshtein in its common form (optimal string alignment): inserted, lost and wrong letters and swapped
    neighbours count 1 each, and no part is edited twice.
    """
    before: list[int] = []
    previous = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        current = [i]
        for j, right in enumerate(b, 1):
            best = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                best = min(best, before[j - 2] + 1)
            current.append(best)
        before, previous = previous, current
    return previous[-1]


def suggest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` (lower case) that `word` was most likely meant to be, None when nothing is near.

    Near is one slip in words up to four letters, two in longer ones. At the same distance, the same first letter wins,
    then the alphabet. A word that is already known is its own suggestion.
    """
    low = word.strip().lower()
    if not low or len(low) > 40:
        return None
    allowed = 1 if len(low) <= 4 else 2
    near = [
        (slips, each[:1] != low[:1], each)
        for each in known
        if abs(len(each) - len(low)) <= allowed and (slips := distance(low, each)) <= min(allowed, len(each) - 1)
    ]
    return min(near)[2] if near else None
