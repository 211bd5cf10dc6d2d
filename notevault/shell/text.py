"""The text of a note while it is written: text, cursor, selection, undo. Pure; no screen, no clock.

Offsets count code points from the start. Cursor and selection ends stand on borders of grapheme clusters, so a
letter and its accent, or the parts of an emoji, are never torn apart.

Undo works in steps as in Word: a run of typing is one step for each word, a run of deleting likewise; a paste, a
cut, a replaced selection is one step. Moving the cursor ends a run. Undo and redo bring the cursor back too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from wcwidth import iter_graphemes

_NEWLINES = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")  # 0B is Word's soft line break
_SURROGATES = re.compile("[\ud800-\udfff]")
_FORWARD = re.compile(r"(?:\w[\w'\u2019]*|[^\w\s]+|\n)?[^\S\n]*")
_BACKWARD = re.compile(r"[^\S\n]*(?:[\w'\u2019]*\w|[^\w\s]+|\n)?")  # over the reversed text
_WORD = re.compile(r"\w\S*")
_LOOK = 64  # longest cluster considered when looking for its end, in code points
MAX_STEPS = 5000  # undo steps kept; at a word each this is more than a day's writing


def normalise(text: str) -> str:
    """Every kind of newline becomes LF; lone surrogates, which UTF-8 cannot hold, become U+FFFD."""
    return _SURROGATES.sub("\ufffd", _NEWLINES.sub("\n", text))


def next_border(text: str, offset: int) -> int:
    """The end of the grapheme cluster that begins at `offset`, at most the end of the text."""
    after = offset + 1
    if after >= len(text) or text[after] < "\u0300":
        return min(after, len(text))
    return offset + len(next(iter(iter_graphemes(text[offset : offset + _LOOK]))))


def previous_border(text: str, offset: int) -> int:
    """The start of the grapheme cluster that ends at `offset`, at least 0."""
    before = max(offset - 1, 0)
    if before == 0 or text[before] < "\u0300":
        return before
    # Begin where a border is certain (a plain character), so that pairs of flags are counted from their start.
    start = before
    while start > 0 and text[start] >= "\u0300":
        start -= 1
    border = start
    for cluster in iter_graphemes(text[start:offset]):
        border, start = start, start + len(cluster)
    return border


def snap(text: str, offset: int) -> int:
    """`offset` brought into the text and moved on to the next border, if it stands inside a cluster."""
    offset = max(0, min(offset, len(text)))
    if offset in {0, len(text)} or text[offset] < "\u0300":
        return offset
    start = offset
    while start > 0 and text[start] >= "\u0300":
        start -= 1
    for cluster in iter_graphemes(text[start : offset + _LOOK]):
        if start >= offset:
            break
        start += len(cluster)
    return start


def count_words(text: str) -> int:
    """Runs without blanks that hold at least one letter or digit."""
    return sum(1 for _ in _WORD.finditer(text))


class Step(NamedTuple):
    """One change: at `offset`, `removed` gave way to `inserted`; cursor and anchor as they were before it."""

    offset: int
    removed: str
    inserted: str
    cursor: int
    anchor: int | None


class TextModel:
    """A text being edited. Every method leaves it in a state that can be shown."""

    def __init__(self, text: str = "", cursor: int = 0) -> None:
        self.text = normalise(text)
        self.cursor = snap(self.text, cursor)
        self.anchor: int | None = None
        self.goal: int | None = None
        """Column that Up and Down try to keep; forgotten by any other move."""
        self.version = 0
        """Grows with every change of the text, undo and redo included."""
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._run: str | None = None  # kind of the open run: `type` or `delete`

    def __repr__(self) -> str:
        return f"TextModel({len(self.text)} characters)"  # never the text

    # Selection and moves

    @property
    def selection(self) -> tuple[int, int] | None:
        """(start, end) of what is selected, None when that is nothing."""
        if self.anchor is None or self.anchor == self.cursor:
            return None
        return min(self.anchor, self.cursor), max(self.anchor, self.cursor)

    @property
    def selected_text(self) -> str:
        if (span := self.selection) is None:
            return ""
        return self.text[span[0] : span[1]]

    def move_to(self, offset: int, *, select: bool = False, goal: int | None = None) -> None:
        """Put the cursor at `offset`; with `select` the selection grows or shrinks to it, else it ends."""
        if not select:
            self.anchor = None
        elif self.anchor is None:
            self.anchor = self.cursor
        self.cursor, self.goal, self._run = snap(self.text, offset), goal, None

    def left(self, *, select: bool = False) -> None:
        if (span := self.selection) and not select:
            self.move_to(span[0])
        else:
            self.move_to(previous_border(self.text, self.cursor), select=select)

    def right(self, *, select: bool = False) -> None:
        if (span := self.selection) and not select:
            self.move_to(span[1])
        else:
            self.move_to(next_border(self.text, self.cursor), select=select)

    def word_left(self, *, select: bool = False) -> None:
        self.move_to(self._word_start_before(), select=select)

    def word_right(self, *, select: bool = False) -> None:
        self.move_to(self._word_start_after(), select=select)

    def paragraph_up(self, *, select: bool = False) -> None:
        self.move_to(self.text.rfind("\n", 0, max(self.cursor - 1, 0)) + 1, select=select)

    def paragraph_down(self, *, select: bool = False) -> None:
        end = self.text.find("\n", self.cursor)
        self.move_to(len(self.text) if end < 0 else end + 1, select=select)

    def select_all(self) -> None:
        self.move_to(0)
        self.move_to(len(self.text), select=True)

    def _word_start_before(self) -> int:
        piece = self.text[max(0, self.cursor - 4096) : self.cursor][::-1]  # a bound on the copy, not on words
        found = _BACKWARD.match(piece)
        return self.cursor - (found.end() if found else 0)

    def _word_start_after(self) -> int:
        found = _FORWARD.match(self.text, self.cursor)
        return found.end() if found else self.cursor

    # Changes

    def type(self, text: str) -> None:
        """Insert what a key gave, in place of the selection; joins the open run of typing up to a word's end."""
        text = normalise(text)
        step = self._done[-1] if self._done and self._run == "type" and self.selection is None else None
        starts_word = step is not None and step.inserted[-1:].isspace() and not text.isspace()
        joins = step is not None and not starts_word and "\n" not in text
        self._replace(*(self.selection or (self.cursor, self.cursor)), text, run="type", joins=joins)

    def paste(self, text: str) -> None:
        """Insert in place of the selection, as one step."""
        self._replace(*(self.selection or (self.cursor, self.cursor)), normalise(text))

    def cut(self) -> str:
        """Take the selection out, as one step, and return it; an empty text without a selection."""
        taken = self.selected_text
        if (span := self.selection) is not None:
            self._replace(*span, "")
        return taken

    def backspace(self) -> None:
        self._delete(previous_border(self.text, self.cursor), self.cursor)

    def delete(self) -> None:
        self._delete(self.cursor, next_border(self.text, self.cursor))

    def delete_word_left(self) -> None:
        self._delete(self._word_start_before(), self.cursor, run=None)

    def delete_word_right(self) -> None:
        self._delete(self.cursor, self._word_start_after(), run=None)

    def _delete(self, start: int, end: int, run: str | None = "delete") -> None:
        if (span := self.selection) is not None:
            self._replace(*span, "")
            return
        joins = run is not None and self._run == run and not self.text[start:end].isspace()
        self._replace(start, end, "", run=run, joins=joins)

    def _replace(self, start: int, end: int, new: str, *, run: str | None = None, joins: bool = False) -> None:
        """The one place where text changes: `new` for text[start:end], remembered for undo."""
        removed = self.text[start:end]
        if not removed and not new:
            return
        step = Step(start, removed, new, self.cursor, self.anchor)
        self.text = self.text[:start] + new + self.text[end:]
        if not joins or not self._join(step):
            self._done.append(step)
            del self._done[:-MAX_STEPS]
        self._undone.clear()
        self.cursor, self.anchor, self.goal = snap(self.text, start + len(new)), None, None
        self._run = run
        self.version += 1

    def _join(self, step: Step) -> bool:
        """Add `step` to the last one, if it goes on exactly where that ended."""
        last = self._done[-1]
        if step.inserted and not step.removed and step.offset == last.offset + len(last.inserted):
            joined = last._replace(inserted=last.inserted + step.inserted)
        elif step.removed and not last.inserted and step.offset + len(step.removed) == last.offset:
            joined = last._replace(offset=step.offset, removed=step.removed + last.removed)
        elif step.removed and not last.inserted and step.offset == last.offset:
            joined = last._replace(removed=last.removed + step.removed)
        else:
            return False
        self._done[-1] = joined
        return True

    def undo(self) -> bool:
        """Take the last step back; False when there is none."""
        if not self._done:
            return False
        step = self._done.pop()
        self._undone.append(step)
        self.text = self.text[: step.offset] + step.removed + self.text[step.offset + len(step.inserted) :]
        self.cursor, self.anchor, self.goal, self._run = step.cursor, step.anchor, None, None
        self.version += 1
        return True

    def redo(self) -> bool:
        """Do the step again that was taken back last; False when there is none."""
        if not self._undone:
            return False
        step = self._undone.pop()
        self._done.append(step)
        end = step.offset + len(step.inserted)
        self.text = self.text[: step.offset] + step.inserted + self.text[step.offset + len(step.removed) :]
        self.cursor, self.anchor, self.goal, self._run = snap(self.text, end), None, None, None
        self.version += 1
        return True
