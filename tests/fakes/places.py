"""`PlaceDisk`: a disk for backup places, in memory, that can be full, slow, unplugged, read-only or a liar.

A step is one of `mkdir`, `stage` (write an unfinished file), `sync`, `name` (give it its name), `aside`. Steps are
numbered from 1 in `trace`.

    disk = PlaceDisk(Path("/stick"))
    place = disk.open(Path("/stick/notevault/..."))   # a WriteOnce; folders of the root must be there (disk.make)
    disk.fail_at(3, errno.ENOSPC)                     # the third step from now on raises DiskFull
    disk.fail_when("sync", errno.EIO)
    disk.crash_at(5); after = disk.after_kill()       # CrashNow in step 5; what the next process finds
    after = disk.after_power_cut()                    # ... or what a power cut left: only what was synced
    disk.vanish_at(4)                                 # unplugged in step 4; disk.plug_in() brings it back
    disk.lying = True                                 # every file staged from now on comes back with one wrong bit
"""

from __future__ import annotations

import errno
import hashlib
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from notevault.adapters.file_errors import irregular, translate
from notevault.errors import CannotWrite, Damaged, NotevaultError, NotFound, OwnFault, StorageFault
from notevault.ports import Listed, Volume
from tests.fakes.files import CrashNow, Step

_HOLDING = re.compile(r"[^/]+(/[^/]+)?|audit/[0-9a-f]{32}/(entries|parts|seals)")  # folders that hold good files


@dataclass
class _File:
    data: bytes
    name: str  # as it was spelled
    mtime_ns: int = 0
    synced: bool = False  # content and name
    offline: bool = False
    irregular: bool = False


class PlaceDisk:
    """`top` is where it is mounted. Options: see the module. `capacity` in bytes of file content."""

    def __init__(
        self,
        top: Path,
        *,
        capacity: int | None = None,
        read_only: bool = False,
        case_insensitive: bool = False,
        syncs: bool = True,
        lying: bool = False,
        slow_s: float = 0.0,
    ) -> None:
        self.top = top
        self.capacity = capacity
        self.read_only = read_only
        self.case_insensitive = case_insensitive
        self.syncs = syncs
        self.lying = lying
        self.slow_s = slow_s
        self.there = True
        self.dead = False
        self.files: dict[str, _File] = {}
        self.folders: dict[str, bool] = {str(top): True}  # path -> synced
        self.trace: list[Step] = []
        self._plans: list[tuple[int | None, str | None, int | str]] = []
        self._staged = 0

    # From outside

    def open(self, root: Path) -> FakePlace:
        return FakePlace(self, root)

    def make(self, folder: Path) -> Path:
        """A folder with its parents, as somebody else made it."""
        for each in (*reversed(folder.parents), folder):
            if str(each).startswith(str(self.top)):
                self.folders[self.key(str(each))] = True
        return folder

    def put(self, path: Path, data: bytes, *, offline: bool = False, link: bool = False) -> None:
        self.make(path.parent)
        self.files[self.key(str(path))] = _File(data, path.name, 0, True, offline, link)

    def drop(self, path: Path) -> None:
        del self.files[self.key(str(path))]

    def tree(self, under: Path | None = None) -> dict[str, bytes]:
        """Whole paths and bytes of all files, unfinished ones left out."""
        prefix = str(under or self.top) + "/"
        return {p: f.data for p, f in sorted(self.files.items()) if p.startswith(prefix) and "/.stage-" not in p}

    def unplug(self) -> None:
        self.there = False

    def plug_in(self) -> None:
        self.there = True

    def fail_at(self, step: int, code: int) -> None:
        self._plans.append((len(self.trace) + step, None, code))

    def fail_when(self, kind: str, code: int) -> None:
        self._plans.append((None, kind, code))

    def crash_at(self, step: int) -> None:
        self._plans.append((len(self.trace) + step, None, "crash"))

    def vanish_at(self, step: int) -> None:
        self._plans.append((len(self.trace) + step, None, "vanish"))

    def after_kill(self) -> PlaceDisk:
        return self._copy(only_synced=False)

    def after_power_cut(self) -> PlaceDisk:
        return self._copy(only_synced=True)

    # For FakePlace

    def key(self, path: str) -> str:
        return path.lower() if self.case_insensitive else path

    def used(self) -> int:
        return sum(len(file.data) for file in self.files.values())

    def step(self, kind: str, path: str) -> None:
        """Count, and do what was planned for this step; the caller has not yet done it."""
        self.look(path)
        if self.slow_s:
            time.sleep(self.slow_s)
        self.trace.append(Step(len(self.trace) + 1, kind, Path(path)))
        for plan in self._plans:
            at, wanted, what = plan
            if at != len(self.trace) and wanted != kind:
                continue
            self._plans.remove(plan)
            if what == "crash":
                self.dead = True
                raise CrashNow(f"step {len(self.trace)}: {kind}")
            if what == "vanish":
                self.unplug()
                raise translate(OSError(errno.EIO, "unplugged"), Path(path))
            assert isinstance(what, int)
            raise translate(OSError(what, "broken on purpose"), Path(path))
        if self.read_only:
            raise CannotWrite("Cannot get at a file: the disk is read-only.")

    def look(self, _path: str) -> None:
        if self.dead:
            raise CrashNow

    def move(self, old: str, new: str, name: str) -> None:
        """A file, or a folder with all below it; durable."""
        if old in self.files:
            self.files[new] = replace(self.files.pop(old), name=name, synced=True)
            return
        for path in [path for path in self.files if path.startswith(f"{old}/")]:
            self.files[new + path[len(old) :]] = self.files.pop(path)
        for path in [path for path in self.folders if path == old or path.startswith(f"{old}/")]:
            self.folders[new + path[len(old) :]] = self.folders.pop(path)

    def _copy(self, *, only_synced: bool) -> PlaceDisk:
        other = PlaceDisk(
            self.top,
            capacity=self.capacity,
            read_only=self.read_only,
            case_insensitive=self.case_insensitive,
            syncs=self.syncs,
            lying=self.lying,
            slow_s=self.slow_s,
        )
        other.folders = {p: True for p, synced in self.folders.items() if synced or not only_synced}
        other.files = {
            p: replace(f, synced=True)
            for p, f in self.files.items()
            if (f.synced or not only_synced) and p.rpartition("/")[0] in other.folders
        }
        return other


class FakePlace:
    """Implements `ports.WriteOnce` on a `PlaceDisk`."""

    def __init__(self, disk: PlaceDisk, root: Path, device: str = "f" * 32) -> None:
        self.disk = disk
        self._root = root
        self._stage = f".stage-{device}"
        self._reduced = False
        self._aside = 0
        self._seen = False

    @property
    def root(self) -> Path:
        return self._root

    # Tree

    def names(self, folder: str) -> set[str]:
        return set(self.listing(folder))

    def listing(self, folder: str) -> dict[str, Listed]:
        where = self._whole(folder)
        if not self._is_there(where):
            return {}
        found = {}
        for path, file in self.disk.files.items():
            if path.rpartition("/")[0] == where:
                kind = "other" if file.irregular else "file"
                found[file.name] = Listed(kind, 0 if file.irregular else len(file.data), file.mtime_ns, file.offline)
        for path in self.disk.folders:
            if path.rpartition("/")[0] == where:
                found[path.rpartition("/")[2]] = Listed("folder", 0, 0, False)
        return found

    def size(self, path: str) -> int | None:
        file = self._file(path)
        return None if file is None else len(file.data)

    def read(self, path: str, *, limit: int) -> bytes:
        file = self._file(path)
        if file is None:
            raise NotFound("Looked for a file of notevault, and it is not there.", "")
        if len(file.data) > limit:
            raise Damaged(f"More than {limit} bytes lie in a file: more than it can have.")
        return file.data

    def stream(self, path: str, *, chunk: int) -> Iterator[bytes]:
        data = self.read(path, limit=1 << 62)
        for at in range(0, len(data), chunk):
            self._need_root()
            yield data[at : at + chunk]

    # WriteOnce

    @property
    def durability(self) -> str:
        return "reduced" if self._reduced else "full"

    def free_bytes(self) -> int | None:
        self._need_root()
        return None if self.disk.capacity is None else max(0, self.disk.capacity - self.disk.used())

    def make_folders(self, folders: Iterable[str]) -> None:
        self._need_root()
        for folder in folders:
            here = str(self._root)
            for part in folder.split("/"):
                here = self.disk.key(f"{here}/{_part(part)}")
                if here in self.disk.files:
                    raise irregular(Path(here))
                if here not in self.disk.folders:
                    self.disk.step("mkdir", here)
                    self.disk.folders[here] = True

    def add(self, path: str, data: bytes, *, read_back: bool = False) -> None:
        self._batch([(path, data)], read_back, makes=False)

    def add_batch(self, items: Iterable[tuple[str, bytes]], *, read_back: bool = False) -> int:
        return self._batch(items, read_back, makes=True)

    def _batch(self, items: Iterable[tuple[str, bytes]], read_back: bool, *, makes: bool) -> int:
        staged: list[tuple[str, str, bytes]] = []
        gathered: set[str] = set()  # folders that come with their files
        taken, new = False, 0
        try:
            for path, data in items:
                _parts(path)
                if makes and self._is_absent(path.rpartition("/")[0]):
                    gathered.add(self._whole(path.rpartition("/")[0]))
                staged.append((path, self._write(data), data))
            if not staged:
                return 0
            self._sync([temp for _, temp, _ in staged])
            for _, temp, data in staged:
                if read_back and self.disk.files[temp].data != data:
                    raise StorageFault("What was written came back with other bytes; the copy was thrown away.")
            for folder in sorted(gathered):
                new += self._give_folder(folder, staged)
            for path, temp, _ in staged:
                if temp in self.disk.files:
                    outcome = self._give(path, temp)
                    new += outcome == "new"
                    taken = taken or outcome == "taken"
            self._sync([*gathered, *(self._whole(path) for path, _, _ in staged)])
        except NotevaultError:
            for _, temp, _ in staged:
                self.disk.files.pop(temp, None)
            raise
        if taken:
            raise Damaged("Other bytes than the right ones lie under the name of a backup file; they were left.")
        return new

    def add_stream(self, path: str, pieces: Iterable[bytes], *, sha256: str, read_back: bool = False) -> None:
        data = b"".join(pieces)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise Damaged("A file changed while it was copied; the copy was thrown away.")
        self.add(path, data, read_back=read_back)

    def settle(self) -> None:
        prefix = f"{self._root}/"
        there = [*self.disk.folders, *self.disk.files]
        self._sync([path for path in there if path.startswith(prefix) and "/.stage-" not in path])

    def set_aside(self, path: str, day: str) -> str:
        self._need_root()
        whole = self._whole(path)
        if path == "VAULT.json":
            raise OwnFault("Something was to be set aside that cannot be.")
        if whole in self.disk.folders and _HOLDING.fullmatch(path):
            raise OwnFault("A whole folder of backups was about to be set aside. It was not.")
        if whole not in self.disk.files and whole not in self.disk.folders:
            raise NotFound("Looked for a file of notevault, and it is not there.", "")
        self.make_folders([f"quarantine/{day}"])
        self.disk.step("aside", whole)
        self._aside += 1
        new = f"quarantine/{day}/{path.rpartition('/')[2]}-{self._aside:016x}"
        self.disk.move(whole, self._whole(new), new.rpartition("/")[2])
        return new

    def sweep(self, now_ms: int) -> int:
        self._need_root()
        prefix = self._whole(self._stage) + "/"
        old = [p for p, f in self.disk.files.items() if p.startswith(prefix) and now_ms - f.mtime_ns / 1e6 > 86_400_000]
        for path in old:
            del self.disk.files[path]
        return len(old)

    # Helpers

    def _whole(self, path: str) -> str:
        for part in path.split("/") if path else ():
            _part(part)
        return self.disk.key(f"{self._root}/{path}" if path else str(self._root))

    def _need_root(self) -> None:
        self.disk.look("")
        if not self.disk.there or self.disk.key(str(self._root)) not in self.disk.folders:
            raise NotFound("The folder was taken away meanwhile (unplugged, or its connection ended).")
        self._seen = True

    def _is_there(self, folder: str) -> bool:
        """Whether a folder below the root is there; a link on the way is Damaged, an unplugged root NotFound."""
        self.disk.look(folder)
        if not self.disk.there or self.disk.key(str(self._root)) not in self.disk.folders:
            if self._seen:
                self._need_root()
            return False
        self._seen = True
        for each in (folder, *map(str, Path(folder).parents)):
            if each in self.disk.files and len(each) > len(str(self._root)):
                raise irregular(Path(each))
        return folder in self.disk.folders

    def _file(self, path: str) -> _File | None:
        _parts(path)
        whole = self._whole(path)
        if not self._is_there(whole.rpartition("/")[0]):
            return None
        file = self.disk.files.get(whole)
        if whole in self.disk.folders or (file is not None and file.irregular):
            raise irregular(Path(whole))
        return file

    def _write(self, data: bytes) -> str:
        self._need_root()
        stage = self._whole(self._stage)
        self.disk.folders.setdefault(stage, True)
        self.disk.step("stage", stage)
        if self.disk.capacity is not None and self.disk.used() + len(data) > self.disk.capacity:
            raise translate(OSError(errno.ENOSPC, "full"), Path(stage))
        self.disk._staged += 1
        temp = f"{stage}/{self.disk._staged:016x}-1"
        if self.disk.lying and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        self.disk.files[temp] = _File(data, temp.rpartition("/")[2])
        return temp

    def _is_absent(self, folder: str) -> bool:
        """Of a folder below one that is there; NotFound for others."""
        whole = self._whole(folder)
        self._need_root()
        if not self._is_there(whole.rpartition("/")[0] if folder else whole):
            raise NotFound("A folder of the backup place is not there.", "")
        if whole in self.disk.files:
            raise irregular(Path(whole))
        return whole not in self.disk.folders

    def _give_folder(self, whole: str, staged: list[tuple[str, str, bytes]]) -> int:
        """In one step the folder is there, with the first of every name for it; durable when it is synced."""
        self._need_root()
        self.disk.step("name", whole)
        if whole in self.disk.folders or whole in self.disk.files:
            return 0
        self.disk.folders[whole] = False
        new = 0
        for path, temp, _ in staged:
            name = self._whole(path)
            if name.rpartition("/")[0] == whole and name not in self.disk.files:
                self.disk.files[name] = replace(self.disk.files.pop(temp), name=path.rpartition("/")[2], synced=False)
                new += 1
        return new

    def _sync(self, paths: list[str]) -> None:
        self._need_root()
        self.disk.step("sync", str(self._root))
        if not self.disk.syncs:
            self._reduced = True
            return
        for path in paths:
            if path in self.disk.files:
                self.disk.files[path].synced = True
            if path in self.disk.folders:
                self.disk.folders[path] = True

    def _give(self, path: str, temp: str) -> str:
        whole = self._whole(path)
        folder = whole.rpartition("/")[0]
        self._need_root()
        if not self._is_there(folder):
            raise NotFound("A folder of the backup place is not there.", "")
        self.disk.step("name", whole)
        file = self.disk.files.pop(temp)
        there = self.disk.files.get(whole)
        if whole in self.disk.folders:
            return "taken"
        if there is not None:
            return "kept" if there.data == file.data and not there.irregular else "taken"
        self.disk.files[whole] = replace(file, name=path.rpartition("/")[2], synced=False)
        return "new"


def _parts(path: str) -> None:
    for part in path.split("/"):
        _part(part)


def _part(name: str) -> str:
    if name in ("", ".", "..") or "\0" in name:
        raise OwnFault("A file was asked for by a path that is none.")
    return name


class FakeVolumes:
    """Implements `ports.Volumes` from a table; the longest mount that a folder lies in counts."""

    def __init__(self, *volumes: Volume) -> None:
        self.volumes = list(volumes)

    def of(self, folder: Path) -> Volume:
        found = [v for v in self.volumes if v.mount == folder or v.mount in folder.parents]
        if not found:
            raise NotFound("There is no such folder.", "")
        return max(found, key=lambda volume: len(volume.mount.parts))

    def mounts(self) -> list[Path]:
        return [volume.mount for volume in self.volumes if volume.kind != "fixed"]
