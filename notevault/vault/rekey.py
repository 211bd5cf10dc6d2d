"""New ways to open the vault: another passphrase, another recovery sheet; going on after a confirmed rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from notevault.crypto import kdf, signing, slots
from notevault.errors import Damaged, Refused, SecretMissing, SecretsUnavailable, WrongSecret
from notevault.formats.header import Header, PassphraseSlot, RecoverySlot
from notevault.formats.ids import SlotId
from notevault.vault import epochs, found, remember
from notevault.vault.headers import AGAIN, Slot, change_header
from notevault.vault.items import DEVICE, DeviceItem, Head
from notevault.vault.pending import enter_pending
from notevault.vault.recorder import Act
from notevault.vault.survey import TWO_LAPTOPS, highest_seq, is_next

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
    passphrase working. All of it under the writer lock: another window may be changing it too.
    """
    session.check_writable()
    with session.recorder.writing():
        item = _device_item(session)
        number = max(number for number, _ in item.secrets) + 1
        secret = session.env.entropy.draw(32)
        own = [each for each in session.header.slots if is_own_slot(each, session.device_id)]
        others: list[Slot] = [each for each in session.header.slots if not is_own_slot(each, session.device_id)]
        kept = item.only(own[0].ds) if own else item
        session.store.put(DEVICE, kept.with_next(number, secret).encode())
        slot = found.passphrase_slot(session.env, session.keys, session.device, passphrase, params, number, secret)
        change_header(session, why, slots=lambda _seq: [*others, slot], retire=tuple(each.id for each in own))
    try:
        session.store.put(DEVICE, DeviceItem(session.vault_id, session.device_id, ((number, secret),)).encode())
    except SecretsUnavailable as fault:  # it has changed; the old secret alone opens nothing any more
        session.notices.append(fault.sentence)
    session.keys.okm = None  # of the slot that is gone
    if remember.forget(session.env, session.store, session.vault_id):
        session.log_acts([Act("remember.end", "E", "admin", k={"why": "passphrase"})])


def knows_passphrase(session: Session, passphrase: bytes) -> bool:
    """Whether it is the one that opens this vault on this laptop; `passphrase` is normalised. Nothing is written."""
    item = _device_item(session)
    for slot in session.header.slots:
        if is_own_slot(slot, session.device_id):
            secret = item.numbered(slot.ds)
            if secret is None:
                continue
            params = kdf.KdfParams(slot.m, slot.t, slot.p)
            kdf.check_params(params, session.env.machine.ram_total())
            try:
                slots.open_passphrase_slot(slot, session.vault_id, kdf.argon2id(passphrase, slot.salt, params), secret)
            except WrongSecret:
                continue
            return True
    return False


def is_own_slot(slot: Slot, device_id: bytes) -> TypeGuard[PassphraseSlot]:
    return isinstance(slot, PassphraseSlot) and slot.device == device_id


def new_sheet(session: Session) -> found.Kit:
    """Replace the recovery sheet: no header written from now on has a slot for the old one. Older headers have, and the
    vault key stays the same, so with one of them the old sheet opens everything. Marks the sheet as not yet printed.
    """
    session.check_writable()
    with session.recorder.writing():
        return _new_sheet(session)


def _new_sheet(session: Session) -> found.Kit:
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
        raise Damaged("The new recovery sheet did not open after it was written; the old one still does.", AGAIN)

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


RESTORED = "RESTORED: this vault was just put back from its backups, and goes on in a new log."


def confirm_rollback(session: Session, *, elsewhere: int = 0) -> Session:
    """The user takes the older copy as the present vault: a new log begins that cites what was found, and it is logged.

    Returns the writable session; the one given is closed. Also the way on from a log that does not agree with its
    signed state: it stays as it is, and `verify` goes on naming what is wrong with it. And the way on after a restore
    (`RESTORED`, held by whoever opened it): nothing was rolled back then, so nothing is confirmed; but what came after
    the backup may still lie somewhere, and must never be another log of the same name.

    `elsewhere`: the highest number of a header of this vault that was seen in its backups.
    """
    if session.read_only is None:
        raise Refused("This vault is not read-only: there is nothing to confirm.", "")
    if session.is_copy:
        raise Refused(session.read_only, "What is here can be read; nothing was changed.")
    tail = session.recorder.tail
    heads = [*session.heads, Head(session.origin, tail.size, tail.root, session.header.seq)]
    seen = max(heads, key=lambda head: head.size)
    confirmed = Act("rollback.confirm", "E", "recovery", k={"root": seen.root.hex(), "seen": seen.size})
    # The tail is empty for a log that cannot be believed: what was read of it does not make it sound
    cites: dict[str, object] = {"origin": session.origin, "root": tail.root.hex(), "size": tail.size}
    highest = highest_seq(session.env, session.paths, session.header.vik)
    with epochs.alone(session.env, session.local):
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
            max([highest, *(seq for seq in (*(head.seq for head in heads), elsewhere) if is_next(highest, seq))]),
            session.how,
            seen,
            None if session.read_only in (RESTORED, TWO_LAPTOPS) else confirmed,
        )
    fresh.catalogue.close()
    fresh.catalogue = session.catalogue
    fresh.catalogue.cover(fresh.origin, fresh.recorder.tail.size, fresh.recorder.tail.root)
    fresh.catalogue.set_meta("header-seq", fresh.header.seq)
    fresh.findings = session.findings
    session.hand_over()
    enter_pending(fresh)
    fresh.save_local_head()
    return fresh
