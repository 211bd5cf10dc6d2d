"""`notevault verify`: every log entry, every blob against the log, and every blob's seal.

Only proof counts as tampering: a signature, hash or seal that does not hold. What could not be looked at is said as
such and never passes for intact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from notevault.auditlog import check as log_check
from notevault.auditlog.verdict import Weight
from notevault.crypto import signing
from notevault.errors import Damaged, NotevaultError, NotFound, WrongSeal
from notevault.formats.header import Header
from notevault.vault.recorder import Act
from notevault.vault.replay import open_write
from notevault.vault.survey import read_card

if TYPE_CHECKING:
    from notevault.vault.session import Session

Progress = Callable[[str, int, int], None]


@dataclass
class Verdict:
    """`findings` are proof of change or loss, `undecided` what could not be checked; both as (code, sentence)."""

    entries: int = 0
    blobs: int = 0
    bytes: int = 0
    headers: int = 0
    findings: list[tuple[str, str]] = field(default_factory=list)
    undecided: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        if self.findings:
            return 1
        return 2 if self.undecided else 0


def verify(session: Session, progress: Progress | None = None) -> Verdict:
    """Reads everything, writes only its own log entry. Does not raise for what it finds."""
    verdict = Verdict()
    report = progress or (lambda _what, _done, _all: None)
    _check_entries(session, verdict, report)
    _check_headers(session, verdict)
    _check_blobs(session, verdict, report)
    for finding in session.findings:
        verdict.findings.append(("UNAUTHENTIC", finding.sentence))
    if session.read_only is not None:
        verdict.undecided.append(("READ ONLY", session.read_only))
    else:
        bad = len(verdict.findings)
        outcome = "fail" if bad else "ok"
        session.log_acts([Act("verify.run", "E", "review", outcome, k={"bad": bad, "n": verdict.blobs})])
    return verdict


def _check_entries(session: Session, verdict: Verdict, report: Progress) -> None:
    for origin in sorted(session.header.origins):
        try:
            read_card(session.env, session.paths, session.header, origin)
        except NotFound:
            verdict.undecided.append(("LOG MISSING", f"The log {origin[:8]} that this vault lists is not here."))
            continue
        except Damaged as fault:
            verdict.findings.append(("CARD", fault.sentence))
            continue
        folder = log_check.folder_reader(session.paths.audit(origin))
        found = log_check.check_log(
            folder,
            origin,
            vik=session.header.vik,
            verify=signing.verify,
            progress=lambda done, all_: report("log entries", done, all_),
        )
        verdict.entries += found.size
        for each in found.findings:
            if each.weight is Weight.TAMPERED:
                verdict.findings.append((each.code, each.sentence))
            elif each.weight is Weight.UNDECIDED:
                verdict.undecided.append((each.code, each.sentence))
            else:
                verdict.notes.append(each.sentence)


def _check_headers(session: Session, verdict: Verdict) -> None:
    """Every header file: name, signature, chain to the one before."""
    for candidate in session.headers.candidates():
        try:
            header = Header.parse(session.headers.read(candidate))
            signing.check_header(header)
            verdict.headers += 1
            if header.vault != session.vault_id:
                verdict.findings.append(("HEADER", f"Key file {candidate.seq} belongs to another vault."))
        except (Damaged, NotFound) as fault:
            verdict.findings.append(("HEADER", f"Key file {candidate.seq}: {fault.sentence}"))


def _check_blobs(session: Session, verdict: Verdict, report: Progress) -> None:
    total = session.catalogue.count_writes()
    known: set[str] = set()
    for done, write in enumerate(session.catalogue.writes(), 1):
        known.add(write.digest)
        short = write.digest[:12]
        try:
            open_write(session.blobs, session.keys.table, session.vault_id, write)
        except NotFound:
            verdict.findings.append(("BLOB MISSING", f"Record {short} of log entry {write.i} is missing."))
        except Damaged as fault:
            code = "BLOB SEAL" if isinstance(fault, WrongSeal) else "BLOB CHANGED"
            verdict.findings.append((code, f"Record {short} of log entry {write.i}: {fault.sentence}"))
        except NotevaultError as fault:
            verdict.undecided.append(("UNREADABLE", f"Record {short} could not be read: {fault.sentence}"))
        else:
            verdict.bytes += write.size
        verdict.blobs += 1
        if done % 64 == 0 or done == total:
            report("records", done, total)
    for digest in session.blobs.digests():
        if digest not in known:
            verdict.findings.append(("UNLOGGED BLOB", f"File {digest[:12]} is in the vault but not in its log."))
