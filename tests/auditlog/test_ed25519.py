"""The built-in verifier: RFC 8032's vectors, the same answers as `cryptography`, and no second spelling of anything."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.auditlog import ed25519
from notevault.auditlog.pubkeys import usable
from tests.auditlog import sample
from tests.auditlog.sample import Key

# RFC 8032 section 7.1: public key, message, signature
RFC = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        "b00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        "c027beceea1ec40a",
    ),
]
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493


@pytest.mark.parametrize(("pub", "message", "sig"), RFC)
def test_the_vectors_of_rfc_8032_hold(pub: str, message: str, sig: str) -> None:
    assert ed25519.verify(bytes.fromhex(pub), bytes.fromhex(message), bytes.fromhex(sig))


@settings(max_examples=40)
@given(st.text(max_size=8), st.binary(max_size=200), st.integers(0, 511))
def test_it_agrees_with_cryptography(word: str, message: bytes, bit: int) -> None:
    key = Key("seed " + word.encode("utf-8", "replace").hex())
    sig = key.sign(message)
    assert ed25519.verify(key.pub, message, sig)
    spoiled = bytearray(sig)
    spoiled[bit // 8] ^= 1 << bit % 8
    assert not ed25519.verify(key.pub, message, bytes(spoiled))
    assert not ed25519.verify(key.pub, message + b"x", sig)
    assert not ed25519.verify(Key("other").pub, message, sig)
    assert not sample.verify(key.pub, message, bytes(spoiled))


@settings(max_examples=40)
@given(st.binary(max_size=70), st.binary(max_size=10), st.binary(max_size=70))
def test_random_bytes_are_false_and_never_raise(pub: bytes, message: bytes, sig: bytes) -> None:
    assert not ed25519.verify(pub, message, sig)


@settings(max_examples=40)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=10), st.binary(min_size=64, max_size=64))
def test_random_keys_agree_with_cryptography(pub: bytes, message: bytes, sig: bytes) -> None:
    assert ed25519.verify(pub, message, sig) == (usable(pub) and sample.verify(pub, message, sig))


def test_a_second_spelling_of_s_is_refused() -> None:
    """S + L satisfies the equation too: without the bound every signature could be changed into another."""
    key = Key("k")
    sig = key.sign(b"m")
    more = (int.from_bytes(sig[32:], "little") + L).to_bytes(32, "little")
    assert not ed25519.verify(key.pub, b"m", sig[:32] + more)


@pytest.mark.parametrize(
    "pub", [P.to_bytes(32, "little"), (P + 1).to_bytes(32, "little"), (1 | 1 << 255).to_bytes(32, "little")]
)
def test_a_second_spelling_of_a_key_is_refused(pub: bytes) -> None:
    """y = p and p+1 are 0 and 1 again; x = 0 has no negative. R = the neutral point and S = 0 would pass for y = 1."""
    assert not ed25519.verify(pub, b"m", (1).to_bytes(32, "little") + bytes(32))


def test_a_key_off_the_curve_is_refused() -> None:
    for y in range(2, 40):
        pub = y.to_bytes(32, "little")
        if not sample.verify(pub, b"", bytes(64)):
            assert not ed25519.verify(pub, b"", bytes(64))
    assert not ed25519.verify((2).to_bytes(32, "little"), b"m", (1).to_bytes(32, "little") + bytes(32))
