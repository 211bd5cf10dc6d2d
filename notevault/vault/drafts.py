"""Drafts and the view: what is being written, sealed in this device's own folder until it is a revision.

Draft payload (type 5): {"base":version or 0,"client":hex16,"cursor":int,"kept":ms,"note":hex16,"offset":minutes,
"session":ms,"template":str,"text":str,"title":str,"v":1}. View payload (type 7): {"client":hex16 or "","cursor":int,
"note":hex16 or "","screen":str,"v":1}. docs/FORMAT.md sections 5.1 and 9.
"""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from notevault.crypto import objects
from notevault.errors import Damaged, NotFound, UnknownFormat
from notevault.formats import text
from notevault.formats.envelope import Inner, RecordType
from notevault.formats.ids import NO_CLIENT, NO_OBJECT, ObjectId
from notevault.formats.keytable import DRAFTS

if TYPE_CHECKING:
    from notevault.vault.session import Session


@dataclass(frozen=True)
class Draft:
    """Text being written in `note`, begun on revision `base` (0: a new note). `kept` is when it was sealed, in ms."""

    note: bytes
    client: bytes
    base: int
    text: str = field(repr=False)
    cursor: int
    kept: int
    session: int
    offset: int
    template: str = "free"
    title: str = field(default="", repr=False)


_KINDS = {
    "base": int,
    "text": str,
    "cursor": int,
    "kept": int,
    "session": int,
    "offset": int,
    "template": str,
    "title": str,
}


@dataclass(frozen=True)
class View:
    """Where the user was at lock: the open note and the cursor in it, or a screen."""

    screen: str = "home"
    client: bytes = b""
    note: bytes = b""
    cursor: int = 0


class Drafts:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._versions: dict[bytes, int] = {}

    def keep(self, draft: Draft) -> None:
        """Durable when it returns; replaces the draft before. Works in a read-only vault too: no text may be lost."""
        version = self._versions.get(draft.note, 0) + 1
        fields: dict[str, Any] = asdict(draft) | {"v": 1, "note": draft.note.hex(), "client": draft.client.hex()}
        blob = self._seal(RecordType.DRAFT, ObjectId(draft.note), version, text.payload_json(fields))
        self._session.local.drafts.put(draft.note.hex(), blob)
        self._versions[draft.note] = version

    def drop(self, note_id: bytes) -> None:
        """After its text has been acknowledged as a revision."""
        self._session.local.drafts.remove(note_id.hex())

    def list(self) -> list[Draft]:
        """The newest first. One that does not open stays where it is and is told of in the session's notices."""
        found = []
        for name in self._session.local.drafts.list():
            try:
                found.append(self._read(name))
            except Damaged as fault:
                self._session.notices.append(f"A kept draft could not be opened: {fault.sentence}")
            except NotFound:
                continue  # another window has just saved it
        return sorted(found, key=lambda draft: -draft.kept)

    def _read(self, name: str) -> Draft:
        note_id = bytes.fromhex(name)
        inner = self._open(self._session.local.drafts.get(name), RecordType.DRAFT, note_id, None)
        self._versions[note_id] = inner.version
        fields = text.parse_payload(inner.payload)
        if fields.pop("v", None) != 1:
            raise UnknownFormat("A draft was kept by a newer notevault, in a way that this one does not know.")
        try:
            fields["note"], fields["client"] = text.unhex(fields["note"], 16), text.unhex(fields["client"], 16)
            draft = Draft(**fields)
            if any(type(getattr(draft, name)) is not kind for name, kind in _KINDS.items()):
                raise Damaged("A draft holds something other than a draft.")
        except (KeyError, TypeError) as fault:
            raise Damaged("A draft holds something other than a draft.") from fault
        if draft.note != note_id:
            raise Damaged("A draft lies under the name of another one.")
        return draft

    def keep_view(self, view: View) -> None:
        fields = {
            "v": 1,
            "screen": view.screen,
            "client": view.client.hex(),
            "note": view.note.hex(),
            "cursor": view.cursor,
        }
        self._session.local.write_view(self._seal(RecordType.VIEW, NO_OBJECT, 1, text.payload_json(fields)))

    def take_view(self) -> View:
        """Where the user was, and forget it. The home screen when nothing was kept or it does not open."""
        with contextlib.suppress(Damaged, NotFound, KeyError, ValueError):
            blob = self._session.local.read_view()
            if blob is None:
                return View()
            fields = text.parse_payload(self._open(blob, RecordType.VIEW, NO_OBJECT, 1).payload)
            self._session.local.remove_view()
            return View(
                str(fields["screen"]),
                bytes.fromhex(fields["client"]),
                bytes.fromhex(fields["note"]),
                int(fields["cursor"]),
            )
        return View()

    def _seal(self, kind: RecordType, object_id: ObjectId, version: int, payload: bytes) -> bytes:
        session = self._session
        key = session.keys.table.current(DRAFTS)[1]
        return objects.seal_object(
            key, session.vault_id, Inner(kind, NO_CLIENT, object_id, version, payload), session.env.entropy
        )

    def _open(self, blob: bytes, kind: RecordType, object_id: bytes, version: int | None) -> Inner:
        session = self._session
        return objects.open_object(
            session.keys.table.current(DRAFTS)[1],
            session.vault_id,
            blob,
            type=kind,
            client=NO_CLIENT,
            object=object_id,
            version=version,
        )
