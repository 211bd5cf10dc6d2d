"""Finding copies of a vault in the folders that somebody names: a stick, its `notevault`, a vault's own folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.port import Copy
from notevault.backup.copies.there import is_folder, is_there
from notevault.backup.copies.vault import VaultCopy
from notevault.backup.places import layout as place
from notevault.errors import CannotWrite, Damaged, NotevaultError, NotFound, Refused, StorageFault, UsageFault
from notevault.formats.ids import is_origin
from notevault.ports import Tree

OpenTree = Callable[[Path], Tree]
LEAST = 8  # digits by which a vault may be named: so many stand first on its recovery sheet


class Several(Refused):
    """`vaults`: the ids of which one is to be named."""

    def __init__(self, vaults: Sequence[str]) -> None:
        super().__init__(
            f"There are backups of {len(vaults)} vaults: {', '.join(map(spaced, vaults))}.",
            f"Say which one you mean with `--vault-id` and its first {LEAST} digits. A vault's number is printed on its"
            " recovery sheet.",
        )
        self.vaults = tuple(vaults)


def spaced(vault: str) -> str:
    """As on the recovery sheet: groups of four digits."""
    return " ".join(vault[at : at + 4] for at in range(0, len(vault), 4))


def find_copies(folders: Sequence[Path], open_tree: OpenTree, vault: str | None) -> tuple[list[Copy], str]:
    """The copies of one vault, and its id. `vault`: 32 digits, or the first ones (`LEAST`).

    Raises NotFound, Several, UsageFault for a file, Refused where a folder may not be read, StorageFault.
    """
    found: list[tuple[str, Copy]] = []
    for folder in folders:
        if is_there(folder) and not is_folder(folder):
            raise UsageFault(f"{folder} is a file.", f"Name the folder in which `{place.FOLDER}` lies.")
        try:
            here = _in(folder, open_tree)
        except CannotWrite:
            raise Refused(
                f"The system does not let you look into {folder}.",
                "Ask whoever looks after it for the right to read it, or name another folder.",
            ) from None
        if not here:
            raise NotFound(
                f"There is no backup of a vault in {folder}.",
                f"Name the folder in which `{place.FOLDER}` lies, or the folder of a vault.",
            )
        found += here
    known = {name for name, _ in found if name}
    meant = sorted(known) if vault is None else sorted(name for name in known if name.startswith(vault))
    if len(meant) > 1:
        raise Several(meant)
    vault = next(iter(meant), "")
    mine: list[Copy] = []
    for name, copy in found:
        if name == vault and not any(str(other.name) == str(copy.name) and type(other) is type(copy) for other in mine):
            mine.append(copy)
    if not vault or not mine:
        there = ", ".join(map(spaced, sorted(known))) or "none"
        raise NotFound("There is no backup of that vault.", f"There are: {there}.")
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
    unread: NotevaultError | None = None
    for name in sorted(open_tree(folder).names("")):
        if is_origin(name):
            try:
                found += _at(open_tree(folder / name), name)
            except (Damaged, NotFound):  # a link or a file of that name
                continue
            except (CannotWrite, StorageFault) as fault:  # perhaps of somebody else; alone it is no "nothing there"
                unread = fault
    if unread is not None and not found:
        raise unread
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
