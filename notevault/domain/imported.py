"""What an import found, as values: notes, the persons they belong to, and what could not be understood.

A client is never merged on a name alone when something else contradicts it (`clients_of`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from notevault.domain.clients import check_born, clean_name
from notevault.domain.dates import Moment, parse_day, parse_moment
from notevault.domain.folding import words
from notevault.domain.notes import TITLE_LIMIT
from notevault.errors import UsageFault


@dataclass(frozen=True, repr=False)
class ImportedNote:
    """One note found. `client_name` is None when the file does not say; `when` the session; `source` where from."""

    client_name: str | None
    text: str
    when: Moment | None
    born: date | None
    title: str
    source: str
    extra: tuple[tuple[str, str], ...] = ()

    def full_text(self) -> str:
        """The text, and below it what else the file said: "Imported with: age 50; complaint annual exam"."""
        if not self.extra:
            return self.text
        said = "; ".join(f"{name} {' '.join(value.split())}" for name, value in self.extra)
        return f"{self.text.rstrip()}\n\nImported with: {said}\n"

    def __repr__(self) -> str:
        return "<ImportedNote: hidden>"


@dataclass(frozen=True, repr=False)
class ImportPlan:
    """`warnings` name lines, never content. `columns`: role -> heading, for CSV. `skipped`: lines that gave no note."""

    notes: tuple[ImportedNote, ...]
    warnings: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[int, ...] = ()

    @property
    def nameless(self) -> int:
        """Notes that need `--client`, or a client each."""
        return sum(note.client_name is None for note in self.notes)

    def __repr__(self) -> str:
        return f"<ImportPlan: {len(self.notes)} notes, {len(self.warnings)} warnings>"


@dataclass(frozen=True, repr=False)
class ImportedClient:
    """The notes of one person: `name` None for a note that names nobody (one such client per note)."""

    name: str | None
    born: date | None
    notes: tuple[ImportedNote, ...]

    def __repr__(self) -> str:
        return f"<ImportedClient: {len(self.notes)} notes>"


def clean_title(text: str) -> str:
    """A title as stored: one line, nothing unprintable. UsageFault above 200 characters."""
    title = "".join(each for each in " ".join(text.split()) if each.isprintable())
    if len(title) > TITLE_LIMIT:
        raise UsageFault("The title is too long.", "Shorten it.")
    return title


def lines_named(numbers: Sequence[int]) -> str:
    """As "line 4", "lines 4, 7 and 9", and at most ten of them."""
    if len(numbers) == 1:
        return f"line {numbers[0]}"
    if len(numbers) > 10:
        return f"lines {', '.join(map(str, numbers[:10]))} and {len(numbers) - 10} more"
    return f"lines {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def read_facts(facts: Mapping[str, str], order: str | None = None) -> tuple[dict[str, object], list[str]]:
    """Values for the roles name, date, born, title as found; and the roles that could not be understood.

    What is not understood is left out of the values; the caller says so and keeps the words.
    """
    values: dict[str, object] = {}
    unclear = []
    for role, raw in facts.items():
        if not raw.strip():
            continue
        try:
            if role == "name":
                values[role] = clean_name(raw)
            elif role == "date":
                values[role] = parse_moment(raw, order=order)
            elif role == "born":
                born = parse_day(raw, order=order)
                check_born(born, date(9998, 12, 31))
                values[role] = born
            elif role == "title":
                values[role] = clean_title(raw)
        except UsageFault:
            unclear.append(role)
    return values, unclear


def build_note(values: Mapping[str, object], text: str, source: str, extra: Sequence[tuple[str, str]]) -> ImportedNote:
    name, when, born = values.get("name"), values.get("date"), values.get("born")
    return ImportedNote(
        client_name=name if isinstance(name, str) else None,
        text=text,
        when=when if isinstance(when, Moment) else None,
        born=born if isinstance(born, date) else None,
        title=str(values.get("title", "")),
        source=source,
        extra=tuple(extra),
    )


def _contradict(one: ImportedNote, two: ImportedNote) -> bool:
    """Whether two notes of one name are, or may well be, of two persons: birth, gender or age (with dates) differ."""
    if one.born and two.born:
        return one.born != two.born
    a = {name.strip().lower(): value.strip().lower() for name, value in one.extra}
    b = {name.strip().lower(): value.strip().lower() for name, value in two.extra}
    for key in ("gender", "sex"):
        if a.get(key) and b.get(key) and a[key] != b[key]:
            return True
    if not a.get("age") or not b.get("age") or a["age"] == b["age"]:
        return False
    try:
        older = float(b["age"]) - float(a["age"])
    except ValueError:
        return True
    years = (two.when.day - one.when.day).days / 365.25 if one.when and two.when else 0.0
    return not abs(older - years) <= 1  # "not": an age of nan contradicts too


def clients_of(notes: Sequence[ImportedNote]) -> list[ImportedClient]:
    """Notes put together by person, in order of appearance: the same name (case and accents aside), nothing against it.

    Two persons under one name is the mistake that cannot be undone, so a doubt makes two clients. A note without a name
    is a client of its own. The name is the first spelling that has a capital.
    """
    people: dict[tuple[str, ...], list[list[ImportedNote]]] = {}
    ordered: list[list[ImportedNote]] = []
    for note in notes:
        groups = people.setdefault(tuple(words(note.client_name)), []) if note.client_name else []
        fitting = [group for group in groups if not any(_contradict(other, note) for other in group)]
        if len(fitting) == 1:  # with two possible persons it is not known which one
            fitting[0].append(note)
            continue
        group = [note]
        groups.append(group)
        ordered.append(group)
    return [
        ImportedClient(
            name=next((n.client_name for n in group if n.client_name and n.client_name != n.client_name.lower()), None)
            or group[0].client_name,
            born=next((note.born for note in group if note.born), None),
            notes=tuple(group),
        )
        for group in ordered
    ]
