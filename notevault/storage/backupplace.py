"""Is this folder a backup place rather than a vault? Whoever follows a wrong path must not write into a backup.

A place (FORMAT.md section 13) has `VAULT.json`, `anchors/` or `audit/<log>/parts/`, and no log in it a `checkpoint`,
without which no log can be gone on with. Looked at by names; nothing is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from notevault.errors import Refused
from notevault.formats.ids import is_origin

FOLDER = "notevault"  # in a place, over its vaults
MARKER = "VAULT.json"
_OF_A_VAULT = ("headers", "audit", "blobs")


def found_in(folder: Path) -> Path | None:
    """The vault's folder of a backup place: `folder` itself, or one below it where the place was named, or its
    `notevault`. None for anything else, and for what cannot be looked at.
    """
    try:
        if is_place(folder):
            return folder
        if any((folder / name).exists() for name in _OF_A_VAULT):
            return None
        return next((one for top in (folder / FOLDER, folder) for one in _ids(top) if is_place(one)), None)
    except OSError:
        return None


def is_place(folder: Path) -> bool:
    """Of a vault's folder. Raises OSError."""
    logs = list(_ids(folder / "audit"))
    if any((log / "checkpoint").exists() for log in logs):
        return False
    marked = (folder / MARKER).is_file() or (folder / "anchors").is_dir()
    return marked or any((log / "parts").is_dir() for log in logs)


def refuse(folder: Path) -> None:
    """Refused where `folder` is a backup place, or holds nothing but one."""
    if found_in(folder) is not None:
        raise Refused(
            f"{folder} is a backup place, not a vault. Nothing was written to it.",
            f'`notevault backup restore --from "{folder}" --to NEWFOLDER` makes a vault of it, in a folder that is not'
            " there yet.",
        )


def _ids(folder: Path) -> Iterator[Path]:
    """Folders named like vaults or logs."""
    if folder.is_dir():
        yield from sorted(one for one in folder.iterdir() if is_origin(one.name) and one.is_dir())
