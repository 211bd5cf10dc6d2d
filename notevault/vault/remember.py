"""A remembered session (docs/FORMAT.md section 9): the slot key for some hours, in two halves.

The item in the secret store is wrapped under R, 32 random bytes in the memory-backed runtime folder: switching off
loses R, so neither a disk image nor a login keychain alone opens anything.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from notevault.crypto import sessionkey
from notevault.errors import NotevaultError, Refused
from notevault.ports import SecretStore
from notevault.storage.local import DeviceFile
from notevault.vault.env import Env
from notevault.vault.items import SESSION, SessionItem
from notevault.vault.recorder import Act

if TYPE_CHECKING:
    from notevault.vault.session import Session

MAX_HOURS = 8  # a working day
HALF_SIZE = 40  # R, and the end in milliseconds since boot, u64 big-endian
NO_MEMORY_FOLDER = "This system has no folder that is forgotten at power-off, so nothing can be remembered safely here."


@dataclass(frozen=True)
class Remembered:
    slot_id: bytes
    expires_ms: int
    okm: bytes = field(repr=False)


def _half(env: Env, vault_id: bytes) -> Path | None:
    folder = env.machine.private_runtime_dir()
    return None if folder is None else folder / f"notevault-{vault_id.hex()}"


def may_be_there(env: Env, vault_id: bytes) -> bool:
    """Whether the half in memory is there: without it the other half need not be asked for."""
    half = _half(env, vault_id)
    return half is not None and env.files.size(half) is not None


def start(session: Session, okm: bytes, slot_id: bytes, hours: int) -> int:
    """Keep `okm` (64 bytes) for `hours`; returns the time of expiry in ms. Raises Refused, UsageFault by the caller."""
    if not 1 <= hours <= MAX_HOURS:
        raise Refused(f"A session can be remembered for 1 to {MAX_HOURS} hours.", "Say how many with --hours.")
    env, device = session.env, session.device
    half = _half(env, device.vault)
    if half is None:
        raise Refused(NO_MEMORY_FOLDER, "Type the passphrase each time, or use the shell.")
    r, salt, boot = env.entropy.draw(32), env.entropy.draw(32), env.machine.boot_id()
    expires = env.clock.wall_ms() + hours * 3_600_000
    wrapped = sessionkey.wrap_okm(
        okm, r, salt, vault_id=device.vault, device=device.device, slot_id=slot_id, expires_ms=expires, boot_id=boot
    )
    session.log_acts([Act("remember.start", "E", "admin", k={"until": expires})])
    env.files.replace(half, r + (env.clock.boot_ms() + hours * 3_600_000).to_bytes(8, "big"))
    session.store.put(SESSION, SessionItem(slot_id, expires, boot, salt, wrapped).encode())
    return expires


def recall(env: Env, device: DeviceFile, item: str | None) -> Remembered | None:
    """The remembered key when both halves are there, the same boot, not expired, and not turned back by the clock."""
    if item is None:
        return None
    half = _half(env, device.vault)
    if half is None:
        return None
    try:
        found = SessionItem.decode(item)
        now = env.clock.wall_ms()
        if found.boot_id != env.machine.boot_id() or not 0 <= found.expires_ms - now <= MAX_HOURS * 3_600_000:
            return None
        kept = env.files.read(half, limit=HALF_SIZE)
        r, ends = kept[:32], int.from_bytes(kept[32:], "big")
        if len(kept) != HALF_SIZE or env.clock.boot_ms() > ends:  # a wall clock turned back does not turn this one
            return None
        okm = sessionkey.unwrap_okm(
            found.wrapped,
            r,
            found.salt,
            vault_id=device.vault,
            device=device.device,
            slot_id=found.slot_id,
            expires_ms=found.expires_ms,
            boot_id=found.boot_id,
        )
        return Remembered(found.slot_id, found.expires_ms, okm)
    except NotevaultError:
        return None


def expired_ms(env: Env, item: str | None) -> int | None:
    """When the session that this item was kept for ran out, by itself or with the power; None while it runs."""
    if item is None:
        return None
    try:
        found = SessionItem.decode(item)
    except NotevaultError:
        return None
    over = found.expires_ms <= env.clock.wall_ms() or found.boot_id != env.machine.boot_id()
    return min(found.expires_ms, env.clock.wall_ms()) if over else None


def end(env: Env, vault_id: bytes) -> bool:
    """Remove the half in memory alone, for a lock that must not wait for the key store; whether there was one."""
    half = _half(env, vault_id)
    if half is None or env.files.size(half) is None:
        return False
    env.files.remove(half)
    return True


def forget(env: Env, store: SecretStore, vault_id: bytes) -> bool:
    """Remove both halves; whether there was anything. The half in memory first: without it the other is useless."""
    there = end(env, vault_id)
    with contextlib.suppress(NotevaultError):
        there = store.get([SESSION])[0] is not None or there
        store.delete(SESSION)
    return there
