"""remember, lock: a session for the commands after this one."""

from __future__ import annotations

from notevault.app import oneshot
from notevault.cli.common import Context
from notevault.cli.show import clock_time, iso_here
from notevault.errors import Refused
from notevault.vault import remember as remembering

HOURS = 4  # half a working day


def remember(ctx: Context) -> int:
    hours = HOURS if ctx.args.hours is None else ctx.args.hours
    if ctx.env.machine.private_runtime_dir() is None:
        raise Refused(remembering.NO_MEMORY_FOLDER, "Type the passphrase each time, or use the shell: `notevault`.")
    with ctx.session(passphrase_needed=True, keep_okm=True) as session:
        session.check_writable()
        if session.keys.okm is None:
            raise Refused("There is nothing to remember of this opening.", "Try again with the passphrase.")
        until = remembering.start(session, session.keys.okm, oneshot.own_slot(session), hours)
        ctx.out.saved(session.vault_id.hex(), "remember", until=iso_here(ctx.env, until))
        ctx.out.say(
            f"Commands open this vault without the passphrase until {clock_time(ctx.env, until)}, for everyone at this"
            " computer. `notevault lock` ends that at once; switching off does too."
        )
        if session.device.store == "file":
            ctx.out.warn("This computer has no key store, so one half of it lies in a file and the other in memory.")
    return 0


def lock(ctx: Context) -> int:
    ended = oneshot.forget(ctx.env, ctx.side.vault)
    ctx.out.row({"ended": ended}, "locked" if ended else "was not remembered")
    if not ended:
        ctx.out.say("No session was remembered; commands ask for the passphrase.")
    return 0
