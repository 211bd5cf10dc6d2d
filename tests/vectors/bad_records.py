"""Bad texts, objects and streams."""

from __future__ import annotations

from notevault.crypto import aead, objectkeys, stream
from notevault.formats import envelope
from notevault.formats.text import b64
from tests.vectors import scene as s
from tests.vectors.bad_common import Bad, Json, edit64, flip


def texts(bad: Bad) -> None:
    spelled = "not spelled as"
    for name, data, fails, says in [
        ("space", b'{"a": 1}', "Damaged", spelled),
        ("unsorted", b'{"b":1,"a":1}', "Damaged", spelled),
        ("repeated-key", b'{"a":1,"a":1}', "Damaged", spelled),
        ("escape", b'{"a":"\\u0041"}', "Damaged", spelled),
        ("float", b'{"a":1.0}', "Damaged", "not written as"),
        ("leading-zero", b'{"a":01}', "Damaged", "not written as"),
        ("negative", b'{"a":-1}', "Damaged", "cannot hold"),
        ("too-large", b'{"a":9007199254740992}', "Damaged", "cannot hold"),
        ("true", b'{"a":true}', "Damaged", "cannot hold"),
        ("quote", b'{"a":"\\""}', "Damaged", "cannot hold"),
        ("non-ascii", '{"a":"ä"}'.encode(), "Damaged", "not written as"),
        ("array", b"[]", "Damaged", "not written as"),
        ("deep", b'{"a":' + b"[" * 9 + b"]" * 9 + b"}", "Damaged", "cannot hold"),
    ]:
        bad.add(f"canonical-{name}", "canonical", f"canonical JSON: {name}", fails, says, {"bytes": data.hex()})
    bad.add(
        "canonical-no-newline",
        "canonical",
        "the final newline is missing",
        "Damaged",
        "cut short",
        {"bytes": b"{}".hex(), "newline": True},
    )
    bad.add(
        "canonical-over-limit",
        "canonical",
        "larger than its limit",
        "Damaged",
        "larger",
        {"bytes": b"{}".hex(), "limit": 1},
    )
    for name, data in [
        ("escaped-letter", b'{"a":"\\u00e4"}'),
        ("escaped-slash", b'{"a":"\\/"}'),
        ("space", b'{ "a":1}'),
    ]:
        bad.add(f"payload-{name}", "payload", f"payload JSON: {name}", "Damaged", spelled, {"bytes": data.hex()})
    for name, data in [("float", b'{"a":0.5}'), ("surrogate", b'{"a":"\\ud800"}')]:
        bad.add(
            f"payload-{name}",
            "payload",
            f"payload JSON: {name}",
            "Damaged",
            "A record's content",
            {"bytes": data.hex()},
        )


def objects_(bad: Bad, valid: Json) -> None:
    row = next(row for row in valid["rows"] if row["name"] == "note")
    good = {name: row[name] for name in ("blob", "key", "type", "client", "object", "version")} | {
        "vault": valid["vault"]
    }
    other = {"client": s.OTHER_CLIENT.hex(), "object": s.OTHER_NOTE.hex(), "version": 2, "type": 4}
    moved = {
        "client": "moved to another client",
        "object": "another note",
        "version": "another revision",
        "type": "another kind",
    }
    for name, says in moved.items():
        bad.add(
            f"object-other-{name}",
            "object",
            f"asked for as another {name}",
            "WrongSeal",
            says,
            good | {name: other[name]},
        )
    foreign = "another client or another vault"
    bad.add(
        "object-other-key", "object", "another client's key", "WrongSeal", foreign, good | {"key": s.OTHER_CK.hex()}
    )
    bad.add(
        "object-other-vault",
        "object",
        "read in another vault",
        "WrongSeal",
        foreign,
        good | {"vault": s.OTHER_VAULT.hex()},
    )
    for name, at, fails, says in [
        ("magic", 0, "Damaged", "is none"),
        ("suite", 4, "UnknownFormat", "newer notevault"),
        ("flag", 5, "Damaged", "first bytes were altered"),
        ("chunk", 6, "Damaged", "first bytes were altered"),
        ("zero", 7, "Damaged", "first bytes were altered"),
        ("salt", 8, "WrongSeal", foreign),
        ("commitment", 40, "WrongSeal", foreign),
        ("body", 72, "WrongSeal", "altered after it was locked"),
        ("tag", -1, "WrongSeal", "altered after it was locked"),
    ]:
        vector = edit64(good, "blob", lambda blob, at=at: flip(blob, at))
        bad.add(f"object-flipped-{name}", "object", f"one bit of byte {at} is flipped", fails, says, vector)
    bad.add(
        "object-cut",
        "object",
        "the last byte is missing",
        "WrongSeal",
        "cut short",
        edit64(good, "blob", lambda b: b[:-1]),
    )
    bad.add("object-head-only", "object", "70 bytes", "Damaged", "cut short", edit64(good, "blob", lambda b: b[:70]))
    bad.add(
        "object-longer",
        "object",
        "one byte more",
        "WrongSeal",
        "lengthened",
        edit64(good, "blob", lambda b: b + b"\0"),
    )
    head = envelope.pack_inner_head(2, s.CLIENT, s.NOTE, 3, 0)
    for name, plain, fails, says in [
        ("padding", head.ljust(4095, b"\0") + b"\1", "Damaged", "padding"),
        ("length", (head[:-1] + b"\xff").ljust(8192, b"\0"), "Damaged", "length"),
        ("type", (b"\x09" + head[1:]).ljust(4096, b"\0"), "UnknownFormat", "does not know"),
        ("address", (b"\1" + head[1:]).ljust(4096, b"\0"), "Damaged", "contradicts its kind"),
    ]:
        prefix = envelope.pack_head_prefix(bytes(32))
        key, commitment = objectkeys.key_and_commitment(s.CK, s.VAULT, prefix)
        blob = prefix + commitment + aead.gcm_seal(key, prefix + commitment, plain)
        bad.add(
            f"object-inner-{name}",
            "object",
            f"rightly sealed, wrong {name} inside",
            fails,
            says,
            good | {"blob": b64(blob)},
        )


def streams(bad: Bad, valid: Json) -> None:
    row = valid["rows"][0]
    good = {name: row[name] for name in ("blob", "type", "client", "object", "version")}
    good |= {"key": valid["key"], "vault": valid["vault"]}
    step = (1 << row["chunk_log2"]) + 16
    pieces = {
        "cut-at-chunk": lambda b: b[: 72 + step],
        "cut": lambda b: b[:-1],
        "longer": lambda b: b + b"\0",
        "chunk-left-out": lambda b: b[:72] + b[72 + step :],
        "chunk-twice": lambda b: b[: 72 + step] + b[72:],
    }
    for name, edit in pieces.items():
        bad.add(f"stream-{name}", "stream", name.replace("-", " "), "Damaged", "cut short", edit64(good, "blob", edit))
    bad.files["bad/stream-cut-at-chunk.json"]["fails"] = "WrongSeal"
    for name, at in (("first-chunk", 80), ("last-chunk", -20), ("tag", -1)):
        vector = edit64(good, "blob", lambda blob, at=at: flip(blob, at))
        bad.add(f"stream-flipped-{name}", "stream", f"one bit of byte {at} is flipped", "WrongSeal", "altered", vector)
    bad.add(
        "stream-other-chunk-size",
        "stream",
        "chunk_log2 changed",
        "WrongSeal",
        "altered",
        edit64(good, "blob", lambda b: flip(b, 6)),
    )
    small = envelope.pack_head_prefix(bytes(32), chunk_log2=16)
    key, commitment = objectkeys.key_and_commitment(s.CK, s.VAULT, small)
    inner = envelope.pack_inner_head(4, s.CLIENT, s.NOTE, 1, 3).ljust(4096, b"\0")
    cipher, head = stream.AESGCM(key), small + commitment
    not_last = head + cipher.encrypt(bytes(12), inner, head)
    bad.add(
        "stream-no-last-flag",
        "stream",
        "the only chunk is not flagged as last",
        "WrongSeal",
        "cut short",
        good | {"blob": b64(not_last)},
    )
