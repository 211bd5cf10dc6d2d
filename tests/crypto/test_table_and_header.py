"""The sealed key table, and the signature that binds a header."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import pubkeys
from notevault.crypto import keytable, signing
from notevault.errors import Damaged, NotevaultError, OwnFault, UnknownFormat, WrongSeal
from notevault.formats.header import Header
from tests.fakes.simple import FakeEntropy
from tests.formats.builders import a_header, a_table

draw = FakeEntropy("tables").draw
VK = draw(32)
TABLE = a_table(1)


def signed(header: Header) -> Header:
    header = replace(header, vik=signing.public_key(TABLE.vik_seed))
    return replace(header, sig=signing.sign_header(header, TABLE.vik_seed))


HEADER = a_header(1, seq=2)
SEALED = keytable.seal_table(TABLE, VK, HEADER, FakeEntropy("table"))
SIGNED = signed(replace(HEADER, table=SEALED))


def test_a_table_opens_under_its_vault_key_and_header() -> None:
    assert keytable.open_table(SEALED, VK, HEADER) == TABLE


@pytest.mark.parametrize(
    "change", [{"vault": draw(16)}, {"generation": 2}, {"origin": "ab" * 16}, {"seq": 3}], ids=lambda c: next(iter(c))
)
def test_a_table_moved_to_another_header_does_not_open(change: dict[str, object]) -> None:
    with pytest.raises(WrongSeal, match="another key file"):
        keytable.open_table(SEALED, VK, replace(HEADER, **change))


def test_another_vault_key_does_not_open_it() -> None:
    with pytest.raises(WrongSeal):
        keytable.open_table(SEALED, draw(32), HEADER)


def test_every_altered_byte_of_a_table_is_found() -> None:
    for at in range(len(SEALED)):
        bad = bytearray(SEALED)
        bad[at] ^= 1 << at % 8
        with pytest.raises(Damaged) as caught:
            keytable.open_table(bytes(bad), VK, HEADER)
        assert type(caught.value) is (UnknownFormat if at == 4 else Damaged if at < 8 else WrongSeal)


@given(st.integers(0, len(SEALED) - 1))
def test_a_table_cut_short_is_found(size: int) -> None:
    with pytest.raises(Damaged):
        keytable.open_table(SEALED[:size], VK, HEADER)


def test_two_seals_of_one_table_share_no_salt() -> None:
    source = FakeEntropy("twice")
    assert keytable.seal_table(TABLE, VK, HEADER, source)[8:40] != keytable.seal_table(TABLE, VK, HEADER, source)[8:40]


def test_a_signed_header_holds_and_comes_back() -> None:
    again = Header.parse(SIGNED.to_bytes())
    signing.check_header(again)
    assert again == SIGNED


def test_every_altered_byte_of_a_header_is_found() -> None:
    header = signed(replace(a_header(2, seq=2), slots=(), table=b"table"))
    data = header.to_bytes()
    for at in range(len(data)):
        for flip in (1, 2, 8):
            bad = bytearray(data)
            bad[at] ^= flip
            with pytest.raises(NotevaultError) as caught:
                signing.check_header(Header.parse(bytes(bad)))
            assert isinstance(caught.value, Damaged)


def test_no_altered_field_keeps_the_signature() -> None:
    for change in (
        {"generation": 9},
        {"seq": 3},
        {"prev": "11" * 32},
        {"slots": ()},
        {"retired": ()},
        {"table": b""},
        {"vault": draw(16)},
        {"device": draw(16)},
        {"origins": {SIGNED.origin: 42}},
        {"cross": signing.cross_sign(draw(32), SIGNED.vault, SIGNED.vik)},
        {"vik": signing.public_key(draw(32))},
    ):
        assert not signing.verify_header(replace(SIGNED, **change))


def test_a_header_is_never_signed_by_another_identity_than_it_names() -> None:
    with pytest.raises(OwnFault):
        signing.sign_header(SIGNED, draw(32))


def test_a_cross_signature_holds_for_one_vault_and_one_new_identity() -> None:
    old = draw(32)
    renewed = replace(SIGNED, cross=signing.cross_sign(old, SIGNED.vault, SIGNED.vik))
    assert signing.verify_cross(renewed)
    assert not signing.verify_cross(SIGNED)
    assert not signing.verify_cross(replace(renewed, vault=draw(16)))
    assert not signing.verify_cross(replace(renewed, vik=signing.public_key(draw(32))))


def test_signatures_for_one_use_do_not_hold_for_another() -> None:
    seed, vault, digest = draw(32), draw(16), draw(32).hex()
    vik = signing.public_key(seed)
    body = vault + bytes.fromhex(digest)
    purge, card = signing.sign_purge(seed, vault, digest), signing.sign_card(seed, body)
    assert signing.verify_purge(vik, vault, digest, purge)
    assert signing.verify_card(vik, body, card)
    assert not signing.verify_purge(vik, vault, digest, card)
    assert not signing.verify_card(vik, body, purge)
    assert not signing.verify_purge(vik, vault, draw(32).hex(), purge)
    assert not signing.verify(vik, body, purge)


P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def times_eight_is_identity(x: int, y: int) -> bool:
    for _ in range(3):  # doubling on -x^2 + y^2 = 1 + d x^2 y^2
        k = D * x * x * y * y
        x, y = 2 * x * y * pow(1 + k, -1, P) % P, (y * y + x * x) * pow(1 - k, -1, P) % P
    return (x, y) == (0, 1)


def an_x(y: int) -> int:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert x * x % P == square
    return x


# The second spellings of 0 and 1, beyond the field's prime, too
SMALL_ORDER_Y = pubkeys._SMALL_ORDER | {P, P + 1}


def test_the_small_order_points_are_what_they_are_said_to_be_and_sign_nothing() -> None:
    for y in SMALL_ORDER_Y:
        assert times_eight_is_identity(an_x(y % P), y % P)
        for sign_bit in (0, 1 << 255):
            key = (y | sign_bit).to_bytes(32, "little")
            assert not pubkeys.usable(key)
            assert not signing.verify(key, b"anything", b"\1" + bytes(63))
    assert len({y % P for y in SMALL_ORDER_Y}) == 5  # 1, -1, 0 and two of order 8: all there are
    assert pubkeys.usable(signing.public_key(draw(32)))


@given(st.binary(max_size=70), st.binary(max_size=70))
def test_malformed_keys_and_signatures_are_false_never_an_exception(key: bytes, signature: bytes) -> None:
    assert not signing.verify(key, b"m", signature)
    assert not signing.verify(key.ljust(32, b"\1")[:32], b"m", signature.ljust(64, b"\0")[:64])


def test_the_fingerprint_is_sixteen_bytes_of_the_identity() -> None:
    one, two = signing.vik_fingerprint(draw(32)), signing.vik_fingerprint(draw(32))
    assert len(one) == 16
    assert one != two
