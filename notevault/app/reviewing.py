"""The vault's own log, read back in the open vault: the newest entries of every listed log, judged one by one.

Nothing that does not hold is passed over: it is a fact with a `fault`. A review is an act of its own, entered durably.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from notevault.auditlog import entry
from notevault.auditlog.entry import Entry
from notevault.domain import dates
from notevault.domain.logwords import ANOTHER_LAPTOP, EARLIER_LOG, UPKEEP, About, Fact, Who
from notevault.errors import Busy, Damaged, NotevaultError, NotFound
from notevault.formats.envelope import RecordType
from notevault.formats.header import PassphraseSlot
from notevault.formats.ids import ZERO_ID, Origin
from notevault.storage.layout import BUNDLE
from notevault.vault import salvage
from notevault.vault.notebook import ClientView, Notebook
from notevault.vault.recorder import Act
from notevault.vault.replay import Finding, judge
from notevault.vault.session import Session
from notevault.vault.survey import open_log, read_card

DAY_MS = 86_400_000
REVIEW_EVERY_MS = 30 * DAY_MS
OLD_ENOUGH = 2
"""Pieces of 256 entries in a row that are older than asked for: what lies before them is not looked at."""
REMEMBERED = 1000
"""Findings that were looked at, as far as the index keeps them; older ones are told of again."""
Progress = Callable[[int], None]


@dataclass(frozen=True, repr=False)
class Recent:
    """`facts` in the order of time; `entries` all that were read, `upkeep` those of them that are left out.

    `unread`: sentences about logs that could not be believed or read as a whole.
    """

    facts: tuple[Fact, ...]
    entries: int
    upkeep: int
    unread: tuple[str, ...] = ()


def recent(
    session: Session,
    clients: Iterable[ClientView],
    since_ms: int,
    client: bytes | None = None,
    progress: Progress | None = None,
) -> Recent:
    """Everything that was entered since then into any log the vault lists, as facts; with `client`, what is about that
    one, and whatever does not hold. `clients`: as `Notebook.clients` gives them, which logs that names are shown.

    A log is read from its end. Its clock may have been set back meanwhile, which the log tells; so it is read on until
    512 entries in a row are older. Findings that were not known are added to the session's.
    """
    if session.read_only is None:
        try:
            with session.recorder.writing():  # what another window has entered meanwhile
                pass
        except Busy:
            pass
    naming = _Naming(session, clients)
    unread: list[str] = []
    keyed: list[tuple[int, Fact]] = []
    upkeep = entries = 0
    for origin in sorted(session.header.origins):
        elsewhere = _elsewhere(session, origin)
        before: Fact | None = None
        key = -1
        for i, data, reckoned in _entries_since(session, origin, since_ms, unread):
            entries += 1
            if progress is not None and entries % 256 == 0:
                progress(entries)
            fact, holds = naming.fact(origin, i, data, before, elsewhere=elsewhere)
            before = fact
            key = max(key, reckoned) if holds else key
            if fact.event in UPKEEP and not fact.fault:
                upkeep += 1
            elif client is None or fact.fault or fact.client == client:
                keyed.append((key, fact))
    keyed.sort(key=lambda pair: pair[0])
    return Recent(tuple(fact for _, fact in keyed), entries, upkeep, tuple(dict.fromkeys(unread)))


# Reading back from the end

Numbered = tuple[int, bytes, int]
"""Number, bytes, and when it was by the clock as it is now (its own time, and what the clock was set by since)."""


def _entries_since(session: Session, origin: Origin, since_ms: int, unread: list[str]) -> Iterator[Numbered]:
    least = session.header.origins[origin]
    try:
        if origin == session.origin and session.recorder.tail.size:
            read, size = session.recorder.entries, session.recorder.tail.size
        else:
            log, tail = open_log(session.env, session.paths, session.local, session.header, origin)
            read, size = log.entries, tail.size
        if size < least:
            unread.append(f"A log of this vault had {least:,} entries, and now has {size:,}.")
        return iter(_back(session, origin, read, size, since_ms))
    except NotFound:
        unread.append("A log of this vault is missing.")
    except NotevaultError as fault:
        unread.append(f"A log of this vault could not be believed as a whole. {fault.sentence}")
    pieces = list(salvage.entries(session.env, session.paths, origin))
    return iter(_from_first(_reckoned(session, origin, pieces, since_ms, 0)[0], since_ms))


def _back(
    session: Session, origin: str, read: Callable[[int, int], Iterator[bytes]], size: int, since_ms: int
) -> list[Numbered]:
    """Raises as `read`."""
    parts: list[list[Numbered]] = []
    stop, ahead, old = size, 0, 0
    while stop > 0 and old < OLD_ENOUGH:
        start = (stop - 1) // BUNDLE * BUNDLE
        piece, ahead, any_recent = _reckoned(
            session, origin, list(enumerate(read(start, stop), start)), since_ms, ahead
        )
        old = 0 if any_recent else old + (len(piece) == BUNDLE)
        parts.append(piece)
        stop = start
    return _from_first(list(chain.from_iterable(reversed(parts))), since_ms)


def _reckoned(
    session: Session, origin: str, pieces: list[tuple[int, bytes]], since_ms: int, ahead: int
) -> tuple[list[Numbered], int, bool]:
    """`ahead`: by how much the clock was set since. One who has only the log's keys may tell of a clock set back, to
    make older entries look out of date: believed is that only with the vault's keys.
    """
    found: list[Numbered] = []
    any_recent = False
    for i, data in reversed(pieces):
        parsed = entry.parse(data)
        if not isinstance(parsed, Entry):
            any_recent = True  # it may be of any time
            found.append((i, data, -1))
            continue
        when = max(parsed.t, parsed.t + ahead)
        any_recent = any_recent or when >= since_ms
        found.append((i, data, when))
        if parsed.ev == "clock.jump":
            if parsed.k["to"] == "ahead":
                ahead += parsed.k["ms"]
            elif session.sealer.check_mac(parsed, origin):
                ahead -= parsed.k["ms"]
    found.reverse()
    return found, ahead, any_recent


def _from_first(numbered: list[Numbered], since_ms: int) -> list[Numbered]:
    """From the first entry that is new enough, and all after it: what follows it in the log happened after it."""
    for at, (_, _, when) in enumerate(numbered):
        if when >= since_ms:
            return [(i, data, max(when, since_ms)) for i, data, when in numbered[at:]]
    return [(i, data, since_ms) for i, data, when in numbered if when < 0]


def _elsewhere(session: Session, origin: str) -> str:
    """A log of a device that still opens the vault is another laptop's. One that no longer does was mostly this one,
    before it was recovered; that cannot be told from a laptop that was shut out.
    """
    if origin == session.origin:
        return ""
    try:
        device = read_card(session.env, session.paths, session.header, origin).device
    except NotevaultError:
        return EARLIER_LOG
    if device == session.device_id.hex():
        return ""
    open_to = {slot.device.hex() for slot in session.header.slots if isinstance(slot, PassphraseSlot)}
    return ANOTHER_LAPTOP if device in open_to else EARLIER_LOG


# From entries to facts


class _Naming:
    """Clients and notes by the catalogue, each looked up once."""

    def __init__(self, session: Session, clients: Iterable[ClientView]) -> None:
        self._session = session
        self._book = Notebook(session)
        self._who = {view.id: Who(view.name, view.code) for view in clients}
        self._about: dict[bytes, About | None] = {}
        self._known = {(finding.origin, finding.i) for finding in session.findings}

    def fact(self, origin: str, i: int, data: bytes, before: Fact | None, *, elsewhere: str) -> tuple[Fact, bool]:
        """The fact, and whether the entry holds."""
        told = judge(self._session.sealer, origin, i, data)
        if not isinstance(told, Finding):
            fact = self._told(origin, told.entry, before, elsewhere=elsewhere)
            if told.entry.i == i:
                return fact, True
            told = Finding(origin, i, f"At place {i} of the log stands the entry that was number {told.entry.i}.")
        if (origin, i) not in self._known:
            self._session.findings.append(told)
        parsed = entry.parse(data)
        if isinstance(parsed, Entry):
            return replace(self._bare(parsed, elsewhere=elsewhere), fault=told.sentence), False
        last = (before.t, before.offset) if before is not None else (0, 0)
        return Fact(*last, "", elsewhere=elsewhere, fault=told.sentence), False

    def _bare(self, found: Entry, *, elsewhere: str) -> Fact:
        at = min(found.t, dates.MS_MAX)  # the system's calendar ends too
        offset = self._session.env.clock.utc_offset_minutes(at)
        return Fact(found.t, offset, found.ev, found.a, found.o, found.pu, found.k, elsewhere=elsewhere)

    def _told(self, origin: str, found: Entry, before: Fact | None, *, elsewhere: str) -> Fact:
        fact = self._bare(found, elsewhere=elsewhere)
        if found.h is None:  # `judge` lets only those pass that FORMAT 6.3 allows without
            return replace(fact, locked=True)
        try:
            subject = self._session.sealer.routing_of(found, origin)
            details = self._session.sealer.details_of(found, origin) if found.ev == "search.run" else None
        except Damaged as fault:  # the vault's own, under keys that are gone
            return replace(fact, fault=fault.sentence)
        if details is not None:
            words = details.get("words")
            hits = details.get("hits")
            listed = tuple(map(str, words)) if isinstance(words, list) else ()
            return replace(fact, words=listed, hits=hits if isinstance(hits, int) else None)
        if subject is None or subject.client == ZERO_ID:
            return fact
        who = self._who.get(subject.client)
        if subject.type != RecordType.NOTE:
            return replace(fact, kind="client", client=subject.client, who=who)
        of_search = before is not None and (before.event == "search.run" or before.found) and before.t == fact.t
        return replace(
            fact,
            kind="note",
            client=subject.client,
            record=subject.object,
            who=who,
            about=self._note(subject.object),
            found=of_search and found.ev == "record.open",
        )

    def _note(self, note_id: bytes) -> About | None:
        if note_id not in self._about:
            row = self._session.catalogue.note(note_id)
            self._about[note_id] = None
            if row is not None:
                view = self._book.view(row)
                self._about[note_id] = About(view.number, view.note.session, view.note.offset, view.note.title)
        return self._about[note_id]


# The review


def last_review(session: Session) -> int | None:
    """When the log was last looked over, ms; None for never."""
    kept = session.catalogue.get_meta("reviewed")
    return int(kept) if kept is not None else None


def first_entry(session: Session) -> int:
    """When the vault's first entry was made, as far as its logs can be read; now, where none can."""
    kept = session.catalogue.get_meta("begun")
    if kept is not None:
        return int(kept)
    times = []
    for origin in session.header.origins:
        try:
            if origin == session.origin and session.recorder.tail.size:
                data = list(session.recorder.entries(0, 1))
            else:
                log, tail = open_log(session.env, session.paths, session.local, session.header, origin)
                data = list(log.entries(0, min(1, tail.size)))
        except NotevaultError:
            continue
        times += [found.t for each in data if isinstance(found := entry.parse(each), Entry)]
    if not times:
        return session.env.clock.wall_ms()
    session.catalogue.set_meta("begun", min(times))
    return min(times)


def review_due(session: Session, now_ms: int) -> bool:
    """Thirty days after the last review, or after the vault began; also when that lies ahead of a wrong clock."""
    last = last_review(session)
    since = first_entry(session) if last is None else last
    return now_ms - since >= REVIEW_EVERY_MS or since - now_ms > DAY_MS


def record_review(session: Session, since_ms: int, entries: int) -> None:
    """Durable when this returns. Raises as `Session.log_acts`."""
    session.log_acts([Act("audit.review", "E", "review", k={"n": entries, "since": max(0, since_ms)})])
    session.catalogue.set_meta("reviewed", session.env.clock.wall_ms())


# Findings that were looked at


def _mark(finding: Finding) -> str:
    return hashlib.sha256(f"{finding.origin} {finding.i} {finding.sentence}".encode()).hexdigest()[:16]


def _looked_at(session: Session) -> list[str]:
    kept = session.catalogue.get_meta("looked")
    found = json.loads(kept) if isinstance(kept, str) else []
    return [str(each) for each in found]


def unseen(session: Session) -> list[Finding]:
    """Findings that `audit` has not shown yet, in this session or an earlier one."""
    if not session.findings:
        return []
    seen = set(_looked_at(session))
    return [finding for finding in session.findings if _mark(finding) not in seen]


def looked_at(session: Session) -> None:
    """All findings of now were on the screen. Kept in the index: one that is built anew tells of them again."""
    fresh = [_mark(finding) for finding in unseen(session)]
    if fresh:
        session.catalogue.set_meta("looked", json.dumps([*_looked_at(session), *fresh][-REMEMBERED:]))
