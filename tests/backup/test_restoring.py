"""After the copying: the sheet alone where the vault was never seen, or a laptop's own key; and a log that goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.app import opening, restoring
from notevault.auditlog import checkpoint, entry
from notevault.auditlog.fault import Fault
from notevault.auditlog.vaultcheck import check_vault
from notevault.backup.restore.plan import decide
from notevault.backup.restore.restore import Restored, finish, restore
from notevault.crypto import kdf, signing
from notevault.errors import Refused, SecretMissing, WrongSecret
from notevault.formats import sheet
from notevault.formats.header import Header
from notevault.vault import rekey
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from tests.backup import vaults
from tests.backup.handmade import lay
from tests.backup.restoring_run import NEW_PASSPHRASE, bring_back
from tests.backup.vaults import Made


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return vaults.small(tmp_path / "home")


def copied(folders: list[Path], to: Path, *, at_ms: int | None = None, known: bytes | None = None) -> Restored:
    copies = restoring.find(folders, DiskTree, None, known)
    choice = decide(copies, at_ms=at_ms).choice
    return restore(copies, choice, to, DiskFiles(), lambda root: DiskPlace(root, "0d" * 16))


def texts(session: Session) -> set[str]:
    book = Notebook(session)
    return {book.open_note(view.id)[1].text for view in book.notes()}


def acts(session: Session) -> list[entry.Entry]:
    found = [entry.parse(data) for data in session.recorder.entries(0, session.recorder.tail.size)]
    return [one for one in found if isinstance(one, entry.Entry)]


def state_of(vault: Path, origin: str) -> tuple[int, str]:
    found = checkpoint.parse((vault / "audit" / origin / "checkpoint").read_bytes())
    assert not isinstance(found, Fault)
    return found.size, found.root.hex()


def seqs(vault: Path) -> list[int]:
    return sorted(int(path.name.split("-")[0]) for path in vault.glob("headers/*/*"))


def is_sound(session: Session) -> None:
    verdict = check_vault(session.paths.root, vik=session.header.vik, verify=signing.verify)
    assert verdict.exit_code == 0, verdict.findings


def test_the_sheet_alone_brings_the_same_notes_back_where_the_vault_was_never_seen(made: Made, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    before = made.texts()
    lay(made.vault, made.hex, tmp_path / "stick")
    (old,) = [path.name for path in (made.vault / "audit").iterdir()]
    kept = state_of(made.vault, old)
    to = tmp_path / "laptop/notes"
    bring_back(tmp_path / "laptop", to, made.sheet, [tmp_path / "stick"])
    assert [path.name for path in to.parent.iterdir() if path.name.startswith("notes")] == ["notes"]
    env = vaults._env(tmp_path / "laptop")
    session = opening.open_vault(env, to, NEW_PASSPHRASE, shell=False)
    assert session.read_only is None
    assert texts(session) == before
    assert session.origin != old
    assert state_of(to, old) == kept, "the old log is closed: nothing was added to it"
    first, *rest = acts(session)
    assert first.ev == "vault.recover"
    assert first.k["cites"] == {"origin": old, "size": kept[0], "root": kept[1]}
    assert [(one.ev, one.o, one.k) for one in rest if one.ev.startswith("backup")] == [
        ("backup.restore", "ok", {"n": len(list(made.vault.glob("blobs/*/*")))})
    ]
    book = Notebook(session)
    book.add_note(book.clients()[0].id, vaults._note("Written on the new laptop."))
    assert texts(session) == before | {"Written on the new laptop."}
    is_sound(session)
    session.close("exit")


def test_the_new_key_file_is_above_every_one_seen_in_any_backup(made: Made, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "old-stick")
    session = made.session()
    for _ in range(3):
        rekey.new_sheet(session)
    session.close("exit")
    seen = max(seqs(made.vault))
    base = lay(made.vault, made.hex, tmp_path / "nas")
    for path in [*base.glob("anchors/*/*"), *base.glob("audit/*/parts/*")]:
        path.unlink()  # the newer log is gone there; the key files alone tell that there was one
    to = tmp_path / "laptop/notes"
    restored = bring_back(tmp_path / "laptop", to, made.sheet, [tmp_path / "old-stick", tmp_path / "nas"])
    assert restored.highest_seq == seen
    assert max(seqs(to)) == seen + 1


def test_a_sheet_that_was_replaced_is_refused_before_anything_is_copied(made: Made, tmp_path: Path) -> None:
    session = made.session()
    rekey.new_sheet(session)
    session.close("exit")
    lay(made.vault, made.hex, tmp_path / "stick")
    with pytest.raises(Refused) as caught:
        bring_back(tmp_path / "laptop", tmp_path / "new", made.sheet, [tmp_path / "stick"])
    assert "newest sheet" in caught.value.next_step
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "new.restoring").exists()


def test_a_sheet_of_another_vault_is_refused(made: Made, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    other = vaults.small(tmp_path / "other", notes=1)
    copies = restoring.find([tmp_path / "stick"], DiskTree, None)
    with pytest.raises(Refused) as caught:
        restoring.try_sheet(copies, decide(copies).choice, sheet.parse_sheet(other.sheet))
    assert "another vault" in caught.value.sentence


def test_a_vault_that_somebody_planted_in_the_place_is_left_out(made: Made, tmp_path: Path) -> None:
    base = lay(made.vault, made.hex, tmp_path / "stick")
    fresh = vaults.Made2(tmp_path / "planted", seed="planted")
    fresh.vault_id = made.vault_id
    fresh.begin()
    fresh.write([4096] * 600)
    lay(fresh.vault, made.hex, tmp_path / "stick")
    assert base.exists()
    to = tmp_path / "laptop/notes"
    bring_back(tmp_path / "laptop", to, made.sheet, [tmp_path / "stick"])
    assert not (to / "audit" / fresh.origin).exists()
    assert len(list(to.glob("blobs/*/*"))) == len(list(made.vault.glob("blobs/*/*")))


def enrolled(made: Made, restored: Restored, passphrase: str) -> Session:
    env = made.env()
    known = restoring.known_of(env, made.hex, restored.folder)
    return restoring.open_here(env, known, restored, passphrase)


def test_a_laptop_with_a_key_of_its_own_needs_no_sheet(made: Made, tmp_path: Path) -> None:
    before = made.texts()
    lay(made.vault, made.hex, tmp_path / "stick")
    (old,) = [path.name for path in (made.vault / "audit").iterdir()]
    kept = state_of(made.vault, old)
    made.vault.rename(tmp_path / "gone")
    restored = copied([tmp_path / "stick"], made.vault)
    session = enrolled(made, restored, made.passphrase)
    assert session.read_only is None
    assert texts(session) == before
    assert state_of(made.vault, old) == kept, "what came after the backup may lie elsewhere: that log stays as it is"
    begun = acts(session)
    assert begun[0].k["cites"] == {"origin": old, "size": kept[0], "root": kept[1]}
    events = [one.ev for one in begun]
    assert "rollback.confirm" not in events, "nothing was rolled back"
    assert "session.open" in events
    assert "backup.restore" in events
    is_sound(session)
    session.close("exit")
    again = made.session()
    assert again.read_only is None
    assert texts(again) == before
    again.close("exit")


def test_a_backup_from_before_a_new_passphrase_opens_with_the_sheet(made: Made, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    before = made.texts()
    made.write("Never backed up.")
    session = made.session()
    rekey.change_passphrase(session, kdf.normalise(made.passphrase), kdf.CHEAPEST)
    session.close("exit")
    made.vault.rename(tmp_path / "gone")
    restored = copied([tmp_path / "stick"], made.vault)
    with pytest.raises(SecretMissing):
        enrolled(made, restored, made.passphrase)
    code = sheet.parse_sheet(made.sheet)
    session = restoring.recover_here(made.env(), restored, code, NEW_PASSPHRASE, kdf.CHEAPEST)
    assert texts(session) == before
    assert any(notice.startswith("ROLLED BACK") for notice in session.notices)
    assert session.read_only is None
    session.close("exit")


def test_a_backup_that_is_a_little_behind_goes_on_with_the_laptops_own_passphrase(made: Made, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    before = made.texts()
    made.write("Never backed up.")
    made.vault.rename(tmp_path / "gone")
    restored = copied([tmp_path / "stick"], made.vault)
    session = enrolled(made, restored, made.passphrase)
    assert session.read_only is None
    assert texts(session) == before
    assert [one.ev for one in acts(session)][1] == "rollback.confirm"
    is_sound(session)
    session.close("exit")
    again = made.session()
    assert again.read_only is None, "confirmed once and for all"
    again.close("exit")


def test_a_wrong_passphrase_leaves_the_laptops_own_vault_its_own(made: Made, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    restored = copied([tmp_path / "stick"], tmp_path / "new")
    env = made.env()
    known = restoring.known_of(env, made.hex, restored.folder)
    assert known.living == made.vault
    with pytest.raises(WrongSecret):
        restoring.open_here(env, known, restored, "not the right passphrase")
    session = made.session()
    assert session.read_only is None
    session.close("exit")
    copy = opening.open_vault(env, restored.folder, made.passphrase, shell=False)
    assert copy.is_copy
    copy.close("")


def test_a_wrong_passphrase_enters_nothing_in_the_restored_log_and_waits_for_the_new_one(
    made: Made, tmp_path: Path
) -> None:
    """The restored log may have gone on elsewhere: an entry more, and an auditor would prove a fork."""
    lay(made.vault, made.hex, tmp_path / "stick")
    made.vault.rename(tmp_path / "gone")
    restored = copied([tmp_path / "stick"], made.vault)
    (old,) = [path.name for path in (made.vault / "audit").iterdir()]
    before = state_of(made.vault, old)
    env = made.env()
    known = restoring.known_of(env, made.hex, restored.folder)
    for _ in range(2):
        with pytest.raises(WrongSecret):
            restoring.open_here(env, known, restored, "not the right passphrase")
    assert state_of(made.vault, old) == before
    assert len(known.local.kept_fails()) == 2
    enrolled(made, restored, made.passphrase).close("exit")
    made.session().close("exit")
    assert state_of(made.vault, old) == before
    session = made.session()
    tries = [one for one in acts(session) if one.ev == "session.fail"]
    session.close("exit")
    assert [(one.o, one.k["why"]) for one in tries] == [("reported", "passphrase")] * 2
    assert known.local.kept_fails() == []


def test_a_restored_vault_can_take_the_place_of_the_one_there(made: Made, tmp_path: Path) -> None:
    before = made.texts()
    lay(made.vault, made.hex, tmp_path / "stick")
    restored = copied([tmp_path / "stick"], tmp_path / "new")
    session = enrolled(made, restored, made.passphrase)
    assert session.read_only is None
    assert texts(session) == before
    session.close("exit")
    finish(DiskFiles(), restored.folder)
    old = made.session()
    assert old.is_copy
    old.close("")


def test_every_new_key_file_holds_by_its_signature(made: Made, tmp_path: Path) -> None:
    lay(made.vault, made.hex, tmp_path / "stick")
    to = tmp_path / "laptop/notes"
    bring_back(tmp_path / "laptop", to, made.sheet, [tmp_path / "stick"])
    (newest,) = [path for path in to.glob("headers/*/*") if path.name.startswith(f"{max(seqs(to)):08d}")]
    header = Header.parse(newest.read_bytes())
    assert signing.verify_header(header)
    assert len(header.origins) == 2
