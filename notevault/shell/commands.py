"""What is typed at the prompt: found in a table and run. A mistyped command is answered, never guessed at.

A line that begins with no command but fits a client opens that client's page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from notevault.domain.matching import find_clients
from notevault.shell import (
    commands_audit,
    commands_backup,
    commands_clients,
    commands_notes,
    commands_vault,
    sheet_flow,
)
from notevault.shell.complete import NAMES, did_you_mean
from notevault.shell.desk import Desk
from notevault.shell.ui import Leave

Command = Callable[[Desk, str], Awaitable[None]]


async def _lock(desk: Desk, _rest: str) -> None:
    raise Leave("key")


async def _quit(desk: Desk, _rest: str) -> None:
    raise Leave("exit")


async def _hide(desk: Desk, _rest: str) -> None:
    desk.ui.names_hidden = not desk.ui.names_hidden
    desk.say("Names are hidden; F8 or `hide` shows them again." if desk.ui.names_hidden else "Names are shown.")


async def _sheet(desk: Desk, _rest: str) -> None:
    await sheet_flow.command(desk)


TABLE: dict[str, Command] = {
    "open": commands_notes.open_newest,
    "new": commands_notes.new,
    "edit": commands_notes.edit_newest,
    "find": commands_notes.find,
    "client": commands_clients.client,
    "clients": commands_clients.clients,
    "notes": commands_notes.notes,
    "history": commands_notes.history,
    "drafts": commands_notes.drafts,
    "sign": commands_notes.sign,
    "import": commands_vault.import_file,
    "audit": commands_audit.audit,
    "verify": commands_vault.check,
    "doctor": commands_vault.doctor,
    "backup": commands_backup.backup,
    "sheet": _sheet,
    "passphrase": commands_vault.passphrase,
    "settings": commands_vault.settings,
    "lock": _lock,
    "hide": _hide,
    "help": commands_vault.show_help,
    "quit": _quit,
    "exit": _quit,
}


async def run(desk: Desk, line: str) -> None:
    """One line. Raises Leave, and NotevaultError with its sentence."""
    word, _, rest = line.strip().partition(" ")
    command = TABLE.get(word.lower())
    if command is not None:
        await command(desk, rest.strip())
        return
    clients = await desk.clients()
    if find_clients(line, clients):
        await commands_clients.client(desk, line)
        return
    meant = did_you_mean(line)
    desk.retype = "" if desk.ui.is_plain else line
    desk.say(
        f"There is no command `{word[:20]}`. Did you mean {meant}?"
        if meant
        else f"There is no command and no client `{word[:20]}`. F1 or `help` shows what can be done."
    )
    assert meant is None or meant in NAMES
