"""A vault opened for one act: what comes before the passphrase, and how such a session ends."""

from __future__ import annotations

import contextlib
from pathlib import Path

from notevault.errors import Damaged, NotevaultError, NotFound, NoVault, Refused
from notevault.formats.header import Header
from notevault.formats.sheet import SheetCode
from notevault.storage.headers import HeaderStore
from notevault.storage.layout import VaultPaths
from notevault.storage.local import LocalState
from notevault.vault import door, fails, recover, remember
from notevault.vault.env import Env
from notevault.vault.items import LOG, SESSION, LogItem
from notevault.vault.recorder import Act
from notevault.vault.session import Session
from notevault.vault.survey import survey

SNAPSHOT_BEHIND = 256  # changes that the next opening would have to read again (some 30 ms): then it is worth writing


def alleged_vault(env: Env, vault: Path) -> bytes | None:
    """The id that the newest readable key file claims, None when none reads. NoVault where there is nothing at all.

    Nothing is checked: it serves to look into the right folder of our own.
    """
    store = HeaderStore(env.files, VaultPaths(vault))
    candidates = store.candidates()
    if not candidates:
        raise NoVault("There is no vault in this folder.")
    for candidate in candidates:
        try:
            return bytes(Header.parse(store.read(candidate)).vault)
        except (Damaged, NotFound):
            continue
    return None


def may_be_remembered(env: Env, vault: Path) -> bool:
    """Whether it is worth asking the key store for a remembered session. NoVault."""
    vault_id = alleged_vault(env, vault)
    return vault_id is not None and remember.may_be_there(env, vault_id)


def finish(session: Session) -> list[NotevaultError]:
    """The end of a one-shot session: its opening is logged even when nothing else was. Never raises.

    No entry tells of the end, the key store is not asked again (it may take seconds), and the snapshot is written only
    when it is far behind.
    """
    faults: list[NotevaultError] = []
    if session.read_only is None:
        try:
            session.recorder.flush()
        except NotevaultError as fault:
            faults.append(fault)
    return faults + session.close("", snapshot_after=SNAPSHOT_BEHIND)


def try_sheet(env: Env, vault: Path, code: SheetCode) -> None:
    """Whether a recovery sheet opens this vault. A refused one waits to be logged at the next opening."""
    try:
        recover.open_with_sheet(env, vault, code.seed, code.fingerprint)
    except Refused:
        with contextlib.suppress(NotevaultError):
            vault_id = alleged_vault(env, vault)
            if vault_id is not None:
                fails.keep(env, LocalState(env.files, env.local_root / vault_id.hex()), "sheet")
        raise


def own_slot(session: Session) -> bytes:
    """The id of the slot that this laptop's passphrase opens."""
    for slot in session.header.slots:
        if getattr(slot, "device", None) == session.device_id:
            return bytes(slot.id)
    raise Refused("This laptop has no passphrase of its own for this vault.", "Use your recovery sheet.")


def forget(env: Env, vault: Path) -> bool:
    """End a remembered session without opening the vault; whether there was one. Logged where it can be."""
    seen = survey(env, vault)
    if seen.device is None:
        return False
    store = env.stores.open(seen.device.store, seen.device.vault, seen.device.device)
    item, log = None, None
    with contextlib.suppress(NotevaultError):
        item, log = store.get([SESSION, LOG])
    there = remember.forget(env, store, seen.vault_id)
    if (there or item is not None) and log is not None:
        with contextlib.suppress(NotevaultError):
            recorder = door.own_recorder(env, seen, LogItem.decode(log), seen.device.user)
            recorder.record(Act("remember.end", "E", "admin", k={"why": "lock"}))
    return there
