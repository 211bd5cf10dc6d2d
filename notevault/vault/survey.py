"""A look at a vault that is still locked: which header is current, and what its log says. Nothing is written.

Everything found here is *alleged* until the key table is open (docs/FORMAT.md section 3): whoever can write into the
folder can put a header of his own there. So one candidate per vault identity is kept, the highest first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from notevault.auditlog import card as cards
from notevault.auditlog import checkpoint, entry
from notevault.auditlog.fault import Fault
from notevault.crypto import signing
from notevault.errors import Damaged, LogDamaged, NotFound, NoVault, Tampered
from notevault.formats.header import Header
from notevault.storage.headers import Candidate, HeaderStore
from notevault.storage.layout import VaultPaths
from notevault.storage.local import DeviceFile, LocalState
from notevault.storage.logfile import LogFile, Tail
from notevault.vault.env import Env

NAMING_EVENTS = frozenset({"vault.create", "vault.recover", "header.write"})
CARD_LIMIT = 4096


@dataclass(frozen=True)
class Alleged:
    """A header whose signature holds under its own key and which its log names."""

    header: Header
    digest: str
    log: LogFile
    tail: Tail


@dataclass(frozen=True)
class Survey:
    paths: VaultPaths
    local: LocalState
    device: DeviceFile | None
    alleged: tuple[Alleged, ...]  # the highest sequence number first, one per vault identity
    damaged: tuple[str, ...]  # header files that could not be read, as sentences

    @property
    def header(self) -> Header:
        return self.alleged[0].header

    @property
    def vault_id(self) -> bytes:
        return self.alleged[0].header.vault


def survey(env: Env, vault: Path) -> Survey:
    """Raises NoVault where there is none or only an unfinished set-up, Damaged or LogDamaged where nothing can be
    believed, Tampered when two headers claim the same number.
    """
    paths = VaultPaths(vault)
    store = HeaderStore(env.files, paths)
    candidates = store.candidates()
    if not candidates:
        raise NoVault("There is no vault in this folder.")
    found: list[Alleged] = []
    damaged: list[str] = []
    first_fault: Damaged | None = None
    logs: dict[str, tuple[LogFile, Tail]] = {}
    local: LocalState | None = None
    for candidate in candidates:
        try:
            header = _read(store, candidate)
            local = local or LocalState(env.files, env.local_root / header.vault.hex())
            if any(header.vik == known.header.vik and header.seq < known.header.seq for known in found):
                continue
            alleged = _named(env, paths, local, header, candidate.digest, logs)
        except Damaged as fault:
            first_fault = first_fault or fault
            damaged.append(fault.sentence)
            continue
        if alleged is None:
            continue
        if any(alleged.header.seq == known.header.seq and alleged.digest != known.digest for known in found):
            raise Tampered("FORKED: two versions of this vault's key file claim to be the newest.")
        found.append(alleged)
    if not found or local is None:
        raise first_fault or NoVault("The set-up of this vault was not finished.", _UNFINISHED)
    return Survey(paths, local, local.read_device(), tuple(found), tuple(damaged))


_UNFINISHED = "Nothing was written in it yet: move the folder away and set up again."


def _read(store: HeaderStore, candidate: Candidate) -> Header:
    header = Header.parse(store.read(candidate))
    if header.seq != candidate.seq or header.origin != candidate.origin:
        raise Damaged("A key file of this vault lies under a wrong name.")
    signing.check_header(header)
    return header


def _named(
    env: Env,
    paths: VaultPaths,
    local: LocalState,
    header: Header,
    digest: str,
    logs: dict[str, tuple[LogFile, Tail]],
) -> Alleged | None:
    """None when no covered entry names this header: the rest of an interrupted change."""
    if header.origin not in logs:
        try:
            logs[header.origin] = open_log(env, paths, local, header, header.origin)
        except NotFound:
            if header.origins[header.origin] == 0:
                return None  # set up, but never committed
            raise LogDamaged("The log of this vault is missing.") from None
    log, tail = logs[header.origin]
    index = header.origins[header.origin]
    if index >= tail.size:
        return None
    for data in log.entries(index, index + 1):
        parsed = entry.parse(data)
        if isinstance(parsed, entry.Entry) and parsed.c == digest and parsed.ev in NAMING_EVENTS:
            return Alleged(header, digest, log, tail)
    return None


def read_card(env: Env, paths: VaultPaths, header: Header, origin: str) -> cards.Card:
    """The card of a listed origin, signed by the header's identity. NotFound when it is absent, LogDamaged when not."""
    if origin not in header.origins:
        raise LogDamaged("UNLISTED origin: a log in this vault is not one of its own.")
    found = cards.parse(env.files.read(paths.card(origin), limit=CARD_LIMIT))
    if isinstance(found, Fault):
        raise LogDamaged(f"The card of the log does not read: {found.sentence}")
    fault = cards.check(found, header.vik, signing.verify)
    if fault is not None or found.origin != origin or found.vault != header.vault.hex():
        raise LogDamaged("The card of the log is not signed by this vault.")
    return found


def checkpoint_check(card: cards.Card) -> Callable[[bytes], checkpoint.Checkpoint]:
    """A callable that believes a checkpoint only when both of its signatures hold; raises LogDamaged."""

    def check(data: bytes) -> checkpoint.Checkpoint:
        found = checkpoint.check(
            data, bytes.fromhex(card.identity), {0: bytes.fromhex(card.epoch0)}, signing.verify, origin=card.origin
        )
        if isinstance(found, Fault):
            raise LogDamaged(f"The log's signed state does not hold: {found.sentence}")
        return found

    return check


def open_log(env: Env, paths: VaultPaths, local: LocalState, header: Header, origin: str) -> tuple[LogFile, Tail]:
    """NotFound when the log has no card or no checkpoint yet; LogDamaged when it cannot be believed."""
    card = read_card(env, paths, header, origin)
    log = LogFile(env.files, paths, local, origin)
    return log, log.load(checkpoint_check(card))
