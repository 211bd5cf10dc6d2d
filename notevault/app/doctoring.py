"""What `doctor` can say of a vault, locked or open: one item per matter, with a way on where something is amiss.

good     as it should be
note     worth knowing, nothing to do
warn     should be seen to
bad      must be seen to: notes may be lost or readable
unknown  could not be looked at (a locked vault, a system that does not say)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from notevault.auditlog import entry
from notevault.crypto import kdf
from notevault.errors import Damaged, NotevaultError, NoVault
from notevault.formats.header import Header, PassphraseSlot
from notevault.storage.local import LocalState
from notevault.vault import rekey, remember, salvage
from notevault.vault.drafts import Drafts
from notevault.vault.env import Env
from notevault.vault.items import SESSION
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.vault.survey import Survey, survey

if TYPE_CHECKING:  # read when it is needed: the shell's first screen does not wait for it
    from notevault.backup.status.overview import Overview


@dataclass(frozen=True)
class Item:
    """`state` as in the table above; `step` says what to do, empty where there is nothing."""

    topic: str
    state: str
    sentence: str
    step: str = ""


def look(env: Env, vault: Path, backups: Callable[[], Overview] | None = None) -> tuple[list[Item], Survey | None]:
    """Without opening anything: vault, this laptop's key, cost of the passphrase, sheet, drafts, what was set aside,
    and, with `backups`, a look at them.
    """
    try:
        seen = survey(env, vault)
    except NoVault as fault:
        return [Item("vault", "warn", fault.sentence, fault.next_step)], None
    except NotevaultError as fault:
        return [Item("vault", "bad", fault.sentence, fault.next_step)], None
    items = [Item("vault", "good", f"Vault {seen.vault_id.hex()[:8]} in {vault}.")]
    items += [Item("vault", "bad", sentence, _MENDS) for sentence in seen.damaged]
    items += _secrets(env, seen)
    items += _cost(env, seen)
    items.append(_sheet_locked(seen))
    items += _left_behind(seen.local)
    if backups is not None:
        from notevault.app.doctor_backup import look_backup  # it needs Item from here

        try:
            items += look_backup(backups())
        except NotevaultError as fault:
            items.append(Item("backup", "bad", fault.sentence, fault.next_step))
    return items, seen


def _secrets(env: Env, seen: Survey) -> list[Item]:
    """Which store holds this laptop's key, whether it answers, and a remembered session."""
    device = seen.device
    if device is None or device.vault != seen.vault_id:
        return [
            Item(
                "this laptop's key",
                "bad",
                "This laptop has no key for this vault.",
                "Your recovery sheet opens it: `notevault recover`.",
            )
        ]
    store = env.stores.open(device.store, device.vault, device.device)
    try:
        (session,) = store.get([SESSION])
    except NotevaultError as fault:
        return [Item("this laptop's key", "bad", fault.sentence, fault.next_step)]
    items = [Item("this laptop's key", "good", f"It is kept by {store.describe()}.")]
    if device.store == "file":
        items = [
            Item(
                "this laptop's key",
                "warn",
                f"It is kept in {store.describe()}, as decided at set-up. Vault folder and backups"
                " stay safe without it; whoever has this whole disk has only your passphrase to guess.",
                "Encrypt the whole disk, and take a long passphrase.",
            )
        ]
    kept = remember.recall(env, device, session)
    if kept is not None:
        items.append(
            Item(
                "remembered session",
                "note",
                f"Commands need no passphrase for {_minutes(kept.expires_ms - env.clock.wall_ms())}.",
                "`notevault lock` ends that.",
            )
        )
    else:
        items.append(Item("remembered session", "good", "None: every command asks for the passphrase."))
    return items


def _minutes(ms: int) -> str:
    minutes = max(1, ms // 60_000)
    return f"{minutes} more minutes" if minutes < 120 else f"{minutes // 60} more hours"


def _own_slot(header: Header, device: bytes) -> PassphraseSlot | None:
    return next((s for s in header.slots if isinstance(s, PassphraseSlot) and s.device == device), None)


def _cost(env: Env, seen: Survey) -> list[Item]:
    """What a guess costs (Argon2id) against today's policy, and the time it takes here and now."""
    slot = _own_slot(seen.header, seen.device.device) if seen.device is not None else None
    if slot is None:
        return []
    params = kdf.KdfParams(slot.m, slot.t, slot.p)
    try:
        kdf.check_params(params, env.machine.ram_total())
        seconds = kdf.time_kdf(params)
    except NotevaultError as fault:
        return [Item("passphrase", "bad", fault.sentence, fault.next_step)]
    said = f"One guess at your passphrase costs {params.m_kib // kdf.MIB} MiB of memory and {seconds:.1f} s here."
    if kdf.below_policy(params):
        return [
            Item("passphrase", "warn", f"{said} That is less than it should be today.", "`notevault passphrase change`")
        ]
    if seconds < 0.2:
        return [
            Item(
                "passphrase",
                "note",
                f"{said} This computer could afford more.",
                "`notevault passphrase change` measures anew.",
            )
        ]
    return [Item("passphrase", "good", said)]


def _sheet_locked(seen: Survey) -> Item:
    """Whether the log tells of a confirmed sheet; the log of this vault's newest key file, without its keys."""
    confirmed = False
    try:
        for data in seen.alleged[0].log.entries(0, seen.alleged[0].tail.size):
            found = entry.parse(data)
            if not isinstance(found, entry.Entry):
                continue
            if found.ev == "sheet.confirm" or (found.ev == "session.open" and found.k["how"] == "sheet"):
                confirmed = True
            elif found.ev == "header.write" and found.k.get("why") == "sheet":
                confirmed = False
    except NotevaultError as fault:
        return Item("recovery sheet", "unknown", fault.sentence, fault.next_step)
    return _sheet(confirmed)


def _sheet(confirmed: bool) -> Item:
    if confirmed:
        return Item("recovery sheet", "good", "You have shown that you have it.")
    return Item(
        "recovery sheet",
        "bad",
        "NOT RECOVERABLE: nobody has shown yet that the sheet is on paper. If this laptop is lost, so are the notes.",
        "`notevault sheet confirm`; if there is no sheet, `notevault sheet new --sheet OUT.pdf` first.",
    )


def _left_behind(local: LocalState) -> list[Item]:
    """Drafts that wait, openings that wait to be logged, failed unlocks, and what was set aside."""
    items = []
    drafts = len(local.drafts.list())
    if drafts:
        some = "One draft waits" if drafts == 1 else f"{drafts} drafts wait"
        items.append(Item("drafts", "note", f"{some} to be saved.", "`notevault` takes them up again."))
    else:
        items.append(Item("drafts", "good", "None wait to be saved."))
    fails, _ = local.fails()
    if fails:
        items.append(Item("failed tries", "warn", f"{fails} failed tries to open this vault since it was last opened."))
    files = local.files
    days = files.names(local.paths.set_aside)
    kept = sum(len(files.names(local.paths.set_aside / day)) for day in days)
    if kept:
        items.append(
            Item(
                "set aside",
                "note",
                f"{kept} unfinished or strange pieces lie in {local.paths.set_aside} (sealed, or free of client data).",
            )
        )
    else:
        items.append(Item("set aside", "good", "Nothing was set aside."))
    return items


_MENDS = "`notevault verify` says more; `notevault backup heal` puts it back, if a backup has it."


def _way_on(session: Session) -> str:
    """From a vault that can only be read."""
    why = session.read_only or ""
    if session.is_copy:
        return "What is read here enters the vault's own log at its next opening."
    if why.startswith("DAMAGED"):
        return (
            "`notevault backup heal` mends it from a backup. Only where no backup has it: `notevault doctor"
            " --confirm-rollback`."
        )
    restore = ", or `notevault backup restore --from DIR --to NEWVAULT`" if why.startswith("ROLLED BACK") else ""
    return (
        f"If an old copy was put back by mistake, put the newest one back{restore}. If this is the copy that you want"
        " to go on with: `notevault doctor --confirm-rollback`."
    )


def look_inside(session: Session) -> list[Item]:
    """What only an open vault tells: rolled back or not, drafts that do not open, idle lock, what did not hold."""
    items = []
    if session.read_only is None:
        items.append(Item("state", "good", "The vault is the newest that this laptop has seen."))
    else:
        items.append(
            Item(
                "state",
                "bad",
                f"This vault is read-only. {session.read_only}",
                _way_on(session),
            )
        )
    before = len(session.notices)
    Drafts(session).list()
    items += [Item("drafts", "bad", sentence) for sentence in session.notices[before:]]
    del session.notices[before:]
    if session.findings:
        things = "One thing" if len(session.findings) == 1 else f"{len(session.findings)} things"
        if salvage.nothing_lost(session):
            said = f"{things} did not hold in the old log, from before it was salvaged. The new one is whole."
            items.append(Item("records", "note", said))
        else:
            items.append(Item("records", "bad", f"{things} did not hold.", _MENDS))
    try:
        settings = Notebook(session).settings()
    except Damaged as fault:
        items.append(Item("idle lock", "bad", fault.sentence, fault.next_step))
    else:
        items.append(Item("idle lock", "good", f"The shell locks after {settings.idle} minutes without a key."))
    items.append(_sheet(rekey.sheet_confirmed(session)))
    return items
