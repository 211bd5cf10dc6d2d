"""Before something that only its owner may do: a laptop left open for a moment must not be anybody's."""

from __future__ import annotations

from notevault.app import opening
from notevault.shell.desk import Desk
from notevault.shell.ui import Progress


async def asked(desk: Desk, title: str) -> bool:
    """The present passphrase, typed once more. False when it was not; a wrong one is said, and logged."""
    if desk.demo is not None:
        return True  # nobody was ever told the demo's passphrase, and there is nothing to protect
    typed = await desk.ui.ask(title, ["First the passphrase you have now."], "Passphrase", secret=True)
    if not typed:
        return False

    def job(_say: Progress) -> bool:
        with desk.gate:
            return opening.knows_passphrase(desk.session, typed)

    if await desk.ui.work(title, ["Checking\u2026"], job):
        return True
    desk.say("That is not your passphrase. Nothing was changed.")
    return False
