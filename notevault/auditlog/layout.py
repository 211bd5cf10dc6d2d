"""Where things lie in a folder that an auditor was handed: a vault, a backup place, its logs alone, or a single log."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from . import card, checkpoint, plain
from .fault import Fault
from .folder import names, read_file

ORIGIN = re.compile(r"[0-9a-f]{32}")
_MAX_LISTED = 100_000  # names looked at to find out what a folder is
MAX_LOGS = 1000  # a log per laptop and restore: no practice has a tenth of that
_KNOWN = frozenset({"audit", "headers", "blobs", "anchors", "VAULT.json", "quarantine"})  # the last three in backups
_STAGE, _TEMPORARY = ".stage-", ".tmp-"
_OF_A_LOG = frozenset({"card", "checkpoint", "open", "hashes", "entries", "parts", "seals"})


@dataclass
class Layout:
    """`kind`: vault · place (a vault's folder in a backup place) · audit (the logs alone) · log (one alone). Absent
    folders are None.
    """

    kind: str
    root: Path
    logs: dict[str, Path] = field(default_factory=dict)  # by origin; a folder each, whatever it holds
    headers: Path | None = None
    blobs: Path | None = None
    anchors: Path | None = None
    states: Path | None = None  # as `anchors`, also where `audit` or one log was named
    strays: int = 0  # files and folders that have no business here
    refused: list[str] = field(default_factory=list)  # links and the like where something of ours belongs, in words
    refused_logs: set[str] = field(default_factory=set)  # the names of logs among them
    named: Path | None = None  # the folder as it was named, where the logs lie further down in it
    more_logs: int = 0


def find(folder: str | os.PathLike[str]) -> Layout | Fault:
    """Codes NO_FOLDER, NO_LOG. The folder itself may be reached through a link; nothing below it."""
    try:
        root = Path(os.path.realpath(folder))
        if not stat.S_ISDIR(os.stat(root).st_mode):  # noqa: PTH116
            return Fault("NO_FOLDER", "it is not a folder")
    except FileNotFoundError:
        return Fault("NO_FOLDER", "it is not there")
    except (OSError, ValueError) as error:
        return Fault("NO_FOLDER", getattr(error, "strerror", None) or "it cannot be looked at")
    found = _find(root)
    if not isinstance(found, Fault):
        found.named = root
    return found


def around(found: Layout) -> Path:
    """The whole vault's folder, even where one of its logs, or its logs alone, were named."""
    root = found.root
    above = {"log": root.parent.parent, "audit": root.parent}.get(found.kind, root)
    return above if (above / "audit").is_dir() and (above / "headers").is_dir() else root


def _find(root: Path) -> Layout | Fault:
    if os.path.lexists(root / "audit"):
        return _vault(root)
    if _is_folder(root / "notevault"):  # where a backup place keeps its vaults
        vaults = [name for name, kind in names(root / "notevault") if kind == "folder" and ORIGIN.fullmatch(name)]
        if len(vaults) == 1:
            return _find(root / "notevault" / vaults[0])
        if vaults:
            return _several(len(vaults))
    inside = [name for name, _ in islice(names(root), _MAX_LISTED)]
    if any(name in _OF_A_LOG for name in inside):
        return Layout("log", root, {_origin(root): root}, states=_states(root.parent.parent))
    logs = [name for name in inside if ORIGIN.fullmatch(name)]
    if logs and all(_holds_a_vault(root / name) for name in logs):  # the folder `notevault` of a backup place
        return _vault(root / logs[0]) if len(logs) == 1 else _several(len(logs))
    if logs:
        found = Layout("audit", root, states=_states(root.parent))
        _logs(found, root)
        return found
    return Fault("NO_LOG", "there is no log in it")


def _several(count: int) -> Fault:
    return Fault("NO_LOG", f"{plain.count(count, 'vault')} lie in it: name one of them")


def _holds_a_vault(folder: Path) -> bool:
    return _is_folder(folder / "audit") and not any(os.path.lexists(folder / name) for name in _OF_A_LOG)


def _states(above: Path) -> Path | None:
    return above / "anchors" if _is_folder(above / "anchors") else None


def _vault(root: Path) -> Layout:
    found = Layout("vault", root)
    for name, kind in names(root):
        if name not in _KNOWN:
            found.strays += not name.startswith((_STAGE, _TEMPORARY))
        elif name != "VAULT.json" and kind != "folder":
            found.refused.append(f"{name} is a link or a file where a folder belongs")
    _logs(found, root / "audit")
    found.headers, found.blobs, found.anchors = (
        root / name if _is_folder(root / name) else None for name in ("headers", "blobs", "anchors")
    )
    found.states = found.anchors
    marked = os.path.lexists(root / "VAULT.json")
    if found.logs and (marked or found.states) and all(at_a_place(found, origin) for origin in found.logs):
        found.kind = "place"
    return found


def at_a_place(found: Layout, origin: str) -> bool:
    """Is this log kept as in a backup place: without a signed state of its own, but with its states beside it? A vault
    that somebody gave a marker keeps its `checkpoint`, and is judged as what it is.
    """
    folder = found.logs[origin]
    if any(os.path.lexists(folder / name) for name in ("checkpoint", "open")):
        return False
    if found.states is not None and _is_folder(found.states / origin):
        return True
    return found.kind != "log" and os.path.lexists(found.root / "VAULT.json")


def _logs(found: Layout, audit: Path) -> None:
    for name, kind in names(audit):
        if not name:
            found.refused.append(f"audit cannot be read: {kind}")
        elif not ORIGIN.fullmatch(name):
            found.strays += not name.startswith(_TEMPORARY)
        elif kind != "folder":
            if len(found.refused) < MAX_LOGS:
                found.refused.append(f"audit/{name} is a link or a file where a folder belongs")
            found.refused_logs.add(name)
        elif len(found.logs) < MAX_LOGS:
            found.logs[name] = audit / name
        else:
            found.more_logs += 1


def _origin(root: Path) -> str:
    """The name of a log whose folder may have been given another one."""
    data = read_file(root, "card", card.MAX_BYTES)
    own = card.parse(data) if isinstance(data, bytes) else None
    if isinstance(own, card.Card):
        return own.origin
    data = read_file(root, "checkpoint", checkpoint.MAX_BYTES)
    signed = checkpoint.parse(data) if isinstance(data, bytes) else None
    if isinstance(signed, checkpoint.Checkpoint):
        return signed.origin
    return root.name if ORIGIN.fullmatch(root.name) else "0" * 32


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False
