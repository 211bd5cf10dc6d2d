"""Closing an epoch of the log, so that a key stolen later cannot rewrite what came before (docs/FORMAT.md section 6.5).

    look      is the log in the epoch whose key we have? a fresh next key is drawn       log, under the writer lock
    prepare   the next key is stored beside the present one and read back                key store, up to seconds
    commit    an entry brings it; that state, signed by the outgoing key, is the seal    log, under the writer lock
    switch    the next key takes the place of the present one, which is gone             key store, up to seconds

`look` and `commit` need the vault for themselves; in an open shell the others run beside the writing. Interrupted
before `commit`, nothing has happened; after it, the key store still has both keys and the log says which one counts.
Whoever writes the log's item in the key store holds `log.lock` and has looked at the log and the newest key file since,
so that no key is ever written over by an older one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from notevault.auditlog import entry
from notevault.crypto import signing
from notevault.errors import Busy, Refused
from notevault.ports import SecretStore
from notevault.storage.local import LocalState
from notevault.vault.env import Env
from notevault.vault.items import LOG, Head, LogItem
from notevault.vault.recorder import Act
from notevault.vault.survey import check_newest

if TYPE_CHECKING:
    from notevault.vault.session import Session

ENTRIES = 256
"""After so many entries an epoch is due, in a shell and in one-shot commands."""
ACTIVE_MS = 15 * 60_000
"""So long after a vault was opened, or the last epoch closed, it is due in an open shell."""
ALONE_MS = 24 * 3600_000
"""One-shot commands, which may follow each other by the minute, leave it until its first entry is so old."""


class _Held(threading.local):
    """The locks that this thread holds."""

    def __init__(self) -> None:
        self.held: set[Path] = set()


_here = _Held()


def due(session: Session) -> bool:
    """In an open shell. Cheap enough for every second; reads a file once after each close."""
    count = _entries(session)
    return count >= ENTRIES or (count > 0 and session.env.clock.boot_ms() - session.epoch_since_ms >= ACTIVE_MS)


def due_alone(session: Session) -> bool:
    """At the end of a one-shot command."""
    count = _entries(session)
    if not 0 < count < ENTRIES:
        return count > 0
    for data in session.recorder.entries(session.recorder.epoch_begun(), session.recorder.epoch_begun() + 1):
        found = entry.parse(data)
        age = session.env.clock.wall_ms() - found.t if isinstance(found, entry.Entry) else 0
        return not 0 <= age < ALONE_MS  # an entry of tomorrow: the clock was moved, and tells nothing
    return False


def _entries(session: Session) -> int:
    if session.read_only is not None or session.log_item is None:
        return 0
    return session.recorder.tail.size - session.recorder.epoch_begun()


def close_epoch(session: Session) -> None:
    """All the steps. Raises SecretsUnavailable in its kinds, Busy, DiskFull, CannotWrite, StorageFault.

    Whatever fails, the log goes on: in the old epoch, or in the new one with both keys in the key store.
    """
    with closing(session) as close:
        close.look()
        close.prepare()
        close.commit()
        close.switch()


class Closing:
    """One close, step by step; see `closing`."""

    def __init__(self, session: Session, store: SecretStore) -> None:
        self._session = session
        self._store = store
        self._next: LogItem | None = None

    def look(self) -> None:
        """Raises Refused where this vault was opened anew in another window: its log has taken the place of ours."""
        session = self._session
        with session.recorder.writing():  # another process may have closed it meanwhile
            check_newest(session)
            item = session.recorder.signer().item
            self._next = replace(item, next_seed=session.env.entropy.draw(32), head=_head(session, item))

    def prepare(self) -> None:
        assert self._next is not None, "looked before"
        self._store.put(LOG, self._next.encode())

    def commit(self) -> None:
        """Milliseconds. Other windows cannot have closed the epoch since `look`: `log.lock` is held."""
        session, item = self._session, self._next
        assert item is not None, "prepared before"
        advanced = item.at(item.epoch + 1)
        assert advanced is not None, "with a next key"
        recorder = session.recorder
        with recorder.writing():
            key = signing.public_key(advanced.epoch_seed)
            start = recorder.tail.size
            tail = recorder.commit([Act("epoch.close", "E", "system", k={"key": key.hex()})])
            recorder.use(advanced)
            session.log_item = advanced
            session.epoch_since_ms = session.env.clock.boot_ms()
            session.covered_to(start, tail)
            recorder.seal()

    def switch(self) -> None:
        session = self._session
        assert session.log_item is not None, "committed before"
        item = replace(session.log_item, head=_head(session, session.log_item))
        self._store.put(LOG, item.encode())
        session.log_item = item


def _head(session: Session, item: LogItem) -> Head:
    head = session.recorder.head(session.header.seq)
    return head if head.origin == item.origin else item.head


@contextmanager
def closing(session: Session, store: SecretStore | None = None, wait_s: float = 0.5) -> Iterator[Closing]:
    """Alone with the log's item of the key store; `store`: another way to it than the session's own.

    Busy when another window, or another thread, is closing.
    """
    with alone(session.env, session.local, wait_s):
        yield Closing(session, store or session.store)


@contextmanager
def alone(env: Env, local: LocalState, wait_s: float = 5.0) -> Iterator[None]:
    """Nobody else writes the log's item in the key store meanwhile, and no epoch is closed. Raises Busy."""
    path = local.paths.log_lock
    if path in _here.held:
        yield  # a new log is begun within an opening that holds it already
        return
    env.files.make_folder(path.parent)
    lock = env.files.lock(path, wait_s=wait_s)
    try:
        lock.__enter__()
    except Busy:
        raise Busy(
            "The key of this vault's log is being changed just now, and your system's key store takes its time.",
            "Try again in a moment.",
        ) from None
    # Entered by hand: a Busy raised inside the block belongs to the caller and keeps its own words.
    _here.held.add(path)
    try:
        yield
    finally:
        _here.held.discard(path)
        lock.__exit__(None, None, None)


def save_head(session: Session) -> None:
    """The newest state into the key store, for the day an old copy of the folder is put back.

    Whoever is closing an epoch, or has begun a new log, writes a newer one: then nothing is done. Raises
    SecretsUnavailable in its kinds.
    """
    try:
        with alone(session.env, session.local, 0.0):
            with session.recorder.writing():  # a fresh look
                check_newest(session)
                held = None if session.log_item is None else session.log_item.at(session.recorder.tail.epoch)
            if held is None:
                return  # another process closed the epoch, and wrote its head
            session.log_item = replace(held, head=_head(session, held))
            session.store.put(LOG, session.log_item.encode())
    except (Busy, Refused):
        return


def resume(session: Session, stored: LogItem) -> None:
    """At an opening: a close that was interrupted before its last step comes to its end. `stored`: as it was read."""
    if session.log_item is not None and session.log_item.epoch != stored.epoch:
        save_head(session)
