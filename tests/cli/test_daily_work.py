"""Clients, notes and searches by one-shot commands: what goes where, byte for byte."""

from __future__ import annotations

import pytest

from tests.cli.homes import Home


def note_ids(home: Home) -> list[str]:
    return [str(note["id"]) for note in home.objects("note", "list")]


def test_a_note_saved_from_a_pipe_comes_back_byte_for_byte(worked: Home) -> None:
    text = "Grüße ☕ \u202e tab\there\n\n  indented\x1b[31m\n"
    id_ = worked.saved("note", "add", "--client", "C-014", stdin=text)
    assert len(id_) == 32
    assert worked.run("note", "show", id_, open_it=True).stdout == text
    (shown,) = worked.objects("note", "show", id_[:8])
    assert (shown["text"], shown["id"], shown["revision"]) == (text, id_, 1)


def test_a_note_saved_from_a_file_keeps_its_date_title_and_template(worked: Home) -> None:
    name = worked.file("note.txt", b"\xef\xbb\xbfPlan\r\nwrite it down\r\n")
    words = ("--date", "2025-11-03 10:30", "--title", "second", "--template", "soap")
    id_ = worked.saved("note", "add", "--client", "c14", "--file", name, *words)
    (shown,) = worked.objects("note", "show", id_)
    assert shown["text"] == "Plan\nwrite it down\n"
    assert shown["session"] == "2025-11-03T10:30+00:00"
    assert (shown["title"], shown["template"], shown["state"], shown["client"]) == (
        "second",
        "SOAP",
        "unsigned",
        "C-014",
    )


@pytest.mark.slow
def test_lists_have_the_documented_keys(worked: Home) -> None:
    note_keys = {"client", "id", "name", "number", "revision", "session", "state", "template", "title", "words"}
    clients = worked.objects("client", "list")
    assert [client["code"] for client in clients] == ["C-014", "C-015"]
    assert all(set(client) == {"active", "born", "code", "created", "last", "name", "notes"} for client in clients)
    notes = worked.objects("note", "list", "--client", "C-014")
    assert [set(note) for note in notes] == [note_keys]
    assert (notes[0]["name"], notes[0]["words"], notes[0]["number"]) == ("Anna Berg", 5, 1)
    (found,) = worked.objects("find", "dream")
    assert set(found) == note_keys | {"excerpt"}
    (revision,) = worked.objects("note", "history", str(notes[0]["id"]))
    assert set(revision) == {"id", "revision", "saved", "state"}
    (client,) = worked.objects("client", "show", "C-014")
    assert (client["born"], client["remark"]) == ("1980-05-17", "")


def test_every_act_answers_with_one_object_a_line(worked: Home) -> None:
    (client,) = worked.objects("client", "add", "Mia Holm")
    assert client == {"saved": "C-016", "what": "client"}
    (note,) = worked.objects("note", "add", "--client", "C-016", stdin="Hello.")
    assert (note["what"], note["client"], note["revision"], note["words"]) == ("note", "C-016", 1, 1)


@pytest.mark.slow
def test_options_stand_before_between_or_after_the_words_of_a_command(worked: Home) -> None:
    flag, name = worked.passphrase
    expected = worked.run("note", "list", flag, name, "--json").stdout
    assert worked.run("--json", flag, name, "note", "list").stdout == expected
    assert worked.run("--json", "note", f"{flag}={name}", "list").stdout == expected
    assert worked.run("--vault", str(worked.vault), "note", "list", "--json", flag, name).stdout == expected


def test_find_takes_beginnings_of_words_in_any_order_of_options(worked: Home) -> None:
    done = worked.run("find", "hours", "--limit", "3", "slep", open_it=True)
    assert "Anna Berg" in done.stdout
    assert "Slept four hours." in done.stdout
    assert done.stderr == "1 note.\n"
    nothing = worked.run("find", "slept", "time", open_it=True)
    assert (nothing.stdout, nothing.stderr) == ("", "No note has all of these words.\n")
    assert worked.run("find", "dreams", "--client", "C-015", open_it=True).stdout == ""


@pytest.mark.slow
def test_names_and_search_words_may_come_from_a_pipe_instead_of_the_command_line(worked: Home) -> None:
    assert worked.saved("client", "add", "-", stdin="Zoë Å. Nyström\n") == "C-016"
    assert worked.objects("client", "show", "C-016")[0]["name"] == "Zoë Å. Nyström"
    assert "Anna Berg" in worked.run("find", "-", open_it=True, stdin="bad dreams\n").stdout


@pytest.mark.slow
def test_a_client_of_the_same_name_is_not_added_by_accident(worked: Home) -> None:
    refused = worked.run("client", "add", "anna  berg", code=77, open_it=True)
    assert "C-014" in refused.stderr
    assert worked.saved("client", "add", "Anna Berg", "--born", "1999-01-01") == "C-016"
    assert worked.saved("client", "add", "Anna Berg", "--yes") == "C-017"
    near = worked.run("client", "add", "Jon Lint", open_it=True)
    assert "similar name: C-015" in near.stderr


@pytest.mark.slow
def test_a_client_whose_code_does_not_tell_which_is_not_guessed(worked: Home) -> None:
    worked.saved("client", "add", "Ada One", "--code", "X-7")
    worked.saved("client", "add", "Ada Two", "--code", "X-07")
    refused = worked.run("client", "show", "x007", code=64, open_it=True)
    assert "X-7" in refused.stderr
    assert "X-07" in refused.stderr
    assert worked.objects("client", "show", "X-07")[0]["name"] == "Ada Two"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("note", "show", "00000000"), 66),
        (("note", "show", "xyz"), 64),
        (("client", "show", "C-999"), 66),
        (("note", "add", "--client", "C-999", "--file", "sheet.txt"), 66),
        (("note", "add", "--client", "C-014", "--date", "3/4/2025", "--file", "sheet.txt"), 64),
        (("find", "!!!"), 64),
        (("note", "list", "--limit", "0"), 64),
    ],
)
def test_what_cannot_be_done_ends_in_a_sentence_and_an_exit_code(
    worked: Home, words: tuple[str, ...], code: int
) -> None:
    done = worked.run(*words, open_it=True, code=code)
    assert done.stdout == ""
    assert done.stderr.startswith("notevault: ")


def test_an_empty_note_is_refused_before_the_passphrase_is_needed(worked: Home) -> None:
    assert "no text" in worked.run("note", "add", "--client", "C-014", code=64, stdin=" \n").stderr


def test_an_earlier_revision_that_does_not_exist_is_named(worked: Home) -> None:
    id_ = note_ids(worked)[0]
    assert "no revision 7" in worked.run("note", "show", id_, "--revision", "7", code=66, open_it=True).stderr


# -- the log


def test_the_opening_shares_the_commit_of_the_first_act_and_no_more_is_logged(worked: Home) -> None:
    before = worked.log_size()
    worked.saved("note", "add", "--client", "C-014", stdin="One.")
    assert worked.log_size() == before + 2  # opened, written


def test_an_opening_that_found_nothing_is_logged_all_the_same(worked: Home) -> None:
    before = worked.log_size()
    worked.run("client", "show", "C-999", code=66, open_it=True)
    assert worked.log_size() == before + 2  # opened; that there is no such client is an answer about names


def test_a_failed_passphrase_is_logged_and_told_at_the_next_opening(worked: Home) -> None:
    before = worked.log_size()
    worked.run("client", "list", "--passphrase-file", worked.file("wrong", "not the passphrase\n"), code=77)
    assert worked.log_size() == before + 1
    assert "one failed try" in worked.run("client", "list", open_it=True).stderr


@pytest.mark.slow
def test_a_note_whose_clients_page_is_damaged_is_still_found_and_read(worked: Home) -> None:
    import hashlib

    id_ = note_ids(worked)[0]
    worked.local.joinpath("index").unlink(missing_ok=True)
    for path in worked.vault.glob("blobs/*/*"):
        data = path.read_bytes()
        assert hashlib.sha256(data).hexdigest() == path.name
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        texts = worked.run("note", "list", open_it=True)
        path.write_bytes(data)
        if "(name not readable)" in texts.stdout and id_[:8] in texts.stdout:
            break
    else:
        pytest.fail("no record was the page of the note's client")
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    done = worked.run("note", "show", id_, open_it=True)
    assert done.stdout
    assert "`notevault verify` names it, `notevault backup heal` puts it back" in done.stderr
