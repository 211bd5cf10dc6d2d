"""Logs made on the spot with fixed keys, as the files of one origin: raw material of tests and vectors."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from notevault.auditlog import bundle, card, checkpoint, entry, merkle
from notevault.auditlog.folder import Read

VAULT, DEVICE, USER, BOOT = "a1" * 16, "b2" * 16, "c3" * 8, "d4" * 8
START_MS = 1_763_740_800_000  # 2025-11-21T16:00Z
BUNDLE = merkle.BUNDLE


@dataclass(frozen=True)
class Key:
    """A signing key from a word, the same every time."""

    word: str

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.word.encode()).digest())

    @property
    def pub(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


VIK, IDENTITY, EPOCH0, EPOCH1 = Key("vik"), Key("identity"), Key("epoch 0"), Key("epoch 1")
ORIGIN = card.origin_of(IDENTITY.pub, EPOCH0.pub)
CARD = card.make(START_MS, DEVICE, EPOCH0.pub, IDENTITY.pub, VAULT, VIK.pub, VIK.sign)


def verify(pub: bytes, message: bytes, sig: bytes) -> bool:
    """The fast verifier: `cryptography`'s."""
    try:
        Ed25519PublicKey.from_public_bytes(pub).verify(sig, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def blob_digest(i: int) -> str:
    return hashlib.sha256(b"blob %d" % i).hexdigest()


def b64(word: str, size: int) -> str:
    """Opaque bytes for a sealed part: fixed, of the size given."""
    return base64.b64encode(hashlib.shake_256(word.encode()).digest(size)).decode()


def fields(i: int, ev: str, *, a: str | None = None, **more: Any) -> dict[str, Any]:
    """Fields of a valid entry of this event; `more` replaces or adds, None takes away."""
    rule = entry.EVENTS[ev]
    out: dict[str, Any] = {
        "a": a or rule.a[0], "b": BOOT, "e": 0, "ev": ev, "i": i, "m": 1000 * i, "o": "ok", "p": entry.NO_PREVIOUS,
        "pu": "care", "t": START_MS + 1000 * i, "v": 1, "w": USER,
    }  # fmt: skip
    if rule.file:
        out |= {"c": blob_digest(i), "z": 4184}
    if rule.k:
        out["k"] = {name: example(name, pattern, i) for name, pattern in rule.k.items()}
    if rule.st == "must":
        out["st"] = hashlib.sha256(b"st %d" % i).hexdigest()[:32]
    if rule.nt == "must":
        out["nt"] = hashlib.sha256(b"nt %d" % i).hexdigest()[:32]
    if rule.r == "must":
        out["x"] = {"r": b64(f"r {i}", 80)}
    if rule.h == "must":
        out["h"] = hashlib.sha256(b"h %d" % i).hexdigest()[:32]
    if "x" in out or "h" in out:
        out["g"] = 1
    if ev == "record.purge":
        out["c"] = blob_digest(i - 1)
        out["k"] = {"sig": purge_sig(out["c"])}
    out |= more
    return {name: value for name, value in out.items() if value is not None}


def purge_sig(digest: str, key: Key = VIK) -> str:
    message = b"notevault/v1/purge\0" + bytes.fromhex(VAULT) + bytes.fromhex(digest)
    return base64.b64encode(key.sign(message)).decode()


def example(name: str, pattern: str, i: int) -> Any:
    from notevault.auditlog import events

    if name == "cites":
        return {"origin": "0e" * 16, "root": "0f" * 32, "size": 7}
    if name == "key":
        return EPOCH1.pub.hex()
    if pattern == events.INT:
        return i + 1
    if pattern == events.HEX32:
        return hashlib.sha256(name.encode()).hexdigest()
    if pattern == events.SIGNATURE:
        return b64(name, 64)
    return pattern[4:-2].split("|")[0]


def chain(makers: Sequence[Callable[[int], dict[str, Any]]]) -> list[bytes]:
    """Entries linked by `p`, numbered from 0."""
    out: list[bytes] = []
    for i, make in enumerate(makers):
        previous = merkle.leaf_hash(out[-1])[:16].hex() if out else entry.NO_PREVIOUS
        out.append(entry.encode({**make(i), "p": previous}))
    return out


def rechain(entries: Sequence[bytes], start: int, stop: int, change: Callable[[dict[str, Any]], None]) -> list[bytes]:
    """Entry `start` changed and the following ones, up to `stop`, linked anew: a careful forger without the keys."""
    import json

    out = list(entries)
    for i in range(start, stop):
        values = json.loads(out[i])
        if i == start:
            change(values)
        else:
            values["p"] = merkle.leaf_hash(out[i - 1])[:16].hex()
        out[i] = entry.encode(values)
    return out


WORK = ("record.write", "record.open", "search.run", "session.lock", "session.open", "record.sign")


def entries(size: int) -> list[bytes]:
    """`size` entries of a working log."""

    def maker(ev: str) -> Callable[[int], dict[str, Any]]:
        return lambda i: fields(i, ev)

    return chain([maker("vault.create" if i == 0 else WORK[i % len(WORK)]) for i in range(size)])


@dataclass
class Log:
    """The files of one origin by name. `files` may be spoiled at will."""

    entries: list[bytes]
    epoch: int = 0
    epoch_key: Key = EPOCH0
    files: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: list[bytes], epoch: int = 0, epoch_key: Key = EPOCH0) -> Log:
        log = cls(entries, epoch, epoch_key)
        log.files["card"] = CARD
        log.files["checkpoint"] = log.checkpoint(len(entries))
        log.lay(entries)
        return log

    @property
    def leaves(self) -> list[bytes]:
        return [merkle.leaf_hash(data) for data in self.entries]

    def checkpoint(self, size: int) -> bytes:
        root = merkle.root(self.leaves[:size])
        keys = (IDENTITY.sign, self.epoch_key.sign, IDENTITY.pub, self.epoch_key.pub)
        return checkpoint.make(ORIGIN, size, root, self.epoch, *keys)

    def lay(self, entries: Sequence[bytes]) -> None:
        """Put these entries into bundles and `open`, leaving card, checkpoint and `hashes` of before, if any."""
        full = len(entries) // BUNDLE
        roots = []
        for q in range(full):
            part = entries[q * BUNDLE : (q + 1) * BUNDLE]
            self.files[f"entries/{bundle.tile_path(q)}"] = bundle.pack(part)
            roots.append(merkle.bundle_root([merkle.leaf_hash(data) for data in part]))
        self.files["open"] = bundle.pack(entries[full * BUNDLE :])
        self.files.setdefault("hashes", b"".join(roots))

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def store(self, folder: Path) -> Path:
        """Write the files below `folder`."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder


def reader(files: dict[str, bytes]) -> Read:
    return files.get
