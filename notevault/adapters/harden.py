"""What a process can do for itself before it sees a secret: best effort, silent, told by `doctor`."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass

_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4
_PT_DENY_ATTACH = 31
_MCL_CURRENT = 1


@dataclass(frozen=True)
class Hardening:
    """True: done; False: the system refused; None: there is no such thing on this system."""

    not_dumpable: bool | None  # neither core files nor other programs of this user read our memory
    no_core: bool | None
    umask: bool | None


def harden() -> Hardening:
    """The first thing at every start, before arguments are looked at."""
    os.umask(0o077)
    if sys.platform == "win32":
        return Hardening(not_dumpable=_quiet_windows(), no_core=None, umask=None)
    return Hardening(not_dumpable=_not_dumpable(), no_core=_no_core(), umask=True)


def lock_memory() -> bool:
    """Keep the pages taken so far out of swap: after the key derivation only, never for future pages.

    With the usual limit of 8 MiB on locked memory a lock on future pages makes the next large allocation fail, the
    derivation's first of all; and a process larger than the limit cannot lock at all, hence best effort.
    """
    if sys.platform == "win32":
        return False  # VirtualLock works by address; Python's objects have none that we know
    libc = _libc()
    try:
        return libc is not None and libc.mlockall(_MCL_CURRENT) == 0
    except AttributeError:
        return False


def _libc() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(None, use_errno=True)
    except OSError:
        return None


def _not_dumpable() -> bool | None:
    libc = _libc()
    if libc is None:
        return False
    try:
        if sys.platform.startswith("linux"):
            zero = ctypes.c_ulong(0)
            libc.prctl(_PR_SET_DUMPABLE, zero, zero, zero, zero)
            return bool(libc.prctl(_PR_GET_DUMPABLE, zero, zero, zero, zero) == 0)
        if sys.platform == "darwin":
            return bool(libc.ptrace(_PT_DENY_ATTACH, 0, None, 0) == 0)
    except AttributeError:
        return False
    return None


def _no_core() -> bool | None:
    if sys.platform == "win32":
        return None
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return False
    return resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)


def _quiet_windows() -> bool | None:
    """No crash dialog and no heap in error reports (SetErrorMode, WerSetFlags NOHEAP)."""
    if sys.platform != "win32":
        return None
    try:
        ctypes.windll.kernel32.SetErrorMode(0x0001 | 0x0002 | 0x8000)
        return bool(ctypes.windll.kernel32.WerSetFlags(0x1) == 0)
    except (AttributeError, OSError):
        return False
