"""A backup place more, or one less: asked for in words, with what is plugged in offered first."""

from __future__ import annotations

import shlex
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from notevault.adapters.places import user_path
from notevault.errors import Busy, NotevaultError, StorageFault
from notevault.shell import backup_work
from notevault.shell.backup_bar import here
from notevault.shell.backup_job import watch
from notevault.shell.desk import Desk
from notevault.shell.ui import options, rows_of

if TYPE_CHECKING:
    from notevault.backup.model import PlaceFile
    from notevault.backup.places.adding import Added

TITLE = "Backup places"
TITLE_ONE = "A backup place"
WHY_ADD = (
    "A backup place is a folder on something else than this computer: a USB stick, a disk, a folder on the network, or"
    " the folder of a cloud service. All that is put there is sealed: whoever has it learns neither a name nor a word."
)
MOUNT_S, ADD_S = 2.0, 15.0
WORTH = ("removable", "network", "cloud")
"""Volumes that are offered; anything else is typed."""


async def add(desk: Desk, rest: str) -> None:
    typed = rest.strip().strip("'\"")
    folder = user_path(typed) if typed else await _folder(desk)
    if folder is None:
        return
    await take(desk, folder)


async def _folder(desk: Desk) -> Path | None:
    """One of what is plugged in, or as typed; None to go back."""
    mounts = await desk.ui.work(TITLE, ["Looking what is plugged in\u2026"], lambda _: _plugged_in())
    at = len(mounts)
    if mounts:
        picked = await desk.ui.choose(
            TITLE_ONE,
            [WHY_ADD],
            options(*(f"{name}\n{path}" for name, path in mounts), "Another folder", "Later"),
            numbered=True,
        )
        if picked is None or picked > at:
            return None
        if picked < at:
            return mounts[picked][1]
    typed = await desk.ui.ask(TITLE_ONE, [WHY_ADD], "Folder", check=_folder_fault)
    return user_path(typed.strip().strip("'\"")) if typed and typed.strip() else None


def _folder_fault(text: str) -> str | None:
    path = user_path(text.strip().strip("'\"") or ".")
    return "Type the folder's whole name, or press Esc." if not text.strip() or not path.name else None


def _plugged_in() -> list[tuple[str, Path]]:
    """At most 6 volumes, with their names for people. Those that do not answer, or with an error, are left out."""
    from notevault.backup.places.patience import in_time
    from notevault.wiring.backup import volumes

    found = []
    look = volumes()
    with suppress(NotevaultError, OSError):  # what cannot be told is typed
        for mount in look.mounts():
            volume = None
            with suppress(NotevaultError, OSError):
                volume = in_time(("offer", mount), partial(look.of, mount), MOUNT_S)
            if volume is not None and not volume.read_only and volume.kind in WORTH:
                found.append((volume.name or str(mount), mount))
    return found[:6]


def _added(desk: Desk, folder: Path) -> Added:
    """As `backup_work.add`, but a folder that does not answer is waited for a while only."""
    from notevault.backup.places.patience import in_time

    added = in_time(("add", folder), lambda: backup_work.add(desk, folder), ADD_S)
    if added is None:
        raise StorageFault(
            "That folder does not answer.",
            "Check the cable or the network, then name it again. Should it answer late, `backup list` shows it.",
        )
    return added


async def take(desk: Desk, folder: Path) -> bool:
    """Make it a backup place and begin the first backup; whether it is one now. What was wrong is said."""
    try:
        added = await desk.ui.work(TITLE, ["Looking at the folder\u2026"], lambda _: _added(desk, folder))
    except NotevaultError as fault:
        await desk.ui.page(TITLE_ONE, rows_of(here(fault.sentence), "", here(fault.next_step)))
        return False
    desk.backup.soon()
    known = "" if added.fresh else " It was one before: what lies there is used."
    desk.say(f"{added.place.name} is a backup place now.{known}", *added.remarks)
    title = "The first backup" if added.fresh else "Backing up"
    try:
        job = desk.jobs.begin(title, backup_work.run(desk, [added.place.id]))
    except Busy:  # something else is under way: the worker brings it there
        desk.channel.send("backup now")
        return True
    await watch(desk, job)
    return True


async def remove(desk: Desk, rest: str) -> None:
    place = await one(desk, rest, "Which one shall no longer be backed up to?")
    if place is None:
        return
    if not await desk.ui.confirm(
        TITLE,
        [f"{place.name}, {place.path}", "What lies there stays as it is; nothing new is brought there."],
        "No longer back up to it?",
        default=False,
    ):
        desk.say("Nothing was changed.")
        return
    await desk.ui.work(TITLE, ["One moment\u2026"], lambda _: backup_work.remove(desk, place))
    await desk.backup.refresh()
    desk.say(f"{place.name} is no backup place any more. What lies there stays.")


def unquoted(words: str) -> str:
    """A name as it is typed, also in the quotation marks that a command for a terminal has around it."""
    words = words.strip()
    if words[:1] not in ("'", '"'):
        return words
    try:
        parts = shlex.split(words)
    except ValueError:
        parts = []
    return parts[0] if len(parts) == 1 else words.strip("'\"")


async def one(desk: Desk, name: str, question: str) -> PlaceFile | None:
    known = desk.backup.places()
    if name:
        return known.get(unquoted(name))
    places = known.all()
    if not places:
        raise backup_work.no_place()
    labels = [f"{place.name}\n{place.path}" for place in places]
    picked = await desk.ui.choose(TITLE, [question], options(*labels), numbered=True)
    return None if picked is None else places[picked]


async def offer(desk: Desk) -> None:
    """At the end of the set-up: one place now, or later."""
    picked = await desk.ui.choose(
        TITLE_ONE,
        ["If this computer is lost, your notes are gone, unless there is a copy elsewhere.", WHY_ADD],
        options("Name a backup place now", "Later\n`backup` does it at any time"),
        numbered=True,
    )
    while picked == 0:
        folder = await _folder(desk)
        if folder is None or await take(desk, folder):
            return
