"""Two processes on one vault: both are right afterwards, or one is told why not."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.files import DiskFiles
from notevault.adapters.secret_file import FileStore
from notevault.app.writing import Writing
from notevault.crypto import kdf
from notevault.domain.clients import Client
from notevault.errors import Busy, Refused, UsageFault, WrongSecret
from notevault.storage.lock import shell_lock
from notevault.vault import found, rekey, unlock
from notevault.vault.drafts import Drafts
from notevault.vault.env import Env
from notevault.vault.headers import grow_pool
from notevault.vault.notebook import Notebook
from notevault.vault.verify import verify
from tests.fakes.simple import MORNING_MS, FakeClock, FakeMachine
from tests.vault.build import (
    CHEAP,
    FIRST,
    OTHER_PASSPHRASE,
    PASSPHRASE,
    SECOND,
    House,
    note_of,
    remembered,
    small,
    texts,
)


def two() -> tuple[House, Notebook, Notebook]:
    house = remembered()
    other = house.another_process()
    return house, Notebook(house.unlock(None)), Notebook(other.unlock(None))


def _whole(house: House, expected: set[str]) -> None:
    later = house.after_kill().unlock(None)
    assert texts(later) == expected
    verdict = verify(later)
    assert (verdict.findings, verdict.undecided) == ([], [])
    indexes = [each.i for each in house.log()]
    assert indexes == list(range(len(indexes)))


def test_writes_in_turn_are_all_there_in_both_windows() -> None:
    house, one, other = two()
    for n in range(4):
        one.add_note(house.ids["anna"], note_of(f"one {n}"))
        other.add_note(house.ids["anna"], note_of(f"other {n}"))
    one.session.log_acts([])
    written = {f"{who} {n}" for who in ("one", "other") for n in range(4)}
    assert texts(one.session) == texts(other.session) == written | {FIRST, SECOND}
    _whole(house, written | {FIRST, SECOND})


def test_revisions_of_one_note_are_numbered_on_and_both_kept() -> None:
    house, one, other = two()
    note = house.ids["first"]
    assert [
        one.revise(note, note_of("a")).version,
        other.revise(note, note_of("b")).version,
        one.revise(note, note_of("c")).version,
    ] == [2, 3, 4]
    assert [each.version for each in one.history(note)] == [1, 2, 3, 4]
    assert other.open_note(note, 2)[1].text == "a"
    assert one.open_note(note, 3)[1].text == "b"


def test_one_draft_saved_in_both_windows_becomes_two_revisions() -> None:
    house, one, other = two()
    writing = Writing.new(one, Drafts(one.session), house.ids["anna"])
    writing.keep("begun", 0)
    (draft,) = Drafts(other.session).list()
    second = Writing.of_draft(other, Drafts(other.session), draft)
    writing.save("begun and ended here")
    second.save("begun and ended there")
    assert [each.version for each in other.history(writing.note_id)] == [1, 2]


def test_new_clients_never_share_a_key() -> None:
    house, one, other = two()
    made = []
    for n in range(6):
        for book, who in ((one, "A"), (other, "B")):
            made.append(book.add_client(Client(f"Name {who}{n}", f"{who}-{n}", None, MORNING_MS)).id)
    assert len(set(made)) == 12
    later = Notebook(house.after_kill().unlock(None))
    assert len(later.clients()) == 13


def test_a_code_taken_in_the_other_window_is_refused() -> None:
    _, one, other = two()
    one.add_client(Client("Bo Ek", "C-2", None, MORNING_MS))
    with pytest.raises(UsageFault):
        other.add_client(Client("Someone Else", "C-2", None, MORNING_MS))


def test_a_pool_that_grows_in_one_window_serves_the_other() -> None:
    house, one, other = two()
    grow_pool(one.session)
    fresh = one.session.keys.table.clients.keys()
    view = other.add_client(Client("Bo Ek", "C-2", None, MORNING_MS))
    assert other.session.keys.table.clients.keys() == fresh
    other.add_note(view.id, note_of("with a key of the other window"))
    grow_pool(other.session)
    one.add_note(house.ids["anna"], note_of("and back"))
    assert one.session.header.seq == 3
    _whole(house, {FIRST, SECOND, "with a key of the other window", "and back"})


def test_an_import_in_both_windows_with_growing_pools_is_whole() -> None:
    house, one, other = two()
    for book, who in ((one, "A"), (other, "B"), (one, "X")):
        owners = [Client(f"Name {who}{n}", f"{who}-{n}", None, MORNING_MS) for n in range(50)]
        book.import_all([(owner, note_of(f"note of {owner.code}")) for owner in owners])
    later = Notebook(house.after_kill().unlock(None))
    assert len(later.clients()) == 151
    assert {len(later.notes(view.id)) for view in later.clients() if view.code != "C-1"} == {1}
    assert verify(later.session).exit_code == 0


def test_a_passphrase_changed_in_one_window_leaves_the_other_open() -> None:
    house = small()
    other = house.another_process()
    one, two_ = house.unlock(), other.unlock()
    rekey.change_passphrase(one, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
    Notebook(two_).add_note(house.ids["anna"], note_of("still writing"))
    rekey.change_passphrase(two_, kdf.normalise("a third one, not like the others"), CHEAP)
    later = house.after_kill()
    for word in (PASSPHRASE, OTHER_PASSPHRASE):
        with pytest.raises(WrongSecret):
            later.unlock(word)
    session = later.unlock("a third one, not like the others")
    assert texts(session) == {FIRST, SECOND, "still writing"}
    assert len([slot for slot in session.header.slots if rekey.is_own_slot(slot, session.device_id)]) == 1


def test_a_window_does_not_write_a_key_file_beside_one_of_a_new_log() -> None:
    house = remembered()
    one = house.unlock(None)
    elsewhere = house.another_process()
    for name in [name for name in house.stores.items if name.endswith("/log")]:
        del house.stores.items[name]
    elsewhere.unlock(None)  # begins a new log and a header under it
    with pytest.raises(Refused):
        grow_pool(one)
    assert house.after_kill().unlock(None).read_only is None


def test_a_header_planted_while_a_window_is_open_is_not_taken_in() -> None:
    house, one, other = two()
    data = next(data for path, data in house.vault_files().items() if "headers" in path.parts)
    folder = house.paths.headers(one.session.origin)
    house.files.put_raw(folder / f"00000009-{'ab' * 32}", data)
    other.add_note(house.ids["anna"], note_of("x"))
    one.add_note(house.ids["anna"], note_of("y"))
    assert one.session.header.seq == 1


def test_a_second_shell_is_told() -> None:
    house, one, other = two()
    with shell_lock(house.files, one.session.local), pytest.raises(Busy) as refused:
        shell_lock(other.session.env.files, other.session.local).__enter__()
    assert "another" in refused.value.sentence.lower()


# On a real disk, with real processes


class _Stores:
    def __init__(self, folder: Path) -> None:
        self._folder, self._files = folder, DiskFiles()

    def choose(self) -> tuple[str, str]:
        return "file", "the tests keep it in a file"

    def open(self, kind: str, vault_id: bytes, device_id: bytes) -> FileStore:
        return FileStore(self._folder, f"{vault_id.hex()}/{device_id.hex()}", self._files)


def _real_env(home: Path) -> Env:
    machine = FakeMachine()
    return Env(FakeClock(), SystemEntropy(), DiskFiles(), machine, _Stores(home / "keys"), home / "local")


def _write_many(home: Path, who: str, count: int) -> None:
    session = unlock.unlock(_real_env(home), home / "vault", kdf.normalise(PASSPHRASE), shell=False)
    book = Notebook(session)
    for n in range(count):
        client = book.add_client(Client(f"Name {who}{n}", f"{who}-{n}", None, MORNING_MS))
        book.add_note(client.id, note_of(f"{who} {n}"))
    session.close("exit")


def test_real_processes_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    session, _ = found.create(_real_env(tmp_path), tmp_path / "vault", kdf.normalise(PASSPHRASE), CHEAP)
    session.close("exit")
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_write_many, args=(tmp_path, who, 12)) for who in "ABC"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    later = unlock.unlock(_real_env(tmp_path), tmp_path / "vault", kdf.normalise(PASSPHRASE), shell=True)
    assert texts(later) == {f"{who} {n}" for who in "ABC" for n in range(12)}
    assert len(Notebook(later).clients()) == 36
    assert verify(later).exit_code == 0
