"""What `verify` can still say of a vault that does not open: signatures and hashes need no key."""

from __future__ import annotations

from pathlib import Path

from notevault.auditlog import card as cards
from notevault.auditlog import check as log_check
from notevault.auditlog.fault import Fault
from notevault.auditlog.verdict import Weight
from notevault.crypto import signing
from notevault.errors import Damaged, NotevaultError, NotFound
from notevault.formats.header import Header
from notevault.formats.ids import is_origin
from notevault.storage.blobs import BlobStore
from notevault.storage.headers import HeaderStore
from notevault.storage.layout import VaultPaths
from notevault.vault.env import Env
from notevault.vault.verify import Verdict


def check_locked(env: Env, vault: Path) -> Verdict:
    """Headers, logs, and which records the logs name; never raises for what it finds. Reads only."""
    paths = VaultPaths(vault)
    verdict = Verdict()
    header = _headers(env, paths, verdict)
    written: set[str] = set()
    proven = header is not None
    for origin in filter(is_origin, env.files.names(paths.all_audit)):
        found = log_check.check_log(
            log_check.folder_reader(paths.audit(origin)),
            origin,
            vik=_vik(env, paths, origin) if header is None else header.vik,
            verify=signing.verify,
        )
        verdict.entries += found.size
        written |= set(found.written)
        proven = proven and found.proven
        for each in found.findings:
            if each.weight is Weight.TAMPERED:
                verdict.findings.append((each.code, each.sentence))
            elif each.weight is Weight.UNDECIDED:
                verdict.undecided.append((each.code, each.sentence))
    _blobs(BlobStore(env.files, paths), written, proven, verdict)
    if verdict.blobs:
        verdict.undecided.append(
            ("NOT OPENED", "What the records hold could not be checked without opening the vault.")
        )
    return verdict


def _vik(env: Env, paths: VaultPaths, origin: str) -> bytes:
    """The identity that a log's own card claims, where no header says it."""
    try:
        found = cards.parse(env.files.read(paths.card(origin), limit=4096))
    except NotevaultError:
        return bytes(32)
    return bytes(32) if isinstance(found, Fault) else found.vik_pub


def _headers(env: Env, paths: VaultPaths, verdict: Verdict) -> Header | None:
    """The highest header whose own signature holds."""
    newest: Header | None = None
    store = HeaderStore(env.files, paths)
    for candidate in store.candidates():
        try:
            header = Header.parse(store.read(candidate))
            signing.check_header(header)
        except (Damaged, NotFound) as fault:
            verdict.findings.append(("HEADER", f"Key file {candidate.seq}: {fault.sentence}"))
            continue
        verdict.headers += 1
        newest = newest or header
    return newest


def _blobs(blobs: BlobStore, written: set[str], proven: bool, verdict: Verdict) -> None:
    found = set(blobs.digests())
    for digest in sorted(written - found):
        verdict.findings.append(("BLOB MISSING", f"Record {digest[:12]} is missing."))
    for digest in sorted(found & written):
        try:
            verdict.bytes += len(blobs.get(digest, limit=72 << 20))
            verdict.blobs += 1
        except Damaged as fault:
            verdict.findings.append(("BLOB CHANGED", f"Record {digest[:12]}: {fault.sentence}"))
        except NotevaultError as fault:
            verdict.undecided.append(("UNREADABLE", f"Record {digest[:12]} could not be read: {fault.sentence}"))
    if proven:
        for digest in sorted(found - written):
            verdict.findings.append(("UNLOGGED BLOB", f"File {digest[:12]} is in the vault but not in its log."))
