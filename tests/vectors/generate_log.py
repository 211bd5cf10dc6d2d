"""Makes the golden vectors of docs/FORMAT.md sections 6 to 8 in `tests/vectors/log/`; with `--check`, compares only.

    python -m tests.vectors.generate_log [--check]

`entries.json`, `tree.json`, `checkpoints.json`, `card.json` must be read as they are; every `bad-*.json` holds bytes
that must be refused, and names the code of the fault (`fault`), or of the finding for a whole log (`finding`).
Those of anchors, cosignatures, the auditor's state file and disclosures come from `generate_trust`.
Keys come from SHA-256 of words and Ed25519 has no randomness, so the same bytes come out every time.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from notevault.auditlog import bundle, card, checkpoint, entry, merkle, note
from tests.auditlog import sample
from tests.auditlog.sample import CARD, EPOCH0, EPOCH1, IDENTITY, ORIGIN, VIK, Key, Log, fields
from tests.vectors import generate_trust

FOLDER = Path(__file__).with_name("log")
SIZES = (0, 1, 2, 3, 5, 8, 13, 255, 256, 257)


def _hex(data: bytes) -> str:
    return data.hex()


def every_event() -> list[bytes]:
    """One entry of each event, then variants, as one linked log."""
    makers: list[Callable[[int], dict[str, Any]]] = []
    for ev in entry.EVENTS:
        makers.append(lambda i, ev=ev: fields(i, ev))
    makers += [
        lambda i: fields(i, "record.write", a="U"),
        lambda i: fields(i, "record.open", nt="0a" * 16, pu="review"),
        lambda i: fields(i, "search.run", x={"d": sample.b64("words", 288)}),
        lambda i: fields(i, "record.write", x={"d": sample.b64("d", 32 + 512), "r": sample.b64("r", 80)}),
        lambda i: fields(i, "record.write", x={"d": sample.b64("d", 32 + 768), "r": sample.b64("r", 80)}),
        lambda i: fields(i, "record.open", o="reported", k={"at": sample.START_MS}),
        lambda i: fields(i, "session.fail", o="reported", k={"at": 5, "n": 1, "why": "keyring"}),
        lambda i: fields(i, "session.fail", o="refused", e=2**53 - 1, m=0, t=2**53 - 1),
    ]
    return sample.chain(makers)


def good() -> dict[str, Any]:
    events = every_event()
    plain = sample.entries(max(SIZES))
    leaves = [merkle.leaf_hash(data) for data in plain]
    roots = [{"size": n, "root": _hex(merkle.root(leaves[:n]))} for n in SIZES]
    inclusion = [
        {"size": n, "index": i, "path": [_hex(step) for step in merkle.prove_inclusion(leaves[:n], i)]}
        for n, i in ((1, 0), (2, 1), (5, 4), (8, 3), (13, 12), (257, 0), (257, 256))
    ]
    consistency = [
        {"old": old, "size": n, "path": [_hex(step) for step in merkle.prove_consistency(leaves[:n], old)]}
        for old, n in ((0, 5), (1, 2), (3, 8), (5, 13), (8, 13), (256, 257), (257, 257))
    ]
    return {
        "entries": [{"bytes": data.decode(), "leaf": _hex(merkle.leaf_hash(data))} for data in events],
        "tree": {
            "leaves": [_hex(leaf) for leaf in leaves],
            "roots": roots,
            "inclusion": inclusion,
            "consistency": consistency,
            "bundle": {"entries": [data.decode() for data in plain[:3]], "bytes": _hex(bundle.pack(plain[:3]))},
            "paths": {str(n): bundle.tile_path(n) for n in (0, 1, 999, 1000, 1234, 1_234_067)},
        },
        "checkpoints": {
            "identity": _hex(IDENTITY.pub),
            "epochs": {"0": _hex(EPOCH0.pub), "1": _hex(EPOCH1.pub)},
            "vkeys": [
                note.verifier_key(checkpoint.name_of(ORIGIN), IDENTITY.pub),
                note.verifier_key(checkpoint.name_of(ORIGIN, 0), EPOCH0.pub),
            ],
            "checkpoints": [
                {"size": n, "epoch": e, "bytes": Log(plain, e, key).checkpoint(n).decode()}
                for n, e, key in ((0, 0, EPOCH0), (1, 0, EPOCH0), (257, 1, EPOCH1))
            ],
        },
        "card": {
            "vik": _hex(VIK.pub),
            "origin": ORIGIN,
            "bytes": CARD.decode(),
            "log": {name: _hex(data) for name, data in Log.of(plain[:3]).files.items()},
        },
    }


def _resorted(data: bytes) -> bytes:
    values = json.loads(data)
    return json.dumps(dict(reversed(list(values.items()))), separators=(",", ":")).encode()


def bad_entries() -> dict[str, tuple[str, str, bytes]]:
    """name -> (fault, what is wrong, bytes)"""
    write = entry.encode(fields(5, "record.write"))
    lock = entry.encode(fields(5, "session.lock"))

    def swap(data: bytes, old: bytes, new: bytes) -> bytes:
        assert data.count(old) == 1, old
        return data.replace(old, new)

    long_x = {"d": sample.b64("long", 32 + 256 * 48), "r": sample.b64("r", 80)}
    too_long = json.dumps(fields(5, "record.write", x=long_x), separators=(",", ":"), sort_keys=True).encode()
    return {
        "key-order": ("NOT_CANONICAL", "keys in another order", _resorted(lock)),
        "space": ("NOT_CANONICAL", "a space after a colon", swap(lock, b'"i":5', b'"i": 5')),
        "newline": ("NOT_CANONICAL", "a newline behind the entry", lock + b"\n"),
        "escape": ("NOT_CANONICAL", "a character written as an escape", swap(lock, b'"care"', b'"c\\u0061re"')),
        "float": ("NUMBER", "a number with a fraction", swap(lock, b'"i":5', b'"i":5.0')),
        "exponent": ("NUMBER", "a number with an exponent", swap(lock, b'"i":5', b'"i":5e0')),
        "negative": ("NUMBER", "a negative number", swap(lock, b'"i":5', b'"i":-5')),
        "too-large-number": ("NUMBER", "2^53", swap(lock, b'"i":5', b'"i":9007199254740992')),
        "leading-zero": ("NOT_JSON", "a number with a leading zero", swap(lock, b'"i":5', b'"i":05')),
        "duplicate-key": ("REPEATED_KEY", "a key twice", swap(lock, b'"i":5', b'"i":5,"i":5')),
        "not-ascii": ("NOT_ASCII", "a letter outside ASCII", swap(lock, b'"care"', '"cäre"'.encode())),
        "not-json": ("NOT_JSON", "the last brace is missing", lock[:-1]),
        "list": ("NOT_JSON", "a list", b"[" + lock + b"]"),
        "empty": ("NOT_JSON", "nothing", b""),
        "too-long": ("TOO_LARGE", "more than 16,384 bytes", too_long),
        "null": ("BAD_VALUE", "null", swap(lock, b'"i":5', b'"i":null')),
        "text-for-number": ("BAD_VALUE", "a number written as text", swap(lock, b'"i":5', b'"i":"5"')),
        "upper-hex": ("BAD_VALUE", "hexadecimal in capitals", swap(lock, b'"b":"' + b"d4" * 8, b'"b":"' + b"D4" * 8)),
        "short-hex": ("BAD_VALUE", "a tag one byte short", swap(lock, b'"w":"c3', b'"w":"')),
        "version": ("UNKNOWN_VERSION", "version 2", swap(lock, b'"v":1', b'"v":2')),
        "unknown-event": ("UNKNOWN_EVENT", "an event not on the list", swap(lock, b"session.lock", b"session.nap")),
        "unknown-field": ("UNKNOWN_FIELD", "a field that is not on the list", swap(lock, b',"w"', b',"vv":1,"w"')),
        "field-of-another-event": ("UNKNOWN_FIELD", "a client tag where none belongs", swap(
            lock, b',"t":', b',"st":"' + b"00" * 16 + b'","t":')),
        "missing-field": ("MISSING_FIELD", "no user", swap(lock, b',"w":"' + b"c3" * 8 + b'"', b"")),
        "missing-digest": ("MISSING_FIELD", "a record without its digest", swap(
            write, b'"c":"' + sample.blob_digest(5).encode() + b'",', b"")),
        "missing-mac": ("MISSING_FIELD", "a record without a MAC", swap(
            write, b'"h":"' + fields(5, "record.write")["h"].encode() + b'",', b"")),
        "missing-generation": ("MISSING_FIELD", "a MAC without its generation", swap(write, b'"g":1,', b"")),
        "generation-alone": ("UNKNOWN_FIELD", "a generation without MAC or sealed part", swap(
            lock, b'"i":5', b'"g":1,"i":5')),
        "wrong-action": ("BAD_VALUE", "reading as an action of a write", swap(write, b'"a":"C"', b'"a":"R"')),
        "wrong-outcome": ("BAD_VALUE", "an outcome that is not on the list", swap(lock, b'"o":"ok"', b'"o":"fine"')),
        "wrong-reason": ("BAD_VALUE", "a reason that is not on the event's list", swap(lock, b'"key"', b'"nap"')),
        "extra-in-k": ("UNKNOWN_FIELD", "a field in k that the event does not have", swap(
            lock, b'"k":{', b'"k":{"n":1,')),
        "at-without-reported": ("UNKNOWN_FIELD", "a time of happening in an entry that is not reported", swap(
            lock, b'"k":{', b'"k":{"at":1,')),
        "reported-without-at": ("MISSING_FIELD", "reported, and no time of happening", swap(
            lock, b'"o":"ok"', b'"o":"reported"')),
        "routing-size": ("BAD_VALUE", "sealed routing of another size", swap(
            write, sample.b64("r 5", 80).encode(), sample.b64("r 5", 81).encode())),
        "base64-spelling": ("BAD_VALUE", "base64 with unused bits set", swap(
            write, sample.b64("r 5", 80).encode(), _unused_bits(sample.b64("r 5", 80)).encode())),
        "empty-x": ("MISSING_FIELD", "nothing in x", swap(write, sample.b64("r 5", 80).encode(), b"").replace(
            b'"x":{"r":""}', b'"x":{}')),
    }  # fmt: skip


def _unused_bits(text: str) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:-2] + alphabet[alphabet.index(text[-2]) + 1] + "="


def bad_checkpoints() -> dict[str, tuple[str, str, bytes]]:
    log = Log(sample.entries(3))
    sound = log.checkpoint(3)
    text, first, second = sound.split(b"\n\n")[0] + b"\n", *sound.split(b"\n\n")[1].splitlines(keepends=True)
    name, key0 = checkpoint.name_of(ORIGIN), checkpoint.name_of(ORIGIN, 0)

    def signed(over: bytes, *lines: str) -> bytes:
        mine, current = (name, IDENTITY), (key0, EPOCH0)
        both = lines or [note.line(who, key.pub, key.sign(over)) for who, key in (mine, current)]
        return over + b"\n" + "".join(both).encode()

    def b64(size: int) -> bytes:
        return base64.b64encode(bytes(size))

    origin, root = ORIGIN.encode(), text.split(b"\n")[2]
    stranger = Key("stranger")
    foreign = note.line(key0, stranger.pub, stranger.sign(text)).encode()
    wrong_sig = note.line(key0, EPOCH0.pub, EPOCH1.sign(text)).encode()
    late = note.line(checkpoint.name_of(ORIGIN, 7), EPOCH0.pub, EPOCH0.sign(text)).encode()
    head = text + b"\n"
    return {
        "extension": ("EXTENSION", "a fourth line", signed(text + b"more\n")),
        "leading-zero": ("BAD_SIZE", "a size with a leading zero", signed(text.replace(b"\n3\n", b"\n03\n"))),
        "plus": ("BAD_SIZE", "a size with a sign", signed(text.replace(b"\n3\n", b"\n+3\n"))),
        "short-root": ("BAD_ROOT", "a root of 31 bytes", signed(text.replace(root, b64(31)))),
        "upper-origin": ("WRONG_ORIGIN", "an origin in capitals", signed(text.replace(origin, origin.upper()))),
        "other-name": ("WRONG_ORIGIN", "another kind of log", signed(text.replace(b"notevault", b"sum.golang"))),
        "two-lines": ("NOT_A_NOTE", "no root", signed(b"\n".join(text.split(b"\n")[:2]) + b"\n")),
        "no-empty-line": ("NOT_A_NOTE", "no empty line before the signatures", text + first + second),
        "carriage-return": ("NOT_A_NOTE", "lines that end with CR LF", sound.replace(b"\n", b"\r\n")),
        "no-last-newline": ("NOT_A_NOTE", "no newline at the end", sound[:-1]),
        "hyphen": ("BAD_LINE", "a hyphen instead of the dash", head + first.replace("\u2014".encode(), b"-") + second),
        "spaces": ("BAD_LINE", "two spaces in a signature line", head + first.replace(b" not", b"  not") + second),
        "one-signature": ("BAD_SIGNERS", "the identity's signature alone", head + first),
        "three-signatures": ("BAD_SIGNERS", "a third signature", head + first + second + foreign),
        "order": ("BAD_SIGNERS", "the epoch's signature first", head + second + first),
        "short-signature": ("BAD_SIGNERS", "a signature of 63 bytes", signed(
            text, note.line(name, IDENTITY.pub, bytes(63)), second.decode())),
        "key-id": ("KEY_ID", "the id of another key", head + first + foreign),
        "signature": ("BAD_SIGNATURE", "a signature by another key under the right id", head + first + wrong_sig),
        "unknown-epoch": ("UNKNOWN_EPOCH", "an epoch whose key is not known", head + first + late),
        "changed-text": ("BAD_SIGNATURE", "the size changed after signing", sound.replace(b"\n3\n", b"\n4\n")),
        "not-utf8": ("NOT_TEXT", "a byte that is not UTF-8", sound.replace(b"\n3\n", b"\n\xff\n")),
        "too-long": ("TOO_LARGE", "more than 4 KiB", head + first + second * 40),
    }  # fmt: skip


def bad_cards() -> dict[str, tuple[str, str, bytes]]:
    values = json.loads(CARD)
    other = card.make(5, sample.DEVICE, EPOCH0.pub, IDENTITY.pub, sample.VAULT, Key("x").pub, Key("x").sign)

    def spelled(**more: Any) -> bytes:
        kept = {name: value for name, value in {**values, **more}.items() if value is not None}
        return json.dumps(kept, separators=(",", ":"), sort_keys=True).encode() + b"\n"

    return {
        "no-newline": ("NOT_CANONICAL", "no newline at the end", CARD[:-1]),
        "two-newlines": ("NOT_CANONICAL", "two newlines at the end", CARD + b"\n"),
        "space": ("NOT_CANONICAL", "a space", CARD.replace(b",", b", ", 1)),
        "missing-field": ("MISSING_FIELD", "no device", spelled(device=None)),
        "unknown-field": ("UNKNOWN_FIELD", "one field more", spelled(zz=1)),
        "version": ("UNKNOWN_VERSION", "version 2", spelled(v=2)),
        "origin": ("WRONG_ORIGIN", "a name that the keys do not give", spelled(origin="00" * 16)),
        "vik": ("WRONG_KEY", "signed by another vault", other),
        "signature": ("BAD_SIGNATURE", "a changed device", spelled(device="00" * 16)),
        "too-long": ("TOO_LARGE", "more than 4 KiB", spelled(zz="a" * 4096)),
    }


def bad_bundles() -> dict[str, tuple[str, str, bytes]]:
    data = bundle.pack(sample.entries(2))
    return {
        "cut": ("CUT_SHORT", "the last byte is missing", data[:-1]),
        "half-length": ("CUT_SHORT", "one byte of a length", data + b"\0"),
        "empty-entry": ("BAD_LENGTH", "an entry of no bytes", data + b"\0\0"),
        "long-entry": ("BAD_LENGTH", "an entry of 16,385 bytes", data + b"\x40\x01" + bytes(16385)),
        "too-many": ("TOO_MANY", "257 entries", b"\0\1x" * 257),
    }


def bad_logs() -> dict[str, tuple[str, str, Log]]:
    three, four = sample.entries(3), sample.entries(4)
    lists: dict[str, tuple[str, str, Log]] = {}
    wrong_p = sample.rechain(four, 2, 3, lambda values: values.update(t=5))
    lists["wrong-p"] = ("MALFORMED", "signed over a broken chain", Log.of(wrong_p))
    makers = [lambda i: fields(i, "vault.create"), lambda i: fields(i + 1, "session.list")]
    lists["wrong-i"] = ("MALFORMED", "signed over a wrong index", Log.of(sample.chain(makers)))
    headless = sample.chain([lambda i: fields(i, "session.list")])
    lists["wrong-first"] = ("MALFORMED", "entry 0 does not begin a log", Log.of(headless))
    rewritten = Log.of(four)
    rewritten.lay(sample.rechain(four, 1, 4, lambda values: values.update(t=5)))
    lists["rewritten"] = ("REWRITTEN", "a changed entry, the rest linked anew", rewritten)
    cut = Log.of(four)
    cut.lay(three)
    lists["truncated"] = ("TRUNCATED", "the last entry is missing", cut)
    lists["wrong-key"] = ("FORGED", "the epoch's signature is of another key", Log.of(three, 0, Key("stranger")))
    forged = sample.purge_sig(sample.blob_digest(1), Key("stranger"))
    purge = [lambda i: fields(i, "vault.create"), lambda i: fields(i, "record.write"),
             lambda i: fields(i, "record.purge", k={"sig": forged})]  # fmt: skip
    lists["forged-purge"] = ("FORGED", "a purge without the vault's signature", Log.of(sample.chain(purge)))
    closed = sample.chain([lambda i: fields(i, "vault.create"), lambda i: fields(i, "epoch.close")])
    further = sample.chain(
        [
            lambda i: fields(i, "vault.create"),
            lambda i: fields(i, "epoch.close"),
            lambda i: fields(i, "session.list", e=1),
        ]
    )
    lists["not-sealed"] = ("NOT_SEALED", "a closed epoch without a seal", Log.of(further, 1, EPOCH1))
    seal = Log.of(closed)
    seal.files["seals/00000000"] = seal.checkpoint(1)
    lists["forged-seal"] = ("FORGED", "a seal of another size", seal)
    return lists


def files() -> dict[str, str]:
    """Every vector file by name."""
    out: dict[str, Any] = {f"{name}.json": value for name, value in good().items()}
    kinds = {"entry": bad_entries(), "checkpoint": bad_checkpoints(), "card": bad_cards(), "bundle": bad_bundles()}
    for kind, cases in kinds.items():
        for name, (fault, what, data) in cases.items():
            out[f"bad-{kind}-{name}.json"] = {"kind": kind, "what": what, "fault": fault, "bytes": _hex(data)}
    for more in (generate_trust,):
        out.update({f"{name}.json": value for name, value in (more.good() | more.bad()).items()})
    for name, (finding, what, log) in bad_logs().items():
        held = {path: _hex(data) for path, data in log.files.items()}
        out[f"bad-log-{name}.json"] = {"kind": "log", "what": what, "finding": finding, "files": held}
    return {name: json.dumps(value, indent=1, sort_keys=True) + "\n" for name, value in out.items()}


def main(check: bool, folder: Path = FOLDER) -> int:
    """Write the vectors into `folder`. With `check`, change nothing; 1 when a file differs, lacks or is new."""
    wanted = files()
    folder.mkdir(exist_ok=True)
    there = {path.name: path for path in folder.glob("*.json")}
    if not check:
        for name in there.keys() - wanted.keys():
            there[name].unlink()
        for name, text in wanted.items():
            (folder / name).write_text(text, encoding="ascii", newline="\n")
        return 0
    differing = sorted(
        name
        for name in wanted.keys() | there.keys()
        if name not in there or there[name].read_text(encoding="ascii") != wanted.get(name)
    )
    for name in differing:
        print(f"differs: {name}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
