"""The first run: a vault of one's own in a few questions, or one brought back with its recovery sheet.

    welcome -> passphrase, twice -> made -> where this laptop's key is kept -> recovery sheet -> name, idle lock
    -> backup place -> home
Esc goes a step back. Before the vault is made nothing is on the disk; after it everything may be put off.
"""

from __future__ import annotations

from dataclasses import replace

from notevault.app import opening
from notevault.domain.settings import IDLE_MINUTES
from notevault.errors import NotevaultError
from notevault.shell import backup_add, sheet_flow
from notevault.shell.desk import Desk
from notevault.shell.elsewhere import elsewhere
from notevault.shell.ui import Leave, options, rows_of

TITLE = "Welcome to notevault"
_WELCOME = (
    "Here your session notes are written, found and kept: sealed on this laptop, readable by nobody but you.",
    "Setting up takes about three minutes. You will choose a passphrase and print a recovery sheet.",
)


async def first_run(desk: Desk) -> None:
    """Until a vault is open. Raises Leave('exit') when the user goes."""
    desk.closed_words = "no vault yet"
    while not desk.open:
        picked = await desk.ui.choose(
            TITLE,
            _WELCOME,
            options("Set up a new vault", "I have a vault already", "Leave"),
            numbered=True,
        )
        if picked == 0:
            await _new_vault(desk)
        elif picked == 1:
            await elsewhere(desk)
        elif picked == 2 or await desk.ui.confirm(TITLE, [], "Leave without setting up?", default=True):
            raise Leave("exit")


async def _new_vault(desk: Desk) -> None:
    if desk.channel.ask("hold setup") == "busy":
        await desk.ui.page(TITLE, rows_of("Another notevault window is just setting up a vault.", "", "Go on there."))
        return
    passphrase = await new_passphrase(desk, "Your passphrase")
    if passphrase is None:
        return
    try:
        session, kit = await desk.ui.work(
            "Making your vault",
            ["Measuring how much work this computer can put between your notes and a thief\u2026", "A few seconds."],
            lambda _: opening.set_up(desk.env, desk.side.vault, passphrase),
        )
    except NotevaultError as fault:
        await desk.ui.page(TITLE, rows_of(fault.sentence, "", fault.next_step))
        return
    desk.take(session)
    desk.channel.send("after set-up")
    desk.channel.ask(f"hold {session.vault_id.hex()}")
    await desk.ui.page("Your vault is ready", rows_of(f"It lies in {desk.side.vault}", "", *_notices(desk)))
    await sheet_flow.give(desk, kit)
    await ask_author(desk)


def _notices(desk: Desk) -> list[str]:
    found = [part for notice in desk.session.notices for part in (notice, "")]
    desk.session.notices.clear()
    return [*found, "Next comes your recovery sheet. Press Enter."]


async def ask_author(desk: Desk) -> None:
    """Name for signing, minutes for the lock; both can be changed by `settings`."""
    author = await desk.ui.ask(
        "Almost done",
        ["Your name as it shall stand under signed notes. Enter alone leaves it out for now."],
        "Your name",
        check=lambda text: _settings_fault(desk, author=text.strip()),
    )
    minutes = await ask_idle(desk, "Almost done")
    changed = replace(
        desk.settings,
        author=(author or "").strip(),
        idle=desk.settings.idle if minutes is None else minutes,
    )
    if changed != desk.settings:
        await desk.run(lambda: desk.notebook.save_settings(changed))
        await desk.run(desk.refresh)
        desk.ui.idle.start(desk.settings.idle)
    await backup_add.offer(desk)
    desk.say("Your vault is ready.")  # what comes next stands on the home screen itself


def _settings_fault(desk: Desk, **fields: str | int) -> str | None:
    replace(desk.settings, **fields)  # type: ignore[arg-type]  # raises with its sentence
    return None


async def ask_idle(desk: Desk, title: str) -> int | None:
    low, high = IDLE_MINUTES

    def fault(text: str) -> str | None:
        if not text.strip().isdecimal():
            return f"A number of minutes, {low} to {high}."
        return _settings_fault(desk, idle=int(text.strip()[:4]))

    typed = await desk.ui.ask(
        title,
        [f"After how many minutes without a key shall the vault lock itself? ({low} to {high})"],
        "Minutes",
        initial=str(desk.settings.idle),
        check=fault,
    )
    return None if typed is None else int(typed)


async def new_passphrase(desk: Desk, title: str) -> str | None:
    """Typed twice, judged while it is typed; None to go back."""

    def check(text: str) -> str | None:
        opening.check_new_passphrase(text)
        return None

    def live(text: str) -> str:
        return opening.strength(text).sentence if text.strip() else ""

    while True:
        first = await desk.ui.ask(
            title,
            [
                "Take four or more words that do not belong together. Length counts, special characters do not matter.",
                "It is asked every time you unlock. Nobody can reset it: that is what the recovery sheet is for.",
            ],
            "Passphrase",
            secret=True,
            check=check,
            live=live,
        )
        if first is None:
            return None
        again = await desk.ui.ask(
            title,
            ["The same once more, so that a slip does not lock you out."],
            "Once more",
            secret=True,
            check=lambda text, first=first: None if text == first else "These two are not the same.",  # type: ignore[misc]
        )
        if again is not None:
            return first
