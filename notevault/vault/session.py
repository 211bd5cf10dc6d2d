"""The unlocked vault: keys, recorder and catalogue together, and the two verbs everything else is made of.

`write` makes records durable and logged before it returns; `open` logs that records are opened, durably, before it
returns their payloads (docs/FORMAT.md section 11).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from notevault.auditlog import entry
from notevault.crypto import keytable as table_seal
from notevault.crypto import objects, signing
from notevault.errors import Damaged, NotevaultError, ReadOnlyVault, Refused
from notevault.formats.envelope import Inner, RecordType
from notevault.formats.header import Header
from notevault.formats.ids import ClientId, ObjectId
from notevault.formats.keytable import KeyTable
from notevault.ports import SecretStore
from notevault.storage.blobs import BlobStore
from notevault.storage.headers import HeaderStore
from notevault.storage.layout import VaultPaths
from notevault.storage.local import DeviceFile, HeadFile, LocalState
from notevault.storage.lock import shell_is_open
from notevault.storage.logfile import Tail
from notevault.vault import epochs, remember, snapshot
from notevault.vault.env import Env
from notevault.vault.index import Catalogue, Write
from notevault.vault.items import LOG, Head, LogItem
from notevault.vault.pending import keep_pending
from notevault.vault.recorder import Act, Recorder, Subject
from notevault.vault.replay import Finding, Replayer, apply_record, open_write, record_key, subject_of, write_of
from notevault.vault.sealer import VaultSealer
from notevault.vault.settle import bring_back

HEAD_EVERY = 64  # entries after which the local head is written again
SNAPSHOT_EVERY = 256  # log entries after which a large act writes the snapshot again


@dataclass(frozen=True)
class NewRecord:
    """A record to be written: what, whose, and how the log shall tell of it."""

    subject: Subject
    payload: bytes = field(repr=False)
    event: str = "record.write"
    action: str = "C"
    purpose: str = "care"
    details: dict[str, object] | None = field(default=None, repr=False)


@dataclass
class Keys:
    """What must be gone after lock. `vk` opens the key table again when another process has changed it."""

    vk: bytes = field(repr=False)
    generation: int
    table: KeyTable = field(repr=False)
    okm: bytes | None = field(default=None, repr=False)  # the slot's key, kept only for `remember`


class Session:
    def __init__(
        self,
        env: Env,
        paths: VaultPaths,
        local: LocalState,
        header: Header,
        header_digest: str,
        keys: Keys,
        recorder: Recorder,
        log_item: LogItem | None,
        store: SecretStore,
        device: DeviceFile,
        catalogue: Catalogue,
        how: str,
        read_only: str | None = None,
    ) -> None:
        self.env = env
        self.paths = paths
        self.local = local
        self.header = header
        self.header_digest = header_digest
        self.keys = keys
        self.recorder = recorder
        self.log_item = log_item  # None: not at hand, and the vault is read-only
        self.store = store
        self.device = device
        self.catalogue = catalogue
        self.how = how
        self.until_ms: int | None = None  # when a remembered session, which opened this one, ends
        self.read_only = read_only
        self.heads: list[Head] = []  # what this laptop remembered of the vault's state when it was opened
        self.findings: list[Finding] = []
        self.notices: list[str] = []  # what the opening settled, in sentences for the user
        self.blobs = BlobStore(env.files, paths)
        self.headers = HeaderStore(env.files, paths)
        self.sealer = VaultSealer(header.vault, keys.table, env.entropy)
        recorder.sealer = self.sealer
        recorder.on_moved = self._moved
        recorder.on_committed = self._committed
        recorder.renew = self._renew
        self.epoch_since_ms = env.clock.boot_ms()
        self._closed = False
        self._head_at = recorder.tail.size

    # -- small facts

    @property
    def vault_id(self) -> bytes:
        return self.header.vault

    @property
    def origin(self) -> str:
        return self.recorder.origin

    @property
    def device_id(self) -> bytes:
        return self.device.device

    def replayer(self) -> Replayer:
        return Replayer(
            self.vault_id,
            self.keys.table,
            self.sealer,
            self.blobs,
            self.catalogue,
            lambda digest: self.read_only is None and bring_back(self, digest),
        )

    @property
    def is_copy(self) -> bool:
        """Read-only because the vault itself lies elsewhere: nothing is wrong, and there is nothing to confirm."""
        return self.read_only is not None and self.read_only.startswith("COPY")

    # -- following the log

    def covered_to(self, start: int, tail: Tail) -> None:
        """After a commit of our own from `start`: the catalogue covers it. A gap before it is filled from the log, so
        that no entry is ever passed over, whatever failed before.
        """
        if (self.catalogue.covered(self.origin) or (0, b""))[0] == start:
            self.catalogue.cover(self.origin, tail.size, tail.root)
        else:
            self._moved(start, tail)

    def _moved(self, _old: int, tail: Tail) -> None:
        """Another process appended: take in its header first (it may hold new keys), then its records."""
        covered = self.catalogue.covered(self.origin) or (0, b"")
        new = list(self.recorder.entries(covered[0], tail.size))
        for data in new:
            found = entry.parse(data)
            if isinstance(found, entry.Entry) and found.ev == "header.write" and found.k["seq"] > self.header.seq:
                self._follow_header(found)
        replayer = self.replayer()
        replayer.run(self.origin, covered[0], new, tail.size, tail.root)
        self.findings += replayer.findings

    def _follow_header(self, named: entry.Entry) -> None:
        """Take in the header that this entry of our own log names, when it is this vault's and our key opens it.

        Raises Refused after a renewal, Damaged for a header that does not hold; then nothing is written under it.
        """
        if not self.sealer.check_mac(named, self.origin):
            return  # by somebody without the vault's keys; the replay reports it
        for candidate in self.headers.candidates():
            if candidate.digest != named.c:
                continue
            header = Header.parse(self.headers.read(candidate))
            signing.check_header(header)
            if header.vik != self.header.vik or header.generation != self.keys.generation:
                raise Refused("The keys of this vault were renewed in another window.", "Lock, and unlock again.")
            self.use_header(header, candidate.digest)
            return
        raise Damaged("A version of the vault's key file that its log names is missing.")

    def use_header(self, header: Header, digest: str) -> None:
        self.keys.table = table_seal.open_table(header.table, self.keys.vk, header)
        self.header, self.header_digest = header, digest
        self.sealer = VaultSealer(header.vault, self.keys.table, self.env.entropy)
        self.recorder.sealer = self.sealer

    def _committed(self, tail: Tail) -> None:
        """Every so often a memory of the newest state outside the vault folder; two fsyncs are too many for each."""
        if tail.size - self._head_at >= HEAD_EVERY:
            self.save_local_head()

    def save_local_head(self) -> None:
        """Best effort: a commit stays acknowledged when this copy fails."""
        tail = self.recorder.tail
        if self.local.write_head(HeadFile(self.vault_id, self.origin, tail.size, tail.root, self.header.seq)):
            self._head_at = tail.size

    # -- writing

    def check_writable(self) -> None:
        if self.read_only is not None:
            step = "What is here can be read; nothing was changed." if self.is_copy else None
            raise ReadOnlyVault(f"This vault is read-only: {self.read_only}", step)

    def write(self, records: Sequence[NewRecord], *more: Act) -> list[Write]:
        """Blobs, entries, checkpoint: durable when this returns. `more` acts are entered in the same commit, last.

        Raises ReadOnlyVault, Busy, DiskFull, CannotWrite, StorageFault, LogDamaged; then none of the records counts.
        """
        self.check_writable()
        sealed = [self._seal(record) for record in records]
        with self.recorder.writing():
            digests = self.blobs.put_many(sealed) if len(sealed) > 1 else [self.blobs.put(blob) for blob in sealed]
            acts = [
                Act(
                    record.event,
                    record.action,
                    record.purpose,
                    digest=digest,
                    size=len(blob),
                    subject=record.subject,
                    details=record.details,
                )
                for record, blob, digest in zip(records, sealed, digests, strict=True)
            ]
            before = self.recorder.tail.size
            tail = self.recorder.commit([*acts, *more])
            first = tail.size - len(acts) - len(more)
            now = self.recorder.last_wall_ms
            writes = [
                write_of(self.origin, first + j, now, record.subject, digest, len(blob))
                for j, (record, blob, digest) in enumerate(zip(records, sealed, digests, strict=True))
            ]
            self._take_in(writes, records, before, tail)
        return writes

    def _seal(self, record: NewRecord) -> bytes:
        subject = record.subject
        return objects.seal_object(
            record_key(self.keys.table, subject),
            self.vault_id,
            Inner(
                RecordType(subject.type),
                ClientId(subject.client),
                ObjectId(subject.object),
                subject.version,
                record.payload,
            ),
            self.env.entropy,
        )

    def _take_in(self, writes: list[Write], records: Sequence[NewRecord], before: int, tail: Tail) -> None:
        if (self.catalogue.covered(self.origin) or (0, b""))[0] != before:
            self._moved(before, tail)
            return
        self.catalogue.begin()
        try:
            for write, record in zip(writes, records, strict=True):
                self.catalogue.add_write(write)
                apply_record(self.catalogue, write, record.payload)
            self.catalogue.cover(self.origin, tail.size, tail.root)
            self.catalogue.commit()
        except BaseException:
            self.catalogue.rollback()
            raise

    # -- reading

    def log_acts(self, acts: Sequence[Act]) -> None:
        """Enter acts durably, or, in a read-only vault, keep them sealed to be entered later as *reported*."""
        if self.read_only is not None:
            keep_pending(self, acts)
            return
        with self.recorder.writing():
            before = self.recorder.tail.size
            self.covered_to(before, self.recorder.commit(list(acts)))

    def open(
        self, writes: Sequence[Write], *more: Act, purpose: str = "care", details: dict[str, object] | None = None
    ) -> list[bytes]:
        """Payloads of records, after their opening is durable in the log.

        Every record is tried first: NotFound, Damaged or WrongSeal log no reading, since none happened.
        """
        payloads = [open_write(self.blobs, self.keys.table, self.vault_id, write) for write in writes]
        acts = [
            Act("record.open", "R", purpose, digest=None, subject=subject_of(write), details=details)
            for write in writes
        ]
        self.log_acts([*more, *acts])
        return payloads

    # -- the end

    def save_snapshot(self) -> None:
        snapshot.write(self)
        self.catalogue.changes = 0

    def save_head(self) -> None:
        """The newest state into the secret store, for the day an old copy of the folder is put back."""
        epochs.save_head(self)

    def _renew(self) -> LogItem | None:
        """The log's keys as the secret store has them now: another process closed the epoch. SecretsUnavailable."""
        value = self.store.get([LOG])[0]
        with contextlib.suppress(Damaged):
            stored = None if value is None else LogItem.decode(value)
            if stored is not None and stored.origin == self.origin:
                self.log_item = stored.at(self.recorder.tail.epoch) or self.log_item
                return stored
        return None

    def hand_over(self) -> None:
        """Another session goes on with the catalogue; closing this one does nothing any more."""
        self._closed = True

    def _log_end(self, why: str) -> None:
        """A lock ends a remembered session too; a one-shot command or the shell's own end does not."""
        acts = [Act("session.lock", "E", k={"why": why})]
        if why != "exit" and remember.end(self.env, self.vault_id):
            acts.insert(0, Act("remember.end", "E", "admin", k={"why": "lock"}))
        self.log_acts(acts)

    def _close_epoch(self, why: str) -> None:
        """At a lock and at the end of a shell; after a one-shot command only when it is due and no shell will do it."""
        if why or (epochs.due_alone(self) and not shell_is_open(self.env.files, self.local)):
            epochs.close_epoch(self)

    def close(self, why: str, *, snapshot_after: int = 1) -> list[NotevaultError]:
        """Log the end, write the snapshot, close the epoch (last: the key store may take its time). Returns what could
        not be done; never raises those: nothing that was acknowledged depends on them.
        """
        if self._closed:
            return []
        self._closed = True
        faults: list[NotevaultError] = []
        steps: list[Callable[[], None]] = [lambda: self._log_end(why)] if why else []
        if self.read_only is None:
            steps.append(self.recorder.flush)
            steps.append(self.save_local_head)
            if self.catalogue.changes >= snapshot_after:
                steps.append(self.save_snapshot)
            if self.log_item is not None:
                steps.append(lambda: self._close_epoch(why))
        for step in steps:
            try:
                step()
            except NotevaultError as fault:
                faults.append(fault)
        self.catalogue.close()
        return faults
