"""A vault, a backup place and passes between them; and an independent judge of what the place holds.

The place lies on a `PlaceDisk` (in memory, harsher than any stick) or on a real disk. `whole_states` knows nothing of
the mirror: it reads the place's files and compares them with what the synthetic vault knows it wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.auditlog import bundle, entry
from notevault.backup.mirror.mirror import run_pass
from notevault.backup.model import PlaceFile, PlaceState, Report
from notevault.backup.places import layout as place
from notevault.backup.places.ground import Ground
from notevault.backup.places.registry import Places
from notevault.backup.source import guard
from notevault.backup.source.guard import Look
from notevault.backup.source.reading import read_vault
from notevault.backup.source.source import Source
from notevault.ports import Volume, WriteOnce
from tests.backup.vaults import Made2, synthetic
from tests.fakes.places import PlaceDisk
from tests.fakes.simple import MORNING_MS, FakeClock

DEVICE = "0d" * 16
PLACE = "a1" * 16
STICK = Path("/stick")
MINUTE = 60_000


class Scene:
    """`disk`: the place is in memory; None: it lies in `folder` on the real disk."""

    def __init__(
        self, tmp: Path, sizes: tuple[int, ...] = (4096,) * 5, disk: PlaceDisk | None = None, kind: str = "fixed"
    ) -> None:
        self.made = synthetic(tmp / "home", sizes)
        self.disk, self.kind = disk, kind
        self.folder = STICK if disk is not None else tmp / "stick"
        self.base = place.base(self.folder, self.made.hex)
        self.clock = FakeClock(MORNING_MS + 30 * 24 * 3600 * 1000)
        self.place = PlaceFile(PLACE, "USB", str(self.folder), kind, 1)
        self.put(place.MARKER, place.Marker(PLACE, self.made.hex).encode())

    @property
    def ground(self) -> Ground:
        return self.ground_of(self.made)

    def ground_of(self, made: Made2) -> Ground:
        files = DiskFiles()
        return Ground(files, self.clock, Places(files, made.own), made.vault, DiskTree(made.vault), DEVICE)

    @property
    def places(self) -> Places:
        return self.ground.places

    @property
    def state(self) -> PlaceState:
        return self.places.state(PLACE)

    def tree(self) -> WriteOnce:
        return DiskPlace(self.base, DEVICE) if self.disk is None else self.disk.open(self.base)

    def source(self, made: Made2 | None = None) -> Source:
        return read_vault(self.ground_of(made or self.made))

    def look(self, since_ms: int | None = None) -> Look:
        ground = self.ground
        return guard.look(read_vault(ground), ground.vault_tree, ground.places, self.clock.wall_ms(), since_ms)

    def go(
        self,
        *,
        made: Made2 | None = None,
        look: Look | None = None,
        stop: Callable[[], bool] = lambda: False,
        tree: WriteOnce | None = None,
        **more: Any,
    ) -> Report:
        """One pass, an hour after whatever was before."""
        self.clock.advance(3_700_000)
        return self.again(made=made, look=look, stop=stop, tree=tree, **more)

    def again(
        self,
        *,
        made: Made2 | None = None,
        look: Look | None = None,
        stop: Callable[[], bool] = lambda: False,
        tree: WriteOnce | None = None,
        **more: Any,
    ) -> Report:
        """One pass, at once."""
        ground = self.ground_of(made or self.made)
        source = read_vault(ground)
        if look is None:
            look = guard.look(source, ground.vault_tree, ground.places, self.clock.wall_ms())
        volume = Volume(self.kind, "", self.folder, 7)
        return run_pass(ground, self.place, tree or self.tree(), volume, source, look, stop=stop, **more)

    # The place from outside

    def put(self, path: str, data: bytes, *, link: bool = False) -> None:
        target = self.base / path
        if self.disk is not None:
            self.disk.put(target, data, link=link)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def drop(self, path: str) -> None:
        if self.disk is not None:
            self.disk.drop(self.base / path)
        else:
            (self.base / path).unlink()

    def there(self) -> dict[str, bytes]:
        """Relative path -> bytes of everything at the place but unfinished writes."""
        if self.disk is not None:
            return {path[len(str(self.base)) + 1 :]: data for path, data in self.disk.tree(self.base).items()}
        found = {str(path.relative_to(self.base)): path for path in self.base.rglob("*") if path.is_file()}
        return {path: file.read_bytes() for path, file in sorted(found.items()) if not path.startswith(".stage-")}

    def names(self, start: str) -> list[str]:
        return [path for path in self.there() if path.startswith(start)]

    def anchors(self) -> list[str]:
        return self.names("anchors/")

    def aside(self) -> list[str]:
        return self.names("quarantine/")


def whole_states(there: dict[str, bytes], made: Made2) -> list[tuple[str, int]]:
    """(log, size) of every anchor at a place; AssertionError for one whose state is not there, byte for byte."""
    found = []
    for path in sorted(there):
        if not path.startswith("anchors/"):
            continue
        _, origin, name = path.split("/")
        size = int(name.split("-")[0])
        _check_state(there, made, origin, size)
        found.append((origin, size))
    return found


def _check_state(there: dict[str, bytes], made: Made2, origin: str, size: int) -> None:
    log = made.logs[origin]
    root = f"audit/{origin}"
    assert there[f"{root}/card"] == made.paths.card(origin).read_bytes()
    assert _entries(there, root, size) == log.entries[:size]
    purged = set()
    closed = 0
    written = []
    for data in log.entries[:size]:
        parsed = entry.parse(data)
        assert isinstance(parsed, entry.Entry)
        if parsed.ev == "epoch.close":
            closed += 1
        elif parsed.ev == "record.purge":
            purged.add(parsed.c)
        elif parsed.c is not None:
            written.append((parsed, f"headers/{origin}/{parsed.k.get('seq', 0):08d}-{parsed.c}"))
    for number in range(closed):
        assert there[f"{root}/seals/{number:08d}"] == made.paths.seal(origin, number).read_bytes()
    for parsed, header in written:
        assert parsed.c is not None
        path = place.blob(parsed.c) if parsed.ev == "record.write" else header
        if parsed.c not in purged:
            assert hashlib.sha256(there[path]).hexdigest() == parsed.c


def _entries(there: dict[str, bytes], root: str, size: int) -> list[bytes]:
    """The entries of a log as the place has them: full bundles, else chains of parts."""
    out: list[bytes] = []
    while len(out) < size:
        number = len(out) // 256
        full = there.get(f"{root}/entries/{bundle.tile_path(number)}")
        if full is not None and len(out) % 256 == 0:
            found = bundle.split(full)
            assert isinstance(found, list)
            out += found
            continue
        ends = [
            int(name.split("-")[1]) for path in there if (name := _part(path, root)) and name.startswith(f"{len(out)}-")
        ]
        assert ends, f"nothing goes on from entry {len(out)}"
        found = bundle.split(there[f"{root}/parts/{len(out)}-{max(ends)}"])
        assert isinstance(found, list)
        assert len(found) == max(ends) - len(out)
        out += found
    return out[:size]


def _part(path: str, root: str) -> str | None:
    start = f"{root}/parts/"
    return path[len(start) :] if path.startswith(start) else None
