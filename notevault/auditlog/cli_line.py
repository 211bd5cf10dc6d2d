"""One entry in words, on one line, without a name: number, time, how it went, what, for what purpose."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from . import plain
from .entry import Entry

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017  (3.9)

# What one entry of an event tells, behind how it went: done, failed, refused (`plain.EVENTS` has the words for many).
WORDS = {
    "vault.create": "create the vault",
    "vault.recover": "recover the vault with the recovery sheet; this log follows another",
    "header.write": "change keys",
    "session.open": "unlock the vault",
    "session.fail": "try to unlock the vault",
    "session.lock": "lock the vault",
    "session.list": "show the list of clients",
    "remember.start": "remember the unlock",
    "remember.end": "end the remembered unlock",
    "record.write": "write a record",
    "record.sign": "sign a record",
    "record.open": "open a record",
    "record.export": "export a record",
    "record.print": "print a record",
    "record.purge": "destroy a record for good",
    "search.run": "search",
    "sheet.confirm": "confirm the recovery sheet",
    "settings.change": "change the settings",
    "import.run": "import records",
    "audit.review": "review the log",
    "audit.disclose": "disclose one client's entries to an auditor",
    "verify.run": "check the vault",
    "crash.settle": "tidy up after an interruption",
    "clock.jump": "the laptop's clock was moved",
    "rollback.confirm": "accept an older state of the vault",
    "epoch.close": "change the signing key",
    "backup.run": "make a backup",
    "backup.verify": "check a backup",
    "backup.restore": "restore from a backup",
    "backup.drill": "practise a restore",
    "backup.heal": "mend damaged files in the vault or at a backup place",
    "backup.place": "add or remove a backup place",
    "client.shred": "destroy a client's records for good",
    "device.fork": "begin this log anew on another laptop",
}
KEYS_CHANGED = {
    "passphrase": "the passphrase",
    "pool": "spare keys",
    "sheet": "the recovery sheet",
    "policy": "stronger protection of the passphrase",
    "device": "this laptop's key",
    "renewal": "all of them",
    "shred": "after destroying a client's records",
}
LOCKED = {
    "key": "by hand",
    "idle": "after idling",
    "hangup": "its terminal was closed",
    "exit": "the program ended",
    "suspend": "the laptop went to sleep",
}
UNLOCKED = {"passphrase": "with the passphrase", "remembered": "remembered", "sheet": "with the recovery sheet"}
ENDED = {"lock": "locked", "expiry": "its time was over", "passphrase": "the passphrase was changed"}


def line_of(one: Entry) -> str:
    """`     41  2025-11-21 16:02:03  done     open a record · care of clients`; UTC, by the laptop's clock."""
    outcome, purpose = plain.word(plain.OUTCOMES, one.o), plain.word(plain.PURPOSES, one.pu)
    return f"{one.i:>7}  {moment(one.t)}  {outcome:<7}  {what(one)} \u00b7 {purpose}"


def what(one: Entry) -> str:
    """What was done, with what the entry itself says of it."""
    words, more = plain.word(WORDS, one.ev), _more(one)
    if one.o == "reported":
        more = [*more, f"on {moment(one.k['at'])}"]
    return f"{words}: {', '.join(more)}" if more else words


def _more(one: Entry) -> list[str]:
    k = one.k
    if one.ev == "session.fail":
        times = [f"{k['n']:,} times"] if k["n"] != 1 else []
        return [*times, plain.word(plain.FAILS, k["why"])]
    if one.ev == "clock.jump":
        return [f"{plain.lasting(k['ms'])} {k['to']}"]
    for event, table, name in (
        ("header.write", KEYS_CHANGED, "why"),
        ("session.lock", LOCKED, "why"),
        ("session.open", UNLOCKED, "how"),
        ("remember.end", ENDED, "why"),
    ):
        if one.ev == event:
            return [plain.word(table, k[name])]
    if one.ev == "remember.start":
        return [f"until {moment(k['until'])}"]
    if one.ev == "import.run":
        return [f"{k['n']:,}"]
    if one.ev == "verify.run":
        return [f"{k['n']:,} looked at, {k['bad']:,} bad"]
    if one.ev in ("backup.verify", "backup.drill") and k["n"]:
        return [f"{k['n']:,} looked at", *(["something did not hold"] if one.o in ("fail", "refused") else [])]
    if one.ev == "client.shred":
        return ["begun" if k["step"] == "intent" else "finished"]
    return []


def moment(ms: int) -> str:
    """`2025-11-21 16:02:03`, which sorts as text."""
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).strftime("%Y-%m-%d %H:%M:%S")
    except OverflowError:
        return f"{ms} ms"
