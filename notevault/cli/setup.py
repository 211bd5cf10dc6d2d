"""init, recover, sheet new, sheet confirm, passphrase change: what opens the vault."""

from __future__ import annotations

from dataclasses import replace

from notevault.app import oneshot, opening, restored
from notevault.backup.restore import rest as restore_rest
from notevault.cli import backup_restore_end, sheets
from notevault.cli.common import Context
from notevault.errors import NoVault, Refused
from notevault.vault import rekey


def init(ctx: Context) -> int:
    path = sheets.check_place(ctx)
    if opening.has_vault(ctx.env, ctx.side.vault):
        raise Refused(
            "There is a vault in this folder already.", "`notevault` opens it; --vault DIR names another place."
        )
    with sheets.reserved(path) as write:
        sheets.try_renderer(path)
        passphrase = ctx.new_passphrase(ctx.args.passphrase_file, "--passphrase-file")
        ctx.out.say("Making the vault; this measures how fast your computer is and takes a few seconds.")
        session, kit = opening.set_up(ctx.env, ctx.side.vault, passphrase)
        with ctx.holding(session):
            sheets.deliver(ctx, session, kit, path, write)
            ctx.out.saved(
                kit.vault_id.hex(), "vault", key_store=session.device.store, sheet=str(path), vault=str(ctx.side.vault)
            )
    sheets.tell(ctx, path)
    ctx.out.say(f"Your vault: {ctx.side.vault}")
    return 0


def recover(ctx: Context) -> int:
    env, vault = ctx.env, ctx.side.vault
    if oneshot.alleged_vault(env, vault) is None:
        ctx.out.warn("No key file of this vault could be read at a first look.")
    code = sheets.read_code(ctx)
    oneshot.try_sheet(env, vault, code)
    ctx.out.say("The recovery sheet opens this vault.")
    passphrase = ctx.new_passphrase(ctx.args.passphrase_file, "--passphrase-file", patient=True)
    rest = restore_rest.left(env.files, vault)  # of a restore that was made without the sheet
    session = opening.recover_vault(env, vault, code.seed, code.fingerprint, passphrase, None, ctx.reading)
    places = None
    with ctx.holding(session):
        if rest is not None and rest.vault == session.vault_id.hex():
            places = backup_restore_end.complete(ctx, session, vault, replace(rest, opened=True))
        back = restored.back(session)
        ctx.out.saved(session.vault_id.hex(), "recovery", notes=back.notes)
        backup_restore_end.tell_back(ctx, session, back, 0, 0)
        ctx.out.say("This laptop opens the vault now, with the new passphrase. The sheet stays valid.")
    if rest is not None and places is not None:
        backup_restore_end.tell_places(ctx, vault, rest.vault, places, missing=rest.missing)
    return 0


def sheet_new(ctx: Context) -> int:
    path = sheets.check_place(ctx)
    with sheets.reserved(path) as write, ctx.session(passphrase_needed=True) as session:
        session.check_writable()
        sheets.try_renderer(path)
        with sheets.uninterrupted():
            kit = rekey.new_sheet(session)
            sheets.deliver(ctx, session, kit, path, write)
        ctx.out.saved(session.header_digest[:32], "sheet", sheet=str(path))
        sheets.tell(ctx, path)
        ctx.out.say(sheets.OLDER)
    return 0


def sheet_confirm(ctx: Context) -> int:
    """Proves that the sheet opens the vault, rather than comparing a few groups."""
    if oneshot.alleged_vault(ctx.env, ctx.side.vault) is None:
        raise NoVault("No key file of this vault can be read.", "`notevault doctor` says more.")
    code = sheets.read_code(ctx)
    oneshot.try_sheet(ctx.env, ctx.side.vault, code)
    with ctx.session() as session:
        session.check_writable()
        rekey.confirm_sheet(session)
        ctx.out.saved(session.vault_id.hex(), "sheet-confirmed")
        ctx.out.say("The sheet opens this vault: your notes are recoverable.")
    return 0


def passphrase_change(ctx: Context) -> int:
    with ctx.session(passphrase_needed=True) as session:
        session.check_writable()
        passphrase = ctx.new_passphrase(ctx.args.new_passphrase_file, "--new-passphrase-file")
        opening.change_passphrase(session, passphrase)
        ctx.out.saved(session.header_digest[:32], "passphrase")
        ctx.out.say("The new passphrase is set. A remembered session has ended; the recovery sheet stays valid.")
    return 0
