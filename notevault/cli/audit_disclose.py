"""audit disclose: the file with which an auditor finds one client's entries of one year."""

from __future__ import annotations

import hashlib

from notevault.app import disclosing
from notevault.app.disclosing import Plan
from notevault.cli import asking, newfile
from notevault.cli.common import Context
from notevault.cli.output import harmless
from notevault.cli.show import count
from notevault.errors import Interrupted
from notevault.vault.notebook import Notebook

WHAT = "A disclosure"


def run(ctx: Context) -> int:
    args = ctx.args
    path = newfile.place(args.out, ctx.side.vault, WHAT)
    if not args.yes and not ctx.can_ask:
        raise asking.need_terminal(
            "What a disclosure gives away has to be agreed to", "Read `notevault help audit disclose`, and add --yes."
        )
    with ctx.notebook() as notebook, newfile.reserved(path, WHAT) as write:
        plan = disclosing.plan(
            notebook, args.client_code, args.year, lambda done, of: ctx.out.progress("Log entries", done, of)
        )
        for sentence in plan.unread:
            ctx.out.warn(sentence)
        if not args.yes:
            _agree(ctx, notebook, plan)
        data = disclosing.disclose(notebook.session, plan)
        write(data)
        found = disclosing.finds(notebook.session, plan)
        facts: dict[str, object] = {"client": plan.client.code, "entries": found, "year": plan.year}
        ctx.out.saved(hashlib.sha256(data).hexdigest()[:32], "disclosure", file=str(path), **facts)
    entries = count(found, "log entry", "log entries")
    ctx.out.say(
        f"The file finds {entries} of {plan.year}, and those still to come in that year. Give it to the auditor alone,"
        f" by a safe way, then delete it: {path}"
    )
    return 0


def _agree(ctx: Context, notebook: Notebook, plan: Plan) -> None:
    """The name goes to the terminal alone, and that it is shown is logged first. Interrupted when it is declined."""
    name = notebook.open_client(plan.client.id, purpose="review").name
    entries = count(plan.entries, "entry", "entries")
    told = harmless(disclosing.gives_away(name, plan.year))
    ctx.out.clear()
    if not asking.yes(f"{told}\nWrite it for {plan.client.code} ({entries})?", default=False):
        raise Interrupted("Nothing was disclosed.")
