"""The day the laptop is gone: HOME erased, everything back from a folder on another path with the sheet alone, and then
a day's work at the real shell. And the ways of restoring that are less hard: the same laptop, several hurt places.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import checkpoint
from notevault.backup import model
from tests.audit_day.acts import ENTER
from tests.audit_day.compare import entries
from tests.audit_day.hand import Hand
from tests.backup_day import attack
from tests.backup_day.practice import Practice, good, snapshot, texts_of
from tests.cli.homes import PASSPHRASE, Home, empty_home

pytestmark = [pytest.mark.slow, pytest.mark.disk]
NEW_PASSPHRASE = "nine purple whales hum slowly"


@dataclass(frozen=True)
class TwoLogs(Home):
    """A home whose vault has logs of several laptops; this one's is what grows."""

    def origin(self) -> str:
        return str(json.loads((self.local / "head").read_text())["origin"])

    def log_size(self) -> int:
        return int((self.vault / "audit" / self.origin() / "checkpoint").read_text().split("\n")[1])


def words(practice: Practice, *froms: Path) -> list[str]:
    return [word for place in froms for word in ("--from", str(place))]


def newest_signed(base: Path) -> checkpoint.Checkpoint:
    """The newest state at a place. That the backup was made is entered after it, so the vault's own is newer."""
    states = [checkpoint.parse(path.read_bytes()) for path in (base / "anchors").rglob("*") if path.is_file()]
    return max((one for one in states if isinstance(one, checkpoint.Checkpoint)), key=lambda one: one.size)


def own_entries(home: TwoLogs) -> list[dict[str, Any]]:
    return entries(home.vault / "audit" / home.origin())


def test_home_erased_the_sheet_alone_brings_everything_back_and_the_work_goes_on(tmp_path: Path) -> None:
    practice = Practice.make(tmp_path / "practice", places=("blue",))
    practice.write("The last note before the laptop was stolen.")
    practice.backup("run")
    last = newest_signed(practice.base("blue"))
    printed = practice.home.sheet.read_text()
    elsewhere = tmp_path / "found again" / "stick of Ánna"
    elsewhere.parent.mkdir()
    practice.places["blue"].rename(elsewhere)
    kept = snapshot(elsewhere)
    shutil.rmtree(practice.home.path)

    home = TwoLogs(empty_home(tmp_path / "new-laptop").path)
    key = home.file("new-passphrase", NEW_PASSPHRASE + "\n")
    done = home.run(
        "--no-input", "backup", "restore", *words(practice, elsewhere), "--sheet", "-", "--key-in-file", "--yes",
        "--passphrase-file", key, stdin=printed,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert all(group not in said for group in printed.split() if len(group) == 5 and group.isupper())
    assert snapshot(elsewhere).items() >= kept.items(), "the place is read, not changed"
    assert texts_of(home, NEW_PASSPHRASE) == sorted(practice.texts)

    origin = home.origin()
    assert origin != last.origin
    first = own_entries(home)[0]
    assert first["ev"] == "vault.recover"
    assert first["k"]["cites"] == {"origin": last.origin, "root": last.root.hex(), "size": last.size}
    assert [entry["ev"] for entry in own_entries(home)].count("backup.restore") == 1

    _a_day(home)
    verified = home.run("--no-input", "audit", "verify", "--passphrase-file", key, code=None)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert home.run("--no-input", "verify", "--passphrase-file", key, code=None).returncode == 0

    (row,) = [json.loads(line) for line in home.run("--json", "--no-input", "backup", "list").stdout.splitlines()]
    assert row["path"] == str(elsewhere)
    practice.backup("run", home=home)
    assert practice.backup("verify", "--full", home=home).code == 0
    third = empty_home(tmp_path / "third-laptop")
    third.run(
        "--no-input", "backup", "restore", *words(practice, elsewhere), "--sheet", "-", "--key-in-file", "--yes",
        stdin=printed, open_it=True,
    )  # fmt: skip
    assert texts_of(third) == texts_of(home, NEW_PASSPHRASE)
    assert len(texts_of(third)) == len(practice.texts) + 2


def _a_day(home: TwoLogs) -> None:
    """At the real shell, on a pty: unlock, a new client, notes written and found; a lock; another look; good-bye."""
    hand = Hand(home, NEW_PASSPHRASE, size=home.log_size())
    try:
        hand.start()
        hand.unlock()
        hand.add_client("Jon Lind", "C-2")
        hand.new_note("C-2", "quartz breathing practised")
        hand.new_note_signed("C-2", "agate walks planned")
        hand.open_note("C-2")
        assert hand.find("quartz") == 1
        hand.lock()
        hand.unlock()
        hand.list_notes("C-2")
        hand.leave()
    finally:
        if hand.open_shell is not None:
            hand.open_shell.__exit__()


def test_the_same_laptop_restores_with_its_passphrase_when_only_the_vaults_folder_is_lost(tmp_path: Path) -> None:
    practice = Practice.make(tmp_path / "practice", places=("blue",))
    shutil.rmtree(practice.vault)
    practice.backup("restore", *words(practice, practice.places["blue"]), "--yes", open_it=True)
    assert practice.has_all()
    practice.write("And the work goes on.")
    assert practice.has_all()
    assert practice.backup("run").code == 0
    assert practice.home.run("--no-input", "verify", open_it=True).returncode == 0


def test_two_hurt_places_together_are_a_whole_one(tmp_path: Path) -> None:
    practice = Practice.make(tmp_path / "practice")
    live = practice.live()
    blue, red = (practice.base(name) / "blobs" for name in ("blue", "red"))
    lost = sorted(live)
    for folder, names in ((blue, lost[::2]), (red, lost[1::2])):
        for number, name in enumerate(names):
            path = folder / name[:2] / name
            path.chmod(0o600)
            if number % 2:
                path.unlink()
            else:
                path.write_bytes(attack.scrambled(path.read_bytes()))
    other = empty_home(tmp_path / "other")
    both = words(practice, practice.places["blue"], practice.places["red"])
    practice.backup(
        "restore", *both, "--sheet", str(practice.home.sheet), "--key-in-file", "--yes", home=other, open_it=True
    )
    assert practice.has_all(other)


def test_what_can_be_restored_is_listed_and_an_earlier_day_is_chosen(tmp_path: Path) -> None:
    practice = Practice.make(tmp_path / "practice", places=("blue",))
    blue = words(practice, practice.places["blue"])
    before = snapshot(practice.folder)
    listed = practice.backup("restore", *blue, "--list")
    assert listed.words
    assert snapshot(practice.folder) == before, "a list writes nothing"
    said = practice.backup("restore", *blue, "--to", str(tmp_path / "early"), "--at", "2001-01-01", code=None)
    assert said.code in (64, 65, 66), said.words
    assert not (tmp_path / "early").exists()


def test_a_restore_never_goes_into_a_folder_that_has_something(tmp_path: Path) -> None:
    practice = Practice.synthetic(tmp_path / "practice", [2000] * 20)
    blue = words(practice, practice.places["blue"])
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "photo").write_text("mine")
    for target in (taken, practice.vault, practice.places["blue"], practice.places["blue"] / "notevault"):
        before = snapshot(target)
        said = practice.backup("restore", *blue, "--to", str(target), "--no-places", code=None)
        assert said.code in (64, 73, 77), (target, said.words)
        assert snapshot(target) == before


def test_an_old_laptop_put_back_is_told_by_its_place(tmp_path: Path) -> None:
    """An image of the whole disk, the key store too, from before the last notes."""
    practice = Practice.make(tmp_path / "practice", places=("blue",))
    image = practice.folder / "image"
    shutil.copytree(practice.home.path, image, symlinks=True)
    practice.write("A note that the image has not.")
    practice.backup("run")
    shutil.rmtree(practice.home.path)
    image.rename(practice.home.path)
    before = snapshot(practice.places["blue"])
    report = practice.report("run", "blue")
    assert (report["verdict"], report["code"]) == (model.AHEAD, 1), report
    assert "restore" in str(report["step"])
    assert snapshot(practice.places["blue"]) == before
    assert good(practice.places["blue"]) >= practice.live()
    assert PASSPHRASE not in json.dumps(report)
    assert ENTER not in str(report["words"])
