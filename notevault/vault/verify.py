"""`notevault verify`: every log entry, every blob against the log, and every blob's seal.

Only proof counts as tampering: a signature, hash or seal that does not hold. What could not be looked at is said as
such and never passes for intact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from notevault.auditlog import check as log_check
from notevault.auditlog.fault import Fault
from notevault.auditlog.folder import LIMIT
from notevault.auditlog.verdict import Weight
from notevault.crypto import signing
from notevault.errors import Damaged, NotevaultError, NotFound, WrongSeal
from notevault.formats.header import Header
from notevault.formats.ids import Digest, is_origin
from notevault.ports import Files
from notevault.storage.layout import parse_header_name
from notevault.vault import gather, salvage
from notevault.vault.follow import heads_seen
from notevault.vault.index import Write
from notevault.vault.recorder import Act
from notevault.vault.replay import Finding, judge, open_write
from notevault.vault.settle import unnamed
from notevault.vault.survey import NAMING_EVENTS, open_log, read_card

if TYPE_CHECKING:
    from notevault.vault.session import Session

Progress = Callable[[str, int, int], None]


@dataclass
class Verdict:
    """`findings` are proof of change or loss, `undecided` what could not be checked; both as (code, sentence).

    `salvaged`: there are findings, and all that is amiss lies in logs that a salvage gave up (`salvage.given_up`).
    """

    entries: int = 0
    blobs: int = 0
    bytes: int = 0
    headers: int = 0
    findings: list[tuple[str, str]] = field(default_factory=list)
    undecided: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    salvaged: bool = False

    @property
    def exit_code(self) -> int:
        if self.findings:
            return 1
        return 2 if self.undecided else 0


def verify(session: Session, progress: Progress | None = None) -> Verdict:
    """Reads everything again from the files, the search index counts for nothing. Writes its own log entry and moves
    nothing. Does not raise for what it finds.
    """
    verdict = Verdict()
    check = _Check(session, verdict, progress or (lambda _what, _done, _all: None))
    check.logs()
    check.headers()
    check.blobs()
    check.strangers()
    if session.read_only is not None:
        verdict.undecided.append(("READ ONLY", session.read_only))
    else:
        verdict.salvaged = bool(verdict.findings) and check.amiss <= salvage.given_up(session)
        bad = len(verdict.findings)
        outcome = "fail" if bad else "part" if verdict.undecided else "ok"
        session.log_acts([Act("verify.run", "E", "review", outcome, k={"bad": bad, "n": verdict.blobs})])
    return verdict


def port_reader(files: Files, folder: Path) -> log_check.Read:
    """The files of one log for `auditlog.check`, through our own port."""

    def read(name: str) -> bytes | Fault | None:
        try:
            return files.read(folder / name, limit=LIMIT)
        except NotFound:
            return None
        except NotevaultError as fault:
            return Fault("UNREADABLE", fault.sentence, name)

    return read


class _Check:
    def __init__(self, session: Session, verdict: Verdict, report: Progress) -> None:
        self.session = session
        self.verdict = verdict
        self.report = report
        self.writes: dict[str, Write] = {}  # what the logs tell of, each entry's MAC checked
        self.named: dict[str, int] = {}  # headers that the logs name: digest -> seq
        self.sound = True  # every log could be believed: what it does not name is in none of them
        self.amiss: set[str] = set()  # the logs in which something is; "" where it is elsewhere

    # -- the logs

    def logs(self) -> None:
        session = self.session
        anchors: dict[str, list[tuple[int, bytes]]] = {}
        for head in heads_seen(session.local, session.vault_id, session.log_item)[0]:
            anchors.setdefault(head.origin, []).append((head.size, head.root))
        for origin in session.header.origins:
            for cited, size, root in self._entries(origin):
                anchors.setdefault(cited, []).append((size, root))
        for origin, least in sorted(session.header.origins.items()):
            self._log(origin, least, anchors.get(origin, []))
        theirs = gather.unlisted(session.env, session.paths, session.header)
        for name in filter(is_origin, session.env.files.names(session.paths.all_audit)):
            if name in session.header.origins:
                continue
            if session.env.files.size(session.paths.checkpoint(name)) is None:
                self.verdict.notes.append(f"A log {name[:8]} was begun and never used; it counts nowhere.")
            elif name in theirs:
                sentence = f"a log {name[:8]} of another laptop of this vault lies here, and its notes are not shown."
                self._doubt("UNLISTED", f"UNLISTED origin: {sentence}")
            else:
                self._find("UNLISTED", f"UNLISTED origin: a log {name[:8]} lies here that is not one of this vault.")

    def _entries(self, origin: str) -> list[tuple[str, int, bytes]]:
        """Judge every entry with the vault's keys; returns the states of other logs that it cites."""
        session = self.session
        cites = []
        try:
            log, tail = open_log(session.env, session.paths, session.local, session.header, origin)
            pieces = list(enumerate(log.entries(0, tail.size)))
        except (Damaged, NotFound):
            self.sound = False
            pieces = list(salvage.entries(session.env, session.paths, origin))
        for i, data in pieces:
            told = judge(session.sealer, origin, i, data)
            if isinstance(told, Finding):
                self._find("UNAUTHENTIC", told.sentence, origin)
                continue
            if told.write is not None:
                self.writes[told.write.digest] = told.write
            if told.entry.ev in NAMING_EVENTS and told.entry.c is not None:
                self.named[told.entry.c] = told.entry.k["seq"]
            if "cites" in told.entry.k:
                cited = told.entry.k["cites"]
                cites.append((cited["origin"], cited["size"], bytes.fromhex(cited["root"])))
        return cites

    def _log(self, origin: str, least: int, anchors: list[tuple[int, bytes]]) -> None:
        session, verdict = self.session, self.verdict
        try:
            read_card(session.env, session.paths, session.header, origin)
        except NotFound:
            self._find("LOG MISSING", f"MISSING: the log {origin[:8]} of this vault, or its card, is not here.", origin)
            return
        except Damaged as fault:
            self._find("CARD", fault.sentence, origin)
        found = log_check.check_log(
            port_reader(session.env.files, session.paths.audit(origin)),
            origin,
            vik=session.header.vik,
            verify=signing.verify,
            progress=lambda done, all_: self.report("log entries", done, all_),
            anchors=anchors,
        )
        verdict.entries += found.size
        if found.proven and found.size < least:
            sentence = f"ROLLED BACK: the log {origin[:8]} had {least} entries, now {found.size}."
            self._find("ROLLED_BACK", sentence, origin)
        for each in found.findings:
            if each.weight is Weight.TAMPERED:
                self._find(each.code, each.sentence, origin)
            elif each.code == "NO_CHECKPOINT":
                self._find(each.code, "MISSING: the log's signed state.", origin)
            elif each.weight is Weight.UNDECIDED:
                self._doubt(each.code, each.sentence, origin)
            else:
                verdict.notes.append(each.sentence)

    # -- headers

    def headers(self) -> None:
        """Every header file: name, identity, signature; and every one that the logs name."""
        session = self.session
        present: set[str] = set()
        for candidate in session.headers.candidates():
            present.add(candidate.digest)
            try:
                header = Header.parse(session.headers.read(candidate))
                signing.check_header(header)
            except (Damaged, NotFound) as fault:
                self._find("HEADER", f"Key file {candidate.seq}: {fault.sentence}")
                continue
            self.verdict.headers += 1
            if header.vault != session.vault_id:
                self._find("HEADER", f"Key file {candidate.seq} belongs to another vault.")
            elif header.vik != session.header.vik:
                self._find("HEADER", f"Key file {candidate.seq} is not signed by this vault.")
            elif (header.seq, header.origin) != (candidate.seq, candidate.origin):
                self._find("HEADER", f"Key file {candidate.seq} lies under a wrong name.")
            elif candidate.digest not in self.named:
                self.verdict.notes.append(f"Key file {candidate.seq} is the rest of an interrupted change.")
        for digest, seq in sorted(self.named.items(), key=lambda pair: pair[1]):
            if digest not in present:
                self._find("HEADER MISSING", f"MISSING: key file {seq}, which the log names.")

    # -- records

    def blobs(self) -> None:
        session, verdict = self.session, self.verdict
        for done, write in enumerate(self.writes.values(), 1):
            self._blob(write)
            if done % 64 == 0 or done == len(self.writes):
                self.report("records", done, len(self.writes))
        verdict.blobs = len(self.writes)
        unlogged = self._unlogged()
        if unlogged and self.sound and session.read_only is None:
            with session.recorder.writing():  # another window may have logged some of them meanwhile
                unlogged = self._unlogged()
        for digest in unlogged:
            self.amiss.add("")  # no loss by itself; but no reason either to say that nothing is to be done
            sentence = f"File {digest[:12]} is in the vault but not in its log; it counts nowhere."
            verdict.notes.append(f"UNLOGGED BLOB: {sentence}")

    def _unlogged(self) -> list[Digest]:
        return unnamed(self.session, self.writes.keys() | {write.digest for write in self.session.catalogue.writes()})

    def _blob(self, write: Write) -> None:
        session, short = self.session, write.digest[:12]
        try:
            open_write(session.blobs, session.keys.table, session.vault_id, write)
        except NotFound:
            self._find("BLOB MISSING", f"Record {short} of log entry {write.i} is missing.")
        except Damaged as fault:
            code = "BLOB SEAL" if isinstance(fault, WrongSeal) else "BLOB CHANGED"
            self._find(code, f"Record {short} of log entry {write.i}: {fault.sentence}")
        except NotevaultError as fault:
            self._doubt("UNREADABLE", f"Record {short} could not be read: {fault.sentence}")
        else:
            self.verdict.bytes += write.size

    # -- what belongs to nothing

    def strangers(self) -> None:
        """Files that no vault has: conflict copies of cloud folders, things put there. They count nowhere."""
        session = self.session
        count = sum(1 for _ in session.blobs.strangers())
        files, paths = session.env.files, session.paths
        count += len(set(files.names(paths.root)) - {"headers", "blobs", "audit"})
        count += len([name for name in files.names(paths.all_audit) if not is_origin(name)])
        for origin in files.names(paths.all_headers):
            names = files.names(paths.headers(origin)) if is_origin(origin) else [""]
            count += len([name for name in names if parse_header_name(name) is None])
        if count:
            self.verdict.notes.append(f"{count} files in the vault's folder are not notevault's.")

    def _doubt(self, code: str, sentence: str, origin: str = "") -> None:
        self.amiss.add(origin)
        self.verdict.undecided.append((code, sentence))

    def _find(self, code: str, sentence: str, origin: str = "") -> None:
        self.amiss.add(origin)
        if (code, sentence) not in self.verdict.findings:
            self.verdict.findings.append((code, sentence))
