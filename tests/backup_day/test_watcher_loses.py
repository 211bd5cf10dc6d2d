"""`backup watch` where the system tells nothing: no watches left, a stick that comes and goes. Nothing is missed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from notevault.backup import model
from tests.backup_day.practice import Practice, good

pytestmark = [pytest.mark.slow, pytest.mark.disk]
PATIENCE_S = 90  # the worker looks by itself every 30 s
DEAF = (
    "unshare",
    "--user",
    "--map-root-user",
    "sh",
    "-c",
    'echo 0 >/proc/sys/user/max_inotify_watches && exec "$@"',
    "-",
)


def until(held: Callable[[], object], running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not held():
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


@contextmanager
def watching(practice: Practice, *before: str) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen(
        [*before, sys.executable, "-P", "-m", "notevault", "--no-input", "backup", "watch"],
        env=practice.home.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
            try:
                running.communicate(timeout=70)
            except subprocess.TimeoutExpired:
                running.kill()
                running.communicate()


@pytest.fixture
def practice(tmp_path: Path) -> Practice:
    made = Practice.synthetic(tmp_path / "practice", [2000] * 30)
    made.made.grow(1)
    return made


def there(practice: Practice) -> Callable[[], bool]:
    return lambda: set(practice.made.digests) <= good(practice.base("blue") / "blobs")


def test_without_a_single_watch_every_change_is_backed_up_all_the_same(practice: Practice) -> None:
    if shutil.which("unshare") is None or subprocess.run([*DEAF, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here")
    with watching(practice, *DEAF) as running:
        until(there(practice), running)  # at the start
        practice.made.grow(300)
        until(there(practice), running)


def test_a_change_is_there_within_seconds_where_the_system_tells(practice: Practice) -> None:
    with watching(practice) as running:
        until(there(practice), running)
        begun = time.monotonic()
        practice.made.grow(3)
        until(there(practice), running)
        assert time.monotonic() - begun < PATIENCE_S


def test_what_was_written_while_the_place_was_away_comes_when_it_is_back(practice: Practice) -> None:
    """At its own pace, which is 30 s: nothing tells of a folder that comes back without a mount."""
    with watching(practice) as running:
        until(there(practice), running)
        practice.unplug("blue")
        practice.made.grow(5)
        until(lambda: practice.remembered("blue").verdict == model.ABSENT, running)  # by the one that watches itself
        practice.plug("blue")
        until(there(practice), running)


def test_it_ends_at_once_when_asked_to_and_brings_the_last_change_first(practice: Practice) -> None:
    with watching(practice) as running:
        until(there(practice), running)
        practice.made.grow(2)
        os.kill(running.pid, signal.SIGTERM)
        out, err = running.communicate(timeout=70)
        assert b"Traceback" not in out + err
        assert there(practice)()


def test_a_second_one_waits_and_takes_over(practice: Practice) -> None:
    with watching(practice) as first:
        until(there(practice), first)
        with watching(practice) as second:
            practice.made.grow(2)
            until(there(practice), second)
            first.kill()
            first.communicate()
            practice.made.grow(2)
            until(there(practice), second)
