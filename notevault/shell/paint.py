"""Small pieces that all screens are painted with: rows of styled text, wrapped at words, never wider than asked."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence

from notevault.shell.editor_view import Row
from notevault.shell.safe import cell_width, clip, visible, visible_line
from notevault.shell.text import TextModel
from notevault.shell.wrap import Layout

__all__ = [
    "Row",
    "clip_row",
    "columns",
    "command_rows",
    "count",
    "field_row",
    "path_rows",
    "plain",
    "row_width",
    "spread",
    "wrapped",
]

MASK = "\u2022"


def wrapped(text: str, width: int, style: str = "", indent: str = "") -> list[Row]:
    """Text of several lines as rows of at most `width` cells; anything that could steer the terminal made visible."""
    room = max(1, width - cell_width(indent))
    rows: list[Row] = []
    for line in visible(text).split("\n"):
        layout = Layout(line, room)
        for r in range(layout.row_count):
            piece = layout.plain(r)
            piece = "".join(cell.text for cell in layout.cells(r)) if piece is None else piece
            rows.append([(style, clip(indent + piece.rstrip(), width))])
    return rows


def command_rows(words: Sequence[str], width: int, *, windows: bool = sys.platform == "win32") -> list[Row]:
    """A command to be typed or copied: in one row, else in several that are one command for a terminal. Only a word
    that is wider than the screen by itself is broken (see `path_rows`).
    """
    whole = f"   {' '.join(words)}"
    if cell_width(whole) <= width:
        return [[("", visible_line(whole))]]
    on = " ^" if windows else " \\"
    last = len(words) - 1
    rows: list[Row] = []
    for at, word in enumerate(words):
        line = f"   {'' if at == 0 else '  '}{visible_line(word)}{on if at < last else ''}"
        rows += [[("", line)]] if cell_width(line) <= width else wrapped(line.strip(), width)
    return rows


def path_rows(path: str, width: int) -> list[Row]:
    """A path too long for a row, put together in `$P` by rows that a POSIX shell takes as they are."""
    rows: list[Row] = []
    while path:
        first = "   P=" if not rows else "   P=$P"
        at = 1
        while at < len(path) and cell_width(first + shlex.quote(path[: at + 1])) <= width:
            at += 1
        rows.append([("", first + shlex.quote(path[:at]))])
        path = path[at:]
    return rows


def plain(row: Row) -> str:
    return "".join(text for _, text in row)


def row_width(row: Row) -> int:
    return sum(cell_width(text) for _, text in row)


def clip_row(row: Row, width: int) -> Row:
    """Cut with `…` where it is too wide."""
    if row_width(row) <= width:
        return row
    kept: Row = []
    room = width - 1  # one cell for the sign that something is missing
    for style, text in row:
        if cell_width(text) > room:
            kept.append(
                (style, clip(f"{text}  ", room + 1))
            )  # longer than the room in any case, so it is cut and marked
            break
        kept.append((style, text))
        room -= cell_width(text)
    return kept


def spread(left: str, right: str, width: int, style: str = "class:bar") -> Row:
    """Two texts at the ends of a row; the left one gives way."""
    right = clip(right, max(0, width - 8))
    left = clip(left, max(0, width - cell_width(right) - 2))
    return [(style, left + " " * max(0, width - cell_width(left) - cell_width(right)) + right)]


def columns(parts: Iterable[tuple[str, int]]) -> str:
    """Texts clipped and padded to their widths, one space between them."""
    padded = []
    for text, width in parts:
        shown = clip(visible_line(text), width)
        padded.append(shown + " " * (width - cell_width(shown)))
    return " ".join(padded)


def count(number: int, what: str) -> str:
    """As "1 note", "1,204 notes"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def field_row(label: str, model: TextModel, width: int, *, masked: bool) -> tuple[Row, int]:
    """An input line and its cursor's column; a long text is shown from where its end fits."""
    shown = MASK * len(model.text) if masked else model.text  # unbroken: gaps would tell how long each word is
    layout = Layout(shown, 1_000_000)
    column = layout.locate(min(model.cursor, len(shown)))[1]
    room = max(1, width - cell_width(label) - 1)
    skip = max(0, column - room + 1)
    selected = model.selection or (0, 0)
    row: Row = [("class:key", label)]
    used = 0
    for cell in layout.cells(0):
        if cell.column < skip or cell.column + cell.width > skip + room:
            continue
        inside = selected[0] <= cell.offset < selected[1]
        row.append(("class:selected" if inside else "class:field", cell.text))
        used += cell.width
    row.append(("class:field", " " * max(0, min(room, 40) - used)))
    return row, min(cell_width(label) + column - skip, width - 1)
