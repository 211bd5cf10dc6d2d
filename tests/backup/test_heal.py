"""Healing: whatever any copy still has right is put back everywhere, and nothing right is ever touched."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.auditlog.ed25519 import verify as ed25519_verify
from notevault.auditlog.vaultcheck import check_vault
from notevault.backup import model
from notevault.backup.checks.verify import FULL, verify
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.vault import VaultCopy
from notevault.backup.heal.heal import heal
from notevault.backup.model import HealReport, PlaceFile
from notevault.backup.places import layout as place
from notevault.backup.source import guard
from notevault.crypto import signing
from notevault.errors import CannotWrite, NotFound, StorageFault
from notevault.ports import WriteOnce
from notevault.storage.local import HeadFile, LocalState
from tests.backup import handmade
from tests.backup.scene import DEVICE, Scene
from tests.backup.vaults import Made2

SECOND = "b2" * 16


class Two(Scene):
    """A vault and two places, both with all of it."""

    def __init__(self, tmp: Path) -> None:
        super().__init__(tmp, (3000,) * 20)
        made = self.made
        made.close_epoch()
        made.read(300)
        made.header()
        made.grow(5, 500)
        self.places.save(self.place)
        self.second = PlaceFile(SECOND, "NAS", str(tmp / "nas"), "fixed", 2)
        self.places.save(self.second)
        self.other = place.base(tmp / "nas", made.hex)
        self.other.mkdir(parents=True)
        (self.other / place.MARKER).write_bytes(place.Marker(SECOND, made.hex).encode())
        self.go(whole_log=True)
        handmade.lay(made.vault, made.hex, tmp / "nas")
        self.remember()

    def remember(self) -> None:
        """What this laptop keeps of the vault it opened last."""
        made, local = self.made, LocalState(DiskFiles(), self.made.own)
        local.keep_identity(signing.public_key(made.vik))
        local.write_head(HeadFile(made.vault_id, made.origin, made.size, made.root, made.seq))

    def targets(self, *which: int) -> list[tuple[PlaceFile, WriteOnce]]:
        both: list[tuple[PlaceFile, WriteOnce]] = [
            (self.place, DiskPlace(self.base, DEVICE)),
            (self.second, DiskPlace(self.other, DEVICE)),
        ]
        return [both[number] for number in which or (0, 1)]

    def heal(self, *which: int, vault: bool = True) -> HealReport:
        return heal(self.ground, None, self.targets(*which), [], vault)

    def check_all(self) -> None:
        """By judges that know nothing of healing: the auditor for the vault, `verify` for the places."""
        card = self.made.paths.card(self.made.origin).read_bytes()
        found = check_vault(self.made.vault, card=card, verify=ed25519_verify)
        assert found.exit_code == 0, [str(finding) for finding in found.findings]
        for at, tree in self.targets():
            report = verify(self.ground, at, tree, None, FULL)
            assert report.verdict == model.SAFE, report.problems


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def files_below(*roots: Path) -> list[Path]:
    return [path for root in roots for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]


def contents(*roots: Path) -> set[bytes]:
    return {hashlib.sha256(path.read_bytes()).digest() for path in files_below(*roots)}


def spoil(path: Path) -> None:
    path.write_bytes(b"ENCRYPTED" + path.read_bytes()[::-1])


def vault_blob(made: Made2, number: int) -> Path:
    return made.paths.blob(made.digests[number])


def test_healing_what_is_sound_changes_nothing(two: Two) -> None:
    before = {path: path.read_bytes() for path in files_below(two.made.vault, two.base, two.other)}
    report = two.heal()
    assert (report.healed, report.aside, report.lost, report.problems) == (0, 0, (), ())
    after = {path: path.read_bytes() for path in files_below(two.made.vault, two.base, two.other)}
    assert before == after


def test_the_vaults_missing_and_changed_files_come_back_and_the_bad_ones_are_kept(two: Two) -> None:
    made = two.made
    vault_blob(made, 0).unlink()
    spoil(vault_blob(made, 1))
    vault_blob(made, 2).write_bytes(b"")
    bad = vault_blob(made, 1).read_bytes()
    report = two.heal(0)
    assert (report.healed, report.aside, report.lost) == (3, 2, ())
    kept = {path.read_bytes() for path in files_below(made.own / "set-aside")}
    assert kept == {bad, b""}
    two.check_all()


def test_the_vaults_key_file_card_seal_and_bundles_come_back(two: Two) -> None:
    made = two.made
    origin = made.origin
    paths = [
        made.paths.header(origin, made.seq, made.prev),
        made.paths.card(origin),
        made.paths.seal(origin, 0),
        made.paths.bundle(origin, 0),
        made.paths.open(origin),
    ]
    for path in paths:
        spoil(path)
    assert two.heal().problems == ()
    two.check_all()
    for path in paths:
        path.unlink()
    assert two.heal().healed == len(paths)
    two.check_all()


def test_after_everything_in_the_vault_was_encrypted_all_of_it_comes_back_and_backups_go_on(two: Two) -> None:
    good = contents(two.made.vault)
    for path in files_below(two.made.vault):
        spoil(path)
    two.places.freeze(1, 25, "many files changed")
    report = two.heal(0)
    assert (report.lost, report.problems, report.unfrozen) == ((), (), True)
    assert two.places.frozen() is None
    hashes = hashlib.sha256(two.made.paths.hashes(two.made.origin).read_bytes()).digest()
    assert good - contents(two.made.vault) <= {good_hashes(two), hashes}
    two.made.paths.hashes(two.made.origin).unlink()  # a cache: the program makes it anew
    two.check_all()
    assert two.go().verdict == model.SAFE


def good_hashes(two: Two) -> bytes:
    from notevault.auditlog import merkle

    leaves = [merkle.leaf_hash(each) for each in two.made.log.entries[:256]]
    return hashlib.sha256(merkle.root(leaves)).digest()


def test_a_log_that_went_on_after_the_backup_is_never_taken_back(two: Two) -> None:
    made = two.made
    made.grow(2)
    two.remember()  # this laptop saw more than any place has
    late = made.digests[-2:]
    for path in (made.paths.checkpoint(made.origin), made.paths.open(made.origin), vault_blob(made, 0)):
        spoil(path)
    wrong = made.paths.checkpoint(made.origin).read_bytes()
    two.places.freeze(1, 25, "many files changed")
    report = two.heal()
    assert [problem.code for problem in report.problems] == ["LOG"]
    assert not report.unfrozen
    assert two.places.frozen() is not None
    assert made.paths.checkpoint(made.origin).read_bytes() == wrong
    assert hashlib.sha256(vault_blob(made, 0).read_bytes()).hexdigest() == made.digests[0]
    assert all(made.paths.blob(digest).exists() for digest in late)


def test_a_vault_whose_signed_state_holds_keeps_it_although_a_place_contradicts_it(two: Two, tmp_path: Path) -> None:
    made = two.made
    other = made.copy_to(tmp_path / "elsewhere")
    other.grow(4)
    handmade.lay(other.vault, other.hex, tmp_path / "nas")  # the longer one, so any choice between them would take it
    made.grow(2)
    two.go(whole_log=True)
    before = {path: path.read_bytes() for path in files_below(made.vault, two.base, two.other)}
    report = two.heal()
    assert {problem.code for problem in report.problems} == {"FORKED"}
    assert {path: path.read_bytes() for path in files_below(made.vault, two.base, two.other)} == before
    lost = [vault_blob(made, -1), two.base / place.blob(made.digests[0]), two.other / place.blob(other.digests[-5])]
    for path in lost:
        spoil(path)
    assert two.heal().lost == ()
    assert {path: path.read_bytes() for path in before} == before  # each in its own history


def test_each_place_is_healed_from_the_other_and_from_the_vault(two: Two) -> None:
    made = two.made
    for number in range(0, 8):
        spoil(two.base / place.blob(made.digests[number]))
    for number in range(8, 14):
        (two.other / place.blob(made.digests[number])).unlink()
    for number in range(4):
        vault_blob(made, number).unlink()  # these only the second place has
    part = next((two.base / place.parts(made.origin)).iterdir())
    for path in (two.base / place.bundle(made.origin, 0), part, two.other / place.card(made.origin)):
        spoil(path)
    report = two.heal()
    assert (report.lost, report.problems) == ((), ())
    two.check_all()
    assert (two.state.hurt, two.places.state(SECOND).hurt) == (0, 0)
    assert len(files_below(two.base / "quarantine")) == 10


def test_an_emptied_place_is_filled_again(two: Two) -> None:
    for name in ("anchors", "audit", "blobs", "headers"):
        shutil.rmtree(two.base / name)
    assert two.heal(0).problems == ()
    assert verify(two.ground, two.place, two.targets(0)[0][1], None, FULL).verdict == model.SAFE


def test_what_no_copy_has_is_named_stays_frozen_and_is_given_up_only_when_every_place_was_asked(two: Two) -> None:
    made = two.made
    digest = made.digests[3]
    spoil(vault_blob(made, 3))
    spoil(two.base / place.blob(digest))
    (two.other / place.blob(digest)).unlink()
    wrong = vault_blob(made, 3).read_bytes()
    two.places.freeze(1, 25, "many files changed")
    report = two.heal(0)
    assert (report.lost, report.unfrozen) == ((digest,), False)
    report = two.heal()
    assert (report.lost, report.unfrozen) == ((digest,), True)
    assert vault_blob(made, 3).read_bytes() == wrong  # without the right bytes nothing is moved
    assert (two.base / place.blob(digest)).read_bytes() == wrong
    assert digest in guard.recall(DiskFiles(), two.places).lost


def test_a_destroyed_note_is_not_brought_back(two: Two) -> None:
    digest = two.made.digests[4]
    two.made.purge(digest)
    two.heal()
    assert not two.made.paths.blob(digest).exists()
    two.check_all()


def test_what_a_place_never_had_is_left_to_the_mirror(two: Two) -> None:
    two.made.grow(3)
    before = two.there()
    assert two.heal().healed == 0
    assert two.there() == before


def test_a_place_that_is_not_there_is_told_and_the_others_are_healed(two: Two) -> None:
    spoil(vault_blob(two.made, 0))
    (two.base / place.MARKER).unlink()
    report = two.heal()
    assert report.healed == 1
    assert [problem.path for problem in report.problems] == ["USB"]


def test_a_link_in_the_vault_is_not_followed(two: Two, tmp_path: Path) -> None:
    made = two.made
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = made.paths.blob_folder(int(made.digests[0][:2], 16))
    shutil.rmtree(folder)
    folder.symlink_to(outside)
    report = two.heal()
    assert "PLANTED" in {problem.code for problem in report.problems}
    assert list(outside.iterdir()) == []
    assert not report.unfrozen


def test_large_files_are_healed_in_pieces(two: Two) -> None:
    made = two.made
    digest = made.grow(1, 9 << 20)[0]
    two.go()
    spoil(two.base / place.blob(digest))
    report = two.heal(0, vault=False)
    assert report.healed == 1
    assert hashlib.sha256((two.base / place.blob(digest)).read_bytes()).hexdigest() == digest
    spoil(two.base / place.blob(digest))
    vault_blob(made, -1).unlink()
    report = two.heal(0, vault=False)
    assert [problem.code for problem in report.problems] == ["LOST"]


@pytest.mark.parametrize("checkpoint", ["good", "bad"])
def test_where_nothing_can_be_set_aside_the_end_of_the_log_stays_as_it_is(two: Two, checkpoint: str) -> None:
    made = two.made
    paths = [made.paths.open(made.origin)]
    paths[0].write_bytes(b"X" * 50 + paths[0].read_bytes()[50:] + b"an unsigned tail that is worth keeping")
    if checkpoint == "bad":
        paths.append(made.paths.checkpoint(made.origin))
        spoil(paths[1])
    before = [path.read_bytes() for path in paths]
    (made.own / "set-aside").write_text("a file where the folder belongs")
    report = two.heal()
    assert {problem.code for problem in report.problems} == {"STUCK"}
    assert not report.unfrozen
    assert [path.read_bytes() for path in paths] == before
    (made.own / "set-aside").unlink()
    assert two.heal().problems == ()
    two.check_all()
    kept = {path.read_bytes() for path in files_below(made.own / "set-aside")}
    assert kept == set(before)


class Unreadable(DiskFiles):
    """The disk does not give the bytes of files with a name in `names`; it lists and renames them."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def read_range(self, path: Path, offset: int, length: int) -> bytes:
        if path.name in self._names:
            raise StorageFault("The system reports an input or output error.")
        return super().read_range(path, offset, length)


def test_what_the_disk_does_not_give_is_moved_away_where_it_cannot_be_copied(two: Two) -> None:
    made = two.made
    for path in (made.paths.card(made.origin), made.paths.open(made.origin)):
        spoil(path)
    report = heal(replace(two.ground, files=Unreadable("card", "open")), None, two.targets(0), [], True)
    assert (report.healed, report.aside, report.problems) == (2, 2, ())
    assert len(files_below(made.own / "set-aside")) == 2
    two.check_all()


class Sick(DiskPlace):
    """Every look at it ends in an error of the disk."""

    def read(self, path: str, *, limit: int) -> bytes:
        raise StorageFault("The system reports an input or output error.")


def test_a_place_that_fails_is_told_and_the_vault_and_the_others_are_healed(two: Two) -> None:
    spoil(vault_blob(two.made, 0))
    spoil(two.other / place.blob(two.made.digests[1]))
    targets = [(two.place, Sick(two.base, DEVICE)), *two.targets(1)]
    report = heal(two.ground, None, targets, [], True)
    assert report.healed == 2
    assert [(problem.code, problem.path) for problem in report.problems] == [("PLACE", "USB")]
    two.check_all()


class Shut(DiskTree):
    """Files that may not be read in pieces."""

    def stream(self, path: str, *, chunk: int) -> Iterator[bytes]:
        raise CannotWrite("Cannot get at a file: the system refuses access to it.")


def test_a_large_file_that_may_not_be_read_in_one_copy_is_healed_from_another(two: Two) -> None:
    made = two.made
    digest = made.grow(1, 9 << 20)[0]
    two.go()
    handmade.lay(made.vault, made.hex, two.other.parents[1])
    vault_blob(made, -1).unlink()
    shut = PlaceCopy(Shut(two.base), made.hex)
    assert heal(two.ground, None, [], [shut], True).lost == (digest,)
    report = heal(two.ground, None, [], [shut, PlaceCopy(DiskTree(two.other), made.hex)], True)
    assert (report.healed, report.lost, report.problems) == (1, (), ())
    assert hashlib.sha256(vault_blob(made, -1).read_bytes()).hexdigest() == digest


def test_an_older_key_file_that_was_set_aside_and_not_put_back_comes_back(two: Two) -> None:
    made = two.made
    oldest = min((two.base / "headers" / made.origin).iterdir())
    right = oldest.read_bytes()
    spoil(oldest)
    two.targets(0)[0][1].set_aside(f"headers/{made.origin}/{oldest.name}", "2026-01-01")
    assert two.heal(0, vault=False).healed == 1
    assert oldest.read_bytes() == right
    oldest.unlink()
    shutil.rmtree(two.base / "quarantine")
    assert two.heal(0, vault=False).healed == 0  # it may have been given up


def test_another_copy_of_the_vault_is_a_good_source_too(two: Two, tmp_path: Path) -> None:
    shutil.copytree(two.made.vault, tmp_path / "by hand")
    shutil.rmtree(two.made.vault / "blobs")
    shutil.rmtree(two.base)
    copy = VaultCopy(DiskTree(tmp_path / "by hand"), two.made.hex)
    report = heal(two.ground, None, [], [copy], True)
    assert report.healed == 25


def test_without_any_log_nothing_can_be_healed_and_that_is_said(two: Two) -> None:
    shutil.rmtree(two.made.vault)
    two.made.vault.mkdir()
    with pytest.raises(NotFound):
        heal(two.ground, None, [], [], True)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_damaged_where_no_right_bytes_are_ever_lost(two: Two, seed: int) -> None:
    """Any three of ten files anywhere are spoilt or removed: afterwards all that was right somewhere is still there,
    and everything that one copy had is everywhere.
    """
    dice = random.Random(seed)
    roots = (two.made.vault, two.base, two.other)
    names = {str(path.relative_to(root)) for root in roots for path in files_below(root)}
    names -= {place.MARKER, f"audit/{two.made.origin}/hashes"}
    original = contents(*roots)
    for name in sorted(names):
        for root in dice.sample(roots, dice.choice([0, 0, 0, 1, 2])):
            path = root / name
            if path.exists():
                path.unlink() if dice.random() < 0.4 else spoil(path)
    right = contents(*roots) & original
    report = two.heal()
    assert right <= contents(*roots, two.made.own / "set-aside")
    assert set(report.lost) <= {digest for digest in two.made.digests if bytes.fromhex(digest) not in right}
    if not report.lost and not report.problems:
        two.check_all()
    again = two.heal()
    assert (again.healed, again.aside) == (0, 0)
