"""The logs and key files of a copy, judged as an auditor would, through `auditlog`, on the entries as they lie."""

from __future__ import annotations

from collections.abc import Iterator

from notevault.auditlog import bundle
from notevault.auditlog.check import Read, examine
from notevault.auditlog.fault import Fault
from notevault.auditlog.verdict import Weight
from notevault.backup.copies.choice import Choice
from notevault.backup.copies.copies import Copies
from notevault.backup.copies.joined import Log
from notevault.backup.model import Problem
from notevault.backup.places import layout as place
from notevault.errors import LogDamaged
from notevault.storage.layout import BUNDLE

PASSED_OVER = ("UNPINNED", "NOT_SEALED")  # whose log it is was settled before; a missing seal is told of as such


def check_logs(copies: Copies, choice: Choice, *, deep: bool) -> Iterator[Problem]:
    """Codes LOG (something that was signed is not there, or what is there does not hold), MISSING and CHANGED (key
    files), FORKED. `deep`: every entry and seal is checked, else only what choosing the state has shown.
    """
    for origin in choice.forked:
        yield Problem("FORKED", place.anchors(origin), "it holds signed states that contradict each other")
    for origin, entries in copies.beyond().items():
        yield Problem("LOG", place.audit(origin), f"{entries} entries that were signed are not there")
    for text in choice.lost:
        if not text.endswith("…"):  # files are looked at one by one
            named = [place.audit(origin) for origin in copies.origins() if f"log {origin[:8]}" in text]
            yield Problem("LOG", named[0] if named else place.AUDIT, f"not there: {text}")
    yield from _key_files(copies, choice)
    if deep:
        for origin, state in choice.states.items():
            try:
                yield from _deep(copies, choice, origin, copies.log(origin, state))
            except LogDamaged as fault:
                yield Problem("LOG", place.audit(origin), fault.sentence)


def _key_files(copies: Copies, choice: Choice) -> Iterator[Problem]:
    """Those that entries name: what is there must be right. That older ones are gone is allowed (FORMAT 7.6)."""
    right = set(choice.headers)
    for origin, facts in choice.facts.items():
        for ref in facts.headers:
            if ref.index >= choice.states[origin].size or ref.name in right:
                continue
            if any(ref.name in copy.headers() for copy in copies.copies):
                yield Problem("CHANGED", place.header(*ref.name), "its bytes are others")


def _deep(copies: Copies, choice: Choice, origin: str, log: Log) -> Iterator[Problem]:
    card = copies.card(origin)
    told = examine(_reader(copies, choice, origin, log), origin, card, copies.viks, copies.verify)
    for finding in told.verdict.findings:
        if finding.weight is not Weight.NOTE and finding.code not in PASSED_OVER:
            yield Problem("LOG", place.audit(origin), finding.sentence)


def _reader(copies: Copies, choice: Choice, origin: str, log: Log) -> Read:
    """The copy's log as if it lay in a vault's folder, with the chosen state as its checkpoint."""
    state, card = choice.states[origin], copies.card(origin)
    full = state.size // BUNDLE
    seals = {f"seals/{number:08d}": number for copy in copies.copies for number in copy.seal_numbers(origin)}
    closed = sum(close.index < state.size for close in choice.facts[origin].closes)
    bundles = {f"entries/{bundle.tile_path(number)}": number for number in range(full)}

    def read(name: str) -> bytes | Fault | None:
        if name == "card":
            return card
        if name == "checkpoint":
            return state.checkpoint
        if name == "open":
            return bundle.pack(log.bundle(full)) if state.size % BUNDLE else None
        if name in bundles:
            return bundle.pack(log.bundle(bundles[name]))
        # Seals of later epochs belong to what arrived since.
        if name in seals and seals[name] < closed:
            return next((data for copy in copies.copies if (data := copy.seal(origin, seals[name])) is not None), None)
        return None

    return read
