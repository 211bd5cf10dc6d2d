"""A vault whose own log rotted, opened with the sheet: its notes are named anew, so checks and backups know them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.app import opening
from notevault.backup.source.source import Source, read_source
from notevault.crypto import kdf
from notevault.errors import LogDamaged
from notevault.formats import sheet
from notevault.storage.layout import BUNDLE
from notevault.vault import rekey, salvage, takeover
from notevault.vault.notebook import Notebook
from notevault.vault.recorder import Act
from notevault.vault.replay import subject_of
from notevault.vault.session import Session
from notevault.vault.verify import verify
from tests.backup import vaults
from tests.backup.restoring_run import NEW_PASSPHRASE
from tests.backup.vaults import Made


@pytest.fixture
def made(tmp_path: Path) -> Made:
    made = vaults.small(tmp_path / "home", notes=3)
    session = made.session()
    session.log_acts([Act("session.list", "R")] * BUNDLE)
    session.close("exit")
    made.write("Written after the first bundle.")
    return made


def recovered(made: Made) -> Session:
    code = sheet.parse_sheet(made.sheet)
    return opening.recover_vault(made.env(), made.vault, code.seed, code.fingerprint, NEW_PASSPHRASE, kdf.CHEAPEST)


def rot(made: Made) -> None:
    (path,) = made.vault.glob("audit/*/entries/000")
    data = bytearray(path.read_bytes())
    data[data.rindex(b'"ev":"record.write"') + 40] ^= 1
    path.write_bytes(data)


def live(source: Source) -> set[str]:
    return {digest for first in range(256) for digest in source.live.sizes(first)}


def names(made: Made) -> set[str]:
    return {path.name for path in made.vault.glob("blobs/*/*")}


def texts(session: Session) -> set[str]:
    book = Notebook(session)
    return {book.open_note(view.id)[1].text for view in book.notes()}


def test_one_rotten_byte_in_the_log_costs_no_note_and_no_backup(made: Made) -> None:
    before = made.texts()
    rot(made)
    with pytest.raises(LogDamaged):
        read_source(DiskFiles(), made.vault, None)
    session = recovered(made)
    assert texts(session) == before
    session.close("exit")
    source = read_source(DiskFiles(), made.vault, None)
    assert live(source) == names(made)
    assert source.faults, "and it is told that an older log is damaged"


def test_without_any_log_the_keys_find_every_note(made: Made) -> None:
    before = made.texts()
    for log in made.vault.glob("audit/*"):
        shutil.rmtree(log)
    session = recovered(made)
    assert texts(session) == before
    client = Notebook(session).clients()[0].client
    assert (client.name, client.code) == ("Anna Berg", "C-1")
    session.close("exit")
    assert live(read_source(DiskFiles(), made.vault, None)) == names(made)


def test_a_later_opening_takes_nothing_over_again_and_says_nothing_new(made: Made) -> None:
    rot(made)
    recovered(made).close("exit")
    session = opening.open_vault(made.env(), made.vault, NEW_PASSPHRASE, shell=False)
    size = session.recorder.tail.size
    assert takeover.take_over(session) == takeover.TakenOver(0, 0, 0)
    assert session.recorder.tail.size == size
    assert len(texts(session)) == 4
    session.close("exit")


def test_after_a_salvage_only_the_old_log_fails_and_the_check_says_so(made: Made) -> None:
    rot(made)
    recovered(made).close("exit")
    session = opening.open_vault(made.env(), made.vault, NEW_PASSPHRASE, shell=False)
    verdict = verify(session)
    assert (verdict.exit_code, verdict.salvaged) == (1, True)
    assert salvage.nothing_lost(session)
    session.close("exit")


def test_a_note_lost_after_a_salvage_is_no_matter_of_the_old_log(made: Made) -> None:
    rot(made)
    recovered(made).close("exit")
    session = opening.open_vault(made.env(), made.vault, NEW_PASSPHRASE, shell=False)
    note = next(write for write in session.catalogue.writes() if write.type == 2)
    session.close("exit")
    (path,) = made.vault.glob(f"blobs/*/{note.digest}")
    path.unlink()
    session = opening.open_vault(made.env(), made.vault, NEW_PASSPHRASE, shell=False)
    verdict = verify(session)
    assert (verdict.exit_code, verdict.salvaged) == (1, False)
    session.close("exit")


def test_a_log_that_was_only_put_behind_is_not_called_salvaged(made: Made) -> None:
    """Going on with a new log takes no records over: what the damaged one named is still for a backup to mend."""
    rot(made)
    session = made.session()
    assert session.read_only is not None
    fresh = rekey.confirm_rollback(session)
    verdict = verify(fresh)
    assert (verdict.exit_code, verdict.salvaged) == (1, False)
    fresh.close("exit")


def test_what_no_key_opens_is_left_alone(made: Made) -> None:
    rot(made)
    stranger = made.vault / "blobs/00" / ("00" * 32)
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(b"NVO1" + bytes(4180))
    session = recovered(made)
    assert len(texts(session)) == 4
    session.close("exit")
    assert stranger.exists()
    assert stranger.name not in live(read_source(DiskFiles(), made.vault, None))


def test_what_was_destroyed_on_purpose_does_not_come_back(made: Made) -> None:
    """A purge that a damaged log still tells of holds, also where a backup brought the file back."""
    session = made.session()
    note = next(write for write in session.catalogue.writes() if write.type == 2)
    act = Act(
        "record.purge",
        "D",
        "admin",
        digest=note.digest,
        size=note.size,
        k={"sig": "A" * 85 + "A=="},
        subject=subject_of(note),
    )
    session.log_acts([act])
    session.close("exit")
    rot(made)
    session = recovered(made)
    assert note.digest not in live(read_source(DiskFiles(), made.vault, None))
    session.close("exit")


def test_a_log_that_rots_without_a_recovery_still_stops_the_backups(made: Made) -> None:
    """Nothing is given up because a file is damaged: only because somebody has seen it and gone on."""
    code = sheet.parse_sheet(made.sheet)
    opening.recover_vault(made.env(), made.vault, code.seed, code.fingerprint, NEW_PASSPHRASE, kdf.CHEAPEST).close(
        "exit"
    )
    rot(made)
    with pytest.raises(LogDamaged):
        read_source(DiskFiles(), made.vault, None)
