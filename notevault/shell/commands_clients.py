"""Clients at the prompt: chosen by a few letters, shown, added, changed; namesakes told apart before they mix."""

from __future__ import annotations

from dataclasses import replace

from notevault.app import adding
from notevault.domain import clients as client_values
from notevault.domain import dates
from notevault.domain.clients import Client
from notevault.domain.matching import find_clients, label, rank, similar
from notevault.domain.templates import TEMPLATES, plan_of
from notevault.shell.desk import Desk
from notevault.shell.paint import Row, columns, count
from notevault.shell.screens import Words
from notevault.shell.ui import options
from notevault.vault.notebook import ClientView

HIDDEN = "(hidden)"


def client_row(desk: Desk, view: ClientView, others: list[ClientView], width: int, hidden: bool) -> Row:
    last = (
        ""
        if view.last_ms is None
        else f"last {desk.when(view.last_ms, desk.env.clock.utc_offset_minutes(view.last_ms))[:-6]}"
    )
    notes = count(view.notes, "note")
    name = "" if hidden else label(view, others)
    state = "" if view.active else "ended"
    return [
        ("", columns([(name or view.code, max(14, width - 46)), (view.code, 9), (notes, 10), (last, 16), (state, 6)]))
    ]


async def pick(desk: Desk, text: str, title: str, *, create: bool = False) -> ClientView | None:
    """The client that the letters mean; asks where several fit. None (with a message where it helps) when none."""
    if not text:
        typed = await desk.ui.ask(title, ["A few letters of the name, or the code. Enter alone shows all."], "Client")
        if typed is None:
            return None
        text = typed.strip()
    everyone = await desk.clients()
    found = find_clients(text, everyone) if text else everyone
    exact = [view for view in found if text and rank(text, view) == 0]
    if len(exact) == 1:
        return exact[0]
    if len(found) == 1:
        return found[0]
    if found:
        return await choose(desk, found, title, ["Who is meant?"])
    if not everyone and not create:
        desk.say("There are no clients yet. `client add` and a name makes the first one.")
        return None
    close = similar(text, everyone)[1] if text else []
    if close:
        picked = await choose(desk, close, title, ["Nobody is called so, but nearly:"], extra="None of these")
        if picked is not None:
            return picked
    if create:
        return await add(desk, text)
    desk.say("No client fits. `clients` shows all, `client add` and a name makes a new one.")
    return None


async def choose(
    desk: Desk, views: list[ClientView], title: str, text: list[str], extra: str = ""
) -> ClientView | None:
    def items(width: int, hidden: bool) -> list[list[Row]]:
        rows = [[client_row(desk, view, views, width, hidden)] for view in views]
        return [*rows, [[("", extra)]]] if extra else rows

    picked = await desk.ui.choose(title, text, items)
    return views[picked] if picked is not None and picked < len(views) else None


async def clients(desk: Desk, _rest: str) -> None:
    """`clients`: the list, and from there each one's page."""
    everyone = await desk.clients()
    if not everyone:
        desk.say("There are no clients yet. `client add` and a name makes the first one.")
        return
    picked = await choose(desk, everyone, f"Clients ({len(everyone):,})", [])
    if picked is not None:
        await page(desk, picked)


async def client(desk: Desk, rest: str) -> None:
    """`client anna`, `client add Anna Berg`, `client edit anna`."""
    word, _, more = rest.partition(" ")
    if word.lower() == "add":
        view = await add(desk, more.strip())
        if view is not None:
            desk.say(f"{view.code} is made. `new {view.code}` writes the first note.")
        return
    editing = word.lower() == "edit"
    picked = await pick(desk, more.strip() if editing else rest, "Client")
    if picked is None:
        return
    if editing:  # it shows her record: logged first, as her page is
        await edit(desk, await desk.run(lambda: desk.notebook.open_client(picked.id)))
    else:
        await page(desk, picked)


async def page(desk: Desk, view: ClientView) -> None:
    """One client: facts, the last plan, and what can be done."""
    from notevault.shell import commands_notes

    view = await desk.run(lambda: desk.notebook.open_client(view.id))
    plan = await last_plan(desk, view)
    record = view.client

    def facts(hidden: bool) -> str:
        told = [f"Code {record.code}"]
        told += [f"born {HIDDEN if hidden else record.born.isoformat()}"] if record.born else []
        told += [count(view.notes, "session")]
        told += [] if record.active else ["treatment ended"]
        return " \u00b7 ".join(told)

    text: list[Words] = [facts]
    text += [lambda hidden: f"Remark {HIDDEN}" if hidden else record.note] if record.note else []
    text += [plan] if plan else []
    picked = await desk.ui.choose(
        lambda hidden: desk.who(view, hidden),
        text,
        options("New note", f"Notes ({view.notes:,})", "Change name, code or date of birth", "Back"),
        numbered=True,
    )
    if picked == 0:
        await commands_notes.new(desk, record.code)
    elif picked == 1:
        await commands_notes.notes(desk, record.code)
    elif picked == 2:
        await edit(desk, view)


async def last_plan(desk: Desk, view: ClientView) -> str:
    """The plan of the newest note that has one, in words; opening that note is logged."""

    def read() -> str:
        for each in desk.notebook.notes(view.id, limit=3):
            if TEMPLATES[each.note.template].plan:
                _, note = desk.notebook.open_note(each.id)
                plan = plan_of(note.text, TEMPLATES[note.template])
                if plan:
                    return f"Last plan ({desk.when(note.session, note.offset)}): {plan}"
        return ""

    return await desk.run(read)


async def add(desk: Desk, name: str) -> ClientView | None:
    """A new client, after a look for the same or nearly the same name."""
    title = "New client"
    everyone = await desk.clients()
    typed = await desk.ui.ask(
        title,
        ["The name as you would write it on a folder."],
        "Name",
        initial=name,
        check=lambda text: _fault(lambda: client_values.clean_name(text)),
    )
    if typed is None:
        return None
    name = client_values.clean_name(typed)
    same, close = similar(name, everyone)
    if same or close:
        said = "There is a client of that name already." if same else "There is a client with nearly that name."
        picked = await choose(desk, [*same, *close], title, [said, "Is it the same person?"], extra="No, somebody else")
        if picked is not None:
            return picked
    code = await desk.ui.ask(
        title,
        ["The code stands for the name where names are hidden."],
        "Code",
        initial=client_values.next_code(view.code for view in everyone),
        check=lambda text: _fault(
            lambda: client_values.check_code_free(client_values.clean_code(text), (view.code for view in everyone))
        ),
    )
    if code is None:
        return None
    born = await _ask_born(desk, title, "")
    if born is None:
        return None
    record = await desk.run(lambda: adding.client_of(desk.notebook, name, code, born or None))
    return await desk.run(lambda: desk.notebook.add_client(record))


async def _ask_born(desk: Desk, title: str, initial: str, *, kept: bool = False) -> str | None:
    """As typed; "" for none. `kept`: there is one, which stays when nothing is typed."""
    today = adding.today(desk.env.clock)
    alone = "It is hidden; Enter alone leaves it as it is." if kept else "Enter alone leaves it out."

    def check(text: str) -> str | None:
        if text.strip():
            client_values.check_born(dates.parse_day(text, today), today)
        return None

    found = await desk.ui.ask(
        title, [f"Date of birth, like 1980-05-17. {alone}"], "Born", initial=initial, check=check, private=True
    )
    return None if found is None else found.strip()


async def edit(desk: Desk, view: ClientView) -> None:
    """Each fact in turn, as it is; Esc anywhere changes nothing. `view` was opened (logged) for it.

    With names hidden, what belongs to her person is not shown; so it can be typed anew, but not taken away.
    """
    title = f"Change {view.code}"
    record = view.client
    others = [each for each in await desk.clients() if each.id != view.id]
    hidden = desk.ui.names_hidden
    name = await desk.ui.ask(
        title,
        ["Names are hidden. Enter alone leaves the name as it is."] if hidden else [],
        "Name",
        initial="" if hidden else record.name,
        check=lambda text: _fault(lambda: client_values.clean_name(text or (record.name if hidden else ""))),
        private=True,
    )
    if name is None:
        return
    name = name or (record.name if hidden else "")
    code = await desk.ui.ask(
        title,
        [],
        "Code",
        initial=record.code,
        check=lambda text: _fault(
            lambda: client_values.check_code_free(client_values.clean_code(text), (each.code for each in others))
        ),
    )
    if code is None:
        return
    known = record.born.isoformat() if record.born else ""
    born = await _ask_born(desk, title, "" if hidden else known, kept=hidden and bool(known))
    if born is None:
        return
    born = born or (known if hidden else "")
    one_line = record.note.replace("\n", " ")
    asked = "The remark is hidden. Enter alone leaves it as it is." if hidden and one_line else "A remark, if you like."
    remark = await desk.ui.ask(title, [asked], "Remark", initial="" if hidden else one_line, private=True)
    if remark is None:
        return
    remark = remark or (one_line if hidden else "")
    going = await desk.ui.confirm(title, [], "Is the treatment going on?", default=record.active)
    if going is None:
        return
    today = adding.today(desk.env.clock)
    kept = record.note if remark == one_line else remark.strip()
    changed = replace(
        record,
        name=client_values.clean_name(name),
        code=client_values.clean_code(code),
        born=dates.parse_day(born, today) if born else None,
        note=kept,
        active=going,
    )
    if changed == record:
        desk.say("Nothing was changed.")
        return
    await _update(desk, view, changed)


async def _update(desk: Desk, view: ClientView, changed: Client) -> None:
    await desk.run(lambda: desk.notebook.update_client(view.id, changed))
    desk.saved_ms = desk.now()
    desk.say(f"{changed.code} is changed.")


def _fault(check: object) -> str | None:
    check()  # type: ignore[operator]  # raises with its sentence
    return None
