"""The home screen: what is to be done, what was written last, and the prompt. A value that paints itself.

    empty line     arrows mark a row, Enter opens it
    typed line     offers stand above the prompt; Tab takes the marked one, Enter runs the line
Nothing runs by itself: a mistyped command is answered with what was probably meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from notevault.shell.complete import Catalogue, Completion, complete
from notevault.shell.paint import Row, columns, field_row, wrapped
from notevault.shell.safe import clip, visible_line
from notevault.shell.screens import Screen, typed_into
from notevault.shell.text import TextModel

PROMPT = "notevault> "
OFFERS, WORDS = 6, 10
"""Of commands and clients; of the words that `backup` takes."""
WORDY = "backup "
KEYS = "Enter opens \u00b7 Tab completes \u00b7 F1 help \u00b7 F8 hides names \u00b7 ^L locks \u00b7 quit"
KEYS_SHORT = "F1 help \u00b7 F8 hides names \u00b7 ^L locks"


@dataclass(frozen=True)
class Entry:
    """One row: a note or a kept draft. `when` and `state` in words."""

    when: str
    name: str = field(repr=False)
    code: str
    state: str
    note: bytes = b""
    draft: bool = False


@dataclass(frozen=True)
class Section:
    title: str
    entries: tuple[Entry, ...]
    empty: str = ""


@dataclass(frozen=True)
class HomeData:
    """`today` as in "Sat 21 Nov"; `right` counts what waits. `warnings` stay until they are looked at; `reminder` is
    something for a quiet minute.
    """

    today: str
    right: str
    sections: tuple[Section, ...]
    clients: Catalogue
    warnings: tuple[str, ...] = ()
    reminder: str = ""

    def entries(self) -> list[Entry]:
        return [entry for section in self.sections for entry in section.entries]


def entry_text(entry: Entry, width: int, hidden: bool) -> str:
    """One row's text: when, who (the code alone when names are hidden), state."""
    who = max(12, min(34, width - 48))
    name = "" if hidden else entry.name
    parts = [(entry.when, 11), (name or entry.code, who), ("" if hidden else entry.code, 9), (entry.state, 24)]
    return columns(parts).rstrip()  # blanks at the end would be cut with a mark, as if something were missing


class HomeScreen(Screen):
    """`result`: the command line, or the place of the marked entry."""

    def __init__(self, data: HomeData, message: Sequence[str] = (), *, line: str = "") -> None:
        super().__init__(f"Today, {data.today}")
        self.data, self.message = data, message
        self.model = TextModel(line, len(line))
        self.selected = 0
        self._marked: int | None = None

    # Keys

    def act(self, name: str, *, select: bool = False) -> None:
        offers = self.offers()
        if name == "help":
            self.finish("help")
        elif name == "newline":
            self._enter(offers)
        elif name == "close":
            self._marked = None
            self.model = TextModel()
            self.message = ()
        elif name in {"up", "down", "page_up", "page_down"}:
            self._move(name, offers)
        elif name == "indent":
            if offers and self._marked is None and self.model.text.lower() == WORDY:
                self._marked = 0  # nothing of the word is typed yet: first seen, then taken
            elif offers:
                self._take(offers[self._marked or 0])
        elif typed_into(self.model, name, select=select):
            self._marked = None

    def typed(self, text: str) -> None:
        self.message = ()
        self._marked = None
        self.model.type(" ".join(text.split("\n")))

    def _move(self, name: str, offers: list[Completion]) -> None:
        step = -1 if name.endswith("up") else 1
        if offers:
            last = min(len(offers), self._most()) - 1
            self._marked = (0 if step > 0 else last) if self._marked is None else self._marked + step
            self._marked = max(0, min(last, self._marked))
        else:
            step *= 5 if name.startswith("page") else 1
            self.selected = max(0, min(len(self.data.entries()) - 1, self.selected + step))

    def _take(self, offer: Completion) -> None:
        before = self.model.text[: offer.start] + offer.text
        self.model = TextModel(f"{before} ", len(before) + 1)
        self._marked = None

    def _enter(self, offers: list[Completion]) -> None:
        if self._marked is not None and offers:
            at_start = offers[self._marked].start == len(self.model.text) - len(self.model.text.lstrip())
            self._take(offers[self._marked])
            if at_start and self.offers_for_line():
                return  # a command that wants something more
        line = self.model.text.strip()
        if line:
            self.finish(line)
        elif self.data.entries():
            self.finish(self.selected)

    def offers_for_line(self) -> bool:
        from notevault.shell.complete import COMMANDS

        word = self.model.text.strip()
        return any(word == name and takes for name, takes, _ in COMMANDS)

    def offers(self) -> list[Completion]:
        catalogue = Catalogue(self.data.clients.clients, self.names_hidden)
        return complete(self.model.text, self.model.cursor, catalogue)

    def _most(self) -> int:
        return WORDS if self.model.text.lower().startswith(WORDY) else OFFERS

    # The picture

    def _notable(self, width: int) -> list[Row]:
        """Above everything, whatever is typed: the warnings, then what can wait."""
        rows: list[Row] = []
        for text in self.data.warnings:
            told = wrapped(text, max(1, min(width - 2, 100)), "class:message", " ")
            rows += [[("class:message", " !" if at == 0 else "  "), *row] for at, row in enumerate(told)]
        if self.data.reminder:
            rows += wrapped(self.data.reminder, min(width - 2, 100), "", " ")
        return [[("", "")], *rows] if rows else []

    def _list(self, width: int, height: int) -> list[Row]:
        rows: list[Row] = []
        marked, number = 0, 0
        empty_line = not self.model.text
        for section in self.data.sections:
            rows.append([("", "")])
            rows.append([("class:heading", f" {section.title}")])
            if not section.entries:
                rows += wrapped(section.empty, width - 4, indent="   ")
            for entry in section.entries:
                chosen = number == self.selected and empty_line
                text = entry_text(entry, width - 4, self.names_hidden)
                if number == self.selected:
                    marked = len(rows)
                rows.append([("class:key", " > " if chosen else "   "), ("class:chosen" if chosen else "", text)])
                number += 1
        if len(rows) > height and marked < height:
            marked = 0
        top = max(0, min(marked - height // 2, len(rows) - height)) if marked else 0
        return rows[top : top + height]

    def body(self, width: int, height: int) -> tuple[list[Row], tuple[int, int] | None]:
        self.keys = KEYS if width > len(KEYS) + 2 else KEYS_SHORT
        line, column = field_row(f" {PROMPT}", self.model, width, masked=False)
        line = [line[0], *[("", text) if style == "class:field" else (style, text) for style, text in line[1:]]]
        above: list[Row] = []
        offers = list(enumerate(self.offers()[: self._most()]))
        most = max(1, height - 3)
        offers = offers[max(0, (self._marked or 0) - most + 1) :][:most]
        for number, offer in offers:
            chosen = number == self._marked
            text = clip(visible_line(offer.label), width - 8)
            style = "class:chosen" if chosen else ""
            above.append([("class:key", "   > " if chosen else "     "), (style, text)])
        for text in self.message:
            above += wrapped(text, min(width - 2, 100), "class:message", " ")
        above = above[: max(0, height - 3)]
        room = max(0, height - 1 - len(above) - (1 if above else 0))
        shown = self._notable(width)[: max(0, room - 3)]
        shown += self._list(width, room - len(shown))
        shown += [[("", "")]] * (height - 1 - len(above) - len(shown))
        rows = [*shown, *above, line]
        return rows, (column, len(rows) - 1)
