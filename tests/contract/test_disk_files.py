"""What only a real disk can show: modes, orders of syncs, failing syncs, full disks, locks between processes."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notevault.adapters.file_errors import translate
from notevault.adapters.files import DiskFiles
from notevault.errors import Busy, CannotWrite, Damaged, DiskFull, NotFound, StorageFault

if sys.platform == "win32":
    pytest.skip("POSIX only", allow_module_level=True)

from notevault.adapters.files_posix import PosixPlatform

REPO = Path(__file__).resolve().parents[2]


class ObservedPlatform(PosixPlatform):
    """The real platform that notes what it does, and fails where it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[str] = []
        self.broken: dict[str, int] = {}

    def _note(self, what: str) -> None:
        self.done.append(what)
        if what in self.broken:
            raise OSError(self.broken[what], "broken on purpose")

    def sync_file(self, fd: int) -> None:
        self._note("folder" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        super().sync_file(fd)

    def sync_batch(self, fd: int) -> None:
        self._note("batch")
        super().sync_batch(fd)

    def place(self, temp: Path, target: Path) -> None:
        self._note("place")
        super().place(temp, target)

    def replace(self, temp: Path, target: Path) -> None:
        self._note("replace")
        super().replace(temp, target)


@pytest.fixture
def observed() -> ObservedPlatform:
    return ObservedPlatform()


@pytest.fixture
def files(observed: ObservedPlatform) -> DiskFiles:
    return DiskFiles(platform=observed)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    old = os.umask(mask)
    try:
        yield
    finally:
        os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_files_are_0600_and_folders_0700_whatever_the_umask(tmp_path: Path, files: DiskFiles, mask: int) -> None:
    with umask(mask):
        files.make_folder(tmp_path / "x" / "y")
        files.create(tmp_path / "x" / "created", b"1")
        files.create_batch([(tmp_path / "x" / "batched", b"1")])
        files.replace(tmp_path / "x" / "replaced", b"1")
        files.append(tmp_path / "x" / "appended", b"1", at=0)
    assert mode(tmp_path / "x") == mode(tmp_path / "x" / "y") == 0o700
    assert {mode(tmp_path / "x" / n) for n in ("created", "batched", "replaced", "appended")} == {0o600}


def test_a_file_is_synced_before_its_name_and_its_name_before_the_answer(
    tmp_path: Path, files: DiskFiles, observed: ObservedPlatform
) -> None:
    files.create(tmp_path / "a", b"1")
    assert observed.done == ["file", "place", "folder"]
    observed.done.clear()
    files.replace(tmp_path / "a", b"2")
    assert observed.done == ["file", "replace", "folder"]
    observed.done.clear()
    files.append(tmp_path / "b", b"1", at=0)
    files.append(tmp_path / "b", b"2", at=1)
    assert observed.done == ["file", "folder", "file"]
    observed.done.clear()
    files.remove(tmp_path / "b")
    assert observed.done == ["folder"]


def test_an_equal_file_is_made_durable_before_it_counts_as_created(
    tmp_path: Path, files: DiskFiles, observed: ObservedPlatform
) -> None:
    (tmp_path / "a").write_bytes(b"1")
    files.create(tmp_path / "a", b"1")
    assert observed.done == ["file", "place", "file", "folder"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="syncfs is Linux's")
def test_a_batch_costs_one_sync_and_one_for_each_folder(
    tmp_path: Path, files: DiskFiles, observed: ObservedPlatform
) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    files.create_batch([(tmp_path / ("xy"[i % 2]) / str(i), b"data") for i in range(20)])
    assert observed.done == ["batch"] + ["place"] * 20 + ["folder"] * 2


def test_without_a_sync_of_the_whole_disk_each_file_is_synced(tmp_path: Path) -> None:
    class Plain(ObservedPlatform):
        def open_batch(self, folder: Path) -> int | None:
            return None

    plain = Plain()
    DiskFiles(platform=plain).create_batch([(tmp_path / str(i), b"data") for i in range(3)])
    assert plain.done == ["file"] * 3 + ["place"] * 3 + ["folder"]


@pytest.mark.parametrize("step", ["file", "place", "folder"])
def test_a_create_that_fails_leaves_nothing(
    tmp_path: Path, files: DiskFiles, observed: ObservedPlatform, step: str
) -> None:
    observed.broken[step] = errno.EIO
    with pytest.raises(StorageFault):
        files.create(tmp_path / "a", b"1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["batch", "place", "folder"])
def test_a_batch_that_fails_leaves_nothing(
    tmp_path: Path, files: DiskFiles, observed: ObservedPlatform, step: str
) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("syncfs is Linux's")
    observed.broken[step] = errno.ENOSPC
    with pytest.raises(DiskFull):
        files.create_batch([(tmp_path / "a", b"1"), (tmp_path / "b", b"2")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", ["file", "replace"])
def test_a_replace_that_fails_keeps_the_old_bytes(
    tmp_path: Path, files: DiskFiles, observed: ObservedPlatform, step: str
) -> None:
    files.create(tmp_path / "a", b"old")
    observed.broken[step] = errno.EIO
    with pytest.raises(StorageFault):
        files.replace(tmp_path / "a", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"old")]


def test_after_a_failed_sync_nothing_more_is_appended_until_the_file_was_replaced(
    tmp_path: Path, files: DiskFiles, observed: ObservedPlatform
) -> None:
    path = tmp_path / "log"
    files.append(path, b"one", at=0)
    observed.broken["file"] = errno.EIO
    with pytest.raises(StorageFault):
        files.append(path, b"two", at=3)
    observed.broken.clear()
    with pytest.raises(StorageFault):
        files.append(path, b"three", at=6)
    files.replace(path, b"one")
    files.append(path, b"two", at=3)
    assert path.read_bytes() == b"onetwo"


def test_a_folder_that_cannot_be_synced_by_its_kind_is_no_fault(tmp_path: Path) -> None:
    class OldShare(PosixPlatform):
        def sync_file(self, fd: int) -> None:
            if stat.S_ISDIR(os.fstat(fd).st_mode):
                raise OSError(errno.EINVAL, "no such thing here")
            super().sync_file(fd)

    DiskFiles(platform=OldShare()).create(tmp_path / "a", b"1")
    assert (tmp_path / "a").read_bytes() == b"1"


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "neither"])
def test_create_never_overwrites_on_older_systems_either(tmp_path: Path, links: bool) -> None:
    class Older(PosixPlatform):
        def __init__(self) -> None:
            super().__init__()
            self._renameat2 = None

        def _link(self, temp: Path, target: Path) -> None:
            if not links:
                raise PermissionError(errno.EPERM, "no hard links here")
            super()._link(temp, target)

    files = DiskFiles(platform=Older())
    files.create(tmp_path / "a", b"1")
    files.create(tmp_path / "a", b"1")
    with pytest.raises(Damaged):
        files.create(tmp_path / "a", b"2")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"1")]
    assert (tmp_path / "a").stat().st_nlink == 1


def test_a_pipe_in_a_file_s_place_is_refused_at_once(tmp_path: Path, files: DiskFiles) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Damaged):
        files.read(tmp_path / "pipe", limit=9)
    with pytest.raises(Damaged):
        files.append(tmp_path / "pipe", b"x", at=0)
    with pytest.raises(Damaged), files.lock(tmp_path / "pipe", wait_s=0):
        pytest.fail("a pipe was locked")


def test_removing_a_link_leaves_what_it_points_at(tmp_path: Path, files: DiskFiles) -> None:
    (tmp_path / "target").write_bytes(b"keep")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    files.remove(tmp_path / "link")
    assert [p.name for p in tmp_path.iterdir()] == ["target"]


def test_no_message_tells_a_path_or_a_name_that_is_not_ours(tmp_path: Path, files: DiskFiles) -> None:
    folder = tmp_path / "Anna Berg"
    with pytest.raises(NotFound) as caught:
        files.read(folder / "Anna Berg's notes", limit=9)
    assert "Anna" not in str(caught.value)
    assert "Anna" not in caught.value.next_step
    assert caught.value.__suppress_context__
    with pytest.raises(NotFound) as caught:
        files.read(folder / ("ab" * 32), limit=9)
    assert "abababababababab…" in str(caught.value)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, DiskFull),
        (errno.EDQUOT, DiskFull),
        (errno.EACCES, CannotWrite),
        (errno.EPERM, CannotWrite),
        (errno.EROFS, CannotWrite),
        (errno.ENOENT, NotFound),
        (errno.ELOOP, Damaged),
        (errno.EIO, StorageFault),
        (errno.ENAMETOOLONG, StorageFault),
        (None, StorageFault),
    ],
)
def test_what_the_system_says_becomes_one_of_our_errors(code: int | None, kind: type[Exception]) -> None:
    error = OSError("no number") if code is None else OSError(code, "x")
    assert type(translate(error, Path("/v/a"))) is kind


def test_sweeping_takes_only_our_own_old_temporary_files(tmp_path: Path, files: DiskFiles) -> None:
    old, new, other = (tmp_path / n for n in (".tmp-" + "a" * 32, ".tmp-" + "b" * 32, ".tmp-notes"))
    now_ms = 1_763_715_600_000
    for path, age_h in ((old, 25), (new, 23), (other, 99)):
        path.write_bytes(b"half")
        when = now_ms / 1000 - age_h * 3600
        os.utime(path, (when, when))
    assert files.sweep_temp(tmp_path, now_ms=now_ms) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([new.name, other.name])
    assert files.sweep_temp(tmp_path / "absent", now_ms=now_ms) == 0


@pytest.mark.root
def test_a_full_disk_is_told_and_leaves_no_half_file(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        files = DiskFiles()
        files.create(small / "a", b"x" * 100_000)
        with pytest.raises(DiskFull):
            files.create(small / "b", b"x" * 300_000)
        with pytest.raises(DiskFull):
            files.replace(small / "a", b"y" * 300_000)
        assert files.names(small) == ["a"]
        assert files.read(small / "a", limit=1 << 20) == b"x" * 100_000
        assert [p.name for p in small.iterdir()] == ["a"]
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        with pytest.raises(CannotWrite) as caught:
            files.create(small / "c", b"")
        assert "read-only" in caught.value.sentence
    finally:
        subprocess.run(["umount", str(small)], check=True)


HOLDER = """
import sys, time
from pathlib import Path
from notevault.adapters.files import DiskFiles
with DiskFiles().lock(Path(sys.argv[1]), wait_s=0):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_excludes_other_processes_and_is_freed_by_kill_9(tmp_path: Path, files: DiskFiles) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdout=subprocess.PIPE,
        cwd=REPO,
        env={**os.environ, "PYTHONPATH": str(REPO)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        started = time.monotonic()
        with pytest.raises(Busy), files.lock(path, wait_s=0.2):
            pytest.fail("two processes held the lock")
        assert time.monotonic() - started >= 0.2
        holder.send_signal(signal.SIGKILL)
        with files.lock(path, wait_s=30):
            pass


COUNTER = """
import sys
from pathlib import Path
from notevault.adapters.files import DiskFiles
folder, files = Path(sys.argv[1]), DiskFiles()
for _ in range(25):
    with files.lock(folder / "lock", wait_s=30):
        n = int(files.read(folder / "n", limit=99))
        files.replace(folder / "n", str(n + 1).encode())
"""


def test_two_processes_that_take_turns_lose_no_step(tmp_path: Path, files: DiskFiles) -> None:
    files.create(tmp_path / "n", b"0")
    argv = [sys.executable, "-c", COUNTER, str(tmp_path)]
    both = [subprocess.Popen(argv, cwd=REPO, env={**os.environ, "PYTHONPATH": str(REPO)}) for _ in range(2)]
    assert [p.wait(timeout=60) for p in both] == [0, 0]
    assert files.read(tmp_path / "n", limit=99) == b"50"
