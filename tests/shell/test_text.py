"""The pure text of the editor: nothing typed is lost, undo gives back exactly what was."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from notevault.shell.clipboard import Clipboard
from notevault.shell.find import Folded, next_hit
from notevault.shell.safe import cell_width, clip, is_simple, shown, visible, visible_line
from notevault.shell.text import TextModel, count_words, next_border, normalise, previous_border, snap

TEXTS = st.text(
    st.one_of(
        st.sampled_from("aB c-é\n\t'.\u2019"),
        st.sampled_from("e\u0301\u0302 \u200d\U0001f469\U0001f467\ufe0f\U0001f1e9\U0001f1ea漢字\U0001f3fb\u0915\u094d"),
        st.characters(blacklist_categories=["Cs"]),
    ),
    max_size=40,
)
CHANGES = ["backspace", "delete", "delete_word_left", "delete_word_right", "cut"]
STEPS = ["left", "right", "word_left", "word_right", "paragraph_up", "paragraph_down"]
OPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["type", "paste"]), TEXTS),
        st.tuples(
            st.sampled_from(
                [*CHANGES, *STEPS, "select_left", "select_word_right", "select_all"],
            ),
            st.none(),
        ),
    ),
    max_size=25,
)


def apply(model: TextModel, op: str, text: str | None) -> None:
    if op in {"type", "paste"}:
        getattr(model, op)(text)
    elif op.startswith("select_") and op != "select_all":
        getattr(model, op.removeprefix("select_"))(select=True)
    else:
        getattr(model, op)()


@given(TEXTS, OPS)
@settings(max_examples=150, deadline=None)
def test_undoing_everything_gives_the_first_text_and_redoing_it_the_last(start, ops):
    model = TextModel(start)
    first = model.text
    for op, text in ops:
        apply(model, op, text)
        assert 0 <= model.cursor <= len(model.text)
    last = model.text
    while model.undo():
        pass
    assert model.text == first
    while model.redo():
        pass
    assert model.text == last


@given(TEXTS, OPS)
@settings(max_examples=100, deadline=None)
def test_undo_after_one_act_restores_text_cursor_and_selection_or_the_run_it_joined(start, ops):
    model = TextModel(start)
    for op, text in ops:
        model.move_to(model.cursor)  # ends any run, so that each act is a step of its own
        before = (model.text, model.cursor)
        version = model.version
        apply(model, op, text)
        if model.version != version:
            model.undo()
            assert (model.text, model.cursor) == before
            model.redo()


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_left_and_right_stop_at_exactly_the_borders_of_grapheme_clusters(text):
    text = normalise(text)
    borders = [0]
    for cluster in iter_graphemes(text):
        borders.append(borders[-1] + len(cluster))
    walked = [0]
    while walked[-1] < len(text):
        walked.append(next_border(text, walked[-1]))
    assert walked == borders
    back = [len(text)]
    while back[-1] > 0:
        back.append(previous_border(text, back[-1]))
    assert back[::-1] == borders
    for i in range(len(text) + 1):
        assert snap(text, i) == min(b for b in borders if b >= i)


def typed(text: str, model: TextModel | None = None) -> TextModel:
    model = model or TextModel()
    for char in text:
        model.type(char)
    return model


def test_a_run_of_typing_is_undone_word_by_word():
    model = typed("slept four hours")
    seen = []
    while model.undo():
        seen.append(model.text)
    assert seen == ["slept four ", "slept ", ""]


def test_a_paste_is_one_step_and_joins_no_typing():
    model = typed("ab")
    model.paste("one two\r\nthree")
    typed("cd", model)
    model.undo()
    assert model.text == "abone two\nthree"
    model.undo()
    assert model.text == "ab"


def test_typing_over_a_selection_comes_back_in_one_step_with_the_selection():
    model = TextModel("anxious today", 0)
    model.word_right(select=True)
    assert model.selected_text == "anxious "
    typed("calm ", model)
    assert model.text == "calm today"
    model.undo()
    assert (model.text, model.selected_text) == ("anxious today", "anxious ")


def test_a_run_of_backspaces_is_one_step_for_each_word():
    model = TextModel("one two", 7)
    for _ in range(5):
        model.backspace()
    assert model.text == "on"
    model.undo()
    assert model.text in {"one", "one "}
    while model.undo():
        pass
    assert model.text == "one two"


def test_moving_the_cursor_ends_the_run_of_typing():
    model = typed("ab")
    model.left()
    model.right()
    typed("cd", model)
    model.undo()
    assert model.text == "ab"


def test_a_new_change_ends_what_could_be_redone():
    model = typed("a b")
    model.undo()
    typed("c", model)
    assert not model.redo()
    assert model.text == "a c"


def test_words_are_left_and_deleted_as_in_word():
    text = "Client's sleep, four\nhours"
    model = TextModel(text)
    stops = []
    while model.cursor < len(text):
        model.word_right()
        stops.append(text[model.cursor :])
    assert stops == ["sleep, four\nhours", ", four\nhours", "four\nhours", "\nhours", "hours", ""]
    back = []
    while model.cursor:
        model.word_left()
        back.append(text[model.cursor :])
    assert back == ["hours", "\nhours", "four\nhours", ", four\nhours", "sleep, four\nhours", text]
    model.delete_word_right()
    assert model.text == "sleep, four\nhours"
    model.move_to(len("sleep, four"))
    model.delete_word_left()
    assert model.text == "sleep, \nhours"


def test_a_letter_and_its_accent_are_deleted_together():
    model = TextModel("re\u0301sume\u0301", 8)
    model.backspace()
    assert model.text == "re\u0301sum"
    model.move_to(1)
    model.delete()
    assert model.text == "rsum"


def test_newlines_of_every_kind_become_one_kind_and_surrogates_do_not_survive():
    assert normalise("a\r\nb\rc\x0bd\u2028e\x85f\ud800") == "a\nb\nc\nd\ne\nf\ufffd"


def test_find_is_blind_to_case_accents_and_curly_quotes():
    text = "Élan, elan, e\u0301LAN and the client\u2019s Straße"
    folded = Folded(text)
    assert [text[a:b] for a, b in folded.hits("ELAN")] == ["Élan", "elan", "e\u0301LAN"]
    assert [text[a:b] for a, b in folded.hits("client's")] == ["client\u2019s"]
    assert [text[a:b] for a, b in folded.hits("strasse")] == ["Straße"]
    assert [text[a:b] for a, b in folded.hits("tras")] == ["traß"]
    assert folded.hits("  ") == []


@given(TEXTS, st.integers(0, 40), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_the_text_is_found_there(text, start, length):
    query = text[start : start + length]
    hits = Folded(text).hits(query)
    assert all(0 <= a < b <= len(text) for a, b in hits)
    assert all(b <= c for (_, b), (c, _) in pairwise(hits))
    if query.strip() and query.isascii():
        assert hits


def test_next_and_previous_go_round():
    hits = [(2, 4), (9, 11)]
    assert [next_hit(hits, i) for i in (0, 2, 3, 10)] == [0, 0, 1, 0]
    assert [next_hit(hits, i, back=True) for i in (0, 2, 3, 10)] == [1, 1, 0, 1]
    assert next_hit([], 0) is None


def test_words_are_counted_as_a_reader_would():
    assert count_words("Slept four hours -- again; self-report: 3/10.\n\n- calm") == 7


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_control_character_is_ever_shown(text):
    out = visible(text)
    assert not any((c < " " and c not in "\n\t") or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" for c in out)
    assert not any(
        "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" or c in "\u200b\u200e\u200f\ufeff" for c in out
    )
    assert out.count("\n") == text.count("\n")
    assert visible(out) == out
    assert not set(visible_line(text)) & {"\n", "\t"}


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_every_cluster_takes_at_least_one_cell_and_simple_ones_exactly_one(text):
    for cluster in iter_graphemes(text):
        assert cell_width(shown(cluster)) >= 1
    if is_simple(text):
        assert visible(text) == text
        assert cell_width(text) == len(text)


def test_escape_sequences_and_reordering_tricks_are_made_visible():
    assert visible("\x1b[2J\x07") == "\u241b[2J\u2407"
    assert visible("\x9b1m\x7f") == "\u27e89B\u27e91m\u2421"
    assert visible("user\u202etxt.exe") == "user\u27e8202E\u27e9txt.exe"
    assert visible("pa\u200byp\u200dal") == "pa\u27e8200B\u27e9yp\u27e8200D\u27e9al"
    assert visible("a\r\nb") == "a\u240d\nb"


def test_honest_writing_is_shown_as_it_is():
    for text in ["Zoë — “fine”, 3 €", "می\u200cخواهم", "क्\u200dष", "e\u0301", "漢字"]:
        assert visible(text) == text
    assert (
        visible("\u2764\ufe0f \U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd")
        == "\u2764 \U0001f469\U0001f467 \U0001f44d"
    )


def test_clip_fits_and_says_that_it_cut():
    assert clip("Anna Berg", 9) == "Anna Berg"
    assert clip("Anna Berg", 5) == "Anna…"
    assert clip("漢字漢字", 4) == "漢…"


def test_neither_model_nor_clipboard_tells_the_text_in_its_repr():
    clipboard = Clipboard()
    clipboard.put("secret words")
    clipboard.put("")
    assert clipboard.take() == "secret words"
    assert "secret" not in repr(clipboard) + repr(TextModel("secret words"))
    clipboard.drop()
    assert clipboard.take() == ""
