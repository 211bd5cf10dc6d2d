"""A backup place made by plain copying, without the mirror: what restores are tested against."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from notevault.auditlog import bundle, checkpoint
from notevault.auditlog.fault import Fault
from notevault.backup.places import layout as names
from notevault.storage.layout import BUNDLE


def lay(vault: Path, vault_hex: str, folder: Path) -> Path:
    """The vault's present state in the place `folder`, beside what is there; the place's own folder of this vault."""
    base = names.base(folder, vault_hex)
    base.mkdir(parents=True, exist_ok=True)
    marker = base / names.MARKER
    if not marker.exists():
        marker.write_bytes(names.Marker(hashlib.sha256(str(folder).encode()).hexdigest()[:32], vault_hex).encode())
    for source in [*(vault / "blobs").glob("*/*"), *(vault / "headers").glob("*/*")]:
        _copy(source, base / source.relative_to(vault))
    for log in (vault / "audit").iterdir():
        _log(log, base)
    return base


def _log(log: Path, base: Path) -> None:
    origin = log.name
    signed = (log / "checkpoint").read_bytes()
    state = checkpoint.parse(signed)
    assert not isinstance(state, Fault)
    _copy(log / "card", base / names.card(origin))
    for seal in (log / "seals").glob("*") if (log / "seals").exists() else ():
        _copy(seal, base / names.seal(origin, int(seal.name)))
    for full in (log / "entries").rglob("*") if (log / "entries").exists() else ():
        if full.is_file():
            _copy(full, base / names.audit(origin) / full.relative_to(log))
    start = state.size - state.size % BUNDLE
    if start < state.size:
        found = bundle.split_prefix((log / "open").read_bytes(), state.size - start)
        assert not isinstance(found, Fault)
        part = base / names.part(origin, start, state.size)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(bundle.pack(found[0]))
    anchor = base / names.anchor(origin, state.size, state.root)
    anchor.parent.mkdir(parents=True, exist_ok=True)
    anchor.write_bytes(signed)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy(source, target)


def files_of(vault: Path) -> dict[str, bytes]:
    """Every sealed file and key file below a vault or a place."""
    return {
        str(path.relative_to(vault)): path.read_bytes()
        for folder in ("blobs", "headers")
        for path in (vault / folder).rglob("*")
        if path.is_file()
    }
