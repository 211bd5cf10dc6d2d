"""What an opening concludes of the vault it finds: never from two moments, never from a number out of nowhere."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from notevault.app import oneshot
from notevault.crypto import kdf
from notevault.errors import Damaged, DiskFull, NotevaultError, Refused, SecretMissing, WrongSecret
from notevault.storage.local import HeadFile, LocalState
from notevault.vault import epochs, recover, rekey, unlock
from notevault.vault.headers import grow_pool
from notevault.vault.items import LogItem
from notevault.vault.notebook import Notebook
from notevault.vault.recorder import Act
from tests.fakes.secrets import FakeSecrets, FakeSecretStores
from tests.vault.build import (
    CHEAP,
    FIRST,
    LOCAL,
    OTHER_PASSPHRASE,
    PASSPHRASE,
    ROOT,
    SECOND,
    House,
    note_of,
    remembered,
    small,
    texts,
)
from tests.vault.test_planted import _forge


class Meanwhile(FakeSecretStores):
    """A key store that takes its time: something else happens before, or after, it looks."""

    def __init__(self, stores: FakeSecretStores, act: Callable[[], object], *, before: bool) -> None:
        super().__init__(kind=stores.kind, items=stores.items)
        self.act: Callable[[], object] | None = act
        self.before = before

    def _go(self) -> None:
        act, self.act = self.act, None
        if act is not None:
            act()

    def open(self, kind: str, vault_id: bytes, device_id: bytes) -> FakeSecrets:
        stores = self

        class Waiting(FakeSecrets):
            def get(self, names: Sequence[str]) -> list[str | None]:
                if stores.before:
                    stores._go()
                found = super().get(names)
                stores._go()
                return found

        return Waiting(f"{vault_id.hex()}/{device_id.hex()}", items=self.items, kind=kind)


def _writes(other: House) -> None:
    session = other.unlock(None, shell=False)
    Notebook(session).add_note(other.ids["anna"], note_of("written meanwhile"))
    session.save_local_head()
    assert oneshot.finish(session) == []


def _locks(other: House) -> None:
    session = other.unlock(None)
    Notebook(session).add_note(other.ids["anna"], note_of("written meanwhile"))
    assert session.close("exit") == []


def _changes_keys(other: House) -> None:
    session = other.unlock(None)
    grow_pool(session)
    Notebook(session).add_note(other.ids["anna"], note_of("written meanwhile"))
    assert session.close("exit") == []


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("act", [_writes, _locks, _changes_keys])
def test_what_another_process_does_while_this_one_opens_is_no_rollback_and_no_lost_key(
    act: Callable[[House], None], before: bool
) -> None:
    house = remembered()
    other = house.another_process()
    other.stores = FakeSecretStores(kind=house.stores.kind, items=house.stores.items)
    house.stores = Meanwhile(house.stores, lambda: act(other), before=before)
    session = house.unlock(None)
    assert (session.read_only, session.findings) == (None, [])
    assert not [each for each in session.notices if "new log" in each]
    assert texts(session) == {FIRST, SECOND, "written meanwhile"}
    Notebook(session).add_note(house.ids["anna"], note_of("and on"))
    assert session.close("exit") == []
    assert len(house.origins()) == 1


def _log_key(house: House) -> str:
    return next(name for name in house.stores.items if name.endswith("/log"))


@pytest.mark.slow
def test_a_confirmation_that_fails_leaves_the_alarm_as_it_was() -> None:
    old = remembered()
    house = old.copy()
    session = house.unlock(None)
    Notebook(session).add_note(house.ids["anna"], note_of("newer"))
    session.close("exit")
    house.put_back(old)
    for path in (house.local.head, house.local.index):
        house.files.drop_raw(path)  # the key store alone remembers
    steps = 0
    while True:
        steps += 1
        trial = house.copy()
        session = trial.unlock(None)
        assert "ROLLED BACK" in (session.read_only or "")
        trial.files.fail_at(steps, errno.ENOSPC, lasting=True)
        try:
            rekey.confirm_rollback(session)
        except DiskFull:
            trial.files.mend()
        else:
            break
        again = trial.unlock(None)
        if not any(each.ev == "rollback.confirm" for name in trial.origins() for each in trial.entries(name)):
            assert "ROLLED BACK" in (again.read_only or ""), steps
    assert steps > 5


def test_taking_the_log_s_key_away_does_not_turn_a_forged_log_into_one_whose_key_was_lost() -> None:
    house = remembered()
    _forge(house, Act("epoch.close", "E", "system", k={"key": "ab" * 32}))
    house.stores.items.pop(_log_key(house))
    session = house.unlock(None)
    assert (session.read_only or "").startswith("FORGED")
    assert texts(session) == {FIRST, SECOND}


def test_a_window_whose_log_was_left_behind_never_puts_its_key_over_the_new_one() -> None:
    house = remembered()
    other = house.another_process()
    other.stores = house.stores
    open_one = house.unlock(None)
    house.stores.items.pop(_log_key(house))  # lost: the other process begins a new log
    fresh = other.unlock(None)
    assert fresh.origin != open_one.origin
    fresh.close("exit")
    newest = house.stores.items[_log_key(house)]
    Notebook(open_one).add_note(house.ids["anna"], note_of("still written"))
    faults = open_one.close("exit")
    assert [type(each) for each in faults] == [Refused]
    assert house.stores.items[_log_key(house)] == newest
    again = house.unlock(None)
    assert again.read_only is None
    assert texts(again) == {FIRST, SECOND, "still written"}


# Numbers out of nowhere


def test_an_entry_that_claims_a_key_file_of_the_highest_number_does_not_use_the_numbers_up() -> None:
    house = remembered()
    act = Act("header.write", "U", digest="ab" * 32, size=100, k={"seq": 99_999_999, "why": "pool"})
    _forge(house, act)
    assert house.kit is not None
    kit = house.kit
    session = recover.recover(house.env, ROOT, kit.seed, kit.fingerprint, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
    assert session.header.seq < 100
    grow_pool(session)
    session.close("exit")


def test_a_memory_that_claims_the_highest_number_can_be_put_behind() -> None:
    house = remembered()
    session = house.unlock(None)
    tail = session.recorder.tail
    session.close("exit")
    local = LocalState(house.files, LOCAL / session.vault_id.hex())
    local.write_head(HeadFile(session.vault_id, session.origin, tail.size, tail.root, 99_999_999))
    again = house.unlock(None)
    assert "ROLLED BACK" in (again.read_only or "")
    fresh = rekey.confirm_rollback(again)
    assert fresh.header.seq < 100
    fresh.close("exit")
    assert house.unlock(None).read_only is None


def test_an_entry_put_in_the_place_of_another_makes_the_vault_read_only() -> None:
    house = remembered()
    session = house.unlock(None)
    Notebook(session).add_note(house.ids["anna"], note_of("to be hidden"))
    epochs_before = session.recorder.tail.epoch
    item = session.log_item
    session.log_acts([Act("session.list", "R")])
    assert item is not None
    assert session.recorder.tail.epoch == epochs_before
    _replace_newest_write(house, item)
    house.files.drop_raw(house.local.head)
    house.files.drop_raw(house.local.index)
    again = house.unlock(None)
    assert "REWRITTEN" in (again.read_only or "")


def _replace_newest_write(house: House, item: LogItem) -> None:
    """By somebody with the present log keys: a clock's jump in the place of the write, the rest as it was."""
    from notevault.auditlog import bundle, entry, merkle
    from notevault.vault.recorder import LogSigner

    (origin,) = house.origins()
    log = house.log()
    at = max(i for i, each in enumerate(log) if each.ev == "record.write")
    old: dict[str, Any] = log[at].fields()
    kept = {name: old[name] for name in ("b", "e", "i", "m", "p", "t", "w")}
    planted = {**kept, "ev": "clock.jump", "a": "E", "o": "ok", "pu": "system", "k": {"ms": 1, "to": "ahead"}}
    raw = [each.raw for each in log]
    raw[at] = entry.encode(planted)
    house.files.put_raw(house.paths.open(origin), bundle.pack(raw))
    root = merkle.root([merkle.leaf_hash(each) for each in raw])
    house.files.put_raw(house.paths.checkpoint(origin), LogSigner(item)(len(raw), root))


# Copies


def _copy_to(house: House, place: Path) -> None:
    for path, data in house.vault_files().items():
        house.files.put_raw(place / path.relative_to(ROOT), data)


def _unlock_at(house: House, place: Path, passphrase: str = PASSPHRASE) -> Any:
    return unlock.unlock(house.env, place, kdf.normalise(passphrase), shell=True)


def test_what_is_opened_in_a_copy_is_read_only_and_enters_the_vaults_own_log() -> None:
    house, stick = small(), Path("/stick/vault")
    house.unlock().close("exit")
    _copy_to(house, stick)
    copy = _unlock_at(house, stick)
    assert (copy.read_only or "").startswith("COPY")
    assert texts(copy) == {FIRST, SECOND}
    with pytest.raises(NotevaultError):
        Notebook(copy).add_note(house.ids["anna"], note_of("into the copy"))
    with pytest.raises(Refused):
        rekey.confirm_rollback(copy)
    copy.close("exit")
    before = len(house.log())
    own = house.unlock()
    assert own.read_only is None
    told = [each for each in house.log()[before:] if each.o == "reported"]
    assert [each.ev for each in told].count("record.open") == 2
    own.close("exit")


def test_a_wrong_passphrase_at_a_copy_is_told_in_the_vaults_own_log() -> None:
    house, stick = small(), Path("/stick/vault")
    house.unlock().close("exit")
    _copy_to(house, stick)
    with pytest.raises(WrongSecret):
        _unlock_at(house, stick, OTHER_PASSPHRASE)
    own = house.unlock()
    assert [each.k["why"] for each in house.log() if each.ev == "session.fail"] == ["passphrase"]
    own.close("exit")


def test_a_vault_that_was_moved_is_the_vault() -> None:
    house, other = small(), Path("/elsewhere/vault")
    house.unlock().close("exit")
    _copy_to(house, other)
    for path in house.vault_files():
        house.files.drop_raw(path)
    moved = _unlock_at(house, other)
    assert moved.read_only is None
    moved.close("exit")
    again = _unlock_at(house, other)
    assert again.read_only is None


# Failed tries of every kind, and what ran out


def _waiting(house: House) -> list[str]:
    return [why for _, why in LocalState(house.files, house.local.root).kept_fails()]


def test_a_try_at_a_vault_whose_key_file_does_not_read_waits_to_be_logged() -> None:
    house = small()
    header = next(path for path in house.vault_files() if "headers" in path.parts)
    good = house.files.raw(header)
    house.files.put_raw(header, good[:-2] + b"!\n")
    with pytest.raises(Damaged):
        house.unlock()
    assert _waiting(house) == ["header"]
    house.files.put_raw(header, good)
    house.unlock().close("exit")
    assert [each.k["why"] for each in house.log() if each.ev == "session.fail"] == ["header"]


def test_a_try_with_an_older_key_of_this_laptop_waits_to_be_logged() -> None:
    house = small()
    old = dict(house.stores.items)
    session = house.unlock()
    rekey.change_passphrase(session, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
    session.close("exit")
    device = next(name for name in old if name.endswith("/device"))
    house.stores.items[device] = old[device]
    for passphrase in (PASSPHRASE, OTHER_PASSPHRASE):
        with pytest.raises(SecretMissing):
            house.unlock(passphrase)
    assert _waiting(house) == ["secret-missing"] * 2


def test_failed_tries_are_told_once_a_minute_whatever_the_local_count_says() -> None:
    house = small()
    local = LocalState(house.files, house.local.root)
    for _ in range(4):
        local.set_fails(6, 0)  # somebody keeps the count where nothing would be entered
        with pytest.raises(WrongSecret):
            house.unlock(OTHER_PASSPHRASE)
        local.set_fails(0)
        house.clock.advance(61_000)
    assert house.events().count("session.fail") == 4


def test_a_remembered_session_that_ran_out_is_told_of_at_the_next_opening() -> None:
    house = remembered()
    house.clock.advance(9 * 3_600_000)
    house.unlock().close("exit")
    ends = [each for each in house.log() if each.ev == "remember.end"]
    assert [(each.o, each.k["why"]) for each in ends] == [("reported", "expiry")]
    house.unlock().close("exit")
    assert house.events().count("remember.end") == 1


def test_a_clock_that_is_moved_in_many_small_steps_is_told_of() -> None:
    house = small()
    session = house.unlock()
    for _ in range(40):
        house.clock.advance(1_000)
        house.clock.set_wall(house.clock.wall_ms() - 119_000)
        session.log_acts([Act("session.list", "R")])
    jumps = [each.k for each in house.log() if each.ev == "clock.jump"]
    assert sum(each["ms"] for each in jumps if each["to"] == "back") >= 39 * 119_000 - 240_000
    assert session.close("exit") == []


def test_an_epoch_whose_first_entry_is_of_tomorrow_is_closed_all_the_same() -> None:
    house = small()
    now = house.clock.wall_ms()
    house.clock.set_wall(now + 9 * 365 * 86_400_000)
    session = house.unlock(shell=False)
    session.log_acts([Act("session.list", "R")])
    oneshot.finish(session)
    house.clock.set_wall(now + 86_400_000)
    session = house.unlock(shell=False)
    session.log_acts([Act("session.list", "R")])
    assert epochs.due_alone(session)
