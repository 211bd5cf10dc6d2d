"""How safe what was saved is at this moment: what `backup status` and `doctor` say, so that both say the same.

What waits is counted from the vault's own log, and whether a place is there is looked at now, not remembered. A place
that hangs is waited for a moment only. Nothing is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from notevault.backup import model
from notevault.backup.model import PlaceFile, PlaceState
from notevault.backup.places.forms import Frozen
from notevault.backup.places.ground import Ground
from notevault.backup.places.layout import base, read_marker
from notevault.backup.places.registry import is_emptied
from notevault.backup.source import guard
from notevault.backup.source.reading import read_vault
from notevault.backup.source.source import Source
from notevault.backup.status.status import Overall, PlaceStatus, overall, status_of
from notevault.errors import NotevaultError, NotFound
from notevault.ports import Tree, Volume, Volumes

PATIENCE_S = 2.0
"""For a place to say whether it is there: a network folder that hangs must not hang the status."""


@dataclass(frozen=True)
class Here:
    """What a place answered just now. `volume`: what its folder lies on; None where the system does not say."""

    there: bool
    volume: Volume | None = None
    emptied: bool = False  # the disk that it was on is there, and the place is not


@dataclass(frozen=True)
class Overview:
    """`here`: by id, without the places that did not answer in time. `fault`: why the vault itself does not read, or
    what of its log a look for what waits found damaged.
    """

    places: tuple[PlaceStatus, ...]
    here: Mapping[str, Here]
    frozen: Frozen | None
    fault: str
    home: Volume | None  # what the vault lies on
    unreadable: int  # places of which this device's own memory does not read
    now_ms: int
    offset_minutes: int
    lost: int = 0  # saved files that no copy had when they were to be healed

    def whole(self) -> Overall:
        return overall(self.places, self.now_ms, offset_minutes=self.offset_minutes, lost=self.lost)


def look(
    ground: Ground, open_tree: Callable[[Path], Tree], volumes: Volumes, *, patience_s: float = PATIENCE_S
) -> Overview:
    """Raises what this device's own memory raises; nothing for a vault, a log of it or a place that does not hold."""
    now = ground.clock.wall_ms()
    offset = ground.clock.utc_offset_minutes(now)
    source: Source | None = None
    fault = ""
    try:
        source = read_vault(ground)
    except NotevaultError as error:
        fault = error.sentence
    places, frozen = ground.places.all(), ground.places.frozen()
    states = {place.id: ground.places.state(place.id) for place in places}
    waits = {} if source is None else {known: source.since(state.heads) for known, state in states.items()}
    fault = next((waiting.fault for waiting in waits.values() if waiting.fault), fault)
    asking = _Asking(ground, open_tree, volumes)
    asking.ask(places, patience_s)
    found = []
    for place in places:
        here = asking.here.get(place.id)
        state = seen_now(states[place.id], here)
        if fault and state.verdict not in model.ALARMS:
            state = replace(state, verdict=model.SOURCE)
        handed = place.kind == "cloud"
        service = here.volume.name if handed and here is not None and here.volume is not None else ""
        found.append(
            status_of(
                place,
                state,
                ground.places.proofs(place.id),
                frozen,
                waits.get(place.id),
                now,
                handed,
                service=service,
                offset_minutes=offset,
                same_disk=len(places) == 1 and _same_disk(place, here, asking.home),
            )
        )
    unreadable = len(ground.places.unreadable())
    lost = len(guard.recall(ground.files, ground.places).lost)
    return Overview(tuple(found), dict(asking.here), frozen, fault, asking.home, unreadable, now, offset, lost)


def _same_disk(place: PlaceFile, here: Here | None, home: Volume | None) -> bool:
    """Of a place that is connected; a cloud service's folder is on this disk and elsewhere as well."""
    if home is None or here is None or here.volume is None or place.kind in ("cloud", "memory"):
        return False
    return here.volume.device == home.device


def seen_now(state: PlaceState, here: Here | None) -> PlaceState:
    """What the last pass found, but whether the place is there as it is now. None: it does not say in time."""
    if here is None:
        return replace(state, verdict=model.SLOW) if state.verdict == model.SAFE else state
    if here.there and state.verdict in (model.ABSENT, model.EMPTIED):
        return replace(state, verdict=model.SAFE if state.committed_ms else model.WAITING)
    if not here.there and state.verdict in (model.SAFE, model.WAITING, model.ABSENT):
        return replace(state, verdict=model.EMPTIED if here.emptied else model.ABSENT)
    return state


@dataclass
class _Asking:
    ground: Ground
    open_tree: Callable[[Path], Tree]
    volumes: Volumes
    here: dict[str, Here] = field(default_factory=dict)
    home: Volume | None = None

    def ask(self, places: list[PlaceFile], patience_s: float) -> None:
        with suppress(NotevaultError):
            self.home = self.volumes.of(self.ground.vault)
        threads = [threading.Thread(target=self._look, args=(place,), daemon=True) for place in places]
        for thread in threads:
            thread.start()
        until = self.ground.clock.boot_ms() + patience_s * 1000
        for thread in threads:
            thread.join(max(0.0, (until - self.ground.clock.boot_ms()) / 1000))

    def _look(self, place: PlaceFile) -> None:
        vault = self.ground.vault_id
        folder = Path(place.path)
        there, volume, emptied = False, None, False
        with suppress(NotevaultError):
            try:
                there = read_marker(self.open_tree(base(folder, vault)), vault).place == place.id
                volume = self.volumes.of(folder) if there else None
            except NotFound:
                emptied = not there and is_emptied(place, self.volumes)
        self.here[place.id] = Here(there, volume, emptied)
