"""Clients and notes of an unlocked vault: the records as a therapist knows them.

Writing returns when the record is durable and logged. Whatever gives out text or a name on purpose is logged first:
`open_note`, `open_client` and `find` before they return, names in lists once a session.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace

from notevault.domain import clients as client_records
from notevault.domain import notes as note_records
from notevault.domain import settings as settings_records
from notevault.domain.clients import Client
from notevault.domain.notes import Note
from notevault.domain.settings import Settings
from notevault.errors import Damaged, NotFound, UsageFault
from notevault.formats.envelope import RecordType
from notevault.formats.ids import ZERO_ID
from notevault.formats.keytable import SETTINGS
from notevault.vault import bulk
from notevault.vault.branches import other_records
from notevault.vault.headers import spare_client
from notevault.vault.index import NoteRow, Write
from notevault.vault.recorder import Act, Subject
from notevault.vault.replay import SIGNED, open_write
from notevault.vault.session import NewRecord, Session

TERMS_MOST = 50  # words of one search
TERMS_BYTES = 3000  # in all; twice that and some must fit an entry's details
GONE = "If it was here before, its file is missing: `notevault backup heal` puts it back, if a backup has it."
"""What to do where a note is not found, and something in the vault did not hold."""


@dataclass(frozen=True)
class ClientView:
    id: bytes
    version: int
    client: Client
    notes: int = 0
    last_ms: int | None = None  # newest session

    # what `domain.matching` looks at
    @property
    def name(self) -> str:
        return self.client.name

    @property
    def code(self) -> str:
        return self.client.code

    @property
    def born(self):  # type: ignore[no-untyped-def]
        return self.client.born

    @property
    def active(self) -> bool:
        return self.client.active


@dataclass(frozen=True)
class NoteView:
    """A note without its text; `number` counts the client's sessions from 1."""

    id: bytes
    client_id: bytes
    version: int
    signed: bool
    words: int
    number: int
    note: Note

    @property
    def short(self) -> str:
        return self.id.hex()[:8]


@dataclass(frozen=True)
class Revision:
    version: int
    saved_ms: int
    signed: bool
    write: Write


@dataclass(frozen=True)
class Found:
    """`total` notes hold every word; `hits` are the newest of them, with their text."""

    total: int
    hits: tuple[tuple[NoteView, str], ...] = field(repr=False)


class Notebook:
    def __init__(self, session: Session) -> None:
        self.session = session
        self._listed = False

    # -- clients

    def clients(self) -> list[ClientView]:
        """All clients, by name. That names were shown is logged once a session, before they are returned."""
        self._log_listing()
        return self._clients()

    def _log_listing(self) -> None:
        if not self._listed:
            self.session.log_acts([Act("session.list", "R")])
            self._listed = True

    def matchable(self) -> list[ClientView]:
        """All clients, to find or compare one: nothing is logged, so whoever tells of names takes `clients`."""
        return self._clients()

    def clients_for_review(self) -> list[ClientView]:
        """All clients, for whoever looks at the log. It shows titles and words of searches too: logged every time."""
        self.session.log_acts([Act("session.list", "R", "review")])
        return self._clients()

    def _clients(self) -> list[ClientView]:
        counts = self.session.catalogue.note_counts()
        views = [
            ClientView(id_, version, client_records.from_payload(payload), *counts.get(id_, (0, None)))
            for id_, version, payload in self.session.catalogue.client_payloads()
        ]
        return sorted(views, key=lambda view: (view.client.name.casefold(), view.client.code))

    def client(self, client_id: bytes) -> ClientView:
        found = self.session.catalogue.client_payload(client_id)
        if found is None:
            raise NotFound("There is no such client.")
        count = self.session.catalogue.count_notes(client_id)
        newest = self.session.catalogue.notes(client_id, limit=1)
        last = newest[0].held_ms if newest else None
        return ClientView(client_id, found[0], client_records.from_payload(found[1]), count, last)

    def open_client(self, client_id: bytes, *, purpose: str = "care") -> ClientView:
        """A client's own record, shown in full: logged."""
        view = self.client(client_id)
        generation, _ = self.session.keys.table.client_current(client_id)
        subject = Subject(RecordType.CLIENT, client_id, ZERO_ID, view.version, generation)
        self.session.log_acts([Act("record.open", "R", purpose, subject=subject)])
        return view

    def add_client(self, client: Client) -> ClientView:
        """UsageFault when the code is taken. The client takes a spare key, so only its first record tells of it."""
        self.session.check_writable()
        with self.session.recorder.writing():  # codes and spare keys as they are now, whatever another window did
            client_records.check_code_free(client.code, (view.code for view in self._clients()))
            client_id = spare_client(self.session, set())
            self.session.write([self.client_record(client_id, client, 1)])
        return ClientView(client_id, 1, client)

    def update_client(self, client_id: bytes, client: Client) -> ClientView:
        self.session.check_writable()
        with self.session.recorder.writing():
            self.client(client_id)
            others = (view.code for view in self._clients() if view.id != client_id)
            client_records.check_code_free(client.code, others)
            version = self.session.catalogue.newest_version(RecordType.CLIENT, client_id, ZERO_ID) + 1
            self.session.write([self.client_record(client_id, client, version, "U")])
        return self.client(client_id)

    def other_details(self, view: ClientView) -> list[tuple[int, Client]]:
        """Other details of the client that another laptop saved (ms), where both went on from one record. Logged."""
        writes = other_records(self.session.catalogue, view.id)
        if not writes:
            return []
        found = map(client_records.from_payload, self.session.open(writes))
        return [(write.t, client) for write, client in zip(writes, found, strict=True) if client != view.client]

    def client_record(
        self, client_id: bytes, client: Client, version: int, action: str = "C", purpose: str = "care"
    ) -> NewRecord:
        generation, _ = self.session.keys.table.client_current(client_id)
        subject = Subject(RecordType.CLIENT, client_id, ZERO_ID, version, generation)
        return NewRecord(subject, client_records.to_payload(client), action=action, purpose=purpose)

    # -- notes

    def view(self, row: NoteRow) -> NoteView:
        number = self.session.catalogue.held_before(row.client, row.held_ms, row.id) + 1
        note = note_records.from_payload(row.payload)
        return NoteView(row.id, row.client, row.version, row.signed, row.words, number, note)

    def notes(self, client_id: bytes | None = None, *, limit: int = -1, unsigned_only: bool = False) -> list[NoteView]:
        """Newest session first, without their texts; logged as names in lists are."""
        self._log_listing()
        rows = self.session.catalogue.notes(client_id, limit=limit, unsigned_only=unsigned_only)
        return [self.view(row) for row in rows]

    def note(self, note_id: bytes) -> NoteView:
        row = self.session.catalogue.note(note_id)
        if row is None:
            raise NotFound("There is no such note.")
        return self.view(row)

    def note_by_prefix(self, text: str) -> NoteView:
        """A note by the beginning of its id, at least 4 hexadecimal digits. NotFound; UsageFault for several."""
        prefix = text.strip().lower()
        if len(prefix) < 4 or not set(prefix) <= set("0123456789abcdef"):
            raise UsageFault("A note is named by at least 4 digits of its id.", "`notevault note list` shows the ids.")
        ids = self.session.catalogue.note_ids(prefix)
        if not ids:
            lost = self.session.findings or self.session.read_only is not None
            raise NotFound("No note has an id that begins so.", GONE if lost else None)
        if len(ids) > 1:
            raise UsageFault("Several notes have an id that begins so.", "Type a few more of its digits.")
        return self.note(ids[0])

    def open_note(self, note_id: bytes, version: int | None = None) -> tuple[NoteView, Note]:
        """A revision with its text (the newest by default): durable in the log before it is returned."""
        view = self.note(note_id)
        wanted = view.version if version is None else version
        writes = [write for write in self.session.catalogue.revisions(note_id) if write.version == wanted]
        if not writes:
            raise NotFound(f"This note has no revision {wanted}.", "`notevault note history ID` lists them.")
        payload = self.session.open([writes[-1]])[0]
        return view, note_records.from_payload(payload)

    def says(self, note_id: bytes, text: str) -> bool:
        """Whether the newest revision is this text. Compared here and shown to nobody, so no reading is logged; False
        where it does not open.
        """
        view, session = self.note(note_id), self.session
        writes = [write for write in session.catalogue.revisions(note_id) if write.version == view.version]
        with suppress(Damaged, NotFound):
            payload = open_write(session.blobs, session.keys.table, session.vault_id, writes[-1])
            return note_records.from_payload(payload).text == text
        return False

    def open_revision(self, revision: Revision) -> Note:
        """One line of the history, also where two laptops wrote the same number. Logged first."""
        return note_records.from_payload(self.session.open([revision.write])[0])

    def history(self, note_id: bytes) -> list[Revision]:
        """Oldest first."""
        self.note(note_id)
        return [
            Revision(write.version, write.t, bool(write.flags & SIGNED), write)
            for write in self.session.catalogue.revisions(note_id)
        ]

    def add_note(
        self, client_id: bytes, note: Note, note_id: bytes | None = None, *, purpose: str = "care"
    ) -> NoteView:
        """Revision 1. `note_id`: where a draft already has one; if another window has saved that, the next revision."""
        self.session.check_writable()
        new_id = note_id or self.session.env.entropy.draw(16)
        with self.session.recorder.writing():
            self.client(client_id)
            self._write_next(client_id, new_id, note, purpose)
        return self.note(new_id)

    def revise(self, note_id: bytes, note: Note) -> NoteView:
        """The next revision, whatever the newest is: two writers never overwrite each other, both are kept."""
        self.session.check_writable()
        with self.session.recorder.writing():  # the newest version is looked up under the lock
            self._write_next(self.note(note_id).client_id, note_id, note, "care")
        return self.note(note_id)

    def _write_next(self, client_id: bytes, note_id: bytes, note: Note, purpose: str) -> None:
        """Within `writing()`. Counted by what the log names: a revision that opens no more keeps its number."""
        version = self.session.catalogue.newest_version(RecordType.NOTE, client_id, note_id) + 1
        self.session.write([self.note_record(client_id, note_id, version, note, purpose)])

    def note_record(self, client_id: bytes, note_id: bytes, version: int, note: Note, purpose: str) -> NewRecord:
        generation, _ = self.session.keys.table.client_current(client_id)
        signed = note.state == "signed"
        subject = Subject(RecordType.NOTE, client_id, note_id, version, generation, SIGNED if signed else 0)
        event = "record.sign" if signed and version > 1 else "record.write"
        action = "C" if version == 1 else "U"
        return NewRecord(subject, note_records.to_payload(note), event, action, purpose)

    # -- search

    def find(self, words: Sequence[str], *, client_id: bytes | None = None, limit: int = 20) -> Found:
        """Notes with every word (or a word that begins so). The search, and every note whose excerpt is shown, is
        durable in the log before anything is returned. UsageFault for more words than a search can have.
        """
        terms = search_terms(words)
        session = self.session
        # Under the writer's lock, so that what another window has saved meanwhile is taken in before it is looked for.
        with nullcontext() if session.read_only is not None else session.recorder.writing():
            total, rows = session.catalogue.match(terms, client=client_id, limit=limit)
            hits = tuple((self.view(row), text) for row, text in rows)
            acts = [Act("search.run", "R", details={"v": 1, "words": terms, "hits": total})]
            for view, _ in hits:
                generation, _key = session.keys.table.client_current(view.client_id)
                flags = SIGNED if view.signed else 0
                subject = Subject(RecordType.NOTE, view.client_id, view.id, view.version, generation, flags)
                acts.append(Act("record.open", "R", subject=subject))
            session.log_acts(acts)
        return Found(total, hits)

    # -- import

    def import_all(
        self,
        items: Sequence[tuple[Client | bytes, Note]],
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[int, int]:
        """See `bulk.import_all`."""
        return bulk.import_all(self, items, progress)

    # -- settings

    def settings(self) -> Settings:
        stored = self.session.catalogue.get_meta("settings")
        return settings_records.from_payload(stored.encode()) if isinstance(stored, str) else Settings()

    def save_settings(self, settings: Settings) -> None:
        self.session.check_writable()
        payload = settings_records.to_payload(settings)
        with self.session.recorder.writing():
            version = self.session.catalogue.newest_version(RecordType.SETTINGS, ZERO_ID, ZERO_ID) + 1
            generation, _ = self.session.keys.table.current(SETTINGS)
            subject = Subject(RecordType.SETTINGS, ZERO_ID, ZERO_ID, version, generation)
            self.session.write([NewRecord(subject, payload, "settings.change", "U", "admin")])


def search_terms(words: Sequence[str]) -> list[str]:
    """What is searched for: words that hold a letter or a digit, without the characters no text of a note has."""
    cleaned = (" ".join("".join(c if c.isprintable() else " " for c in word).split()) for word in words)
    terms = list(dict.fromkeys(unicodedata.normalize("NFC", word) for word in cleaned if any(map(str.isalnum, word))))
    if len(terms) > TERMS_MOST or sum(len(word.encode()) for word in terms) > TERMS_BYTES:
        raise UsageFault("That is too much to search for at once.", f"Search for at most {TERMS_MOST} words.")
    return terms


def signed_copy(note: Note, author: str, now: int) -> Note:
    return replace(note.signed(author, now))
