"""Programs that destroy for ransom, over the vault, over what is plugged in, over both, fast and slow.

After each: words and a stop, nothing good lost, and the way back. The place `red` lies in a drawer meanwhile.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from notevault.backup import model
from tests.backup_day import attack
from tests.backup_day.practice import Practice, good, snapshot
from tests.cli.homes import PASSPHRASE, empty_home

pytestmark = [pytest.mark.slow, pytest.mark.disk]
STOPPED = 5  # files found hurt: from so many on nothing is copied anywhere
LEGIBLE = ("scramble", "lock", "shorten", "delete")  # what shows in a file's name, size or time


@pytest.fixture
def practice(tmp_path: Path) -> Practice:
    made = Practice.make(tmp_path / "practice")
    made.unplug("red")
    return made


def restored(practice: Practice, name: str, *places: Path) -> bool:
    """Whether a computer that has never seen the vault gets every note back, with the sheet alone."""
    other = empty_home(practice.folder / name)
    sheet = str(practice.home.sheet)
    froms = [word for place in places for word in ("--from", str(place))]
    practice.backup("restore", *froms, "--sheet", sheet, "--key-in-file", "--yes", home=other, open_it=True)
    return practice.has_all(other)


@pytest.mark.parametrize("how", LEGIBLE)
def test_a_fast_attack_on_the_saved_files_stops_every_backup_and_heal_brings_all_back(
    practice: Practice, how: str
) -> None:
    live, blue = practice.live(), snapshot(practice.places["blue"])
    practice.attack(how, practice.vault / "blobs")
    assert not live & good(practice.vault)
    said = practice.backup("run", code=None)
    assert said.code in (1, 2)
    assert "have stopped" in said.words
    assert "heal" in said.words
    assert practice.status("blue")["verdict"] == model.FROZEN
    practice.plug("red")
    red = snapshot(practice.places["red"])
    assert practice.backup("run", code=None).code in (1, 2)
    assert snapshot(practice.places["blue"]) == blue
    assert snapshot(practice.places["red"]) == red
    practice.backup("heal")
    assert good(practice.vault) >= live
    assert practice.backup("run").code == 0
    assert practice.backup("verify", "--full").code == 0
    assert practice.home.run("--no-input", "verify", open_it=True).returncode == 0
    assert practice.has_all()


@pytest.mark.parametrize("how", ["scramble", "lock", "delete"])
def test_the_whole_vault_destroyed_leaves_the_places_as_they_are_and_comes_back_from_one(
    practice: Practice, how: str
) -> None:
    blue = snapshot(practice.places["blue"])
    practice.attack(how, practice.vault)
    said = practice.backup("run", code=None)
    assert said.code != 0
    assert said.words
    assert snapshot(practice.places["blue"]) == blue
    assert restored(practice, "new-laptop", practice.places["blue"])


@pytest.mark.parametrize("how", ["scramble", "lock", "delete"])
def test_the_vault_and_what_was_plugged_in_destroyed_the_place_in_the_drawer_has_everything(
    practice: Practice, how: str
) -> None:
    practice.attack(how, practice.vault, practice.places["blue"])
    assert practice.backup("run", code=None).code != 0
    red = snapshot(practice.drawer("red"))
    practice.plug("red")
    assert practice.backup("run", code=None).code != 0
    assert snapshot(practice.places["red"]) == red
    assert restored(practice, "new-laptop", practice.places["red"])


@pytest.mark.parametrize("how", ["scramble", "lock", "delete"])
def test_saved_files_and_the_place_destroyed_heal_takes_them_from_the_drawer(practice: Practice, how: str) -> None:
    live = practice.live()
    practice.attack(how, practice.vault / "blobs", practice.base("blue") / "blobs")
    assert practice.backup("run", code=None).code in (1, 2)
    practice.plug("red")
    red = snapshot(practice.places["red"])
    practice.backup("heal", code=None)
    assert good(practice.vault) >= live
    assert good(practice.places["blue"]) >= live
    assert {
        name: practice_file for name, practice_file in snapshot(practice.places["red"]).items() if name in red
    } == red
    assert practice.backup("run").code == 0
    assert practice.backup("verify", "--full").code == 0
    assert practice.has_all()


@pytest.mark.parametrize("how", LEGIBLE)
def test_a_place_whose_files_are_destroyed_is_told_and_healed_and_the_vault_is_not_touched(
    practice: Practice, how: str
) -> None:
    live, before = practice.live(), snapshot(practice.vault / "blobs")
    practice.attack(how, practice.base("blue") / "blobs")
    report = practice.report("verify", "--full", "blue")
    assert (report["verdict"] in (model.HURT, model.SHRUNK), report["code"]) == (True, 1), report
    assert practice.status("blue")["colour"] == "red"
    practice.backup("heal", code=None)
    assert good(practice.places["blue"]) >= live
    assert snapshot(practice.vault / "blobs") == before
    practice.backup("run")
    assert practice.report("verify", "--full", "blue")["verdict"] == model.SAFE
    assert practice.status("blue")["colour"] == "green"


@pytest.mark.parametrize("how", ["scramble", "lock", "delete"])
def test_a_place_destroyed_with_its_marker_is_not_written_to_until_it_is_added_again(
    practice: Practice, how: str
) -> None:
    live = practice.live()
    practice.attack(how, practice.places["blue"])
    ruined = snapshot(practice.places["blue"])
    practice.write("Written while one place lies in ruins.")
    said = practice.backup("run", code=None)
    assert said.code != 0
    assert said.words
    assert snapshot(practice.places["blue"]) == ruined
    practice.backup("remove", "blue")
    # What was scrambled under its old name stays in the way of a new marker only where the marker's own name is taken.
    marker = next(iter((practice.places["blue"] / "notevault").glob("*/VAULT.json")), None) if how != "delete" else None
    if marker is not None:
        marker.rename(marker.with_name("VAULT.json.ruined"))
    practice.places["blue"].mkdir(exist_ok=True)
    practice.add("blue")
    practice.backup("run", code=None)
    practice.backup("verify", "--full", code=None)
    practice.backup("heal", "blue", code=None)
    practice.backup("run")
    assert good(practice.places["blue"]) >= live | practice.live()
    assert practice.backup("verify", "--full", "blue").code == 0
    assert restored(practice, "new-laptop", practice.places["blue"])


def test_one_file_a_pass_is_told_each_time_stops_at_the_fifth_and_no_backup_loses_anything(practice: Practice) -> None:
    live = practice.live()
    for number, victim in enumerate(practice.notes()[:STOPPED], start=1):
        practice.attack("scramble", victim)
        practice.write(f"A note after file {number} was destroyed.")
        said = practice.backup("run", code=None)
        assert said.code in (1, 2), said.words
        assert good(practice.places["blue"]) >= live
    assert practice.status("blue")["verdict"] == model.FROZEN
    frozen = snapshot(practice.places["blue"])
    practice.write("One more note, which has to wait.")
    assert practice.backup("run", code=None).code in (1, 2)
    assert snapshot(practice.places["blue"]) == frozen
    practice.backup("heal")
    practice.backup("run")
    practice.plug("red")
    practice.backup("run")
    assert practice.has_all()
    assert good(practice.places["red"]) >= live
    assert restored(practice, "new-laptop", practice.places["red"])


def test_one_file_a_pass_taken_from_the_place_is_told_and_brought_again(practice: Practice) -> None:
    live = practice.live()
    for _ in range(3):
        practice.attack("delete", practice.base("blue") / "blobs", count=1)
        assert not good(practice.places["blue"]) >= live
        report = practice.report("run", "blue")
        assert "REFILLED" in str(report["problems"]), report
        assert good(practice.places["blue"]) >= live


def test_one_file_a_pass_scrambled_at_the_place_is_proven_and_healed(practice: Practice) -> None:
    live = practice.live()
    practice.attack("touchless", practice.base("blue") / "blobs", count=3)
    practice.backup("run", code=None)
    report = practice.report("verify", "--full", "blue")
    assert (report["verdict"], report["changed"], report["code"]) == (model.HURT, 3, 1), report
    report = practice.report("run", "blue")
    assert (report["verdict"], report["code"]) == (model.HURT, 1), report
    practice.backup("heal")
    assert good(practice.places["blue"]) >= live
    assert practice.report("run", "blue")["verdict"] == model.SAFE


def test_files_scrambled_with_their_times_put_back_lose_nothing_and_are_healed(practice: Practice) -> None:
    """Names, sizes and times are as they were: no pass can see it without reading everything; nothing of it spreads."""
    live = practice.live()
    practice.attack("touchless", practice.vault / "blobs")
    practice.backup("run", code=None)
    assert good(practice.places["blue"]) >= live
    assert practice.home.run("--no-input", "verify", open_it=True, code=None).returncode == 1
    practice.backup("heal")
    assert good(practice.vault) >= live
    practice.backup("run")
    assert practice.has_all()


def test_a_file_destroyed_before_its_first_backup_is_not_copied_and_the_others_are(practice: Practice) -> None:
    before = practice.live()
    practice.write("The note that was hit.")
    (hit,) = practice.live() - before
    path = practice.vault / "blobs" / hit[:2] / hit
    path.chmod(0o600)
    path.write_bytes(attack.scrambled(path.read_bytes()))
    practice.write("A note after it.")
    said = practice.backup("run", code=None)
    assert said.code in (1, 2)
    there = good(practice.places["blue"])
    assert there >= practice.live() - {hit}
    assert not list(practice.places["blue"].rglob(hit)), "not under its name, and not else"
    assert practice.backup("heal", code=None).code == 1, "no copy has it: it is lost, and said so"


def test_letters_asking_for_money_alone_stop_nothing(practice: Practice) -> None:
    practice.attack("letter", practice.vault, practice.places["blue"])
    practice.write("A note beside a letter.")
    assert practice.report("run", "blue")["verdict"] == model.SAFE
    assert restored(practice, "new-laptop", practice.places["blue"])


def test_an_older_state_is_offered_where_the_newest_was_destroyed_everywhere(tmp_path: Path) -> None:
    """The attack got the vault whole, and at the only place what the last backup brought."""
    practice = Practice.make(tmp_path / "practice", places=("blue",))
    old = practice.live()
    practice.write("A new note, lost.", "Another new note, kept.")
    practice.backup("run")
    new = sorted(practice.live() - old)
    practice.attack("scramble", practice.vault)
    path = practice.base("blue") / "blobs" / new[0][:2] / new[0]
    path.chmod(0o600)
    path.write_bytes(attack.scrambled(path.read_bytes()))
    other = empty_home(practice.folder / "new-laptop")
    blue, sheet = str(practice.places["blue"]), str(practice.home.sheet)
    words = ("restore", "--from", blue, "--sheet", sheet, "--key-in-file")
    said = practice.backup(*words, home=other, open_it=True, code=None)
    assert said.code == 65, said.words
    assert "--newest" in said.words
    assert not other.vault.exists()
    said = practice.backup(*words, "--newest", home=other, open_it=True, code=None)
    assert good(other.vault) >= old | set(new[1:]), said.words
    assert PASSPHRASE not in said.words
