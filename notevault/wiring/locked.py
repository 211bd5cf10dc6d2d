"""The side that never holds a key or a text: what the shell's parent and the commands need before anything is open."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import notevault
from notevault.adapters import harden, places
from notevault.adapters.clock import SystemClock
from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.files import DiskFiles
from notevault.adapters.machine import SystemMachine
from notevault.errors import CannotWrite, NotevaultError, OwnFault, UsageFault
from notevault.ports import Clock
from notevault.storage.local import LocalState
from notevault.storage.lock import shell_lock


@dataclass(frozen=True)
class LockedSide:
    vault: Path
    local_root: Path
    clock: Clock


def locked_side(vault: str | None) -> LockedSide:
    """`vault` as given with --vault; the platform's user-data folder otherwise. UsageFault for an empty name,
    or one that no folder can have.
    """
    if vault is None:
        folder = places.default_vault()
    elif not vault.strip():
        raise UsageFault("--vault needs the name of a folder.")
    else:
        folder = places.user_path(vault)
    # Resolved: a vault is known by its place, and a link to it is no copy
    return LockedSide(folder.resolve(), places.local_root(), SystemClock())


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


@contextmanager
def hold_lock(side: LockedSide, name: str) -> Iterator[None]:
    """Hold a shell's lock until the context ends. `name`: a vault id in hex, or `setup` while a vault is being made.

    Raises Busy at once when another shell has it.
    """
    known = name == "setup" or (len(name) == 32 and not set(name) - set("0123456789abcdef"))
    if not known:
        raise OwnFault("A lock was asked for under no name of ours.")
    with shell_lock(DiskFiles(), LocalState(DiskFiles(), side.local_root / name)):
        yield


@dataclass(frozen=True)
class DemoPlace:
    """A folder that is gone afterwards, its side, and the passphrase that nobody is asked for."""

    folder: Path
    side: LockedSide
    passphrase: str = field(repr=False)


_DEMO = "notevault-demo-"


def demo_side(folder: Path) -> LockedSide:
    return LockedSide(folder / "vault", folder / "local", SystemClock())


@contextmanager
def demo_place() -> Iterator[DemoPlace]:
    """In memory where there is such a folder of this user, else in the temp folder, 0700. What an earlier demo had to
    leave behind (killed, power cut) is removed first. Raises CannotWrite.
    """
    parent = SystemMachine().private_runtime_dir() or Path(tempfile.gettempdir())
    files = DiskFiles()
    for old in parent.glob(f"{_DEMO}*"):
        _sweep(files, old)
    try:
        folder = Path(tempfile.mkdtemp(prefix=_DEMO, dir=parent))
    except OSError as fault:
        raise CannotWrite("There is no room for the demo's throw-away folder.") from fault
    try:
        with files.lock(folder / "lock", wait_s=0.0):
            yield DemoPlace(folder, demo_side(folder), SystemEntropy().draw(32).hex())
    finally:
        remove_demo(folder)


def _sweep(files: DiskFiles, folder: Path) -> None:
    """Ours, and nobody holds it."""
    with suppress(NotevaultError, OSError):
        if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
            return
        with files.lock(folder / "lock", wait_s=0.0):
            pass
        remove_demo(folder)


def remove_demo(folder: Path) -> None:
    if folder.name.startswith(_DEMO):
        shutil.rmtree(folder, ignore_errors=True)
