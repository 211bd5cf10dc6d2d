"""`backup` at the prompt: what is safe where, and everything that can be done about it.

backup                     how it stands, and what to do; the numbers do it
backup add [FOLDER]        name a place: a stick, a folder on the network, the folder of a cloud service
backup run [NAME]          now (it happens by itself too)
backup verify [full]       is it all still there     backup heal    put back what is damaged
backup drill               practise a restore        backup list, status, remove NAME, restore, watch
None of it keeps her from writing: what takes time goes on beside (`backup_job`).
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from notevault.domain.suggest import suggest
from notevault.errors import Refused, UsageFault
from notevault.shell import backup_work
from notevault.shell.backup_add import add, remove, unquoted
from notevault.shell.backup_bar import HALTED, here
from notevault.shell.backup_job import STUCK, rows_of_job, watch
from notevault.shell.complete import BACKUP
from notevault.shell.desk import Desk
from notevault.shell.paint import Row, command_rows, path_rows, wrapped
from notevault.shell.safe import cell_width, visible_line
from notevault.shell.screens import MEASURE
from notevault.shell.ui import options, rows_of

if TYPE_CHECKING:
    from notevault.backup.model import PlaceFile

TITLE = "Backup"
DEMO = "The demo is never backed up: nothing here is kept."
HOWS = {"": "sampled", "quick": "quick", "full": "full"}
Command = Callable[[Desk, str], Awaitable[None]]


async def backup(desk: Desk, rest: str) -> None:
    if desk.demo is not None:
        desk.say(DEMO)
        return
    word, _, more = rest.partition(" ")
    command = TABLE.get(word.lower()) if word else _menu
    if command is None:
        meant = suggest(word, BACKUP)
        raise UsageFault(
            f"`backup {word[:20]}` is nothing that can be done.",
            f"Did you mean `backup {meant}`?" if meant else f"There is: {', '.join(BACKUP)}.",
        )
    await command(desk, more.strip())


async def _menu(desk: Desk, _rest: str) -> None:
    if (job := desk.jobs.running) is not None and not job.stuck:
        await watch(desk, job)
        return
    if (ended := desk.jobs.untold) is not None:
        await watch(desk, ended)  # what home told in one line, and then the rest of it
    seen = await _look(desk)
    if not seen.places:
        await add(desk, "")
        return
    text = [f"{job.title}: {STUCK}"] if job is not None else []
    text += [here(seen.overall.words), *(one.words for one in seen.places)]
    if desk.backup.halted:
        text.insert(0, HALTED)
    if seen.overall.next_step:
        text.append(here(seen.overall.next_step))
    acts: list[tuple[str, Command]] = [
        ("Back up now", run),
        ("How each place stands, and what to do", status),
        ("Add another place", add),
        ("Check that everything is still there", verify),
        ("Practise a restore\nreads and opens everything in memory", drill),
        ("Repair what is damaged or missing", heal),
        ("Back", _back),
    ]
    red = any(one.state.hurt or one.verdict in ("hurt", "frozen", "source") for one in seen.places)
    picked = await desk.ui.choose(
        TITLE, text, options(*[label for label, _ in acts]), selected=1 if red else 0, numbered=True
    )
    if picked is not None:
        await acts[picked][1](desk, "")


async def _back(_desk: Desk, _rest: str) -> None:
    """Home."""


async def _look(desk: Desk):  # type: ignore[no-untyped-def]
    """How it stands now, read in a thread: without the vault's gate, which the look itself takes for moments."""
    return await desk.ui.work(TITLE, ["One moment\u2026"], lambda _say: desk.backup.now())


async def status(desk: Desk, _rest: str) -> None:
    seen = await _look(desk)
    offset = len(seen.places)
    if not offset:
        raise backup_work.no_place()

    def rows(width: int, _hidden: bool) -> list[Row]:
        """Painted anew every second, from what was read last."""
        now, room = desk.backup.seen or seen, min(width, 100)
        said = wrapped(here(now.overall.words), room, "class:heading")
        for one in now.places:
            said += [[("", "")], *wrapped(one.words, room, "class:message" if one.colour == "red" else "")]
            for line in filter(
                None, (here(one.detail), here(one.next_step), one.others, *one.besides, _where(one.place))
            ):
                said += wrapped(line, room, indent="   ")
        if (job := desk.jobs.running) is not None:
            said += [[("", "")], [("class:heading", job.title)], *rows_of_job(job, min(room, MEASURE))[:1]]
        return said

    await desk.ui.page(TITLE, rows)


def _where(place: PlaceFile) -> str:
    return f"It is in {place.path}"


async def list_(desk: Desk, _rest: str) -> None:
    places = await desk.run(lambda: desk.backup.places().all())
    if not places:
        raise backup_work.no_place()
    lines = [part for place in places for part in (f"{place.name} ({place.kind})", f"   {place.path}", "")]
    await desk.ui.page("Backup places", rows_of(*lines[:-1]))


# -- long work


def _names(desk: Desk, rest: str) -> Sequence[str]:
    name = unquoted(rest)
    backup_work.chosen(desk, [name] if name else [])  # says at once what is not there
    return [name] if name else []


async def run(desk: Desk, rest: str) -> None:
    await watch(desk, desk.jobs.begin("Backing up", backup_work.run(desk, _names(desk, rest))))


async def verify(desk: Desk, rest: str) -> None:
    first, _, more = rest.partition(" ")
    how = HOWS.get(first.lower().lstrip("-")) if first else "sampled"
    names = _names(desk, rest if how is None else more)
    if not rest:
        picked = await desk.ui.choose(
            "Check the backups",
            [],
            options(
                "The part that was not read for longest\nevery part has its turn by itself",
                "Names and sizes alone\na moment",
                "Every byte\ntakes as long as reading all of it",
            ),
            numbered=True,
        )
        if picked is None:
            return
        how = ("sampled", "quick", "full")[picked]
    await watch(desk, desk.jobs.begin("Checking the backups", backup_work.verify(desk, names, how or "sampled")))


async def drill(desk: Desk, rest: str) -> None:
    await watch(desk, desk.jobs.begin("Practice restore", backup_work.drill(desk, _names(desk, rest))))


async def heal(desk: Desk, rest: str) -> None:
    if desk.session.is_copy:
        raise Refused("This folder is a copy of the vault: repair the vault itself.", "Open notevault on that one.")
    if rest.startswith("--"):
        raise Refused("That is done in a terminal.", f"There: `notevault backup heal {rest.split()[0]}`")
    _names(desk, "")
    if await desk.ui.confirm(
        "Repair",
        [
            "What is missing or changed, in the vault and in the places that can be reached, is put back from any good"
            " copy. Bad files are set aside, nothing is deleted.",
        ],
        "Repair now?",
        default=True,
    ):
        await watch(desk, desk.jobs.begin("Repairing", backup_work.heal(desk)))


# -- what is done elsewhere


async def restore(desk: Desk, _rest: str) -> None:
    """A vault is brought back into a new folder, and this one is open: so the command, to be typed elsewhere."""
    places = await desk.run(lambda: desk.backup.places().all())
    from notevault.backup.words.plain import quoted

    source = quoted(places[0].path) if places else "FOLDER"
    before = rows_of(
        "A backup is brought back into a new folder; the vault that is open stays as it is. Leave notevault"
        " (`quit`), then type in a terminal",
        "",
    )
    after = rows_of(
        "",
        "It asks for your recovery sheet where it is needed. `--list` shows what could be brought back, `--at DATE`"
        " takes an earlier day.",
        "",
        "To see whether it would work, `backup drill` practises it here and writes nothing.",
    )
    path = places[0].path if places else ""

    def command(width: int) -> list[Row]:
        shown = [f"--from {source}", "--to NEWFOLDER"]
        rows: list[Row] = []
        if cell_width(shown[0]) + 8 > width and path == visible_line(path) and sys.platform != "win32":
            rows, shown[0] = path_rows(path, width), '--from "$P"'
        return [*rows, *command_rows(["notevault backup restore", *shown], width)]

    await desk.ui.page(
        "Bring the vault back",
        lambda width, hidden: [*before(width, hidden), *command(width), *after(width, hidden)],
    )


async def watch_(desk: Desk, _rest: str) -> None:
    await desk.ui.page(
        TITLE,
        rows_of(
            "While notevault is open, also while it is locked, it backs up by itself: a few seconds after you save,"
            " and when a stick is plugged in. There is nothing to begin.",
            "",
            "For the time when it is closed, type in a terminal",
            "",
            "   notevault backup install-service",
        ),
    )


TABLE: dict[str, Command] = {
    "add": add,
    "remove": remove,
    "list": list_,
    "run": run,
    "status": status,
    "verify": verify,
    "restore": restore,
    "drill": drill,
    "heal": heal,
    "watch": watch_,
}
