"""Canary words: nonsense that stands nowhere else, and every way in which it could have been written down.

A canary is a phrase; looked for are the phrase, each of its long words, and the halves of those, since an index may
cut a word and a list may store only what differs from the word before.
"""

from __future__ import annotations

import base64
import json
import quopri
import random
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

LONG_ENOUGH = 8  # letters of a piece that is looked for by itself: 26^8 leaves no room for chance
_ONSETS = ("qu", "zh", "kr", "vl", "x", "z", "gw", "thr", "pf", "dz", "ks", "v")
_VOWELS = ("a", "e", "i", "o", "u", "y", "oe", "ui")


def nonsense(rng: random.Random, letters: int = 18) -> str:
    """A pronounceable word of about so many letters that no text has."""
    word = ""
    while len(word) < letters:
        word += rng.choice(_ONSETS) + rng.choice(_VOWELS)
    return word[:letters]


@dataclass(frozen=True)
class Needle:
    """One byte string to look for. `folded`: ASCII letters in either case."""

    what: str
    how: str
    data: bytes
    folded: bool = False


def pieces(phrase: str) -> list[str]:
    """The phrase, its long words, and the halves of those."""
    found = [phrase]
    for word in phrase.split():
        if len(word) >= LONG_ENOUGH:
            found.append(word)
        if len(word) >= 2 * LONG_ENOUGH:
            found += [word[: len(word) // 2], word[len(word) // 2 :]]
    return list(dict.fromkeys(found))


def _spelt(text: str) -> list[str]:
    """As typed, composed and decomposed, and as a search index folds it."""
    bare = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    forms = [text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text), text.casefold(), bare]
    return list(dict.fromkeys(forms))


def _wide(text: str) -> Iterable[tuple[str, bytes]]:
    yield "utf-8", text.encode()
    for codec in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        yield codec, text.encode(codec)
    if not text.isascii() and all(ord(each) < 256 for each in text):
        yield "latin-1", text.encode("latin-1")


def in_memory(phrase: str) -> list[Needle]:
    """As Python and the C libraries keep it: Latin-1, UTF-8, UCS-2, UCS-4 in this machine's byte order.

    Only the smallest pieces: whoever holds a word holds its halves. All are told as the phrase.
    """
    every = pieces(phrase)
    smallest = [each for each in every if not any(other in each and other != each for other in every)]
    return _unique(
        Needle(phrase, how, data.lower(), True)
        for piece in smallest
        for form in _spelt(piece)
        for how, data in _wide(form)
        if not how.endswith("-be")
    )


def key_needles(name: str, key: bytes) -> list[Needle]:
    """A key's bytes, and as text."""
    return [
        Needle(name, "bytes", key),
        Needle(name, "hex", key.hex().encode(), True),
        Needle(name, "base64", base64.b64encode(key).rstrip(b"=")),
        Needle(name, "urlsafe base64", base64.urlsafe_b64encode(key).rstrip(b"=")),
        Needle(name, "hex, UCS-2", key.hex().encode("utf-16-le"), True),
    ]


def in_files(phrase: str) -> list[Needle]:
    """Every encoding in which a file could hold it, but for compression, which the scanner undoes itself."""
    return _unique(needle for piece in pieces(phrase) for form in _spelt(piece) for needle in _written(piece, form))


def _written(what: str, form: str) -> Iterable[Needle]:
    for how, data in _wide(form):
        yield Needle(what, how, data.lower(), True)
    for codec in ("utf-8", "utf-16-le", "utf-16-be"):
        data = form.encode(codec)
        for shape in dict.fromkeys((data, data.lower(), data.upper())):
            for at, text in enumerate(_base64_at_three_places(shape)):
                yield Needle(what, f"base64 of {codec}, place {at}", text)
                safe = text.translate(bytes.maketrans(b"+/", b"-_"))
                if safe != text:
                    yield Needle(what, f"urlsafe base64 of {codec}, place {at}", safe)
            yield Needle(what, f"hex of {codec}", shape.hex().encode(), True)
    data = form.encode()
    yield Needle(what, "reversed", form[::-1].encode().lower(), True)
    for shape in dict.fromkeys((form, form.lower(), form.upper())):
        raw = shape.encode()
        yield Needle(what, "every byte percent-encoded", "".join(f"%{each:02x}" for each in raw).encode(), True)
        yield Needle(what, "backslash x", "".join(f"\\x{each:02x}" for each in raw).encode(), True)
        yield Needle(what, "repr of bytes", repr(raw)[2:-1].encode().lower(), True)
        yield Needle(what, "ascii()", ascii(shape)[1:-1].encode().lower(), True)
        yield Needle(what, "backslash u", _backslash_u(shape), True)
        yield Needle(what, "entities", "".join(f"&#{ord(each)};" for each in shape).encode())
        yield Needle(what, "hexadecimal entities", "".join(f"&#x{ord(each):x};" for each in shape).encode(), True)
    yield Needle(what, "percent-encoded", quote(form).encode().lower(), True)
    yield Needle(what, "plus-encoded", quote(form).replace("%20", "+").encode().lower(), True)
    yield Needle(what, "JSON", json.dumps(form)[1:-1].encode().lower(), True)
    yield Needle(what, "quoted-printable", quopri.encodestring(data).replace(b"=\n", b"").lower(), True)
    yield Needle(what, "UTF-7", form.encode("utf-7").lower(), True)


def _backslash_u(text: str) -> bytes:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)).encode()


def _base64_at_three_places(data: bytes) -> list[bytes]:
    """What of the text is the same whatever stands before and after it: the characters that only `data` decides."""
    found = []
    for before in range(3):
        text = base64.b64encode(bytes(before) + data)
        first = (before * 8 + 5) // 6
        found.append(text[first : (before + len(data)) * 8 // 6])
    return found


def _unique(needles: Iterable[Needle]) -> list[Needle]:
    """Each byte string once, under its first name."""
    found: dict[tuple[bytes, bool], Needle] = {}
    for each in needles:
        found.setdefault((each.data, each.folded), each)
    return list(found.values())
