"""The worker as a process: beside a shell (`_worker`), in the foreground and as a service (`backup watch`)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from notevault.backup import model
from notevault.backup.model import Report
from notevault.backup.worker.hand import Job, patiently
from notevault.backup.worker.passing import Round
from notevault.errors import NotFound, NoVault, Refused
from notevault.wiring import backup as wired
from notevault.wiring import quiet
from notevault.wiring.locked import LockedSide
from tests.backup.vaults import small
from tests.backup.working import Bench, until

REPO = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX processes")


def environment(home: Path) -> dict[str, str]:
    """A home of its own, and no key store to be found."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "DBUS_", "DISPLAY"))}
    return env | {"HOME": str(home), "PYTHONPATH": str(REPO)}


def program(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "notevault", *words]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def started(bench: Bench) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
        if process.poll() is None:
            process.kill()
        process.wait()


def worker(bench: Bench, started: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        program("_worker", "--vault", str(bench.made.vault)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(bench.made.home),
    )
    started.append(process)
    return process


def close(process: subprocess.Popen[bytes]) -> bytes:
    """Close its standard input and wait for its end; all that it ever said."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(30)
    return process.stdout.read()


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in found.read_text().split()] if found.exists() else []


def gone(pid: int) -> bool:
    """Ended; where nobody has waited for it, it is still on the system's list as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_the_hidden_worker_backs_up_and_ends_with_its_standard_input(
    bench: Bench, started: list[subprocess.Popen[bytes]]
) -> None:
    process = worker(bench, started)
    until(lambda: bench.safe(0) and bench.safe(1), "nothing was backed up")
    new = bench.made.grow(3)
    assert close(process) == b"", "it wrote to its terminal"
    assert process.returncode == 0
    assert bench.safe(0, new), "what was saved just before the end is not there"
    assert bench.safe(1, new)


def test_a_line_on_its_standard_input_asks_for_a_look(bench: Bench, started: list[subprocess.Popen[bytes]]) -> None:
    process = worker(bench, started)
    until(lambda: bench.safe(0), "nothing was backed up")
    assert process.stdin is not None
    bench.places.append(bench.add("three"))
    process.stdin.write(b"look\n")
    process.stdin.flush()
    until(lambda: bench.safe(2), "it was asked to look, and did not")
    close(process)


def test_a_worker_without_anybody_at_the_other_end_does_one_round_and_ends(bench: Bench) -> None:
    done = subprocess.run(
        program("_worker", "--vault", str(bench.made.vault)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        env=environment(bench.made.home),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert bench.safe(0)
    assert bench.safe(1)


@pytest.mark.parametrize("how", ["no vault", "no words", "a copy"])
def test_a_worker_that_cannot_work_ends_at_once_without_a_word(bench: Bench, how: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    words = ["--vault", str(tmp_path / "empty")] if how == "no vault" else []
    code = {"no vault": 66, "no words": 64, "a copy": 77}[how]
    if how == "a copy":
        copy = bench.made.copy_to(tmp_path / "other").vault
        (bench.made.own / "place").write_text(f"{bench.made.vault}\n")
        words = ["--vault", str(copy)]
    done = subprocess.run(
        program("_worker", *words), stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
        env=environment(bench.made.home),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


HOST = """
import subprocess, sys, time
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(process.pid, flush=True)
time.sleep(120)
"""


def test_a_worker_whose_shell_was_killed_does_not_run_on(bench: Bench, started: list[subprocess.Popen[bytes]]) -> None:
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, *program("_worker", "--vault", str(bench.made.vault))],
        stdout=subprocess.PIPE,
        env=environment(bench.made.home),
    )
    started.append(host)
    assert host.stdout is not None
    pid = int(host.stdout.readline())
    until(lambda: bench.safe(0) and bench.safe(1), "nothing was backed up")
    new = bench.made.grow(1)
    host.send_signal(signal.SIGKILL)
    host.wait()
    until(lambda: gone(pid), "it runs on for ever")
    assert bench.safe(0, new)


@pytest.mark.slow
def test_interrupts_typed_in_the_shell_do_not_end_it(bench: Bench, started: list[subprocess.Popen[bytes]]) -> None:
    process = worker(bench, started)
    until(lambda: bench.safe(0), "nothing was backed up")
    for number in (signal.SIGINT, signal.SIGHUP):
        process.send_signal(number)
        time.sleep(0.3)
        assert process.poll() is None
    new = bench.made.grow(1)
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert process.returncode == 0
    assert bench.safe(0, new)


@pytest.mark.slow
def test_a_killed_worker_leaves_its_place_to_the_next_one(bench: Bench, started: list[subprocess.Popen[bytes]]) -> None:
    first, second = worker(bench, started), worker(bench, started)
    until(lambda: bench.safe(0) and bench.safe(1), "nothing was backed up")
    time.sleep(0.5)
    assert first.poll() is None
    assert second.poll() is None
    first.kill()
    first.wait()
    new = bench.made.grow(1)
    until(lambda: bench.safe(0, new) and bench.safe(1, new), "nobody took over")
    assert close(second) == b""


def test_it_leaves_no_process_of_its_own_behind_and_no_zombie(tmp_path: Path) -> None:
    """A real vault: the result of the first backup is entered by a short process that is waited for."""
    made = small(tmp_path / "home", notes=1)
    side = LockedSide(made.vault, made.local, made.env().clock)
    (tmp_path / "stick").mkdir()
    added = subprocess.run(
        program("backup", "add", str(tmp_path / "stick"), "--no-input"), capture_output=True, timeout=60, check=False,
        env=environment(made.home),
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    process = subprocess.Popen(
        program("_worker", "--vault", str(made.vault)),
        stdin=subprocess.PIPE,
        env=environment(made.home),
    )
    try:
        ground = wired.ground_of(side)
        place = ground.places.all()[0]
        until(lambda: ground.places.state(place.id).verdict == model.SAFE, "no backup was made")
        seen: set[int] = set()
        until(lambda: bool(seen.update(children(process.pid)) or seen) or not _waits(ground), "no one enters it")
        until(lambda: not _waits(ground), "the result was not entered in the log")
        until(lambda: not children(process.pid), "a child is left on the system's list")
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)
    assert all(gone(pid) for pid in seen)
    assert process.returncode == 0


def _waits(ground: wired.Ground) -> bool:
    from notevault.backup.worker.results import Results

    return Results(ground.files, ground.places.root).any()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_says_what_became_safe_and_ends_cleanly(
    bench: Bench, started: list[subprocess.Popen[bytes]], number: signal.Signals
) -> None:
    process = subprocess.Popen(
        program("backup", "watch", "--no-input", "--vault", str(bench.made.vault)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(bench.made.home),
    )
    started.append(process)
    until(lambda: bench.safe(0) and bench.safe(1), "nothing was backed up")
    until(lambda: bench.state(0).verdict == model.SAFE, "its state was not kept")
    new = bench.made.grow(2)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == b""
    said = err.decode()
    assert "one: 5 sealed files safe" in said
    assert "two: " in said
    assert "Traceback" not in said
    assert bench.safe(0, new)


def test_an_interrupted_process_of_results_is_ended_after_its_time() -> None:
    began = time.monotonic()
    process = quiet.start([sys.executable, "-c", "import time; time.sleep(60)"], os.environ)
    quiet.finish(process, 0.5)
    quiet.finish(process, 0.5)
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 40


def test_a_process_of_results_that_is_ready_waits_for_its_word_and_ends_with_us() -> None:
    process = quiet.start([sys.executable, "-c", "import sys; sys.stdin.read(); sys.exit(7)"], os.environ)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.0)
    assert process.stdin is not None
    process.stdin.close()  # as the system does it when whoever started it is killed
    assert process.wait(20) == 7
    assert process.stdout is not None
    process.stdout.close()


def test_a_process_of_results_that_was_not_needed_is_ended_and_has_entered_nothing(bench: Bench) -> None:
    side = LockedSide(bench.made.vault, bench.made.local, bench.clock)
    with pytest.raises(Refused), wired.recorder_ready(side, wanted=True) as ready:
        raise Refused("In the middle.")
    assert ready is not None
    assert ready.returncode == -signal.SIGKILL
    assert ready.stdin is not None
    assert ready.stdin.closed
    with wired.recorder_ready(side, wanted=False) as ready:
        assert ready is None


def test_one_backup_now_tells_of_every_place(bench: Bench) -> None:
    side = LockedSide(bench.made.vault, bench.made.local, bench.clock)
    Path(bench.places[1].path).rename(bench.tmp / "drawer")
    began: list[str] = []
    done = wired.run_once(side, began=lambda place: began.append(place.name))
    assert [(place.name, report.verdict) for place, report in done] == [("one", model.SAFE), ("two", model.ABSENT)]
    assert sorted(began) == ["one", "two"]
    assert bench.safe(0)
    assert [place.name for place, _ in wired.run_once(side, ["on"])] == ["one"]
    with pytest.raises(NotFound):
        wired.run_once(side, ["three"])
    with pytest.raises(NoVault):
        wired.run_once(LockedSide(bench.tmp, bench.made.local, bench.clock))


@pytest.mark.slow
def test_a_place_that_hangs_gives_way_to_the_next_one_in_a_backup_by_hand(tmp_path: Path) -> None:
    """Three minutes are 0.2 s here."""
    bench = Bench(tmp_path, factor=1000.0)
    free = threading.Event()
    job = Job("pass", bench.places[0], Round(0))
    began = time.monotonic()
    assert patiently(lambda *_: Report(str(free.wait(20))), job, bench.clock, 180_000) is None
    assert time.monotonic() - began < 30
    assert patiently(lambda *_: Report(model.SAFE), job, bench.clock, 180_000) == Report(model.SAFE)
    free.set()


def test_a_copy_of_the_vault_is_not_backed_up_and_gives_the_vault_no_false_alarm(bench: Bench, tmp_path: Path) -> None:
    side = LockedSide(bench.made.vault, bench.made.local, bench.clock)
    older = bench.made.copy_to(tmp_path / "older")
    bench.made.grow(3)
    (bench.made.own / "place").write_text(f"{bench.made.vault}\n")
    wired.run_once(side)
    with pytest.raises(Refused):
        wired.run_once(LockedSide(older.vault, bench.made.local, bench.clock))
    assert bench.state(0).verdict == model.SAFE


def test_the_vault_is_known_by_signed_files_of_its_own(bench: Bench, tmp_path: Path) -> None:
    side = LockedSide(bench.made.vault, bench.made.local, bench.clock)
    assert wired.vault_hex_of(side) == bench.made.hex
    for path in bench.made.paths.all_headers.rglob("*-*"):
        path.write_bytes(path.read_bytes().replace(b'"v":1', b'"v":2'))
    assert wired.vault_hex_of(side) == bench.made.hex, "its card still says so"


def test_where_no_service_can_be_installed_it_is_said_with_what_to_type(bench: Bench, tmp_path: Path) -> None:
    env = environment(bench.made.home) | {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    install = program("backup", "install-service", "--vault", str(bench.made.vault))
    done = subprocess.run(install, capture_output=True, timeout=60, check=False, env=env)
    assert done.returncode in (73, 77), done.stderr
    assert b"Traceback" not in done.stderr
    removed = subprocess.run([*install, "--remove", "--json"], capture_output=True, timeout=60, check=False, env=env)
    assert removed.returncode in (0, 73), removed.stderr  # 73: taken away, but the system did not say that it stopped
    assert b'"state": "absent"' in removed.stdout or b"was taken away" in removed.stderr
