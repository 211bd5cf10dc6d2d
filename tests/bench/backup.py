"""Backups: `python -m tests.bench.backup [--blobs N] [--large N] [--growth M] [--rounds N] [--folder DIR]`.

Sealed files of 1 to 6 KB and some of 2 MB, one file system, fresh folders, whole processes, all tools in turn in every
round, the first round not counted; times are medians. Nothing is deleted in between: ext4 makes files up to ten times
as slowly where others were deleted just before. What a tool gives back is compared with the vault. Nothing here fails a
test; a command that ends otherwise than it should ends the run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.backup import vaults
from tests.bench import backup_peers
from tests.bench.backup_peers import ROOT, Command, Tool
from tests.bench.clockwork import Table, seconds

CHILD = Path(__file__).with_name("audit_child.py")
BLOBS, LARGE, GROWTH = 20_000, 20, 100_000
NEW = 10
FIRST_BUDGET, IDLE_BUDGET_S = 2.5, 0.3
ACTS = ("first", "again", "ten", "check", "back")


@dataclass(frozen=True)
class Spent:
    """One run of one command; `rss`: the highest memory in bytes."""

    seconds: float
    cpu: float
    rss: int


def once(command: Command, tool: Tool, folder: Path) -> Spent:
    """Run it, its output into a file; SystemExit when it does not end with 0. What others left to be written is on the
    disk before: a sync of ours would pay for it.
    """
    if hasattr(os, "sync"):
        os.sync()
    result, said = folder / "spent.json", folder / "said"
    with said.open("wb") as out:
        launcher = [sys.executable, "-I", "-S", str(CHILD), str(result), *command]
        subprocess.run(launcher, cwd=ROOT, env=tool.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True)
    spent = json.loads(result.read_text())
    if spent["code"]:
        tail = said.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{tail}\n{' '.join(command)[:300]}\nended with {spent['code']}, 0 was expected")
    return Spent(spent["seconds"], spent["cpu"], spent["rss"])


class Bench:
    """One vault, the tools, and what each act took."""

    def __init__(self, folder: Path, blobs: int, large: int, table: Table) -> None:
        folder.mkdir()
        self.folder, self.blobs, self.table = folder, blobs, table
        made: list[vaults.Made2] = []
        spent = seconds(lambda: made.append(vaults.synthetic(folder / "home", vaults.bench_sizes(blobs, large))))
        self.made = made[0]
        self.tools, missing = backup_peers.found(self.made.vault, self.made.home, folder)
        count, weight = self.weigh(self.made.vault / "blobs")
        table.say(f"{count:,} sealed files, {weight / 1e6:,.0f} MB, made in {spent:.1f} s")
        for sentence in missing:
            table.say(sentence)
        self.taken: dict[str, dict[str, list[Spent]]] = {act: {} for act in ACTS}

    @staticmethod
    def weigh(folder: Path) -> tuple[int, int]:
        found = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        return len(found), sum(found)

    def note(self, act: str, tool: Tool, spent: Spent) -> None:
        self.taken[act].setdefault(tool.name, []).append(spent)

    def run(self, rounds: int) -> None:
        stores: dict[str, Path] = {}
        for number in range(rounds + 1):
            for tool in self.tools:
                store = stores[tool.name] = self.folder / f"{tool.name}-{number}"
                for command in tool.prepare(store):
                    once(command, tool, self.folder)
                spent = once(tool.save(store), tool, self.folder)
                if number or not rounds:
                    self.note("first", tool, spent)
        for number in range(rounds + 1):
            for tool in self.tools:
                spent = once(tool.again(stores[tool.name]), tool, self.folder)
                if number or not rounds:
                    self.note("again", tool, spent)
        for number in range(rounds + 1):
            self.made.grow(NEW, 3000)
            for tool in self.tools:
                spent = once(tool.again(stores[tool.name]), tool, self.folder)
                if number or not rounds:
                    self.note("ten", tool, spent)
        wanted = self.weigh(self.made.vault / "blobs")
        for number in range(rounds + 1):
            for tool in self.tools:
                if tool.check is not None:
                    spent = once(tool.check(stores[tool.name]), tool, self.folder)
                    if number or not rounds:
                        self.note("check", tool, spent)
                to = self.folder / f"back-{tool.name}-{number}"
                spent = once(tool.back(stores[tool.name], to), tool, self.folder)
                if number or not rounds:
                    self.note("back", tool, spent)
                given = self.weigh(to / tool.blobs)
                if given != wanted:
                    raise SystemExit(f"{tool.name} gave back {given} (files, bytes) of {wanted}")

    def median(self, act: str, tool: str) -> float | None:
        each = self.taken[act].get(tool)
        return statistics.median(spent.seconds for spent in each) if each else None

    def rows(self) -> None:
        words = {
            "first": "first backup", "again": "no-op", "ten": f"{NEW} new files", "check": "full verification",
            "back": "restore",
        }  # fmt: skip
        peers = {
            "check": {"rsync": "rsync -c, both sides read", "restic": "restic check --read-data",
                      "borg": "borg check --verify-data"},
            "again": {"cp": "cp -ru and sync"},
            "ten": {"cp": "cp -ru and sync"},
            "first": {"cp": f"cp -r and sync (budget {FIRST_BUDGET}x)"},
            "back": {"cp": "cp -r back and sync", "restic": "restic restore and sync"},
        }  # fmt: skip
        for act in ACTS:
            mine = self.median(act, "notevault")
            if mine is None:
                continue
            figure = f"{words[act]}, {self.blobs:,}"
            if act in ("again", "ten") and self.blobs <= BLOBS:
                self.table.row(figure, mine, IDLE_BUDGET_S, f"budget {IDLE_BUDGET_S} s (at {BLOBS:,})")
            for tool in self.tools[1:]:
                theirs = self.median(act, tool.name)
                if theirs is not None:
                    self.table.row(figure, mine, theirs, peers.get(act, {}).get(tool.name, tool.name))
        for act in ACTS:
            for name, each in self.taken[act].items():
                cpu = statistics.median(spent.cpu for spent in each)
                self.table.say(
                    f"{words[act]:<18} {name:<10} {statistics.median(s.seconds for s in each):7.2f} s,"
                    f" {cpu:6.2f} s of processor, {max(s.rss for s in each) / 1e6:4.0f} MB"
                )


def measure(
    folder: Path, table: Table, *, blobs: int = BLOBS, large: int = LARGE, growth: int = GROWTH, rounds: int = 3
) -> None:
    folder.mkdir(exist_ok=True)
    small = Bench(folder / "small", blobs, large, table)
    table.say("; ".join(backup_peers.version(tool) for tool in small.tools))
    small.run(rounds)
    small.rows()
    if growth <= blobs:
        return
    many = Bench(folder / "many", growth, large, table)
    many.run(min(rounds, 1))
    many.rows()
    for act in ACTS:
        for tool in small.tools:
            before, after = small.median(act, tool.name), many.median(act, tool.name)
            if before and after:
                what = f"{blobs:,} files; {growth / blobs:.0f} would be in proportion"
                table.row(f"growth of {act}: {tool.name}, {growth:,}", after, before, what)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--blobs", type=int, default=BLOBS)
    asked.add_argument("--large", type=int, default=LARGE, help="files of 2 MB beside them")
    asked.add_argument("--growth", type=int, default=GROWTH, help="once more with so many; 0: not")
    asked.add_argument("--rounds", type=int, default=3, help="counted ones; one more comes before them")
    asked.add_argument("--folder", type=Path, help="where to work, with 20 GB free; on the disk to be measured")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        measure(
            Path(name) / "backup", Table(), blobs=given.blobs, large=given.large, growth=given.growth,
            rounds=given.rounds,
        )  # fmt: skip


if __name__ == "__main__":
    main()
