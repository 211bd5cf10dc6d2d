"""Backups in the shell on a real pty, with the real worker: they happen by themselves, and never in her way."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from notevault.adapters.clock import SystemClock
from notevault.adapters.files import DiskFiles
from notevault.adapters.places import default_vault, local_root
from notevault.backup.model import FROZEN
from notevault.backup.places.registry import Places
from notevault.backup.words.status import SAYS
from notevault.vault.notebook import Notebook
from tests.shell.ptyshell import (
    _ROOT,
    CTRL_L,
    ESC,
    PASSPHRASE,
    PATIENCE_S,
    Shell,
    is_alive,
    make_vault,
    open_vault,
    processes,
)

pytestmark = [pytest.mark.slow, pytest.mark.disk]  # real processes that wait for one another


@pytest.fixture
def blue(own_home: Path, tmp_path: Path) -> Path:
    """A folder to back up to, and a vault that knows nothing of it."""
    make_vault()
    folder = tmp_path / "Blue stick"
    folder.mkdir()
    return folder


@pytest.fixture
def known(blue: Path) -> Path:
    """The same, added and backed up to once."""
    notevault("backup", "add", str(blue), "--name", "Blue")
    notevault("backup", "run")
    return blue


def notevault(*words: str, stdin: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-m", "notevault", *words],
        input=stdin,
        env=dict(os.environ) | {"PYTHONPATH": str(_ROOT)},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_beside(text: str) -> None:
    """Another process saves a note, as a script would."""
    secret = Path(os.environ["HOME"]) / "pass"
    secret.write_text(PASSPHRASE)
    secret.chmod(0o600)
    notevault("note", "add", "--client", "C-014", "--passphrase-file", str(secret), stdin=text)


def places() -> Places:
    (local,) = [each for each in local_root().iterdir() if len(each.name) == 32]
    return Places(DiskFiles(), local)


def files_in(folder: Path) -> set[str]:
    """What is safe there: sealed files by name."""
    return {path.name for path in folder.glob("notevault/*/blobs/*/*")}


def files_of_vault() -> set[str]:
    return {path.name for path in default_vault().glob("blobs/*/*")}


def within(held: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    end = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < end
        time.sleep(0.05)


def save_note(shell: Shell, text: str) -> None:
    shell.to_new_note()
    shell.type(text)
    shell.until(text)
    shell.type(ESC)
    shell.until("Saved at")


def worker(shell: Shell) -> int:
    """The process that backs up; it is started some time after the first screen."""
    found: list[int] = []

    def there() -> bool:
        found.clear()
        for pid in shell.children():
            with suppress(OSError):  # it has ended since
                found.extend([pid] if b"\0_worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes() else [])
        return bool(found)

    shell.until(there)
    return found[0]


def test_without_a_place_home_and_toolbar_say_so_and_no_process_runs(blue: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("no backup yet: type backup")
        shell.type("hide\r")
        shell.until("There is no backup: if this computer is lost, so are your notes. Type `backup add`.")
        time.sleep(6)
        assert len(shell.children()) == 1
        shell.type("quit\r")
        assert shell.until_ended() == 0
        assert b"Backing up" not in shell.raw


def test_a_place_named_at_the_prompt_is_backed_up_to_at_once_and_then_by_itself(blue: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type(f"backup add {blue}\r")
        shell.until("done, 2 sealed files copied")
        assert files_in(blue) == files_of_vault()
        shell.type("\r")
        shell.until("backup just now")
        assert "There is no backup" not in shell.flat
        assert "same disk as the vault" in shell.flat
        worker(shell)
        save_note(shell, "Came by itself.")
        shell.until(lambda: files_in(blue) == files_of_vault())
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert len(files_of_vault()) == 3


def test_it_goes_on_while_the_shell_is_locked_and_ends_with_it(known: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("backup")
        pid = worker(shell)
        shell.type(CTRL_L)
        shell.until("Locked.")
        write_beside("Saved while it was locked.")
        within(lambda: files_in(known) == files_of_vault())
        assert is_alive(pid), "the same worker, across the lock"
        shell.unlock()
        shell.until("notevault>")
        assert worker(shell) == pid
        shell.type("quit\r")
        assert shell.until_ended() == 0
        within(lambda: not is_alive(pid))
    assert len(files_of_vault()) == 3


def test_what_was_saved_last_is_brought_there_at_the_end(known: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        worker(shell)
        shell.to_new_note()
        shell.type("The very last words.")
        shell.until("last words.")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    within(lambda: files_in(known) == files_of_vault())
    assert len(files_of_vault()) == 3


def test_leaving_says_what_it_waits_for_and_never_waits_long(known: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        pid = worker(shell)
        os.kill(pid, signal.SIGSTOP)  # as one that hangs in a stick
        save_note(shell, "It hangs.")
        shell.type("quit\r")
        start = time.monotonic()
        assert shell.until_ended() == 0
        assert time.monotonic() - start < 20, "two seconds, and what a lock takes on a busy machine"
        assert "Backing up the last changes\u2026" in shell.flat
        assert "The backup goes on by itself." in shell.flat
        os.kill(pid, signal.SIGCONT)
    within(lambda: files_in(known) == files_of_vault())


def test_a_worker_that_hangs_keeps_no_key_waiting(known: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        pid = worker(shell)
        os.kill(pid, signal.SIGSTOP)
        shell.to_new_note()
        for letter in "It does not matter to me.":
            shell.type(letter)
        shell.until("It does not matter to me.")
        shell.type(ESC)
        shell.until("Saved at")
        shell.type("backup status\r")
        shell.until("1 waiting since")
        shell.type(ESC)
        shell.until("notevault>")
        os.kill(pid, signal.SIGCONT)
        within(lambda: files_in(known) == files_of_vault())


def test_a_place_that_is_busy_keeps_nobody_from_writing_and_home_tells_when_it_is_done(known: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        worker(shell)
        (place,) = places().all()
        with places().lock(place.id, 20):
            shell.type("backup run\r")
            shell.until("You may go back and write")
            shell.until("it is being backed up just now")
            shell.type(ESC)
            shell.until("It goes on beside")
            shell.type("backup run\r")
            shell.until("This is still under way: Backing up.")
            save_note(shell, "Written meanwhile.")
        shell.until("Backing up: Blue: done")  # without a key
        assert files_in(known) == files_of_vault()
        shell.type("quit\r")
        assert shell.until_ended() == 0


def test_when_the_parent_is_killed_the_worker_brings_the_rest_and_ends(known: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        pid = worker(shell)
        save_note(shell, "A moment before.")
        os.kill(shell.process.pid, signal.SIGKILL)
        within(lambda: files_in(known) == files_of_vault())
        within(lambda: not is_alive(pid))


def test_a_worker_that_was_killed_is_started_again(known: Path) -> None:
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        first = worker(shell)
        os.kill(first, signal.SIGKILL)
        shell.until(lambda: not is_alive(first))
        assert worker(shell) != first
        save_note(shell, "By the second one.")
        shell.until(lambda: files_in(known) == files_of_vault())
        shell.type("quit\r")
        assert shell.until_ended() == 0


def test_a_stop_of_all_backups_stands_in_front_everywhere_until_it_is_mended(known: Path) -> None:
    places().freeze(SystemClock().wall_ms(), 7, "many files changed")
    with Shell() as shell:
        shell.unlock()
        shell.until("BACKUP STOPPED: type backup \u2502 locks in")
        shell.type("hide\r")
        shell.until("7 saved files changed or vanished at once")
        shell.type("open c-014\r")
        shell.until("^S save")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("backup heal\r")
        shell.until("Repair now? [Y/n]")
        shell.type("\r")
        shell.until("The backups go on again.")
        shell.type("\r")
        shell.until("notevault>")
        shell.until(lambda: "BACKUP STOPPED" not in shell.text)
        shell.type("quit\r")
        assert shell.until_ended() == 0


def test_a_stop_that_comes_while_she_writes_or_is_at_home_is_seen_without_a_key(known: Path) -> None:
    with Shell(columns=40, rows=15) as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("new c-014\r")
        shell.until("1 free")
        shell.type("1")
        shell.until("0 words")
        shell.type("Words.")
        shell.until("Words.")
        places().freeze(SystemClock().wall_ms(), 7, "many files changed")
        shell.until("BACKUP STOPPED")
        assert "BACKUP STOPPED" in shell.screen.display[0], "in the title row of the note"
        assert "locks in" in shell.screen.display[-1]
        places().thaw()
        shell.until(lambda: "BACKUP STOPPED" not in shell.text)
        shell.type(ESC)
        shell.until("notevault>")
        places().freeze(SystemClock().wall_ms(), 7, "many files changed")
        shell.until("! 7 saved files changed or vanished")
        assert "BACKUP STOPPED" in shell.screen.display[-1]
        assert "locks in" in shell.screen.display[-1], "the countdown stays"
        shell.type("backup\r")
        shell.until("1 Back up now")
        assert "5 Practise a restore" in shell.flat, "the choices are in sight"
        shell.type(ESC)
        shell.until("notevault>")
        places().thaw()
        shell.until(lambda: "saved files changed" not in shell.text)
        shell.type("quit\r")
        assert shell.until_ended() == 0


def test_what_home_told_in_a_line_is_shown_whole_by_backup_until_it_was_seen(known: Path) -> None:
    green = known.parent / "Green stick"
    green.mkdir()
    notevault("backup", "add", str(green), "--name", "Green")
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        worker(shell)
        place = places().get("Blue")
        with places().lock(place.id, 20):
            shell.type("backup run\r")
            shell.until("it is being backed up just now")
            shell.type(ESC)
            shell.until("It goes on beside")
        shell.until("`backup` tells more.")
        assert "Green: done" not in shell.flat
        shell.type("backup\r")
        shell.until("Green: done")
        shell.type("\r")
        shell.until("1 Back up now")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("backup\r")
        shell.until("1 Back up now")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("quit\r")
        assert shell.until_ended() == 0


def test_the_words_of_backup_stand_under_tab_and_in_its_help_and_a_command_can_be_copied(known: Path) -> None:
    with Shell(columns=110) as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type("back\t")
        shell.until("watch: how it happens by itself")
        shell.type("\t")
        shell.until("> add: name a place")
        shell.type(ESC)
        shell.until(lambda: "watch: how" not in shell.text)
        shell.type("help backup\r")
        shell.until("backup watch: how it happens by itself")
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("backup restore\r")
        shell.until("--to NEWFOLDER")
        (at,) = [n for n, row in enumerate(shell.screen.display) if "backup restore" in row]
        shown = " ".join(row.strip() for row in shell.screen.display[at : at + 3])
        command = shown.partition("NEWFOLDER")[0].replace(" \\ ", " ")
        assert command == f"notevault backup restore --from {shlex.quote(str(known))} --to "
        shell.type(ESC)
        shell.until("notevault>")
        shell.type("backup verify nosuch\r")
        shell.until("There are: Blue. `backup list` shows them.")
        shell.type("quit\r")
        assert shell.until_ended() == 0


def test_everything_about_backups_is_done_at_the_prompt(known: Path) -> None:
    with Shell(rows=30) as shell:
        shell.unlock()
        shell.until("notevault>")

        def see(line: str, *words: str) -> None:
            shell.type(f"{line}\r")
            for each in words:
                shell.until(each)
            shell.type(ESC)
            shell.until("notevault>")

        see("backup", "1 Back up now", "Blue: 2 sealed files safe")
        see("backup status", "All that was saved is there.", str(known)[-20:])
        see("backup list", "Blue", str(known)[-20:])
        see("backup run", "Blue: done, nothing new; 2 sealed files there.")
        see("backup verify full", "nothing is missing or changed; 2 sealed files, every byte read.")
        see("backup verify quick blue", "names and sizes compared")
        see("backup drill", "All of it came back from Blue: 2 records of 1 client")
        see("backup heal", "Repair now?")
        see("backup restore", "notevault backup restore", "--to NEWFOLDER")
        see("backup watch", "also while it is locked", "install-service")
        see("help backup", "While notevault is open it backs up by itself")
        shell.type("backup vrify\r")
        shell.until("Did you mean `backup verify`?")
        shell.type("\x01backup remove blue\r")
        shell.until("No longer back up to it? [y/N]")
        shell.type("y")
        shell.until("Blue is no backup place any more.")
        shell.until("no backup yet")
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert files_in(known) == files_of_vault(), "what lies there stays"
    session = open_vault()
    from notevault.auditlog import entry

    parsed = [entry.parse(data) for data in session.recorder.entries(0, session.recorder.tail.size)]
    told = [(each.ev, each.o) for each in parsed if isinstance(each, entry.Entry) and each.ev.startswith("backup.")]
    for event in ("backup.place", "backup.run", "backup.verify", "backup.drill"):
        assert (event, "ok") in told
    assert len(Notebook(session).notes()) == 1
    session.close("exit")


@pytest.mark.parametrize("bad", ["{vault}/inside", "/nowhere/at/all"])
def test_a_folder_that_cannot_be_one_is_refused_in_a_sentence(blue: Path, bad: str) -> None:
    folder = bad.format(vault=default_vault())
    with suppress(OSError):
        Path(folder).mkdir()
    with Shell() as shell:
        shell.unlock()
        shell.until("notevault>")
        shell.type(f"backup add {folder}\r")
        shell.until("Enter or Esc goes on")
        assert "A backup place" in shell.text
        shell.type(ESC)
        shell.until("notevault>")
        shell.until("no backup yet")
    assert places().all() == []


def test_line_prompts_do_the_same(known: Path) -> None:
    with Shell("plain", rows=70) as shell:
        shell.until("Passphrase (not shown):")
        shell.type(PASSPHRASE + "\r")
        shell.until("notevault>")
        places().freeze(SystemClock().wall_ms(), 7, "many files changed")
        shell.until("7 saved files changed or vanished at once")  # without a key
        long = [row.rstrip() for row in shell.screen.display if len(row.rstrip()) > 60]
        words = set(SAYS[FROZEN].sentence.replace("Many", "7").split())
        assert any(row.split()[-1] in words for row in long), "broken between words"
        places().thaw()
        shell.type("backup run\r")
        shell.until("Blue: done, nothing new")
        shell.type("\r")
        shell.type("backup drill\r")
        shell.until("All of it came back from Blue")
        shell.type("\r")
        shell.type("quit\r")
        assert shell.until_ended() == 0


def test_the_demo_never_backs_up_and_knows_nothing_of_her_places(known: Path) -> None:
    before = sorted(path.name for path in known.rglob("*"))
    with Shell("demo") as shell:
        shell.until("notevault>")
        assert "backup" not in shell.text.splitlines()[-1]
        for line in ("backup", "backup run", f"backup add {known}", "backup drill"):
            shell.type(f"{line}\r")
            shell.until("The demo is never backed up: nothing here is kept.")
            shell.type("hide\r")
            shell.until(lambda: "never backed up" not in shell.text)
        time.sleep(4)
        below = {shell.process.pid, *shell.children()}
        started = [pid for pid, parent in processes() if parent in below and pid not in below]
        assert started == []
        assert len(shell.children()) == 1
        shell.type("quit\r")
        assert shell.until_ended() == 0
    assert sorted(path.name for path in known.rglob("*")) == before


def test_where_the_log_is_gone_the_shell_names_the_backup_and_the_notes_are_read(known: Path) -> None:
    shutil.rmtree(default_vault() / "audit")
    with Shell() as shell:
        shell.unlock()
        shell.until("the log of this vault is gone")
        assert "`notevault backup heal`" in shell.flat
        shell.type("1")
        shell.until("notevault>")
        shell.type("notes\r")
        shell.until("The newest notes")
        shell.type("\r")
        shell.until("Slept four hours.")
        assert "no notes yet" not in shell.flat
