"""What this device remembers of backups, where something else lies in its place: put aside, and made anew.

What lay there is renamed into `<local>/set-aside/undated/`, whatever it is (a folder, a link): nothing is deleted.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from notevault.errors import Damaged, NotevaultError
from notevault.ports import Files

UNKEPT = "this laptop's own disk is full or takes nothing, so it cannot remember what was done here: free some space"
_NAMES = 100


def put_aside(files: Files, path: Path) -> bool:
    """`path` lies in `<local>/backup`, or in a folder there. Whether nothing lies there any more."""
    local = next((above for above in path.parents if above.name == "backup"), path.parent).parent
    folder = local / "set-aside" / "undated"
    with suppress(NotevaultError, OSError):
        files.make_folder(folder)
        for number in range(1, _NAMES):
            with suppress(Damaged):  # that name is taken
                files.move(path, folder / f"backup-{path.name}-{number}")
                return True
    return False


def put(files: Files, path: Path, data: bytes) -> None:
    """Durable; in place of whatever lies there. Raises CannotWrite, DiskFull, StorageFault, Damaged."""
    files.make_folder(path.parent)
    try:
        files.replace(path, data)
    except Damaged:
        if not put_aside(files, path):
            raise
        files.replace(path, data)
