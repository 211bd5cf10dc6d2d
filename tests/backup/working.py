"""What the worker's tests work with: a synthetic vault with backup places on a real disk, a clock that runs faster,
watchers that are deaf, places that hang.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from notevault.adapters.clock import SystemClock
from notevault.adapters.entropy import SystemEntropy
from notevault.backup.model import PlaceFile, PlaceState
from notevault.backup.places.adding import add
from notevault.backup.places.ground import Ground
from notevault.backup.places.layout import base
from notevault.backup.worker.ending import Ending
from notevault.backup.worker.passing import Way
from notevault.backup.worker.worker import END_S, Worker
from notevault.errors import NotFound
from notevault.ports import Clock, Volume, WriteOnce
from notevault.wiring import backup as wired
from notevault.wiring.locked import LockedSide
from tests.backup.vaults import Made2, synthetic

PATIENCE_S = 30.0  # far more than anything here takes; only a failing test waits so long


class FastClock:
    """The system's clocks, from now on `factor` times as fast."""

    def __init__(self, factor: float) -> None:
        self._real, self.factor = SystemClock(), factor
        self._boot, self._wall = self._real.boot_ms(), self._real.wall_ms()

    def _gone(self) -> int:
        return int((self._real.boot_ms() - self._boot) * self.factor)

    def boot_ms(self) -> int:
        return self._boot + self._gone()

    def wall_ms(self) -> int:
        return self._wall + self._gone()

    def utc_offset_minutes(self, wall_ms: int) -> int:
        return self._real.utc_offset_minutes(wall_ms)


class DeafWatcher:
    """Every event is lost: only time passes, or somebody wakes it. `factor` as of the clock."""

    def __init__(self, factor: float = 1.0) -> None:
        self._factor = factor
        self._tokens: SimpleQueue[None] = SimpleQueue()
        self.waits = 0
        self.closed = False

    def wait(self, timeout_s: float) -> bool:
        self.waits += 1
        try:
            self._tokens.get(timeout=timeout_s / self._factor)
        except Empty:
            return False
        return True

    def wake(self) -> None:
        self._tokens.put(None)

    def close(self) -> None:
        self.closed = True


class SomeVolumes:
    """Every folder is a disk of its own, built in; `plugged` are the mounts."""

    def __init__(self) -> None:
        self.plugged: list[Path] = []

    def of(self, folder: Path) -> Volume:
        if not folder.is_dir():
            raise NotFound("There is no such folder.")
        return Volume("fixed", "", Path("/"), folder.stat().st_dev, identity=str(folder))

    def mounts(self) -> list[Path]:
        return list(self.plugged)


class HangingPlace:
    """A network folder whose server is gone: nothing is answered before `free` is set."""

    def __init__(self, inner: WriteOnce, free: threading.Event) -> None:
        self._inner, self._free = inner, free

    @property
    def root(self) -> Path:
        return self._inner.root

    def __getattr__(self, name: str) -> Any:
        self._free.wait(PATIENCE_S)
        return getattr(self._inner, name)


class Bench:
    """A vault with places, and a worker for them that runs in a thread."""

    def __init__(self, tmp: Path, *, factor: float = 1.0, names: tuple[str, ...] = ("one", "two")) -> None:
        self.tmp = tmp
        self.made: Made2 = synthetic(tmp / "home")
        self.clock: Clock = FastClock(factor)
        self.factor = factor
        self.ground: Ground = wired.ground_of(LockedSide(self.made.vault, self.made.local, self.clock))
        self.volumes = SomeVolumes()
        self.opened: list[Path] = []
        self.wrap: dict[str, Callable[[WriteOnce], Any]] = {}  # name of a place -> what it is made into
        self.places = [self.add(name) for name in names]
        self.ending = Ending()
        self.told: list[tuple[str, str]] = []
        self.outcome: list[bool] = []
        self._thread: threading.Thread | None = None

    def add(self, name: str) -> PlaceFile:
        """Never two in one millisecond: places are told in the order of their times."""
        folder = self.tmp / name
        folder.mkdir()
        last = max((place.added_ms for place in self.ground.places.all()), default=0)
        until(lambda: self.clock.wall_ms() > last, "the clock stands still")
        return add(
            self.ground.files, self.ground.places, self.made.vault, self.made.local, self.made.hex, folder, name,
            self.volumes, self._plain, SystemEntropy(), self.clock.wall_ms(),
        ).place  # fmt: skip

    def _plain(self, path: Path) -> WriteOnce:
        return wired.open_place(path, self.ground.device)

    def _open(self, path: Path) -> WriteOnce:
        self.opened.append(path)
        name = path.relative_to(self.tmp).parts[0] if path.is_relative_to(self.tmp) else ""
        wrap = self.wrap.get(name, lambda tree: tree)
        wrapped: WriteOnce = wrap(self._plain(path))
        return wrapped

    def start(self, watcher: Any = None, **more: Any) -> Worker:
        watcher = watcher or DeafWatcher(self.factor)
        more.setdefault("end_s", END_S * self.factor)  # of our own time: a busy machine is no place that hangs
        worker = Worker(
            self.ground, watcher, Way(self.volumes, self._open), self.ending,
            told=lambda place, report: self.told.append((place.name, report.verdict)), **more,
        )  # fmt: skip
        self.ending.also(watcher.wake)
        self._thread = threading.Thread(target=lambda: self.outcome.append(worker.run()), daemon=True)
        self._thread.start()
        return worker

    def stop(self) -> bool:
        """Whether it ended cleanly."""
        assert self._thread is not None
        self.ending.end()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the worker does not end"
        return self.outcome[-1]

    def state(self, number: int) -> PlaceState:
        return self.ground.places.state(self.places[number].id)

    def has(self, number: int, digest: str) -> bool:
        folder = base(Path(self.places[number].path), self.made.hex)
        return (folder / "blobs" / digest[:2] / digest).is_file()

    def safe(self, number: int, digests: list[str] | None = None) -> bool:
        """Whether all of these files are there, and the anchor of the log as it is now."""
        folder = base(Path(self.places[number].path), self.made.hex)
        anchor = folder / "anchors" / self.made.origin / f"{self.made.size}-{self.made.root.hex()}"
        return anchor.is_file() and all(self.has(number, each) for each in digests or self.made.digests)


def until(what: Callable[[], bool], why: str, seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.02)
