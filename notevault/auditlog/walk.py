"""Going through a log's entries once, in order: form, chain, indices, epochs; what they tell is gathered on the way.

Nothing is believed here: whether these entries are the signed ones is decided by their root, in `check`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional, cast

from . import entry, merkle
from .canon import unbase64
from .disclosure import Matcher
from .events import EVENTS, FIRST, HEADERS, ONLY_FIRST
from .fault import Fault
from .note import Verify
from .outcome import DAY_MS, Fail, Jump, LogReport
from .verdict import HeaderRef

PURGE = b"notevault/v1/purge\0"
MAX_SIGNS = 1000  # single oddities of a kind kept; a rewritten log could give millions
MAX_HEADERS = 50_000  # key files named; ten a day for thirteen years
MAX_LISTED = 1000  # failed unlocks and clock jumps in the tally
MAX_DAYS = 20_000  # days in the tally, 54 years; a forger's entries could each have their own
MAX_USERS = 1000

Mine = Optional[Matcher]  # noqa: UP045  (evaluated, and Python 3.9 has no other way)

_KEPT_WITHOUT_FILE = frozenset({"import.run", "client.shred"})  # they too put into the vault what a backup should hold

# Most entries are of other kinds, and pass `feed` without a look at what else they hold.
_TELLING = frozenset(
    {*(ev for ev, rule in EVENTS.items() if rule.file), "epoch.close", "session.fail", "clock.jump", "backup.run"}
    | _KEPT_WITHOUT_FILE
)


@dataclass
class Room:
    """What is kept in memory of all logs of a check together, and tried in vain: so much is left."""

    days: int = 3 * MAX_DAYS  # in three tables
    listed: int = 20 * MAX_LISTED
    headers: int = MAX_HEADERS
    seals: int = 20_000
    false_signatures: int = MAX_SIGNS  # of purges, over all identities of the vault


@dataclass(frozen=True)
class Sign:
    """Something odd about entry `index`, that alone proves only that the log was not made by an honest writer."""

    index: int
    code: str
    sentence: str


@dataclass(frozen=True)
class Closed:
    """Entry `index` closes `epoch`, at `t` ms."""

    index: int
    epoch: int
    t: int


@dataclass
class Walker:
    """`feed` takes the entries of one bundle (or of `open`) and gives their leaf hashes; `skip` passes over a gap."""

    report: LogReport
    verify: Verify
    viks: Sequence[bytes]
    epoch_keys: dict[int, bytes]  # of the epoch that runs and the one before; earlier ones are forgotten
    mine: Mine = None
    index: int = 0
    signs: list[Sign] = field(default_factory=list)
    more_signs: int = 0
    breaks: dict[int, int] = field(default_factory=dict)  # bundle number -> last index in it whose `p` proves nothing
    closes: list[Closed] = field(default_factory=list)  # in the last feed
    more_headers: int = 0
    epoch: int | None = 0  # what `e` of the next entry must be; None after a gap
    _previous: str | None = entry.NO_PREVIOUS  # what `p` must be; None after a gap
    room: Room = field(default_factory=lambda: Room())
    _purgers: Sequence[bytes] = ()  # `viks`, the one that signed the last purge first
    _signed: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))  # oddities by code
    _last_close: int = -2
    _kinds: defaultdict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    _unlisted_days: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def feed(self, entries: Sequence[bytes]) -> list[bytes]:
        """The one loop that costs: 100,000 entries a second depend on what is in it."""
        leaves: list[bytes] = []
        parse, sha256, kinds = entry.parse, hashlib.sha256, self._kinds
        index, previous, epoch = self.index, self._previous, self.epoch
        today, start, end, user, t, mine = self._unlisted_days, 0, 0, "", -1, self.mine
        self.closes, told = [], self._signed["MALFORMED"]
        for data in entries:
            found = parse(data, told < MAX_SIGNS)
            leaf = sha256(b"\0" + data).digest()
            leaves.append(leaf)
            if isinstance(found, Fault):
                told += 1
                self._sign(index, "MALFORMED", f"does not read: {found.sentence}")
                self.breaks[index // merkle.BUNDLE] = index
                epoch = None
            else:
                if found.i != index:
                    self._sign(index, "MALFORMED", f"calls itself entry {found.i}")
                if found.p != previous and previous is not None:
                    self._sign(index, "CHAIN", "does not follow from the entry before it")
                    self.breaks[index // merkle.BUNDLE] = index
                if found.e != epoch:
                    if epoch is not None:
                        self._sign(index, "MALFORMED", f"is of epoch {found.e} where {epoch} runs")
                    epoch = found.e
                ev, t = found.ev, found.t
                if not start <= t < end:
                    start = t - t % DAY_MS
                    today, end = self._day(t), start + DAY_MS
                today[ev] += 1
                kinds[ev, found.o, found.pu] += 1
                if found.w != user:
                    user = found.w
                    self._user(user)
                if ev in _TELLING or not index:
                    epoch = self._gather(index, found)
                if mine is not None and found.st is not None and mine(found, self.report.verdict.origin):
                    self.report.disclosed.append(index)
            previous = leaf[:16].hex()
            index += 1
        self.index, self._previous, self.epoch = index, previous, epoch
        self.report.verdict.found += len(leaves)
        if t >= 0:
            self.report.tally.last_ms = t
        return leaves

    def skip(self, count: int) -> None:
        """`count` entries are not there."""
        self.index += count
        self._previous = self.epoch = None

    def forget(self) -> None:
        """Drop the keys of epochs that no checkpoint can be of any more: there may be a million."""
        if self.epoch is not None:
            for epoch in [old for old in self.epoch_keys if old < self.epoch - 1]:
                del self.epoch_keys[epoch]

    def tell(self) -> None:
        """Sum up what was counted; once, at the end."""
        tally, counts = self.report.tally, self.report.verdict.counts
        for (ev, outcome, purpose), n in self._kinds.items():
            counts[ev] = counts.get(ev, 0) + n
            tally.outcomes[ev, outcome] = tally.outcomes.get((ev, outcome), 0) + n
            tally.purposes[purpose] = tally.purposes.get(purpose, 0) + n
            tally.reported += n if outcome == "reported" else 0

    @property
    def without_day(self) -> int:
        """Entries of days that the tally has no room for."""
        return sum(self._unlisted_days.values())

    @property
    def previous(self) -> str | None:
        """What `p` of the next entry must be; None after a gap."""
        return self._previous

    @property
    def epochs_now(self) -> tuple[int, ...]:
        """Epochs that a checkpoint of this size may be signed in; empty when that is not known."""
        if self.epoch is None:
            return ()
        return (self.epoch - 1, self.epoch) if self._last_close == self.index - 1 else (self.epoch,)

    def _day(self, t: int) -> defaultdict[str, int]:
        """Where the entries of that day are counted."""
        tally, day = self.report.tally, t // DAY_MS
        if tally.first_ms is None:
            tally.first_ms = t
        if day not in tally.days:
            if self.room.days <= 0:
                return self._unlisted_days
            self.room.days -= 1
            tally.days[day] = defaultdict(int)
        return cast("defaultdict[str, int]", tally.days[day])

    def _user(self, user: str) -> None:
        users = self.report.tally.users
        if len(users) < MAX_USERS:
            users.add(user)

    def _gather(self, index: int, found: entry.Entry) -> int:
        """What this entry tells besides; gives the epoch of the next one."""
        ev, verdict = found.ev, self.report.verdict
        if (index == 0 and ev not in FIRST) or (index and ev in ONLY_FIRST):
            self._sign(index, "MALFORMED", f"is a {ev}, which may not stand there")
        if index == 0 and "cites" in found.k:
            cited = found.k["cites"]
            self.report.cites = (cited["origin"], cited["size"], bytes.fromhex(cited["root"]))
        if ev == "epoch.close":
            self.closes.append(Closed(index, found.e, found.t))
            self._last_close = index
            self.epoch_keys[found.e + 1] = bytes.fromhex(found.k["key"])
            return found.e + 1
        if found.c is not None or ev in _KEPT_WITHOUT_FILE:
            self._last(self.report.tally.kept, index, found.t)
        if found.c is None or found.z is None:
            self._count(index, found)
        elif ev in HEADERS:
            if self.room.headers > 0:
                self.room.headers -= 1
                verdict.headers.append(HeaderRef(index, found.k["seq"], found.c, found.z))
            else:
                self.more_headers += 1
        elif ev == "record.purge":
            self._purge(index, found.c, found.z, found.k["sig"])
        else:
            verdict.written.add(found.c, found.z, index)
        return found.e

    def _count(self, index: int, found: entry.Entry) -> None:
        tally, ev = self.report.tally, found.ev
        if ev == "session.fail":
            tally.fails_total += found.k["n"]
            if len(tally.fails) < MAX_LISTED and self.room.listed > 0:
                self.room.listed -= 1
                at = found.k.get("at", found.t)
                tally.fails.append(Fail(index, found.t, at, found.k["n"], found.k["why"]))
        elif ev == "clock.jump":
            tally.jumps_total += 1
            if len(tally.jumps) < MAX_LISTED and self.room.listed > 0:
                self.room.listed -= 1
                tally.jumps.append(Jump(index, found.t, found.k["ms"], found.k["to"]))
        elif ev == "backup.run" and found.o == "ok":
            self._last(tally.backups, index, found.t)

    def _last(self, days: dict[int, int], index: int, t: int) -> None:
        day = t // DAY_MS
        if day in days or self.room.days > 0:
            self.room.days -= day not in days
            days[day] = index

    def _purge(self, index: int, digest: str, size: int, sig: str) -> None:
        message = PURGE + bytes.fromhex(self.report.verdict.vault) + bytes.fromhex(digest)
        signature = unbase64(sig, 64)
        holds = isinstance(signature, bytes) and self._by_vault(message, signature)
        if holds:
            self.report.verdict.purged.add(digest, size, index)
        elif holds is None:
            self.report.verdict.purges_unchecked += 1
        else:
            self._sign(index, "FORGED", "destroys a file without the vault's signature")

    def _by_vault(self, message: bytes, signature: bytes) -> bool | None:
        """None where so many signatures did not hold that no more are tried: each takes milliseconds."""
        for at, vik in enumerate(self._purgers or self.viks):
            if self.room.false_signatures <= 0:
                return None
            if self.verify(vik, message, signature):
                self._purgers = (
                    [vik, *(one for one in self._purgers or self.viks if one != vik)] if at else self._purgers
                )
                return True
            self.room.false_signatures -= 1
        return False

    def _sign(self, index: int, code: str, sentence: str) -> None:
        self._signed[code] += 1
        if self._signed[code] <= MAX_SIGNS:
            self.signs.append(Sign(index, code, sentence))
        else:
            self.more_signs += 1
