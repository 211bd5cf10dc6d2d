"""What a vault needs from outside, gathered once: the ports and the two folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from notevault.ports import Clock, Entropy, Files, Machine, SecretStores


@dataclass(frozen=True)
class Env:
    clock: Clock
    entropy: Entropy
    files: Files
    machine: Machine
    stores: SecretStores
    local_root: Path  # one folder per vault id below it, on this device only
