"""Text from notes made harmless for a terminal, and measured in cells.

Nothing of a note reaches the screen but printable characters: control characters become their pictures
(U+2400...), what is invisible or reorders text becomes its number in angle brackets (`⟨202E⟩`). The width of
a text is the sum of the widths of its shown code points, because that is how prompt-toolkit fills its cells;
emoji sequences are therefore shown part by part, so that every terminal agrees about the column.

Limits: right-to-left scripts appear in the order in which the terminal puts them. What is shown is for
reading only; it is never written back into a note.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from wcwidth import iter_graphemes, wcwidth

# Characters that are one cluster, one cell and shown as themselves. Latin, Greek, Cyrillic and the usual
# typographic marks: nearly every line is made of these alone and takes the fast path.
_SIMPLE_CLASS = (
    "\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u0482"
    "\u048a-\u052f\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u2199\u2500-\u257f"
)
_SIMPLE = re.compile(f"[{_SIMPLE_CLASS}]*")
_PLAIN = re.compile(f"[\n\t{_SIMPLE_CLASS}]*")

# Invisible, reordering, or with a width that terminals disagree about: never sent as they are.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U0001f1e6-\U0001f1ff\U000e0000-\U000e0fff]"
)
# Scripts whose letters really are joined or kept apart by ZWJ and ZWNJ: Arabic to Malayalam, Khmer, Mongolian.
_JOINING = re.compile("[\u0600-\u08ff\u0900-\u0dff\u1780-\u18af]")
_MAX_MARKS = 8  # more than this on one letter is a way to paint over other lines, not writing
_PICTURE_WORDS = {0x7F: "\u2421", 0xAD: "\u00ac"}  # delete; the soft hyphen as Word draws it


def is_simple(line: str) -> bool:
    """True when every code point of `line` is one cluster of one cell that is shown as itself (no tab, no newline)."""
    return _SIMPLE.fullmatch(line) is not None


def cell_width(text: str) -> int:
    """Cells that `text` takes, code point by code point; control characters count nothing."""
    return sum(max(0, wcwidth(c)) for c in text)


def _picture(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    return _PICTURE_WORDS.get(code) or f"\u27e8{code:02X}\u27e9"


def _is_symbol(char: str) -> bool:
    return unicodedata.category(char) in {"So", "Sk", "Sm"} or wcwidth(char) == 2


def _shown_hidden(before: str, char: str, after: str) -> str:
    """How one character of `_HIDDEN` is shown between its neighbours (empty at the cluster's ends)."""
    if char in "\u200c\u200d" and before and _JOINING.match(before):
        return char
    if char == "\u200d" and before and (_is_symbol(before) or before == "\ufe0f") and after and _is_symbol(after):
        return ""
    if char in "\ufe0e\ufe0f" and before and (_is_symbol(before) or after == "\u20e3" or before in "\u203c\u2049"):
        return ""
    if "\U0001f1e6" <= char <= "\U0001f1ff":
        return chr(ord("A") + ord(char) - 0x1F1E6)
    return _picture(char)


@lru_cache(maxsize=4096)
def shown(cluster: str) -> str:
    """What stands on the screen for one grapheme cluster; at least one cell wide.

    A newline shows as its picture: lines are split before they come here. A tab shows as its picture too;
    whoever knows the column expands it.
    """
    flag = "\U0001f1e6" <= cluster[0] <= "\U0001f1ff"
    parts: list[str] = []
    for i, char in enumerate(cluster):
        before, after = cluster[i - 1] if i else "", cluster[i + 1 : i + 2]
        if _HIDDEN.match(char):
            parts.append(_shown_hidden(before, char, after))
        elif i and "\U0001f3fb" <= char <= "\U0001f3ff":
            continue  # a skin tone: terminals disagree whether it takes cells of its own
        else:
            parts.append(char)
    text = "".join(parts)
    if flag:
        text = f"\u27e8{text}\u27e9"
    if len(text) > _MAX_MARKS + 1 and cell_width(text) <= 2:
        text = text[: _MAX_MARKS + 1] + "\u2026"
    if wcwidth(text[0]) <= 0:
        # A mark without a letter stands on the dotted circle; another thing without width is named.
        text = (
            "\u25cc" + text if unicodedata.category(text[0])[0] == "M" else f"\u27e8{ord(text[0]):X}\u27e9" + text[1:]
        )
    return text


def visible(text: str) -> str:
    """`text` with newlines and tabs kept and everything that could steer or fool a terminal made visible.

    Pure and total: any `str`, lone surrogates included. The answer holds no C0 (but newline and tab), DEL, C1,
    bidirectional override, zero-width trick or surrogate.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "\n".join(map(_visible, text.split("\n")))


def _visible(line: str) -> str:
    parts: list[str] = []
    for cluster in iter_graphemes(line):
        part = cluster if cluster == "\t" else shown(cluster)
        if parts and parts[-1] == "\u25cc" and part[:1] == "\u25cc" != cluster[:1]:
            part = part[1:]  # some marks are clusters of their own: one that has its circle needs no other
        parts.append(part)
    return "".join(parts)


def visible_line(text: str) -> str:
    """As `visible`, for one row: newlines become their picture, a tab one space (names, titles, list rows)."""
    return visible(text.replace("\t", " ")).replace("\n", "\u240a")


def clip(text: str, width: int) -> str:
    """The beginning of a visible one-row text that fits into `width` cells, with `…` where something was cut."""
    if cell_width(text) <= width:
        return text
    room, kept = width - 1, []
    for cluster in iter_graphemes(text):
        room -= cell_width(cluster)
        if room < 0:
            break
        kept.append(cluster)
    return "".join(kept) + "\u2026" if width > 0 else ""
