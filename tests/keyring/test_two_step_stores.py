"""Key stores that python-keyring writes in two steps, played by stand-ins that do as its own code does."""

from __future__ import annotations

from typing import Any

import pytest

from notevault.adapters import keyring_worker

SERVICE, ITEM = "notevault", "aa/bb/log"
WINDOWS, MACOS = "keyring.backends.Windows.WinVaultKeyring", "keyring.backends.macOS.Keyring"


class Windows:
    """One credential a target; another user's is moved to a target of both names before it is written over."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[str, str]] = {}

    def set_password(self, service: str, user: str, value: str) -> None:
        if service in self.kept:
            before, former = self.kept[service]
            self.kept[f"{before}@{service}"] = (before, former)
        self.kept[service] = (user, value)

    def get_password(self, service: str, user: str) -> str | None:
        for target in (service, f"{user}@{service}"):
            if target in self.kept and self.kept[target][0] == user:
                return self.kept[target][1]
        return None


class Killed(BaseException):
    pass


class MacOS:
    """Deletes, then adds. Killed before the `at`-th of such steps."""

    def __init__(self, at: int = 0) -> None:
        self.kept: dict[str, str] = {}
        self.at = at

    def _step(self) -> None:
        self.at -= 1
        if self.at == 0:
            raise Killed

    def set_password(self, _service: str, user: str, value: str) -> None:
        self._step()
        self.kept.pop(user, None)
        self._step()
        self.kept[user] = value

    def get_password(self, _service: str, user: str) -> str | None:
        return self.kept.get(user)

    def delete_password(self, _service: str, user: str) -> None:
        self._step()
        del self.kept[user]


def _write(name: str, backend: Any, value: str) -> None:
    keyring_worker._write(name, backend, SERVICE, ITEM, value)


def test_the_value_before_is_nowhere_once_a_new_one_is_written_on_windows() -> None:
    store = Windows()
    for value in ("first", "second", "third"):
        _write(WINDOWS, store, value)
        assert {each for _, each in store.kept.values()} == {value}
        assert keyring_worker._read(WINDOWS, store, SERVICE, ITEM) == value


@pytest.mark.parametrize("at", range(1, 6))
def test_killed_at_any_step_on_macos_there_is_the_old_value_or_the_new_one(at: int) -> None:
    store = MacOS()
    _write(MACOS, store, "old")
    store.at = at
    with pytest.raises(Killed):
        _write(MACOS, store, "new")
    assert keyring_worker._read(MACOS, store, SERVICE, ITEM) in ("old", "new")
    store.at = 0
    _write(MACOS, store, "newer")
    assert store.kept == {ITEM: "newer"}
