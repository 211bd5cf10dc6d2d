"""Routing, details, tags and MACs of log entries."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.crypto import subkeys
from notevault.crypto.hkdf import H
from notevault.errors import Damaged, OwnFault, WrongSeal
from notevault.formats.routing import SIGNED, Routing
from notevault.formats.text import MAX_INT
from tests.crypto.hpke_by_hand import hkdf
from tests.fakes.simple import FakeEntropy

draw = FakeEntropy("subkeys").draw
KEY, VAULT, CLIENT, NOTE = draw(32), draw(16), draw(16), draw(16)
ORIGIN, OTHER = "5a" * 16, "a5" * 16
ROUTING = Routing(2, SIGNED, 3, 1, CLIENT, NOTE)


@given(st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=64), st.integers(1, 200))
def test_h_is_hkdf_sha512_as_the_format_document_says(ikm: bytes, salt: bytes, context: bytes, n: int) -> None:
    assert H(ikm, salt, "object", context, n) == hkdf(ikm, salt, b"notevault/v1/object\0" + context, n)


def test_routing_opens_at_its_entry_and_nowhere_else() -> None:
    data = subkeys.seal_routing(KEY, VAULT, ORIGIN, 5, ROUTING, FakeEntropy())
    assert len(data) == 80
    assert subkeys.open_routing(KEY, VAULT, ORIGIN, 5, data) == ROUTING
    for place in (
        (draw(32), VAULT, ORIGIN, 5),
        (KEY, draw(16), ORIGIN, 5),
        (KEY, VAULT, OTHER, 5),
        (KEY, VAULT, ORIGIN, 6),
    ):
        with pytest.raises(WrongSeal, match="log entry"):
            subkeys.open_routing(*place, data)


def test_every_altered_byte_of_routing_is_found() -> None:
    data = subkeys.seal_routing(KEY, VAULT, ORIGIN, 5, ROUTING, FakeEntropy())
    for at in range(len(data)):
        bad = bytearray(data)
        bad[at] ^= 1
        with pytest.raises(WrongSeal):
            subkeys.open_routing(KEY, VAULT, ORIGIN, 5, bytes(bad))
    for size in range(0, 200, 7):
        with pytest.raises(WrongSeal):
            subkeys.open_routing(KEY, VAULT, ORIGIN, 5, bytes(size))


details = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300) | st.integers(0, MAX_INT),
    max_size=4,
)


@given(details)
def test_details_come_back_as_they_went_in_blocks_of_256(value: dict[str, object]) -> None:
    data = subkeys.seal_details(KEY, ORIGIN, 5, value, FakeEntropy())
    assert (len(data) - 32) % 256 == 0
    assert subkeys.open_details(KEY, ORIGIN, 5, data) == value


def test_details_open_at_their_entry_and_nowhere_else() -> None:
    data = subkeys.seal_details(KEY, ORIGIN, 5, {"q": "sömn"}, FakeEntropy())
    for key, origin, i in ((draw(32), ORIGIN, 5), (KEY, OTHER, 5), (KEY, ORIGIN, 4)):
        with pytest.raises(WrongSeal):
            subkeys.open_details(key, origin, i, data)
    for at in range(len(data)):
        bad = bytearray(data)
        bad[at] ^= 4
        with pytest.raises(WrongSeal):
            subkeys.open_details(KEY, ORIGIN, 5, bytes(bad))
    for bad_size in (b"", data[:-1], data[:-256], data + bytes(256), bytes(9000)):
        with pytest.raises(WrongSeal):
            subkeys.open_details(KEY, ORIGIN, 5, bad_size)


def test_details_that_do_not_fit_are_our_own_fault() -> None:
    assert subkeys.seal_details(KEY, ORIGIN, 5, {"a": "x" * 8182}, FakeEntropy())
    with pytest.raises(OwnFault):
        subkeys.seal_details(KEY, ORIGIN, 5, {"a": "x" * 8183}, FakeEntropy())


def test_rightly_sealed_nonsense_is_refused() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    def by_hand(plain: bytes) -> bytes:
        key = hkdf(KEY, bytes(16), b"notevault/v1/detail\0" + bytes.fromhex(ORIGIN) + (5).to_bytes(8, "big"), 32)
        return bytes(16) + AESGCM(key).encrypt(bytes(12), plain, b"")

    good = b"\0\2{}".ljust(256, b"\0")
    assert subkeys.open_details(KEY, ORIGIN, 5, by_hand(good)) == {}
    for plain in (
        good[:-1] + b"\1",
        b"\xff\xff".ljust(256, b"\0"),
        good + bytes(256),
        b"\0\0".ljust(256, b"\0"),
        b"\0\2[]".ljust(256, b"\0"),
    ):
        with pytest.raises(Damaged):
            subkeys.open_details(KEY, ORIGIN, 5, by_hand(plain))


def test_a_tag_tells_nothing_without_its_key_and_differs_at_every_entry() -> None:
    kt = subkeys.tag_key(KEY, VAULT, CLIENT, 2025, 1)
    kn = subkeys.note_tag_key(KEY, VAULT, CLIENT, NOTE, 2025, 1)
    tags = {
        make(key, origin, i)
        for make in (subkeys.tag, subkeys.note_tag)
        for key in (kt, kn)
        for origin in (ORIGIN, OTHER)
        for i in range(4)
    }
    assert len(tags) == 32
    assert {len(tag) for tag in tags} == {16}


def test_no_two_clients_years_generations_vaults_or_uses_share_a_key() -> None:
    keys = set()
    places = list(product((KEY, b"k" * 32), (VAULT, b"v" * 16), (CLIENT, b"c" * 16), (2025, 2026), (1, 2)))
    for key, vault, client, year, generation in places:
        keys.add(subkeys.tag_key(key, vault, client, year, generation))
        keys.add(subkeys.details_key(key, vault, client, year, generation))
        keys.add(subkeys.note_tag_key(key, vault, client, NOTE, year, generation))
        keys.add(subkeys.note_tag_key(key, vault, client, b"n" * 16, year, generation))
    assert len(keys) == 4 * len(places)


def test_the_mac_binds_entry_log_and_key() -> None:
    base = subkeys.entry_mac(KEY, ORIGIN, b'{"i":1}')
    assert len(base) == 16
    others = [(draw(32), ORIGIN, b'{"i":1}'), (KEY, OTHER, b'{"i":1}'), (KEY, ORIGIN, b'{"i":2}')]
    assert base not in {subkeys.entry_mac(*other) for other in others}
    assert subkeys.same(base, bytes(base))
    assert subkeys.same(base.hex(), base.hex())
    assert not subkeys.same(base, bytes(16))
    assert not subkeys.same(base.hex(), "ä\ud800")


@pytest.mark.parametrize(
    ("wall_ms", "year"),
    [
        (0, 1970),
        (1_767_225_599_999, 2025),
        (1_767_225_600_000, 2026),
        (951_782_400_000, 2000),
        (4_102_444_800_000, 2100),
    ],
)
def test_the_year_is_the_utc_year(wall_ms: int, year: int) -> None:
    assert subkeys.utc_year(wall_ms) == year


def test_a_wrong_origin_or_id_is_our_own_fault_not_a_shifted_formula() -> None:
    for act in (
        lambda: subkeys.tag(KEY, "5A" * 16, 1),
        lambda: subkeys.tag_key(KEY, VAULT[:15], CLIENT, 2025, 1),
        lambda: subkeys.entry_mac(KEY, "", b"{}"),
        lambda: Routing(2, 0, 1, 1, CLIENT + b"x", NOTE).pack(),
        lambda: Routing(2, 2, 1, 1, CLIENT, NOTE).pack(),
    ):
        with pytest.raises(OwnFault):
            act()
