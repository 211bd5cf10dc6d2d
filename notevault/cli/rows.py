"""What a row of the table of commands is made of. Nothing is imported for it."""

from __future__ import annotations

from dataclasses import dataclass, field

Argument = tuple[str, dict[str, object]]


@dataclass(frozen=True)
class Command:
    handler: str
    summary: str
    arguments: tuple[Argument, ...] = ()
    more: str = field(default="", repr=False)


SAVED = 'With --json: {"saved": ID, "what": KIND, ...}.'


def flag(name: str, text: str) -> Argument:
    return name, {"action": "store_true", "help": text}


def value(name: str, metavar: str, text: str, **more: object) -> Argument:
    return name, {"metavar": metavar, "help": text, **more}
