"""Adding a backup place: everything that can be wrong with a folder is said before anything is written to it.

The marker is written once and durable before this device remembers the place, so a process that dies in between leaves
a place that the next `add` takes up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from notevault.backup.model import PlaceFile
from notevault.backup.places.layout import FOLDER, MARKER, READ_ME, README, Marker, base, look_for
from notevault.backup.places.patience import PATIENCE_S, in_time
from notevault.backup.places.registry import Places, is_emptied
from notevault.errors import Busy, CannotWrite, Damaged, DiskFull, NotevaultError, NotFound, Refused, UsageFault
from notevault.formats.ids import is_origin as is_id
from notevault.ports import Entropy, Files, Volume, Volumes, WriteOnce

NAME_LIMIT = 60
"""Characters. A name stands in a line of the status, beside a dozen other words."""
FORGET_S = 5.0
_ANOTHER = "Choose another folder, best on a stick or a disk of its own."
Open = Callable[[Path], WriteOnce]


@dataclass(frozen=True)
class Added:
    place: PlaceFile
    fresh: bool  # false: it was a backup place of this vault before
    remarks: list[str]  # what to know about it; sentences


def add(
    files: Files,
    places: Places,
    vault_root: Path,
    local_root: Path,
    vault: str,
    folder: Path,
    name: str | None,
    volumes: Volumes,
    open_tree: Open,
    entropy: Entropy,
    now_ms: int,
) -> Added:
    """Make `folder` a backup place of the vault, or take it up when it is one.

    Raises UsageFault (folder or name cannot be used as given), NotFound (no such folder), Refused (it may not be one:
    inside the vault, around it, a clone), CannotWrite, DiskFull, StorageFault, Damaged (its marker does not read or is
    of another vault). After any of them this device knows no more places than before.
    """
    del files  # everything is written through `places` and `open_tree`
    wanted = None if name is None else _check_name(name)
    folder = _chosen(folder, vault)
    _check_where(folder, vault_root, local_root)
    volume = volumes.of(folder)
    marker = _marker_in(open_tree, folder, vault)
    known = None if marker is None else next((p for p in places.all() if p.id == marker.place), None)
    remarks: list[str] = []
    deleted: list[PlaceFile] = []
    if known is None:
        if marker is None:
            deleted = [each for each in places.all() if Path(each.path) == folder and is_emptied(each, volumes)]
        if deleted and wanted in (None, deleted[0].name):
            wanted = deleted[0].name
        else:
            wanted = _free_name(places, wanted, volume, folder)
        remarks += _once_here(places, folder, deleted)
        if marker is not None:
            remarks.append("Backups of this vault lie there already; they are kept, and used.")
        fresh = marker is None
        marker = marker or _mark(open_tree, folder, volume, Marker(entropy.draw(16).hex(), vault), now_ms)
        place = PlaceFile(marker.place, wanted, str(folder), volume.kind, now_ms, volume.identity)
    else:
        _refuse_clone(open_tree, known, folder, vault)
        wanted = known.name if wanted in (None, known.name) else _free_name(places, wanted, volume, folder)
        fresh = False
        if Path(known.path) == folder:
            remarks.append("This folder is a backup place already.")
        else:
            remarks.append(f"This is the backup place {known.name}, at another path than before; that is noted.")
        place = replace(known, name=wanted, path=str(folder), kind=volume.kind, volume=volume.identity)
    others = [each for each in places.all() if each.id != place.id and each not in deleted]
    remarks += _remarks(others, place, folder, volume, vault_root, volumes)
    places.save(place)
    for each in deleted:
        with contextlib.suppress(Busy), places.lock(each.id, FORGET_S):  # else it stays, and can be removed by name
            places.forget(each.id)
    return Added(place, fresh, remarks)


# What the folder must be


def _chosen(folder: Path, vault: str) -> Path:
    """The folder, its links followed. Where somebody names a folder that we made, the one around it is meant."""
    try:
        found = folder.resolve(strict=True)
        is_folder = found.is_dir()
    except FileNotFoundError:
        raise NotFound("There is no such folder.", "Make it first, or plug in the stick that it is on.") from None
    except (OSError, RuntimeError, ValueError):
        raise UsageFault("That folder cannot be opened.", _ANOTHER) from None
    if not is_folder:
        raise UsageFault("That is no folder.", "Name the folder that the backups are to lie in.")
    try:
        str(found).encode()
    except UnicodeEncodeError:
        raise UsageFault("The path of that folder has characters that are none.", _ANOTHER) from None
    for around in (found, *found.parents):
        if around.name == FOLDER and _has(around / vault / MARKER):
            if found not in (around, around / vault):
                raise Refused("That folder belongs to the backups of a backup place.", _ANOTHER)
            return around.parent
    return found


def _has(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:
        return False
    return True


def _check_where(folder: Path, vault_root: Path, local_root: Path) -> None:
    if _within(folder, vault_root):
        raise Refused("That folder lies inside the vault: a backup there would be lost together with it.", _ANOTHER)
    if _within(vault_root, folder):
        raise Refused(
            "The vault itself lies inside that folder, so the backup would be beside what it is to replace.",
            f"{_ANOTHER} A folder of its own next to the vault would do as well.",
        )
    if _within(folder, local_root):
        raise Refused("That folder is one that notevault keeps for this laptop alone.", _ANOTHER)


def _within(inner: Path, outer: Path) -> bool:
    """Also by another spelling, a link or a second mount: folders are compared by what they are, where they exist."""
    return any(_same(each, outer) for each in (inner, *inner.parents))


def _same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


# The marker


def _marker_in(open_tree: Open, folder: Path, vault: str) -> Marker | None:
    try:
        return look_for(open_tree, folder, vault)[1]
    except NotFound:
        return None


def _mark(open_tree: Open, folder: Path, volume: Volume, marker: Marker, now_ms: int) -> Marker:
    """Write the marker; the one that is there, when another laptop of this vault was faster."""
    if volume.read_only:
        raise CannotWrite("That folder is on something that can only be read.", _ANOTHER)
    try:
        open_tree(folder).make_folders([f"{FOLDER}/{marker.vault}"])
        upper = open_tree(folder / FOLDER)
        with contextlib.suppress(Damaged):  # another version's read-me: it stays
            upper.add(READ_ME, README)
        upper.sweep(now_ms)
        try:
            open_tree(base(folder, marker.vault)).add(MARKER, marker.encode(), read_back=True)
        except Damaged:
            return look_for(open_tree, folder, marker.vault)[1]
        # Looked for again by the way that every backup takes: what cannot be found again is no backup place
        found = look_for(open_tree, folder, marker.vault)[1]
    except DiskFull:
        raise DiskFull("There is no room at all in that folder.", "Free some space there, or choose another.") from None
    except (CannotWrite, NotFound):  # /proc and its like say that what is to be made is not there
        raise CannotWrite("notevault may not write to that folder.", _ANOTHER) from None
    return found


def _refuse_clone(open_tree: Open, known: PlaceFile, folder: Path, vault: str) -> None:
    """The same mark in two folders: whatever is then learned of one would be believed of the other."""
    before = Path(known.path)
    if _same(before, folder):
        return
    try:
        marker = look_for(open_tree, before, vault)[1]
    except NotevaultError:
        return
    if marker.place == known.id:
        raise Refused(
            f"That folder is a copy of the backup place {known.name}, which is still where it was: the two could not be"
            " told apart.",
            "Keep the copy as a spare (notes can be restored from it), and choose an empty folder for a new place.",
        )


# Names and remarks


def _check_name(name: str) -> str:
    name = name.strip()
    another = "Give it another one: `--name NAME`."
    if not name:
        raise UsageFault("The name is empty.", "Give it one, like `--name USB-Blue`, or leave --name out.")
    if len(name) > NAME_LIMIT:
        raise UsageFault(f"The name is too long: {len(name)} characters, {NAME_LIMIT} at most.", another)
    if not name.isprintable():
        raise UsageFault("The name has characters that cannot be shown.", another)
    if is_id(name):
        raise UsageFault("That name looks like a number that notevault gives to places itself.", another)
    if name.startswith("-"):
        raise UsageFault("A name cannot begin with a dash: commands would take it for an option.", another)
    return name


def _free_name(places: Places, wanted: str | None, volume: Volume, folder: Path) -> str:
    taken = {place.name.casefold() for place in places.all()}
    if wanted is not None:
        if wanted.casefold() in taken:
            raise UsageFault("Another backup place has that name.", "Give this one another name: --name NAME.")
        return wanted
    offered = (volume.name if volume.kind != "fixed" else "") or folder.name
    if volume.kind == "cloud":
        offered = offered.removesuffix("'s folder")  # a name is typed in commands
    offered = "".join(c for c in offered if c.isprintable()).strip(" -")[: NAME_LIMIT - 4].strip() or "Backup"
    if is_id(offered):
        offered = "Backup"
    name, number = offered, 1
    while name.casefold() in taken:
        number += 1
        name = f"{offered} {number}"
    return name


def _once_here(places: Places, folder: Path, deleted: Sequence[PlaceFile]) -> list[str]:
    return [
        f"The backup of {place.name} that was in this folder is gone; a new one begins here, in its stead."
        for place in deleted
    ] + [
        f"The backup place {place.name} was at this path before, and is not the one that is there now."
        for place in places.all()
        if Path(place.path) == folder and place not in deleted
    ]


def _remarks(
    others: Sequence[PlaceFile], place: PlaceFile, folder: Path, volume: Volume, vault_root: Path, volumes: Volumes
) -> list[str]:
    remarks = []
    home = _volume(volumes, vault_root)
    alone = volume.kind not in ("cloud", "memory")  # a service has a copy elsewhere; of memory, worse is said below
    if home is not None and home.device == volume.device and alone:
        remarks.append(
            "It is on the same disk as the vault: that helps against mistakes, not when the disk fails or the laptop is"
            " gone. Add a place elsewhere as well."
        )
    for other in others:
        if "cloud" in (volume.kind, other.kind):
            continue
        there, has = in_time(("beside", other.id), partial(_look_at, volumes, Path(other.path)), PATIENCE_S) or _UNSEEN
        if there is not None and there.device == volume.device and has:
            remarks.append(f"It is on the same disk as the backup place {other.name}: the two are one copy, not two.")
        elif volume.identity is not None and volume.identity == other.volume and there is None:
            remarks.append(f"It is the disk of the backup place {other.name}: the two are one copy, not two.")
    if volume.kind == "cloud":
        remarks.append(
            f"It lies in {volume.name or 'a cloud folder'}: notevault sees when the sealed files are handed over there,"
            " not when they have arrived at the service."
        )
    if volume.kind == "memory":
        remarks.append("It is in this computer's memory: it will be gone at the next start. Add a real place as well.")
    if home is not None and home.kind == "cloud":
        remarks.append(
            "The vault itself lies in a folder that a cloud service keeps in step, which is not safe: move the vault to"
            " a folder of this computer alone."
        )
    return remarks


_UNSEEN: tuple[Volume | None, bool] = None, False


def _look_at(volumes: Volumes, folder: Path) -> tuple[Volume | None, bool]:
    return _volume(volumes, folder), _has(folder / FOLDER)


def _volume(volumes: Volumes, folder: Path) -> Volume | None:
    try:
        return volumes.of(folder)
    except NotevaultError:
        return None
