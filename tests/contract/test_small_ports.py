"""Clock, Entropy and Machine: the real ones and the fakes keep the same promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from notevault.adapters import places
from notevault.adapters.clock import SystemClock
from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.machine import SystemMachine
from notevault.ports import Clock, Entropy, Machine
from tests.fakes.simple import MORNING_MS, FakeClock, FakeEntropy, FakeMachine, RepeatingEntropy

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()], ids=["system", "fake"])
def test_clocks_give_whole_milliseconds_that_do_not_go_back(clock: Clock) -> None:
    first, boot = clock.wall_ms(), clock.boot_ms()
    assert isinstance(first, int)
    assert isinstance(boot, int)
    assert first > 1_700_000_000_000
    assert 0 <= boot <= clock.boot_ms()
    assert -14 * 60 <= clock.utc_offset_minutes(first) <= 14 * 60


def test_the_offset_follows_the_season(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from notevault.adapters.clock import SystemClock as C;"
        "print(C().utc_offset_minutes(1763715600000), C().utc_offset_minutes(1752141600000))"
    )
    # POSIX spelling of Central European Time: it needs no zone files
    env = {**os.environ, "TZ": "CET-1CEST,M3.5.0,M10.5.0/3", "PYTHONPATH": str(REPO)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["60", "120"]


def test_the_fake_clock_moves_when_told() -> None:
    clock = FakeClock()
    clock.advance(5_000)
    assert (clock.wall_ms(), clock.boot_ms()) == (MORNING_MS + 5_000, 3_605_000)
    clock.set_wall(MORNING_MS - 1)
    assert (clock.wall_ms(), clock.boot_ms()) == (MORNING_MS - 1, 3_605_000)


@pytest.mark.parametrize("entropy", [SystemEntropy(), FakeEntropy(1)], ids=["system", "fake"])
def test_entropy_gives_as_many_bytes_as_asked_and_never_the_same(entropy: Entropy) -> None:
    assert entropy.draw(0) == b""
    assert [len(entropy.draw(n)) for n in (1, 16, 32, 33, 1000)] == [1, 16, 32, 33, 1000]
    assert len({entropy.draw(16) for _ in range(100)}) == 100


def test_a_seed_gives_the_same_bytes_and_a_broken_source_repeats() -> None:
    assert FakeEntropy(1).draw(50) == FakeEntropy(1).draw(50) != FakeEntropy(2).draw(50)
    broken = RepeatingEntropy()
    assert broken.draw(32) == broken.draw(32)


@pytest.mark.parametrize("machine", [SystemMachine(), FakeMachine()], ids=["system", "fake"])
def test_machines_tell_memory_and_boot(machine: Machine) -> None:
    assert len(machine.boot_id()) == 8
    assert machine.boot_id() == machine.boot_id()
    assert 0 <= machine.ram_available() <= machine.ram_total()
    assert machine.ram_total() > 64 << 20


def laid_out(tmp_path: Path, cgroup: str, limits: dict[str, str]) -> SystemMachine:
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal:  8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n")
    (proc / "self" / "cgroup").write_text(cgroup)
    for name, value in limits.items():
        (groups / name).parent.mkdir(parents=True, exist_ok=True)
        (groups / name).write_text(value + "\n")
    return SystemMachine(proc, groups)


def test_without_a_limit_the_physical_memory_counts(tmp_path: Path) -> None:
    machine = laid_out(tmp_path, "0::/\n", {"memory.max": "max", "memory.current": "1"})
    assert (machine.ram_total(), machine.ram_available()) == (8 << 30, 4 << 30)


def test_the_limit_of_a_group_or_of_one_above_it_counts(tmp_path: Path) -> None:
    limits = {"a/memory.max": str(1 << 30), "a/memory.current": str(1 << 28), "a/b/memory.max": "max"}
    machine = laid_out(tmp_path, "0::/a/b\n", limits)
    assert (machine.ram_total(), machine.ram_available()) == (1 << 30, (1 << 30) - (1 << 28))


def test_the_older_kind_of_group_counts_too(tmp_path: Path) -> None:
    limits = {
        "memory/memory.limit_in_bytes": str(2 << 30),
        "memory/memory.usage_in_bytes": str(3 << 30),  # over its limit: nothing is left, never a negative figure
    }
    machine = laid_out(tmp_path, "9:cpu:/x\n4:memory:/docker/abc\n", limits)
    assert (machine.ram_total(), machine.ram_available()) == (2 << 30, 0)


def test_an_older_group_without_a_limit_is_none(tmp_path: Path) -> None:
    machine = laid_out(tmp_path, "4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"})
    assert machine.ram_total() == 8 << 30


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory-backed runtime folders are Linux's")
def test_a_runtime_folder_counts_only_when_it_is_memory_ours_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Path(f"/run/user/{os.getuid()}")
    expected = usual if usual.is_dir() and SystemMachine().private_runtime_dir() == usual else None
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative/path")
    assert SystemMachine().private_runtime_dir() == expected
    on_disk = tmp_path / "run"
    on_disk.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(on_disk))
    if os.statvfs(on_disk).f_fsid != os.statvfs("/dev/shm").f_fsid:
        assert SystemMachine().private_runtime_dir() == expected  # a disk
    memory = Path("/dev/shm") / f"notevault-test-{os.getpid()}"
    memory.mkdir(mode=0o700)
    try:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(memory))
        assert SystemMachine().private_runtime_dir() == memory
        memory.chmod(0o750)
        assert SystemMachine().private_runtime_dir() == expected  # open to others
    finally:
        memory.rmdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/dev/shm")
    assert SystemMachine().private_runtime_dir() == expected


def test_the_usual_places_follow_home_and_lie_apart(own_home: Path) -> None:
    vault, local, secrets = places.default_vault(), places.local_root(), places.secrets_folder()
    for one in (vault, local, secrets):
        assert own_home in one.parents
        assert not any(one in other.parents or one == other for other in (vault, local, secrets) if other is not one)


HARDENED = """
import ctypes, os, resource, sys
from notevault.adapters.harden import harden, lock_memory
done = harden()
print(done.not_dumpable, done.no_core, resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))
print(oct(os.stat("/proc/self/mem").st_uid) if sys.platform.startswith("linux") else "")
print(lock_memory() in (True, False))
big = bytearray(64 << 20)  # a lock on future pages would make this fail where locking is limited
print(len(big))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")
def test_a_hardened_process_leaves_no_core_and_can_still_take_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HARDENED],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=True,
    )
    first, owner, locked, size = done.stdout.splitlines()
    assert first == "True True (0, 0) 0o77"
    assert owner == "0o0"  # the kernel gives the memory of a process that is not dumpable to root
    assert (locked, size) == ("True", str(64 << 20))
