"""The built-in signer: RFC 8032's vectors, and byte for byte what `cryptography` makes."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.auditlog import ed25519, sign25519

# RFC 8032 section 7.1: private key, public key, message, signature
RFC = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
        "655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
        "b00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
        "c027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
        "2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17a"
        "d9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("seed", "pub", "message", "sig"), RFC)
def test_the_vectors_of_rfc_8032_come_out(seed: str, pub: str, message: str, sig: str) -> None:
    key, text = bytes.fromhex(seed), bytes.fromhex(message)
    assert sign25519.public_key(key).hex() == pub
    assert sign25519.sign(key, text).hex() == sig
    assert ed25519.verify(bytes.fromhex(pub), text, bytes.fromhex(sig))


@settings(max_examples=100)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_it_makes_the_very_bytes_that_cryptography_makes(seed: bytes, message: bytes) -> None:
    other = Ed25519PrivateKey.from_private_bytes(seed)
    pub, sig = sign25519.public_key(seed), sign25519.sign(seed, message)
    assert pub == other.public_key().public_bytes_raw()
    assert sig == other.sign(message)
    assert ed25519.verify(pub, message, sig)
    assert not ed25519.verify(pub, message + b"x", sig)


@pytest.mark.parametrize("seed", [bytes(32), b"\xff" * 32, bytes(31) + b"\x80", b"\x07" + bytes(31)])
def test_keys_at_the_edges_agree_too(seed: bytes) -> None:
    assert sign25519.sign(seed, b"m") == Ed25519PrivateKey.from_private_bytes(seed).sign(b"m")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_our_own_mistake_and_its_bytes_are_not_told(size: int) -> None:
    with pytest.raises(ValueError, match=r"^a private key has 32 bytes$"):
        sign25519.sign(b"K" * size, b"m")
    with pytest.raises(ValueError, match=r"^a private key has 32 bytes$"):
        sign25519.public_key(b"K" * size)
