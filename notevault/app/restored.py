"""The end of a restore, once the vault is open: it is entered in the log, its places become this laptop's, and what
there is to say about what came back. Each step may be done again, so that it can be finished from any point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from notevault.backup.copies.there import is_file, is_folder
from notevault.backup.places import layout as names
from notevault.backup.places.adding import add
from notevault.backup.places.ground import Ground
from notevault.backup.places.registry import Places
from notevault.backup.restore import rest as restore_rest
from notevault.backup.restore.rest import Rest
from notevault.backup.source import guard
from notevault.backup.source.reading import read_vault
from notevault.backup.worker.results import RESTORE
from notevault.domain import clients
from notevault.errors import Damaged, NotevaultError
from notevault.formats.envelope import RecordType
from notevault.ports import Volumes, WriteOnce
from notevault.vault.env import Env
from notevault.vault.index import Write
from notevault.vault.recorder import Act
from notevault.vault.session import Session


def enter(session: Session, rest: Rest) -> None:
    """In the log, durably; then nothing but the places is left to do. Raises as `Session.log_acts`."""
    if not rest.opened:
        outcome = "part" if rest.missing else "ok"
        session.log_acts([Act(RESTORE, "E", "recovery", outcome, k={"n": rest.files})])
        session.save_local_head()
        restore_rest.opened(session.env.files, session.paths.root)


# -- places


def place_root(folder: Path, vault: str) -> Path | None:
    """The backup place that a folder named with --from is, or lies in; None where it is no place but another copy."""
    for root in (folder, folder.parent, folder.parent.parent):
        base = names.base(root, vault)
        if folder in (root, base.parent, base) and is_file(base / names.MARKER):
            return root
    return None


@dataclass(frozen=True)
class Registered:
    """Names of places. `added`: backups can go on there; `closed`: what is there can only be read."""

    added: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def register(
    env: Env,
    vault_id: str,
    vault: Path,
    folders: Sequence[Path],
    volumes: Volumes,
    open_place: Callable[[Path], WriteOnce],
) -> Registered:
    """The places that the vault came from are backed up to again, each under its own id. What keeps others from it is
    said in sentences. Never raises for a place.
    """
    places = Places(env.files, env.local_root / vault_id)
    done = Registered()
    gone = [each for each in folders if not is_folder(each)]
    done.remarks.extend(f"{each} is not there any more: `notevault backup add DIR` when it is back." for each in gone)
    for folder in dict.fromkeys(filter(None, (place_root(each, vault_id) for each in folders))):
        here = next((one for one in places.all() if Path(one.path) == folder), None)
        if here is None:
            now = env.clock.wall_ms()
            try:
                added = add(
                    env.files,
                    places,
                    vault,
                    env.local_root,
                    vault_id,
                    folder,
                    None,
                    volumes,
                    open_place,
                    env.entropy,
                    now,
                )
            except NotevaultError as fault:
                words = f"{folder} is not a backup place of this laptop yet. {fault.sentence} {fault.next_step}"
                done.remarks.append(words)
                continue
            here = added.place
            done.remarks.extend(each for each in added.remarks if each != _KNOWN)
        (done.closed if _read_only(volumes, folder) else done.added).append(here.name)
    return done


_KNOWN = "Backups of this vault lie there already; they are kept, and used."  # as was just seen


def _read_only(volumes: Volumes, folder: Path) -> bool:
    try:
        return volumes.of(folder).read_only
    except NotevaultError:
        return False


def give_up_missing(ground: Ground) -> int:
    """What no copy had is no attack on this vault: backups go on without it. How many; 0 also where that is not known.

    Raises nothing of ours.
    """
    try:
        source = read_vault(ground)
        gone: list[str] = []
        for first in range(256):
            try:
                there = ground.vault_tree.listing(names.blob_folder(first)).keys()
            except Damaged:
                continue
            gone += source.live.sizes(first).keys() - there
        if gone:
            guard.give_up(ground.files, ground.places, gone)
    except NotevaultError:
        return 0
    return len(gone)


# -- what came back


@dataclass(frozen=True)
class Back:
    """Counts of an open vault. `newest_ms`: when its latest note was saved. `missing`: notes that the log names and
    that do not open in any version; `older`: those of which only an earlier version does; `nameless`: clients.
    """

    notes: int
    newest_ms: int = 0
    missing: int = 0
    older: int = 0
    nameless: int = 0
    whose: tuple[tuple[str, int], ...] = field(default=(), repr=False)  # names, and how many of each one's are missing


def back(session: Session) -> Back:
    catalogue = session.catalogue
    rows = catalogue.notes(None)
    unread = catalogue.damaged_writes()
    newest = {row.id: row.version for row in rows}
    missing: dict[bytes, Write] = {}
    older: set[bytes] = set()
    for write in unread:
        if write.type != RecordType.NOTE:
            continue
        if write.object not in newest:
            missing[write.object] = write
        elif write.version > newest[write.object]:
            older.add(write.object)
    named = {client for client, _, _ in catalogue.client_payloads()}
    lost = {write.client for write in unread if write.type == RecordType.CLIENT} - named
    counts: dict[str, int] = {}
    for write in missing.values():
        counts[_name(session, write.client)] = counts.get(_name(session, write.client), 0) + 1
    return Back(
        catalogue.count_notes(),
        max((row.saved_ms for row in rows), default=0),
        len(missing),
        len(older),
        len(lost),
        tuple(sorted((name, count) for name, count in counts.items() if name)),
    )


def _name(session: Session, client: bytes) -> str:
    found = session.catalogue.client_payload(client)
    try:
        return "" if found is None else clients.from_payload(found[1]).name
    except Damaged:
        return ""
