"""A look at the vault, as every pass begins with one."""

from __future__ import annotations

from notevault.backup.places.ground import Ground
from notevault.backup.source import bringing
from notevault.backup.source.keyfiles import remembered
from notevault.backup.source.source import Source, read_source
from notevault.errors import LogDamaged
from notevault.storage.layout import LocalPaths


def read_vault(ground: Ground) -> Source:
    """A look at the vault that this device knows, by id and the identity it had last. Raises as `read_source`.

    A log that does not hold may be one that was just being brought in: that is finished first.
    """
    try:
        return _read(ground)
    except LogDamaged:
        if not bringing.finish(ground):
            raise
    return _read(ground)


def _read(ground: Ground) -> Source:
    vik = remembered(ground.files, LocalPaths(ground.local))
    return read_source(ground.files, ground.vault, ground.places.root / "live", vik=vik, vault_id=ground.vault_id)
