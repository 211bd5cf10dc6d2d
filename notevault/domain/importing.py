"""What an import would bring in, as values: nothing is stored here and nothing is guessed.

    txt, md   one file is one note. Who and when: a fenced block at the top (`---` lines around `client:` or `name:`,
              `date:`, `born:`, `title:`), or the same lines unfenced at the top. A heading is not taken for a name.
    csv       one row is one note: `importing_csv`.
The text stays as it is in the file, line ends and a byte-order mark aside. A fenced block is taken off; what it (or a
CSV row) says beyond name, date, born and title is kept as `extra` and goes below the text (`full_text`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from notevault.domain.imported import ImportPlan, build_note, lines_named, read_facts
from notevault.domain.importing_csv import parse_csv
from notevault.domain.notes import clean_text
from notevault.errors import UsageFault

FILE_LIMIT = 67_108_864  # 64 MiB: some 10,000 long notes; more is better split
_MAP_ROLES = ("name", "text", "date", "born", "title", "order")
_HEAD_LINES = 40
_PAIR = re.compile(r"([A-Za-z][A-Za-z _-]{0,39})[ \t]*:[ \t]*(.*)")
_HEAD_KEYS = {"client": "name", "client name": "name", "patient": "name", "name": "name"}
_HEAD_KEYS |= {
    "date": "date",
    "session": "date",
    "born": "born",
    "date of birth": "born",
    "dob": "born",
    "title": "title",
}


def parse(filename: str, data: bytes, mapping: Mapping[str, str] | None = None) -> ImportPlan:
    """Read one file; its kind is told by the name's ending. UsageFault for what cannot be read at all.

    `mapping` (see `parse_map`) is for CSV; for other files it is refused.
    """
    path = PurePath(filename)
    kind = path.suffix.lower()
    if kind not in (".txt", ".text", ".md", ".markdown", ".csv", ".tsv"):
        raise UsageFault("Only .txt, .md and .csv files can be imported.", "Save it as one of these first.")
    if len(data) > FILE_LIMIT:
        raise UsageFault("The file is larger than 64 MiB.", "Split it and import the parts.")
    text, warnings = decoded(data)
    if kind in (".csv", ".tsv"):
        return parse_csv(path.name, text, mapping or {}, warnings)
    if mapping:
        raise UsageFault("Columns can be named for CSV files only.", "Leave --map out, or use --client.")
    return _parse_plain(path.name, text, warnings)


def decoded(data: bytes) -> tuple[str, list[str]]:
    """The file's text with line ends as they were, and what had to be said about it."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageFault("The file is in UTF-16.", "Save it as UTF-8 (in a spreadsheet: CSV UTF-8) and import that.")
    warnings = []
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            raise UsageFault(
                "The file is neither UTF-8 nor Windows text.", "Save it as UTF-8 and import that."
            ) from None
        warnings.append("The file is not UTF-8; it was read as Windows text. Look at accented letters in the preview.")
    if "\0" in text:
        places = [number for number, line in enumerate(text.split("\n"), 1) if "\0" in line]
        warnings.append(f"Zero bytes, shown as \N{REPLACEMENT CHARACTER}, on {lines_named(places)}.")
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text, warnings


def _head(text: str) -> tuple[list[tuple[str, str]], str]:
    """The pairs at the top of a text file, and the text without a fenced block (unfenced lines stay in it)."""
    lines = text.split("\n")
    if lines[0].strip() == "---":
        for end, line in enumerate(lines[1:_HEAD_LINES], 1):
            if line.strip() in ("---", "..."):
                pairs = [match for match in map(_PAIR.fullmatch, lines[1:end]) if match]
                if len(pairs) == sum(bool(inner.strip()) for inner in lines[1:end]):
                    rest = "\n".join(lines[end + 1 :]).lstrip("\n")
                    return [(match[1].strip(), match[2].strip().strip("\"'")) for match in pairs], rest
                return [], text  # something else than plain pairs: leave it all where it is
        return [], text
    found = []
    for line in lines[:_HEAD_LINES]:
        match = _PAIR.fullmatch(line.rstrip())
        if match is None or _role(match[1]) is None:
            break
        found.append((match[1].strip(), match[2].strip()))
    return found, text


def _role(key: str) -> str | None:
    return _HEAD_KEYS.get(" ".join(key.replace("_", " ").replace("-", " ").lower().split()))


def _parse_plain(source: str, text: str, warnings: list[str]) -> ImportPlan:
    pairs, body = _head(clean_text(text))
    fenced = len(body) < len(clean_text(text))
    if not body.strip():
        return ImportPlan((), (*warnings, "There is no text in the file."), skipped=(1,))
    facts: dict[str, str] = {}
    extra = []
    for key, value in pairs:
        role = _role(key)
        if role and role not in facts:
            facts[role] = value
        elif value and fenced:
            extra.append((key, value))
    values, unclear = read_facts(facts)
    for role in unclear:
        warnings = [*warnings, f"The {role} at the top is not understood and was left out."]
        if fenced:
            extra.append((role, facts[role]))
    return ImportPlan((build_note(values, body, source, extra),), tuple(warnings))


def parse_map(text: str) -> dict[str, str]:
    """`name=COLUMN,text=COLUMN[,date=COLUMN,born=COLUMN,title=COLUMN,order=dmy|mdy]`; a column by heading or as #3."""
    mapping: dict[str, str] = {}
    for part in text.split(","):
        role, equals, column = part.partition("=")
        role, column = role.strip().lower(), column.strip()
        if (
            not equals
            or not column
            or role not in ("name", "text", "date", "born", "title", "order")
            or role in mapping
        ):
            raise UsageFault(
                "The columns are not named in a way that is understood.",
                "Write --map name=COLUMN,text=COLUMN, and if wanted date=, born=, title= or order=dmy (or mdy).",
            )
        mapping[role] = column
    if mapping.get("order", "dmy") not in ("dmy", "mdy"):
        raise UsageFault("The order of dates is dmy or mdy.", "Write order=dmy where 3/4/2024 is the third of April.")
    return mapping
