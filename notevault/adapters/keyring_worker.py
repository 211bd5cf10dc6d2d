"""The helper process that talks to the system's key store, so that a store that hangs can be given up.

One request line (JSON) on standard input, answer lines (JSON) on standard output:

    {"op": "get", "service": S, "prefix": P, "names": [...]}         -> {"backend": B, "values": [... or null]}
    {"op": "put", "service": S, "prefix": P, "name": N, "value": V}  -> {"backend": B, "back": what was read back}
    {"op": "delete", ..., "name": N}                                 -> {"backend": B}
    {"op": "probe", ..., "name": N, "value": V}                      -> {"backend": B, "back": ...}: put, read, delete

Before the answer there may be {"state": "locked"} (a dialog is to be answered) or {"state": "may-ask"} (this store
does not tell beforehand). A failure is {"error": "absent" | "locked" | "refused" | "failed", "backend": name or ""}.
Texts of exceptions are never passed on: they may hold anything. `keyring` is imported here and nowhere else.
"""

from __future__ import annotations

import configparser
import importlib
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

from notevault.adapters.harden import harden

_SECRET_SERVICE = "keyring.backends.SecretService.Keyring"  # noqa: S105 - a class's name
_WINDOWS = "keyring.backends.Windows.WinVaultKeyring"
_MACOS = "keyring.backends.macOS.Keyring"
_SHADOW = "/new"
# The stores that notevault trusts, in the order in which they are tried. The order is fixed, not python-keyring's
# priority, which depends on the desktop's environment variables: a login over ssh must find the same store.
ACCEPTED = {
    _SECRET_SERVICE: "Secret Service (GNOME Keyring, KeePassXC or the like)",
    "keyring.backends.kwallet.DBusKeyring": "KWallet",
    _MACOS: "macOS Keychain",
    _WINDOWS: "Windows Credential Manager",
}
_MAX_LINE = 16_384
_LIFE_S = 120.0  # the helper ends by itself when nobody kills it: longer than any dialog may take
_SAFE_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


class _Trouble(Exception):
    def __init__(self, error: str, backend: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.backend = backend


Report = Callable[[str], None]


def configured_backend() -> str | None:
    """The class that python-keyring's own settings name (environment or keyringrc.cfg), without loading it."""
    named = os.environ.get("PYTHON_KEYRING_BACKEND", "")
    if named:
        return named
    from keyring.util import platform_

    parser = configparser.RawConfigParser()
    try:
        parser.read(os.path.join(platform_.config_root(), "keyringrc.cfg"), encoding="utf-8")  # noqa: PTH118
        return parser.get("backend", "default-keyring").strip() or None
    except (configparser.Error, UnicodeDecodeError, OSError):
        return None


def open_backend() -> tuple[str, Any]:
    """(name, instance) of the store to use. A store that is named in python-keyring's settings is taken or refused
    by its name, never replaced by another in silence.
    """
    named = configured_backend()
    if named is not None and named not in ACCEPTED:
        raise _Trouble("refused", "".join(c for c in named if c in _SAFE_NAME)[:100])
    for name in ACCEPTED if named is None else (named,):
        backend = _load(name)
        if backend is not None:
            return name, backend
    raise _Trouble("absent", named or "")


def _load(name: str) -> Any:
    module, _, qualname = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), qualname)
        if f"{found.__module__}.{found.__qualname__}" != name or found.priority <= 0:
            return None
        backend = found()
    except Exception:  # noqa: BLE001 - whatever a backend raises here means: not on this machine
        return None
    if name == _WINDOWS:
        backend.persist = "local machine"  # the library's own default roams to the employer's servers
    return backend


def serve(request: dict[str, Any], report: Report) -> dict[str, Any]:
    """The answer to one request; raises _Trouble, or whatever the library raises."""
    for variable in [v for v in os.environ if v.startswith("KEYRING_PROPERTY_")]:
        del os.environ[variable]  # python-keyring would set any attribute of the store from these
    name, backend = open_backend()
    op, service, prefix = request["op"], str(request["service"]), str(request["prefix"])

    def user(item: str) -> str:
        return f"{prefix}/{item}"

    empty = _prepare(name, report, writes=op in ("put", "probe"), ask=request.get("ask") is not False)
    if op == "get":
        values = [None if empty else _read(name, backend, service, user(n)) for n in request["names"]]
        return {"backend": name, "values": values}
    item = user(str(request["name"]))
    if op == "delete":
        if not empty:
            _delete(backend, service, item)
        if name == _MACOS:
            _delete(backend, service, item + _SHADOW)
        return {"backend": name}
    _write(name, backend, service, item, str(request["value"]))
    back = type(backend)().get_password(service, item)
    if op == "probe":
        _delete(backend, service, item)
    return {"backend": name, "back": back}


def _write(name: str, backend: Any, service: str, item: str, value: str) -> None:
    """Where python-keyring writes in two steps, neither step loses the item or leaves its former value about.

    Windows: the value before is kept under a second name, where the next write finds it; written twice, both are new.
    macOS: it deletes, then adds; a shadow of the item is there meanwhile, which `_read` takes for it.
    """
    if name == _MACOS:
        backend.set_password(service, item + _SHADOW, value)
    backend.set_password(service, item, value)
    if name == _WINDOWS:
        backend.set_password(service, item, value)
    if name == _MACOS:
        _delete(backend, service, item + _SHADOW)


def _read(name: str, backend: Any, service: str, item: str) -> str | None:
    value = backend.get_password(service, item)
    if value is None and name == _MACOS:
        value = backend.get_password(service, item + _SHADOW)
        value = backend.get_password(service, item) if value is None else value  # it was just put in its place
    return None if value is None else str(value)


def _delete(backend: Any, service: str, item: str) -> None:
    if backend.get_password(service, item) is not None:
        backend.delete_password(service, item)


def _prepare(name: str, report: Report, *, writes: bool, ask: bool = True) -> bool:
    """Say beforehand when a dialog is to come. True: the store has no collection yet, so every item is missing.

    Without `ask` a store that is known to be locked is left so, and no dialog is opened.
    """
    if name == _WINDOWS:
        return False
    if name != _SECRET_SERVICE:
        report("may-ask")
        return False
    import secretstorage

    with closing(secretstorage.dbus_init()) as bus:
        try:
            collection = secretstorage.get_collection_by_alias(bus, "default")
        except secretstorage.ItemNotFoundException:
            if writes:
                report("locked")  # a first item makes the system ask for a password for a new collection
            return True
        if collection.is_locked():
            if not ask:
                raise _Trouble("locked", "")
            report("locked")
    return False


def _named(error: BaseException) -> str:
    """Which of our failures an exception of the libraries means, by its class and those of its causes."""
    seen: BaseException | None = error
    names: set[str] = set()
    while seen is not None and len(names) < 20:
        names |= {cls.__name__ for cls in type(seen).__mro__}
        seen = seen.__cause__ or seen.__context__
    if names & {"KeyringLocked", "LockedException", "PromptDismissedException"}:
        return "locked"
    if names & {"SecretServiceNotAvailableException", "NoKeyringError"}:
        return "absent"
    return "failed"


def main() -> int:
    """Serve one request. Exit status 0 when an answer line was written, whatever it says."""
    harden()
    guard = threading.Timer(_LIFE_S, os._exit, (1,))
    guard.daemon = True
    guard.start()
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    sys.stdout = sys.stderr  # a library that prints must not speak in our name

    def say(answer: dict[str, Any]) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    try:
        request = json.loads(sys.stdin.buffer.readline(_MAX_LINE))
        answer = serve(request, lambda state: say({"state": state}))
    except _Trouble as trouble:
        answer = {"error": trouble.error, "backend": trouble.backend}
    except Exception as error:  # noqa: BLE001 - every failure becomes an answer; its text stays here
        answer = {"error": _named(error), "backend": ""}
    with out:
        say(answer)
    guard.cancel()
    return 0


if __name__ == "__main__":
    sys.exit(main())
