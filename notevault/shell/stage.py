"""The full-screen way of asking and showing: each screen is one application on the terminal that the parent lent.

The child holds the terminal raw for as long as it lives, so nothing typed between two screens is ever echoed; the
alternate screen belongs to the parent, so nothing is drawn outside of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from prompt_toolkit.application import Application
from prompt_toolkit.data_structures import Point
from prompt_toolkit.input import Input
from prompt_toolkit.layout import Layout, UIContent, UIControl, Window
from prompt_toolkit.output import Output

from notevault.shell.clipboard import Clipboard
from notevault.shell.editor import edit
from notevault.shell.editor_job import EditorHooks, EditorJob, EditorResult
from notevault.shell.editor_keys import ESCAPE_S, backspace_is_delete, bindings
from notevault.shell.editor_view import Picture
from notevault.shell.home import HomeScreen
from notevault.shell.idle import Idle
from notevault.shell.lent import forget_typed, held_raw, make_input, make_output
from notevault.shell.safe import cell_width
from notevault.shell.screens import Ask, Check, Choose, Confirm, Page, Rows, Screen, Wait, Words
from notevault.shell.style import COLOR_DEPTH, STYLE
from notevault.shell.ui import Items, Leave, Progress, graver

T = TypeVar("T")
TICK_S = 1.0


class _Control(UIControl):
    """One row of the terminal per row of the picture."""

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
        row = [*rows[y], ("", " " * (x + 1))]
        rows[y] = row
        cells = index = 0
        for char in "".join(text for _, text in row):
            if cells >= x and cell_width(char):
                break
            cells += cell_width(char)
            index += 1
        return UIContent(lambda i: [*rows[i]], len(rows), Point(index, y))


class Stage:
    """Implements `ui.Ui`. `toolbar` gives the bottom line for a width, `banner` the title row's right end."""

    is_plain = False

    def __init__(
        self,
        idle: Idle,
        toolbar: Callable[[int], str],
        *,
        banner: str = "",
        source: Input | None = None,
        output: Output | None = None,
    ) -> None:
        self.idle, self.banner = idle, banner
        self._toolbar = toolbar
        self.names_hidden = False
        self.leaving: str | None = None
        self.news: list[str] = []
        self.clipboard = Clipboard()
        self.input = source or make_input()
        self.output = output or make_output()
        self._app: Application[None] | None = None
        self._fault: BaseException | None = None
        self._wait: Wait | None = None
        self._held = False  # a thread is at work: leave only after it

    @contextlib.contextmanager
    def terminal(self) -> Iterator[None]:
        """Raw for as long as the child lives: what is typed between two screens is neither shown nor a signal."""
        with held_raw(self.input):
            yield

    def waiting(self, words: str) -> None:
        if self._wait is not None:
            self._wait.progress = words
        if self._app is not None:
            self._app.invalidate()  # may be called from any thread

    def cover(self) -> None:
        self.output.write_raw("\x1b[0m\x1b[2J\x1b[H")
        self.output.write(" Locking\u2026")
        self.output.flush()

    def farewell(self, reason: str) -> None:
        """Nothing to say: the parent clears the screen."""

    # Leaving

    def leave(self, reason: str) -> None:
        """Lock or end: the screen that is up raises Leave, as does every later one."""
        self.leaving = graver(self.leaving, reason)
        self._exit()

    def fail(self, fault: BaseException) -> None:
        self._fault = self._fault or fault
        self._exit()

    def _exit(self) -> None:
        app = self._app
        if app is not None and not self._held and app.future is not None and not app.future.done():
            app.exit()

    async def tick(self) -> None:
        """To run beside everything else: the countdown."""
        while True:
            await asyncio.sleep(TICK_S)
            if reason := self.idle.look():
                self.leave(reason)
            if self._app is not None:
                self._app.invalidate()

    # Running a screen

    async def run(self, screen: Screen) -> Any:
        """Show `screen` until it is done; its result. Raises Leave, or what went wrong while painting."""
        if self.leaving and not self._held:
            raise Leave(self.leaving)
        screen.names_hidden = self.names_hidden
        acting = _Keys(self, screen)

        def paint(width: int, height: int) -> Picture:
            return screen.paint(self._right(screen), self._toolbar(width), width, height)

        app: Application[None] = Application(
            layout=Layout(Window(_Control(paint))),
            key_bindings=bindings(acting, word_by_bs=backspace_is_delete(self.input)),
            style=STYLE,
            color_depth=COLOR_DEPTH,
            include_default_pygments_style=False,
            full_screen=True,
            erase_when_done=True,  # else every screen's title row, with its name, scrolls off the top at its end
            enable_page_navigation_bindings=False,
            input=self.input,
            output=self.output,
        )
        app.ttimeoutlen = app.timeoutlen = ESCAPE_S
        app.key_processor.before_key_press += lambda _: self.idle.activity()
        acting.app = app
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_loop_exception)
        self._app = app
        try:
            if not screen.done:
                await app.run_async(set_exception_handler=False)
        except EOFError:
            self.leaving = graver(self.leaving, "hangup")
        finally:
            self._app = None
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault
        if not screen.done and self.leaving:
            raise Leave(self.leaving)
        return screen.result

    def _right(self, screen: Screen) -> str:
        extra = screen.data.right if isinstance(screen, HomeScreen) else ""
        return " \u00b7 ".join(part for part in (extra, self.banner) if part)

    def _on_loop_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        self.fail(fault if isinstance(fault, BaseException) else RuntimeError("a fault in the event loop"))

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
        found: str | None = await self.run(
            Ask(
                title,
                [*self.news, *text],
                label,
                initial=initial,
                secret=secret,
                revealable=revealable,
                check=check,
                live=live,
                private=private,
            )
        )
        return found

    async def confirm(self, title: Words, text: Sequence[Words], question: str, *, default: bool | None) -> bool | None:
        if default is None:
            forget_typed(self.input)
        found: bool | None = await self.run(Confirm(title, text, question, default=default))
        return found

    async def choose(
        self, title: Words, text: Sequence[Words], items: Items, *, selected: int = 0, numbered: bool = False
    ) -> int | None:
        found: int | None = await self.run(Choose(title, text, items, selected=selected, numbered=numbered))
        return found

    async def page(self, title: Words, rows: Rows, *, at_end: bool = False) -> None:
        await self.run(Page(title, rows, at_end=at_end))

    async def home(self, screen: HomeScreen) -> str | int | None:
        found: str | int | None = await self.run(screen)
        return found

    def home_changed(self, said: Sequence[str]) -> None:
        self._redraw()

    async def work(self, title: Words, text: Sequence[Words], job: Callable[[Progress], T]) -> T:
        if self.leaving:
            raise Leave(self.leaving)
        screen = self._wait = Wait(title, text)
        loop = asyncio.get_running_loop()

        def progress(words: str) -> None:
            screen.progress = words
            self.idle.worked()
            loop.call_soon_threadsafe(self._redraw)

        self._held = True
        future = loop.run_in_executor(None, job, progress)
        future.add_done_callback(lambda _: self._finish(screen))
        try:
            await self.run(screen)
        finally:
            self._held, self._wait = False, None
        return await future

    def _redraw(self) -> None:
        if self._app is not None:
            self._app.invalidate()

    def _finish(self, screen: Wait) -> None:
        screen.finish(None)
        self._held = False
        self._exit()

    async def edit(self, job: EditorJob, hooks: EditorHooks) -> EditorResult:
        if self.leaving:
            raise Leave(self.leaving)
        job.names_hidden = self.names_hidden
        if self.banner:
            job.template = " \u00b7 ".join(part for part in (job.template, self.banner) if part)
        result = await edit(job, hooks, input=self.input, output=self.output, clipboard=self.clipboard)
        self.names_hidden = result.names_hidden
        if result.reason not in ("closed", "signed"):
            self.leaving = graver(self.leaving, {"locked": "key"}.get(result.reason, result.reason))
        return result


class _Keys:
    """Keys to a screen; what is the same everywhere is done here."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage, self._screen = stage, screen
        self.app: Application[None] | None = None

    def act(self, name: str, *, select: bool = False) -> None:
        if name == "lock":
            if self._stage.idle.running:
                self._stage.leave("key")
        elif name == "hide_names" and not self._screen.takes_f8:
            self._stage.names_hidden = not self._stage.names_hidden
            self._screen.names_hidden = self._stage.names_hidden
        else:
            self._key(lambda: self._screen.act(name, select=select))

    def typed(self, text: str) -> None:
        self._key(lambda: self._screen.typed(text))

    def pasted(self, text: str) -> None:
        self._key(lambda: self._screen.pasted(text))

    def _key(self, key: Callable[[], None]) -> None:
        app = self.app
        if self._screen.done or isinstance(self._screen, Wait):
            return
        key()
        if self._screen.done and app is not None and app.future is not None and not app.future.done():
            app.exit()
