"""note add, note list, note show, note history, find."""

from __future__ import annotations

from notevault.app import adding
from notevault.app.listing import why_none
from notevault.cli import asking
from notevault.cli.clients import check_words
from notevault.cli.common import Context
from notevault.cli.show import count, iso, iso_here, note_facts, note_line, when
from notevault.domain.clients import Client
from notevault.domain.importing import decoded
from notevault.domain.notes import TEXT_LIMIT, Note, excerpt, word_count
from notevault.errors import NotFound, UsageFault
from notevault.vault.notebook import ClientView, Notebook, NoteView

NONE_YET = "There are no notes yet: `notevault note add --client CODE --file F`."


def add(ctx: Context) -> int:
    text = _text_of(ctx)
    with ctx.notebook() as notebook:
        client = adding.client_by_code(notebook, ctx.args.client)
        view = adding.add_note(
            notebook,
            client,
            text,
            when=ctx.args.date,
            title=ctx.args.title or "",
            template=ctx.args.template or "free",
        )
        ctx.out.saved(
            view.id.hex(), "note", client=client.code, number=view.number, revision=view.version, words=view.words
        )
    return 0


def _text_of(ctx: Context) -> str:
    """Read before the vault is opened, so that a missing file costs no passphrase."""
    name = ctx.args.file
    if name is None:
        if ctx.takes_stdin:
            raise UsageFault(
                "The passphrase comes from standard input, so the note cannot.", "Name its file with --file F."
            )
        name = "-"
    data = asking.read_input(name, "the note", 2 * TEXT_LIMIT)
    text, warnings = decoded(data)
    for warning in warnings:
        ctx.out.warn(warning)
    if not text.strip():
        raise UsageFault("There is no text in it.", "An empty note is not saved.")
    return text


class _Names:
    """Clients by id, each looked up once."""

    def __init__(self, notebook: Notebook) -> None:
        self._by_id = {view.id: view for view in notebook.clients()}

    def of(self, view: NoteView) -> ClientView:
        return self._by_id.get(view.client_id) or unreadable(view)


def whose(notebook: Notebook, view: NoteView) -> ClientView:
    """The note's client; a damaged page of hers must not keep anyone from the note."""
    try:
        return notebook.client(view.client_id)
    except NotFound:
        return unreadable(view)


def unreadable(view: NoteView) -> ClientView:
    return ClientView(view.client_id, 0, Client("(name not readable)", "UNKNOWN", None, view.note.created))


def list_(ctx: Context) -> int:
    with ctx.notebook() as notebook:
        client = None if ctx.args.client is None else adding.client_by_code(notebook, ctx.args.client)
        names = _Names(notebook)
        limit = -1 if ctx.args.limit is None else ctx.args.limit
        notes = notebook.notes(client.id if client else None, limit=limit)
        for view in notes:
            ctx.out.row(note_facts(view, names.of(view)), note_line(ctx.env, view, names.of(view)))
        if not notes:
            ctx.out.say(why_none(notebook) or NONE_YET)
    return 0


def show(ctx: Context) -> int:
    with ctx.notebook() as notebook:
        found = notebook.note_by_prefix(ctx.args.id)
        version = found.version if ctx.args.revision is None else ctx.args.revision
        same = [each for each in notebook.history(found.id) if each.version == version]
        if ctx.args.revision is None or len(same) < 2:
            view, note = notebook.open_note(found.id, ctx.args.revision)
            _show(ctx, notebook, view, note, version)
            if len(same) > 1:
                ctx.out.say(f"Two laptops saved a revision {version}: `--revision {version}` shows both.")
            return 0
        for each in same:  # two laptops gave one number
            _show(ctx, notebook, found, notebook.open_revision(each), version, f"saved {when(ctx.env, each.saved_ms)}")
    return 0


def _show(ctx: Context, notebook: Notebook, view: NoteView, note: Note, version: int, saved: str = "") -> None:
    client = whose(notebook, view)
    signed = note.state == "signed"
    if ctx.args.json:
        facts = {**note_facts(view, client), "author": note.author, "revision": version, "text": note.text}
        facts |= {"modified": iso_here(ctx.env, note.modified), "session": iso(note.session, note.offset)}
        facts |= {"template": note.template, "title": note.title, "words": word_count(note.text, note.template)}
        ctx.out.row(facts | {"state": "signed" if signed else "unsigned"}, "")
        return
    parts = [client.name, client.code, f"session {view.number}", when(ctx.env, note.session, note.offset)]
    parts.append(f"signed by {note.author}" if signed and note.author else "signed" if signed else "unsigned")
    if version != view.version or saved:
        parts.append(f"revision {version} of {view.version}")
    parts += [each for each in (saved, note.title) if each]
    ctx.out.say(" · ".join(parts))
    ctx.out.text(note.text)


def history(ctx: Context) -> int:
    with ctx.notebook() as notebook:
        view = notebook.note_by_prefix(ctx.args.id)
        notebook.session.recorder.flush()  # that the vault was opened is in the log before anything is shown
        for revision in notebook.history(view.id):
            state = "signed" if revision.signed else "unsigned"
            facts = {
                "id": view.id.hex(),
                "revision": revision.version,
                "saved": iso_here(ctx.env, revision.saved_ms),
                "state": state,
            }
            ctx.out.row(facts, f"{revision.version}  {when(ctx.env, revision.saved_ms)}  {state}")
    return 0


def find(ctx: Context) -> int:
    words = check_words(ctx.args.words)
    with ctx.notebook() as notebook:
        client = None if ctx.args.client is None else adding.client_by_code(notebook, ctx.args.client)
        limit = 20 if ctx.args.limit is None else ctx.args.limit
        found = notebook.find(words, client_id=client.id if client else None, limit=limit)
        for view, text in found.hits:
            person = whose(notebook, view)
            piece = excerpt(text, " ".join(words))
            facts = {**note_facts(view, person), "excerpt": piece}
            ctx.out.row(facts, f"{note_line(ctx.env, view, person)}\n    {piece}")
        shown = len(found.hits)
        if not found.total:
            ctx.out.say("No note has all of these words.")
        elif shown < found.total:
            ctx.out.say(f"{shown:,} of {count(found.total, 'note')}, the newest first; --limit N shows more.")
        else:
            ctx.out.say(f"{count(found.total, 'note')}.")
    return 0
