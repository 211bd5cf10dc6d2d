"""Founding: a vault made from nothing, or made this device's own (docs/FORMAT.md section 11).

Both end the same way: secrets stored and read back, card, header under a fresh log, first entry, checkpoint.
The checkpoint is the commit; before it nothing counts, and a crash leaves an unfinished set-up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from notevault.crypto import kdf, signing, slots
from notevault.crypto import keytable as table_seal
from notevault.errors import Busy, Damaged, NotevaultError
from notevault.formats.header import Header, PassphraseSlot
from notevault.formats.ids import NO_DIGEST, DeviceId, Digest, Origin, SlotId, VaultId
from notevault.formats.keytable import DRAFTS, INDEX, MAC, ROUTING, SETTINGS, KeyTable
from notevault.ports import SecretStore
from notevault.storage.headers import HeaderStore
from notevault.storage.layout import VaultPaths, create_folders
from notevault.storage.local import DeviceFile, LocalState
from notevault.vault import epochs, remember, spares
from notevault.vault.env import Env
from notevault.vault.headers import Slot
from notevault.vault.index import Catalogue
from notevault.vault.items import DEVICE, LOG, DeviceItem, Head
from notevault.vault.origin import NewOrigin, draw_origin, start_log
from notevault.vault.recorder import Act
from notevault.vault.session import Keys, Session
from notevault.vault.survey import highest_seq


@dataclass(frozen=True)
class Kit:
    """What the recovery sheet says."""

    seed: bytes = field(repr=False)
    fingerprint: bytes
    vault_id: bytes


def fresh_table(env: Env) -> KeyTable:
    draw = env.entropy.draw
    wide = {(int(purpose), 1): draw(32) for purpose in (INDEX, DRAFTS, ROUTING, MAC, SETTINGS)}
    return KeyTable(draw(32), wide, {})


def create(env: Env, vault: Path, passphrase: bytes, params: kdf.KdfParams) -> tuple[Session, Kit]:
    """A new vault in an empty or absent folder, open. `passphrase` is normalised.

    Raises SecretsUnavailable, CannotWrite, DiskFull, StorageFault; then there is no vault.
    """
    draw = env.entropy.draw
    vault_id, device_id = draw(16), draw(16)
    vk, table, kit_seed = draw(32), fresh_table(env), draw(32)
    paths, local = VaultPaths(vault), LocalState(env.files, env.local_root / vault_id.hex())
    kit = Kit(kit_seed, signing.vik_fingerprint(signing.public_key(table.vik_seed)), vault_id)
    kind, why = env.stores.choose()
    device = DeviceFile(vault_id, device_id, draw(8), kind)
    blank = Header(
        vault=VaultId(vault_id),
        device=DeviceId(device_id),
        generation=1,
        origin=Origin("0" * 32),
        origins={},
        prev=NO_DIGEST,
        retired=(),
        seq=0,
        sig=bytes(64),
        slots=(),
        table=b"",
        vik=signing.public_key(table.vik_seed),
        cross=None,
    )
    recovery = slots.seal_recovery_slot(vk, 1, vault_id, SlotId(draw(16)), slots.KitKeys.from_seed(kit_seed).public)
    keys = Keys(vk, 1, table)
    session = _found(
        env,
        paths,
        local,
        device,
        blank,
        keys,
        [recovery],
        passphrase,
        params,
        Act("vault.create", "C", "admin"),
        "sheet",
    )
    slots.open_recovery_slot(recovery, vault_id, 1, slots.KitKeys.from_seed(kit_seed))
    session.catalogue.set_meta("sheet", "open")
    session.notices.append(why)  # never silently: above all when the key lies in a file
    return session, kit


def adopt(
    env: Env,
    paths: VaultPaths,
    old: Header,
    old_digest: str,
    keys: Keys,
    passphrase: bytes,
    params: kdf.KdfParams,
    cites: dict[str, object],
    sizes: dict[str, int],
    highest_seq: int,
) -> Session:
    """Make a recovered vault this device's own: new device id and secret, new log that cites the old one.

    It replaces the slot that this laptop had, and no other's. `sizes` are the found sizes of every listed log;
    `highest_seq` the highest header number seen anywhere.
    """
    draw = env.entropy.draw
    kind, why = env.stores.choose()
    device = DeviceFile(old.vault, draw(16), draw(8), kind)
    local = LocalState(env.files, env.local_root / old.vault.hex())
    former = _former(local)
    known_as = None if former is None else former.device
    replaced = [slot for slot in old.slots if isinstance(slot, PassphraseSlot) and slot.device == known_as]
    before = replace(
        old,
        origins={**old.origins, **{Origin(name): size for name, size in sizes.items()}},
        seq=highest_seq,
        retired=tuple(sorted({*old.retired, *(slot.id for slot in replaced)})),
    )
    first = Act("vault.recover", "C", "recovery", k={"cites": cites})
    others: list[Slot] = [slot for slot in old.slots if slot not in replaced]
    session = _found(env, paths, local, device, before, keys, others, passphrase, params, first, "sheet", old_digest)
    session.notices.append(why)
    if former is not None:
        with epochs.alone(env, local):  # whoever closes an epoch of the former log just now comes first
            _forget_former(env, former)
    if any(isinstance(slot, PassphraseSlot) for slot in others):
        session.notices.append("Other laptops that open this vault still do, with their own passphrases.")
    return session


def _former(local: LocalState) -> DeviceFile | None:
    """As what this laptop opened the vault until now: its old passphrase goes."""
    try:
        return local.read_device()
    except Damaged:
        return None


def _forget_former(env: Env, former: DeviceFile) -> None:
    """Its secrets too, best effort: with them an older key file would still open by the old passphrase."""
    with contextlib.suppress(NotevaultError):
        store = env.stores.open(former.store, former.vault, former.device)
        remember.forget(env, store, former.vault)
        store.delete(DEVICE)
        store.delete(LOG)


def restart_log(
    env: Env,
    paths: VaultPaths,
    local: LocalState,
    device: DeviceFile,
    store: SecretStore,
    old: Header,
    old_digest: str,
    keys: Keys,
    cites: dict[str, object],
    highest_seq: int,
    how: str,
    remembered: Head | None,
    then: Act | None = None,
) -> Session:
    """A new log on the same device: its log key was lost, or an old copy of the vault was put back and confirmed.

    Call within `epochs.alone`. `then` is entered in the log's first commit. `remembered`: the newest state seen; the
    key store goes on remembering it until the new log is committed, so that what was wrong is seen should that fail.
    """
    origin = draw_origin(env, device.vault, device.device, keys.table.vik_seed)
    head = replace(remembered or origin.item.head, seq=highest_seq)  # never forget the newest header seen
    store.put(LOG, replace(origin.item, head=head).encode())
    cited, size = cites["origin"], cites["size"]
    assert isinstance(size, int), "cites as in the format"
    grown = {name: max(known, size) if name == cited else known for name, known in old.origins.items()}
    before = replace(old, seq=highest_seq, origins=grown)
    header = _next_header(env, before, old_digest, device, origin, keys, list(old.slots))
    first = Act("vault.recover", "C", "recovery", k={"cites": cites})
    more = [] if then is None else [then]
    return _commit_first(env, paths, local, device, header, keys, origin, store, first, how, more)


def _next_header(
    env: Env, before: Header, prev: str, device: DeviceFile, origin: NewOrigin, keys: Keys, all_slots: list[Slot]
) -> Header:
    """The header that begins a log; `keys.table` gets spare client keys of its own."""
    keys.table = spares.with_spares(keys.table, origin.origin, spares.FIRST, keys.generation, env.entropy)
    header = replace(
        before,
        device=DeviceId(device.device),
        origin=Origin(origin.origin),
        origins={**before.origins, Origin(origin.origin): 0},
        prev=Digest(prev),
        seq=before.seq + 1,
        slots=tuple(sorted(all_slots, key=lambda each: each.id)),
    )
    header = replace(header, table=table_seal.seal_table(keys.table, keys.vk, header, env.entropy))
    return replace(header, sig=signing.sign_header(header, keys.table.vik_seed))


def _found(
    env: Env,
    paths: VaultPaths,
    local: LocalState,
    device: DeviceFile,
    before: Header,
    keys: Keys,
    others: list[Slot],
    passphrase: bytes,
    params: kdf.KdfParams,
    first: Act,
    how: str,
    prev: str = NO_DIGEST,
) -> Session:
    secret = env.entropy.draw(32)
    origin = draw_origin(env, device.vault, device.device, keys.table.vik_seed)
    store = env.stores.open(device.store, device.vault, device.device)
    store.put(DEVICE, DeviceItem(device.vault, device.device, ((1, secret),)).encode())
    store.put(LOG, origin.item.encode())
    create_folders(env.files, paths)
    local.create_folders()
    if local.files.size(local.paths.device) is None:
        local.write_device(device)  # before the commit: a vault that is there must never be one that nothing opens
    slot = passphrase_slot(env, keys, device, passphrase, params, 1, secret)
    header = _next_header(env, before, prev, device, origin, keys, [*others, slot])
    return _commit_first(env, paths, local, device, header, keys, origin, store, first, how)


def passphrase_slot(
    env: Env, keys: Keys, device: DeviceFile, passphrase: bytes, params: kdf.KdfParams, number: int, secret: bytes
) -> PassphraseSlot:
    """A slot for this device, sealed with fresh salts and opened again at once."""
    salt = env.entropy.draw(16)
    stretched = kdf.argon2id(passphrase, salt, params)
    slot = slots.seal_passphrase_slot(
        keys.vk,
        keys.generation,
        vault_id=device.vault,
        slot_id=env.entropy.draw(16),
        device=device.device,
        ds_number=number,
        ds=secret,
        a=stretched,
        params=params,
        salt=salt,
        entropy=env.entropy,
    )
    if slots.open_passphrase_slot(slot, device.vault, stretched, secret) != (keys.vk, keys.generation):
        raise Damaged("The new key did not open after it was made.")
    return slot


def _commit_first(
    env: Env,
    paths: VaultPaths,
    local: LocalState,
    device: DeviceFile,
    header: Header,
    keys: Keys,
    origin: NewOrigin,
    store: SecretStore,
    first: Act,
    how: str,
    more: Sequence[Act] = (),
) -> Session:
    recorder = start_log(env, paths, local, origin, device.user)
    headers = HeaderStore(env.files, paths)
    data = header.to_bytes()
    with recorder.writing():  # no other window of this laptop writes a header between the look and the commit
        if highest_seq(env, paths, header.vik) >= header.seq:
            raise Busy("The vault was changed in another window meanwhile.", "Close that window and try again.")
        written = headers.write(origin.origin, header.seq, data)
        again = Header.parse(headers.read(written))
        signing.check_header(again)
        if table_seal.open_table(again.table, keys.vk, again).pack() != keys.table.pack():
            raise Damaged("The new vault's keys did not open after they were written.")
        session = Session(
            env, paths, local, again, written.digest, keys, recorder, origin.item, store, device, Catalogue.empty(), how
        )
        k = {**(first.k or {}), "seq": header.seq}
        recorder.commit([replace(first, digest=written.digest, size=len(data), k=k), *more])
        session.catalogue.cover(origin.origin, recorder.tail.size, recorder.tail.root)
    local.write_device(device)
    local.keep_identity(header.vik)
    local.keep_place(str(paths.root))
    session.catalogue.set_meta("header-seq", header.seq)
    session.save_local_head()
    try:
        session.save_head()
    except NotevaultError as fault:
        session.notices.append(fault.sentence)
    return session
