"""Killed, or cut from power, at every step of every act: what was acknowledged is there, nothing else became a record."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from notevault.app.writing import Writing
from notevault.crypto import kdf
from notevault.domain.clients import Client
from notevault.domain.settings import Settings
from notevault.errors import NoVault, WrongSecret
from notevault.vault import found, recover, rekey, unlock
from notevault.vault.drafts import Drafts
from notevault.vault.headers import grow_pool
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.vault.survey import survey
from notevault.vault.verify import verify
from tests.fakes.files import CrashNow
from tests.fakes.simple import MORNING_MS
from tests.vault.build import (
    CHEAP,
    FIRST,
    OTHER_PASSPHRASE,
    PASSPHRASE,
    ROOT,
    SECOND,
    House,
    bare,
    crashes,
    drafts_of,
    note_of,
    remembered,
    small,
    texts,
)

NEW = "Written in the middle of it all: a third session."
CUTS = (1, 2, 3)
Promise = Callable[[House], None]


class Diary:
    """What an act was told is done, across the crash that ends it."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self.kept: set[str] = set()
        self.begun: set[str] = set()

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]


def afterwards(trial: House) -> list[House]:
    return [trial.after_kill(), *(trial.after_power_cut(seed) for seed in CUTS)]


def check(later: House, diary: Diary, passphrase: str | None = None) -> Session:
    """Open again: the acknowledged is there, drafts come back, and the vault is whole."""
    session = later.unlock(passphrase)
    assert session.read_only is None
    assert session.findings == []
    found_texts, drafts = texts(session), drafts_of(session)
    assert {FIRST, SECOND} <= found_texts | diary.begun
    assert diary.acknowledged <= found_texts
    assert found_texts <= {FIRST, SECOND} | diary.acknowledged | diary.begun
    assert diary.kept <= drafts | found_texts
    verdict = verify(session)
    assert (verdict.findings, verdict.undecided) == ([], [])
    assert session.close("exit") == []
    return session


def save_a_note(house: House, diary: Diary) -> None:
    session = house.unlock(None)
    book = Notebook(session)
    writing = Writing.new(book, Drafts(session), house.ids["anna"])
    writing.keep(NEW, 3)
    diary.kept.add(NEW)
    diary.begun.add(NEW)
    writing.save(NEW)
    diary.acknowledged.add(NEW)
    session.close("exit")


def revise_and_sign(house: House, diary: Diary) -> None:
    session = house.unlock(None)
    writing = Writing.of_note(Notebook(session), Drafts(session), house.ids["second"])
    diary.begun.update({NEW, SECOND})
    writing.keep(NEW, 3)
    diary.kept.add(NEW)
    writing.sign(NEW)
    diary.acknowledged.add(NEW)
    session.close("exit")


def add_a_client(house: House, diary: Diary) -> None:
    session = house.unlock(None)
    book = Notebook(session)
    book.add_client(Client("Bo Ek", "C-2", None, MORNING_MS))
    book.save_settings(Settings(author="A. Therapist"))
    session.close("exit")


def import_some(house: House, diary: Diary) -> None:
    session = house.unlock(None)
    batch = [f"imported {n}" for n in range(3)]
    diary.begun.update(batch)
    owner = Client("Cy Dahl", "C-3", None, MORNING_MS)
    Notebook(session).import_all([(owner, note_of(each)) for each in batch])
    diary.acknowledged.update(batch)
    session.close("exit")


def grow(house: House, diary: Diary) -> None:
    session = house.unlock(None)
    grow_pool(session)
    session.close("exit")


def new_sheet(house: House, diary: Diary) -> None:
    session = house.unlock(None)
    rekey.new_sheet(session)
    session.close("exit")


def lose_the_log_key(house: House, diary: Diary) -> None:
    for name in [name for name in house.stores.items if name.endswith("/log")]:
        del house.stores.items[name]
    house.unlock(None).close("exit")


ACTS = [save_a_note, revise_and_sign, add_a_client, import_some, grow, new_sheet, lose_the_log_key]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_crash_at_any_step_loses_nothing_and_adds_nothing(act: Callable[[House, Diary], None]) -> None:
    house, diary = remembered(), Diary()

    def begin(trial: House) -> None:
        diary.clear()
        act(trial, diary)

    for _step, trial in crashes(house, begin):
        for later in afterwards(trial):
            check(later, diary)


@pytest.mark.slow
def test_a_crash_while_the_next_opening_settles_loses_nothing_either() -> None:
    house, diary = remembered(), Diary()

    def begin(trial: House) -> None:
        diary.clear()
        save_a_note(trial, diary)

    for step, trial in crashes(house, begin, every=3):
        first = trial.after_power_cut(step)
        second_diary = Diary()
        second_diary.begun, second_diary.acknowledged = set(diary.begun), set(diary.acknowledged)
        second_diary.kept = set(diary.kept)
        for _, again in crashes(first, lambda each: each.unlock(None).close("exit"), every=2):
            check(again.after_power_cut(step), second_diary)


def test_the_next_opening_settles_says_so_and_logs_it() -> None:
    house = remembered()
    told = 0

    def begin(trial: House) -> None:
        save_a_note(trial, Diary())

    for _, trial in crashes(house, begin):
        later = trial.after_kill()
        session = later.unlock(None)
        settled = [notice for notice in session.notices if "ended in the middle of writing" in notice]
        entered = [each for each in later.log() if each.ev == "crash.settle"]
        assert len(settled) == len(entered)
        if entered:
            told += 1
            assert sum(entered[0].k.values()) > 0
            again = later.unlock(None)
            assert not [notice for notice in again.notices if "middle of writing" in notice]
    assert told >= 3  # a blob without its entry, an entry without its checkpoint, half an entry


def test_bytes_beyond_the_checkpoint_are_told_of_by_their_length() -> None:
    house = remembered()
    (origin,) = house.origins()
    path = house.paths.open(origin)
    house.files.put_raw(path, house.files.raw(path) + b"\x00\x10half an entry")
    session = house.unlock(None)
    (entered,) = [each for each in house.log() if each.ev == "crash.settle"]
    assert entered.k == {"blobs": 0, "bytes": 15, "headers": 0}
    assert any("set aside" in notice for notice in session.notices)


def test_a_crashed_set_up_can_be_started_over() -> None:
    def set_up(trial: House) -> None:
        found.create(trial.env, ROOT, kdf.normalise(PASSPHRASE), CHEAP)

    trial = bare()
    before = len(trial.files.trace)
    set_up(trial)
    count = len(trial.files.trace) - before
    unfinished = whole = 0
    # the 256 blob folders are one kind of step: a few of them are enough
    interesting = [*range(1, 20), *range(20, count - 60, 90), *range(count - 60, count + 1)]
    for step in interesting:
        trial = bare()
        trial.files.crash_at(step)
        with pytest.raises(CrashNow):
            set_up(trial)
        for later in (trial.after_kill(), trial.after_power_cut(step)):
            try:
                survey(later.env, ROOT)
            except NoVault as fault:
                unfinished += 1
                assert "set-up" in fault.sentence or "no vault" in fault.sentence
                from notevault.app import opening

                session, _ = opening.set_up(later.env, ROOT, OTHER_PASSPHRASE, CHEAP)
                session.close("exit")
            else:  # it came to its first entry: then it opens, and only its sheet is still to be made
                whole += 1
                session = later.unlock()
                assert not rekey.sheet_confirmed(session)
                rekey.new_sheet(session)
                assert verify(session).exit_code == 0
    assert unfinished
    assert whole


def _change(trial: House) -> None:
    session = trial.unlock()
    rekey.change_passphrase(session, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
    session.close("exit")


def test_a_crashed_passphrase_change_leaves_exactly_one_that_works() -> None:
    house = small()
    old = new = 0
    for _step, trial in crashes(house, _change):
        for later in (trial.after_kill(), trial.after_power_cut(_step)):
            working = []
            for word in (PASSPHRASE, OTHER_PASSPHRASE):
                try:
                    session = later.copy().unlock(word)
                except WrongSecret:
                    continue
                assert session.read_only is None
                assert {FIRST, SECOND} == texts(session)
                working.append(word)
            assert len(working) == 1
            old += working == [PASSPHRASE]
            new += working == [OTHER_PASSPHRASE]
            assert later.verified(working[0]).exit_code == 0
    assert old
    assert new


def _recover(trial: House) -> None:
    assert trial.kit is not None
    session = recover.recover(
        trial.env, ROOT, trial.kit.seed, trial.kit.fingerprint, kdf.normalise(OTHER_PASSPHRASE), CHEAP
    )
    session.close("exit")


def _on_a_new_laptop() -> House:
    house = small()
    for path in [path for path in house.files.tree() if "/local" in str(path)]:
        house.files.drop_raw(path)
    house.stores.items.clear()
    return house


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_crashed_recovery_can_be_done_again(elsewhere: bool) -> None:
    house = _on_a_new_laptop() if elsewhere else small()
    for step, trial in crashes(house, _recover, every=2):
        for later in (trial.after_kill(), trial.after_power_cut(step)):
            _recover(later)
            session = later.unlock(OTHER_PASSPHRASE)
            assert session.read_only is None
            assert {FIRST, SECOND} == texts(session)
            verdict = verify(session)
            assert (verdict.findings, verdict.undecided) == ([], [])


def test_after_a_crashed_recovery_at_home_the_old_passphrase_or_the_sheet_opens() -> None:
    house = small()
    for step, trial in crashes(house, _recover, every=3):
        later = trial.after_power_cut(step)
        opened = 0
        for word in (PASSPHRASE, OTHER_PASSPHRASE):
            try:
                session = unlock.unlock(later.copy().env, ROOT, kdf.normalise(word), shell=True)
            except Exception as fault:  # noqa: BLE001  any refusal of ours, with a way on
                assert getattr(fault, "next_step", "")
            else:
                opened += 1
                assert session.read_only is None
        _recover(later)  # the sheet always does
        assert later.verified(OTHER_PASSPHRASE).exit_code == 0
