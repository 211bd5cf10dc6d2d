"""Which store keeps a vault's secrets: decided once, at set-up, by trying; recorded; opened by that record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from notevault.adapters.keyring_store import PATIENT, KeyringStore, Limits
from notevault.adapters.places import secrets_folder
from notevault.adapters.secret_file import FileStore
from notevault.errors import KeyringAbsent, KeyringRefused, OwnFault, SecretsUnavailable
from notevault.ports import Entropy, Files, SecretStore


class SystemSecretStores:
    """Implements `ports.SecretStores`.

    `on_wait` is called with a sentence to show while the system waits for its dialog. `limits=AT_LOCK` for a
    process that must not wait; `budget_s` as in `KeyringStore`.
    """

    def __init__(
        self,
        files: Files,
        entropy: Entropy,
        *,
        folder: Path | None = None,
        limits: Limits = PATIENT,
        on_wait: Callable[[str], None] | None = None,
        argv: Sequence[str] | None = None,
        key_in_file: bool = False,
        budget_s: float | None = None,
    ) -> None:
        self._files = files
        self._entropy = entropy
        self._folder = folder
        self._limits = limits
        self._on_wait = on_wait
        self._argv = argv
        self._key_in_file = key_in_file
        self._budget_s = budget_s

    def choose(self) -> tuple[str, str]:
        """(kind, why in words). A keyring counts only when an item was really written, read back and deleted.

        Where there is no accepted keyring, or the user asked for it (`key_in_file`), a file; never silently: the
        second value is to be shown. A keyring that is there but locked, silent or wrong raises instead: on a machine
        with a keyring the weaker place is the user's choice, not the accident of a dialog that was closed.
        """
        if self._key_in_file:
            return "file", f"As you asked, {self._file_words()}"
        store = self._keyring(f"{self._entropy.draw(8).hex()}/{self._entropy.draw(8).hex()}")
        try:
            store.probe(self._entropy.draw(16).hex())
        except (KeyringAbsent, KeyringRefused) as error:
            return "file", f"{error.sentence} So {self._file_words()}"
        except SecretsUnavailable as error:
            raise type(error)(error.sentence, f"{error.next_step} Or keep the key in a file: --key-in-file.") from error
        return "keyring", f"This laptop's key is kept by your system's key store: {store.describe()}."

    def open(self, kind: str, vault_id: bytes, device_id: bytes) -> SecretStore:
        prefix = f"{vault_id.hex()}/{device_id.hex()}"
        if kind == "keyring":
            return self._keyring(prefix)
        if kind == "file":
            return FileStore(self._place(), prefix, self._files)
        raise OwnFault("The record of where this laptop's key is kept names an unknown place.")

    def _file_words(self) -> str:
        return (
            f"this laptop's key is kept in a file that only you can read, in {self._place()}. Vault folder and backup"
            " stay safe without it; whoever has this whole disk has only your passphrase to guess."
        )

    def _keyring(self, prefix: str) -> KeyringStore:
        return KeyringStore(
            prefix, limits=self._limits, argv=self._argv, on_wait=self._on_wait, budget_s=self._budget_s
        )

    def _place(self) -> Path:
        return secrets_folder() if self._folder is None else self._folder
