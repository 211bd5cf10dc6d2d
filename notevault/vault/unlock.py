"""Unlocking, step by step as in docs/FORMAT.md section 11: from an alleged header to an open session."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from notevault.crypto import kdf, signing, slots
from notevault.crypto import keytable as table_seal
from notevault.errors import (
    Damaged,
    NotevaultError,
    NotRemembered,
    SecretForeign,
    SecretMissing,
    SecretsUnavailable,
    Tampered,
    WrongSecret,
)
from notevault.formats.header import Header, PassphraseSlot
from notevault.ports import SecretStore
from notevault.storage.local import DeviceFile, HeadFile
from notevault.storage.logfile import Tail
from notevault.vault import fails, found, remember, settle, snapshot
from notevault.vault.env import Env
from notevault.vault.index import Catalogue
from notevault.vault.items import DEVICE, LOG, SESSION, DeviceItem, Head, LogItem
from notevault.vault.pending import enter_pending
from notevault.vault.recorder import Act, LogSigner, Recorder
from notevault.vault.replay import Progress
from notevault.vault.session import Keys, Session
from notevault.vault.survey import Alleged, Survey, open_log, survey

AskCeiling = Callable[[kdf.KdfParams], bool]


@dataclass(frozen=True)
class Secrets:
    device: DeviceItem
    log: LogItem | None  # absent: a new log is started
    session: remember.Remembered | None


def unlock(
    env: Env,
    vault: Path,
    passphrase: bytes | None,
    *,
    shell: bool,
    keep_okm: bool = False,
    progress: Progress | None = None,
) -> Session:
    """An open session. `passphrase` is normalised (`kdf.normalise`); None tries the remembered session only.

    `shell`: a session of some length; a one-shot command's opening is logged with its first act.

    Raises WrongSecret (passphrase), SecretsUnavailable in its kinds (this laptop's key), NoVault, Damaged, LogDamaged,
    Tampered, Refused (costs above what this machine may spend; no remembered session).
    """
    seen = survey(env, vault)
    device = seen.device
    if device is None or device.vault != seen.vault_id:
        fails.keep(env, seen.local, "secret-missing")
        raise SecretMissing("This laptop has no key for this vault: the vault was made on another one.")
    store = env.stores.open(device.store, device.vault, device.device)
    slot = _slot_of(seen.header, device.device)
    params = kdf.KdfParams(slot.m, slot.t, slot.p)
    kdf.check_floor(params)
    kdf.check_ceiling(params, env.machine.ram_total())
    with ThreadPoolExecutor(1) as pool:  # the key store answers while Argon2 runs (it frees the interpreter)
        asked = pool.submit(_secrets, env, store, device)
        stretched = None if passphrase is None else kdf.argon2id(passphrase, slot.salt, params)
        try:
            secrets = asked.result()
        except SecretsUnavailable as fault:
            fails.keep(env, seen.local, _why(fault))
            raise
    keys, alleged, how = _open_keys(env, seen, device, secrets, passphrase, (slot.salt, params, stretched), keep_okm)
    if secrets.log is None:
        return _without_log_key(env, seen, alleged, keys, store, device, how, progress)
    recorder = own_recorder(env, seen, secrets.log, device.user)
    session = start_session(env, seen, alleged, keys, recorder, secrets.log, store, device, how, shell, progress)
    if how == "remembered" and secrets.session is not None:
        session.until_ms = secrets.session.expires_ms
    return session


def _why(fault: SecretsUnavailable) -> str:
    if isinstance(fault, SecretMissing):
        return "secret-missing"
    return "secret-foreign" if isinstance(fault, SecretForeign) else "keyring"


def _secrets(env: Env, store: SecretStore, device: DeviceFile) -> Secrets:
    device_text, log_text, session_text = store.get([DEVICE, LOG, SESSION])
    if device_text is None:
        raise SecretMissing("This laptop's key for this vault is not in its key store.")
    return Secrets(
        DeviceItem.decode(device_text, device.vault, device.device),
        None if log_text is None else LogItem.decode(log_text),
        remember.recall(env, device, session_text),
    )


def _slot_of(header: Header, device_id: bytes) -> PassphraseSlot:
    for slot in header.slots:
        if isinstance(slot, PassphraseSlot) and slot.device == device_id:
            return slot
    raise SecretMissing(
        "This vault no longer accepts this laptop.", "Your recovery sheet opens it: `notevault recover`."
    )


def _open_keys(
    env: Env,
    seen: Survey,
    device: DeviceFile,
    secrets: Secrets,
    passphrase: bytes | None,
    done: tuple[bytes, kdf.KdfParams, bytes | None],
    keep_okm: bool,
) -> tuple[Keys, Alleged, str]:
    """The first alleged header that this device's slot opens and whose identity is the vault's own."""
    for alleged in seen.alleged:
        slot = _slot_of(alleged.header, device.device)
        try:
            okm = _slot_key(env, slot, device, secrets, passphrase, done)
            vk, generation = slots.open_with_okm(slot, okm)
        except WrongSecret:
            if alleged is seen.alleged[-1]:
                _log_failure(env, seen, device, secrets)
                raise
            continue
        table = table_seal.open_table(alleged.header.table, vk, alleged.header)
        if signing.public_key(table.vik_seed) != alleged.header.vik:
            continue  # a header by somebody else around our own slot and table
        if generation != alleged.header.generation:
            raise Tampered("The vault's key file contradicts itself.")
        how = "remembered" if passphrase is None else "passphrase"
        return Keys(vk, generation, table, okm if keep_okm else None), alleged, how
    raise Tampered("No key file of this vault is signed by the vault itself.")


def _slot_key(
    env: Env,
    slot: PassphraseSlot,
    device: DeviceFile,
    secrets: Secrets,
    passphrase: bytes | None,
    done: tuple[bytes, kdf.KdfParams, bytes | None],
) -> bytes:
    if passphrase is None:
        if secrets.session is None or secrets.session.slot_id != slot.id:
            raise NotRemembered("No session is remembered: the passphrase is needed.")
        return secrets.session.okm
    params = kdf.KdfParams(slot.m, slot.t, slot.p)
    salt, made_with, stretched = done
    if stretched is None or (slot.salt, params) != (salt, made_with):
        kdf.check_params(params, env.machine.ram_total())
        stretched = kdf.argon2id(passphrase, slot.salt, params)
    secret = secrets.device.numbered(slot.ds)
    if secret is None:
        raise SecretMissing("This laptop's key for this vault is an older one than the vault expects.")
    return slots.slot_okm(slot, device.vault, stretched, secret)


def _log_failure(env: Env, seen: Survey, device: DeviceFile, secrets: Secrets) -> None:
    if secrets.log is None:
        fails.keep(env, seen.local, "passphrase")
        return
    try:
        fails.record(env, seen.local, own_recorder(env, seen, secrets.log, device.user), "passphrase")
    except NotevaultError:
        fails.keep(env, seen.local, "passphrase")


def _without_log_key(
    env: Env,
    seen: Survey,
    alleged: Alleged,
    keys: Keys,
    store: SecretStore,
    device: DeviceFile,
    how: str,
    progress: Progress | None,
) -> Session:
    """The log key is gone from the key store: a new log begins, cites the old one, and the user is told."""
    cites: dict[str, object] = {
        "origin": alleged.header.origin,
        "root": alleged.tail.root.hex(),
        "size": alleged.tail.size,
    }
    session = found.restart_log(
        env,
        seen.paths,
        seen.local,
        device,
        store,
        alleged.header,
        alleged.digest,
        keys,
        cites,
        alleged.header.seq,
        how,
    )
    follow_logs(session, progress)
    session.notices.append(
        "The key of this vault's log was missing on this laptop, so a new log was begun; the old one is kept."
    )
    session.log_acts([Act("session.open", "E", k={"how": how})])
    return session


def own_recorder(env: Env, seen: Survey, item: LogItem, user: bytes) -> Recorder:
    """The recorder of this device's own log; NotFound or LogDamaged when that log cannot be used."""
    for alleged in seen.alleged:
        if alleged.header.origin == item.origin:
            return Recorder(env, alleged.log, LogSigner(item), user, alleged.tail)
    log, tail = open_log(env, seen.paths, seen.local, seen.header, item.origin)
    return Recorder(env, log, LogSigner(item), user, tail)


def start_session(
    env: Env,
    seen: Survey,
    alleged: Alleged,
    keys: Keys,
    recorder: Recorder,
    item: LogItem,
    store: SecretStore,
    device: DeviceFile,
    how: str,
    shell: bool,
    progress: Progress | None,
) -> Session:
    """Everything after the keys are open: head against log, settling, catalogue, pending, the session's own entry."""
    read_only = rolled_back(seen, recorder, item.head, alleged.header.seq)
    catalogue = snapshot.read(env, seen.local, alleged.header.vault, keys.table) or Catalogue.empty()
    session = Session(
        env,
        seen.paths,
        seen.local,
        alleged.header,
        alleged.digest,
        keys,
        recorder,
        item,
        store,
        device,
        catalogue,
        how,
        read_only,
    )
    settled, headers = settle.settle_log(session) if read_only is None else (0, 0)
    complete = follow_logs(session, progress)
    newest = session.catalogue.get_meta("header-seq")
    if read_only is None and isinstance(newest, int) and newest > alleged.header.seq:
        session.read_only = "ROLLED BACK: the log tells of a newer key file than the one found here."
    if session.read_only is None:
        blobs = settle.settle_blobs(session) if shell and complete and not session.findings else 0
        settle.tell(session, settled, headers, blobs)
        if enter_pending(session):
            session.notices.append("What was opened while the vault was read-only is now in the log.")
        fails.enter(session)
        opened = Act("session.open", "E", k={"how": how})
        if shell:
            session.log_acts([opened])
        else:
            recorder.defer(opened)
    return session


def rolled_back(seen: Survey, recorder: Recorder, kept: Head, seq: int) -> str | None:
    """Why the vault must stay read-only: older than, or other than, what this laptop has seen. None when it is fine."""
    heads = [kept]
    try:
        local = seen.local.read_head()
    except Damaged:
        local = None
    if local is not None and local.vault == seen.vault_id:
        heads.append(_head(local))
    for head in heads:
        if head.seq > seq:
            return f"ROLLED BACK: this laptop has seen key file {head.seq}, the vault now ends with {seq}."
        if head.origin != recorder.origin or head.size == 0:
            continue
        if head.size > recorder.tail.size:
            return f"ROLLED BACK: this laptop has seen {head.size} log entries, the vault now has {recorder.tail.size}."
        if recorder.root_at(head.size) != head.root:
            return f"FORKED: the first {head.size} log entries are not the ones this laptop has seen."
    return None


def _head(local: HeadFile) -> Head:
    return Head(local.origin, local.size, local.root, local.seq)


def follow_logs(session: Session, progress: Progress | None) -> bool:
    """Take in what the catalogue has not seen of every log the header lists; whether all of them could be read.

    A log that does not continue what the snapshot covers makes the catalogue be built anew.
    """
    complete = True
    logs: list[tuple[str, Tail, Callable[[int, int], object]]] = []
    for origin in sorted(session.header.origins):
        if origin == session.origin:
            logs.append((origin, session.recorder.tail, session.recorder.entries))
            continue
        try:
            log, tail = open_log(session.env, session.paths, session.local, session.header, origin)
        except NotevaultError as fault:
            session.notices.append(f"An older log of this vault could not be read: {fault.sentence}")
            complete = False
            continue
        if tail.size < session.header.origins[origin]:
            session.notices.append("An older log of this vault is shorter than it was when it was closed.")
            complete = False
        logs.append((origin, tail, log.entries))
    if any(not _continues(session, origin, tail) for origin, tail, _ in logs):
        session.catalogue.close()
        session.catalogue = Catalogue.empty()
    for name, tail, entries in logs:
        start = (session.catalogue.covered(name) or (0, b""))[0]
        if start == tail.size:
            continue
        replayer = session.replayer()
        replayer.run(name, start, entries(start, tail.size), tail.size, tail.root, progress)  # type: ignore[arg-type]
        session.findings += replayer.findings
    return complete


def _continues(session: Session, origin: str, tail: Tail) -> bool:
    covered = session.catalogue.covered(origin)
    if covered is None:
        return True
    size, root = covered
    if size > tail.size:
        return False
    if size == tail.size:
        return root == tail.root
    if origin == session.origin:
        return session.recorder.root_at(size) == root
    return True  # an older log is closed: it does not grow behind our back, and every entry is checked by `verify`
