"""What a backup works with: the ports, this device's registry of places, and the vault's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from notevault.backup.places.registry import Places
from notevault.ports import Clock, Files, Tree


@dataclass(frozen=True)
class Ground:
    """What a backup needs from outside. `vault_tree`: the vault's folder; `device`: hex16, for the stage's name."""

    files: Files
    clock: Clock
    places: Places
    vault: Path
    vault_tree: Tree
    device: str

    @property
    def local(self) -> Path:
        """The device's own folder of the vault, `<local>/<vault id>` (FORMAT.md section 9)."""
        return self.places.root.parent

    @property
    def vault_id(self) -> str:
        """32 hexadecimal digits."""
        return self.local.name
