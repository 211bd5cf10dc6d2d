"""Where the real adapters meet the application: for processes that may hold keys and text."""

from __future__ import annotations

from collections.abc import Callable

from notevault.adapters.choose_store import SystemSecretStores
from notevault.adapters.clock import SystemClock
from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.files import DiskFiles
from notevault.adapters.harden import lock_memory
from notevault.adapters.machine import SystemMachine
from notevault.vault.env import Env
from notevault.wiring.locked import LockedSide

__all__ = ["lock_memory", "make_env"]


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
