"""Putting back what is missing or changed, in the vault and at the places, from whatever copy has the right bytes.

Every file is known by its hash, its signature or the signed root, so any copy will do and none needs to be trusted.
The right bytes are in hand before a wrong file is touched; a wrong file is moved out of the way, never removed. Where
no copy has the right bytes, everything stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from notevault.backup.copies.copies import Copies
from notevault.backup.copies.place import PlaceCopy
from notevault.backup.copies.port import Copy
from notevault.backup.copies.vault import VaultCopy
from notevault.backup.heal.healing import Healing, Progress
from notevault.backup.heal.place import PlaceHealer
from notevault.backup.heal.vault import VaultHealer
from notevault.backup.model import HealReport, PlaceFile, Problem
from notevault.backup.places.ground import Ground
from notevault.backup.places.layout import read_marker
from notevault.backup.source import guard
from notevault.backup.source.source import Source
from notevault.errors import NotevaultError
from notevault.ports import WriteOnce
from notevault.storage.local import LocalState

LOCK_WAIT_S = 30.0


def heal(
    ground: Ground,
    source: Source | None,
    targets: Sequence[tuple[PlaceFile, WriteOnce]],
    others: Sequence[Copy],
    heal_vault: bool,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> HealReport:
    """Heal the places in `targets`, and the vault where that is asked, from each other and from `others`.

    `source` is not needed: the vault is read as one copy among the others. Healed in it: sealed files, key files,
    cards, seals, full bundles; `open` and `checkpoint` only where a copy has all that this laptop ever saw signed. When
    nothing in it is hurt any more, backups go on (`unfrozen`). A file that no copy has is given up only when every
    place that this device knows was asked: then it freezes nothing any more, and `lost` names it.
    Raises NotFound when nothing has a log that can be read; errors of one place become its Problem.
    """
    vault = ground.vault_id
    local = LocalState(ground.files, ground.local)
    found = Healing(progress or (lambda _done, _all: None), stop)
    present = [(place, tree) for place, tree in targets if _is_there(place, tree, vault, found)]
    found.parts = 256 * (len(present) + heal_vault)
    own = VaultCopy(ground.vault_tree, vault)
    given: list[Copy] = [*(PlaceCopy(tree, vault) for _, tree in present), *others]
    known = local.identity()
    complete = True
    if heal_vault:
        healer = VaultHealer(ground, local, own, given, vault, known, found)
        complete = healer.run()
    for number, (place, tree) in enumerate(present):
        rest = [own, *(copy for at, copy in enumerate(given) if at != number)]
        try:
            with ground.places.lock(place.id, LOCK_WAIT_S):
                _heal_place(ground, place, tree, rest, vault, known, found)
        except NotevaultError as fault:
            found.problems.append(Problem("PLACE", place.name, fault.sentence))
    unfrozen = False
    if heal_vault and complete and not stop():
        unfrozen = _thaw(ground, found, {place.id for place, _ in present})
    return HealReport(found.healed, found.aside, tuple(found.lost), unfrozen, tuple(found.problems))


def _is_there(place: PlaceFile, tree: WriteOnce, vault: str, found: Healing) -> bool:
    try:
        if read_marker(tree, vault).place == place.id:
            return True
        found.problems.append(Problem("FOREIGN", place.name, "it is marked as another backup place"))
    except NotevaultError as fault:  # whatever one place has, the others have their turn
        found.problems.append(Problem("PLACE", place.name, fault.sentence))
    return False


def _heal_place(
    ground: Ground,
    place: PlaceFile,
    tree: WriteOnce,
    rest: Sequence[Copy],
    vault: str,
    known: bytes | None,
    found: Healing,
) -> None:
    own = PlaceCopy(tree, vault)
    state = ground.places.state(place.id)
    healer = PlaceHealer(own, tree, Copies(rest, vault, known), Copies([own, *rest], vault, known), found)
    healer.run(state.heads, ground.clock.wall_ms())
    if healer.sound and not found.stop():
        ground.places.take_left(place.id)
        fresh = ground.places.state(place.id)
        if fresh.hurt:
            ground.places.save_state(place.id, replace(fresh, hurt=0))  # `hurt_log` is the next pass's to take back


def _thaw(ground: Ground, found: Healing, asked: set[str]) -> bool:
    """Let backups go on when the vault has everything that can still be had."""
    if found.lost:
        if not {place.id for place in ground.places.all()} <= asked or ground.places.unreadable():
            return False
        guard.give_up(ground.files, ground.places, found.lost)
    if ground.places.frozen() is None:
        return False
    ground.places.thaw()
    return True
