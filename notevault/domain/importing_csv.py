"""Notes from a CSV file (RFC 4180): which column is what, and rows that do not fit, by line number.

The delimiter (comma, semicolon, tab or bar) is the one under which the heading line shows the columns asked for or
known by name; no statistics over the content. Quotes are doubled inside quotes. A row with too many or too few fields
is left out and named, since nobody can know which field is missing; blank lines are nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from notevault.domain.folding import words
from notevault.domain.imported import ImportedNote, ImportPlan, build_note, lines_named, read_facts
from notevault.domain.notes import clean_text
from notevault.errors import UsageFault

DELIMITERS = (",", ";", "\t", "|")
ROLES = ("name", "text", "date", "born", "title")
# Headings as `_plain` writes them, the surest first; two columns of one file rarely both stand in one row here.
_KNOWN = {
    "name": ("client name", "patient name", "client", "patient", "name", "full name"),
    "text": ("text", "note text", "note", "notes", "body", "content", "progress note", "session note"),
    "date": ("session date", "date of session", "session", "date", "note date", "visit date", "created", "created at"),
    "born": ("born", "date of birth", "birth date", "birthdate", "dob"),
    "title": ("title", "subject", "reason", "complaint"),
}
_MAP_STEP = "Name the columns: --map name=COLUMN,text=COLUMN (or by number: text=#6)."


@dataclass
class _Faults:
    """Line numbers by what is wrong there."""

    ragged: list[int] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    unclear: dict[str, list[int]] = field(default_factory=dict)
    nameless: list[int] = field(default_factory=list)

    def sentences(self) -> list[str]:
        rows = [
            (self.ragged, "more or fewer fields than the heading has; left out"),
            (self.empty, "no text; left out"),
            (self.long, "a text above 1 MiB, or broken; left out"),
            (self.nameless, "no client named"),
        ]
        rows += [
            (lines, f"{role} not understood; kept as words below the text") for role, lines in self.unclear.items()
        ]
        told = [f"{lines_named(lines).capitalize()}: {what}." for lines, what in rows if lines]
        if self.unclear.get("date") or self.unclear.get("born"):
            told.append("Where days and months are swapped or unclear, add order=dmy or order=mdy to --map.")
        return told


def _plain(heading: str) -> str:
    return " ".join(words(heading))


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line number where the row begins, fields). UsageFault naming the line where quotes do not fit."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, doublequote=True, strict=True)
    begin = 1
    try:
        for row in reader:
            yield begin, row
            begin = reader.line_num + 1
    except csv.Error:
        raise UsageFault(
            f"The quotes in the row that begins on line {begin} do not fit.",
            "Inside a quoted field a quote is written twice; export the file again or correct that line.",
        ) from None


def _place(headings: Sequence[str], wanted: str) -> int:
    """The column that `--map` means, by heading (case and punctuation aside) or as #number."""
    if wanted.startswith("#") and wanted[1:].isascii() and wanted[1:].isdigit() and len(wanted) < 6:
        number = int(wanted[1:])
        if not 1 <= number <= len(headings):
            raise UsageFault(f"There is no column {number}; the file has {len(headings)}.", _MAP_STEP)
        return number - 1
    places = [at for at, heading in enumerate(headings) if heading.strip() == wanted]
    places = places or [at for at, heading in enumerate(headings) if _plain(heading) == _plain(wanted)]
    if len(places) == 1:
        return places[0]
    if places:
        raise UsageFault("Two columns have the heading that --map names.", _MAP_STEP)
    raise UsageFault("No column has a heading that --map names.", _MAP_STEP)


def _choose(headings: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Role -> column: as mapped, then by known headings. UsageFault when a mapped one or the text is not there."""
    columns = {role: _place(headings, wanted) for role, wanted in mapping.items() if role in ROLES}
    if len(set(columns.values())) < len(columns):
        raise UsageFault("Two parts of --map name the same column.", _MAP_STEP)
    plain = [_plain(heading) for heading in headings]
    for role in ROLES:
        if role in columns:
            continue
        for known in _KNOWN[role]:
            if plain.count(known) == 1 and plain.index(known) not in columns.values():
                columns[role] = plain.index(known)
                break
    if "text" not in columns:
        raise UsageFault("No column was recognised as the text of the notes.", _MAP_STEP)
    return columns


def _delimiter(text: str, mapping: Mapping[str, str]) -> str:
    """The delimiter under which most roles find their column; a tie goes to the order of DELIMITERS."""
    first: UsageFault | None = None
    best, most = DELIMITERS[0], 0
    for delimiter in DELIMITERS:
        try:
            headings = next((row for _, row in _rows(text, delimiter)), [])
            found = len(_choose(headings, mapping))
        except UsageFault as fault:
            first = first or fault
            continue
        if found > most:
            best, most = delimiter, found
    if not most:
        raise first or UsageFault("The file has no heading line.", _MAP_STEP)
    return best


def parse_csv(source: str, text: str, mapping: Mapping[str, str], warnings: Sequence[str]) -> ImportPlan:
    """The notes of a CSV text. UsageFault when columns or quotes cannot be made out; rows at fault become warnings."""
    before = csv.field_size_limit(len(text) + 1)  # the module's own limit is 128 KiB, and global
    try:
        return _parse(source, text, mapping, warnings)
    finally:
        csv.field_size_limit(before)


def _parse(source: str, text: str, mapping: Mapping[str, str], warnings: Sequence[str]) -> ImportPlan:
    rows = _rows(text, _delimiter(text, mapping))
    _, headings = next(rows)
    columns = _choose(headings, mapping)
    others = [at for at in range(len(headings)) if at not in columns.values()]
    notes: list[ImportedNote] = []
    faults = _Faults()
    for line, row in rows:
        if not row:
            continue
        if len(row) != len(headings):
            faults.ragged.append(line)
            continue
        if not row[columns["text"]].strip():
            faults.empty.append(line)
            continue
        try:
            body = clean_text(row[columns["text"]])
        except UsageFault:
            faults.long.append(line)
            continue
        facts = {role: row[at] for role, at in columns.items() if role != "text"}
        values, unclear = read_facts(facts, mapping.get("order"))
        extra = [(headings[at].strip() or f"column {at + 1}", row[at].strip()) for at in others if row[at].strip()]
        for role in unclear:
            faults.unclear.setdefault(role, []).append(line)
            extra.append((role, facts[role].strip()))
        if "name" not in values:
            faults.nameless.append(line)
        notes.append(build_note(values, body, f"{source}, line {line}", extra))
    skipped = tuple(sorted([*faults.ragged, *faults.empty, *faults.long]))
    told = (*warnings, *faults.sentences())
    return ImportPlan(tuple(notes), told, {role: headings[at] for role, at in columns.items()}, skipped)
