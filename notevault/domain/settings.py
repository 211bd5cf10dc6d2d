"""The vault's settings, one record for all devices: they travel with the vault and are sealed like a note.

Record (version 1): {"author":str,"idle":minutes,"template":str,"v":1}
"""

from __future__ import annotations

from dataclasses import dataclass

from notevault.domain.notes import AUTHOR_LIMIT
from notevault.domain.payload import believed, from_bytes, to_bytes
from notevault.domain.templates import TEMPLATES
from notevault.errors import UsageFault

IDLE_MINUTES = (2, 30)  # below two minutes nobody can think, above thirty an open laptop is an open vault
RECORD_LIMIT = 4096
_KINDS: dict[str, tuple[type, ...]] = {"author": (str,), "idle": (int,), "template": (str,)}
_WHAT = "settings record"


@dataclass(frozen=True)
class Settings:
    """`author` signs notes; `idle` minutes without a key lock the shell; `template` is what a new note starts with."""

    author: str = ""
    idle: int = 10
    template: str = "free"

    def __post_init__(self) -> None:
        low, high = IDLE_MINUTES
        if not low <= self.idle <= high:
            raise UsageFault(f"The vault can lock itself after {low} to {high} minutes.", "Choose a number in between.")
        if len(self.author) > AUTHOR_LIMIT or not self.author.isprintable():
            raise UsageFault("That name cannot be used to sign.", f"Use at most {AUTHOR_LIMIT} plain characters.")
        if self.template not in TEMPLATES:
            raise UsageFault("There is no such template.", f"There are: {', '.join(sorted(TEMPLATES))}.")


def to_payload(settings: Settings) -> bytes:
    return to_bytes({"v": 1, **{name: getattr(settings, name) for name in _KINDS}})


def from_payload(data: bytes) -> Settings:
    """Damaged for anything but the canonical bytes of valid settings; UnknownFormat for another version."""
    fields = from_bytes(data, _WHAT, 1, _KINDS, RECORD_LIMIT)
    return believed(lambda: Settings(**fields), _WHAT)  # type: ignore[arg-type]  # the kinds were checked just above
