"""Unlocking, step by step as in docs/FORMAT.md section 11: from an alleged header to an open session."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from notevault.errors import Damaged, NotevaultError, SecretMissing, SecretsUnavailable
from notevault.ports import SecretStore
from notevault.storage.local import DeviceFile
from notevault.vault import epochs, fails, found, gather, remember, settle, snapshot, standing
from notevault.vault.door import Stretcher, door_of, open_keys, read_secrets, why_not
from notevault.vault.env import Env
from notevault.vault.follow import follow_logs
from notevault.vault.index import Catalogue
from notevault.vault.items import LogItem
from notevault.vault.pending import enter_pending
from notevault.vault.recorder import Act
from notevault.vault.replay import Progress
from notevault.vault.session import Keys, Session
from notevault.vault.standing import Memories, Standing, newest_of
from notevault.vault.survey import TWO_LAPTOPS, Alleged, Survey, alleged_locals, highest_seq, survey


def unlock(
    env: Env,
    vault: Path,
    passphrase: bytes | None,
    *,
    shell: bool,
    keep_okm: bool = False,
    progress: Progress | None = None,
    hold: str | None = None,
) -> Session:
    """An open session. `passphrase` is normalised (`kdf.normalise`); None tries the remembered session only.

    `shell`: a session of some length; a one-shot command's opening is logged with its first act. A vault that is older
    than this laptop has seen it, forked, or whose log does not agree with its signed state is opened for reading:
    `Session.read_only` says why. `hold`: a reason to open it for reading only where there is none of
    those; failed tries then wait for the log that is to follow.

    Raises WrongSecret (passphrase), SecretsUnavailable in its kinds (this laptop's key), NoVault, Damaged, Tampered,
    Refused (costs above what this machine may spend; no remembered session).
    """
    seen = _surveyed(env, vault, passphrase is not None)
    device = seen.device
    if device is None or device.vault != seen.vault_id:
        fails.keep(env, seen.local, "secret-missing")
        raise SecretMissing("This laptop has no key for this vault: the vault was made on another one.")
    store = env.stores.open(device.store, device.vault, device.device)
    try:
        door = door_of(env, seen, device)
    except NotevaultError as fault:
        fails.keep(env, seen.local, why_not(fault))
        raise
    stretcher = Stretcher(passphrase)
    with ThreadPoolExecutor(1) as pool:  # the key store answers while Argon2 runs (it frees the interpreter)
        asked = pool.submit(read_secrets, env, store, device)
        stretcher.stretch(door[0][1])
        try:
            secrets = asked.result()
        except SecretsUnavailable as fault:
            fails.keep(env, seen.local, why_not(fault))
            raise
    held = hold is not None
    keys, alleged = open_keys(env, seen, door, device, secrets, stretcher, keep_okm, held=held)
    opening = _Opening(env, seen, alleged, keys, store, device, expired_ms=secrets.expired_ms, hold=hold)
    opening.how = "remembered" if passphrase is None else "passphrase"
    opening.look(secrets.log)
    if not opening.standing.doubtful:
        session = opening.start()
    else:
        # Since the log was read, another process may have gone on: nothing is concluded before a look at everything
        # again, alone with the log's keys, and at the memories first, so that none can be ahead of the log.
        with epochs.alone(env, seen.local):
            secrets = read_secrets(env, store, device)
            heads = standing.memories(seen.local, device.vault, secrets.log, opening.standing.catalogue)
            seen = survey(env, vault)
            door = door_of(env, seen, device)
            keys, alleged = open_keys(env, seen, door, device, secrets, stretcher, keep_okm, held=held)
            opening.seen, opening.alleged, opening.keys = seen, alleged, keys
            opening.look(secrets.log, heads)
            session = opening.start()
    _take_in(session, opening, shell, progress)
    if passphrase is None and secrets.session is not None:
        session.until_ms = secrets.session.expires_ms
    return session


def _surveyed(env: Env, vault: Path, tried: bool) -> Survey:
    """`survey`; where nothing can be believed the try waits to be logged, if it is known whose it is."""
    try:
        return survey(env, vault)
    except Damaged:
        if tried:
            for local in alleged_locals(env, vault):
                fails.keep(env, local, "header")
        raise


@dataclass
class _Opening:
    """What is there once the keys are open, and how it stands."""

    env: Env
    seen: Survey
    alleged: Alleged
    keys: Keys = field(repr=False)
    store: SecretStore
    device: DeviceFile
    how: str = "passphrase"
    expired_ms: int | None = None  # when a remembered session, which is still about, ran out
    stored: LogItem | None = field(repr=False, default=None)  # as it lay in the key store
    hold: str | None = None
    standing: Standing = field(init=False, repr=False)

    def look(self, item: LogItem | None, heads: Memories | None = None) -> None:
        catalogue = self.standing.catalogue if heads is not None else self._snapshot()
        if heads is None:
            heads = standing.memories(self.seen.local, self.device.vault, item, catalogue)
        self.stored = item
        self.standing = standing.look(self.env, self._opened(), self.keys, self.device, item, catalogue, heads)
        if self.hold is not None and self.standing.read_only in (None, TWO_LAPTOPS):
            self.standing.read_only, self.standing.new_log = self.hold, False

    def _snapshot(self) -> Catalogue | None:
        return snapshot.read(self.env, self.seen.local, self.device.vault, self.keys.table)

    def _opened(self) -> Survey:
        return replace(self.seen, alleged=(self.alleged,))

    def start(self) -> Session:
        found_ = self.standing
        if found_.new_log:
            session = self._without_log_key()
            if found_.catalogue is not None:
                session.catalogue.close()
                session.catalogue = found_.catalogue
        else:
            session = self._session()
        session.heads = found_.heads
        if self.seen.local.identity() != self.alleged.header.vik:
            with contextlib.suppress(NotevaultError):
                self.seen.local.keep_identity(self.alleged.header.vik)
        told = [each for each in self.seen.damaged if each not in (found_.read_only or "") and each != TWO_LAPTOPS]
        session.notices += [*found_.notices, *(f"A key file could not be used: {each}" for each in told)]
        return session

    def _session(self) -> Session:
        found_ = self.standing
        return Session(
            self.env,
            self.seen.paths,
            self.seen.local,
            self.alleged.header,
            self.alleged.digest,
            self.keys,
            found_.recorder,
            found_.recorder.keys or self.stored,
            self.store,
            self.device,
            found_.catalogue or Catalogue.empty(),
            self.how,
            found_.read_only,
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
            newest_of(self.standing.heads),
        )
        session.notices.append(
            "The key of this vault's log was missing on this laptop, so a new log was begun; the old one is kept."
        )
        return session


def _take_in(session: Session, opening: _Opening, shell: bool, progress: Progress | None) -> None:
    settled, headers = settle.settle_log(session) if session.read_only is None else (0, 0)
    with contextlib.suppress(NotevaultError):
        if opening.standing.catalogue is None and session.recorder.tail.size > 2 and session.local.read_head() is None:
            session.notices.append(
                "This laptop's own memory of the vault's last state was gone and is made anew. If you did not"
                " remove it, look at what was done last: `audit`."
            )
    joined = gather.join(session) if session.read_only is not None else None
    complete = follow_logs(session, progress)
    if joined is not None:
        session.notices += gather.words(session, joined.before, opening.alleged.header.origin)
    newest = session.catalogue.get_meta("header-seq")
    if session.read_only is None and isinstance(newest, int) and newest > session.header.seq:
        session.read_only = standing.NEWER
    opened = Act("session.open", "E", k={"how": opening.how})
    if session.read_only is not None:
        session.log_acts([opened])
        return
    blobs = settle.settle_blobs(session) if shell and complete and not session.findings else 0
    settle.tell(session, settled, headers, blobs)
    entered = enter_pending(session)
    if entered:
        session.notices.append("What was opened while the vault was read-only is now in the log.")
    fails.enter(session)
    _remember_this_log(session)
    if session.local.place() != str(session.paths.root):
        with contextlib.suppress(NotevaultError):
            session.local.keep_place(str(session.paths.root))
    if opening.expired_ms is not None:
        remember.forget(session.env, session.store, session.vault_id)
        session.recorder.defer(
            Act("remember.end", "E", "admin", "reported", k={"at": opening.expired_ms, "why": "expiry"})
        )
    if not shell:
        session.recorder.defer(opened)
        return
    session.log_acts([opened])
    if opening.stored is not None:
        try:
            epochs.resume(session, opening.stored)
        except NotevaultError as fault:
            session.notices.append(fault.sentence)


def _remember_this_log(session: Session) -> None:
    """Memories of a log that a new one has taken the place of are put behind, where a crash had left them."""
    with contextlib.suppress(NotevaultError):
        head = session.local.read_head()
        if head is None or head.origin != session.origin:
            session.save_local_head()
        if session.log_item is not None and session.log_item.head.origin != session.origin:
            session.save_head()
