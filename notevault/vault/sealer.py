"""Seals the routing and details of entries and makes their tags and MACs (docs/FORMAT.md section 6.2)."""

from __future__ import annotations

from typing import Any

from notevault.auditlog.entry import Entry
from notevault.auditlog.events import EVENTS, NO
from notevault.crypto import subkeys
from notevault.errors import Damaged
from notevault.formats import text
from notevault.formats.ids import ZERO_ID
from notevault.formats.keytable import MAC, ROUTING, KeyTable
from notevault.ports import Entropy
from notevault.vault.recorder import Act, Subject, utc_year


class VaultSealer:
    def __init__(self, vault_id: bytes, table: KeyTable, entropy: Entropy) -> None:
        self._vault = vault_id
        self._table = table
        self._entropy = entropy
        self._tag_keys: dict[tuple[bytes, int, int], bytes] = {}

    def _tag_key(self, client: bytes, year: int, generation: int) -> bytes:
        at = (client, year, generation)
        if at not in self._tag_keys:
            ck = self._table.clients[(client, generation)]
            self._tag_keys[at] = subkeys.tag_key(ck, self._vault, client, year, generation)
        return self._tag_keys[at]

    def seal(self, fields: dict[str, object], act: Act, origin: str) -> dict[str, object]:
        generation, routing_key = self._table.current(ROUTING)
        i, wall = fields["i"], fields["t"]
        assert isinstance(i, int)
        assert isinstance(wall, int)
        year = utc_year(wall)
        sealed: dict[str, object] = {}
        subject = act.subject
        details_key, client, details_generation = routing_key, ZERO_ID, generation
        if subject is not None:
            routing = subkeys.Routing(
                subject.type, subject.flags, subject.version, subject.generation, subject.client, subject.object
            )
            sealed["r"] = text.b64(subkeys.seal_routing(routing_key, self._vault, origin, i, routing, self._entropy))
            if subject.client != ZERO_ID:
                client, details_generation = subject.client, subject.generation
                details_key = self._table.clients[(client, subject.generation)]
                fields["st"] = subkeys.tag(self._tag_key(client, year, subject.generation), origin, i).hex()
                if EVENTS[act.event].nt != NO:
                    # a client's own record too, so that nothing in the clear tells it from a note
                    note_key = subkeys.note_tag_key(
                        details_key, self._vault, client, subject.object, year, subject.generation
                    )
                    fields["nt"] = subkeys.note_tag(note_key, origin, i).hex()
        if act.details is not None:
            key = subkeys.details_key(details_key, self._vault, client, year, details_generation)
            sealed["d"] = text.b64(subkeys.seal_details(key, origin, i, act.details, self._entropy))
        if sealed:
            fields["x"] = sealed
        return fields

    def mac(self, fields: dict[str, object], origin: str) -> dict[str, object]:
        generation, key = self._table.current(MAC)
        fields["g"] = generation
        fields["h"] = subkeys.entry_mac(key, origin, text.canonical(fields)).hex()
        return fields

    def check_mac(self, found: Entry, origin: str) -> bool:
        """Whether the entry was made with this vault unlocked."""
        fields = found.fields()
        mac = fields.pop("h", None)
        key = self._table.wide.get((MAC, found.g)) if found.g is not None else None
        if mac is None or key is None:
            return False
        return subkeys.same(subkeys.entry_mac(key, origin, text.canonical(fields)).hex(), mac)

    def routing_of(self, found: Entry, origin: str) -> Subject | None:
        """None for an entry about no record. Raises Damaged when the routing does not open."""
        sealed = found.x
        if "r" not in sealed:
            return None
        key = self._table.wide.get((ROUTING, found.g)) if found.g is not None else None
        if key is None:
            raise Damaged(f"Log entry {found.i} names a key this vault does not have.")
        routing = subkeys.open_routing(key, self._vault, origin, found.i, sealed["r"])
        return Subject(
            routing.type, routing.client, routing.object, routing.version, routing.ck_generation, routing.flags
        )

    def details_of(self, found: Entry, origin: str) -> dict[str, Any] | None:
        sealed = found.x
        if "d" not in sealed:
            return None
        subject = self.routing_of(found, origin)
        client, generation = ZERO_ID, found.g or 0
        if subject is not None and subject.client != ZERO_ID:
            client, generation = subject.client, subject.generation
            base = self._table.clients.get((client, generation))
        else:
            base = self._table.wide.get((ROUTING, generation))
        if base is None:
            raise Damaged(f"Log entry {found.i} names a key this vault does not have.")
        key = subkeys.details_key(base, self._vault, client, utc_year(found.t), generation)
        return subkeys.open_details(key, origin, found.i, sealed["d"])
