"""Which vault, which state, and where to: what a restore has to know, and asks, before it copies anything."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from notevault.app import restored, restoring
from notevault.backup.copies.copies import Choice, Copies
from notevault.backup.copies.opening import LEAST, Several
from notevault.backup.restore.plan import Decision, Journal, decide, decide_again
from notevault.backup.restore.salvage import Salvage, salvage
from notevault.cli import asking, sheets
from notevault.cli.backup_restore_words import again_words, before_all, question, salvage_words, state_words
from notevault.cli.common import Context
from notevault.domain.dates import MS_MAX, day_of, parse_moment, to_ms
from notevault.errors import Damaged, Interrupted, NotFound, UsageFault
from notevault.formats.sheet import SheetCode
from notevault.wiring.backup import open_tree

WAIT = "Wait until the rest has arrived, name another backup place with a further --from, or choose:"


def find(ctx: Context, folders: list[Path]) -> tuple[Copies, SheetCode | None]:
    """The copies of one vault. Where several lie there, the sheet says which: then it comes along."""
    wanted = vault_id(ctx.args.vault_id)
    try:
        return restoring.find(folders, open_tree, wanted), None
    except Several as several:
        if ctx.args.sheet is None and (not ctx.can_ask or ctx.args.yes or ctx.args.list):
            raise
        if ctx.args.sheet is None:
            ctx.out.say(f"{several.sentence} The recovery sheet says which one is yours.")
        code = sheets.read_code(ctx)
        return restoring.find_by_sheet(folders, open_tree, wanted, code), code


def vault_id(typed: str | None) -> str | None:
    """As printed on a sheet, with spaces, or its first digits. UsageFault."""
    if typed is None:
        return None
    digits = re.sub(r"[\s-]", "", typed).lower()
    if not re.fullmatch(f"[0-9a-f]{{{LEAST},32}}", digits):
        raise UsageFault(
            f"A vault's number has 32 digits (0 to 9 and a to f); the first {LEAST} of them are enough.",
            "It is printed on the recovery sheet.",
        )
    return digits


def moment(ctx: Context, text: str) -> int:
    """The last millisecond of the day, or of the minute, that was typed."""
    env = ctx.env
    now = env.clock.wall_ms()
    typed = parse_moment(text, day_of(now, env.clock.utc_offset_minutes(now)))
    if typed.day >= date.max - timedelta(days=7):
        return MS_MAX
    day, minute = (typed.day + timedelta(days=1), 0) if typed.minute is None else (typed.day, typed.minute + 1)
    offset = typed.offset
    if offset is None:
        offset = env.clock.utc_offset_minutes(to_ms(typed.day, typed.minute or 0, 0))
    return to_ms(day, minute, offset) - 1


def check_outside(ctx: Context, to: Path, folders: list[Path], vault: str) -> None:
    """UsageFault where the new vault would lie inside a backup, or around one; also inside the place of which only a
    part was named.
    """
    roots = [restored.place_root(folder, vault) for folder in folders]
    for folder in dict.fromkeys([*folders, *filter(None, roots)]):
        if to.is_relative_to(folder) or folder.is_relative_to(to):
            raise UsageFault(
                "The vault must not be restored into its own backup.", "Name a new folder elsewhere with --to."
            )
    if to.is_relative_to(ctx.side.local_root) or ctx.side.local_root.is_relative_to(to):
        raise UsageFault(
            f"{to} is where notevault keeps what belongs to this computer alone.", "Name another folder with --to."
        )


# -- which state


def choose(ctx: Context, copies: Copies, begun: Journal | None, at_ms: int | None) -> Choice | Salvage:
    if begun is not None and begun.vault == copies.vault and at_ms is None and not ctx.args.newest:
        again = salvage(copies) if begun.salvage else decide_again(copies, begun)
        if again is not None:
            ctx.out.say(f"Going on with the interrupted restore, {again_words(ctx.env, again)}.")
            return again
    try:
        decision = decide(copies, at_ms=at_ms, newest=ctx.args.newest)
    except NotFound as fault:
        if at_ms is not None:
            raise before_all(ctx.env, copies, fault) from None
        return _unreadable(ctx, copies, fault)
    if decision.choice.strangers:
        ctx.out.warn("Something that is not of this vault lies in the backups too; it was left out.")
    if ctx.args.salvage:
        if found := salvage(copies) if decision.entries else None:
            return _salvaged(ctx, found)
        ctx.out.say("Nothing needs to be salvaged: the log can be read.")
    if decision.question and not ctx.args.yes:
        return _asked(ctx, copies, decision)
    ctx.out.say(f"The backup is {state_words(ctx.env, decision.choice)}.")
    if decision.why:
        ctx.out.warn(f"{decision.why[:1].upper()}{decision.why[1:]}.")
    return decision.choice


def _unreadable(ctx: Context, copies: Copies, fault: NotFound) -> Salvage:
    """No state at all: all that is left is everything that lies there."""
    found = salvage(copies)
    if found is None:
        raise fault
    ctx.out.say(
        f"The log that lies there cannot be read as a whole, so no backup of any day is complete.\n{_what(found)}"
    )
    if ctx.args.salvage or ctx.args.yes:
        return _salvaged(ctx, found)
    if not ctx.can_ask:
        raise Damaged(
            "The log in this backup cannot be read as a whole. Nothing was restored.",
            f"Name another backup place with a further --from; or --salvage takes all {found.live.count:,} sealed files"
            " that are there, and `notevault recover` whatever the recovery sheet opens of them.",
        )
    if asking.yes("Salvage all that?", default=True):
        return _salvaged(ctx, found)
    raise Interrupted("Nothing was restored.", "Run the same command again, or with another backup place.")


def _what(found: Salvage) -> str:
    return salvage_words(found.live.count, found.live.weight)


def _salvaged(ctx: Context, found: Salvage) -> Salvage:
    ctx.out.say(f"Salvaging: {found.live.count:,} sealed files are there.")
    return found


def _asked(ctx: Context, copies: Copies, decision: Decision) -> Choice | Salvage:
    """Damaged (65) where nobody can answer."""
    lost = salvage(copies) if decision.entries else None
    if not ctx.can_ask:
        more = ""
        if decision.other is not None:
            more = f"; --at takes the complete one {state_words(ctx.env, decision.other)}"
        if lost is not None:
            more += f"; --salvage takes all {lost.live.count:,} sealed files, whatever names them"
        raise Damaged(
            f"The newest backup is not complete: {decision.why}. Nothing was restored.",
            f"{WAIT} --newest takes what can be read, {state_words(ctx.env, decision.choice)}{more}.",
        )
    ctx.out.say(question(ctx.env, decision))
    if decision.entries:
        if asking.yes(f"Go back to the state {state_words(ctx.env, decision.choice)}?", default=False):
            return decision.choice
    elif asking.yes("Take everything that is there?", default=True):
        return decision.choice
    if decision.other is not None:
        words = state_words(ctx.env, decision.other)
        if asking.yes(f"Take the complete one {words} instead?", default=False):
            return decision.other
    if lost is not None:
        ctx.out.say(_what(lost))
        if asking.yes("Salvage all that instead?", default=False):
            return _salvaged(ctx, lost)
    raise Interrupted("Nothing was restored.", "Run the same command again once the rest has arrived.")
