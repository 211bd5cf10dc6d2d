"""Text as people compare it: without accents, case and odd spaces; and where each letter came from.

`fold` is for comparing only and is never stored. NFKD, marks dropped, case folded, and the letters that Unicode does
not take apart but that people type plainly (ø ł đ æ œ þ ð ı).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_PLAIN = {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i", "ħ": "h"}


def fold_letter(letter: str) -> str:
    """One character folded: "" for a mark alone, several letters for a ligature."""
    if letter.isascii():
        return letter.lower()
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(mark))
    return "".join(_PLAIN.get(each, each) for each in plain.casefold())


def fold(text: str) -> str:
    """The whole text folded, letter by letter."""
    if text.isascii():
        return text.lower()
    return "".join(map(fold_letter, text))


def fold_with_places(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters the index in `text` that it came from."""
    if text.isascii():
        return text.lower(), range(len(text))
    pieces: list[str] = []
    places: list[int] = []
    for index, letter in enumerate(text):
        piece = fold_letter(letter)
        pieces.append(piece)
        places += [index] * len(piece)
    return "".join(pieces), places


def words(text: str) -> list[str]:
    """The folded words of a name or a query: runs of letters and digits; an apostrophe vanishes (O'Neil = oneil)."""
    plain = fold(text).replace("'", "").replace("’", "")
    return "".join(letter if letter.isalnum() else " " for letter in plain).split()


def hits(text: str, wanted: str) -> list[tuple[int, int]]:
    """Where any word of `wanted` begins a word of `text`: (start, end) in `text`, in order, none overlapping."""
    needles = sorted(set(words(wanted)), key=len, reverse=True)
    folded, places = fold_with_places(text)
    found: list[tuple[int, int]] = []
    for needle in needles:
        at = folded.find(needle)
        while at >= 0:
            end = at + len(needle)
            if at == 0 or not folded[at - 1].isalnum():
                found.append((places[at], places[end - 1] + 1))
            at = folded.find(needle, end)
    found.sort(key=lambda span: (span[0], -span[1]))
    apart: list[tuple[int, int]] = []
    for span in found:
        if not apart or span[0] >= apart[-1][1]:
            apart.append(span)
    return apart
