"""The same work as line prompts, for screen readers and dumb terminals: no full screen, no colour, nothing moves.

    Enter alone      the default in brackets
    Ctrl-C, or .     back (at a passphrase Ctrl-C alone)
    Ctrl-L, Enter    lock                 Ctrl-D   lock and leave
Lists are numbered. A line may have at most some 4,000 characters: that is the terminal's own limit, and a longer one
is spoken of.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from notevault.errors import NotevaultError
from notevault.shell import plain_tty
from notevault.shell.editor_job import EditorHooks, EditorJob, EditorResult
from notevault.shell.home import PROMPT, HomeScreen, entry_text
from notevault.shell.idle import WARN_S, Idle
from notevault.shell.paint import plain, wrapped
from notevault.shell.plain_editor import edit_plain
from notevault.shell.safe import visible
from notevault.shell.screens import NO_ENTER, Check, Rows, Words, in_words
from notevault.shell.terminal import CLEAR, FORGET_SCROLLBACK, is_dumb, write
from notevault.shell.ui import Items, Leave, Progress, graver

T = TypeVar("T")
WIDTH = 76
AT_ONCE = 20
AT_ONCE_ROWS = 60
SAY_EVERY_S = 3.0
COMMAND = "notevault "
"""How a line begins that is a command for a terminal."""


class PlainUi:
    """Implements `ui.Ui` on standard input and output in the terminal's own line mode."""

    is_plain = True

    def __init__(self, idle: Idle, toolbar: Callable[[int], str], *, banner: str = "") -> None:
        self.idle, self.banner = idle, banner
        self._toolbar = toolbar
        self.names_hidden = False
        self.leaving: str | None = None
        self.news: list[str] = []
        self._lines: list[str] = []
        self._rest = b""
        self._in_text = False  # what is typed now is a note's
        self._waiting: asyncio.Future[str | None] | None = None
        self._title = ""
        self._listed = False
        self._warned = False
        self._warnings: tuple[str, ...] = ()

    # The terminal

    @contextlib.contextmanager
    def terminal(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_reader(0, self._read)
        loop.add_signal_handler(signal.SIGINT, self._back)
        plain_tty.never_stop()
        if self.banner:
            self.say(self.banner)
        try:
            yield
        finally:
            loop.remove_reader(0)
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _read(self) -> None:
        try:
            data = os.read(0, 65_536)
        except OSError:
            data = b""
        if not data:
            self.leave("hangup" if plain_tty.gone() else "exit")
            return
        self.idle.activity()
        self._warned = False
        lock = False
        *whole, self._rest = (self._rest + data).split(b"\n")
        for raw in whole:
            line = raw.translate(None, b"\x11\x13").decode("utf-8", "replace").rstrip("\r")  # Ctrl-S, Ctrl-Q: no text
            if len(raw) >= plain_tty.LINE_BYTES:
                self.say(
                    "A terminal takes no longer line: what came after it was cut off. Type the rest as a new line."
                )
            if "\x0c" in line:
                lock = lock or self.idle.running
                line = line.replace("\x0c", "")
                if lock and not line:
                    continue
            if not lock or self._in_text:  # the words of a note are kept, also those beside the Ctrl-L
                self._lines.append(line)
        self._answer()
        if lock:
            self.leave("key")

    def _answer(self) -> None:
        if self._waiting is not None and not self._waiting.done() and self._lines:
            self._waiting.set_result(self._lines.pop(0))

    def _back(self) -> None:
        self._lines.clear()
        if self._waiting is not None and not self._waiting.done():
            write("\n")
            self._waiting.set_result(None)

    def _forget_typed(self) -> None:
        """What was typed ahead does not answer a question that nobody has seen."""
        self._lines.clear()
        self._rest = b""
        plain_tty.forget()

    def leave(self, reason: str) -> None:
        if self._in_text and (rest := self._rest + (b"" if plain_tty.gone() else plain_tty.unfinished())):
            self._rest = b""
            text = rest.translate(None, b"\x0c\x11\x13").decode("utf-8", "replace")
            self._lines += [line.rstrip("\r") for line in text.split("\n")]
            self._answer()
        self.leaving = graver(self.leaving, reason)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Leave(self.leaving))

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            if reason := self.idle.look():
                self.leave(reason)
            elif self.idle.running and self.idle.left_s() <= WARN_S and not self._warned:
                self._warned = True
                self.say("", f"Locks in {WARN_S} seconds: press Enter to stay.")

    def waiting(self, words: str) -> None:
        self.say(words)

    def cover(self) -> None:
        """Line by line, nothing can be taken back; see `farewell`."""

    def farewell(self, reason: str) -> None:
        if reason in ("hangup", "gone") or not self.idle.running:  # never open: there was nothing to be seen
            return
        said = "Locked." if reason != "exit" else "Locked. Good-bye."
        if not is_dumb():
            write(CLEAR + FORGET_SCROLLBACK)
        self.say(
            said,
            "What was shown may still be in this window, further up: some terminals keep it.",
            "Close the window to be sure.",
        )

    # Lines

    def say(self, *lines: str) -> None:
        """Broken at words where the window ends, but for a command, which is to be copied."""
        columns = max(20, shutil.get_terminal_size().columns) - 1
        for line in lines:
            whole = line.lstrip().startswith(COMMAND)
            rows = [visible(line)] if whole else [plain(row) for row in wrapped(line, columns)]
            write("".join(f"{row}\n" for row in rows))

    async def line(self, prompt: str, *, secret: bool = False, text: bool = False) -> str | None:
        """One line as typed; None for Ctrl-C. Raises Leave; where it is a note's `text`, only after all that came."""
        self._in_text = text
        if self.leaving and not (text and self._lines):
            raise Leave(self.leaving)
        plain_tty.echo(not secret)
        write(visible(prompt))
        self._waiting = asyncio.get_running_loop().create_future()
        self._answer()
        try:
            return await self._waiting
        finally:
            self._waiting = None
            if secret:
                write("\n")

    def _head(self, title: Words, text: Sequence[Words]) -> None:
        head = in_words(title, self.names_hidden)
        if head != self._title:
            self._title = head
            self.say("", f"== {head}{f' ({self.banner})' if self.banner else ''}")
        for each in text:
            self.say(in_words(each, self.names_hidden))

    # Ui

    async def ask(
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
    ) -> str | None:
        self._head(title, [*self.news, *text])
        hint = " (not shown)" if secret else f" [{initial}; - for nothing]" if initial else ""
        while True:
            typed = await self.line(f"{label}{hint}: ", secret=secret)
            if typed is None or (typed == "." and not secret):
                return None
            if not secret and initial:
                typed = "" if typed == "-" else typed or initial
            try:
                fault = check(typed) if check else None
            except NotevaultError as error:
                fault = f"{error.sentence} {error.next_step}".strip()
            if fault is None:
                if live and (words := live(typed)):
                    self.say(words)
                return typed
            self.say(fault)

    async def confirm(self, title: Words, text: Sequence[Words], question: str, *, default: bool | None) -> bool | None:
        self._head(title, text)
        if default is None:
            self._forget_typed()
        hint = "[y or n]" if default is None else "[Y/n]" if default else "[y/N]"
        while True:
            typed = await self.line(f"{question} {hint} ")
            if typed is None or typed == ".":
                return None
            word = typed.strip().lower()
            if word in ("y", "n"):
                return word == "y"
            if not word and default is not None:
                return default
            self.say("Please type y or n, or Enter alone." if default is not None else NO_ENTER)

    async def choose(
        self, title: Words, text: Sequence[Words], items: Items, *, selected: int = 0, numbered: bool = False
    ) -> int | None:
        self._head(title, text)
        entries = items(WIDTH, self.names_hidden)
        if not entries:
            self.say("Nothing here.")
            return None
        shown = 0
        while True:
            for number, rows in enumerate(entries[shown : shown + AT_ONCE], shown + 1):
                first, *more = [plain(row).strip() for row in rows]
                self.say(f"{number}. {first}", *(f"   {each}" for each in more))
            shown += AT_ONCE
            left = len(entries) - shown
            further = f", m for {left} more" if left > 0 else ""
            while True:
                typed = await self.line(f"Number [{selected + 1}]{further}, . to go back: ")
                if typed is None or typed.strip() == ".":
                    return None
                if typed.strip().lower() == "m" and left > 0:
                    break
                if not typed.strip():
                    return selected
                if typed.strip().isdecimal() and 1 <= int(typed) <= len(entries):
                    return int(typed) - 1
                self.say(f"A number from 1 to {len(entries)}, please.")

    async def page(self, title: Words, rows: Rows, *, at_end: bool = False) -> None:
        """Always from the beginning: what is said last is what stays in sight."""
        self._head(title, [])
        said = [plain(row) for row in rows(WIDTH, self.names_hidden)]
        while len(said) > AT_ONCE_ROWS:
            self.say(*said[:AT_ONCE_ROWS])
            said = said[AT_ONCE_ROWS:]
            typed = await self.line(f"Enter for the next of {len(said)} more lines, . to go back: ")
            if typed is None or typed.strip() == ".":
                return
        self.say(*said)
        await self.line("Enter goes on. ")

    async def work(self, title: Words, text: Sequence[Words], job: Callable[[Progress], T]) -> T:
        if self.leaving:
            raise Leave(self.leaving)
        self._head(title, text)
        loop = asyncio.get_running_loop()
        said = loop.time()

        def progress(words: str) -> None:
            nonlocal said
            self.idle.worked()
            if loop.time() - said >= SAY_EVERY_S:
                said = loop.time()
                loop.call_soon_threadsafe(self.say, words)

        return await loop.run_in_executor(None, job, progress)

    async def home(self, screen: HomeScreen) -> str | int | None:
        entries = screen.data.entries()
        self._title = ""
        if not self._listed:
            self._listed = True
            self._list(screen)
        elif screen.data.warnings != self._warnings:
            self.say(*screen.data.warnings)
        self._warnings = screen.data.warnings
        self.say(*screen.message)
        while True:
            typed = await self.line(PROMPT)
            if typed is None:
                continue
            word = typed.strip()
            if word.lower() == "home":
                self._list(screen)
            elif word.isdecimal() and 1 <= int(word) <= len(entries):
                return int(word) - 1
            elif word and word != ".":
                return word

    def home_changed(self, said: Sequence[str]) -> None:
        if said:
            self.say("", *said)
            write(PROMPT)

    def _list(self, screen: HomeScreen) -> None:
        self.say("", f"== {screen.title}. {screen.data.right}".rstrip(". "))
        self.say(*screen.data.warnings, *([screen.data.reminder] if screen.data.reminder else []))
        number = 0
        for section in screen.data.sections:
            self.say(section.title + ":")
            if not section.entries:
                self.say(section.empty)
            for entry in section.entries:
                number += 1
                text = " ".join(entry_text(entry, WIDTH, self.names_hidden).split())
                self.say(f"{number}. {text}")
        self.say(" ".join(self._toolbar(200).split()))
        self.say("A number opens its row. `help` shows the commands, `home` this list again.")

    async def edit(self, job: EditorJob, hooks: EditorHooks) -> EditorResult:
        job.names_hidden = self.names_hidden
        job.template = " \u00b7 ".join(part for part in (job.template, self.banner) if part)
        self._title = ""
        return await edit_plain(self, job, hooks)
