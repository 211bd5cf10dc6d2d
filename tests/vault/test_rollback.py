"""An older copy put back, a forked log, keys that are gone: found, read-only, and a way on that the log tells of."""

from __future__ import annotations

import pytest

from notevault.crypto import kdf
from notevault.errors import (
    KeyringAbsent,
    KeyringLied,
    KeyringLocked,
    KeyringSilent,
    NotevaultError,
    ReadOnlyVault,
    SecretForeign,
    SecretMissing,
    WrongSecret,
)
from notevault.formats.ids import Origin
from notevault.vault import rekey
from notevault.vault.headers import grow_pool
from notevault.vault.notebook import Notebook
from notevault.vault.pending import enter_pending
from notevault.vault.verify import verify
from tests.fakes.secrets import Mood
from tests.vault.build import CHEAP, FIRST, OTHER_PASSPHRASE, SECOND, House, note_of, remembered, small, texts

LATER = "What was written after the copy was made."


def _moved_on(house: House) -> House:
    """The same house one note later."""
    session = house.unlock(None)
    Notebook(session).add_note(house.ids["anna"], note_of(LATER))
    session.close("exit")
    return house


def _rolled_back(*, local: bool = True, keyring: bool = True, index: bool = True) -> House:
    house = remembered()
    older = house.copy()
    _moved_on(house)
    house.put_back(older)
    for keep, name in ((local, "head"), (index, "index")):
        path = house.local.root / name
        if not keep:
            house.files.drop_raw(path)
    if not keyring:
        for name, value in older.stores.items.items():
            house.stores.items[name] = value
    return house


@pytest.mark.parametrize(
    ("local", "keyring", "index"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, True)],
    ids=["all", "local head alone", "key store alone", "index alone"],
)
def test_an_older_copy_is_read_only_until_confirmed(local: bool, keyring: bool, index: bool) -> None:
    house = _rolled_back(local=local, keyring=keyring, index=index)
    found = house.copy().vault_files()
    session = house.unlock(None)
    assert session.read_only is not None
    assert session.read_only.startswith("ROLLED BACK")
    assert texts(session) == {FIRST, SECOND}
    book = Notebook(session)
    book.find(["slept"])
    for act in (
        lambda: book.add_note(house.ids["anna"], note_of("no")),
        lambda: book.revise(house.ids["first"], note_of("no")),
        lambda: grow_pool(session),
        lambda: rekey.new_sheet(session),
    ):
        with pytest.raises(ReadOnlyVault) as refused:
            act()
        assert "ROLLED BACK" in refused.value.sentence
    assert house.vault_files() == found  # nothing was written
    assert house.local.pending in {path.parent for path in house.files.tree()}

    fresh = rekey.confirm_rollback(session)
    assert fresh.read_only is None
    Notebook(fresh).add_note(house.ids["anna"], note_of("after"))
    assert fresh.close("exit") == []
    entries = house.entries(fresh.origin)
    assert entries[0].ev == "vault.recover"
    assert entries[0].k["cites"]["origin"] == session.origin
    assert entries[0].k["cites"]["size"] == session.recorder.tail.size
    assert entries[0].k["cites"]["root"] == session.recorder.tail.root.hex()
    (confirmed,) = [each for each in entries if each.ev == "rollback.confirm"]
    assert confirmed.k["seen"] > session.recorder.tail.size
    reported = [each for each in entries if each.o == "reported"]
    assert {"session.open", "record.open", "search.run", "session.list"} <= {each.ev for each in reported}
    assert all("at" in each.k for each in reported)
    later = house.unlock(None)
    assert later.read_only is None
    assert texts(later) == {FIRST, SECOND, "after"}
    assert not list(house.local.pending.parent.glob("x"))
    assert house.files.names(house.local.pending) == []


def test_what_was_opened_read_only_is_entered_when_the_right_copy_comes_back() -> None:
    house = remembered()
    older = house.copy()
    newer = _moved_on(house).copy()
    house.put_back(older)
    session = house.unlock(None)
    texts(session)
    session.close("exit")
    house.put_back(newer)
    again = house.unlock(None)
    assert again.read_only is None
    assert any("read-only" in notice for notice in again.notices)
    assert [each.ev for each in house.log() if each.o == "reported" and each.ev == "record.open"] == ["record.open"] * 2
    assert enter_pending(again) == 0


def test_a_damaged_pending_file_does_not_lock_anybody_out() -> None:
    house = _rolled_back()
    texts(house.unlock(None))
    folder = house.local.pending
    for name in house.files.names(folder):
        house.files.put_raw(folder / name, b"NVO1" + bytes(200))
    fresh = rekey.confirm_rollback(house.unlock(None))
    assert any("damaged" in notice for notice in fresh.notices)
    assert fresh.read_only is None


def test_a_header_rolled_back_alone_is_found() -> None:
    house = remembered()
    session = house.unlock(None)
    grow_pool(session)
    session.close("exit")
    newest = max(path for path in house.vault_files() if "headers" in path.parts)
    for forget in (False, True):
        trial = house.copy()
        trial.files.drop_raw(newest)
        if forget:  # neither head nor index: the log alone tells of the newer key file
            trial.files.drop_raw(trial.local.head)
            trial.files.drop_raw(trial.local.index)
            for name in [name for name in trial.stores.items if name.endswith("/log")]:
                trial.stores.items[name] = remembered().stores.items[name]
        again = trial.unlock(None)
        assert again.read_only is not None
        assert "ROLLED BACK" in again.read_only
        assert texts(again) == {FIRST, SECOND}
        fresh = rekey.confirm_rollback(again)
        fresh.close("exit")
        assert trial.unlock(None).read_only is None


def test_a_forked_log_is_read_only() -> None:
    house = remembered()
    twin = house.copy()
    _moved_on(house)
    session = twin.unlock(None)
    Notebook(session).add_note(twin.ids["anna"], note_of("the twin's"))
    session.close("exit")
    house.put_back(twin)
    house.files.drop_raw(house.local.index)
    forked = house.unlock(None)
    assert forked.read_only is not None
    assert "FORKED" in forked.read_only
    assert texts(forked) == {FIRST, SECOND, "the twin's"}


def test_a_lost_log_key_begins_a_new_log_with_a_notice() -> None:
    house = remembered()
    (old,) = house.origins()
    size = len(house.entries(old))
    for name in [name for name in house.stores.items if name.endswith("/log")]:
        del house.stores.items[name]
    session = house.unlock(None)
    assert any("new log was begun" in notice for notice in session.notices)
    assert session.origin != old
    first = house.entries(session.origin)[0]
    assert first.k["cites"] == {"origin": old, "root": first.k["cites"]["root"], "size": size}
    assert dict(session.header.origins)[Origin(old)] == size  # an old log cut shorter later is noticed
    assert texts(session) == {FIRST, SECOND}
    session.close("exit")
    assert house.unlock(None).read_only is None


def test_a_rollback_is_found_even_when_the_log_key_is_lost_too() -> None:
    house = _rolled_back()
    for name in [name for name in house.stores.items if name.endswith("/log")]:
        del house.stores.items[name]
    session = house.unlock(None)
    assert session.read_only is not None
    assert "ROLLED BACK" in session.read_only
    fresh = rekey.confirm_rollback(session)
    assert fresh.read_only is None
    assert texts(fresh) == {FIRST, SECOND}


MOODS: list[tuple[Mood, type[NotevaultError], str]] = [
    ("locked", KeyringLocked, "keyring"),
    ("silent", KeyringSilent, "keyring"),
    ("absent", KeyringAbsent, "keyring"),
    ("lying", KeyringLied, "keyring"),
    ("missing", SecretMissing, "secret-missing"),
    ("foreign", SecretForeign, "secret-foreign"),
]


@pytest.mark.parametrize(("mood", "kind", "why"), MOODS)
def test_each_mood_of_the_key_store_has_its_error_and_is_logged_later(
    mood: Mood, kind: type[NotevaultError], why: str
) -> None:
    house = small()
    house.stores.mood = mood
    with pytest.raises(kind) as refused:
        house.unlock()
    assert refused.value.exit_code == 69
    assert refused.value.next_step
    house.stores.mood = "present"
    house.clock.advance(60_000)
    session = house.unlock()
    assert texts(session) == {FIRST, SECOND}
    (entered,) = [each for each in house.log() if each.ev == "session.fail"]
    assert (entered.o, entered.k["why"], entered.k["n"]) == ("reported", why, 1)
    assert entered.k["at"] == entered.t - 60_000


def test_the_moods_have_different_sentences() -> None:
    sentences = set()
    for mood, kind, _ in MOODS:
        house = small()
        house.stores.mood = mood
        with pytest.raises(kind) as refused:
            house.unlock()
        sentences.add(refused.value.sentence)
    assert len(sentences) == len(MOODS)


def test_another_laptop_is_told_to_use_the_sheet() -> None:
    house = small()
    for path in list(house.files.tree(house.local.root)):
        house.files.drop_raw(path)
    with pytest.raises(SecretMissing) as refused:
        house.unlock()
    assert "recovery sheet" in refused.value.next_step


@pytest.mark.slow
def test_wrong_passphrases_are_logged_one_by_one_then_together() -> None:
    house = small()
    tries = 16
    for count in range(1, tries + 1):
        with pytest.raises(WrongSecret) as refused:
            house.unlock("not this one, surely not")
        assert "corrupt" not in refused.value.sentence
        logged = [each for each in house.log() if each.ev == "session.fail"]
        assert len(logged) == (count if count <= 5 else 5 + (count - 5) // 10)
    session = house.unlock()
    fails = [each for each in house.log() if each.ev == "session.fail"]
    assert sum(each.k["n"] for each in fails) == tries
    assert any(f"{tries} failed tries" in notice for notice in session.notices)
    session.close("exit")
    assert not any("failed" in notice for notice in house.unlock().notices)
    assert house.verified().exit_code == 0


def test_a_wrong_passphrase_without_the_log_key_waits() -> None:
    house = small()
    name = next(name for name in house.stores.items if name.endswith("/log"))
    item = house.stores.items.pop(name)
    with pytest.raises(WrongSecret):
        house.unlock("not this one, surely not")
    house.stores.items[name] = item
    house.unlock()
    (entered,) = [each for each in house.log() if each.ev == "session.fail"]
    assert (entered.o, entered.k["why"]) == ("reported", "passphrase")


def test_a_passphrase_changed_is_the_only_one() -> None:
    house = small()
    session = house.unlock()
    rekey.change_passphrase(session, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
    session.close("exit")
    with pytest.raises(WrongSecret):
        house.unlock()
    assert texts(house.unlock(OTHER_PASSPHRASE)) == {FIRST, SECOND}


def test_verify_proves_a_rollback_by_what_this_laptop_has_seen() -> None:
    for rolled in (_rolled_back(keyring=False, index=False), _rolled_back(local=False, index=False)):
        verdict = verify(rolled.unlock(None))
        assert verdict.exit_code == 1
        assert "ROLLED_BACK" in [code for code, _ in verdict.findings]


def test_an_older_log_taken_back_to_an_earlier_signed_state_is_found() -> None:
    house = remembered()
    (old,) = house.origins()
    earlier = house.copy()
    _moved_on(house)
    for name in [name for name in house.stores.items if name.endswith("/log")]:
        del house.stores.items[name]
    house.unlock(None).close("exit")  # a new log, which cites the old one
    for path, data in earlier.files.tree(house.paths.audit(old)).items():
        house.files.put_raw(path, data)
    session = house.unlock(None)
    assert any("shorter" in notice for notice in session.notices)
    assert texts(session) == {FIRST, SECOND, LATER}  # the index still knows
    verdict = verify(session)
    assert verdict.exit_code == 1
    assert "ROLLED_BACK" in [code for code, _ in verdict.findings]
    assert not [code for code, _ in verdict.findings if code == "UNLOGGED BLOB"]
