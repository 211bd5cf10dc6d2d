"""A log that does not agree with its signed state: the notes stay readable, and there is a way on."""

from __future__ import annotations

from pathlib import Path

import pytest

from notevault.crypto import kdf
from notevault.errors import Damaged, Refused
from notevault.vault import recover, rekey
from notevault.vault.headers import grow_pool
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.vault.verify import Verdict, verify
from tests.vault.build import CHEAP, FIRST, OTHER_PASSPHRASE, ROOT, SECOND, House, note_of, remembered, texts
from tests.vault.damage import files_of, flipped, found_out, opened_texts, without_index


def _entries_of_the_log(house: House) -> tuple[Path, bytes]:
    (path,) = files_of(house, "open")
    return path, house.files.raw(path)


def test_a_length_altered_in_the_log_costs_one_entry_at_most() -> None:
    house = without_index(remembered())
    path, data = _entries_of_the_log(house)
    trial = house.copy()
    trial.files.put_raw(path, b"\xff\xff" + data[2:])
    session, _ = found_out(trial)
    assert session is not None
    assert opened_texts(session) == {FIRST, SECOND}  # entry 0 tells of no note


def _damaged_log() -> House:
    house = remembered()
    (path,) = files_of(house, "checkpoint")
    return flipped(house, path, 50)


def test_the_way_on_from_a_damaged_log_is_a_new_one_that_cites_nothing_of_it() -> None:
    house = _damaged_log()
    fresh = rekey.confirm_rollback(house.unlock(None))
    assert texts(fresh) == {FIRST, SECOND}
    Notebook(fresh).add_note(house.ids["anna"], note_of("after"))
    fresh.close("exit")
    first = house.entries(fresh.origin)[0]
    assert first.k["cites"]["size"] == 0
    for rebuilt in (False, True):
        trial = without_index(house.copy()) if rebuilt else house.copy()
        later = trial.unlock(None)
        assert later.read_only is None
        assert texts(later) == {FIRST, SECOND, "after"}
        assert any("older log" in notice for notice in later.notices)
        assert verify(later).exit_code == 1  # the old log is still what it is


def test_a_vault_with_a_damaged_log_can_be_recovered_and_says_so() -> None:
    house = _damaged_log()
    assert house.kit is not None
    session = recover.recover(
        house.env, ROOT, house.kit.seed, house.kit.fingerprint, kdf.normalise(OTHER_PASSPHRASE), CHEAP
    )
    assert any("DAMAGED" in notice for notice in session.notices)
    assert texts(session) == {FIRST, SECOND}
    session.close("exit")
    assert texts(house.unlock(OTHER_PASSPHRASE)) == {FIRST, SECOND}


def test_a_wrong_passphrase_on_a_damaged_vault_is_still_a_wrong_passphrase() -> None:
    house = _damaged_log()
    with pytest.raises(Refused):
        house.unlock("surely not this one")
    session = house.unlock(None)
    assert session.read_only is not None


def test_damage_in_a_full_bundle_is_found_and_the_rest_is_read() -> None:
    house = remembered()
    session = house.unlock(None)
    book = Notebook(session)
    for _ in range(260):
        book.open_note(house.ids["first"])
    book.add_note(house.ids["anna"], note_of("late"))
    session.close("exit")
    (path,) = [path for path in house.vault_files() if "entries" in path.parts]
    for indexed in (True, False):
        trial = flipped(house, path, 30_000)
        if not indexed:
            without_index(trial)
        opened, verdict = _found_late(trial)
        assert verdict.exit_code == 1
        assert any(code in {"REWRITTEN", "MALFORMED"} for code, _ in verdict.findings)
        assert texts(opened) == {FIRST, SECOND, "late"}


def _found_late(house: House) -> tuple[Session, Verdict]:
    session = house.unlock(None)
    return session, verify(session)


def test_the_cache_of_hashes_is_believed_only_when_it_fits() -> None:
    house = remembered()
    session = house.unlock(None)
    for _ in range(260):
        Notebook(session).open_note(house.ids["first"])
    session.close("exit")
    (path,) = files_of(house, "hashes")
    for at in range(0, 32, 5):
        trial = flipped(house, path, at)
        opened = trial.unlock(None)
        assert opened.read_only is None
        assert verify(opened).exit_code == 0
        assert trial.files.raw(path) == house.files.raw(path)  # written anew


def test_local_files_that_are_damaged_do_not_lock_anybody_out() -> None:
    house = remembered()
    grown = house.unlock(None)
    grow_pool(grown)
    grown.close("exit")
    for name in ("head", "index", "fails", "fails-waiting", "view"):
        trial = house.copy()
        trial.files.put_raw(trial.local.root / name, b"\x00\xff not this")
        session = trial.unlock(None)
        assert session.read_only is None
        assert texts(session) == {FIRST, SECOND}
        assert name != "head" or any("memory" in notice for notice in session.notices)
    trial = house.copy()
    trial.files.put_raw(trial.local.device, b"{}")
    with pytest.raises(Damaged):
        trial.unlock(None)
