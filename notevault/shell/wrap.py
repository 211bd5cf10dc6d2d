"""Visual rows: where a text breaks into rows of a given width, and which cell each offset has. Pure.

Rows break after blanks, after a hyphen or dash inside a word, and beside wide characters; a longer word breaks
where the row ends. Blanks at a row's end hang over the margin, as in Word, so a row never begins with them. A
row's end depends on its start and what follows alone; hence after a change only the rows from the one before it
to the next old row start are made anew, even when the whole note is one paragraph.

Limits: no rules for punctuation in Chinese and Japanese, no hyphenation.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

from wcwidth import iter_graphemes

from notevault.shell.safe import cell_width, is_simple, shown

TAB = 4
"""Tab stops stand every four cells, counted from the row's start."""

_BLANK = " \t"
_HYPHENS = "-\u2013\u2014"


class Cell(NamedTuple):
    """One grapheme cluster of a row: where it is in the text and on the screen, and what is shown for it."""

    offset: int
    length: int
    column: int
    width: int
    text: str


@lru_cache(maxsize=4096)
def _measure(cluster: str) -> tuple[str, int]:
    text = shown(cluster)
    return text, cell_width(text)


def cells(line: str, start: int, end: int | None = None, base: int = 0) -> Iterator[Cell]:
    """The clusters of line[start:end], a row, with their columns; `base` is added to their offsets."""
    column, offset = 0, start
    for cluster in iter_graphemes(line, start, end):
        if cluster == "\t":
            width = TAB - column % TAB
            text = " " * width
        else:
            text, width = _measure(cluster)
        yield Cell(base + offset, len(cluster), column, width, text)
        column += width
        offset += len(cluster)


def _breaks_after(line: str, i: int, start: int) -> bool:
    """Whether a row that began at `start` may end after the character at `i`."""
    if line[i] in _BLANK:
        return True
    return line[i] in _HYPHENS and start < i < len(line) - 1 and line[i - 1].isalnum() and line[i + 1].isalnum()


def _hang(line: str, i: int) -> int:
    while i < len(line) and line[i] in _BLANK:
        i += 1
    return i


def _next_simple(line: str, start: int, width: int) -> int:
    """Start of the row after the one at `start`, in a line of one-cell characters; len(line) for the last."""
    limit = start + width
    if len(line) <= limit:
        return len(line)
    if line[limit] == " ":
        return _hang(line, limit)
    i = limit - 1
    while i > start and not _breaks_after(line, i, start):
        i -= 1
    return i + 1 if i > start or line[i] == " " else limit


def _next_any(line: str, start: int, width: int) -> int:
    """As `_next_simple`, for any text, cluster by cluster (kept free of `Cell`s: it may run over a whole note)."""
    column, offset, chance = 0, start, start  # chance: the last place where the row may end
    for cluster in iter_graphemes(line, start):
        following = offset + len(cluster)
        blank = cluster in _BLANK
        cells_wide = TAB - column % TAB if cluster == "\t" else _measure(cluster)[1]
        wide = cells_wide > 1 and not blank
        if wide:
            chance = offset
        column += cells_wide
        if column > width:
            if blank:
                return _hang(line, offset)
            return chance if chance > start else offset if offset > start else following
        if wide or blank or (cluster in _HYPHENS and _breaks_after(line, offset, start)):
            chance = following
        offset = following
    return len(line)


def _next_row(line: str, start: int, width: int) -> int:
    """The quick way wherever all that decides about this row is simple."""
    near = line[start : start + width + 2]
    return (_next_simple if is_simple(near) else _next_any)(line, start, width)


def row_starts(line: str, width: int, start: int = 0) -> Iterator[int]:
    """Starts of the rows of a line without newlines, from the one at `start` on (an empty line is one row)."""
    following = _next_simple if is_simple(line) else _next_row
    while True:
        yield start
        start = following(line, start, width)
        if start >= len(line):
            return


def _common(a: str, b: str) -> tuple[int, int]:
    """Lengths of what two texts have in common at the start and, not overlapping it, at the end."""
    low, high = 0, min(len(a), len(b))
    while low < high:  # comparing halves is far quicker than comparing characters
        middle = (low + high + 1) // 2
        low, high = (middle, high) if a[low:middle] == b[low:middle] else (low, middle - 1)
    start = low
    low, high = 0, min(len(a), len(b)) - start
    while low < high:
        middle = (low + high + 1) // 2
        if a[len(a) - middle : len(a) - low] == b[len(b) - middle : len(b) - low]:
            low = middle
        else:
            high = middle - 1
    return start, low


def rewrap(old: str, starts: list[int], new: str, width: int) -> list[int]:
    """The row starts of `new`, given those of `old` at the same width; work only where they differ."""
    if is_simple(old) != is_simple(new):  # the two ways agree, but only a whole pass is sure to
        return list(row_starts(new, width))
    same, tail = _common(old, new)
    kept = starts[: max(1, bisect_right(starts, same) - 1)]  # up to the row before the one that changed
    shift = len(new) - len(old)
    known = set(starts)
    fresh = kept[:-1]
    for start in row_starts(new, width, kept[-1]):
        if start > len(new) - tail and start - shift in known:
            return fresh + [s + shift for s in starts[bisect_right(starts, start - shift) - 1 :]]
        fresh.append(start)
    return fresh


class Layout:
    """The visual rows of a whole text at one width, kept up to date from one text to the next.

    Offsets are those of the text. A row and the hanging blanks behind it belong together; the offset where the
    next row starts belongs to the next row.
    """

    def __init__(self, text: str = "", width: int = 80) -> None:
        self.width = 0
        self._lines: list[str] = []
        self._rows: list[list[int]] = []  # row starts within each line
        self.update(text, width)

    def update(self, text: str, width: int) -> None:
        """Take over a changed text or width (at least 1); lines that stayed the same are not looked at again."""
        width = max(1, width)
        if width != self.width:
            self.width, self._lines, self._rows = width, [], []
        old, new = self._lines, text.split("\n")
        if old == new:
            return
        head = 0
        for a, b in zip(old, new, strict=False):
            if a != b:
                break
            head += 1
        tail, most = 0, min(len(old), len(new)) - head
        while tail < most and old[-1 - tail] == new[-1 - tail]:
            tail += 1
        changed = new[head : len(new) - tail]
        if len(changed) == 1 == len(old) - head - tail:
            fresh = [rewrap(old[head], self._rows[head], new[head], width)]
        else:
            fresh = [list(row_starts(line, width)) for line in changed]
        self._rows[head : len(old) - tail] = fresh
        self._lines = new
        self._first_row = list(accumulate(map(len, self._rows), initial=0))
        self._first_offset = list(accumulate((len(line) + 1 for line in new), initial=0))

    @property
    def row_count(self) -> int:
        """At least 1: an empty text is one empty row."""
        return self._first_row[-1]

    def _row(self, row: int) -> tuple[str, int, int, int, bool]:
        """(line, its offset, the row's start and end within it, whether it is the line's last row)."""
        index = bisect_right(self._first_row, row, hi=len(self._rows)) - 1
        line, starts = self._lines[index], self._rows[index]
        inner = row - self._first_row[index]
        last = inner + 1 == len(starts)
        return line, self._first_offset[index], starts[inner], len(line) if last else starts[inner + 1], last

    def span(self, row: int) -> tuple[int, int]:
        """Offsets (start, end) of a row; the newline that ends a paragraph is not in it."""
        _, base, start, end, _ = self._row(row)
        return base + start, base + end

    def last_place(self, row: int) -> int:
        """The last offset at which a cursor stands in this row: before the hanging blanks, or the paragraph's end."""
        line, base, start, end, last = self._row(row)
        if last:
            return base + end
        text = line[start:end]
        bare = len(text.rstrip(_BLANK))
        if 0 < bare < len(text):
            return base + start + bare
        *_, cluster = iter_graphemes(text)
        return base + end - len(cluster)

    def cells(self, row: int) -> list[Cell]:
        """The clusters of a row with their columns, offsets counted in the text."""
        line, base, start, end, _ = self._row(row)
        return list(cells(line, start, end, base))

    def plain(self, row: int) -> str | None:
        """The row's text if each of its characters is one cell and shown as itself, else None."""
        line, _, start, end, _ = self._row(row)
        text = line[start:end]
        return text if is_simple(text) else None

    def locate(self, offset: int) -> tuple[int, int]:
        """(row, column) of an offset of the text; hanging blanks have columns beyond the width."""
        index = bisect_right(self._first_offset, offset, hi=len(self._lines)) - 1
        inner = bisect_right(self._rows[index], offset - self._first_offset[index]) - 1
        row = self._first_row[index] + inner
        if self.plain(row) is not None:
            return row, offset - self.span(row)[0]
        column = 0
        for cell in self.cells(row):
            if cell.offset + cell.length > offset:
                return row, cell.column
            column = cell.column + cell.width
        return row, column

    def offset_at(self, row: int, column: int) -> int:
        """The offset of the cluster that covers a column of a row, or the row's last place to the left of it."""
        row = max(0, min(row, self.row_count - 1))
        start, end = self.span(row)
        if self.plain(row) is not None:
            offset = start + max(0, column)
        else:
            offset = next((c.offset for c in self.cells(row) if c.column + c.width > column), end)
        return offset if offset < end else self.last_place(row)
