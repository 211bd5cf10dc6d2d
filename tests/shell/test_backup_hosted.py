"""The worker as the parent hosts it: real processes stand in for it, so that what it does to them can be seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.shell import hosted as hosted_module
from notevault.shell.hosted import AGAIN_MS, FIRST_MS, LAST_WORDS, LATER_WORDS, LEAVE_S, LOOK_MS, HostedWorker
from notevault.wiring.locked import LockedSide
from tests.fakes.simple import FakeClock
from tests.shell.ptyshell import PATIENCE_S, is_alive

pytestmark = pytest.mark.disk

VAULT, PLACE = "ab" * 16, "cd" * 16
SOON = "import sys, time; sys.stdin.buffer.read(); time.sleep(0.3); open('ended', 'w').close()"
READS = "import sys; open('lines', 'ab').write(sys.stdin.buffer.read()); open('ended', 'w').close()"
"""Takes whatever it is told until its input ends, and says that it came to its end."""
DEAF = (
    "import os, sys, time; sys.stdin.buffer.read(); end = time.monotonic() + 60\n"
    "while not os.path.exists('go') and time.monotonic() < end: time.sleep(0.02)\n"
    "open('ended', 'w').close()"
)
"""Goes on after it was told to end, like one with a slow stick, until there is a file `go`."""
FALLS = "import sys; open('starts', 'a').write('.'); sys.exit(70)"


def until(held: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not held():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def side(tmp_path: Path) -> LockedSide:
    (tmp_path / "local" / VAULT / "backup").mkdir(parents=True)
    return LockedSide(tmp_path / "vault", tmp_path / "local", FakeClock())


def add_place(side: LockedSide) -> None:
    folder = side.local_root / VAULT / "backup" / PLACE
    folder.mkdir()
    (folder / "place").write_bytes(b"{}\n")


def hosted(side: LockedSide, code: str) -> HostedWorker:
    return HostedWorker(side, [sys.executable, "-c", code])


def begun(side: LockedSide, code: str) -> HostedWorker:
    add_place(side)
    worker = hosted(side, code)
    worker.know(VAULT, 0)
    worker.look(FIRST_MS)
    assert worker.pid is not None
    return worker


def test_nothing_is_started_before_the_vault_is_known_and_the_first_screen_has_had_its_time(side: LockedSide) -> None:
    add_place(side)
    worker = hosted(side, READS)
    worker.look(1_000_000)
    assert worker.pid is None
    worker.know(VAULT, 1_000_000)
    worker.look(1_000_000 + FIRST_MS - 1)
    assert worker.pid is None
    worker.look(1_000_000 + FIRST_MS)
    assert worker.pid is not None
    worker.end(None)


def test_without_a_backup_place_there_is_no_process_and_a_new_place_starts_it(side: LockedSide) -> None:
    worker = hosted(side, READS)
    worker.know(VAULT, 0)
    worker.look(FIRST_MS)
    assert worker.pid is None
    add_place(side)
    worker.look(FIRST_MS + 1)
    assert worker.pid is None, "it looks every few seconds only"
    worker.look(FIRST_MS + LOOK_MS)
    assert worker.pid is not None
    worker.end(None)


def test_a_place_added_in_the_shell_starts_it_at_once_and_a_further_hint_reaches_it(side: LockedSide) -> None:
    worker = hosted(side, READS)
    worker.know(VAULT, 0)
    add_place(side)
    worker.hint(1)
    assert worker.pid is not None
    worker.hint(2)
    worker.end(None)
    until((side.local_root / "ended").exists)
    assert (side.local_root / "lines").read_bytes() == b"look\n"


def test_a_copy_of_the_vault_is_not_backed_up_into_the_vaults_places(side: LockedSide, tmp_path: Path) -> None:
    add_place(side)
    there = tmp_path / "elsewhere"
    (there / "headers" / "x").mkdir(parents=True)
    (side.local_root / VAULT / "place").write_text(f"{there}\n")
    worker = hosted(side, READS)
    worker.know(VAULT, 0)
    worker.look(FIRST_MS)
    assert worker.pid is None
    there.rename(tmp_path / "moved")
    worker.look(FIRST_MS + LOOK_MS)
    assert worker.pid is not None, "the vault was moved here"
    worker.end(None)


def test_a_worker_that_falls_is_started_again_later_and_later(side: LockedSide) -> None:
    worker = begun(side, FALLS)
    now, starts = FIRST_MS, side.local_root / "starts"
    for at, pause in enumerate((*AGAIN_MS, AGAIN_MS[-1]), 1):
        until(lambda at=at: starts.exists() and len(starts.read_text()) == at)  # type: ignore[misc]
        until(lambda: not is_alive(worker.pid or 0))
        worker.look(now)
        assert worker.pid is None
        worker.look(now + pause - 1)
        assert worker.pid is None
        now += pause
        worker.look(now)
        assert worker.pid is not None
    worker.end(None)


@pytest.mark.slow
def test_nothing_waiting_means_that_nobody_waits_and_nothing_is_said(
    side: LockedSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted_module, "LEAVE_S", 3 * PATIENCE_S)  # whoever waited would wait that long
    worker = begun(side, DEAF)
    pid, said = worker.pid or 0, []
    start = time.monotonic()
    worker.end(said.append)
    assert time.monotonic() - start < PATIENCE_S
    assert said == []
    assert is_alive(pid), "it goes on by itself"
    assert not (side.local_root / "ended").exists()
    (side.local_root / "go").touch()
    until((side.local_root / "ended").exists)


@pytest.mark.slow
def test_the_last_changes_are_waited_for_and_said_but_never_longer_than_two_seconds(side: LockedSide) -> None:
    worker = begun(side, DEAF)
    said: list[str] = []
    worker.waits = True
    start = time.monotonic()
    worker.end(said.append)
    assert LEAVE_S - 0.1 < time.monotonic() - start < LEAVE_S + PATIENCE_S
    assert said == [LAST_WORDS, LATER_WORDS]
    assert not (side.local_root / "ended").exists()
    (side.local_root / "go").touch()
    until((side.local_root / "ended").exists)


def test_a_backup_that_is_soon_done_is_waited_for_no_longer(side: LockedSide, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is longer here: on a busy machine Python alone may take two seconds to begin."""
    monkeypatch.setattr(hosted_module, "LEAVE_S", 3 * PATIENCE_S)
    worker = begun(side, SOON)
    said: list[str] = []
    worker.waits = True
    start = time.monotonic()
    worker.end(said.append)
    assert said == [LAST_WORDS]
    assert time.monotonic() - start < 2 * PATIENCE_S
    until((side.local_root / "ended").exists)


def test_it_lives_in_a_session_of_its_own_and_ends_by_itself_when_we_are_killed(
    side: LockedSide, tmp_path: Path
) -> None:
    add_place(side)
    host = (
        "import sys, time; from pathlib import Path; from notevault.shell.hosted import HostedWorker;"
        "from notevault.wiring.locked import LockedSide; from notevault.adapters.clock import SystemClock;"
        f"w = HostedWorker(LockedSide(Path({str(side.vault)!r}), Path({str(side.local_root)!r}), SystemClock()),"
        f"[sys.executable, '-c', {READS!r}]); w.know({VAULT!r}, 0); w.look(10**9); print(w.pid, flush=True);"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", host], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        session = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[3])
        assert session == pid
        process.kill()
    until((side.local_root / "ended").exists)


def test_a_worker_that_reads_nothing_keeps_no_hint_waiting(side: LockedSide) -> None:
    worker = begun(side, "import time; time.sleep(120)")
    start = time.monotonic()
    for _ in range(20_000):  # more than a pipe holds
        worker.hint(FIRST_MS)
    assert time.monotonic() - start < 60
    pid = worker.pid or 0
    worker.end(None)
    subprocess.run(["kill", str(pid)], check=True)


def test_a_worker_that_ends_at_each_start_is_told_until_one_lasts(side: LockedSide) -> None:
    add_place(side)
    worker = hosted(side, "pass")
    worker.know(VAULT, 0)
    now, seen = FIRST_MS, []
    while len(seen) < 2:
        worker.look(now)
        if worker.pid is not None:
            os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)
            worker.look(now)
            seen.append(worker.is_dead(now))
        now += LOOK_MS
    assert seen == [False, True]
    worker._command = [sys.executable, "-c", READS]
    while worker.pid is None:
        worker.look(now)
        now += LOOK_MS
    assert worker.is_dead(now)
    assert not worker.is_dead(now + 60_000)
    worker.end(None)
