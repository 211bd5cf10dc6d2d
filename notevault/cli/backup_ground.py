"""Which vault the commands of backups are about, also when hardly anything of it is left."""

from __future__ import annotations

from notevault.adapters.files import DiskFiles
from notevault.backup.places.ground import Ground
from notevault.cli.common import Context
from notevault.errors import NotevaultError, NoVault
from notevault.formats.ids import is_origin as is_id
from notevault.storage.local import LocalState
from notevault.wiring import backup as wired


def ground_of(ctx: Context) -> Ground:
    """By the vault's own files; where none of them reads, by what this laptop remembers to have had in that folder.

    Raises NoVault.
    """
    try:
        return wired.ground_of(ctx.side)
    except NoVault:
        known = remembered(ctx)
        if known is None:
            raise
        return wired.ground_of(ctx.side, known)


def remembered(ctx: Context) -> str | None:
    """The vault that lay in this folder when it was opened last (32 hex digits), if it has backup places."""
    files = DiskFiles()
    try:
        for name in filter(is_id, files.names(ctx.side.local_root)):
            local = LocalState(files, ctx.side.local_root / name)
            if local.place() == str(ctx.side.vault) and wired.ground_of(ctx.side, name).places.all():
                return name
    except NotevaultError:
        pass
    return None


def gone(ctx: Context, fault: NoVault | None = None) -> NoVault:
    """There is no vault any more where one was: not a word of setting up a new one. Else `fault`."""
    if (fault is not None and fault.next_step != NoVault.default_step) or remembered(ctx) is None:
        return fault or NoVault("There is no vault in this folder.")
    return NoVault(
        "The vault that was in this folder is gone, or nothing of it can be read. Its backups are not touched.",
        "`notevault backup heal` puts it back where it was; `notevault backup restore --from DIR --to NEWVAULT` makes a"
        " new one of a backup.",
    )
