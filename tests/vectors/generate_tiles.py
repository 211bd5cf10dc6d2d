"""Makes the golden vectors of docs/FORMAT.md sections 7.4 and 7.5 in `tests/vectors/tiles/`; with `--check`, compares.

    python -m tests.vectors.generate_tiles [--check]

`proofs.json`, `tiles.json` and `ed25519.json` must be read, or made again, as they are; every `bad-*.json` must be
refused and names the fault, for tiles also its place. Entry i of the logs of `tiles.json` is the number i in decimal
digits, so that anybody can make them; of files longer than 4,000 bytes there is the SHA-256 alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from notevault.auditlog import cosign, proof, sign25519, tiles
from notevault.auditlog.fault import sound
from tests.auditlog import sample
from tests.auditlog.sample import CARD, IDENTITY, ORIGIN, Log

FOLDER = Path(__file__).with_name("tiles")
SIZES = (0, 1, 2, 255, 256, 257, 65_535, 65_536, 65_537)
PROOFS = ((1, 0), (2, 1), (3, 0), (255, 254), (256, 0), (256, 255), (257, 0), (257, 256), (700, 300))
SEED = bytes(range(32))
TIME = sample.START_MS // 1000


def numbers(size: int) -> Log:
    return Log.of([b"%d" % i for i in range(size)])


def exported(log: Log) -> dict[str, bytes]:
    """The files of an export by name."""
    with tempfile.TemporaryDirectory() as folder:
        goal = Path(folder) / "tiles"
        sound(tiles.export(log.read, goal))
        held = {path.relative_to(goal).as_posix(): path.read_bytes() for path in goal.rglob("*") if path.is_file()}
    return dict(sorted(held.items()))


def good() -> dict[str, Any]:
    entries = sample.entries(max(size for size, _ in PROOFS))
    proofs = [
        {"size": size, "index": index, "text": sound(proof.make(Log.of(entries[:size]).read, index))}
        for size, index in PROOFS
    ]
    log = Log.of(entries[:300])
    witness = cosign.Witness("auditor.example/w1", sign25519.public_key(SEED))
    seen = cosign.make(
        log.files["checkpoint"], witness.name, witness.pub, lambda text: sign25519.sign(SEED, text), TIME
    )
    proofs.append({"size": 300, "index": 42, "text": sound(proof.make(log.read, 42, seen))})
    return {
        "proofs": {"card": CARD.decode(), "proofs": proofs, "witness": cosign.witness_text(witness)},
        "tiles": {
            "card": CARD.decode(),
            "logs": [
                {
                    "size": size,
                    "files": {
                        name: {"hex": data.hex()} if len(data) <= 4000 else {"sha256": hashlib.sha256(data).hexdigest()}
                        for name, data in exported(numbers(size)).items()
                        if size < 300 or ("/0/" not in name and "entries" not in name)  # hundreds, nothing new
                    },
                }
                for size in SIZES
            ],
        },
        "ed25519": [
            {"seed": seed.hex(), "pub": sign25519.public_key(seed).hex(), "message": message.hex(),
             "sig": sign25519.sign(seed, message).hex()}
            for seed, message in ((SEED, b""), (bytes(32), b"m"), (b"\xff" * 32, b"cosignature/v1\n" * 20))
        ],
    }  # fmt: skip


def bad_proofs() -> dict[str, tuple[str, str, str]]:
    """name -> (fault, what is wrong, text)"""
    entries = sample.entries(300)
    text = sound(proof.make(Log.of(entries).read, 123))
    lines = text.split("\n")
    own, step = lines[1], lines[5]

    def b64(size: int) -> str:
        return base64.b64encode(bytes(size)).decode()

    return {
        "version": ("NOT_A_PROOF", "version 2", text.replace("@v1", "@v2", 1)),
        "no-entry": ("NOT_A_PROOF", "without its entry", text.replace(own + "\n", "")),
        "entry-too-long": ("NOT_A_PROOF", "an entry of 16,385 bytes", text.replace(own, "extra " + b64(16385))),
        "leading-zero": ("NOT_A_PROOF", "an index with a leading zero", text.replace("index 1", "index 01", 1)),
        "short-hash": ("NOT_A_PROOF", "a hash of 31 bytes", text.replace(step, b64(31))),
        "hash-spelling": ("NOT_A_PROOF", "a hash with unused bits set", text.replace(step, _unused_bits(step))),
        "too-many-hashes": ("NOT_A_PROOF", "64 hashes", text.replace(step, "\n".join([b64(32)] * 64))),
        "carriage-return": ("NOT_A_PROOF", "lines that end with CR LF", text.replace("\n", "\r\n")),
        "no-empty-line": ("NOT_A_PROOF", "no empty line before the checkpoint", text.replace("\n\n", "\n", 1)),
        "beyond": ("BAD_INDEX", "an index beyond the signed size", text.replace("index 123", "index 300", 1)),
        "no-checkpoint": ("NOT_A_NOTE", "no checkpoint", text[: text.index("\n\n") + 2]),
        "too-long": ("TOO_LARGE", "more than 48 KiB", text + "x" * proof.MAX_BYTES),
        "other-entry": ("BAD_PROOF", "another entry of the same log", text.replace(
            own, "extra " + base64.b64encode(entries[124]).decode())),
        "other-index": ("BAD_PROOF", "the index of another entry", text.replace("index 123", "index 124", 1)),
        "other-hash": ("BAD_PROOF", "a changed hash", text.replace(step, b64(32))),
        "one-hash-less": ("BAD_PROOF", "a hash left out", text.replace(step + "\n", "")),
        "one-hash-more": ("BAD_PROOF", "a hash doubled", text.replace(step, step + "\n" + step)),
        "changed-size": ("BAD_SIGNATURE", "a size that was not signed, with the same way", text.replace(
            "\n300\n", "\n299\n")),
    }  # fmt: skip


def _unused_bits(text: str) -> str:
    """Another spelling of 32 bytes in base64, which lax readers take for the same."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:-2] + alphabet[alphabet.index(text[-2]) + 1] + "="


def bad_tiles() -> dict[str, tuple[str, str, str, dict[str, bytes]]]:
    """name -> (fault, its place, what is wrong, files)"""
    three, held = exported(numbers(3)), exported(numbers(257))
    other = exported(Log.of([b"0", b"one", b"2"]))

    def without(name: str) -> dict[str, bytes]:
        return {path: data for path, data in three.items() if path != name}

    tile, entries = "tile/0/000.p/3", "tile/entries/000.p/3"
    upper = "tile/1/000.p/1"
    return {
        "hash": ("WRONG_TILE", tile, "a changed hash", {**three, tile: bytes(32) + three[tile][32:]}),
        "upper-hash": ("WRONG_TILE", upper, "a changed hash of level 1", {**held, upper: bytes(32)}),
        "cut-tile": ("WRONG_TILE", tile, "a tile cut short", {**three, tile: three[tile][:-1]}),
        "long-tile": ("WRONG_TILE", tile, "a hash too many", {**three, tile: three[tile] + bytes(32)}),
        "missing-tile": ("MISSING", tile, "a tile is missing", without(tile)),
        "missing-entries": ("MISSING", entries, "entries are missing", without(entries)),
        "cut-entries": ("CUT_SHORT", entries, "the last entry cut short", {**three, entries: three[entries][:-1]}),
        "missing-entry": ("CUT_SHORT", entries, "an entry less than signed", {**three, entries: three[entries][:-3]}),
        "other-entries": ("WRONG_ROOT", "", "entries and hashes that fit, never signed", {
            **other, "checkpoint": three["checkpoint"]}),
        "no-checkpoint": ("MISSING", "checkpoint", "no checkpoint", without("checkpoint")),
        "checkpoint": ("BAD_SIGNATURE", "notevault/" + ORIGIN, "a checkpoint changed after signing", {
            **three, "checkpoint": three["checkpoint"].replace(b"\n3\n", b"\n2\n")}),
    }  # fmt: skip


@cache
def files() -> dict[str, str]:
    """Every vector file by name."""
    out: dict[str, Any] = {f"{name}.json": value for name, value in good().items()}
    for name, (fault, what, text) in bad_proofs().items():
        out[f"bad-proof-{name}.json"] = {"kind": "proof", "what": what, "fault": fault, "text": text}
    for name, (fault, where, what, held) in bad_tiles().items():
        hexed = {path: data.hex() for path, data in held.items()}
        out[f"bad-tiles-{name}.json"] = {"kind": "tiles", "what": what, "fault": fault, "where": where, "files": hexed}
    for value in out.values():
        if isinstance(value, dict) and "kind" in value:
            value["identity"] = IDENTITY.pub.hex()
    return {name: json.dumps(value, indent=1, sort_keys=True) + "\n" for name, value in out.items()}


def main(check: bool, folder: Path = FOLDER) -> int:
    """Write the vectors into `folder`. With `check`, change nothing; 1 when a file differs, lacks or is new."""
    wanted = files()
    folder.mkdir(exist_ok=True)
    there = {path.name: path.read_text(encoding="ascii") for path in folder.glob("*.json")}
    differing = sorted(name for name in wanted.keys() | there.keys() if there.get(name) != wanted.get(name))
    for name in differing:
        if check:
            print(f"differs: {name}")
        elif name in wanted:
            (folder / name).write_text(wanted[name], encoding="ascii", newline="\n")
        else:
            (folder / name).unlink()
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
