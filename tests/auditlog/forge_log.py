"""One forged log, its keys and key files: the parts of `forge`, which explains them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from notevault.auditlog import bundle, card, checkpoint, entry, merkle
from tests.auditlog import sample
from tests.auditlog.sample import BUNDLE, Key

if TYPE_CHECKING:
    from tests.auditlog.forge import Forge

DAY = 86_400_000


class FastKey(Key):
    """The same key, its private half made once."""

    @cached_property
    def _private(self) -> Any:
        return super().private

    @cached_property
    def pub(self) -> bytes:  # type: ignore[override]
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    @property
    def seed(self) -> bytes:
        return hashlib.sha256(self.word.encode()).digest()


@dataclass
class Kept:
    """A key file as it was made."""

    seq: int
    origin: str
    data: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class ForgedLog:
    """One log. `entries` are its true bytes; `add` and the like append to them, nothing here touches the disk but
    `lay`, `sign` and `remove`.
    """

    vault: Forge
    name: str
    now_ms: int
    entries: list[bytes] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    seals: dict[int, bytes] = field(default_factory=dict)
    epoch: int = 0
    boot: int = 0

    # -- keys and signed things

    @cached_property
    def identity(self) -> FastKey:
        return FastKey(f"identity of {self.name}")

    def epoch_key(self, epoch: int) -> FastKey:
        return self.vault.key(f"epoch {epoch} of {self.name}")

    @cached_property
    def origin(self) -> str:
        return card.origin_of(self.identity.pub, self.epoch_key(0).pub)

    @cached_property
    def card(self) -> bytes:
        vik = self.vault.vik_key
        device = hashlib.sha256(self.name.encode()).hexdigest()[:32]
        return card.make(
            sample.START_MS, device, self.epoch_key(0).pub, self.identity.pub, sample.VAULT, vik.pub, vik.sign
        )

    @property
    def size(self) -> int:
        return len(self.entries)

    def root(self, size: int | None = None) -> bytes:
        return merkle.root(self.leaves[:size])

    def signed(self, size: int | None = None, epoch: int | None = None, key: Key | None = None) -> bytes:
        """A checkpoint of the first `size` entries (all), of `epoch` (its last entry's) signed with `key` (its)."""
        size = self.size if size is None else size
        if epoch is None:
            epoch = json.loads(self.entries[size - 1])["e"] if size else 0
        return self.statement(size, self.root(size), epoch, key)

    def statement(self, size: int, root: bytes, epoch: int, key: Key | None = None) -> bytes:
        """A checkpoint that says this, true or not."""
        signer = key or self.epoch_key(epoch)
        return checkpoint.make(
            self.origin, size, root, epoch, self.identity.sign, signer.sign, self.identity.pub, signer.pub
        )

    # -- writing on

    def add(self, ev: str, *, client: str | None = None, **more: Any) -> int:
        """One more entry; `more` as in `sample.fields`. With `client`, the tag is that client's. Gives its index."""
        i = self.size
        values = sample.fields(i, ev, **{"e": self.epoch, "t": self.now_ms, "b": f"{self.boot:016x}", **more})
        values["p"] = self.leaves[-1][:16].hex() if i else entry.NO_PREVIOUS
        if client is not None and "st" in values:
            values["st"] = self.vault.tag(client, values["t"], self.origin, i)
        data = entry.encode(values)
        self.entries.append(data)
        self.leaves.append(merkle.leaf_hash(data))
        self.now_ms += 1000
        return i

    def day(self, days: int = 1) -> None:
        """Go on at the same time some days later, after a restart of the laptop."""
        self.now_ms += days * DAY
        self.boot += 1

    def write(self, data: bytes | None = None, *, client: str | None = None, ev: str = "record.write") -> str:
        """A note's file and the entry that names it; gives its digest. Without `data`, some bytes of its own."""
        data = b"note %d of %s" % (self.size, self.name.encode()) if data is None else data
        digest = hashlib.sha256(data).hexdigest()
        self.vault.blobs[digest] = data
        self.add(ev, client=client, c=digest, z=len(data))
        return digest

    def purge(self, digest: str, *, keep: bool = False, key: Key | None = None) -> int:
        """Destroy a file for good, with the vault's signature (or `key`'s); `keep` leaves it on disk."""
        data = self.vault.blobs[digest] if keep else self.vault.blobs.pop(digest)
        sig = sample.purge_sig(digest, key or self.vault.vik_key)
        return self.add("record.purge", c=digest, z=len(data), k={"sig": sig})

    def fail(self, n: int = 1, why: str = "passphrase", at: int | None = None) -> int:
        """Failed unlocks; with `at`, told of later."""
        if at is None:
            return self.add("session.fail", o="fail", k={"n": n, "why": why})
        return self.add("session.fail", o="reported", k={"at": at, "n": n, "why": why})

    def jump(self, ms: int, to: str = "ahead") -> int:
        """The laptop's clock is moved, and the log says so."""
        self.now_ms += ms if to == "ahead" else -ms
        return self.add("clock.jump", k={"ms": ms, "to": to})

    def backup(self, outcome: str = "ok", n: int = 1) -> int:
        return self.add("backup.run", o=outcome, k={"n": n})

    def close(self, seal: bool = True) -> int:
        """Close the epoch: the entry that brings the next key, and the seal."""
        at = self.add("epoch.close", k={"key": self.epoch_key(self.epoch + 1).pub.hex()})
        if seal:
            self.seals[self.epoch] = self.signed(self.size, self.epoch)
        self.epoch += 1
        return at

    # -- on disk

    @property
    def folder(self) -> Path:
        return self.vault.folder / "audit" / self.origin

    def lay(self, entries: list[bytes] | None = None, *, hashes: bool = True) -> None:
        """Write these entries (the true ones) as bundles and `open`; with `hashes` false the cache stays as it is."""
        entries = self.entries if entries is None else entries
        full, roots = len(entries) // BUNDLE, []
        for path in sorted((self.folder / "entries").rglob("*")) if (self.folder / "entries").exists() else ():
            if path.is_file():
                path.unlink()
        for q in range(full):
            part = entries[q * BUNDLE : (q + 1) * BUNDLE]
            put(self.folder / "entries" / bundle.tile_path(q), bundle.pack(part))
            roots.append(merkle.bundle_root([merkle.leaf_hash(data) for data in part]))
        put(self.folder / "open", bundle.pack(entries[full * BUNDLE :]))
        if hashes:
            put(self.folder / "hashes", b"".join(roots))

    def sign(self, data: bytes | None = None) -> None:
        """Write `checkpoint`: the true one, or `data`."""
        put(self.folder / "checkpoint", self.signed() if data is None else data)

    def seal(self, epoch: int, data: bytes | None) -> None:
        """Write or, with None, remove a seal's file."""
        path = self.folder / "seals" / f"{epoch:08d}"
        if data is None:
            path.unlink()
        else:
            put(path, data)

    def store(self) -> None:
        put(self.folder / "card", self.card)
        self.lay()
        for epoch, data in self.seals.items():
            self.seal(epoch, data)
        self.sign()

    def rewrite(self, index: int, change: Callable[[dict[str, Any]], None], *, sign: bool = True) -> list[bytes]:
        """What a thief with the keys of today can do: entry `index` changed, all later ones linked anew, laid on disk
        and (`sign`) signed with the identity and the current epoch's key. Seals stay as they are. Gives the entries.
        """
        entries = sample.rechain(self.entries, index, self.size, change)
        self.lay(entries)
        if sign:
            self.sign(self.statement(self.size, merkle.root([merkle.leaf_hash(one) for one in entries]), self.epoch))
        return entries

    def anchor(self, folder: Path, size: int | None = None) -> Path:
        """An anchor of the first `size` entries below `folder` (a folder `anchors`)."""
        size = self.size if size is None else size
        return put(folder / self.origin / f"{size}-{self.root(size).hex()}", self.signed(size))


def put(path: Path, data: bytes) -> Path:
    """Write a file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
