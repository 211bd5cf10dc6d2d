"""What is opened while nothing may be written (rolled back, forked) is kept sealed and entered later as *reported*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from notevault.crypto import objects
from notevault.errors import Damaged, NotFound
from notevault.formats import text
from notevault.formats.envelope import Inner, RecordType
from notevault.formats.ids import NO_CLIENT, ObjectId
from notevault.formats.keytable import DRAFTS
from notevault.vault.recorder import Act, Subject, with_outcome
from notevault.vault.replay import record_key

if TYPE_CHECKING:
    from notevault.vault.session import Session


def keep_pending(session: Session, acts: Sequence[Act]) -> None:
    """One durable sealed file for these acts; where it cannot be written the error goes up and no text is shown."""
    at = session.env.clock.wall_ms()
    name = ObjectId(session.env.entropy.draw(16))
    payload = text.payload_json({"v": 1, "at": at, "acts": [_fields(act) for act in acts]})
    blob = objects.seal_object(
        session.keys.table.current(DRAFTS)[1],
        session.vault_id,
        Inner(RecordType.PENDING, NO_CLIENT, name, 1, payload),
        session.env.entropy,
    )
    session.local.pending.put(name.hex(), blob)


def enter_pending(session: Session) -> int:
    """Enter what was kept, oldest first, then remove the files. Returns how many acts.

    A file that does not open stays, and the user is told: it must not keep her from her notes.
    """
    found: list[tuple[int, list[Act]]] = []
    names = []
    for name in session.local.pending.list():
        try:
            at, acts = _read(session, name)
        except Damaged:
            session.notices.append("What was opened while the vault was read-only was kept, but its record is damaged.")
            continue
        except NotFound:
            continue  # another window has just entered it
        found.append((at, [with_outcome(act, "reported", at) for act in acts]))
        names.append(name)
    acts = [act for _, some in sorted(found, key=lambda pair: pair[0]) for act in some]
    if acts:
        session.log_acts(acts)
    for name in names:
        session.local.pending.remove(name)
    return len(acts)


def _read(session: Session, name: str) -> tuple[int, list[Act]]:
    """(when, what) of one file. Raises Damaged, also for what this vault has no key for; NotFound."""
    inner = objects.open_object(
        session.keys.table.current(DRAFTS)[1],
        session.vault_id,
        session.local.pending.get(name),
        type=RecordType.PENDING,
        client=NO_CLIENT,
        object=ObjectId(bytes.fromhex(name)),
        version=1,
    )
    fields = text.parse_payload(inner.payload)
    acts = [_act(act) for act in fields["acts"]]
    for act in acts:
        if act.subject is not None:
            record_key(session.keys.table, act.subject)
    return fields["at"], acts


def _fields(act: Act) -> dict[str, Any]:
    fields: dict[str, Any] = {"ev": act.event, "a": act.action, "pu": act.purpose}
    if act.k is not None:
        fields["k"] = act.k
    if act.details is not None:
        fields["d"] = act.details
    if act.subject is not None:
        s = act.subject
        fields["s"] = [int(s.type), s.client.hex(), s.object.hex(), s.version, s.generation, s.flags]
    return fields


def _act(fields: dict[str, Any]) -> Act:
    subject = None
    if "s" in fields:
        kind, client, object_, version, generation, flags = fields["s"]
        subject = Subject(kind, bytes.fromhex(client), bytes.fromhex(object_), version, generation, flags)
    return Act(fields["ev"], fields["a"], fields["pu"], k=fields.get("k"), subject=subject, details=fields.get("d"))
