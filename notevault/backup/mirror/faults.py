"""What an error that ended a pass says: of the vault, of the place, or of nothing but ourselves."""

from __future__ import annotations

from notevault.backup import model
from notevault.backup.places import layout as place
from notevault.errors import (
    Busy,
    CannotWrite,
    Damaged,
    DiskFull,
    LogDamaged,
    NotevaultError,
    NoVault,
    OwnFault,
    UnknownFormat,
)
from notevault.ports import Tree


def verdict_of(fault: NotevaultError, tree: Tree, vault: str) -> str:
    """`tree`: the place's, looked at once more; `vault`: 32 hexadecimal digits. Raises nothing of ours."""
    for kind, verdict in (
        ((LogDamaged, NoVault, UnknownFormat), model.SOURCE),
        (OwnFault, model.FAULT),
        (DiskFull, model.FULL),
        (Busy, model.BUSY),
    ):
        if isinstance(fault, kind):
            return verdict
    try:
        place.read_marker(tree, vault)
    except Damaged:
        return model.FOREIGN
    except NotevaultError:
        return model.ABSENT
    if isinstance(fault, CannotWrite):
        return model.READ_ONLY
    return model.PLANTED if isinstance(fault, Damaged) else model.BROKEN
