"""What is different when the folder that is checked is a backup place (FORMAT section 13).

A place is filled bit by bit, in whatever order a cloud client brings it, and is now and then behind the vault. So what
is not there *yet* proves nothing: it is undecided, never a pass and never an accusation. What is there and differs
proves what it proves in a vault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from . import card, plain
from .folder import Read, folder_reader
from .layout import Layout, at_a_place
from .note import Verify
from .outcome import Seen
from .placelog import PlaceLog, identity_of
from .verdict import Finding, Weight
from .vouch import on_day, who

_ABSENT = frozenset({"MISSING_LOG", "HEADER_MISSING", "BLOB_MISSING"})
_ROLLED = "ROLLED BACK: "


def reader(layout: Layout, origin: str, verify: Verify, pinned: bytes | None = None) -> Read:
    """Of a log in this folder, as a vault keeps it, whether it lies in a vault or at a place. `pinned`: a card that was
    brought along, which counts before the folder's own.
    """
    folder = layout.logs[origin]
    plainly = folder_reader(folder)
    if not at_a_place(layout, origin):
        return plainly
    identity = identity_of(pinned, origin) or identity_of(plainly("card"), origin)
    return PlaceLog(folder, origin, layout.states, identity, verify)


def readers(layout: Layout, verify: Verify, pinned: bytes | str | card.Card | None = None) -> dict[str, Read]:
    given = pinned if isinstance(pinned, bytes) else None
    return {origin: reader(layout, origin, verify, given) for origin in layout.logs}


def arriving(logs: Mapping[str, Read]) -> list[Finding]:
    """The logs of which a later state is signed here than the one that is all here."""
    found = []
    for origin, log in sorted(logs.items()):
        if isinstance(log, PlaceLog) and log.arriving:
            instead = f"the newest that are, {log.size} entries, were checked" if log.size else "nothing of it is yet"
            text = (
                f"STILL ARRIVING: {log.arriving} entries of log {plain.short(origin)} are signed at this backup place,"
                f" and not all of them are here yet (or some were taken away or damaged); {instead}"
            )
            found.append(Finding("STILL_ARRIVING", Weight.UNDECIDED, text, log.size, log.arriving - 1))
    return found


def within(found: Iterable[Seen], logs: Mapping[str, Read]) -> tuple[list[Seen], list[Finding]]:
    """The states that the place reaches; and, of those beyond, what may be said: a backup may well be older."""
    kept: list[Seen] = []
    beyond: dict[tuple[str, str], Seen] = {}
    for one in found:
        log = logs.get(one.origin)
        if not isinstance(log, PlaceLog) or one.size <= log.size:
            kept.append(one)
        elif one.outside or one.own:
            known = beyond.get((one.origin, one.source))
            beyond[one.origin, one.source] = one if known is None or known.size < one.size else known
        # else one of its own anchors: `arriving` tells of it
    said = []
    for one in beyond.values():
        log = logs[one.origin]
        size = log.size if isinstance(log, PlaceLog) else 0
        text = (
            f"OLDER STATE: {who(one)} saw {plain.count(one.size, 'entry', 'entries')} of log {plain.short(one.origin)}"
            f"{on_day(one)}, this backup place has {size}: a backup made before that, or entries were taken away"
        )
        said.append(Finding("OLDER_STATE", Weight.UNDECIDED, text, size, one.size - 1))
    return kept, said


def judged(finding: Finding) -> Finding:
    """A finding about a place: what is only absent there is no proof."""
    if finding.weight is not Weight.TAMPERED:
        return finding
    if finding.code in _ABSENT:
        text = f"{finding.sentence}: still arriving at this backup place, or taken away"
        return replace(finding, weight=Weight.UNDECIDED, sentence=text)
    if finding.code == "ROLLED_BACK":
        text = f"OLDER STATE: {finding.sentence[len(_ROLLED) :]}: not all is here yet, or entries were taken away"
        return replace(finding, code="OLDER_STATE", weight=Weight.UNDECIDED, sentence=text)
    return finding
