"""audit proof and audit export: a piece of the log, or all of it, for other people's tools. No passphrase is needed."""

from __future__ import annotations

from pathlib import Path

from notevault.adapters.places import user_path
from notevault.app import auditcard
from notevault.app.auditcard import OwnCard, OwnVault
from notevault.auditlog import proof, tiles
from notevault.auditlog.fault import Fault
from notevault.auditlog.folder import Read
from notevault.cli import newfile
from notevault.cli.common import Context
from notevault.cli.show import count
from notevault.crypto import signing
from notevault.errors import CannotWrite, Damaged, NotFound, UsageFault
from notevault.vault.verify import port_reader

WHAT_PROOF = "The proof"
WHAT_EXPORT = "The copy of the log"


def prove(ctx: Context) -> int:
    """One entry and what shows that it is in the log, as a text."""
    out = newfile.place(ctx.args.out, ctx.side.vault, WHAT_PROOF)
    own = auditcard.own_vault(ctx.env, ctx.side.vault)
    card, read = _log(ctx, own)
    text = proof.make(read, ctx.args.entry)
    if isinstance(text, Fault):
        if text.code == "BAD_INDEX":
            raise NotFound(
                f"The log has no entry {ctx.args.entry}: {text.sentence}.", "The first one has the number 0."
            )
        raise _does_not_hold(text)
    made = proof.parse(text)
    held = made if isinstance(made, Fault) else proof.check(made, card.card.identity_pub, signing.verify, card.origin)
    if isinstance(held, Fault):
        raise _does_not_hold(held)
    newfile.write_new(out, text.encode("utf-8"), WHAT_PROOF)
    facts: dict[str, object] = {"entry": ctx.args.entry, "file": str(out), "log": f"notevault/{card.origin}"}
    line = f"Entry {ctx.args.entry} of {count(held.size, 'signed entry', 'signed entries')}: {out}"
    ctx.out.row({**facts, "size": held.size}, line)
    return 0


def export(ctx: Context) -> int:
    """The whole log as tiles, the form that tools for other logs read."""
    target = _new_folder(ctx)
    own = auditcard.own_vault(ctx.env, ctx.side.vault)
    card, read = _log(ctx, own)
    done = tiles.export(
        read,
        target,
        card.card.identity_pub,
        signing.verify,
        lambda entries, of: ctx.out.progress("Log entries", entries, of),
    )
    if isinstance(done, Fault):
        if done.code == "EXISTS":
            raise _exists(target)
        if done.code == "UNWRITABLE":
            raise CannotWrite(f"{target} cannot be written ({done.sentence}).", "Name another folder.")
        raise _does_not_hold(done)
    facts: dict[str, object] = {"folder": str(target), "log": f"notevault/{card.origin}", "size": done.size}
    ctx.out.row(facts, f"{count(done.size, 'log entry', 'log entries')}: {target}")
    return 0


def _log(ctx: Context, own: OwnVault) -> tuple[OwnCard, Read]:
    """The card of the log that was asked for, and its files."""
    cards = auditcard.cards_of(ctx.env, own)
    origin = auditcard.pick([each.origin for each in cards], ctx.args.log)
    card = next(each for each in cards if each.origin == origin)
    return card, port_reader(ctx.env.files, own.seen.paths.audit(origin))


def _does_not_hold(fault: Fault) -> Damaged:
    return Damaged(
        f"The log does not agree with its signed state ({fault.sentence}).", "`notevault audit verify` says where."
    )


def _new_folder(ctx: Context) -> Path:
    if ctx.args.out == "-":
        raise UsageFault(f"{WHAT_EXPORT} goes into a folder.", "Name a new one.")
    target = user_path(ctx.args.out)
    if target.resolve().is_relative_to(ctx.side.vault.resolve()):
        raise UsageFault(f"{WHAT_EXPORT} must not lie in the vault folder.", "Name another folder.")
    if target.exists() or target.is_symlink():
        raise _exists(target)
    if not target.parent.is_dir():
        raise CannotWrite(f"The folder of {target} does not exist.", "Make it, or name another one.")
    return target


def _exists(target: Path) -> UsageFault:
    return UsageFault(f"{target} exists already; nothing in it is overwritten.", "Name a new folder.")
