"""What the editor looks like: plain values in, rows of styled text out. Pure, so that it is tested without a terminal.

From top to bottom: title row, text area (centred, at most `MEASURE` columns), messages, find bar, bottom line.
Small windows lose the title first, then the bottom line; the text keeps at least one row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from notevault.shell.safe import cell_width, clip, visible_line
from notevault.shell.wrap import Layout

MEASURE = 100
"""Columns of text at most: longer rows are hard to read."""

LEAST_TITLE = 24
"""Columns that the title keeps beside what is loud, before that is said in its short form."""
MAX_DRAWN = 1000  # rows kept as they were drawn: a few screens full

Row = list[tuple[str, str]]
"""One screen row as prompt-toolkit's (style, text) pairs."""

SEPARATOR = " \u2502 "


@dataclass
class Bar:
    """The find bar: what was typed, where its cursor stands (offset), what is selected, and what to say."""

    text: str = field(repr=False)
    cursor: int
    selection: tuple[int, int] | None
    notes: list[str]


@dataclass
class View:
    """Everything one picture of the editor depends on. `states`, `keys` and `loud` are ways to say it, longest first;
    what is `loud` is never left out.
    """

    title: str = field(repr=False)
    template: str
    text: str = field(repr=False)
    cursor: int
    selection: tuple[int, int] | None
    hits: list[tuple[int, int]]
    keys: list[str]
    states: list[str]
    message: str = ""
    alarm: bool = False
    bar: Bar | None = None
    help: list[str] | None = None
    help_top: int = 0
    loud: Sequence[str] = ()


@dataclass
class Picture:
    rows: list[Row]
    cursor: tuple[int, int] | None
    """(column, row) on the screen; None hides it."""
    page: int
    """Rows of the text area: how far PageUp and PageDown go."""


def _two_sided(left: str, right: str, width: int, style: str) -> Row:
    """`left` and `right` at the two ends of a row; the left gives way, cut with `…`."""
    right = clip(right, width)
    left = clip(left, max(0, width - cell_width(right) - 2))
    gap = width - cell_width(left) - cell_width(right)
    return [(style, left + " " * gap + right)]


def _title(view: View, width: int) -> Row:
    """Whose note it is; at the right end what is loud, in front of which all else gives way."""
    title, template = f" {visible_line(view.title)}", visible_line(view.template)
    if not view.loud:
        return _two_sided(title, f"{template} ", width, "class:bar")
    loud = next((each for each in view.loud if cell_width(each) + 2 + LEAST_TITLE <= width), view.loud[-1])
    loud = clip(f" {visible_line(loud)} ", width)
    room = width - cell_width(loud)
    template = template if cell_width(template) + LEAST_TITLE <= room else ""
    return [*_two_sided(title, f"{template} ", room, "class:bar"), ("class:alarm", loud)]


def _bottom(view: View, width: int, *, alone: bool = False) -> Row:
    """`alone`: there is no title row, so that what is loud stands here."""
    room = width - 2
    if alone and view.loud:
        short = view.loud[-1]
        return _bottom(replace(view, loud=(), states=[*(f"{short}{SEPARATOR}{s}" for s in view.states), short]), width)
    for state in view.states:
        for keys in view.keys:
            if cell_width(keys) + cell_width(state) + 2 <= room:
                return _two_sided(f" {keys}", f"{state} ", width, "class:bar")
        if cell_width(state) <= room:
            return _two_sided("", f"{state} ", width, "class:bar")
    return _two_sided("", view.states[-1] if view.states else "", width, "class:bar")


def _message_rows(view: View, width: int, most: int) -> list[Row]:
    if not view.message or most < 1:
        return []
    style = "class:alarm" if view.alarm else "class:message"
    layout = Layout(visible_line(view.message), max(1, width - 2))
    rows = []
    for r in range(min(most, layout.row_count)):
        text = (layout.plain(r) or "".join(c.text for c in layout.cells(r))).rstrip()
        rows.append([(style, f" {clip(text, width - 2)}".ljust(width))])
    return rows


def _bar_row(bar: Bar, width: int) -> tuple[Row, int]:
    """The find bar and its cursor's column; a long query is shown from where its end fits."""
    label = " Find: " if width >= 30 else " " if width > 2 else ""
    note = next((n for n in bar.notes if len(n) + len(label) + 12 <= width), "")
    room = max(1, width - len(label) - (len(note) + 2 if note else 0) - 1)
    layout = Layout(bar.text, 1_000_000)
    column = layout.locate(bar.cursor)[1]
    skip = max(0, column - room + 1)
    row: Row = [("class:bar", label)]
    used = 0
    for cell in layout.cells(0):
        if cell.column < skip or cell.column + cell.width > skip + room:
            continue
        marked = bar.selection and bar.selection[0] <= cell.offset < bar.selection[1]
        row.append(("class:selected" if marked else "class:field", cell.text))
        used += cell.width
    row.append(("class:field", " " * min(room + 1 - used, width - len(label) - used)))
    row.append(("class:bar", f" {note} " if note else ""))
    return row, len(label) + column - skip


def _help_rows(view: View, width: int, height: int) -> list[Row]:
    lines = (view.help or [])[view.help_top : view.help_top + height]
    if width < 45:
        lines = [re.sub("  +", "  ", line) for line in lines]
    return [[("", " " + clip(line, width - 1))] for line in lines]


def _overlaps(span: tuple[int, int] | None, start: int, end: int) -> bool:
    return span is not None and span[0] < end and start < span[1]


def _text_row(
    view: View, layout: Layout, row: int, width: int, hits: list[tuple[int, int]], cache: dict[str, Row]
) -> Row:
    """One visual row, `width` cells at most. A selected newline shows as one reversed cell, as in Word.

    `cache` keeps how rows look at this width that hold more than simple characters and no selection or hit.
    """
    start, end = layout.span(row)
    marks = [h for h in hits if _overlaps(h, start, end)]
    selection = view.selection if _overlaps(view.selection, start, end + 1) else None
    plain = layout.plain(row)
    untouched = selection is None and not marks
    if plain is not None and untouched:
        return [("", plain[:width])]
    if untouched and (known := cache.get(view.text[start:end])):
        return known
    drawn: Row = []
    for cell in layout.cells(row):
        if cell.column + cell.width > width:
            break
        style = ""
        if selection and selection[0] <= cell.offset < selection[1]:
            style = "class:selected"
        elif any(a <= cell.offset < b for a, b in marks):
            style = "class:hit"
        elif cell.text != view.text[cell.offset : cell.offset + cell.length] and not cell.text.isspace():
            style = "class:odd"
        if drawn and drawn[-1][0] == style:
            drawn[-1] = (style, drawn[-1][1] + cell.text)
        else:
            drawn.append((style, cell.text))
    used = sum(cell_width(t) for _, t in drawn)
    if selection and selection[0] <= end < selection[1] and view.text[end : end + 1] == "\n" and used < width:
        drawn.append(("class:selected", " "))
    if untouched:
        cache[view.text[start:end]] = drawn
    return drawn


class Painter:
    """Draws views and remembers, between them, the wrapped rows and which part of the text is on the screen."""

    def __init__(self) -> None:
        self.layout = Layout()
        self._top = 0  # offset of the first visible row: survives a change of width
        self._height = 1
        self._drawn: dict[str, Row] = {}
        self._drawn_area = 0

    def fit(self, text: str, width: int) -> tuple[int, int]:
        """Wrap for a window of `width` columns; returns the text area's (left margin, cells)."""
        margin = 1 if width >= 40 else 0
        area = min(MEASURE + 1, max(1, width - 2 * margin))
        self.layout.update(text, max(1, area - 1))  # the last cell is for the cursor behind a full row
        return max(margin, (width - area) // 2), area

    def _first_row(self, cursor_row: int, height: int) -> int:
        rows = self.layout.row_count
        top = self.layout.locate(min(self._top, self.layout.span(rows - 1)[1]))[0]
        top = max(cursor_row - height + 1, min(top, cursor_row))
        top = max(0, min(top, rows - height))  # no empty space below while there is text above
        self._top = self.layout.span(top)[0]
        return top

    def scroll(self, rows: int) -> None:
        """Move the visible part by that many rows (the cursor pulls it back if it leaves the window)."""
        row = self.layout.locate(min(self._top, self.layout.span(self.layout.row_count - 1)[1]))[0]
        row = max(0, min(row + rows, max(0, self.layout.row_count - self._height)))
        self._top = self.layout.span(row)[0]

    def paint(self, view: View, width: int, height: int) -> Picture:
        """A picture of exactly `height` rows, none wider than `width` cells."""
        width, height = max(1, width), max(1, height)
        title = [_title(view, width)]
        bottom = [_bottom(view, width, alone=height < 4)]
        bar: list[Row] = []
        bar_cursor: tuple[int, int] | None = None
        if view.bar is not None and height >= 2:
            row, column = _bar_row(view.bar, width)
            bar = [row]
            bar_cursor = (min(column, width - 1), 0)
        if height < 4:
            title = []
        if height < 3 or (bar and height < 5):
            bottom = []
        free = height - len(title) - len(bottom) - len(bar)
        messages = _message_rows(view, width, min(3, free - 1)) if view.help is None else []
        page = self._height = free - len(messages)
        left, area = self.fit(view.text, width)
        if view.help is not None:
            body, cursor = _help_rows(view, width, page), None
        else:
            body, cursor = self._body(view, left, area, page)
            cursor = (cursor[0], cursor[1] + len(title))
        body += [[("", "")]] * (page - len(body))
        rows = title + body + messages + bar + bottom
        if bar_cursor is not None:
            cursor = (bar_cursor[0], len(title) + page + len(messages))
        return Picture(rows, cursor, page)

    def _body(self, view: View, left: int, area: int, page: int) -> tuple[list[Row], tuple[int, int]]:
        if area != self._drawn_area or len(self._drawn) > MAX_DRAWN:
            self._drawn, self._drawn_area = {}, area
        cursor_row, cursor_column = self.layout.locate(view.cursor)
        top = self._first_row(cursor_row, page)
        last = min(top + page, self.layout.row_count)
        window = (self.layout.span(top)[0], self.layout.span(last - 1)[1])
        hits = [h for h in view.hits if _overlaps(h, *window)]
        rows: list[Row] = [
            [("", " " * left), *_text_row(view, self.layout, row, area, hits, self._drawn)] for row in range(top, last)
        ]
        return rows, (left + min(cursor_column, area - 1), cursor_row - top)
