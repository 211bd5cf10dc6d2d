"""What one log entry tells, in a therapist's words. Pure: facts in, sentences out; no keys, no clock.

    opened  Anna Berg C-014, session 12 of 17 Nov
    could not unlock: wrong passphrase, 3 times
    the computer's clock was set back by 2 h
Names, titles and search words are left out where they are hidden. Nothing here is made harmless for a terminal: whoever
shows a sentence does that (`shell.safe`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from notevault.domain import dates

UPKEEP = frozenset({"epoch.close"})
"""Entries that the log makes for itself: counted, not listed, as long as they hold."""
ANOTHER_LAPTOP, EARLIER_LOG = "on another laptop", "in an earlier log"
_SAID_LOCKED = ("verify.", "backup.")
"""Of these it is said that they were done while the vault was locked. The others that may be say it by themselves."""


@dataclass(frozen=True, repr=False)
class Who:
    """A client as the vault knows it now."""

    name: str
    code: str


@dataclass(frozen=True, repr=False)
class About:
    """A note as the vault knows it now: which session, and when that was."""

    number: int
    held_ms: int
    offset: int
    title: str = ""


@dataclass(frozen=True, repr=False)
class Fact:
    """One entry. `t` ms since 1970 and `offset` minutes ahead of UTC, as its own clock had it.

    kind       "client" or "note" for an entry about a record, else ""
    found      the record was shown among the finds of the search just before
    elsewhere  ANOTHER_LAPTOP or EARLIER_LOG where it is not of this laptop as it is now
    locked     made without the vault's keys, which such an act may be; where it may not, it is a `fault`
    fault      a sentence: the entry does not hold. Then everything else is only what it claims.
    """

    t: int
    offset: int
    event: str
    action: str = "E"
    outcome: str = "ok"
    purpose: str = "care"
    k: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    client: bytes = b""
    record: bytes = b""
    who: Who | None = None
    about: About | None = None
    words: tuple[str, ...] = ()
    hits: int | None = None
    found: bool = False
    elsewhere: str = ""
    locked: bool = False
    fault: str = ""

    @property
    def day(self) -> date | None:
        """None for a moment that no calendar has: somebody else's invention."""
        return dates.day_of(self.t, self.offset) if dates.MS_MIN <= self.t <= dates.MS_MAX else None

    @property
    def clock(self) -> str:
        return f"{dates.local(self.t, self.offset):%H:%M}" if self.day is not None else "--:--"

    @property
    def loud(self) -> bool:
        """To be pointed at."""
        return bool(self.fault) or self.event in ("session.fail", "clock.jump", "rollback.confirm")


# Words for each event: done, and as it stands after "could not". A function where the entry's own fields tell more.

_CLIENT = {"C": ("added the client", "add the client"), "U": ("changed the data of", "change the data of")}


def _written(fact: Fact) -> tuple[str, str]:
    if fact.purpose == "import":
        return "brought in", "bring in"
    if fact.purpose == "recovery":
        return "took over from a damaged log", "take over from a damaged log"
    return _CLIENT["C" if fact.action == "C" else "U"] if fact.kind == "client" else ("wrote", "write")


def _opened(fact: Fact) -> tuple[str, str]:
    if fact.found:
        return "saw in a search", "see in a search"
    return ("opened the page of", "open the page of") if fact.kind == "client" else ("opened", "open")


_HOW = {
    "passphrase": ("unlocked the vault", "unlock the vault"),
    "remembered": (
        "unlocked the vault without the passphrase, which was remembered",
        "unlock the vault without the passphrase",
    ),
    "sheet": ("opened the vault with the recovery sheet", "open the vault with the recovery sheet"),
}
_FAILED = {
    "passphrase": "wrong passphrase",
    "secret-missing": "this laptop's key was missing",
    "secret-foreign": "the key on this laptop was not this vault's",
    "keyring": "the system's key store did not give the key",
    "header": "the vault's key file did not hold",
    "sheet": "the recovery sheet did not fit",
}
_LOCKED = {
    "key": "locked the vault",
    "idle": "the vault locked itself: no key was pressed",
    "hangup": "the vault locked itself: the window was closed",
    "exit": "locked the vault and left",
    "suspend": "the vault locked itself: the laptop slept",
}
_FORGOT = {
    "lock": "ended the remembered passphrase by locking",
    "expiry": "the remembered passphrase ran out",
    "passphrase": "ended the remembered passphrase by a new one",
}
_KEYS = {
    "passphrase": ("changed the passphrase", "change the passphrase"),
    "pool": ("made keys ready for new clients", "make keys ready for new clients"),
    "sheet": ("wrote the recovery sheet anew", "write the recovery sheet anew"),
    "policy": ("made the passphrase harder to guess", "make the passphrase harder to guess"),
    "device": ("changed which laptops open the vault", "change which laptops open the vault"),
    "renewal": ("renewed the vault's keys", "renew the vault's keys"),
    "shred": ("changed the keys to destroy a client's notes", "change the keys to destroy a client's notes"),
}


def _same(text: str) -> tuple[str, str]:
    """Something that nobody does, or that cannot fail: said alike."""
    return text, text


def _listed(fact: Fact) -> tuple[str, str]:
    if fact.purpose == "review":
        return "looked at the log", "look at the log"
    return "looked at lists of names", "look at lists of names"


def _remembered(fact: Fact) -> tuple[str, str]:
    until = fact.k.get("until")
    told = isinstance(until, int) and until <= dates.MS_MAX and abs(until - fact.t) < 86_400_000
    till = f" until {dates.local(until, fact.offset):%H:%M}" if isinstance(until, int) and told else ""
    return f"let commands run without the passphrase{till}", f"let commands run without the passphrase{till}"


def _jumped(fact: Fact) -> tuple[str, str]:
    to = "back" if fact.k.get("to") == "back" else "ahead"
    return _same(f"the computer's clock was set {to} by {span_words(_number(fact, 'ms'))}")


def _verified(fact: Fact) -> tuple[str, str]:
    bad = _number(fact, "bad")
    things = "1 thing" if bad == 1 else f"{bad:,} things"
    return (f"checked the vault: {things} did not hold" if bad else "checked the vault"), "check the vault"


def _restarted(fact: Fact) -> tuple[str, str]:
    cited = fact.k.get("cites")
    size = cited.get("size") if isinstance(cited, dict) else None
    after = f" after the old one of {size:,} entries" if isinstance(size, int) and size else ""
    return f"began a new log{after}", "begin a new log"


def _backup(done: str, to_do: str) -> Callable[[Fact], tuple[str, str]]:
    def words(fact: Fact) -> tuple[str, str]:
        return f"{done}{_of(_number(fact, 'n'))}", to_do

    return words


def _looked_over(done: str, to_do: str) -> Callable[[Fact], tuple[str, str]]:
    """A look at a backup that got so far as to look at something did not fail: it found something, and says so."""

    def words(fact: Fact) -> tuple[str, str]:
        n = _number(fact, "n")
        if fact.outcome in ("fail", "refused") and n:
            return _same(f"{done}: something did not hold ({counted(n, 'record')})")
        return f"{done}{_of(n)}", to_do

    return words


def _of(n: int) -> str:
    return f": {counted(n, 'record')}" if n else ""


def _healed(fact: Fact) -> tuple[str, str]:
    n = _number(fact, "n")
    where = "in the vault or at a backup place"
    return f"mended damaged files {where}{f': {n:,}' if n else ''}", f"mend damaged files {where}"


def _imported(fact: Fact) -> tuple[str, str]:
    n = counted(_number(fact, "n"), "record")
    if fact.purpose == "recovery":
        return f"took over {n} of a damaged log", "take over the records of a damaged log"
    return f"finished an import of {n}", "import notes"


Pair = tuple[str, str]
WORDS: dict[str, Pair | Callable[[Fact], Pair]] = {
    "vault.create": ("set up the vault", "set up the vault"),
    "vault.recover": _restarted,
    "header.write": lambda fact: _KEYS.get(str(fact.k.get("why")), ("changed the keys", "change the keys")),
    "session.open": lambda fact: _HOW.get(str(fact.k.get("how")), _HOW["passphrase"]),
    "session.fail": lambda fact: _same(f"could not unlock: {_FAILED.get(str(fact.k.get('why')), 'not said why')}"),
    "session.lock": lambda fact: _same(_LOCKED.get(str(fact.k.get("why")), "locked the vault")),
    "session.list": _listed,
    "remember.start": _remembered,
    "remember.end": lambda fact: _same(_FORGOT.get(str(fact.k.get("why")), "ended the remembered passphrase")),
    "record.write": _written,
    "record.sign": ("signed", "sign"),
    "record.open": _opened,
    "record.export": ("EXPORTED", "export"),
    "record.print": ("PRINTED", "print"),
    "record.purge": ("destroyed for good", "destroy for good"),
    "search.run": ("searched", "search"),
    "sheet.confirm": ("showed that the recovery sheet is on paper", "show that the recovery sheet is on paper"),
    "settings.change": ("changed the settings", "change the settings"),
    "import.run": _imported,
    "audit.review": lambda fact: (f"looked over the log: {_number(fact, 'n'):,} entries", "look over the log"),
    "audit.disclose": (
        "made a file that shows an auditor all acts about",
        "make a file that shows an auditor all acts about",
    ),
    "verify.run": _verified,
    "crash.settle": _same("put in order what an interrupted run had left"),
    "clock.jump": _jumped,
    "rollback.confirm": ("went on with the vault as it was found", "go on with the vault as it was found"),
    "epoch.close": _same("the log changed its own key"),
    "backup.run": _backup("backed up", "back up"),
    "backup.verify": _looked_over("checked the backup", "check the backup"),
    "backup.restore": _backup("restored from a backup", "restore from a backup"),
    "backup.drill": _looked_over("made a practice restore", "make a practice restore"),
    "backup.heal": _healed,
    "backup.place": lambda fact: (
        ("took away a backup place", "take away a backup place")
        if fact.k.get("to") == "removed"
        else ("named a backup place", "name a backup place")
    ),
    "client.shred": lambda fact: (
        ("destroyed a client for good" if fact.k.get("step") == "done" else "began to destroy a client for good"),
        "destroy a client for good",
    ),
    "device.fork": ("began a log of its own for this laptop", "begin a log of its own for this laptop"),
}
_REASONS = {
    "admin": "for administration",
    "export": "for an export",
    "review": "for a review",
    "recovery": "for a recovery",
    "system": "by the program itself",
}


def act_words(fact: Fact) -> str:
    """What was done, with what came of it: "opened", "could not write", "was not allowed to export"."""
    known = WORDS.get(fact.event, ("did something this version does not know", "do something"))
    done, to_do = known(fact) if callable(known) else known
    if fact.event in ("session.fail", "verify.run") or done == to_do:
        return done + (", in part" if fact.outcome == "part" else "")
    if fact.outcome == "fail":
        return f"could not {to_do}"
    if fact.outcome == "refused" and fact.event.startswith("backup."):
        return f"did not {to_do}, to be safe"
    if fact.outcome == "refused":
        return f"was not allowed to {to_do}"
    return done + (", in part" if fact.outcome == "part" else "")


def object_words(fact: Fact, today: date, *, hidden: bool) -> str:
    """Whom and what it was about, or what was searched for; "" where the act says it all."""
    if fact.event == "search.run":
        words = "" if hidden or not fact.words else f"for \u201c{' '.join(fact.words)}\u201d"
        hits = "" if fact.hits is None else f"{counted(fact.hits, 'note')} found"
        return ": ".join(part for part in (words, hits) if part)
    if not fact.kind:
        return ""
    who = who_words(fact, hidden=hidden)
    if fact.kind == "client":
        return who
    if fact.about is None:
        return f"{who}, a note"
    held = f"session {fact.about.number} of {short_day(dates.day_of(fact.about.held_ms, fact.about.offset), today)}"
    title = "" if hidden or not fact.about.title else f" \u201c{fact.about.title}\u201d"
    return f"{who}, {held}{title}"


def who_words(fact: Fact, *, hidden: bool) -> str:
    if fact.who is None:
        return "a client this vault does not know"
    return fact.who.code if hidden else f"{fact.who.name} {fact.who.code}"


def remark_words(fact: Fact, today: date) -> str:
    """What must be known besides: the reason, another laptop, entered later, done without opening the vault."""
    parts = []
    usual = fact.purpose in ("care", "import") or not fact.event.startswith(("record.", "search."))
    parts += [] if usual else [_REASONS.get(fact.purpose, "")]
    if fact.outcome == "reported":
        at = fact.k.get("at")
        when = isinstance(at, int) and at <= dates.MS_MAX
        moment = dates.moment_words(at, fact.offset, today) if isinstance(at, int) and when else ""
        parts.append(f"entered later; it happened {moment}".rstrip() if moment else "entered later")
    parts += [fact.elsewhere] if fact.elsewhere else []
    parts += ["without the passphrase"] if fact.locked and fact.event.startswith(_SAID_LOCKED) else []
    return f" ({'; '.join(part for part in parts if part)})" if any(parts) else ""


def counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def span_words(ms: int) -> str:
    """As "45 s", "12 min", "2 h", "3 days"; rounded to what people say."""
    seconds = max(0, ms) // 1000
    for limit, unit, word in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{round(seconds / unit)} {word}"
    return f"{round(seconds / 86400):,} days"


def short_day(day: date, today: date) -> str:
    """As "17 Nov", with the year when it is not this one."""
    return dates.day_words(day, today).partition(" ")[2]


def _number(fact: Fact, name: str) -> int:
    value = fact.k.get(name)
    return value if isinstance(value, int) else 0
