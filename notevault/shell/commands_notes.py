"""Notes at the prompt: new, open, list, history, find, drafts, sign."""

from __future__ import annotations

from notevault.app import adding
from notevault.app.listing import why_none
from notevault.app.writing import Writing
from notevault.domain import dates
from notevault.domain.folding import hits
from notevault.domain.notes import excerpt, word_count
from notevault.domain.templates import TEMPLATES
from notevault.shell import note_desk
from notevault.shell.commands_clients import last_plan, pick
from notevault.shell.desk import Desk, note_words
from notevault.shell.paint import Row, columns, count
from notevault.shell.safe import visible_line
from notevault.shell.screens import Words
from notevault.shell.ui import options
from notevault.vault.notebook import ClientView, NoteView

SHOWN = 20
MASK = "\u2022\u2022\u2022"


async def new(desk: Desk, rest: str) -> None:
    """`new anna`: template and the last plan on one screen, then the editor. The date is now unless said otherwise."""
    desk.session.check_writable()
    client = await pick(desk, rest, "New note", create=True)
    if client is None:
        return
    plan = await last_plan(desk, client)
    names = [desk.settings.template, *(name for name in TEMPLATES if name != desk.settings.template)]
    session_ms: int | None = None
    while True:
        day = (
            "" if session_ms is None else f" for {desk.when(session_ms, desk.env.clock.utc_offset_minutes(session_ms))}"
        )
        picked = await desk.ui.choose(
            _new_title(desk, client, day),
            [plan] if plan else [f"Session {client.notes + 1}."],
            options(*(_template_words(name) for name in names), "Another day or time\u2026"),
            numbered=True,
        )
        if picked is None:
            return
        if picked < len(names):
            await note_desk.begin(desk, client.id, names[picked], session_ms)
            return
        session_ms = await _ask_when(desk) or session_ms


def _new_title(desk: Desk, client: ClientView, day: str) -> Words:
    return lambda hidden: f"New note: {desk.who(client, hidden)}{day}"


def _template_words(name: str) -> str:
    template = TEMPLATES[name]
    return f"{name}: {', '.join(template.headings)}" if template.headings else f"{name}: {template.about}"


async def _ask_when(desk: Desk) -> int | None:
    today = adding.today(desk.env.clock)

    def check(text: str) -> str | None:
        adding.session_time(dates.parse_moment(text, today), desk.env.clock)
        return None

    typed = await desk.ui.ask(
        "When was the session?", ["Like 2026-11-17 09:00, 17.11.2026 9:00 or yesterday."], "When", check=check
    )
    return None if typed is None else adding.session_time(dates.parse_moment(typed, today), desk.env.clock)[0]


async def open_newest(desk: Desk, rest: str) -> None:
    """`open anna`: the newest note, or what is kept of it."""
    await _newest(desk, rest, change=False)


async def edit_newest(desk: Desk, rest: str) -> None:
    """`edit anna`: the newest note to be changed, also a signed one; that makes a new, unsigned revision."""
    await _newest(desk, rest, change=True)


async def _newest(desk: Desk, rest: str, *, change: bool) -> None:
    client = await pick(desk, rest, "Open")
    if client is None:
        return
    drafts = [draft for draft in await desk.run(desk.drafts.list) if draft.client == client.id and not draft.base]
    if drafts:
        await note_desk.take_up(desk, drafts[0])
        return
    newest = await desk.run(lambda: desk.notebook.notes(client.id, limit=1))
    if not newest:
        desk.say(
            why_none(desk.notebook) or f"{client.code} has no notes yet. `new {client.code}` writes the first one."
        )
        return
    await note_desk.open_note(desk, newest[0].id, change=change)


async def _choose_note(
    desk: Desk, views: list[NoteView], title: Words, text: list[str], selected: int = 0
) -> int | None:
    clients = {each.id: each for each in await desk.clients()}

    def items(width: int, hidden: bool) -> list[list[Row]]:
        return [[[("", note_row(desk, view, clients.get(view.client_id), width, hidden))]] for view in views]

    return await desk.ui.choose(title, text, items, selected=selected)


def note_row(desk: Desk, view: NoteView, client: ClientView | None, width: int, hidden: bool) -> str:
    """A title may hold a name: with names hidden it is hidden too."""
    state = "signed" if view.signed else "unsigned"
    who = "?" if client is None else client.code if hidden else f"{client.name} {client.code}"
    return columns(
        [
            (desk.when(view.note.session, view.note.offset), 21),
            (f"no. {view.number}", 8),
            (state, 9),
            (count(view.words, "word"), 12),
            (who if hidden else view.note.title or who, max(8, width - 56)),
        ]
    )


async def notes(desk: Desk, rest: str) -> None:
    """`notes anna`: all of them, the newest first; `notes` alone: the newest of everybody."""
    client = await pick(desk, rest, "Notes") if rest else None
    if rest and client is None:
        return
    selected: int | None = 0
    while True:
        views = await desk.run(lambda: desk.notebook.notes(client.id) if client else desk.notebook.notes(limit=200))
        if not views:
            desk.say(why_none(desk.notebook) or "There are no notes yet.")
            return
        title: Words = (lambda hidden: f"Notes: {desk.who(client, hidden)}") if client else "The newest notes"
        selected = await _choose_note(desk, views, title, [], min(selected or 0, len(views) - 1))
        if selected is None:
            return
        await note_desk.open_note(desk, views[selected].id)


async def history(desk: Desk, rest: str) -> None:
    """`history anna`: a note, then its revisions, each to be read."""
    client = await pick(desk, rest, "Earlier versions")
    if client is None:
        return
    views = await desk.run(lambda: desk.notebook.notes(client.id))
    if not views:
        desk.say(why_none(desk.notebook) or f"{client.code} has no notes yet.")
        return
    at = 0 if len(views) == 1 else await _choose_note(desk, views, "Earlier versions of which note?", [])
    if at is None:
        return
    revisions = list(reversed(await desk.run(lambda: desk.notebook.history(views[at].id))))

    def items(_width: int, _hidden: bool) -> list[list[Row]]:
        rows: list[list[Row]] = []
        for each in revisions:
            words = f"version {each.version:>3}   saved {desk.moment(each.saved_ms)}"
            rows.append([[("", f"{words}   {'signed' if each.signed else ''}".rstrip())]])
        return rows

    selected: int | None = 0
    while True:
        selected = await desk.ui.choose(
            lambda hidden: f"Earlier versions: {desk.who(client, hidden)}",
            [note_words(desk, views[at])],
            items,
            selected=selected or 0,
        )
        if selected is None:
            return
        await note_desk.read(desk, views[at].id, revisions[selected])


async def find(desk: Desk, rest: str) -> None:
    """`find words`: notes that hold every word, with the place where; Enter opens one."""
    if not rest:
        typed = await desk.ui.ask("Find", ["One or more words, or how they begin."], "Words")
        if not typed or not typed.strip():
            return
        rest = typed.strip()
    found = await desk.run(lambda: desk.notebook.find(rest.split(), limit=SHOWN))
    if not found.hits:
        desk.say("Nothing found: no note holds all of these words.")
        return
    clients = {each.id: each for each in await desk.clients()}
    more = f", the newest {len(found.hits)} shown" if found.total > len(found.hits) else ""
    total = f"{count(found.total, 'note')} found{more}"

    def items(width: int, hidden: bool) -> list[list[Row]]:
        rows = []
        for view, text in found.hits:
            head = note_row(desk, view, clients.get(view.client_id), width, hidden)
            rows.append([[("class:heading", head)], excerpt_row(text, rest, width, hidden=hidden)])
        return rows

    selected: int | None = 0
    while True:
        selected = await desk.ui.choose(
            lambda hidden: "Find" if hidden else f"Find: {visible_line(rest)}", [total], items, selected=selected or 0
        )
        if selected is None:
            return
        await note_desk.open_note(desk, found.hits[selected][0].id)


def excerpt_row(text: str, words: str, width: int, *, hidden: bool) -> Row:
    """One line around the first word found, the words marked; with names hidden what was looked for is, too."""
    line = excerpt(text, words, max(20, width - 4))
    row: Row = [("", "  ")]
    at = 0
    for start, end in hits(line, words):
        row += [("", visible_line(line[at:start])), ("class:hit", MASK if hidden else visible_line(line[start:end]))]
        at = end
    return [*row, ("", visible_line(line[at:]))]


async def drafts(desk: Desk, _rest: str) -> None:
    """`drafts`: what is kept and not saved, then what is saved and not signed."""
    kept = await desk.run(desk.drafts.list)
    clients = {each.id: each for each in await desk.clients()}
    held = {draft.note for draft in kept}
    unsigned = [
        view
        for view in await desk.run(lambda: desk.notebook.notes(limit=200, unsigned_only=True))
        if view.id not in held
    ]
    if not kept and not unsigned:
        desk.say("Everything is saved and signed.")
        return

    def items(width: int, hidden: bool) -> list[list[Row]]:
        rows: list[list[Row]] = []
        for draft in kept:
            client = clients.get(draft.client)
            who = "?" if client is None else desk.who(client, hidden)
            words = count(word_count(draft.text, draft.template), "word")
            cells = [(f"kept {desk.moment(draft.kept)}", 30), ("draft", 9), (words, 12)]
            rows.append([[("", columns([*cells, (who, max(8, width - 56))]))]])
        return rows + [[[("", note_row(desk, view, clients.get(view.client_id), width, hidden))]] for view in unsigned]

    picked = await desk.ui.choose("Not finished or not signed", [], items)
    if picked is None:
        return
    if picked < len(kept):
        await note_desk.take_up(desk, kept[picked])
    else:
        await note_desk.open_note(desk, unsigned[picked - len(kept)].id)


async def sign(desk: Desk, rest: str) -> None:
    """`sign anna`, `sign`: asks once, names headings with nothing under them."""
    desk.session.check_writable()
    client = await pick(desk, rest, "Sign") if rest else None
    if rest and client is None:
        return
    whose = client.id if client else None
    held = {draft.note for draft in await desk.run(desk.drafts.list)}
    views = await desk.run(lambda: desk.notebook.notes(whose, limit=200, unsigned_only=True))
    if not views:
        desk.say("There is nothing to sign.")
        return
    at = 0 if len(views) == 1 else await _choose_note(desk, views, "Sign which note?", [])
    if at is None:
        return
    view = views[at]
    if view.id in held:
        desk.say("This note has text that is not saved yet: open it first.")
        return
    writing = await desk.run(lambda: Writing.of_note(desk.notebook, desk.drafts, view.id))
    warning = note_desk.sign_warning(desk, writing.text, writing.note.template)
    text = [note_words(desk, view), excerpt(writing.text, width=240), *([warning] if warning else [])]
    if await desk.ui.confirm("Sign", text, "Sign this note? This version then stays as it is.", default=False):
        await desk.run(lambda: writing.sign(writing.text))
        desk.saved_ms = desk.now()
        desk.say("Signed.")
