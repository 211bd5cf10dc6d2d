"""doctor: one line per matter; works without the passphrase as far as it goes."""

from __future__ import annotations

from notevault.adapters.places import secrets_folder
from notevault.app import doctoring, oneshot, opening
from notevault.app.doctoring import Item
from notevault.cli import asking, health
from notevault.cli.backup_ground import gone, ground_of, remembered
from notevault.cli.common import Context
from notevault.errors import Interrupted, NotevaultError, Refused
from notevault.vault import rekey
from notevault.vault.session import Session
from notevault.vault.survey import Survey
from notevault.wiring.backup import overview_of
from notevault.wiring.locked import protect_process
from notevault.wiring.unlocked import lock_memory

WORD = "older"
_MARKS = {"good": "ok  ", "note": "    ", "warn": "look", "bad": "BAD ", "unknown": "?   "}


def run(ctx: Context) -> int:
    if ctx.args.confirm_rollback:
        return _confirm(ctx)
    items, seen = doctoring.look(ctx.env, ctx.side.vault, lambda: overview_of(ctx.side, ground_of(ctx)))
    code = 0
    if seen is None:
        code = 66 if items[0].state == "warn" else 65
        if code == 66 and remembered(ctx) is not None:
            fault = gone(ctx)
            items = [Item("vault", "bad", fault.sentence, fault.next_step)]
        else:
            items.append(_key_store(ctx))
    inside: list[Item] = []
    if seen is not None:
        inside, code = _inside(ctx, seen)
    topics = {item.topic for item in inside}
    items = [item for item in items if item.topic not in topics - {"drafts"}] + inside
    places = [("vault", ctx.side.vault)]
    if seen is not None:
        places += [("local", seen.local.paths.root), ("secrets", secrets_folder())]
        items += [health.permissions(places), health.place(ctx.side.vault)]
    items += [health.space(ctx.side.vault), *health.process(protect_process(), lock_memory())]
    for item in items:
        line = f"{_MARKS[item.state]}  {item.topic}: {item.sentence}"
        if item.step and item.state != "good":
            line += f"\n        -> {item.step}"
        facts: dict[str, object] = {"sentence": item.sentence, "state": item.state, "step": item.step}
        ctx.out.row(facts | {"topic": item.topic}, line)
    return code


def _key_store(ctx: Context) -> Item:
    """What a set-up would take here."""
    try:
        kind, why = ctx.env.stores.choose()
    except NotevaultError as fault:
        return Item("key store", "warn", fault.sentence, fault.next_step)
    return Item("key store", "good" if kind == "keyring" else "note", why)


def _inside(ctx: Context, seen: Survey) -> tuple[list[Item], int]:
    """What an open vault adds, where it can be opened without anything being in the way; and the exit code."""
    try:
        session = _open(ctx)
    except NotevaultError as fault:
        return [Item("opening", "bad", fault.sentence, fault.next_step)], fault.exit_code
    if session is None:
        return [Item("opening", "unknown", "Not opened: no passphrase was given, so this is not everything.")], 0
    items = doctoring.look_inside(session)
    for notice in session.notices:
        items.append(Item("opening", "note", notice))
    items += [Item("opening", "warn", left.sentence, left.next_step) for left in oneshot.finish(session)]
    return items, 0


def _open(ctx: Context) -> Session | None:
    """The vault, opened by what is at hand: a file, a remembered session, or a person who may also decline."""
    env, vault = ctx.env, ctx.side.vault
    text = ctx.given_passphrase()
    if text is None and oneshot.may_be_remembered(env, vault):
        try:
            return opening.open_vault(env, vault, None, shell=False)
        except Refused:
            pass
    if text is None:
        if not ctx.can_ask:
            return None
        text = asking.hidden("Passphrase (Enter alone: look from outside only): ")
        if not text.strip():
            return None
    return opening.open_vault(env, vault, text, shell=False)


def _confirm(ctx: Context) -> int:
    """Go on with what was found: the passphrase, and a word typed by a person."""
    if not ctx.can_ask:
        raise asking.need_terminal(
            "Going on with an older copy takes a person", "Run `notevault doctor --confirm-rollback` at a terminal."
        )
    session = ctx.open_now(passphrase_needed=True)
    try:
        fresh = _agreed(ctx, session)
    except BaseException:
        session.close("")
        raise
    with ctx.holding(fresh):
        ctx.out.saved(fresh.vault_id.hex(), "rollback-confirmed")
        ctx.out.say("The vault can be written to again. Its log has a new card for auditors: `notevault audit card`.")
    return 0


def _agreed(ctx: Context, session: Session) -> Session:
    if session.read_only is None:
        raise Refused("This vault is the newest that this laptop has seen: there is nothing to confirm.", "")
    if session.is_copy:
        return rekey.confirm_rollback(session)  # refuses, before anything is asked
    ctx.out.say(
        f"{session.read_only}\n"
        "If you go on with the vault as it is here, what was saved elsewhere or is damaged is not part of it any more;"
        " if it still exists somewhere, keep that copy first. That you did so is logged, and a new log begins."
    )
    if asking.answer(f"To go on with the vault as it is here, type the word {WORD}: ").lower() != WORD:
        raise Interrupted("Nothing was changed.")
    return rekey.confirm_rollback(session)
