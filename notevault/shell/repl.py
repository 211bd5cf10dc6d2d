"""The open vault: back to where one was, drafts that came back, then home and its commands until it is left."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

from notevault.app.writing import unsaved_drafts
from notevault.domain.notes import word_count
from notevault.errors import NotevaultError
from notevault.shell import commands, note_desk
from notevault.shell.desk import Desk
from notevault.shell.home import HomeScreen
from notevault.shell.home_data import home_data
from notevault.shell.paint import columns, count
from notevault.vault.drafts import Draft, View

FRESH_S = 1.0
STILL = 3
"""Looks without a key, after which a line that was begun is no longer being typed."""


async def work(desk: Desk) -> None:
    """Never returns by itself: raises Leave."""
    try:
        await _come_back(desk)
    except NotevaultError as fault:
        desk.say_fault(fault)
    while True:
        await _home(desk)


async def _home(desk: Desk) -> None:
    desk.view = View()
    desk.alarms.noticed(desk.session.notices)
    desk.session.notices.clear()
    desk.say(*desk.jobs.news())
    try:
        screen = HomeScreen(await desk.run(lambda: home_data(desk)), desk.message, line=desk.retype)
    except NotevaultError as fault:
        await _cannot_list(desk, fault)
        return
    desk.message, desk.retype = [], ""
    fresh = asyncio.create_task(keep_fresh(desk, screen))
    try:
        picked = await desk.ui.home(screen)
    finally:
        fresh.cancel()
    try:
        if isinstance(picked, int):
            entry = screen.data.entries()[picked]
            await note_desk.open_note(desk, entry.note)
        elif picked:
            await commands.run(desk, picked)
    except NotevaultError as fault:
        desk.say_fault(fault)


async def keep_fresh(desk: Desk, screen: HomeScreen, every_s: float = FRESH_S) -> None:
    """While she is at home: an alarm of the backups that comes or ends, and a job that has ended, are told at once; the
    latter not while she is typing, for the next key would take it away. The rows stay as they are: one may be marked.
    """
    alarm, typed, still = desk.backup.warnings(), screen.model.text, 0
    while not screen.done:
        await asyncio.sleep(every_s)
        still = still + 1 if screen.model.text == typed else 0
        typed = screen.model.text
        news = desk.jobs.news() if not typed or still >= STILL else []
        now = desk.backup.warnings()
        if not news and now == alarm:
            continue
        told = [each for each in now if each not in alarm]
        alarm = now
        with contextlib.suppress(NotevaultError):  # the list cannot be logged just now: the next one says why
            data = await desk.run(lambda: home_data(desk))
            screen.data = replace(screen.data, warnings=data.warnings, reminder=data.reminder)
        screen.message = [*screen.message, *news]
        desk.ui.home_changed([*told, *news])


async def _cannot_list(desk: Desk, fault: NotevaultError) -> None:
    """Even the list could not be logged (disk full, another window): try again, or lock."""
    again = await desk.ui.confirm(
        "notevault", [f"{fault.sentence} {fault.next_step}".strip()], "Try again? (No locks the vault.)", default=True
    )
    if not again:
        desk.ui.leave("key")


async def _come_back(desk: Desk) -> None:
    """After a lock: the note and its cursor. After a crash: the kept drafts, the newest text first."""
    view = await desk.run(desk.drafts.take_view)
    if await note_desk.return_to(desk, view):
        return
    drafts = await desk.run(lambda: unsaved_drafts(desk.notebook, desk.drafts))
    if not drafts:
        return
    clients = {client.id: client for client in await desk.clients()}

    def items(width: int, hidden: bool) -> list[list[list[tuple[str, str]]]]:
        return [[[("", _draft_row(desk, draft, clients, width, hidden))]] for draft in drafts]

    if len(drafts) == 1:
        if await desk.ui.confirm(
            "Text that was not saved yet",
            ["It was kept for you:", lambda hidden: _draft_row(desk, drafts[0], clients, 76, hidden)],
            "Continue?",
            default=True,
        ):
            await note_desk.take_up(desk, drafts[0])
        return
    picked = await desk.ui.choose(
        "Text that was not saved yet", ["It was kept for you, the newest first. Continue with one?"], items
    )
    if picked is not None:
        await note_desk.take_up(desk, drafts[picked])


def _draft_row(desk: Desk, draft: Draft, clients: dict, width: int, hidden: bool) -> str:  # type: ignore[type-arg]
    client = clients.get(draft.client)
    words = count(word_count(draft.text, draft.template), "word")
    who = "?" if client is None else desk.who(client, hidden)
    return columns([(f"kept {desk.moment(draft.kept)}", 24), (words, 12), (who, max(8, width - 38))]).rstrip()
