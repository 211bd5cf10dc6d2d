"""The editor's keys: one table from key to act, and the help made to match it.

Ordinary word-processor hands. Escape waits `ESCAPE_S` to see whether it was the first byte of another key;
sequences that neither prompt-toolkit nor this table knows are swallowed whole: no stray `;5~` gets into a note.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Protocol

from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

ESCAPE_S = 0.04
"""Seconds; spent at most twice (by the parser, then by the key processor). Bytes of one key come together."""

MOVES = {
    "left": "left",
    "right": "right",
    "up": "up",
    "down": "down",
    "c-left": "word_left",
    "c-right": "word_right",
    "home": "row_start",
    "end": "row_end",
    "c-home": "text_start",
    "c-end": "text_end",
    "pageup": "page_up",
    "pagedown": "page_down",
}
"""Keys that move; with Shift (`s-`, `c-s-`) they select."""

ACTS: dict[tuple[str, ...], str] = {
    ("c-up",): "paragraph_up",
    ("c-down",): "paragraph_down",
    ("enter",): "newline",
    ("c-j",): "newline",
    ("tab",): "indent",
    ("delete",): "delete",
    ("c-delete",): "delete_word_right",
    ("c-w",): "delete_word_left",  # what several terminals send for Ctrl-Backspace
    ("c-z",): "undo",
    ("c-y",): "redo",
    ("c-a",): "select_all",
    ("c-c",): "copy",
    ("c-x",): "cut",
    ("c-v",): "paste",
    ("c-insert",): "copy",
    ("s-insert",): "paste",
    ("s-delete",): "cut",
    ("c-s",): "save",
    ("c-g",): "sign",
    ("c-f",): "find",
    ("c-p",): "print",
    ("c-l",): "lock",
    ("f1",): "help",
    ("f3",): "find_next",
    ("f15",): "find_previous",  # Shift-F3 of the Linux console
    ("f8",): "hide_names",
    ("escape",): "close",
    ("escape", "escape"): "close",
    ("escape", "left"): "word_left",
    ("escape", "right"): "word_right",
    ("escape", "b"): "word_left",  # Option-arrows of a Mac
    ("escape", "f"): "word_right",
    ("escape", "c-h"): "delete_word_left",
    ("escape", "delete"): "delete_word_right",
    ("<sigint>",): "nothing",  # Ctrl-C never quits, however it arrives
}

UNNAMED = {
    "127;5u": "delete_word_left",  # Ctrl-Backspace where the terminal spells keys out
    "27;5;127~": "delete_word_left",
    "27;5;8~": "delete_word_left",
    "8;5u": "delete_word_left",
}
"""Sequences after `ESC [` for which prompt-toolkit has no name."""

SHIFT_F3 = "\x1b[1;2R"  # xterm; prompt-toolkit takes it for a report of the cursor's position

HELP = [
    "The text is kept while you write; closing saves it.",
    "",
    "Ctrl-S             save",
    "Ctrl-G             sign (asks first)",
    "Esc                close the note, saving it",
    "Ctrl-L             lock",
    "F8                 hide or show the name",
    "",
    "Ctrl-Z  Ctrl-Y     undo, redo",
    "Ctrl-X  C  V       cut, copy, paste",
    "Ctrl-A             select everything",
    "Shift + arrows     select",
    "",
    "Ctrl-F             find in this note",
    "F3  Shift-F3       next, previous",
    "",
    "Ctrl + \u2190 \u2192         a word back, on",
    "Ctrl + \u2191 \u2193         a paragraph up, down",
    "Home  End          start, end of the row",
    "Ctrl + Home  End   start, end of the note",
    "Ctrl + Backspace   delete the word before",
    "Ctrl + Delete      delete the word after",
    "",
    "Cut and copied text stays inside notevault.",
    "Esc or F1 goes back to the note.",
]


class Acting(Protocol):
    """What the keys drive."""

    def act(self, name: str, *, select: bool = False) -> None: ...

    def typed(self, text: str) -> None: ...

    def pasted(self, text: str) -> None: ...


def backspace_is_delete(source: Input) -> bool:
    """Whether this terminal's Backspace sends DEL, so that BS (08) means Ctrl-Backspace."""
    if sys.platform == "win32":
        return False
    import termios

    try:
        erase: object = termios.tcgetattr(source.fileno())[6][termios.VERASE]
    except (OSError, termios.error, NotImplementedError):
        return True
    return erase == b"\x7f"


class _Swallow:
    """Eats the rest of a key sequence nobody knows: `[` to its final byte, `O` and one more."""

    def __init__(self) -> None:
        self._until = 0.0
        self._seen = ""

    def begin(self, char: str) -> None:
        if char in {"[", "O"}:
            self._until, self._seen = asyncio.get_running_loop().time() + ESCAPE_S, char

    def takes(self, char: str) -> str | None:
        """None: not part of a sequence. Else what an ended one means, `nothing` while it goes on."""
        if not self._seen or asyncio.get_running_loop().time() > self._until:
            self._seen = ""
            return None
        self._seen += char
        if self._seen[0] == "O" or "@" <= char <= "~":
            name, self._seen = UNNAMED.get(self._seen[1:], "nothing"), ""
            return name
        return "nothing"


def bindings(editor: Acting, *, word_by_bs: bool) -> KeyBindings:
    """All keys of the editor. `word_by_bs`: the byte 08 is Ctrl-Backspace (see `backspace_is_delete`)."""
    keys = KeyBindings()
    swallow = _Swallow()

    def bind(sequence: tuple[str, ...], name: str, *, select: bool = False) -> None:
        def run(event: KeyPressEvent) -> None:
            editor.act(name, select=select)

        keys.add(*sequence)(run)

    for key, name in MOVES.items():
        bind((key,), name)
        bind((f"c-s-{key[2:]}" if key.startswith("c-") else f"s-{key}",), name, select=True)
    for sequence, name in ACTS.items():
        bind(sequence, name)

    def on(*sequence: str) -> Callable[[Callable[[KeyPressEvent], None]], Callable[[KeyPressEvent], None]]:
        return keys.add(*sequence)

    @on("c-h")
    def _backspace(event: KeyPressEvent) -> None:
        word = word_by_bs and event.data == "\x08"
        editor.act("delete_word_left" if word else "backspace")

    @on(Keys.BracketedPaste)
    def _paste(event: KeyPressEvent) -> None:
        editor.pasted(event.data)

    @on(Keys.CPRResponse)
    def _shift_f3(event: KeyPressEvent) -> None:
        if event.data == SHIFT_F3:
            editor.act("find_previous")

    @on("escape", Keys.Any)
    def _alt(event: KeyPressEvent) -> None:
        swallow.begin(event.key_sequence[-1].data)

    @on(Keys.Any)
    def _any(event: KeyPressEvent) -> None:
        key = event.key_sequence[-1]
        if isinstance(key.key, Keys):
            return  # a key with a name and no meaning here
        meaning = swallow.takes(key.data)
        if meaning is None:
            editor.typed(key.data)
        else:
            editor.act(meaning)

    return keys
