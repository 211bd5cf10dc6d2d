"""Home, toolbar, lists, questions and the countdown as pure values: what is on the rows, what a key does."""

from __future__ import annotations

import socket
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.adapters.sheet_print import SheetModel
from notevault.domain.clients import Client
from notevault.formats import sheet
from notevault.shell.complete import BACKUP, Catalogue
from notevault.shell.control import LINE_LIMIT, Channel, Lines
from notevault.shell.home import Entry, HomeData, HomeScreen, Section
from notevault.shell.idle import JUMP_MS, Idle
from notevault.shell.paint import clip_row, command_rows, path_rows, plain, row_width, wrapped
from notevault.shell.safe import cell_width
from notevault.shell.screens import Ask, Choose, Confirm, Page, Screen
from notevault.shell.sheet_flow import _on_screen
from notevault.shell.toolbar import Bar
from notevault.shell.ui import options, rows_of
from tests.fakes.simple import FakeClock

CLIENTS = [Client("Anna Berg", "C-014", None, 0), Client("Anders Ek", "C-007", None, 0)]
DATA = HomeData(
    "Fri 21 Nov",
    "2 unsigned",
    (
        Section("Today", (Entry("09:00", "Anna Berg", "C-014", "unsigned · 3 words", b"1" * 16),)),
        Section("To sign (1)", (Entry("Mon 17 Nov", "Anders Ek", "C-007", "unsigned · 9 words", b"2" * 16),)),
    ),
    Catalogue(CLIENTS),
)


def picture(screen: Screen, width: int = 80, height: int = 24, toolbar: str = " locks in 9:59") -> list[str]:
    painted = screen.paint("", toolbar, width, height)
    assert len(painted.rows) == height
    assert all(row_width(row) <= width for row in painted.rows)
    return [plain(row).rstrip() for row in painted.rows]


def type_into(screen: Screen, keys: str) -> None:
    for key in keys:
        screen.typed(key)


# Home


@pytest.mark.parametrize(("size", "seen"), [((80, 24), 10), ((120, 40), 10), ((40, 15), 9)])
def test_the_words_of_backup_are_listed_before_a_letter_and_tab_takes_none_unseen(
    size: tuple[int, int], seen: int
) -> None:
    screen = HomeScreen(DATA)
    type_into(screen, "backup ")
    said = "\n".join(picture(screen, *size))
    assert sum(f" {word}: " in said for word in BACKUP) == seen
    screen.act("indent")
    assert screen.model.text == "backup "
    for _ in range(9):
        screen.act("down")
    assert any(row.startswith("   > watch: ") for row in picture(screen, *size))
    screen.act("indent")
    assert screen.model.text == "backup watch "


PATHS = st.text("aZ /'\"$`\\-_.üß", min_size=1, max_size=150).map(lambda text: f"/{text}")


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell is asked")
@settings(max_examples=40, deadline=None)
@given(PATHS, st.integers(38, 120))
def test_a_command_that_is_copied_off_the_screen_is_one_command(path: str, width: int) -> None:
    rows = [*path_rows(path, width), *command_rows(["printf %s%s", '"$P"', " 'a folder'"], width)]
    assert all(row_width(row) <= width for row in rows)
    copied = "\n".join(f" {plain(row)}" for row in rows)  # with the page's margin
    done = subprocess.run(["sh", "-c", copied], capture_output=True, check=True)
    assert done.stdout.decode() == f"{path}a folder"


def test_a_command_that_fits_is_one_row() -> None:
    assert [plain(row) for row in command_rows(["one", "two"], 40)] == ["   one two"]
    assert [plain(row) for row in command_rows(["one" * 5, "two" * 5], 24, windows=True)] == [
        f"   {'one' * 5} ^",
        f"     {'two' * 5}",
    ]


def test_a_long_text_never_pushes_the_choices_off_a_small_screen() -> None:
    labels = [f"choice {n}" for n in range(7)]
    screen = Choose("Backup", ["alarm " * 60, "more " * 40], options(*labels), numbered=True)
    rows = picture(screen, 40, 15)
    assert sum("choice" in row for row in rows) >= 6
    assert any(row.endswith("\u2026") for row in rows)
    assert rows[1] == ""
    assert "alarm" in rows[2]
    low = picture(Choose("Backup", ["alarm " * 60], options(*labels), numbered=True), 40, 8)
    assert sum("choice" in row for row in low) >= 3


def test_home_shows_who_what_and_the_prompt_above_the_toolbar() -> None:
    rows = picture(HomeScreen(DATA))
    assert rows[0] == " Today, Fri 21 Nov"
    assert any(row.startswith(" > 09:00") and "Anna Berg" in row and "C-014" in row for row in rows)
    assert rows[-3] == " notevault>"
    assert rows[-1] == " locks in 9:59"


def test_hidden_names_are_on_no_row_not_even_among_the_offers() -> None:
    screen = HomeScreen(DATA)
    screen.names_hidden = True
    type_into(screen, "open c-0")
    text = "\n".join(picture(screen))
    assert "Anna" not in text
    assert "Anders" not in text
    assert "C-014" in text


def test_arrows_mark_a_row_and_enter_opens_it() -> None:
    screen = HomeScreen(DATA)
    screen.act("down")
    screen.act("down")
    screen.act("newline")
    assert screen.done
    assert screen.result == 1


def test_three_letters_offer_the_client_and_tab_takes_the_code() -> None:
    screen = HomeScreen(DATA)
    type_into(screen, "open and")
    assert "     Anders Ek C-007" in picture(screen)
    screen.act("indent")
    assert screen.model.text == "open C-007 "
    screen.act("newline")
    assert screen.result == "open C-007"


def test_a_marked_offer_is_taken_before_the_line_is_run() -> None:
    screen = HomeScreen(DATA)
    type_into(screen, "open an")
    screen.act("down")
    screen.act("down")
    screen.act("newline")
    assert screen.result == "open C-014"


def test_a_marked_command_that_wants_a_client_waits_for_one() -> None:
    screen = HomeScreen(DATA)
    type_into(screen, "op")
    screen.act("down")
    screen.act("newline")
    assert not screen.done
    assert screen.model.text == "open "


def test_escape_clears_the_line_and_never_leaves() -> None:
    screen = HomeScreen(DATA, ["Saved."])
    type_into(screen, "find")
    screen.act("close")
    assert screen.model.text == ""
    assert not screen.done


@given(st.integers(1, 130), st.integers(1, 50), st.text(max_size=30), st.booleans())
def test_every_screen_fits_every_window(width: int, height: int, typed: str, hidden: bool) -> None:
    screens: list[Screen] = [
        HomeScreen(DATA, [typed]),
        Ask("A question", [typed], "Answer", secret=hidden),
        Confirm("Sure?", [typed], "Go on?", default=True),
        Choose("One of these", [typed], options("first", f"second\n{typed}"), numbered=True),
        Page("To read", rows_of(typed, "end")),
    ]
    for screen in screens:
        screen.names_hidden = hidden
        screen.pasted(typed)
        painted = screen.paint("DEMO", Bar("locks in 9:59", sheet=False).text(width), width, height)
        assert len(painted.rows) == height
        assert all(row_width(row) <= width for row in painted.rows)
        if painted.cursor is not None:
            assert 0 <= painted.cursor[0] < width
            assert 0 <= painted.cursor[1] < height


# Questions


@pytest.mark.parametrize(("key", "answer"), [("y", True), ("N", False)])
def test_a_question_takes_y_n_or_enter_and_nothing_else(key: str, answer: bool) -> None:
    screen = Confirm("", [], "Delete?", default=False)
    for other in "xj1 ":
        screen.typed(other)
    screen.pasted("y")
    assert not screen.done
    screen.typed(key)
    assert screen.result is answer
    enter = Confirm("", [], "Delete?", default=False)
    enter.act("newline")
    assert enter.result is False


def test_a_secret_is_dots_and_a_fault_keeps_it_for_mending() -> None:
    screen = Ask("", [], "Passphrase", secret=True, check=lambda text: "Too short." if len(text) < 9 else None)
    type_into(screen, "blue")
    screen.act("newline")
    text = "\n".join(picture(screen))
    assert "blue" not in text
    assert "••••" in text
    assert "Too short." in text
    type_into(screen, " horses")
    assert "\u2022" * len("blue horses") in "\n".join(picture(screen)), "no gap tells how long each word is"
    screen.act("newline")
    assert screen.result == "blue horses"


def test_only_a_sheet_in_the_hand_can_be_shown_while_it_is_typed() -> None:
    secret, sheet = (Ask("", [], "Group", secret=True, revealable=each) for each in (False, True))
    for screen in (secret, sheet):
        type_into(screen, "K7Q2M")
        screen.act("hide_names")
    assert "K7Q2M" not in "\n".join(picture(secret))
    assert "K7Q2M" in "\n".join(picture(sheet))


def test_a_short_choice_is_taken_by_its_number() -> None:
    screen = Choose("", [], options("new", "old", "none"), numbered=True)
    screen.typed("7")
    assert not screen.done
    screen.typed("2")
    assert screen.result == 1


def test_a_long_list_keeps_the_marked_row_in_sight() -> None:
    screen = Choose("", [], lambda _w, _h: [[[("", f"row {n}")]] for n in range(200)])
    for _ in range(150):
        screen.act("down")
    assert any(row.startswith(" > row 150") for row in picture(screen))
    screen.act("text_start")
    assert any(row.startswith(" > row 0") for row in picture(screen))


# Toolbar


def test_the_toolbar_says_all_of_it_at_80_columns_and_never_runs_over() -> None:
    full = Bar("locks in 4:32", "saved 09:41").text(80)
    assert full.rstrip() == " locks in 4:32 │ saved 09:41"
    warned = Bar("locks in 4:32", "saved 09:41", sheet=False, read_only=True)
    for width in range(10, 140):
        assert cell_width(warned.text(width)) == width
    assert "NOT RECOVERABLE: print your sheet" in warned.text(100)
    assert "NOT RECOVERABLE" in warned.text(50)
    assert "READ-ONLY" in warned.text(40)


def test_a_demo_is_named_and_its_sheet_is_no_worry() -> None:
    text = Bar("locks in 4:32", sheet=False, demo=True).text(80)
    assert "DEMO – nothing here is kept" in text
    assert "NOT RECOVERABLE" not in text


# Countdown


def test_the_countdown_warns_locks_and_starts_anew_with_a_key() -> None:
    clock = FakeClock()
    idle = Idle(clock)
    assert (idle.look(), idle.words()) == (None, "")
    idle.start(2)

    def pass_s(seconds: int) -> str | None:
        found = None
        for _ in range(seconds):
            clock.advance(1000)
            found = found or idle.look()
        return found

    assert pass_s(60) is None
    assert idle.words() == "locks in 1:00"
    idle.activity()
    assert idle.words() == "locks in 2:00"
    assert pass_s(95) is None
    assert idle.words() == "LOCKS IN 0:25: press a key"
    assert pass_s(25) == "idle"


def test_a_laptop_that_slept_is_locked_at_wake_whatever_the_clock_on_the_wall_says() -> None:
    clock = FakeClock()
    idle = Idle(clock)
    idle.start(30)
    clock.set_wall(0)
    assert idle.look() is None
    clock.advance(JUMP_MS + 1)
    assert idle.look() == "suspend"


# The line between parent and child


@given(st.lists(st.text(alphabet=st.characters(blacklist_characters="\n", codec="utf-8"), max_size=40)), st.data())
def test_lines_come_out_as_they_went_in_however_they_are_cut(lines: list[str], data: st.DataObject) -> None:
    whole = b"".join(line.encode() + b"\n" for line in lines)
    reader, found, at = Lines(), [], 0
    while at < len(whole):
        step = data.draw(st.integers(1, 50))
        found += reader.feed(whole[at : at + step])
        at += step
    assert found == lines


def test_a_line_without_end_is_dropped() -> None:
    reader = Lines()
    assert reader.feed(b"x" * (LINE_LIMIT + 1)) == []
    assert reader.feed(b"\nlock\n") == ["", "lock"]


def test_an_answer_is_told_from_what_comes_beside_it_and_an_end_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    parent, child = Channel(ours), Channel(theirs)
    parent.send("lock")
    parent.send("busy")
    assert child.ask("hold setup") == "busy"
    assert parent.receive() == ["hold setup"]
    assert child.receive() == ["lock"]
    parent.close()
    assert child.receive() == []
    assert child.gone
    assert child.ask("pass") == ""
    child.close()


# Paint


@given(st.text(max_size=200), st.integers(1, 60))
def test_wrapped_text_is_harmless_and_fits(text: str, width: int) -> None:
    rows = wrapped(text, width)
    assert all(row_width(row) <= width for row in rows)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for row in rows for char in plain(row))


@given(st.lists(st.tuples(st.just(""), st.text(alphabet="ab日é ", max_size=12))), st.integers(1, 30))
def test_a_clipped_row_fits(row: list[tuple[str, str]], width: int) -> None:
    assert row_width(clip_row(row, width)) <= width


def test_the_sheet_to_be_copied_by_hand_is_seen_whole_at_80_by_24() -> None:
    groups = tuple(sheet.encode(bytes(range(32)), bytes(range(16))))
    model = SheetModel(groups, "f12eeb68" * 4, "21 November 2026", "00" * 16, "notevault/test")
    rows = picture(Page("Recovery sheet", _on_screen(model)))
    for line in model.lines():
        assert any("   ".join(line) in row for row in rows)
    assert any("Then press Enter: three groups are asked back." in row for row in rows)
    assert not any("more" in row for row in rows)
    assert rows[-2] == " Enter or Esc goes on"
