"""What lies on an imaginary disk, and what a power cut leaves of it: the state behind `MemoryFiles`.

Two layers: what running programs see, and what would survive. Only a sync carries something from the first to the
second. `after_power_cut` is harsher than the world: each unsynced name is kept or lost by the throw of a die,
unsynced bytes are cut anywhere, filled with zeros or with garbage; bytes whose fsync failed never arrive.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path("/")


@dataclass(eq=False)
class Inode:
    live: bytes = b""
    durable: bytes | None = None  # None: never synced, so nothing is promised
    doomed: list[tuple[int, int]] = field(default_factory=list)  # byte ranges whose fsync failed
    irregular: bool = False  # stands for a link, a pipe, a device

    def sync(self) -> None:
        kept = bytearray(self.live)
        for start, end in self.doomed:
            kept[start:end] = bytes(max(0, min(end, len(kept)) - start))
        self.durable = bytes(kept)

    def failed_sync(self) -> None:
        """The kernel drops the pages and calls them clean: a later sync succeeds without them."""
        self.doomed.append((len(self.durable or b""), len(self.live)))

    def survivor(self, dice: random.Random) -> bytes:
        if self.durable == self.live:
            return self.live
        base = self.durable or b""
        if not self.live.startswith(base) or self.doomed:
            return base
        tail = self.live[len(base) :]
        cut = dice.randint(0, len(tail))
        kept = base + tail[:cut]
        how = dice.randrange(4)
        if how == 0:
            kept += bytes(len(tail) - cut)  # the length arrived, the data did not
        elif how == 1:
            kept += dice.randbytes(dice.randint(0, len(tail) - cut))
        return kept


class Disk:
    """Names and folders as seen (`live`) and as they would survive (`durable`)."""

    def __init__(self) -> None:
        self.live: dict[Path, Inode] = {}
        self.durable: dict[Path, Inode] = {}
        self.live_folders: set[Path] = {ROOT}
        self.durable_folders: set[Path] = {ROOT}
        self.moved: list[tuple[Path, Path, Inode]] = []  # renames between folders, not synced at both ends

    def sync_folder(self, folder: Path) -> None:
        for table, kept in ((self.live, self.durable),):
            for path in [p for p in kept if p.parent == folder and p not in table]:
                del kept[path]
            for path in [p for p in table if p.parent == folder]:
                kept[path] = table[path]
        for path in [p for p in self.durable_folders if p.parent == folder and p not in self.live_folders]:
            self.durable_folders.discard(path)
        self.durable_folders |= {p for p in self.live_folders if p.parent == folder}

    def after_kill(self) -> Disk:
        """The process is gone, the system runs on: everything seen is still there, synced or not."""
        return self._copy(dict(self.live), set(self.live_folders), self)

    def after_power_cut(self, seed: int) -> Disk:
        dice = random.Random(seed)
        folders = {ROOT}
        for folder in sorted(self.live_folders | self.durable_folders):
            promised = folder in self.durable_folders and folder in self.live_folders
            if folder.parent in folders and (promised or dice.random() < 0.5):
                folders.add(folder)
        names: dict[Path, Inode] = {}
        for path in sorted(set(self.live) | set(self.durable)):
            seen, kept = self.live.get(path), self.durable.get(path)
            chosen = seen if seen is kept or dice.random() < 0.5 else kept
            if chosen is not None and path.parent in folders:
                names[path] = chosen
        for source, _, inode in self.moved:  # a rename may show both names or either, never none
            if inode not in names.values() and source in self.durable and source.parent in folders:
                names[source] = inode
        disk = Disk()
        disk.live_folders, disk.durable_folders = set(folders), set(folders)
        fresh: dict[int, Inode] = {}
        for path, inode in names.items():
            if id(inode) not in fresh:
                data = inode.survivor(dice)
                fresh[id(inode)] = Inode(data, data, irregular=inode.irregular)
            disk.live[path] = disk.durable[path] = fresh[id(inode)]
        return disk

    def clone(self) -> Disk:
        return self._copy(dict(self.live), set(self.live_folders), self)

    @staticmethod
    def _copy(live: dict[Path, Inode], folders: set[Path], old: Disk) -> Disk:
        fresh: dict[int, Inode] = {}

        def again(inode: Inode) -> Inode:
            if id(inode) not in fresh:
                fresh[id(inode)] = Inode(inode.live, inode.durable, list(inode.doomed), inode.irregular)
            return fresh[id(inode)]

        disk = Disk()
        disk.live = {path: again(inode) for path, inode in live.items()}
        disk.durable = {path: again(inode) for path, inode in old.durable.items()}
        disk.live_folders = folders
        disk.durable_folders = set(old.durable_folders)
        disk.moved = [(a, b, again(inode)) for a, b, inode in old.moved]
        return disk
