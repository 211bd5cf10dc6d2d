"""Two laptops, lost messages and odd files: nothing acknowledged leaves the vault, and nobody becomes somebody else."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from notevault.auditlog import bundle, merkle
from notevault.crypto import kdf
from notevault.domain.clients import Client
from notevault.errors import Damaged, DiskFull, NotevaultError, StorageFault
from notevault.formats.keytable import DRAFTS
from notevault.vault import recover, rekey, spares, unlock
from notevault.vault.drafts import Draft, Drafts
from notevault.vault.env import Env
from notevault.vault.headers import grow_pool
from notevault.vault.items import LogItem
from notevault.vault.notebook import Notebook
from notevault.vault.recorder import Act, LogSigner
from notevault.vault.session import Session
from notevault.vault.verify import verify
from tests.fakes.secrets import FakeSecretStores
from tests.fakes.simple import FakeEntropy
from tests.vault.build import (
    CHEAP,
    FIRST,
    LOCAL,
    MORNING_MS,
    OTHER_PASSPHRASE,
    ROOT,
    SECOND,
    House,
    note_of,
    remembered,
    small,
    texts,
)
from tests.vault.test_planted import _thief

THIRD = "Third session: the thought came and went."


def second_laptop(house: House, name: str = "second") -> Env:
    """Another laptop that reaches the same vault folder; its local folder and key store are its own."""
    stores = FakeSecretStores()
    return Env(house.clock, FakeEntropy(name), house.files.another_process(), house.machine, stores, LOCAL / name)


def recovered(house: House, env: Env) -> Session:
    assert house.kit is not None
    data = kdf.normalise(OTHER_PASSPHRASE)
    return recover.recover(env, ROOT, house.kit.seed, house.kit.fingerprint, data, CHEAP)


def save(session: Session, text: str) -> None:
    book = Notebook(session)
    book.add_note(book.clients()[0].id, note_of(text))


def test_a_failed_look_at_another_windows_note_leaves_no_gap() -> None:
    house = remembered()
    mine, theirs = house.unlock(None, shell=False), house.another_process().unlock(None, shell=False)
    save(theirs, THIRD)
    theirs.close("exit")
    real = mine.blobs.get
    calls = iter([StorageFault("The disk did not answer.")])

    def failing(digest: str, *, limit: int) -> bytes:
        for fault in calls:
            raise fault
        return real(digest, limit=limit)

    mine.blobs.get = failing  # type: ignore[method-assign]
    with pytest.raises(StorageFault):
        save(mine, "does not get through")
    save(mine, "gets through")
    assert {FIRST, SECOND, THIRD, "gets through"} == texts(mine)
    mine.close("exit")
    assert house.unlock(None).catalogue.count_notes() == 4


def test_two_laptops_never_give_one_key_to_two_people() -> None:
    house = remembered()
    env = second_laptop(house)
    other = recovered(house, env)
    first = house.unlock(None, shell=False)
    anna = Notebook(first).add_client(Client("Bert Ek", "C-2", None, MORNING_MS))
    bert = Notebook(other).add_client(Client("Carl Ek", "C-3", None, MORNING_MS))
    assert anna.id != bert.id
    assert anna.id[:4] == spares.mark(first.origin) != spares.mark(other.origin) == bert.id[:4]


def test_a_note_of_another_laptop_is_never_swept_from_the_vault() -> None:
    house = remembered()
    other = recovered(house, second_laptop(house))
    first = house.unlock(None)
    save(other, THIRD)  # after `first` has followed every log
    assert verify(first).findings == []
    first.close("exit")
    again = house.unlock(None)
    assert THIRD in texts(again)
    assert not [path for path in house.files.tree(LOCAL) if "set-aside" in path.parts]


def test_verify_moves_nothing() -> None:
    house = remembered()
    session = house.unlock(None)
    digest = house.put_blob(b"lies here for no reason")
    verdict = verify(session)
    assert any("UNLOGGED BLOB" in note for note in verdict.notes)
    assert verdict.exit_code == 0
    assert house.files.size(house.paths.blob(digest)) is not None


def test_what_was_set_aside_comes_back_when_a_log_names_it() -> None:
    house = remembered()
    session = house.unlock(None, shell=False)
    save(session, THIRD)
    write = max(session.catalogue.writes(), key=lambda each: each.i)
    session.blobs.set_aside(write.digest, session.local)
    session.close("")
    session.local.remove_index()
    again = house.unlock(None)
    assert THIRD in texts(again)
    assert again.findings == []


def test_a_folder_under_a_records_name_does_not_stop_the_shell() -> None:
    house = remembered()
    house.files.put_irregular(house.paths.blob("ab" * 32))
    assert texts(house.unlock(None)) == {FIRST, SECOND}


def test_an_entry_taken_out_with_the_logs_keys_is_found_at_opening() -> None:
    house = remembered()
    session = house.unlock(None, shell=False)
    save(session, THIRD)
    save(session, "the one behind it")
    session.close("exit")
    thief = _thief(house)
    entries = list(thief.entries(0, thief.tail.size))
    gone = next(i for i, each in enumerate(entries) if b'"record.write"' in each and i > 3)
    (origin,) = house.origins()
    left = entries[:gone] + entries[gone + 1 :]
    item = next(LogItem.decode(value) for name, value in house.stores.items.items() if name.endswith("/log"))
    root = merkle.root([merkle.leaf_hash(each) for each in left])
    house.files.put_raw(house.paths.open(origin), bundle.pack(left))
    house.files.put_raw(house.paths.checkpoint(origin), LogSigner(item)(len(left), root))
    env = second_laptop(house)  # it has never seen this log, and so no head of it
    session = recovered(house, env)
    assert any("REWRITTEN" in notice for notice in session.notices)
    assert FIRST in texts(session)
    assert all(house.files.size(path) is not None for path in house.vault_files() if "blobs" in path.parts)


def test_a_recovery_without_the_newest_key_file_says_so_and_numbers_above_it() -> None:
    house = remembered()
    session = house.unlock(None, shell=False)
    rekey.confirm_sheet(session)
    grow_pool(session)
    newest = session.header.seq
    session.close("exit")
    (path,) = [each for each in house.vault_files() if each.name.startswith(f"{newest:08d}-")]
    house.files.drop_raw(path)
    again = recovered(house, second_laptop(house))
    assert any("ROLLED BACK" in notice for notice in again.notices)
    assert again.header.seq > newest


def test_our_own_log_taken_away_is_a_rollback_and_not_a_new_beginning() -> None:
    house = remembered()
    other = recovered(house, second_laptop(house))
    other.close("exit")
    (own,) = [name for name in house.origins() if name != other.origin]
    for path in [each for each in house.vault_files() if own in each.parts and "audit" in each.parts]:
        house.files.drop_raw(path)
    before = dict(house.stores.items)
    session = house.unlock(None)
    assert session.read_only is not None
    session.close("exit")
    kept = [value for name, value in house.stores.items.items() if name.endswith("/log")]
    assert kept == [value for name, value in before.items() if name.endswith("/log")]


def test_a_wrong_passphrase_on_an_old_copy_writes_nothing_onto_it() -> None:
    house = small()
    older = house.copy()
    session = house.unlock()
    save(session, THIRD)
    session.close("exit")
    house.put_back(older)
    size = len(house.log())
    with pytest.raises(NotevaultError):
        house.unlock("not the passphrase at all")
    assert len(house.log()) == size


def test_an_entry_that_was_refused_is_told_of_at_every_opening() -> None:
    house = remembered()
    thief = _thief(house)
    thief.record(Act("verify.run", "E", "review", k={"bad": 0, "n": 0}))
    session = house.unlock(None)
    session.catalogue.refuse(session.origin, 1, "Log entry 1 claims to be made with this vault open, but was not.")
    session.close("exit")
    for _ in range(2):
        session = house.unlock(None)
        assert [each.i for each in session.findings] == [1]
        session.catalogue.changes = 1
        session.close("exit")


def test_an_import_that_fails_says_how_many_notes_are_in_and_those_are_whole() -> None:
    house = remembered()
    session = house.unlock(None, shell=False)
    book = Notebook(session)
    anna = house.ids["anna"]
    items = [(anna, note_of(f"Imported {number}.")) for number in range(400)]
    seen: list[int] = []

    def stop(done: int, _all: int) -> None:
        seen.append(done)
        house.files.fail_when("batch", errno.ENOSPC)

    with pytest.raises(DiskFull) as raised:
        book.import_all(items, stop)
    assert f"The first {seen[0]} of 400 notes are saved" in raised.value.sentence
    house.files.mend()
    assert session.catalogue.count_notes() == 2 + seen[0]
    session.close("exit")
    again = house.unlock(None)
    assert again.catalogue.count_notes() == 2 + seen[0]
    assert verify(again).findings == []


def test_recovery_on_the_same_laptop_leaves_no_old_secret_behind() -> None:
    house = small()
    assert house.kit is not None
    before = set(house.stores.items)
    data = kdf.normalise(OTHER_PASSPHRASE)
    recover.recover(house.env, ROOT, house.kit.seed, house.kit.fingerprint, data, CHEAP).close("exit")
    assert not before & set(house.stores.items)


def test_of_two_revisions_with_one_number_the_later_is_shown_and_both_are_kept() -> None:
    house = remembered()
    other = recovered(house, second_laptop(house))
    mine = house.unlock(None, shell=False)
    note_id = house.ids["first"]
    Notebook(mine).revise(note_id, note_of("written first"))
    house.clock.advance(60_000)
    Notebook(other).revise(note_id, note_of("written later"))
    other.close("exit")
    mine.close("exit")
    session = house.unlock(None)
    book = Notebook(session)
    assert book.open_note(note_id)[1].text == "written later"
    assert [book.open_revision(each).text for each in book.history(note_id)] == [
        FIRST,
        "written first",
        "written later",
    ]


def test_a_draft_of_a_newer_notevault_is_told_of_and_left_alone() -> None:
    house = remembered()
    session = house.unlock(None)
    drafts = Drafts(session)
    kept = Draft(b"n" * 16, b"c" * 16, 0, "half a thought", 4, 1, 1, 0)
    drafts.keep(kept)
    assert session.keys.table.current(DRAFTS)[0] == 1
    assert [each.text for each in drafts.list()] == ["half a thought"]
    drafts.keep(replace(kept, cursor="four"))  # type: ignore[arg-type]
    assert drafts.list() == []
    assert session.local.drafts.list() == [kept.note.hex()]
    assert any("draft" in notice for notice in session.notices)


def test_a_damaged_newest_key_file_is_named_where_the_older_one_does_not_know_this_laptop() -> None:
    house = remembered()
    env = second_laptop(house)
    recovered(house, env).close("exit")
    newest = max((path for path in house.vault_files() if "headers" in path.parts), key=lambda path: path.name)
    data = house.files.raw(newest)
    house.files.put_raw(newest, data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    with pytest.raises(Damaged, match="newest key file"):
        unlock.unlock(env, ROOT, kdf.normalise(OTHER_PASSPHRASE), shell=True)
