"""A client: the person in treatment, as a value, and its record.

Record (version 1), canonical JSON (`domain.payload`), at most 64 KiB:
    {"active":bool,"born":"YYYY-MM-DD"|null,"code":str,"created":ms,"name":str,"note":str,"v":1}
The client's id is not in it: it is part of what the record is sealed to.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from notevault.domain.dates import MS_MAX, MS_MIN, day_of
from notevault.domain.payload import believed, from_bytes, to_bytes
from notevault.errors import UsageFault

NAME_LIMIT = 120  # characters; longer than any name on a form
NOTE_LIMIT = 4_000  # characters: a remark about the client, not a session note
RECORD_LIMIT = 65_536
BORN_FIRST = date(1880, 1, 1)  # older than the oldest person: a typing slip
_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,14}[A-Z0-9])?")
_SUGGESTED = re.compile(r"C-([0-9]{1,9})")
_KINDS = {
    "active": (bool,),
    "born": (str, type(None)),
    "code": (str,),
    "created": (int,),
    "name": (str,),
    "note": (str,),
}
_WHAT = "client record"
# Direction overrides would reorder what stands beside the name on the screen.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _unprintable(text: str, allowed: str = "") -> bool:
    """Control characters, line separators, direction overrides and half characters have no place in a name."""
    return any(
        letter not in allowed and (letter in _TURNING or unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp"))
        for letter in text
    )


def clean_name(text: str) -> str:
    """A name as stored: NFC, single spaces, none at the ends. UsageFault when empty, too long or not writable."""
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not any(letter.isalnum() for letter in name):
        raise UsageFault("A client needs a name.", "Type the name as you would write it on a folder.")
    if len(name) > NAME_LIMIT:
        raise UsageFault(f"A name may have at most {NAME_LIMIT} characters.", "Shorten it.")
    if _unprintable(name):
        raise UsageFault(
            "The name holds a character that cannot be shown.", "Type the name again instead of pasting it."
        )
    return name


def clean_code(text: str) -> str:
    """A code as stored: capitals, digits, and . _ - inside, at most 16. UsageFault otherwise."""
    code = text.strip().upper()
    if _CODE.fullmatch(code) is None:
        raise UsageFault("A code has 1 to 16 letters, digits, dots or hyphens.", "Use something like C-014.")
    return code


@dataclass(frozen=True, repr=False)
class Client:
    """`created` in ms since 1970 UTC. The fields are clean (see `new_client`); UsageFault where they are not."""

    name: str
    code: str
    born: date | None
    created: int
    note: str = ""
    active: bool = True

    def __post_init__(self) -> None:
        if clean_name(self.name) != self.name or clean_code(self.code) != self.code:
            raise UsageFault("The client's name or code is not in its plain form.")
        if not MS_MIN <= self.created <= MS_MAX:
            raise UsageFault("The date of creation is out of range.", "Check this computer's clock.")
        if self.born is not None:
            check_born(self.born, date.max)  # not against `created`: a clock may have been wrong then
        if len(self.note) > NOTE_LIMIT:
            raise UsageFault(f"The remark may have at most {NOTE_LIMIT} characters.", "Put longer text in a note.")
        if _unprintable(self.note, "\n\t"):
            raise UsageFault(
                "The remark holds a character that cannot be shown.", "Type it again instead of pasting it."
            )

    def __repr__(self) -> str:
        return "<Client: hidden>"


def check_born(born: date, today: date) -> None:
    """UsageFault for a date of birth in the future or before 1880."""
    if born > today:
        raise UsageFault("The date of birth lies in the future.", "Type it as year-month-day, like 1980-05-17.")
    if born < BORN_FIRST:
        raise UsageFault("The date of birth is too long ago.", "Type it as year-month-day, like 1980-05-17.")


def new_client(name: str, code: str, born: date | None, created: int, note: str = "") -> Client:
    """A client from what was typed, cleaned. UsageFault also for a birth after `created` (a day allowed for zones)."""
    if born is not None:
        check_born(born, day_of(created, 24 * 60))
    return Client(clean_name(name), clean_code(code), born, created, note.strip())


def next_code(codes: Iterable[str]) -> str:
    """The suggestion for a new client: C-001, or one above the highest C-number (a freed number is not given again)."""
    numbers = [int(match[1]) for code in codes if (match := _SUGGESTED.fullmatch(code))]
    return f"C-{max(numbers, default=0) + 1:03d}"


def check_code_free(code: str, codes: Iterable[str]) -> None:
    """UsageFault when another client has this code."""
    taken = list(codes)
    if code in taken:
        raise UsageFault(f"The code {code} belongs to another client.", f"Free: {next_code(taken)}.")


def to_payload(client: Client) -> bytes:
    born = client.born.isoformat() if client.born else None
    return to_bytes(
        {
            "v": 1,
            "name": client.name,
            "code": client.code,
            "born": born,
            "created": client.created,
            "note": client.note,
            "active": client.active,
        }
    )


def from_payload(data: bytes) -> Client:
    """Damaged for anything but the canonical bytes of a valid client; UnknownFormat for another version."""
    fields = from_bytes(data, _WHAT, 1, _KINDS, RECORD_LIMIT)

    def build() -> Client:
        born = fields["born"]
        return Client(
            name=str(fields["name"]),
            code=str(fields["code"]),
            born=None if born is None else _iso_day(str(born)),
            created=int(fields["created"] or 0),
            note=str(fields["note"]),
            active=bool(fields["active"]),
        )

    return believed(build, _WHAT)


def _iso_day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as fault:
        raise UsageFault("Not a date.") from fault
    if day.isoformat() != text:  # Python also reads 19800517 and 1980-W20-6
        raise UsageFault("Not a date.")
    return day
