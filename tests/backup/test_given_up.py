"""A recovery sheet that was replaced must not open what is backed up from then on: its key files are not brought."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.app import restoring
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Weight
from notevault.backup import model
from notevault.backup.checks.verify import FULL, verify
from notevault.backup.heal.heal import heal
from notevault.backup.mirror.mirror import run_pass
from notevault.backup.model import PlaceFile
from notevault.backup.places import layout as place
from notevault.backup.places.ground import Ground
from notevault.backup.places.registry import Places
from notevault.backup.restore.plan import decide
from notevault.backup.restore.restore import restore
from notevault.backup.source import guard
from notevault.backup.source.keyfiles import KeyFile, given_up
from notevault.backup.source.reading import read_vault
from notevault.crypto import signing, slots
from notevault.formats import sheet
from notevault.formats.header import Header, RecoverySlot
from notevault.formats.sheet import SheetCode
from notevault.ports import Volume
from notevault.vault import headers, rekey
from tests.backup import vaults
from tests.backup.vaults import Made
from tests.fakes.simple import FakeClock

DEVICE = "0d" * 16
NOW = 1_900_000_000_000


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return vaults.small(tmp_path / "home")


class Stick:
    """A place of this vault, and passes over it."""

    def __init__(self, made: Made, folder: Path, digit: str) -> None:
        files = DiskFiles()
        self.made, self.folder, self.id = made, folder, digit * 32
        self.base = place.base(folder, made.hex)
        self.base.mkdir(parents=True)
        (self.base / place.MARKER).write_bytes(place.Marker(self.id, made.hex).encode())
        self.clock = FakeClock(NOW)
        self.ground = Ground(files, self.clock, Places(files, made.own), made.vault, DiskTree(made.vault), DEVICE)
        self.at = PlaceFile(self.id, f"USB {digit}", str(folder), "fixed", 1)
        self.ground.places.save(self.at)

    def go(self) -> str:
        self.clock.advance(100_000_000)
        source = read_vault(self.ground)
        look = guard.look(source, self.ground.vault_tree, self.ground.places, self.clock.wall_ms())
        tree, volume = DiskPlace(self.base, DEVICE), Volume("fixed", "", self.folder, 7)
        return run_pass(self.ground, self.at, tree, volume, source, look, whole_log=True).verdict

    def seqs(self) -> list[int]:
        return sorted(int(path.name[:8]) for path in self.base.glob("headers/*/*"))

    def opens(self, code: str, to: Path) -> bool:
        """Restored, does anything in it open with this sheet?"""
        copies = restoring.find([self.folder], DiskTree, None)
        found = restore(copies, decide(copies).choice, to, DiskFiles(), lambda root: DiskPlace(root, DEVICE))
        return opens(self.made, found.folder, read(code))


def read(code: str) -> SheetCode:
    return sheet.decode(code)


def opens(made: Made, vault: Path, code: SheetCode) -> bool:
    """Has any key file here a slot for this sheet? Whoever has one has the vault's key."""
    kit = slots.KitKeys.from_seed(code.seed)
    found = [Header.parse(path.read_bytes()) for path in vault.glob("headers/*/*")]
    kits = [(slot, one) for one in found for slot in one.slots if isinstance(slot, RecoverySlot)]
    for slot, header in kits:
        if slot.pk == kit.public:
            slots.open_recovery_slot(slot, made.vault_id, header.generation, kit)
            return True
    return False


def renew_sheet(made: Made) -> str:
    session = made.session()
    kit = rekey.new_sheet(session)
    session.close("exit")
    return "-".join(sheet.encode(kit.seed, kit.fingerprint))


def test_a_place_added_after_a_new_sheet_opens_with_the_new_one_alone(made: Made, tmp_path: Path) -> None:
    fresh = renew_sheet(made)
    made.write("Later.")
    stick = Stick(made, tmp_path / "stick", "a")
    assert stick.go() == model.SAFE
    assert stick.seqs() == [2]
    assert not stick.opens(made.sheet, tmp_path / "one")
    assert stick.opens(fresh, tmp_path / "two")


def test_a_place_that_has_older_key_files_keeps_them_and_what_is_said_of_it_stays_true(
    made: Made, tmp_path: Path
) -> None:
    stick = Stick(made, tmp_path / "stick", "a")
    stick.go()
    renew_sheet(made)
    assert stick.go() == model.SAFE
    assert stick.seqs() == [1, 2]
    assert stick.opens(made.sheet, tmp_path / "one"), "so the old sheet must be destroyed: it is told"


def test_nothing_misses_the_key_files_that_were_not_brought(made: Made, tmp_path: Path) -> None:
    renew_sheet(made)
    stick, other = Stick(made, tmp_path / "stick", "a"), Stick(made, tmp_path / "other", "b")
    stick.go()
    assert stick.go() == model.SAFE
    other.go()
    tree = DiskPlace(stick.base, DEVICE)
    source = read_vault(stick.ground)
    for known in (source, None):
        report = verify(stick.ground, stick.at, tree, known, FULL)
        assert (report.missing, report.changed, report.problems) == (0, 0, ())
    healed = heal(stick.ground, source, [(stick.at, tree)], [], heal_vault=False)
    assert healed.lost == ()
    assert stick.seqs() == [2]
    copies = restoring.find([stick.folder], DiskTree, None)
    assert copies.whole().whole
    verdict = check_vault(stick.base, vik=source_vik(made), verify=signing.verify)
    assert verdict.exit_code == 0, verdict.findings
    assert "HEADER_RETIRED" in {finding.code for finding in verdict.of(Weight.NOTE)}


def source_vik(made: Made) -> bytes:
    session = made.session()
    vik = session.header.vik
    session.close("exit")
    return vik


def test_further_changes_under_the_same_sheet_are_all_brought(made: Made, tmp_path: Path) -> None:
    renew_sheet(made)
    session = made.session()
    headers.change_header(session, "pool")
    session.close("exit")
    stick = Stick(made, tmp_path / "stick", "a")
    stick.go()
    assert stick.seqs() == [2, 3]


def key_file(seq: int, prev: str, *sheets: str, origin: str = "0a", digest: str = "") -> KeyFile:
    name = digest or f"{seq:064x}"
    return KeyFile(origin * 16, seq, name, "0b" * 16, b"v" * 32, None, 0, {}, prev, frozenset(sheets))


def test_only_the_straight_line_behind_the_current_one_is_given_up() -> None:
    one = key_file(1, "0" * 64, "old")
    two = key_file(2, one.digest, "old")
    beside = key_file(2, one.digest, "old", origin="0c", digest="f" * 64)
    three = key_file(3, two.digest, "new")
    lone = key_file(3, beside.digest, "old", origin="0c", digest="e" * 64)
    four = key_file(4, three.digest, "new")
    assert given_up([one, two, three, four], four) == {one.key, two.key}
    assert given_up([one, two, beside, three, lone, four], four) == {one.key}
    assert given_up([one, two], two) == set()
    looped = replace(one, prev=one.digest)
    assert given_up([looped, two, three], three) == {looped.key, two.key}
