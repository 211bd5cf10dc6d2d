"""A backup that goes further than the one the vault was restored from: told of calmly, brought in when asked for."""

from __future__ import annotations

import hashlib
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notevault.adapters import files as disk
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.auditlog.ed25519 import verify as ed25519_verify
from notevault.auditlog.vaultcheck import check_vault
from notevault.backup import model
from notevault.backup.checks.verify import FULL, verify
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.port import Copy
from notevault.backup.elsewhere import bringin
from notevault.backup.elsewhere.bringin import Brought, bring_in, offers
from notevault.backup.model import PlaceFile, PlaceState, Report, Waiting
from notevault.backup.places import layout as place
from notevault.backup.places.registry import Places
from notevault.backup.source.reading import read_vault
from notevault.backup.status.status import GREEN, PlaceStatus, status_of
from notevault.storage.local import HeadFile, LocalState
from tests.backup.handmade import lay
from tests.backup.killing import killed_at
from tests.backup.scene import DEVICE, Scene
from tests.backup.vaults import Made2


class Lost:
    """A laptop with stick A and a later stick B died; the vault was restored from A and worked on: `made`."""

    def __init__(
        self, tmp: Path, before: int = 3, after: int = 12, between: Callable[[Made2], None] = lambda _made: None
    ) -> None:
        self.tmp = tmp
        self.old = Scene(tmp / "old", (500,) * before)
        laptop = self.old.made
        lay(laptop.vault, laptop.hex, tmp / "A")
        self.size_a = laptop.size
        self.made = laptop.copy_to(tmp / "new")
        between(laptop)
        self.lost = laptop.grow(after, 700)
        laptop.close_epoch()
        laptop.read(2)
        self.b = lay(laptop.vault, laptop.hex, tmp / "B")
        self.closed = laptop.origin
        self.laptop = laptop
        self.made.recover()
        self.own = self.made.grow(2, 300)
        self.remember()

    def remember(self) -> None:
        made, local = self.made, LocalState(disk.DiskFiles(), self.made.own)
        local.write_head(HeadFile(made.vault_id, made.origin, made.size, made.root, made.seq))

    @property
    def ground(self) -> Any:
        return self.old.ground_of(self.made)

    def place(self, name: str) -> PlaceFile:
        marker = place.read_marker(DiskTree(self.base(name)), self.made.hex)
        return PlaceFile(marker.place, name, str(self.tmp / name), "fixed", 1)

    def base(self, name: str) -> Path:
        return place.base(self.tmp / name, self.made.hex)

    def copies(self, *names: str) -> list[Copy]:
        return [PlaceCopy(DiskTree(self.base(name)), self.made.hex) for name in names]

    def bring(self, *names: str) -> Brought:
        return bring_in(self.ground, read_vault(self.ground), self.copies(*(names or ("B",))))

    def go(self, name: str) -> Report:
        """One backup of the restored vault to this stick."""
        self.old.place = self.place(name)
        self.old.clock.advance(3_700_000)
        return self.old.again(made=self.made, tree=DiskPlace(self.base(name), DEVICE), whole_log=True)

    def state(self, name: str) -> PlaceState:
        return Places(disk.DiskFiles(), self.made.own).state(self.place(name).id)

    def status(self, name: str) -> PlaceStatus:
        now = self.old.clock.wall_ms()
        return status_of(self.place(name), self.state(name), [now] * 257, None, Waiting(), now, False)

    def has_all(self) -> None:
        """By judges that know nothing of bringing in: the auditor, the hashes, and what the old laptop wrote."""
        for digest in [*self.lost, *self.own]:
            data = self.made.paths.blob(digest).read_bytes()
            assert hashlib.sha256(data).hexdigest() == digest
        source = read_vault(self.ground)
        assert source.heads[self.closed].size == self.laptop.size
        assert list(source.entries(self.closed, 0, self.laptop.size)) == self.laptop.log.entries
        assert all(source.live.get(digest) for digest in [*self.lost, *self.own])
        card = self.made.paths.card(self.made.origin).read_bytes()
        found = check_vault(self.made.vault, card=card, verify=ed25519_verify)
        assert found.exit_code == 0, [str(finding) for finding in found.findings]


@pytest.fixture
def lost(tmp_path: Path) -> Lost:
    return Lost(tmp_path)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# Told


def test_what_an_earlier_laptop_saved_is_told_once_and_kept_in_mind(lost: Lost) -> None:
    first = lost.go("B")
    assert first.verdict == model.SAFE
    (told,) = [one for one in first.problems if one.code == "GAP"]
    assert "12 changes (12 sealed files) that this vault does not have" in told.detail
    second = lost.go("B")
    assert (second.verdict, second.problems) == (model.SAFE, ())
    (more,) = lost.state("B").more.values()
    assert (more.changes, more.files, more.read) == (12, 12, True)
    status = lost.status("B")
    assert status.colour == GREEN, "it may be what she wanted: no alarm, and no colour"
    assert status.besides[0] == told.detail
    assert "heal --bring-in" in status.besides[1]
    assert status.facts()["more"] == 12
    assert lost.go("A").problems == ()


def test_readings_alone_are_not_worth_a_word(tmp_path: Path) -> None:
    lost = Lost(tmp_path, after=0)
    assert lost.go("B").problems == ()
    assert offers(lost.ground, read_vault(lost.ground), lost.copies("B")) == []
    status = lost.status("B")
    assert status.besides == ("", "")


def test_what_has_not_arrived_is_said_to_be_so_and_counted_when_it_has(lost: Lost) -> None:
    (part,) = sorted((lost.b / f"audit/{lost.closed}/parts").iterdir())
    kept = part.read_bytes()
    part.unlink()
    (told,) = lost.go("B").problems
    assert "has not all arrived there" in told.detail
    assert not next(iter(lost.state("B").more.values())).read
    assert lost.bring().changes == 0
    part.write_bytes(kept)
    (told,) = lost.go("B").problems
    assert "12 changes" in told.detail


def test_another_state_of_the_place_is_not_hidden_by_it(lost: Lost) -> None:
    ahead = lost.made.copy_to(lost.tmp / "ahead")
    ahead.grow(1)
    lay(ahead.vault, ahead.hex, lost.tmp / "B")
    assert lost.go("B").verdict == model.AHEAD
    assert next(iter(lost.state("B").more.values())).changes == 12


# Brought in


@pytest.mark.parametrize(("before", "after"), [(3, 12), (3, 600), (254, 12), (255, 300), (252, 255), (511, 1)])
def test_it_is_brought_in_and_everything_holds(tmp_path: Path, before: int, after: int) -> None:
    lost = Lost(tmp_path, before, after)
    stick = contents(lost.b)
    current = contents(lost.made.vault / "audit" / lost.made.origin)
    brought = lost.bring()
    assert (brought.changes, brought.files, brought.left, brought.problems) == (after, after, 0, ())
    lost.has_all()
    assert contents(lost.b) == stick
    assert contents(lost.made.vault / "audit" / lost.made.origin) == current, "the log that is written is not touched"
    assert not list((lost.made.own / "backup/bringing").iterdir())
    assert lost.bring() == Brought()
    for name in ("A", "B"):
        report = lost.go(name)
        assert (report.verdict, report.problems) == (model.SAFE, ())
        assert lost.state(name).more == {}
        ground = lost.ground
        check = verify(ground, lost.place(name), DiskPlace(lost.base(name), DEVICE), read_vault(ground), FULL)
        assert check.verdict == model.SAFE, check.problems


def test_after_a_backup_to_both_sticks_it_comes_in_all_the_same(lost: Lost) -> None:
    assert lost.go("B").verdict == model.SAFE
    assert lost.go("A").verdict == model.SAFE
    assert lost.bring("A", "B").changes == 12
    lost.has_all()
    assert lost.go("B").verdict == model.SAFE
    assert lost.go("A").copied == 12


def test_a_vault_folder_of_the_old_laptop_serves_as_well(lost: Lost) -> None:
    from notevault.backup.copies.vault import VaultCopy

    brought = bring_in(lost.ground, read_vault(lost.ground), [VaultCopy(DiskTree(lost.laptop.vault), lost.made.hex)])
    assert brought.changes == 12
    lost.has_all()


def test_what_was_never_signed_at_the_end_of_the_old_log_is_kept_aside(lost: Lost) -> None:
    opened = lost.made.paths.open(lost.closed)
    opened.write_bytes(opened.read_bytes() + b"\x00\x05never")
    assert lost.bring().changes == 12
    lost.has_all()
    assert any(b"never" in path.read_bytes() for path in (lost.made.own / "set-aside").rglob("open-*"))


# Not brought in


def test_a_spoilt_file_at_the_place_leaves_an_older_whole_state_to_be_brought_in(tmp_path: Path) -> None:
    lost = Lost(tmp_path, after=4)
    lost.lost += lost.laptop.grow(3)
    lay(lost.laptop.vault, lost.laptop.hex, lost.tmp / "B")
    path = lost.b / place.blob(lost.lost[5])
    good = path.read_bytes()
    path.write_bytes(bytes(len(good)))
    brought = lost.bring()
    assert (brought.changes, brought.left) == (4, 3)
    assert bringin.NOT_WHOLE in brought.problems[0].detail
    assert not lost.made.paths.blob(lost.lost[5]).exists()
    assert read_vault(lost.ground).live.get(lost.lost[3])
    path.write_bytes(good)
    assert lost.bring().changes == 3
    lost.has_all()


def test_a_fork_is_refused_in_words_and_nothing_is_pushed_over_it(lost: Lost) -> None:
    shutil.rmtree(lost.tmp / "B")
    clone = lost.laptop.copy_to(lost.tmp / "clone")
    clone.logs[lost.closed] = _cut(lost.laptop, lost.size_a - 1)
    clone.grow(9)
    lay(clone.vault, clone.hex, lost.tmp / "B")
    lost.b = lost.base("B")
    before, stick = contents(lost.made.vault), contents(lost.b)
    brought = lost.bring()
    assert brought.changes == 0
    assert bringin.FORKED in brought.problems[0].detail
    assert lost.go("B").verdict == model.FORKED
    assert contents(lost.made.vault) == before
    assert contents(lost.b) == stick


def _cut(made: Made2, size: int) -> Any:
    """The log as it was with so many entries: somebody put back an image of the laptop, and it went on from there."""
    from copy import deepcopy

    from notevault.auditlog import merkle

    log = deepcopy(made.log)
    log.epoch, log.entries = 0, log.entries[:size]
    log.frontier = merkle.Frontier()
    for data in log.entries:
        log.frontier.append(merkle.leaf_hash(data))
    log.last16 = merkle.leaf_hash(log.entries[-1])[:16]
    return log


def test_it_ends_before_a_key_file_that_the_vault_has_another_of(tmp_path: Path) -> None:
    def changed(laptop: Made2) -> None:
        laptop.grow(4)
        lay(laptop.vault, laptop.hex, tmp_path / "B")
        laptop.header()

    lost = Lost(tmp_path, between=changed)
    brought = lost.bring()
    assert (brought.changes, brought.left) == (4, 13)
    assert bringin.KEY_FILE in brought.problems[0].detail
    source = read_vault(lost.ground)
    assert source.current == lost.made.origin
    card = lost.made.paths.card(lost.made.origin).read_bytes()
    assert check_vault(lost.made.vault, card=card, verify=ed25519_verify).exit_code == 0


def test_the_log_that_is_being_written_is_never_brought_in(lost: Lost) -> None:
    ahead = lost.made.copy_to(lost.tmp / "ahead")
    ahead.grow(3)
    lay(ahead.vault, ahead.hex, lost.tmp / "C")
    before = contents(lost.made.vault)
    assert lost.bring("C") == Brought()
    assert contents(lost.made.vault) == before


def test_a_state_that_the_log_did_not_sign_is_nothing(lost: Lost) -> None:
    stranger = Made2(lost.tmp / "stranger", "stranger")
    stranger.begin()
    (newest,) = (lost.b / "anchors" / lost.closed).iterdir()
    newest.write_bytes(stranger.checkpoint())
    for seal in (lost.b / f"audit/{lost.closed}/seals").iterdir():
        seal.write_bytes(stranger.checkpoint())
    before = contents(lost.made.vault)
    assert lost.bring() == Brought()
    assert lost.go("B").verdict == model.SAFE
    assert contents(lost.made.vault) == before


# Cut off


STEPS = ((disk.DiskFiles, ("append", "create", "create_batch", "make_folder", "move", "remove", "replace")),)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are POSIX's")
@pytest.mark.parametrize(("before", "readings"), [(3, 0), (253, 0), (250, 264)])
def test_killed_at_every_step_it_completes(tmp_path: Path, before: int, readings: int) -> None:
    """Within a bundle of the log, over the end of one, and over two."""
    lost = Lost(tmp_path / "s", before, 3, lambda laptop: laptop.read(readings) if readings else None)
    keep = tmp_path / "keep"
    shutil.copytree(lost.made.home, keep)
    step = killed = 0
    while True:
        step += 1
        ended = killed_at(step, STEPS, lambda: bool(lost.bring().changes))
        if ended == 0:
            break
        assert ended == signal.SIGKILL
        killed += 1
        if step % 2:  # a look at the vault comes first, as every backup has one, and finds what was begun
            read_vault(lost.ground)
        lost.bring()
        lost.has_all()
        assert not list((lost.made.own / "backup/bringing").iterdir())
        shutil.rmtree(lost.made.home)
        shutil.copytree(keep, lost.made.home)
    assert killed > 10
