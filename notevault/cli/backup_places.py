"""backup add, list, remove, status: the places themselves, and how safe things are. No passphrase, and no key."""

from __future__ import annotations

import contextlib

from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.places import user_path
from notevault.backup.places.adding import add as add_place
from notevault.backup.places.ground import Ground
from notevault.backup.status.overview import Overview
from notevault.backup.status.status import GREEN, PROOF, RED, STOPPED
from notevault.backup.words.plain import quoted
from notevault.backup.worker.results import PLACE, Results
from notevault.cli.backup_ground import ground_of
from notevault.cli.common import Context
from notevault.errors import NotevaultError, UsageFault
from notevault.wiring import backup as wired


def add(ctx: Context) -> int:
    if not ctx.args.folder.strip():
        raise UsageFault("The folder has no name.", "Name one that is there: `notevault backup add /media/you/STICK`.")
    ground = ground_of(ctx)
    wired.check_is_vault(ctx.side, ground)
    vault = ground.vault_id
    known = {place.id for place in ground.places.all()}
    added = add_place(
        ground.files,
        ground.places,
        ctx.side.vault,
        ctx.side.local_root,
        vault,
        user_path(ctx.args.folder),
        ctx.args.name,
        wired.volumes(),
        lambda path: wired.open_place(path, ground.device),
        SystemEntropy(),
        ctx.side.clock.wall_ms(),
    )
    place = added.place
    ctx.out.saved(place.id, "backup-place", name=place.name, path=place.path, kind=place.kind, fresh=added.fresh)
    for remark in added.remarks:
        ctx.out.warn(remark)
    if place.id not in known:
        _log(ctx, ground, "added")
        if ground.places.frozen() is not None:
            ctx.out.warn(
                "Backups have stopped, so nothing is brought there yet: `notevault backup status` says why, and"
                " `notevault backup heal` lets them go on."
            )
            return 0
        ctx.out.say(
            f"`notevault backup run {quoted(place.name)}` backs up to it now; while notevault is open, it goes by"
            " itself."
        )
    return 0


def remove(ctx: Context) -> int:
    ground = ground_of(ctx)
    place = ground.places.get(ctx.args.name)
    with ground.places.lock(place.id, 5.0):  # not under a backup that is just running
        ground.places.forget(place.id)
    ctx.out.saved(place.id, "backup-place-removed", name=place.name, path=place.path)
    _log(ctx, ground, "removed")
    ctx.out.say(f"Nothing is backed up to {place.name} any more. What lies in {place.path} stays there as it is.")
    if not ground.places.all():
        ctx.out.warn("There is no backup place left: if this computer is lost, so is whatever you save from now on.")
    return 0


def _log(ctx: Context, ground: Ground, to: str) -> None:
    """It is done, whether or not the log can be told now."""
    with contextlib.suppress(NotevaultError):
        n = len(ground.places.all())
        Results.of(ground).put(PLACE, "ok", n, ctx.side.clock.wall_ms(), to)
    wired.record_results(ctx.side, ground.vault_id)


def list_(ctx: Context) -> int:
    places = ground_of(ctx).places
    for place in places.all():
        facts = {"added_ms": place.added_ms, "id": place.id, "kind": place.kind, "name": place.name, "path": place.path}
        ctx.out.row(facts, f"{place.name}  {place.path}")
    _unreadable(ctx, places.unreadable())
    if not places.all():
        ctx.out.say("There is no backup place yet: `notevault backup add DIR` names one.")
    return 0


def _unreadable(ctx: Context, ids: list[str]) -> None:
    if ids:
        places = "one backup place" if len(ids) == 1 else f"{len(ids)} backup places"
        ctx.out.warn(
            f"What this laptop knew of {places} cannot be read. Name the folder once more: `notevault backup add DIR`."
        )


# -- status


def status(ctx: Context) -> int:
    """The whole first, then each place; with --json the whole is the last object."""
    ground = ground_of(ctx)
    seen = look(ctx, ground)
    found, whole, frozen = seen.places, seen.whole(), seen.frozen is not None
    # One place says it all by itself, and what is wrong with the vault need not be said at each.
    alone = len(found) == 1 and whole.words.endswith(found[0].detail) and not seen.lost
    shared = not alone and any(one.verdict in STOPPED for one in found)
    if not ctx.args.json and not alone:
        step = whole.next_step if not found or shared or seen.lost else ""  # else it stands at its place
        ctx.out.text(f"{whole.words}\n        -> {step}" if step else whole.words)
    for one in found:
        lines = [f"  {one.words}"]
        if not (shared and one.verdict in STOPPED):
            lines += [f"        {one.detail}"] if one.colour != GREEN or one.handed else []
            lines += [f"        -> {one.next_step}"] if one.next_step else []
        lines += [f"        {one.others}"] if one.others else []
        words, step = one.besides
        lines += [f"        {words}", f"        -> {step}"] if words else []
        ctx.out.row(one.facts(), "\n".join(lines))
    if ctx.args.json:
        facts = {"colour": whole.colour, "frozen": frozen, "step": whole.next_step, "words": whole.words}
        ctx.out.row(facts, "")
    _unreadable(ctx, ground.places.unreadable())
    if any(one.verdict in PROOF for one in found):
        return 1
    return 2 if whole.colour == RED else 0


def look(ctx: Context, ground: Ground) -> Overview:
    """As it stands now; that the vault itself does not read is said."""
    found = wired.overview_of(ctx.side, ground)
    if found.fault:
        ctx.out.warn(f"The vault itself cannot be read as it must be. {found.fault}")
    return found
