"""`FakeSecrets`: a key store in memory that can be everything a real one can be on a bad day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from notevault.adapters.secret_items import check_name, check_owner, check_prefix, check_value
from notevault.errors import (
    KeyringAbsent,
    KeyringLied,
    KeyringLocked,
    KeyringRefused,
    KeyringSilent,
    SecretForeign,
    SecretsUnavailable,
)

Mood = Literal["present", "absent", "locked", "silent", "refused", "lying", "missing", "foreign"]

_TROUBLE: dict[str, tuple[type[SecretsUnavailable], str]] = {
    "absent": (KeyringAbsent, "No key store answers on this machine."),
    "locked": (KeyringLocked, "Your system's key store is locked."),
    "silent": (KeyringSilent, "Your system's key store did not answer."),
    "refused": (KeyringRefused, "The key store `null` is not one that notevault trusts."),
}


class PendingFake:
    def __init__(self, collect: Callable[[], list[str | None]]) -> None:
        self._collect = collect
        self._cancelled = False

    def result(self) -> list[str | None]:
        return self._collect()

    def cancel(self) -> None:
        self._cancelled = True


class FakeSecrets:
    """`mood` may be changed at any time; the items stay. `items` is shared by all stores made from one dict.

    `lying`: what is stored comes back altered. `missing`: answers, has nothing. `foreign`: holds another vault's item.
    """

    def __init__(
        self,
        prefix: str = "00/00",
        *,
        mood: Mood = "present",
        items: dict[str, str] | None = None,
        kind: str = "keyring",
    ) -> None:
        check_prefix(prefix)
        self.prefix = prefix
        self.mood: Mood = mood
        self.items: dict[str, str] = {} if items is None else items
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self._kind = kind

    @property
    def kind(self) -> str:
        return self._kind

    def describe(self) -> str:
        return "a key store of the tests"

    def get(self, names: Sequence[str]) -> list[str | None]:
        self._answer("get", names)
        for name in names:
            check_name(name)
        if self.mood == "missing":
            return [None] * len(names)
        if self.mood == "foreign":
            raise SecretForeign("This laptop's key belongs to another vault.")
        found = [self.items.get(f"{self.prefix}/{name}") for name in names]
        if self.mood == "lying":
            found = [value and _twisted(value) for value in found]
        return [check_owner(self.prefix, value) for value in found]

    def start_get(self, names: Sequence[str]) -> PendingFake:
        return PendingFake(lambda: self.get(names))

    def put(self, name: str, value: str) -> None:
        check_value(name, value)
        self._answer("put", [name])
        self.items[f"{self.prefix}/{name}"] = value
        if self.mood == "lying":
            raise KeyringLied("Your system's key store gave back something else than was stored.")

    def delete(self, name: str) -> None:
        self._answer("delete", [name])
        self.items.pop(f"{self.prefix}/{name}", None)

    def _answer(self, what: str, names: Sequence[str]) -> None:
        self.calls.append((what, tuple(names)))
        if self.mood in _TROUBLE:
            kind, sentence = _TROUBLE[self.mood]
            raise kind(sentence)


def _twisted(value: str) -> str:
    return value[:-1] + ("A" if value[-1] != "A" else "B")


class FakeSecretStores:
    """Implements `ports.SecretStores`: all its stores look at one dict, so that a second process finds the first's."""

    def __init__(self, *, kind: str = "keyring", mood: Mood = "present", items: dict[str, str] | None = None) -> None:
        self.kind = kind
        self.mood: Mood = mood
        self.items: dict[str, str] = {} if items is None else items
        self.opened: list[FakeSecrets] = []

    def choose(self) -> tuple[str, str]:
        return self.kind, f"The tests keep this laptop's key in a made-up {self.kind}."

    def open(self, kind: str, vault_id: bytes, device_id: bytes) -> FakeSecrets:
        store = FakeSecrets(f"{vault_id.hex()}/{device_id.hex()}", mood=self.mood, items=self.items, kind=kind)
        self.opened.append(store)
        return store
