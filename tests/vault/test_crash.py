"""Killed, or cut from power, at every step: what was acknowledged is there, nothing else became a record."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest

from notevault.app import opening
from notevault.app.writing import Writing
from notevault.crypto import kdf
from notevault.domain.clients import Client
from notevault.domain.settings import Settings
from notevault.errors import NotevaultError, NoVault, WrongSecret
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
QUICK = 13  # in the quick part every so many steps of the costly acts; the slow part takes each
slow = pytest.mark.slow


class Diary:
    """What an act was told is done, across the crash that ends it."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self.kept: set[str] = set()
        self.begun: set[str] = set()  # texts that may or may not have become a record; old ones that may be gone

    def clear(self) -> None:
        for each in (self.acknowledged, self.kept, self.begun):
            each.clear()


def afterwards(trial: House, step: int, every: int) -> list[House]:
    """Every way a crash may leave things; in the quick part one after the other."""
    ways: list[Callable[[], House]] = [
        trial.after_kill,
        *(functools.partial(trial.after_power_cut, seed) for seed in (*CUTS, step)),
    ]
    return [ways[step % len(ways)]()] if every > 1 else [way() for way in ways]


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


@pytest.mark.parametrize("every", [QUICK, pytest.param(1, marks=slow)])
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_a_crash_at_any_step_loses_nothing_and_adds_nothing(act: Callable[[House, Diary], None], every: int) -> None:
    house, diary = remembered(), Diary()

    def begin(trial: House) -> None:
        diary.clear()
        act(trial, diary)

    for step, trial in crashes(house, begin, 1 if act is save_a_note else every):
        for later in afterwards(trial, step, every):
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

    for _, trial in crashes(house, begin, every=2):
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
    assert told >= 2  # a blob without its entry, an entry without its checkpoint


def test_bytes_beyond_the_checkpoint_are_told_of_by_their_length() -> None:
    house = remembered()
    (origin,) = house.origins()
    path = house.paths.open(origin)
    house.files.put_raw(path, house.files.raw(path) + b"\x00\x10half an entry")
    session = house.unlock(None)
    (entered,) = [each for each in house.log() if each.ev == "crash.settle"]
    assert entered.k == {"blobs": 0, "bytes": 15, "headers": 0}
    assert any("set aside" in notice for notice in session.notices)


@pytest.mark.parametrize("every", [QUICK, pytest.param(1, marks=slow)])
def test_a_crashed_set_up_can_be_started_over(every: int) -> None:
    def set_up(trial: House) -> None:
        found.create(trial.env, ROOT, kdf.normalise(PASSPHRASE), CHEAP)

    trial = bare()
    before = len(trial.files.trace)
    set_up(trial)
    count = len(trial.files.trace) - before
    unfinished = whole = 0
    # the 256 blob folders are one kind of step: a few of them are enough
    interesting = [*range(1, 20, every), *range(20, count - 40, 400), *range(count - 40, count + 1, every)]
    for step in interesting:
        trial = bare()
        trial.files.crash_at(step)
        with pytest.raises(CrashNow):
            set_up(trial)
        for later in afterwards(trial, step, every):
            try:
                survey(later.env, ROOT)
            except NoVault:
                unfinished += 1
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


@pytest.mark.parametrize("every", [QUICK, pytest.param(1, marks=slow)])
def test_a_crashed_passphrase_change_leaves_exactly_one_that_works(every: int) -> None:
    house = small()
    old = new = 0
    for step, trial in crashes(house, _change, every):
        for later in afterwards(trial, step, every):
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


def _confirm(trial: House) -> None:
    rekey.confirm_rollback(trial.unlock(None)).close("exit")


@pytest.mark.parametrize("every", [QUICK, pytest.param(1, marks=slow)])
def test_a_crash_while_going_on_from_an_older_copy_can_be_confirmed_again(every: int) -> None:
    house = remembered()
    older = house.copy()
    save_a_note(house, Diary())
    house.put_back(older)
    again = through = 0
    for step, trial in crashes(house, _confirm, every):
        for later in afterwards(trial, step, every):
            session = later.unlock(None)
            assert texts(session) == {FIRST, SECOND}
            if session.read_only is None:
                through += 1
            else:
                again += 1
                assert "ROLLED BACK" in session.read_only
                session = rekey.confirm_rollback(session)
            verdict = verify(session)
            assert verdict.findings == []
            session.close("exit")
            assert later.unlock(None).read_only is None
    assert again
    assert through


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


@pytest.mark.parametrize("every", [2 * QUICK - 1, pytest.param(2, marks=slow)])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_crashed_recovery_can_be_done_again(elsewhere: bool, every: int) -> None:
    house = _on_a_new_laptop() if elsewhere else small()
    for step, trial in crashes(house, _recover, every):
        for later in afterwards(trial, step, every):
            _recover(later)
            session = later.unlock(OTHER_PASSPHRASE)
            assert session.read_only is None
            assert {FIRST, SECOND} == texts(session)
            verdict = verify(session)
            assert (verdict.findings, verdict.undecided) == ([], [])


@slow
def test_after_a_crashed_recovery_at_home_the_old_passphrase_or_the_sheet_opens() -> None:
    house = small()
    for step, trial in crashes(house, _recover, every=QUICK):
        later = trial.after_power_cut(step)
        ways_on: list[str] = []
        for word in (PASSPHRASE, OTHER_PASSPHRASE):
            try:
                session = unlock.unlock(later.copy().env, ROOT, kdf.normalise(word), shell=True)
            except NotevaultError as fault:
                ways_on.append(fault.next_step)
            else:
                assert session.read_only is None
        assert all(ways_on)
        _recover(later)  # the sheet always opens it
        assert later.verified(OTHER_PASSPHRASE).exit_code == 0
