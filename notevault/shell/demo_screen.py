"""The demo's door: a throw-away vault made and filled at once; nobody is asked for its passphrase."""

from __future__ import annotations

from notevault.app import demo, opening
from notevault.shell.desk import Desk
from notevault.shell.ui import rows_of
from notevault.shell.unlock_screen import WHY

TITLE = "notevault demo"


async def open_demo(desk: Desk, after: str) -> None:
    """The passphrase comes from the parent, which drew it; it opens nothing that outlives the demo."""
    passphrase = desk.channel.ask("pass").partition(" ")[2]
    if opening.has_vault(desk.env, desk.side.vault):
        why = WHY.get(after, "")
        await desk.ui.page(
            TITLE,
            rows_of(
                why or "Locked.", "", "Your own vault would ask for the passphrase now. Enter opens the demo again."
            ),
        )
        session = await desk.ui.work(
            TITLE,
            ["Opening\u2026"],
            lambda _: opening.open_vault(desk.env, desk.side.vault, passphrase, shell=True),  # noqa: S604 - no subprocess
        )
    else:
        session = await desk.ui.work(
            TITLE,
            ["Making a throw-away vault with made-up clients\u2026"],
            lambda _: demo.make(desk.env, desk.side.vault, passphrase),
        )
        desk.say("Look around: nobody in here is real, and nothing you do is kept. F1 shows the commands.")
    desk.take(session)
    session.notices.clear()
