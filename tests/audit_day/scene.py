"""What a tampering works on: a copy of the day's vault, the thief's loot, and what an auditor holds against it.

scene = Scene.make(day, bare, folder)
copy = scene.copy("clean")          # a vault folder of its own, its log's entries read
copy.lay(entries); copy.sign()      # put other entries there; sign as the thief can, with the keys of today
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from notevault.auditlog import bundle, checkpoint, merkle
from notevault.crypto import signing
from notevault.vault.items import LOG, LogItem
from tests.audit_day.bare import Bare, copy_tree
from tests.audit_day.compare import raw_entries
from tests.audit_day.day import NOON, Day
from tests.cli.homes import Home, empty_home

BUNDLE = 256
Fields = dict[str, Any]


def seed_of(word: str) -> bytes:
    """A key that the thief made himself."""
    return merkle.leaf_hash(word.encode())


@dataclass
class Scene:
    """`card`: the auditor's. `state`: his state file as of noon. `anchors`: a backup place, as of the day's last lock.
    `late`: one more, as of the very end.
    """

    day: Day
    folder: Path
    bare: Bare
    card: Path
    state: Path
    anchors: Path
    late: Path
    loot: LogItem
    other: Home
    clone: Home

    @classmethod
    def make(cls, day: Day, bare: Bare, folder: Path) -> Scene:
        folder.mkdir(parents=True, exist_ok=True)
        card, state = folder / "card", folder / "noon.state"
        day.home.copy(folder / "at-the-visit").run("audit", "card", "--out", str(card), "--no-input")
        noon = day.moments["noon"]
        assert bare.run("check", noon.vault, "--card", card, "--state", state).code == 0
        anchors = day.lay_anchors(folder / "anchors", day.size)
        late = folder / "late"
        head = checkpoint.parse((day.log / "checkpoint").read_bytes())
        assert isinstance(head, checkpoint.Checkpoint)
        (late / head.origin).mkdir(parents=True)
        (late / head.origin / f"{head.size}-{head.root.hex()}").write_bytes(head.raw)
        items = json.loads(day.home.key_file.read_bytes())["items"]
        scene = cls(
            day,
            folder,
            bare,
            card,
            state,
            anchors,
            late,
            LogItem.decode(items[LOG]),
            _other(folder),
            _clone(day, folder),
        )
        assert (scene.day.home.log_size() - head.size, NOON) == (0, 6)
        return scene

    def copy(self, name: str, source: Path | None = None) -> Copy:
        return Copy(self, copy_tree(source or self.day.home.vault, self.folder / "vaults" / name))


def _other(folder: Path) -> Home:
    """Another therapist's vault, with a full bundle and a seal."""
    home = empty_home(folder / "other")
    home.run("init", "--key-in-file", "--no-input", "--sheet", str(home.sheet), open_it=True)
    rows = "\n".join(["name,text,date", *(f"Somebody Else,text {n},2024-01-01" for n in range(300))])
    home.run("import", home.file("notes.csv", rows), "--yes", "--no-input", open_it=True)
    return home


def _clone(day: Day, folder: Path) -> Home:
    """Her laptop was copied at noon, and somebody who knew the passphrase worked on with the copy."""
    home = day.moments["noon"].copy(folder / "clone")
    rows = "\n".join(["name,text,date", *(f"Some Body,text {n},2024-01-01" for n in range(60))])
    home.run("import", home.file("notes.csv", rows), "--yes", "--no-input", open_it=True)
    return home


@dataclass
class Copy:
    """One vault folder to be tampered with; `entries` are the true ones."""

    scene: Scene
    folder: Path
    entries: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.entries = self.entries or raw_entries(self.log)

    @property
    def log(self) -> Path:
        return self.folder / "audit" / self.scene.loot.origin

    @property
    def size(self) -> int:
        return len(self.entries)

    def fields(self, index: int) -> Fields:
        found: Fields = json.loads(self.entries[index])
        return found

    def which(self, ev: str) -> list[int]:
        return [i for i in range(self.size) if self.fields(i)["ev"] == ev]

    @property
    def closes(self) -> list[int]:
        """Entries that close an epoch, by its number."""
        return self.which("epoch.close")

    @property
    def epoch(self) -> int:
        return len(self.closes)

    def epoch_of(self, index: int) -> int:
        return sum(close < index for close in self.closes)

    def span(self, epoch: int) -> tuple[int, int]:
        """First and last entry of a closed epoch."""
        return (self.closes[epoch - 1] + 1 if epoch else 0), self.closes[epoch]

    def seal(self, epoch: int) -> Path:
        return self.log / "seals" / f"{epoch:08d}"

    def blob_of(self, index: int) -> Path:
        digest = str(self.fields(index)["c"])
        return self.folder / "blobs" / digest[:2] / digest

    def headers(self) -> list[Path]:
        """Key files, the oldest first."""
        return sorted((self.folder / "headers" / self.scene.loot.origin).iterdir())

    # -- what anybody can do who can write to the disk

    def lay(self, entries: Sequence[bytes], *, hashes: bool = False) -> None:
        """These entries as bundles and `open`. `hashes`: the cache is made to fit, else it stays as it was."""
        full = len(entries) // BUNDLE
        for path in (self.log / "entries").iterdir():
            path.unlink()
        parts = [entries[q * BUNDLE : (q + 1) * BUNDLE] for q in range(full)]
        for q, part in enumerate(parts):
            (self.log / "entries" / f"{q:03d}").write_bytes(bundle.pack(part))
        (self.log / "open").write_bytes(bundle.pack(entries[full * BUNDLE :]))
        if hashes:
            roots = [merkle.bundle_root([merkle.leaf_hash(data) for data in part]) for part in parts]
            (self.log / "hashes").write_bytes(b"".join(roots))

    # -- what needs keys

    def statement(self, entries: Sequence[bytes], epoch: int, epoch_seed: bytes, size: int | None = None) -> bytes:
        """A signed state of these entries, by the true identity key and this epoch key; `size` may be a lie."""
        loot, root = self.scene.loot, merkle.root([merkle.leaf_hash(data) for data in entries])
        return checkpoint.make(
            loot.origin, len(entries) if size is None else size, root, epoch,
            lambda message: signing.sign(loot.identity_seed, message),
            lambda message: signing.sign(epoch_seed, message),
            signing.public_key(loot.identity_seed), signing.public_key(epoch_seed),
        )  # fmt: skip

    def sign(self, entries: Sequence[bytes]) -> None:
        """The newest state, with the keys of today."""
        (self.log / "checkpoint").write_bytes(
            self.statement(entries, self.scene.loot.epoch, self.scene.loot.epoch_seed)
        )

    def seal_as(self, epoch: int, entries: Sequence[bytes], seed: bytes, at: int | None = None) -> None:
        """A seal of the epoch that ends with entry `at` (as in the true log)."""
        size = (self.closes[epoch] if at is None else at) + 1
        self.seal(epoch).write_bytes(self.statement(entries[:size], epoch, seed))


def encode(fields: Fields) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def rechained(entries: Sequence[bytes], start: int, change: Callable[[int, Fields], None] | None = None) -> list[bytes]:
    """From `start` on numbered and linked anew, each first changed by `change`."""
    out = list(entries)
    for i in range(start, len(out)):
        fields = json.loads(out[i])
        if change is not None:
            change(i, fields)
        fields["i"], fields["p"] = i, merkle.leaf_hash(out[i - 1])[:16].hex() if i else "0" * 32
        out[i] = encode(fields)
    return out


def flip(path: Path, at: int) -> None:
    """One bit of one byte."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
