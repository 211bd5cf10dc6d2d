"""A lone backup whose log is damaged: every note that is whole comes back all the same, and is in the next backup."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.app import restoring
from notevault.auditlog import checkpoint, entry
from notevault.auditlog.fault import Fault
from notevault.backup.copies.copies import Copies
from notevault.backup.places import layout as names
from notevault.backup.restore.plan import decide
from notevault.backup.restore.restore import restore
from notevault.backup.restore.salvage import Salvage, salvage
from notevault.backup.source.source import read_source
from notevault.crypto import kdf
from notevault.errors import Interrupted, NotFound
from notevault.formats import sheet
from notevault.storage.layout import BUNDLE
from notevault.vault.notebook import Notebook
from notevault.vault.recorder import Act
from notevault.vault.session import Session
from tests.backup import vaults
from tests.backup.handmade import lay
from tests.backup.restoring_run import NEW_PASSPHRASE
from tests.backup.vaults import Made

NOTES = 10


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Of its notes some are named in the first bundle of the log, some after it."""
    made = vaults.small(tmp_path_factory.mktemp("worked") / "home", notes=2)
    made.write(*(f"Of day {number}." for number in range(NOTES // 2)))
    session = made.session()
    session.log_acts([Act("session.list", "R")] * BUNDLE)
    session.close("exit")
    made.write(*(f"Of day {number}." for number in range(NOTES // 2, NOTES)))
    return made


@pytest.fixture
def stick(worked: Made, tmp_path: Path) -> Path:
    lay(worked.vault, worked.hex, tmp_path / "stick")
    return tmp_path / "stick"


def copies_of(worked: Made, *folders: Path) -> Copies:
    return restoring.find(folders, DiskTree, None, sheet.parse_sheet(worked.sheet).fingerprint)


def saved(worked: Made, tmp_path: Path, *folders: Path) -> Session:
    """Salvaged onto a new laptop and opened with the sheet; the caller closes it."""
    code = sheet.parse_sheet(worked.sheet)
    copies = copies_of(worked, *folders)
    found = salvage(copies)
    assert found is not None
    restoring.try_sheet(copies, found, code)
    laptop = tmp_path / "laptop"
    copied = restore(copies, found, laptop / "notes", DiskFiles(), lambda root: DiskPlace(root, "0d" * 16))
    return restoring.recover_here(vaults._env(laptop), copied, code, NEW_PASSPHRASE, kdf.CHEAPEST)


def texts(session: Session) -> set[str]:
    book = Notebook(session)
    return {book.open_note(view.id)[1].text for view in book.notes()}


def parts(stick: Path, pattern: str) -> list[Path]:
    return sorted(path for path in stick.glob(f"notevault/*/audit/*/{pattern}") if path.is_file())


def flip(stick: Path) -> None:
    """One bit of one byte in the one full bundle, in an entry that names a note."""
    path = parts(stick, "entries/000")[0]
    data = bytearray(path.read_bytes())
    data[data.index(b'"ev":"record.write"') + 30] ^= 1
    path.write_bytes(data)


def cut(stick: Path) -> None:
    path = parts(stick, "entries/000")[0]
    path.write_bytes(path.read_bytes()[:2500])


def no_bundle(stick: Path) -> None:
    parts(stick, "entries/000")[0].unlink()


def no_part(stick: Path) -> None:
    parts(stick, "parts/*")[0].unlink()


def no_log(stick: Path) -> None:
    for folder in stick.glob("notevault/*/audit"):
        shutil.rmtree(folder)


def no_anchors(stick: Path) -> None:
    for folder in [*stick.glob("notevault/*/anchors"), *stick.glob("notevault/*/audit/*/seals")]:
        shutil.rmtree(folder)


DAMAGE = [flip, cut, no_bundle, no_part, no_log, no_anchors]


@pytest.mark.parametrize("damage", DAMAGE)
def test_with_a_damaged_log_every_whole_note_comes_back_and_is_named_again(
    worked: Made, stick: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    before = worked.texts()
    damage(stick)
    try:
        found = decide(copies_of(worked, stick))
    except NotFound:
        pass
    else:
        assert found.question, "an early state is never taken unasked"
        assert found.entries
        assert found.orphans
    session = saved(worked, tmp_path, stick)
    assert texts(session) == before
    assert session.read_only is None
    session.close("exit")
    source = read_source(DiskFiles(), tmp_path / "laptop/notes", None)
    blobs = {path.name for path in stick.glob("notevault/*/blobs/*/*")}
    assert {digest for first in range(256) for digest in source.live.sizes(first)} == blobs, "the next backup has all"


def test_what_was_taken_over_once_is_not_taken_over_again(worked: Made, stick: Path, tmp_path: Path) -> None:
    flip(stick)
    session = saved(worked, tmp_path, stick)
    found = [entry.parse(data) for data in session.recorder.entries(0, session.recorder.tail.size)]
    mine = [one for one in found if isinstance(one, entry.Entry) and one.ev == "record.write"]
    assert {(one.pu, one.o) for one in mine} == {("recovery", "reported")}
    named = [one.c for one in mine]
    assert len(named) == len(set(named)) == NOTES + 3
    session.close("exit")
    laid = tmp_path / "second"
    lay_all(tmp_path / "laptop/notes", worked.hex, laid, session.origin)
    chosen = decide(copies_of(worked, laid))
    assert not chosen.question, "all that the damaged log named is named by a sound one"
    assert chosen.choice.live.count == NOTES + 3


def lay_all(vault: Path, vault_hex: str, folder: Path, sound: str) -> None:
    """The vault in a place, with its damaged log as it is."""
    copy = folder.with_name("to-lay")
    shutil.copytree(vault, copy)
    for log in (copy / "audit").iterdir():
        if log.name != sound:
            signed = (log / "checkpoint").read_bytes()
            state = checkpoint.parse(signed)
            assert not isinstance(state, Fault)
            anchor = names.base(folder, vault_hex) / names.anchor(log.name, state.size, state.root)
            anchor.parent.mkdir(parents=True)
            anchor.write_bytes(signed)
            card = names.base(folder, vault_hex) / names.card(log.name)
            card.parent.mkdir(parents=True)
            shutil.copy(log / "card", card)
            shutil.rmtree(log)
    lay(copy, vault_hex, folder)


def test_files_that_are_damaged_stay_behind_and_the_others_come(worked: Made, stick: Path, tmp_path: Path) -> None:
    before = worked.texts()
    no_log(stick)
    hurt = sorted(path for path in stick.glob("notevault/*/blobs/*/*"))[:4]
    for path in hurt:
        path.write_bytes(bytes(path.stat().st_size))
    session = saved(worked, tmp_path, stick)
    there = texts(session)
    assert there < before
    assert len(before) - len(there) <= 4
    session.close("exit")
    assert not any((tmp_path / "laptop/notes/blobs" / path.name[:2] / path.name).exists() for path in hurt)


def test_two_damaged_copies_are_put_together(worked: Made, stick: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(stick, other)
    no_log(stick)
    no_anchors(other)
    flip(other)
    for number, path in enumerate(sorted(stick.glob("notevault/*/blobs/*/*"))):
        where = (stick, other)[number % 2]
        (where / path.relative_to(stick)).unlink()
    before = worked.texts()
    session = saved(worked, tmp_path, stick, other)
    assert texts(session) == before
    session.close("exit")


def test_what_somebody_laid_there_does_no_harm(worked: Made, stick: Path, tmp_path: Path) -> None:
    before = worked.texts()
    flip(stick)
    rng = random.Random(5)
    base = next(path for path in (stick / "notevault").iterdir() if path.is_dir())
    for name in ("9999999999999999", "abc", "x999"):
        log = next((base / "audit").iterdir())
        (log / "entries" / name).write_bytes(rng.randbytes(3000))
        (log / "parts").mkdir(exist_ok=True)
        (log / "parts" / f"{256 * 10**12}-{256 * 10**12 + 5}").write_bytes(rng.randbytes(300))
    for _ in range(20):
        digest = rng.randbytes(32).hex()
        path = base / "blobs" / digest[:2] / digest
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(rng.randbytes(4184))
    fake = base / "headers" / next((base / "headers").iterdir()).name / f"00000099-{rng.randbytes(32).hex()}"
    fake.write_bytes(rng.randbytes(2000))
    session = saved(worked, tmp_path, stick)
    assert texts(session) == before
    session.close("exit")


def test_a_backup_of_which_no_key_file_is_left_offers_no_salvage(worked: Made, stick: Path) -> None:
    no_log(stick)
    for folder in stick.glob("notevault/*/headers"):
        shutil.rmtree(folder)
    copies = restoring.find([stick], DiskTree, None)
    assert salvage(copies) is None


def test_an_interrupted_salvage_goes_on(worked: Made, stick: Path, tmp_path: Path) -> None:
    flip(stick)
    copies = copies_of(worked, stick)
    found = salvage(copies)
    assert isinstance(found, Salvage)
    to = tmp_path / "laptop/notes"
    with pytest.raises(Interrupted):
        restore(copies, found, to, DiskFiles(), lambda root: DiskPlace(root, "0d" * 16), stop=lambda: True)
    assert not to.exists()
    session = saved(worked, tmp_path, stick)
    assert len(texts(session)) == NOTES + 2
    session.close("exit")
