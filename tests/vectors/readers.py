"""How a vector is read with the product: `open` names the reader, the other fields are its arguments.

Fields: ids, keys and digests in hex, files and ciphertext in base64, origins as text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from notevault.crypto import kdf, keytable, objects, sessionkey, signing, slots, stream, subkeys
from notevault.formats.header import Header
from notevault.formats.keytable import KeyTable
from notevault.formats.slots import PassphraseSlot, RecoverySlot
from notevault.formats.text import parse_canonical, parse_payload, unb64
from tests.vectors import scene

Vector = dict[str, Any]


def _hex(vector: Vector, name: str) -> bytes:
    return bytes.fromhex(vector[name])


def read_canonical(v: Vector) -> object:
    return parse_canonical(_hex(v, "bytes"), limit=v.get("limit", 1 << 20), newline=v.get("newline", False))


def read_payload(v: Vector) -> object:
    return parse_payload(_hex(v, "bytes"))


def read_object(v: Vector) -> object:
    address = {"type": v["type"], "client": _hex(v, "client"), "object": _hex(v, "object"), "version": v["version"]}
    return objects.open_object(_hex(v, "key"), _hex(v, "vault"), unb64(v["blob"]), **address)


def read_stream(v: Vector) -> object:
    address = {"type": v["type"], "client": _hex(v, "client"), "object": _hex(v, "object"), "version": v["version"]}
    blob = unb64(v["blob"])
    pieces = (blob[at : at + 50_000] for at in range(0, len(blob), 50_000))
    return stream.open_stream(_hex(v, "key"), _hex(v, "vault"), pieces, len(blob), **address)


def read_header(v: Vector) -> object:
    header = Header.parse(v["file"].encode("utf-8"))
    signing.check_header(header)
    return header


def read_table(v: Vector) -> object:
    where = {"vault": _hex(v, "vault"), "origin": v["origin"], "seq": v["seq"], "generation": v["generation"]}
    return keytable.open_table(unb64(v["sealed"]), _hex(v, "vk"), replace(scene.HEADER, **where))


def read_plain_table(v: Vector) -> object:
    return KeyTable.unpack(unb64(v["plain"]))


def read_passphrase_slot(v: Vector) -> object:
    slot = PassphraseSlot.from_json(v["slot"])
    return slots.open_passphrase_slot(slot, _hex(v, "vault"), _hex(v, "a"), _hex(v, "ds"))


def read_recovery_slot(v: Vector) -> object:
    kit = slots.KitKeys.from_seed(_hex(v, "kit_seed"))
    return slots.open_recovery_slot(RecoverySlot.from_json(v["slot"]), _hex(v, "vault"), v["generation"], kit)


def read_routing(v: Vector) -> object:
    return subkeys.open_routing(_hex(v, "routing_key"), _hex(v, "vault"), v["origin"], v["i"], unb64(v["r"]))


def read_details(v: Vector) -> object:
    return subkeys.open_details(_hex(v, "kd"), v["origin"], v["i"], unb64(v["d"]))


def read_session(v: Vector) -> object:
    item = parse_canonical(v["item"].encode("ascii"), limit=400)
    return sessionkey.unwrap_okm(
        unb64(item["w"], 80),
        _hex(v, "half"),
        unb64(item["salt"], 32),
        vault_id=_hex(v, "vault"),
        device=_hex(v, "device"),
        slot_id=bytes.fromhex(item["slot"]),
        expires_ms=item["exp"],
        boot_id=bytes.fromhex(item["boot"]),
    )


def read_kdf(v: Vector) -> object:
    return kdf.check_params(kdf.KdfParams(v["m"], v["t"], v["p"]), v["ram_total"])


def read_passphrase(v: Vector) -> object:
    return kdf.normalise(v["passphrase"])


READERS: dict[str, Callable[[Vector], object]] = {
    "canonical": read_canonical,
    "details": read_details,
    "header": read_header,
    "kdf": read_kdf,
    "object": read_object,
    "passphrase": read_passphrase,
    "passphrase-slot": read_passphrase_slot,
    "payload": read_payload,
    "plain-table": read_plain_table,
    "recovery-slot": read_recovery_slot,
    "routing": read_routing,
    "session": read_session,
    "stream": read_stream,
    "table": read_table,
}


def attempt(vector: Vector) -> object:
    """Read a vector as its `open` says; raises what the product raises."""
    return READERS[vector["open"]](vector)
