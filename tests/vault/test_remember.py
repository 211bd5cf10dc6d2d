"""A remembered session needs both halves, ends when it should, and the passphrase is the same however it is typed."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from notevault.app import opening
from notevault.crypto import kdf
from notevault.errors import Refused, UsageFault, WrongSecret
from notevault.vault import rekey, remember
from notevault.vault.session import Session
from tests.vault.build import (
    CHEAP,
    FIRST,
    OTHER_PASSPHRASE,
    PASSPHRASE,
    ROOT,
    RUNTIME,
    SECOND,
    House,
    bare,
    own_slot,
    remembered,
    small,
    texts,
)

HOUR = 3_600_000


def _half(house: House) -> list[Path]:
    return list(house.files.tree(RUNTIME))


def _asks_for_the_passphrase(house: House) -> None:
    with pytest.raises(Refused) as refused:
        house.unlock(None)
    assert "passphrase" in refused.value.sentence


def test_it_opens_without_the_passphrase_and_says_how() -> None:
    house = remembered()
    session = house.unlock(None)
    assert texts(session) == {FIRST, SECOND}
    assert [each.k["how"] for each in house.log() if each.ev == "session.open"][-1] == "remembered"
    (started,) = [each for each in house.log() if each.ev == "remember.start"]
    assert started.k["until"] == house.clock.wall_ms() + 8 * HOUR


def test_neither_half_alone_opens_anything() -> None:
    house = remembered()
    (path,) = _half(house)
    without = house.copy()
    without.files.drop_raw(path)
    _asks_for_the_passphrase(without)
    other = house.copy()
    other.files.put_raw(path, bytes(32))
    _asks_for_the_passphrase(other)
    item = next(name for name in house.stores.items if name.endswith("/session"))
    del house.stores.items[item]
    _asks_for_the_passphrase(house)


def test_neither_half_holds_the_key_in_the_clear() -> None:
    house = small()
    session = house.unlock(keep_okm=True)
    okm = session.keys.okm
    assert okm is not None
    remember.start(session, okm, own_slot(session).id, 1)
    everything = b"".join(house.files.tree().values()) + "".join(house.stores.items.values()).encode()
    for secret in (okm, okm[:32], session.keys.vk):
        assert secret not in everything
        assert secret.hex().encode() not in everything


def test_it_ends_with_its_time() -> None:
    house = remembered()
    house.clock.advance(8 * HOUR)
    house.unlock(None)
    house.clock.advance(1)
    _asks_for_the_passphrase(house)


def test_it_ends_with_a_reboot() -> None:
    house = remembered()
    house.machine.reboot()
    _asks_for_the_passphrase(house)


def test_a_clock_turned_back_does_not_prolong_it() -> None:
    house = remembered()
    house.clock.set_wall(house.clock.wall_ms() - 1)
    _asks_for_the_passphrase(house)
    short = small()
    session = short.unlock(keep_okm=True)
    assert session.keys.okm is not None
    remember.start(session, session.keys.okm, own_slot(session).id, 1)
    began = short.clock.wall_ms()
    short.clock.advance(HOUR)
    short.clock.set_wall(began)
    short.unlock(None)
    short.clock.advance(60_000)
    short.clock.set_wall(began)
    _asks_for_the_passphrase(short)


def test_a_new_passphrase_ends_it() -> None:
    house = remembered()
    session = house.unlock(None)
    rekey.change_passphrase(session, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
    session.close("exit")
    _asks_for_the_passphrase(house)
    assert _half(house) == []
    assert not [name for name in house.stores.items if name.endswith("/session")]
    assert [each.k["why"] for each in house.log() if each.ev == "remember.end"] == ["passphrase"]


def test_an_old_half_put_back_after_a_new_passphrase_opens_nothing() -> None:
    house = remembered()
    before = house.copy()
    session = house.unlock(None)
    rekey.change_passphrase(session, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
    session.close("exit")
    for path, data in before.files.tree(RUNTIME).items():
        house.files.put_raw(path, data)
    for name, value in before.stores.items.items():
        if name.endswith("/session"):
            house.stores.items[name] = value
    _asks_for_the_passphrase(house)


def test_a_session_that_changed_the_passphrase_cannot_remember_the_old_key() -> None:
    session = small().unlock(keep_okm=True)
    rekey.change_passphrase(session, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
    assert session.keys.okm is None


def test_forgetting_removes_both_halves() -> None:
    house = remembered()
    session = house.unlock(None)
    assert remember.forget(session.env, session.store, session.vault_id) is True
    assert remember.forget(session.env, session.store, session.vault_id) is False
    _asks_for_the_passphrase(house)


@pytest.mark.parametrize("hours", [0, 9, -1])
def test_only_one_to_eight_hours(hours: int) -> None:
    session = small().unlock(keep_okm=True)
    with pytest.raises(Refused):
        remember.start(session, bytes(64), bytes(16), hours)


def test_without_a_folder_in_memory_nothing_is_remembered() -> None:
    house = small()
    house.machine.runtime_dir = None
    session = house.unlock(keep_okm=True)
    with pytest.raises(Refused):
        remember.start(session, bytes(64), bytes(16), 1)


# The passphrase


def _made_with(passphrase: str) -> House:
    house = bare("typed")
    session, _ = opening.set_up(house.env, ROOT, passphrase, CHEAP)
    session.close("exit")
    return house


def _opens(house: House, passphrase: str) -> Session:
    return opening.open_vault(house.env, ROOT, passphrase, shell=True)


def test_a_passphrase_is_the_same_however_its_accents_are_typed() -> None:
    composed = "fünf stille Reiher über dem Café ﬁnden"
    house = _made_with(composed)
    _opens(house, unicodedata.normalize("NFD", composed))
    _opens(house, unicodedata.normalize("NFKC", composed))
    _opens(house, f"  {composed}\t")
    for other in (composed.lower(), composed.replace("ü", "u"), composed.replace(" ", "  ", 1)):
        with pytest.raises(WrongSecret):
            _opens(house, other)


def test_a_weak_or_broken_passphrase_is_refused_before_anything_is_made() -> None:
    house = bare()
    for passphrase in ("", "   ", "password1", "x\ud800y nine loud crows leave", "a" * 2000):
        with pytest.raises(UsageFault):
            opening.set_up(house.env, ROOT, passphrase, CHEAP)
    assert house.files.tree(ROOT) == {}


def test_a_folder_with_other_things_in_it_is_left_alone() -> None:
    house = bare()
    house.files.put_raw(ROOT / "photos" / "cat.jpg", b"meow")
    with pytest.raises(Refused):
        opening.set_up(house.env, ROOT, PASSPHRASE, CHEAP)
    assert house.files.tree(ROOT) == {ROOT / "photos" / "cat.jpg": b"meow"}


def test_a_vault_is_never_set_up_over_another() -> None:
    for damage in (None, "headers", "audit"):
        house = small()
        for path in [path for path in house.vault_files() if damage in path.parts]:
            house.files.drop_raw(path)
        before = house.vault_files()
        with pytest.raises(Refused):
            opening.set_up(house.env, ROOT, OTHER_PASSPHRASE, CHEAP)
        assert house.vault_files() == before


@pytest.mark.slow
def test_a_cheaper_slot_is_wrapped_anew_with_the_same_passphrase() -> None:
    house = small()
    house.machine.total, house.machine.available = 512 << 20, 256 << 20
    session = house.unlock()
    assert own_slot(session).t == CHEAP.t
    assert opening.improve_kdf(session, PASSPHRASE) is True
    assert own_slot(session).t >= 4
    assert opening.improve_kdf(session, PASSPHRASE) is False
    session.close("exit")
    later = house.unlock()
    assert own_slot(later).t >= 4
    assert [each.k["why"] for each in house.log() if each.ev == "header.write"] == ["policy"]


def test_a_lock_ends_what_was_remembered_and_leaving_does_not() -> None:
    house = remembered()
    house.unlock(None).close("exit")
    house.unlock(None).close("key")
    assert "remember.end" in house.events()
    with pytest.raises(Refused):
        house.unlock(None)
