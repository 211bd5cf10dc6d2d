"""Every golden vector is read with the product, and the generator still makes the same bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from notevault import errors
from notevault.auditlog import pubkeys
from notevault.crypto import objects, signing, slots, subkeys
from notevault.crypto.hkdf import H
from notevault.crypto.kdf import KdfParams, argon2id, normalise
from notevault.formats.envelope import padded_size
from notevault.formats.header import Header, file_name
from notevault.formats.keytable import KeyTable
from notevault.formats.routing import Routing
from notevault.formats.slots import PassphraseSlot
from notevault.formats.text import canonical, parse_canonical, parse_payload, payload_json, unb64
from tests.crypto import hpke_by_hand
from tests.vectors import generate, readers
from tests.vectors.scene import pattern

HERE = Path(__file__).resolve().parent
BAD = sorted(path for path in (HERE / "bad").glob("*.json") if not path.name.startswith("log"))


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / name).read_text("ascii"))
    return found


def hex_of(vector: dict[str, Any], *names: str) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(vector[name]) for name in names)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_is_wrong_fails_as_its_vector_says(path: Path) -> None:
    vector = json.loads(path.read_text("ascii"))
    with pytest.raises(errors.NotevaultError) as caught:
        readers.attempt(vector)
    assert type(caught.value).__name__ == vector["fails"], caught.value.sentence
    assert vector["says"] in caught.value.sentence
    forbidden = ("slot", "header", "blob", "origin", "epoch", " seal ", "anchor", "checkpoint")
    assert not [word for word in forbidden if word in caught.value.sentence]


def test_there_are_bad_vectors_for_every_reader() -> None:
    assert {json.loads(path.read_text("ascii"))["open"] for path in BAD} == readers.READERS.keys()


def test_the_generator_makes_the_stored_bytes() -> None:
    assert generate.differences(generate.own_files()) == []


def test_text() -> None:
    vector = load("text.json")
    for row in vector["canonical"]:
        data = bytes.fromhex(row["bytes"])
        assert canonical(row["value"]) == data
        assert parse_canonical(data, limit=len(data)) == row["value"]
    for row in vector["payload"]:
        assert payload_json(row["value"]).hex() == row["bytes"]
        assert parse_payload(bytes.fromhex(row["bytes"])) == row["value"]
    assert all(padded_size(n) == padded for n, padded in vector["padding"])


def test_hkdf() -> None:
    rows = load("hkdf.json")["rows"]
    assert len({row["label"] for row in rows}) == 11
    for row in rows:
        ikm, salt, context, okm = hex_of(row, "ikm", "salt", "context", "okm")
        assert H(ikm, salt, row["label"], context, row["n"]) == okm
        info = b"notevault/v1/" + row["label"].encode() + b"\0" + context
        assert hpke_by_hand.hkdf(ikm, salt, info, row["n"]) == okm


def test_passphrase_and_its_slot() -> None:
    vector = load("passphrase.json")
    slot = PassphraseSlot.from_json(vector["slot"])
    vault, a, ds, okm, vk, pw = hex_of(vector, "vault", "a", "ds", "okm", "vk", "pw")
    assert normalise(vector["passphrase"]) == pw
    assert argon2id(pw, slot.salt, KdfParams(slot.m, slot.t, slot.p)) == a
    assert slots.slot_okm(slot, vault, a, ds) == okm
    assert slots.open_passphrase_slot(slot, vault, a, ds) == (vk, vector["generation"])


def test_recovery() -> None:
    vector = load("recovery.json")
    seed, vault, vk = hex_of(vector, "kit_seed", "vault", "vk")
    assert readers.read_recovery_slot(vector) == (vk, vector["generation"])
    slot, pk = vector["slot"], unb64(vector["slot"]["pk"])
    info = hpke_by_hand.recovery_info(vault, bytes.fromhex(slot["id"]), vector["generation"], pk)
    plain = hpke_by_hand.open_(seed, unb64(slot["enc"]), info, unb64(slot["sealed"]))
    assert plain == vk + vector["generation"].to_bytes(8, "big")


def test_header() -> None:
    vector = load("header.json")
    data = vector["file"].encode("ascii")
    header = Header.parse(data)
    signing.check_header(header)
    assert signing.sign_header(header, bytes.fromhex(vector["vik_seed"])) == header.sig
    assert signing.vik_fingerprint(header.vik).hex() == vector["fingerprint"]
    assert file_name(data) == vector["name"] == f"{header.seq:08d}-{hashlib.sha256(data).hexdigest()}"
    assert {slot.kind for slot in header.slots} == {"passphrase", "recovery"}


def test_key_table() -> None:
    vector = load("keytable.json")
    table = readers.read_table(vector)
    assert isinstance(table, KeyTable)
    assert table == KeyTable.unpack(unb64(vector["plain"]))
    assert table.vik_seed.hex() == vector["vik_seed"]
    assert [[p, g, key.hex()] for (p, g), key in sorted(table.wide.items())] == vector["wide"]
    assert [[c.hex(), g, key.hex()] for (c, g), key in sorted(table.clients.items())] == vector["clients"]


def test_objects() -> None:
    vector = load("objects.json")
    for row in vector["rows"]:
        inner = readers.read_object(row | {"vault": vector["vault"]})
        assert isinstance(inner, objects.Inner)
        assert inner.payload == unb64(row["payload"])
        assert hashlib.sha256(unb64(row["blob"])).hexdigest() == row["sha256"]


def test_streams() -> None:
    vector = load("stream.json")
    for row in vector["rows"]:
        assert readers.read_stream(row | {"key": vector["key"], "vault": vector["vault"]}) == pattern(row["length"])
        assert unb64(row["blob"])[6] == row["chunk_log2"]


def test_parts_of_log_entries() -> None:
    v = load("entries.json")
    ck, vault, client, note, kt, kn, kd = hex_of(v, "ck", "vault", "client", "object", "kt", "kn", "kd")
    assert subkeys.utc_year(v["t"]) == v["year"]
    assert subkeys.tag_key(ck, vault, client, v["year"], 1) == kt
    assert subkeys.note_tag_key(ck, vault, client, note, v["year"], 1) == kn
    assert subkeys.details_key(ck, vault, client, v["year"], 1) == kd
    assert subkeys.tag(kt, v["origin"], v["i"]).hex() == v["st"]
    assert subkeys.note_tag(kn, v["origin"], v["i"]).hex() == v["nt"]
    assert readers.read_routing(v) == Routing.parse(bytes.fromhex(v["routing"]))
    assert readers.read_details(v) == v["details"]
    wide = subkeys.details_key(bytes.fromhex(v["routing_key"]), vault, bytes(16), v["year"], 1)
    assert readers.read_details(v | {"kd": wide.hex(), "d": v["d_without_client"]}) == v["details"]
    mac = subkeys.entry_mac(bytes.fromhex(v["mac_key"]), v["origin"], v["entry_without_h"].encode())
    assert mac.hex() == v["h"]


def test_session() -> None:
    vector = load("session.json")
    assert len(vector["item"]) <= 400
    assert readers.read_session(vector) == bytes.fromhex(vector["okm"])


def test_signatures() -> None:
    v = load("signatures.json")
    seed, vik, vault = hex_of(v, "vik_seed", "vik", "vault")
    assert signing.public_key(seed) == vik
    assert signing.verify_card(vik, v["card"]["unsigned"].encode(), unb64(v["card"]["sig"]))
    assert signing.verify_purge(vik, vault, v["purge"]["digest"], unb64(v["purge"]["sig"]))
    cross = signing.cross_sign(bytes.fromhex(v["cross"]["old_seed"]), vault, vik)
    assert (cross.vik.hex(), cross.sig) == (v["cross"]["old_vik"], unb64(v["cross"]["sig"]))
    assert signing.verify(cross.vik, b"notevault/v1/vik\0" + vault + vik, cross.sig)
    assert not any(pubkeys.usable(bytes.fromhex(key)) for key in v["small_order_keys"])
