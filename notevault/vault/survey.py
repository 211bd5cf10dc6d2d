"""A look at a vault that is still locked: which header is current, and what its log says. Nothing is written.

Everything found here is *alleged* until the key table is open (docs/FORMAT.md section 3): whoever can write into the
folder can put a header of his own there. So of each vault identity the newest are kept, the highest first: one, or one
of every laptop that went on apart; and where a log does not agree with its signed state, every header that it might
have named, since reading must go on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from notevault.auditlog import card as cards
from notevault.auditlog import entry
from notevault.auditlog.fault import Fault
from notevault.crypto import signing
from notevault.errors import CannotWrite, Damaged, LogDamaged, NotevaultError, NotFound, NoVault, Refused, StorageFault
from notevault.formats.header import Header
from notevault.formats.ids import is_origin
from notevault.storage.blobs import BlobStore
from notevault.storage.headers import Candidate, HeaderStore
from notevault.storage.layout import VaultPaths
from notevault.storage.local import DeviceFile, LocalState
from notevault.storage.logbelieve import CardBelieves
from notevault.storage.logfile import LogFile, Tail
from notevault.vault.env import Env

if TYPE_CHECKING:
    from notevault.vault.session import Session

NAMING_EVENTS = frozenset({"vault.create", "vault.recover", "header.write"})
CARD_LIMIT = 4096
FORKED = "FORKED: two versions of this vault's key file claim to be the newest."
TWO_LAPTOPS = "FORKED: two laptops went on from one state of this vault, and what both did lies in this folder."
_SOUND = (None, FORKED, TWO_LAPTOPS)  # the log can be believed


@dataclass(frozen=True)
class Alleged:
    """A header whose signature holds under its own key and which its log names.

    `fault`: a sentence why that log cannot be believed; then `tail` is empty, nothing vouches that this header is the
    newest, and the vault can be opened for reading only.
    """

    header: Header
    digest: str
    log: LogFile
    tail: Tail
    fault: str | None = None


@dataclass(frozen=True)
class Survey:
    paths: VaultPaths
    local: LocalState
    device: DeviceFile | None
    alleged: tuple[Alleged, ...]  # the highest sequence number first; with sound logs, the newest of every laptop
    damaged: tuple[str, ...]  # header files that could not be read, as sentences

    @property
    def header(self) -> Header:
        return self.alleged[0].header

    @property
    def vault_id(self) -> bytes:
        return self.alleged[0].header.vault


def survey(env: Env, vault: Path) -> Survey:
    """Raises NoVault where there is none or only an unfinished set-up, Damaged where nothing can be believed.

    A header of another vault that somebody put into the folder does not hide the vault this laptop knows.
    """
    paths = VaultPaths(vault)
    readable, faults = read_headers(env, paths)
    if not readable:
        if faults:
            raise faults[0]
        raise _nothing(env, paths)
    ids = list(dict.fromkeys(header.vault for _, header in readable))
    states = [LocalState(env.files, env.local_root / each.hex()) for each in ids]
    known = [number for number, state in enumerate(states) if env.files.size(state.paths.device) is not None]
    seen: list[Survey] = []
    for number in known or range(len(ids)):
        local, mine = states[number], [pair for pair in readable if pair[1].vault == ids[number]]
        found, broken = believe(env, paths, local, mine)
        if found:
            damaged = tuple(fault.sentence for fault in (*faults, *broken))
            seen.append(Survey(paths, local, local.read_device(), tuple(found), damaged))
    whole = [each for each in seen if any(alleged.fault is None for alleged in each.alleged)]
    for each in whole or seen:
        return each
    raise _nothing(env, paths)


def copy_of(env: Env, seen: Survey) -> str | None:
    """Why this folder is only read: the vault itself lies in another place, and is there.

    Two folders that go on apart could never be brought together again; and what is opened in a copy belongs into the
    vault's own log, where it is entered later.
    """
    place = seen.local.place()
    if place is None or place == str(seen.paths.root):
        return None
    there = VaultPaths(Path(place))
    if not any(env.files.names(there.headers(name)) for name in env.files.names(there.all_headers) if is_origin(name)):
        return None  # it was moved here, or put back here from a copy
    ids = {header.vault for _, header in read_headers(env, there)[0]}
    if seen.vault_id not in ids:
        return None
    return f"COPY: this is a copy. The vault itself is in {place}; go on there, or move that folder away first."


def alleged_locals(env: Env, vault: Path) -> list[LocalState]:
    """Folders of this device for the vaults that the key files here claim to be of; where none reads, its only one."""
    ids = {header.vault.hex() for _, header in read_headers(env, VaultPaths(vault))[0]}
    names = (
        [name for name in env.files.names(env.local_root) if name in ids] if ids else env.files.names(env.local_root)
    )
    states = [LocalState(env.files, env.local_root / name) for name in names if is_origin(name)]
    known = [state for state in states if env.files.size(state.paths.device) is not None]
    return known if ids or len(known) == 1 else []


def read_headers(env: Env, paths: VaultPaths) -> tuple[list[tuple[Candidate, Header]], list[Damaged]]:
    """Every header file that reads and is signed by the key it names, the highest number first; and what did not."""
    store = HeaderStore(env.files, paths)
    readable: list[tuple[Candidate, Header]] = []
    faults: list[Damaged] = []
    for candidate in store.candidates():
        try:
            readable.append((candidate, _read(store, candidate)))
        except NotFound:
            continue  # set aside by another window just now
        except Damaged as fault:  # without its traceback: that would keep the whole file's objects in memory
            faults.append(type(fault)(fault.sentence, fault.next_step))
        except (CannotWrite, StorageFault) as fault:  # one file that the system will not give must not hide the others
            faults.append(Damaged(f"Version {candidate.seq} of the vault's key file cannot be read. {fault.sentence}"))
    return readable, faults


def believe(
    env: Env, paths: VaultPaths, local: LocalState, headers: list[tuple[Candidate, Header]]
) -> tuple[list[Alleged], list[Damaged]]:
    """Of the headers of one vault, those that may be current, the highest first: see `Survey.alleged`.

    Several with sound logs, none of which continues another, are of laptops that went on from one state; in one log, or
    of one number in it, they are a fork.
    """
    found: list[Alleged] = []
    faults: list[Damaged] = []
    logs: dict[str, tuple[LogFile, Tail]] = {}
    for candidate, header in headers:
        sound = [each for each in found if each.header.vik == header.vik and each.fault in _SOUND]
        if any(continues(each.header, header, candidate.digest) for each in sound):
            continue
        said: list[Damaged] = []
        alleged = alleged_of(env, paths, local, header, candidate.digest, logs, said)
        if alleged is None or (said and any(each.header.seq > header.seq for each in sound)):
            continue
        faults += said
        if sound and alleged.fault is None:
            apart = all(each.header.origin != header.origin and each.fault != FORKED for each in sound)
            forked = TWO_LAPTOPS if apart else FORKED
            faults.append(LogDamaged(forked))
            found = [replace(each, fault=forked) if each in sound else each for each in found]
            alleged = replace(alleged, fault=forked)
        found.append(alleged)
    return found, faults


def continues(later: Header, header: Header, digest: str) -> bool:
    """Was this key file known to whoever wrote `later`? It then lists the log beyond the entry that names it, or has
    it as its `prev`.
    """
    return later.prev == digest or later.origins.get(header.origin, -1) > header.origins[header.origin]


def alleged_of(
    env: Env,
    paths: VaultPaths,
    local: LocalState,
    header: Header,
    digest: str,
    logs: dict[str, tuple[LogFile, Tail]],
    faults: list[Damaged] | None = None,
) -> Alleged | None:
    """None where no entry names it; with its `fault` where the log cannot be believed. `logs`: those opened so far."""
    try:
        return _named(env, paths, local, header, digest, logs)
    except Damaged as fault:
        if faults is not None:
            faults.append(fault)
        return Alleged(header, digest, LogFile(env.files, paths, local, header.origin), Tail.empty(), fault.sentence)


def highest_seq(env: Env, paths: VaultPaths, vik: bytes) -> int:
    """The highest number of any header signed by this identity, named by a log or not; 0 when there is none."""
    return max((header.seq for _, header in read_headers(env, paths)[0] if header.vik == vik), default=0)


MOST_AHEAD = 100_000  # key files that may have been written since: far more than any laptop ever writes


def is_next(highest: int, claimed: int) -> bool:
    """Whether a number that some memory or entry claims may be that of a later key file than the highest one here.

    A number from nowhere must not use up those there are (8 digits): nobody could write a key file any more.
    """
    return claimed <= highest + MOST_AHEAD


def is_named(env: Env, paths: VaultPaths, local: LocalState, header: Header, digest: str) -> bool:
    """Whether the log that this header says names it does. Raises Damaged when that log cannot be believed."""
    return _named(env, paths, local, header, digest, {}) is not None


def check_newest(session: Session) -> None:
    """Refused when a key file of another log has taken the place of this session's: a recovery on this laptop, or a new
    log begun in another window.
    """
    for candidate, header in read_headers(session.env, session.paths)[0]:
        if header.vik != session.header.vik or header.seq <= session.header.seq or header.origin == session.origin:
            continue
        if is_named(session.env, session.paths, session.local, header, candidate.digest):
            raise Refused("The vault was opened anew in another window.", "Lock, and unlock again.")


_UNFINISHED = "Nothing was written in it yet: move the folder away and set up again."


def _nothing(env: Env, paths: VaultPaths) -> NotevaultError:
    """Nothing here can be opened: because there is no vault, or because what opens it is gone."""
    names = set(env.files.names(paths.root))
    logs = [name for name in env.files.names(paths.all_audit) if is_origin(name)]
    committed = any(env.files.size(paths.checkpoint(origin)) is not None for origin in logs)
    if committed or next(BlobStore(env.files, paths).digests(), None) is not None:
        return Damaged(
            "Notes of a vault are in this folder, but the key files or the log that belong to them are missing.",
            "Keep the folder as it is; `notevault backup heal` puts the missing files back, if a backup has them.",
        )
    if names & {"headers", "audit"}:
        if any(local.identity() is not None for local in alleged_locals(env, paths.root)):  # this laptop opened it once
            return LogDamaged("MISSING: the log of this vault is gone.")
        return NoVault("The set-up of this vault was not finished.", _UNFINISHED)
    return NoVault("There is no vault in this folder.")


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
    index = header.origins[header.origin]
    if header.origin not in logs:
        try:
            logs[header.origin] = open_log(env, paths, local, header, header.origin)
        except NotFound:
            if index == 0 and next(BlobStore(env.files, paths).digests(), None) is None:
                return None  # set up, but never committed
            if index == 0 and len(header.origins) > 1:
                return None  # a recovery, or a new log, that was not finished
            raise LogDamaged("MISSING: the log of this vault is gone.") from None
    log, tail = logs[header.origin]
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


def open_log(env: Env, paths: VaultPaths, local: LocalState, header: Header, origin: str) -> tuple[LogFile, Tail]:
    """NotFound when the log has no card or no checkpoint yet; LogDamaged when it cannot be believed."""
    card = read_card(env, paths, header, origin)
    log = LogFile(env.files, paths, local, origin)
    return log, log.load(CardBelieves(card, signing.verify))
