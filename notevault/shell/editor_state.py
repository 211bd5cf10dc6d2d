"""What the editor's keys do to text, find bar and help: everything but saving, signing and the terminal. Pure.

`act` returns the name of an effect that the screen must carry out (`save`, `sign`, `close`, `lock`) or None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from notevault.shell.clipboard import Clipboard
from notevault.shell.editor_keys import HELP
from notevault.shell.editor_view import SEPARATOR, Bar, Painter, Picture, View
from notevault.shell.find import Folded, next_hit
from notevault.shell.text import TextModel, count_words

INDENT = "  "
EDITS = {"backspace", "delete", "delete_word_left", "delete_word_right", "undo", "redo"}
MOVES = {"left", "right", "word_left", "word_right", "paragraph_up", "paragraph_down"}
QUESTION = "Sign this note? This version then stays as it is.  y signs \u00b7 n or Enter goes back to writing"
READ_ONLY = "This can be read, not changed."
KEYS_WRITE = ["^S save  ^G sign  ^F find  Esc close", "^S save  Esc close  F1 keys", "F1 keys"]
KEYS_READ = ["^F find  F8 names  Esc close", "Esc close  F1 keys", "F1 keys"]
KEYS_HELP = ["\u2191\u2193 more  Esc back to the note", "Esc back"]


class EditorState:
    """One note on the screen. `mode` is `write`, `find`, `question` or `help`."""

    def __init__(self, text: str, cursor: int, *, read_only: bool, clipboard: Clipboard) -> None:
        self.model = TextModel(text, cursor)
        self.read_only = read_only
        self.clipboard = clipboard
        self.mode = "write"
        self.message, self.alarm = "", False
        self.sign_warning: Callable[[str], str] | None = None
        self.painter = Painter()
        self.width, self.page = 80, 20
        self._before_help = "write"
        self._help_top = 0
        self._bar = TextModel()
        self._origin = 0  # where the search began
        self._words = (-1, 0)
        self.aside: Callable[[str], int] | None = None
        self._folded: tuple[int, Folded] | None = None

    # Messages

    def say(self, message: str, *, alarm: bool = False) -> None:
        self.message, self.alarm = message, alarm

    def new_key(self) -> None:
        """A key is coming: what was said last has been read. An alarm stays until something replaces it."""
        if not self.alarm:
            self.message = ""

    # Keys

    def typed(self, text: str) -> str | None:
        if self.mode == "question":
            if text in "yY":
                self._end_question()
                return "sign"
            if text in "nN":
                self._end_question()
        elif self.mode == "help":
            return self.act("help")
        elif self.mode == "find":
            self._bar.type(" ".join(text.split("\n")))
            self._search()
        elif self._may_edit():
            self.model.type(text)
        return None

    def pasted(self, text: str) -> str | None:
        if self.mode == "find":
            self._bar.paste(text.strip().replace("\r", "\n").replace("\n", " "))
            self._search()
        elif self.mode == "write" and self._may_edit():
            self.model.paste(text)
        return None

    def act(self, name: str, *, select: bool = False) -> str | None:
        if name == "lock":
            return "lock"
        if name == "help" or self.mode == "help":
            self._act_help(name)
            return None
        if self.mode == "question":
            if name in {"newline", "close"}:
                self._end_question()
            return None
        if name == "find":
            self._open_bar()
        elif name in {"find_next", "find_previous"}:
            self._find(back=name == "find_previous")
        elif name == "print":
            self.say("Printing comes later.")
        elif name == "hide_names" or name == "save":
            return name
        elif self.mode == "find":
            self._act_find(name, select=select)
        elif name == "sign":
            if self._may_edit():
                self.mode = "question"
                warning = self.sign_warning(self.model.text) if self.sign_warning else ""
                self.say(f"{warning} {QUESTION}".strip())
        elif name == "close":
            return "close"
        else:
            self._act_text(name, select=select)
        return None

    def _end_question(self) -> None:
        self.mode = "write"
        self.say("")

    def _may_edit(self) -> bool:
        if self.read_only:
            self.say(READ_ONLY)
        return not self.read_only

    def _act_help(self, name: str) -> None:
        steps = {"up": -1, "down": 1, "page_up": -self.page, "page_down": self.page}
        if self.mode != "help":
            self._before_help, self.mode, self._help_top = self.mode, "help", 0
        elif name in steps:
            self._help_top = max(0, min(self._help_top + steps[name], len(HELP) - self.page))
        elif name in {"help", "close", "newline"}:
            self.mode = self._before_help

    def _act_text(self, name: str, *, select: bool) -> None:
        model = self.model
        if name in MOVES:
            getattr(model, name)(select=select)
        elif name == "select_all":
            model.select_all()
        elif name == "copy":
            self.clipboard.put(model.selected_text)
        elif name in EDITS or name in {"newline", "indent", "cut", "paste"}:
            if self._may_edit():
                self._edit(name)
        else:
            self._move_by_rows(name, select=select)

    def _edit(self, name: str) -> None:
        model = self.model
        if name == "newline":
            model.type("\n")
        elif name == "indent":
            model.type(INDENT)
        elif name == "cut":
            self.clipboard.put(model.cut())
        elif name == "paste":
            model.paste(self.clipboard.take())
        elif getattr(model, name)() is False:
            self.say(f"Nothing to {name}.")

    def _move_by_rows(self, name: str, *, select: bool) -> None:
        model, layout = self.model, self.painter.layout
        self.painter.fit(model.text, self.width)
        row, column = layout.locate(model.cursor)
        goal = column if model.goal is None else model.goal
        page = max(1, self.page - 1)
        rows = {"up": -1, "down": 1, "page_up": -page, "page_down": page}.get(name)
        if rows is not None:
            target = max(0, min(row + rows, layout.row_count - 1))
            if target == row:
                # Beyond the first or last row only a page goes on, to the very start or end.
                goal = goal if abs(rows) == 1 else (0 if rows < 0 else 1 << 30)
            if abs(rows) > 1:
                self.painter.scroll(rows)
            model.move_to(layout.offset_at(target, goal), select=select, goal=goal)
        elif name == "row_start":
            model.move_to(layout.span(row)[0], select=select)
        elif name == "row_end":
            model.move_to(layout.last_place(row), select=select)
        elif name == "text_start":
            model.move_to(0, select=select)
        elif name == "text_end":
            model.move_to(len(model.text), select=select)

    # Find

    def _open_bar(self) -> None:
        if self.mode != "find":
            self.mode = "find"
            span = self.model.selection
            self._origin = span[0] if span else self.model.cursor
            seed = self.model.selected_text
            if seed and "\n" not in seed and len(seed) <= 80:
                self._bar = TextModel(seed)
        self._bar.select_all()
        self._search()

    def _hits(self) -> list[tuple[int, int]]:
        if self._folded is None or self._folded[0] != self.model.version:
            self._folded = (self.model.version, Folded(self.model.text))
        return self._folded[1].hits(self._bar.text)

    def _show_hit(self, span: tuple[int, int]) -> None:
        self.model.move_to(span[0])
        self.model.move_to(span[1], select=True)

    def _search(self) -> None:
        hits = self._hits()
        index = next_hit(hits, self._origin)
        if index is None:
            self.model.move_to(self._origin)
        else:
            self._show_hit(hits[index])

    def _find(self, *, back: bool) -> None:
        if not self._bar.text:
            self._open_bar()
            return
        hits, span = self._hits(), self.model.selection
        here = self.model.cursor if span is None else span[0]
        if not back and span is not None:
            here += 1
        index = next_hit(hits, here, back=back)
        if index is None:
            self.say("Not found in this note.")
        else:
            self._show_hit(hits[index])
            self._origin = hits[index][0]

    def _act_find(self, name: str, *, select: bool) -> None:
        bar, before = self._bar, self._bar.version
        if name == "close":
            self.mode = "write"
            if span := self.model.selection:
                self.model.move_to(span[0])  # nothing stays selected that the next key would overwrite
        elif name in {"newline", "down"}:
            self._find(back=False)
        elif name == "up":
            self._find(back=True)
        elif name in MOVES or name in EDITS:
            getattr(bar, name)(**({"select": select} if name in MOVES else {}))
        elif name in {"row_start", "text_start", "row_end", "text_end"}:
            bar.move_to(0 if name.endswith("start") else len(bar.text), select=select)
        elif name == "select_all":
            bar.select_all()
        elif name in {"copy", "cut"}:
            self.clipboard.put(bar.selected_text if name == "copy" else bar.cut())
        elif name == "paste":
            bar.paste(" ".join(self.clipboard.take().split("\n")))
        if bar.version != before:
            self._search()

    # The picture

    def words(self) -> int:
        if self._words[0] != self.model.version:
            aside = self.aside(self.model.text) if self.aside else 0
            self._words = (self.model.version, count_words(self.model.text) - aside)
        return self._words[1]

    def _find_notes(self, hits: list[tuple[int, int]]) -> list[str]:
        if not self._bar.text.strip():
            return ["Esc closes", ""]
        if not hits:
            return ["not found  Esc closes", "not found"]
        current = self.model.selection
        count = f"{hits.index(current) + 1} of {len(hits)}" if current in hits else f"{len(hits)} found"
        return [f"{count}  Enter next  Shift-F3 previous  Esc closes", f"{count}  Esc closes", count]

    def paint(
        self,
        title: str,
        template: str,
        saving: str,
        status: str,
        width: int,
        height: int,
        *,
        alarm: Sequence[str] = (),
    ) -> Picture:
        """The whole screen. `saving` says how far the text is saved, `status` and `alarm` are the caller's part."""
        count = self.words()
        words = f"{count:,} word{'' if count == 1 else 's'}"
        saving = "read only" if self.read_only else saving
        parts = ([saving, words, status], [saving, status], [saving, words], [saving or words])
        hits = self._hits() if self.mode == "find" else []
        bar = Bar(self._bar.text, self._bar.cursor, self._bar.selection, self._find_notes(hits))
        keys = KEYS_HELP if self.mode == "help" else KEYS_READ if self.read_only else KEYS_WRITE
        view = View(
            title=title,
            template=template,
            text=self.model.text,
            cursor=self.model.cursor,
            selection=self.model.selection,
            hits=hits,
            keys=keys,
            states=[SEPARATOR.join(p for p in part if p) for part in parts],
            message=self.message,
            alarm=self.alarm,
            loud=alarm,
            bar=bar if self.mode == "find" else None,
            help=HELP if self.mode == "help" else None,
            help_top=self._help_top,
        )
        picture = self.painter.paint(view, width, height)
        self.width, self.page = width, picture.page
        return picture
