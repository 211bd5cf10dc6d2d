"""What `doctor` says of backups: the rule of three copies, on two kinds of things, one of them out of reach.

    copies       the vault, and at least two backup places
    things       a place on the vault's own disk is lost with it
    out of reach one that is not connected most of the time: fire, theft and ransomware reach what is plugged in
    practised    a backup that was never restored is a hope

From what this laptop remembers of its places; nothing is opened, and no key is needed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from notevault.app.doctoring import Item
from notevault.backup import model
from notevault.backup.model import ALARMS, PlaceFile, PlaceState
from notevault.backup.places import Places
from notevault.backup.status import GREEN, STOPPED, PlaceStatus, overall, status_of
from notevault.backup.status_words import DAY, age_words
from notevault.errors import NotevaultError
from notevault.ports import Volumes
from notevault.vault.env import Env
from notevault.vault.survey import Survey

FRESH_MS = 14 * DAY
DRILL_MS = 90 * DAY
_ADD = "`notevault backup add DIR`"
_ONLINE = ("network", "cloud")


def look_backup(env: Env, seen: Survey, volumes: Volumes | None = None) -> list[Item]:
    """`volumes` tells whether a place shares the vault's disk; without it that is not looked at."""
    places = Places(env.files, seen.local.paths.root)
    known = places.all()
    broken = len(places.unreadable())
    items = []
    if broken:
        those = "one backup place" if broken == 1 else f"{broken} backup places"
        items.append(Item("backup", "warn", f"What this laptop knew of {those} cannot be read.", f"{_ADD} once more."))
    if not known:
        step = f"{_ADD} names a folder for it: on a stick, on the network, or kept by a cloud service."
        return [*items, Item("backup", "bad", "There is none: if this computer is lost, so are the notes.", step)]
    now = env.clock.wall_ms()
    offset = env.clock.utc_offset_minutes(now)
    states = [(place, places.state(place.id)) for place in known]
    frozen = places.frozen()
    found = [
        status_of(
            place, state, places.proofs(place.id), frozen, None, now, place.kind == "cloud", offset_minutes=offset
        )
        for place, state in states
    ]
    items += [_state(found, now, offset), _copies(found)]
    items += _shared(known, seen.paths.root, volumes)
    items += [_out_of_reach(states, now), _practised(states, now)]
    return items


def _state(found: Sequence[PlaceStatus], now: int, offset: int) -> Item:
    whole = overall(found, now, offset_minutes=offset)
    state = {"green": "good", "amber": "warn", "red": "bad"}[whole.colour]
    return Item("backup", state, whole.words, whole.next_step if whole.colour != GREEN else "")


def _copies(found: Sequence[PlaceStatus]) -> Item:
    having = [one for one in found if one.state.committed_ms and one.verdict not in ALARMS - STOPPED.keys()]
    if len(having) >= 2:
        return Item("backup copies", "good", f"{len(having)} backup places, and the vault itself.")
    many = "There is one good backup" if having else "No backup place has a good backup at present"
    return Item("backup copies", "warn", f"{many}: two are the rule, since any one of them can fail.", _ADD)


def _shared(known: Sequence[PlaceFile], vault: Path, volumes: Volumes | None) -> list[Item]:
    """Places that go down with the vault's disk."""
    if volumes is None:
        return []
    with contextlib.suppress(NotevaultError):
        home = volumes.of(vault).device
        shared = []
        for place in known:
            with contextlib.suppress(NotevaultError):
                if place.kind != "cloud" and volumes.of(Path(place.path)).device == home:
                    shared.append(place.name)
        if shared:
            names = " and ".join(shared)
            lie = "lies" if len(shared) == 1 else "lie"
            words = f"{names} {lie} on the vault's own disk: when that fails or is stolen, both are gone."
            return [Item("backup disk", "warn", words, f"{_ADD}: on a stick or another disk.")]
        return [Item("backup disk", "good", "No backup place lies on the vault's own disk.")]
    return [Item("backup disk", "unknown", "The system does not say which disk the vault is on.")]


def _out_of_reach(states: Sequence[tuple[PlaceFile, PlaceState]], now: int) -> Item:
    """A fresh copy that nothing on this computer can spoil at present: unplugged, and hardly behind."""
    best = ""
    for place, state in states:
        away = state.verdict == model.ABSENT and place.kind not in _ONLINE
        last = max(state.passed_ms, state.committed_ms) if state.committed_ms else 0
        if away and not state.hurt and last and (now - last <= FRESH_MS or not state.waiting):
            best = f"{place.name} is unplugged; its backup was made {age_words(now - last)}."
            break
    if best:
        return Item("unplugged backup", "good", best)
    return Item(
        "unplugged backup",
        "warn",
        "No unplugged backup is newer than 14 days: fire, thieves and ransomware reach all that is connected.",
        "Back up to a stick, unplug it, and keep it in another building; two sticks that take turns are best.",
    )


def _practised(states: Sequence[tuple[PlaceFile, PlaceState]], now: int) -> Item:
    last = max(state.drill_ms for _, state in states)
    step = "`notevault backup drill` takes a few minutes and writes nothing."
    if not last:
        return Item("practice restore", "warn", "A restore was never practised, so nobody knows that it works.", step)
    if now - last > DRILL_MS:
        return Item("practice restore", "warn", f"The last one was {age_words(now - last)}.", step)
    return Item("practice restore", "good", f"The last one was {age_words(now - last)}, and all was there.")
