"""The recovery sheet on its way to paper, and the proof that it arrived: three of its groups typed back.

It may be put off: writing works, and the toolbar says so until it is done.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from notevault.adapters.places import user_path
from notevault.adapters.sheet_print import SheetModel, sheet_pdf, sheet_text
from notevault.app import oneshot
from notevault.domain import dates
from notevault.errors import CannotWrite, NotevaultError, UsageFault
from notevault.formats import sheet
from notevault.formats.sheet import SheetCode
from notevault.shell import owner
from notevault.shell.desk import Desk
from notevault.shell.screens import Rows
from notevault.shell.ui import options, rows_of
from notevault.vault import rekey
from notevault.vault.found import Kit

TITLE = "Recovery sheet"
ASKED = 3
_NAME = "notevault-recovery-sheet"
_PLACES = ("left", "middle", "right")
_WHY = (
    "If this laptop is lost or breaks, or the passphrase is forgotten, only your recovery sheet opens the notes."
    " The passphrase alone cannot bring them back. Print it, and keep the paper away from the laptop."
)
_OLDER = (
    "The sheet you have is then no longer taken. Destroy it all the same: with an older copy of the vault or of a"
    " backup it still opens all notes, later ones too.",
    "If it was stolen, a new sheet is not enough: make a new vault and import your notes into it.",
)


def model_of(desk: Desk, kit: Kit) -> SheetModel:
    now = desk.now()
    made = dates.local(now, desk.env.clock.utc_offset_minutes(now))
    return SheetModel(
        tuple(sheet.encode(kit.seed, kit.fingerprint)),
        kit.vault_id.hex(),
        f"{made.day} {made:%B %Y}",
        kit.fingerprint.hex(),
        f"notevault/{desk.session.origin}",
    )


async def give(desk: Desk, kit: Kit) -> bool:
    """Offer the sheet in three forms, then ask some groups back; whether that was done."""
    model = model_of(desk, kit)
    files: list[Path] = []
    while True:
        picked = await desk.ui.choose(
            TITLE,
            [_WHY],
            options(
                "A page to print (PDF)\nwith a code that a phone can scan; recommended",
                "A text file to print",
                "Show it here, I copy it by hand",
                "I have it on paper: check it now",
                "Later\nuntil then the bottom line says NOT RECOVERABLE",
            ),
            selected=3 if files else 0,
            numbered=True,
        )
        if picked in (0, 1):
            written = await _to_file(desk, model, ".pdf" if picked == 0 else ".txt")
            if written is None:
                continue
            files.append(written)
        elif picked == 2:
            await desk.ui.page(TITLE, _on_screen(model))
        elif picked != 3:
            await _clean_up(desk, files, printed=False)
            desk.say("The recovery sheet is not done yet: `sheet` goes on with it.")
            return False
        if await ask_back(desk, model):
            await desk.run(lambda: rekey.confirm_sheet(desk.session))
            await desk.run(desk.refresh)
            await _clean_up(desk, files, printed=True)
            desk.say("Your recovery sheet is right. Keep the paper away from this laptop.")
            return True


async def _to_file(desk: Desk, model: SheetModel, suffix: str) -> Path | None:
    """A new file where the user says; never over another one, never in the vault folder."""
    name = await desk.ui.ask(
        TITLE,
        ["Where shall the page be written? Print it from there, then delete the file: who has it can open the notes."],
        "File",
        initial=_free_name(suffix),
        check=lambda text: _place_fault(desk, _path(text, suffix)),
    )
    if name is None:
        return None
    path = _path(name, suffix)
    data = sheet_pdf(model) if path.suffix.lower() == ".pdf" else sheet_text(model).encode("ascii")
    try:
        await desk.run(lambda: desk.env.files.create(path, data))
    except NotevaultError as fault:
        await desk.ui.page(TITLE, rows_of(f"The sheet could not be written. {fault.sentence}", "", fault.next_step))
        return None
    await desk.ui.page(
        TITLE,
        rows_of(
            "Your recovery sheet is in",
            "",
            f"   {path}",
            "",
            "1. Open it and print it, now if you can.",
            "2. Come back here and press Enter: three groups are asked back.",
        ),
    )
    return path


def _free_name(suffix: str) -> str:
    """A name in the user's own folder that is not taken."""
    for number in range(1, 100):
        with contextlib.suppress(NotevaultError, OSError):  # without a home folder she names a place herself
            path = user_path(f"~/{_NAME}{'' if number == 1 else f'-{number}'}{suffix}")
            if not path.exists():
                return str(path)
    return ""


def _path(text: str, suffix: str) -> Path:
    """UsageFault for what cannot name a file."""
    path = user_path(text.strip() or ".")
    if not path.name:
        raise UsageFault("That is no name of a file.", "Type a folder and a name.")
    return path if path.suffix.lower() in (".pdf", ".txt") else user_path(f"{path}{suffix}")


def _place_fault(desk: Desk, path: Path) -> str | None:
    try:
        taken, folder = path.exists(), path.parent.is_dir()
    except OSError:
        raise CannotWrite("That place cannot be looked at.", "Choose another place.") from None
    if taken:
        raise UsageFault("There is a file of that name; it is not overwritten.", "Choose another name.")
    if not folder:
        raise CannotWrite("There is no such folder.", "Choose another place.")
    if path.resolve().is_relative_to(desk.side.vault.resolve()):
        raise UsageFault("Not in the vault's own folder: every backup would carry it along.", "Choose another place.")
    return None


def _on_screen(model: SheetModel) -> Rows:
    """At most 20 rows of 76 columns: all of it is seen at once in the smallest usual window, 80 by 24."""
    lines = [f"   {number}    {'   '.join(line)}" for number, line in enumerate(model.lines(), 1)]
    return rows_of(
        "Copy these seven lines by hand, with their numbers. Take your time.",
        "I, L, O and U are never used: 1 is one, 0 is zero.",
        "",
        *[each for line in lines for each in (line, "")],
        f"Vault {model.vault_id[:8]}, made on {model.made}.",
        "Then press Enter: three groups are asked back. Nothing of this stays here.",
    )


async def ask_back(desk: Desk, model: SheetModel) -> bool:
    """Three groups drawn at random, typed back from the paper; False when the user goes back."""
    drawn = desk.env.entropy.draw(64)
    order = sorted(range(sheet.GROUPS), key=lambda index: drawn[2 * index : 2 * index + 2])
    for number, index in enumerate(sorted(order[:ASKED]), 1):
        typed = await desk.ui.ask(
            f"{TITLE}: check {number} of {ASKED}",
            [
                f"From your paper, please type the {_PLACES[index % sheet.GROUPS_PER_LINE]} group of line"
                f" {index // sheet.GROUPS_PER_LINE + 1} (group {index + 1})."
            ],
            f"Group {index + 1}",
            secret=True,
            revealable=True,
            check=lambda text, index=index: _group_fault(text, index, model),  # type: ignore[misc]
        )
        if typed is None:
            return False
    return True


def _group_fault(text: str, index: int, model: SheetModel) -> str | None:
    if sheet.same_group(text, model.groups[index]):
        return None
    if sheet.check_group(index, text):
        return "That is a group of another sheet. Is this the newest paper?"
    return f"Not as on the sheet. It has {sheet.GROUP_SYMBOLS} characters; look at line {index // 3 + 1} again."


async def _clean_up(desk: Desk, files: list[Path], *, printed: bool) -> None:
    """What lies about as a file: named, and deleted on a yes. Before it is `printed` it may be all there is."""
    left = [path for path in files if path.exists()]
    if not left:
        return
    names = ", ".join(str(path) for path in left)
    advice = "The paper is what you need." if printed else "Keep it only until it is printed."
    if await desk.ui.confirm(
        TITLE,
        [f"The file is still there: {names}", f"Who finds it can open your notes. {advice}"],
        "Delete the file now?",
        default=printed,
    ):
        for path in left:
            try:
                await desk.run(lambda path=path: desk.env.files.remove(path))  # type: ignore[misc]
            except NotevaultError as fault:
                desk.say_fault(fault)


def left_behind() -> list[Path]:
    """Sheets under the name that is offered, which a lock or a crash left; perhaps another vault's. Never raises."""
    with contextlib.suppress(RuntimeError, OSError):
        return sorted(path for path in Path.home().glob(f"{_NAME}*") if path.suffix in (".pdf", ".txt"))
    return []


async def typed_code(desk: Desk, title: str) -> SheetCode | None:
    """A whole sheet typed in, line by line, each checked at once; None to go back."""
    lines: list[str] = []
    while len(lines) < sheet.LINES:
        number = len(lines) + 1
        line = await desk.ui.ask(
            title,
            [
                f"Type line {number} of {sheet.LINES} from the paper: three groups of five characters.",
                "Capitals or not, spaces or hyphens as you like.",
            ],
            f"Line {number}",
            secret=True,
            revealable=True,
            check=lambda text, number=number: _line_fault(text, number),  # type: ignore[misc]
        )
        if line is None:
            if not lines:
                return None
            lines.pop()
            continue
        lines.append(line)
    try:
        return sheet.decode("\n".join(lines))
    except NotevaultError as fault:
        await desk.ui.page(title, rows_of(f"{fault.sentence} {fault.next_step}"))
        return None


def _line_fault(text: str, number: int) -> str | None:
    plain = "".join(char for char in text if not char.isspace() and char != "-")
    wanted = sheet.GROUP_SYMBOLS * sheet.GROUPS_PER_LINE
    if len(plain) != wanted:
        return f"A line has {wanted} characters; these are {len(plain)}."
    for place in range(sheet.GROUPS_PER_LINE):
        index = (number - 1) * sheet.GROUPS_PER_LINE + place
        if not sheet.check_group(index, plain[place * 5 : place * 5 + 5]):
            return f"{sheet.group_name(index)} is not as printed. Compare it with the paper."
    return None


async def confirm_by_typing(desk: Desk) -> None:
    """For a sheet that was printed earlier: the whole code proves that it is there and the right one."""
    code = await typed_code(desk, f"{TITLE}: check the paper")
    if code is None:
        return
    await desk.ui.work(
        TITLE,
        ["Looking whether this sheet opens the vault\u2026"],
        lambda _: oneshot.try_sheet(desk.env, desk.side.vault, code),
    )
    await desk.run(lambda: rekey.confirm_sheet(desk.session))
    await desk.run(desk.refresh)
    desk.say("Your recovery sheet is right. Keep the paper away from this laptop.")


async def command(desk: Desk) -> None:
    """`sheet`: where it stands, and what can be done."""
    done = desk.sheet_ok
    state = "You have typed it back: it opens this vault." if done else "It was not typed back yet. " + _WHY
    picked = await desk.ui.choose(
        TITLE,
        [state],
        options(
            "Make a new sheet\nfor one that is lost; the old one must then be destroyed",
            "I have the paper: check it by typing it in" + ("" if not done else " again"),
            "Back",
        ),
        selected=2 if done else 0,
        numbered=True,
    )
    if picked == 0:
        desk.session.check_writable()
        sure = not done or await desk.ui.confirm(TITLE, _OLDER, "Make a new one?", default=False)
        if sure and await owner.asked(desk, TITLE):
            kit = await desk.ui.work(
                TITLE, ["Making a new recovery sheet\u2026"], lambda _: rekey.new_sheet(desk.session)
            )
            await desk.run(desk.refresh)
            await give(desk, kit)
    elif picked == 1:
        await confirm_by_typing(desk)
