"""What lies in the secret store: `device`, `log` and `session` items (docs/FORMAT.md section 9).

Each item is canonical JSON of at most 400 printable ASCII characters, since some system stores hold no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from notevault.errors import Damaged, SecretForeign
from notevault.formats import text

DEVICE = "device"
LOG = "log"
SESSION = "session"
LIMIT = 400  # the shortest store we support cuts values beyond this
_SHEET = "Your recovery sheet opens the vault without this laptop's key: `notevault recover`."


def _fields(value: str, keys: set[str]) -> dict[str, Any]:
    found = text.parse_canonical(value.encode("ascii", "replace"), limit=LIMIT)
    if set(found) - {"h", "n"} != keys or found["v"] != 1:
        raise Damaged("This laptop's key store holds something for this vault that is not a notevault key.", _SHEET)
    return found


def _print(fields: dict[str, object]) -> str:
    return text.canonical(fields).decode("ascii")


@dataclass(frozen=True)
class DeviceItem:
    """The device secret ("this laptop's key"): up to two, numbered; the older one goes after a header commits."""

    vault_id: bytes
    device_id: bytes
    secrets: tuple[tuple[int, bytes], ...] = field(repr=False)

    def encode(self) -> str:
        return _print(
            {
                "v": 1,
                "vault": self.vault_id.hex(),
                "device": self.device_id.hex(),
                "ds": [[number, text.b64(secret)] for number, secret in self.secrets],
            }
        )

    @classmethod
    def decode(cls, value: str, vault_id: bytes, device_id: bytes) -> DeviceItem:
        """Raises Damaged for other bytes, SecretForeign for the item of another vault or laptop."""
        found = _fields(value, {"v", "vault", "device", "ds"})
        if found["vault"] != vault_id.hex() or found["device"] != device_id.hex():
            raise SecretForeign("The key found on this laptop belongs to another vault.")
        pairs = found["ds"]
        if not isinstance(pairs, list) or not 1 <= len(pairs) <= 2:
            raise Damaged("This laptop's key for this vault is damaged.", _SHEET)
        secrets = []
        for pair in pairs:
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], int):
                raise Damaged("This laptop's key for this vault is damaged.", _SHEET)
            secrets.append((pair[0], text.unb64(pair[1], 32)))
        return cls(vault_id, device_id, tuple(secrets))

    def numbered(self, number: int) -> bytes | None:
        return dict(self.secrets).get(number)

    def with_next(self, number: int, secret: bytes) -> DeviceItem:
        """The newest secret kept beside the new one, until the header that uses it has committed."""
        return replace(self, secrets=(self.secrets[-1], (number, secret)))

    def only(self, number: int) -> DeviceItem:
        return replace(self, secrets=tuple(pair for pair in self.secrets if pair[0] == number))


@dataclass(frozen=True)
class Head:
    """The last state of the log that this laptop has seen: a memory outside the vault folder."""

    origin: str
    size: int
    root: bytes
    seq: int


@dataclass(frozen=True)
class LogItem:
    """The log's signing keys and the head. Not under the passphrase: failed unlocks are logged too."""

    origin: str
    epoch: int
    identity_seed: bytes = field(repr=False)
    epoch_seed: bytes = field(repr=False)
    head: Head
    next_seed: bytes | None = field(default=None, repr=False)

    def at(self, epoch: int) -> LogItem | None:
        """The keys for `epoch`: these, or, after a close that was interrupted, with the next key in use."""
        if epoch == self.epoch:
            return self
        if epoch == self.epoch + 1 and self.next_seed is not None:
            return LogItem(self.origin, epoch, self.identity_seed, self.next_seed, self.head)
        return None

    def encode(self) -> str:
        fields: dict[str, object] = {
            "v": 1,
            "o": self.origin,
            "e": self.epoch,
            "ik": text.b64(self.identity_seed),
            "ek": text.b64(self.epoch_seed),
            "s": self.head.size,
            "r": text.b64(self.head.root),
            "q": self.head.seq,
        }
        if self.next_seed is not None:
            fields["n"] = text.b64(self.next_seed)
        if self.head.origin != self.origin:
            fields["h"] = self.head.origin
        return _print(fields)

    @classmethod
    def decode(cls, value: str) -> LogItem:
        found = _fields(value, {"v", "o", "e", "ik", "ek", "s", "r", "q"})
        origin = found["o"]
        head = found.get("h", origin)
        text.unhex(origin, 16)
        text.unhex(head, 16)
        if not all(isinstance(found[key], int) for key in "esq"):
            raise Damaged("This laptop's log key for this vault is damaged.", _SHEET)
        return cls(
            origin,
            found["e"],
            text.unb64(found["ik"], 32),
            text.unb64(found["ek"], 32),
            Head(head, found["s"], text.unb64(found["r"], 32), found["q"]),
            text.unb64(found["n"], 32) if "n" in found else None,
        )


@dataclass(frozen=True)
class SessionItem:
    """One half of a remembered session; the other half lies in the memory-backed runtime folder."""

    slot_id: bytes
    expires_ms: int
    boot_id: bytes
    salt: bytes
    wrapped: bytes = field(repr=False)

    def encode(self) -> str:
        return _print(
            {
                "v": 1,
                "slot": self.slot_id.hex(),
                "exp": self.expires_ms,
                "boot": self.boot_id.hex(),
                "salt": text.b64(self.salt),
                "w": text.b64(self.wrapped),
            }
        )

    @classmethod
    def decode(cls, value: str) -> SessionItem:
        found = _fields(value, {"v", "slot", "exp", "boot", "salt", "w"})
        if not isinstance(found["exp"], int):
            raise Damaged("The remembered session is damaged.")
        return cls(
            text.unhex(found["slot"], 16),
            found["exp"],
            text.unhex(found["boot"], 8),
            text.unb64(found["salt"], 32),
            text.unb64(found["w"], 80),
        )
