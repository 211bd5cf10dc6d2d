"""The editor's hooks: drafts while writing, revisions every few minutes, signing. Nothing here ever holds up a key.

    last key + KEEP_AFTER_S       the text is sealed as a draft: "kept" (at the latest KEEP_AT_MOST_S after the first)
    every SAVE_EVERY_S, at close  an unsigned revision: "saved"
A fault is said in the status; the text stays in the editor, and the next key tries again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
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
        self.newest: tuple[str, int] | None = None
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
            self.newest = (text, cursor)
            if self._writing.save(text, cursor) is not None:
                self._desk.saved_ms = self._desk.now()
        self.words = self._trouble = ""
        return "nothing to save" if self._desk.saved_ms is None else f"saved {self._desk.clock_words(self._desk.now())}"

    def sign(self, text: str, cursor: int) -> str:
        with self._desk.gate:
            self.newest = (text, cursor)
            self._writing.sign(text)
            self._desk.saved_ms = self._desk.now()
        self.signed = True
        return f"signed {self._desk.clock_words(self._desk.saved_ms)}"

    def status(self) -> str:
        return self._desk.ui.idle.words()

    def keeping(self) -> tuple[str, str]:
        return self.words, self._trouble

    def should_close(self) -> str | None:
        return self._desk.ui.leaving

    # Drafts and revisions beside the writing

    def _keep_soon(self) -> None:
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
        begun = self._since
        try:
            kept = await self._loop.run_in_executor(None, self._keep_newest)
            self.words, self._trouble = "draft kept" if kept else "", ""
            if self._since == begun:
                self._since = None
        except NotevaultError as fault:
            self._failed("NOT KEPT", "No draft could be kept.", fault)
        finally:
            self._keeping = False

    def _keep_newest(self) -> bool:
        """In a thread. The newest text wins; one that a revision holds meanwhile needs no draft."""
        with self._desk.gate:
            if self.newest is None or not self._writing.unsaved(self.newest[0]):
                return False
            newest = self.newest
            self._writing.keep(*newest)
            return True

    async def _save(self) -> None:
        def job() -> None:
            with self._desk.gate:
                newest = self.newest
                if newest is not None and self._writing.save(*newest) is not None:
                    self._desk.saved_ms = self._desk.now()

        try:
            await self._loop.run_in_executor(None, job)
            self.words, self._trouble = f"saved {self._desk.clock_words(self._desk.now())}", ""
        except NotevaultError as fault:
            self._failed("NOT SAVED", "The note could not be saved.", fault)
            self._save_timer = self._save_timer or self._loop.call_later(SAVE_EVERY_S, self._save_soon)

    def _failed(self, words: str, what: str, fault: NotevaultError) -> None:
        """Two words for the bottom line, where a sentence would not fit, and the sentence for the row above it."""
        self.words, self._trouble = words, f"{what} {fault.sentence} {fault.next_step}".rstrip()

    async def settle(self) -> None:
        """After the editor: no timer is left, and no thread still writes."""
        self._ended = True
        for timer in (self._timer, self._save_timer):
            if timer is not None:
                timer.cancel()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
