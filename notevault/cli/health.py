"""What the system says about the places that matter: permissions, synced folders, room on the disk, this process."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from notevault.adapters.harden import Hardening
from notevault.adapters.volumes_cloud import cloud_of
from notevault.app.doctoring import Item

LOW_SPACE = 256 << 20  # bytes: some 50,000 notes, and room for a snapshot while it is replaced
NAMED = 5  # paths with wide permissions that are named one by one


def _too_wide(top: Path) -> Iterator[Path]:
    """Folders wider than 0700 and files wider than 0600, at and below `top`; links are named too."""
    pending = [top]
    while pending:
        path = pending.pop()
        try:
            seen = path.lstat()
        except OSError:
            continue
        if stat.S_ISLNK(seen.st_mode) or stat.S_IMODE(seen.st_mode) & 0o077 or seen.st_uid != os.geteuid():
            yield path
        if stat.S_ISDIR(seen.st_mode):
            try:
                pending += [Path(each.path) for each in os.scandir(path)]
            except OSError:
                yield path


def permissions(places: list[tuple[str, Path]]) -> Item:
    if sys.platform == "win32":
        return Item("permissions", "unknown", "Not looked at on Windows: the folders are inside your own profile.")
    wide = [path for _, top in places if top.exists() for path in _too_wide(top)]
    if not wide:
        return Item("permissions", "good", "Only you can read the vault's files (folders 0700, files 0600).")
    named = ", ".join(str(path) for path in wide[:NAMED]) + (
        f" and {len(wide) - NAMED} more" if len(wide) > NAMED else ""
    )
    tops = " ".join(str(top) for _, top in places if any(path.is_relative_to(top) for path in wide))
    return Item(
        "permissions",
        "warn",
        f"Others may get at these, or they are links or not yours: {named}.",
        f"chmod -R go-rwx {tops}",
    )


def place(vault: Path) -> Item:
    service = cloud_of(vault.resolve())
    if service is None:
        return Item("place", "good", "The vault does not lie in a folder that a cloud service keeps in step.")
    return Item(
        "place",
        "warn",
        f"The vault seems to lie in a folder that {service} keeps in step: two computers could change it at once, and"
        " the service could put an older state back.",
        "Move the vault to a folder of this computer alone, and let the service carry backups only.",
    )


def space(vault: Path) -> Item:
    folder = next((each for each in (vault, *vault.parents) if each.exists()), Path("/"))
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return Item("disk", "unknown", "The system does not say how much room there is.")
    words = f"{free / 1e9:,.1f} GB are free." if free >= 1e9 else f"{free / 1e6:,.0f} MB are free."
    if free < LOW_SPACE:
        return Item("disk", "warn", words, "Free some space: a full disk cannot take new notes.")
    return Item("disk", "good", words)


def process(hardening: Hardening, memory_locked: bool) -> list[Item]:
    """What this process could do for itself; the same holds for every start."""
    words = {True: "done", False: "refused by the system", None: "not to be had on this system"}
    state = {True: "good", False: "warn", None: "unknown"}
    items = [
        Item("core files", state[hardening.no_core], f"No core files: {words[hardening.no_core]}."),
        Item(
            "other programs",
            state[hardening.not_dumpable],
            f"Memory closed to other programs of this user: {words[hardening.not_dumpable]}.",
        ),
    ]
    if memory_locked:
        items.append(Item("memory", "good", "Kept out of swap."))
    else:
        items.append(
            Item(
                "memory",
                "note",
                "It may be written to swap or a hibernation file while the vault is open.",
                "Encrypt the whole disk, or at least swap.",
            )
        )
    return items
