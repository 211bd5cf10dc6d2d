"""Vault folders with logs of any size, as a practice leaves them behind: every entry valid, chained, sealed and signed.

Written straight as bundles, some 60,000 entries a second; the keys are those of `tests.auditlog.sample`, the same every
time. What the verifier says of such a folder is part of the measurement: it has to be sound.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from notevault.auditlog import bundle, card, checkpoint, entry, merkle
from notevault.auditlog.events import EVENTS, MUST
from notevault.crypto import signing
from notevault.formats.header import Header, PassphraseSlot
from notevault.formats.ids import NO_DIGEST, DeviceId, Digest, Origin, SlotId, VaultId
from tests.auditlog.sample import BOOT, DEVICE, IDENTITY, USER, VAULT, VIK, Key, purge_sig, verify

EPOCH = 200  # entries, the closing one counted: a morning's session
STEP_MS = 250_000  # between two entries: a million of them take eight years
START_MS = 1_451_606_400_000  # 2016-01-01: whoever checks today finds nothing made in the future
PURGE_EVERY = 997  # entries; a signature each
BLOB_BYTES = 4184  # a short note, sealed

# What a client's hour looks like in the log, over and over.
MIXED = (
    "record.open", "record.open", "record.write", "search.run", "record.open", "record.open", "record.write",
    "record.open", "session.list", "record.sign", "record.open", "record.write", "search.run", "record.open",
    "session.lock", "session.open",
)  # fmt: skip
KINDS = {"mixed": MIXED, "writes": ("record.write",)}


@dataclass(frozen=True)
class Made:
    """A vault folder and what an auditor would know of it."""

    root: Path
    size: int
    last: bytes  # 16 bytes of the last leaf hash
    epoch: int  # that the next entry belongs to
    written: int  # blobs, the purged ones too

    @property
    def audit(self) -> Path:
        return self.root / "audit" / ORIGIN

    @property
    def card(self) -> Path:
        return self.audit / "card"

    @property
    def bytes(self) -> int:
        """Of the entries, as they lie in their bundles."""
        return sum(path.stat().st_size for path in bundles(self.audit))


EPOCH_0 = Key("bench epoch 0")
ORIGIN = card.origin_of(IDENTITY.pub, EPOCH_0.pub)


def bundles(audit: Path) -> list[Path]:
    """All files with entries, in their order."""
    return [*sorted(path for path in (audit / "entries").rglob("*") if path.is_file()), audit / "open"]


def epoch_key(epoch: int) -> Key:
    return Key(f"bench epoch {epoch}")


def make(root: Path, size: int, kind: str = "mixed", *, blobs: bool = False) -> Made:
    """A vault folder whose log has `size` entries; `blobs`: with the notes' files, else their digests are known only
    to the log.
    """
    audit = root / "audit" / ORIGIN
    for folder in (audit / "entries", audit / "seals", root / "headers" / ORIGIN):
        folder.mkdir(parents=True)
    if blobs:
        for first in range(256):
            (root / "blobs" / f"{first:02x}").mkdir(parents=True)
    card_bytes = card.make(START_MS, DEVICE, EPOCH_0.pub, IDENTITY.pub, VAULT, VIK.pub, VIK.sign)
    (audit / "card").write_bytes(card_bytes)
    return _Writer(root, audit, size, KINDS[kind], blobs).run()


class _Writer:
    def __init__(self, root: Path, audit: Path, size: int, events: tuple[str, ...], blobs: bool) -> None:
        self._root, self._audit, self._size, self._events, self._blobs = root, audit, size, events, blobs
        self._whole, self._leaves = merkle.Frontier(), list[bytes]()
        self._headers: list[bytes] = []
        self._live: list[str] = []  # the newest digests, of which some are purged
        self._purged: list[str] = []
        self._written = 0
        self._identity = IDENTITY.private.sign

    def run(self) -> Made:
        last, epoch, part = bytes(16), 0, list[bytes]()
        roots, seal_key = bytearray(), epoch_key(0)
        for i in range(self._size):
            closing = i % EPOCH == EPOCH - 1
            data = self._close(i, last, epoch) if closing else self._entry(i, last, epoch)
            if i % 4001 < 2:
                assert isinstance(entry.parse(data), entry.Entry), data
            leaf = merkle.leaf_hash(data)
            last = leaf[:16]
            part.append(data)
            self._leaves.append(leaf)
            if closing:
                self._sign(self._audit / "seals" / f"{epoch:08d}", i + 1, epoch, seal_key)
                epoch, seal_key = epoch + 1, epoch_key(epoch + 1)
            if len(part) == merkle.BUNDLE:
                roots += self._bundle(i // merkle.BUNDLE, part)
                part = []
        (self._audit / "open").write_bytes(bundle.pack(part))
        (self._audit / "hashes").write_bytes(roots)
        if self._size % EPOCH:
            self._sign(self._audit / "checkpoint", self._size, epoch, seal_key)
        else:  # the last entry closes an epoch: its key signed this state, and the seal is a copy of it
            (self._audit / "checkpoint").write_bytes((self._audit / "seals" / f"{epoch - 1:08d}").read_bytes())
        for digest in self._purged if self._blobs else ():
            (self._root / "blobs" / digest[:2] / digest).unlink(missing_ok=True)
        return Made(self._root, self._size, last, epoch, self._written)

    def _bundle(self, number: int, part: list[bytes]) -> bytes:
        path = self._audit / "entries" / bundle.tile_path(number)
        if number % 1000 == 0:
            path.parent.mkdir(exist_ok=True)
        path.write_bytes(bundle.pack(part))
        root = merkle.bundle_root(self._leaves)
        self._whole.append_bundle(root)
        self._leaves = []
        return root

    def _sign(self, path: Path, size: int, epoch: int, key: Key) -> None:
        tree = self._whole.copy()
        tree.extend(self._leaves)
        keys = (self._identity, key.private.sign, IDENTITY.pub, key.pub)
        path.write_bytes(checkpoint.make(ORIGIN, size, tree.root(), epoch, *keys))

    def _entry(self, i: int, last: bytes, epoch: int) -> bytes:
        if i == 0:
            return self._file(i, last, epoch, "vault.create", self._header(i, 0))
        if i == self._size // 2 // EPOCH * EPOCH + 1:
            return self._file(i, last, epoch, "header.write", self._header(i, epoch))
        event = self._events[i % len(self._events)]
        if len(self._events) > 1:
            if i % EPOCH == 0:
                event = "session.open"
            elif i % PURGE_EVERY == 0 and self._live:
                return self._purge(i, last, epoch)
            elif i % 701 == 0:
                event = ("session.fail", "backup.run", "clock.jump", "record.export", "audit.review")[i // 701 % 5]
        return _plain(i, last, epoch, event, self._blob(i) if event in ("record.write", "record.sign") else "")

    def _blob(self, i: int) -> str:
        """The digest that entry `i` names; its file is made where files are wanted."""
        self._written += 1
        if self._blobs:
            data = b"NVO1\x01" + hashlib.shake_128(b"blob %d" % i).digest(BLOB_BYTES - 5)
            digest = hashlib.sha256(data).hexdigest()
            (self._root / "blobs" / digest[:2] / digest).write_bytes(data)
        else:
            digest = hashlib.sha256(b"blob %d" % i).hexdigest()
        self._live = [*self._live[-3:], digest]
        return digest

    def _purge(self, i: int, last: bytes, epoch: int) -> bytes:
        digest = self._live.pop(0)
        self._purged.append(digest)
        return _plain(i, last, epoch, "record.purge", digest, f'"k":{{"sig":"{purge_sig(digest)}"}},')

    def _close(self, i: int, last: bytes, epoch: int) -> bytes:
        return _plain(i, last, epoch, "epoch.close", "", f'"k":{{"key":"{epoch_key(epoch + 1).pub.hex()}"}},')

    def _file(self, i: int, last: bytes, epoch: int, event: str, data: bytes) -> bytes:
        k = '"k":{"seq":1},' if event == "vault.create" else f'"k":{{"seq":{len(self._headers)},"why":"passphrase"}},'
        return _plain(i, last, epoch, event, hashlib.sha256(data).hexdigest(), k, len(data))

    def _header(self, i: int, seq: int) -> bytes:
        """The next header file, written."""
        seq = len(self._headers) + 1
        before = Digest(hashlib.sha256(self._headers[-1]).hexdigest()) if self._headers else NO_DIGEST
        slot = PassphraseSlot(
            SlotId(bytes([seq]) * 16), DeviceId(bytes.fromhex(DEVICE)), 1, 65536, 4, 4, bytes(16), bytes(32), bytes(32),
            bytes(56),
        )  # fmt: skip
        retired = (SlotId(b"\1" * 16),) if seq > 1 else ()
        header = Header(
            VaultId(bytes.fromhex(VAULT)), DeviceId(bytes.fromhex(DEVICE)), Origin(ORIGIN), seq, before, 1,
            {Origin(ORIGIN): i}, (slot,), retired, bytes(4096), VIK.pub,
        )  # fmt: skip
        data = replace(header, sig=VIK.sign(signing.HEADER + header.unsigned_bytes())).to_bytes()
        name = f"{seq:08d}-{hashlib.sha256(data).hexdigest()}"
        (self._root / "headers" / ORIGIN / name).write_bytes(data)
        self._headers.append(data)
        return data


_K = {
    "session.open": '"k":{"how":"passphrase"},', "session.lock": '"k":{"why":"idle"},',
    "session.fail": '"k":{"n":1,"why":"passphrase"},', "backup.run": '"k":{"n":40},',
    "clock.jump": '"k":{"ms":3600000,"to":"ahead"},', "audit.review": '"k":{"n":300,"since":1451606400000},',
}  # fmt: skip


def _plain(i: int, last: bytes, epoch: int, event: str, digest: str = "", k: str = "", z: int = BLOB_BYTES) -> bytes:
    """The bytes of one entry, put together by hand: `entry.encode` takes ten times as long."""
    noise = hashlib.shake_128(b"%d" % i).digest(416)
    text = noise[:80].hex()
    record = event.startswith("record.")
    rule = EVENTS[event]
    bare = rule.h != MUST
    c = f'"c":"{digest}",' if digest else ""
    g = "" if bare else '"g":1,'
    h = "" if bare else f'"h":"{text[:32]}",'
    nt, st = (f'"nt":"{text[32:64]}",', f'"st":"{text[64:96]}",') if record else ("", "")
    x = ""
    if record:
        x = f',"x":{{"r":"{base64.b64encode(noise[48:128]).decode()}"}}'
    elif event == "search.run":
        x = f',"x":{{"d":"{base64.b64encode(noise[128:]).decode()}"}}'
    size = f',"z":{z}' if digest else ""
    outcome = "fail" if event == "session.fail" else "ok"
    k = k or _K.get(event, "")
    wall, boot = START_MS + STEP_MS * i, 1000 * (i % EPOCH) + 5000
    return (
        f'{{"a":"{rule.a[0]}","b":"{BOOT}",{c}"e":{epoch},"ev":"{event}",{g}{h}"i":{i},{k}"m":{boot},{nt}'
        f'"o":"{outcome}","p":"{last.hex()}","pu":"care",{st}"t":{wall},"v":1,"w":"{USER}"{x}{size}}}'
    ).encode("ascii")


class Belief:
    """How `LogFile` checks the signatures of such a log."""

    def identity(self, data: bytes) -> checkpoint.Checkpoint:
        found = checkpoint.parse(data)
        assert isinstance(found, checkpoint.Checkpoint)
        assert checkpoint.check_identity(found, IDENTITY.pub, verify) is None
        return found

    def epoch(self, signed: checkpoint.Checkpoint, key: bytes | None) -> None:
        keys = {signed.epoch: key or EPOCH_0.pub}
        assert checkpoint.check_epoch(signed, keys, verify) is None


def signer(made: Made) -> Callable[[int, bytes], bytes]:
    """Makes the next checkpoints of such a log."""
    key, identity = epoch_key(made.epoch), IDENTITY.private.sign
    private, pub, identity_pub = key.private.sign, key.pub, IDENTITY.pub

    def sign(size: int, root: bytes) -> bytes:
        return checkpoint.make(ORIGIN, size, root, made.epoch, identity, private, identity_pub, pub)

    return sign


def next_entry(made: Made) -> Callable[[int, bytes], bytes]:
    """Builds one more entry, as `LogFile.commit` wants it."""
    return lambda i, last: _plain(i, last, made.epoch, "record.open")


def messages(made: Made) -> Iterator[bytes]:
    """Every entry's bytes, in order."""
    for path in bundles(made.audit):
        found = bundle.split(path.read_bytes())
        assert isinstance(found, list), found
        yield from found
