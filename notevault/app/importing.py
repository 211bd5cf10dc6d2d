"""Bringing notes in from files: what would happen, in numbers and names, and then doing it.

Two persons under one name is the mistake that cannot be undone, so a doubt always makes a client of its own:
a client who is already here is taken only when exactly one has that name, exactly one person in the files has it, and
no date of birth speaks against it.

A note that is here already (the same text, for the same name, of the same day) is left out, so that importing a file
twice, or going on after an interruption, doubles nothing. One whose text was changed since then comes in again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from notevault.app.adding import session_time, today
from notevault.domain import notes as note_records
from notevault.domain.clients import Client, check_born, next_code
from notevault.domain.dates import day_of
from notevault.domain.folding import words
from notevault.domain.imported import ImportedClient, ImportedNote, clients_of
from notevault.domain.matching import similar
from notevault.domain.notes import TITLE_LIMIT, Note
from notevault.errors import UsageFault
from notevault.vault.notebook import ClientView, Notebook

UNDATED = "undated"
UNNAMED = "Unnamed"
_Key = tuple[date | None, str]  # day of the session (None: undated) and text


@dataclass(frozen=True)
class Owner:
    """Whose notes these are: a client who is here already, or one to be made."""

    client: Client = field(repr=False)
    existing: ClientView | None
    notes: tuple[ImportedNote, ...] = field(repr=False)
    nameless: bool = False


@dataclass(frozen=True)
class Preview:
    owners: tuple[Owner, ...] = field(repr=False)
    warnings: tuple[str, ...]
    close: tuple[tuple[str, str], ...] = field(repr=False)  # (a new name, the code of a client with nearly that name)
    left_out: int = 0  # notes that are here already

    @property
    def notes(self) -> int:
        return sum(len(owner.notes) for owner in self.owners)

    @property
    def new(self) -> list[Owner]:
        return [owner for owner in self.owners if owner.existing is None]

    @property
    def known(self) -> list[Owner]:
        return [owner for owner in self.owners if owner.existing is not None]

    @property
    def undated(self) -> int:
        return sum(note.when is None for owner in self.owners for note in owner.notes)

    @property
    def nameless(self) -> int:
        return sum(owner.nameless for owner in self.owners)


class _Here:
    """What the notes that are here already say, client by client; each of them stands for one note of the files."""

    def __init__(self, notebook: Notebook, author: str, *, again: bool) -> None:
        self._notebook, self._author, self._again = notebook, author, again
        self._kept: dict[bytes, Counter[_Key]] = {}
        self.left_out = 0

    def new_ones(self, clients: Iterable[ClientView], notes: Sequence[ImportedNote]) -> tuple[ImportedNote, ...]:
        """Those of `notes` that none of `clients` has; all of them for an import that is wanted `again`."""
        if self._again:
            return tuple(notes)
        kept = [self._of(client.id) for client in clients]
        if not kept:
            return tuple(notes)
        fresh = []
        for each in notes:
            key = _key(_note(self._notebook, each, self._author))
            there = next((counts for counts in kept if counts[key] > 0), None)
            if there is None:
                fresh.append(each)
            else:
                there[key] -= 1
                self.left_out += 1
        return tuple(fresh)

    def _of(self, client: bytes) -> Counter[_Key]:
        if client not in self._kept:
            self._kept[client] = Counter(
                _key(note_records.from_payload(payload), text)
                for payload, text in self._notebook.session.catalogue.texts(client)
            )
        return self._kept[client]


def _key(note: Note, text: str | None = None) -> _Key:
    undated = note.title == UNDATED or note.title.endswith(f" ({UNDATED})")
    return None if undated else day_of(note.session, note.offset), note.text if text is None else text


def preview(
    notebook: Notebook, notes: Sequence[ImportedNote], target: ClientView | None = None, *, again: bool = False
) -> Preview:
    """What importing `notes` would make, all for `target` where one is given. Names shown are logged as a list.

    `again`: also the notes that are here already.

    UsageFault when `target` is given and the notes name several persons.
    """
    here = notebook.clients()
    old = _Here(notebook, notebook.settings().author, again=again)
    if target is not None:
        return _for_one(target, notes, old)
    clock = notebook.session.env.clock
    now, day = clock.wall_ms(), today(clock)
    people = clients_of(notes)
    codes = [view.code for view in here]
    by_name: dict[tuple[str, ...], list[ClientView]] = {}
    nobody = [view for view in here if view.name.startswith(f"{UNNAMED} ")]
    for view in here:
        by_name.setdefault(tuple(words(view.name)), []).append(view)
    counts: dict[tuple[str, ...], int] = {}
    for person in people:
        if person.name:
            key = tuple(words(person.name))
            counts[key] = counts.get(key, 0) + 1
    owners: list[Owner] = []
    warnings: list[str] = []
    close: list[tuple[str, str]] = []
    unnamed = doubtful = 0
    for person in people:
        key = tuple(words(person.name or ""))
        same = by_name.get(key, []) if person.name else []
        fresh = old.new_ones([v for v in same if not _other_birth(person, v)] if person.name else nobody, person.notes)
        if not fresh:
            continue
        if len(same) == 1 and counts[key] == 1 and not _other_birth(person, same[0]):
            owners.append(Owner(same[0].client, same[0], fresh))
            continue
        doubtful += bool(same) or counts.get(key, 1) > 1
        born = person.born
        if born is not None:
            try:
                check_born(born, day)
            except UsageFault:
                warnings.append("A date of birth that lies in the future was left out.")
                born = None
        name = person.name
        if name is None:
            unnamed += 1
            name = f"{UNNAMED} {unnamed}"
        code = next_code(codes)
        codes.append(code)
        owners.append(Owner(Client(name, code, born, now), None, fresh, person.name is None))
        if person.name and not same:
            close += [(name, view.code) for view in similar(name, here)[1]]
    if unnamed:
        warnings.append(
            ("One note names nobody: it becomes" if unnamed == 1 else f"{unnamed:,} notes name nobody: each becomes")
            + " a client called Unnamed and a number. To put all notes into one client's folder, use --client CODE."
        )
    if doubtful:
        warnings.append(
            ("One new client has" if doubtful == 1 else f"{doubtful:,} new clients have")
            + " the name of another but may be another person: they are kept apart, each with a code."
            + " `notevault client list` shows them."
        )
    return Preview(tuple(owners), tuple(warnings), tuple(close), old.left_out)


def _other_birth(person: ImportedClient, view: ClientView) -> bool:
    return bool(person.born and view.born and person.born != view.born)


def _for_one(target: ClientView, notes: Sequence[ImportedNote], old: _Here) -> Preview:
    names = {tuple(words(note.client_name)) for note in notes if note.client_name}
    if len(names) > 1:
        raise UsageFault(
            f"These files name {len(names)} different persons, so they cannot all be {target.code}.",
            "Leave --client out, or import the files one by one.",
        )
    warnings: tuple[str, ...] = ()
    if names and names != {tuple(words(target.name))}:
        warnings = (f"The files name somebody else than {target.code}; as asked, the notes go there all the same.",)
    fresh = old.new_ones([target], notes)
    owners = (Owner(target.client, target, fresh),) if fresh else ()
    return Preview(owners, warnings, (), old.left_out)


def run(notebook: Notebook, plan: Preview, progress: Callable[[int, int], None] | None = None) -> tuple[int, int]:
    """(clients made, notes saved), durable when it returns. Raises as `Notebook.import_all`."""
    items: list[tuple[Client | bytes, Note]] = []
    author = notebook.settings().author
    for owner in plan.owners:
        whose = owner.client if owner.existing is None else owner.existing.id
        items += [(whose, _note(notebook, each, author)) for each in owner.notes]
    return notebook.import_all(items, progress)


def _note(notebook: Notebook, found: ImportedNote, author: str) -> Note:
    """Undated notes are dated today and say so in their title; their own file's date proves nothing about a session."""
    clock = notebook.session.env.clock
    now = clock.wall_ms()
    title = found.title
    held, offset = now, clock.utc_offset_minutes(now)
    if found.when is None:
        title = f"{title[: TITLE_LIMIT - len(UNDATED) - 3]} ({UNDATED})" if title else UNDATED
    else:
        held, offset = session_time(found.when, clock)
    text = found.full_text()
    try:
        return Note(text, held, offset, now, now, title=title, author=author)
    except UsageFault:  # with what the file said beside it, it is longer than a note may be
        return Note(found.text, held, offset, now, now, title=title, author=author)
