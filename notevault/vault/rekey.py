"""New ways to open the vault: another passphrase, another recovery sheet; going on after a confirmed rollback."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeGuard

from notevault.crypto import kdf, signing, slots
from notevault.errors import Damaged, NotevaultError, Refused, SecretMissing
from notevault.formats.header import Header, PassphraseSlot, RecoverySlot
from notevault.formats.ids import SlotId
from notevault.vault import found, remember
from notevault.vault.headers import Slot, change_header
from notevault.vault.items import DEVICE, DeviceItem
from notevault.vault.recorder import Act

if TYPE_CHECKING:
    from notevault.vault.session import Session


def _device_item(session: Session) -> DeviceItem:
    value = session.store.get([DEVICE])[0]
    if value is None:
        raise SecretMissing("This laptop's key for this vault is not in its key store.")
    return DeviceItem.decode(value, session.vault_id, session.device_id)


def change_passphrase(session: Session, passphrase: bytes, params: kdf.KdfParams, why: str = "passphrase") -> None:
    """Wrap the vault key anew: fresh salts, a fresh device secret, the old slot retired. `passphrase` is normalised.

    The two device secrets lie side by side until the header has committed; a crash in between leaves the old
    passphrase working.
    """
    session.check_writable()
    item = _device_item(session)
    number = max(number for number, _ in item.secrets) + 1
    secret = session.env.entropy.draw(32)
    own = [
        each for each in session.header.slots if isinstance(each, PassphraseSlot) and each.device == session.device_id
    ]
    in_use = [each.ds for each in own]
    session.store.put(DEVICE, item.only(in_use[0]).with_next(number, secret).encode() if in_use else item.encode())
    slot = found.passphrase_slot(session.env, session.keys, session.device, passphrase, params, number, secret)

    def renewed(_seq: int) -> list[Slot]:
        return [*(each for each in session.header.slots if not is_own_slot(each, session.device_id)), slot]

    gone = tuple(each.id for each in session.header.slots if is_own_slot(each, session.device_id))
    change_header(session, why, slots=renewed, retire=gone)
    session.store.put(DEVICE, DeviceItem(session.vault_id, session.device_id, ((number, secret),)).encode())
    if remember.forget(session.env, session.store, session.vault_id):
        session.log_acts([Act("remember.end", "E", "admin", k={"why": "passphrase"})])


def is_own_slot(slot: Slot, device_id: bytes) -> TypeGuard[PassphraseSlot]:
    return isinstance(slot, PassphraseSlot) and slot.device == device_id


def new_sheet(session: Session) -> found.Kit:
    """Replace the recovery sheet: the old one opens no header from now on. Marks the sheet as not yet printed."""
    session.check_writable()
    seed = session.env.entropy.draw(32)
    kit = slots.KitKeys.from_seed(seed)
    slot = slots.seal_recovery_slot(
        session.keys.vk,
        session.keys.generation,
        session.vault_id,
        SlotId(session.env.entropy.draw(16)),
        kit.public,
    )

    def renewed(_seq: int) -> list[Slot]:
        return [*(each for each in session.header.slots if not isinstance(each, RecoverySlot)), slot]

    def opens(header: Header) -> None:
        for each in header.slots:
            if isinstance(each, RecoverySlot) and each.id == slot.id:
                slots.open_recovery_slot(each, session.vault_id, header.generation, kit)
                return
        raise Damaged("The new recovery sheet did not open after it was written; the old one still does.")

    gone = tuple(each.id for each in session.header.slots if isinstance(each, RecoverySlot))
    change_header(session, "sheet", slots=renewed, retire=gone, opens=opens)
    session.catalogue.set_meta("sheet", "open")
    return found.Kit(seed, signing.vik_fingerprint(session.header.vik), session.vault_id)


def confirm_sheet(session: Session) -> None:
    """Parts of the printed sheet were typed back rightly."""
    session.log_acts([Act("sheet.confirm", "E", "admin")])
    session.catalogue.set_meta("sheet", "confirmed")


def sheet_confirmed(session: Session) -> bool:
    return session.catalogue.get_meta("sheet") == "confirmed"


def confirm_rollback(session: Session) -> Session:
    """The user takes the older copy as the present vault: a new log begins that cites what was found, and it is logged.

    Returns the writable session; the one given is closed.
    """
    if session.read_only is None:
        raise Refused("This vault is not read-only: there is nothing to confirm.", "")
    kept = session.log_item.head
    seen_sizes = [kept.size]
    highest = max(kept.seq, session.header.seq)
    with contextlib.suppress(NotevaultError):
        local = session.local.read_head()
        if local is not None:
            highest = max(highest, local.seq)
            seen_sizes.append(local.size)
    tail = session.recorder.tail
    cites: dict[str, object] = {"origin": session.origin, "root": tail.root.hex(), "size": tail.size}
    fresh = found.restart_log(
        session.env,
        session.paths,
        session.local,
        session.device,
        session.store,
        session.header,
        session.header_digest,
        session.keys,
        cites,
        highest,
        session.how,
    )
    fresh.catalogue.close()
    fresh.catalogue = session.catalogue
    fresh.catalogue.cover(fresh.origin, fresh.recorder.tail.size, fresh.recorder.tail.root)
    fresh.log_acts([Act("rollback.confirm", "E", "recovery", k={"root": kept.root.hex(), "seen": max(seen_sizes)})])
    from notevault.vault.pending import enter_pending

    enter_pending(fresh)
    fresh.save_local_head()
    return fresh
