"""The practice restore: everything of a backup place read, hashed and opened in memory, with the keys of an open vault.

What a restore would go through, but for the writing: the newest whole state is chosen, its logs are proven, the key
file is opened, each record's own entry is judged, each file is read, hashed and opened. Then it is compared with the
vault: the backup's log must be a beginning of ours, and what came since is counted. No note's text reaches any disk.

Nothing here holds the vault's gate but `known` and `enter`; the long part runs beside whatever else is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from notevault.app.drilled import Drilled
from notevault.auditlog import entry
from notevault.backup.copies.copies import Choice, Copies, HeaderName, open_copies
from notevault.backup.model import AHEAD, FORKED, HURT, SAFE, WAITING, PlaceFile
from notevault.backup.places.registry import Places
from notevault.backup.words.plain import quoted
from notevault.backup.words.status import counted
from notevault.backup.worker.results import DRILL
from notevault.crypto import keytable as table_seal
from notevault.crypto import objects, signing
from notevault.errors import Busy, Damaged, Interrupted, NotevaultError, NotFound
from notevault.formats.envelope import RecordType
from notevault.formats.header import Header
from notevault.formats.keytable import KeyTable
from notevault.ports import Entropy, Tree
from notevault.storage.layout import VaultPaths
from notevault.storage.local import LocalState
from notevault.storage.logfile import Tail
from notevault.vault.env import Env
from notevault.vault.gather import both
from notevault.vault.index import Write
from notevault.vault.recorder import Act
from notevault.vault.replay import WRITE_EVENTS, Finding, judge, record_key, subject_of
from notevault.vault.sealer import VaultSealer
from notevault.vault.session import Session
from notevault.vault.survey import open_log

SAVE_WAIT_S = 5.0
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, repr=False)
class Known:
    """What the open vault knows, taken at once. Holds keys: gone with the process, as the session's own."""

    env: Env
    paths: VaultPaths
    local: LocalState
    header: Header
    vk: bytes
    table: KeyTable
    notes: int


def known(session: Session) -> Known:
    """To be called by whoever has the vault to himself."""
    header, notes = session.header, session.catalogue.count_notes()
    return Known(session.env, session.paths, session.local, header, session.keys.vk, session.keys.table, notes)


def pick(places: Sequence[PlaceFile], reach: Callable[[PlaceFile], PlaceFile], entropy: Entropy) -> PlaceFile:
    """Any of those that can be reached, each as likely as the others. `reach`: the place with its path as it is now, or
    a NotevaultError. NotFound where there is none.
    """
    there: list[PlaceFile] = []
    fault: NotevaultError | None = None
    for place in places:
        try:
            there.append(reach(place))
        except NotevaultError as error:
            fault = error
    if not there:
        why = f" {fault.sentence}" if fault is not None and len(places) == 1 else ""
        raise NotFound(
            f"No backup place is within reach, so there is nothing to practise with.{why}",
            "Plug one in" + ("." if places else ", and add it: `notevault backup add DIR`."),
        )
    return there[int.from_bytes(entropy.draw(8), "big") % len(there)]


def practise(
    have: Known,
    places: Sequence[PlaceFile],
    reach: Callable[[PlaceFile], PlaceFile],
    open_tree: Callable[[Path], Tree],
    progress: Progress,
    stop: Callable[[], bool],
) -> tuple[PlaceFile, Drilled]:
    """A practice restore from one of those that have had a backup. Raises as `pick` and `drill` do, and what the place
    itself says.
    """
    known = Places(have.env.files, have.local.paths.root)
    used = [place for place in places if known.state(place.id).committed_ms]
    place = pick(used or places, reach, have.env.entropy)
    try:
        copies = open_copies([Path(place.path)], open_tree, have.header.vault.hex(), have.header.vik)
        return place, drill(have, place.name, copies, progress, stop)
    except NotFound:
        if used:
            raise
        step = f"`notevault backup run {quoted(place.name)}` makes the first backup; practise then."
        raise NotFound(f"Nothing is backed up to {place.name} yet.", step) from None


def drill(have: Known, name: str, copies: Copies, progress: Progress, stop: Callable[[], bool]) -> Drilled:
    """Raises NotFound where there is no state of a backup at all, Interrupted after `stop`; what else does not hold is
    a finding.
    """
    done = Drilled(name, vault_notes=have.notes)
    missing = 0
    try:
        choice = copies.whole()
    except NotFound:
        choice = copies.newest()
        missing, done.verdict = choice.missing, HURT
    _Drill(have, copies, choice, done, progress, stop).run()
    if missing and not done.findings:  # else each of them was found by itself
        done.find(f"It is not whole: {counted(missing, 'part')} of what was saved there cannot be had.")
    return done


def enter(session: Session, done: Drilled) -> None:
    """Into the log. To be called by whoever has the vault to himself."""
    session.log_acts([Act(DRILL, "E", "review", done.outcome, k={"n": done.records})])


def remember(places: Places, place: PlaceFile, done: Drilled, now_ms: int) -> None:
    """What a practice restore from there gave; while a backup is at the place, at least what it found."""
    with suppress(NotFound):
        places.get(place.id)  # it was removed meanwhile, and must not come back
        try:
            with places.lock(place.id, wait_s=SAVE_WAIT_S):
                places.save_state(place.id, done.after(places.state(place.id), now_ms))
        except Busy:
            if done.verdict == HURT:
                places.leave(place.id, max(done.bad, 1), 0)


class _Drill:
    def __init__(
        self, have: Known, copies: Copies, choice: Choice, done: Drilled, progress: Progress, stop: Callable[[], bool]
    ) -> None:
        self.have, self.copies, self.choice, self.done = have, copies, choice, done
        self._progress, self._stop = progress, stop
        self._sealer = VaultSealer(have.header.vault, have.table, have.env.entropy)
        self._live = {digest for first in range(256) for digest in choice.live.part(first)}

    def run(self) -> None:
        writes: dict[str, Write] = {}
        for origin in sorted(self.choice.states):
            writes |= self._log(origin)
        table = self._keys()
        self._records(writes, self.have.table if table is None else table)
        self._compare()

    def _step(self, what: str, at: int, total: int) -> None:
        if self._stop():
            raise Interrupted("The practice restore was stopped. Nothing was changed.")
        self._progress(what, at, total)

    # -- the logs

    def _log(self, origin: str) -> dict[str, Write]:
        """The records that one log names, every entry judged with the vault's keys."""
        state = self.choice.states[origin]
        writes: dict[str, Write] = {}
        for i, data in enumerate(self._entries(origin)):
            if i % 256 == 0:
                self._step("log entries", i, state.size)
            told = judge(self._sealer, origin, i, data)
            if isinstance(told, Finding):
                self.done.find(told.sentence)
                continue
            if told.write is not None and bytes.fromhex(told.write.digest) in self._live:
                writes[told.write.digest] = told.write
        return writes

    def _entries(self, origin: str) -> Iterator[bytes]:
        try:
            yield from self.copies.log(origin, self.choice.states[origin]).entries()
        except (Damaged, NotFound) as fault:
            self.done.find(f"The log in the backup is not whole: {fault.sentence}")

    # -- the keys

    def _keys(self) -> KeyTable | None:
        """What a restore would open: the newest key file of that state, of every laptop that went on with it."""
        table: KeyTable | None = None
        for name in self.choice.newest or self.choice.headers[-1:]:
            found = self._table(name)
            table = found if table is None or found is None else both(table, found)
        if not self.choice.headers:
            self.done.find("The key file is not in the backup.")
        return table

    def _table(self, name: HeaderName) -> KeyTable | None:
        data = self.copies.header(name)
        if data is None:
            self.done.find(f"Version {name.seq} of the key file is not in the backup.")
            return None
        try:
            header = Header.parse(data)
            signing.check_header(header)
            if header.generation != self.have.header.generation:
                self.done.remarks.append("The keys were renewed since: its own were not tried, today's were.")
                return None
            if header.vik != self.have.header.vik:
                raise Damaged("it is signed by another vault.")
            return table_seal.open_table(header.table, self.have.vk, header)
        except NotevaultError as fault:
            self.done.find(f"Version {name.seq} of the key file in the backup does not open: {fault.sentence}")
            return None

    # -- the records

    def _records(self, writes: dict[str, Write], table: KeyTable) -> None:
        notes: set[bytes] = set()
        ours: set[bytes] = set()  # notes that one of this vault's own logs tells of
        clients: set[bytes] = set()
        for at, write in enumerate(sorted(writes.values(), key=lambda each: each.digest)):
            if at % 32 == 0:
                self._step("records opened", at, len(writes))
            if not self._opens(write, table):
                continue
            self.done.records += 1
            self.done.bytes += write.size
            if write.type == RecordType.NOTE:
                notes.add(write.object)
                if write.origin in self.have.header.origins:
                    ours.add(write.object)
            elif write.type == RecordType.CLIENT:
                clients.add(write.client)
        self._step("records opened", len(writes), len(writes))
        self.done.notes, self.done.clients = len(notes), len(clients)
        if others := notes - ours:
            are = "1 note there is" if len(others) == 1 else f"{len(others):,} notes there are"
            self.done.remarks.append(
                f"{are} of another laptop of yours, which backs up there too: a restore brings both."
            )
        unnamed = len(self._live) - len(writes)
        if unnamed > 0 and not self.done.findings:
            files = counted(unnamed, "saved file")
            belong = "belongs" if unnamed == 1 else "belong"
            self.done.find(f"{files} in the backup {belong} to no record that could be read.")

    def _opens(self, write: Write, table: KeyTable) -> bool:
        short = write.digest[:12]
        try:
            blob = self.copies.read(write.digest, write.size)
            objects.open_object(
                record_key(table, subject_of(write)),
                self.have.header.vault,
                blob,
                type=RecordType(write.type),
                client=write.client,
                object=write.object,
                version=write.version,
            )
        except NotFound:
            self.done.bad += 1
            self.done.find(f"Saved file {short} is not there as it was saved.")
        except Damaged as fault:
            self.done.find(f"Saved file {short} does not open: {fault.sentence}")
        except NotevaultError as fault:
            self.done.bad += 1
            self.done.find(f"Saved file {short} could not be read: {fault.sentence}")
        else:
            return True
        return False

    # -- against the vault

    def _compare(self) -> None:
        """Every log of the vault: the backup's is its beginning, and so much came since."""
        have = self.have
        for origin in have.header.origins:
            state = self.choice.states.get(origin)
            size = 0 if state is None else state.size
            try:
                log, tail = open_log(have.env, have.paths, have.local, have.header, origin)
                if size > tail.size and self._went_on(origin, tail):
                    self.done.remarks.append("There is more in it than in this vault: another laptop went on with it.")
                elif size > tail.size:
                    self.done.find("The backup is newer than this vault: an older copy was put back here.", AHEAD)
                elif state is not None and log.root_at(size) != state.root:
                    self.done.find("The log in the backup is not the beginning of this vault's.", FORKED)
                else:
                    self._since(list(log.entries(size, tail.size)))
            except (Damaged, NotFound):
                self.done.remarks.append("This vault's own log could not be compared; `verify` says what is wrong.")
        if self.done.behind and self.done.verdict == SAFE:
            self.done.verdict = WAITING
        if self.choice.newer is not None:
            self.done.remarks.append("A newer state is still arriving there.")

    def _went_on(self, origin: str, tail: Tail) -> bool:
        """Is this an older log, which is not written here any more, and goes on there from where it ends here?"""
        if origin == self.have.header.origin:
            return False
        return self.choice.facts[origin].root_at(tail.size) == tail.root

    def _since(self, entries: list[bytes]) -> None:
        for data in entries:
            found = entry.parse(data)
            if isinstance(found, entry.Entry) and found.ev in WRITE_EVENTS:
                self.done.behind += 1
                if not self.done.behind_ms or found.t < self.done.behind_ms:
                    self.done.behind_ms = found.t
