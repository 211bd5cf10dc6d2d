"""Appending to a log, and loading it, at 1,000 entries and at very many: neither may grow with the log."""

from __future__ import annotations

import gc
import statistics
import tracemalloc
from pathlib import Path

from notevault.adapters.files import DiskFiles
from notevault.storage.layout import LocalPaths, VaultPaths
from notevault.storage.local import LocalState
from notevault.storage.logfile import LogFile, Tail
from tests.bench.audit_logs import ORIGIN, Belief, Made, make, next_entry, signer
from tests.bench.clockwork import Table, seconds

SMALL = 1000
COMMITS = 600  # two or three of them fill a bundle, in each log


class Open:
    """One log as the program has it open; each commit is one entry, on the disk when it returns."""

    def __init__(self, made: Made, local: Path) -> None:
        files = DiskFiles()
        self.state = LocalState(files, LocalPaths(local).root)
        self.state.create_folders()
        self.log = LogFile(files, VaultPaths(made.root), self.state, ORIGIN)
        self._builders, self._sign = [next_entry(made)], signer(made)
        self.tail = Tail.empty()
        self.load()
        self.log.settle(self.tail)

    def load(self) -> None:
        self.tail = self.log.load(Belief())

    def commit(self) -> None:
        self.tail = self.log.reload_if_moved(self.tail) or self.tail
        self.tail = self.log.commit(self.tail, self._builders, self._sign)


def memory(act: Open) -> int:
    """Bytes that loading takes at its highest point."""
    gc.collect()
    tracemalloc.start()
    act.load()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def measure(made: Made, folder: Path, table: Table, commits: int = COMMITS) -> None:
    """`made`: the large log; it grows by the entries that are added here."""
    small = Open(make(folder / "thousand", SMALL), folder / "local-thousand")
    large = Open(made, folder / "local-many")
    loads: dict[Open, list[float]] = {small: [], large: []}
    for _ in range(9):
        for each, taken in loads.items():
            taken.append(seconds(each.load))
    saves: dict[Open, list[float]] = {small: [], large: []}
    for _ in range(commits):
        for each, taken in saves.items():
            taken.append(seconds(each.commit))
    size = large.tail.size - commits
    for name, few, many in (
        ("append one entry", _middle(saves[small]), _middle(saves[large])),
        ("append, slowest of 100", _rare(saves[small]), _rare(saves[large])),
        ("load the log", _middle(loads[small]), _middle(loads[large])),
    ):
        table.row(f"{name}, {size:,} entries", many, few, f"the same at {SMALL:,} entries")
    peak, less = memory(large), memory(small)
    table.say(f"loading {size:,} entries takes {peak / 1e6:.2f} MB, {SMALL:,} take {less / 1e6:.2f} MB")


def _middle(taken: list[float]) -> float:
    return statistics.median(taken)


def _rare(taken: list[float]) -> float:
    return sorted(taken)[-max(1, len(taken) // 100)]
