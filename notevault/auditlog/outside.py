"""States of the logs kept elsewhere, gathered: anchors of backup places, and states that a witness signed too.

Each counts only when the log's own identity key signed it: nobody can make a sound log look changed by laying a file
somewhere. What does not count is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from . import anchor, card, cosign, plain
from .fault import Fault
from .folder import names, read_file
from .layout import ORIGIN
from .note import Verify
from .outcome import Seen
from .verdict import Finding, Weight

MOST = 512  # anchors of one log from one folder: half the longest, half from all the others
_MAX_NAMES = 1_000_000  # looked at in one folder


def anchors(
    folder: Path, logs: Mapping[str, card.Card], verify: Verify, source: str, inside: bool = False
) -> tuple[list[Seen], list[Finding]]:
    """Anchors below `folder`: a folder `anchors`, or the backup place or vault's folder that holds one."""
    found: list[Seen] = []
    odd = 0
    for base in _bases(folder, {one.vault for one in logs.values()}):
        for origin, known in logs.items():
            listed, strange = _listed(base / origin)
            odd += strange
            for name in _some(listed):
                data = read_file(base, f"{origin}/{name}", anchor.MAX_BYTES)
                one = (
                    anchor.check(origin, name, data, known.identity_pub, verify, source)
                    if isinstance(data, bytes)
                    else data
                )
                if isinstance(one, Seen):
                    found.append(Seen(one.origin, one.size, one.root, one.source, one.when, not inside))
                else:
                    odd += 1
    said = []
    if odd:
        text = f"{plain.count(odd, 'file')} among the states kept in {plain.text(source, 80)} prove nothing"
        said.append(Finding("NOT_USED", Weight.NOTE, text))
    if not found and not inside:
        text = f"NOT USED: nothing kept in {plain.text(source, 80)} is of these logs"
        said.append(Finding("NOT_USED", Weight.UNDECIDED, text))
    return found, said


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
    """Size and name of each anchor, and the number of other files."""
    found: list[tuple[int, str]] = []
    strange = 0
    for count, (name, kind) in enumerate(names(folder)):
        parsed = anchor.parse_name(name)
        if count >= _MAX_NAMES or parsed is None or kind != "file":
            strange += not name.startswith(".tmp-")
        else:
            found.append((parsed[0], name))
    return found, strange


def _some(listed: list[tuple[int, str]]) -> list[str]:
    """All; of very many, the longest and some of the others: each longer state covers the shorter ones it continues."""
    listed.sort()
    if len(listed) <= MOST:
        return [name for _, name in listed]
    half = MOST // 2
    older, step = listed[:-half], max(1, (len(listed) - half) // half)
    return [name for _, name in [*older[::step][:half], *listed[-half:]]]
