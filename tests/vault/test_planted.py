"""What somebody with write access, or even with the log's keys, puts into the vault: never applied, always named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from notevault.auditlog import entry
from notevault.crypto import kdf, signing, slots
from notevault.crypto import keytable as table_seal
from notevault.errors import Refused, WrongSecret
from notevault.formats.header import Header, PassphraseSlot
from notevault.formats.ids import Digest, Origin, SlotId, VaultId
from notevault.storage.headers import HeaderStore
from notevault.storage.logbelieve import CardBelieves
from notevault.storage.logfile import LogFile
from notevault.vault import recover, rekey
from notevault.vault.items import LogItem
from notevault.vault.notebook import Notebook
from notevault.vault.recorder import Act, LogSigner, Recorder, Subject
from notevault.vault.session import Keys
from notevault.vault.survey import read_card, survey
from notevault.vault.verify import verify
from tests.vault.build import (
    CHEAP,
    FIRST,
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


def _thief(house: House) -> Recorder:
    """A recorder with the stolen log keys, without the vault's."""
    seen = survey(house.env, ROOT)
    item = next(LogItem.decode(value) for name, value in house.stores.items.items() if name.endswith("/log"))
    log = LogFile(house.files, seen.paths, seen.local, item.origin)
    own = seen.alleged[-1].header  # below one that was planted
    card = read_card(house.env, seen.paths, own, item.origin)
    tail = log.load(CardBelieves(card, signing.verify))
    return Recorder(house.env, log, LogSigner(item), bytes(8), tail)


class _ForgedSealer:
    """Adds what the form asks for, made of nothing."""

    def __init__(self, alike: entry.Entry) -> None:
        self._alike = alike

    def seal(self, fields: dict[str, object], act: Act, origin: str) -> dict[str, object]:
        if act.subject is not None:
            fields["st"], fields["nt"] = "1" * 32, "2" * 32
            fields["x"] = self._alike.fields()["x"]
        return fields

    def mac(self, fields: dict[str, object], origin: str) -> dict[str, object]:
        fields["g"], fields["h"] = 1, "0" * 32
        return fields


def _forge(house: House, *acts: Act) -> None:
    recorder = _thief(house)
    recorder.sealer = _ForgedSealer(next(each for each in house.log() if each.ev == "record.write"))
    recorder.record(*acts)


def test_an_entry_with_a_wrong_mac_is_named_and_not_applied() -> None:
    house = remembered()
    blob = next(path for path in house.vault_files() if "blobs" in path.parts)
    subject = Subject(2, b"c" * 16, b"o" * 16, 9, 1)
    _forge(house, Act("record.write", "U", digest=blob.name, size=100, subject=subject), Act("sheet.confirm", "E"))
    session = house.unlock(None)
    assert len(session.findings) == 2
    assert all("claims to be made with this vault open" in each.sentence for each in session.findings)
    assert texts(session) == {FIRST, SECOND}
    assert not rekey.sheet_confirmed(session)
    session.close("exit")
    for _ in range(2):  # the second time from the index, which has passed those entries
        verdict = house.verified_again()
        assert [code for code, _ in verdict.findings] == ["UNAUTHENTIC", "UNAUTHENTIC"]
        assert verdict.exit_code == 1


def test_the_blob_of_a_forged_entry_is_not_swept_away_before_somebody_looked() -> None:
    house = remembered()
    data = b"not sealed by anybody"
    digest = house.put_blob(data)
    _forge(
        house, Act("record.write", "C", digest=digest, size=len(data), subject=Subject(2, b"c" * 16, b"o" * 16, 1, 1))
    )
    session = house.unlock(None)
    assert session.findings
    session.close("exit")
    assert house.paths.blob(digest) in house.vault_files()


def test_a_header_of_a_foreign_identity_named_by_a_thief_is_not_believed() -> None:
    house = remembered()
    before = survey(house.env, ROOT).header
    theirs = signing.private_key(b"\x07" * 32)
    size = len(house.log())
    forged = replace(
        before,
        seq=2,
        origins={before.origin: size},
        prev=Digest("a" * 64),
        vik=signing.public_bytes(theirs),
        sig=bytes(64),
    )
    forged = replace(forged, sig=signing.sign_header(forged, b"\x07" * 32))
    data = forged.to_bytes()
    written = HeaderStore(house.files, house.paths).write(before.origin, 2, data)
    _forge(house, Act("header.write", "U", "admin", digest=written.digest, size=len(data), k={"seq": 2, "why": "pool"}))
    session = house.unlock(None)
    assert session.header.seq == 1
    assert session.header.vik == before.vik
    assert texts(session) == {FIRST, SECOND}
    assert any("claims" in each.sentence for each in session.findings)
    codes = [code for code, _ in verify(session).findings]
    assert "HEADER" in codes
    assert "UNAUTHENTIC" in codes


def test_a_whole_foreign_vault_put_into_the_folder_does_not_hide_ours() -> None:
    house, stranger = remembered(), small("stranger")
    session = stranger.unlock()
    rekey.change_passphrase(session, kdf.normalise(OTHER_PASSPHRASE), CHEAP)
    session.close("exit")
    for path, data in stranger.vault_files().items():
        house.files.put_raw(path, data)
    ours = house.unlock(None)
    assert ours.read_only is None
    assert texts(ours) == {FIRST, SECOND}
    codes = {code for code, _ in verify(ours).findings}
    assert {"HEADER", "UNLISTED"} <= codes


def test_a_header_that_asks_for_no_work_is_refused_before_any_is_done() -> None:
    _weakened(lambda slot: replace(slot, m=1024, t=1), "less protection")


def test_a_header_that_asks_for_more_memory_than_there_is_is_refused_before_it_is_taken() -> None:
    _weakened(lambda slot: replace(slot, m=2 * 1024 * 1024), "more than this computer")
    _weakened(lambda slot: replace(slot, t=2**20), "more than this computer")


def _weakened(change: Callable[[PassphraseSlot], PassphraseSlot], word: str) -> None:
    """A header signed by the vault itself (a stolen identity key) with other costs in its slot."""
    house = small()
    house.machine.total = 2 << 30
    session = house.unlock()
    vik_seed, vk = session.keys.table.vik_seed, session.keys.vk
    header: Header = replace(
        session.header,
        seq=2,
        origins={session.header.origin: session.recorder.tail.size},
        prev=Digest(session.header_digest),
        slots=tuple(
            change(each) if rekey.is_own_slot(each, session.device_id) else each for each in session.header.slots
        ),
    )
    header = replace(header, table=table_seal.seal_table(session.keys.table, vk, header, house.env.entropy))
    header = replace(header, sig=signing.sign_header(header, vik_seed))
    data = header.to_bytes()
    written = session.headers.write(session.origin, 2, data)
    session.recorder.record(
        Act("header.write", "U", "admin", digest=written.digest, size=len(data), k={"seq": 2, "why": "policy"})
    )
    with pytest.raises(Refused) as refused:
        house.after_kill().unlock()
    assert not isinstance(refused.value, WrongSecret)
    assert word in refused.value.sentence


def test_an_orphan_file_is_set_aside_and_said() -> None:
    house = remembered()
    digest = house.put_blob(b"an orphan")
    session = house.unlock(None)
    assert any("set aside" in notice for notice in session.notices)
    assert house.paths.blob(digest) not in house.vault_files()
    kept = [data for path, data in house.files.tree().items() if "set-aside" in path.parts]
    assert b"an orphan" in kept
    assert verify(session).exit_code == 0


def test_an_orphan_found_by_verify_is_set_aside_and_said() -> None:
    house = remembered()
    session = house.unlock(None, shell=False)
    house.put_blob(b"an orphan")
    verdict = verify(session)
    assert verdict.exit_code == 0
    assert any("UNLOGGED" in note for note in verdict.notes)


def test_things_that_are_not_ours_in_the_folder_are_noted_and_left_alone() -> None:
    house = remembered()
    for name in ("blobs/ab/conflict (1)", "notes.txt", "audit/x", "headers/y/z"):
        house.files.put_raw(ROOT / name, b"?")
    verdict = verify(house.unlock(None))
    assert verdict.exit_code == 0
    assert any("not notevault's" in note for note in verdict.notes)
    assert ROOT / "notes.txt" in house.vault_files()


def test_somebody_elses_sealing_to_the_sheets_key_opens_nothing() -> None:
    """Whoever has seen a header knows the sheet's public key and can seal a vault of his own to it."""
    house = small()
    assert house.kit is not None
    kit = slots.KitKeys.from_seed(house.kit.seed)
    evil = small("evil")
    session = evil.unlock()
    vault_id = survey(house.env, ROOT).vault_id
    table = replace(session.keys.table, vik_seed=b"\x09" * 32)
    slot = slots.seal_recovery_slot(session.keys.vk, 1, vault_id, SlotId(b"s" * 16), kit.public)
    blank = replace(
        session.header,
        vault=VaultId(vault_id),
        seq=77,
        slots=(slot,),
        vik=signing.public_key(b"\x09" * 32),
        origins={},
        sig=bytes(64),
    )
    blank = replace(blank, prev=Digest("a" * 64))
    origin = Origin("ab" * 16)
    header = replace(blank, origin=origin, origins={origin: 0})
    header = replace(header, table=table_seal.seal_table(table, session.keys.vk, header, house.env.entropy))
    header = replace(header, sig=signing.sign_header(header, b"\x09" * 32))
    HeaderStore(house.files, house.paths).write(origin, 77, header.to_bytes())
    opened, _, keys = recover.open_with_sheet(house.env, ROOT, house.kit.seed, house.kit.fingerprint)
    assert opened.seq == 1
    assert isinstance(keys, Keys)
    assert keys.vk != session.keys.vk
    for path in [path for path in house.vault_files() if "headers" in path.parts and origin not in path.parts]:
        house.files.drop_raw(path)
    with pytest.raises(Refused) as refused:
        recover.open_with_sheet(house.env, ROOT, house.kit.seed, house.kit.fingerprint)
    assert "another vault" in refused.value.sentence


def test_a_sheet_that_was_replaced_opens_nothing_and_the_new_one_does() -> None:
    house = small()
    assert house.kit is not None
    session = house.unlock()
    kit = rekey.new_sheet(session)
    assert not rekey.sheet_confirmed(session)
    rekey.confirm_sheet(session)
    session.close("exit")
    with pytest.raises(Refused) as refused:
        recover.open_with_sheet(house.env, ROOT, house.kit.seed, house.kit.fingerprint)
    assert "replaced" in refused.value.sentence
    header, _, _ = recover.open_with_sheet(house.env, ROOT, kit.seed, kit.fingerprint)
    assert header.seq == 2
    assert rekey.sheet_confirmed(house.unlock())


def test_a_sheet_of_another_vault_is_refused() -> None:
    house, other = small(), small("stranger")
    assert other.kit is not None
    with pytest.raises(Refused):
        recover.open_with_sheet(house.env, ROOT, other.kit.seed, other.kit.fingerprint)


def test_recovery_on_the_same_laptop_ends_its_old_passphrase() -> None:
    house = small()
    assert house.kit is not None
    session = recover.recover(
        house.env, ROOT, house.kit.seed, house.kit.fingerprint, kdf.normalise(OTHER_PASSPHRASE), CHEAP
    )
    assert texts(session) == {FIRST, SECOND}
    assert rekey.sheet_confirmed(session)
    session.close("exit")
    with pytest.raises(WrongSecret):
        house.unlock(PASSPHRASE)
    later = house.unlock(OTHER_PASSPHRASE)
    Notebook(later).add_note(house.ids["anna"], note_of("after"))
    assert later.origin != small().log()[0].p
    assert len([slot for slot in later.header.slots if slot.kind == "passphrase"]) == 1
    assert verify(later).exit_code == 0


def test_recovery_elsewhere_keeps_the_first_laptop() -> None:
    first = small()
    second = first.copy()
    assert first.kit is not None
    for path in list(second.files.tree(second.local.root)):
        second.files.drop_raw(path)
    second.stores.items.clear()
    session = recover.recover(
        second.env, ROOT, first.kit.seed, first.kit.fingerprint, kdf.normalise(OTHER_PASSPHRASE), CHEAP
    )
    assert any("Other laptops" in notice for notice in session.notices)
    session.close("exit")
    first.put_back(second)
    assert texts(first.unlock(PASSPHRASE)) == {FIRST, SECOND}
