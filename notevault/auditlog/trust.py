"""Whose vault is it? From the card or identity that the auditor brought to the identities that this vault had.

What lies in the folder is only alleged; it is used where nothing was brought, and then the verdict says UNPINNED.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import card as cards
from .fault import Fault
from .headers import MAX_IDENTITIES, HeaderFile, identities
from .note import Verify
from .plain import fingerprint as spelt
from .verdict import Finding, Weight


@dataclass
class Trust:
    """`viks`: the vault's identities, newest first; of the folder's own word where not `outside`."""

    viks: list[bytes] = field(default_factory=list)
    first: bytes = b""  # the identity that all of them hang on
    pinned: cards.Card | None = None
    outside: bool = False
    vault: str = ""
    fingerprint: str = ""
    findings: list[Finding] = field(default_factory=list)
    _ranks: dict[bytes, int] = field(default_factory=dict, repr=False)

    def rank(self, vik: bytes) -> int:
        """Higher is newer; -1 for an identity that is not this vault's."""
        if len(self._ranks) != len(self.viks):
            self._ranks = {one: len(self.viks) - at for at, one in enumerate(self.viks)}
        return self._ranks.get(vik, -1)


def settle(
    given: bytes | str | None,
    vik: bytes | None,
    own: Mapping[str, bytes],
    headers: list[HeaderFile],
    verify: Verify,
) -> Trust:
    """`given`: card or fingerprint; `vik`: identity; `own`: the folder's cards by log; `headers`: the key files that
    hold, newest first.
    """
    trust = Trust()
    pinned = _given(given, own, trust)
    if pinned is not None:
        fault = cards.check(pinned, pinned.vik_pub, verify)
        if fault is not None:
            trust.findings.append(
                _undecided("NO_CARD", f"The card given for this check does not hold: {fault.sentence}")
            )
            pinned, trust.fingerprint = None, ""
    held = {origin: one for origin, one in _parsed(own).items() if cards.check(one, one.vik_pub, verify) is None}
    if pinned is not None:
        _hang(trust, pinned.vik_pub, pinned.vault, headers)
        trust.pinned = pinned
        if vik is not None and vik not in trust.viks:
            text = "WRONG CARD: the card is not of the vault whose identity you know"
            trust.findings.append(_undecided("WRONG_CARD", text))
    elif vik is not None:
        vault = next((one.vault for one in held.values() if one.vik_pub == vik), "")
        vault = vault or next((one.vault for one in headers if one.vik == vik), "")
        _hang(trust, vik, vault, headers)
    trust.outside = bool(trust.viks)
    if trust.outside and not _any_of(trust, held, headers) and (held or headers):
        text = (
            "WRONG CARD: nothing here is of the vault that you know: another vault's folder, or all of it was replaced"
        )
        trust.findings.append(_undecided("WRONG_CARD", text))
        trust.pinned, trust.viks, trust.outside, trust.fingerprint = None, [], False, ""
    if not trust.outside:
        if not trust.findings:
            text = "Nothing known beforehand says whose log this is: its card, from the therapist in person, is needed"
            trust.findings.append(_undecided("UNPINNED", text))
        if headers:
            _hang(trust, headers[0].vik, headers[0].vault, headers)
        elif held:
            any_ = next(iter(held.values()))
            _hang(trust, any_.vik_pub, any_.vault, headers)
    return trust


def _given(given: bytes | str | None, own: Mapping[str, bytes], trust: Trust) -> cards.Card | None:
    if isinstance(given, str):
        wanted = cards.parse_fingerprint(given)
        if wanted is None:
            trust.findings.append(_undecided("NO_CARD", "What was given is no fingerprint of a card"))
            return None
        given = next((data for data in own.values() if cards.fingerprint(data) == wanted), None)
        if given is None:
            text = f"WRONG CARD: no card here has the fingerprint {spelt(wanted)}"
            trust.findings.append(_undecided("WRONG_CARD", text))
    if given is None:
        return None
    found = cards.parse(given)
    if isinstance(found, Fault):
        trust.findings.append(_undecided("NO_CARD", f"The card given for this check does not read: {found.sentence}"))
        return None
    trust.fingerprint = cards.fingerprint(given)
    return found


def _hang(trust: Trust, vik: bytes, vault: str, headers: list[HeaderFile]) -> None:
    trust.first, trust.vault = vik, vault
    trust.viks = identities(headers, vik, vault)
    trust._ranks = {}  # noqa: SLF001  its own module
    if len(trust.viks) > MAX_IDENTITIES:  # all of them count: what one of them signed is not called forged
        text = f"{len(trust.viks)} identities sign for each other here, more than any vault ever had"
        trust.findings.append(_undecided("UNREADABLE", text))


def _parsed(own: Mapping[str, bytes]) -> dict[str, cards.Card]:
    found = {origin: cards.parse(data) for origin, data in own.items()}
    return {origin: one for origin, one in found.items() if isinstance(one, cards.Card)}


def _any_of(trust: Trust, held: Mapping[str, cards.Card], headers: list[HeaderFile]) -> bool:
    """Is anything in the folder of the identities known from outside?"""
    if any(one.vik_pub in trust.viks for one in held.values()):
        return True
    return any(one.vik in trust.viks for one in headers)


def _undecided(code: str, sentence: str) -> Finding:
    return Finding(code, Weight.UNDECIDED, sentence)
