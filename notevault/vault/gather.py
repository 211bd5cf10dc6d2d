"""A vault that went on in several ways: a restore on a new laptop while the old one turned up again, two restores, a
trial at home. Each has a log and key files of its own, all signed by the vault's one identity; a restore brings all of
them into one folder. Here they become one vault again: every log counts, and the client keys of all are known.

What a laptop did is continued by another one's key file where that says so: it lists the log beyond the entry that
names the key file, or calls it its `prev` (docs/FORMAT.md sections 3 and 7.6). What nobody continues are the newest.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from notevault.crypto import keytable as table_seal
from notevault.domain import clients
from notevault.errors import Damaged, NotevaultError, NotFound, UnknownFormat, WrongSeal
from notevault.formats.header import Header, PassphraseSlot
from notevault.formats.ids import Origin, SlotId, is_origin
from notevault.formats.keytable import KeyTable
from notevault.storage.layout import VaultPaths
from notevault.storage.local import LocalState
from notevault.storage.logfile import LogFile, Tail
from notevault.vault.branches import BroughtIn, brought_in
from notevault.vault.env import Env
from notevault.vault.index import Catalogue
from notevault.vault.sealer import VaultSealer
from notevault.vault.session import Keys, Session
from notevault.vault.survey import Alleged, believe, continues, highest_seq, open_log, read_card, read_headers

if TYPE_CHECKING:
    from notevault.vault.headers import Slot

MOST_SLOTS = 254  # of 256: whoever writes the next key file adds some


@dataclass(frozen=True)
class Gathered:
    """`header`: the key file that was opened, in memory only: it lists every log that is here with the size found, and
    has the slots of all newest key files. `keys`: its own, with the client keys of all. `before`: what it knew of the
    logs, without what others added. `others`: logs that it does not list. `faults`: why a log cannot be believed.
    """

    header: Header
    keys: Keys = field(repr=False)
    logs: dict[str, tuple[LogFile, Tail]] = field(repr=False)
    before: dict[str, int]
    others: tuple[str, ...]
    faults: dict[str, NotevaultError]
    highest: int  # number of any of these key files
    given_up: bool  # what opened it was replaced on another laptop


def newest(alleged: Sequence[Alleged]) -> list[Alleged]:
    """Without those that another one continues: of a log that cannot be believed every key file is alleged."""
    return [
        one
        for one in alleged
        if not any(other is not one and continues(other.header, one.header, one.digest) for other in alleged)
    ]


def unlisted(env: Env, paths: VaultPaths, header: Header) -> list[str]:
    """Logs of this vault, by their cards, that lie here and that the key file does not list. Begun ones count."""
    found = []
    for origin in env.files.names(paths.all_audit):
        if not is_origin(origin) or origin in header.origins or env.files.size(paths.checkpoint(origin)) is None:
            continue
        try:
            read_card(env, paths, _listing(header, [origin]), origin)
        except NotevaultError:  # another vault's, or nobody's
            continue
        found.append(origin)
    return found


def _listing(header: Header, origins: Iterable[str]) -> Header:
    return replace(header, origins={**{Origin(each): 0 for each in origins}, **header.origins})


def all_here(env: Env, paths: VaultPaths, header: Header) -> Header:
    """As if it listed every log of the vault that lies here, and had the highest number of any key file here."""
    wide = _listing(header, unlisted(env, paths, header))
    return replace(wide, seq=max(header.seq, highest_seq(env, paths, header.vik)))


def gather(
    env: Env, paths: VaultPaths, local: LocalState, header: Header, keys: Keys, used: Callable[[Slot], bool]
) -> Gathered:
    """`header` is one of the newest, opened with `keys`; `used` tells the slot of it that was. Nothing is written."""
    readable = [pair for pair in read_headers(env, paths)[0] if _same(pair[1], header)]
    tips = [each.header for each in newest(believe(env, paths, local, readable)[0]) if each.header != header]
    others = unlisted(env, paths, header)
    wide = _listing(header, others)
    logs: dict[str, tuple[LogFile, Tail]] = {}
    faults: dict[str, NotevaultError] = {}
    sizes = {str(origin): size for origin, size in wide.origins.items()}
    for origin in sizes:
        try:
            log, tail = open_log(env, paths, local, wide, origin)
            for _ in log.entries(0, tail.size):  # a cache of roots may vouch for entries that have rotted since
                pass
            logs[origin] = log, tail
        except (Damaged, NotFound) as fault:
            faults[origin] = fault
            named = [each.origins[each.origin] + 1 for _, each in readable if each.origin == origin]
            sizes[origin] = max([sizes[origin], *named]) if origin in others else sizes[origin]
        else:
            sizes[origin] = max(sizes[origin], logs[origin][1].size)
    slots, retired = (header.slots, header.retired) if not tips else _slots(header, tips, used)
    listed = {Origin(origin): size for origin, size in sizes.items()}
    table = union(keys, header, [each for _, each in readable])
    return Gathered(
        replace(header, origins=listed, slots=slots, retired=retired),
        replace(keys, table=table),
        logs,
        {str(origin): size for origin, size in header.origins.items()},
        tuple(others),
        faults,
        max(each.seq for each in (header, *tips)),
        any(used(slot) and slot.id in tip.retired for slot in header.slots for tip in tips),
    )


def _same(one: Header, header: Header) -> bool:
    return (one.vault, one.vik) == (header.vault, header.vik)


def union(keys: Keys, own: Header, headers: Iterable[Header]) -> KeyTable:
    """Every key of every table that this vault key opens; where two have one name, the opened key file's own counts."""
    table = keys.table
    for header in headers:
        if header.generation != own.generation or header == own:
            continue
        with contextlib.suppress(WrongSeal, Damaged, UnknownFormat):
            table = both(table, table_seal.open_table(header.table, keys.vk, header))
    return table


def both(one: KeyTable, other: KeyTable) -> KeyTable:
    """The keys of two laptops; of two of one name, that of `one`."""
    return replace(one, wide={**other.wide, **one.wide}, clients={**other.clients, **one.clients})


def _slots(
    header: Header, tips: Sequence[Header], used: Callable[[Slot], bool]
) -> tuple[tuple[Slot, ...], tuple[SlotId, ...]]:
    """Whatever opens the vault on any of the laptops, but for what was given up on one of them; the slot that has just
    opened it stays.
    """
    gone = {each for one in (header, *tips) for each in one.retired}
    kept: dict[SlotId, Slot] = {slot.id: slot for slot in header.slots if slot.id not in gone or used(slot)}
    for slot in (slot for tip in tips if tip.generation == header.generation for slot in tip.slots):
        if slot.id not in gone and len(kept) < MOST_SLOTS:
            kept.setdefault(slot.id, slot)
    dropped = {slot.id for slot in header.slots} - kept.keys()
    return tuple(kept[each] for each in sorted(kept)), tuple(sorted((gone | dropped) - kept.keys()))


def join(session: Session) -> Gathered | None:
    """The same in an open session that is only read, and whose next step may be a new log: it knows all there is.

    None, and the session as it was, where a disk does not give what is to be read.
    """

    def used(slot: Slot) -> bool:
        return isinstance(slot, PassphraseSlot) and slot.device == session.device_id

    try:
        found = gather(session.env, session.paths, session.local, session.header, session.keys, used)
    except NotevaultError as fault:
        session.notices.append(fault.sentence)
        return None
    session.keys.table = found.keys.table
    session.header = found.header
    session.sealer = VaultSealer(session.vault_id, session.keys.table, session.env.entropy)
    session.recorder.sealer = session.sealer
    return found


def words(session: Session, before: dict[str, int], origin: str) -> list[str]:
    """What came from other laptops, once it is in the catalogue. `before`: what the opened key file knew of each log,
    `origin`: the log it belongs to.
    """
    grown = {each: before.get(each, 0) for each in session.catalogue.origins() if each not in (origin, session.origin)}
    found = brought_in(session.catalogue, grown)
    said = BroughtIn(set(), found.both, found.clients).words()
    if found.notes:
        were = "1 note" if len(found.notes) == 1 else f"{len(found.notes):,} notes"
        first = "Another laptop of yours went on with this vault too. Both are brought together here"
        said.insert(0, f"{first}: {were} came from it.")
    if grown and (codes := _twice(session.catalogue)):
        said.append(
            f"Two clients have one code now, each given on another laptop: {', '.join(codes)}."
            " `client edit` and the code, in `notevault`, gives one of them another."
        )
    return said


def _twice(catalogue: Catalogue) -> list[str]:
    """Codes that more than one client has."""
    codes: Counter[str] = Counter()
    for _, _, payload in catalogue.client_payloads():
        with contextlib.suppress(Damaged):
            codes[clients.from_payload(payload).code] += 1
    return sorted(code for code, count in codes.items() if count > 1)
