"""From open keys to a catalogue that knows every log of the vault; and whether the vault is older than it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from notevault.auditlog import entry
from notevault.auditlog.merkle import EMPTY_ROOT
from notevault.errors import Damaged, LogDamaged, NotevaultError, NotFound
from notevault.formats.header import Header
from notevault.storage.local import LocalState
from notevault.storage.logfile import LogFile, Tail
from notevault.vault import salvage
from notevault.vault.branches import brought_in
from notevault.vault.index import Catalogue
from notevault.vault.items import Head, LogItem
from notevault.vault.recorder import Recorder
from notevault.vault.replay import Finding, Progress
from notevault.vault.session import SNAPSHOT_EVERY, Session
from notevault.vault.survey import open_log


def heads_seen(local: LocalState, vault_id: bytes, item: LogItem | None) -> tuple[list[Head], list[str]]:
    """What this laptop remembers of the vault's state, in its key store and beside it; and what is wrong with that."""
    heads = [] if item is None else [item.head]
    try:
        found = local.read_head()
    except Damaged:
        return heads, ["This laptop's own memory of the vault's last state is damaged; its key store still has one."]
    if found is not None and found.vault == vault_id:
        heads.append(Head(found.origin, found.size, found.root, found.seq))
    return heads, []


def snapshot_heads(catalogue: Catalogue) -> list[Head]:
    """The sealed index is a memory of every log too."""
    seq = int(catalogue.get_meta("header-seq") or 0)
    found = [(origin, catalogue.covered(origin) or (0, EMPTY_ROOT)) for origin in sorted(catalogue.origins())]
    return [Head(origin, size, root, seq) for origin, (size, root) in found]


def not_superseded(heads: list[Head], recorder: Recorder, catalogue: Catalogue | None) -> list[Head]:
    """Without what the user has put behind: a log that begins by confirming a rollback takes the place of the one it
    cites, and of everything an index from before it remembers.
    """
    first = [entry.parse(data) for data in recorder.entries(0, min(2, recorder.tail.size))]
    if len(first) < 2:
        return heads
    begun, confirmed = first
    if not isinstance(begun, entry.Entry) or not isinstance(confirmed, entry.Entry):
        return heads
    if confirmed.ev != "rollback.confirm":
        return heads
    older_index = catalogue is None or catalogue.covered(recorder.origin) is None
    cited = begun.k.get("cites", {}).get("origin")
    return [head for head in heads if head.origin == recorder.origin or not (older_index or head.origin == cited)]


Look = Callable[[str], tuple["LogFile | Recorder", Tail]]
"""Opens a listed log: NotFound, LogDamaged."""


def rolled_back(heads: Iterable[Head], header: Header, recorder: Recorder, look: Look) -> str | None:
    """Why the vault must stay read-only: older than, or other than, what this laptop has seen. None when it is fine.

    Raises LogDamaged when the log does not hold where it is looked at.
    """
    for head in heads:
        if head.seq > header.seq:
            return f"ROLLED BACK: this laptop has seen key file {head.seq}, the vault now ends with {header.seq}."
        if head.size == 0:
            continue
        if head.origin not in header.origins:
            return "ROLLED BACK: this laptop has written a log that the vault now does not know."
        log: LogFile | Recorder = recorder
        tail = recorder.tail
        if head.origin != recorder.origin:
            try:
                log, tail = look(head.origin)
            except NotFound:
                return f"ROLLED BACK: a log of {head.size} entries that this laptop has seen is missing."
            except NotevaultError:
                continue  # one that cannot be believed: the following says so
        if head.size > tail.size:
            return f"ROLLED BACK: this laptop has seen {head.size} log entries, the vault now has {tail.size}."
        if log.root_at(head.size) != head.root:
            return f"FORKED: the first {head.size} log entries are not the ones this laptop has seen."
    return None


def follow_logs(session: Session, progress: Progress | None) -> bool:
    """Take in what the catalogue has not seen of every log the header lists; whether all of them could be read.

    A log that does not continue what the snapshot covers makes the catalogue be built anew. Of one that cannot be
    believed everything is taken in that holds by itself, with a notice; where it is this laptop's own, the session
    becomes read-only.
    """
    whole: dict[str, tuple[LogFile | Recorder, Tail]] = {}
    broken: list[str] = []
    for origin, least in sorted(session.header.origins.items()):
        try:
            log, tail = _log(session, origin)
        except NotevaultError as fault:
            _tell(session, origin, fault)
            broken.append(origin)
            continue
        if tail.size < least:
            session.notices.append("An older log of this vault is shorter than it was when it was closed.")
            broken.append(origin)
        whole[origin] = (log, tail)
    foreign = session.catalogue.origins() - set(session.header.origins)
    if foreign or any(not _continues(session, origin, *found, broken) for origin, found in whole.items()):
        session.catalogue.close()
        session.catalogue = Catalogue.empty()
    grown = _grown(session, whole)
    replayer = session.replayer()
    replayer.retry_damaged()
    for name, (log, tail) in whole.items():
        start = (session.catalogue.covered(name) or (0, b""))[0]
        if start >= tail.size:  # beyond it for a log cut shorter: the index knows more than is left, and keeps it
            continue
        try:
            replayer.run(name, start, log.entries(start, tail.size), tail.size, tail.root, progress)
        except LogDamaged as fault:
            _tell(session, name, fault)
            broken.append(name)
    for name in broken:
        start = (session.catalogue.covered(name) or (0, b""))[0]
        pieces = salvage.entries(session.env, session.paths, name)
        replayer.salvage(name, ((i, data) for i, data in pieces if i >= start))
    session.findings += replayer.findings
    session.notices += brought_in(session.catalogue, grown).words()
    known = {(finding.origin, finding.i) for finding in session.findings}
    for refused, i, why in session.catalogue.refused():  # of an earlier opening: told of every time
        if (refused, i) not in known:
            session.findings.append(Finding(refused, i, why))
    return not broken


def _log(session: Session, origin: str) -> tuple[LogFile | Recorder, Tail]:
    if origin == session.origin and session.recorder.tail.size:
        return session.recorder, session.recorder.tail
    return open_log(session.env, session.paths, session.local, session.header, origin)


def _tell(session: Session, origin: str, fault: NotevaultError) -> None:
    if origin == session.origin and isinstance(fault, Damaged):
        session.read_only = session.read_only or damaged_sentence(fault.sentence)
        return
    if origin in session.header.origins and origin == session.header.origin and session.read_only is not None:
        return  # its fault is why the vault is read-only
    session.notices.append(f"An older log of this vault could not be read: {fault.sentence}")


def damaged_sentence(sentence: str) -> str:
    """Why a vault whose log cannot be believed is read-only."""
    if sentence.startswith(("FORKED", "ROLLED BACK")):
        return sentence
    return f"DAMAGED: its log does not agree with its signed state. {sentence}"


def _continues(session: Session, origin: str, log: LogFile | Recorder, tail: Tail, broken: list[str]) -> bool:
    covered = session.catalogue.covered(origin)
    if covered is None or origin in broken:
        return True
    size, root = covered
    if size > tail.size:
        return False
    try:
        return root == (tail.root if size == tail.size else log.root_at(size))
    except LogDamaged:
        return True  # its reading will say so


def _grown(session: Session, whole: dict[str, tuple[LogFile | Recorder, Tail]]) -> dict[str, int]:
    """Closed logs that were brought in beyond what the catalogue has seen (without one: what the key file says), and
    from where on.
    """
    found: dict[str, int] = {}
    for origin, least in session.header.origins.items():
        if origin in whole and origin != session.origin:
            start = (session.catalogue.covered(origin) or (least, b""))[0]
            if start < whole[origin][1].size:
                found[origin] = start
    if found:
        session.catalogue.changes += SNAPSHOT_EVERY  # the snapshot is written at the end of this: it is said once
    return found
