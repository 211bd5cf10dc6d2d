"""Writing one note: from the first key to the saved revision, with a sealed draft in between.

kept     the text is in a sealed draft (2 s after the last key; the caller has the clock)
saved    the text is a revision: durable, logged, and the draft is gone
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

from notevault.domain import templates
from notevault.domain.notes import Note
from notevault.errors import NotevaultError, NotFound
from notevault.vault.drafts import Draft, Drafts
from notevault.vault.notebook import Notebook, NoteView


@dataclass
class Writing:
    """`note` is the newest revision, or the beginning of a new note; `base` its number (0: none yet)."""

    notebook: Notebook
    drafts: Drafts
    client_id: bytes
    note_id: bytes
    base: int
    note: Note
    text: str
    cursor: int

    @classmethod
    def new(
        cls,
        notebook: Notebook,
        drafts: Drafts,
        client_id: bytes,
        template: str = "free",
        *,
        session_ms: int | None = None,
    ) -> Writing:
        """A new note for a client, dated now unless `session_ms` says otherwise."""
        clock = notebook.session.env.clock
        now = clock.wall_ms()
        held = now if session_ms is None else session_ms
        chosen = templates.template_named(template)
        text, cursor = templates.new_text(chosen)
        author = notebook.settings().author
        note = Note(text, held, clock.utc_offset_minutes(held), now, now, template=chosen.name, author=author)
        notebook.client(client_id)
        return cls(notebook, drafts, client_id, notebook.session.env.entropy.draw(16), 0, note, text, cursor)

    @classmethod
    def of_note(cls, notebook: Notebook, drafts: Drafts, note_id: bytes) -> Writing:
        """An existing note, opened (logged) to be changed."""
        view, note = notebook.open_note(note_id)
        return cls(notebook, drafts, view.client_id, note_id, view.version, note, note.text, len(note.text))

    @classmethod
    def of_draft(cls, notebook: Notebook, drafts: Drafts, draft: Draft) -> Writing:
        """A kept draft, taken up again. Logged before its text is given out: the opening of the note it continues, or,
        where there is no such record yet, of its client's.
        """
        now = notebook.session.env.clock.wall_ms()
        if draft.base or notebook.session.catalogue.note(draft.note) is not None:  # saved, and then the draft stayed
            view, note = notebook.open_note(draft.note)
            base = view.version
        else:
            notebook.open_client(draft.client)
            author = notebook.settings().author
            note = Note("", draft.session, draft.offset, draft.kept, now, draft.title, draft.template, author)
            base = 0
        return cls(notebook, drafts, draft.client, draft.note, base, note, draft.text, draft.cursor)

    def keep(self, text: str, cursor: int) -> None:
        """Seal the draft; durable when it returns."""
        self.text, self.cursor = text, cursor
        self.drafts.keep(
            Draft(
                note=self.note_id,
                client=self.client_id,
                base=self.base,
                text=text,
                cursor=cursor,
                kept=self.notebook.session.env.clock.wall_ms(),
                session=self.note.session,
                offset=self.note.offset,
                template=self.note.template,
                title=self.note.title,
            )
        )

    def unsaved(self, text: str) -> bool:
        """Whether `text` says something that no revision holds. A new note with only its headings does not."""
        if self.base == 0:
            return not templates.is_untouched(text, templates.TEMPLATES[self.note.template])
        return text != self.note.text

    def save(self, text: str, cursor: int = 0) -> NoteView | None:
        """A new, unsigned revision; None when there is nothing to save. The draft goes after the acknowledgement."""
        self.cursor = cursor
        if not self.unsaved(text):
            self.drop_draft()
            return None
        return self._write(self.note.edited(text, self._now()))

    def sign(self, text: str) -> NoteView:
        """Save and vouch for it. UsageFault when it is empty or already signed without a change."""
        author = self.notebook.settings().author or self.note.author
        note = self.note if self.note.text == text else self.note.edited(text, self._now())
        return self._write(note.signed(author, self._now()))

    def date(self, session_ms: int, text: str) -> NoteView | None:
        """Another date of the session; a saved note gets a revision with it."""
        offset = self.notebook.session.env.clock.utc_offset_minutes(session_ms)
        dated = replace(self.note, session=session_ms, offset=offset)
        if self.base == 0:
            self.note = dated
            return None
        return self._write(dated.edited(text, self._now()))

    def _now(self) -> int:
        return self.notebook.session.env.clock.wall_ms()

    def _write(self, note: Note) -> NoteView:
        if self.base == 0:
            view = self.notebook.add_note(self.client_id, note, self.note_id)
        else:
            view = self.notebook.revise(self.note_id, note)
        self.note, self.base, self.text = note, view.version, note.text
        self.drop_draft()
        return view

    def drop_draft(self) -> None:
        _drop(self.notebook, self.drafts, self.note_id)


def _drop(notebook: Notebook, drafts: Drafts, note_id: bytes) -> None:
    """A revision holds the text. A draft that cannot be removed is no fault of the saving: it is told as a notice, and
    goes when its note is closed the next time.
    """
    try:
        drafts.drop(note_id)
    except NotevaultError as fault:
        notebook.session.notices.append(f"An old draft could not be removed. {fault.sentence}")


def unsaved_drafts(notebook: Notebook, drafts: Drafts) -> list[Draft]:
    """The kept drafts, the newest first. One that its note's newest revision holds word for word outlived a crash
    between the two and is dropped here.
    """
    found = []
    for draft in drafts.list():
        with contextlib.suppress(NotFound):
            newer = notebook.session.read_only is None and notebook.note(draft.note).version > draft.base
            if newer and notebook.says(draft.note, draft.text):
                _drop(notebook, drafts, draft.note)
                continue
        found.append(draft)
    return found
