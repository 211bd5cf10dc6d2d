"""Clients, notes, search and import as a therapist has them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notevault.app.writing import Writing
from notevault.auditlog import entry
from notevault.domain.clients import Client
from notevault.domain.settings import Settings
from notevault.errors import NotFound, UsageFault
from notevault.formats.envelope import RecordType
from notevault.vault.drafts import Draft, Drafts, View
from notevault.vault.notebook import Notebook
from notevault.vault.verify import verify
from tests.fakes.files import CrashNow
from tests.fakes.simple import MORNING_MS
from tests.vault.build import FIRST, SECOND, House, note_of, remembered, texts


def opened() -> tuple[House, Notebook]:
    house = remembered()
    return house, Notebook(house.unlock(None))


def found(book: Notebook, *words: str) -> set[str]:
    return {text for _, text in book.find(list(words)).hits}


# Search


@pytest.mark.parametrize(
    "words",
    [
        ["cafe"],
        ["café"],
        ["cafe\u0301"],
        ["CAFÉ"],
        ["ubung"],
        ["Übung"],
        ["naive"],
        ["sle"],
        ["slept", "four"],
        ["four hours"],
    ],
)
def test_a_note_is_found_by_its_words_their_beginnings_and_without_accents(words: list[str]) -> None:
    _, book = opened()
    assert found(book, *words) == {FIRST}


@pytest.mark.parametrize(
    ("words", "texts_"),
    [
        (["slept", "walks"], set()),
        (["s"], set()),  # one letter is a word of its own
        (["A"], {SECOND}),
        (["se"], {SECOND}),
        (['"slept"'], {FIRST}),
        (["sle*"], {FIRST}),
        (["-slept"], {FIRST}),
        (["text:slept"], set()),
        (["slept OR walks"], set()),
        (["NEAR(slept four)"], set()),
        (["slept'; DROP TABLE notes; --"], set()),
        ([""], set()),
        ([], set()),
        (["...", "!?"], set()),
        (["sle\0pt"], set()),
        (["\0"], set()),
        (["\ud800"], set()),
        (["^slept"], {FIRST}),
        (["(slept)"], {FIRST}),
        (["slept", "slept"], {FIRST}),
    ],
)
def test_odd_words_find_what_they_say_or_nothing(words: list[str], texts_: set[str]) -> None:
    _, book = opened()
    assert found(book, *words) == texts_


def test_ten_thousand_words_are_too_many_and_are_told_so() -> None:
    _, book = opened()
    with pytest.raises(UsageFault):
        book.find([f"word{n}" for n in range(10_000)])
    with pytest.raises(UsageFault):
        book.find(["x" * 100_000])
    assert found(book, *["slept"] * 10_000) == {FIRST}
    assert found(book, *[f"w{n}" for n in range(50)]) == set()


_SHARED = opened()


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=30), max_size=8))
def test_no_input_of_a_search_raises_anything_but_our_own(words: list[str]) -> None:
    _, book = _SHARED
    result = book.find(words)
    assert result.total >= len(result.hits)


def test_a_revision_takes_the_place_of_the_old_text() -> None:
    house, book = opened()
    book.revise(house.ids["first"], note_of("Entirely different now."))
    assert found(book, "slept") == set()
    assert found(book, "entirely") == {"Entirely different now."}
    book.session.close("exit")
    later = Notebook(house.unlock(None))
    assert found(later, "slept") == set()
    assert found(later, "entirely") == {"Entirely different now."}


def test_a_search_within_one_client_and_its_count() -> None:
    house, book = opened()
    bo = book.add_client(Client("Bo Ek", "C-2", None, MORNING_MS))
    for n in range(25):
        book.add_note(bo.id, note_of(f"walks {n}", MORNING_MS + n))
    result = book.find(["walks"], limit=5)
    assert result.total == 26
    assert [text for _, text in result.hits][1:] == ["walks 24", "walks 23", "walks 22", "walks 21"]
    assert book.find(["walks"], client_id=house.ids["anna"]).total == 1


@pytest.mark.parametrize("how", ["lost", "corrupt", "cut", "old", "of another vault"])
def test_the_index_can_be_lost_in_every_way(how: str) -> None:
    house = remembered()
    path = house.local.index
    old = house.files.raw(path)
    book = Notebook(house.unlock(None))
    book.add_note(house.ids["anna"], note_of("after the old index"))
    book.session.close("exit")
    data = house.files.raw(path)
    if how == "lost":
        house.files.drop_raw(path)
    else:
        changed = {
            "corrupt": data[:500] + bytes([data[500] ^ 1]) + data[501:],
            "cut": data[: len(data) // 2],
            "old": old,
            "of another vault": bytes(len(data)),
        }
        house.files.put_raw(path, changed[how])
    later = house.unlock(None)
    assert later.read_only is None
    assert texts(later) == {FIRST, SECOND, "after the old index"}
    assert found(Notebook(later), "after") == {"after the old index"}


# Notes and clients


def test_a_note_is_named_by_the_beginning_of_its_id() -> None:
    house, book = opened()
    note = house.ids["first"]
    assert book.note_by_prefix(note.hex()[:8]).id == note
    assert book.note_by_prefix(f" {note.hex().upper()} ").id == note
    for text in ("", "abc", "xyzw", "%%%%", "____"):
        with pytest.raises(UsageFault):
            book.note_by_prefix(text)
    absent = "0000" if not note.hex().startswith("0000") else "ffff"
    with pytest.raises(NotFound):
        book.note_by_prefix(absent + "0000")
    book.add_note(house.ids["anna"], note_of("twin"), note[:4] + b"t" * 12)
    with pytest.raises(UsageFault):
        book.note_by_prefix(note.hex()[:8])


def test_history_gives_every_revision_as_it_was() -> None:
    house, book = opened()
    note = house.ids["first"]
    book.revise(note, note_of("two"))
    writing = Writing.of_note(book, Drafts(book.session), note)
    writing.sign("two")
    assert [(each.version, each.signed) for each in book.history(note)] == [(1, False), (2, False), (3, True)]
    assert [book.open_note(note, version)[1].text for version in (1, 2, 3)] == [FIRST, "two", "two"]
    assert book.note(note).signed
    writing.save("three")
    assert not book.note(note).signed
    with pytest.raises(NotFound):
        book.open_note(note, 9)
    with pytest.raises(NotFound):
        book.history(b"n" * 16)


def test_sessions_are_numbered_by_their_dates_and_lists_are_newest_first() -> None:
    house, book = opened()
    book.add_note(house.ids["anna"], note_of("earliest", MORNING_MS - 1000))
    views = book.notes(house.ids["anna"])
    assert [view.number for view in views] == [3, 2, 1]
    assert book.client(house.ids["anna"]).notes == 3
    assert [view.id for view in book.notes(limit=1)] == [house.ids["second"]]


def test_settings_come_back_in_their_newest_form() -> None:
    house, book = opened()
    assert book.settings() == Settings()
    for idle in (5, 20, 7):
        book.save_settings(Settings(author="Dr. Ö", idle=idle, template="SOAP"))
    assert book.settings() == Settings(author="Dr. Ö", idle=7, template="SOAP")
    book.session.close("exit")
    for rebuilt in (False, True):
        if rebuilt:
            house.files.drop_raw(house.local.index)
        assert Notebook(house.unlock(None)).settings().idle == 7


def test_a_client_changed_keeps_its_notes_and_its_code_stays_its_own() -> None:
    house, book = opened()
    book.update_client(house.ids["anna"], Client("Anna Berg-Lund", "C-1", None, MORNING_MS))
    book.add_client(Client("Bo Ek", "C-2", None, MORNING_MS))
    with pytest.raises(UsageFault):
        book.update_client(house.ids["anna"], Client("Anna", "C-2", None, MORNING_MS))
    book.session.close("exit")
    later = Notebook(house.unlock(None))
    assert later.open_client(house.ids["anna"]).name == "Anna Berg-Lund"
    assert len(later.notes(house.ids["anna"])) == 2
    with pytest.raises(NotFound):
        later.client(b"c" * 16)


@pytest.mark.slow
def test_an_import_of_two_hundred_clients_grows_the_pool_and_is_whole() -> None:
    house, book = opened()
    owners = [Client(f"Name {n}", f"N-{n}", None, MORNING_MS) for n in range(200)]
    items = [(owner, note_of(f"{owner.code} {k}")) for owner in owners for k in range(3)]
    items.append((house.ids["anna"], note_of("for Anna")))  # type: ignore[arg-type]
    seen: list[tuple[int, int]] = []
    assert book.import_all(items, lambda done, total: seen.append((done, total))) == (200, 601)
    assert seen == sorted(seen)
    assert seen[-1] == (601, 601)
    assert book.session.header.seq >= 3
    book.session.close("exit")
    for rebuilt in (False, True):
        if rebuilt:
            house.files.drop_raw(house.local.index)
        later = Notebook(house.unlock(None))
        assert len(later.clients()) == 201
        by_code = {view.code: view for view in later.clients()}
        for code in ("N-0", "N-77", "N-199"):
            assert {later.open_note(each.id)[1].text for each in later.notes(by_code[code].id)} == {
                f"{code} {k}" for k in range(3)
            }
        assert verify(later.session).exit_code == 0
        later.session.close("exit")
    assert [each.k for each in house.log() if each.ev == "import.run"] == [{"n": 801}], "records, of clients and notes"


def test_an_empty_import_is_fine() -> None:
    _, book = opened()
    assert book.import_all([]) == (0, 0)


# Drafts


def _draft(house: House, text: str, kept: int = MORNING_MS) -> Draft:
    return Draft(b"d" * 16, house.ids["anna"], 0, text, 2, kept, MORNING_MS, 60, "free", "Titel")


def test_a_draft_comes_back_in_the_next_session_as_it_was() -> None:
    house, book = opened()
    draft = _draft(house, "half a sentence, and ünïcode \t\n")
    Drafts(book.session).keep(draft)
    for later in (house.after_kill(), house.after_power_cut(1)):
        assert Drafts(later.unlock(None)).list() == [draft]
    assert all(b"half a sentence" not in data for data in house.files.tree().values())


def test_the_text_of_a_note_never_saved_comes_back_only_after_its_clients_record_is_logged_as_opened() -> None:
    house, book = opened()
    drafts = Drafts(book.session)
    drafts.keep(_draft(house, "half a sentence"))
    (draft,) = drafts.list()
    house.files.crash_at(1)
    with pytest.raises(CrashNow):
        Writing.of_draft(book, drafts, draft)
    later = Notebook(house.after_kill().unlock(None))
    before = later.session.recorder.tail.size
    assert Writing.of_draft(later, Drafts(later.session), draft).text == "half a sentence"
    (data,) = later.session.recorder.entries(before, later.session.recorder.tail.size)
    opened_ = entry.parse(data)
    assert isinstance(opened_, entry.Entry)
    subject = later.session.sealer.routing_of(opened_, later.session.origin)
    assert opened_.ev == "record.open"
    assert subject is not None
    assert (subject.type, subject.client) == (RecordType.CLIENT, house.ids["anna"])


def test_a_draft_that_stayed_after_its_text_was_saved_is_not_saved_twice() -> None:
    house, book = opened()
    drafts = Drafts(book.session)
    writing = Writing.new(book, drafts, house.ids["anna"])
    writing.keep("all of it", 0)
    before = house.files.tree(house.local.drafts)
    writing.save("all of it")
    for path, data in before.items():
        house.files.put_raw(path, data)
    (draft,) = drafts.list()
    again = Writing.of_draft(book, drafts, draft)
    assert again.save(draft.text) is None
    assert drafts.list() == []
    assert len(book.history(writing.note_id)) == 1


def test_a_draft_that_is_damaged_or_under_another_name_stays_and_is_told() -> None:
    house, book = opened()
    drafts = Drafts(book.session)
    drafts.keep(_draft(house, "one"))
    (path,) = house.files.tree(house.local.drafts)
    good = house.files.raw(path)
    house.files.put_raw(path.with_name("e" * 32), good)
    house.files.put_raw(path, good[:-1] + b"x")
    assert drafts.list() == []
    assert len([notice for notice in book.session.notices if "draft" in notice]) == 2
    assert len(house.files.tree(house.local.drafts)) == 2


def test_the_view_is_kept_once() -> None:
    house, book = opened()
    view = View("note", house.ids["anna"], house.ids["first"], 17)
    Drafts(book.session).keep_view(view)
    later = Drafts(house.after_kill().unlock(None))
    assert later.take_view() == view
    assert later.take_view() == View()


def test_writing_keeps_then_saves_then_has_nothing_more_to_save() -> None:
    house, book = opened()
    drafts = Drafts(book.session)
    writing = Writing.new(book, drafts, house.ids["anna"], "SOAP")
    assert writing.save(writing.text) is None  # headings alone are nothing
    writing.keep("S: tired", 3)
    assert [each.text for each in drafts.list()] == ["S: tired"]
    view = writing.save("S: tired")
    assert view is not None
    assert drafts.list() == []
    assert writing.save("S: tired") is None
