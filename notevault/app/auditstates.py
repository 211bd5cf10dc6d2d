"""States of the vault's logs as they were seen outside its folder: what a check of today is held against.

A state from a folder counts only with the log's own signature, so that nobody can make a sound log look changed by
laying a file somewhere. What this laptop remembers is its own and needs none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from notevault.auditlog import anchor, checkpoint
from notevault.auditlog import card as cards
from notevault.auditlog.card import Card
from notevault.auditlog.fault import Fault
from notevault.auditlog.outcome import Seen
from notevault.crypto import signing
from notevault.errors import Damaged, NotevaultError, NotFound
from notevault.formats.ids import is_origin
from notevault.storage.layout import VaultPaths
from notevault.storage.local import LocalState
from notevault.vault.env import Env
from notevault.vault.items import LogItem
from notevault.vault.survey import CARD_LIMIT

MEMORY, KEY_STORE = "this laptop's memory", "this laptop's key store"
MOST = 4096  # states of one log from one folder, the longest: a backup place of ten years has fewer


def memory_states(local: LocalState, vault_id: bytes, item: LogItem | None) -> tuple[list[Seen], list[str]]:
    """What this laptop has seen of the vault's logs; and in sentences what is wrong with that."""
    found: list[Seen] = []
    remarks: list[str] = []
    try:
        head = local.read_head()
    except Damaged:
        remarks.append("This laptop's own memory of the log's last state is damaged.")
    else:
        if head is not None and head.vault == vault_id:
            found.append(Seen(head.origin, head.size, head.root, MEMORY))
    if item is not None:
        found.append(Seen(item.head.origin, item.head.size, item.head.root, KEY_STORE))
    return [seen for seen in found if seen.size], remarks


def cards_in(env: Env, paths: VaultPaths, identity: bytes) -> list[Card]:
    """The cards of all logs in a vault folder that this identity has signed."""
    found = []
    for origin in filter(is_origin, env.files.names(paths.all_audit)):
        data = _read(env, paths.card(origin), CARD_LIMIT)
        card = None if data is None else cards.parse(data)
        if card is None or isinstance(card, Fault) or card.origin != origin:
            continue
        if cards.check(card, identity, signing.verify) is None:
            found.append(card)
    return found


def states_in(env: Env, folder: Path, logs: Sequence[Card]) -> list[Seen]:
    """Every state of these logs in `folder`: a backup place, a copy of the vault, or a folder of such states.

    NotFound when there is none. What is there and does not hold is no state of these logs, and passed over.
    """
    root = folder.resolve()
    found: list[Seen] = []
    for card in logs:
        for base in (root, root / "notevault" / card.vault):
            found += _anchors(env, base, card, str(folder))
            found += _signed(env, base / "audit" / card.origin / "checkpoint", card, str(folder))
        found += _signed(env, root / "checkpoint", card, str(folder))
    if logs and not found:
        raise NotFound(f"There is nothing of this vault's log in {folder}.", "Name a backup place, or a copy of it.")
    return list(dict.fromkeys(found))


def _anchors(env: Env, base: Path, card: Card, source: str) -> Iterator[Seen]:
    for folder in (base / "anchors" / card.origin, base / card.origin):
        named = [(anchor.parse_name(name), name) for name in _names(env, folder)]
        known = sorted((size_root[0], name) for size_root, name in named if size_root is not None)
        for _, name in known[-MOST:]:
            data = _read(env, folder / name, anchor.MAX_BYTES)
            if data is None:
                continue
            seen = anchor.check(card.origin, name, data, card.identity_pub, signing.verify, source)
            if isinstance(seen, Seen):
                yield seen


def _signed(env: Env, path: Path, card: Card, source: str) -> Iterator[Seen]:
    """The state that a copy of the log ends with."""
    data = _read(env, path, checkpoint.MAX_BYTES)
    state = None if data is None else checkpoint.parse(data)
    if state is None or isinstance(state, Fault) or state.origin != card.origin or not state.size:
        return
    if checkpoint.check_identity(state, card.identity_pub, signing.verify) is None:
        yield Seen(card.origin, state.size, state.root, source)


def _names(env: Env, folder: Path) -> list[str]:
    try:
        return env.files.names(folder)
    except NotevaultError:
        return []


def _read(env: Env, path: Path, limit: int) -> bytes | None:
    try:
        return env.files.read(path, limit=limit)
    except NotevaultError:
        return None
