"""What still reads of a log that does not agree with its signed state, so that notes stay readable; and which logs
were given up for it.

The places of entries are not proven here: whoever uses them checks each entry's MAC, which holds its log and number.
Nothing is written, and nothing that is given out makes the log pass for sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from notevault.auditlog import bundle, entry, pieces
from notevault.errors import Damaged, NotFound
from notevault.storage.layout import BUNDLE, VaultPaths
from notevault.vault.env import Env

if TYPE_CHECKING:
    from notevault.vault.session import Session

MOST_ABSENT = 64  # bundles in a row that may be missing (16,384 entries) before the end is believed to be reached


def entries(env: Env, paths: VaultPaths, origin: str) -> Iterator[tuple[int, bytes]]:
    """(number that it gives itself, bytes) of every entry that reads, bundles first, then `open`."""
    number = absent = 0
    while absent <= MOST_ABSENT:
        path = paths.bundle(origin, number)
        absent = 0 if env.files.size(path) is not None else absent + 1
        if absent == 0:
            yield from pieces.find(_bytes(env, paths, origin, number))
        number += 1
    yield from pieces.find(_bytes(env, paths, origin, None))


def _bytes(env: Env, paths: VaultPaths, origin: str, number: int | None) -> bytes:
    path = paths.open(origin) if number is None else paths.bundle(origin, number)
    try:
        return env.files.read_range(path, 0, bundle.MAX_BYTES + BUNDLE)
    except (NotFound, Damaged):
        return b""


_TELLING = (b'"cites":', b'"ev":"import.run"')


def given_up(session: Session) -> set[str]:
    """The logs beyond belief from which a recovery went on: cited with nothing, by a log into which their records were
    taken over (FORMAT.md section 6.3, `import.run`). They stay damaged for ever, and nothing is lost by it.
    """
    found: set[str] = set()
    for origin in session.header.origins:
        cited, taken = "", False
        for _, data in entries(session.env, session.paths, origin):
            if not any(mark in data for mark in _TELLING):
                continue
            one = entry.parse(data)
            if not isinstance(one, entry.Entry) or not session.sealer.check_mac(one, origin):
                continue
            if "cites" in one.k and not one.k["cites"]["size"]:
                cited = one.k["cites"]["origin"]
            taken = taken or (one.ev == "import.run" and one.pu == "recovery")
        if cited and taken:
            found.add(cited)
    return found


def nothing_lost(session: Session) -> bool:
    """Whether all that this opening found amiss lies in logs that were given up, and every record opens."""
    return not session.catalogue.damaged() and {each.origin for each in session.findings} <= given_up(session)
