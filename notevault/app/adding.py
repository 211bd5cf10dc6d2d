"""Adding a client or a finished note, and finding the client that a code means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from notevault.domain import clients as client_values
from notevault.domain.dates import Moment, day_of, parse_day, parse_moment, to_ms
from notevault.domain.folding import words
from notevault.domain.imported import clean_title
from notevault.domain.matching import code_key, similar
from notevault.domain.notes import Note, clean_text
from notevault.domain.templates import template_named
from notevault.errors import NotFound, UsageFault
from notevault.ports import Clock
from notevault.vault.notebook import ClientView, Notebook, NoteView

NOON = 12 * 60  # of a day without a time: it stays the same day in every time zone nearby


def today(clock: Clock) -> date:
    now = clock.wall_ms()
    return day_of(now, clock.utc_offset_minutes(now))


def session_time(moment: Moment, clock: Clock) -> tuple[int, int]:
    """(ms, offset) of a day as typed; noon where it has no time, this computer's zone where it has none."""
    minute = NOON if moment.minute is None else moment.minute
    if moment.offset is not None:
        return to_ms(moment.day, minute, moment.offset), moment.offset
    guess = to_ms(moment.day, minute, 0)
    offset = clock.utc_offset_minutes(guess)
    offset = clock.utc_offset_minutes(to_ms(moment.day, minute, offset))  # around a change of summer time
    return to_ms(moment.day, minute, offset), offset


def client_by_code(notebook: Notebook, typed: str) -> ClientView:
    """By code (case, separators and leading zeros aside) or by the whole name. NotFound; UsageFault for several.

    What is done with the one that is found tells of it in the log. That there is none, or more than one, tells of
    names too: it is logged as a list of them is, before it is said.
    """
    clients = notebook.matchable()
    found = [view for view in clients if code_key(view.code) == code_key(typed)]
    exact = [view for view in found if view.code == typed.strip().upper()]
    found = exact or found or [view for view in clients if words(typed) and words(view.name) == words(typed)]
    if len(found) != 1:
        notebook.clients()
    if not found:
        raise NotFound("There is no such client.", "`notevault client list` shows names and codes.")
    if len(found) > 1 and len({view.code for view in found}) == 1 and exact:  # given on two laptops
        raise UsageFault(
            f"{len(found)} clients have the code {exact[0].code}, each given on another laptop.",
            "Use the whole name; `client edit` and the code, in `notevault`, gives one of them another.",
        )
    if len(found) > 1:
        raise UsageFault(
            f"Several clients fit: {', '.join(view.code for view in found)}.", "Use one of these codes, as written."
        )
    return found[0]


def client_of(notebook: Notebook, name: str, code: str | None, born: str | None) -> client_values.Client:
    """A new client as typed, with the next free code where none is given. UsageFault."""
    clock = notebook.session.env.clock
    chosen = code if code is not None else client_values.next_code(view.code for view in notebook.matchable())
    day = None if born is None else parse_day(born, today(clock))
    return client_values.new_client(name, chosen, day, clock.wall_ms())


def like_it(notebook: Notebook, client: client_values.Client) -> tuple[Sequence[ClientView], Sequence[ClientView]]:
    """Clients of the same name who may be the same person, and clients whose name is a slip or two away. Where there
    are any, it is logged as a list of names is, durably, before it can be said.
    """
    same, close = similar(client.name, notebook.matchable())
    if same or close:
        notebook.clients()
    maybe = [view for view in same if not (view.born and client.born and view.born != client.born)]
    return maybe, [*close, *(view for view in same if view not in maybe)]


def add_note(
    notebook: Notebook,
    client: ClientView,
    text: str,
    *,
    when: str | None = None,
    title: str = "",
    template: str = "free",
) -> NoteView:
    """A note as it is, dated now unless `when` says otherwise; saved, unsigned. UsageFault for an empty one."""
    clock = notebook.session.env.clock
    now = clock.wall_ms()
    plain = clean_text(text)
    if not plain.strip():
        raise UsageFault("There is no text in it.", "An empty note is not saved.")
    if when is None:
        held, offset = now, clock.utc_offset_minutes(now)
    else:
        held, offset = session_time(parse_moment(when, today(clock)), clock)
    note = Note(
        plain,
        held,
        offset,
        now,
        now,
        title=clean_title(title),
        template=template_named(template).name,
        author=notebook.settings().author,
    )
    return notebook.add_note(client.id, note)
