"""Epochs: closed when due, whatever is interrupted; the key of a closed one is gone, and nothing is ever lost by it."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable

import pytest

from notevault.app import oneshot
from notevault.auditlog.check import check_log
from notevault.auditlog.verdict import LogVerdict
from notevault.crypto import signing
from notevault.errors import DiskFull, KeyringSilent, NotevaultError, ReadOnlyVault
from notevault.vault import epochs, rekey
from notevault.vault.headers import grow_pool
from notevault.vault.items import LogItem
from notevault.vault.notebook import Notebook
from notevault.vault.recorder import Act, LogSigner
from notevault.vault.verify import port_reader, verify
from tests.fakes.files import CrashNow
from tests.fakes.secrets import FakeSecrets, FakeSecretStores
from tests.vault.build import FIRST, SECOND, House, crashes, note_of, remembered, small, texts

NEW = "A third session, after the epoch was closed."


def item_of(house: House) -> LogItem:
    return next(LogItem.decode(value) for name, value in house.stores.items.items() if name.endswith("/log"))


def checked(house: House) -> LogVerdict:
    """The only log, as an auditor with its card sees it."""
    (origin,) = house.origins()
    card = house.files.raw(house.paths.card(origin))
    return check_log(port_reader(house.files, house.paths.audit(origin)), origin, card, verify=signing.verify)


def intact(house: House) -> None:
    """No finding, seals for every closed epoch, epochs that follow each other."""
    verdict = checked(house)
    assert (verdict.exit_code, verdict.findings) == (0, [])
    log = house.log()
    closes = [each for each in log if each.ev == "epoch.close"]
    assert [each.e for each in closes] == list(range(len(closes)))
    assert [each.e for each in log] == sorted(each.e for each in log)
    (origin,) = house.origins()
    there = house.files.names(house.paths.seals(origin))
    assert set(there) >= {f"{each.e:08d}" for each in closes[:-1]}  # the newest state may itself be the last one's seal
    assert set(there) <= {f"{each.e:08d}" for each in closes}


def write(house: House, text: str = NEW) -> None:
    session = house.unlock(None)
    Notebook(session).add_note(house.ids["anna"], note_of(text))
    assert session.close("exit") == []


# A close as it should be


def test_a_lock_closes_the_epoch_and_the_old_key_is_gone() -> None:
    house = remembered()
    before, size = item_of(house), len(house.log())
    write(house)
    after, log = item_of(house), house.log()
    assert (log[-1].ev, log[-1].e, log[-1].k["key"]) == (
        "epoch.close",
        before.epoch,
        signing.public_key(after.epoch_seed).hex(),
    )
    assert {each.e for each in log[size:]} == {before.epoch}
    assert (after.epoch, after.next_seed) == (before.epoch + 1, None)
    assert after.identity_seed == before.identity_seed
    assert (after.head.size, after.head.root) == (len(log), checked(house).root)
    (origin,) = house.origins()
    assert house.files.raw(house.paths.seal(origin, before.epoch)) == house.files.raw(house.paths.checkpoint(origin))
    old = before.encode().partition('"ek":"')[2].partition('"')[0]
    assert old
    assert not any(old in value for value in house.stores.items.values())
    intact(house)


def test_seals_have_no_gaps_and_every_entry_is_of_its_epoch_over_many_sessions() -> None:
    house = remembered()
    for number in range(6):
        write(house, f"text {number}")
    intact(house)
    assert item_of(house).epoch == 8  # two sessions made the house
    session = house.unlock(None)
    assert {f"text {number}" for number in range(6)} <= texts(session)
    assert verify(session).exit_code == 0


def test_an_epoch_is_due_after_256_entries_or_15_minutes_and_never_when_nothing_happened() -> None:
    house = remembered()
    session = house.unlock(None)
    assert not epochs.due(session)
    house.clock.advance(15 * 60_000)
    assert epochs.due(session)
    epochs.close_epoch(session)
    house.clock.advance(60 * 60_000)
    assert not epochs.due(session)
    session.log_acts([Act("session.list", "R")] * 255)
    house.clock.advance(1000)
    assert epochs.due(session)  # an hour since the last close
    epochs.close_epoch(session)
    session.log_acts([Act("session.list", "R")] * 255)
    assert not epochs.due(session)
    session.log_acts([Act("session.list", "R")])
    assert epochs.due(session)
    session.close("exit")
    intact(house)


def test_one_shot_commands_close_only_an_epoch_of_256_entries_or_of_yesterday() -> None:
    house = small()

    def once(count: int) -> int:
        session = house.unlock(shell=False)
        session.log_acts([Act("session.list", "R")] * count)
        assert oneshot.finish(session) == []
        return len([each for each in house.log() if each.ev == "epoch.close"])

    start = once(1)
    house.clock.advance(20 * 60_000)
    assert once(1) == start
    house.clock.advance(24 * 3600_000)
    assert once(1) == start + 1
    assert once(1) == start + 1
    assert once(260) == start + 2
    intact(house)


# Interrupted anywhere


class Puts(FakeSecretStores):
    """A key store in which the process is killed at the n-th write, `before` or after it took effect."""

    def __init__(self, house: House, at: int, *, before: bool) -> None:
        super().__init__(kind=house.stores.kind, items=dict(house.stores.items))
        self.left, self.before = at, before

    def open(self, kind: str, vault_id: bytes, device_id: bytes) -> FakeSecrets:
        stores = self

        class Killing(FakeSecrets):
            def put(self, name: str, value: str) -> None:
                stores.left -= 1
                if stores.left == 0 and stores.before:
                    raise CrashNow
                super().put(name, value)
                if stores.left == 0:
                    raise CrashNow

        return Killing(f"{vault_id.hex()}/{device_id.hex()}", items=self.items, kind=kind)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("at", [1, 2])
def test_killed_at_either_write_to_the_key_store_the_next_opening_goes_on(at: int, before: bool) -> None:
    house = remembered()
    house.stores = Puts(house, at, before=before)
    with pytest.raises(CrashNow):
        write(house)
    later = house.after_kill()
    session = later.unlock(None)
    assert session.read_only is None
    assert session.findings == []
    assert not [each for each in session.notices if "new log" in each]
    assert texts(session) == {FIRST, SECOND, NEW}
    assert item_of(later).next_seed is None or at == 1  # what was prepared and never named is written over next time
    session.close("exit")
    intact(later)
    write(later, "and on")
    intact(later)


def test_after_a_close_that_was_interrupted_the_opening_brings_it_to_its_end() -> None:
    house = remembered()
    house.stores = Puts(house, 2, before=True)
    with pytest.raises(CrashNow):
        write(house)
    later = house.after_kill()
    stale = item_of(later)
    assert stale.next_seed is not None
    later.unlock(None)
    fresh = item_of(later)
    assert (fresh.epoch, fresh.epoch_seed, fresh.next_seed) == (stale.epoch + 1, stale.next_seed, None)


def test_a_failed_unlock_after_an_interrupted_close_is_logged_in_the_new_epoch() -> None:
    house = remembered()
    house.stores = Puts(house, 2, before=True)
    with pytest.raises(CrashNow):
        write(house)
    later = house.after_kill()
    with pytest.raises(NotevaultError):
        later.unlock("a wrong passphrase of some length")
    last = later.log()[-1]
    assert (last.ev, last.e) == ("session.fail", item_of(later).epoch + 1)
    intact(later)


def test_a_key_store_that_is_silent_at_lock_leaves_the_epoch_open_and_says_so() -> None:
    house = remembered()
    session = house.unlock(None)
    Notebook(session).add_note(house.ids["anna"], note_of(NEW))
    house.stores.mood = session.store.mood = "silent"  # type: ignore[attr-defined]
    faults = session.close("exit")
    assert len(faults) == 1
    assert "key store" in faults[0].sentence
    assert [each.ev for each in house.log()[-2:]] == ["record.write", "session.lock"]
    house.stores.mood = "present"
    write(house, "later")
    intact(house)
    assert house.log()[-1].ev == "epoch.close"


def test_a_disk_that_is_full_at_any_step_of_a_close_loses_nothing_and_no_commit_overtakes_a_seal() -> None:
    house, step, failed = remembered(), 0, 0
    while True:
        step += 1
        trial = house.copy()
        session = trial.unlock(None)
        trial.files.fail_at(step, errno.ENOSPC, lasting=True)
        try:
            epochs.close_epoch(session)
        except DiskFull:
            failed += 1
        else:
            break
        size = len(trial.log())
        with pytest.raises(DiskFull):
            session.log_acts([Act("session.list", "R")])
        trial.files.mend()
        session.log_acts([Act("session.list", "R")])
        assert len(trial.log()) in (size, size + 1)
        assert session.close("exit") == []
        intact(trial)
    assert failed > 6


@pytest.mark.parametrize("power", [False, True])
def test_killed_at_any_step_of_a_close_the_next_opening_goes_on(power: bool) -> None:
    house = remembered()

    def close(trial: House) -> None:
        epochs.close_epoch(trial.unlock(None))

    for step, trial in crashes(house, close):
        later = trial.after_power_cut(step) if power else trial.after_kill()
        session = later.unlock(None)
        assert (session.read_only, session.findings) == (None, [])
        assert texts(session) == {FIRST, SECOND}
        assert session.close("exit") == []
        intact(later)


def test_a_file_planted_where_a_seal_will_be_is_set_aside() -> None:
    house = remembered()
    (origin,) = house.origins()
    path = house.paths.seal(origin, item_of(house).epoch)
    house.files.put_raw(path, b"not ours\n")
    write(house)
    intact(house)
    assert any(data == b"not ours\n" for where, data in house.files.tree(house.local.root).items() if where != path)


# Beside other work


def test_notes_are_saved_while_a_close_waits_for_the_key_store() -> None:
    house = remembered()
    session = house.unlock(None)
    book = Notebook(session)
    with epochs.closing(session) as close:
        close.look()
        book.add_note(house.ids["anna"], note_of("during the first wait"))
        close.prepare()
        book.add_note(house.ids["anna"], note_of("before the commit"))
        close.commit()
        book.add_note(house.ids["anna"], note_of("during the second wait"))
        grow_pool(session)  # wants to write the head: the close does it
        close.switch()
    assert item_of(house).epoch == session.recorder.tail.epoch
    session.close("exit")
    intact(house)
    again = house.unlock(None)
    assert {"during the first wait", "before the commit", "during the second wait"} <= texts(again)


def test_a_window_that_still_has_the_old_key_goes_on_in_the_new_epoch_and_never_puts_it_back() -> None:
    house = remembered()
    other = house.another_process()
    other.stores = house.stores  # one key store for both
    first, second = house.unlock(None), other.unlock(None, shell=False)
    Notebook(first).add_note(house.ids["anna"], note_of(NEW))
    epochs.close_epoch(first)
    newest = item_of(house)
    second.save_head()
    assert item_of(house).epoch_seed == newest.epoch_seed
    second.log_acts([Act("session.list", "R")])
    assert house.log()[-1].e == newest.epoch
    grow_pool(second)
    assert item_of(house).epoch_seed == newest.epoch_seed
    first.log_acts([Act("session.list", "R")])
    assert first.close("exit") == []
    assert oneshot.finish(second) == []
    intact(house)
    write(house, "and on")
    intact(house)


def test_a_window_whose_key_is_nowhere_any_more_writes_nothing() -> None:
    house = remembered()
    other = house.another_process()
    first, second = house.unlock(None), other.unlock(None, shell=False)
    epochs.close_epoch(first)
    second.store.mood = "silent"  # type: ignore[attr-defined]  # it does not learn of the new key
    size = len(house.log())
    with pytest.raises(KeyringSilent):  # its sentence, not one about the vault
        second.log_acts([Act("session.list", "R")])
    assert len(house.log()) == size
    second.store.mood = "missing"  # type: ignore[attr-defined]
    with pytest.raises(ReadOnlyVault):
        second.log_acts([Act("session.list", "R")])
    assert len(house.log()) == size


# Keys that are lost, and keys that are stolen


def test_an_old_copy_of_the_key_store_begins_a_new_log_that_cites_the_old_one_and_says_so() -> None:
    house = remembered()
    old = dict(house.stores.items)
    write(house)
    (origin,) = house.origins()
    cited = checked(house)
    house.stores.items.update({name: value for name, value in old.items() if name.endswith("/log")})
    house.files.drop_raw(house.local.head)
    session = house.unlock(None)
    assert session.read_only is None
    assert [each for each in session.notices if "new log was begun" in each]
    assert texts(session) == {FIRST, SECOND, NEW}
    session.close("exit")
    fresh = next(name for name in house.origins() if name != origin)
    begun = house.entries(fresh)[0]
    assert begun.ev == "vault.recover"
    assert begun.k["cites"] == {"origin": origin, "root": cited.root.hex(), "size": cited.size}
    assert house.unlock(None).read_only is None


def _thief(house: House) -> tuple[LogItem, Callable[[], None]]:
    """With the log's present keys: closes the epoch with a key of his own."""
    item = item_of(house)

    def strike() -> None:
        stolen = house.copy()
        session = stolen.unlock(None)  # only to have a log at hand: its keys make no MAC here
        session.recorder.sealer = _NoKeys()
        key = signing.public_key(b"t" * 32)
        session.recorder.record(Act("epoch.close", "E", "system", k={"key": key.hex()}))
        session.recorder.use(LogItem(item.origin, item.epoch + 1, item.identity_seed, b"t" * 32, item.head))
        session.recorder.record(Act("session.fail", "E", "system", "fail", k={"n": 1, "why": "passphrase"}))
        house.put_back(stolen)

    return item, strike


class _NoKeys:
    def seal(self, fields: dict[str, object], act: Act, origin: str) -> dict[str, object]:
        return fields

    def mac(self, fields: dict[str, object], origin: str) -> dict[str, object]:
        return {**fields, "g": 1, "h": "0" * 32} if fields["ev"] == "epoch.close" else fields


def test_a_thief_who_closes_the_epoch_with_his_own_key_is_named_and_nothing_is_written_after_him() -> None:
    house = remembered()
    _, strike = _thief(house)
    strike()
    size = len(house.log())
    session = house.unlock(None)
    assert session.read_only is not None
    assert session.read_only.startswith("FORGED")
    assert [each for each in session.findings if "claims to be made with this vault open" in each.sentence]
    assert texts(session) == {FIRST, SECOND}
    assert len(house.log()) == size
    fresh = rekey.confirm_rollback(session)
    fresh.close("exit")
    again = house.unlock(None)
    assert again.read_only is None
    assert texts(again) == {FIRST, SECOND}


def test_a_thief_with_the_present_keys_cannot_change_what_is_sealed() -> None:
    house = remembered()
    write(house)
    item, (origin,) = item_of(house), house.origins()
    log = [each.raw for each in house.log()]
    sealed = [each.i + 1 for each in house.log() if each.ev == "epoch.close"]
    for cut in range(1, len(log)):
        trial = house.copy()
        _resign(trial, origin, log[:cut], item)
        trial.files.drop_raw(trial.local.head)
        trial.files.drop_raw(trial.local.index)
        verdict = checked(trial)
        assert verdict.exit_code == (0 if cut == len(log) else 1), cut
    assert sealed


def _resign(house: House, origin: str, log: list[bytes], item: LogItem) -> None:
    from notevault.auditlog import bundle, merkle

    house.files.put_raw(house.paths.open(origin), bundle.pack(log))
    root = merkle.root([merkle.leaf_hash(each) for each in log])
    house.files.put_raw(house.paths.checkpoint(origin), LogSigner(item)(len(log), root))


@pytest.mark.slow
def test_closing_in_every_order_of_two_windows_leaves_one_chain_of_epochs() -> None:
    for order in itertools.product("ab", repeat=4):
        house = small()
        other = house.another_process()
        other.stores = house.stores
        sessions = {"a": house.unlock(shell=False), "b": other.unlock(shell=False)}
        for who in order:
            sessions[who].log_acts([Act("session.list", "R")])
            epochs.close_epoch(sessions[who])
        for each in sessions.values():
            assert oneshot.finish(each) == []
        intact(house)
