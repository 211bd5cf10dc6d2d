"""Changing the header: built under the writer lock, durable, read back, opened, and only then named by the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from notevault.crypto import keytable as table_seal
from notevault.crypto import signing
from notevault.errors import Damaged, NotevaultError
from notevault.formats.header import Header, PassphraseSlot, RecoverySlot, ShareSlot
from notevault.formats.ids import DeviceId, Digest, Origin, SlotId
from notevault.formats.keytable import KeyTable
from notevault.vault import spares
from notevault.vault.recorder import Act
from notevault.vault.session import Session
from notevault.vault.survey import check_newest

Slot = PassphraseSlot | RecoverySlot | ShareSlot
Opens = Callable[[Header], None]
AGAIN = "Nothing was lost: try it once more."


def change_header(
    session: Session,
    why: str,
    *,
    slots: Callable[[int], list[Slot]] | None = None,
    retire: tuple[SlotId, ...] = (),
    table: KeyTable | None = None,
    opens: Opens | None = None,
) -> None:
    """Write the next header. `slots` gives the new list; `opens` must open it with a key at hand or raise.

    Raises ReadOnlyVault, Busy, DiskFull, CannotWrite, StorageFault; the header before stays the current one then.
    """
    session.check_writable()
    recorder = session.recorder
    with recorder.writing():
        start = recorder.tail.size
        session.covered_to(start, recorder.commit([]))  # deferred acts first: the next index is then the header's
        check_newest(session)
        seq = session.header.seq + 1
        keys = table or session.keys.table
        header = replace(
            session.header,
            device=DeviceId(session.device_id),
            origin=Origin(session.origin),
            origins={**session.header.origins, Origin(session.origin): recorder.tail.size},
            prev=Digest(session.header_digest),
            retired=tuple(sorted({*session.header.retired, *retire})),
            seq=seq,
            slots=tuple(sorted(slots(seq), key=lambda slot: slot.id)) if slots else session.header.slots,
            sig=bytes(64),
        )
        header = replace(header, table=table_seal.seal_table(keys, session.keys.vk, header, session.env.entropy))
        header = replace(header, sig=signing.sign_header(header, keys.vik_seed))
        data = header.to_bytes()
        written = session.headers.write(session.origin, seq, data)
        again = Header.parse(session.headers.read(written))
        opened = table_seal.open_table(again.table, session.keys.vk, again)
        if opened.pack() != keys.pack():
            raise Damaged("The new key file did not open after it was written; the old one stays in use.", AGAIN)
        if opens is not None:
            opens(again)
        start = recorder.tail.size
        act = Act("header.write", "U", "admin", digest=written.digest, size=len(data), k={"seq": seq, "why": why})
        tail = recorder.commit([act])
        session.use_header(again, written.digest)
        session.catalogue.set_meta("header-seq", seq)
        session.covered_to(start, tail)
    try:
        session.save_head()
    except NotevaultError as fault:
        session.notices.append(fault.sentence)


def grow_pool(session: Session) -> None:
    """As many fresh client keys as there are; a new client then takes one without a header of its own."""
    table, origin = session.keys.table, session.origin
    count = max(spares.FIRST, len(spares.own(table, origin)))
    grown = spares.with_spares(table, origin, count, session.keys.generation, session.env.entropy)
    change_header(session, "pool", table=grown)


def spare_client(session: Session, taken: set[bytes]) -> bytes:
    """The id of a client key of this log that no record uses yet; grows the pool when there is none.

    Call within `recorder.writing()`, where the record that takes the key is written too: another window must not be
    given the same one.
    """

    def free() -> list[bytes]:
        used = session.catalogue.client_ids() | taken
        return sorted(spares.own(session.keys.table, session.origin) - used)

    found = free()
    if not found:
        grow_pool(session)
        found = free()
    return found[0]
