"""What the commands of backups say is true, agrees with what the others say, and its next step leads on."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from notevault.adapters.clock import SystemClock
from notevault.cli.commands import COMMANDS
from notevault.cli.output import fitted
from tests.cli.homes import Home
from tests.cli.test_backup import NEVER, objects, places_of, promised, remember, sealed_files, spoil

pytestmark = pytest.mark.disk

DAY = 86_400_000
OURS = re.compile(r"blobs/|anchors/|headers/|audit/|[0-9a-f]{32}")


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


@pytest.fixture
def backed(worked: Home, stick: Path) -> Home:
    worked.saved("backup", "add", str(stick), "--name", "USB Blue")
    worked.run("backup", "run")
    return worked


def doctor(home: Home) -> dict[str, tuple[str, str]]:
    return {str(one["topic"]): (str(one["state"]), str(one["sentence"])) for one in home.objects("doctor")}


def typed(words: str) -> list[list[str]]:
    """The commands that a line tells one to type, as a shell reads them."""
    return [shlex.split(command)[1:] for command in re.findall(r"`(notevault [^`]*)`", words)]


# -- a practice restore that failed


@pytest.mark.slow
def test_a_failed_practice_restore_is_remembered_until_it_was_mended_and_done_again(backed: Home, stick: Path) -> None:
    backed.run("backup", "drill", open_it=True)
    assert doctor(backed)["practice restore"][0] == "good"
    spoil(sealed_files(stick)[0])
    failed = backed.run("backup", "drill", open_it=True, code=1).stdout
    assert failed.startswith("1 thing in USB Blue did not hold.")  # counted once
    assert "is not whole" not in failed
    status = backed.run("backup", "status", code=1).stdout
    assert "1 backed-up file is missing or changed there." in status
    said = doctor(backed)
    assert said["backup"][0] == said["practice restore"][0] == "bad"
    backed.run("backup", "heal")
    assert backed.run("backup", "status").returncode == 0
    assert doctor(backed)["practice restore"][0] == "bad"
    backed.run("backup", "drill", open_it=True)
    assert doctor(backed)["practice restore"][0] == "good"


@pytest.mark.slow
def test_only_a_place_that_has_a_backup_is_practised_with(backed: Home, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    backed.run("backup", "add", str(tmp_path / "new"))
    for _ in range(4):
        assert "All of it came back from USB Blue" in backed.run("backup", "drill", open_it=True).stdout
    none = backed.run("backup", "drill", "new", open_it=True, code=66).stderr
    assert "Nothing is backed up to new yet." in none
    assert typed(none) == [["backup", "run", "new"]]


# -- an older vault


@pytest.mark.slow
def test_an_older_vault_is_told_alike_by_run_heal_drill_status_and_doctor(backed: Home, tmp_path: Path) -> None:
    old = backed.path / ".local"
    shutil.copytree(old, tmp_path / "old", symlinks=True)
    backed.saved("note", "add", "--client", "C-014", stdin="newer\n")
    backed.run("backup", "run")
    shutil.rmtree(old)
    shutil.copytree(tmp_path / "old", old, symlinks=True)
    step = "`notevault backup restore --from DIR --to NEWVAULT` brings the newest notes back"
    assert step in backed.run("backup", "run", code=1).stdout
    healed = backed.run("backup", "heal", code=1).stdout
    assert "It holds newer notes than this vault" in healed
    assert step in healed
    assert "NEWER THAN THE VAULT" in backed.run("backup", "status", code=1).stdout
    drilled = backed.run("backup", "drill", open_it=True, code=1).stdout
    assert drilled.startswith("All of it came back from USB Blue")
    assert "it is newer than this vault" in drilled
    assert "did not hold" not in drilled
    assert step in drilled
    assert doctor(backed)["backup"][0] == "bad"


def test_a_copy_of_the_vault_is_refused_and_the_vault_itself_named(backed: Home, tmp_path: Path) -> None:
    backed.saved("note", "add", "--client", "C-014", stdin="The laptop knows where its vault is.\n")
    copy = tmp_path / "a copy"
    shutil.copytree(backed.vault, copy)
    (tmp_path / "new").mkdir()
    for words in (["run"], ["add", str(tmp_path / "new")], ["heal"], ["install-service"]):
        said = backed.run("backup", *words, "--vault", str(copy), code=77).stderr
        assert f"itself lies in {backed.vault}; " in said
        assert f"--vault {shlex.quote(str(backed.vault))}" in said
    assert [one["name"] for one in objects(backed, "backup", "list")] == ["USB Blue"]


@pytest.mark.slow
def test_where_the_vault_is_gone_every_command_says_how_it_comes_back(backed: Home) -> None:
    backed.saved("note", "add", "--client", "C-014", stdin="The laptop knows where its vault is.\n")
    backed.run("backup", "run")
    shutil.rmtree(backed.vault)
    for words in (
        ["doctor"], ["verify"], ["note", "list"], ["backup", "drill"], ["backup", "watch"],
        ["backup", "install-service"], ["backup", "run"], ["--no-input"],
    ):  # fmt: skip
        done = backed.run(*words, open_it=words != ["--no-input"], code=66)
        said = done.stdout + done.stderr
        assert "The vault that was in this folder is gone" in said, words
        assert "`notevault backup heal` puts it back" in said
        assert "set-up" not in said
    backed.run("backup", "heal")
    assert backed.run("verify", open_it=True).returncode == 0


# -- figures


def test_what_a_place_that_is_away_lacks_is_still_counted(backed: Home, stick: Path) -> None:
    remember(backed, kind="removable", volume="another-stick")
    files = len(sealed_files(stick))
    backed.saved("note", "add", "--client", "C-014", stdin="One more.\n")
    stick.rename(stick.parent / "drawer")
    (run,) = objects(backed, "backup", "run", code=66)
    assert (run["verdict"], run["files"], run["waiting"]) == ("absent", files, 1)


def test_a_file_that_was_copied_again_is_no_longer_counted_as_missing(backed: Home, stick: Path) -> None:
    bad, gone, *_ = sealed_files(stick)
    spoil(bad)
    gone.unlink()
    assert "1 missing and 1 changed" in backed.run("backup", "verify", "--full", code=1).stdout
    run = backed.run("backup", "run", code=1).stdout
    assert "1 file that was there was gone, and copied again" in run
    assert "1 backed-up file is missing or changed there." in backed.run("backup", "status", code=1).stdout
    # While it is not known which of them it was, the last one stays counted.
    sealed_files(stick)[1].unlink()
    backed.run("backup", "run", code=1)
    assert "1 backed-up file is missing or changed there." in backed.run("backup", "status", code=1).stdout
    assert backed.run("backup", "heal").stdout == "1 file put back. 1 bad file was set aside, not deleted.\n"


def test_no_line_for_people_shows_our_own_paths(backed: Home, stick: Path) -> None:
    bad, gone, *_ = sealed_files(stick)
    spoil(bad)
    gone.unlink()
    for where in ("audit", "headers", "anchors"):
        shutil.rmtree(next(stick.glob(f"notevault/*/{where}")))
    for words in (("verify", "--full"), ("verify", "--quick"), ("run",), ("heal",)):
        done = backed.run("backup", *words, code=None)
        assert not OURS.search(done.stdout), done.stdout
        assert not NEVER.search(done.stdout), done.stdout


def test_heal_says_that_it_made_the_first_backup(worked: Home, stick: Path) -> None:
    worked.run("backup", "add", str(stick))
    healed = worked.run("backup", "heal").stdout
    files = len(sealed_files(stick))
    assert healed == f"Nothing had to be put back. {files} sealed files backed up to stick.\n"


# -- places


def test_a_cloud_folder_has_a_name_that_can_be_typed_and_is_said_to_be_handed_to(worked: Home, tmp_path: Path) -> None:
    (worked.path / "Dropbox").mkdir()
    added = worked.run("backup", "add", str(worked.path / "Dropbox")).stderr
    assert "same disk as the vault" not in added  # the service has it elsewhere
    assert typed(added) == [["backup", "run", "Dropbox"]]
    assert "handed over" in worked.run("backup", "run", "Dropbox").stdout
    assert worked.run("backup", "status").stdout.startswith("What was saved was handed to Dropbox's folder.\n")


def test_a_place_added_while_backups_are_stopped_is_said_to_get_nothing(backed: Home, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (backed.local / "backup" / "frozen").write_text("?")
    added = backed.run("backup", "add", str(tmp_path / "new")).stderr
    assert "Backups have stopped, so nothing is brought there yet" in added
    assert "backs up to it now" not in added
    status = backed.run("backup", "status", code=2).stdout
    assert "this laptop's note of why cannot be read" in status
    assert "ransom" not in status
    assert "Backups go on." in backed.run("backup", "heal").stdout


def test_what_this_laptop_forgot_of_a_place_is_added_again(backed: Home, stick: Path) -> None:
    (place,) = places_of(backed).all()
    (backed.local / "backup" / place.id / "place").write_text("?")
    said = backed.run("backup", "list").stderr
    assert "`notevault backup add DIR`" in said
    backed.run("backup", "add", str(stick))
    assert "cannot be read" not in backed.run("backup", "list").stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_folder_of_the_system_itself_is_refused_with_a_step(worked: Home) -> None:
    said = worked.run("backup", "add", "/proc", code=73).stderr.splitlines()
    assert said == [
        "notevault: notevault may not write to that folder.",
        "  Choose another folder, best on a stick or a disk of its own.",
    ]


# -- the look at bytes


def test_a_run_a_day_reads_a_part_again_and_finds_what_changed(backed: Home, stick: Path) -> None:
    bad = sealed_files(stick)[0]
    spoil(bad)
    assert backed.run("backup", "run").returncode == 0  # on the day itself all of it was written just now
    now = SystemClock().wall_ms()
    place = remember(backed, added_ms=now - 3 * DAY)
    proofs = [now - 2 * DAY] * 257
    proofs[int(bad.name[:2], 16)] = 0
    places_of(backed).save_proofs(place.id, proofs)
    run = backed.run("backup", "run", code=1).stdout
    assert f"sealed file {bad.name[:12]}: its bytes are others" in run
    assert max(places_of(backed).proofs(place.id)) >= now
    assert "DAMAGED" in backed.run("backup", "status", code=1).stdout


# -- watching


def test_a_second_watch_says_that_it_waits_for_the_first(backed: Home) -> None:
    with places_of(backed).lock(None, 0.0):
        command = [sys.executable, "-m", "notevault", "backup", "watch"]
        process = subprocess.Popen(command, env=backed.env, stderr=subprocess.PIPE, text=True, cwd=backed.path)
        try:
            assert process.stderr is not None
            assert "Another notevault backs up this vault already" in process.stderr.readline()
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert process.returncode in (0, 130)


# -- the help, and lines on a terminal


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.startswith("backup ")])
def test_every_help_tells_the_exit_status_and_what_json_has(name: str) -> None:
    assert "Exit status: 0" in COMMANDS[name].more
    assert "json" in COMMANDS[name].more


@pytest.mark.slow
def test_add_drill_and_remove_have_the_keys_that_their_help_promises(worked: Home, stick: Path) -> None:
    (added,) = worked.objects("backup", "add", str(stick))
    assert promised("backup add") == set(added)
    worked.run("backup", "run")
    (drilled,) = worked.objects("backup", "drill")
    assert promised("backup drill") <= set(drilled)
    (removed,) = worked.objects("backup", "remove", "stick")
    assert promised("backup remove") == set(removed)
    assert json.dumps(removed)


@pytest.mark.parametrize("width", [10, 39, 60, 79])
def test_a_line_that_is_drawn_over_never_takes_two_rows(width: int) -> None:
    for name in ("USB Blue", "USB Blue, the one that lives in the drawer", "\u5099\u4efd" * 20):
        line = fitted(f"Backing up to {name}: 1.2 MB of 6.4 MB, 1,204 files", width)
        cells = sum(2 if ord(c) > 0x2E80 else 1 for c in line)
        assert cells <= width
        if width >= 39:
            assert line.endswith("1.2 MB of 6.4 MB, 1,204 files")
    assert fitted("short: 1 of 2", width) == "short: 1 of 2"[: max(width, 13)] or width < 13
