"""client add, client list, client show."""

from __future__ import annotations

from notevault.app import adding
from notevault.cli import asking
from notevault.cli.common import Context
from notevault.cli.show import client_facts, count, iso_here, when
from notevault.errors import Interrupted, Refused, UsageFault

NAME_BYTES = 1024


def add(ctx: Context) -> int:
    name = ctx.args.name
    if name == "-":
        name = asking.read_input("-", "the client's name", NAME_BYTES).decode("utf-8-sig", "replace").strip()
    with ctx.notebook() as notebook:
        client = adding.client_of(notebook, name, ctx.args.code, ctx.args.born)
        same, close = adding.like_it(notebook, client)
        if same and not ctx.args.yes:
            codes = ", ".join(view.code for view in same)
            sentence = f"There is a client of this name already: {codes}."
            if not ctx.can_ask:
                raise Refused(sentence, "If this is another person, add --born DATE, or --yes.")
            if not asking.yes(f"{sentence} Is this another person?", default=False):
                raise Interrupted("Nothing was added.")
        for view in close:
            ctx.out.warn(f"There is a client with a similar name: {view.code}.")
        view = notebook.add_client(client)
        ctx.out.saved(view.code, "client")
    return 0


def list_(ctx: Context) -> int:
    with ctx.notebook() as notebook:
        clients = notebook.clients()
        for view in clients:
            last = "" if view.last_ms is None else f"  last {when(ctx.env, view.last_ms)}"
            born = f"  born {view.client.born.isoformat()}" if view.client.born else ""
            ended = "" if view.active else "  ended"
            line = f"{view.code}  {view.name}{born}  {count(view.notes, 'note')}{last}{ended}"
            ctx.out.row(client_facts(ctx.env, view), line)
        if not clients:
            ctx.out.say("There are no clients yet: `notevault client add NAME`.")
    return 0


def show(ctx: Context) -> int:
    with ctx.notebook() as notebook:
        view = notebook.open_client(adding.client_by_code(notebook, ctx.args.client_code).id)
        client = view.client
        lines = [
            f"{client.name}",
            f"Code:    {client.code}",
            f"Born:    {client.born.isoformat() if client.born else 'not known'}",
            f"Notes:   {count(view.notes, 'note')}" + (f", last {when(ctx.env, view.last_ms)}" if view.last_ms else ""),
            f"Since:   {when(ctx.env, client.created)}",
        ]
        if not client.active:
            lines.append("Treatment has ended.")
        if client.note:
            lines += ["", client.note]
        others = notebook.other_details(view)
        for saved_ms, other in others:
            born = f", born {other.born.isoformat()}" if other.born else ""
            ended = "" if other.active else ", treatment ended"
            lines += [
                "",
                f"Saved on another laptop, {when(ctx.env, saved_ms)}: {other.name}, {other.code}{born}{ended}",
            ]
            lines += [other.note] if other.note else []
        facts = {**client_facts(ctx.env, view), "remark": client.note}
        if others:
            facts["others"] = [
                {"born": one.born.isoformat() if one.born else None, "code": one.code, "name": one.name}
                | {"remark": one.note, "saved": iso_here(ctx.env, saved_ms)}
                for saved_ms, one in others
            ]
        ctx.out.row(facts, "\n".join(lines))
    return 0


def check_words(words: list[str]) -> list[str]:
    """Search words as typed; `-` alone reads them from standard input. UsageFault when nothing can be searched for."""
    if words == ["-"]:
        words = asking.read_input("-", "the words to find", NAME_BYTES).decode("utf-8-sig", "replace").split()
    found = [word for each in words for word in each.split() if any(letter.isalnum() for letter in word)]
    if not found:
        raise UsageFault("There is no word to look for.", "`notevault find WORDS...` takes words or their beginnings.")
    return found
