"""Brings the catalogue up to the log: new entries are checked, their records opened and indexed.

Used at unlock, after another process wrote, and for a rebuild from nothing. What does not hold is reported as a
finding and left out; it never stops the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace

from notevault.auditlog import entry, merkle
from notevault.auditlog.entry import Entry
from notevault.crypto import objects
from notevault.domain import clients, notes
from notevault.errors import Damaged, LogDamaged, NotFound
from notevault.formats.envelope import RecordType
from notevault.formats.keytable import SETTINGS, KeyTable
from notevault.storage.blobs import BlobStore
from notevault.vault.index import Catalogue, Write
from notevault.vault.recorder import Subject
from notevault.vault.sealer import VaultSealer

BLOB_LIMIT = 65 * 1024 * 1024  # the largest single-shot object with its overhead and padding
WRITE_EVENTS = frozenset({"record.write", "record.sign", "settings.change"})
SIGNED = 1  # routing flag bit 0
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Finding:
    """Something that did not hold: which log entry (or -1), and a sentence without names."""

    origin: str
    i: int
    sentence: str


@dataclass(frozen=True)
class Told:
    """An entry that holds, and the record it tells of, if any."""

    entry: Entry
    write: Write | None


def judge(sealer: VaultSealer, origin: str, i: int, data: bytes) -> Told | Finding:
    """An entry's bytes as whoever holds the vault's keys sees them: form, MAC, routing. Opens no record."""
    found = entry.parse(data)
    if not isinstance(found, Entry):
        return Finding(origin, i, f"Log entry {i} does not read: {found.sentence}")
    if found.h is not None and not sealer.check_mac(found, origin):
        return Finding(origin, i, f"Log entry {i} claims to be made with this vault open, but was not.")
    if found.ev not in WRITE_EVENTS:
        return Told(found, None)
    if found.h is None:
        return Finding(origin, i, f"Log entry {i} tells of a record but was made without the vault's keys.")
    try:
        subject = sealer.routing_of(found, origin)
    except Damaged as fault:
        return Finding(origin, i, fault.sentence)
    if subject is None or found.c is None or found.z is None:
        return Finding(origin, i, f"Log entry {i} does not say which record it tells of.")
    return Told(found, write_of(origin, found.i, found.t, subject, found.c, found.z))


def record_key(table: KeyTable, subject: Subject) -> bytes:
    """The key a record was sealed under. Raises Damaged when the vault does not have it."""
    if subject.type == RecordType.SETTINGS:
        key = table.wide.get((SETTINGS, subject.generation))
    else:
        key = table.clients.get((subject.client, subject.generation))
    if key is None:
        raise Damaged("A record names a key that this vault does not have.")
    return key


class Replayer:
    def __init__(
        self,
        vault_id: bytes,
        table: KeyTable,
        sealer: VaultSealer,
        blobs: BlobStore,
        catalogue: Catalogue,
        bring_back: Callable[[str], bool] = lambda _digest: False,
    ) -> None:
        self._vault = vault_id
        self._table = table
        self._sealer = sealer
        self._blobs = blobs
        self._catalogue = catalogue
        self._bring_back = bring_back  # a missing record may lie in set-aside
        self.findings: list[Finding] = []

    def run(
        self,
        origin: str,
        start: int,
        entries: Iterable[bytes],
        size: int,
        root: bytes,
        progress: Progress | None = None,
    ) -> None:
        """Apply the entries from `start` up to `size` (whose tree root is `root`) in one transaction.

        Raises LogDamaged where an entry stands at another place than its own or does not follow from the one before
        it: somebody with the log's keys alone took one out, put one in, or put one in the place of another.
        """
        self._catalogue.begin()
        try:
            previous: bytes | None = None
            for i, data in enumerate(entries, start):
                self._apply(origin, i, data, placed=True, previous=previous)
                previous = data
                if progress is not None and i % 256 == 0:
                    progress(i, size)
            self._catalogue.cover(origin, size, root)
            self._catalogue.commit()
        except BaseException:
            self._catalogue.rollback()
            raise
        if progress is not None:
            progress(size, size)

    def salvage(self, origin: str, pieces: Iterable[tuple[int, bytes]]) -> None:
        """As `run` for entries of a log that cannot be believed as a whole: what holds is taken in, nothing covered.
        Records that are known already, by another log that names them too or by an earlier opening, are passed over.
        """
        known = {write.digest for write in self._catalogue.writes()} - self._catalogue.damaged().keys()
        self._catalogue.begin()
        try:
            for i, data in pieces:
                self._apply(origin, i, data, known=known)
            self._catalogue.commit()
        except BaseException:
            self._catalogue.rollback()
            raise

    def retry_damaged(self) -> None:
        """Records that did not open earlier: one that was put back opens now, the others are reported again."""
        self._catalogue.begin()
        try:
            for write in self._catalogue.damaged_writes():
                self._open(write)
            self._catalogue.commit()
        except BaseException:
            self._catalogue.rollback()
            raise

    def _apply(
        self,
        origin: str,
        i: int,
        data: bytes,
        *,
        placed: bool = False,
        previous: bytes | None = None,
        known: Container[str] = (),
    ) -> None:
        told = judge(self._sealer, origin, i, data)
        if isinstance(told, Finding):
            self.findings.append(told)
            self._catalogue.refuse(origin, i, told.sentence)
            return
        found = told.entry
        if placed and found.i != i:
            raise LogDamaged(f"REWRITTEN: at place {i} of the log stands the entry that was number {found.i}.")
        if previous is not None and found.p != merkle.leaf_hash(previous)[:16].hex():
            raise LogDamaged(f"REWRITTEN: entry {i} of the log does not follow from the one before it.")
        if told.write is not None and told.write.digest not in known:
            self._catalogue.add_write(told.write)
            self._open(told.write)
        elif found.ev == "sheet.confirm" or (found.ev == "session.open" and found.k["how"] == "sheet"):
            self._sheet("confirmed", found.t)
        elif found.ev == "header.write" and found.k.get("why") == "sheet":
            self._sheet("open", found.t)
        elif found.ev == "audit.review":
            self._catalogue.set_meta("reviewed", max(found.t, int(self._catalogue.get_meta("reviewed") or 0)))
        if found.ev in ("header.write", "vault.create", "vault.recover"):
            seq = int(self._catalogue.get_meta("header-seq") or 0)
            self._catalogue.set_meta("header-seq", max(int(found.k["seq"]), seq))

    def _sheet(self, state: str, t: int) -> None:
        """Several logs are read one after the other, not in the order of time: the newest word counts."""
        if t >= int(self._catalogue.get_meta("sheet-at") or 0):
            self._catalogue.set_meta("sheet", state)
            self._catalogue.set_meta("sheet-at", t)

    def _open(self, write: Write) -> None:
        try:
            try:
                payload = open_write(self._blobs, self._table, self._vault, write)
            except NotFound:
                if not self._bring_back(write.digest):
                    raise
                payload = open_write(self._blobs, self._table, self._vault, write)
            apply_record(self._catalogue, write, payload)
        except (Damaged, NotFound) as fault:
            self._catalogue.mark_damaged(write.digest, fault.sentence)
            self._report(write.origin, write.i, f"A saved record could not be opened: {fault.sentence}")
        else:
            self._catalogue.unmark_damaged(write.digest)

    def _report(self, origin: str, i: int, sentence: str) -> None:
        self.findings.append(Finding(origin, i, sentence))


def write_of(origin: str, i: int, t: int, subject: Subject, digest: str, size: int) -> Write:
    """The inverse of `subject_of`, with the entry's place and the blob it names."""
    return Write(
        origin,
        i,
        t,
        digest,
        size,
        subject.type,
        subject.flags,
        subject.client,
        subject.object,
        subject.version,
        subject.generation,
    )


def subject_of(write: Write) -> Subject:
    return Subject(write.type, write.client, write.object, write.version, write.generation, write.flags)


def open_write(blobs: BlobStore, table: KeyTable, vault_id: bytes, write: Write) -> bytes:
    """The payload of a record that the log names. Raises NotFound (missing), Damaged or WrongSeal (altered, moved)."""
    blob = blobs.get(write.digest, limit=BLOB_LIMIT)
    inner = objects.open_object(
        record_key(table, subject_of(write)),
        vault_id,
        blob,
        type=RecordType(write.type),
        client=write.client,
        object=write.object,
        version=write.version,
    )
    return inner.payload


def apply_record(catalogue: Catalogue, write: Write, payload: bytes) -> None:
    """Put a record that opened into the catalogue."""
    if write.type == RecordType.CLIENT:
        clients.from_payload(payload)  # one that does not read must not stand in every list
        if write.version == 1 and catalogue.client_made_elsewhere(write):
            raise Damaged("Two laptops gave the same key to two clients.")
        catalogue.put_client(write, payload)
    elif write.type == RecordType.NOTE:
        note = notes.from_payload(payload)
        catalogue.put_note(
            write,
            notes.to_payload(replace(note, text="")),
            note.text,
            notes.word_count(note.text, note.template),
            signed=bool(write.flags & SIGNED),
            held_ms=note.session,
            saved_ms=note.modified,
        )
    elif write.type == RecordType.SETTINGS and write.version >= int(catalogue.get_meta("settings-version") or 0):
        catalogue.set_meta("settings", payload.decode())
        catalogue.set_meta("settings-version", write.version)
