"""The editor as a therapist meets it: keys through a pipe, screens through pyte."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.errors import DiskFull
from notevault.shell.clipboard import Clipboard
from notevault.shell.editor import EditorJob, EditorResult, edit
from notevault.shell.editor_state import EditorState
from notevault.shell.safe import cell_width
from tests.shell import pyte_screen as keys
from tests.shell.pyte_screen import Terminal, open_terminal, pasted

PROSE = (
    "Client described intermittent catastrophizing about examinations; slept four hours. "
    "Reports that the breathing exercise helped twice this week and was forgotten on the other days."
)


class Caller:
    """The shell's side of an editor: remembers what it was asked to do, fails when told to."""

    def __init__(self) -> None:
        self.saved: list[tuple[str, int]] = []
        self.signed: list[str] = []
        self.changes: list[tuple[str, int]] = []
        self.keys = 0
        self.fault: Exception | None = None
        self.gate: threading.Event | None = None
        self.saving = 0
        self.most_saving = 0
        self.reason: str | None = None
        self.kept = ("", "")
        self.loud: tuple[str, ...] = ()

    def activity(self) -> None:
        self.keys += 1

    def on_change(self, text: str, cursor: int) -> None:
        self.changes.append((text, cursor))

    def save(self, text: str, cursor: int) -> str:
        self.saving += 1
        self.most_saving = max(self.most_saving, self.saving)
        try:
            if self.gate is not None:
                assert self.gate.wait(60)
            if self.fault is not None:
                fault, self.fault = self.fault, None
                raise fault
            self.saved.append((text, cursor))
            return "saved 09:41"
        finally:
            self.saving -= 1

    def sign(self, text: str, cursor: int) -> str:
        if self.fault is not None:
            raise self.fault
        self.signed.append(text)
        return "signed 09:42"

    def status(self) -> str:
        return "locks in 4:58"

    def keeping(self) -> tuple[str, str]:
        return self.kept

    def alarm(self) -> tuple[str, ...]:
        return self.loud

    def should_close(self) -> str | None:
        return self.reason


ACTS = ["up", "down", "page_up", "page_down", "row_end", "text_end", "text_start", "select_all", "cut", "paste", "!漢"]
ACTS += ["find", "!e", "find_next", "find_previous", "close", "help", "sign", "newline", "undo", "word_right", "print"]

Scene = Callable[[Terminal, Caller], Awaitable[None]]


def play(
    scene: Scene,
    text: str = "",
    *,
    size: tuple[int, int] = (80, 24),
    cursor: int = 0,
    leave: str = "\x0c",
    clipboard: Clipboard | None = None,
    caller: Caller | None = None,
    **more: bool,
) -> tuple[EditorResult, Caller]:
    """Open the editor, run the scene, leave with Ctrl-L unless the scene has left already."""
    caller = caller or Caller()

    async def run() -> EditorResult:
        with open_terminal(*size) as term:
            job = EditorJob(
                "Anna Berg", "C-014", "SOAP", text, cursor, detail="session 12 · Mon 17 Nov 09:00 · draft", **more
            )
            task = asyncio.create_task(edit(job, caller, input=term.input, output=term.output, clipboard=clipboard))
            done, _ = await asyncio.wait({task}, timeout=0)
            assert not done
            await term.until(lambda: term.text.strip())
            act = asyncio.create_task(scene(term, caller))
            await asyncio.wait({task, act}, return_when=asyncio.FIRST_COMPLETED)
            if act.done() and act.exception():
                task.cancel()
            await act
            if term.typed.endswith(keys.ESC):  # under load its silence takes longer, and what follows would join it
                await asyncio.wait({task}, timeout=0.6)
            if not task.done() and "\x1b[?1049l" not in term.raw:  # else it is leaving
                await term.type(leave)
            return await asyncio.wait_for(task, 60)

    return asyncio.run(run()), caller


def test_a_note_at_80_by_24_shows_title_text_wrapped_at_words_and_keys() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.until("locks in 4:58")
        assert term.lines[0].startswith(" Anna Berg · session 12 · Mon 17 Nov 09:00 · draft")
        assert term.lines[0].endswith("SOAP")
        assert term.lines[1] == " Client described intermittent catastrophizing about examinations; slept four"
        assert term.lines[2].startswith(" hours. Reports that")
        assert term.lines[23].startswith(" ^S save  ^G sign  ^F find  Esc close")
        assert term.lines[23].endswith("25 words │ locks in 4:58")
        assert "Anna Berg" in term.marked("reverse", slice(0, 1))
        assert term.cursor == (1, 1)
        assert "\x1b]" not in term.raw, "nothing is written into the window title or the system's clipboard"
        assert "\x1b[?1049h" in term.raw

    play(scene, PROSE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "words"),
    [
        ((40, 15), "BACKUP STOPPED"),
        ((80, 24), "BACKUP STOPPED: type backup"),
        ((120, 40), "BACKUP STOPPED: type backup"),
    ],
)
def test_an_alarm_that_comes_while_she_writes_stands_in_the_title_row_until_it_is_over(
    size: tuple[int, int], words: str
) -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.until("locks in 4:58")
        assert "BACKUP" not in term.text
        caller.loud = ("BACKUP STOPPED: type backup", "BACKUP STOPPED")
        await term.until(words)
        assert term.lines[0].endswith(words)
        assert term.lines[0].startswith(" Anna Berg · session")
        assert words in term.marked("bold", slice(0, 1))
        assert term.lines[-1].endswith("locks in 4:58"), "the countdown stays"
        caller.loud = ()
        await term.until(lambda: "BACKUP" not in term.text)

    play(scene, PROSE, size=size)


@pytest.mark.slow
def test_in_a_window_too_low_for_a_title_an_alarm_takes_the_bottom_line() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        caller.loud = ("BACKUP STOPPED: type backup", "BACKUP STOPPED")
        await term.until("BACKUP STOPPED")
        assert "BACKUP STOPPED" in term.lines[2]

    play(scene, PROSE, size=(60, 3))


def test_a_wide_terminal_centres_the_text_to_a_readable_measure() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.until("Client described")
        margin = term.lines[1].index("Client")
        assert margin == (160 - 101) // 2
        assert max(len(line) for line in term.lines[1:30]) <= margin + 100
        assert term.cursor == (margin, 1)

    play(scene, PROSE * 4, size=(160, 40))


def test_a_tiny_terminal_still_lets_one_write() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type(keys.CTRL_END + "today")
        await term.until("today")
        assert len(term.lines) == 6
        x, y = term.cursor
        assert term.lines[y][:x].endswith("today")

    result, _ = play(scene, PROSE + " ", size=(20, 6))
    assert result.text == PROSE + " today"


def test_up_and_down_go_by_visual_rows_and_keep_the_column() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.until("hours. Reports")
        await term.type(keys.RIGHT * 70 + keys.DOWN)
        await term.until(lambda: term.cursor == (71, 2))
        await term.type(keys.DOWN)  # a short row
        await term.until(lambda: term.cursor[1] == 3)
        assert term.cursor[0] < 71
        await term.type(keys.UP)
        await term.until(lambda: term.cursor == (71, 2))
        await term.type(keys.HOME)
        await term.until(lambda: term.cursor == (1, 2))
        await term.type(keys.END)
        await term.until(lambda: term.cursor == (len(term.lines[2]), 2))

    play(scene, PROSE)


def test_pages_and_the_ends_of_a_long_note_are_reached_and_the_cursor_stays_visible() -> None:
    text = "\n".join(f"row {n}" for n in range(200))

    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type(keys.CTRL_END)
        await term.until("row 199")
        assert term.lines[term.cursor[1]].strip() == "row 199"
        await term.type(keys.PAGE_UP)
        await term.until(lambda: "row 199" not in term.text or "row 178" in term.text)
        await term.type(keys.CTRL_HOME)
        await term.until("row 0")
        await term.type(keys.PAGE_DOWN * 2)
        await term.until(lambda: term.lines[term.cursor[1]].strip() == "row 42")

    play(scene, text)


@pytest.mark.slow
def test_resizing_keeps_the_cursor_on_the_screen() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type(keys.CTRL_END)
        await term.until("locks in")
        await term.resize(30, 8)
        await term.until(lambda: term.lines[term.cursor[1]].strip().endswith("days.") and len(term.lines) == 8)
        await term.resize(100, 30)
        await term.until(lambda: "Anna Berg · session 12" in term.lines[0] and "days." in term.text)

    play(scene, PROSE * 5)


def test_typing_undo_redo_and_the_change_hook() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type("slept four hours")
        await term.until("slept four hours")
        await term.type("\x1a")
        await term.until(lambda: "hours" not in term.text)
        await term.type("\x1a")
        await term.until(lambda: "four" not in term.text)
        await term.type("\x19\x19")
        await term.until("slept four hours")
        await term.until("not saved yet")

    result, caller = play(scene)
    assert result.text == "slept four hours"
    assert caller.changes[0] == ("s", 1)
    assert caller.changes[-1] == ("slept four hours", 16)
    assert caller.keys >= 20


def test_selecting_with_shift_shows_it_and_typing_replaces_it() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type(keys.CTRL_SHIFT_RIGHT + keys.SHIFT_RIGHT)
        await term.until(lambda: term.marked("reverse", slice(1, 2)) == "Client d")
        await term.type(keys.SHIFT_DOWN)
        await term.until(lambda: term.marked("reverse", slice(2, 3)).startswith("hours. R"))
        await term.type(keys.SHIFT_UP + keys.SHIFT_END)
        await term.until(lambda: term.marked("reverse", slice(1, 2)).endswith("four"))
        await term.type("X")
        await term.until(lambda: term.lines[1].startswith(" X hours."))

    play(scene, PROSE)


def test_cut_copy_and_paste_go_through_our_own_clipboard_alone() -> None:
    clipboard = Clipboard()

    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type("\x01\x18")
        await term.until(lambda: "described" not in term.text)
        await term.type("\x16\r\x16")
        await term.until(lambda: term.text.count("described") == 2)
        assert "\x1b]52" not in term.raw

    result, _ = play(scene, PROSE, clipboard=clipboard)
    assert result.text == f"{PROSE}\n{PROSE}"
    assert clipboard.take() == PROSE


def test_ctrl_c_never_quits_and_without_selection_does_nothing() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type("\x03\x03\x03still here")
        await term.until("still here")

    result, _ = play(scene)
    assert (result.text, result.reason) == ("still here", "locked")


@pytest.mark.parametrize(
    ("sequence", "wanted"),
    [
        (keys.CTRL_END + "\x08", "one two "),
        (keys.CTRL_END + "\x17", "one two "),
        (keys.CTRL_END + "\x1b\x7f", "one two "),
        (keys.CTRL_END + "\x1b[127;5u", "one two "),
        ("\x1b[3;5~", "two three"),
        (keys.CTRL_RIGHT + keys.BACKSPACE, "onetwo three"),
        (keys.DELETE, "ne two three"),
        ("\t", "  one two three"),
        (keys.CTRL_END + keys.CTRL_LEFT + "\r", "one two \nthree"),
        ("\x1bf!", "one !two three"),
        ("\x1b[99;7~\x1b[1;16Z\x1bOz!", "!one two three"),
        ("\x1b[24~\x1b[20~\x0e!", "!one two three"),
    ],
)
def test_each_editing_key_does_what_it_does_in_word_and_unknown_keys_nothing(sequence: str, wanted: str) -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type(sequence)
        await term.until(lambda: (caller.changes or [("", 0)])[-1][0] == wanted)

    play(scene, "one two three")


def test_a_paste_keeps_its_lines_and_sends_no_escape_sequence_to_the_terminal() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type(pasted("first\r\nsecond\x1b]0;title\x07\x9b31m\rthird\u202e"))
        await term.until("third")
        assert [line.strip() for line in term.lines[1:4]] == ["first", "second␛]0;title␇⟨9B⟩31m", "third⟨202E⟩"]
        assert "\x1b]0;" not in term.raw
        assert "\x07" not in term.raw
        assert "\x9b" not in term.raw
        await term.type("\x1a")
        await term.until(lambda: "first" not in term.text)
        await term.type("\x19")
        await term.until("first")

    result, _ = play(scene)
    assert result.text == "first\nsecond\x1b]0;title\x07\x9b31m\nthird\u202e"


def test_saved_is_said_only_after_the_save_returned_and_never_two_at_once() -> None:
    caller = Caller()
    caller.gate = threading.Event()

    async def scene(term: Terminal, caller: Caller) -> None:
        assert caller.gate is not None
        await term.type("one\x13")
        await term.until("saving…")
        await term.type(" two\x13")
        await term.until("one two")
        assert "saved" not in term.lines[-1]
        caller.gate.set()
        await term.until("saved")
        await term.until(lambda: len(caller.saved) == 2)
        await term.type(" three")
        await term.until("not saved yet")

    result, caller = play(scene, caller=caller)
    assert [text for text, _ in caller.saved] == ["one", "one two"]
    assert caller.most_saving == 1
    assert (result.text, result.saved) == ("one two three", False)


def test_a_failed_save_is_said_and_the_text_kept_until_the_next_one_holds() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        caller.fault = DiskFull("The disk is full.")
        await term.type("precious\x13")
        await term.until("Not saved. The disk is full. Free some space")
        assert "precious" in term.text
        await term.type("!")
        await term.until("precious!")
        assert "Not saved." in term.text
        await term.type("\x13")
        await term.until("saved just now")
        assert "Not saved." not in term.text

    result, caller = play(scene)
    assert caller.saved == [("precious!", 9)]
    assert result.saved


def test_closing_saves_and_a_failed_one_keeps_the_note_open() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        caller.fault = DiskFull("The disk is full.")
        await term.type("precious" + keys.ESC)
        await term.until("Esc again closes without saving.")
        await term.type(" text" + keys.ESC)

    result, caller = play(scene)
    assert (result.text, result.reason, result.saved) == ("precious text", "closed", True)
    assert caller.saved == [("precious text", 13)]


def test_escape_twice_after_a_failed_save_leaves_and_tells_the_caller() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        caller.fault = DiskFull("The disk is full.")
        await term.type("precious" + keys.ESC)
        await term.until("Esc again")
        await term.type(keys.ESC)

    result, caller = play(scene)
    assert (result.text, result.reason, result.saved, caller.saved) == ("precious", "closed", False, [])


def test_closing_an_untouched_note_saves_nothing_but_a_draft_is_saved() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type(keys.RIGHT + keys.ESC)

    result, caller = play(scene, PROSE)
    assert (result.reason, result.cursor, caller.saved) == ("closed", 1, [])
    result, caller = play(scene, PROSE, unsaved=True)
    assert (result.reason, caller.saved) == ("closed", [(PROSE, 1)])


def test_signing_asks_first_and_enter_is_the_safe_answer() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        for safe in ["\r", "n", keys.ESC]:
            await term.type("\x07")
            await term.until("Sign this note?")
            await term.type("q" + safe)
            await term.until(lambda: "Sign this note?" not in term.text)
        assert caller.signed == []
        await term.type("\x07")
        await term.until("Sign this note?")
        await term.type("y")

    result, caller = play(scene, "done")
    assert (result.reason, result.text, caller.signed, caller.changes) == ("signed", "done", ["done"], [])


def test_a_signature_that_fails_leaves_the_note_open() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        caller.fault = DiskFull("The disk is full.")
        await term.type("a\x07y")
        await term.until("Not signed. The disk is full.")
        await term.type("b")
        await term.until("ab")

    result, _ = play(scene)
    assert (result.reason, result.text) == ("locked", "ab")


def test_the_lock_leaves_at_once_and_takes_the_text_off_the_screen() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type("unsaved words\x0c")
        await term.until(lambda: "\x1b[?1049l" in term.raw)
        assert "unsaved words" not in term.text
        assert "Anna Berg" not in term.text

    result, caller = play(scene)
    assert (result.reason, result.text, result.cursor, caller.saved) == ("locked", "unsaved words", 13, [])


@pytest.mark.slow
def test_the_callers_wish_to_close_is_heard_within_a_second_or_so() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type("words")
        caller.reason = "hangup"
        await term.until(lambda: "\x1b[?1049l" in term.raw)

    result, _ = play(scene)
    assert (result.reason, result.text) == ("hangup", "words")


def test_the_end_of_the_terminal_is_a_hangup_with_the_text_in_hand() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type("words")
        await term.until("words")
        term.input.close()
        await term.until(lambda: "\x1b[?1049l" in term.raw)

    result, _ = play(scene)
    assert (result.reason, result.text) == ("hangup", "words")


def test_a_lock_during_a_save_waits_for_it_before_returning() -> None:
    caller = Caller()
    caller.gate = threading.Event()

    async def scene(term: Terminal, caller: Caller) -> None:
        assert caller.gate is not None
        await term.type("words\x13")
        await term.until("saving…")
        await term.type("\x0c")
        await term.until(lambda: "\x1b[?1049l" in term.raw)
        caller.gate.set()

    result, caller = play(scene, caller=caller)
    assert (result.reason, result.saved, caller.saved) == ("locked", True, [("words", 5)])


def test_find_marks_all_counts_them_and_goes_round_both_ways() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type("\x06SLEEP")
        await term.until("1 of 3")
        assert term.marked("reverse", slice(1, 4)) == "sleep"
        assert term.marked("underscore", slice(1, 4)) == "Sleep|sleep"
        await term.type("\r")
        await term.until("2 of 3")
        await term.type(keys.F3 + keys.F3)
        await term.until("1 of 3")
        await term.type(keys.SHIFT_F3)
        await term.until("3 of 3")
        await term.type(keys.ESC)
        await term.until(lambda: "Find:" not in term.text)
        assert term.cursor == (6, 3)
        await term.type("X")
        await term.until("poor Xsleep")
        await term.type("\x06xyz")
        await term.until("not found")

    result, _ = play(scene, "sleep\nSleep\npoor sleep")
    assert result.text == "sleep\nSleep\npoor Xsleep"


def test_one_key_hides_the_name_and_shows_the_code() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.until("Anna Berg · session 12")
        await term.type(keys.F8)
        await term.until("C-014 · session 12")
        assert "Anna" not in term.text

    result, _ = play(scene)
    assert result.names_hidden


def test_a_signed_note_is_read_found_in_and_copied_from_but_not_changed() -> None:
    clipboard = Clipboard()

    async def scene(term: Terminal, caller: Caller) -> None:
        await term.until("read only")
        for key in ["x", keys.BACKSPACE, "\x18", "\x16", pasted("x"), "\x07", "\x13", "\r", "\x1a"]:
            await term.type(key + keys.RIGHT)
            await term.type(key)
            await term.until("This can be read, not changed.")
            await term.type(keys.LEFT)
            await term.until(lambda: "This can be read" not in term.text)
        await term.type("\x01\x03" + keys.ESC)

    result, caller = play(scene, PROSE, read_only=True, clipboard=clipboard)
    assert (result.text, result.reason, result.saved) == (PROSE, "closed", True)
    assert (caller.changes, caller.saved, caller.signed) == ([], [], [])
    assert clipboard.take() == PROSE


def test_help_lists_the_keys_scrolls_and_goes_back() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type(keys.F1)
        await term.until("Ctrl-S")
        await term.type(keys.DOWN * 40)
        await term.until("Esc or F1 goes back to the note.")
        await term.type(keys.ESC)
        await term.until("Client described")
        await term.type("\x10")
        await term.until("Printing comes later.")

    result, _ = play(scene, PROSE, size=(40, 10))
    assert result.text == PROSE


@given(st.integers(1, 130), st.integers(1, 30), st.lists(st.sampled_from(ACTS), max_size=12), st.booleans())
@settings(max_examples=200, deadline=None)
def test_every_window_gets_a_picture_of_its_size_with_the_cursor_in_it(
    width: int, height: int, acts: list[str], long: bool
) -> None:
    text = (PROSE + " e\u0301 漢字 \U0001f469\u200d\U0001f467\t\x1b[0m\n") * (9 if long else 1)
    state = EditorState(text, 40, read_only=False, clipboard=Clipboard())
    for act in acts:
        if act.startswith("!"):
            state.typed(act[1:])
        else:
            state.act(act, select=act == "down")
        picture = state.paint("Anna Berg · session 12", "SOAP", "not saved yet", "locks in 4:58", width, height)
        assert len(picture.rows) == height
        assert all(sum(cell_width(part) for _, part in row) <= width for row in picture.rows)
        assert (picture.cursor is None) == (state.mode == "help")
        if picture.cursor is not None:
            assert 0 <= picture.cursor[0] < width
            assert 0 <= picture.cursor[1] < height


def test_no_colour_is_ever_asked_for() -> None:
    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type(keys.CTRL_SHIFT_RIGHT + "\x06e")
        await term.until("Find:")
        cells = [cell for row in term.screen.buffer.values() for cell in row.values()]
        assert {cell.fg for cell in cells} == {"default"}
        assert {cell.bg for cell in cells} == {"default"}

    play(scene, PROSE)


def test_a_hooks_own_fault_comes_out_of_edit_and_never_onto_the_screen() -> None:
    class Broken(Caller):
        def on_change(self, text: str, cursor: int) -> None:
            raise LookupError("a mistake of ours")

    async def scene(term: Terminal, caller: Caller) -> None:
        await term.type("x")
        await term.until(lambda: "\x1b[?1049l" in term.raw)
        assert "Traceback" not in term.raw

    with pytest.raises(LookupError, match="a mistake of ours"):
        play(scene, caller=Broken())
