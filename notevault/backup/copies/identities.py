"""Whose are these copies? The logs that belong to one vault identity, by their cards (FORMAT.md sections 3, 7.6, 8).

Without a word from outside (the recovery sheet, this laptop's memory) everything here is alleged: the identity with the
most proven entries is then taken for the vault's, and logs of others are left out and counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from notevault.auditlog import card as cards
from notevault.auditlog import headers
from notevault.auditlog.fault import Fault
from notevault.auditlog.note import Verify
from notevault.backup.copies.port import Copy, HeaderName

FINGERPRINT = b"notevault/v1/vik-fingerprint\0"


def fingerprint(vik: bytes) -> bytes:
    """16 bytes, as the recovery sheet carries them (FORMAT.md section 0)."""
    return hashlib.sha256(FINGERPRINT + vik).digest()[:16]


class Identities:
    def __init__(self, copies: Sequence[Copy], vault: str, known: bytes | None, verify: Verify) -> None:
        self.vault, self._verify = vault, verify
        self._files: dict[str, headers.HeaderFile] = {}  # key files that bring a renewed identity
        self._seen: set[str] = set()
        self.cards: dict[str, list[tuple[cards.Card, bytes]]] = {}
        for copy in copies:
            for origin in copy.origins():
                self._card(origin, copy.card(origin))
            for name in copy.headers():
                self._renewal(copy, name)
        self.known = known

    def families(self) -> list[list[bytes]]:
        """The identities that hang together by renewals, newest first; with a word from outside, that family alone."""
        every = dict.fromkeys(one.vik_pub for found in self.cards.values() for one, _ in found)
        for file in self._files.values():
            every.update(dict.fromkeys((file.vik, file.former or file.vik)))
        if self.known is not None:
            start = next((vik for vik in every if self.known in (vik, fingerprint(vik))), None)
            return [] if start is None else [self._hang(start)]
        families: list[list[bytes]] = []
        for vik in every:
            hanging = self._hang(vik)
            families = [one for one in families if not set(one) <= set(hanging)]
            if not any(set(hanging) <= set(one) for one in families):
                families.append(hanging)
        return families

    def any_card(self) -> bool:
        return any(self.cards.values())

    def cards_of(self, viks: Sequence[bytes]) -> dict[str, tuple[cards.Card, bytes]]:
        found = {}
        for origin, ones in self.cards.items():
            mine = next((one for one in ones if one[0].vik_pub in viks), None)
            if mine is not None:
                found[origin] = mine
        return found

    def _hang(self, start: bytes) -> list[bytes]:
        return headers.identities(self._files.values(), start, self.vault)

    def _card(self, origin: str, data: bytes | None) -> None:
        found = cards.parse(data) if data is not None else None
        known = self.cards.setdefault(origin, [])
        if data is None or not isinstance(found, cards.Card) or any(data == other for _, other in known):
            return
        if (
            found.origin == origin
            and found.vault == self.vault
            and cards.check(found, found.vik_pub, self._verify) is None
        ):
            known.append((found, data))

    def _renewal(self, copy: Copy, name: HeaderName) -> None:
        """Only key files that bring a new identity are looked into: there are few, and each costs milliseconds."""
        data = copy.header(name) if name.digest not in self._seen else None
        if data is None:
            return
        self._seen.add(name.digest)
        if b'"cross":' not in data[:20]:
            return
        found = headers.parse(data)
        if isinstance(found, Fault) or found.vault != self.vault or found.cross is None:
            return
        if headers.check(found, self._verify) is None and headers.cross_holds(found, self._verify):
            file = headers.HeaderFile(name.seq, name.origin, name.digest, len(data), vault=found.vault, vik=found.vik)
            file.former = found.cross[0]
            self._files[name.digest] = file
