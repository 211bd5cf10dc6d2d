"""Unlocking, step by step as in docs/FORMAT.md section 11: from an alleged header to an open session."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from notevault.auditlog import entry
from notevault.errors import (
    LogDamaged,
    NotevaultError,
    NotFound,
    SecretMissing,
    SecretsUnavailable,
)
from notevault.ports import SecretStore
from notevault.storage.local import DeviceFile
from notevault.storage.logfile import LogFile, Tail
from notevault.vault import epochs, fails, found, settle, snapshot
from notevault.vault.door import Stretcher, door_of, open_keys, own_recorder, read_secrets, why_not
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
from notevault.vault.items import LogItem
from notevault.vault.pending import enter_pending
from notevault.vault.recorder import Act, Recorder
from notevault.vault.replay import Progress
from notevault.vault.sealer import VaultSealer
from notevault.vault.session import Keys, Session
from notevault.vault.survey import Alleged, Survey, highest_seq, open_log, survey

_NEWER = "ROLLED BACK: the log tells of a newer key file than the one found here."


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
    door = door_of(env, seen, device)
    stretcher = Stretcher(passphrase)
    with ThreadPoolExecutor(1) as pool:  # the key store answers while Argon2 runs (it frees the interpreter)
        asked = pool.submit(read_secrets, env, store, device)
        stretcher.stretch(door[0][1])
        try:
            secrets = asked.result()
        except SecretsUnavailable as fault:
            fails.keep(env, seen.local, why_not(fault))
            raise
    keys, alleged = open_keys(env, seen, door, device, secrets, stretcher, keep_okm)
    opening = _Opening(env, replace(seen, alleged=(alleged,)), alleged, keys, store, device, secrets.log)
    opening.how = "remembered" if passphrase is None else "passphrase"
    session = opening.start(shell, progress)
    if passphrase is None and secrets.session is not None:
        session.until_ms = secrets.session.expires_ms
    return session


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
    stored: LogItem | None = field(repr=False, default=None)  # `item` as it lay in the key store

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
        if recorder is not None and recorder.keys is None and read_only is None:
            recorder, read_only = self._without_epoch_key(recorder)
        if recorder is None and read_only is None:
            read_only = self._newer_named(viewer)
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
            recorder = own_recorder(self.env, self.seen, self.item, self.device.user)
        except NotFound:
            return None, None  # a new log was begun and did not come to its first entry, or it was taken away
        except LogDamaged as fault:
            return None, damaged_sentence(fault.sentence)
        self.stored, self.item = self.item, recorder.keys or self.item
        return recorder, None

    def _without_epoch_key(self, recorder: Recorder) -> tuple[Recorder | None, str | None]:
        """The log is in an epoch whose key is not here. Closed by this vault itself, the key was lost (an old copy of
        the key store was put back): a new log begins. Closed by anybody else: only with this log's stolen keys.
        """
        found = recorder.brought_by()
        sealer = VaultSealer(self.alleged.header.vault, self.keys.table, self.env.entropy)
        if found is not None and sealer.check_mac(found, recorder.origin):
            return None, None
        place = "" if found is None else f" from entry {found.i} on"
        return recorder, f"FORGED: the log was carried on{place} with a key that is not this vault's."

    def _newer_named(self, log: Recorder) -> str | None:
        """Before a new log begins: whether the one that is here tells of a newer key file than the one found."""
        sealer = VaultSealer(self.alleged.header.vault, self.keys.table, self.env.entropy)
        for data in log.entries(0, log.tail.size):
            found = entry.parse(data)
            if not isinstance(found, entry.Entry) or found.ev != "header.write":
                continue
            if found.k["seq"] > self.alleged.header.seq and sealer.check_mac(found, log.origin):
                return _NEWER
        return None

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
            session.read_only = _NEWER
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
        if not shell:
            session.recorder.defer(opened)
            return
        session.log_acts([opened])
        if self.stored is not None:
            try:
                epochs.resume(session, self.stored)
            except NotevaultError as fault:
                session.notices.append(fault.sentence)
