"""A whole day in the shell's window: set up, write, search, import, crash, lock, hang up. What is left of it?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.leaks import day, ground, scan_memory, shell_day, user
from tests.leaks.scan_files import Scanner
from tests.leaks.terminal import CTRL_L, ENTER, ESC, Shell
from tests.leaks.user import Person

pytestmark = [pytest.mark.root, pytest.mark.slow]


@dataclass
class Lived:
    person: Person
    canaries: day.Canaries
    keys: dict[str, bytes]
    began: float
    watch: scan_memory.Watch
    windows: list[Shell] = field(default_factory=list)

    @property
    def phrases(self) -> list[str]:
        return self.canaries.phrases()


@pytest.fixture(scope="module")
def lived(her_python: tuple[int, str, str | None], open_ground: Path) -> Iterator[Lived]:
    uid, python, path = her_python
    canaries = day.Canaries()
    began = time.time()  # noqa: TID251  to compare with the files' own times
    with ground.new_person(python, path, open_ground, uid, disk=True) as person:
        with scan_memory.Watch(uid, canaries.needles()) as watch:
            lived = Lived(person, canaries, {}, began, watch)
            _morning(lived)
            lived.keys = user.keys_of(person, person.vault, canaries.passphrase)
            _afternoon(lived)
        yield lived


def _morning(lived: Lived) -> None:
    """Set up, write, look, import, a note from a pipe meanwhile; the program dies, refuses, opens, signs, locks."""
    canaries, person = lived.canaries, lived.person
    key = person.file("passphrase", canaries.passphrase.encode())
    rows = f"name,text,date\n{canaries.second_name},{canaries.imported},2026-03-02\n"
    original = person.file("original.csv", rows.encode())
    with Shell(person) as shell:
        lived.windows.append(shell)
        shell_day.set_up(shell, canaries)
        shell_day.begin_note(shell, canaries, canaries.text)
        shell_day.close_note(shell)
        shell_day.find(shell, canaries.long_words["text"], "1 note found")
        shell_day.back(shell)
        shell_day.find(shell, canaries.sought, "Nothing found")
        shell_day.list_clients(shell, canaries)
        shell_day.bring_in(shell, original)
        words = ("note", "add", "--client", "C-001", "--passphrase-file", str(key), "--no-input")
        done = person.does(*words, stdin=canaries.piped.encode())
        assert done.code == 0, done.text()
        shell_day.find(shell, canaries.long_words["piped"], "1 note found")
        shell.type(ENTER, canaries.piped.split()[-1])
        shell_day.write(shell, f" {canaries.signed}")
        shell_day.kill_child(shell)
        shell_day.wrong(shell, canaries)
        shell_day.unlock(shell, canaries, "Text that was not saved yet")
        shell.type("y", canaries.signed.split()[-1])
        shell_day.sign(shell)
        shell_day.lock(shell)
        shell_day.unlock(shell, canaries)
        shell_day.leave(shell)


def _afternoon(lived: Lived) -> None:
    """The window is closed in the middle of a sentence, the text comes back, and the evening."""
    canaries = lived.canaries
    with Shell(lived.person) as shell:
        lived.windows.append(shell)
        shell_day.unlock(shell, canaries)
        shell.type(f"edit C-001{ENTER}", "Esc close")
        shell_day.write(shell, f" {canaries.title}")
        shell_day.hang_up(shell)
    with Shell(lived.person) as shell:
        lived.windows.append(shell)
        shell.until(shell_day.ASKS)
        shell.type(canaries.passphrase + ENTER, lambda: canaries.name in shell.text)
        shell_day.back(shell)
        shell.type(f"drafts{ENTER}", "Not finished or not signed")
        shell.type(CTRL_L)
        shell.until(shell_day.ASKS)
        shell.type(ESC, "Leave")
        shell.type("3")
        assert shell.ended() == 0


def test_no_file_holds_a_name_a_text_a_search_word_a_passphrase_or_a_key(lived: Lived) -> None:
    hits = day.found_in_files(lived.person, lived.canaries, lived.keys, lived.began)
    assert hits == [], "\n".join(map(str, hits))


def test_the_terminal_keeps_nothing(lived: Lived) -> None:
    """Everything was drawn on the alternate screen, nothing scrolled away, no title tells a name."""
    scanner = Scanner(lived.phrases)
    for window in lived.windows:
        assert any(window.raw.count(word.encode()) for word in lived.canaries.name.split()), "names were shown"
        assert scanner.data(window.outside + b" " * 8, "the ordinary screen") == []
        assert scanner.data(window.scrolled_away.encode() + b" " * 8, "the scrollback") == [], window.scrolled_away
        assert scanner.data(window.titles + b" " * 8, "a title") == []
        assert b"\x1b]52;" not in window.raw, "nothing goes to the terminal's clipboard"
        assert lived.canaries.passphrase.split()[0].encode() not in window.raw, "a passphrase is never shown"


def test_when_she_has_left_the_screen_is_empty(lived: Lived) -> None:
    for window in (lived.windows[0], lived.windows[-1]):
        assert Scanner(lived.phrases).data(window.text.encode() + b" " * 8, "the last screen") == []


def test_folders_are_0700_and_files_0600_whatever_the_umask(lived: Lived) -> None:
    ours = [path for path in day.everything(lived.person.home) if path.name == "notevault" and path.is_dir()]
    assert len(ours) >= 3, "vault, local and device folders"
    assert day.open_doors([*ours, *lived.person.run.iterdir(), *lived.person.tmp.iterdir()], lived.person.uid) == []


def test_no_argument_and_no_environment_ever_held_anything(lived: Lived) -> None:
    assert sum("_child" in line for line in lived.watch.seen.values()) >= 5
    assert lived.watch.hits == []


def test_nothing_of_hers_runs_and_no_core_file_lies_about(lived: Lived) -> None:
    assert [scan_memory.command(pid) for pid in lived.person.processes()] == []
    assert day.cores(lived.person) == []


def test_the_disk_itself_holds_nothing_deleted_blocks_included(lived: Lived) -> None:
    """Last of all: her disk is taken away and read block by block."""
    if lived.person.disk is None:
        pytest.skip("no disk image can be mounted here")
    lived.person.disk.take_away()
    scanner = Scanner(lived.phrases, user.needles_of(day.but_of_the_log(lived.keys)))
    hits = scanner.image(lived.person.disk.image)
    assert hits == [], "\n".join(map(str, hits))
