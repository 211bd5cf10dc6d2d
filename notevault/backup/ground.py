"""What a backup works with: the ports, this device's registry of places, and the vault's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from notevault.backup.identity import remembered
from notevault.backup.places import Places
from notevault.backup.source import Source, read_source
from notevault.errors import LogDamaged
from notevault.ports import Clock, Files, Tree
from notevault.storage.layout import LocalPaths


@dataclass(frozen=True)
class Ground:
    """What a backup needs from outside. `vault_tree`: the vault's folder; `device`: hex16, for the stage's name."""

    files: Files
    clock: Clock
    places: Places
    vault: Path
    vault_tree: Tree
    device: str


def read_vault(ground: Ground) -> Source:
    """A look at the vault that this device knows, by id and the identity it had last. Raises as `read_source`.

    A log that does not hold may be one that was just being brought in: that is finished first.
    """
    try:
        return _read(ground)
    except LogDamaged:
        from notevault.backup.bringin import finish

        if not finish(ground):
            raise
    return _read(ground)


def _read(ground: Ground) -> Source:
    local = ground.places.root.parent
    vik = remembered(ground.files, LocalPaths(local))
    return read_source(ground.files, ground.vault, ground.places.root / "live", vik=vik, vault_id=local.name)
