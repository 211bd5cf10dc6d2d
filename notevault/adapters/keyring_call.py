"""One call of the helper process that asks the system's key store: started, read with a time limit, ended."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import notevault
from notevault.errors import KeyringLocked, KeyringSilent, NotevaultError, OwnFault, SecretsUnavailable

ON_WAIT = "Please answer your system's dialog: it asks to unlock its key store."
_MIN_WAIT_S = 0.5  # a helper that was started long ago still gets this much when its answer is asked for
_MAX_LINE = 16_384


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


class HelperCall:
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
