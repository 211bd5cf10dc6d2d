"""Logs that should be in the folder and are not, or without what they signed last: who says so, and what it proves.

Nothing but a signed state makes a log one that was judged: an emptied folder, or one whose `checkpoint` is gone, is a
missing log wherever anything speaks of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from . import beyond, plain
from .fault import Fault
from .folder import Read, names
from .headers import HeaderFile
from .layout import Layout
from .outcome import LogReport, Seen
from .verdict import Finding, Weight
from .vouch import on_day, who


def left_of(folder: Path, read: Read, files: Sequence[HeaderFile], current: int, with_card: bool) -> str:
    """What is here, in words, of a log without a signed state that an interrupted beginning does not leave.

    That leaves a card, and after it perhaps a key file and entry 0; the next beginning makes a later key file. `files`:
    its key files, the newest first; `current`: the number of the vault's current one.
    """
    begun, cache = read("open"), read("hashes")
    entries = next(names(folder / "entries"), None) is not None or isinstance(begun, Fault) or bool(cache)
    if isinstance(begun, bytes):
        entries = entries or len(list(islice(beyond.whole(begun), 2))) > 1
    left = ["entries"] * entries + ["seals"] * (next(names(folder / "seals"), None) is not None)
    left += [f"key file {one.seq}" for one in files[:1] if one.seq > current or not with_card]
    return ", ".join(left)


def missing(
    due: Mapping[str, str],
    seen: Mapping[str, Sequence[Seen]],
    left: Mapping[str, str],
    logs: Mapping[str, LogReport],
    judged: Collection[str],
    layout: Layout,
    pinned: bool,
) -> Iterator[Finding]:
    """`due`: logs that should be here, and who says so; `seen`: states of logs; `left`: logs that were used and have no
    signed state, and what is left of them; `judged`: logs that were. Proof is a state that somebody saw, of a log of a
    vault that is `pinned` from outside, in a folder that was listed whole.
    """
    refused = layout.refused
    listed = not layout.more_logs and not any(text.startswith("audit cannot") for text in refused)
    whole = layout.kind != "log" and pinned and listed
    for origin in sorted({*due, *seen, *left} - set(judged)):
        known = max(
            (one for one in seen.get(origin, ()) if one.size), key=lambda one: (one.proven, one.size), default=None
        )
        text, weight = f"MISSING log {plain.short(origin)}", Weight.UNDECIDED
        if known is not None and known.proven:
            entries = plain.count(known.size, "entry", "entries")
            text += f": {who(known)} saw {entries}{on_day(known)}"
            if whole and origin not in layout.refused_logs:
                weight = Weight.TAMPERED
        elif known is not None:
            text += f": {plain.text(known.source, 80)} holds a state of {known.size} entries that needs its card"
        elif origin in due:
            text += f", {due[origin]}"
        elif origin not in left:
            continue
        if origin in logs and logs[origin].listed is not False:
            here = f"; here are still: {left[origin]}" if left.get(origin) else ""
            text += f"; its signed state is not here{here}"
        yield Finding("MISSING_LOG", weight, text)
