"""Drafts and revisions beside the writing: on a clock that can be moved, on a disk that can be full, in the editor."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from notevault.app.writing import Writing, unsaved_drafts
from notevault.shell import note_desk
from notevault.shell.control import Channel
from notevault.shell.desk import Desk
from notevault.shell.editor import EditorHooks, EditorJob, EditorResult, edit
from notevault.shell.idle import Idle
from notevault.shell.note_hooks import KEEP_AFTER_S, KEEP_AT_MOST_S, SAVE_EVERY_S, NoteHooks
from notevault.shell.ui import Leave, graver
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
        for _ in range(6000):
            await asyncio.sleep(0.005)
            if not self.hooks._tasks:
                return
        raise AssertionError("it is never done")

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


@pytest.mark.slow
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
            result: EditorResult = await asyncio.wait_for(task, 60)
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


def test_keys_typed_while_a_save_waits_stay_the_newest_text_and_are_kept() -> None:
    async def scene(place: Place) -> None:
        place.hooks.on_change("First words", 11)
        with place.desk.gate:
            saving = place.loop.run_in_executor(None, place.hooks.save, "First words", 11)
            await asyncio.sleep(0.05)
            place.hooks.on_change("First words, and more", 21)
        await saving
        assert place.hooks.newest == ("First words, and more", 21)
        await place.later(KEEP_AFTER_S + 0.1)
        assert drafts_of(place.session) == {"First words, and more"}

    with_place(scene)


def test_kept_is_never_said_of_a_text_that_came_while_an_older_one_was_being_kept() -> None:
    async def scene(place: Place) -> None:
        keep = place.writing.keep

        def slow_keep(text: str, cursor: int) -> None:
            keep(text, cursor)
            if text == "One":
                place.loop.call_soon_threadsafe(place.hooks.on_change, "One, two", 8)
                place.loop.call_soon_threadsafe(place.hooks._keep_soon)  # its timer ends while this one runs
                time.sleep(0.1)

        place.writing.keep = slow_keep  # type: ignore[method-assign]
        place.hooks.on_change("One", 3)
        await place.later(KEEP_AFTER_S + 0.1)
        assert place.hooks.keeping() == ("", "")
        await place.later(KEEP_AFTER_S + 0.1)
        assert place.hooks.keeping() == ("draft kept", "")
        assert drafts_of(place.session) == {"One, two"}

    with_place(scene)


def test_a_text_that_could_not_be_kept_is_tried_again_without_a_key() -> None:
    async def scene(place: Place) -> None:
        place.fill_the_disk()
        place.hooks.on_change("Typed once.", 11)
        await place.later(KEEP_AFTER_S + 0.1)
        assert place.hooks.keeping()[0] == "NOT KEPT"
        place.house.files.mend()
        await place.later(KEEP_AT_MOST_S + 0.1)
        assert place.hooks.keeping() == ("draft kept", "")
        assert drafts_of(place.session) == {"Typed once."}

    with_place(scene)


def test_text_that_was_undone_does_not_come_back_from_its_draft() -> None:
    async def scene(place: Place) -> None:
        place.hooks.save("As it is.", 9)
        place.hooks.on_change("As it is. Wrong client!", 23)
        await place.later(KEEP_AFTER_S + 0.1)
        assert drafts_of(place.session) == {"As it is. Wrong client!"}
        place.hooks.on_change("As it is.", 9)
        await place.later(KEEP_AFTER_S + 0.1)
        assert drafts_of(place.session) == set()
        place.writing.keep("As it is. Undone at once.", 0)
        place.ui.typed = [EditorResult("As it is.", 9, "closed", saved=True)]
        await note_desk.write(place.desk, place.writing)
        assert drafts_of(place.session) == set()

    with_place(scene)


def test_a_draft_that_outlived_its_revision_goes_when_its_note_is_closed() -> None:
    async def scene(place: Place) -> None:
        place.hooks.save("Saved, then the power went.", 5)
        place.writing.keep("Saved, then the power went.", 5)
        (draft,) = place.desk.drafts.list()
        place.ui.typed = [EditorResult(draft.text, 5, "closed", saved=True)]
        await note_desk.take_up(place.desk, draft)
        assert drafts_of(place.session) == set()

    with_place(scene)


def test_after_a_crash_only_those_drafts_come_back_whose_text_no_revision_holds() -> None:
    async def scene(place: Place) -> None:
        desk, writing = place.desk, place.writing
        writing.keep("Saved, then the power went.", 5)
        (early,) = desk.drafts.list()
        place.hooks.save("Saved, then the power went.", 5)
        desk.drafts.keep(early)
        other = Writing.new(desk.notebook, desk.drafts, place.house.ids["anna"])
        other.keep("Of a note that was never saved.", 5)
        older = Writing.new(desk.notebook, desk.drafts, place.house.ids["anna"])
        older.keep("Another text.", 5)
        (kept,) = (each for each in desk.drafts.list() if each.note == older.note_id)
        older.save("And its revision.")
        desk.drafts.keep(kept)
        before = len(place.house.log())
        left = {each.text for each in unsaved_drafts(desk.notebook, desk.drafts)}
        assert len(place.house.log()) == before, "nobody saw a text, so none was opened"
        assert left == {"Of a note that was never saved.", "Another text."} == drafts_of(place.session)

    with_place(scene)


def test_a_draft_that_cannot_be_removed_is_a_notice_and_not_a_failed_save() -> None:
    async def scene(place: Place) -> None:
        place.writing.keep("Saved all the same.", 5)
        place.house.files.fail_when("unlink", errno.EACCES, lasting=True)
        assert place.hooks.save("Saved all the same.", 5).startswith("saved ")
        place.house.files.mend()
        assert "Saved all the same." in texts(place.session)
        assert any(each.startswith("An old draft could not be removed.") for each in place.session.notices)
        place.session.notices.clear()

    with_place(scene)


@pytest.mark.parametrize("room", [False, True])
@pytest.mark.parametrize("leaving", [None, "key"])
def test_a_lock_while_it_is_asked_about_a_text_tries_again_to_keep_it_and_tells_of_a_loss(
    leaving: str | None, room: bool
) -> None:
    text = "Neither saved nor kept."

    async def scene(place: Place) -> None:
        ours, theirs = socket.socketpair()
        place.desk.channel = Channel(theirs)

        def answer() -> bool:
            if room:
                place.house.files.mend()
            place.ui.leaving = "idle"
            raise Leave("idle")

        place.fill_the_disk()
        place.ui.leaving, place.ui.answered = leaving, answer
        place.ui.typed = [EditorResult(text, 7, leaving or "closed", saved=False)]
        with pytest.raises(Leave, match="idle"):
            await note_desk.write(place.desk, place.writing)
        place.house.files.mend()
        assert (text in texts(place.session)) is room
        theirs.close()
        said = ours.recv(4096).decode()
        ours.close()
        assert ("What was written last could not be kept. The disk is full." in said) is not room

    with_place(scene)


def test_an_end_while_the_lock_is_asked_about_stays_an_end() -> None:
    async def scene(place: Place) -> None:
        def answer() -> bool:
            place.ui.leaving = "gone"
            return True

        place.fill_the_disk()
        place.ui.leaving, place.ui.answered = "key", answer
        place.ui.typed = [EditorResult("Lost.", 5, "locked", saved=False)]
        with pytest.raises(Leave, match="gone"):
            await note_desk.write(place.desk, place.writing)

    with_place(scene)


def test_an_end_is_never_taken_for_a_lock() -> None:
    assert [graver("key", end) for end in ("exit", "hangup", "gone")] == ["exit", "hangup", "gone"]
    assert graver("hangup", "gone") == graver("hangup", "idle") == "hangup"
    assert graver("key", "idle") == "key"
    assert graver(None, "idle") == "idle"


@pytest.mark.parametrize("opened", [True, False])
def test_a_draft_older_than_its_note_is_told_of_before_it_is_opened_and_both_are_kept(opened: bool) -> None:
    async def scene(place: Place) -> None:
        place.hooks.save("One.", 4)
        place.writing.keep("One, as a draft.", 4)
        (draft,) = place.desk.drafts.list()
        place.desk.notebook.revise(place.writing.note_id, place.writing.note.edited("Two.", place.desk.now()))
        place.ui.answered = lambda: opened
        place.ui.typed = [EditorResult(draft.text if opened else "Two.", 4, "closed", saved=not opened)]
        await note_desk.take_up(place.desk, draft)
        assert "Revision 2 of this note was saved after this draft was begun" in place.ui.asked[0]
        assert place.ui.shown == ["One, as a draft." if opened else "Two."]
        assert "Two." in texts(place.session)
        assert drafts_of(place.session) == {"One, as a draft."}

    with_place(scene)
