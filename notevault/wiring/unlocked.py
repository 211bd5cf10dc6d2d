"""Where the real adapters meet the application: for processes that may hold keys and text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from notevault.adapters.choose_store import SystemSecretStores
from notevault.adapters.clock import SystemClock
from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.files import DiskFiles
from notevault.adapters.harden import lock_memory
from notevault.adapters.keyring_store import AT_LOCK, UNSEEN
from notevault.adapters.machine import SystemMachine
from notevault.adapters.secret_file import FileStore
from notevault.ports import SecretStore
from notevault.vault.env import Env
from notevault.vault.session import Session
from notevault.wiring.locked import LockedSide, demo_side

__all__ = ["hurry", "lock_memory", "make_demo_env", "make_env", "make_quiet_env"]


def make_env(side: LockedSide, on_wait: Callable[[str], None] | None = None, *, key_in_file: bool = False) -> Env:
    """`on_wait` is shown its sentence while the system's key store waits for its own dialog.

    `key_in_file`: a vault made or recovered now keeps this laptop's key in a file even where there is a keyring.
    """
    files, entropy = DiskFiles(), SystemEntropy()
    return Env(
        clock=SystemClock(),
        entropy=entropy,
        files=files,
        machine=SystemMachine(),
        stores=SystemSecretStores(files, entropy, on_wait=on_wait, key_in_file=key_in_file),
        local_root=side.local_root,
    )


def make_quiet_env(side: LockedSide, budget_s: float) -> Env:
    """For a process that nobody sees: the key store opens no dialog, and has `budget_s` seconds in all."""
    files, entropy = DiskFiles(), SystemEntropy()
    stores = SystemSecretStores(files, entropy, limits=UNSEEN, budget_s=budget_s)
    return Env(SystemClock(), entropy, files, SystemMachine(), stores, side.local_root)


def hurry(env: Env, session: Session) -> None:
    """Before a lock: the key store gets two seconds in all, no more."""
    session.store = hurried_store(env, session)


def hurried_store(env: Env, session: Session) -> SecretStore:
    """The session's key store for whoever cannot wait: no dialog, and two seconds from its first call on."""
    if session.store.kind != "keyring":
        return session.store
    stores = SystemSecretStores(env.files, env.entropy, limits=AT_LOCK, budget_s=AT_LOCK.write_s)
    return stores.open("keyring", session.vault_id, session.device_id)


class _FilesIn:
    """Secrets of a demo: in its own folder, gone with it."""

    def __init__(self, folder: Path, files: DiskFiles) -> None:
        self._folder, self._files = folder, files

    def choose(self) -> tuple[str, str]:
        return "file", ""

    def open(self, kind: str, vault_id: bytes, device_id: bytes) -> SecretStore:
        return FileStore(self._folder, f"{vault_id.hex()}/{device_id.hex()}", self._files)


def make_demo_env(folder: Path) -> Env:
    files = DiskFiles()
    return Env(
        clock=SystemClock(),
        entropy=SystemEntropy(),
        files=files,
        machine=SystemMachine(),
        stores=_FilesIn(folder / "secrets", files),
        local_root=demo_side(folder).local_root,
    )
