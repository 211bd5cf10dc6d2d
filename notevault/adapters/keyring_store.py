"""`KeyringStore`: the OS keyring behind the SecretStore port, through a helper process with a time limit.

Secrets travel over the helper's standard input and output only. The helper is this very program started with the
hidden word `_keyring` (`keyring_worker`). A store that says nothing for `silence_s` is given up; once it is known to
wait for the user's answer to a dialog, it has `dialog_s`.
"""

from __future__ import annotations

import hmac
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import notevault
from notevault.adapters.secret_items import check_name, check_owner, check_prefix, check_value
from notevault.errors import (
    KeyringAbsent,
    KeyringLied,
    KeyringLocked,
    KeyringRefused,
    KeyringSilent,
    NotevaultError,
    OwnFault,
    SecretsUnavailable,
)

SERVICE = "notevault"
ON_WAIT = "Please answer your system's dialog: it asks to unlock its key store."
_MIN_WAIT_S = 0.5  # a helper that was started long ago still gets this much when its answer is asked for
_MAX_LINE = 16_384


@dataclass(frozen=True)
class Limits:
    """Seconds: of silence when reading, of silence when writing, for the answer to a dialog."""

    silence_s: float = 5.0
    write_s: float = 5.0
    dialog_s: float = 60.0


PATIENT = Limits()
AT_LOCK = Limits(silence_s=2.0, write_s=2.0, dialog_s=2.0)  # locking the screen never waits for a dialog


def helper_argv(*, frozen: bool = getattr(sys, "frozen", False)) -> list[str]:
    """Start our own program with its hidden word. `-P`: what lies in the current folder is never imported."""
    if frozen:
        return [sys.executable, "_keyring"]
    return [sys.executable, "-P", "-m", "notevault", "_keyring"]


def helper_env() -> dict[str, str]:
    """Our own environment (the way to the session bus), plus the way to a source tree that is not installed."""
    env = dict(os.environ)
    root = Path(notevault.__file__).resolve().parent.parent
    if not getattr(sys, "frozen", False) and root.name not in ("site-packages", "dist-packages"):
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), env.get("PYTHONPATH", "")]))
    return env


class _Call:
    """One running helper. A thread reads its lines, so that waiting with a limit works on every system."""

    def __init__(self, argv: Sequence[str], request: dict[str, Any]) -> None:
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._started = time.monotonic()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=helper_env(),
                start_new_session=True,  # Ctrl-C in the terminal is for us, not for a half-written item
            )
        except OSError:
            raise OwnFault("The helper that asks your system's key store could not be started.") from None
        self._reader = threading.Thread(target=self._read, args=(json.dumps(request).encode(),), daemon=True)
        self._reader.start()

    def _read(self, line: bytes) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            with self._process.stdin as to:
                to.write(line + b"\n")
        except OSError:
            pass  # it ended before it listened; its output says the rest
        with self._process.stdout as lines:
            while line := lines.readline(_MAX_LINE):
                self._lines.put(line)
        self._lines.put(b"")

    def answer(self, silence_s: float, dialog_s: float, on_wait: Callable[[str], None] | None) -> dict[str, Any]:
        """The helper's answer. Raises KeyringSilent, KeyringLocked (dialog unanswered) or OwnFault."""
        deadline = self._started + silence_s
        state = ""
        try:
            while True:
                try:
                    line = self._lines.get(timeout=max(deadline - time.monotonic(), _MIN_WAIT_S if not state else 0.01))
                except queue.Empty:
                    if state != "may-ask":
                        raise self._unanswered(state, dialog_s) from None
                    state = "asked"  # silence from a store that does not tell: most likely its dialog is open
                    line = b'{"state": "locked"}'
                found = self._parse(line)
                if "state" not in found:
                    return found
                if found["state"] == "may-ask":
                    state = "may-ask"
                    continue
                state = state or "locked"
                deadline = time.monotonic() + dialog_s
                if on_wait is not None:
                    on_wait(ON_WAIT)
        finally:
            self.end()

    @staticmethod
    def _parse(line: bytes) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise SecretsUnavailable("The helper that asks your system's key store ended without an answer.")
        return found

    @staticmethod
    def _unanswered(state: str, dialog_s: float) -> NotevaultError:
        if state:
            return KeyringLocked(f"Your system's key store is locked, and nobody unlocked it within {dialog_s:.0f} s.")
        return KeyringSilent("Your system's key store does not answer.")

    def end(self) -> None:
        """Kill what still runs, and take it off the system's list."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(timeout=1)


class PendingGet:
    """A `get` on its way. `result` once, or `cancel`."""

    def __init__(self, call: _Call | NotevaultError, collect: Callable[[_Call], list[str | None]]) -> None:
        self._call = call
        self._collect = collect

    def result(self) -> list[str | None]:
        if isinstance(self._call, NotevaultError):
            raise self._call
        return self._collect(self._call)

    def cancel(self) -> None:
        if isinstance(self._call, _Call):
            self._call.end()


class KeyringStore:
    """Implements `ports.SecretStore`. `prefix` is `<vault hex>/<device hex>`; `on_wait` is told to show a sentence."""

    def __init__(
        self,
        prefix: str,
        *,
        service: str = SERVICE,
        limits: Limits = PATIENT,
        argv: Sequence[str] | None = None,
        on_wait: Callable[[str], None] | None = None,
    ) -> None:
        check_prefix(prefix)
        self._prefix = prefix
        self._service = service
        self._limits = limits
        self._argv = helper_argv() if argv is None else list(argv)
        self._on_wait = on_wait
        self._backend = ""

    @property
    def kind(self) -> str:
        return "keyring"

    def describe(self) -> str:
        from notevault.adapters.keyring_worker import ACCEPTED

        return ACCEPTED.get(self._backend, "your system's key store")

    def get(self, names: Sequence[str]) -> list[str | None]:
        return self.start_get(names).result()

    def start_get(self, names: Sequence[str]) -> PendingGet:
        for name in names:
            check_name(name)

        def collect(call: _Call) -> list[str | None]:
            values = self._finish(call, self._limits.silence_s).get("values")
            if not isinstance(values, list) or len(values) != len(names):
                raise self._nonsense()
            return [check_owner(self._prefix, self._text(value)) for value in values]

        try:
            return PendingGet(self._start("get", names=list(names)), collect)
        except NotevaultError as error:
            return PendingGet(error, collect)

    def put(self, name: str, value: str) -> None:
        check_value(name, value)
        self._compare(self._finish(self._start("put", name=name, value=value), self._limits.write_s), value)

    def delete(self, name: str) -> None:
        check_name(name)
        self._finish(self._start("delete", name=name), self._limits.write_s)

    def probe(self, value: str) -> None:
        """Store `value` in a throw-away item, read it back, delete it. Raises as `put` does."""
        check_value("probe", value)
        self._compare(self._finish(self._start("probe", name="probe", value=value), self._limits.write_s), value)

    def _start(self, op: str, **more: object) -> _Call:
        return _Call(self._argv, {"op": op, "service": self._service, "prefix": self._prefix, **more})

    def _finish(self, call: _Call, silence_s: float) -> dict[str, Any]:
        answer = call.answer(silence_s, self._limits.dialog_s, self._on_wait)
        backend = answer.get("backend")
        backend = backend if isinstance(backend, str) else ""
        error = answer.get("error")
        if error == "absent":
            raise KeyringAbsent("No key store that notevault trusts answers on this machine.")
        if error == "locked":
            raise KeyringLocked(
                "Your system's key store is locked, and it was not unlocked.",
                "Log out and in again, or unlock it yourself. If your login password was changed by someone else, the "
                "key store may still want the old one. Your recovery sheet works without it.",
            )
        if error == "refused":
            raise KeyringRefused(
                f"The key store `{backend}`, which is set up for python-keyring, is not one that notevault trusts.",
                "Remove PYTHON_KEYRING_BACKEND from the environment or the line in keyringrc.cfg, and try again.",
            )
        if error is not None:
            raise SecretsUnavailable("Your system's key store reports a fault of its own.")
        self._backend = backend
        return answer

    def _compare(self, answer: dict[str, Any], value: str) -> None:
        back = self._text(answer.get("back"))
        if back is None or not hmac.compare_digest(back.encode(), value.encode()):
            raise KeyringLied(
                "Your system's key store gave back something else than was stored. Nothing relies on it.",
                "Try again after logging in anew; your recovery sheet works without the key store.",
            )

    def _text(self, value: object) -> str | None:
        if value is None or isinstance(value, str):
            return value
        raise self._nonsense()

    @staticmethod
    def _nonsense() -> SecretsUnavailable:
        return SecretsUnavailable("Your system's key store gave an answer that cannot be.")
