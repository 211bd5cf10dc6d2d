"""The valid vectors: for every formula of FORMAT.md sections 0 to 6.2 and 9 that has bytes of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from notevault.auditlog import pubkeys
from notevault.crypto import objects, sessionkey, signing, slots, stream, subkeys
from notevault.crypto.hkdf import H, u8, u16, u32, u64
from notevault.crypto.kdf import normalise
from notevault.formats.envelope import Inner, padded_size
from notevault.formats.header import file_name
from notevault.formats.ids import ZERO_ID
from notevault.formats.routing import Routing
from notevault.formats.text import b64, canonical, payload_json
from tests.vectors import scene as s
from tests.vectors.drbg import Drbg

BOOT = b"boot-id."
EXPIRES = 1_763_744_400_000
Json = dict[str, Any]


def text() -> Json:
    canonical_values: list[Json] = [{}, {"b": [1, {"c": ""}], "a": "x y~"}, {"Z": 0, "a": 9007199254740991, "": []}]
    payload_values: list[Json] = [
        {},
        {"v": 1, "text": 'Quote " backslash \\ tab \t line\nend \u0001\u001f\u007f'},
        {"ä": "Å\u0301 \U0001f600 \u2028", "n": [0, -9007199254740991]},
    ]
    return {
        "canonical": [{"bytes": canonical(value).hex(), "value": value} for value in canonical_values],
        "payload": [{"bytes": payload_json(value).hex(), "value": value} for value in payload_values],
        "padding": [[n, padded_size(n)] for n in (0, 45, 4096, 4097, 16384, 16385, 65537, 1_000_000, 2**26 + 1)],
    }


def hkdf() -> Json:
    place = bytes.fromhex(s.ORIGIN) + u64(7)
    year = u16(2025) + u32(1)
    salt16, salt32 = Drbg("hkdf").draw(16), Drbg("hkdf").draw(32)
    kdf_part = u32(65536) + u32(3) + u8(4) + u32(1)
    rows = [
        ("slot", s.A + s.DS, salt32, s.VAULT + s.PASSPHRASE_SLOT_ID + u8(1) + kdf_part, 64),
        ("kit", s.KIT_SEED, b"", b"", 96),
        ("table", s.VK, salt32, s.VAULT + u64(1) + bytes.fromhex(s.ORIGIN) + u64(1), 64),
        ("hedge", s.CK, b"", b"", 32),
        ("object", s.CK, salt32, s.VAULT + b"NVO1\1\0\0\0" + salt32, 64),
        ("tag", s.CK, b"", s.VAULT + s.CLIENT + year, 32),
        ("note-tag", s.CK, b"", s.VAULT + s.CLIENT + s.NOTE + year, 32),
        ("details", s.CK, b"", s.VAULT + s.CLIENT + year, 32),
        ("detail", s.CK, salt16, place, 32),
        ("route", s.CK, salt16, s.VAULT + place, 32),
        ("session", s.DS, salt32, s.VAULT + s.DEVICE + s.PASSPHRASE_SLOT_ID + u64(EXPIRES) + BOOT, 32),
    ]
    names = ("label", "ikm", "salt", "context", "n", "okm")
    return {
        "rows": [
            dict(
                zip(
                    names,
                    (label, ikm.hex(), salt.hex(), context.hex(), n, H(ikm, salt, label, context, n).hex()),
                    strict=True,
                )
            )
            for label, ikm, salt, context, n in rows
        ]
    }


def passphrase() -> Json:
    slot = s.PASSPHRASE_SLOT
    return {
        "a": s.A.hex(),
        "ds": s.DS.hex(),
        "generation": s.GENERATION,
        "okm": slots.slot_okm(slot, s.VAULT, s.A, s.DS).hex(),
        "passphrase": s.PASSPHRASE,
        "pw": normalise(s.PASSPHRASE).hex(),
        "slot": slot.to_json(),
        "vault": s.VAULT.hex(),
        "vk": s.VK.hex(),
    }


def recovery() -> Json:
    return {
        "generation": s.GENERATION,
        "kit_seed": s.KIT_SEED.hex(),
        "slot": s.RECOVERY_SLOT.to_json(),
        "vault": s.VAULT.hex(),
        "vk": s.VK.hex(),
    }


def header() -> Json:
    data = s.HEADER.to_bytes()
    return {
        "file": data.decode("ascii"),
        "fingerprint": signing.vik_fingerprint(s.HEADER.vik).hex(),
        "name": file_name(data),
        "vik_seed": s.VIK_SEED.hex(),
    }


def keytable() -> Json:
    return {
        "clients": [
            [client.hex(), generation, key.hex()] for (client, generation), key in sorted(s.TABLE.clients.items())
        ],
        "generation": s.HEADER.generation,
        "origin": s.ORIGIN,
        "plain": b64(s.TABLE.pack()),
        "sealed": b64(s.HEADER.table),
        "seq": s.HEADER.seq,
        "vault": s.VAULT.hex(),
        "vik_seed": s.VIK_SEED.hex(),
        "vk": s.VK.hex(),
        "wide": [[purpose, generation, key.hex()] for (purpose, generation), key in sorted(s.TABLE.wide.items())],
    }


def _address(inner: Inner) -> Json:
    return {
        "client": inner.client.hex(),
        "object": inner.object.hex(),
        "type": int(inner.type),
        "version": inner.version,
    }


def objects_() -> Json:
    records = [
        ("client", s.CK, Inner(1, s.CLIENT, ZERO_ID, 1, payload_json({"v": 1, "name": "Åsa Öberg"}))),
        ("note", s.CK, Inner(2, s.CLIENT, s.NOTE, 3, payload_json({"v": 1, "text": "Slept four hours.\n"}))),
        ("settings", s.WIDE[5, 1], Inner(3, ZERO_ID, ZERO_ID, 1, b'{"v":1}')),
        ("draft", s.WIDE[2, 1], Inner(5, ZERO_ID, s.NOTE, 0, b'{"v":1}')),
        ("empty", s.WIDE[2, 1], Inner(7, ZERO_ID, ZERO_ID, 1, b"")),
        ("two-pages", s.CK, Inner(2, s.CLIENT, s.NOTE, 4, s.pattern(5000))),
    ]
    rows = []
    for name, key, inner in records:
        entropy = Drbg("object " + name)
        blob = objects.seal_object(key, s.VAULT, inner, entropy)
        row = {
            "blob": b64(blob),
            "key": key.hex(),
            "name": name,
            "payload": b64(inner.payload),
            "random": entropy.taken,
        }
        rows.append(row | _address(inner) | {"sha256": hashlib.sha256(blob).hexdigest()})
    return {"rows": rows, "vault": s.VAULT.hex()}


def stream_() -> Json:
    rows = []
    for length, chunk_log2 in ((70_000, 16), (65_491, 16), (100, 20)):
        payload, entropy = s.pattern(length), Drbg(f"stream {length}")

        def source(payload: bytes = payload) -> Iterator[bytes]:
            yield payload

        pieces = stream.seal_stream(s.CK, s.VAULT, 4, s.CLIENT, s.NOTE, 1, source, length, chunk_log2, entropy)
        blob = b"".join(pieces)
        row = {"blob": b64(blob), "chunk_log2": chunk_log2, "length": length, "random": entropy.taken}
        rows.append(row | _address(Inner(4, s.CLIENT, s.NOTE, 1, b"")) | {"sha256": hashlib.sha256(blob).hexdigest()})
    return {"key": s.CK.hex(), "payload": "bytes 0 to 250, repeated", "rows": rows, "vault": s.VAULT.hex()}


def entries() -> Json:
    i, wall = 7, 1_763_715_600_000
    year = subkeys.utc_year(wall)
    route, mac = s.WIDE[3, 1], s.WIDE[4, 1]
    routing = Routing(2, 1, 3, 1, s.CLIENT, s.NOTE)
    kt = subkeys.tag_key(s.CK, s.VAULT, s.CLIENT, year, 1)
    kn = subkeys.note_tag_key(s.CK, s.VAULT, s.CLIENT, s.NOTE, year, 1)
    kd = subkeys.details_key(s.CK, s.VAULT, s.CLIENT, year, 1)
    wide_kd = subkeys.details_key(route, s.VAULT, ZERO_ID, year, 1)
    details = {"n": 3, "words": "sömn ångest"}
    entry = canonical({"ev": "record.write", "g": 1, "i": i, "v": 1})
    return {
        "ck": s.CK.hex(),
        "client": s.CLIENT.hex(),
        "d": b64(subkeys.seal_details(kd, s.ORIGIN, i, details, Drbg("details"))),
        "d_without_client": b64(subkeys.seal_details(wide_kd, s.ORIGIN, i, details, Drbg("wide details"))),
        "details": details,
        "entry_without_h": entry.decode(),
        "h": subkeys.entry_mac(mac, s.ORIGIN, entry).hex(),
        "i": i,
        "kd": kd.hex(),
        "kn": kn.hex(),
        "kt": kt.hex(),
        "mac_key": mac.hex(),
        "nt": subkeys.note_tag(kn, s.ORIGIN, i).hex(),
        "object": s.NOTE.hex(),
        "origin": s.ORIGIN,
        "r": b64(subkeys.seal_routing(route, s.VAULT, s.ORIGIN, i, routing, Drbg("routing"))),
        "routing": routing.pack().hex(),
        "routing_key": route.hex(),
        "st": subkeys.tag(kt, s.ORIGIN, i).hex(),
        "t": wall,
        "vault": s.VAULT.hex(),
        "year": year,
    }


def session() -> Json:
    draw = Drbg("session").draw
    okm, half, salt = slots.slot_okm(s.PASSPHRASE_SLOT, s.VAULT, s.A, s.DS), draw(32), draw(32)
    place: Json = {"vault_id": s.VAULT, "device": s.DEVICE, "slot_id": s.PASSPHRASE_SLOT_ID, "boot_id": BOOT}
    wrapped = sessionkey.wrap_okm(okm, half, salt, expires_ms=EXPIRES, **place)
    item = {
        "boot": BOOT.hex(),
        "exp": EXPIRES,
        "salt": b64(salt),
        "slot": s.PASSPHRASE_SLOT_ID.hex(),
        "v": 1,
        "w": b64(wrapped),
    }
    return {
        "device": s.DEVICE.hex(),
        "half": half.hex(),
        "item": canonical(item).decode(),
        "okm": okm.hex(),
        "vault": s.VAULT.hex(),
    }


def signatures() -> Json:
    digest = hashlib.sha256(b"a blob").hexdigest()
    old = Drbg("old identity").draw(32)
    cross = signing.cross_sign(old, s.VAULT, s.HEADER.vik)
    card = canonical({"v": 1, "vault": s.VAULT.hex()})
    return {
        "card": {"sig": b64(signing.sign_card(s.VIK_SEED, card)), "unsigned": card.decode()},
        "cross": {"old_seed": old.hex(), "old_vik": cross.vik.hex(), "sig": b64(cross.sig)},
        "purge": {"digest": digest, "sig": b64(signing.sign_purge(s.VIK_SEED, s.VAULT, digest))},
        "small_order_keys": sorted(
            y.to_bytes(32, "little").hex() for y in pubkeys._SMALL_ORDER | {2**255 - 19, 2**255 - 18}
        ),
        "vault": s.VAULT.hex(),
        "vik": s.HEADER.vik.hex(),
        "vik_seed": s.VIK_SEED.hex(),
    }


def all_valid() -> dict[str, Json]:
    """File name -> content."""
    return {
        "entries.json": entries(),
        "header.json": header(),
        "hkdf.json": hkdf(),
        "keytable.json": keytable(),
        "objects.json": objects_(),
        "passphrase.json": passphrase(),
        "recovery.json": recovery(),
        "session.json": session(),
        "signatures.json": signatures(),
        "stream.json": stream_(),
        "text.json": text(),
    }
