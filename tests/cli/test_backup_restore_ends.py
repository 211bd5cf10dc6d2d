"""How `notevault backup restore` ends: interrupted, with losses, without the sheet, with a log not all there."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace
from notevault.app import restored
from notevault.backup.places.layout import README
from notevault.backup.restore import rest as restore_rest
from notevault.backup.restore.plan import Building
from tests.backup.handmade import lay
from tests.backup.restoring_run import sticks
from tests.backup.vaults import small
from tests.cli.homes import Home, empty_home
from tests.cli.test_backup_restore import BOTH, NEW, fresh, notes
from tests.cli.test_terminal import at_terminal, ending, type_secret

pytestmark = pytest.mark.disk


@pytest.fixture
def stick(worked: Home, tmp_path: Path) -> Path:
    lay(worked.vault, worked.local.name, tmp_path / "stick")
    return tmp_path / "stick"


@pytest.fixture
def new(worked: Home, tmp_path: Path) -> Home:
    home = empty_home(tmp_path / "new")
    shutil.copy(worked.sheet, home.sheet)
    return home


def words_of(new: Home, stick: Path) -> tuple[str, ...]:
    return "backup", "restore", "--from", str(stick), "--sheet", str(new.sheet), *fresh(new)


def places(home: Home, *more: str) -> list[dict[str, object]]:
    found = [json.loads(line) for line in home.run("--json", "backup", "status", *more, code=None).stdout.splitlines()]
    return [one for one in found if "name" in one]


def entered(vault: Path) -> int:
    """How often a restore is in the logs of the vault."""
    return sum(path.read_bytes().count(b'"ev":"backup.restore"') for path in vault.glob("audit/*/open"))


# -- interrupted


def reached(new: Home, moment: str) -> bool:
    rest = new.vault.with_name("vault.restoring") / "rest"
    if moment == "copied":
        return rest.exists() and new.vault.exists()
    try:
        return b'"opened":1' in rest.read_bytes()
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["copied", "opened"])
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_ended_at_any_moment_the_same_command_goes_on_until_it_has_said_saved(
    new: Home, stick: Path, moment: str, name: str
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "notevault", *words_of(new, stick)],
        env=new.env,
        cwd=new.path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not reached(new, moment) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    process.send_signal(getattr(signal, name))
    out, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    if "saved" not in out:
        if name != "SIGKILL":
            assert process.returncode == 130, said
            assert "Run the same command again" in said
        again = new.run("--json", *words_of(new, stick))
        assert "everything is copied" in again.stderr
        assert json.loads(again.stdout)["places"] == ["stick"]
    assert notes(new) == BOTH
    assert [one["name"] for one in places(new)] == ["stick"]
    assert entered(new.vault) == 1 or name == "SIGKILL"
    assert entered(new.vault) >= 1


@pytest.mark.slow
def test_once_it_has_said_saved_the_same_command_is_refused(new: Home, stick: Path) -> None:
    new.run(*words_of(new, stick))
    assert not Building(new.vault).root.exists()
    assert "never writes over" in new.run(*words_of(new, stick), code=77).stderr


# -- without the sheet, and then with it


@pytest.mark.slow
def test_recover_finishes_what_a_restore_without_the_sheet_left_to_do(new: Home, stick: Path) -> None:
    new.run("backup", "restore", "--from", str(stick))
    done = new.run("recover", "--sheet", str(new.sheet), *fresh(new))
    assert "Backups go on to: stick" in done.stderr
    assert "Your 2 notes are back" in done.stderr
    assert [(one["name"], one["verdict"], one["waiting"]) for one in places(new)] == [("stick", "safe", 0)]
    assert entered(new.vault) == 1
    assert not Building(new.vault).root.exists()


@pytest.mark.slow
def test_the_same_command_with_the_sheet_does_so_too(new: Home, stick: Path) -> None:
    new.run("backup", "restore", "--from", str(stick))
    done = new.run("--json", *words_of(new, stick))
    assert json.loads(done.stdout)["notes"] == 2
    assert entered(new.vault) == 1
    assert [one["name"] for one in places(new)] == ["stick"]


# -- losses


@pytest.mark.slow
def test_what_is_lost_is_said_in_notes_and_the_backups_go_on_without_it(tmp_path: Path) -> None:
    made = small(tmp_path / "made", notes=9)
    new = empty_home(tmp_path / "laptop")
    base = lay(made.vault, made.hex, tmp_path / "stick")
    session = made.session()
    lost = [write.digest for write in session.catalogue.writes() if write.type == 2][:6]
    session.close("exit")
    for digest in lost:
        (base / "blobs" / digest[:2] / digest).unlink()
    new.sheet.write_text(made.sheet)
    words = words_of(new, tmp_path / "stick")
    assert "4 of 10 files are there" in new.run(*words, code=65).stderr
    done = new.run(*words, "--newest")
    assert "6 files are not among them" in done.stderr
    assert "Your 3 notes are back" in done.stderr
    assert "6 notes are missing." in done.stderr
    assert "Anna" not in done.stderr, "names are for the screen alone"
    assert "Backups go on to: stick" in done.stderr
    assert [(one["verdict"], one["waiting"]) for one in places(new)] == [("safe", 0)]
    new.run("note", "add", "--client", "C-1", *fresh(new), stdin="Goes on.\n")
    (ran,) = [json.loads(line) for line in new.run("--json", "backup", "run").stdout.splitlines()]
    assert (ran["verdict"], ran["copied"]) == ("safe", 1)


@pytest.mark.slow
def test_whose_notes_are_lost_is_said_at_a_terminal(tmp_path: Path) -> None:
    made = small(tmp_path / "made", notes=3)
    new = empty_home(tmp_path / "laptop")
    base = lay(made.vault, made.hex, tmp_path / "stick")
    session = made.session()
    digest = next(write.digest for write in session.catalogue.writes() if write.type == 2)
    session.close("exit")
    (base / "blobs" / digest[:2] / digest).unlink()
    new.sheet.write_text(made.sheet)
    child = at_terminal(new, *words_of(new, tmp_path / "stick"), "--newest")
    said, code = ending(child)
    assert code == 0, said
    assert "1 note is missing. Of: Anna Berg (1)." in said


# -- a log that is not all there


def newer(worked: Home, stick: Path) -> Path:
    """Two more notes are backed up, but for the piece of the log that names them."""
    for text in ("Third.\n", "Fourth.\n"):
        worked.saved("note", "add", "--client", "C-014", stdin=text)
    base = lay(worked.vault, worked.local.name, stick)
    return max(base.glob("audit/*/parts/*"), key=lambda path: int(path.name.split("-")[1]))


@pytest.mark.slow
def test_a_piece_of_the_log_that_has_not_arrived_is_a_question_and_what_it_tells_of_comes_later(
    new: Home, worked: Home, stick: Path, tmp_path: Path
) -> None:
    piece = newer(worked, stick)
    piece.rename(tmp_path / "on its way")
    said = new.run(*words_of(new, stick), code=65).stderr
    assert "entries of its log have not arrived yet" in said
    assert "--newest" in said
    assert "--salvage" in said
    assert "4 of 4" not in said
    assert not new.vault.exists()
    listed = new.run("backup", "restore", "--from", str(stick), "--list").stderr
    assert "entries of its log have not arrived yet" in listed
    done = new.run(*words_of(new, stick), "--newest")
    assert "Your 2 notes are back" in done.stderr
    assert "heal --bring-in" in done.stderr
    (tmp_path / "on its way").rename(piece)
    assert "bring-in" in new.run("backup", "heal", code=None).stderr
    new.run("backup", "heal", "--bring-in")
    assert notes(new) == sorted([*BOTH, "Third.\n", "Fourth.\n"])


def test_at_a_terminal_enter_waits_and_a_salvage_is_offered(new: Home, worked: Home, stick: Path) -> None:
    newer(worked, stick).unlink()
    child = at_terminal(new, *words_of(new, stick))
    child.expect("2 sealed files are there already")
    child.expect("Go back to the state .*\\? \\[y/N\\]")
    child.sendline("")
    child.expect("Salvage all that instead\\? \\[y/N\\]")
    child.sendline("")
    said, code = ending(child)
    assert code == 130
    assert "Nothing was restored" in said
    assert not new.vault.exists()


@pytest.mark.slow
def test_with_salvage_all_notes_come_back_though_their_log_does_not(new: Home, worked: Home, stick: Path) -> None:
    newer(worked, stick).unlink()
    done = new.run(*words_of(new, stick), "--salvage")
    assert "Your 4 notes are back" in done.stderr
    assert notes(new) == sorted([*BOTH, "Third.\n", "Fourth.\n"])
    assert [(one["verdict"], one["waiting"]) for one in places(new)] == [("safe", 0)]


@pytest.mark.slow
def test_where_no_state_can_be_read_salvage_is_what_there_is(new: Home, stick: Path) -> None:
    for folder in [*stick.glob("notevault/*/anchors/*"), *stick.glob("notevault/*/audit/*/parts")]:
        shutil.rmtree(folder)
    said = new.run(*words_of(new, stick), code=65).stderr
    assert "--salvage takes all 4 sealed files" in said
    child = at_terminal(new, *words_of(new, stick))
    child.expect("Salvage all that\\? \\[Y/n\\]")
    child.sendline("")
    said, code = ending(child)
    assert code == 0, said
    assert notes(new) == BOTH


@pytest.mark.slow
def test_after_a_salvage_the_checks_name_the_old_log_and_let_her_go_on(new: Home, worked: Home, stick: Path) -> None:
    piece = max(stick.glob("notevault/*/audit/*/parts/*"), key=lambda path: int(path.name.split("-")[1]))
    data = bytearray(piece.read_bytes())
    data[data.rindex(b'"ev":"record.write"') + 7] ^= 1
    piece.write_bytes(data)
    new.run(*words_of(new, stick), "--salvage")
    for words in (("verify",), ("audit", "verify")):
        done = new.run(*words, *fresh(new), code=1)  # an auditor must see it
        assert "That is the old log, from before it was salvaged; the new one is whole. Go on working." in done.stderr
        assert "backup heal" not in done.stderr
    min(new.vault.glob("blobs/*/*")).unlink()
    for words in (("verify",), ("audit", "verify")):
        done = new.run(*words, *fresh(new), code=1)
        assert "Go on working" not in done.stderr
        assert "`notevault backup heal` puts back what a backup still has." in done.stderr


def test_what_the_read_me_of_a_place_says_asks_for_the_sheet(new: Home, stick: Path) -> None:
    (line,) = [line for line in README.decode().splitlines() if line.startswith("    ")]
    child = at_terminal(new, *line.replace("FOLDER", str(stick)).split()[1:])
    child.expect("Is your recovery sheet at hand\\?")
    child.sendintr()
    assert ending(child)[1] == 130


@pytest.mark.slow
def test_a_salvage_without_the_sheet_is_opened_by_recover(new: Home, stick: Path) -> None:
    for folder in stick.glob("notevault/*/audit"):
        shutil.rmtree(folder)
    new.run("backup", "restore", "--from", str(stick), "--salvage")
    new.run("recover", "--sheet", str(new.sheet), *fresh(new))
    assert notes(new) == BOTH


@pytest.mark.slow
def test_salvage_is_not_done_where_everything_can_be_read(new: Home, stick: Path) -> None:
    done = new.run(*words_of(new, stick), "--salvage")
    assert "Nothing needs to be salvaged" in done.stderr
    assert "INTACT" in new.run("verify", *fresh(new)).stdout


# -- places, and passphrases


def test_a_place_that_can_only_be_read_is_not_said_to_take_backups(tmp_path: Path) -> None:
    made = small(tmp_path / "home", notes=1)
    stick = tmp_path / "stick"
    lay(made.vault, made.hex, stick)
    folders = [stick / "notevault", tmp_path / "pulled out"]
    done = restored.register(made.env(), made.hex, made.vault, folders, sticks([stick], read_only=True), _place)
    assert (done.added, done.closed) == ([], ["stick"])
    assert any("pulled out" in remark for remark in done.remarks)


@pytest.mark.skipif(sys.platform == "win32", reason="a name of that length is no error of Windows' own kind")
def test_a_folder_that_cannot_be_looked_at_afterwards_is_told_and_ends_nothing(tmp_path: Path) -> None:
    made = small(tmp_path / "home", notes=1)
    lay(made.vault, made.hex, tmp_path / "stick")
    folders = [tmp_path / ("x" * 300), tmp_path / "stick"]
    done = restored.register(
        made.env(), made.hex, made.vault, folders, sticks([tmp_path / "stick"], read_only=False), _place
    )
    assert done.added == ["stick"]
    assert any("is not there any more" in remark for remark in done.remarks)


def _place(root: Path) -> DiskPlace:
    return DiskPlace(root, "0d" * 16)


@pytest.mark.slow
def test_any_number_of_slips_with_the_new_passphrase_leaves_the_typed_sheet_alone(new: Home, stick: Path) -> None:
    child = at_terminal(new, "backup", "restore", "--from", str(stick), "--sheet", str(new.sheet))
    for attempt in range(5):
        child.expect("New passphrase.*: ")
        type_secret(child, NEW if attempt else "short")
        if attempt:
            child.expect("same once more.*: ")
            type_secret(child, NEW + "X" if attempt < 4 else NEW)
    said, code = ending(child)
    assert code == 0, said
    assert notes(new) == BOTH


def test_files_of_another_kind_are_not_taken_for_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    Building(tmp_path / "vault").root.mkdir()
    (Building(tmp_path / "vault").root / "rest").mkdir()
    assert restore_rest.left(DiskFiles(), tmp_path / "vault") is None
