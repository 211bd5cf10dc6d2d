"""What `doctor` says of backups: the rule of three copies, on two kinds of things, one of them out of reach.

    copies       the vault, and at least two backup places
    things       a place on the vault's own disk is lost with it
    out of reach one that is not connected most of the time: fire, theft and ransomware reach what is plugged in
    practised    a backup that was never restored is a hope

From the same look as `backup status`, so that the two never contradict each other. No key is needed.
"""

from __future__ import annotations

from notevault.app.doctoring import Item
from notevault.app.drilled import failed_ms
from notevault.backup.model import ALARMS
from notevault.backup.status.overview import Overview
from notevault.backup.status.status import GREEN, STOPPED
from notevault.backup.words.plain import quoted
from notevault.backup.words.status import DAY, age_words

FRESH_MS = 14 * DAY
DRILL_MS = 90 * DAY
_ADD = "`notevault backup add DIR`"
_CAN_BE_AWAY = ("removable", "network", "unknown")
"""Kinds of volume that are out of reach when they are not connected. A folder on a built-in disk that is gone is gone,
as is what was in memory; a cloud service's folder is reached by whatever runs here, connected or not.
"""


def look_backup(seen: Overview) -> list[Item]:
    """`seen` of just now."""
    items = []
    if seen.unreadable:
        those = "one backup place" if seen.unreadable == 1 else f"{seen.unreadable} backup places"
        items.append(Item("backup", "warn", f"What this laptop knew of {those} cannot be read.", f"{_ADD} once more."))
    if not seen.places:
        step = f"{_ADD} names a folder for it: on a stick, on the network, or kept by a cloud service."
        return [*items, Item("backup", "bad", "There is none: if this computer is lost, so are the notes.", step)]
    return [*items, _state(seen), _copies(seen), *_shared(seen), _out_of_reach(seen), _practised(seen)]


def _state(seen: Overview) -> Item:
    """The worst: what `backup status` would have seen to."""
    whole = seen.whole()
    state = {"green": "good", "amber": "warn", "red": "bad"}[whole.colour]
    return Item("backup", state, whole.words, whole.next_step if whole.colour != GREEN else "")


def _copies(seen: Overview) -> Item:
    having = [
        one
        for one in seen.places
        if one.state.committed_ms and one.place.kind != "memory" and one.verdict not in ALARMS - STOPPED.keys()
    ]
    if len(having) >= 2:
        return Item("backup copies", "good", f"{len(having)} backup places, and the vault itself.")
    many = "There is one good backup" if having else "No backup place has a good backup at present"
    return Item("backup copies", "warn", f"{many}: two are the rule, since any one of them can fail.", _ADD)


def _shared(seen: Overview) -> list[Item]:
    """Places that go down with the vault's disk. Only what is connected lies on a disk that can be told."""
    if seen.home is None:
        return [Item("backup disk", "unknown", "The system does not say which disk the vault is on.")]
    shared, apart = [], 0
    for one in seen.places:
        here = seen.here.get(one.place.id)
        if here is None or here.volume is None:
            continue
        same = one.place.kind != "cloud" and here.volume.device == seen.home.device
        shared += [one.place.name] if same else []
        apart += not same
    if shared:
        names = " and ".join(shared)
        lie = "lies" if len(shared) == 1 else "lie"
        words = f"{names} {lie} on the vault's own disk: when that fails or is stolen, both are gone."
        return [Item("backup disk", "warn", words, f"{_ADD}: on a stick or another disk.")]
    if not apart:
        return []  # none is connected: nothing is known of their disks
    return [Item("backup disk", "good", "No backup place lies on the vault's own disk.")]


def _out_of_reach(seen: Overview) -> Item:
    """A fresh copy that nothing on this computer can spoil at present: it is not connected."""
    for one in seen.places:
        here = seen.here.get(one.place.id)
        away = here is not None and not here.there and one.place.kind in _CAN_BE_AWAY
        age = seen.now_ms - one.last_ms
        if away and one.last_ms and age <= FRESH_MS and one.verdict not in ALARMS - STOPPED.keys():
            words = f"{one.place.name} is unplugged; its backup was made {age_words(age)}."
            return Item("unplugged backup", "good", words)
    return Item(
        "unplugged backup",
        "warn",
        "No unplugged backup is newer than 14 days: fire, thieves and ransomware reach all that is connected.",
        "Back up to a stick, unplug it, and keep it in another building; two sticks that take turns are best.",
    )


def _practised(seen: Overview) -> Item:
    failed = [one.place.name for one in seen.places if failed_ms(one.state)]
    if failed:
        at = max(failed_ms(one.state) for one in seen.places)
        words = f"The last one from {failed[0]} failed, {age_words(seen.now_ms - at)}: not all of it came back."
        step = f"`notevault backup status` says what is wrong; then `notevault backup drill {quoted(failed[0])}`."
        return Item("practice restore", "bad", words, step)
    last = max(one.state.drill_ms for one in seen.places)
    step = "`notevault backup drill` takes a few minutes and writes nothing."
    if not last:
        return Item("practice restore", "warn", "A restore was never practised, so nobody knows that it works.", step)
    if seen.now_ms - last > DRILL_MS:
        return Item("practice restore", "warn", f"The last one was {age_words(seen.now_ms - last)}.", step)
    return Item("practice restore", "good", f"The last one was {age_words(seen.now_ms - last)}, and all was there.")
