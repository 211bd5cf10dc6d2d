"""The log read back in an open vault: from its end, judged, named; what is due; findings that were looked at."""

from __future__ import annotations

import json

import pytest

from notevault.app import reviewing
from notevault.app.reviewing import DAY_MS, Recent
from notevault.auditlog import canon
from notevault.auditlog.events import EVENTS, INT, MAY
from notevault.crypto import kdf
from notevault.domain.loglines import folded
from notevault.domain.logwords import Fact
from notevault.errors import WrongSecret
from notevault.storage.layout import BUNDLE
from notevault.vault import recover
from notevault.vault.index import Catalogue
from notevault.vault.notebook import Notebook
from notevault.vault.recorder import Act, Subject
from notevault.vault.session import Session
from tests.shell.test_audit_words import TODAY
from tests.vault.build import CHEAP, OTHER_PASSPHRASE, ROOT, House, note_of, small
from tests.vault.test_planted import _forge, _thief

HOUR = 3_600_000


def read(session: Session, days: int = 7, client: bytes | None = None) -> Recent:
    book = Notebook(session)
    return reviewing.recent(session, book.clients(), session.env.clock.wall_ms() - days * DAY_MS, client)


def words(found: Recent) -> list[str]:
    return [line.words(TODAY, hidden=False) for line in folded(found.facts)]


def events(found: Recent) -> list[str]:
    return [fact.event for fact in found.facts]


def acts(session: Session, n: int) -> None:
    """So many entries of no interest, a bundle's worth at a time."""
    while n:
        step = min(n, 200)
        session.log_acts([Act("session.list", "R")] * step)
        n -= step


def test_a_day_is_told_as_it_was_with_names() -> None:
    house = small()
    house.clock.advance(8 * DAY_MS)
    with pytest.raises(WrongSecret):
        house.unlock(OTHER_PASSPHRASE)
    session = house.unlock()
    book = Notebook(session)
    book.clients()
    book.open_note(house.ids["first"])
    book.revise(house.ids["first"], note_of("She slept five hours."))
    house.clock.advance(5 * 60_000)
    book.revise(house.ids["first"], note_of("She slept six hours."))
    book.find(["walks"])
    found = reviewing.recent(session, book.clients(), house.clock.wall_ms() - DAY_MS)
    assert [each for each in words(found) if "own key" not in each] == [
        "could not unlock: wrong passphrase",
        "unlocked the vault",
        "looked at lists of names",
        "opened  Anna Berg C-1, session 1 of 21 Nov",
        "wrote \u00d72  Anna Berg C-1, session 1 of 21 Nov",
        "searched for \u201cwalks\u201d: 1 note found; shown: Anna Berg C-1",
    ]
    assert found.unread == ()
    session.close("key")


def test_one_client_is_told_of_alone_but_what_does_not_hold_always() -> None:
    house = small()
    _forge(house, Act("sheet.confirm", "E"))
    session = house.unlock()
    Notebook(session).open_note(house.ids["first"])
    found = read(session, client=house.ids["anna"])
    assert {fact.event for fact in found.facts} == {"record.write", "record.open", "sheet.confirm"}
    assert [fact.event for fact in found.facts if fact.fault] == ["sheet.confirm"]
    assert {fact.client for fact in found.facts if not fact.fault} == {house.ids["anna"]}
    session.close("key")


def test_an_entry_planted_with_the_logs_keys_alone_is_told_as_one_that_does_not_hold() -> None:
    house = small()
    blob = next(path for path in house.vault_files() if "blobs" in path.parts)
    subject = Subject(2, b"c" * 16, b"o" * 16, 9, 1)
    _forge(house, Act("record.write", "U", digest=blob.name, size=100, subject=subject))
    _thief(house).record(Act("verify.run", "E", "review", k={"bad": 0, "n": 3}))
    session = house.unlock()
    assert len(session.findings) == len(reviewing.unseen(session)) == 1
    found = read(session)
    (bad,) = [fact for fact in found.facts if fact.fault]
    assert (bad.event, bad.who, bad.loud) == ("record.write", None, True)
    assert "claims to be made with this vault open" in bad.fault
    assert words(found).count("checked the vault (without the passphrase)") == 1
    session.close("key")


@pytest.mark.parametrize("event", sorted(event for event, rule in EVENTS.items() if rule.h == MAY))
def test_what_may_be_done_while_the_vault_is_locked_is_no_alarm(event: str) -> None:
    house = small()
    k = {name: 0 for name, pattern in EVENTS[event].k.items() if pattern == INT}
    k |= {"verify.run": {"bad": 0, "n": 3}, "session.fail": {"n": 1}}.get(event, {})
    words_of = {"session.fail": "passphrase", "session.lock": "idle", "remember.end": "lock"}
    where_to = {"clock.jump": "back", "backup.place": "added"}
    told = {**k, "why": words_of[event]} if event in words_of else k
    told |= {"to": where_to[event]} if event in where_to else {}
    _thief(house).record(Act(event, "E", "system", k=dict(told)))
    session = house.unlock()
    assert session.findings == []
    (fact,) = [each for each in read(session).facts if each.event == event and each.locked]
    assert not fact.fault
    assert fact.loud == (event in ("session.fail", "clock.jump"))
    session.close("key")


def test_an_act_that_needs_an_open_vault_and_was_made_without_its_keys_is_not_told_as_done() -> None:
    house = small()
    _plant_anything(house, {"a": "E", "ev": "sheet.confirm", "pu": "admin"})
    session = house.unlock()
    assert session.read_only is not None
    found = read(session)
    assert found.unread
    assert not [fact for fact in found.facts if fact.event == "sheet.confirm" and not fact.fault]
    session.close("key")


def _plant_anything(house: House, fields: dict[str, object]) -> None:
    """An entry that the recorder would refuse, put in with the log's keys."""
    recorder = _thief(house)

    def build(i: int, p: bytes) -> bytes:
        whole = {"b": "0" * 16, "e": recorder.tail.epoch, "i": i, "m": 1, "o": "ok", "p": p.hex(), "w": "0" * 16}
        return canon.dump({**whole, "v": 1, "t": house.clock.wall_ms(), **fields})

    with recorder.writing():
        recorder._log.commit(recorder.tail, [build], recorder.signer())


def test_after_a_recovery_on_the_same_laptop_its_former_acts_are_not_another_laptops() -> None:
    house = small()
    session = _recovered(house)
    told = words(read(session))
    assert any(each.endswith("(in an earlier log)") for each in told)
    assert not any("another laptop" in each for each in told)
    session.close("key")


def test_acts_of_a_laptop_that_still_opens_the_vault_are_another_laptops() -> None:
    first = small()
    second = first.copy()
    for path in list(second.files.tree(second.local.root)):
        second.files.drop_raw(path)
    second.stores.items.clear()
    session = _recovered(second)
    told = words(read(session))
    assert any(each.endswith("(on another laptop)") for each in told)
    assert not any("earlier log" in each for each in told)
    session.close("key")


def _recovered(house: House) -> Session:
    assert house.kit is not None
    new = kdf.normalise(OTHER_PASSPHRASE)
    return recover.recover(house.env, ROOT, house.kit.seed, house.kit.fingerprint, new, CHEAP)


def test_whoever_looks_at_the_log_is_in_it_each_time() -> None:
    house = small()
    session = house.unlock()
    book = Notebook(session)
    for _ in range(2):
        assert [view.code for view in book.clients_for_review()] == ["C-1"]
    listed = [each.pu for each in house.log() if each.ev == "session.list"]
    assert listed == ["review", "review"]
    session.close("key")


def test_a_planted_clock_jump_hides_nothing() -> None:
    """Whoever has only the log's keys may not make older entries look out of date."""
    house = small()
    session = house.unlock()
    Notebook(session).open_note(house.ids["first"])
    acts(session, 3 * BUNDLE)
    session.close("key")
    _thief(house).record(Act("clock.jump", "E", "system", k={"ms": 400 * DAY_MS, "to": "back"}))
    session = house.unlock()
    assert "record.open" in events(read(session))
    session.close("key")


def test_what_was_done_under_a_clock_set_back_is_still_told() -> None:
    house = small()
    session = house.unlock()
    now = house.clock.wall_ms()
    house.clock.set_wall(now - 300 * DAY_MS)
    Notebook(session).open_note(house.ids["first"])
    acts(session, 3 * BUNDLE)
    house.clock.set_wall(now)
    Notebook(session).open_note(house.ids["second"])
    found = read(session, days=1)
    assert events(found).count("record.open") == 2
    assert [fact.k["to"] for fact in found.facts if fact.event == "clock.jump"] == ["back", "ahead"]
    session.close("key")


def test_old_entries_are_left_out_and_a_long_log_is_not_read_to_its_beginning() -> None:
    house = small()
    session = house.unlock()
    acts(session, 6 * BUNDLE)
    house.clock.advance(30 * DAY_MS)
    Notebook(session).open_note(house.ids["first"])
    found = read(session)
    assert events(found) == ["record.open", "session.list"]
    assert found.entries == 2
    seen: list[int] = []

    def counting(start: int, stop: int):  # type: ignore[no-untyped-def]
        seen.append(stop - start)
        return session.recorder.entries(start, stop)

    reviewing._back(session, session.origin, counting, session.recorder.tail.size, house.clock.wall_ms() - DAY_MS)
    assert sum(seen) <= 3 * BUNDLE < session.recorder.tail.size
    session.close("key")


def test_entries_of_a_log_that_cannot_be_believed_are_told_with_a_warning() -> None:
    house = small()
    (origin,) = house.origins()
    path = house.paths.open(origin)
    data = house.vault_files()[path]
    at = data.index(b'"ev":"record.write"')
    house.files.put_raw(path, data[:at] + data[at:].replace(b'"a":"C"', b'"a":"U"', 1))
    session = house.unlock()
    assert session.read_only is not None
    found = read(session)
    assert found.unread
    assert "could not be believed" in found.unread[0]
    assert "record.write" in events(found)
    assert any(fact.fault for fact in found.facts)
    session.close("key")


def test_what_another_window_enters_is_told_too() -> None:
    house = small()
    session = house.unlock()
    other = house.another_process().unlock()
    Notebook(other).open_note(house.ids["second"])
    assert "record.open" in events(read(session))
    other.close("exit")
    session.close("key")


def test_a_review_is_due_after_thirty_days_and_not_again_until_thirty_more() -> None:
    house = small()
    session = house.unlock()
    begun = reviewing.first_entry(session)
    assert reviewing.last_review(session) is None
    assert not reviewing.review_due(session, begun + 29 * DAY_MS)
    house.clock.advance(31 * DAY_MS)
    assert reviewing.review_due(session, house.clock.wall_ms())
    reviewing.record_review(session, begun, 17)
    assert not reviewing.review_due(session, house.clock.wall_ms())
    session.close("key")
    last = [each for each in house.log() if each.ev == "audit.review"]
    assert [(each.k, each.h is not None) for each in last] == [({"n": 17, "since": begun}, True)]
    for rebuilt in (False, True):
        if rebuilt:
            house.files.drop_raw(house.local.index)
        session = house.unlock()
        assert reviewing.last_review(session) == last[0].t
        assert not reviewing.review_due(session, house.clock.wall_ms())
        session.close("key")
    house.clock.advance(30 * DAY_MS)
    session = house.unlock()
    assert reviewing.review_due(session, house.clock.wall_ms())
    session.close("key")


def test_a_review_entered_without_the_vaults_keys_does_not_count() -> None:
    house = small()
    house.clock.advance(31 * DAY_MS)
    _forge(house, Act("audit.review", "E", "review", k={"n": 1, "since": 0}))
    session = house.unlock()
    assert reviewing.review_due(session, house.clock.wall_ms())
    assert session.findings
    session.close("key")


def test_a_review_under_a_clock_far_ahead_does_not_silence_the_reminder() -> None:
    house = small()
    session = house.unlock()
    now = house.clock.wall_ms()
    house.clock.set_wall(now + 3000 * DAY_MS)
    reviewing.record_review(session, now, 1)
    house.clock.set_wall(now)
    assert reviewing.review_due(session, now)
    session.close("key")


def test_a_finding_is_unseen_until_it_was_looked_at_and_a_new_one_is_unseen_again() -> None:
    house = small()
    _forge(house, Act("sheet.confirm", "E"))
    session = house.unlock()
    assert len(reviewing.unseen(session)) == 1
    reviewing.looked_at(session)
    assert reviewing.unseen(session) == []
    session.close("key")
    session = house.unlock()
    assert len(session.findings) == 1
    assert reviewing.unseen(session) == []
    session.close("key")
    _forge(house, Act("sheet.confirm", "E"))
    session = house.unlock()
    assert len(session.findings) == 2
    assert len(reviewing.unseen(session)) == 1
    session.close("key")


def test_what_was_looked_at_is_kept_within_bounds() -> None:
    house = small()
    session = house.unlock()
    session.catalogue.set_meta("looked", json.dumps(["x"] * reviewing.REMEMBERED))
    session.findings.append(reviewing.Finding(session.origin, 3, "Something."))
    reviewing.looked_at(session)
    assert reviewing.unseen(session) == []
    assert len(json.loads(str(session.catalogue.get_meta("looked")))) == reviewing.REMEMBERED
    session.close("key")


def test_nothing_that_is_read_shows_in_a_repr() -> None:
    house = small()
    session = house.unlock()
    found = read(session)
    assert "Anna" not in repr(found)
    assert "Anna" not in repr(found.facts)
    assert isinstance(found.facts[0], Fact)
    session.close("key")


def test_without_an_index_the_notes_are_still_told_as_notes() -> None:
    house = small()
    session = house.unlock()
    clients = Notebook(session).clients()
    session.catalogue.close()
    session.catalogue = Catalogue.empty()
    found = reviewing.recent(session, clients, 0)
    assert words(found).count("wrote  Anna Berg C-1, a note") == 2
    session.close("")
