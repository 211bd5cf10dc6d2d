"""The practice restore: it says "all of it came back" only when all of it did. Copies of a vault folder stand in for
backup places where the place itself is not what is tested: a restore takes either.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.adapters.place_files import DiskTree
from notevault.app import drilling
from notevault.app.drilled import Drilled
from notevault.auditlog import entry
from notevault.backup import model
from notevault.backup.copies.copies import open_copies
from notevault.backup.model import PlaceFile
from notevault.errors import Interrupted, NotFound
from notevault.vault.session import Session
from tests.backup.vaults import Made, small
from tests.cli.homes import Home
from tests.fakes.simple import FakeEntropy

pytestmark = pytest.mark.disk

CANARY = "heron-canary-7731"
NEVER: Callable[[], bool] = lambda: False  # noqa: E731


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return small(tmp_path / "home", notes=3)


def copied(made: Made, to: Path) -> Path:
    shutil.copytree(made.vault, to)
    return to


def practise(session: Session, *copies: Path) -> Drilled:
    have = drilling.known(session)
    opened = open_copies(list(copies), DiskTree, have.header.vault.hex(), have.header.vik)
    return drilling.drill(have, "Blue", opened, lambda *_: None, NEVER)


def blob_of(folder: Path) -> Path:
    return sorted(folder.glob("blobs/*/*"))[0]


def events(session: Session, name: str) -> list[entry.Entry]:
    parsed = [entry.parse(data) for data in session.recorder.entries(0, session.recorder.tail.size)]
    return [each for each in parsed if isinstance(each, entry.Entry) and each.ev == name]


def test_a_whole_backup_comes_back_and_the_log_says_so(made: Made, tmp_path: Path) -> None:
    there = copied(made, tmp_path / "copy")
    session = made.session()
    done = practise(session, there)
    assert (done.verdict, done.findings, done.behind) == (model.SAFE, [], 0)
    assert (done.notes, done.clients) == (3, 1)
    assert done.records == len(list(there.glob("blobs/*/*"))) == session.catalogue.count_writes()
    assert done.bytes == sum(path.stat().st_size for path in there.glob("blobs/*/*"))
    drilling.enter(session, done)
    (told,) = events(session, "backup.drill")
    assert (told.o, told.k["n"]) == ("ok", done.records)
    assert session.close("exit") == []


def test_what_was_saved_since_is_counted_and_no_fault_of_the_backup(made: Made, tmp_path: Path) -> None:
    there = copied(made, tmp_path / "copy")
    made.write("One more.", "And another.")
    session = made.session()
    done = practise(session, there)
    assert (done.verdict, done.behind, done.notes, done.vault_notes) == (model.WAITING, 2, 3, 5)
    assert done.good
    assert any("2 changes since" in line for line in done.lines(session.env.clock.wall_ms(), 0))
    session.close("exit")


@pytest.mark.parametrize("how", ["changed", "missing", "swapped"])
def test_one_bad_file_fails_it_and_the_log_says_fail(made: Made, tmp_path: Path, how: str) -> None:
    there = copied(made, tmp_path / "copy")
    blob, other = sorted(there.glob("blobs/*/*"))[:2]
    data = blob.read_bytes()
    if how == "changed":
        blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif how == "missing":
        blob.unlink()
    else:
        blob.write_bytes(other.read_bytes())
    session = made.session()
    done = practise(session, there)
    assert done.verdict == model.HURT
    assert not done.good
    assert any(blob.name[:12] in sentence for sentence in done.findings)
    assert done.records == session.catalogue.count_writes() - 1
    drilling.enter(session, done)
    assert [told.o for told in events(session, "backup.drill")] == ["fail"]
    session.close("exit")


def test_a_second_place_mends_what_the_first_lost(made: Made, tmp_path: Path) -> None:
    one, two = copied(made, tmp_path / "one"), copied(made, tmp_path / "two")
    blob_of(one).write_bytes(b"gone")
    sorted(two.glob("blobs/*/*"))[-1].unlink()
    session = made.session()
    assert practise(session, one, two).verdict == model.SAFE
    session.close("exit")


def test_a_key_file_that_is_gone_fails_it(made: Made, tmp_path: Path) -> None:
    there = copied(made, tmp_path / "copy")
    for header in there.glob("headers/*/*"):
        header.unlink()
    session = made.session()
    done = practise(session, there)
    assert done.verdict == model.HURT
    assert "The key file is not in the backup." in done.findings
    session.close("exit")


def test_a_backup_newer_than_the_vault_is_said_to_be(made: Made, tmp_path: Path) -> None:
    old = copied(made, tmp_path / "old")
    made.write("Later.")
    there = copied(made, tmp_path / "there")
    shutil.rmtree(made.vault)
    shutil.copytree(old, made.vault)
    session = made.session()
    assert session.read_only is not None
    done = practise(session, there)
    assert (done.verdict, done.good) == (model.AHEAD, False)
    session.close("exit")


def test_a_log_that_went_another_way_is_told_apart(made: Made, tmp_path: Path) -> None:
    shutil.copytree(made.home, tmp_path / "other")
    other = Made(tmp_path / "other", made.vault_id, made.sheet)
    (other.own / "place").unlink()
    other.write("Written on a clone.")
    made.write("Written here.", "And here.")
    session = made.session()
    done = practise(session, other.vault)
    assert done.verdict == model.FORKED
    session.close("exit")


def test_a_stop_is_heard_and_nothing_is_logged(made: Made, tmp_path: Path) -> None:
    there = copied(made, tmp_path / "copy")
    session = made.session()
    have = drilling.known(session)
    with pytest.raises(Interrupted):
        drilling.drill(have, "Blue", open_copies([there], DiskTree), lambda *_: None, lambda: True)
    assert events(session, "backup.drill") == []
    session.close("exit")


def test_no_text_reaches_a_disk_and_none_is_in_what_is_said(made: Made, tmp_path: Path) -> None:
    made.write(f"She spoke of the {CANARY}.")
    there = copied(made, tmp_path / "copy")
    session = made.session()
    done = practise(session, there)
    drilling.enter(session, done)
    session.close("exit")
    said = " ".join(done.lines(0, 0)) + repr(done) + repr(drilling.known)
    assert CANARY not in said
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes()


def test_keys_are_in_no_repr(made: Made) -> None:
    session = made.session()
    assert session.keys.vk.hex() not in repr(drilling.known(session))
    assert repr(session.keys.vk) not in repr(drilling.known(session))
    session.close("exit")


def test_any_place_within_reach_has_its_turn_and_one_out_of_reach_is_passed_over() -> None:
    places = [PlaceFile(str(n) * 32, f"Place {n}", f"/p{n}", "removable", 0) for n in range(3)]

    def reach(place: PlaceFile) -> PlaceFile:
        if place.name == "Place 1":
            raise NotFound("It is not plugged in.", "")
        return place

    entropy = FakeEntropy("drill")
    assert {drilling.pick(places, reach, entropy).name for _ in range(60)} == {"Place 0", "Place 2"}
    with pytest.raises(NotFound):
        drilling.pick(places[1:2], reach, entropy)


# The command, with real places


def place_in(home: Home, folder: Path) -> Path:
    folder.mkdir()
    home.run("backup", "add", str(folder), "--name", "Blue")
    home.run("backup", "run")
    return folder


@pytest.mark.slow
def test_the_command_practises_with_a_real_place_and_remembers_that_it_went_well(worked: Home, tmp_path: Path) -> None:
    place_in(worked, tmp_path / "blue")
    (answer,) = worked.objects("backup", "drill")
    assert (answer["verdict"], answer["name"], answer["notes"], answer["clients"]) == ("safe", "Blue", 2, 2)
    (state,) = worked.objects("backup", "status")[:1]
    assert int(str(state["drill_ms"])) > 0


def test_the_command_fails_with_status_1_when_a_file_was_changed_there(worked: Home, tmp_path: Path) -> None:
    folder = place_in(worked, tmp_path / "blue")
    blob = sorted(folder.glob("notevault/*/blobs/*/*"))[0]
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes()[::-1])
    done = worked.run("backup", "drill", "blue", open_it=True, code=1)
    assert "did not hold" in done.stdout
    assert "notevault backup heal" in done.stdout


@pytest.mark.slow
def test_without_a_place_there_is_nothing_to_practise_with(worked: Home, tmp_path: Path) -> None:
    assert "There is no backup place yet." in worked.run("backup", "drill", open_it=True, code=66).stderr
    folder = place_in(worked, tmp_path / "blue")
    folder.rename(tmp_path / "away")
    assert "within reach" in worked.run("backup", "drill", open_it=True, code=66).stderr
