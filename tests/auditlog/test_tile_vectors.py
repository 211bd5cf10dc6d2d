"""The golden vectors of sections 7.4 and 7.5: good ones read and are made again, each bad one gives its fault."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import card, checkpoint, cosign, proof, sign25519, tiles
from notevault.auditlog.fault import Fault, sound
from tests.auditlog import sample
from tests.vectors import generate_tiles

FOLDER = generate_tiles.FOLDER
BAD = sorted(path.name for path in FOLDER.glob("bad-*.json"))


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def test_the_generator_makes_the_same_vectors_again() -> None:
    assert generate_tiles.main(check=True) == 0


def test_a_changed_vector_is_noticed_and_made_anew(tmp_path: Path) -> None:
    assert generate_tiles.main(check=False, folder=tmp_path) == 0
    kept = (tmp_path / "proofs.json").read_text()
    (tmp_path / "proofs.json").write_text(kept.replace("index 300", "index 301"))
    assert generate_tiles.main(check=True, folder=tmp_path) == 1
    (tmp_path / "stray.json").write_text("{}")
    assert generate_tiles.main(check=False, folder=tmp_path) == 0
    assert generate_tiles.main(check=True, folder=tmp_path) == 0
    assert (tmp_path / "proofs.json").read_text() == kept


def test_the_proof_vectors_hold_under_the_card() -> None:
    vectors = load("proofs.json")
    holder = sound(card.parse(vectors["card"].encode()))
    witness = sound(cosign.parse_witness(vectors["witness"]))
    for vector in vectors["proofs"]:
        one = sound(proof.parse(vector["text"]))
        state = sound(proof.check(one, holder.identity_pub, sample.verify, holder.origin))
        assert (state.size, one.index, proof.dump(one)) == (vector["size"], vector["index"], vector["text"])
    seen = sound(cosign.parse(one.signed))
    assert sound(cosign.check(seen, [witness], sample.verify)) == [(witness.name, generate_tiles.TIME)]


def test_the_tile_vectors_are_what_an_export_holds() -> None:
    vectors = load("tiles.json")
    identity = sound(card.parse(vectors["card"].encode())).identity_pub
    for vector in vectors["logs"]:
        held = generate_tiles.exported(generate_tiles.numbers(vector["size"]))
        assert sound(tiles.check(held.get, identity, sample.verify)).size == vector["size"]
        for name, wanted in vector["files"].items():
            assert wanted in ({"hex": held[name].hex()}, {"sha256": hashlib.sha256(held[name]).hexdigest()})


def test_the_signing_vectors_come_out() -> None:
    for vector in load("ed25519.json"):
        seed, message = bytes.fromhex(vector["seed"]), bytes.fromhex(vector["message"])
        assert sign25519.public_key(seed).hex() == vector["pub"]
        assert sign25519.sign(seed, message).hex() == vector["sig"]
        assert sample.verify(bytes.fromhex(vector["pub"]), message, bytes.fromhex(vector["sig"]))


def _result(vector: dict[str, Any]) -> checkpoint.Checkpoint | Fault:
    identity = bytes.fromhex(vector["identity"])
    if vector["kind"] == "tiles":
        held = {name: bytes.fromhex(data) for name, data in vector["files"].items()}
        return tiles.check(held.get, identity, sample.verify)
    found = proof.parse(vector["text"])
    return found if isinstance(found, Fault) else proof.check(found, identity, sample.verify)


@pytest.mark.parametrize("name", BAD)
def test_each_bad_vector_is_refused_for_the_reason_it_names(name: str) -> None:
    vector = load(name)
    fault = _result(vector)
    assert isinstance(fault, Fault)
    assert fault.code == vector["fault"]
    assert vector["kind"] != "tiles" or fault.where.partition(": ")[0] == vector["where"]
