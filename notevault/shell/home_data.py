"""What the home screen shows, gathered from an open vault: today, what waits, what was written last."""

from __future__ import annotations

from notevault.app import alarms_source, reviewing
from notevault.domain import dates
from notevault.domain.matching import label
from notevault.domain.notes import word_count
from notevault.errors import NotevaultError
from notevault.shell.complete import Catalogue
from notevault.shell.desk import Desk
from notevault.shell.home import Entry, HomeData, Section
from notevault.shell.paint import count
from notevault.vault.drafts import Draft
from notevault.vault.notebook import ClientView, NoteView

LATEST, WAITING, DRAFTS = 8, 6, 4
REVIEW = "Look over the last month: `audit review`."
COUNTED = 500


def home_data(desk: Desk) -> HomeData:
    """Names shown here are logged as a list, once a session, before they are returned."""
    hear_log(desk)
    desk.backup.first()
    clients = desk.notebook.clients()
    by_id = {view.id: view for view in clients}
    now = desk.now()
    offset = desk.env.clock.utc_offset_minutes(now)
    today = dates.day_of(now, offset)
    drafts = desk.drafts.list()
    drafted = {draft.note for draft in drafts}
    newest = desk.notebook.notes(limit=24)
    held_today = [view for view in newest if dates.day_of(view.note.session, view.note.offset) == today]
    waiting = [view for view in desk.notebook.notes(limit=24, unsigned_only=True) if view.id not in drafted]
    unsigned = len(desk.session.catalogue.notes(None, limit=COUNTED, unsigned_only=True))
    older = [view for view in waiting if view not in held_today]
    listed = {view.id for view in [*held_today, *older[:WAITING]]}

    def entry(view: NoteView) -> Entry:
        return _entry(desk, by_id, clients, view, today_is=view in held_today)

    sections = [
        Section(
            "Kept drafts, not saved yet", tuple(_draft_entry(desk, by_id, clients, each) for each in drafts[:DRAFTS])
        )
        if drafts
        else None,
        Section(
            "Today",
            tuple(entry(view) for view in reversed(held_today) if view.id not in drafted),
            "Nothing written today yet. `new` and three letters of a name begins a note."
            if clients
            else "Your vault is empty. Type `new` and a client's name to write your first note.",
        ),
        Section(f"To sign ({_many(unsigned)})", tuple(entry(view) for view in older[:WAITING])) if older else None,
        Section("Before", tuple(entry(view) for view in newest if view.id not in listed | drafted)[:LATEST]),
    ]
    return HomeData(
        desk.today(),
        _counts(len(drafts), unsigned),
        tuple(section for section in sections if section is not None and (section.entries or section.empty)),
        Catalogue(clients),
        (*desk.warnings(), *desk.backup.warnings()),
        "\n".join(filter(None, (_review(desk, now), desk.backup.reminder() if newest else ""))),
    )


def _review(desk: Desk, now: int) -> str:
    return REVIEW if desk.session.read_only is None and reviewing.review_due(desk.session, now) else ""


def hear_log(desk: Desk) -> None:
    """What the log tells of since it was last looked at becomes an alarm; so does a log that cannot be read."""
    try:
        told = alarms_source.since_looked(desk.session)
    except NotevaultError as fault:
        desk.alarms.heard(fault)
        return
    desk.alarms.found(told.faults)
    desk.alarms.noticed(told.notices)


def _many(number: int) -> str:
    return f"{number}" if number < COUNTED else f"{COUNTED} or more"


def _counts(drafts: int, unsigned: int) -> str:
    parts = [count(drafts, "draft")] if drafts else []
    parts += [f"{_many(unsigned)} unsigned"] if unsigned else []
    return " \u00b7 ".join(parts)


def _name(client: ClientView | None, clients: list[ClientView]) -> tuple[str, str]:
    return (label(client, clients), client.code) if client else ("?", "?")


def _entry(
    desk: Desk, by_id: dict[bytes, ClientView], clients: list[ClientView], view: NoteView, *, today_is: bool
) -> Entry:
    name, code = _name(by_id.get(view.client_id), clients)
    then = dates.local(view.note.session, view.note.offset)
    when = f"{then:%H:%M}" if today_is else desk.when(view.note.session, view.note.offset)[:-6]
    state = "signed" if view.signed else "unsigned"
    return Entry(when, name, code, f"{state} \u00b7 {count(view.words, 'word')}", view.id)


def _draft_entry(desk: Desk, by_id: dict[bytes, ClientView], clients: list[ClientView], draft: Draft) -> Entry:
    name, code = _name(by_id.get(draft.client), clients)
    words = count(word_count(draft.text, draft.template), "word")
    return Entry(desk.moment(draft.kept), name, code, f"draft \u00b7 {words}", draft.note, draft=True)
