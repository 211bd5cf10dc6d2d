"""What backups left word of enters the log once, with what came of it, whether the vault is open or locked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.app import backing, opening
from notevault.auditlog import entry
from notevault.backup.model import AHEAD, FORKED, PlaceFile, PlaceState
from notevault.backup.places.registry import Places
from notevault.backup.worker import results
from notevault.backup.worker.results import Result, Results
from notevault.errors import LogDamaged
from notevault.storage.layout import VaultPaths
from tests.backup.vaults import Made, small

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return small(tmp_path_factory.mktemp("vault") / "home", notes=1)


@pytest.fixture
def made(made_once: Made, tmp_path: Path) -> Made:
    """A copy of its own, at its own place."""
    shutil.copytree(made_once.home, tmp_path / "home", symlinks=True)
    (tmp_path / "home/.local/state/notevault" / made_once.hex / "place").unlink()
    return Made(tmp_path / "home", made_once.vault_id, made_once.sheet)


def left(made: Made) -> Results:
    return Results(DiskFiles(), made.own / "backup")


def told(made: Made) -> list[entry.Entry]:
    """The log's entries about backups."""
    session = made.session()
    found = [entry.parse(data) for data in session.recorder.entries(0, session.recorder.tail.size)]
    session.close("")
    return [one for one in found if isinstance(one, entry.Entry) and one.ev.startswith("backup.")]


def size(made: Made) -> int:
    (path,) = VaultPaths(made.vault).all_audit.glob("*/checkpoint")
    return int(path.read_text().split("\n")[1])


def now(made: Made) -> int:
    return made.env().clock.wall_ms()


def test_while_locked_results_are_entered_with_the_log_keys_alone(made: Made) -> None:
    at = now(made)
    left(made).put(results.RUN, "ok", 7, at)
    left(made).put(results.PLACE, "ok", 2, at, "added")
    left(made).put(results.HEAL, "part", 3, at)
    before = size(made)
    assert backing.record_results(made.env(), made.vault) == 3
    assert size(made) == before + 3
    assert not left(made).any()
    assert backing.record_results(made.env(), made.vault) == 0
    assert size(made) == before + 3
    found = {one.ev: one for one in told(made)}
    assert (found["backup.run"].o, found["backup.run"].k, found["backup.run"].pu) == ("ok", {"n": 7}, "system")
    assert found["backup.place"].k == {"n": 2, "to": "added"}
    assert found["backup.heal"].o == "part"
    assert all(one.h is None for one in found.values())  # nobody had the vault open


@pytest.mark.parametrize("folder", ["backup", "backup/results"])
def test_nothing_in_the_folder_of_backups_keeps_a_vault_from_opening(made: Made, folder: str) -> None:
    """Not even a file where the folder of results belongs, or one that is somebody else's."""
    path = made.own / folder
    path.parent.mkdir(exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    path.write_bytes(b"x")
    session = opening.open_vault(made.env(), made.vault, made.passphrase, shell=False)
    session.close("exit")


def test_at_an_opening_what_waits_is_entered(made: Made) -> None:
    left(made).put(results.VERIFY, "fail", 9, now(made))
    session = opening.open_vault(made.env(), made.vault, made.passphrase, shell=False)
    session.close("exit")
    assert not left(made).any()
    (one,) = told(made)
    assert (one.ev, one.o, one.k) == ("backup.verify", "fail", {"n": 9})
    assert one.h is not None


def test_a_late_success_is_reported_with_its_time_and_a_late_failure_keeps_its_outcome(made: Made) -> None:
    hours_ago = now(made) - 3 * 3_600_000
    left(made).put(results.RUN, "ok", 7, hours_ago)
    left(made).put(results.VERIFY, "fail", 2, hours_ago)
    assert backing.record_results(made.env(), made.vault) == 2
    run, check = sorted(told(made), key=lambda one: one.ev)
    assert (run.o, run.k) == ("reported", {"at": hours_ago, "n": 7})
    assert (check.o, check.k) == ("fail", {"n": 2})


@pytest.mark.parametrize("outcome", results.OUTCOMES)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("event", results.EVENTS)
def test_every_result_makes_an_entry_that_every_checker_takes(event: str, outcome: str, late: bool) -> None:
    at = 1_000_000_000
    act = backing.act_of(
        Result(event, outcome, 1, at, "removed" if event == results.PLACE else None), at * 2 * late + at
    )
    fields = {
        "v": 1, "i": 0, "e": 0, "p": "00" * 16, "t": at, "m": 0, "b": "00" * 8, "ev": act.event, "a": act.action,
        "o": act.outcome, "w": "00" * 8, "pu": act.purpose, "k": act.k,
    }  # fmt: skip
    parsed = entry.parse(entry.encode(fields))
    assert isinstance(parsed, entry.Entry)
    assert parsed.o == outcome or (late and outcome == "ok" and parsed.o == "reported")


def test_an_older_copy_of_the_vault_gets_no_entry_and_the_results_wait(made: Made, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(made.vault, old)
    made.write("something newer")
    shutil.rmtree(made.vault)
    shutil.copytree(old, made.vault)
    left(made).put(results.RUN, "ok", 7, now(made))
    before = size(made)
    assert backing.record_results(made.env(), made.vault) == 0
    session = opening.open_vault(made.env(), made.vault, made.passphrase, shell=False)
    assert session.read_only is not None
    session.close("")
    assert size(made) == before
    assert left(made).any()


@pytest.mark.parametrize("verdict", [AHEAD, FORKED])
def test_while_a_backup_place_has_more_of_the_log_nothing_is_entered_and_the_results_wait(
    made: Made, verdict: str
) -> None:
    """This laptop may have forgotten what it saw, with its whole disk put back to an earlier day; the place has not."""
    places = Places(DiskFiles(), made.own)
    places.save(PlaceFile("a1" * 16, "USB", "/stick", "removable", 1))
    places.save_state("a1" * 16, PlaceState(verdict=verdict))
    left(made).put(results.RUN, "ok", 7, now(made))
    before = size(made)
    assert backing.record_results(made.env(), made.vault) == 0
    assert size(made) == before
    places.save_state("a1" * 16, PlaceState(verdict="safe"))
    assert backing.record_results(made.env(), made.vault) == 1


def test_a_damaged_log_gets_no_entry_and_the_results_wait(made: Made) -> None:
    left(made).put(results.RUN, "ok", 7, now(made))
    (tail,) = VaultPaths(made.vault).all_audit.glob("*/open")
    data = bytearray(tail.read_bytes())
    data[len(data) // 2] ^= 1
    tail.write_bytes(data)
    with pytest.raises(LogDamaged):
        backing.record_results(made.env(), made.vault)
    assert left(made).any()
    assert tail.read_bytes() == bytes(data)


def test_without_this_laptops_key_the_results_wait(made: Made) -> None:
    left(made).put(results.RUN, "ok", 7, now(made))
    shutil.rmtree(made.home / ".config/notevault/device")
    before = size(made)
    assert backing.record_results(made.env(), made.vault) == 0
    assert size(made) == before
    assert left(made).any()


def _record(made: Made, *words: str) -> subprocess.CompletedProcess[str]:
    env = {
        "HOME": str(made.home),
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
    }
    command = [sys.executable, "-m", "notevault", "_record", *words]
    return subprocess.run(
        command, env=env, cwd=made.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False, start_new_session=True,
    )  # fmt: skip


def test_the_hidden_process_enters_them_and_says_nothing(made: Made) -> None:
    for n in range(3):
        left(made).put(results.RUN, "ok", n, now(made) + n)
    done = _record(made, "--vault", str(made.vault))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [one.k["n"] for one in told(made)] == [0, 1, 2]
    assert not left(made).any()


def test_two_of_them_at_once_enter_each_result_once(made: Made) -> None:
    for n in range(20):
        left(made).put(results.RUN, "ok", n, now(made) + n)
    env = {"HOME": str(made.home), "PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "notevault", "_record", "--vault", str(made.vault)]
    both = [subprocess.Popen(command, env=env, cwd=made.home, stdin=subprocess.DEVNULL) for _ in range(2)]
    assert [one.wait(60) for one in both] == [0, 0]
    assert sorted(one.k["n"] for one in told(made)) == list(range(20))


@pytest.mark.parametrize(("words", "code"), [((), 64), (("--vault",), 64), (("--vault", "/nowhere/at/all"), 66)])
def test_without_a_vault_it_says_nothing_either(made: Made, words: tuple[str, ...], code: int) -> None:
    done = _record(made, *words)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
