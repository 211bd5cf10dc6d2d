"""Whole vault folders with fixed keys, written to disk for the checker to judge and for tests to tamper with.

    vault = Forge(tmp_path / "vault")           # nothing is on disk before `store`
    log = vault.begin()                         # a log: entry 0 `vault.create` and key file 1
    log.day(); log.add("session.open"); blob = log.write(b"note"); log.purge(blob); log.fail(); log.backup()
    log.close()                                 # `epoch.close`, its seal, the next epoch's key
    vault.header("passphrase")                  # the next key file, named by the newest log
    other = vault.recover()                     # a further log that cites the one before
    vault.store()                               # writes it all; again after tampering, `log.lay()` for one log
    vault.card, vault.fingerprint, vault.vik    # what an auditor holds
    vault.path(log, "checkpoint"), vault.blob_path(digest), vault.header_path(seq)

`busy(folder, entries=..., days=..., epochs=..., logs=..., blobs=...)` makes one full of everything in one call.
Times start at `sample.START_MS` and go on by a second an entry. All keys follow from words (`sample.Key`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from notevault.auditlog import canon
from notevault.crypto import signing
from notevault.formats.header import Cross, Header
from notevault.formats.ids import DeviceId, Digest, Origin, VaultId
from tests.auditlog import sample
from tests.auditlog.forge_log import DAY, FastKey, ForgedLog, Kept, put

__all__ = ["DAY", "FastKey", "Forge", "ForgedLog", "Kept", "busy", "put"]

WORDS = ("passphrase", "pool", "sheet", "policy", "device")  # why a key file is written


class Forge:
    """A vault folder in the making; see the top of this file."""

    def __init__(self, folder: Path, vik: str = "vik") -> None:
        self.folder = folder
        self.vik_key = FastKey(vik)
        self.logs: list[ForgedLog] = []
        self.headers: list[Kept] = []
        self.blobs: dict[str, bytes] = {}
        self._keys: dict[str, FastKey] = {}

    def key(self, word: str) -> FastKey:
        return self._keys.setdefault(word, FastKey(word))

    # -- what others hold

    @property
    def vik(self) -> bytes:
        return self.vik_key.pub

    @property
    def card(self) -> bytes:
        """The first log's card: what an auditor takes at the first visit."""
        return self.logs[0].card

    @property
    def fingerprint(self) -> str:
        """Of `card`, 32 hex digits."""
        return hashlib.sha256(b"notevault/v1/card-fingerprint\0" + self.card).digest()[:16].hex()

    def tag_key(self, client: str, year: int) -> bytes:
        """Kt of a client and year (made up)."""
        return hashlib.sha256(f"tag {client} {year}".encode()).digest()

    def tag(self, client: str, t: int, origin: str, i: int) -> str:
        key = self.tag_key(client, datetime.fromtimestamp(t / 1000, UTC).year)
        message = b"notevault/st/v1\0" + bytes.fromhex(origin) + i.to_bytes(8, "big")
        return hmac.new(key, message, hashlib.sha256).digest()[:16].hex()

    def disclosure(self, client: str, year: int) -> bytes:
        """The file that discloses this client's entries of this year (FORMAT 6.6)."""
        body = {
            "keys": [{"g": 1, "k": self.tag_key(client, year).hex()}],
            "made": self.logs[-1].now_ms, "v": 1, "vault": sample.VAULT, "vik": self.vik.hex(), "year": year,
        }  # fmt: skip
        sig = self.vik_key.sign(b"notevault/v1/disclosure\0" + canon.dump(body))
        return canon.dump({**body, "sig": base64.b64encode(sig).decode()}) + b"\n"

    # -- logs and key files

    def begin(self, name: str = "first") -> ForgedLog:
        """The first log, with entry 0 and key file 1."""
        log = ForgedLog(self, name, sample.START_MS)
        self.logs.append(log)
        self._name(log, "vault.create", {})
        return log

    def recover(self, name: str | None = None, *, cites: dict[str, Any] | None = None) -> ForgedLog:
        """A further log, made after the newest one, which it cites (or `cites`), with a key file of its own."""
        old = self.logs[-1]
        log = ForgedLog(self, name or f"log {len(self.logs)}", old.now_ms + DAY)
        self.logs.append(log)
        cited = cites or {"origin": old.origin, "root": old.root().hex(), "size": old.size}
        self._name(log, "vault.recover", {"cites": cited})
        return log

    def header(self, why: str = "passphrase", *, log: ForgedLog | None = None) -> Kept:
        """The next key file, named by an entry of the newest log (or of `log`)."""
        return self._name(log or self.logs[-1], "header.write", {"why": why})

    def renew(self, vik: str) -> Kept:
        """A new vault identity, signed for by the old one."""
        old, self.vik_key = self.vik_key, FastKey(vik)
        self._cross = signing.cross_sign(old.seed, bytes.fromhex(sample.VAULT), self.vik_key.pub)
        return self.header("renewal")

    _cross: Cross | None = None

    def _name(self, log: ForgedLog, ev: str, k: dict[str, Any]) -> Kept:
        kept = self.make_header(log, log.size)
        self.headers.append(kept)
        log.add(ev, c=kept.digest, z=len(kept.data), k={**k, "seq": kept.seq})
        return kept

    def make_header(self, log: ForgedLog, index: int, **more: Any) -> Kept:
        """A key file of `log`, to be named by its entry `index`; `more` replaces fields of `Header`."""
        values: dict[str, Any] = {
            "vault": VaultId(bytes.fromhex(sample.VAULT)),
            "device": DeviceId(hashlib.sha256(log.name.encode()).digest()[:16]),
            "origin": Origin(log.origin),
            "seq": len(self.headers) + 1,
            "prev": Digest(self.headers[-1].digest if self.headers else "0" * 64),
            "generation": 1,
            "origins": {Origin(one.origin): index if one is log else one.size for one in self.logs},
            "slots": (),
            "retired": (),
            "table": hashlib.shake_256(b"table").digest(4184),
            "vik": self.vik_key.pub,
            "cross": self._cross,
        }
        values |= more
        header = Header(**values)
        signed = Header(**values, sig=self.vik_key.sign(b"notevault/v1/header\0" + header.unsigned_bytes()))
        return Kept(signed.seq, log.origin, signed.to_bytes())

    # -- on disk

    def path(self, log: ForgedLog, name: str) -> Path:
        return log.folder / name

    def blob_path(self, digest: str) -> Path:
        return self.folder / "blobs" / digest[:2] / digest

    def header_path(self, seq: int) -> Path:
        kept = next(one for one in self.headers if one.seq == seq)
        return self.folder / "headers" / kept.origin / f"{seq:08d}-{kept.digest}"

    def store(self) -> Forge:
        for log in self.logs:
            log.store()
        for kept in self.headers:
            put(self.header_path(kept.seq), kept.data)
        (self.folder / "blobs").mkdir(parents=True, exist_ok=True)
        for digest, data in self.blobs.items():
            put(self.blob_path(digest), data)
        return self

    def files(self) -> list[Path]:
        """Every file of the stored vault, in a fixed order."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())


def busy(
    folder: Path,
    entries: int = 300,
    *,
    days: int = 21,
    epochs: int = 4,
    logs: int = 1,
    blobs: bool = True,
    clients: int = 3,
    vik: str = "vik",
) -> Forge:
    """A stored vault of about `entries` entries: working days with unlocks, notes read and written, failures, clock
    jumps, backups on most days, a purge, key files, `epochs` epochs in each of `logs` logs, the last one open.
    """
    vault = Forge(folder, vik)
    for number in range(logs):
        log = vault.recover() if number else vault.begin()
        share = entries // logs
        a_day = max(8, share // days)
        a_part = max(1, share // epochs)
        while log.size < share:
            _a_day(log, min(log.size + a_day, share), a_part, epochs, blobs, clients)
            log.day()
        if number < logs - 1:
            log.close()
    return vault.store()


def _a_day(log: ForgedLog, until: int, a_part: int, epochs: int, blobs: bool, clients: int) -> None:
    day = log.boot
    log.add("session.open")
    if day % 4 == 3:
        log.fail(1 + day % 3)
    if day % 9 == 5:
        log.jump(7_200_000, "ahead" if day % 2 else "back")
    if day % 7 == 6:
        log.vault.header(WORDS[day % 5], log=log)
    while log.size < until:
        i, client = log.size, f"C-{log.size % clients:03d}"
        if log.epoch + 1 < epochs and i >= (log.epoch + 1) * a_part:
            log.close()
        elif i % 3 == 0 and blobs:
            digest = log.write(client=client, ev="record.sign" if i % 2 else "record.write")
            if i % 60 == 9:
                log.purge(digest)
        elif i % 17 == 0:
            log.add("search.run")
        elif i % 41 == 0:
            log.add("record.export", client=client, o="refused" if i % 2 else "ok", pu="export")
        else:
            log.add("record.open", client=client)
    if day % 7 < 5:
        log.backup("fail" if day % 5 == 4 else "ok")
    log.add("session.lock")
