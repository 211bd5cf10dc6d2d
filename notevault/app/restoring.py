"""A vault back from its backups: which one, opened by what, and how it goes on on this laptop.

The copying itself needs no key (`backup.restore`). What comes after it is here: the sheet, or this laptop's own key,
opens what was restored; a new log begins that cites the restored one, above every key file seen in any backup; the
restore is logged; the places become this laptop's backup places.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from notevault.app import opening
from notevault.app.restored import enter
from notevault.auditlog.vaultcheck import check_vault
from notevault.auditlog.verdict import Weight
from notevault.backup.copies.copies import Choice, Copies, open_copies
from notevault.backup.copies.opening import Several, spaced
from notevault.backup.restore import rest as restore_rest
from notevault.backup.restore.rest import Rest
from notevault.backup.restore.restore import Restored
from notevault.backup.restore.salvage import Salvage, key_files
from notevault.crypto import kdf, signing, slots
from notevault.errors import Damaged, NotevaultError, Refused
from notevault.formats.header import Header
from notevault.formats.ids import is_origin
from notevault.formats.sheet import SheetCode
from notevault.ports import Tree
from notevault.storage import backupplace
from notevault.storage.layout import VaultPaths
from notevault.storage.local import DeviceFile, LocalState
from notevault.vault import recover, rekey, unlock
from notevault.vault.env import Env
from notevault.vault.replay import Progress
from notevault.vault.session import Session
from notevault.vault.survey import read_headers


@dataclass(frozen=True)
class Known:
    """What this laptop knows of the vault that is to be restored."""

    vault: str  # hex16
    local: LocalState
    device: DeviceFile | None  # it opened the vault, and may have a key of its own for it
    living: Path | None  # the vault itself lies there, on this laptop, and is no backup


def known_of(env: Env, vault: str, to: Path, usual: Path | None = None) -> Known:
    """`to`: where it will be; `usual`: another folder where the vault itself may lie, beside the one kept in memory."""
    local = LocalState(env.files, env.local_root / vault)
    device = None
    with contextlib.suppress(Damaged):
        device = local.read_device()
    place = local.place()
    for folder in dict.fromkeys(filter(None, (None if place is None else Path(place), usual))):
        with contextlib.suppress(NotevaultError):
            if folder != to and _is_there(env, VaultPaths(folder), vault):
                return Known(vault, local, device, folder)
    return Known(vault, local, device, None)


def identity_of(env: Env, vault: str) -> bytes | None:
    """The vault's public key as it was opened on this laptop last; None where it never was."""
    return LocalState(env.files, env.local_root / vault).identity()


def _is_there(env: Env, paths: VaultPaths, vault: str) -> bool:
    if backupplace.found_in(paths.root) is not None:  # or a copy of one, laid where the vault belongs
        return False
    if not any(env.files.names(paths.headers(name)) for name in env.files.names(paths.all_headers) if is_origin(name)):
        return False
    return any(header.vault.hex() == vault for _, header in read_headers(env, paths)[0])


# -- the backups


def find(
    folders: Sequence[Path], open_tree: Callable[[Path], Tree], vault: str | None, known: bytes | None = None
) -> Copies:
    """The copies in these folders, of one vault. `known`: its identity key, or the fingerprint on the sheet: a vault
    that somebody else laid there is then left out. Raises NotFound, Refused (several vaults), Damaged.
    """
    found = open_copies(folders, open_tree, vault)
    return Copies(found.copies, found.vault, known, signing.verify)


def find_by_sheet(
    folders: Sequence[Path], open_tree: Callable[[Path], Tree], vault: str | None, code: SheetCode
) -> Copies:
    """The copies of the vault that this sheet belongs to. Raises Refused where it is of none of them."""
    try:
        every = [find(folders, open_tree, vault, code.fingerprint)]
    except Several as several:
        every = [find(folders, open_tree, each, code.fingerprint) for each in several.vaults]
    mine = [copies for copies in every if copies.origins() or key_files(copies)]
    if mine:
        return mine[0]
    numbers = ", ".join(spaced(copies.vault) for copies in every)
    raise Refused(
        "This recovery sheet belongs to another vault than the backups that lie there.",
        f"Compare the vault number printed on the sheet: these are of {numbers}.",
    )


def identity_in(copies: Copies, choice: Choice | Salvage) -> bytes | None:
    """The vault's public key as its newest key file there says it."""
    header = _newest(copies, choice)
    return None if header is None else header.vik


def _newest(copies: Copies, choice: Choice | Salvage) -> Header | None:
    data = copies.header(choice.headers[-1]) if choice.headers else None
    return None if data is None else Header.parse(data)


def try_sheet(copies: Copies, choice: Choice | Salvage, code: SheetCode) -> None:
    """Before minutes of copying: whether the sheet opens what would be restored: one of the newest key files, where
    several laptops went on. Raises Refused, Damaged.
    """
    names = (choice.newest if isinstance(choice, Choice) else ()) or choice.headers[-1:]
    found = [Header.parse(data) for name in names if (data := copies.header(name)) is not None]
    if not found:
        raise Damaged(
            "No key file of this vault is in the backups named, so nothing would open it.",
            "Name another backup place with a further --from.",
        )
    kit = slots.KitKeys.from_seed(code.seed)
    for header in found:
        signing.check_header(header)
        if signing.vik_fingerprint(header.vik) != code.fingerprint:
            raise Refused(
                "This recovery sheet belongs to another vault.", "Compare the vault number printed on the sheet."
            )
        if recover.open_header(header, kit) is not None:
            return
    raise Refused(
        "This recovery sheet was replaced by a newer one before that backup was made.",
        "Use the newest sheet of this vault, or --at with a day on which this one was in use.",
    )


# -- afterwards: on this laptop


def recover_here(
    env: Env,
    restored: Restored,
    code: SheetCode,
    passphrase: str,
    params: kdf.KdfParams | None = None,
    progress: Progress | None = None,
) -> Session:
    """With the sheet: new passphrase, new key of this laptop, new log. Raises as `vault.recover.recover`."""
    return opening.recover_vault(
        env,
        restored.folder,
        code.seed,
        code.fingerprint,
        passphrase,
        params,
        progress,
        elsewhere=restored.highest_seq,
    )


def leave_as_copy(known: Known) -> None:
    """The vault itself goes on where it lies; what was restored beside it opens for reading alone."""
    if known.living is not None and known.device is not None:
        known.local.keep_place(str(known.living))


def open_here(
    env: Env,
    known: Known,
    restored: Restored,
    passphrase: str,
    progress: Progress | None = None,
) -> Session:
    """With the key that this laptop has for the vault: its present passphrase, and a new log. The restored vault is
    this laptop's from then on, also where another one of it lies. Raises as `vault.unlock.unlock`; then everything is
    as before.
    """
    data = kdf.normalise(passphrase, opening=True)
    place = known.local.place()
    known.local.keep_place(str(restored.folder))  # a vault that lies elsewhere too would make this one a mere copy
    try:
        session = unlock.unlock(env, restored.folder, data, shell=False, progress=progress, hold=rekey.RESTORED)
    except BaseException:
        if place is not None:
            known.local.keep_place(place)
        raise
    try:
        fresh = rekey.confirm_rollback(session, elsewhere=restored.highest_seq)
    except BaseException:
        session.close("")
        raise
    rest = restore_rest.left(env.files, restored.folder)
    enter(fresh, rest or Rest(known.vault, (), restored.files, restored.missing))
    return fresh


def doubts(env: Env, restored: Restored, vik: bytes | None) -> list[str]:
    """What an outsider's check of the restored logs proves to be wrong; nothing but sentences, since a vault with a
    damaged log is worth more than none.
    """
    verdict = check_vault(restored.folder, vik=vik, log_only=True, verify=signing.verify, now_ms=env.clock.wall_ms())
    return [one.sentence for one in verdict.of(Weight.TAMPERED)]
