"""States of the vault's logs as they were seen outside its folder: what a check of today is held against.

A state from a folder counts only with the log's own signature, so that nobody can make a sound log look changed by
laying a file somewhere. What this laptop remembers is its own and needs none: it shows a change, but vouches for the
log to nobody, since whoever holds the laptop can change both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from notevault.auditlog import anchor, checkpoint, plain
from notevault.auditlog import card as cards
from notevault.auditlog.card import Card
from notevault.auditlog.fault import Fault
from notevault.auditlog.outcome import Seen, VaultVerdict
from notevault.auditlog.verdict import Finding, Weight
from notevault.backup.places.patience import in_time
from notevault.backup.places.registry import Places
from notevault.crypto import signing
from notevault.errors import Damaged, NotevaultError, NotFound
from notevault.formats.ids import is_origin
from notevault.storage.layout import VaultPaths
from notevault.storage.local import DeviceFile, LocalState
from notevault.vault.env import Env
from notevault.vault.items import LogItem
from notevault.vault.survey import CARD_LIMIT

MEMORY, KEY_STORE, FILE = "this laptop's memory", "this laptop's key store", "the file with this laptop's key"
TRIES = 16  # states of a log without a card that are opened to find one that reads
MOST = 4096  # states of one log from one folder, the longest: a backup place of ten years has fewer


def place_of_key(device: DeviceFile | None) -> str:
    """Where this laptop keeps its key, in words."""
    return FILE if device is not None and device.store == "file" else KEY_STORE


def memory_states(
    local: LocalState, vault_id: bytes, item: LogItem | None, place: str = KEY_STORE
) -> tuple[list[Seen], list[str]]:
    """What this laptop has seen of the vault's logs, `place` the one where it keeps `item`; and in sentences what is
    wrong with that.
    """
    found: list[Seen] = []
    remarks: list[str] = []
    try:
        head = local.read_head()
    except Damaged:
        remarks.append("This laptop's own memory of the log's last state is damaged.")
    else:
        if head is not None and head.vault == vault_id:
            found.append(Seen(head.origin, head.size, head.root, MEMORY, outside=False, own=True))
    if item is not None:
        found.append(Seen(item.head.origin, item.head.size, item.head.root, place, outside=False, own=True))
    return [seen for seen in found if seen.size], remarks


def as_own(verdict: VaultVerdict) -> None:
    """Mark a check of one's own vault on one's own laptop: entries that this laptop remembers are not new to it."""
    verdict.own = True
    verdict.findings = [one for one in verdict.findings if one.code != "NOT_ANCHORED"]
    for log in verdict.logs:
        new = log.verdict.size - max(log.anchored, log.remembered)
        if log.listed is not False and log.verdict.proven and new > 0 and not verdict.first_visit:
            entries = plain.last(new, "entry", "entries")
            text = f"NOT SEEN BEFORE: {entries} of log {plain.short(log.verdict.origin)}"
            verdict.findings.append(Finding("NOT_ANCHORED", Weight.NOTE, text))


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


def states_in(env: Env, folder: Path, logs: Sequence[Card], vault: Path | None = None) -> list[Seen]:
    """Every state of these logs in `folder`: a backup place, a copy of the vault, or a folder of such states; and of
    further logs of the same vault that it knows. Of those it may hold the card too; else their states cannot be
    verified, and only say that there is such a log (`proven` is False).

    NotFound when there is none. What is there and does not hold is no state of these logs, and passed over. In the
    folder `vault`, which is checked, nothing is a word from outside.
    """
    root = folder.resolve()
    bases = [root, *(root / "notevault" / name for name in sorted({card.vault for card in logs}))]
    cards_here = {card.origin: card for card in logs}
    found: list[Seen] = []
    for base in bases:
        own, others = _further(env, base, cards_here, str(folder))
        cards_here |= own
        found += others
    for card in cards_here.values():
        for base in bases:
            found += _anchors(env, base, card, str(folder))
            found += _signed(env, base / "audit" / card.origin / "checkpoint", card, str(folder))
        found += _signed(env, root / "checkpoint", card, str(folder))
    found = [seen for seen in found if seen.proven or seen.origin not in cards_here]
    if logs and not found:
        raise NotFound(f"There is nothing of this vault's log in {folder}.", "Name a backup place, or a copy of it.")
    if vault is not None and root.is_relative_to(vault.resolve()):
        found = [replace(seen, outside=False) for seen in found]
    return list(dict.fromkeys(found))


LOOK_S = 5.0
"""For a backup place to show which states of the log it has seen."""


def place_states(env: Env, local: LocalState, logs: Sequence[Card], current: str | None, vault: Path) -> list[Seen]:
    """The same of the vault's own backup places, as far as they are plugged in.

    Of the logs that another one continues (`current` is the one being written) only states that the vault has: after a
    restore from the older of two backups the other one keeps more of them for ever, and the restore has told so.
    """
    found: list[Seen] = []
    for place in Places(env.files, local.paths.root).all():
        try:
            seen = in_time(("states", place.id), partial(states_in, env, Path(place.path), logs, vault), LOOK_S)
        except NotevaultError:
            continue
        if seen is None:  # one that hangs vouches for nothing just now
            continue
        for one in seen:
            own = current is None or one.origin == current or one.size <= _signed_size(env, vault, one.origin)
            if own:
                found.append(replace(one, source=f"backup place {place.name}"))
    return found


def _signed_size(env: Env, vault: Path, origin: str) -> int:
    data = _read(env, VaultPaths(vault).checkpoint(origin), checkpoint.MAX_BYTES)
    state = None if data is None else checkpoint.parse(data)
    return 0 if state is None or isinstance(state, Fault) else state.size


def _further(env: Env, base: Path, logs: Mapping[str, Card], source: str) -> tuple[dict[str, Card], list[Seen]]:
    """Logs of this vault that `base` knows and `logs` does not: their cards, or the longest state of each, unverified.

    A log with another vault's card is another vault's. Without `logs` nothing tells whose they are.
    """
    cards_here: dict[str, Card] = {}
    unproven: list[Seen] = []
    identities = {card.vik_pub for card in logs.values()}
    named = {name for part in ("audit", "anchors", "") for name in _names(env, base / part) if is_origin(name)}
    for origin in sorted(named - logs.keys()) if logs else ():
        data = _read(env, base / "audit" / origin / "card", CARD_LIMIT)
        card = None if data is None else cards.parse(data)
        if isinstance(card, Card) and card.origin == origin and not cards.check(card, card.vik_pub, signing.verify):
            if card.vik_pub in identities:
                cards_here[origin] = card
            continue
        states = [
            _unproven(env, folder / name, origin, source)
            for folder in (base / "anchors" / origin, base / origin)
            for name in sorted(_names(env, folder), key=_size)[-TRIES:]
            if _size(name)
        ]
        states.append(_unproven(env, base / "audit" / origin / "checkpoint", origin, source))
        longest = max((state for state in states if state is not None), key=lambda one: one.size, default=None)
        unproven += [] if longest is None else [longest]
    return cards_here, unproven


def _size(name: str) -> int:
    known = anchor.parse_name(name)
    return 0 if known is None else known[0]


def _unproven(env: Env, path: Path, origin: str, source: str) -> Seen | None:
    data = _read(env, path, checkpoint.MAX_BYTES)
    state = None if data is None else checkpoint.parse(data)
    if state is None or isinstance(state, Fault) or state.origin != origin or not state.size:
        return None
    return Seen(origin, state.size, state.root, source, proven=False)


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
