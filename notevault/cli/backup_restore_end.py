"""The end of a restore: the places, the first backup from here, and what came back, in words that can be counted on.

`recover` ends the same way where the vault was brought back without the sheet.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from notevault.app import restored
from notevault.app.restored import Back, Registered
from notevault.backup import model
from notevault.backup.places import layout as names
from notevault.backup.restore import restore as copying
from notevault.backup.restore.rest import Rest
from notevault.backup.words.status import SAYS, counted
from notevault.backup.worker.results import Results
from notevault.cli.backup_words import step_of
from notevault.cli.common import Context
from notevault.cli.show import when
from notevault.errors import Damaged, NotevaultError
from notevault.ports import Listed
from notevault.vault.recorder import Act
from notevault.vault.session import Session
from notevault.wiring import backup as wired

MOST_NAMED = 12  # people named in the last words; a longer list is for `verify`


def blobs_of(vault: Path) -> Iterator[Listed]:
    tree = wired.open_tree(vault)
    for first in range(256):
        try:
            yield from tree.listing(names.blob_folder(first)).values()
        except Damaged:
            continue


def register(ctx: Context, vault: Path, session: Session, folders: Sequence[Path]) -> Registered:
    """The places that the vault came from become this laptop's own; what kept others from it is said."""
    done = restored.register(ctx.env, session.vault_id.hex(), vault, folders, wired.volumes(), wired.open_place)
    for remark in done.remarks:
        ctx.out.warn(remark)
    return done


def tell_back(ctx: Context, session: Session, back: Back, state_ms: int, entries: int) -> None:
    """Notes, not files: what she needs to know, and whether anything is lost."""
    say = ctx.out.say
    if back.notes:
        are = "Your note is back" if back.notes == 1 else f"Your {back.notes:,} notes are back"
        newest = "" if back.notes == 1 else ", the newest"
        say(f"{are}{newest} of {when(ctx.env, back.newest_ms)}.")
    else:
        say(f"The vault is back. No note in it {'could be opened' if back.missing else 'was ever written'}.")
    if back.missing:
        say(f"{counted(back.missing, 'note is', 'notes are')} missing.{_whose(session, back)}")
    if back.older:
        say(f"Of {counted(back.older, 'note')} only an earlier version is there.")
    if back.nameless:
        say(f"The details of {counted(back.nameless, 'client')} are missing: they have a number and no name.")
    if back.missing or back.older or back.nameless:
        say("Another backup may have what is missing: `notevault backup heal --from DIR`.")
    if entries:
        say(
            f"{counted(entries, 'entry', 'entries')} of the backup's log could not be read, so what they tell of is"
            " not here. When the rest has arrived: `notevault backup heal --bring-in`."
        )
    elif state_ms:
        say(f"What was saved after {when(ctx.env, state_ms)}, and had not reached this backup, is not in it.")


def _whose(session: Session, back: Back) -> str:
    """Names, only where somebody who has just opened the vault sits at a terminal; and that is logged."""
    if not back.whose or not sys.stderr.isatty():
        return ""
    session.log_acts([Act("session.list", "R")])
    named = [f"{name} ({count})" for name, count in back.whose[:MOST_NAMED]]
    more = len(back.whose) - len(named)
    return f" Of: {', '.join(named)}{f', and {more:,} more clients' if more else ''}."


def tell_places(ctx: Context, vault: Path, vault_id: str, places: Registered, *, missing: int) -> None:
    """The first backup from here, so that what is said of the places is so. Call when the session is closed."""
    if not places.added and not places.closed:
        ctx.out.say("There is no backup place on this laptop yet: `notevault backup add DIR`.")
        return
    side = replace(ctx.side, vault=vault)
    good: list[str] = []
    try:
        ground = wired.ground_of(side, vault_id)
        if missing:
            restored.give_up_missing(ground)
        waited = Results.of(ground).count()
        for place, report in wired.run_once(side, [*places.added, *places.closed]):
            if report.verdict == model.SAFE and place.name in places.added:
                good.append(place.name)
            else:
                why = report.detail or SAYS[report.verdict].sentence
                if report.verdict == model.READ_ONLY:
                    why = "It can only be read as it is now."
                ctx.out.warn(f"Backups do not go on to {place.name} yet. {why} {step_of(report.verdict, place.name)}")
        if Results.of(ground).count() > waited:
            wired.record_results(side, vault_id)
    except NotevaultError as fault:
        ctx.out.warn(f"The first backup from this laptop was not made. {fault.sentence} {fault.next_step}")
    if good:
        ctx.out.say(f"Backups go on to: {', '.join(good)}.")


def complete(ctx: Context, session: Session, vault: Path, rest: Rest) -> Registered:
    """After `recover`: what a restore without the sheet had left to do. Raises nothing of ours."""
    try:
        restored.enter(session, rest)
        places = register(ctx, vault, session, [Path(each) for each in rest.folders])
    except NotevaultError as fault:
        ctx.out.warn(fault.sentence)
        return Registered()
    copying.finish(ctx.env.files, vault)
    return places
