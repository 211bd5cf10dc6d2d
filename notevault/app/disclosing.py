"""Disclosing one client's year to an auditor: keys with which her entries are found in the log, and nobody else's.

The keys tell when her records were written and opened, never what they say. Handing them out cannot be undone, so it is
asked for by client and year, agreed to in words, and in the log, durably, before a byte of it leaves the vault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from notevault.app.adding import client_by_code
from notevault.auditlog import disclosure, entry
from notevault.crypto import signing, subkeys
from notevault.errors import NotevaultError, NotFound, UsageFault
from notevault.formats.envelope import RecordType
from notevault.formats.ids import ZERO_ID
from notevault.vault.notebook import ClientView, Notebook
from notevault.vault.recorder import Act, Subject
from notevault.vault.session import Session
from notevault.vault.survey import open_log

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What a disclosure would give away. `entries` of the client in that year, up to `size` of the present log;
    `unread`: sentences about logs that could not be looked at.
    """

    client: ClientView
    year: int
    entries: int
    size: int
    keys: dict[int, bytes] = field(repr=False)
    unread: tuple[str, ...] = ()


def plan(notebook: Notebook, code: str, year: int, progress: Progress | None = None) -> Plan:
    """Raises ReadOnlyVault (it could not be logged), NotFound for a client or a year without entries, UsageFault."""
    session = notebook.session
    session.check_writable()
    if not disclosure.FIRST_YEAR <= year <= disclosure.LAST_YEAR:
        raise UsageFault("That is no year.", "Type it with four digits, like --year 2026.")
    client = client_by_code(notebook, code)
    keys = {
        generation: subkeys.tag_key(key, session.vault_id, client.id, year, generation)
        for (owner, generation), key in session.keys.table.clients.items()
        if owner == client.id
    }
    unread: list[str] = []
    size = session.recorder.tail.size
    found = sum(1 for _ in _matching(session, keys, year, unread, progress or (lambda _done, _all: None)))
    if not found:
        raise NotFound(
            f"The log has no entry about {client.code} in {year}: there is nothing to disclose.",
            "Years are counted in UTC, so the first hours of a new year may belong to the one before.",
        )
    return Plan(client, year, found, size, keys, tuple(unread))


def finds(session: Session, agreed: Plan) -> int:
    """How many entries the file finds by now: those of the plan, and what asking and disclosing have added to them."""
    recorder = session.recorder
    return agreed.entries + sum(
        1 for _ in _ours(agreed.keys, agreed.year, session.origin, recorder.entries(agreed.size, recorder.tail.size))
    )


def gives_away(name: str, year: int) -> str:
    """What has to be understood before it is agreed to; `name` as the asker may see it."""
    return (
        f"Whoever has this file and a copy of the log sees when {name}'s records were written and opened in {year}, "
        "nothing of what they say. It cannot be taken back. The file names nobody: you tell the auditor whose it is."
    )


def disclose(session: Session, agreed: Plan) -> bytes:
    """The file's bytes, after the disclosure is durable in the log. Raises as `Session.log_acts`."""
    session.check_writable()
    client = agreed.client
    generation, _ = session.keys.table.client_current(client.id)
    subject = Subject(RecordType.CLIENT, client.id, ZERO_ID, client.version, generation)
    details: dict[str, object] = {"v": 1, "year": agreed.year}
    session.log_acts([Act("audit.disclose", "R", "review", subject=subject, details=details)])
    vik = signing.private_key(session.keys.table.vik_seed)
    now = session.env.clock.wall_ms()
    return disclosure.make(session.vault_id.hex(), signing.public_bytes(vik), agreed.year, agreed.keys, now, vik.sign)


def _matching(
    session: Session, keys: dict[int, bytes], year: int, unread: list[str], progress: Progress
) -> Iterator[entry.Entry]:
    """The entries of all listed logs that these keys find."""
    for origin in session.header.origins:
        yield from _ours(keys, year, origin, _entries(session, origin, unread, progress))


def _ours(keys: dict[int, bytes], year: int, origin: str, entries: Iterable[bytes]) -> Iterator[entry.Entry]:
    matches = disclosure.matcher(disclosure.Disclosure(tuple(sorted(keys.items())), 0, b"", "", "", year))
    for data in entries:
        if b'"st":' not in data:
            continue
        found = entry.parse(data)
        if isinstance(found, entry.Entry) and matches(found, origin):
            yield found


def _entries(session: Session, origin: str, unread: list[str], progress: Progress) -> Iterator[bytes]:
    try:
        if origin == session.origin:
            size, pieces = session.recorder.tail.size, session.recorder.entries(0, session.recorder.tail.size)
        else:
            log, tail = open_log(session.env, session.paths, session.local, session.header, origin)
            size, pieces = tail.size, log.entries(0, tail.size)
        for done, data in enumerate(pieces, 1):
            yield data
            if done % 4096 == 0:
                progress(done, size)
    except NotevaultError as fault:
        unread.append(f"An older log of this vault could not be read, so its entries are not counted. {fault.sentence}")
