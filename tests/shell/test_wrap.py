"""Visual rows: they cover the text exactly, and offsets and cells translate both ways."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from notevault.shell.text import normalise
from notevault.shell.wrap import Layout, _next_any, _next_simple, cells, rewrap, row_starts

PLAIN = ["a", "slept", "four-hours", "catastrophizing", " ", "  ", "\n", "\t", "é", "—", "10-20", "-", "’", "x" * 30]
ODD = ["e\u0301", "漢字", "\U0001f469\u200d\U0001f467", "\x1b[0m", "\u202e", "\u0301", "\u200d", "\ufe0f"]
WORDS = st.sampled_from([*PLAIN, *ODD, "\U0001f1e9\U0001f1ea"])
TEXTS = st.lists(WORDS, max_size=40).map("".join).map(normalise)
SIMPLE = st.lists(st.sampled_from(["a", "be", "-", " ", "  ", "examinations", "x—y", "é", "3-4"]), max_size=40).map(
    "".join
)
WIDTHS = st.integers(1, 30)


def borders(text: str) -> list[int]:
    found = [0]
    for cluster in iter_graphemes(text):
        found.append(found[-1] + len(cluster))
    return found


@given(TEXTS, WIDTHS)
@settings(max_examples=200, deadline=None)
def test_rows_cover_the_text_exactly_and_in_order(text, width):
    layout = Layout(text, width)
    spans = [layout.span(r) for r in range(layout.row_count)]
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    for (_, end), (start, _) in pairwise(spans):
        assert text[end:start] in {"", "\n"}
        assert start > end or text[end:start] == ""
    assert "".join(text[a:b] for a, b in spans) == text.replace("\n", "")


@given(TEXTS, WIDTHS)
@settings(max_examples=200, deadline=None)
def test_no_row_is_wider_than_the_width_but_for_hanging_blanks_and_a_single_wide_thing(text, width):
    layout = Layout(text, width)
    for row in range(layout.row_count):
        drawn = layout.cells(row)
        while drawn and text[drawn[-1].offset] in " \t":
            drawn.pop()
        assert len(drawn) <= 1 or drawn[-1].column + drawn[-1].width <= width


@given(TEXTS, WIDTHS)
@settings(max_examples=200, deadline=None)
def test_cursor_places_translate_to_cells_and_back(text, width):
    layout = Layout(text, width)
    for offset in borders(text):
        row, column = layout.locate(offset)
        start, end = layout.span(row)
        assert start <= offset <= end
        assert layout.offset_at(row, column) == offset


@given(TEXTS, WIDTHS)
@settings(max_examples=100, deadline=None)
def test_going_down_and_up_again_with_the_goal_column_returns_to_the_start(text, width):
    layout = Layout(text, width)
    for offset in borders(text):
        row, goal = layout.locate(offset)
        for target in range(layout.row_count):
            place = layout.offset_at(target, goal)
            assert layout.locate(place)[0] == target, "a move by rows stays in the row it went to"
            assert layout.locate(place)[1] <= goal
        assert layout.offset_at(row, goal) == offset


@given(TEXTS, WIDTHS)
@settings(max_examples=150, deadline=None)
def test_the_last_place_of_a_row_is_in_that_row_and_stays_there(text, width):
    layout = Layout(text, width)
    for row in range(layout.row_count):
        assert layout.locate(layout.last_place(row))[0] == row


@given(SIMPLE, WIDTHS)
@settings(max_examples=300, deadline=None)
def test_the_quick_way_and_the_careful_way_break_alike(line, width):
    for start in row_starts(line, width):
        assert _next_simple(line, start, width) == _next_any(line, start, width)


@given(st.one_of(SIMPLE, TEXTS), st.one_of(SIMPLE, TEXTS), WIDTHS, st.data())
@settings(max_examples=400, deadline=None)
def test_wrapping_only_what_changed_equals_wrapping_everything(old, insert, width, data):
    old, insert = old.replace("\n", " "), insert.replace("\n", " ")
    a = data.draw(st.integers(0, len(old)))
    b = data.draw(st.integers(a, min(len(old), a + 20)))
    new = old[:a] + insert[: data.draw(st.integers(0, 20))] + old[b:]
    starts = list(row_starts(old, width))
    assert rewrap(old, starts, new, width) == list(row_starts(new, width))


@given(st.lists(TEXTS, min_size=2, max_size=6), WIDTHS)
@settings(max_examples=100, deadline=None)
def test_a_layout_carried_from_text_to_text_equals_a_fresh_one(texts, width):
    layout = Layout(texts[0], width)
    for text in texts[1:]:
        layout.update(text, width)
        fresh = Layout(text, width)
        assert [layout.span(r) for r in range(layout.row_count)] == [fresh.span(r) for r in range(fresh.row_count)]


def test_ten_thousand_random_keystrokes_in_one_paragraph_wrap_as_from_scratch():
    rng = random.Random(7)
    text = " ".join(rng.choice(["slept", "four", "client-led", "catastrophizing", "é"]) for _ in range(300))
    layout = Layout(text, 33)
    for n in range(10_000):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(["a", " ", "-", ""]) + text[at + rng.choice([0, 0, 1, 2]) :]
        layout.update(text, 33)
        if n % 500 == 0:
            fresh = Layout(text, 33)
            assert [layout.span(r) for r in range(layout.row_count)] == [fresh.span(r) for r in range(fresh.row_count)]


def rows(text: str, width: int) -> list[str]:
    layout = Layout(text, width)
    return [text[slice(*layout.span(r))] for r in range(layout.row_count)]


def test_rows_break_at_words_never_inside_them():
    assert rows("Client described intermittent catastrophizing", 18) == [
        "Client described ",
        "intermittent ",
        "catastrophizing",
    ]


def test_blanks_hang_over_the_margin_and_never_begin_a_row():
    assert rows("slept.   Then woke", 6) == ["slept.   ", "Then ", "woke"]


def test_a_word_longer_than_the_row_breaks_where_the_row_ends():
    assert rows("an " + "x" * 12, 5) == ["an ", "xxxxx", "xxxxx", "xx"]


def test_hyphens_break_inside_words_only():
    assert rows("aa self-report", 9) == ["aa self-", "report"]
    assert rows("aaaaaa -5 b", 7) == ["aaaaaa ", "-5 b"]


def test_wide_characters_break_anywhere_and_never_in_half():
    assert rows("漢字漢字漢", 5) == ["漢字", "漢字", "漢"]


def test_a_tab_reaches_to_the_next_stop():
    assert [(c.column, c.width) for c in cells("a\tb", 0)] == [(0, 1), (1, 3), (4, 1)]


def test_an_empty_text_is_one_empty_row():
    layout = Layout("", 10)
    assert (layout.row_count, layout.span(0), layout.locate(0)) == (1, (0, 0), (0, 0))
    layout.update("a\n", 10)
    assert (layout.row_count, layout.span(1)) == (2, (2, 2))
