"""Sticks pulled out in the middle, full, write-protected, moved, copied; a network folder without room."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notevault.backup import model
from tests.backup_day.practice import Practice, good, snapshot
from tests.backup_day.sticks import NoSticks, Share, Stick

pytestmark = [pytest.mark.slow, pytest.mark.root, pytest.mark.disk]
MANY = [4000 + n % 700 for n in range(4000)]
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def one_at_a_time() -> Iterator[None]:
    """Loop devices and the table of mounts are the whole machine's: workers side by side take turns."""
    with (Path(tempfile.gettempdir()) / f"notevault-test-sticks-{os.getuid()}").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    try:
        made = Stick(tmp_path / "usb")
    except NoSticks as reason:
        pytest.skip(str(reason))
    yield made
    made.eject(lazy=True)


@pytest.fixture
def practice(tmp_path: Path, stick: Stick) -> Practice:
    made = Practice.synthetic(tmp_path / "practice", MANY, places=())
    made.add("blue", stick.place)
    return made


def begun(practice: Practice, *words: str) -> subprocess.Popen[bytes]:
    """A backup that runs while the test goes on."""
    command = [sys.executable, "-P", "-m", "notevault", "--no-input", "backup", *words]
    return subprocess.Popen(
        command, env=practice.home.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for(held: Callable[[], object], running: subprocess.Popen[bytes]) -> bool:
    """Until it holds; False when the process ended before."""
    end = time.monotonic() + PATIENCE_S
    while not held():
        assert time.monotonic() < end, "it never came so far"
        if running.poll() is not None:
            return bool(held())
        time.sleep(0.002)
    return True


def ended(running: subprocess.Popen[bytes]) -> tuple[int, str]:
    out, err = running.communicate(timeout=PATIENCE_S)
    said = (out + err).decode()
    assert "Traceback" not in said, said
    return running.returncode, said


def count(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))


def promises(base: Path, live: set[str]) -> bool:
    """What must hold at a place at any moment: each file under its name is whole; a signed state has all it names.
    Whether there is a signed state.
    """
    blobs = snapshot(base / "blobs")
    torn = [name for name, digest in blobs.items() if not name.endswith(digest)]
    assert torn == []
    states = [path for path in (base / "anchors").rglob("*") if path.is_file()]
    if states:
        assert live <= set(blobs.values()), "a state is signed whose files are not there"
    return bool(states)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95, 1.0])
def test_a_stick_pulled_out_in_the_middle_of_the_first_backup_goes_on_where_it_was(
    practice: Practice, stick: Stick, share: float
) -> None:
    base = practice.base("blue")
    running = begun(practice, "run")
    wait_for(lambda: count(base) > 2 + share * (len(MANY) - 1), running)
    stick.pull()
    code, said = ended(running)
    live = set(practice.made.digests)
    pulled_at_the_end = code == 0
    assert code in (0, 66, 74), said
    assert said
    before = snapshot(stick.place)
    report = practice.report("run", "blue")
    assert report["verdict"] == model.ABSENT, report
    assert snapshot(stick.place) == before == {}, "nothing is written where the stick was"
    stick.plug()
    committed = promises(base, live)
    assert committed or not pulled_at_the_end, "what was said to be safe is there"
    report = practice.report("run", "blue")
    assert report["verdict"] == model.SAFE, report
    stick.pull()
    stick.plug()
    assert promises(base, live), "and that without anybody's ejecting it"
    assert practice.backup("verify", "--full").code == 0


def test_a_stick_pulled_out_while_ten_notes_are_added_keeps_the_state_before(practice: Practice, stick: Stick) -> None:
    practice.backup("run")
    base, live = practice.base("blue"), set(practice.made.digests)
    for number in range(4):
        practice.made.grow(10)
        running = begun(practice, "run")
        time.sleep(0.12 + 0.07 * number)
        stick.pull()
        code, said = ended(running)
        assert code in (0, 66, 74), said
        stick.plug()
        there = promises(base, live)
        assert there
        if code == 0:
            assert set(practice.made.digests) <= good(base / "blobs")
        assert practice.report("run", "blue")["verdict"] == model.SAFE
        live = set(practice.made.digests)
    to = practice.folder / "back"
    practice.backup("restore", "--from", str(stick.place), "--to", str(to), "--no-places")
    assert good(to) >= live


def test_a_write_protected_stick_is_told_and_goes_on_when_it_may(practice: Practice, stick: Stick) -> None:
    stick.write_protect(True)
    report = practice.report("run", "blue")
    assert (report["verdict"], report["code"]) == (model.READ_ONLY, 73), report
    assert report["step"]
    stick.write_protect(False)
    assert practice.report("run", "blue")["verdict"] == model.SAFE


def test_a_stick_is_known_at_another_path(practice: Practice, stick: Stick, tmp_path: Path) -> None:
    practice.backup("run")
    stick.eject()
    stick.place = tmp_path / "usb/other-name"
    stick.place.mkdir()
    stick.plug()
    practice.made.grow(5)
    report = practice.report("run", "blue")
    assert report["verdict"] == model.SAFE, report
    assert set(practice.made.digests) <= good(stick.place)


def test_a_dead_stick_that_is_still_mounted_disturbs_no_other_place(practice: Practice, tmp_path: Path) -> None:
    """Pulled out and never unmounted: every look at it is an input/output error, and it lies among the mounts."""
    dead = Stick(tmp_path / "dead-usb")
    try:
        practice.add("dead", dead.place)
        practice.backup("run")
        practice.made.grow(2)
        dead.shut_down()
        assert practice.report("run", "dead")["verdict"] in (model.ABSENT, model.BROKEN)
        assert practice.report("run", "blue")["verdict"] == model.SAFE
        blue = practice.places["blue"]
        marker = next((blue / "notevault").glob("*/VAULT.json"))
        kept = marker.read_bytes()
        marker.unlink()
        assert practice.report("run", "blue")["verdict"] == model.ABSENT, (
            "looked for among all mounts, the dead one too"
        )
        marker.write_bytes(kept)
        assert practice.report("run", "blue")["verdict"] == model.SAFE
    finally:
        dead.eject(lazy=True)


def test_a_copied_stick_beside_the_true_one_is_refused_in_words(
    practice: Practice, stick: Stick, tmp_path: Path
) -> None:
    practice.backup("run")
    other = Stick(tmp_path / "other-usb")
    try:
        shutil.copytree(stick.place / "notevault", other.place / "notevault")
        before = snapshot(other.place)
        said = practice.backup("add", str(other.place), "--name", "clone", code=None)
        assert said.code == 77, said.words
        assert snapshot(other.place) == before
    finally:
        other.eject(lazy=True)


def test_a_full_stick_is_told_nothing_half_is_left_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    practice = Practice.synthetic(tmp_path / "practice", [4000] * 1500, places=())
    try:
        share = Share(tmp_path / "share", 3000)
    except NoSticks as reason:
        pytest.skip(str(reason))
    try:
        practice.add("nas", share.place)
        report = practice.report("run", "nas")
        assert (report["verdict"], report["code"]) == (model.FULL, 73), report
        assert not promises(practice.base("nas"), set(practice.made.digests))
        assert practice.status("nas")["verdict"] == model.FULL
        share.grow(16_000)
        assert practice.report("run", "nas")["verdict"] == model.SAFE
        assert promises(practice.base("nas"), set(practice.made.digests))
        filler = share.place / "holiday.mov"
        practice.made.grow(400)
        with filler.open("wb") as file:  # somebody fills it meanwhile
            try:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
            except OSError:
                pass
        report = practice.report("run", "nas")
        assert report["verdict"] == model.FULL, report
        filler.unlink()
        assert practice.report("run", "nas")["verdict"] == model.SAFE
        assert practice.backup("verify", "--full").code == 0
    finally:
        share.eject()


def test_a_stick_filled_while_the_backup_runs_is_told(tmp_path: Path) -> None:
    """There was room for everything when it began."""
    practice = Practice.synthetic(tmp_path / "practice", MANY, places=())
    try:
        share = Share(tmp_path / "share", 64_000)
    except NoSticks as reason:
        pytest.skip(str(reason))
    try:
        practice.add("nas", share.place)
        base = practice.base("nas")
        running = begun(practice, "run")
        wait_for(lambda: count(base) > 300, running)
        filler = share.place / "holiday.mov"
        try:
            with filler.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 20))
        except OSError:
            pass
        code, said = ended(running)
        assert code in (0, 73), said
        assert promises(base, set(practice.made.digests)) == (code == 0)
        filler.unlink()
        assert practice.report("run", "nas")["verdict"] == model.SAFE
        assert promises(base, set(practice.made.digests))
    finally:
        share.eject()


def test_a_folder_without_case_is_as_good_as_any(tmp_path: Path) -> None:
    try:
        stick = Stick(tmp_path / "usb", options="casefold")
    except NoSticks as reason:
        pytest.skip(str(reason))
    try:
        folder = stick.place / "Backups"
        folder.mkdir()
        if subprocess.run(["chattr", "+F", str(folder)], capture_output=True, check=False).returncode:
            pytest.skip("no folders without case here")
        practice = Practice.synthetic(tmp_path / "practice", [3000] * 200, places=())
        practice.add("blue", folder)
        assert practice.report("run", "blue")["verdict"] == model.SAFE
        practice.made.grow(5)
        assert practice.report("run", "blue")["verdict"] == model.SAFE
        assert practice.backup("verify", "--full").code == 0
        assert set(practice.made.digests) <= good(folder)
    finally:
        stick.eject(lazy=True)


@pytest.mark.parametrize("share", [0.05, 0.4, 0.8])
def test_a_backup_killed_in_the_middle_goes_on_where_it_was(practice: Practice, share: float) -> None:
    base = practice.base("blue")
    running = begun(practice, "run")
    wait_for(lambda: count(base) > share * len(MANY), running)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=PATIENCE_S)
    promises(base, set(practice.made.digests))
    assert practice.report("run", "blue")["verdict"] == model.SAFE
    assert promises(base, set(practice.made.digests))
    assert practice.backup("verify", "--full").code == 0


@pytest.mark.parametrize("share", [0.05, 0.4, 0.8])
def test_a_restore_killed_in_the_middle_goes_on_where_it_was(practice: Practice, stick: Stick, share: float) -> None:
    practice.backup("run")
    to = practice.folder / "back"
    words = ("restore", "--from", str(stick.place), "--to", str(to), "--no-places")
    running = begun(practice, *words)
    wait_for(lambda: sum(count(path) for path in practice.folder.glob("back*")) > share * len(MANY), running)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=PATIENCE_S)
    practice.backup(*words, code=None if to.exists() else 0)
    assert good(to) == set(practice.made.digests) | good(practice.vault / "headers")
    assert snapshot(to / "audit")[f"{practice.made.origin}/checkpoint"]


def test_a_stick_pulled_out_while_a_restore_reads_it_is_told_and_the_restore_goes_on(
    practice: Practice, stick: Stick
) -> None:
    practice.backup("run")
    to = practice.folder / "back"
    words = ("restore", "--from", str(stick.place), "--to", str(to), "--no-places")
    running = begun(practice, *words)
    wait_for(lambda: sum(count(path) for path in practice.folder.glob("back*")) > 500, running)
    stick.pull()
    code, said = ended(running)
    stick.plug()
    if code:
        assert code in (65, 66, 74), said
        assert not to.exists(), "a restore that is not whole is not called one"
        practice.backup(*words)
    assert set(practice.made.digests) <= good(to)
