"""How an opened vault stands: is it the newest that this laptop has seen, can its log be believed, and can we go on?

Nothing is written here. A doubtful answer is asked for twice: between reading the log and reading what this laptop
remembers, another process may have gone on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from notevault.auditlog import entry
from notevault.errors import LogDamaged, NotFound
from notevault.formats.header import Header
from notevault.storage.local import DeviceFile, LocalState
from notevault.storage.logfile import LogFile, Tail
from notevault.vault import gather
from notevault.vault.door import own_recorder
from notevault.vault.env import Env
from notevault.vault.follow import damaged_sentence, heads_seen, not_superseded, rolled_back, snapshot_heads
from notevault.vault.index import Catalogue
from notevault.vault.items import Head, LogItem
from notevault.vault.recorder import Recorder
from notevault.vault.sealer import VaultSealer
from notevault.vault.session import Keys
from notevault.vault.survey import TWO_LAPTOPS, Alleged, Survey, copy_of, open_log

NEWER = "ROLLED BACK: the log tells of a newer key file than the one found here."


class Memories(NamedTuple):
    """States of the logs that this laptop has seen; sentences about memories that are damaged."""

    heads: list[Head]
    notices: list[str]


@dataclass
class Standing:
    """`recorder` only reads where `read_only` says why, and where `new_log`: the key of the log is not here."""

    recorder: Recorder
    heads: list[Head]
    notices: list[str]
    catalogue: Catalogue | None
    read_only: str | None = None
    new_log: bool = False

    @property
    def doubtful(self) -> bool:
        return self.read_only is not None or self.new_log


def memories(local: LocalState, vault_id: bytes, item: LogItem | None, catalogue: Catalogue | None) -> Memories:
    """From the key store, beside it, and in the sealed index."""
    heads, notices = heads_seen(local, vault_id, item)
    return Memories(heads if catalogue is None else [*heads, *snapshot_heads(catalogue)], notices)


def look(
    env: Env,
    seen: Survey,
    keys: Keys,
    device: DeviceFile,
    item: LogItem | None,
    catalogue: Catalogue | None,
    known: Memories,
) -> Standing:
    """`seen` with the opened header alone; `item` as it lies in the key store. Raises no fault of the log."""
    (alleged,) = seen.alleged
    own, read_only = _own(env, seen, device, item)
    viewer = own or Recorder(env, alleged.log, None, device.user, alleged.tail)
    heads = known.heads
    read_only = read_only or copy_of(env, seen)
    if read_only is None:
        try:
            heads = not_superseded(heads, viewer, catalogue)
            header = alleged.header if alleged.fault is None else gather.all_here(env, seen.paths, alleged.header)
            read_only = rolled_back(heads, header, viewer, lambda origin: _log(env, seen, header, origin))
        except LogDamaged as fault:
            read_only = damaged_sentence(fault.sentence)
        read_only = read_only or alleged.fault
    lost = own is None or own.keys is None
    if lost and read_only is None:
        read_only = _reason_to_stop(env, alleged, viewer, keys)
    return Standing(viewer, heads, known.notices, catalogue, read_only, lost and read_only is None)


def _own(env: Env, seen: Survey, device: DeviceFile, item: LogItem | None) -> tuple[Recorder | None, str | None]:
    """The recorder of our own log, or None and perhaps why the vault can only be read."""
    fault = seen.alleged[0].fault
    if fault is not None and fault != TWO_LAPTOPS:  # both logs hold then; only which way to go on is open
        return None, damaged_sentence(fault)
    if item is None:
        return None, None
    try:
        return own_recorder(env, seen, item, device.user), None
    except NotFound:
        return None, None  # a new log was begun and did not come to its first entry, or it was taken away
    except LogDamaged as fault:
        return None, damaged_sentence(fault.sentence)


def _log(env: Env, seen: Survey, header: Header, origin: str) -> tuple[LogFile, Tail]:
    return open_log(env, seen.paths, seen.local, header, origin)


def _reason_to_stop(env: Env, alleged: Alleged, log: Recorder, keys: Keys) -> str | None:
    """The key of the log's present epoch is not here: why a new log must not simply begin.

    Closed by this vault itself, the key was lost (the key store is empty, or an old copy of it was put back). Closed by
    anybody else it was stolen before. And a log that knows more than the key file shows must not be left behind.
    """
    sealer = VaultSealer(alleged.header.vault, keys.table, env.entropy)
    brought = log.brought_by()
    if brought is not None and not sealer.check_mac(brought, log.origin):
        return f"FORGED: the log was carried on from entry {brought.i} on with a key that is not this vault's."
    for data in log.entries(0, log.tail.size):
        found = entry.parse(data) if b'"header.write"' in data else None
        if not isinstance(found, entry.Entry) or found.ev != "header.write":
            continue
        if found.k["seq"] > alleged.header.seq and sealer.check_mac(found, log.origin):
            return NEWER
    return None


def newest_of(heads: list[Head]) -> Head | None:
    """What a new log's item goes on remembering until the log itself is committed."""
    return max(heads, key=lambda head: (head.seq, head.size), default=None)
