"""A note line by line, for those who cannot use a full screen: written from top to bottom, mended by line numbers.

    a         add lines at the end       c N   change line N       l   read the note       s   save
    i N       add lines before line N    d N   delete line N       g   sign                Enter or q   save and close
Entry of lines ends with a line of a single dot (`..` is a line with one dot). Every line goes to the draft at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from notevault.domain.templates import TEMPLATES, is_untouched
from notevault.errors import NotevaultError
from notevault.shell.editor_job import EditorHooks, EditorJob, EditorResult
from notevault.shell.text import normalise
from notevault.shell.ui import Leave

MENU = "a add, l read, c N change, d N delete, i N insert, s save, g sign, Enter closes."


class Lines(Protocol):
    def say(self, *lines: str) -> None: ...

    async def line(self, prompt: str, *, text: bool = False) -> str | None: ...


async def edit_plain(ui: Lines, job: EditorJob, hooks: EditorHooks) -> EditorResult:
    """As `editor.edit`: the same job, hooks and result; leaving is a reason in the result, never an exception."""
    note = _Note(ui, job, hooks)
    try:
        reason = await (note.read() if job.read_only else note.write())
    except Leave as leave:
        reason = leave.reason
    return EditorResult(note.text, len(note.text), reason, note.saved == note.text, job.names_hidden)


class _Note:
    def __init__(self, ui: Lines, job: EditorJob, hooks: EditorHooks) -> None:
        self._ui, self._job, self._hooks = ui, job, hooks
        self.text = normalise(job.text)
        self.saved: str | None = None if job.unsaved else self.text
        self._trouble = ""
        self._alarm: tuple[str, ...] = ()

    def _title(self) -> None:
        name = self._job.code if self._job.names_hidden else f"{self._job.title} {self._job.code}"
        self._ui.say("", "== " + ", ".join(part for part in (name, self._job.detail, self._job.template) if part))

    def _list(self) -> None:
        lines = self.text.split("\n")
        self._ui.say(*(f"{number}. {line}" for number, line in enumerate(lines, 1)) if self.text else ["(empty)"])

    async def read(self) -> str:
        self._title()
        self._ui.say(*self.text.split("\n"))
        await self._ui.line("Enter goes back. ")
        return "closed"

    async def write(self) -> str:
        self._title()
        template = TEMPLATES.get(self._job.template.split(" ")[0], TEMPLATES["free"])
        if template.headings and is_untouched(self.text, template):
            await self._fill(list(template.headings))
        elif self.text.strip():
            self._list()
        else:
            self._ui.say("Type the note. A line with a single dot ends it.")
            await self._take(len(self.text.split("\n")) - 1)
        self._ui.say(MENU)
        while True:
            typed = await self._ui.line("note> ")
            word, _, rest = (typed or "").strip().partition(" ")
            if word in ("", "q"):
                if await self._save():
                    return "closed"
            elif word == "g":
                if await self._sign():
                    return "signed"
            else:
                await self._act(word.lower(), rest.strip())

    async def _fill(self, headings: list[str]) -> None:
        """The headings one after the other."""
        self._ui.say("A line with a single dot goes on to the next heading.")
        for heading in headings:
            self._ui.say(f"{heading}:")
            lines = self.text.split("\n")
            at = next((n for n, line in enumerate(lines) if line.strip() == heading), len(lines) - 1) + 1
            if at < len(lines) and not lines[at]:
                del lines[at]
                self.text = "\n".join(lines)
            await self._take(at, last=heading == headings[-1])

    async def _take(self, at: int, *, last: bool = True) -> None:
        """Lines typed, put before line `at` (0-based) one by one."""
        blank = at > 0 and not last
        if not self.text:
            at = 0
        while True:
            typed = await self._ui.line("> ", text=True)
            if typed is None or typed == ".":
                break
            line = "." if typed == ".." else typed
            self._change(lambda lines, at=at, line=line: lines.insert(at, line))  # type: ignore[misc]
            at += 1
        if blank:
            self._change(lambda lines: lines.insert(at, ""))

    def _change(self, change: Callable[[list[str]], object]) -> None:
        lines = self.text.split("\n") if self.text else []
        change(lines)
        self.text = "\n".join(lines)
        self._hooks.on_change(self.text, len(self.text))
        if (trouble := self._hooks.keeping()[1]) != self._trouble:
            self._trouble = trouble
            self._ui.say(*([trouble] if trouble else []))
        if (alarm := tuple(self._hooks.alarm())[:1]) != self._alarm:
            self._alarm = alarm
            self._ui.say(*alarm)

    async def _act(self, word: str, rest: str) -> None:
        count = len(self.text.split("\n"))
        number = int(rest) - 1 if rest.isdecimal() and 1 <= int(rest) <= count else None
        if word == "l":
            self._list()
        elif word == "s":
            await self._save()
        elif word == "a":
            await self._take(count if self.text else 0)
        elif word in ("c", "d", "i") and number is None:
            self._ui.say(f"Which line? A number from 1 to {count}, like `{word} 1`.")
        elif word == "i" and number is not None:
            await self._take(number)
        elif word == "d" and number is not None:
            self._change(lambda lines: lines.pop(number))
            self._ui.say(f"Line {number + 1} is deleted.")
        elif word == "c" and number is not None:
            self._ui.say(self.text.split("\n")[number], "Enter alone keeps it.")
            typed = await self._ui.line("instead> ", text=True)
            if typed and typed != ".":
                self._change(lambda lines: lines.__setitem__(number, typed))
        else:
            self._ui.say(MENU)

    async def _call(self, hook: Callable[[str, int], str], failed: str) -> bool:
        text = self.text
        try:
            said = await asyncio.get_running_loop().run_in_executor(None, hook, text, len(text))
        except NotevaultError as fault:
            self._ui.say(f"{failed} {fault.sentence} {fault.next_step}".replace("^G", "g").strip())
            return False
        self.saved = text
        self._ui.say(f"{said[:1].upper()}{said[1:]}.")
        return True

    async def _save(self) -> bool:
        return self.saved == self.text or await self._call(self._hooks.save, "Not saved.")

    async def _sign(self) -> bool:
        if self._job.sign_warning and (warning := self._job.sign_warning(self.text)):
            self._ui.say(warning)
        typed = await self._ui.line("Sign this note? This version then stays as it is. [y/N] ")
        return (typed or "").strip().lower() == "y" and await self._call(self._hooks.sign, "Not signed.")
