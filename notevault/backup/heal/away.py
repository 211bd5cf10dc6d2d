"""Places that were not reached while the others were healed: what to say of each, and whether that is a failure."""

from __future__ import annotations

from dataclasses import dataclass

from notevault.backup import model
from notevault.backup.model import PlaceFile, PlaceState
from notevault.backup.words.plain import quoted, step_words
from notevault.errors import NotevaultError, Refused

_CONNECTED = ("network", "cloud")  # kinds of a place that should always be there


@dataclass(frozen=True)
class Away:
    """`step`: what to do about it; "" for a stick that is merely not plugged in, and of which nothing bad is known."""

    name: str
    sentence: str
    step: str = ""

    @property
    def matters(self) -> bool:
        """Whether it needs somebody: sticks take turns, and one in the drawer is no failure."""
        return bool(self.step)


def away(place: PlaceFile, state: PlaceState, verdict: str, fault: NotevaultError) -> Away:
    """`verdict`: what `fault` says of the place; `state`: what this device remembers of it."""
    name, could_not = place.name, f"{place.name} could not be healed. {fault.sentence}"
    if verdict != model.ABSENT:
        return Away(name, could_not, fault.next_step if isinstance(fault, Refused) else step_words(verdict, name))
    hurt = state.verdict in model.ALARMS or state.hurt > 0 or state.hurt_log > 0
    if not hurt and place.kind not in _CONNECTED:
        return Away(name, f"{name} is not there, so it was not looked at.")
    return Away(
        name,
        could_not,
        f"Plug in {name} or connect to it, then `notevault backup heal` again. If it is gone for good: `notevault"
        f" backup remove {quoted(name)}`.",
    )
