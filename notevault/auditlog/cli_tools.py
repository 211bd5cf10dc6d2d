"""What every command is handed: a voice, a clock, a way to check signatures; and finding logs in a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import ed25519
from .cli_say import Say
from .cli_stop import NO_INPUT, USAGE, Stop
from .fault import Fault
from .folder import Read, names
from .layout import ORIGIN, Layout, around, find
from .note import Verify
from .placelook import reader

Clock = Callable[[], int]  # milliseconds since 1970


@dataclass(frozen=True)
class Tools:
    say: Say
    clock: Clock
    verify: Verify
    signatures_by: str


def opened(name: str, say: Say) -> Layout:
    """What lies in the folder named: a vault, a backup place, its logs alone or one of them. Stop 66.

    Says where it looks when that is not the folder named.
    """
    if not name:
        raise Stop(NO_INPUT, "That is not the name of a folder.", "Name the folder that you received.")
    found = find(name)
    if isinstance(found, Fault):
        raise Stop(NO_INPUT, f"{name}: {found.sentence}.", _step(name, found))
    if not found.logs:
        raise Stop(NO_INPUT, f"{name}: there is no log in it.", "Was the folder copied whole?")
    if not found.root.samefile(name):
        say.err(f"nvaudit: looking at {found.root}")
    return found


def _step(name: str, found: Fault) -> str:
    several = []
    if found.code == "NO_LOG":
        above = [Path(name), Path(name) / "notevault"]
        several = [top / one for top in above for one, kind in names(top) if kind == "folder" and ORIGIN.fullmatch(one)]
    if several:
        return "  ".join(["They are:", *map(str, sorted(several)[:10])])
    return "Name the folder that you received: the one with `audit` in it."


def audited(found: Layout) -> tuple[Path, ...]:
    """The folders in which nothing may be written: the whole vault, even where one of its logs was named; and what was
    named, even where the vault lies further down in it.
    """
    return (around(found), *([] if found.named is None else [found.named]))


def one_origin(names: list[str], wanted: str | None) -> str:
    """The log whose name begins with `wanted` (64 unless exactly one does); without it, the only one."""
    if wanted is None:
        if len(names) == 1:
            return names[0]
        text = " ".join(name[:8] for name in names)
        raise Stop(USAGE, f"There are {len(names)} logs here: {text}.", "Say which one with --origin.")
    start = wanted.strip().lower()
    start = start[len("notevault/") :] if start.startswith("notevault/") else start
    found = [name for name in names if start and name.startswith(start)]
    if len(found) != 1:
        text = " ".join(name[:8] for name in names)
        raise Stop(USAGE, f"{'Several logs begin' if found else 'No log begins'} so.", f"There are: {text}")
    return found[0]


def the_log(found: Layout, wanted: str | None, verify: Verify = ed25519.verify) -> tuple[str, Read]:
    """Name of the log that a command is about, and a reader of its folder: by the first digits of its name, else the
    only one. Stop 64.
    """
    origin = one_origin(sorted(found.logs), wanted)
    return origin, reader(found, origin, verify)
