"""A note's revision as a value, and its record; excerpts, word counts and session numbers.

Record (version 1), canonical JSON (`domain.payload`), at most 8 MiB:
    {"author":str,"created":ms,"modified":ms,"offset":minutes,"session":ms,"state":"draft"|"unsigned"|"signed",
     "template":str,"text":str,"title":str,"v":1}
`session` is when the session began, `offset` how far local time was ahead of UTC there. The ids of note and client and
the revision's number are not in it: they are part of what the record is sealed to.

    draft     being written; kept, not yet a revision
    unsigned  a revision; saved
    signed    a revision that the author vouches for; changing it makes a new, unsigned revision
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from notevault.domain.dates import MS_MAX, MS_MIN, OFFSET_MAX
from notevault.domain.folding import hits
from notevault.domain.payload import believed, from_bytes, to_bytes
from notevault.domain.templates import TEMPLATES, heading_words
from notevault.errors import UsageFault

TEXT_LIMIT = 1_048_576  # bytes of UTF-8: some 200,000 words; beyond it is a file, not a note
TITLE_LIMIT = 200
AUTHOR_LIMIT = 120
RECORD_LIMIT = 8_388_608  # a text of control characters grows sixfold in JSON
STATES = ("draft", "unsigned", "signed")
_KINDS = {
    "author": (str,),
    "created": (int,),
    "modified": (int,),
    "offset": (int,),
    "session": (int,),
    "state": (str,),
    "template": (str,),
    "text": (str,),
    "title": (str,),
}
_WHAT = "note record"


def clean_text(text: str) -> str:
    """Note text as stored: each line end one newline, a byte-order mark dropped. UsageFault when too long or broken."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    check_text(plain)
    return plain


def check_text(text: str) -> None:
    """UsageFault for more than 1 MiB of UTF-8, or half a character."""
    if len(text) <= TEXT_LIMIT:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise UsageFault("The text holds a broken character.", "Remove it and save again.") from None
        if size <= TEXT_LIMIT:
            return
    raise UsageFault("A note may have at most 1 MiB of text.", "Split it into several notes.")


@dataclass(frozen=True, repr=False)
class Note:
    """One revision. Times in ms since 1970 UTC, `offset` in minutes ahead of UTC. UsageFault for others."""

    text: str
    session: int
    offset: int
    created: int
    modified: int
    title: str = ""
    template: str = "free"
    author: str = ""
    state: str = "unsigned"

    def __post_init__(self) -> None:
        check_text(self.text)
        if not all(MS_MIN <= moment <= MS_MAX for moment in (self.session, self.created, self.modified)):
            raise UsageFault("A date of the note is out of range.", "Check the date and this computer's clock.")
        if abs(self.offset) > OFFSET_MAX:
            raise UsageFault("The time zone is out of range.", "Check this computer's time zone.")
        if self.state not in STATES or self.template not in TEMPLATES:
            raise UsageFault("The note's state or template is not known.")
        for what, text, limit in (("title", self.title, TITLE_LIMIT), ("author", self.author, AUTHOR_LIMIT)):
            if len(text) > limit:
                raise UsageFault(f"The {what} may have at most {limit} characters.", "Shorten it.")
            if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text):
                raise UsageFault(f"The {what} holds a character that cannot be shown.", "Type it again.")

    def __repr__(self) -> str:
        return f"<Note: {self.state}, hidden>"

    def edited(self, text: str, now: int) -> Note:
        """The next revision with another text: unsigned, whatever this one was."""
        return replace(self, text=clean_text(text), modified=now, state="unsigned")

    def signed(self, author: str, now: int) -> Note:
        """The next revision, the same text vouched for. UsageFault when it is signed already or empty."""
        if self.state == "signed":
            raise UsageFault("This note is signed already.", "Change it to make a new revision.")
        if not self.text.strip():
            raise UsageFault("An empty note cannot be signed.", "Write something first.")
        return replace(self, state="signed", author=author, modified=now)


def to_payload(note: Note) -> bytes:
    return to_bytes({"v": 1, **{name: getattr(note, name) for name in _KINDS}})


def from_payload(data: bytes) -> Note:
    """Damaged for anything but the canonical bytes of a valid note; UnknownFormat for another version."""
    fields = from_bytes(data, _WHAT, 1, _KINDS, RECORD_LIMIT)
    return believed(lambda: Note(**fields), _WHAT)  # type: ignore[arg-type]  # the kinds were checked just above


def word_count(text: str, template: str = "free") -> int:
    """Words as an editor counts them: runs between spaces that hold a letter or a digit; headings aside."""
    found = sum(1 for run in text.split() if run.isalnum() or any(map(str.isalnum, run)))
    return found - heading_words(text, TEMPLATES[template])


def excerpt(text: str, words: str = "", width: int = 90) -> str:
    """One line of about `width` characters around the first word found (the beginning when none is), with … where cut.

    Spaces are single and control characters are gone. `folding.hits` on the result says what to highlight.
    """
    spans = hits(text, words) if words else []
    start, end = spans[0] if spans else (0, 0)
    begin = max(0, start - width // 3)
    piece = text[begin : max(end, begin + 3 * width)]  # more than enough before spaces are made single
    lead = " ".join(_shown(piece[: start - begin]).split())
    tail = " ".join(_shown(piece[start - begin :]).split())
    if begin and " " in lead:
        lead = lead.split(" ", 1)[1]  # not half a word
    gap = " " if lead and piece[: start - begin][-1:].isspace() else ""
    line = f"{'…' if begin else ''}{lead}{gap}{tail}"
    cut = begin + len(piece) < len(text)
    if len(line) > width:
        line, cut = line[:width], True
        line = line[: line.rindex(" ")] if " " in line[width // 2 :] else line
    return line.rstrip() + ("…" if cut else "")


def _shown(text: str) -> str:
    return "".join(" " if letter.isspace() else letter for letter in text if letter.isspace() or letter.isprintable())


Id = TypeVar("Id", bound=Hashable)


def session_numbers(notes: Iterable[tuple[Id, int, int]]) -> dict[Id, int]:
    """For the notes (id, session ms, created ms) of one client: each one's number, 1 for the earliest session.

    Two notes of the same moment go by when they were created; after that, in the order given.
    """
    ordered = sorted(notes, key=lambda each: (each[1], each[2]))
    return {each[0]: number for number, each in enumerate(ordered, 1)}
