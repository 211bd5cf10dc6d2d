"""Unlocking, step by step as in docs/FORMAT.md section 11: from an alleged header to an open session."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from notevault.crypto import kdf, signing, slots
from notevault.crypto import keytable as table_seal
from notevault.errors import (
    Damaged,
    KeyringLied,
    LogDamaged,
    NotevaultError,
    NotFound,
    Refused,
    SecretForeign,
    SecretMissing,
    SecretsUnavailable,
    Tampered,
    WrongSecret,
)
from notevault.formats.header import Header, PassphraseSlot
from notevault.formats.keytable import KeyTable
from notevault.ports import SecretStore
from notevault.storage.local import DeviceFile
from notevault.storage.logfile import LogFile, Tail
from notevault.vault import fails, found, remember, settle, snapshot
from notevault.vault.env import Env
from notevault.vault.follow import (
    damaged_sentence,
    follow_logs,
    heads_seen,
    not_superseded,
    rolled_back,
    snapshot_heads,
)
from notevault.vault.index import Catalogue
from notevault.vault.items import DEVICE, LOG, SESSION, DeviceItem, LogItem
from notevault.vault.pending import enter_pending
from notevault.vault.recorder import Act, LogSigner, Recorder
from notevault.vault.replay import Progress
from notevault.vault.session import Keys, Session
from notevault.vault.survey import Alleged, Survey, highest_seq, open_log, survey

AskCeiling = Callable[[kdf.KdfParams], bool]
Door = list[tuple[Alleged, PassphraseSlot]]
"""The alleged headers that have a slot for this laptop, the highest first."""


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

    `shell`: a session of some length; a one-shot command's opening is logged with its first act. A vault that is older
    than this laptop has seen it, forked, or whose log does not agree with its signed state is opened for reading:
    `Session.read_only` says why.

    Raises WrongSecret (passphrase), SecretsUnavailable in its kinds (this laptop's key), NoVault, Damaged, Tampered,
    Refused (costs above what this machine may spend; no remembered session).
    """
    seen = survey(env, vault)
    device = seen.device
    if device is None or device.vault != seen.vault_id:
        fails.keep(env, seen.local, "secret-missing")
        raise SecretMissing("This laptop has no key for this vault: the vault was made on another one.")
    store = env.stores.open(device.store, device.vault, device.device)
    door = _door(env, seen, device)
    stretcher = _Stretcher(passphrase)
    with ThreadPoolExecutor(1) as pool:  # the key store answers while Argon2 runs (it frees the interpreter)
        asked = pool.submit(_secrets, env, store, device)
        stretcher.stretch(door[0][1])
        try:
            secrets = asked.result()
        except SecretsUnavailable as fault:
            fails.keep(env, seen.local, _why(fault))
            raise
    keys, alleged = _open_keys(env, seen, door, device, secrets, stretcher, keep_okm)
    opening = _Opening(env, replace(seen, alleged=(alleged,)), alleged, keys, store, device, secrets.log)
    opening.how = "remembered" if passphrase is None else "passphrase"
    session = opening.start(shell, progress)
    if passphrase is None and secrets.session is not None:
        session.until_ms = secrets.session.expires_ms
    return session


def _door(env: Env, seen: Survey, device: DeviceFile) -> Door:
    """Raises SecretMissing when no header knows this laptop, Refused for costs outside what this machine may spend."""
    door: Door = []
    refused: Refused | None = None
    own = seen.local.identity()  # headers of others, put here to cost us an Argon2 each, are not even tried
    known = [each for each in seen.alleged if own is None or own in (each.header.vik, _former_vik(each.header))]
    for alleged in known or seen.alleged:
        for slot in alleged.header.slots:
            if not isinstance(slot, PassphraseSlot) or slot.device != device.device:
                continue
            try:
                kdf.check_params(_params(slot), env.machine.ram_total())
            except Refused as fault:
                refused = refused or fault
            else:
                door.append((alleged, slot))
    if door:
        return door
    raise refused or SecretMissing(
        "This vault no longer accepts this laptop.", "Your recovery sheet opens it: `notevault recover`."
    )


def _former_vik(header: Header) -> bytes | None:
    """The identity that vouches for a renewed one."""
    return header.cross.vik if header.cross is not None and signing.verify_cross(header) else None


def _params(slot: PassphraseSlot) -> kdf.KdfParams:
    return kdf.KdfParams(slot.m, slot.t, slot.p)


class _Stretcher:
    """Argon2 of the passphrase, once for each salt and cost. Several headers mostly share one slot."""

    def __init__(self, passphrase: bytes | None) -> None:
        self.passphrase = passphrase
        self._done: dict[tuple[bytes, kdf.KdfParams], bytes] = {}

    def stretch(self, slot: PassphraseSlot) -> bytes:
        if self.passphrase is None:
            return b""
        at = (slot.salt, _params(slot))
        if at not in self._done:
            self._done[at] = kdf.argon2id(self.passphrase, *at)
        return self._done[at]


def _why(fault: SecretsUnavailable) -> str:
    if isinstance(fault, SecretMissing):
        return "secret-missing"
    return "secret-foreign" if isinstance(fault, SecretForeign) else "keyring"


def _secrets(env: Env, store: SecretStore, device: DeviceFile) -> Secrets:
    device_text, log_text, session_text = store.get([DEVICE, LOG, SESSION])
    if device_text is None:
        raise SecretMissing("This laptop's key for this vault is not in its key store.")
    try:
        return Secrets(
            DeviceItem.decode(device_text, device.vault, device.device),
            None if log_text is None else LogItem.decode(log_text),
            remember.recall(env, device, session_text),
        )
    except Damaged:
        raise KeyringLied("Your system's key store gave back something else than this laptop's key.") from None


def _open_keys(
    env: Env,
    seen: Survey,
    door: Door,
    device: DeviceFile,
    secrets: Secrets,
    stretcher: _Stretcher,
    keep_okm: bool,
) -> tuple[Keys, Alleged]:
    """The first alleged header that this device's slot opens and whose identity is the vault's own."""
    wrong: WrongSecret | None = None
    fault: NotevaultError | None = None
    for alleged, slot in door:
        header = alleged.header
        try:
            okm = _slot_key(slot, device, secrets, stretcher)
            vk, generation = slots.open_with_okm(slot, okm)
            table = table_seal.open_table(header.table, vk, header)
            _check_identity(header, table, generation)
        except WrongSecret as refused:
            wrong = wrong or refused
        except (Damaged, Tampered, Refused, SecretMissing) as other:
            fault = fault or other  # somebody else's header around our own slot, or an older slot: try the next
        else:
            return Keys(vk, generation, table, okm if keep_okm else None), alleged
    if wrong is not None and not isinstance(fault, Damaged):  # damage shows only after the passphrase was right
        _log_failure(env, seen, device, secrets)
        raise wrong
    raise fault or Tampered("No key file of this vault is signed by the vault itself.")


def _check_identity(header: Header, table: KeyTable, generation: int) -> None:
    if signing.public_key(table.vik_seed) != header.vik or generation != header.generation:
        raise Tampered("No key file of this vault is signed by the vault itself.")


def _slot_key(slot: PassphraseSlot, device: DeviceFile, secrets: Secrets, stretcher: _Stretcher) -> bytes:
    if stretcher.passphrase is None:
        if secrets.session is None or secrets.session.slot_id != slot.id:
            raise Refused("No remembered session: the passphrase is needed.", "Type it, or run `notevault remember`.")
        return secrets.session.okm
    secret = secrets.device.numbered(slot.ds)
    if secret is None:
        raise SecretMissing("This laptop's key for this vault is an older one than the vault expects.")
    return slots.slot_okm(slot, device.vault, stretcher.stretch(slot), secret)


def _log_failure(env: Env, seen: Survey, device: DeviceFile, secrets: Secrets) -> None:
    if secrets.log is None:
        fails.keep(env, seen.local, "passphrase")
        return
    try:
        recorder = own_recorder(env, seen, secrets.log, device.user)
        heads, _ = heads_seen(seen.local, device.vault, secrets.log)
        if rolled_back(
            heads, seen.header, recorder, lambda origin: open_log(env, seen.paths, seen.local, seen.header, origin)
        ):
            fails.keep(env, seen.local, "passphrase")  # an old copy put back: nothing is written onto it
        else:
            fails.record(env, seen.local, recorder, "passphrase")
    except NotevaultError:
        fails.keep(env, seen.local, "passphrase")


def own_recorder(env: Env, seen: Survey, item: LogItem, user: bytes) -> Recorder:
    """The recorder of this device's own log. NotFound where the vault has no such log, LogDamaged for a bad one."""
    for alleged in seen.alleged:
        if alleged.header.origin == item.origin:
            if alleged.fault is not None:
                raise LogDamaged(alleged.fault)
            return Recorder(env, alleged.log, LogSigner(item), user, alleged.tail)
    for alleged in seen.alleged:
        if item.origin in alleged.header.origins:
            log, tail = open_log(env, seen.paths, seen.local, alleged.header, item.origin)
            return Recorder(env, log, LogSigner(item), user, tail)
    raise NotFound("The log that this laptop writes is not in the vault.", "")


@dataclass
class _Opening:
    """Everything after the keys are open: head against log, settling, catalogue, pending, the session's own entry."""

    env: Env
    seen: Survey  # with the opened header alone
    alleged: Alleged
    keys: Keys = field(repr=False)
    store: SecretStore
    device: DeviceFile
    item: LogItem | None = field(repr=False)
    how: str = "passphrase"

    def start(self, shell: bool, progress: Progress | None) -> Session:
        catalogue = snapshot.read(self.env, self.seen.local, self.device.vault, self.keys.table)
        recorder, read_only = self._recorder()
        heads, notices = heads_seen(self.seen.local, self.device.vault, self.item)
        viewer = recorder or self._viewer()
        if catalogue is not None:
            heads += snapshot_heads(catalogue)
        if read_only is None:
            try:
                heads = not_superseded(heads, viewer, catalogue)
                read_only = rolled_back(heads, self.alleged.header, viewer, self._look)
            except LogDamaged as fault:
                read_only = damaged_sentence(fault.sentence)
        if recorder is None and read_only is None:
            session = self._without_log_key()
            if catalogue is not None:
                session.catalogue.close()
                session.catalogue = catalogue
        else:
            session = self._session(viewer, catalogue or Catalogue.empty(), read_only)
        session.heads = heads
        if self.seen.local.identity() != self.alleged.header.vik:
            with contextlib.suppress(NotevaultError):
                self.seen.local.keep_identity(self.alleged.header.vik)
        told = [each for each in self.seen.damaged if each not in (read_only or "")]
        session.notices += [*notices, *(f"A key file could not be used: {each}" for each in told)]
        self._take_in(session, shell, progress)
        return session

    def _recorder(self) -> tuple[Recorder | None, str | None]:
        """The recorder of our own log, or None and perhaps why the vault can only be read."""
        if self.alleged.fault is not None:
            return None, damaged_sentence(self.alleged.fault)
        if self.item is None:
            return None, None
        try:
            return own_recorder(self.env, self.seen, self.item, self.device.user), None
        except NotFound:
            return None, None  # a new log was begun and did not come to its first entry, or it was taken away
        except LogDamaged as fault:
            return None, damaged_sentence(fault.sentence)

    def _look(self, origin: str) -> tuple[LogFile, Tail]:
        return open_log(self.env, self.seen.paths, self.seen.local, self.alleged.header, origin)

    def _viewer(self) -> Recorder:
        return Recorder(self.env, self.alleged.log, None, self.device.user, self.alleged.tail)

    def _session(self, recorder: Recorder, catalogue: Catalogue, read_only: str | None) -> Session:
        return Session(
            self.env,
            self.seen.paths,
            self.seen.local,
            self.alleged.header,
            self.alleged.digest,
            self.keys,
            recorder,
            self.item,
            self.store,
            self.device,
            catalogue,
            self.how,
            read_only,
        )

    def _without_log_key(self) -> Session:
        """The log key is gone from the key store: a new log begins, cites the old one, and the user is told."""
        header, tail = self.alleged.header, self.alleged.tail
        cites: dict[str, object] = {"origin": header.origin, "root": tail.root.hex(), "size": tail.size}
        session = found.restart_log(
            self.env,
            self.seen.paths,
            self.seen.local,
            self.device,
            self.store,
            header,
            self.alleged.digest,
            self.keys,
            cites,
            highest_seq(self.env, self.seen.paths, header.vik),
            self.how,
        )
        session.notices.append(
            "The key of this vault's log was missing on this laptop, so a new log was begun; the old one is kept."
        )
        return session

    def _take_in(self, session: Session, shell: bool, progress: Progress | None) -> None:
        settled, headers = settle.settle_log(session) if session.read_only is None else (0, 0)
        complete = follow_logs(session, progress)
        newest = session.catalogue.get_meta("header-seq")
        if session.read_only is None and isinstance(newest, int) and newest > session.header.seq:
            session.read_only = "ROLLED BACK: the log tells of a newer key file than the one found here."
        opened = Act("session.open", "E", k={"how": self.how})
        if session.read_only is not None:
            session.log_acts([opened])
            return
        blobs = settle.settle_blobs(session) if shell and complete and not session.findings else 0
        settle.tell(session, settled, headers, blobs)
        entered = enter_pending(session)
        if entered:
            session.notices.append("What was opened while the vault was read-only is now in the log.")
        fails.enter(session)
        if any(head.origin != session.origin for head in session.heads):
            session.save_local_head()  # of a log that a new one has taken the place of
        if shell:
            session.log_acts([opened])
        else:
            session.recorder.defer(opened)
