"""Days and times as people read and type them. English, no locale, no clock: the moment is an argument.

A stored moment is ms since 1970 UTC and the minutes that local time was ahead of UTC then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from notevault.errors import UsageFault

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - one spelling for both uses of timezone here
MS_MIN = -2_208_988_800_000  # 1900-01-01: no session is older
MS_MAX = 253_402_127_999_999  # 9999-12-29: leaves room for an offset of a day
OFFSET_MAX = 24 * 60
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FULL = ["january", "february", "march", "april", "may", "june"]
_FULL += ["july", "august", "september", "october", "november", "december"]
_STEP = "Type it as year-month-day, like 1980-05-17."

_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_DOTS = re.compile(r"([0-9]{1,2})\. ?([0-9]{1,2})\. ?([0-9]{4})")
_OTHER = re.compile(r"([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4})")
_WORDS = re.compile(r"([0-9]{1,2})\.? ([A-Za-z]{3,9})\.?,? ([0-9]{4})|([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})")
_TIME = re.compile(
    r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.][0-9]{2}(?:\.[0-9]{1,9})?)?"  # 9:00, 09.00, 09:00:00.5
    r" ?(?:([AaPp])\.?[Mm]\.?)?"
    r" ?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)


def local(ms: int, offset: int) -> datetime:
    """Local time of a stored moment. UsageFault outside 1900..9999 or more than a day of offset."""
    if not MS_MIN <= ms <= MS_MAX or abs(offset) > OFFSET_MAX:
        raise UsageFault("The date is out of range.", _STEP)
    # A zone may not be a whole day ahead in Python, so the offset is added to the moment instead.
    return _EPOCH + timedelta(milliseconds=ms, minutes=offset)


def day_of(ms: int, offset: int) -> date:
    return local(ms, offset).date()


def to_ms(day: date, minute: int, offset: int) -> int:
    """The moment at `minute` of the local day. UsageFault where it is out of range."""
    moment = datetime(day.year, day.month, day.day, tzinfo=timezone.utc) - _EPOCH  # noqa: UP017
    ms = (moment // timedelta(minutes=1) + minute - offset) * 60_000
    local(ms, offset)
    return ms


def day_words(day: date, today: date) -> str:
    """As "Mon 17 Nov", with the year when it is not this one."""
    text = f"{DAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
    return text if day.year == today.year else f"{text} {day.year}"


def moment_words(ms: int, offset: int, today: date) -> str:
    """As "Mon 17 Nov 09:00", in the local time of then."""
    then = local(ms, offset)
    return f"{day_words(then.date(), today)} {then:%H:%M}"


def ago(then_ms: int, now_ms: int) -> str:
    """In words: "just now", "3 s ago", "12 min ago", "5 h ago", "2 days ago"; never in the future."""
    seconds = max(0, now_ms - then_ms) // 1000
    if seconds < 1:
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 48 * 3600:
        return f"{seconds // 3600} h ago"
    return f"{seconds // 86400} days ago"


def saved_words(then_ms: int, now_ms: int) -> str:
    return f"saved {ago(then_ms, now_ms)}"


def countdown(seconds: int) -> str:
    """As "4:32", never below 0:00."""
    left = max(0, seconds)
    return f"{left // 60}:{left % 60:02d}"


@dataclass(frozen=True)
class Moment:
    """A day as typed, with the minute of that day and the offset (minutes ahead of UTC) where they were given."""

    day: date
    minute: int | None = None
    offset: int | None = None


def _month(word: str) -> int:
    low = word.lower()
    for number, name in enumerate(_FULL, 1):
        if low == name or low == name[:3] or (low == "sept" and number == 9):
            return number
    raise UsageFault("The month's name is not known.", _STEP)


def _build(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as fault:
        raise UsageFault("There is no such day in the calendar.", _STEP) from fault


def _in_order(first: int, second: int, year: int, order: str | None) -> date:
    if order == "mdy" or (order is None and second > 12):
        first, second = second, first
    elif order is None and first <= 12 and first != second:
        raise UsageFault("It is not clear which number is the day and which the month.", _STEP)
    return _build(year, second, first)


def parse_day(text: str, today: date | None = None, order: str | None = None) -> date:
    """A day typed by a person: 1980-05-17, 17.5.1980 (day first), 17/5/1980, 17 May 1980, May 17 1980.

    With `today`, also "today" and "yesterday". With slashes or hyphens the order is taken from `order` ("dmy", "mdy")
    or from a number above 12; UsageFault where it stays unclear, for two-digit years and for what is no day. The
    sentence never repeats the text.
    """
    plain = " ".join(text.split())
    if today is not None and plain.lower() in ("today", "yesterday"):
        return today if plain.lower() == "today" else today - timedelta(days=1)
    if match := _ISO.fullmatch(plain):
        return _build(int(match[1]), int(match[2]), int(match[3]))
    if match := _DOTS.fullmatch(plain):
        return _build(int(match[3]), int(match[2]), int(match[1]))
    if match := _OTHER.fullmatch(plain):
        return _in_order(int(match[1]), int(match[3]), int(match[4]), order)
    if match := _WORDS.fullmatch(plain):
        if match[1]:
            return _build(int(match[3]), _month(match[2]), int(match[1]))
        return _build(int(match[6]), _month(match[4]), int(match[5]))
    if re.fullmatch(r"[0-9]{1,2}[./-] ?[0-9]{1,2}[./-] ?[0-9]{2}", plain):
        raise UsageFault("The year needs four digits.", _STEP)
    raise UsageFault("This is not a date.", _STEP)


def parse_moment(text: str, today: date | None = None, order: str | None = None) -> Moment:
    """A day, then perhaps a time (09:00, 9:00 am, 09:00:00.5) and an offset (Z, +01:00), as exports write them."""
    plain = re.sub(r"(?<=[0-9])[Tt](?=[0-9])", " ", " ".join(text.split()))
    for at, letter in enumerate(plain):
        if letter != " ":
            continue
        match = _TIME.fullmatch(plain, at + 1)
        if match is None:
            continue
        hour, minute = int(match[1]), int(match[2])
        if match[3]:
            if not 1 <= hour <= 12:
                raise UsageFault("There is no such time of day.", "Write it like 09:00.")
            hour = hour % 12 + (12 if match[3] in "Pp" else 0)
        if hour > 23 or minute > 59:
            raise UsageFault("There is no such time of day.", "Write it like 09:00.")
        return Moment(parse_day(plain[:at], today, order), hour * 60 + minute, _offset(match[4]))
    return Moment(parse_day(plain, today, order))


def _offset(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    if minutes > OFFSET_MAX:
        raise UsageFault("The time zone is out of range.", "Write it like +01:00.")
    return -minutes if text[0] == "-" else minutes
