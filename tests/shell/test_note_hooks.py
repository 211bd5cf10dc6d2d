"""Drafts and revisions beside the writing: on a clock that can be moved, on a disk that can be full, in the editor."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from notevault.app.writing import Writing
from notevault.shell import note_desk
from notevault.shell.control import Channel
from notevault.shell.desk import Desk
from notevault.shell.editor import EditorHooks, EditorJob, EditorResult, edit
from notevault.shell.idle import Idle
from notevault.shell.note_hooks import KEEP_AFTER_S, SAVE_EVERY_S, NoteHooks
from notevault.shell.ui import Leave
from notevault.vault.drafts import Drafts
from notevault.vault.notebook import Notebook
from notevault.wiring.locked import locked_side
from tests.shell import pyte_screen as keys
from tests.shell.pyte_screen import Terminal, open_terminal
from tests.vault.build import ROOT, House, drafts_of, small, texts

NO_ROOM = errno.ENOSPC
WRITES = ("temp", "grow")
"""The steps at which a full disk shows."""


class Loop(asyncio.SelectorEventLoop):
    """A loop whose clock can be moved: what was to be done in five minutes is done at once."""

    moved = 0.0

    def time(self) -> float:
        return super().time() + self.moved


class Room:
    """What the hooks use of a screen."""

    leaving: str | None = None

    def __init__(self, idle: Idle) -> None:
        self.idle = idle
        self.shown: list[str] = []
        self.asked: list[str] = []
        self.typed: list[EditorResult] = []
        """What comes out of the editor, one time after the other."""
        self.answered: Callable[[], bool] = lambda: True

    async def edit(self, job: EditorJob, hooks: EditorHooks) -> EditorResult:
        self.shown.append(job.text)
        return self.typed.pop(0)

    async def confirm(self, title: str, text: list[str], question: str, *, default: bool) -> bool:
        self.asked.append(" ".join([*text, question]))
        return self.answered()


class Place:
    """A new note for Anna on a laptop of memory, and the hooks that keep it."""

    def __init__(self, house: House, loop: Loop) -> None:
        self.house, self.loop = house, loop
        self.session = house.unlock()
        env = self.session.env
        ui = Room(Idle(env.clock))
        self.ui = ui
        desk = self.desk = Desk(env, locked_side(str(ROOT)), cast(Any, ui), Channel(None))
        desk._session, desk._notebook, desk._drafts = self.session, Notebook(self.session), Drafts(self.session)
        self.writing = Writing.new(desk.notebook, desk.drafts, house.ids["anna"])
        self.hooks = NoteHooks(desk, self.writing)

    def fill_the_disk(self) -> None:
        for kind in WRITES:
            self.house.files.fail_when(kind, NO_ROOM, lasting=True)

    async def later(self, seconds: float) -> None:
        """So much time goes by, and what was due is done."""
        self.loop.moved += seconds
        for _ in range(200):
            await asyncio.sleep(0.005)
            if not self.hooks._tasks:
                return

    def close(self) -> None:
        self.house.files.mend()
        assert self.session.close("exit") == []


def with_place(scene: Callable[[Place], Awaitable[None]]) -> House:
    house = small("hooks")
    with asyncio.Runner(loop_factory=Loop) as runner:

        async def run() -> None:
            place = Place(house, cast(Loop, asyncio.get_running_loop()))
            await scene(place)
            await place.hooks.settle()
            place.close()

        runner.run(run())
    return house


def test_the_text_is_a_sealed_draft_two_seconds_after_the_last_key() -> None:
    async def scene(place: Place) -> None:
        place.hooks.on_change("She slept", 9)
        await place.later(KEEP_AFTER_S / 2)
        assert drafts_of(place.session) == set()
        place.hooks.on_change("She slept well", 14)
        await place.later(KEEP_AFTER_S + 0.1)
        assert place.hooks.keeping() == ("draft kept", "")
        assert drafts_of(place.session) == {"She slept well"}
        place.hooks.on_change("She slept well.", 15)
        assert place.hooks.keeping() == ("", ""), "the draft is of an older text now"

    with_place(scene)


def test_after_five_minutes_of_writing_the_text_is_an_unsigned_revision_and_the_draft_is_gone() -> None:
    async def scene(place: Place) -> None:
        place.hooks.on_change("Five minutes of writing.", 24)
        await place.later(SAVE_EVERY_S - 5)
        assert "Five minutes of writing." not in texts(place.session)
        await place.later(5.1)
        assert "Five minutes of writing." in texts(place.session)
        assert place.hooks.keeping()[0].startswith("saved ")
        assert drafts_of(place.session) == set()
        assert place.writing.base == 1
        place.hooks.on_change("Five minutes of writing, and five more.", 39)
        await place.later(SAVE_EVERY_S + 0.1)
        assert place.writing.base == 2
        (view,) = (each for each in Notebook(place.session).notes() if each.id == place.writing.note_id)
        assert not view.signed

    house = with_place(scene)
    session = house.unlock()
    assert "Five minutes of writing, and five more." in texts(session)
    session.close("exit")


def test_a_full_disk_is_said_and_the_next_try_after_it_keeps_the_text() -> None:
    async def scene(place: Place) -> None:
        place.fill_the_disk()
        place.hooks.on_change("Written on a full disk.", 23)
        await place.later(KEEP_AFTER_S + 0.1)
        word, sentence = place.hooks.keeping()
        assert word == "NOT KEPT"
        assert sentence.startswith("No draft could be kept. The disk is full. Free some space")
        place.hooks.on_change("Written on a full disk. More.", 29)
        assert place.hooks.keeping()[0] == "NOT KEPT", "a key does not make it better"
        await place.later(SAVE_EVERY_S)
        assert place.hooks.keeping()[0] in {"NOT KEPT", "NOT SAVED"}
        place.house.files.mend()
        place.hooks.on_change("Written on a full disk. More. Room again.", 41)
        await place.later(KEEP_AFTER_S + 0.1)
        assert place.hooks.keeping() == ("draft kept", "")
        assert drafts_of(place.session) == {"Written on a full disk. More. Room again."}

    with_place(scene)


def test_the_editor_says_that_the_disk_is_full_keeps_the_text_and_saves_it_when_there_is_room() -> None:
    async def scene(place: Place) -> None:
        with open_terminal(80, 24) as term:
            job = EditorJob("Anna Berg", "C-1", "", "", 0, detail="session 3")
            task = asyncio.create_task(edit(job, place.hooks, input=term.input, output=term.output))
            await term.until("0 words")
            place.fill_the_disk()
            await term.type("Nothing of this may be lost.")
            await place.later(KEEP_AFTER_S)
            await said(term, "NOT KEPT \u2502 6 words")
            await said(term, "No draft could be kept. The disk is full.")
            await term.type("\x13")
            await said(term, "Not saved. The disk is full. Free some space and save again")
            await term.type(" Not this either." + keys.ESC)
            await said(term, "Esc again closes without saving.")
            assert "Nothing of this may be lost. Not this either." in term.text
            place.house.files.mend()
            await term.type("!")
            await place.later(KEEP_AFTER_S)
            await said(term, "draft kept \u2502 9 words")
            await term.until(lambda: "disk is full" not in term.text)
            await term.type(keys.ESC)
            result: EditorResult = await asyncio.wait_for(task, 10)
        assert (result.saved, result.reason) == (True, "closed")
        assert result.text == "Nothing of this may be lost. Not this either.!"

    house = with_place(scene)
    session = house.unlock()
    assert "Nothing of this may be lost. Not this either.!" in texts(session)
    assert drafts_of(session) == set()
    session.close("exit")


async def said(term: Terminal, words: str) -> None:
    """On the screen, wherever a line breaks."""
    await term.until(lambda: words in " ".join(term.text.split()))


def test_a_text_that_no_disk_takes_is_not_given_up_by_closing_its_note() -> None:
    text = "Neither saved nor kept."

    async def scene(place: Place) -> None:
        def room_again() -> bool:
            place.house.files.mend()
            return True

        place.fill_the_disk()
        place.ui.answered = room_again
        place.ui.typed = [EditorResult(text, 7, "closed", saved=False), EditorResult(text, 7, "closed", saved=False)]
        await note_desk.write(place.desk, place.writing)
        assert len(place.ui.asked) == 1
        assert place.ui.asked[0].startswith("The disk is full.")
        assert "What you wrote last is on no disk yet. Go back to your text?" in place.ui.asked[0]
        assert place.ui.shown == ["", text], "the second time the editor begins with what was typed"
        assert drafts_of(place.session) == {text}

    with_place(scene)


@pytest.mark.parametrize("lock", [False, True])
def test_a_lock_by_key_asks_before_it_loses_what_no_disk_takes(lock: bool) -> None:
    text = "Neither saved nor kept."

    async def scene(place: Place) -> None:
        def answer() -> bool:
            assert place.ui.leaving is None, "a question can be asked"
            place.house.files.mend()
            return lock

        place.fill_the_disk()
        place.ui.leaving, place.ui.answered = "key", answer
        place.ui.typed = [EditorResult(text, 7, "locked", saved=False), EditorResult(text, 7, "closed", saved=False)]
        if lock:
            with pytest.raises(Leave, match="key"):
                await note_desk.write(place.desk, place.writing)
            assert drafts_of(place.session) == set()
        else:
            await note_desk.write(place.desk, place.writing)
            assert place.ui.shown == ["", text]
            assert drafts_of(place.session) == {text}
        assert "Locking now would lose what you wrote last. Lock all the same?" in place.ui.asked[0]

    with_place(scene)


def test_a_lock_that_nobody_pressed_is_not_held_up_by_a_full_disk() -> None:
    async def scene(place: Place) -> None:
        place.fill_the_disk()
        place.ui.leaving = "idle"
        place.ui.typed = [EditorResult("Lost.", 5, "idle", saved=False)]
        with pytest.raises(Leave, match="idle"):
            await note_desk.write(place.desk, place.writing)
        assert place.ui.asked == []

    with_place(scene)
