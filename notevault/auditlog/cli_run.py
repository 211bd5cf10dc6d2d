"""One check, as `check`, `entries` and `cosign` all make it: gather what is held against the log, judge, remember."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from . import card, state
from .cli_evidence import (
    Pinned,
    anchors_from,
    card_from,
    check_state,
    cosigned_from,
    disclosure_from,
    state_from,
    witness_from,
)
from .cli_files import may_write
from .cli_stop import CANNOT_WRITE, UNDECIDED, USAGE, Stop
from .cli_tools import Tools, audited, opened
from .fault import Fault
from .folder import folder_reader
from .layout import Layout
from .outcome import LogReport, VaultVerdict
from .vaultcheck import check_vault
from .verdict import Weight

NOT_VOUCHED = {"UNPINNED", "WRONG_CARD", "NO_CARD"}  # undecided findings that say: we do not know whose log it is


@dataclass
class Evidence:
    """The folder, and what the auditor holds against it."""

    layout: Layout
    pinned: Pinned | None = None
    state_path: Path | None = None
    state: state.State | None = None
    anchors: list[Path] = field(default_factory=list)
    cosigned: list[bytes] = field(default_factory=list)
    witnesses: list[str] = field(default_factory=list)
    disclosure: bytes | None = None

    @property
    def untouchable(self) -> tuple[Path, ...]:
        """Folders in which nothing may be written."""
        return (*audited(self.layout), *self.anchors)


def gather(given: argparse.Namespace, tools: Tools) -> Evidence:
    """Reads everything that the options name, before the long part of the work. Options that a command does not have
    count as not given.
    """
    found = Evidence(opened(given.folder, tools.say))
    if getattr(given, "card", None) is not None:
        found.pinned = card_from(given.card)
    found.anchors = [anchors_from(name) for name in getattr(given, "anchors", ())]
    if getattr(given, "state", None) is not None:
        found.state_path = Path(given.state)
        may_write(found.state_path, "the state file", found.untouchable)
        found.state = state_from(found.state_path)
    if found.state is not None:
        check_state(found.state, Path(given.state), _vaults(found))
    found.cosigned = [cosigned_from(Path(name)) for name in getattr(given, "cosigned", ())]
    found.witnesses = [witness_from(text) for text in getattr(given, "witness", ())]
    if bool(found.witnesses) != bool(found.cosigned):
        raise Stop(
            USAGE, "--cosigned and --witness go together.", "The one is a signed state, the other the key that signed."
        )
    if getattr(given, "disclosure", None) is not None:
        found.disclosure = disclosure_from(Path(given.disclosure))
    return found


def _vaults(evidence: Evidence) -> list[str]:
    """Which vault it is by the auditor's card, else by the cards in the folder: as they say, nothing is verified."""
    texts = [evidence.pinned] if isinstance(evidence.pinned, bytes) else [*_cards(evidence).values()]
    return [one.vault for one in map(card.parse, texts) if isinstance(one, card.Card)]


def _cards(evidence: Evidence) -> dict[str, bytes]:
    """The cards' bytes in the folder, by log."""
    read = {origin: folder_reader(folder)("card") for origin, folder in evidence.layout.logs.items()}
    return {origin: data for origin, data in read.items() if isinstance(data, bytes)}


def judge(evidence: Evidence, tools: Tools, *, log_only: bool) -> VaultVerdict:
    """The check itself. A state file brings the vault's identity and the card's fingerprint: a later visit needs no
    card of its own.
    """
    kept, pinned = evidence.state, evidence.pinned
    if pinned is None and kept is not None and kept.card in map(card.fingerprint, _cards(evidence).values()):
        pinned = kept.card
    return check_vault(
        evidence.layout.root,
        card=pinned,
        vik=None if kept is None else bytes.fromhex(kept.vik),
        seen=[] if kept is None else state.heads(kept),
        anchor_folders=evidence.anchors,
        cosigned=evidence.cosigned,
        witnesses=evidence.witnesses,
        disclosure=evidence.disclosure,
        log_only=log_only,
        verify=tools.verify,
        progress=tools.say.progress,
        now_ms=tools.clock(),
    )


def trusted(evidence: Evidence, verdict: VaultVerdict) -> list[LogReport]:
    """The logs whose state may be remembered or signed: proven, the vault's own, and vouched for from outside."""
    unknown = any(finding.code in NOT_VOUCHED for finding in verdict.of(Weight.UNDECIDED))
    if unknown or (evidence.pinned is None and evidence.state is None):
        return []
    return [log for log in verdict.logs if log.verdict.proven and log.listed is not False]


def advance(evidence: Evidence, verdict: VaultVerdict, tools: Tools) -> str:
    """Bring the state file up to date, if this visit allows it; says in one sentence what became of it. Stop 73.

    Not after tampering: what was seen before stays what the next visit is held against.
    """
    path = evidence.state_path
    if path is None:
        return ""
    if verdict.of(Weight.TAMPERED):
        kept = "not made" if evidence.state is None else "left as it was"
        return f"State file {path}: {kept}, because the log was tampered with."
    logs = trusted(evidence, verdict)
    now = evidence.state or _begin(evidence)
    if not logs or now is None:
        alone = evidence.pinned is None and evidence.state is None
        reason = "without your card nobody vouches for this log" if alone else "the log is not proven"
        return f"State file {path}: not written, because {reason}."
    left_out = 0
    for log in reversed(logs):  # the one that is being written comes first: it is the one that can be cut
        if log.verdict.size:
            if log.current:
                now = state.with_room(now, log.verdict.origin)
            grown = state.with_visit(now, log.verdict.origin, log.verdict.size, log.verdict.root, max(0, tools.clock()))
            if isinstance(grown, Fault):
                left_out += 1
            else:
                now = grown
    if now == evidence.state and not left_out:
        return f"State file {path}: nothing new since your last visit."
    fault = state.save(path, now)
    if fault is not None:
        raise Stop(
            CANNOT_WRITE,
            f"The state file {path} could not be written: {fault.sentence}.",
            "Without it the next visit cannot be compared with this one. Check the disk and run the command again.",
        )
    if left_out:
        raise Stop(
            UNDECIDED,
            f"The state file {path} has room for {state.MAX_LOGS} logs: of {left_out} more nothing was remembered.",
            "Check each of those by itself, with a state file of its own: its folder is in `audit`.",
        )
    kept = "made" if evidence.state is None else "brought up to date"
    return f"State file {path}: {kept}. Keep it, away from this folder, for the next visit."


def _begin(evidence: Evidence) -> state.State | None:
    """The state of a first visit, bound to the card that the auditor brought, or compared by its fingerprint."""
    pinned = evidence.pinned
    data = pinned if isinstance(pinned, bytes) else None
    if isinstance(pinned, str):
        data = next((one for one in _cards(evidence).values() if card.fingerprint(one) == pinned), None)
    begun = state.new(data) if data is not None else None
    return None if isinstance(begun, Fault) else begun
