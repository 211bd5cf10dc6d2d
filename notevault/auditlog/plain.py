"""The log's closed words as a person who files a report would say them; numbers, dates (UTC), spans of days.

Whatever a folder may have brought along goes through `text` before a person's terminal or browser sees it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - it must run on Python 3.9
_EPOCH_DAY = _EPOCH.date()
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

EVENTS = {
    "vault.create": "vault created",
    "vault.recover": "vault recovered with the recovery sheet",
    "header.write": "keys or passphrase changed",
    "session.open": "vault unlocked",
    "session.fail": "failed unlocks",
    "session.lock": "vault locked",
    "session.list": "list of clients shown",
    "remember.start": "unlock remembered for some hours",
    "remember.end": "remembered unlock ended",
    "record.write": "records written",
    "record.sign": "records signed",
    "record.open": "records opened",
    "record.export": "records exported",
    "record.print": "records printed",
    "record.purge": "records destroyed for good",
    "search.run": "searches",
    "sheet.confirm": "recovery sheet confirmed",
    "settings.change": "settings changed",
    "import.run": "imports",
    "audit.review": "log reviewed by the clinician",
    "audit.disclose": "one client's entries disclosed to an auditor",
    "verify.run": "vault checked by its own program",
    "crash.settle": "tidied up after an interruption",
    "clock.jump": "laptop clock moved",
    "rollback.confirm": "older state of the vault accepted",
    "epoch.close": "signing key changed",
    "backup.run": "backups made",
    "backup.verify": "backups checked",
    "backup.restore": "restored from backup",
    "backup.drill": "practice restores",
    "backup.heal": "damaged files mended in the vault or at a backup place",
    "backup.place": "backup places added or removed",
    "client.shred": "clients destroyed for good",
    "device.fork": "log begun anew on another laptop",
}
OUTCOMES = {
    "ok": "done",
    "fail": "failed",
    "refused": "refused",
    "part": "done in part",
    "reported": "entered later",
}
PURPOSES = {
    "care": "care of clients",
    "admin": "administration",
    "import": "import",
    "export": "export",
    "review": "review",
    "recovery": "recovery",
    "system": "by the program itself",
}
FAILS = {
    "passphrase": "wrong passphrase",
    "secret-missing": "the laptop's own key was not there",
    "secret-foreign": "the laptop's own key was of another vault",
    "keyring": "the system's key store did not answer",
    "header": "the key file did not hold",
    "sheet": "wrong recovery sheet",
}
SEALS = {
    "holds": "holds",
    "missing": "not there",
    "forged": "forged",
    "rewritten": "of other entries",
    "unchecked": "not checked",
}
ANCHORS = {
    "agrees": "agrees",
    "contradicts": "contradicts the log",
    "beyond": "had more entries than the log has now",
    "unchecked": "not checked",
}
WEIGHTS = {"tampered": "proves a change", "undecided": "cannot be decided", "note": "worth knowing"}

# Kinds of activity, in the order of a bar from below.
KINDS = ("written", "opened", "searched", "unlocked", "failed", "other")
KIND_WORDS = {
    "written": "written or signed",
    "opened": "opened, printed, exported",
    "searched": "searched or listed",
    "unlocked": "unlocked",
    "failed": "failed unlocks",
    "other": "other",
}
_KIND_OF = {
    "record.write": "written",
    "record.sign": "written",
    "record.open": "opened",
    "record.print": "opened",
    "record.export": "opened",
    "search.run": "searched",
    "session.list": "searched",
    "session.open": "unlocked",
    "session.fail": "failed",
}


def kind_of(event: str) -> str:
    """The kind of activity, one of `KINDS`."""
    return _KIND_OF.get(event, "other")


def word(words: dict[str, str], key: str) -> str:
    """`key` in words; one that we do not know stays what it is, made safe."""
    return words.get(key) or text(key, 60)


def text(raw: str, limit: int = 400) -> str:
    """`raw` on one line, without what a terminal or a page might obey, cut at `limit` characters."""
    shown = "".join(c if c.isprintable() else "?" for c in raw[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def number(n: int) -> str:
    return f"{n:,}"


def count(n: int, one: str, many: str = "") -> str:
    """`1 entry`, `70,000 entries`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def last(n: int, one: str, many: str = "") -> str:
    """`the last entry`, `the last 37 entries`."""
    return f"the last {one}" if n == 1 else f"the last {count(n, one, many)}"


def short(origin: str) -> str:
    """A log's name for people: the first 8 of its 32 digits."""
    return text(origin[:8], 8) or "without a name"


def fingerprint(digits: str) -> str:
    """Groups of four hexadecimal digits, as on the card."""
    return text(" ".join(digits[at : at + 4] for at in range(0, len(digits), 4)), 80)


def when(ms: int | None) -> str:
    """`21 Nov 2026 16:02 UTC`."""
    moment = _moment(ms)
    if moment is None:
        return "not known" if ms is None else f"no date ({ms:,} ms)"
    return f"{_date(moment.date())} {moment:%H:%M} UTC"


def iso(ms: int | None) -> str | None:
    """`2026-11-21T16:02:03Z`; None where there is no such date."""
    moment = _moment(ms)
    return None if moment is None else moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def day(number_of_day: int) -> str:
    """`21 Nov 2026`, from days since 1970."""
    found = _day(number_of_day)
    return _date(found) if found else f"day {number_of_day:,}"


def iso_day(number_of_day: int) -> str:
    found = _day(number_of_day)
    return found.isoformat() if found else f"day {number_of_day}"


def short_day(number_of_day: int, *, year: bool = False) -> str:
    """`21 Nov`, or `Nov 2026`: for an axis."""
    found = _day(number_of_day)
    if found is None:
        return f"{number_of_day:,}"
    return f"{_MONTHS[found.month - 1]} {found.year}" if year else f"{found.day} {_MONTHS[found.month - 1]}"


def days(first: int, last: int) -> str:
    """A span of days, both included: `3 to 9 Nov 2026`."""
    a, b = _day(first), _day(last)
    if first == last or a is None or b is None:
        return day(first) if first == last else f"{day(first)} to {day(last)}"
    if (a.year, a.month) == (b.year, b.month):
        return f"{a.day} to {_date(b)}"
    if a.year == b.year:
        return f"{a.day} {_MONTHS[a.month - 1]} to {_date(b)}"
    return f"{_date(a)} to {_date(b)}"


def lasting(ms: int) -> str:
    """A length of time in its largest two units: `3 days 4 hours`, `12 minutes`."""
    seconds = abs(ms) // 1000
    for unit, size, below, part in (
        ("day", 86_400, "hour", 3600),
        ("hour", 3600, "minute", 60),
        ("minute", 60, "second", 1),
    ):
        if seconds >= size:
            rest = seconds % size // part
            return count(seconds // size, unit) + (f" {count(rest, below)}" if rest else "")
    return count(seconds, "second")


def _moment(ms: int | None) -> datetime | None:
    """None beyond the years 1 to 9999: an entry's time may be any number."""
    try:
        return None if ms is None else _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return None


def _day(number_of_day: int) -> date | None:
    try:
        return _EPOCH_DAY + timedelta(days=number_of_day)
    except OverflowError:
        return None


def _date(found: date) -> str:
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"
