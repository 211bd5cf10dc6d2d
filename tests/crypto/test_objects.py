"""Objects in one piece: whoever moves, swaps, cuts or alters one is found, each with its own sentence."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from notevault.crypto.objects import open_object, seal_object
from notevault.errors import Damaged, OwnFault, UnknownFormat, WrongSeal
from notevault.formats.envelope import SINGLE_MAX, Inner, RecordType, padded_size
from tests.crypto.hpke_by_hand import hkdf
from tests.fakes.simple import FakeEntropy, RepeatingEntropy

draw = FakeEntropy("objects").draw
CK, VAULT, CLIENT, NOTE = draw(32), draw(16), draw(16), draw(16)
RECORD = Inner(RecordType.NOTE, CLIENT, NOTE, 3, b'{"v":1}')
EXPECTED: dict[str, Any] = {"type": RecordType.NOTE, "client": CLIENT, "object": NOTE, "version": 3}
BLOB = seal_object(CK, VAULT, RECORD, FakeEntropy("blob"))


@given(st.binary(max_size=200) | st.integers(4000, 40_000).map(lambda n: b"n" * n))
def test_a_record_comes_back_as_it_went(payload: bytes) -> None:
    record = Inner(RecordType.NOTE, CLIENT, NOTE, 3, payload)
    blob = seal_object(CK, VAULT, record, FakeEntropy(payload))
    assert len(blob) == padded_size(45 + len(payload)) + 88
    assert open_object(CK, VAULT, blob, **EXPECTED) == record


def test_any_revision_opens_when_none_is_named() -> None:
    assert open_object(CK, VAULT, BLOB, **(EXPECTED | {"version": None})) == RECORD


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": RecordType.ATTACHMENT}, "another kind"),
        ({"client": draw(16)}, "moved to another client"),
        ({"object": draw(16)}, "another note"),
        ({"version": 2}, "another revision"),
    ],
)
def test_a_blob_moved_to_another_place_does_not_open(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(WrongSeal, match=sentence):
        open_object(CK, VAULT, BLOB, **(EXPECTED | change))


def test_a_blob_moved_to_another_client_or_vault_does_not_open() -> None:
    for ck, vault in ((draw(32), VAULT), (CK, draw(16))):
        with pytest.raises(WrongSeal, match="another client or another vault"):
            open_object(ck, vault, BLOB, **EXPECTED)


def test_every_altered_byte_is_found() -> None:
    for at in range(len(BLOB)):
        bad = bytearray(BLOB)
        bad[at] ^= 1 << at % 8
        with pytest.raises(Damaged) as caught:
            open_object(CK, VAULT, bytes(bad), **EXPECTED)
        if at >= 72:
            assert type(caught.value) is WrongSeal
            assert "altered after it was locked" in caught.value.sentence
        elif at >= 8:
            assert type(caught.value) is WrongSeal
        elif at in (4, 5):
            assert type(caught.value) in (UnknownFormat, Damaged)


@given(st.integers(0, len(BLOB) - 1))
def test_a_blob_cut_short_is_found_and_named(size: int) -> None:
    with pytest.raises(Damaged, match="cut short"):
        open_object(CK, VAULT, BLOB[:size], **EXPECTED)


@pytest.mark.parametrize("extra", [1, 16, 4096])
def test_a_lengthened_blob_is_found(extra: int) -> None:
    with pytest.raises(WrongSeal, match=r"lengthened|altered"):
        open_object(CK, VAULT, BLOB + bytes(extra), **EXPECTED)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    for candidate in (data, b"NVO1" + data, b"NVO1\1\0\0\0" + data, b"NVO1\1\1\x10\0" + data.ljust(4200, b"\0")):
        with pytest.raises(Damaged):
            open_object(CK, VAULT, candidate, **EXPECTED)


def test_no_two_records_share_a_salt_even_when_the_random_source_repeats() -> None:
    source = RepeatingEntropy()
    records = [Inner(2, CLIENT, NOTE, version, payload) for version in (1, 2) for payload in (b"", b"\0", b"a")]
    salts = {seal_object(CK, VAULT, record, source)[8:40] for record in records}
    assert len(salts) == len(records)
    assert seal_object(draw(32), VAULT, records[0], source)[8:40] not in salts


def test_no_salt_repeats_for_the_same_record_when_the_source_works() -> None:
    source = FakeEntropy("fresh")
    assert len({seal_object(CK, VAULT, RECORD, source)[8:40] for _ in range(50)}) == 50


def test_a_stranger_with_the_format_document_alone_opens_a_blob() -> None:
    okm = hkdf(CK, BLOB[8:40], b"notevault/v1/object\0" + VAULT + BLOB[:40], 64)
    assert okm[32:] == BLOB[40:72]
    plain = AESGCM(okm[:32]).decrypt(bytes(12), BLOB[72:], BLOB[:72])
    head = b"\2" + CLIENT + NOTE + (3).to_bytes(4, "big") + (7).to_bytes(8, "big")
    assert plain == (head + b'{"v":1}').ljust(4096, b"\0")
    hedge = hkdf(CK, b"", b"notevault/v1/hedge\0", 32)
    assert BLOB[8:40] == hmac.new(hedge, FakeEntropy("blob").draw(32) + head + b'{"v":1}', hashlib.sha256).digest()


def sealed_by_hand(plain: bytes) -> bytes:
    prefix = b"NVO1\1\0\0\0" + bytes(32)
    okm = hkdf(CK, bytes(32), b"notevault/v1/object\0" + VAULT + prefix, 64)
    return prefix + okm[32:] + AESGCM(okm[:32]).encrypt(bytes(12), plain, prefix + okm[32:])


def test_rightly_sealed_nonsense_is_refused() -> None:
    head = b"\2" + CLIENT + NOTE + (3).to_bytes(4, "big")
    good = (head + (0).to_bytes(8, "big")).ljust(4096, b"\0")
    assert open_object(CK, VAULT, sealed_by_hand(good), **EXPECTED).payload == b""
    for plain in (
        good[:-1] + b"\1",
        (head + (4096).to_bytes(8, "big")).ljust(4096, b"\0"),
        (head + (2**64 - 1).to_bytes(8, "big")).ljust(4096, b"\0"),
        good + bytes(4096),
        good[:45],
        b"",
    ):
        with pytest.raises(Damaged):
            open_object(CK, VAULT, sealed_by_hand(plain), **EXPECTED)


def test_more_than_64_mib_is_never_sealed_in_one_piece() -> None:
    with pytest.raises(OwnFault):
        seal_object(CK, VAULT, Inner(2, CLIENT, NOTE, 1, bytes(SINGLE_MAX + 1)), FakeEntropy())
