"""The screens that ask and show: values that take keys and paint themselves, without a terminal.

All share one frame: a title row, the body, one row of keys, the toolbar. Esc goes back, Enter takes the default.
A screen is over when `done`; `result` is None where the user went back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from notevault.errors import NotevaultError
from notevault.shell.editor_view import Picture
from notevault.shell.paint import Row, clip_row, field_row, plain, spread, wrapped
from notevault.shell.safe import clip
from notevault.shell.text import TextModel

MEASURE = 76
"""Columns of running text: one wording for 80 and for wide terminals."""
NO_ENTER = "Enter alone is no answer here: please type y or n."

Check = Callable[[str], str | None]
"""What is wrong with an answer, None when nothing is; a NotevaultError that it raises is said too."""
Words = str | Callable[[bool], str]
"""A text, or how it reads with names hidden or not."""
Rows = Callable[[int, bool], Sequence[Row]]
"""(width, names hidden) -> rows."""
_FAR = 1_000_000_000
_EDITS = {"backspace", "delete", "delete_word_left", "delete_word_right", "undo", "redo"}
_MOVES = {"left", "right", "word_left", "word_right"}


def in_words(words: Words, hidden: bool) -> str:
    return words if isinstance(words, str) else words(hidden)


def typed_into(model: TextModel, name: str, *, select: bool = False) -> bool:
    """The keys of a one-line input; whether `name` was one of them."""
    if name in _EDITS:
        getattr(model, name)()
    elif name in _MOVES:
        getattr(model, name)(select=select)
    elif name in {"row_start", "text_start"}:
        model.move_to(0, select=select)
    elif name in {"row_end", "text_end"}:
        model.move_to(len(model.text), select=select)
    elif name == "select_all":
        model.select_all()
    else:
        return False
    return True


class Screen:
    """Base: title, keys, an end. `names_hidden` is set by whoever runs it."""

    keys = "Esc back"

    def __init__(self, title: Words, text: Sequence[Words] = ()) -> None:
        self.title = title
        self.text = text
        self.done = False
        self.result: Any = None
        self.names_hidden = False
        self.takes_f8 = False
        self._top = 0
        self._page = 1

    def finish(self, result: Any) -> None:
        self.done, self.result = True, result

    def act(self, name: str, *, select: bool = False) -> None:
        if name == "close":
            self.finish(None)

    def typed(self, text: str) -> None:
        """A key that gives a character."""

    def pasted(self, text: str) -> None:
        self.typed(text)

    def body(self, width: int, height: int) -> tuple[list[Row], tuple[int, int] | None]:
        """Rows for the middle, and the cursor in it."""
        return self.paragraphs(width), None

    def paragraphs(self, width: int) -> list[Row]:
        rows: list[Row] = []
        for each in self.text:
            said = in_words(each, self.names_hidden)
            rows += [[("", "")], *wrapped(said, min(width - 2, MEASURE), indent=" ")]
        return rows

    def paint(self, right: str, toolbar: str, width: int, height: int) -> Picture:
        """Exactly `height` rows; small windows lose the keys, then the title."""
        frame_top = 1 if height >= 4 else 0
        frame_keys = 1 if height >= 6 else 0
        frame_bar = 1 if height >= 2 and toolbar else 0
        room = max(1, height - frame_top - frame_keys - frame_bar)
        rows, cursor = self.body(width, room)
        keep = cursor[1] if cursor else None
        if len(rows) > room and keep is not None:  # the question stays in sight, its explanation scrolls away
            skip = max(0, min(len(rows) - room, keep - room + 2))
            rows = rows[skip:]
            cursor = (cursor[0], cursor[1] - skip) if cursor else None
        rows = [clip_row(row, width) for row in rows[:room]]
        rows += [[("", "")]] * (room - len(rows))
        out: list[Row] = (
            [spread(f" {in_words(self.title, self.names_hidden)}", f"{right} ", width, "class:bar.strong")]
            if frame_top
            else []
        )
        out += rows
        if frame_keys:
            out.append([("", clip(f" {self.keys}", width))])
        if frame_bar:
            out.append([("class:bar", toolbar)])
        shown = (min(cursor[0], width - 1), min(cursor[1], room - 1) + frame_top) if cursor else None
        return Picture(out, shown, room)


class Ask(Screen):
    """One line of text; with `secret` never shown (F8 shows it where `revealable`: a sheet in the hand). What stands
    in a `private` one at first is not shown while names are hidden.
    """

    def __init__(
        self,
        title: Words,
        text: Sequence[Words],
        label: str,
        *,
        initial: str = "",
        secret: bool = False,
        revealable: bool = False,
        check: Check | None = None,
        live: Callable[[str], str] | None = None,
        private: bool = False,
        keys: str | None = None,
    ) -> None:
        super().__init__(title, text)
        self.label, self.secret, self.takes_f8 = label, secret, revealable
        self._check, self._live = check, live
        self._private = initial if private else None
        self.model = TextModel(initial, len(initial))
        self.fault = ""
        self._shown = False
        self.keys = keys or "Enter go on \u00b7 Esc back" + (" \u00b7 F8 shows what you type" if revealable else "")

    def act(self, name: str, *, select: bool = False) -> None:
        if name == "close":
            self.finish(None)
        elif name == "newline":
            self._enter()
        elif name == "hide_names" and self.takes_f8:
            self._shown = not self._shown
        elif typed_into(self.model, name, select=select):
            self.fault = ""

    def typed(self, text: str) -> None:
        self.fault = ""
        self.model.type(" ".join(text.split("\n")))

    def pasted(self, text: str) -> None:
        self.fault = ""
        self.model.paste(" ".join(text.strip().replace("\r", "\n").split("\n")))

    def _enter(self) -> None:
        text = self.model.text
        try:
            fault = self._check(text) if self._check else None
        except NotevaultError as error:
            fault = f"{error.sentence} {error.next_step}".strip()
        if fault:
            self.fault = fault
        else:
            self.finish(text)

    def body(self, width: int, height: int) -> tuple[list[Row], tuple[int, int] | None]:
        rows = [*self.paragraphs(width), [("", "")]]
        masked = (self.secret and not self._shown) or (self.names_hidden and self.model.text == self._private)
        line, column = field_row(f" {self.label} ", self.model, min(width, MEASURE), masked=masked)
        rows.append(line)
        cursor = (column, len(rows) - 1)
        if self.fault:
            rows += [[("", "")], *wrapped(self.fault, min(width - 2, MEASURE), "class:message", " ")]
        elif self._live and (said := self._live(self.model.text)):
            rows += [[("", "")], *wrapped(said, min(width - 2, MEASURE), "", " ")]
        return rows, cursor


class Confirm(Screen):
    """Yes or no: only y, n or Enter count. Esc is the safe answer's way back (None). Without a default, Enter is no
    answer.
    """

    def __init__(self, title: Words, text: Sequence[Words], question: str, *, default: bool | None) -> None:
        super().__init__(title, text)
        self.question, self.default = question, default
        enter = "" if default is None else f"Enter {'yes' if default else 'no'} \u00b7 "
        self.keys = f"{enter}y or n \u00b7 Esc back"
        self.hint = "[y or n]" if default is None else "[Y/n]" if default else "[y/N]"
        self._asked_again = False

    def act(self, name: str, *, select: bool = False) -> None:
        if name == "close":
            self.finish(None)
        elif name == "newline" and self.default is None:
            self._asked_again = True
        elif name == "newline":
            self.finish(self.default)

    def typed(self, text: str) -> None:
        if text in "yYnN" and len(text) == 1:
            self.finish(text in "yY")

    def pasted(self, text: str) -> None:
        """Nothing pasted answers a question."""

    def body(self, width: int, height: int) -> tuple[list[Row], tuple[int, int] | None]:
        ask = wrapped(f"{self.question} {self.hint} ", min(width - 2, MEASURE), "class:question", " ")
        again = wrapped(NO_ENTER, min(width - 2, MEASURE), "class:message", " ") if self._asked_again else []
        rows = [*self.paragraphs(width), [("", "")], *again, *ask]
        return rows, (min(len(plain(rows[-1])) + 1, width - 1), len(rows) - 1)


def _capped(rows: list[Row], most: int) -> list[Row]:
    """What is chosen from must be in sight: a long text above it is cut, and the cut is marked."""
    kept = rows[: max(0, most)]
    while kept and len(kept) < len(rows) and not plain(kept[-1]):
        kept.pop()
    return [*kept[:-1], [*kept[-1], ("", "\u2026")]] if kept and len(kept) < len(rows) else kept


class Choose(Screen):
    """A list; Enter takes the marked one. `items` gives each entry's rows; few entries also by their number."""

    def __init__(
        self,
        title: Words,
        text: Sequence[Words],
        items: Callable[[int, bool], Sequence[Sequence[Row]]],
        *,
        selected: int = 0,
        numbered: bool = False,
        keys: str = "\u2191\u2193 choose \u00b7 Enter take \u00b7 Esc back",
    ) -> None:
        super().__init__(title, text)
        self.items, self.selected, self.numbered, self.keys = items, selected, numbered, keys
        self.count = len(items(80, False))

    def act(self, name: str, *, select: bool = False) -> None:
        steps = {"up": -1, "down": 1, "page_up": -5, "page_down": 5}
        if name == "close":
            self.finish(None)
        elif name == "newline":
            self.finish(self.selected if self.count else None)
        elif name in steps:
            self.selected = max(0, min(self.count - 1, self.selected + steps[name]))
        elif name in {"row_start", "text_start"}:
            self.selected = 0
        elif name in {"row_end", "text_end"}:
            self.selected = max(0, self.count - 1)

    def typed(self, text: str) -> None:
        if self.numbered and text.isdecimal() and 1 <= int(text) <= min(self.count, 9):
            self.finish(int(text) - 1)

    def pasted(self, text: str) -> None:
        """Nothing pasted chooses."""

    def body(self, width: int, height: int) -> tuple[list[Row], tuple[int, int] | None]:
        items = self.items(width - 4, self.names_hidden)
        head = _capped(self.paragraphs(width), height - 1 - min(sum(map(len, items)), max(3, height // 2)))
        head.append([("", "")])
        room = max(1, height - len(head))
        shown: list[Row] = []
        marked = (0, 0)
        for number, rows in enumerate(items):
            chosen = number == self.selected
            start = len(shown)
            for at, row in enumerate(rows):
                mark = (" > " if chosen else "   ") if at == 0 else "   "
                if self.numbered and at == 0:
                    mark += f"{number + 1}  "
                elif self.numbered:
                    mark += "   "
                if chosen and at == 0:
                    row = [("class:chosen", text) for _, text in row]
                shown.append([("class:key" if chosen else "", mark), *row])
            if chosen:
                marked = (start, len(shown))
        if not shown:
            shown = [[("", "   nothing here")]]
        self._top = max(marked[1] - room, min(self._top, marked[0]), 0)
        return head + shown[self._top : self._top + room], None


class Page(Screen):
    """Something to read; scrolls. `rows` gives it anew for each width, names hidden or not. A heading that was scrolled
    away stays in sight beside the sign that there is more.
    """

    keys = "Enter or Esc goes on"

    def __init__(self, title: Words, rows: Rows, *, at_end: bool = False) -> None:
        super().__init__(title)
        self.rows = rows
        self._top = _FAR if at_end else 0

    def act(self, name: str, *, select: bool = False) -> None:
        steps = {"up": -1, "down": 1, "page_up": -self._page, "page_down": self._page}
        if name in {"close", "newline"}:
            self.finish(True if name == "newline" else None)
        elif name in steps:
            self._top = max(0, self._top + steps[name])
        elif name in {"row_start", "text_start"}:
            self._top = 0
        elif name in {"row_end", "text_end"}:
            self._top = _FAR

    def body(self, width: int, height: int) -> tuple[list[Row], tuple[int, int] | None]:
        rows = [[("", "")], *([("", " "), *row] for row in self.rows(width - 2, self.names_hidden))]
        self._page = max(1, height - 2)
        self._top = max(0, min(self._top, len(rows) - height))
        self.keys = Page.keys if len(rows) <= height else f"\u2191\u2193 PgUp PgDn scroll \u00b7 {Page.keys}"
        shown = rows[self._top : self._top + height]
        if self._top and height > 2:
            above = [row[1] for row in rows[: self._top + 1] if len(row) == 2 and row[1][0] == "class:heading"]
            shown[0] = [("class:key", " \u2191 more"), *([("", "   "), above[-1]] if above else [])]
        if len(rows) > self._top + height:
            shown[-1] = [("class:key", " \u2193 more")]
        return shown, None


class Wait(Screen):
    """While a thread works: what is being done, and how far. Keys do nothing."""

    keys = ""

    def __init__(self, title: Words, text: Sequence[Words]) -> None:
        super().__init__(title, text)
        self.progress = ""

    def act(self, name: str, *, select: bool = False) -> None:
        """Nothing to press."""

    def body(self, width: int, height: int) -> tuple[list[Row], tuple[int, int] | None]:
        rows = self.paragraphs(width)
        return [*rows, [("", "")], *wrapped(self.progress, min(width - 2, MEASURE), "", " ")], None
