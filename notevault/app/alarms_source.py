"""What the log itself tells of that somebody must look at: a check that found something, going on after damage, a new
log. It counts until the log was looked at, also over a lock and in the next shell.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from notevault.auditlog import entry
from notevault.auditlog.entry import Entry
from notevault.domain import dates
from notevault.domain.logwords import counted
from notevault.errors import Busy
from notevault.storage.layout import BUNDLE
from notevault.vault.session import Session

_WATCHED = (b'"verify.run"', b'"rollback.confirm"', b'"vault.recover"', b'"session.list"')
"""One of these is in every entry that matters here: the others need not be parsed."""


@dataclass
class Told:
    """Sentences, oldest first: `faults` tell of something that does not hold, `notices` of what there is to do."""

    faults: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


def since_looked(session: Session) -> Told:
    """What this laptop's log tells of since `looked`, with what another window has entered meanwhile.

    Where the index does not know how far that was (it was built anew), the last look is found in the log itself.
    Raises LogDamaged, StorageFault.
    """
    if session.read_only is None:
        with contextlib.suppress(Busy), session.recorder.writing():
            pass
    size = session.recorder.tail.size
    kept = session.catalogue.get_meta(_key(session))
    start = int(kept) if kept is not None else 0
    if start > size:  # another log than the index knew: all of it
        kept, start = None, 0
    found = _watched(session, start, size, to_last_look=kept is None)
    told, first = Told(), size
    for i, each in found:
        faults, notices = _words(session, each)
        told.faults += faults
        told.notices += notices
        first = i if first == size and (faults or notices) else first
    if kept is None or first > start:  # what lies before it need not be read again
        session.catalogue.set_meta(_key(session), first)
    return told


def looked(session: Session) -> None:
    """All of it was on the screen."""
    session.catalogue.set_meta(_key(session), session.recorder.tail.size)


def _key(session: Session) -> str:
    return f"alarms {session.origin}"


def _watched(session: Session, start: int, size: int, *, to_last_look: bool) -> list[tuple[int, Entry]]:
    """Read from the end; with `to_last_look` back to the last entry that says that the log was looked at."""
    found: list[tuple[int, Entry]] = []
    stop = size
    while stop > start:
        low = max(start, (stop - 1) // BUNDLE * BUNDLE)
        for i, data in reversed(list(enumerate(session.recorder.entries(low, stop), low))):
            each = entry.parse(data) if any(name in data for name in _WATCHED) else None
            if not isinstance(each, Entry):
                continue
            if each.ev != "session.list":
                found.append((i, each))
            elif to_last_look and each.pu == "review" and session.sealer.check_mac(each, session.origin):
                return found[::-1]
        stop = low
    return found[::-1]


def _words(session: Session, found: Entry) -> tuple[list[str], list[str]]:
    """(faults, notices). Whoever has only the log's keys can raise a false alarm of a check, and silence none."""
    when = _moment(session, found.t)
    if found.ev == "verify.run" and found.o == "fail":
        return [f"The check of {when} found {counted(found.k['bad'], 'thing')} wrong; `verify` names what it is."], []
    if found.ev == "rollback.confirm":
        said = (
            f"On {when} this vault went on with a new log, because the old one did not hold or was older than it"
            " should be; `verify` names what is wrong with it."
        )
        return [said], []
    if found.ev == "vault.recover":
        return [], [NEW_CARD]
    return [], []


NEW_CARD = (
    "A new log was begun. If an auditor has the card of the old one, hand out the new card"
    " (in a terminal: `notevault audit card`)."
)


def _moment(session: Session, ms: int) -> str:
    clock = session.env.clock
    now, at = clock.wall_ms(), min(ms, dates.MS_MAX)
    today = dates.day_of(now, clock.utc_offset_minutes(now))
    return dates.moment_words(at, clock.utc_offset_minutes(at), today)
