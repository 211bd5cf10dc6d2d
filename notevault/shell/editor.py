"""The full-screen editor: one note, written or read, until it is closed, signed or locked.

States, and what leaves them (the first four live in `editor_state`):

    write     ^F -> find        ^G -> question       Esc -> busy, if anything is unsaved, else left: closed
    find      Esc -> write
    question  n, Enter, Esc -> write                 y -> busy
    help      F1, Esc -> where it came from (F1 opens it everywhere)
    busy      saved or signed -> left: closed, signed          a fault -> write, the text is kept and the fault said
    any       ^L, should_close(), end of input -> left at once: locked, hangup or the reason given

The caller owns drafts, revisions, the log and the idle timer (`EditorHooks`); the editor owns the screen. `save`
and `sign` run in a thread, one at a time, and "saved" is said only after they returned; the caller's other hooks
may be called meanwhile.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Point
from prompt_toolkit.input import Input
from prompt_toolkit.layout import Layout, UIContent, UIControl, Window
from prompt_toolkit.output import Output

from notevault.errors import NotevaultError
from notevault.shell.clipboard import Clipboard
from notevault.shell.editor_job import EditorHooks, EditorJob, EditorResult
from notevault.shell.editor_keys import ESCAPE_S, backspace_is_delete, bindings
from notevault.shell.editor_state import READ_ONLY, EditorState
from notevault.shell.editor_view import Picture
from notevault.shell.safe import cell_width
from notevault.shell.style import COLOR_DEPTH, STYLE
from notevault.shell.text import normalise

__all__ = ["EditorHooks", "EditorJob", "EditorResult", "edit"]

POLL_S = 1.0
"""How often the caller's status and its wish to close are asked for."""


class _Control(UIControl):
    """One screen row per line, drawn whole by `paint`; nothing is wrapped or scrolled by prompt-toolkit."""

    def __init__(self, paint: Callable[[int, int], Picture]) -> None:
        self._paint = paint

    def is_focusable(self) -> bool:
        return True

    def create_content(self, width: int, height: int) -> UIContent:
        picture = self._paint(width, height)
        rows = picture.rows
        if picture.cursor is None:
            return UIContent(lambda i: [*rows[i]], len(rows), Point(0, 0), show_cursor=False)
        x, y = picture.cursor
        # prompt-toolkit counts characters, we count cells: find the character that begins at cell x.
        row = [*rows[y], ("", " " * (x + 1))]
        rows[y] = row
        cells = index = 0
        for char in "".join(text for _, text in row):
            if cells >= x and cell_width(char):
                break
            cells += cell_width(char)
            index += 1
        return UIContent(lambda i: [*rows[i]], len(rows), Point(index, y))


class _Editor:
    def __init__(self, job: EditorJob, hooks: EditorHooks, clipboard: Clipboard) -> None:
        self.job, self.hooks = job, hooks
        cursor = len(normalise(job.text[: job.cursor]))
        self.state = EditorState(job.text, cursor, read_only=job.read_only, clipboard=clipboard)
        self.state.sign_warning = job.sign_warning
        self.state.aside = job.aside
        self.model = self.state.model
        self.names_hidden = job.names_hidden
        self.app: Application[str] | None = None
        self._left = False
        self._fault: BaseException | None = None
        self._busy = False  # closing or signing: keys wait no more, they are refused
        self._failed_close = False
        self._saving = ""
        self._saved_text: str | None = None if job.unsaved else self.model.text
        self._saved_word, self._saved_at = "", 0.0
        self._status = hooks.status()
        self._alarm = tuple(hooks.alarm())
        self._trouble = ""
        self._alone = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    # Keys (editor_keys.Acting)

    def act(self, name: str, *, select: bool = False) -> None:
        if name == "lock":
            self._leave("locked")
        else:
            self._key(lambda: self.state.act(name, select=select))

    def typed(self, text: str) -> None:
        self._key(lambda: self.state.typed(text))

    def pasted(self, text: str) -> None:
        self._key(lambda: self.state.pasted(text))

    def _key(self, key: Callable[[], str | None]) -> None:
        if self._busy or self._left:
            return
        if self.state.mode != "question":
            self.state.new_key()
        version, failed, self._failed_close = self.model.version, self._failed_close, False
        effect = key()
        if self.model.version != version:
            self.hooks.on_change(self.model.text, self.model.cursor)
        if effect == "hide_names":
            self.names_hidden = not self.names_hidden
        elif effect == "save" and self.job.read_only:
            self.state.say(READ_ONLY)
        elif effect == "save" and not self._dirty and not self._saving:
            self.state.say("Everything is saved.")
        elif effect == "save":
            self._start(self._save())
        elif effect == "sign":
            self._busy = True
            self._start(self._sign())
        elif effect == "close" and (self.job.read_only or failed):
            self._leave("closed")
        elif effect == "close":
            self._busy = True
            self._start(self._close())

    # Saving and leaving

    @property
    def _dirty(self) -> bool:
        return not self.job.read_only and self.model.text != self._saved_text

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.fail(fault)

    def _running(self) -> Application[str] | None:
        app = self.app
        return app if app is not None and app.future is not None and not app.future.done() else None

    def fail(self, fault: BaseException) -> None:
        """Leave by raising `fault` from `edit`: a mistake of ours, or a hook's unexpected exception."""
        self._fault = self._fault or fault
        self._leave("closed")

    def _leave(self, reason: str) -> None:
        self._left = True
        if app := self._running():
            app.exit(result=reason)

    async def _call(self, hook: Callable[[str, int], str], doing: str, failed: str) -> bool:
        """Run `save` or `sign` in a thread, after any other; False when it raised a NotevaultError, now said."""
        async with self._alone:
            if self._left:
                return False
            text, self._saving = self.model.text, doing
            self._redraw()
            loop = asyncio.get_running_loop()
            try:
                word = await loop.run_in_executor(None, hook, text, self.model.cursor)
            except NotevaultError as fault:
                self.state.say(f"{failed} {fault.sentence} {fault.next_step}".rstrip(), alarm=True)
                return False
            finally:
                self._saving = ""
                self._redraw()
            self._saved_text, self._saved_word, self._saved_at = text, word, loop.time()
            if self.state.alarm:
                self.state.say("")
            return True

    async def _save(self) -> None:
        if self._dirty:
            await self._call(self.hooks.save, "saving\u2026", "Not saved.")

    async def _sign(self) -> None:
        if await self._call(self.hooks.sign, "signing\u2026", "Not signed."):
            self._leave("signed")
        self._busy = False

    async def _close(self) -> None:
        async with self._alone:
            pass  # a save under way may already be what is needed
        if not self._dirty or await self._call(self.hooks.save, "saving\u2026", "Not saved."):
            self._leave("closed")
        else:
            self._failed_close = True
            self.state.say(f"{self.state.message} Esc again closes without saving.", alarm=True)
        self._busy = False

    async def poll(self) -> None:
        """Each second: does the caller want to close, and what is there to show?"""
        shown = ""
        while not self._left:
            await asyncio.sleep(POLL_S)
            if reason := self.hooks.should_close():
                self._leave(reason)
                return
            self._status = self.hooks.status()
            self._alarm = tuple(self.hooks.alarm())
            if (trouble := self.hooks.keeping()[1]) != self._trouble:
                self._trouble = trouble
                self.state.say(trouble, alarm=bool(trouble))
                self._redraw()
            if (now := "\n".join((self._status, self._save_state(), *self._alarm))) != shown:
                shown = now
                self._redraw()

    # The screen

    def _redraw(self) -> None:
        if self.app is not None:
            self.app.invalidate()

    def _save_state(self) -> str:
        if self._saving:
            return self._saving
        if self._dirty:
            return self.hooks.keeping()[0] or "not saved yet"
        age = int(asyncio.get_running_loop().time() - self._saved_at)
        if self._saved_word.startswith("saved ") and age < 60:
            return f"saved {age} s ago" if age else "saved just now"
        return self._saved_word

    def _paint(self, width: int, height: int) -> Picture:
        name = self.job.code if self.names_hidden else self.job.title
        title = " \u00b7 ".join(part for part in (name, self.job.detail) if part)
        return self.state.paint(
            title, self.job.template, self._save_state(), self._status, width, height, alarm=self._alarm
        )

    async def run(self, source: Input | None, output: Output | None) -> EditorResult:
        app: Application[str] = Application(
            layout=Layout(Window(_Control(self._paint))),
            style=STYLE,
            color_depth=COLOR_DEPTH,
            include_default_pygments_style=False,
            full_screen=True,
            erase_when_done=True,  # where there is no alternate screen, the text must not stay on this one
            enable_page_navigation_bindings=False,
            input=source,
            output=output,
        )
        app.key_bindings = bindings(self, word_by_bs=backspace_is_delete(app.input))
        app.ttimeoutlen = app.timeoutlen = ESCAPE_S
        app.key_processor.before_key_press += lambda _: self.hooks.activity()
        self.app = app
        loop = asyncio.get_running_loop()
        handler = loop.get_exception_handler()
        loop.set_exception_handler(self._on_loop_exception)
        poll = loop.create_task(self.poll())
        poll.add_done_callback(self._ended)
        try:
            reason = await app.run_async(set_exception_handler=False)
        except EOFError:
            reason = "hangup"
        finally:
            self._left = True
            poll.cancel()
            await asyncio.gather(poll, *self._tasks, return_exceptions=True)  # never leave while a save is under way
            loop.set_exception_handler(handler)
        if self._fault is not None:
            raise self._fault
        text = self.job.text if self.model.version == 0 else self.model.text
        return EditorResult(text, min(self.model.cursor, len(text)), reason, not self._dirty, self.names_hidden)

    def _on_loop_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        if isinstance(fault, BaseException):
            self.fail(fault)  # instead of a traceback over the note
        else:
            loop.default_exception_handler(context)


async def edit(
    job: EditorJob,
    hooks: EditorHooks,
    *,
    input: Input | None = None,
    output: Output | None = None,
    clipboard: Clipboard | None = None,
) -> EditorResult:
    """Show `job` full screen until the user or the caller ends it. Unexpected exceptions of hooks come out of here."""
    freeze = gc.get_freeze_count() == 0
    if freeze:
        gc.freeze()  # else the collector walks all loaded modules every few keys: 20-40 ms each time
    try:
        return await _Editor(job, hooks, clipboard or Clipboard()).run(input, output)
    finally:
        if freeze:
            gc.unfreeze()
