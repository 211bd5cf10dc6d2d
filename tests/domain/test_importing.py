"""Import: what is read, what is said about the rest, what is never guessed."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.domain.dates import Moment
from notevault.domain.imported import ImportedNote, clients_of
from notevault.domain.importing import FILE_LIMIT, parse, parse_map
from notevault.errors import NotevaultError, UsageFault

BESIDE = Path(__file__).resolve().parents[3]
DATA = next(BESIDE.glob("*/data/clinical-notes.csv"), Path("clinical-notes.csv"))


def from_csv(text: str | bytes, mapping: dict[str, str] | None = None) -> list[ImportedNote]:
    return list(parse("x.csv", text if isinstance(text, bytes) else text.encode(), mapping).notes)


@pytest.mark.skipif(not DATA.is_file(), reason="clinical-notes.csv is not in a folder beside this one")
def test_the_clinical_notes_give_87_notes_and_their_clients() -> None:
    plan = parse(DATA.name, DATA.read_bytes())
    assert len(plan.notes) == 87
    assert plan.columns == {"name": "client_name", "text": "text", "title": "complaint"}
    assert plan.nameless == 4
    assert plan.skipped == ()
    assert plan.notes[0].client_name == "Martha Collins"
    assert plan.notes[0].title == "annual exam"
    assert plan.notes[0].text.startswith("CHIEF COMPLAINT\n\nAnnual exam.")
    assert plan.notes[0].full_text().endswith("Imported with: encounter D2N001; gender female; age 50\n")
    people = clients_of(plan.notes)
    assert sum(len(each.notes) for each in people) == 87
    named = [each.name for each in people]
    assert named.count("Russell") == 2  # a woman and a man
    assert named.count(None) == 4
    assert "Brian White" in named


rows = st.lists(
    st.tuples(
        st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=80),
        st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=80),
    ),
    max_size=8,
)


@given(rows, st.sampled_from(",;\t|"), st.sampled_from(["\r\n", "\n"]))
def test_every_csv_that_a_writer_writes_reads_back(table: list[tuple[str, str]], delimiter: str, end: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["text", "other"])
    writer.writerows(table)
    plan = parse("x.csv", out.getvalue().encode())
    texts = [text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n") for text, _ in table if text.strip()]
    assert [note.text for note in plan.notes] == texts
    others = [other.strip() for text, other in table if text.strip()]
    assert [dict(note.extra).get("other", "") for note in plan.notes] == others


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.txt", "a.md"]))
def test_any_file_is_a_plan_or_a_sentence(data: bytes, name: str) -> None:
    try:
        plan = parse(name, data)
    except NotevaultError as fault:
        assert fault.exit_code == 64  # noqa: PT017
    else:
        assert all(note.text.strip() for note in plan.notes)


@pytest.mark.parametrize(
    ("headings", "columns"),
    [
        ("client_name,text", {"name": "client_name", "text": "text"}),
        ("Patient;Session Date;Note", {"name": "Patient", "date": "Session Date", "text": "Note"}),
        ("Name\tBody\tCreated at\tDOB", {"name": "Name", "text": "Body", "date": "Created at", "born": "DOB"}),
        (
            "Date of Birth,Client,Content,Date",
            {"born": "Date of Birth", "name": "Client", "text": "Content", "date": "Date"},
        ),
        ("note,text", {"text": "text"}),
        ("a|TEXT", {"text": "TEXT"}),
    ],
)
def test_obvious_headings_are_recognised(headings: str, columns: dict[str, str]) -> None:
    assert dict(parse("x.csv", headings.encode() + b"\n").columns) == columns


def test_columns_can_be_named_by_heading_or_number() -> None:
    text = 'who,what,"born, when",what\nAnna,x,1980-05-17,long text\n'
    (note,) = from_csv(text, parse_map("name=WHO,text=#4,born=#3"))
    assert (note.client_name, note.text, note.born) == ("Anna", "long text", date(1980, 5, 17))
    assert note.extra == (("what", "x"),)


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"text": "nothing"}, "No column has a heading"),
        ({"text": "what"}, "Two columns"),
        ({"text": "#9"}, "no column 9"),
        ({"text": "#0"}, "no column 0"),
        ({"text": "#2", "name": "#2"}, "same column"),
        ({}, "No column was recognised"),
    ],
)
def test_columns_that_cannot_be_made_out_are_said(mapping: dict[str, str], says: str) -> None:
    with pytest.raises(UsageFault, match=says) as caught:
        from_csv("who,what,what\nAnna Berg,secret,y\n", mapping)
    assert "--map" in caught.value.next_step
    assert "Anna" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n", "name", "text=", "text=a,text=b", "colour=a", "order=ymd", "=a"])
def test_a_map_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(UsageFault):
        parse_map(text)


def test_rows_that_do_not_fit_are_left_out_by_line_number() -> None:
    text = 'name,text\nAnna,"two\nlines"\nJon\nEva,a,b\n\nKim,\nLea,fine\n'
    plan = parse("x.csv", text.encode())
    assert [note.text for note in plan.notes] == ["two\nlines", "fine"]
    assert plan.skipped == (4, 5, 7)
    assert plan.warnings == (
        "Lines 4 and 5: more or fewer fields than the heading has; left out.",
        "Line 7: no text; left out.",
    )
    assert plan.notes[1].source == "x.csv, line 8"


def test_quotes_that_do_not_fit_are_named_by_line_and_nothing_is_read() -> None:
    for text in ('name,text\nAnna,"open\nJon,x\n', 'name,text\nAnna,"a"b\n'):
        with pytest.raises(UsageFault, match="begins on line 2") as caught:
            from_csv(text)
        assert "Anna" not in str(caught.value)


def test_huge_fields_are_read_up_to_the_limit_of_a_note() -> None:
    before = csv.field_size_limit()
    plan = parse("x.csv", b"text\n" + b"a" * 1_048_576 + b"\n" + b"b" * 1_048_577 + b"\n")
    assert [len(note.text) for note in plan.notes] == [1_048_576]
    assert plan.skipped == (3,)
    assert csv.field_size_limit() == before


def test_files_above_64_mib_are_refused() -> None:
    with pytest.raises(UsageFault, match="64 MiB"):
        parse("x.txt", bytes(FILE_LIMIT + 1))


def test_encodings_are_told_and_zero_bytes_are_named_by_line() -> None:
    assert from_csv("\ufefftext\nÅsa\n")[0].text == "Åsa"
    plan = parse("x.csv", "text\nÅsa\n".encode("cp1252"))
    assert plan.notes[0].text == "Åsa"
    assert "Windows" in plan.warnings[0]
    plan = parse("x.csv", b"text\na\0b\nc\n\0\n")
    assert [note.text for note in plan.notes] == ["a\ufffdb", "c", "\ufffd"]
    assert "lines 2 and 4" in plan.warnings[0]
    for data in ("text\nx".encode("utf-16"), b"\x81\xff text"):
        with pytest.raises(UsageFault, match="UTF-"):
            parse("x.txt", data)


def test_unclear_dates_are_said_and_kept_as_words() -> None:
    text = "name,date,text\nAnna,17/11/2026 09:00,a\nJon,4/5/2026,b\n"
    plan = parse("x.csv", text.encode())
    assert [note.when for note in plan.notes] == [Moment(date(2026, 11, 17), 540), None]
    assert plan.notes[1].full_text() == "b\n\nImported with: date 4/5/2026\n"
    assert plan.warnings[0] == "Line 3: date not understood; kept as words below the text."
    assert "order=dmy" in plan.warnings[1]
    ordered = parse("x.csv", text.encode(), parse_map("order=dmy"))
    assert ordered.notes[1].when == Moment(date(2026, 5, 4))
    assert ordered.warnings == ()


def test_markdown_says_whose_note_it_is_in_a_block_at_the_top() -> None:
    text = "---\nclient: 'Anna Berg'\ndate: 2026-11-17 09:00\ntitle: Intake\nmood: low\n---\n\n# Session 1\n\nText.\n"
    (note,) = parse("note.md", text.encode()).notes
    assert (note.client_name, note.title, note.when) == ("Anna Berg", "Intake", Moment(date(2026, 11, 17), 540))
    assert note.text == "# Session 1\n\nText.\n"
    assert note.extra == (("mood", "low"),)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Client: Anna Berg\nDate: 17.11.2026\n\nText", "Anna Berg"),
        ("patient: Jon\nText", "Jon"),
        ("# Anna Berg\n\nText", None),
        ("Text\nClient: Anna", None),
        ("---\njust a rule\n---\nText", None),
        ("---\nclient: Anna", None),
    ],
)
def test_plain_files_keep_their_text_and_give_a_name_only_when_they_say_so(text: str, name: str | None) -> None:
    (note,) = parse("note.txt", text.encode()).notes
    assert note.client_name == name
    assert note.text == text


def test_an_empty_file_gives_no_note_and_says_so() -> None:
    plan = parse("note.txt", b" \n")
    assert plan.notes == ()
    assert plan.warnings == ("There is no text in the file.",)


def test_other_kinds_of_files_and_maps_for_them_are_refused() -> None:
    for name, mapping in (("note.docx", None), ("note", None), ("note.txt", {"text": "a"})):
        with pytest.raises(UsageFault):
            parse(name, b"x", mapping)


def people(text: str) -> list[tuple[str | None, int]]:
    return [(each.name, len(each.notes)) for each in clients_of(from_csv(text))]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("name,text\nanna berg,a\nAnna Berg,b\n", [("Anna Berg", 2)]),
        ("name,text\n,a\n,b\n", [(None, 1), (None, 1)]),
        ("name,gender,text\nRussell,male,a\nRussell,female,b\n", [("Russell", 1), ("Russell", 1)]),
        ("name,gender,text\nRussell,male,a\nRussell,,b\n", [("Russell", 2)]),
        ("name,age,text\nAnna,52,a\nAnna,60,b\n", [("Anna", 1), ("Anna", 1)]),
        ("name,age,text\nAnna,52,a\nAnna,nan,b\n", [("Anna", 1), ("Anna", 1)]),
        ("name,age,date,text\nAnna,52,2018-01-01,a\nAnna,60,2026-02-01,b\n", [("Anna", 2)]),
        ("name,born,text\nAnna,1980-05-17,a\nAnna,1991-05-17,b\n", [("Anna", 1), ("Anna", 1)]),
        ("name,born,text\nAnna,1980-05-17,a\nAnna,1991-05-17,b\nAnna,,c\n", [("Anna", 1), ("Anna", 1), ("Anna", 1)]),
    ],
)
def test_two_persons_are_never_made_one(table: str, expected: list[tuple[str | None, int]]) -> None:
    assert people(table) == expected


def test_names_and_texts_are_in_no_repr() -> None:
    plan = parse("x.csv", b"name,text\nAnna,secret\n")
    shown = repr(plan) + repr(plan.notes) + repr(clients_of(plan.notes))
    assert "Anna" not in shown
    assert "secret" not in shown
