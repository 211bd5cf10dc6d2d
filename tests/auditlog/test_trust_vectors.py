"""The golden vectors of anchors, cosignatures, state files and disclosures: each gives what it says it must."""

from __future__ import annotations

from typing import Any

import pytest

from notevault.auditlog import anchor, card, checkpoint, cosign, disclosure, entry, state
from notevault.auditlog.fault import Fault, sound
from tests.auditlog import sample
from tests.auditlog.test_vectors import ALL_BAD, load
from tests.vectors import generate_trust

BAD = [name for name in ALL_BAD if load(name)["kind"] in generate_trust.KINDS]


def test_the_anchor_vectors_prove_what_their_names_say() -> None:
    vector = load("anchors.json")
    for one in vector["anchors"]:
        data, name, identity = one["bytes"].encode(), one["name"], bytes.fromhex(vector["identity"])
        found = sound(anchor.check(vector["origin"], name, data, identity, sample.verify, "a stick"))
        size, _, root = name.partition("-")
        assert (found.size, found.root.hex()) == (int(size), root)
        assert anchor.parse_name(name) == (found.size, found.root)


def test_the_cosigned_vectors_hold_under_the_witnesses_keys() -> None:
    vector = load("cosigned.json")
    witnesses = [sound(cosign.parse_witness(text)) for text in vector["witnesses"]]
    for one in vector["cosigned"]:
        found = sound(cosign.parse(one["bytes"].encode()))
        assert [list(held) for held in sound(cosign.check(found, witnesses, sample.verify))] == one["held"]
        assert checkpoint.check_identity(found.checkpoint, bytes.fromhex(vector["identity"]), sample.verify) is None
    assert [cosign.witness_text(one) for one in witnesses] == vector["witnesses"]
    signers = [sound(cosign.parse_signer(text, public)) for text in vector["signers"]]
    assert [one.witness for one in signers] == witnesses
    first = sound(cosign.parse(vector["cosigned"][0]["bytes"].encode()))
    signed = vector["message"].encode()
    assert sample.verify(witnesses[0].pub, signed, first.cosignatures[0].signature)


def test_the_state_vectors_read_and_print_again() -> None:
    vector = load("state.json")
    for one in vector["states"]:
        found = sound(state.parse(one["bytes"].encode()))
        assert state.dump(found) == one["bytes"].encode()
        assert len(state.heads(found)) == one["heads"]
    assert card.fingerprint(vector["card"].encode()) == vector["fingerprint"]
    assert card.spell_fingerprint(vector["fingerprint"]) == vector["spelled"]


def test_the_disclosure_vector_finds_the_clients_entries_and_no_others() -> None:
    vector = load("disclosure.json")
    found = sound(disclosure.parse(vector["bytes"].encode()))
    assert disclosure.check(found, vector["vault"], [bytes.fromhex(vector["vik"])], sample.verify) is None
    assert found.year == vector["year"]
    mine = disclosure.matcher(found)
    for row in vector["entries"]:
        assert mine(sound(entry.parse(row["bytes"].encode())), row["origin"]) is row["mine"]
    assert {row["mine"] for row in vector["entries"]} == {True, False}


def public(seed: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def _fault(vector: dict[str, Any]) -> object:
    kind, data = vector["kind"], bytes.fromhex(vector.get("bytes", ""))
    identity, viks = sample.IDENTITY.pub, [sample.VIK.pub]
    if kind == "anchor":
        return anchor.check(sample.ORIGIN, vector["name"], data, identity, sample.verify, "a stick")
    if kind == "cosigned":
        witnesses = [one.witness for one in generate_trust.SIGNERS]
        return cosign.seen(data, sample.ORIGIN, identity, witnesses, sample.verify)
    if kind == "key":
        return cosign.parse_witness(vector["text"])
    if kind == "state":
        found = state.parse(data)
        return found if isinstance(found, Fault) else state.check(found, sample.VAULT, viks)
    opened = disclosure.parse(data)
    return opened if isinstance(opened, Fault) else disclosure.check(opened, sample.VAULT, viks, sample.verify)


@pytest.mark.parametrize("name", BAD)
def test_each_bad_vector_is_refused_for_the_reason_it_names(name: str) -> None:
    vector = load(name)
    fault = _fault(vector)
    assert isinstance(fault, Fault)
    assert fault.code == vector["fault"]
    assert fault.sentence
