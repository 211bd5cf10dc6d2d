"""Closing an epoch of the log, so that a key stolen later cannot rewrite what came before (docs/FORMAT.md section 6.5).

    look      is the log in the epoch whose key we have? a fresh next key is drawn       log, under the writer lock
    prepare   the next key is stored beside the present one and read back                key store, up to seconds
    commit    an entry brings it; that state, signed by the outgoing key, is the seal    log, under the writer lock
    switch    the next key takes the place of the present one, which is gone             key store, up to seconds

`look` and `commit` need the vault for themselves; in an open shell the others run beside the writing. Interrupted
before `commit`, nothing has happened; after it, the key store still has both keys and the log says which one counts.
Whoever writes the log's item in the key store holds `log.lock`, so that no key is ever written over by an older one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from notevault.auditlog import entry
from notevault.crypto import signing
from notevault.errors import Busy
from notevault.vault.items import LOG, Head, LogItem
from notevault.vault.recorder import Act

if TYPE_CHECKING:
    from notevault.vault.session import Session

ENTRIES = 256
"""After so many entries an epoch is due, in a shell and in one-shot commands."""
ACTIVE_MS = 15 * 60_000
"""So long after a vault was opened, or the last epoch closed, it is due in an open shell."""
ALONE_MS = 24 * 3600_000
"""One-shot commands, which may follow each other by the minute, leave it until its first entry is so old."""


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
        return isinstance(found, entry.Entry) and session.env.clock.wall_ms() - found.t >= ALONE_MS
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

    def __init__(self, session: Session) -> None:
        self._session = session
        self._next: LogItem | None = None

    def look(self) -> None:
        session = self._session
        with session.recorder.writing():  # another process may have closed it meanwhile
            item = session.recorder.signer().item
            self._next = replace(item, next_seed=session.env.entropy.draw(32), head=_head(session, item))

    def prepare(self) -> None:
        assert self._next is not None, "looked before"
        self._session.store.put(LOG, self._next.encode())

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
        session.store.put(LOG, item.encode())
        session.log_item = item


def _head(session: Session, item: LogItem) -> Head:
    head = session.recorder.head(session.header.seq)
    return head if head.origin == item.origin else item.head


@contextmanager
def closing(session: Session, wait_s: float = 0.5) -> Iterator[Closing]:
    """Alone with the log's item of the key store. Busy when another window, or another thread, is closing."""
    with alone(session, wait_s):
        yield Closing(session)


@contextmanager
def alone(session: Session, wait_s: float) -> Iterator[None]:
    session.env.files.make_folder(session.local.paths.log_lock.parent)
    with session.env.files.lock(session.local.paths.log_lock, wait_s=wait_s):
        yield


def save_head(session: Session) -> None:
    """The newest state into the key store, for the day an old copy of the folder is put back.

    Whoever is closing an epoch writes a newer one: then nothing is done. Raises SecretsUnavailable in its kinds.
    """
    try:
        with alone(session, 0.0):
            with session.recorder.writing():  # a fresh look
                held = None if session.log_item is None else session.log_item.at(session.recorder.tail.epoch)
            if held is None:
                return  # another process closed the epoch, and wrote its head
            session.log_item = replace(held, head=_head(session, held))
            session.store.put(LOG, session.log_item.encode())
    except Busy:
        return


def resume(session: Session, stored: LogItem) -> None:
    """At an opening: a close that was interrupted before its last step comes to its end. `stored`: as it was read."""
    if session.log_item is not None and session.log_item.epoch != stored.epoch:
        save_head(session)
