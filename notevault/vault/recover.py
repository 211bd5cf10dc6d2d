"""Opening a vault with the recovery sheet alone, and making it this device's own."""

from __future__ import annotations

from pathlib import Path

from notevault.crypto import kdf, signing, slots
from notevault.crypto import keytable as table_seal
from notevault.errors import Damaged, NotFound, NoVault, Refused, WrongSeal, WrongSecret
from notevault.formats.header import Header, RecoverySlot
from notevault.storage.headers import HeaderStore
from notevault.storage.layout import VaultPaths
from notevault.storage.local import LocalState
from notevault.vault import found, settle
from notevault.vault.env import Env
from notevault.vault.recorder import Act
from notevault.vault.replay import Progress
from notevault.vault.session import Keys, Session
from notevault.vault.survey import open_log
from notevault.vault.unlock import follow_logs


def open_with_sheet(env: Env, vault: Path, seed: bytes, fingerprint: bytes) -> tuple[Header, str, Keys]:
    """The highest header of the sheet's own vault identity and its keys: (header, file digest, keys).

    Whoever can write into the folder can seal something to a sheet's public key; so the identity on the sheet comes
    first. Raises NoVault, Refused (a sheet of another vault, or one that was replaced), Damaged.
    """
    store = HeaderStore(env.files, VaultPaths(vault))
    candidates = store.candidates()
    if not candidates:
        raise NoVault("There is no vault in this folder.", "Name the folder that holds the vault with --vault DIR.")
    kit = slots.KitKeys.from_seed(seed)
    fault: Damaged | None = None
    of_this_vault = False
    for candidate in candidates:
        try:
            header = Header.parse(store.read(candidate))
            signing.check_header(header)
            if signing.vik_fingerprint(header.vik) != fingerprint:
                continue
            of_this_vault = True
            opened = _open(header, kit)
        except (Damaged, NotFound) as found_fault:
            fault = fault or (found_fault if isinstance(found_fault, Damaged) else None)
            continue
        if opened is not None:
            return header, candidate.digest, opened
        raise Refused("This recovery sheet was replaced by a newer one.", "Use the newest sheet of this vault.")
    if of_this_vault and fault is not None:
        raise fault
    if fault is not None:
        raise Damaged(f"No key file of this vault could be used. The first fault: {fault.sentence}")
    raise Refused("This recovery sheet belongs to another vault.", "Compare the vault number printed on the sheet.")


def _open(header: Header, kit: slots.KitKeys) -> Keys | None:
    for slot in header.slots:
        if not isinstance(slot, RecoverySlot) or slot.pk != kit.public:
            continue
        try:
            vk, generation = slots.open_recovery_slot(slot, header.vault, header.generation, kit)
        except WrongSecret:
            continue
        table = table_seal.open_table(header.table, vk, header)
        if signing.public_key(table.vik_seed) != header.vik or generation != header.generation:
            raise WrongSeal("The vault's key file contradicts itself.")
        return Keys(vk, generation, table)
    return None


def recover(
    env: Env,
    vault: Path,
    seed: bytes,
    fingerprint: bytes,
    passphrase: bytes,
    params: kdf.KdfParams,
    progress: Progress | None = None,
) -> Session:
    """An open session on this device: new passphrase, secret and log. Raises as `open_with_sheet`, and LogDamaged."""
    header, digest, keys = open_with_sheet(env, vault, seed, fingerprint)
    paths = VaultPaths(vault)
    local = LocalState(env.files, env.local_root / header.vault.hex())
    sizes: dict[str, int] = {}
    cites: dict[str, object] = {}
    for origin in header.origins:
        _, tail = open_log(env, paths, local, header, origin)
        sizes[origin] = tail.size
        if origin == header.origin:
            cites = {"origin": origin, "root": tail.root.hex(), "size": tail.size}
    highest = max([candidate.seq for candidate in HeaderStore(env.files, paths).candidates()] + [header.seq])
    session = found.adopt(env, paths, header, digest, keys, passphrase, params, cites, sizes, highest)
    complete = follow_logs(session, progress)
    session.catalogue.set_meta("sheet", "confirmed")  # it has just been typed in
    blobs = settle.settle_blobs(session) if complete and not session.findings else 0
    settle.tell(session, 0, 0, blobs)
    session.log_acts([Act("session.open", "E", "recovery", k={"how": "sheet"})])
    return session


def vault_of_sheet(env: Env, vault: Path, fingerprint: bytes) -> bytes | None:
    """The vault id if any header in the folder is signed by the sheet's identity; for a clearer sentence beforehand."""
    store = HeaderStore(env.files, VaultPaths(vault))
    for candidate in store.candidates():
        try:
            header = Header.parse(store.read(candidate))
        except (Damaged, NotFound):
            continue
        if signing.vik_fingerprint(header.vik) == fingerprint and signing.verify_header(header):
            return header.vault
    return None
