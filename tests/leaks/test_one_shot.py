"""A day of one-shot commands: nothing readable is left on the disk, deleted blocks included, nor shown to others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.leaks import day, ground, scan_memory, user
from tests.leaks.scan_files import Scanner
from tests.leaks.user import Person

pytestmark = [pytest.mark.root, pytest.mark.slow]


@dataclass
class Lived:
    person: Person
    canaries: day.Canaries
    keys: dict[str, bytes]
    said: dict[str, str]
    watch: scan_memory.Watch
    began: float


@pytest.fixture(scope="module")
def lived(her_python: tuple[int, str, str | None], open_ground: Path) -> Iterator[Lived]:
    uid, python, path = her_python
    canaries = day.Canaries()
    began = time.time()  # noqa: TID251  to compare with the files' own times
    with ground.new_person(python, path, open_ground, uid, disk=True) as person:
        with scan_memory.Watch(uid, canaries.needles()) as watch:
            said = day.one_shot_day(person, canaries)
        keys = user.keys_of(person, person.vault, canaries.passphrase)
        yield Lived(person, canaries, keys, said, watch, began)


@pytest.mark.slow
def test_the_day_was_lived(lived: Lived) -> None:
    """Else the rest would prove nothing: what was put in comes out again when the vault is opened."""
    assert lived.canaries.piped in lived.said["note show"]
    assert lived.canaries.name in lived.said["client list"]
    assert lived.canaries.piped.split()[-1] in lived.said["find"]


@pytest.mark.slow
def test_no_file_holds_a_name_a_text_a_search_word_a_passphrase_or_a_key(lived: Lived) -> None:
    places = day.left_behind(lived.person, lived.began)
    assert sum(path.is_file() for place in places for path in day.everything(place)) > 10
    hits = day.found_in_files(lived.person, lived.canaries, lived.keys, lived.began)
    assert hits == [], "\n".join(map(str, hits))


def test_folders_are_0700_and_files_0600_whatever_the_umask(lived: Lived) -> None:
    home = lived.person.home
    ours = [path for path in day.everything(home) if path.name == "notevault" and path.is_dir()]
    assert len(ours) >= 3, "vault, local and device folders"
    assert day.open_doors([*ours, *day.everything(lived.person.run)], lived.person.uid) == []


def test_the_sheet_and_nothing_else_lies_where_she_asked_for_it(lived: Lived) -> None:
    desk = lived.person.base / "desk"
    assert {path.name for path in desk.iterdir()} == {"passphrase", "wrong", "original.csv", "sheet.txt"}
    assert (desk / "sheet.txt").stat().st_mode & 0o777 == 0o600
    assert Scanner(lived.canaries.phrases()).tree(desk / "sheet.txt") == []


def test_runtime_and_temp_folders_are_empty_in_the_end(lived: Lived) -> None:
    assert list(lived.person.tmp.iterdir()) == []
    assert list(lived.person.run.iterdir()) == []


def test_no_argument_and_no_environment_shows_a_name_a_text_or_a_passphrase(lived: Lived) -> None:
    assert any("_keyring" in line for line in lived.watch.seen.values()), "the helper was seen, so all were"
    assert lived.watch.hits == []


def test_a_wrong_passphrase_is_not_repeated(lived: Lived) -> None:
    said = "".join(lived.said.values())
    assert lived.canaries.passphrase not in said
    assert lived.canaries.wrong not in said


def test_nothing_of_hers_runs_when_the_commands_are_over(lived: Lived) -> None:
    assert [scan_memory.command(pid) for pid in lived.person.processes()] == []


@pytest.mark.slow
def test_the_disk_itself_holds_nothing_deleted_blocks_included(lived: Lived) -> None:
    """Last of all: her disk is taken away and read block by block."""
    if lived.person.disk is None:
        pytest.skip("no disk image can be mounted here")
    planted = day.nonsense(lived.canaries.rng)
    (lived.person.tmp / "planted").write_bytes(planted.encode() * 300)
    (lived.person.tmp / "planted").unlink()
    lived.person.disk.take_away()
    image = lived.person.disk.image
    assert Scanner([planted]).image(image), "what was deleted is still there to be found"
    hits = Scanner(lived.canaries.phrases(), user.needles_of(day.but_of_the_log(lived.keys))).image(image)
    assert hits == [], "\n".join(map(str, hits))
