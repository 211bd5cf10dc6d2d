"""backup watch, backup install-service: backing up while no shell is open."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from notevault.cli.common import Context
from notevault.errors import Busy, Refused

if TYPE_CHECKING:
    from notevault.backup.model import PlaceFile, Report

SERVICE = "notevault-backup"


def watch(ctx: Context) -> int:
    """Until Ctrl-C, a hang-up or a request to end. A line on standard error whenever a place's verdict changes."""
    from notevault.wiring.backup import ground_of
    from notevault.wiring.backup_worker import watch as run

    last: dict[str, str] = {}
    ground = ground_of(ctx.side)

    def told(place: PlaceFile, report: Report) -> None:
        if last.get(place.id) != report.verdict or report.copied:
            last[place.id] = report.verdict
            ctx.out.say(_line(ctx, place))

    def _line(ctx: Context, place: PlaceFile) -> str:
        from notevault.backup.status.status import status_of

        places = ground.places
        now = ctx.side.clock.wall_ms()
        status = status_of(
            place,
            places.state(place.id),
            places.proofs(place.id),
            places.frozen(),
            None,
            now,
            place.kind == "cloud",
            offset_minutes=ctx.side.clock.utc_offset_minutes(now),
        )
        return status.words

    if not ground.places.all():
        ctx.out.warn("There is no backup place yet; `notevault backup add FOLDER` makes one, and this goes on with it.")
    try:
        with ground.places.lock(None, 0.0):
            pass
    except Busy:
        ctx.out.say(
            "Another notevault backs up this vault already: one that is open, or the service. This one waits, and takes"
            " over when that one ends. Ctrl-C ends it."
        )
    else:
        ctx.out.say("Backing up by itself. Ctrl-C ends it.")
    return run(ctx.side, told)


def install_service(ctx: Context) -> int:
    """Write, enable and start it, or with --remove take it away. The vault's id keeps two vaults' services apart."""
    from notevault.adapters.services import system_services
    from notevault.cli.backup_ground import ground_of as known_ground
    from notevault.wiring.backup import check_is_vault, ground_of
    from notevault.wiring.locked import self_command

    services = system_services()
    ground = known_ground(ctx) if ctx.args.remove else ground_of(ctx.side)
    name = f"{SERVICE}-{ground.vault_id[:8]}"
    if ctx.args.remove:
        there = services.remove(name)
        words = "It is taken away." if there else "There was no such service."
    else:
        check_is_vault(ctx.side, ground)
        command = self_command("backup", "watch", "--no-input", "--vault", str(ctx.side.vault))
        _check_installed()
        words = services.install(name, command)
    ctx.out.row({"service": services.kind, "state": services.state(name)}, words)
    if not ctx.args.remove and not ground.places.all():
        ctx.out.warn("There is no backup place yet: `notevault backup add FOLDER`.")
    return 0


def _check_installed() -> None:
    """A service starts without our environment: what only PYTHONPATH or the present folder finds is not found then."""
    from notevault.adapters.services import ask_tool

    if getattr(sys, "frozen", False):
        return
    # -E: variables of Python's do not count; -P: nor does the folder in which this is typed
    found = ask_tool([sys.executable, "-E", "-P", "-m", "notevault", "--version"])
    if not found.good:
        raise Refused(
            "This notevault is not installed on the computer, so a service would not find it.",
            "Start it once with `python3 packaging/run.py`, and try from there.",
        )
