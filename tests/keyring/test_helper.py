"""The helper process and its language, with made-up helpers: no Secret Service needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from notevault.adapters.keyring_call import HelperCall, helper_argv, helper_env
from notevault.adapters.keyring_store import KeyringStore, Limits, PendingGet
from notevault.errors import KeyringAbsent, KeyringLocked, KeyringSilent, NotevaultError, OwnFault, SecretsUnavailable

PREFIX = "aa/bb"
SHORT = Limits(silence_s=1, write_s=1, dialog_s=1)
LONG = Limits(silence_s=30, write_s=30, dialog_s=30)  # a busy machine may take seconds to start a helper


def made_up(code: str, limits: Limits = LONG, said: list[str] | None = None) -> KeyringStore:
    out = [] if said is None else said
    return KeyringStore(PREFIX, argv=[sys.executable, "-c", code], limits=limits, on_wait=out.append)


def until(held: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not held():
        assert time.monotonic() < end
        time.sleep(0.02)


def has_said(pending: PendingGet) -> bool:
    """Whether a line of the helper has come."""
    assert isinstance(pending._call, HelperCall)
    return not pending._call._lines.empty()


@pytest.mark.parametrize(
    "line",
    ["", "no json", "[]", "{}", '{"values": []}', '{"values": 3}', '{"values": [7]}', '{"values": ["a", "b"]}'],
)
def test_a_helper_that_talks_nonsense_is_not_believed(line: str) -> None:
    with pytest.raises(SecretsUnavailable):
        made_up(f"print({line!r})").get(["device"])


def test_a_helper_that_dies_is_told(tmp_path: Path) -> None:
    with pytest.raises(SecretsUnavailable) as caught:
        made_up("import os; os.kill(os.getpid(), 9)").get(["device"])
    assert "without an answer" in caught.value.sentence


def test_a_helper_that_cannot_start_is_told_when_its_answer_is_asked_for() -> None:
    pending = KeyringStore(PREFIX, argv=["/nowhere/helper"]).start_get(["device"])
    with pytest.raises(OwnFault):
        pending.result()


@pytest.mark.slow
def test_a_silent_helper_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(60)"
    pending = made_up(code, SHORT).start_get(["device"])
    until(lambda: mark.exists() and mark.read_text())
    with pytest.raises(KeyringSilent):
        pending.result()
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_a_cancelled_call_leaves_no_process(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(60)"
    pending = made_up(code).start_get(["device"])
    until(lambda: mark.exists() and mark.read_text())
    pending.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


@pytest.mark.slow
def test_an_answer_that_came_long_ago_is_still_good() -> None:
    pending = made_up('print(\'{"values": ["x"]}\')', SHORT).start_get(["device"])
    until(lambda: has_said(pending))
    time.sleep(1.5)  # longer than the silence that is allowed
    assert pending.result() == ["x"]


@pytest.mark.slow
def test_a_store_that_does_not_tell_has_the_time_of_a_dialog_after_its_silence() -> None:
    code = 'import time; print(\'{"state": "may-ask"}\', flush=True); time.sleep(1.5); print(\'{"values": ["x"]}\')'
    said: list[str] = []
    answered = made_up(code, Limits(1, 1, 30), said).start_get(["device"])
    until(lambda: has_said(answered))
    assert answered.result() == ["x"]
    assert len(said) == 1
    code = 'import time; print(\'{"state": "may-ask"}\', flush=True); time.sleep(60)'
    unanswered = made_up(code, SHORT).start_get(["device"])
    until(lambda: has_said(unanswered))
    with pytest.raises(KeyringLocked):
        unanswered.result()


@pytest.mark.parametrize("request_line", [b"", b"nonsense\n", b"{}\n", b'{"op": "eat"}\n', b"[" * 9000 + b"\n"])
def test_the_real_helper_answers_anything_with_one_plain_line(request_line: bytes, own_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "notevault.adapters.keyring_worker"],
        input=request_line,
        capture_output=True,
        env=helper_env(),
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert set(json.loads(done.stdout)) == {"error", "backend"}


def test_no_error_repeats_a_secret() -> None:
    with pytest.raises(NotevaultError) as caught:
        made_up('print(\'{"backend": "x", "back": "canary-two"}\')').put("device", "canary-one")
    told = f"{caught.value!r} {caught.value.sentence} {caught.value.next_step}"
    assert "canary" not in told


def test_the_helper_is_this_very_program() -> None:
    assert helper_argv() == [sys.executable, "-P", "-m", "notevault", "_keyring"]
    assert helper_argv(frozen=True) == [sys.executable, "_keyring"]


def test_what_lies_in_the_current_folder_is_not_imported(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keyring.py").write_text("raise SystemExit('a stranger was imported')")
    (tmp_path / "json.py").write_text("raise SystemExit('a stranger was imported')")
    monkeypatch.chdir(tmp_path)
    store = KeyringStore(PREFIX, argv=[*helper_argv()[:3], "notevault.adapters.keyring_worker"])
    with pytest.raises(KeyringAbsent):  # an honest answer: there is no bus in this home
        store.get(["device"])
