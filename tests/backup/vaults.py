"""Vaults for the tests of backups: real small ones, and large synthetic ones whose log is signed but seals nothing.

`small(tmp)` goes through the vault layer: passphrase, sheet, notes; `made.session()` opens it.
`synthetic(folder, sizes)` has random bytes for notes: a card, key files, a log with good signatures and a blob for
every size. 20,000 take seconds, because nothing is synced. It grows, closes epochs, destroys, renews, recovers.
Both lie where the program looks for them when HOME is `made.home`.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from notevault.adapters.clock import SystemClock
from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.files import DiskFiles
from notevault.adapters.machine import SystemMachine
from notevault.adapters.secret_file import FileStore
from notevault.auditlog import bundle, card, checkpoint, entry, merkle
from notevault.crypto import kdf, signing
from notevault.domain.clients import Client
from notevault.domain.notes import Note
from notevault.formats import sheet
from notevault.formats.header import Header
from notevault.formats.ids import NO_DIGEST, DeviceId, Digest, Origin, VaultId
from notevault.ports import SecretStore
from notevault.storage.layout import VaultPaths
from notevault.vault import found, unlock
from notevault.vault.env import Env
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from tests.fakes.simple import MORNING_MS

PASSPHRASE = "seven quiet herons cross the frozen bay"


class _Stores:
    def __init__(self, folder: Path, files: DiskFiles) -> None:
        self._folder, self._files = folder, files

    def choose(self) -> tuple[str, str]:
        return "file", "a test without a key store"

    def open(self, kind: str, vault_id: bytes, device_id: bytes) -> SecretStore:
        return FileStore(self._folder, f"{vault_id.hex()}/{device_id.hex()}", self._files)


@dataclass
class Made:
    """A real vault, closed. `sheet` is the code of its recovery sheet."""

    home: Path
    vault_id: bytes
    sheet: str
    passphrase: str = PASSPHRASE

    @property
    def vault(self) -> Path:
        return _vault(self.home)

    @property
    def local(self) -> Path:
        """<local>, with a folder per vault."""
        return _local(self.home)

    @property
    def own(self) -> Path:
        """<local>/<vault id>: this device's folder of this vault."""
        return self.local / self.vault_id.hex()

    @property
    def hex(self) -> str:
        return self.vault_id.hex()

    def env(self) -> Env:
        return _env(self.home)

    def session(self) -> Session:
        """Open; the caller closes it with `close("exit")`."""
        return unlock.unlock(self.env(), self.vault, kdf.normalise(self.passphrase, opening=True), shell=False)

    def write(self, *texts: str) -> list[bytes]:
        """A note of the one client for each text; their ids. Opens and closes the vault."""
        session = self.session()
        book = Notebook(session)
        client = book.clients()[0].id
        ids = [book.add_note(client, _note(text)).id for text in texts]
        session.close("exit")
        return ids

    def texts(self) -> set[str]:
        session = self.session()
        book = Notebook(session)
        found_texts = {book.open_note(view.id)[1].text for view in book.notes()}
        session.close("exit")
        return found_texts


def small(tmp: Path, notes: int = 5) -> Made:
    """A real vault in the home `tmp`, with one client and `notes` notes ("Note 1 ...", "Note 2 ...")."""
    env = _env(tmp)
    session, kit = found.create(env, _vault(tmp), kdf.normalise(PASSPHRASE), kdf.CHEAPEST)
    book = Notebook(session)
    client = book.add_client(Client("Anna Berg", "C-1", None, MORNING_MS))
    for number in range(1, notes + 1):
        book.add_note(client.id, _note(f"Note {number}: slept four hours, walks each morning."))
    session.close("exit")
    return Made(tmp, kit.vault_id, "-".join(sheet.encode(kit.seed, kit.fingerprint)))


def _note(text: str) -> Note:
    return Note(text, MORNING_MS, 60, MORNING_MS, MORNING_MS)


def _vault(home: Path) -> Path:
    return home / ".local/share/notevault/vault"


def _local(home: Path) -> Path:
    return home / ".local/state/notevault"


def _env(home: Path) -> Env:
    files = DiskFiles()
    stores = _Stores(home / ".config/notevault/device", files)
    return Env(SystemClock(), SystemEntropy(), files, SystemMachine(), stores, _local(home))


@dataclass
class _Log:
    """One log being written: its keys, and its entries so far."""

    identity: bytes
    epoch_seed: bytes
    first_pub: bytes
    entries: list[bytes] = field(default_factory=list, repr=False)
    frontier: merkle.Frontier = field(default_factory=merkle.Frontier, repr=False)
    last16: bytes = bytes(16)
    epoch: int = 0

    @property
    def origin(self) -> str:
        return card.origin_of(signing.public_key(self.identity), self.first_pub)


class Made2:
    """A synthetic vault. Nothing can be opened; everything else about it is as it should be."""

    def __init__(self, home: Path, seed: int | str = 1) -> None:
        self.home = home
        self.dice = random.Random(f"vault-{seed}")
        self.vault_id = self.dice.randbytes(16)
        self.device = self.dice.randbytes(16)
        self.vik = self.dice.randbytes(32)
        self.now_ms = MORNING_MS
        self.seq = 0
        self.prev: str = NO_DIGEST
        self.cross: Any = None
        self.sizes: dict[str, int] = {}  # of every log, as headers list them
        self.digests: list[str] = []  # of all blobs in the order they were written
        self.logs: dict[str, _Log] = {}
        self.origin = ""
        for first in range(256):
            self.paths.blob_folder(first).mkdir(parents=True, exist_ok=True)

    vault = property(lambda self: _vault(self.home))
    local = property(lambda self: _local(self.home))
    own = property(lambda self: self.local / self.hex)
    hex = property(lambda self: self.vault_id.hex())
    paths = property(lambda self: VaultPaths(self.vault))
    log = property(lambda self: self.logs[self.origin])
    size = property(lambda self: len(self.log.entries))

    @property
    def root(self) -> bytes:
        return bytes(self.log.frontier.root())

    # -- what happens in it

    def begin(self, cites: dict[str, object] | None = None) -> None:
        """A log of its own, the first one or a further one that cites another's last state."""
        identity, epoch = self.dice.randbytes(32), self.dice.randbytes(32)
        log = _Log(identity, epoch, signing.public_key(epoch))
        self.origin = log.origin
        self.logs[self.origin] = log
        (self.paths.audit(self.origin) / "entries").mkdir(parents=True)
        (self.paths.audit(self.origin) / "seals").mkdir()
        signer = signing.private_key(self.vik)
        data = card.make(
            self.now_ms,
            self.device.hex(),
            log.first_pub,
            signing.public_key(identity),
            self.hex,
            signing.public_key(self.vik),
            signer.sign,
        )
        self.paths.card(self.origin).write_bytes(data)
        if cites is None:
            self.header("vault.create", a="C")
        else:
            self.header("vault.recover", a="C", pu="recovery", cites=cites)

    def header(self, ev: str = "header.write", *, a: str = "U", pu: str = "admin", **k: object) -> str:
        """A new key file that the next entry names; its digest."""
        self.seq += 1
        listed = {Origin(one): size for one, size in self.sizes.items()}
        made = Header(
            vault=VaultId(self.vault_id), device=DeviceId(self.device), generation=1, origin=Origin(self.origin),
            origins={**listed, Origin(self.origin): self.size}, prev=Digest(self.prev), retired=(), seq=self.seq,
            sig=bytes(64), slots=(), table=self.dice.randbytes(4184), vik=signing.public_key(self.vik),
            cross=self.cross,
        )  # fmt: skip
        data = replace(made, sig=signing.sign_header(made, self.vik)).to_bytes()
        self.prev = hashlib.sha256(data).hexdigest()
        self.paths.headers(self.origin).mkdir(parents=True, exist_ok=True)
        self.paths.header(self.origin, self.seq, self.prev).write_bytes(data)
        why = {"why": "pool"} if ev == "header.write" else {}
        self.append((ev, a, {"c": self.prev, "z": len(data), "k": {**k, **why, "seq": self.seq}, "pu": pu}))
        return self.prev

    def grow(self, count: int, size: int = 4096) -> list[str]:
        """`count` new blobs of `size` random bytes, logged; their digests."""
        return self.write([size] * count)

    def write(self, sizes: Sequence[int]) -> list[str]:
        digests, acts = [], []
        for size in sizes:
            data = self.dice.randbytes(size)
            digest = hashlib.sha256(data).hexdigest()
            self.paths.blob(digest).write_bytes(data)
            digests.append(digest)
            acts.append(("record.write", "C", {"c": digest, "z": size, "pu": "care", **self._tags(note=True)}))
        self.append(*acts)
        self.digests += digests
        return digests

    def read(self, count: int = 1) -> None:
        """Entries that bring no file: what a day of reading leaves in the log."""
        self.append(*[("session.list", "R", {"pu": "care", **self._mac()}) for _ in range(count)])

    def purge(self, digest: str, *, forged: bool = False, keep_file: bool = False) -> None:
        """Destroyed for good, with the vault's signature (or, `forged`, with another's)."""
        seed = self.dice.randbytes(32) if forged else self.vik
        signature = signing.sign_purge(seed, self.vault_id, digest)
        path = self.paths.blob(digest)
        size = path.stat().st_size
        k = {"sig": base64.b64encode(signature).decode()}
        self.append(("record.purge", "D", {"c": digest, "z": size, "k": k, "pu": "admin", **self._tags()}))
        if not keep_file:
            path.unlink()

    def close_epoch(self) -> None:
        """As at a lock: the next key is introduced, the state signed by the outgoing one is kept as a seal."""
        log, fresh = self.log, self.dice.randbytes(32)
        k = {"key": signing.public_key(fresh).hex()}
        self.append(("epoch.close", "E", {"k": k, "pu": "system", **self._mac()}))
        self.paths.seal(self.origin, log.epoch).write_bytes(self.checkpoint())
        log.epoch, log.epoch_seed = log.epoch + 1, fresh

    def renew(self) -> None:
        """A new identity, signed for by the former one, in a new key file; the logs' card stays the old one's."""
        fresh = self.dice.randbytes(32)
        self.cross = signing.cross_sign(self.vik, self.vault_id, signing.public_key(fresh))
        self.vik = fresh
        self.header()
        self.cross = None

    def recover(self) -> str:
        """A further log on a new device, citing the one before; its origin."""
        cites = {"origin": self.origin, "root": self.root.hex(), "size": self.size}
        self.sizes[self.origin] = self.size
        self.device = self.dice.randbytes(16)
        self.begin(cites)
        return self.origin

    def append(self, *acts: tuple[str, str, dict[str, Any]]) -> None:
        """Entries (event, a, further fields), committed as the format says: a step for every bundle they end."""
        log = self.log
        while acts:
            room = merkle.BUNDLE - len(log.entries) % merkle.BUNDLE
            for ev, a, fields in acts[:room]:
                self._append(log, ev, a, fields)
            acts = acts[room:]
            self._commit(log)

    def checkpoint(self) -> bytes:
        log = self.log
        identity, epoch = signing.private_key(log.identity), signing.private_key(log.epoch_seed)
        pubs = signing.public_bytes(identity), signing.public_bytes(epoch)
        return checkpoint.make(self.origin, self.size, self.root, log.epoch, identity.sign, epoch.sign, *pubs)

    # -- copies

    def copy_to(self, home: Path) -> Made2:
        """A clone that goes its own way, with the same keys; local folders are not copied."""
        shutil.copytree(self.vault, _vault(home))
        other = copy.deepcopy(self)
        other.home = home
        other.dice = random.Random(f"clone-{home}")
        return other

    def _append(self, log: _Log, ev: str, a: str, fields: dict[str, Any]) -> None:
        self.now_ms += 1000
        whole = {
            "a": a, "b": "0b" * 8, "e": log.epoch, "ev": ev, "i": len(log.entries), "m": self.now_ms - MORNING_MS,
            "o": "ok", "p": log.last16.hex(), "t": self.now_ms, "w": "0c" * 8, **fields,
        }  # fmt: skip
        if ev in ("vault.create", "vault.recover", "header.write"):
            whole |= self._mac()
        data = entry.encode(whole)
        leaf = merkle.leaf_hash(data)
        log.entries.append(data)
        log.frontier.append(leaf)
        log.last16 = leaf[:16]

    def _commit(self, log: _Log) -> None:
        full, rest = divmod(len(log.entries), merkle.BUNDLE)
        first = len(log.entries) - (rest or merkle.BUNDLE)
        opened = self.paths.open(self.origin)
        path = self.paths.checkpoint(self.origin)
        fresh = path.with_name(".tmp-checkpoint")
        # What is covered is there at every moment, as in a real vault: a worker may be reading
        fresh.write_bytes(bundle.pack(log.entries[first:]))
        fresh.replace(opened)
        fresh.write_bytes(self.checkpoint())
        fresh.replace(path)
        if rest == 0:
            closed = self.paths.bundle(self.origin, full - 1)
            closed.parent.mkdir(parents=True, exist_ok=True)
            opened.rename(closed)
            with self.paths.hashes(self.origin).open("ab") as file:
                file.write(merkle.root([merkle.leaf_hash(each) for each in log.entries[first:]]))

    def _mac(self) -> dict[str, Any]:
        return {"g": 1, "h": self.dice.randbytes(16).hex()}

    def _tags(self, *, note: bool = False) -> dict[str, Any]:
        routing = base64.b64encode(self.dice.randbytes(80)).decode()
        tags = {"st": self.dice.randbytes(16).hex(), "x": {"r": routing}, **self._mac()}
        return tags | ({"nt": self.dice.randbytes(16).hex()} if note else {})


def synthetic(folder: Path, sizes: Sequence[int] = (4096,) * 5, seed: int | str = 1) -> Made2:
    """A vault in the home `folder` with a blob of random bytes for each of `sizes`, all in one log."""
    made = Made2(folder, seed)
    made.begin()
    made.write(sizes)
    return made


def bench_sizes(count: int, large: int = 20) -> list[int]:
    """What the issue measures with: `count` of 1 to 6 KB and `large` of 2 MB."""
    dice = random.Random(4)
    return [dice.randrange(1024, 6145) for _ in range(count)] + [2 << 20] * large
