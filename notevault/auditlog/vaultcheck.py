"""A whole vault folder judged from outside: its logs, their seals, what was seen of them, its key files, its notes.

Codes of findings beside those of one log (`verdict`), by weight. Tampered: BLOB_CHANGED BLOB_MISSING HEADER_CHANGED
HEADER_MISSING MISSING_LOG (seen before) ROLLED_BACK FORKED. Undecided: NO_FOLDER NO_LOG UNPINNED NO_CARD WRONG_CARD
UNLISTED MISSING_LOG NO_HEADER HEADER_AHEAD NOTES_NOT_CHECKED UNLOGGED_BLOB NOT_USED UNREADABLE MOVING TWO_LAPTOPS
STILL_ARRIVING (and at a backup place what is only absent there).
Notes: FIRST_VISIT NOT_SEALED_YET NOT_ANCHORED HEADER_RETIRED HEADER_UNNAMED LINGERING LOG_ONLY STRAY UNLISTED (begun,
never used) UNLOGGED_BLOB (where nothing else is open) NOT_USED (beside what is used) TWO_LAPTOPS (joined since). Of any
weight: MORE.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Union

from . import ed25519, plain
from .disclosure import Disclosure
from .fault import Fault
from .layout import find
from .note import Verify
from .outcome import Seen, VaultVerdict
from .vaultlook import Given, Look
from .verdict import Finding, Weight

MAX_TRIES = 3  # looks at a vault that is being written to
_UNSURE = ("UNLOGGED_BLOB", "BLOB_MISSING")  # what a writer beside us makes us see

Progress = Callable[[str, int, int], None]
"""`key files`, `log entries` or `bytes of notes`; how many are done; how many there are, as far as is known yet."""
Folder = Union[str, "os.PathLike[str]"]


def check_vault(
    folder: Folder,
    *,
    card: bytes | str | None = None,
    vik: bytes | None = None,
    seen: Iterable[Seen] = (),
    anchor_folders: Sequence[Path] = (),
    cosigned: Sequence[bytes] = (),
    witnesses: Sequence[str] = (),
    disclosure: bytes | Disclosure | None = None,
    log_only: bool = False,
    verify: Verify = ed25519.verify,
    progress: Progress | None = None,
    now_ms: int = 0,
) -> VaultVerdict:
    """Check a vault's folder, a backup place, the folder `audit` alone, or one log's. Never raises for what it finds.

    `card`: the card as known from elsewhere, its bytes or its fingerprint as typed; `vik`: the vault's identity key.
    Without either the verdict is undecided (UNPINNED). `seen`: states of the logs seen before. `anchor_folders`: backup
    places or their folders `anchors`. `cosigned`: files with a state of a log that `witnesses` (their keys as text)
    signed too. `disclosure`: tells which entries are of one client; they go into `disclosed`. `log_only`: leave the
    notes' files alone. `now_ms`: for the record. Times are ms since 1970.
    """
    began = time.perf_counter()
    given = Given(
        card, vik, tuple(seen), tuple(anchor_folders), tuple(cosigned), tuple(witnesses), disclosure, log_only
    )
    verdict = _check(folder, given, verify, progress or (lambda _what, _done, _all: None))
    verdict.checked_ms, verdict.seconds = now_ms, time.perf_counter() - began
    return verdict


def _check(folder: Folder, given: Given, verify: Verify, progress: Progress) -> VaultVerdict:
    for _ in range(MAX_TRIES):
        layout = find(folder)
        if isinstance(layout, Fault):
            text = f"There is nothing to check in {plain.text(str(folder), 200)}: {layout.sentence}"
            return VaultVerdict(findings=[Finding(layout.code, Weight.UNDECIDED, text)], log_only=given.log_only)
        look = Look(given, layout, verify, progress)
        look.run()
        rested = look.verdict.exit_code == 0 and not look.verdict.blobs.unlogged
        if rested or not look.moved():
            return look.verdict
    verdict = look.verdict
    text = "The vault was written to all the while: check it again while it is closed"
    verdict.findings = [
        replace(one, weight=Weight.UNDECIDED) if one.code in _UNSURE else one for one in verdict.findings
    ]
    verdict.findings.append(Finding("MOVING", Weight.UNDECIDED, text))
    return verdict
