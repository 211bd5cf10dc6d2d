"""The cards of the vault's logs, for whoever checks them: read without the passphrase, held against what we keep.

A card counts here only when it is signed by the vault identity that this laptop kept when it opened the vault last, or
by one that vouches for it; the folder alone could show the card of any vault.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from notevault.auditlog import card as cards
from notevault.auditlog.card import Card
from notevault.crypto import signing
from notevault.errors import Damaged, NotevaultError, NotFound, Undecided, UsageFault
from notevault.formats.header import Header
from notevault.vault.env import Env
from notevault.vault.survey import CARD_LIMIT, Alleged, Survey, read_card, survey


@dataclass(frozen=True)
class OwnCard:
    """`data`: the card file's bytes. `current`: of the log that is being written now."""

    origin: str
    data: bytes
    card: Card
    current: bool

    @property
    def fingerprint(self) -> str:
        """Hex, of the card file: what two people compare."""
        return cards.fingerprint(self.data)

    @property
    def vault_fingerprint(self) -> str:
        """Hex, as on the recovery sheet."""
        return signing.vik_fingerprint(self.card.vik_pub).hex()


@dataclass(frozen=True)
class OwnVault:
    """A locked vault whose key file is signed by the identity this laptop keeps."""

    seen: Survey
    current: Alleged
    identity: bytes

    @property
    def header(self) -> Header:
        return self.current.header

    @property
    def origins(self) -> list[str]:
        """Every listed log, the current one last."""
        return [*sorted(set(self.header.origins) - {self.header.origin}), self.header.origin]


def own_vault(env: Env, vault: Path) -> OwnVault:
    """Raises NoVault, Damaged; Undecided where this laptop keeps no identity to compare with."""
    seen = survey(env, vault)
    identity = seen.local.identity()
    if identity is None:
        raise Undecided(
            "This laptop has not opened this vault yet, so it cannot tell whether the folder holds the true one.",
            "Open it once: `notevault`.",
        )
    for alleged in seen.alleged:
        if alleged.header.vik == identity:
            return OwnVault(seen, alleged, identity)
    raise Damaged("No key file in this folder is signed by the vault that this laptop knows.")


def cards_of(env: Env, own: OwnVault) -> list[OwnCard]:
    """The cards that hold, the current log's last. Raises Damaged or NotFound for the current one, skips older ones."""
    found: list[OwnCard] = []
    for origin in own.origins:
        current = origin == own.header.origin
        try:
            card = read_card(env, own.seen.paths, own.header, origin)
            data = env.files.read(own.seen.paths.card(origin), limit=CARD_LIMIT)
        except NotevaultError:
            if current:
                raise
            continue
        found.append(OwnCard(origin, data, card, current))
    return found


def pick(names: list[str], typed: str | None) -> str:
    """The log that was meant by the first digits of its name; the last of `names` when none was typed. UsageFault."""
    if typed is None:
        return names[-1]
    digits = typed.strip().lower().removeprefix("notevault/")
    if len(digits) < 4 or not set(digits) <= set("0123456789abcdef"):
        raise UsageFault("A log is named by its digits, at least the first four.", "`notevault audit card` shows them.")
    found = [name for name in names if name.startswith(digits)]
    if not found:
        raise NotFound("This vault has no log of that name.", "`notevault audit card` shows its logs.")
    if len(found) > 1:
        raise UsageFault("Several logs begin so.", "Type more of its digits.")
    return found[0]
