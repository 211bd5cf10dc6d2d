"""The catalogue: what the unlocked vault knows by heart, an in-memory SQLite database with full-text search.

It is a cache of the log and the blobs: losing it costs a rebuild, never a note. Its sealed snapshot is a type 6
object (docs/FORMAT.md section 5); nothing of it touches the disk unsealed (memory journal, memory temp store).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from notevault.errors import Damaged

SCHEMA = 2
_TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE covered(origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE writes(digest TEXT PRIMARY KEY, origin TEXT NOT NULL, i INTEGER NOT NULL, t INTEGER NOT NULL,
  type INTEGER NOT NULL, flags INTEGER NOT NULL, client BLOB NOT NULL, object BLOB NOT NULL,
  version INTEGER NOT NULL, generation INTEGER NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX writes_object ON writes(object, version);
CREATE INDEX writes_client ON writes(client);
CREATE TABLE clients(id BLOB PRIMARY KEY, version INTEGER NOT NULL, digest TEXT NOT NULL, payload BLOB NOT NULL)
  WITHOUT ROWID;
CREATE TABLE notes(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, client BLOB NOT NULL, version INTEGER NOT NULL,
  digest TEXT NOT NULL, signed INTEGER NOT NULL, held_ms INTEGER NOT NULL, saved_ms INTEGER NOT NULL,
  payload BLOB NOT NULL, words INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX notes_client ON notes(client, held_ms);
CREATE INDEX notes_held ON notes(held_ms);
CREATE TABLE damaged(digest TEXT PRIMARY KEY, why TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE refused(origin TEXT NOT NULL, i INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY(origin, i)) WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5(text, content='notes', content_rowid='n',
  tokenize='unicode61 remove_diacritics 2');
"""


@dataclass(frozen=True)
class Write:
    """One record written, as the log and its routing tell it."""

    origin: str
    i: int
    t: int
    digest: str
    size: int
    type: int
    flags: int
    client: bytes
    object: bytes
    version: int
    generation: int


@dataclass(frozen=True)
class NoteRow:
    """The newest revision of a note without its text. `payload` is the record's payload with the text left out."""

    id: bytes
    client: bytes
    version: int
    digest: str
    signed: bool
    held_ms: int
    saved_ms: int
    words: int
    payload: bytes = field(repr=False)


_NOTE = "id, client, version, digest, signed, held_ms, saved_ms, words, payload"


def _note(row: tuple[bytes, bytes, int, str, int, int, int, int, bytes]) -> NoteRow:
    return NoteRow(row[0], row[1], row[2], row[3], bool(row[4]), row[5], row[6], row[7], row[8])


class Catalogue:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.changes = 0  # log entries taken in since the snapshot was written or read

    @classmethod
    def empty(cls) -> Catalogue:
        db = _connect()
        db.executescript(_TABLES)
        db.execute("INSERT INTO meta VALUES('schema', ?)", (SCHEMA,))
        return cls(db)

    @classmethod
    def load(cls, image: bytes | bytearray) -> Catalogue:
        """Raises Damaged for an image that is not this schema (the caller rebuilds)."""
        db = _connect()
        try:
            db.deserialize(image)
            found = db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        except sqlite3.DatabaseError as fault:
            db.close()
            raise Damaged("The search index could not be read.") from fault
        if found != (SCHEMA,):
            db.close()
            raise Damaged("The search index is of another version.")
        db.execute("PRAGMA temp_store = MEMORY")
        return cls(db)

    def image(self) -> bytes:
        return self._db.serialize()

    def close(self) -> None:
        self._db.close()

    def begin(self) -> None:
        self._db.execute("BEGIN")

    def commit(self) -> None:
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    # -- what part of the log is in here

    def covered(self, origin: str) -> tuple[int, bytes] | None:
        row = self._db.execute("SELECT size, root FROM covered WHERE origin = ?", (origin,)).fetchone()
        return None if row is None else (row[0], row[1])

    def origins(self) -> set[str]:
        """The logs of which something is in here."""
        return {row[0] for row in self._db.execute("SELECT origin FROM covered")}

    def cover(self, origin: str, size: int, root: bytes) -> None:
        before = self.covered(origin)
        self.changes += size - (before[0] if before else 0)
        self._db.execute("INSERT OR REPLACE INTO covered VALUES(?, ?, ?)", (origin, size, root))

    def get_meta(self, key: str) -> str | int | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def set_meta(self, key: str, value: str | int) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (key, value))

    # -- writing

    def add_write(self, write: Write) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO writes VALUES(?,?,?,?,?,?,?,?,?,?,?)",
            (
                write.digest,
                write.origin,
                write.i,
                write.t,
                write.type,
                write.flags,
                write.client,
                write.object,
                write.version,
                write.generation,
                write.size,
            ),
        )

    def move_write(self, digest: str, origin: str, i: int) -> None:
        """Another log names the record now."""
        self._db.execute("UPDATE writes SET origin = ?, i = ? WHERE digest = ?", (origin, i, digest))

    def put_client(self, write: Write, payload: bytes) -> None:
        known = self._db.execute("SELECT version, digest FROM clients WHERE id = ?", (write.client,)).fetchone()
        if known is None or (known[0], self._written(known[1])) <= (write.version, write.t):  # as for notes
            self._db.execute(
                "INSERT OR REPLACE INTO clients VALUES(?,?,?,?)", (write.client, write.version, write.digest, payload)
            )

    def put_note(
        self, write: Write, payload: bytes, text: str, words: int, *, signed: bool, held_ms: int, saved_ms: int
    ) -> None:
        known = self._db.execute("SELECT n, version, text, digest FROM notes WHERE id = ?", (write.object,)).fetchone()
        row = (write.client, write.version, write.digest, int(signed), held_ms, saved_ms, payload, words, text)
        if known is None:
            n = self._db.execute(
                "INSERT INTO notes(client, version, digest, signed, held_ms, saved_ms, payload, words, text, id)"
                " VALUES(?,?,?,?,?,?,?,?,?,?)",
                (*row, write.object),
            ).lastrowid
        else:
            n, version, old, known_digest = known
            if (version, self._written(known_digest)) > (write.version, write.t):
                return  # of two revisions with one number, written on two laptops, the later one is shown
            self._db.execute("INSERT INTO texts(texts, rowid, text) VALUES('delete', ?, ?)", (n, old))
            self._db.execute(
                "UPDATE notes SET client=?, version=?, digest=?, signed=?, held_ms=?, saved_ms=?, payload=?,"
                " words=?, text=? WHERE n=?",
                (*row, n),
            )
        self._db.execute("INSERT INTO texts(rowid, text) VALUES(?, ?)", (n, text))

    def _written(self, digest: str) -> int:
        row = self._db.execute("SELECT t FROM writes WHERE digest = ?", (digest,)).fetchone()
        return 0 if row is None else int(row[0])

    def mark_damaged(self, digest: str, why: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO damaged VALUES(?, ?)", (digest, why))

    def unmark_damaged(self, digest: str) -> None:
        self._db.execute("DELETE FROM damaged WHERE digest = ?", (digest,))

    def refuse(self, origin: str, i: int, why: str) -> None:
        """An entry that did not hold: remembered, so that it is told of at every opening."""
        self._db.execute("INSERT OR REPLACE INTO refused VALUES(?, ?, ?)", (origin, i, why))

    # -- reading

    def refused(self) -> list[tuple[str, int, str]]:
        return list(self._db.execute("SELECT origin, i, why FROM refused ORDER BY origin, i"))

    def damaged(self) -> dict[str, str]:
        return dict(self._db.execute("SELECT digest, why FROM damaged"))

    def client_payloads(self) -> list[tuple[bytes, int, bytes]]:
        return list(self._db.execute("SELECT id, version, payload FROM clients"))

    def client_payload(self, client_id: bytes) -> tuple[int, bytes] | None:
        row = self._db.execute("SELECT version, payload FROM clients WHERE id = ?", (client_id,)).fetchone()
        return None if row is None else (row[0], row[1])

    def client_made_elsewhere(self, write: Write) -> bool:
        """Whether another log has the first record of the same client: two people must never become one."""
        row = self._db.execute(
            "SELECT 1 FROM writes WHERE client = ? AND type = 1 AND version = 1 AND origin <> ?",
            (write.client, write.origin),
        ).fetchone()
        return row is not None

    def client_ids(self) -> set[bytes]:
        """Every client with a record, readable or not: no spare key is given out twice."""
        return {row[0] for row in self._db.execute("SELECT DISTINCT client FROM writes")}

    def note(self, note_id: bytes) -> NoteRow | None:
        row = self._db.execute(f"SELECT {_NOTE} FROM notes WHERE id = ?", (note_id,)).fetchone()  # noqa: S608  a constant
        return None if row is None else _note(row)

    def note_ids(self, prefix_hex: str) -> list[bytes]:
        rows = self._db.execute("SELECT id FROM notes WHERE lower(hex(id)) LIKE ? LIMIT 3", (prefix_hex + "%",))
        return [row[0] for row in rows]

    def notes(self, client: bytes | None, *, limit: int = -1, unsigned_only: bool = False) -> list[NoteRow]:
        """Newest session first."""
        where, values = [], []
        if client is not None:
            where.append("client = ?")
            values.append(client)
        if unsigned_only:
            where.append("signed = 0")
        clause = f"WHERE {' AND '.join(where)}" if where else ""
        query = f"SELECT {_NOTE} FROM notes {clause} ORDER BY held_ms DESC, n DESC LIMIT ?"  # noqa: S608  constants only
        return [_note(row) for row in self._db.execute(query, (*values, limit))]

    def texts(self, client: bytes) -> Iterator[tuple[bytes, str]]:
        """Payload (as in `NoteRow`) and text of the newest revision of each of a client's notes, in no order."""
        yield from self._db.execute("SELECT payload, text FROM notes WHERE client = ?", (client,))

    def count_notes(self, client: bytes | None = None) -> int:
        if client is None:
            return int(self._db.execute("SELECT count(*) FROM notes").fetchone()[0])
        return int(self._db.execute("SELECT count(*) FROM notes WHERE client = ?", (client,)).fetchone()[0])

    def note_counts(self) -> dict[bytes, tuple[int, int]]:
        """Client -> (number of notes, newest session ms)."""
        return {
            row[0]: (row[1], row[2])
            for row in self._db.execute("SELECT client, count(*), max(held_ms) FROM notes GROUP BY client")
        }

    def held_before(self, client: bytes, held_ms: int, note_id: bytes) -> int:
        """How many of the client's notes are of an earlier session: session number minus one."""
        row = self._db.execute(
            "SELECT count(*) FROM notes WHERE client = ? AND held_ms < ? AND id <> ?", (client, held_ms, note_id)
        ).fetchone()
        return int(row[0])

    def revisions(self, note_id: bytes) -> list[Write]:
        rows = self._db.execute(
            "SELECT origin,i,t,digest,size,type,flags,client,object,version,generation FROM writes"
            " WHERE object = ? AND type = 2 ORDER BY version, t, i",
            (note_id,),
        )
        return [Write(*row) for row in rows]

    def damaged_writes(self) -> list[Write]:
        """Records that did not open when they were last tried."""
        rows = self._db.execute(
            "SELECT origin,i,t,writes.digest,size,type,flags,client,object,version,generation"
            " FROM writes JOIN damaged ON damaged.digest = writes.digest ORDER BY i"
        )
        return [Write(*row) for row in rows]

    def newest_version(self, kind: int, client: bytes, object_: bytes) -> int:
        """The highest version of a record that the log names, readable or not; 0 when there is none."""
        row = self._db.execute(
            "SELECT max(version) FROM writes WHERE type = ? AND client = ? AND object = ?", (kind, client, object_)
        ).fetchone()
        return int(row[0] or 0)

    def settings_write(self) -> Write | None:
        row = self._db.execute(
            "SELECT origin,i,t,digest,size,type,flags,client,object,version,generation FROM writes"
            " WHERE type = 3 ORDER BY version DESC, i DESC LIMIT 1"
        ).fetchone()
        return None if row is None else Write(*row)

    def writes(self) -> Iterator[Write]:
        """Every record the log names, in no particular order."""
        for row in self._db.execute(
            "SELECT origin,i,t,digest,size,type,flags,client,object,version,generation FROM writes"
        ):
            yield Write(*row)

    def count_writes(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM writes").fetchone()[0])

    def match(self, words: list[str], *, client: bytes | None, limit: int) -> tuple[int, list[tuple[NoteRow, str]]]:
        """Notes holding every word (or its beginning), newest session first: (how many in all, rows with text).

        Each of the `words` holds a letter or a digit, and no NUL.
        """
        if not words:
            return 0, []
        quoted = ['"' + word.replace('"', '""') + '"' for word in words]
        # one letter is a word of its own, not the beginning of nearly every word
        query = " ".join(term + "*" if len(word) > 1 else term for word, term in zip(words, quoted, strict=True))
        found = "FROM texts JOIN notes ON notes.n = texts.rowid WHERE texts MATCH ?"
        values: tuple[object, ...] = (query,)
        if client is not None:
            found, values = found + " AND notes.client = ?", (query, client)
        total = self._db.execute(f"SELECT count(*) {found}", values).fetchone()[0]
        newest = f"SELECT notes.n {found} ORDER BY notes.held_ms DESC, notes.n DESC LIMIT ?"
        ids = [row[0] for row in self._db.execute(newest, (*values, limit))]
        hits = []
        for n in ids:
            row = self._db.execute(f"SELECT {_NOTE}, text FROM notes WHERE n = ?", (n,)).fetchone()  # noqa: S608
            hits.append((_note(row[:9]), row[9]))
        return int(total), hits


def _connect() -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute("PRAGMA journal_mode = MEMORY")
    return db
