"""`backup heal --bring-in`: what an earlier laptop saved after the backup that the vault was restored from."""

from __future__ import annotations

from collections.abc import Sequence

from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.port import Copy
from notevault.backup.elsewhere.bringin import Brought, bring_in, offers
from notevault.backup.places.ground import Ground
from notevault.backup.source.reading import read_vault
from notevault.backup.words.status import BRING_IN, counted
from notevault.cli import asking
from notevault.cli.common import Context
from notevault.errors import NotevaultError
from notevault.ports import Tree


def ask_and_bring(ctx: Context, ground: Ground, trees: Sequence[Tree], others: Sequence[Copy]) -> Brought:
    """With --bring-in, or where it is wanted at the terminal; else it is said that it could be. A vault that does not
    hold is left alone. Raises Busy, DiskFull, CannotWrite, StorageFault.
    """
    try:
        source = read_vault(ground)
    except NotevaultError:
        return Brought()
    copies = [*(PlaceCopy(tree, source.vault) for tree in trees), *others]
    found = offers(ground, source, copies)
    changes, files = sum(one.changes for one in found), sum(one.files for one in found)
    left = sum(one.left for one in found)
    if not changes and not (left or ctx.args.bring_in):
        return Brought()
    if changes and not ctx.args.bring_in and not _wanted(ctx, changes, files):
        return Brought(left=left + changes)
    if not changes and not ctx.args.bring_in:
        return Brought(left=left)
    return bring_in(ground, source, copies, lambda done, total: ctx.out.progress("Bringing in", done, total))


def _wanted(ctx: Context, changes: int, files: int) -> bool:
    what = f"{counted(changes, 'change')} ({counted(files, 'sealed file')})"
    words = f"A backup has {what} that this vault does not have: saved after the backup that it was brought back from."
    if not ctx.can_ask or ctx.args.json:
        ctx.out.warn(f"{words} {BRING_IN}")
        return False
    ctx.out.clear()
    question = "If you went back to an earlier day on purpose, leave them there. Bring them into the vault?"
    return asking.yes(f"{words}\n{question}", default=False)


def brought_words(brought: Brought) -> str:
    if not brought.changes:
        return ""
    were = "was" if brought.changes == 1 else "were"
    return (
        f"{counted(brought.changes, 'change')} ({counted(brought.files, 'new sealed file')}) {were} brought in;"
        " what they hold is there when notevault is unlocked next."
    )
