"""States of the logs kept elsewhere, gathered: anchors of backup places, and states that a witness signed too.

Each counts only when the log's own identity key signed it: nobody can make a sound log look changed by laying a file
somewhere. What does not count is said.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from . import anchor, card, checkpoint, cosign, plain
from .fault import Fault
from .folder import names, read_file
from .layout import MAX_LOGS, ORIGIN
from .note import Verify
from .outcome import Seen
from .trust import Trust
from .verdict import Finding, Weight

MOST = 512  # anchors of one log from one folder: half the longest, half from all the others
_LISTED = 4096  # the longest, of which those are chosen
OWN = "this folder's own anchors"
_TRIES = 16  # states of a log whose card is not here that are opened to find one that reads
_MAX_NAMES = 1_000_000  # looked at in one folder


def anchors(
    folder: Path,
    logs: Mapping[str, card.Card],
    verify: Verify,
    source: str,
    *,
    trust: Trust,
    audited: Path | None = None,
) -> tuple[list[Seen], list[Finding]]:
    """Anchors below `folder`: a folder `anchors`, or the backup place or vault's folder that holds one.

    `logs`: the logs whose cards are known. Of further logs the place may hold the card as well, signed by an identity
    of `trust`; else their states cannot be verified, and count as not `proven`. What lies in `audited`, the folder that
    is checked, is no word from outside.
    """
    found: list[Seen] = []
    said: list[Finding] = []
    odd, inside = 0, False
    for base in _bases(folder, {trust.vault, *(one.vault for one in logs.values())} - {""}):
        within = audited is not None and _within(base, audited)
        inside = inside or within
        place = OWN if within else source
        more, others, strange = _further(base, logs, verify, trust, place, not within)
        odd += strange
        found += others
        for origin, known in {**logs, **more}.items():
            listed, strange = _listed(base / origin)
            odd += strange
            for name in _some(listed):
                one = _anchor(base, origin, name, known, verify, place)
                if isinstance(one, Seen):
                    found.append(replace(one, outside=not within))
                else:
                    odd += 1
    if inside and source != OWN:
        text = (
            f"NOT USED: {plain.text(source, 80)} that was given lies in the folder that is checked: it can contradict"
            " the log, and is no word from outside"
        )
        said.append(Finding("NOT_USED", Weight.NOTE, text))
    if odd:
        text = f"{plain.count(odd, 'file')} among the states kept in {plain.text(source, 80)} prove nothing"
        said.append(Finding("NOT_USED", Weight.NOTE, text))
    if not found and source != OWN:
        text = f"NOT USED: nothing kept in {plain.text(source, 80)} is of these logs"
        said.append(Finding("NOT_USED", Weight.UNDECIDED, text))
    return found, said


def _anchor(base: Path, origin: str, name: str, known: card.Card, verify: Verify, source: str) -> Seen | Fault | None:
    data = read_file(base, f"{origin}/{name}", anchor.MAX_BYTES)
    if not isinstance(data, bytes):
        return data
    return anchor.check(origin, name, data, known.identity_pub, verify, source)


def _further(
    base: Path, logs: Mapping[str, card.Card], verify: Verify, trust: Trust, source: str, outside: bool
) -> tuple[dict[str, card.Card], list[Seen], int]:
    """Logs that this place knows and `logs` does not: cards of this vault's that lie here too; else the longest state
    of each, unverified; and the number of files of neither. Logs of other vaults are passed over.
    """
    cards: dict[str, card.Card] = {}
    unproven: list[Seen] = []
    odd = 0
    unknown = sorted(name for name, kind in names(base) if kind == "folder" and ORIGIN.fullmatch(name))
    for origin in [name for name in unknown if name not in logs][:MAX_LOGS]:
        data = read_file(base.parent, f"audit/{origin}/card", card.MAX_BYTES)
        own = card.parse(data) if isinstance(data, bytes) else None
        if isinstance(own, card.Card) and own.origin == origin and card.check(own, own.vik_pub, verify) is None:
            if own.vik_pub in trust.viks and own.vault == trust.vault:
                cards[origin] = own
            continue
        listed, strange = _listed(base / origin)
        longest = None
        for size, name in sorted(listed, reverse=True)[:_TRIES]:
            data = read_file(base, f"{origin}/{name}", anchor.MAX_BYTES)
            state = checkpoint.parse(data) if isinstance(data, bytes) else None
            if isinstance(state, checkpoint.Checkpoint) and size and (state.origin, state.size) == (origin, size):
                longest = Seen(origin, size, state.root, source, None, outside, proven=False)
                break
        odd += strange if longest is not None else strange + len(listed)
        unproven += [] if longest is None else [longest]
    return cards, unproven, odd


def _within(folder: Path, outer: Path) -> bool:
    """By what the names lead to."""
    try:
        here, top = Path(os.path.realpath(folder)), os.stat(outer)  # noqa: PTH116
        return any(os.path.samestat(os.stat(up), top) for up in (here, *here.parents))  # noqa: PTH116
    except (OSError, ValueError):
        return False


def cosigned(
    files: Iterable[bytes], witnesses: Sequence[str], logs: Mapping[str, card.Card], verify: Verify
) -> tuple[list[Seen], list[Finding]]:
    """What these cosigned states prove; a file or key that proves nothing leaves the verdict undecided."""
    keys: list[cosign.Witness] = []
    found: list[Seen] = []
    said: list[Finding] = []
    for text in witnesses:
        one = cosign.parse_witness(text)
        if isinstance(one, Fault):
            said.append(_not_used("a witness's key", one))
        else:
            keys.append(one)
    for data in files:
        parsed = cosign.parse(data)
        if isinstance(parsed, Fault):
            said.append(_not_used("a cosigned state", parsed))
            continue
        origin = parsed.checkpoint.origin
        known = logs.get(origin)
        seen = (
            cosign.seen(data, origin, known.identity_pub, keys, verify)
            if known
            else Fault("WRONG_ORIGIN", f"it is of the log {origin[:8]}, which is not here or not the vault's")
        )
        if isinstance(seen, Fault):
            said.append(_not_used("a cosigned state", seen))
        else:
            found += seen
    return found, said


def _not_used(what: str, fault: Fault) -> Finding:
    return Finding("NOT_USED", Weight.UNDECIDED, f"NOT USED: {what} that was given: {fault.sentence}")


def _bases(folder: Path, vaults: Iterable[str]) -> list[Path]:
    """The folder itself where it holds logs' names, else where a backup place keeps them."""
    tried = [folder, folder / "anchors", *(folder / "notevault" / vault / "anchors" for vault in sorted(vaults))]
    return [one for one in tried if any(kind == "folder" and ORIGIN.fullmatch(name) for name, kind in names(one))]


def _listed(folder: Path) -> tuple[list[tuple[int, str]], int]:
    """Size and name of the longest anchors, and the number of other files."""
    found: list[tuple[int, str]] = []  # a heap: the shortest is the first to go
    strange = 0
    for count, (name, kind) in enumerate(names(folder)):
        parsed = anchor.parse_name(name)
        if count >= _MAX_NAMES or parsed is None or kind != "file":
            strange += not name.startswith(".tmp-")
        elif len(found) < _LISTED:
            heapq.heappush(found, (parsed[0], name))
        else:
            heapq.heappushpop(found, (parsed[0], name))
    return found, strange


def _some(listed: list[tuple[int, str]]) -> list[str]:
    """All; of very many, the longest and some of the others: each longer state covers the shorter ones it continues."""
    listed.sort()
    if len(listed) <= MOST:
        return [name for _, name in listed]
    half = MOST // 2
    older, step = listed[:-half], max(1, (len(listed) - half) // half)
    return [name for _, name in [*older[::step][:half], *listed[-half:]]]
