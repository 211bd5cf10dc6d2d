"""The golden vectors of FORMAT 6.6, 7.1 to 7.3 and the card's fingerprint: part of what `generate_log` writes.

`anchors.json`, `cosigned.json`, `state.json`, `disclosure.json` must be read as they are; every `bad-*.json` of the
kinds below holds bytes (or a key's text) that must be refused, and names the code of the fault.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from notevault.auditlog import anchor, canon, card, checkpoint, cosign, disclosure, entry, note, state
from tests.auditlog import sample
from tests.auditlog.sample import CARD, EPOCH0, EPOCH1, IDENTITY, ORIGIN, START_MS, VAULT, VIK, Key, Log

KINDS = {"anchor", "cosigned", "key", "state", "disclosure"}
TIME = START_MS // 1000
YEAR = 2025
OTHER_LOG = "0e" * 16
W1, W2, STRANGER = Key("witness one"), Key("witness two"), Key("stranger")
SIGNERS = [
    cosign.Signer(name, key.pub, key.private.private_bytes_raw())
    for name, key in (("witness.example/one", W1), ("witness.example/zwei-\u00fc", W2))
]
TAG_KEYS = {1: hashlib.sha256(b"tag key 1").digest(), 3: hashlib.sha256(b"tag key 3").digest()}
FOREIGN_TAG_KEY = hashlib.sha256(b"tag key of somebody else").digest()


def log(size: int, epoch: int = 0, key: Key = EPOCH0) -> bytes:
    return Log(sample.entries(size), epoch, key).checkpoint(size)


def cosigned(data: bytes, signer: cosign.Signer, key: Key, time_s: int = TIME) -> bytes:
    return cosign.make(data, signer.name, signer.pub, key.sign, time_s)


def tag(key: bytes, origin: str, i: int) -> str:
    """By the formula in FORMAT 6.6, with the library's HMAC: not the way `disclosure.matcher` goes."""
    message = b"notevault/st/v1\0" + bytes.fromhex(origin) + i.to_bytes(8, "big")
    return hmac.new(key, message, "sha256").digest()[:16].hex()


def disclosed_entries() -> list[dict[str, Any]]:
    """Entries of two logs and whether they are the client's."""

    def row(i: int, origin: str, mine: bool, key: bytes, **more: Any) -> dict[str, Any]:
        fields = sample.fields(i, more.pop("ev", "record.open"), st=tag(key, origin, i), **more)
        return {"origin": origin, "mine": mine, "bytes": entry.encode(fields).decode()}

    first, last = disclosure.year_ms(YEAR), disclosure.year_ms(YEAR + 1) - 1
    return [
        row(5, ORIGIN, True, TAG_KEYS[1], t=first),
        row(6, ORIGIN, True, TAG_KEYS[3], t=last, ev="record.write"),
        row(7, OTHER_LOG, True, TAG_KEYS[3]),
        row(8, ORIGIN, False, FOREIGN_TAG_KEY),
        row(9, ORIGIN, False, TAG_KEYS[1], t=first - 1),
        row(10, ORIGIN, False, TAG_KEYS[1], t=last + 1),
        {"origin": ORIGIN, "mine": False, "bytes": entry.encode(sample.fields(11, "session.open")).decode()},
        {**row(12, OTHER_LOG, False, TAG_KEYS[1]), "origin": ORIGIN},  # a tag of another log
    ]


def a_state() -> state.State:
    heads = tuple(state.Head(n * n, hashlib.sha256(b"root %d" % n).digest(), START_MS + n) for n in range(3))
    logs = {ORIGIN: heads, OTHER_LOG: (state.Head(2**53 - 1, bytes(32), 0),)}
    return state.State(VAULT, VIK.pub.hex(), card.fingerprint(CARD), logs)


def a_disclosure() -> bytes:
    return disclosure.make(VAULT, VIK.pub, YEAR, TAG_KEYS, START_MS, VIK.sign)


def good() -> dict[str, Any]:
    once = cosigned(log(3), SIGNERS[0], W1)
    twice = cosigned(once, SIGNERS[1], W2, TIME + 1)
    first = canon.dump({"card": "00" * 16, "logs": {}, "v": 1, "vault": VAULT, "vik": VIK.pub.hex()}) + b"\n"
    return {
        "anchors": {
            "identity": IDENTITY.pub.hex(),
            "origin": ORIGIN,
            "anchors": [_anchor(log(n, e, key)) for n, e, key in ((0, 0, EPOCH0), (3, 0, EPOCH0), (257, 1, EPOCH1))],
        },
        "cosigned": {
            "identity": IDENTITY.pub.hex(),
            "witnesses": [cosign.witness_text(one.witness) for one in SIGNERS],
            "signers": [cosign.signer_text(one) for one in SIGNERS],
            "message": cosign.message(b"\n".join(log(3).split(b"\n")[:3]) + b"\n", TIME).decode(),
            "cosigned": [
                {"bytes": once.decode(), "held": [[SIGNERS[0].name, TIME]]},
                {"bytes": twice.decode(), "held": [[SIGNERS[0].name, TIME], [SIGNERS[1].name, TIME + 1]]},
            ],
        },
        "state": {
            "card": CARD.decode(),
            "fingerprint": card.fingerprint(CARD),
            "spelled": card.spell_fingerprint(card.fingerprint(CARD)),
            "states": [{"bytes": state.dump(a_state()).decode(), "heads": 4}, {"bytes": first.decode(), "heads": 0}],
        },
        "disclosure": {
            "bytes": a_disclosure().decode(),
            "vik": VIK.pub.hex(),
            "vault": VAULT,
            "year": YEAR,
            "entries": disclosed_entries(),
        },
    }


def _anchor(data: bytes) -> dict[str, str]:
    found = checkpoint.parse(data)
    assert isinstance(found, checkpoint.Checkpoint)
    return {"name": anchor.name_of(found.size, found.root), "bytes": data.decode()}


def bad() -> dict[str, dict[str, Any]]:
    """File name without ending -> its content."""
    out: dict[str, dict[str, Any]] = {}
    for name, (fault, what, file, data) in bad_anchors().items():
        out[f"bad-anchor-{name}"] = {"kind": "anchor", "fault": fault, "what": what, "name": file, "bytes": data.hex()}
    for kind, cases in (("cosigned", bad_cosigned()), ("state", bad_states()), ("disclosure", bad_disclosures())):
        for name, (fault, what, data) in cases.items():
            out[f"bad-{kind}-{name}"] = {"kind": kind, "fault": fault, "what": what, "bytes": data.hex()}
    for name, (what, text) in bad_keys().items():
        out[f"bad-key-{name}"] = {"kind": "key", "fault": "BAD_KEY", "what": what, "text": text}
    return out


def bad_anchors() -> dict[str, tuple[str, str, str, bytes]]:
    """name -> (fault, what is wrong, file name, bytes)"""
    data = log(3)
    name = _anchor(data)["name"]
    text = data.split(b"\n\n")[0] + b"\n"
    mine = checkpoint.name_of(ORIGIN)
    second = data.split(b"\n\n")[1].splitlines(keepends=True)[1]

    def first_line(pub: bytes, key: Key) -> bytes:
        return text + b"\n" + note.line(mine, pub, key.sign(text)).encode() + second

    keys = (IDENTITY.sign, EPOCH0.sign, IDENTITY.pub, EPOCH0.pub)
    elsewhere = checkpoint.make(OTHER_LOG, 3, bytes.fromhex(name[2:]), 0, *keys)
    return {
        "name-zero": ("BAD_NAME", "a size with a leading zero in its name", "0" + name, data),
        "name-upper": ("BAD_NAME", "a root in capitals in its name", name.upper(), data),
        "name-short": ("BAD_NAME", "a root of 31 bytes in its name", name[:-2], data),
        "name-ending": ("BAD_NAME", "something behind its name", name + ".txt", data),
        "size": ("WRONG_SIZE", "its name says another size", "4" + name[1:], data),
        "root": ("WRONG_ROOT", "its name says another root", name[:-1] + ("0" if name[-1] != "0" else "1"), data),
        "origin": ("WRONG_ORIGIN", "a checkpoint of another log", name, elsewhere),
        "key": ("KEY_ID", "signed by another identity", name, first_line(STRANGER.pub, STRANGER)),
        "signature": (
            "BAD_SIGNATURE",
            "another signature under the right id",
            name,
            first_line(IDENTITY.pub, STRANGER),
        ),
        "cosigned": ("BAD_SIGNERS", "a witness's line behind it", name, cosigned(data, SIGNERS[0], W1)),
        "empty": ("NOT_A_NOTE", "a file of no bytes", name, b""),
        "cut": ("NOT_A_NOTE", "its last byte is missing", name, data[:-1]),
    }


def bad_cosigned() -> dict[str, tuple[str, str, bytes]]:
    """name -> (fault, what is wrong, bytes); read with both witnesses' keys and the identity's."""
    data = log(3)
    one, text = SIGNERS[0], data.split(b"\n\n")[0] + b"\n"
    head, tail = data.split(b"\n\n")
    first, second = tail.splitlines(keepends=True)

    def line(value: bytes, algorithm: bytes = note.COSIGNATURE) -> bytes:
        return note.line(one.name, one.pub, value, algorithm).encode()

    def value(time_s: int, signed_time: int | None = None, key: Key = W1) -> bytes:
        message = cosign.message(text, time_s if signed_time is None else signed_time)
        return time_s.to_bytes(8, "big") + key.sign(message)

    stranger = cosign.make(data, "witness.example/three", STRANGER.pub, STRANGER.sign, TIME)
    forged = note.line(checkpoint.name_of(ORIGIN), IDENTITY.pub, STRANGER.sign(text)).encode()
    other = Log(sample.entries(4)).checkpoint(4).split(b"\n\n")[0]
    whole = cosigned(data, one, W1)
    return {
        "none": ("BAD_SIGNERS", "no cosignature", data),
        "stranger": ("BAD_SIGNERS", "only a witness that nobody named", stranger),
        "plain-signature": ("BAD_SIGNERS", "64 bytes, without a time", data + line(W1.sign(text))),
        "plain-kind": ("BAD_SIGNERS", "the id of another kind of key", data + line(value(TIME), note.ED25519)),
        "changed-time": ("BAD_SIGNATURE", "another time than the one signed", data + line(value(TIME + 1, TIME))),
        "untimed": ("BAD_SIGNATURE", "signed is the text alone", data + line(TIME.to_bytes(8, "big") + W1.sign(text))),
        "other-key": ("BAD_SIGNATURE", "another signature under the right id", data + line(value(TIME, key=W2))),
        "late": ("BAD_TIME", "a time of 2^63", data + line(value(2**63))),
        "other-text": ("BAD_SIGNATURE", "the lines of another checkpoint", whole.replace(head, other)),
        "first": ("BAD_SIGNERS", "the cosignature before the log's lines", head + b"\n\n" + line(value(TIME)) + tail),
        "between": ("BAD_SIGNERS", "between the log's lines", head + b"\n\n" + first + line(value(TIME)) + second),
        "identity": ("BAD_SIGNATURE", "the log's own signature forged", whole.replace(first, forged)),
        "many": ("TOO_LARGE", "15 cosignatures", data + line(value(TIME)) * 15),
        "long": ("TOO_LARGE", "more than 16 KiB", whole + b"x" * 16384),
    }


def bad_keys() -> dict[str, tuple[str, str]]:
    """name -> (what is wrong, text): keys of witnesses."""
    text = cosign.witness_text(SIGNERS[0].witness)
    name, key_id, key = text.split("+", 2)
    long_key = base64.b64encode(note.COSIGNATURE + bytes(33)).decode()
    return {
        "empty": ("nothing", ""),
        "kind": ("a key for notes, not for cosignatures", note.verifier_key(name, W1.pub)),
        "id": ("a changed id", f"{name}+{'0' * 8}+{key}"),
        "upper-id": ("an id in capitals", f"{name}+{key_id.upper()}+{key}"),
        "name": ("a changed name", "W" + text[1:]),
        "space": ("a space in the name", f"a {text}"),
        "no-name": ("no name", text[len(name) :]),
        "two-parts": ("no id", f"{name}+{key}"),
        "newline": ("a newline behind it", text + "\n"),
        "length": ("33 bytes of key", f"{name}+{key_id}+{long_key}"),
        "secret": ("the secret key", cosign.signer_text(SIGNERS[0])),
        "long": ("a name of 1,100 letters", "n" * 1100 + text),
    }


def _spelled(data: bytes, **more: Any) -> bytes:
    """These fields changed, added, or with None taken away; still canonical."""
    values = {**json.loads(data), **more}
    kept = {name: value for name, value in values.items() if value is not None}
    return json.dumps(kept, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def bad_states() -> dict[str, tuple[str, str, bytes]]:
    data = state.dump(a_state())
    root = "00" * 32

    def heads(*rows: Any) -> bytes:
        return _spelled(data, logs={ORIGIN: list(rows)})

    return {
        "no-newline": ("NOT_CANONICAL", "no newline at the end", data[:-1]),
        "space": ("NOT_CANONICAL", "a space", data.replace(b",", b", ", 1)),
        "missing-field": ("MISSING_FIELD", "no vault identity", _spelled(data, vik=None)),
        "unknown-field": ("UNKNOWN_FIELD", "one field more", _spelled(data, name="x")),
        "version": ("UNKNOWN_VERSION", "version 2", _spelled(data, v=2)),
        "order": ("BAD_VALUE", "the newest head first", heads([2, root, 1], [1, root, 2])),
        "twice": ("BAD_VALUE", "one size twice", heads([2, root, 1], [2, root, 2])),
        "no-heads": ("BAD_VALUE", "a log without heads", heads()),
        "many": ("BAD_VALUE", "65 heads", heads(*([n, root, n] for n in range(65)))),
        "logs": ("BAD_VALUE", "129 logs", _spelled(data, logs={f"{n:032x}": [[1, root, 1]] for n in range(129)})),
        "short-head": ("BAD_VALUE", "a head without a time", heads([2, root])),
        "short-root": ("BAD_VALUE", "a root of 31 bytes", heads([2, root[2:], 1])),
        "upper-log": ("BAD_VALUE", "a log's name in capitals", _spelled(data, logs={"AB" * 16: [[1, root, 1]]})),
        "list": ("BAD_VALUE", "a list of logs", _spelled(data, logs=[])),
        "vault": ("WRONG_VAULT", "another vault's", _spelled(data, vault="00" * 16)),
        "vik": ("WRONG_KEY", "of another vault identity", _spelled(data, vik="00" * 32)),
        "long": ("TOO_LARGE", "more than 1 MiB", _spelled(data, name="x" * (1 << 20))),
    }


def bad_disclosures() -> dict[str, tuple[str, str, bytes]]:
    data = a_disclosure()
    key = "00" * 32
    strange = disclosure.make(VAULT, STRANGER.pub, YEAR, TAG_KEYS, START_MS, STRANGER.sign)
    forged = disclosure.make(VAULT, VIK.pub, YEAR, TAG_KEYS, START_MS, STRANGER.sign)
    elsewhere = disclosure.make("00" * 16, VIK.pub, YEAR, TAG_KEYS, START_MS, VIK.sign)
    no_prefix = disclosure.make(VAULT, VIK.pub, YEAR, TAG_KEYS, START_MS, lambda m: VIK.sign(m[24:]))

    def keys(*rows: Any) -> bytes:
        return _spelled(data, keys=list(rows))

    return {
        "no-newline": ("NOT_CANONICAL", "no newline at the end", data[:-1]),
        "space": ("NOT_CANONICAL", "a space", data.replace(b",", b", ", 1)),
        "missing-field": ("MISSING_FIELD", "no year", _spelled(data, year=None)),
        "unknown-field": ("UNKNOWN_FIELD", "one field more", _spelled(data, client="x")),
        "version": ("UNKNOWN_VERSION", "version 2", _spelled(data, v=2)),
        "no-keys": ("BAD_VALUE", "no keys", keys()),
        "order": ("BAD_VALUE", "keys in another order", keys({"g": 2, "k": key}, {"g": 1, "k": key})),
        "twice": ("BAD_VALUE", "one generation twice", keys({"g": 1, "k": key}, {"g": 1, "k": key})),
        "zero": ("BAD_VALUE", "generation 0", keys({"g": 0, "k": key})),
        "short-key": ("BAD_VALUE", "a key of 31 bytes", keys({"g": 1, "k": key[2:]})),
        "key-field": ("BAD_VALUE", "a key with one field more", keys({"g": 1, "k": key, "n": 1})),
        "year": ("BAD_VALUE", "the year 10000", _spelled(data, year=10000)),
        "early-year": ("BAD_VALUE", "the year 1969", _spelled(data, year=1969)),
        "vault": ("WRONG_VAULT", "another vault's", elsewhere),
        "vik": ("WRONG_KEY", "signed by another vault", strange),
        "signature": ("BAD_SIGNATURE", "signed with another key", forged),
        "prefix": ("BAD_SIGNATURE", "signed without the prefix", no_prefix),
        "changed-year": ("BAD_SIGNATURE", "a changed year", _spelled(data, year=YEAR + 1)),
        "changed-key": ("BAD_SIGNATURE", "a changed key", keys({"g": 1, "k": key})),
        "long": ("TOO_LARGE", "more than 64 KiB", _spelled(data, client="x" * 65536)),
    }
