"""import: files of notes, previewed, asked about, brought in."""

from __future__ import annotations

from pathlib import Path

from notevault.app import adding, importing
from notevault.cli import asking
from notevault.cli.common import Context
from notevault.cli.show import count
from notevault.domain.imported import ImportedNote
from notevault.domain.importing import FILE_LIMIT, parse, parse_map
from notevault.errors import Interrupted, UsageFault

NAMES_SHOWN = 8


def run(ctx: Context) -> int:
    if not (ctx.args.yes or ctx.args.dry_run or ctx.can_ask):
        raise asking.need_terminal(
            "An import is looked over before it is done", "Look with --dry-run, then import with --yes."
        )
    mapping = parse_map(ctx.args.map) if ctx.args.map is not None else None
    notes, warnings = _read(ctx, mapping)
    if not notes:
        for warning in warnings:
            ctx.out.warn(warning)
        raise UsageFault(
            "There is not one note in these files.", "Look at the notes above, or name columns with --map."
        )
    with ctx.notebook() as notebook:
        target = None if ctx.args.client is None else adding.client_by_code(notebook, ctx.args.client)
        plan = importing.preview(notebook, notes, target, again=ctx.args.again)
        _tell(ctx, plan, warnings)
        if ctx.args.dry_run:
            return 0
        notebook.session.check_writable()
        if not plan.notes:
            ctx.out.saved("0", "import", clients=0, notes=0)
            ctx.out.say("Nothing was imported: all of it is here already.")
            _warn_of_originals(ctx)
            return 0
        if not ctx.args.yes and not asking.yes("Import them now?", default=False):
            raise Interrupted("Nothing was imported.")
        inside = 0

        def progress(done: int, total: int) -> None:
            nonlocal inside
            inside = done
            ctx.out.progress("Importing", done, total)

        try:
            made, saved = importing.run(notebook, plan, progress)
        except BaseException:  # interrupted or failed half-way: whole batches stay
            if inside:
                ctx.out.warn(
                    f"{count(inside, 'note')} of {plan.notes:,} are in already; the same import brings in the rest."
                )
            raise
        ctx.out.saved(f"{saved}", "import", clients=made, notes=saved)
        ctx.out.say(f"{count(saved, 'note')} imported, {count(made, 'client')} made. All notes are unsigned.")
        _warn_of_originals(ctx)
    return 0


def _read(ctx: Context, mapping: dict[str, str] | None) -> tuple[list[ImportedNote], list[str]]:
    notes: list[ImportedNote] = []
    warnings: list[str] = []
    for name in ctx.args.files:
        if name == "-":
            raise UsageFault("An import reads files, not standard input.", "Name the files.")
        path = Path(name)
        plan = parse(path.name, asking.read_input(name, "notes", FILE_LIMIT), mapping)
        notes += plan.notes
        warnings += [f"{path.name}: {warning}" for warning in plan.warnings]
        if plan.columns:
            columns = ", ".join(f"{role} from {heading!r}" for role, heading in sorted(plan.columns.items()))
            ctx.out.say(f"{path.name}: {count(len(plan.notes), 'note')}; {columns}")
        else:
            ctx.out.say(f"{path.name}: {count(len(plan.notes), 'note')}")
    return notes, warnings


def _tell(ctx: Context, plan: importing.Preview, warnings: list[str]) -> None:
    """The preview: the data of a dry run, else a message."""
    new, known = plan.new, plan.known
    if ctx.args.dry_run and ctx.args.json:
        ctx.out.row(
            {
                "clients_known": len(known),
                "clients_new": len(new),
                "here": plan.left_out,
                "nameless": plan.nameless,
                "notes": plan.notes,
                "similar": [{"client": code, "name": name} for name, code in plan.close],
                "undated": plan.undated,
                "warnings": [*warnings, *plan.warnings],
            },
            "",
        )
        return
    lines = [f"{count(plan.notes, 'note')} for {count(len(plan.owners), 'client')}:"]
    if new:
        some = ", ".join(f"{owner.client.name} {owner.client.code}" for owner in new[:NAMES_SHOWN])
        more = f" and {len(new) - NAMES_SHOWN:,} more" if len(new) > NAMES_SHOWN else ""
        lines.append(f"  {len(new):,} new: {some}{more}")
    if known:
        some = ", ".join(f"{owner.client.name} {owner.client.code}" for owner in known[:NAMES_SHOWN])
        more = f" and {len(known) - NAMES_SHOWN:,} more" if len(known) > NAMES_SHOWN else ""
        lines.append(f"  {len(known):,} who are here already: {some}{more}")
    if plan.undated:
        lines.append(f"  {count(plan.undated, 'note')} without a date: dated today and marked as undated")
    if plan.left_out:
        are = "is here already and" if plan.left_out == 1 else "are here already and"
        lines.append(f"  {count(plan.left_out, 'further note')} {are} left out; --again brings in such notes too")
    for name, code in plan.close[:NAMES_SHOWN]:
        lines.append(f"  {name} will be a new client, but {code} has nearly that name")
    for line in lines:
        if ctx.args.dry_run:
            ctx.out.row({}, line)
        else:
            ctx.out.say(line)
    for warning in [*warnings, *plan.warnings]:
        ctx.out.warn(warning)
    if ctx.args.dry_run:
        ctx.out.say("Nothing was written.")


def _warn_of_originals(ctx: Context) -> None:
    names = [Path(name).name for name in ctx.args.files]
    some = ", ".join(names[:NAMES_SHOWN]) + (
        f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    )
    stay, them = ("file stays", "it") if len(names) == 1 else ("files stay", "them")
    ctx.out.warn(
        f"The original {stay} readable by anyone who gets at this disk: {some}. When the import is as it should be,"
        f" delete {them}, also from the trash, mail and cloud folders; copies on older backups stay readable."
    )
