"""Many notes at once: an import, in commits that each count wholly or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from notevault.domain.clients import Client
from notevault.domain.notes import Note
from notevault.errors import NotevaultError
from notevault.storage.layout import BUNDLE
from notevault.vault.headers import spare_client
from notevault.vault.recorder import Act
from notevault.vault.session import SNAPSHOT_EVERY, NewRecord

if TYPE_CHECKING:
    from notevault.vault.notebook import Notebook

BATCH = 256  # records in one commit: one sync for many files, and progress that moves


def import_all(
    book: Notebook,
    items: Sequence[tuple[Client | bytes, Note]],
    progress: Callable[[int, int], None] | None = None,
) -> tuple[int, int]:
    """New clients (given as a Client, the same object for all its notes) and notes, in batches: (clients, notes). The
    log is told how many records that are, not how many of them are clients.

    A crash in the middle leaves whole batches; what is in is in, and a failure says how many that are.
    """
    session = book.session
    session.check_writable()
    ids: dict[int, bytes] = {}
    done = 0
    while done < len(items):
        try:
            with session.recorder.writing():  # a spare key is taken and its first record written in one go
                done += _import_batch(book, items[done : done + BATCH], ids)
        except NotevaultError as fault:
            if done:
                fault.sentence += f" The first {done} of {len(items)} notes are saved; do not import those again."
            raise
        if progress is not None:
            progress(done, len(items))
    made = len(ids)
    session.log_acts([Act("import.run", "E", "import", k={"n": made + len(items)})])
    if session.catalogue.changes >= SNAPSHOT_EVERY:
        session.save_snapshot()
    return made, len(items)


def _import_batch(book: Notebook, items: Sequence[tuple[Client | bytes, Note]], ids: dict[int, bytes]) -> int:
    """One commit, within one bundle of the log so that all of it counts or none; returns how many of the items are
    in it. `ids`: the clients made so far, by object.
    """
    session = book.session
    size = session.recorder.tail.size
    room = BUNDLE - size % BUNDLE - 2  # a deferred entry or a clock jump may come first
    most = max(2, min(BATCH, room - 1))
    records: list[NewRecord] = []
    taken: set[bytes] = set()
    made: dict[int, bytes] = {}
    count = 0
    for owner, note in items:
        if len(records) >= most:
            break
        client_id = owner if isinstance(owner, bytes) else ids.get(id(owner)) or made.get(id(owner))
        if client_id is None:
            assert isinstance(owner, Client), "bytes were taken above"
            client_id = made[id(owner)] = spare_client(session, taken)
            taken.add(client_id)
            records.append(book.client_record(client_id, owner, 1, purpose="import"))
        records.append(book.note_record(client_id, session.env.entropy.draw(16), 1, note, "import"))
        count += 1
    session.write(records)
    ids.update(made)
    return count
