"""What the log tells, and what it does not: every act is there, durable before text is shown, and no two are linked."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from notevault.app import adding
from notevault.app.writing import Writing
from notevault.auditlog import entry
from notevault.domain.clients import Client
from notevault.domain.settings import Settings
from notevault.errors import NotFound
from notevault.vault import rekey
from notevault.vault.drafts import Drafts
from notevault.vault.notebook import Notebook
from notevault.vault.verify import verify
from tests.fakes.files import CrashNow
from tests.fakes.simple import MORNING_MS
from tests.vault.build import (
    FIRST,
    PASSPHRASE,
    House,
    created,
    note_of,
    remembered,
    small,
)

HOUR = 3_600_000
WITHOUT_MAC = {"session.fail"}


def _day() -> House:
    """One of each act."""
    house, session = created("day")
    book = Notebook(session)
    anna = book.add_client(Client("Anna Berg", "C-1", None, MORNING_MS))
    note = book.add_note(anna.id, note_of(FIRST))
    book.update_client(anna.id, Client("Anna Berg-Lund", "C-1", None, MORNING_MS))
    book.clients()
    book.clients()
    book.notes()
    book.open_client(anna.id)
    book.open_note(note.id)
    Writing.of_note(book, Drafts(session), note.id).sign(FIRST)
    book.find(["slept"])
    book.save_settings(Settings(author="A. Therapist"))
    rekey.new_sheet(session)
    rekey.confirm_sheet(session)
    verify(session)
    session.close("key")
    return house


def test_every_act_is_there_once_in_order_and_with_its_mac() -> None:
    house = _day()
    log = house.log()
    assert [each.ev for each in log] == [
        "vault.create",
        "record.write",
        "record.write",
        "record.write",
        "session.list",
        "record.open",
        "record.open",
        "record.open",
        "record.sign",
        "search.run",
        "record.open",
        "settings.change",
        "header.write",
        "sheet.confirm",
        "verify.run",
        "session.lock",
        "epoch.close",
    ]
    session = house.unlock()
    assert all(session.sealer.check_mac(each, session.origin) for each in log)
    assert all(each.o == "ok" for each in log)
    assert [each.k for each in log if each.ev == "session.lock"] == [{"why": "key"}]
    assert verify(session).exit_code == 0


def test_a_check_that_could_not_decide_says_so_in_the_log() -> None:
    house = remembered()
    for _ in range(2):
        house.unlock(None).close("exit")
    session = house.unlock(None)
    session.close("key")
    (origin,) = house.origins()
    seals = house.paths.audit(origin) / "seals"
    house.files.drop_raw(seals / house.files.names(seals)[0])
    verdict = house.verified()
    assert (verdict.exit_code, verdict.findings) == (2, [])
    assert [(each.o, each.k) for each in house.log() if each.ev == "verify.run"] == [
        ("part", {"bad": 0, "n": verdict.blobs})
    ]


def test_an_import_tells_an_outsider_how_much_came_in_and_not_how_many_clients() -> None:
    house, session = created("imported")
    owners = [Client(f"Name {n}", f"N-{n}", None, MORNING_MS) for n in range(7)]
    Notebook(session).import_all([(owner, note_of(f"{owner.code} {k}")) for owner in owners for k in range(3)])
    session.close("exit")
    log = house.log()
    written = sum(each.ev == "record.write" and each.pu == "import" for each in log)
    assert [each.k for each in log if each.ev == "import.run"] == [{"n": written}] == [{"n": 28}]


@pytest.mark.parametrize("name", ["Anna Berg", "anna  berg", "Anna Borg"])
def test_that_there_is_a_client_of_this_name_is_said_only_when_names_are_logged_as_listed(name: str) -> None:
    house = remembered()
    book = Notebook(house.unlock(None, shell=False))
    client = adding.client_of(book, name, None, None)
    assert any(adding.like_it(book, client))
    assert [each.ev for each in house.after_power_cut(1).log()][-2:] == ["session.open", "session.list"]


def test_a_name_that_nobody_has_is_not_called_a_list_of_names() -> None:
    house = remembered()
    session = house.unlock(None, shell=False)
    book = Notebook(session)
    before = len(house.log())
    assert not any(adding.like_it(book, adding.client_of(book, "Zoe Quick", None, None)))
    assert adding.client_by_code(book, "C-1").id == house.ids["anna"]
    assert len(house.log()) == before
    with pytest.raises(NotFound):
        adding.client_by_code(book, "Zoe Quick")
    assert house.events()[-1] == "session.list"


def test_no_two_tags_are_alike_and_the_owner_can_still_tell_whose_they_are() -> None:
    house = _day()
    log = house.log()
    tags = [tag for each in log for tag in (each.st, each.nt) if tag is not None]
    assert len(tags) == len(set(tags)) >= 14
    session = house.unlock()
    whose = {session.sealer.routing_of(each, session.origin).client for each in log if each.st is not None}  # type: ignore[union-attr]
    assert len(whose) == 1


def test_the_log_and_the_key_file_hold_no_name_no_word_and_no_id() -> None:
    house = _day()
    session = house.unlock()
    (view,) = Notebook(session).clients()
    (note,) = Notebook(session).notes()
    everything = b"".join(house.vault_files().values())
    for word in (b"Anna", b"slept", b"C-1", b"Therapist", PASSPHRASE.encode()):
        assert word not in everything
    for id_ in (view.id, note.id):
        assert id_ not in everything
        assert id_.hex().encode() not in everything


def test_the_words_of_a_search_are_in_the_sealed_details_alone() -> None:
    house = remembered()
    session = house.unlock(None)
    Notebook(session).find(["slept", "Café"])
    (searched,) = [each for each in house.log() if each.ev == "search.run"]
    assert session.sealer.details_of(searched, session.origin) == {"v": 1, "words": ["slept", "Café"], "hits": 1}
    assert b"slept" not in json.dumps(searched.fields()).encode()


def test_nothing_in_the_clear_tells_a_new_client_from_a_new_note() -> None:
    house = remembered()
    session = house.unlock(None)
    book = Notebook(session)
    before = len(house.log())
    book.add_client(Client("Bo Ek", "C-2", None, MORNING_MS))
    book.add_note(house.ids["anna"], note_of("x"))
    client, note = house.log()[before:]

    def shape(each: entry.Entry) -> dict[str, object]:
        fields = each.fields()
        return {
            name: len(str(value)) if name in ("c", "st", "nt", "h", "p", "x") else value
            for name, value in fields.items()
        }

    one, other = shape(client), shape(note)
    assert one.pop("i") == other.pop("i") - 1  # type: ignore[operator]
    assert one == other
    assert len([path for path in house.vault_files() if "headers" in path.parts]) == 1


def test_many_clients_and_many_notes_leave_the_same_kinds_of_marks() -> None:
    kinds = []
    for clients in (True, False):
        house = remembered()
        book = Notebook(house.unlock(None))
        before = len(house.log())
        for n in range(5):
            if clients:
                book.add_client(Client(f"Name {n}", f"N-{n}", None, MORNING_MS))
            else:
                book.add_note(house.ids["anna"], note_of(f"n {n}"))
        kinds.append(Counter((each.ev, each.a, each.pu, each.z) for each in house.log()[before:]))
    assert kinds[0] == kinds[1]


def test_text_is_shown_only_after_its_opening_is_durable() -> None:
    house = remembered()
    count = 0
    for step in range(1, 40):
        trial = house.copy()
        session = trial.unlock(None)
        start = len(trial.files.trace)
        trial.files.crash_at(step)
        shown = False
        try:
            Notebook(session).open_note(trial.ids["first"])
            shown = True
        except CrashNow:
            count += 1
        if shown:
            assert len(trial.files.trace) - start < step
            for seed in range(4):
                later = trial.after_power_cut(seed)
                assert [each.ev for each in later.log()].count("record.open") == 1
            break
    assert count >= 5  # append, sync, checkpoint, rename, folder


def test_the_opening_of_a_session_is_durable_before_the_session_is_there() -> None:
    house = remembered()
    house.unlock(None)
    assert [each.ev for each in house.after_power_cut(1).log()][-1] == "session.open"


def test_a_one_shot_session_is_logged_with_its_first_act_or_at_its_end() -> None:
    house = remembered()
    session = house.unlock(None, shell=False)
    before = len(house.log())
    Notebook(session).open_note(house.ids["first"])
    assert [each.ev for each in house.log()[before:]] == ["session.open", "record.open"]
    again = house.unlock(None, shell=False)
    again.close("")
    assert [each.ev for each in house.log()][-1] == "session.open"


@pytest.mark.parametrize(("wall", "boot", "to"), [(3 * HOUR, 0, "ahead"), (-2 * HOUR, 0, "back")])
def test_a_clock_that_jumps_is_logged(wall: int, boot: int, to: str) -> None:
    house = remembered()
    session = house.unlock(None)
    house.clock.set_wall(house.clock.wall_ms() + wall)
    house.clock.advance(boot)
    Notebook(session).add_note(house.ids["anna"], note_of("x"))
    (jump,) = [each for each in house.log() if each.ev == "clock.jump"]
    assert jump.k == {"ms": abs(wall), "to": to}


def test_a_suspend_a_small_drift_and_a_reboot_are_no_jumps_but_a_clock_behind_after_one_is() -> None:
    house = remembered()
    session = house.unlock(None)
    house.clock.advance(9 * HOUR)
    Notebook(session).add_note(house.ids["anna"], note_of("x"))
    house.clock.set_wall(house.clock.wall_ms() + 90_000)
    Notebook(session).add_note(house.ids["anna"], note_of("y"))
    house.clock.reboot()
    house.machine.reboot()
    house.unlock()
    assert "clock.jump" not in house.events()
    house.clock.reboot()
    house.machine.reboot()
    house.clock.set_wall(house.clock.wall_ms() - 24 * HOUR)
    house.unlock()
    assert [each.k["to"] for each in house.log() if each.ev == "clock.jump"] == ["back"]


def test_a_note_that_does_not_open_leaves_no_entry_of_a_reading() -> None:
    house = remembered()
    session = house.unlock(None)
    (write,) = session.catalogue.revisions(house.ids["first"])
    house.files.put_raw(house.paths.blob(write.digest), b"gone")
    before = len(house.log())
    with pytest.raises(Exception, match="not what was saved"):
        Notebook(session).open_note(house.ids["first"])
    assert len(house.log()) == before


def test_nothing_of_a_session_is_in_its_repr() -> None:
    house = small()
    session = house.unlock(keep_okm=True)
    keys, item = session.keys, session.log_item
    assert item is not None
    words = f"{keys!r} {item!r} {session!r} {house.kit!r} {note_of(FIRST)!r}"
    for secret in (keys.vk, keys.okm, item.identity_seed, house.kit.seed):  # type: ignore[union-attr]
        assert secret is not None
        assert secret.hex() not in words
        assert repr(secret) not in words
    assert "slept" not in words
