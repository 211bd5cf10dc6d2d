"""The words of a backup place's state: a clause for its line, a sentence, and what to do. Times as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from notevault.backup import model
from notevault.backup.model import More, Neighbour

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000  # ms
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LAST = 253_402_000_000_000  # ms; shortly before the year 10000, which no date can hold


class Says(NamedTuple):
    """`short` stands in a line of other clauses; `{name}` in `step` is the place's, `{n}` a count of files."""

    short: str
    sentence: str
    step: str


_KEEP = "Nothing was written there."
SAYS: Mapping[str, Says] = {
    model.SAFE: Says("", "All that was saved is there.", ""),
    model.WAITING: Says("", "Not all that was saved is there yet.", "`notevault backup run` brings the rest now."),
    model.ABSENT: Says(
        "not connected",
        "It is not plugged in, or cannot be reached.",
        "Plug it in or connect to it: while notevault is open, the backup then goes on by itself; else `notevault"
        " backup run`.",
    ),
    model.BUSY: Says(
        "busy", "Another notevault is backing up to it just now.", "Nothing to do: wait until that one has finished."
    ),
    model.SLOW: Says(
        "does not answer",
        "It did not answer in time.",
        "Check the network or the cable. It is tried again by itself.",
    ),
    model.FULL: Says(
        "FULL",
        "It is full. What was backed up before is safe there; what is new does not fit.",
        "Make room on it, but leave its folder `notevault` alone; or name a larger one: `notevault backup add DIR`.",
    ),
    model.READ_ONLY: Says(
        "write-protected",
        "It cannot be written to: it is write-protected, or the folder is not yours to change.",
        "Take the protection off (some sticks have a switch), or ask who looks after the folder.",
    ),
    model.BROKEN: Says(
        "FAILING",
        "Reading or writing there fails: the stick, disk or connection may be at its end.",
        "Name another backup place now, `notevault backup add DIR`, and plug this one out and in again.",
    ),
    model.FAULT: Says(
        "HELD UP",
        "Something in notevault itself or on this computer stopped the backup; the place is not to blame. What was"
        " backed up before is safe there.",
        "It is tried again by itself; `notevault backup run` says more. If it stays so: install the newest notevault,"
        " and please report it.",
    ),
    model.FOREIGN: Says(
        "NOT THIS PLACE",
        f"The folder that is there now belongs to another vault or is another backup place. {_KEEP}",
        "Plug in the right one. If you have changed it on purpose: `notevault backup remove '{name}'`, then `notevault"
        " backup add DIR`.",
    ),
    model.PLANTED: Says(
        "TAMPERED WITH",
        "Among its files lies a link, or something else that notevault never puts there. The backup there has stopped.",
        "Somebody or some program put it there: show it to whoever looks after your computer, and back up to another"
        " place meanwhile, `notevault backup add DIR`. Then `notevault backup heal '{name}'`; move by hand what it"
        " leaves.",
    ),
    model.HURT: Says(
        "DAMAGED",
        "Backed-up files are missing or changed there.",
        "`notevault backup heal` puts them back from your vault or another backup place.",
    ),
    model.SHRUNK: Says(
        "EMPTIED",
        f"It holds less than it did: somebody emptied it, or this is an older copy of it. {_KEEP}",
        "If another stick or disk is the newer one, plug in that one. If this is the only one, or you emptied it:"
        " `notevault backup heal '{name}'` fills it again. Else keep it as it is, and look at the others: `notevault"
        " backup verify --full`.",
    ),
    model.EMPTIED: Says(
        "GONE",
        "Its backup is gone from the folder, though the disk that it was on is there: it was deleted or moved away.",
        "If it was moved: `notevault backup add DIR` with the folder that it is in now. Else `notevault backup add DIR`"
        " starts anew, in the same folder or another. If you did not delete it, have the computer looked at first.",
    ),
    model.AHEAD: Says(
        "NEWER THAN THE VAULT",
        "It holds newer notes than this vault: an older copy of the vault was put back on this computer."
        f" {_KEEP}",
        "Keep both as they are. `notevault backup restore --from DIR --to NEWVAULT` brings the newest notes back into a"
        " new folder.",
    ),
    model.FORKED: Says(
        "OF ANOTHER COPY",
        "This vault and the one backed up there were both written to, each in its own way, since they were one."
        f" {_KEEP}",
        "Keep both as they are. `notevault backup restore --from DIR --to NEWVAULT` shows what the other one holds;"
        " back this one up to another place: `notevault backup add DIR`.",
    ),
    model.SOURCE: Says(
        "VAULT DAMAGED",
        "Something in the vault itself is damaged or missing. What was backed up before is safe.",
        "`notevault backup heal` puts back what a backup place still has; `notevault verify` says what is wrong.",
    ),
    model.FROZEN: Says(
        "STOPPED",
        "Many saved files changed or vanished at once, as when a program destroys them for ransom. All backups have"
        " stopped; what is in them was not touched.",
        "Unplug your backup places now. Have the computer looked at. Then plug one in, and `notevault backup heal` puts"
        " the files back.",
    ),
}  # fmt: skip


WHY_UNREAD = (
    "All backups have stopped, and this laptop's note of why cannot be read. What is in them was not touched.",
    "`notevault backup heal` looks through the vault, puts back what is missing, and lets the backups go on.",
)
"""Sentence and step for a freeze of which nothing more is known."""
MEND = "`notevault backup run` writes them again, from your vault."
FROM = (
    "`notevault backup heal --from DIR` brings them back from any other copy of the vault or of a backup, if there is"
    " one; `notevault verify` names them."
)
BRING_IN = (
    "If you want them: `notevault backup heal --bring-in`. If you went back to an earlier day on purpose, there is"
    " nothing to do."
)


def more_words(more: Mapping[str, More]) -> str:
    """What a place has that was saved before the vault was brought back from an earlier backup; "" for nothing."""
    telling = [one for one in more.values() if one.tells]
    changes, files = sum(one.changes for one in telling), sum(one.files for one in telling)
    if not telling:
        return ""
    if not changes:
        return "It also has changes that this vault does not have, but what they were has not all arrived there."
    more_than = "" if all(one.read for one in telling) else "more than "
    return (
        f"It also has {more_than}{counted(changes, 'change')} ({counted(files, 'sealed file')}) that this vault does"
        " not have: saved after the backup from which the vault was brought back."
    )


def lost_words(n: int) -> str:
    """Saved files that were given up, since no copy had them."""
    return f"{counted(n, 'saved file is', 'saved files are')} in no copy that was asked."


def others_words(others: Mapping[str, Neighbour], now_ms: int, offset_minutes: int) -> str:
    """Which other laptops of this vault back up to a place, and what that means; "" where there is none."""
    if not others:
        return ""
    last, files = max(one.last_ms for one in others.values()), sum(one.files for one in others.values())
    seen = f", last seen {moment_words(last, now_ms, offset_minutes)}," if last else ""
    who, whose, both = f"Another laptop of yours{seen} backs up", "its", "both"
    if len(others) > 1:
        who, whose, both = f"{len(others)} other laptops of yours{seen} back up", "their", "all of them"
    if not all(one.fresh for one in others.values()):
        kept = f"{whose} files are kept"
    elif files:
        kept = f"{whose} {counted(files, 'file')} {'is' if files == 1 else 'are'} kept"
    else:
        return f"{who} here too. Nothing has been saved on {'it' if len(others) == 1 else 'them'} alone so far."
    return f"{who} here too: {kept}; a restore brings {both}."


def age_words(ms: int) -> str:
    """As "just now", "3 min ago", "2 days ago". An age below zero is now."""
    words = span_words(ms)
    return f"{words} ago" if words else "just now"


def span_words(ms: int) -> str:
    """As "3 min", "5 h", "2 days", "3 weeks", "4 months", rounded down; "" below a minute."""
    if ms < MINUTE:
        return ""
    if ms < 2 * HOUR:
        return f"{ms // MINUTE} min"
    if ms < 2 * DAY:
        return f"{ms // HOUR} h"
    days = ms // DAY
    if days < 21:
        return f"{days} days"
    if days < 90:
        return f"{days // 7} weeks"
    return f"{days // 30:,} months" if days < 730 else f"{days // 365:,} years"


def since_words(at_ms: int, now_ms: int, offset_minutes: int) -> str:
    """As "since 09:41", "since Mon", "since 3 Nov", "since 3 Nov 2024": as exact as it helps."""
    return f"since {moment_words(at_ms, now_ms, offset_minutes)}"


def moment_words(at_ms: int, now_ms: int, offset_minutes: int) -> str:
    """As "09:41", "Mon", "3 Nov", "3 Nov 2024"."""
    at, now = _local(at_ms, offset_minutes), _local(now_ms, offset_minutes)
    if at.date() >= now.date():
        return f"{at:%H:%M}"
    if now.date() - at.date() < timedelta(days=7):
        return _WEEKDAYS[at.weekday()]
    year = f" {at.year}" if at.year != now.year else ""
    return f"{at.day} {_MONTHS[at.month - 1]}{year}"


def _local(ms: int, offset_minutes: int) -> datetime:
    return datetime.fromtimestamp(min(max(0, ms), _LAST) / 1000, UTC) + timedelta(minutes=offset_minutes)


def counted(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
