"""In a real terminal (tmux, which keeps what scrolls away): after leaving, its history holds nothing of the notes."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.leaks import day, scan_memory
from tests.leaks.scan_files import Scanner
from tests.leaks.user import Person

pytestmark = [pytest.mark.root, pytest.mark.slow]
BEFORE, AFTER = "the line before", "the line after"
SETTLING_S = 2.0  # a redraw comes in one burst; a countdown redraws once a second


class Window:
    """One tmux server of hers, with one window of 100 x 30 and a history of 50,000 lines."""

    def __init__(self, person: Person) -> None:
        self._person = person
        person.env["TMUX_TMPDIR"] = str(person.tmp)
        (person.base / "desk/tmux.conf").write_text("set -g history-limit 50000\nset -g status off\n")
        self._tmux("new-session", "-d", "-x", "100", "-y", "30", "sh")

    def _tmux(self, *words: str) -> str:
        argv = ["tmux", "-f", str(self._person.base / "desk/tmux.conf"), *words]
        with self._person.start(argv) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
        return out.decode()

    def type(self, text: str, *keys: str) -> None:
        if text:
            self._tmux("send-keys", "-l", text)
        for key in keys:
            self._tmux("send-keys", key)

    @property
    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    @property
    def everything(self) -> str:
        """Screen, history, and the screen that an alternate one lies over; with escapes, so that titles show too."""
        kept = self._tmux("capture-pane", "-p", "-e", "-J", "-S", "-", "-E", "-")
        return kept + self._tmux("capture-pane", "-p", "-a", "-q") + self._tmux("list-buffers")

    @property
    def history(self) -> str:
        """What has scrolled away; the screen itself is not part of it."""
        lines = int(self.facts("history_size"))
        return self._tmux("capture-pane", "-p", "-S", "-", "-E", "-1") if lines else ""

    def facts(self, what: str) -> str:
        return self._tmux("display-message", "-p", f"#{{{what}}}").strip()

    def until(self, wanted: str | Callable[[], object], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not (wanted in self.screen if isinstance(wanted, str) else wanted()):
            assert time.monotonic() < end, f"{wanted!r} never came; the screen is:\n{self.screen}"
            time.sleep(0.1)
        seen, end = self.screen, time.monotonic() + SETTLING_S
        while time.monotonic() < end:  # what was waited for may be the first line of a redraw
            time.sleep(0.1)
            before, seen = seen, self.screen
            if seen == before:
                return


@pytest.fixture
def window(person: Person) -> Iterator[Window]:
    if shutil.which("tmux") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("tmux is not installed")
        pytest.skip("tmux is not installed")
    yield Window(person)
    subprocess.run(["tmux", "kill-server"], env=person.env, user=person.uid, group=person.uid, extra_groups=[])


def _open(window: Window, person: Person, canaries: day.Canaries) -> None:
    key = person.file("passphrase", canaries.passphrase.encode())
    opened = ("--passphrase-file", str(key), "--no-input")
    assert person.does("init", "--sheet", str(person.base / "desk/sheet.txt"), *opened).code == 0
    assert person.does("client", "add", "-", *opened, stdin=canaries.name.encode()).code == 0
    long = "\n".join(f"{canaries.text} {number}" for number in range(120))
    assert person.does("note", "add", "--client", "C-001", *opened, stdin=long.encode()).code == 0
    window.type(f"echo {shlex.quote(BEFORE)}; {shlex.join(person.command())}; echo {shlex.quote(AFTER)}", "Enter")
    window.until("Your passphrase opens the vault")
    window.type(canaries.passphrase, "Enter")
    window.until("notevault>")


def _scroll(window: Window, canaries: day.Canaries) -> None:
    """A note of many pages, read to its end and back; the list; the page of help."""
    assert canaries.name in window.screen
    window.type("audit", "Enter")
    window.until(f"wrote  {canaries.name}")
    window.type("", "PageUp", "PageDown", "Escape")
    window.until("notevault>")
    window.type("open C-001", "Enter")
    window.until("Esc close")
    window.until(canaries.text.split()[-1])
    for key in ("PageDown",) * 6 + ("C-End", "PageUp"):
        window.type("", key)
    window.type(canaries.signed)
    window.until("kept")
    _clean(window, canaries)


def _clean(window: Window, canaries: day.Canaries) -> None:
    """Also while it runs: titles and what scrolls away."""
    titles = " ".join(window.facts(what) for what in ("pane_title", "window_name", "session_name"))
    history = window.history
    for what, where in ((titles, "titles"), (history, "history")):
        assert Scanner(canaries.phrases()).data(what.encode() + b" " * 8, where) == []


def test_after_leaving_the_history_holds_nothing(person: Person, window: Window) -> None:
    canaries = day.Canaries()
    _open(window, person, canaries)
    _scroll(window, canaries)
    window.type("", "Escape")
    window.until("notevault>")
    window.type("quit", "Enter")
    window.until(lambda: AFTER in window.screen.splitlines())
    _nothing_left(window, canaries)


def test_after_lock_and_kill_of_both_processes_the_history_holds_nothing(person: Person, window: Window) -> None:
    """The worst end: nobody is left to tidy up, so what was on the screen is, and no more; a reset clears that."""
    canaries = day.Canaries()
    _open(window, person, canaries)
    _scroll(window, canaries)
    window.type("", "C-l")
    window.until("Your passphrase opens the vault")
    assert Scanner(canaries.phrases()).data(window.everything.encode(), "the locked screen") == []
    ours = [pid for pid in person.processes() if "notevault" in scan_memory.command(pid)]
    ours = [pid for pid in ours if "tmux" not in scan_memory.command(pid) and scan_memory.command(pid) != "sh"]
    below = [pid for pid in ours if scan_memory.parent_of(pid) in ours]
    assert below
    for pid in below:  # else it may still cover the screen when its parent has died, and with it what is waited for
        os.kill(pid, signal.SIGSTOP)
    assert scan_memory.wait_for(lambda: all(_stands(pid) for pid in below))
    for pid in sorted(ours, key=below.__contains__):
        with suppress(ProcessLookupError):  # without its parent the other one ends by itself
            os.kill(pid, signal.SIGKILL)
    window.until(lambda: AFTER in window.screen)
    _nothing_left(window, canaries)


def _stands(pid: int) -> bool:
    """Whether it was stopped, or has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "TZX"
    except OSError:
        return True


def _nothing_left(window: Window, canaries: day.Canaries) -> None:
    kept = window.everything
    assert BEFORE in kept, "the history is read"
    hits = Scanner(canaries.phrases()).data(kept.encode(), "the terminal")
    assert hits == [], kept
    _clean(window, canaries)
