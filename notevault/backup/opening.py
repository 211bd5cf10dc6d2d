"""Finding copies of a vault in the folders that somebody names: a stick, its `notevault`, a vault's own folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from notevault.backup import place
from notevault.backup.copy_place import PlaceCopy
from notevault.backup.copy_port import Copy
from notevault.backup.copy_vault import VaultCopy
from notevault.errors import Damaged, NotFound, Refused
from notevault.formats.ids import is_origin
from notevault.ports import Tree

OpenTree = Callable[[Path], Tree]


def find_copies(folders: Sequence[Path], open_tree: OpenTree, vault: str | None) -> tuple[list[Copy], str]:
    """The copies of one vault, and its id. NotFound, Refused as `copies.open_copies`."""
    found: list[tuple[str, Copy]] = []
    for folder in folders:
        here = _in(folder, open_tree)
        if not here:
            raise NotFound(
                f"There is no backup of a vault in {folder}.",
                f"Name the folder in which `{place.FOLDER}` lies, or the folder of a vault.",
            )
        found += here
    known = {name for name, _ in found if name}
    if vault is None:
        if len(known) > 1:
            raise Refused(
                f"There are backups of {len(known)} vaults: {', '.join(sorted(known))}.",
                "Say with `--vault-id` which one you mean.",
            )
        vault = next(iter(known), "")
    mine: list[Copy] = []
    for name, copy in found:
        if name == vault and not any(str(other.name) == str(copy.name) and type(other) is type(copy) for other in mine):
            mine.append(copy)
    if not vault or not mine:
        raise NotFound("There is no backup of that vault.", f"There are: {', '.join(sorted(known)) or 'none'}.")
    return mine, vault


def _in(folder: Path, open_tree: OpenTree) -> list[tuple[str, Copy]]:
    """What lies in a folder, or in the folders of vaults below it, with the vault it says it is of."""
    tree = open_tree(folder)
    here = _at(tree, folder.name)
    if here:
        return here
    names = tree.names("")
    if place.FOLDER in names:
        return _below(folder / place.FOLDER, open_tree)
    return _below(folder, open_tree)


def _below(folder: Path, open_tree: OpenTree) -> list[tuple[str, Copy]]:
    found: list[tuple[str, Copy]] = []
    for name in sorted(open_tree(folder).names("")):
        if is_origin(name):
            try:
                found += _at(open_tree(folder / name), name)
            except (Damaged, NotFound):  # a link or a file of that name
                continue
    return found


def _at(tree: Tree, name: str) -> list[tuple[str, Copy]]:
    """A place, told by its marker or its anchors (somebody may have destroyed either), or a vault's own folder."""
    names = tree.names("")
    if not names & {place.MARKER, place.ANCHORS, place.AUDIT, place.HEADERS}:
        return []
    if names & {place.MARKER, place.ANCHORS}:
        copy = PlaceCopy(tree)
        vault = name if is_origin(name) else _marked(tree) or copy.vault()
        return [(vault, PlaceCopy(tree, vault))]
    own = VaultCopy(tree)
    vault = own.vault()
    return [(vault, own)] if vault else []


def _marked(tree: Tree) -> str:
    try:
        return place.Marker.decode(tree.read(place.MARKER, limit=place.MARKER_LIMIT)).vault
    except (NotFound, Damaged):
        return ""
