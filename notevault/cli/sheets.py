"""The recovery sheet as a file: a new one of our own writing, or one that is read back or typed in.

A sheet in a file is one of the two exceptions to "no secret in a file": written only when asked for, 0600, never over
another file, and never inside the vault folder, which backups carry away.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from notevault.adapters.places import user_path
from notevault.cli import asking, newfile
from notevault.cli.common import Context
from notevault.errors import Interrupted, NotevaultError, UsageFault
from notevault.formats import sheet
from notevault.formats.sheet import SheetCode
from notevault.vault.found import Kit
from notevault.vault.session import Session

KINDS = (".txt", ".pdf")
OLDER = (
    "Destroy the sheet before it: with an older key file, as this vault's folder, its backup places and every copy\n"
    "made until now have one, it still opens all notes, later ones too. If it was stolen, a new sheet is not enough:\n"
    "make a new vault and import your notes into it."
)
_ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def check_place(ctx: Context) -> Path:
    """Where the sheet is to go. UsageFault without --sheet, for another ending, or inside the vault."""
    if ctx.args.sheet is None:
        raise UsageFault(
            "The recovery sheet needs a place: --sheet OUT.pdf or --sheet OUT.txt.",
            "Print it, keep the paper away from the laptop, and delete the file.",
        )
    path = user_path(ctx.args.sheet)
    if path.suffix.lower() not in KINDS:
        raise UsageFault("The recovery sheet is a .pdf or a .txt file.", "Name it so: --sheet recovery-sheet.pdf")
    newfile.outside(path, ctx.side.vault, "The recovery sheet")
    return path


def reserved(path: Path) -> AbstractContextManager[Callable[[bytes], None]]:
    """See `newfile.reserved`; the sheet is on the way when its file fails."""
    return newfile.reserved(
        path, "The recovery sheet", "No paper opens the vault: `notevault sheet new --sheet OUT` makes one."
    )


def deliver(ctx: Context, session: Session, kit: Kit, path: Path, write: Callable[[bytes], None]) -> None:
    """The new sheet into its file. The program takes the one before it no more: when the file fails, she is told what
    to do, and at a terminal she may copy the groups from the screen. Then raises what went wrong.
    """
    try:
        write(printed(ctx, session, kit, path))
    except BaseException:
        with contextlib.suppress(NotevaultError, OSError):
            _last_resort(ctx, kit)
        raise


def _last_resort(ctx: Context, kit: Kit) -> None:
    ctx.out.warn(
        "This vault is NOT RECOVERABLE: it has a new recovery sheet, but the sheet is in no file. An older sheet is not"
        " taken any more. Run `notevault sheet new --sheet OUT.pdf` again."
    )
    if ctx.can_ask and asking.yes("Show the new sheet here, to copy it by hand?", default=False):
        groups = sheet.encode(kit.seed, kit.fingerprint)
        lines = [groups[at : at + sheet.GROUPS_PER_LINE] for at in range(0, len(groups), sheet.GROUPS_PER_LINE)]
        asking.show("".join(f"  {number}  {'  '.join(line)}\n" for number, line in enumerate(lines, 1)))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C and a request to end wait until the context is over: a key that is changed must reach its file."""
    waiting: list[int] = []
    before = {number: signal.signal(number, lambda got, _: waiting.append(got)) for number in _ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in waiting[:1]:
            signal.raise_signal(number)


def try_renderer(path: Path) -> None:
    """Make a page of nothing: what cannot be made must be known before the sheet that is there is given up."""
    from notevault.adapters.sheet_print import SheetModel, sheet_pdf, sheet_text

    groups = sheet.encode(bytes(sheet.SEED_BYTES), bytes(sheet.FINGERPRINT_BYTES))
    model = SheetModel(tuple(groups), bytes(16).hex(), "1 January 2025", bytes(sheet.FINGERPRINT_BYTES).hex())
    _ = sheet_pdf(model) if path.suffix.lower() == ".pdf" else sheet_text(model)


def printed(ctx: Context, session: Session, kit: Kit, path: Path) -> bytes:
    """The bytes of the file for a sheet."""
    from notevault.adapters.sheet_print import SheetModel, sheet_pdf, sheet_text
    from notevault.domain.dates import local

    now = ctx.env.clock.wall_ms()
    made = local(now, ctx.env.clock.utc_offset_minutes(now))
    model = SheetModel(
        tuple(sheet.encode(kit.seed, kit.fingerprint)),
        kit.vault_id.hex(),
        f"{made.day} {made:%B %Y}",
        kit.fingerprint.hex(),
        f"notevault/{session.origin}",
    )
    return sheet_pdf(model) if path.suffix.lower() == ".pdf" else sheet_text(model).encode("ascii")


def tell(ctx: Context, path: Path) -> None:
    ctx.out.say(
        f"Your recovery sheet: {path}\n"
        "It opens the vault without your passphrase and without this laptop: one of the two cases where a secret lies\n"
        "in a file. Print it, put the paper somewhere safe, then delete the file (also from the trash).\n"
        "The vault is NOT RECOVERABLE until you have shown that you have it: `notevault sheet confirm`"
    )


def read_code(ctx: Context) -> SheetCode:
    """From --sheet FILE (or `-`), or typed group by group. SheetFault names the group at fault."""
    name = ctx.args.sheet
    if name is not None:
        data = asking.read_input(name, "the recovery sheet", asking.SHEET_LIMIT)
        if data.startswith(b"%PDF"):
            raise UsageFault(
                "A printed PDF cannot be read back.",
                "Leave --sheet out and type the groups from the paper, or save the text of its QR code as a .txt file.",
            )
        return sheet.parse_sheet(data.decode("utf-8", "replace"))
    if not ctx.can_ask:
        raise asking.need_terminal("The recovery sheet is needed", "Name a file with --sheet FILE.txt, or --sheet -.")
    ctx.out.say(
        "Type the 21 groups of five characters from the sheet, one after the other or a line at a time.\n"
        "Nothing is shown while you type. Capitals or not; Enter alone goes back one group."
    )
    return sheet.parse_sheet("-".join(_typed(ctx)))


def _typed(ctx: Context) -> list[str]:
    """The groups, each checked by its own check character as it is typed."""
    groups: list[str] = []
    while len(groups) < sheet.GROUPS:
        pieces = asking.hidden(f"{sheet.group_name(len(groups))}: ").replace("-", " ").split()
        if not pieces:
            if not groups:
                raise Interrupted("Nothing was typed.")
            groups.pop()
            continue
        for piece in pieces:
            at = len(groups)
            if at == sheet.GROUPS or not sheet.check_group(at, piece):
                where = sheet.group_name(min(at, sheet.GROUPS - 1))
                ctx.out.say(f"  {where} is not as printed. Compare it with the paper and type it again.")
                break
            groups.append(piece)
        else:
            ctx.out.say(f"  {len(groups)} of {sheet.GROUPS} right.")
    return groups
