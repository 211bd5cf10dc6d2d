"""The stage on a terminal of memory: the countdown locks, Ctrl-L locks, F8 hides, work is waited for."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from notevault.shell import stage as stage_module
from notevault.shell.idle import Idle
from notevault.shell.screens import Page
from notevault.shell.stage import Stage
from notevault.shell.ui import Leave, options, rows_of
from tests.fakes.simple import FakeClock
from tests.shell.pyte_screen import F8, Terminal, open_terminal


def on_stage(scene: Callable[[Stage, Terminal, FakeClock], Awaitable[None]], *, minutes: int | None = 10) -> None:
    async def play() -> None:
        clock = FakeClock()
        idle = Idle(clock)
        if minutes:
            idle.start(minutes)
        with open_terminal() as terminal:
            stage = Stage(
                idle, lambda width: f" {idle.words()}".ljust(width), source=terminal.input, output=terminal.output
            )
            ticking = asyncio.get_running_loop().create_task(stage.tick())
            try:
                await scene(stage, terminal, clock)
            finally:
                ticking.cancel()

    asyncio.run(play())


@pytest.fixture
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_module, "TICK_S", 0.02)


@pytest.mark.slow
@pytest.mark.usefixtures("_fast")
def test_the_countdown_warns_then_leaves_whatever_is_on_the_screen() -> None:
    async def scene(stage: Stage, terminal: Terminal, clock: FakeClock) -> None:
        asking = asyncio.create_task(stage.ask("A title", [], "Name"))
        await terminal.until("locks in 10:00")
        for _ in range(38):
            clock.advance(15_000)
            await asyncio.sleep(0.03)
        await terminal.until("LOCKS IN 0:30: press a key")
        await terminal.type("x")
        await terminal.until("locks in 10:00")
        for _ in range(41):
            clock.advance(15_000)
            await asyncio.sleep(0.03)
        with pytest.raises(Leave) as left:
            await asking
        assert left.value.reason == "idle"
        with pytest.raises(Leave):
            await stage.confirm("Another", [], "Go on?", default=True)

    on_stage(scene)


@pytest.mark.usefixtures("_fast")
def test_a_jump_of_the_clock_is_a_laptop_that_slept() -> None:
    async def scene(stage: Stage, terminal: Terminal, clock: FakeClock) -> None:
        asking = asyncio.create_task(stage.choose("Which?", [], options("one", "two")))
        await terminal.until("one")
        clock.advance(60_000)
        with pytest.raises(Leave) as left:
            await asking
        assert left.value.reason == "suspend"

    on_stage(scene)


def test_what_went_wrong_at_a_lock_is_said_where_the_passphrase_is_asked_for() -> None:
    async def scene(stage: Stage, terminal: Terminal, clock: FakeClock) -> None:
        stage.news = ["What was written last could not be kept."]
        asking = asyncio.create_task(stage.ask("notevault", [], "Passphrase", secret=True))
        await terminal.until("What was written last could not be kept.")
        stage.leave("exit")
        with pytest.raises(Leave):
            await asking

    on_stage(scene, minutes=None)


def test_ctrl_l_locks_where_a_vault_is_open_and_only_there() -> None:
    async def scene(stage: Stage, terminal: Terminal, clock: FakeClock) -> None:
        asking = asyncio.create_task(stage.ask("A title", [], "Name"))
        await terminal.until("Name")
        await terminal.type("\x0cab\r")
        assert await asking == "ab"
        stage.idle.start(10)
        page = asyncio.create_task(stage.page("To read", rows_of("some text")))
        await terminal.until("some text")
        await terminal.type("\x0c")
        with pytest.raises(Leave) as left:
            await page
        assert left.value.reason == "key"

    on_stage(scene, minutes=None)


def test_f8_hides_names_on_this_screen_and_the_next() -> None:
    async def scene(stage: Stage, terminal: Terminal, clock: FakeClock) -> None:
        title = lambda hidden: "C-014" if hidden else "Anna Berg C-014"  # noqa: E731
        for first in (True, False):
            page = asyncio.create_task(stage.run(Page(title, rows_of("text"))))
            await terminal.until("C-014")
            if first:
                assert "Anna" in terminal.text
                await terminal.type(F8)
            await terminal.until(lambda: "Anna" not in terminal.text)
            await terminal.type("\r")
            await page

    on_stage(scene)


def test_a_lock_during_work_waits_for_it_and_its_result_is_not_lost() -> None:
    async def scene(stage: Stage, terminal: Terminal, clock: FakeClock) -> None:
        go = threading.Event()

        def job(say: Callable[[str], None]) -> str:
            say("half of it")
            go.wait(60)
            return "done"

        working = asyncio.create_task(stage.work("Work", ["Sealing"], job))
        await terminal.until("half of it")
        stage.leave("hangup")
        await terminal.type("keys that nobody asked for")
        assert not working.done()
        go.set()
        assert await working == "done"
        with pytest.raises(Leave) as left:
            await stage.ask("Next", [], "Name")
        assert left.value.reason == "hangup"

    on_stage(scene)


def test_what_goes_wrong_in_work_or_while_painting_comes_out_and_paints_no_traceback() -> None:
    async def scene(stage: Stage, terminal: Terminal, clock: FakeClock) -> None:
        def job(_say: Callable[[str], None]) -> None:
            raise ValueError("note text")

        with pytest.raises(ValueError, match="note text"):
            await stage.work("Work", [], job)

        def rows(_width: int, _hidden: bool) -> list[list[tuple[str, str]]]:
            raise RuntimeError("note text")

        with pytest.raises(RuntimeError):
            await stage.run(Page("Broken", rows))
        assert "Traceback" not in terminal.raw
        assert "note text" not in terminal.raw

    on_stage(scene)
