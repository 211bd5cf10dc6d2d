"""Unlocking: why it asks, what went wrong in words, and always a way on.

wrong passphrase            asked again; nothing hints at anything but the typing
this laptop's key missing   the recovery sheet; or again, once the system's key store is back
damage at the door          said as it is; the recovery sheet, or leave
an old or changed log       what that means, what to do first; look, go on with a new log, or leave
"""

from __future__ import annotations

from notevault.app import oneshot, opening
from notevault.errors import Busy, NotevaultError, SecretsUnavailable, UsageFault, WrongSecret
from notevault.shell import sheet_flow, wizard, wording
from notevault.shell.desk import Desk
from notevault.shell.ui import Leave, Progress, options, rows_of
from notevault.vault import fails, rekey
from notevault.vault.session import Session

TITLE = "notevault"
GO_ON = "Go on with a new log\nwhat lies here is the vault from now on; this is logged"
CHOICES = ("Only look at it\nyou can read what opens; nothing new can be written here", GO_ON, "Leave")
SLIPS = 3
"""Wrong passphrases after which the recovery sheet is mentioned; nothing is ever locked out."""
WHY = {
    "start": "",
    "key": "Locked.",
    "idle": "Locked, because no key was pressed for a while.",
    "suspend": "Locked, because the laptop was asleep.",
    "crash": "The window stopped unexpectedly. Your text is kept.",
    "set-up": "Locked.",
}


async def unlock(desk: Desk, after: str) -> None:
    """Until the vault is open. Raises Leave('exit') when the user goes."""
    fault: str | None = None
    slips = 0
    while not desk.open:
        passphrase = await desk.ui.ask(
            TITLE,
            [each for each in (WHY.get(after, ""), fault or "", "Your passphrase opens the vault.") if each],
            "Passphrase",
            secret=True,
            check=lambda text: None if text.strip() else "Type your passphrase, or press Esc.",
        )
        if passphrase is None:
            await _other_ways(desk, "")
            continue
        try:
            session = await desk.ui.work(TITLE, ["Opening\u2026"], lambda say, text=passphrase: _open(desk, text, say))  # type: ignore[misc]
        except (WrongSecret, UsageFault):
            slips += 1
            fault = "That is not the passphrase. Check Caps Lock and the keyboard layout, and type it again."
            if slips >= SLIPS:
                fault += " If you have forgotten it: Esc, then your recovery sheet."
            after = "start"
        except NotevaultError as error:
            await _other_ways(desk, wording.in_plain_words(f"{error.sentence} {error.next_step}".strip()), error)
        else:
            await _opened(desk, session, slips)


def _open(desk: Desk, passphrase: str, say: Progress) -> Session:
    def progress(done: int, total: int) -> None:
        say(f"Reading the log: {done:,} of {total:,}")

    vault = desk.side.vault
    session = opening.open_vault(desk.env, vault, passphrase, shell=True, progress=progress)  # noqa: S604 - no subprocess
    if session.read_only is None:
        try:
            opening.improve_kdf(session, passphrase)
        except NotevaultError as error:  # the vault is open all the same
            session.notices.append(error.sentence)
    return session


async def _opened(desk: Desk, session: Session, slips: int) -> None:
    desk.take(session)
    if session.read_only is not None:
        await _read_only(desk)
    _tell(desk, slips)
    left = sheet_flow.left_behind()
    if left:
        names = ", ".join(map(str, left))
        desk.say(
            f"A recovery sheet still lies in a file: {names}",
            "Print it, then delete it: who has it can open your notes.",
        )


def _tell(desk: Desk, slips: int) -> None:
    """What the opening settled stays on home until it was looked at; a slip or two made just now are only said."""
    own = fails.sentence(slips) if 0 < slips < SLIPS else ""
    notices = desk.session.notices
    desk.say(*desk.alarms.noticed([each for each in notices if each == own], keep=False))
    desk.alarms.noticed(notices)
    notices.clear()


async def _read_only(desk: Desk) -> None:
    """Older than it was, or not what was written: nothing is written until that is decided."""
    found, folder = wording.standing(desk.session.read_only or ""), str(desk.session.paths.root)
    picked = await desk.ui.choose(
        found.title,
        [found.detail, found.means, *(wording.first_steps(folder, found.mend) if found.may_go_on else [])],
        options(*[each for each in CHOICES if found.may_go_on or each != GO_ON]),
        numbered=True,
    )
    if picked == (2 if found.may_go_on else 1):
        raise Leave("exit")
    if picked == 1 and await desk.ui.confirm(
        "Go on with a new log",
        [found.detail, "Is the folder copied away? What is missing or changed here does not come back by itself."],
        "Are you sure?",
        default=None,
    ):
        try:
            fresh = await desk.ui.work(
                TITLE, ["Beginning a new log\u2026"], lambda _: rekey.confirm_rollback(desk.session)
            )
        except NotevaultError as error:
            desk.say_fault(error)
        else:
            desk.take(fresh)
            desk.alarms.found([f"Before the new log was begun: {found.detail}"])


async def _other_ways(desk: Desk, said: str, error: NotevaultError | None = None) -> None:
    """After a fault that typing does not mend, or Esc."""
    picked = await desk.ui.choose(
        TITLE,
        [said] if said else ["The vault stays locked."],
        options("Try the passphrase again", "Open with my recovery sheet", "Leave"),
        selected=1 if isinstance(error, SecretsUnavailable) and "heet" in said else 0,
        numbered=True,
    )
    if picked == 1:
        await _with_sheet(desk)
    elif picked == 2:
        desk.exit_code = error.exit_code if error else 0
        raise Leave("exit")


async def _with_sheet(desk: Desk) -> None:
    """The sheet, then a new passphrase: the vault becomes this laptop's own."""
    title = "Open with the recovery sheet"
    code = await sheet_flow.typed_code(desk, title)
    if code is None:
        return
    vault = desk.side.vault
    try:
        await desk.ui.work(
            title,
            ["Looking whether this sheet opens the vault\u2026"],
            lambda _: oneshot.try_sheet(desk.env, vault, code),
        )
        passphrase = await wizard.new_passphrase(desk, "A new passphrase for this laptop")
        if passphrase is None:
            return
        session = await desk.ui.work(
            title,
            ["Making this vault the laptop's own\u2026"],
            lambda _: opening.recover_vault(desk.env, vault, code.seed, code.fingerprint, passphrase),
        )
    except NotevaultError as error:
        await desk.ui.page(title, rows_of(error.sentence, "", error.next_step))
        return
    desk.take(session)
    desk.say("The vault is open and belongs to this laptop now. Your sheet still opens it.", *session.notices)
    session.notices.clear()


def hold(desk: Desk, vault_id: bytes) -> None:
    """Busy when another shell has this vault open."""
    if desk.channel.ask(f"hold {vault_id.hex()}") == "busy":
        raise Busy("Another notevault window has this vault open.", "Go on in that window, or close it first.")
