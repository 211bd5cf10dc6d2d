"""The golden vectors of sections 6 to 8: good ones read, each bad one gives the fault it names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import bundle, card, checkpoint, entry, merkle
from notevault.auditlog.check import check_log
from notevault.auditlog.fault import Fault, sound
from tests.auditlog import sample
from tests.vectors import generate_log, generate_trust

FOLDER = generate_log.FOLDER
KINDS = {"entry", "bundle", "checkpoint", "card", "log"}  # the others are read in test_trust_vectors


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


ALL_BAD = sorted(path.name for path in FOLDER.glob("bad-*.json"))
BAD = [name for name in ALL_BAD if load(name)["kind"] in KINDS]


def test_no_bad_vector_is_of_a_kind_that_nothing_reads() -> None:
    assert {load(name)["kind"] for name in ALL_BAD} == KINDS | generate_trust.KINDS


def test_the_generator_makes_the_same_vectors_again() -> None:
    assert generate_log.main(check=True) == 0


def test_every_event_has_an_entry_vector_that_reads_and_prints_again() -> None:
    seen = set()
    for vector in load("entries.json"):
        data = vector["bytes"].encode()
        found = sound(entry.parse(data))
        assert entry.encode(found.fields()) == data
        assert merkle.leaf_hash(data).hex() == vector["leaf"]
        seen.add(found.ev)
    assert seen == set(entry.EVENTS)


def test_the_tree_vectors_hold() -> None:
    tree = load("tree.json")
    leaves = [bytes.fromhex(leaf) for leaf in tree["leaves"]]
    roots = {vector["size"]: bytes.fromhex(vector["root"]) for vector in tree["roots"]}
    for size, root in roots.items():
        assert merkle.root(leaves[:size]) == root
    for vector in tree["inclusion"]:
        path, n, i = [bytes.fromhex(step) for step in vector["path"]], vector["size"], vector["index"]
        assert merkle.check_inclusion(path, n, roots[n], i, leaves[i])
    for vector in tree["consistency"]:
        path, old, n = [bytes.fromhex(step) for step in vector["path"]], vector["old"], vector["size"]
        assert merkle.check_consistency(path, old, merkle.root(leaves[:old]), n, roots[n])
    packed = tree["bundle"]
    assert bundle.split(bytes.fromhex(packed["bytes"])) == [text.encode() for text in packed["entries"]]
    assert {n: bundle.tile_path(int(n)) for n in tree["paths"]} == tree["paths"]


def test_the_checkpoint_vectors_hold_under_their_keys() -> None:
    vectors = load("checkpoints.json")
    keys = {int(e): bytes.fromhex(pub) for e, pub in vectors["epochs"].items()}
    for vector in vectors["checkpoints"]:
        found = checkpoint.check(vector["bytes"].encode(), bytes.fromhex(vectors["identity"]), keys, sample.verify)
        assert (sound(found).size, sound(found).epoch) == (vector["size"], vector["epoch"])


def test_the_card_vector_and_its_log_hold() -> None:
    vector = load("card.json")
    found = sound(card.parse(vector["bytes"].encode()))
    assert card.check(found, bytes.fromhex(vector["vik"]), sample.verify) is None
    files = {name: bytes.fromhex(data) for name, data in vector["log"].items()}
    assert check_log(files.get, vector["origin"], found, verify=sample.verify).findings == []


def _fault(kind: str, data: bytes) -> object:
    if kind == "entry":
        return entry.parse(data)
    if kind == "bundle":
        return bundle.split(data)
    if kind == "checkpoint":
        keys = {0: sample.EPOCH0.pub, 1: sample.EPOCH1.pub}
        return checkpoint.check(data, sample.IDENTITY.pub, keys, sample.verify)
    found = card.parse(data)
    return found if isinstance(found, Fault) else card.check(found, sample.VIK.pub, sample.verify)


@pytest.mark.parametrize("name", BAD)
def test_each_bad_vector_is_refused_for_the_reason_it_names(name: str) -> None:
    vector = load(name)
    if vector["kind"] == "log":
        files = {path: bytes.fromhex(data) for path, data in vector["files"].items()}
        verdict = check_log(files.get, sample.ORIGIN, vik=sample.VIK.pub, verify=sample.verify)
        assert vector["finding"] in [finding.code for finding in verdict.findings]
        assert verdict.exit_code != 0
    else:
        fault = _fault(vector["kind"], bytes.fromhex(vector["bytes"]))
        assert isinstance(fault, Fault)
        assert fault.code == vector["fault"]


def test_a_changed_vector_is_noticed(tmp_path: Path) -> None:
    assert generate_log.main(check=False, folder=tmp_path) == 0
    assert generate_log.main(check=True, folder=tmp_path) == 0
    card_file = tmp_path / "card.json"
    kept = card_file.read_text()
    card_file.write_text(kept.replace("a1", "a2", 1))
    assert generate_log.main(check=True, folder=tmp_path) == 1
    card_file.write_text(kept)
    (tmp_path / "stray.json").write_text("{}")
    assert generate_log.main(check=True, folder=tmp_path) == 1
