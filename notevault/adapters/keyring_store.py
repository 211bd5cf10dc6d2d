"""`KeyringStore`: the OS keyring behind the SecretStore port, through a helper process with a time limit.

Secrets travel over the helper's standard input and output only. The helper is this very program started with the
hidden word `_keyring` (`keyring_worker`). A store that says nothing for `silence_s` is given up; once it is known to
wait for the user's answer to a dialog, it has `dialog_s`.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from notevault.adapters.keyring_call import HelperCall, helper_argv
from notevault.adapters.secret_items import check_name, check_owner, check_prefix, check_value
from notevault.errors import (
    KeyringAbsent,
    KeyringLied,
    KeyringLocked,
    KeyringRefused,
    NotevaultError,
    SecretsUnavailable,
)

SERVICE = "notevault"


@dataclass(frozen=True)
class Limits:
    """Seconds: of silence when reading, of silence when writing, for the answer to a dialog."""

    silence_s: float = 5.0
    write_s: float = 5.0
    dialog_s: float = 60.0


PATIENT = Limits()
AT_LOCK = Limits(silence_s=2.0, write_s=2.0, dialog_s=2.0)  # locking the screen never waits for a dialog
UNSEEN = Limits(dialog_s=0.0)  # nobody is there to answer: a dialog is not even opened, where the store lets us tell


class PendingGet:
    """A `get` on its way. `result` once, or `cancel`."""

    def __init__(self, call: HelperCall | NotevaultError, collect: Callable[[HelperCall], list[str | None]]) -> None:
        self._call = call
        self._collect = collect

    def result(self) -> list[str | None]:
        if isinstance(self._call, NotevaultError):
            raise self._call
        return self._collect(self._call)

    def cancel(self) -> None:
        if isinstance(self._call, HelperCall):
            self._call.end()


class KeyringStore:
    """Implements `ports.SecretStore`. `prefix` is `<vault hex>/<device hex>`; `on_wait` is told to show a sentence.

    `budget_s`: seconds, from the first call on, in which all calls must have ended; each has its limits besides.
    """

    def __init__(
        self,
        prefix: str,
        *,
        service: str = SERVICE,
        limits: Limits = PATIENT,
        argv: Sequence[str] | None = None,
        on_wait: Callable[[str], None] | None = None,
        budget_s: float | None = None,
    ) -> None:
        check_prefix(prefix)
        self._prefix = prefix
        self._budget_s = budget_s
        self._until: float | None = None
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

        def collect(call: HelperCall) -> list[str | None]:
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

    def _start(self, op: str, **more: object) -> HelperCall:
        if self._budget_s is not None and self._until is None:
            self._until = time.monotonic() + self._budget_s
        if self._limits.dialog_s <= 0:
            more["ask"] = False
        return HelperCall(self._argv, {"op": op, "service": self._service, "prefix": self._prefix, **more})

    def _finish(self, call: HelperCall, silence_s: float) -> dict[str, Any]:
        left = silence_s if self._until is None else max(0.0, self._until - time.monotonic())
        answer = call.answer(
            min(silence_s, left), self._limits.dialog_s if self._until is None else left, self._on_wait
        )
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
