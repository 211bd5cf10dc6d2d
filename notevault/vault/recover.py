"""Opening a vault with the recovery sheet alone, and making it this device's own."""

from __future__ import annotations

from pathlib import Path

from notevault.auditlog import entry
from notevault.crypto import kdf, signing, slots
from notevault.crypto import keytable as table_seal
from notevault.errors import Damaged, NotFound, NoVault, Refused, WrongSeal, WrongSecret
from notevault.formats.header import Header, RecoverySlot
from notevault.storage.headers import HeaderStore
from notevault.storage.layout import VaultPaths
from notevault.storage.local import LocalState
from notevault.storage.logfile import LogFile, Tail
from notevault.vault import found, gather, settle, takeover
from notevault.vault.env import Env
from notevault.vault.follow import follow_logs, heads_seen
from notevault.vault.recorder import Act
from notevault.vault.replay import Progress
from notevault.vault.sealer import VaultSealer
from notevault.vault.session import Keys, Session
from notevault.vault.survey import NAMING_EVENTS, believe, highest_seq, is_next, read_headers


def open_with_sheet(env: Env, vault: Path, seed: bytes, fingerprint: bytes) -> tuple[Header, str, Keys]:
    """The current header of the sheet's own vault identity and its keys: (header, file digest, keys).

    Whoever can write into the folder can seal something to a sheet's public key; so the identity on the sheet comes
    first. Where a log cannot be believed, the highest header counts that the sheet opens. Raises NoVault, Refused (a
    sheet of another vault, or one that was replaced), Damaged.
    """
    paths = VaultPaths(vault)
    if not HeaderStore(env.files, paths).candidates():
        raise NoVault("There is no vault in this folder.", "Name the folder that holds the vault with --vault DIR.")
    readable, faults = read_headers(env, paths)
    own = [pair for pair in readable if signing.vik_fingerprint(pair[1].vik) == fingerprint]
    if not own:
        if faults:
            raise Damaged(f"No key file of this vault could be used. The first fault: {faults[0].sentence}")
        raise Refused("This recovery sheet belongs to another vault.", "Compare the vault number printed on the sheet.")
    local = LocalState(env.files, env.local_root / own[0][1].vault.hex())
    alleged, _ = believe(env, paths, local, own)
    if not alleged:
        raise NoVault("The set-up of this vault was not finished.")
    kit = slots.KitKeys.from_seed(seed)
    fault: Damaged | None = None
    refused = False
    for each in gather.newest(alleged):  # several where laptops went on apart: the sheet need not open all of them
        try:
            opened = open_header(each.header, kit)
        except Damaged as found_fault:
            fault = fault or found_fault
            continue
        if opened is not None:
            return each.header, each.digest, opened
        refused = True
    if refused or fault is None:
        raise Refused("This recovery sheet was replaced by a newer one.", "Use the newest sheet of this vault.")
    raise fault


def open_header(header: Header, kit: slots.KitKeys) -> Keys | None:
    """The keys in this header, None where no slot of it is this sheet's. Nothing says that it is the vault's newest.

    The identity must have been compared with the sheet's before. Raises Damaged.
    """
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
    *,
    elsewhere: int = 0,
) -> Session:
    """An open session on this device: new passphrase, secret and log. Raises as `open_with_sheet`.

    `elsewhere`: the highest number of a header of this vault that was seen outside the folder, in its backups: the new
    one's is above it too.
    """
    header, digest, keys = open_with_sheet(env, vault, seed, fingerprint)
    paths = VaultPaths(vault)
    local = LocalState(env.files, env.local_root / header.vault.hex())
    public = slots.KitKeys.from_seed(seed).public
    all_ = gather.gather(
        env, paths, local, header, keys, lambda slot: isinstance(slot, RecoverySlot) and slot.pk == public
    )
    notices = _older_than_seen(all_.highest, header.vault, local)
    for fault in all_.faults.values():  # its notes that still open are taken in; it is cited with nothing
        notices.append(f"DAMAGED: a log of this vault could not be believed. {fault.sentence}")
    sealer = VaultSealer(header.vault, all_.keys.table, env.entropy)
    named = max((_newest_named(sealer, log, tail) for log, tail in all_.logs.values()), default=0)
    if named > all_.highest:
        notices.append(
            f"ROLLED BACK: the log tells of key file {named}, but the newest one here is {all_.highest}."
            " Passphrases and clients made after it may be missing."
        )
    if all_.given_up:
        notices.append(
            "This recovery sheet was replaced by a newer one on another laptop. It opens the vault all the same, and so"
            " does the newer one. A further sheet ends both: `notevault sheet new`."
        )
    _, tail = all_.logs.get(header.origin, (None, Tail.empty()))
    cites: dict[str, object] = {"origin": header.origin, "root": tail.root.hex(), "size": tail.size}
    sizes = {str(origin): size for origin, size in all_.header.origins.items()}
    highest = max(highest_seq(env, paths, header.vik), all_.highest, named)
    highest = elsewhere if elsewhere > highest and is_next(highest, elsewhere) else highest
    session = found.adopt(env, paths, all_.header, digest, all_.keys, passphrase, params, cites, sizes, highest)
    session.notices += notices
    complete = follow_logs(session, progress)
    session.notices += gather.words(session, all_.before, header.origin)
    if not complete:
        taken = takeover.take_over(session)
        if count := taken.named + taken.found:
            were = "1 record was" if count == 1 else f"{count:,} records were"
            session.notices.append(f"{were} entered anew in the log, since the log they were in is damaged.")
    session.catalogue.set_meta("sheet", "confirmed")  # it has just been typed in
    blobs = settle.settle_blobs(session) if complete and not session.findings else 0
    settle.tell(session, 0, 0, blobs)
    session.log_acts([Act("session.open", "E", "recovery", k={"how": "sheet"})])
    return session


def _newest_named(sealer: VaultSealer, log: LogFile, tail: Tail) -> int:
    """The highest number of a header that this log tells of, in entries made with the vault open."""
    highest = 0
    for data in log.entries(0, tail.size):
        found = entry.parse(data) if b'"seq":' in data else None
        if isinstance(found, entry.Entry) and found.ev in NAMING_EVENTS and sealer.check_mac(found, log.origin):
            highest = max(highest, int(found.k["seq"]))
    return highest


def _older_than_seen(highest: int, vault_id: bytes, local: LocalState) -> list[str]:
    """On a laptop that knew the vault: what it remembers of a newer state."""
    heads, notices = heads_seen(local, vault_id, None)
    if any(head.seq > highest for head in heads):
        notices.append("ROLLED BACK: this laptop has seen a newer state of this vault than the one recovered.")
    return notices


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
