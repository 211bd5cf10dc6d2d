"""The card's fingerprint: what is read out over the telephone and typed by a tired hand still compares."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import card
from tests.auditlog.sample import CARD

DIGITS = st.binary(min_size=16, max_size=16).map(bytes.hex)


def test_it_covers_every_byte_of_the_card() -> None:
    expected = hashlib.sha256(b"notevault/v1/card-fingerprint\0" + CARD).hexdigest()[:32]
    assert card.fingerprint(CARD) == expected
    spoiled = {card.fingerprint(CARD[:at] + bytes([CARD[at] ^ 1]) + CARD[at + 1 :]) for at in range(len(CARD))}
    assert len(spoiled | {expected, card.fingerprint(CARD[:-1])}) == len(CARD) + 2


@given(DIGITS)
def test_it_reads_back_however_it_is_typed(digits: str) -> None:
    spelled = card.spell_fingerprint(digits)
    assert [len(group) for group in spelled.split(" ")] == [4] * 8
    for typed in (spelled, digits, spelled.upper(), spelled.replace(" ", "-"), f"\t{spelled}\r\n",
                  spelled.replace(" ", " \u2013 "), spelled.replace(" ", "\u00a0")):  # fmt: skip
        assert card.parse_fingerprint(typed) == digits


@given(st.text(st.characters(codec=None), max_size=60))
def test_random_texts_are_no_fingerprint(text: str) -> None:
    assert card.parse_fingerprint(text) is None


@pytest.mark.parametrize(
    "text", ["", "0" * 31, "0" * 33, "g" * 32, "\u0661" * 32, "0x" + "0" * 32, " " * 300 + "0" * 32]
)
def test_a_letter_too_few_or_too_many_is_none(text: str) -> None:
    assert card.parse_fingerprint(text) is None


@pytest.mark.parametrize("text", ["", "AB" * 16, "0" * 31])
def test_only_a_fingerprint_is_spelled(text: str) -> None:
    with pytest.raises(ValueError, match="32"):
        card.spell_fingerprint(text)
