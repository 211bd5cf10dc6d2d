"""After a recovery from logs that cannot be believed: what still opens is entered in the log that goes on from there.

A record that only a damaged log names is in no check and in no backup. So each one that opens is named again, as
*reported* with the time it had. Records whose entry is lost altogether are found by trying the vault's keys on the
files that nothing names: what a record is stands sealed within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from notevault.auditlog import entry
from notevault.crypto import objects
from notevault.domain import notes
from notevault.errors import Damaged, NotFound
from notevault.formats.envelope import Inner, RecordType
from notevault.formats.ids import Digest
from notevault.formats.keytable import SETTINGS
from notevault.vault import salvage
from notevault.vault.index import Write
from notevault.vault.recorder import Act, Subject
from notevault.vault.replay import BLOB_LIMIT, SIGNED, apply_record, subject_of, write_of

if TYPE_CHECKING:
    from notevault.vault.session import Session

BATCH = 1024  # entries of one commit
_OURS = (RecordType.CLIENT, RecordType.NOTE, RecordType.SETTINGS)


@dataclass(frozen=True)
class TakenOver:
    named: int  # records that a damaged log still names, and that open
    found: int  # records that no entry names any more, found by trying keys
    closed: int  # files that nothing names and no key opens: the rest of an interrupted save, or damaged


def take_over(session: Session) -> TakenOver:
    """Raises as `Session.log_acts`. Called again, it finds nothing left to do."""
    broken = [origin for origin in sorted(session.header.origins) if session.catalogue.covered(origin) is None]
    gone = _purged(session, broken)
    unread = session.catalogue.damaged()
    every = list(session.catalogue.writes())
    loose = [each for each in every if each.origin in broken and each.digest not in unread and each.digest not in gone]
    loose.sort(key=lambda each: (each.t, each.i))
    for at in range(0, len(loose), BATCH):
        some = loose[at : at + BATCH]
        session.log_acts([_act(each, each.t) for each in some])
        for i, each in enumerate(some, session.recorder.tail.size - len(some)):
            session.catalogue.move_write(each.digest, session.origin, i)
    known = {each.digest for each in every} | gone
    found = closed = 0
    batch: list[tuple[Write, bytes]] = []
    for digest in sorted(digest for digest in session.blobs.digests() if digest not in known):
        one = _try(session, digest)
        if one is None:
            closed += 1
            continue
        batch.append(one)
        found += 1
        if len(batch) == BATCH:
            _name(session, batch)
            batch = []
    _name(session, batch)
    if loose or found:
        session.log_acts([Act("import.run", "E", "recovery", k={"n": len(loose) + found})])
    return TakenOver(len(loose), found, closed)


def _purged(session: Session, broken: Sequence[str]) -> set[str]:
    """What was destroyed on purpose stays so, also where a backup still had it."""
    gone: set[str] = set()
    for origin in broken:
        for _, data in salvage.entries(session.env, session.paths, origin):
            found = entry.parse(data) if b'"ev":"record.purge"' in data else None
            if isinstance(found, entry.Entry) and found.c is not None and session.sealer.check_mac(found, origin):
                gone.add(found.c)
    return gone


def _act(write: Write, at: int) -> Act:
    event, action = "record.write", "C" if write.version == 1 else "U"
    if write.type == RecordType.SETTINGS:
        event, action = "settings.change", "U"
    elif write.type == RecordType.NOTE and write.flags & SIGNED and write.version > 1:
        event = "record.sign"
    return Act(
        event,
        action,
        "recovery",
        "reported",
        digest=write.digest,
        size=write.size,
        k={"at": at},
        subject=subject_of(write),
    )


def _name(session: Session, batch: list[tuple[Write, bytes]]) -> None:
    """In the log first, then in the catalogue."""
    if not batch:
        return
    session.log_acts([_act(write, write.t) for write, _ in batch])
    first = session.recorder.tail.size - len(batch)
    for index, (write, payload) in enumerate(batch, first):
        placed = replace(write, i=index)
        session.catalogue.add_write(placed)
        try:
            apply_record(session.catalogue, placed, payload)
        except Damaged as fault:
            session.catalogue.mark_damaged(write.digest, fault.sentence)


def _try(session: Session, digest: Digest) -> tuple[Write, bytes] | None:
    """What the file is, and its payload, when some key of this vault opens it."""
    try:
        blob = session.blobs.get(digest, limit=BLOB_LIMIT)
    except (Damaged, NotFound):
        return None
    opened = next(_opened(session, blob), None)
    if opened is None:
        return None
    inner, generation = opened
    flags, at = 0, session.env.clock.wall_ms()
    if inner.type == RecordType.NOTE:
        try:
            note = notes.from_payload(inner.payload)
        except Damaged:
            return None
        flags, at = SIGNED if note.state == "signed" else 0, note.modified
    subject = Subject(int(inner.type), inner.client, inner.object, inner.version, generation, flags)
    return write_of(session.origin, 0, max(0, at), subject, digest, len(blob)), inner.payload


def _opened(session: Session, blob: bytes) -> Iterator[tuple[Inner, int]]:
    table = session.keys.table
    keys: list[tuple[bytes | None, int, bytes]] = [(one, number, key) for (one, number), key in table.clients.items()]
    keys += [(None, number, key) for (kind, number), key in table.wide.items() if kind == SETTINGS]
    for client, generation, key in keys:
        try:
            inner = objects.open_any(key, session.vault_id, blob)
        except Damaged:
            continue
        mine = inner.type == RecordType.SETTINGS if client is None else inner.client == client
        if mine and inner.type in _OURS:
            yield inner, generation
