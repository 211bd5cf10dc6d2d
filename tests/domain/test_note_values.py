"""Notes as values: records, excerpts, counts and session numbers."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.domain.folding import fold, hits, words
from notevault.domain.notes import (
    TEXT_LIMIT,
    Note,
    clean_text,
    excerpt,
    from_payload,
    session_numbers,
    to_payload,
    word_count,
)
from notevault.errors import Damaged, UnknownFormat, UsageFault

NOW = 1_795_000_000_000
NOTE = Note("Slept four hours.\n", NOW, 60, NOW, NOW, title="Session", template="SOAP", author="Dr. Ek")

texts = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=300)
lines = st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=60)
moments = st.integers(-(10**12), 10**13)
notes = st.builds(
    Note,
    texts,
    moments,
    st.integers(-900, 900),
    moments,
    moments,
    title=lines,
    template=st.sampled_from(["SOAP", "DAP", "BIRP", "free"]),
    author=lines,
    state=st.sampled_from(["draft", "unsigned", "signed"]),
)


@given(notes)
def test_a_note_comes_back_from_its_record(note: Note) -> None:
    assert from_payload(to_payload(note)) == note


def test_the_record_is_the_bytes_written_down() -> None:
    assert to_payload(NOTE) == (
        b'{"author":"Dr. Ek","created":1795000000000,"modified":1795000000000,"offset":60,"session":1795000000000,'
        b'"state":"unsigned","template":"SOAP","text":"Slept four hours.\\n","title":"Session","v":1}'
    )


def changed(**fields: object) -> bytes:
    value = json.loads(to_payload(NOTE)) | fields
    kept = {name: each for name, each in value.items() if each is not ...}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        changed(state="final"),
        changed(template="soap"),
        changed(offset=2000),
        changed(session=10**15),
        changed(title="two\nlines"),
        changed(title="x" * 201),
        changed(text="x" * (TEXT_LIMIT + 1)),
        changed(text="é" * (TEXT_LIMIT // 2 + 1)),
        changed(text=None),
        changed(client="x"),
        changed(author=...),
        to_payload(NOTE).replace(b"four", b"f\xffur"),
        to_payload(NOTE).replace(b"four", b"f\\/ur"),
    ],
)
def test_what_is_not_the_one_spelling_of_a_note_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged) as caught:
        from_payload(data)
    assert "four" not in str(caught.value)


def test_a_newer_version_is_unknown_not_damaged() -> None:
    with pytest.raises(UnknownFormat):
        from_payload(changed(v=2))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_note_or_damage(data: bytes) -> None:
    with pytest.raises(Damaged):
        from_payload(data)


def test_the_longest_note_fits_its_record_and_one_byte_more_is_refused() -> None:
    text = "\x01" * TEXT_LIMIT  # six bytes each in JSON
    assert from_payload(to_payload(Note(text, NOW, 0, NOW, NOW))).text == text
    with pytest.raises(UsageFault, match="1 MiB"):
        clean_text(text + "x")


def test_line_ends_become_one_kind_and_half_characters_are_refused() -> None:
    assert clean_text("\ufeffa\r\nb\rc\n") == "a\nb\nc\n"
    with pytest.raises(UsageFault):
        clean_text("a\ud800")


def test_signing_vouches_for_the_text_and_changing_it_ends_that() -> None:
    signed = NOTE.signed("Dr. Ek", NOW + 1)
    assert (signed.state, signed.text, signed.modified) == ("signed", NOTE.text, NOW + 1)
    changed_note = signed.edited("Slept six hours.", NOW + 2)
    assert (changed_note.state, changed_note.created) == ("unsigned", NOW)
    with pytest.raises(UsageFault, match="already"):
        signed.signed("Dr. Ek", NOW + 3)
    with pytest.raises(UsageFault, match="empty"):
        Note(" \n", NOW, 0, NOW, NOW).signed("Dr. Ek", NOW)


def test_the_text_is_in_no_repr() -> None:
    assert "Slept" not in repr(NOTE)
    assert "Ek" not in repr(NOTE)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("  \n", 0),
        ("one", 1),
        ("slept four hours...", 3),
        ("don't -- stop", 2),
        ("S: a\n\nO: b", 4),
        ("••• 7", 1),
    ],
)
def test_words_are_counted_as_an_editor_counts(text: str, count: int) -> None:
    assert word_count(text) == count


LONG = "The week was quiet. " * 20 + "She spoke of her Émigré grandmother at length. " + "Then we closed. " * 20


def test_an_excerpt_shows_the_word_found_whatever_its_accents() -> None:
    line = excerpt(LONG, "emigre")
    assert "Émigré" in line
    assert line.startswith("…")
    assert line.endswith("…")
    assert len(line) <= 92
    assert [line[a:b] for a, b in hits(line, "emigre")] == ["Émigré"]


@pytest.mark.parametrize(
    ("text", "wanted", "line"),
    [
        ("short note", "", "short note"),
        ("short note", "absent", "short note"),
        ("two\n\nlines\tand tabs", "lines", "two lines and tabs"),
        ("a\x1b[31mred", "", "a[31mred"),
        ("", "x", ""),
    ],
)
def test_excerpts_of_short_texts_are_the_text_on_one_line(text: str, wanted: str, line: str) -> None:
    assert excerpt(text, wanted) == line


@given(texts, texts, st.integers(20, 120))
def test_an_excerpt_is_one_harmless_line(text: str, wanted: str, width: int) -> None:
    line = excerpt(text, wanted, width)
    assert len(line) <= width + 2
    assert all(unicodedata.category(letter) not in ("Cc", "Zl", "Zp") for letter in line)


@given(st.text(alphabet="abcé ß-ﬁ’", max_size=60), st.text(alphabet="abcéß ﬁ", max_size=6))
def test_hits_point_at_the_words_they_say(text: str, wanted: str) -> None:
    needles = words(wanted)
    last = 0
    for start, end in hits(text, wanted):
        assert last <= start < end <= len(text)
        assert any(fold(text[start:end]).find(needle) >= 0 for needle in needles)
        last = end


@pytest.mark.parametrize(
    ("text", "folded"),
    [("ÉÈê", "eee"), ("Straße", "strasse"), ("Øre Łódź", "ore lodz"), ("Ærø", "aero"), ("ﬁne", "fine"), ("İI", "ii")],
)
def test_folding_takes_accents_and_case_away(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_notes_are_numbered_by_session_then_by_creation() -> None:
    assert session_numbers([("c", 30, 1), ("a", 10, 9), ("b2", 20, 6), ("b1", 20, 5)]) == {
        "a": 1,
        "b1": 2,
        "b2": 3,
        "c": 4,
    }
    assert session_numbers([]) == {}
