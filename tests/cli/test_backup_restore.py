"""`notevault backup restore` as a user types it: the laptop is gone, the sheet and a backup are there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from notevault.adapters.place_files import DiskTree
from notevault.backup.copies.opening import find_copies
from notevault.cli.backup_restore_words import Rate
from notevault.errors import Refused
from notevault.formats import sheet as sheets
from tests.backup import vaults
from tests.backup.handmade import files_of, lay
from tests.cli.homes import PASSPHRASE, Home, empty_home
from tests.cli.test_terminal import at_terminal, ending, type_secret
from tests.fakes.simple import FakeClock

pytestmark = pytest.mark.disk

NEW = "nine brown foxes cross the old bridge"


@pytest.fixture
def stick(worked: Home, tmp_path: Path) -> Path:
    """A backup place with all that `worked` holds."""
    folder = tmp_path / "stick"
    lay(worked.vault, worked.local.name, folder)
    return folder


@pytest.fixture
def new(worked: Home, tmp_path: Path) -> Home:
    """Another computer, with the sheet of the vault that is gone."""
    home = empty_home(tmp_path / "new")
    shutil.copy(worked.sheet, home.sheet)
    return home


def fresh(home: Home) -> tuple[str, str]:
    return "--passphrase-file", home.file("fresh", NEW + "\n")


def notes(home: Home, *more: str) -> list[str]:
    """The texts of all notes."""
    done = home.run("--json", "note", "list", *fresh(home), *more)
    ids = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    return sorted(home.run("note", "show", each, *fresh(home), *more).stdout for each in ids)


BOTH = ["Came on time. Grüße ☕\n", "Slept four hours.\nBad dreams.\n"]


@pytest.mark.slow
def test_the_sheet_alone_brings_everything_back_and_the_work_goes_on(new: Home, stick: Path) -> None:
    done = new.run("--json", "backup", "restore", "--from", str(stick), "--sheet", str(new.sheet), *fresh(new))
    facts = json.loads(done.stdout)
    assert (facts["what"], facts["opened"], facts["missing"], facts["notes"]) == ("restore", True, 0, 2)
    assert facts["vault"] == str(new.vault)
    assert facts["places"] == ["stick"]
    assert "had not reached this backup" in done.stderr
    assert "Your 2 notes are back, the newest of" in done.stderr
    (place,) = map(json.loads, new.run("--json", "backup", "status").stdout.splitlines()[:-1])
    assert (place["verdict"], place["waiting"]) == ("safe", 0), "what was said of the place is so"
    assert "Backups go on to: stick" in done.stderr
    assert notes(new) == BOTH
    new.run("note", "add", "--client", "C-014", *fresh(new), stdin="Written on the new laptop.\n")
    assert "Anna" in new.run("find", "new", "laptop", *fresh(new)).stdout
    checked = new.run("audit", "verify", "--from", str(stick), code=None)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    ran = new.run("--json", "backup", "run")
    assert [(one["verdict"], one["waiting"]) for one in map(json.loads, ran.stdout.splitlines())] == [("safe", 0)]
    names = {path.name for path in new.vault.glob("blobs/*/*")}
    assert {path.name for path in stick.glob("notevault/*/blobs/*/*")} == names


@pytest.mark.slow
def test_without_the_sheet_the_notes_come_back_locked_and_it_says_what_is_next(new: Home, stick: Path) -> None:
    to = new.path / "elsewhere"
    done = new.run("--json", "backup", "restore", "--from", str(stick), "--to", str(to))
    assert json.loads(done.stdout)["opened"] is False
    assert f"`notevault recover --vault {to}`" in done.stderr
    new.run("recover", "--vault", str(to), "--sheet", str(new.sheet), *fresh(new))
    assert notes(new, "--vault", str(to)) == BOTH


@pytest.mark.slow
def test_a_laptop_that_knows_the_vault_needs_its_passphrase_alone(worked: Home, stick: Path) -> None:
    shutil.rmtree(worked.vault)
    said = worked.run("backup", "restore", "--from", str(stick), open_it=True)
    assert said.stdout.startswith("saved ")
    assert len(worked.objects("note", "list")) == 2
    assert worked.objects("doctor")


@pytest.mark.slow
def test_a_wrong_passphrase_leaves_it_locked_and_the_same_command_goes_on(worked: Home, stick: Path) -> None:
    shutil.rmtree(worked.vault)
    wrong = worked.file("wrong", "not the right one\n")
    said = worked.run("backup", "restore", "--from", str(stick), "--passphrase-file", wrong, code=77)
    assert "still locked" in said.stderr
    assert worked.vault.is_dir()
    worked.run("backup", "restore", "--from", str(stick), open_it=True)
    assert len(worked.objects("note", "list")) == 2


def test_beside_a_living_vault_a_restored_one_is_a_copy_to_be_read(worked: Home, stick: Path) -> None:
    to = worked.path / "copy"
    done = worked.run("backup", "restore", "--from", str(stick), "--to", str(to), open_it=True)
    assert "copy" in done.stderr
    read = worked.run("note", "list", "--vault", str(to), open_it=True)
    assert "read-only" in read.stderr
    worked.saved("note", "add", "--client", "C-014", stdin="The vault itself goes on.\n")


@pytest.mark.slow
def test_a_living_vault_gives_its_place_up_only_when_asked(worked: Home, stick: Path) -> None:
    to = worked.path / "other"
    worked.run("backup", "restore", "--from", str(stick), "--to", str(to), "--yes", open_it=True)
    worked.saved("note", "add", "--vault", str(to), "--client", "C-014", stdin="Goes on here.\n")
    assert "read-only" in worked.run("note", "list", open_it=True).stderr


@pytest.mark.parametrize("named", [".", "notevault"])
@pytest.mark.parametrize("where", ["stick", "stick/notevault/new", "stick/new", "."])
def test_a_vault_is_never_restored_into_its_backup(new: Home, stick: Path, where: str, named: str) -> None:
    before = sorted(stick.rglob("*"))
    to = stick.parent / where
    assert "own backup" in new.run("backup", "restore", "--from", str(stick / named), "--to", str(to), code=64).stderr
    assert sorted(stick.rglob("*")) == before


def test_nothing_that_lies_there_is_written_over(worked: Home, stick: Path) -> None:
    before = files_of(worked.vault)
    said = worked.run("backup", "restore", "--from", str(stick), code=77)
    assert "never writes over" in said.stderr
    assert files_of(worked.vault) == before


def test_a_folder_without_a_backup_is_said_to_be_none(new: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nothing-here"):
        said = new.run("backup", "restore", "--from", str(tmp_path / name), code=66)
        assert name in said.stderr
    assert not new.vault.exists()


def two_vaults(worked: Home, stick: Path, tmp_path: Path) -> None:
    other = vaults.synthetic(tmp_path / "other", [500])
    lay(other.vault, other.hex, stick)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["printed", "prefix", "upper"])
def test_where_several_vaults_lie_one_is_named_as_it_is_printed_or_by_its_first_digits(
    new: Home, worked: Home, stick: Path, tmp_path: Path, how: str
) -> None:
    two_vaults(worked, stick, tmp_path)
    said = new.run("backup", "restore", "--from", str(stick), code=77).stderr
    number = worked.local.name
    printed = " ".join(number[at : at + 4] for at in range(0, 32, 4))
    assert printed in said
    assert "--vault-id" in said
    chosen = {"printed": printed, "prefix": number[:8], "upper": number.upper()}[how]
    listed = new.run("--json", "backup", "restore", "--from", str(stick), "--vault-id", chosen, "--list")
    assert json.loads(listed.stdout.splitlines()[0])["vault"] == number
    for wrong in ("12345", "not a number", ""):
        new.run("backup", "restore", "--from", str(stick), "--vault-id", wrong, "--list", code=64)


@pytest.mark.slow
def test_where_several_vaults_lie_the_sheet_says_which(new: Home, worked: Home, stick: Path, tmp_path: Path) -> None:
    two_vaults(worked, stick, tmp_path)
    new.run("backup", "restore", "--from", str(stick), "--sheet", str(new.sheet), *fresh(new))
    assert notes(new) == BOTH


def test_the_sheet_of_another_vault_is_said_to_be_that(new: Home, worked: Home, tmp_path: Path) -> None:
    other = vaults.synthetic(tmp_path / "other", [500])
    lay(other.vault, other.hex, tmp_path / "foreign")
    said = new.run(
        "backup", "restore", "--from", str(tmp_path / "foreign"), "--sheet", str(new.sheet), *fresh(new), code=77
    ).stderr
    assert "sheet belongs to another vault" in said
    assert other.hex[:4] in said
    assert not new.vault.exists()


def arriving(worked: Home, stick: Path) -> tuple[str, Path]:
    """A newer state of which one note is there, another is not: the folder of a cloud client in the morning."""
    before = {path.name for path in worked.vault.glob("blobs/*/*")}
    worked.saved("note", "add", "--client", "C-014", stdin="Newer, and there.\n")
    here = {path.name for path in worked.vault.glob("blobs/*/*")} - before
    worked.saved("note", "add", "--client", "C-014", stdin="Newer, and not there yet.\n")
    base = lay(worked.vault, worked.local.name, stick)
    (late,) = {path.name for path in worked.vault.glob("blobs/*/*")} - before - here
    (base / "blobs" / late[:2] / late).unlink()
    return late, base


@pytest.mark.slow
def test_a_half_arrived_backup_is_a_question_and_nothing_is_left_behind_unasked(
    new: Home, worked: Home, stick: Path
) -> None:
    late, base = arriving(worked, stick)
    words = ("backup", "restore", "--from", str(stick), "--sheet", str(new.sheet), *fresh(new))
    said = new.run(*words, code=65).stderr
    assert "--newest" in said
    assert "--at" in said
    assert not new.vault.exists()
    done = new.run("--json", *words, "--newest")
    assert json.loads(done.stdout)["missing"] == 1
    assert "heal" in done.stderr
    assert {path.name for path in new.vault.glob("blobs/*/*")} == {path.name for path in base.glob("blobs/*/*")}
    assert not (new.vault / "blobs" / late[:2] / late).exists()


def test_the_list_shows_what_could_be_restored_and_writes_nothing(new: Home, stick: Path) -> None:
    before = sorted(new.path.rglob("*"))
    done = new.run("--json", "backup", "restore", "--from", str(stick), "--list")
    first = json.loads(done.stdout.splitlines()[0])
    assert (first["files"], first["missing"]) == (4, 0)
    assert sorted(new.path.rglob("*")) == before
    early = new.run("backup", "restore", "--from", str(stick), "--at", "2001-01-01", code=66).stderr
    assert "from that time" in early
    assert not new.vault.exists()


def test_before_the_first_backup_the_oldest_is_named_and_a_day_far_ahead_is_the_newest(new: Home, stick: Path) -> None:
    said = new.run("backup", "restore", "--from", str(stick), "--at", "2001-01-01", "--list", code=66).stderr
    assert "the oldest one is of" in said
    listed = new.run("--json", "backup", "restore", "--from", str(stick), "--at", "9999-12-31", "--list").stdout
    assert json.loads(listed.splitlines()[0])["missing"] == 0


def test_a_file_is_no_backup_and_a_place_where_no_folder_can_be_is_said_to_be_that(new: Home, stick: Path) -> None:
    said = new.run("backup", "restore", "--from", str(new.sheet), code=64).stderr
    assert "is a file" in said
    said = new.run("backup", "restore", "--from", str(stick), "--to", "/proc/vault", code=73).stderr
    assert "No folder can be made in /proc" in said


def test_a_whole_disk_is_no_folder_to_restore_into(new: Home, stick: Path) -> None:
    said = new.run("backup", "restore", "--from", str(stick), "--to", "/", code=64).stderr
    assert "Name a new folder on it, like /vault" in said
    assert new.run("backup", "restore", "--from", str(stick), "--list", "--to", "/").stdout


@pytest.mark.skipif(sys.platform == "win32", reason="the words are those of a POSIX shell")
def test_the_command_that_is_told_can_be_typed_whatever_the_folder_is_called(new: Home, stick: Path) -> None:
    to = new.path / 'it\'s $HOME "here"'
    said = new.run("backup", "restore", "--from", str(stick), "--to", str(to)).stderr
    (command,) = re.findall(r"`(notevault recover --vault .*?)`", said, re.S)
    assert shlex.split(command) == ["notevault", "recover", "--vault", str(to)]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may become somebody else")
def test_a_folder_that_may_not_be_entered_is_said_to_be_that(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o700)
    ended = os.fork()
    if ended == 0:
        code = 1
        try:
            os.setuid(65534)
            try:
                find_copies([shut / "in"], DiskTree, None)
            except Refused as fault:
                code = 0 if "does not let you look" in fault.sentence else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(ended, 0)[1]) == 0


def test_a_date_that_is_none_is_said_to_be_none(new: Home, stick: Path) -> None:
    for text in ("soon", "2026-13-40"):
        new.run("backup", "restore", "--from", str(stick), "--at", text, code=64)


@pytest.mark.slow
def test_interrupted_it_says_so_and_the_same_command_goes_on(tmp_path: Path) -> None:
    made = vaults.synthetic(tmp_path / "made", [3000] * 6000)
    lay(made.vault, made.hex, tmp_path / "stick")
    home = empty_home(tmp_path / "home")
    words = ["backup", "restore", "--from", str(tmp_path / "stick")]
    process = subprocess.Popen(
        [sys.executable, "-m", "notevault", *words],
        env=home.env,
        cwd=home.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    building = home.vault.with_name("vault.restoring")
    until = time.monotonic() + 60
    while not (building / "vault/blobs/0f").exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "goes on where it stopped" in said
    assert not home.vault.exists()
    done = home.run(*words)
    assert "Going on with the interrupted restore" in done.stderr
    assert files_of(home.vault) == files_of(made.vault)


@pytest.mark.slow
def test_at_a_terminal_everything_is_asked_and_enter_is_safe(new: Home, stick: Path) -> None:
    groups = sheets.parse_sheet(new.sheet.read_text())
    new.sheet.unlink()
    child = at_terminal(new, "backup", "restore", "--from", str(stick))
    child.expect("at hand\\? \\[Y/n\\]")
    child.sendline("")
    for group in sheets.encode(groups.seed, groups.fingerprint):
        child.expect("(?i)group [^:]*: ")
        type_secret(child, group)
    for _ in range(2):
        child.expect("(New passphrase|same once more).*: ")
        type_secret(child, NEW)
    said, code = ending(child)
    assert code == 0, said
    assert NEW not in said
    assert "Go on working" in said
    assert notes(new) == BOTH


def test_at_a_terminal_no_sheet_means_locked_for_now(new: Home, stick: Path) -> None:
    child = at_terminal(new, "backup", "restore", "--from", str(stick))
    child.expect("at hand\\? \\[Y/n\\]")
    child.sendline("n")
    said, code = ending(child)
    assert code == 0
    assert "still locked" in said
    assert new.vault.is_dir()


@pytest.mark.slow
def test_at_a_terminal_a_living_vault_keeps_its_place_with_enter(worked: Home, stick: Path) -> None:
    child = at_terminal(worked, "backup", "restore", "--from", str(stick), "--to", str(worked.path / "copy"))
    child.expect("take its place\\? \\[y/N\\]")
    child.sendline("")
    said, code = ending(child)
    assert code == 0, said
    worked.saved("note", "add", "--client", "C-014", stdin="The vault itself goes on.\n")


def test_at_a_terminal_a_half_arrived_backup_can_wait(new: Home, worked: Home, stick: Path) -> None:
    arriving(worked, stick)
    child = at_terminal(new, "backup", "restore", "--from", str(stick), "--sheet", str(new.sheet))
    child.expect("everything that is there\\? \\[Y/n\\]")
    child.sendline("n")
    child.expect("instead\\? \\[y/N\\]")
    child.sendline("")
    said, code = ending(child)
    assert code == 130
    assert "Nothing was restored" in said
    assert not new.vault.exists()


@pytest.mark.slow
def test_a_restored_vault_opens_by_nothing_but_its_new_passphrase(new: Home, stick: Path) -> None:
    new.run("backup", "restore", "--from", str(stick), "--sheet", str(new.sheet), *fresh(new))
    old = new.file("old", PASSPHRASE + "\n")
    new.run("note", "list", "--passphrase-file", old, code=77)


def test_the_line_of_a_long_restore_tells_rate_and_time_left() -> None:
    clock = FakeClock()
    rate = Rate(clock)
    assert rate.line(0, 200_000_000, 0, 901) == "Restoring: 0 of 901 files, 0.0 of 200 MB"
    clock.advance(2000)
    assert rate.line(80_000_000, 200_000_000, 360, 901).endswith("80 of 200 MB, 40.0 MB/s, 3 s left")
    assert rate.line(81_000_000, 200_000_000, 364, 901).startswith("Restoring: 360 "), "no faster than it can be read"
    clock.advance(100_000)
    assert rate.line(100_000_000, 200_000_000, 500, 901).endswith("1.0 MB/s, 2 min left")


def test_what_an_interrupted_restore_had_copied_does_not_count_as_speed() -> None:
    clock = FakeClock()
    rate = Rate(clock)
    rate.line(100_000_000, 200_000_000, 450, 901)
    clock.advance(10_000)
    assert rate.line(110_000_000, 200_000_000, 500, 901).endswith("1.0 MB/s, 2 min left")
