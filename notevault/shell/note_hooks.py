"""The editor's hooks: drafts while writing, revisions every few minutes, signing. Nothing here ever holds up a key.

    last key + KEEP_AFTER_S       the text is sealed as a draft: "kept" (at the latest KEEP_AT_MOST_S after the first)
    every SAVE_EVERY_S, at close  an unsigned revision: "saved"
A fault is said in the status; the text stays in the editor, and it is tried again by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from notevault.app.writing import Writing
from notevault.errors import NotevaultError
from notevault.shell.desk import Desk

KEEP_AFTER_S = 2.0
KEEP_AT_MOST_S = 10.0
SAVE_EVERY_S = 300.0


class NoteHooks:
    """For one note in the editor; implements `editor_job.EditorHooks`."""

    def __init__(self, desk: Desk, writing: Writing) -> None:
        self._desk, self._writing = desk, writing
        self._loop = asyncio.get_running_loop()
        self.newest: tuple[str, int] | None = None  # set by keys alone: a save that ends late holds an older text
        self._since: float | None = None  # of the first change that no draft holds
        self._timer: asyncio.TimerHandle | None = None
        self._save_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeping = False
        self._ended = False
        self.words = ""
        self._trouble = ""
        self.signed = False

    # EditorHooks

    def activity(self) -> None:
        self._desk.ui.idle.activity()

    def on_change(self, text: str, cursor: int) -> None:
        now = self._loop.time()
        self.newest = (text, cursor)
        if not self._trouble:
            self.words = ""
        self._since = now if self._since is None else self._since
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(min(now + KEEP_AFTER_S, self._since + KEEP_AT_MOST_S), self._keep_soon)
        if self._save_timer is None:
            self._save_timer = self._loop.call_later(SAVE_EVERY_S, self._save_soon)

    def save(self, text: str, cursor: int) -> str:
        with self._desk.gate:
            if self._writing.save(text, cursor) is not None:
                self._desk.saved_ms = self._desk.now()
            newest = self.newest
            behind = newest is not None and self._writing.unsaved(newest[0])
        self.words = self._trouble = ""
        if behind:  # typed meanwhile; a draft of it went with the save
            self._loop.call_soon_threadsafe(self._keep_soon)
        return "nothing to save" if self._desk.saved_ms is None else f"saved {self._desk.clock_words(self._desk.now())}"

    def sign(self, text: str, cursor: int) -> str:
        with self._desk.gate:
            self._writing.sign(text)
            self._desk.saved_ms = self._desk.now()
        self.signed = True
        return f"signed {self._desk.clock_words(self._desk.saved_ms)}"

    def status(self) -> str:
        return self._desk.status()

    def alarm(self) -> Sequence[str]:
        return self._desk.alarm()

    def keeping(self) -> tuple[str, str]:
        return self.words, self._trouble

    def should_close(self) -> str | None:
        return self._desk.ui.leaving

    # Drafts and revisions beside the writing

    def _keep_soon(self) -> None:
        """Now; or, where one is being kept at the moment, when that has ended (`_keep` looks)."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if not self._keeping and not self._ended:
            self._keeping = True
            self._start(self._keep())

    def _save_soon(self) -> None:
        self._save_timer = None
        if not self._ended:
            self._start(self._save())

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self) -> None:
        self._since = None
        try:
            held, kept = await self._loop.run_in_executor(None, self._keep_newest)
            self.words, self._trouble = "draft kept" if kept and held == self.newest else "", ""
            if held != self.newest:
                self._again(KEEP_AFTER_S)
        except NotevaultError as fault:
            self._failed("NOT KEPT", "No draft could be kept.", fault)
            self._again(KEEP_AT_MOST_S)
        finally:
            self._keeping = False

    def _again(self, seconds: float) -> None:
        if self._timer is None and not self._ended:
            self._timer = self._loop.call_later(seconds, self._keep_soon)

    def _keep_newest(self) -> tuple[tuple[str, int] | None, bool]:
        """In a thread: what was newest, and whether a draft holds it. A text that a revision holds needs no draft, and
        an older draft of the note must not come back in its place.
        """
        with self._desk.gate:
            newest = self.newest
            if newest is None:
                return newest, False
            if self._writing.unsaved(newest[0]):
                self._writing.keep(*newest)
                return newest, True
            if self._writing.base:
                self._writing.drop_draft()
            return newest, False

    async def _save(self) -> None:
        def job() -> tuple[str, int] | None:
            with self._desk.gate:
                newest = self.newest
                if newest is not None and self._writing.save(*newest) is not None:
                    self._desk.saved_ms = self._desk.now()
                return newest

        try:
            held = await self._loop.run_in_executor(None, job)
            said = f"saved {self._desk.clock_words(self._desk.now())}"
            self.words, self._trouble = said if held == self.newest else "", ""
            if held != self.newest:
                self._again(KEEP_AFTER_S)
        except NotevaultError as fault:
            self._failed("NOT SAVED", "The note could not be saved.", fault)
            self._save_timer = self._save_timer or self._loop.call_later(SAVE_EVERY_S, self._save_soon)

    def _failed(self, words: str, what: str, fault: NotevaultError) -> None:
        """Two words for the bottom line, where a sentence would not fit, and the sentence for the row above it."""
        self._desk.alarms.heard(fault)
        self.words, self._trouble = words, f"{what} {fault.sentence} {fault.next_step}".rstrip()

    async def settle(self) -> None:
        """After the editor: no timer is left, and no thread still writes."""
        self._ended = True
        for timer in (self._timer, self._save_timer):
            if timer is not None:
                timer.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
