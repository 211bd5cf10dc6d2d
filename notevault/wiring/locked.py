"""The side that never holds a key or a text: what the shell's parent and the commands need before anything is open."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import notevault
from notevault.adapters import harden, places
from notevault.adapters.clock import SystemClock
from notevault.errors import UsageFault
from notevault.ports import Clock


@dataclass(frozen=True)
class LockedSide:
    vault: Path
    local_root: Path
    clock: Clock


def locked_side(vault: str | None) -> LockedSide:
    """`vault` as given with --vault; the platform's user-data folder otherwise. UsageFault for an empty name."""
    if vault is None:
        folder = places.default_vault()
    elif not vault.strip():
        raise UsageFault("--vault needs the name of a folder.")
    else:
        folder = Path(vault).expanduser().absolute()
    return LockedSide(folder, places.local_root(), SystemClock())


def protect_process() -> harden.Hardening:
    """The first thing at every start."""
    return harden.harden()


def self_command(*words: str) -> list[str]:
    """How to start this program again with a hidden word; never a secret among them."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *words]
    return [sys.executable, "-P", "-m", "notevault", *words]


def self_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment for a process of our own, with the way to a source tree that is not installed."""
    env = dict(os.environ) | dict(extra or {})
    root = Path(notevault.__file__).resolve().parent.parent
    if not getattr(sys, "frozen", False) and root.name not in ("site-packages", "dist-packages"):
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), env.get("PYTHONPATH", "")]))
    return env
