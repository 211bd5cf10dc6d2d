"""Importing files: seen first, asked about, never two people in one folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.homes import ROOT, Home

REAL = next(ROOT.parent.glob("*/data/clinical-notes.csv"), Path("clinical-notes.csv"))
CSV = """client,date,born,text
Anna Berg,2024-01-05,1980-05-17,About sleep.
anna berg,2024-01-12,1980-05-17,About work.
Jon Lind,2024-02-01,1970-01-01,A first talk.
Mia Holm,,,Without a date.
,2024-03-01,,Nobody named.
"""


def test_a_dry_run_shows_everything_and_writes_nothing(worked: Home) -> None:
    name = worked.file("notes.csv", CSV)
    before = {path: path.read_bytes() for path in worked.vault.glob("blobs/*/*")}
    done = worked.run("import", name, "--dry-run", open_it=True)
    assert "5 notes for 4 clients" in done.stdout
    assert "2 new: Mia Holm C-016, Unnamed 1 C-017" in done.stdout
    assert "2 who are here already: Anna Berg C-014, Jon Lind C-015" in done.stdout
    assert "1 note without a date" in done.stdout
    assert "Nothing was written." in done.stderr
    assert {path: path.read_bytes() for path in worked.vault.glob("blobs/*/*")} == before
    (facts,) = worked.objects("import", name, "--dry-run")
    assert {key: facts[key] for key in ("notes", "clients_new", "clients_known", "nameless", "undated")} == {
        "notes": 5,
        "clients_new": 2,
        "clients_known": 2,
        "nameless": 1,
        "undated": 1,
    }


@pytest.mark.slow
def test_an_import_says_what_it_did_and_that_the_originals_stay_readable(worked: Home) -> None:
    name = worked.file("notes.csv", CSV)
    done = worked.run("import", name, "--yes", open_it=True)
    assert done.stdout == "saved 5\n"
    assert "5 notes imported, 2 clients made" in done.stderr
    assert "notes.csv" in done.stderr.splitlines()[-1]
    assert "readable" in done.stderr.splitlines()[-1]
    assert str(worked.path) not in done.stderr
    assert [note["session"] for note in worked.objects("note", "list", "--client", "C-014")][1:] == [
        "2024-01-12T12:00+00:00",
        "2024-01-05T12:00+00:00",
    ]
    (undated,) = worked.objects("note", "list", "--client", "C-016")
    assert undated["title"] == "undated"
    assert worked.run("verify", open_it=True).stdout.startswith("INTACT")


@pytest.mark.slow
def test_somebody_of_the_same_name_but_another_birth_gets_a_folder_of_her_own(worked: Home) -> None:
    name = worked.file("notes.csv", "client,born,text\nAnna Berg,1999-12-31,Another person.\n")
    done = worked.run("import", name, "--yes", open_it=True)
    assert "may be another person" in done.stderr
    assert len(worked.objects("note", "list", "--client", "C-014")) == 1
    assert worked.objects("client", "show", "C-016")[0]["born"] == "1999-12-31"


@pytest.mark.slow
def test_two_persons_of_one_name_in_a_file_are_not_taken_for_the_client_who_is_here(worked: Home) -> None:
    text = "client,gender,text\nJon Lind,male,One.\nJon Lind,female,Two.\n"
    worked.run("import", worked.file("notes.csv", text), "--yes", open_it=True)
    assert len(worked.objects("note", "list", "--client", "C-015")) == 1
    assert len(worked.objects("client", "list")) == 4


@pytest.mark.slow
def test_with_a_client_named_one_person_at_most_may_be_meant(worked: Home) -> None:
    text = worked.file("talk.txt", "Only words.\n")
    assert worked.run("import", text, "--client", "C-015", "--yes", open_it=True).stdout == "saved 1\n"
    assert len(worked.objects("note", "list", "--client", "C-015")) == 2
    refused = worked.run("import", worked.file("n.csv", CSV), "--client", "C-015", "--yes", open_it=True, code=64)
    assert "3 different persons" in refused.stderr


@pytest.mark.slow
def test_a_file_imported_twice_doubles_nothing_and_says_so(worked: Home) -> None:
    name = worked.file("notes.csv", CSV)
    worked.run("import", name, "--yes", open_it=True)
    done = worked.run("import", name, "--yes", open_it=True)
    assert done.stdout == "saved 0\n"
    assert "all of it is here already" in done.stderr
    more = worked.file(
        "more.csv",
        CSV
        + "Anna Berg,2024-01-12,1980-05-17,About sleep.\n"  # known words, of another day
        + "Anna Berg,2024-01-05,1980-05-17,About sleep.\n"  # the second of that day with these words
        + "Mia Holm,,,Without a date either.\n"
        + ",2024-03-01,,Nobody named again.\n",
    )
    (facts,) = worked.objects("import", more, "--dry-run")
    assert (facts["notes"], facts["here"], facts["clients_new"]) == (4, 5, 1)
    assert "5 further notes are here already and left out" in worked.run("import", more, "--yes", open_it=True).stderr
    assert len(worked.objects("note", "list")) == 2 + 5 + 4
    assert len(worked.objects("client", "list")) == 2 + 2 + 1


@pytest.mark.slow
def test_what_is_here_comes_in_again_only_when_asked(worked: Home) -> None:
    text = worked.file("talk.txt", "Only words.\n")
    for words, saved in (((), 1), ((), 0), (("--again",), 1)):
        done = worked.run("import", text, "--client", "C-015", "--yes", *words, open_it=True)
        assert done.stdout == f"saved {saved}\n"
    assert worked.run("import", text, "--client", "C-014", "--yes", open_it=True).stdout == "saved 1\n"


@pytest.mark.slow
def test_another_person_of_the_name_keeps_her_own_note_of_the_same_words(worked: Home) -> None:
    text = "client,date,born,text\nAnna Berg,2024-01-05,{},Did not come.\n"
    worked.run("import", worked.file("a.csv", text.format("1980-05-17")), "--yes", open_it=True)
    done = worked.run("import", worked.file("b.csv", text.format("1999-12-31")), "--yes", open_it=True)
    assert done.stdout == "saved 1\n"
    assert len(worked.objects("client", "list")) == 3


def test_a_text_file_may_say_whose_it_is(worked: Home) -> None:
    name = worked.file("talk.md", "---\nclient: Anna Berg\ndate: 2023-05-05 08:15\n---\n\nOn fear.\n")
    worked.run("import", name, "--yes", open_it=True)
    sessions = {note["session"] for note in worked.objects("note", "list", "--client", "C-014")}
    assert sessions == {"2023-05-05T08:15+00:00", "2025-11-17T09:00+00:00"}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nowhere.txt",), 66),
        (("picture.png",), 64),
        (("empty.txt",), 64),
        (("-",), 64),
        (("notes.csv", "--map", "nonsense"), 64),
        (("notes.csv", "--client", "C-999"), 66),
    ],
)
def test_what_cannot_be_imported_is_said_and_nothing_is_written(
    worked: Home, words: tuple[str, ...], code: int
) -> None:
    for name, text in (("notes.csv", CSV), ("empty.txt", " \n"), ("picture.png", "x")):
        worked.file(name, text)
    worked.run("import", *words, "--yes", open_it=True, code=code, stdin="x")
    assert len(worked.objects("note", "list")) == 2


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL.name} is not in a folder beside this one")
def test_the_real_notes_come_in_whole(home: Home) -> None:
    assert home.run("import", str(REAL), "--yes", open_it=True).stdout == "saved 87\n"
    assert len(home.objects("client", "list")) == 86
    hits = home.objects("find", "hiking")
    assert hits
    assert all("hiking" in str(hit["excerpt"]) for hit in hits)
    assert home.run("verify", open_it=True).stdout.startswith("INTACT: 173 records")


def test_a_copy_of_the_data_is_not_in_the_repository() -> None:
    assert not list(Path(ROOT).glob("tests/**/clinical-notes.csv"))
