"""The audit log at a million entries: `python -m tests.bench.audit [--entries N] [--rounds N] [--folder DIR]`.

Whole processes, in turn, round after round, the first round not counted; times are medians, memory is the highest of
any round. What is checked: every entry's form and chain, the tree, every seal, the key files, and (where the folder has
them) the notes' files. The Go program only recomputes the signed root. Nothing here fails a test; a verdict other than
the one expected ends the run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from notevault.auditlog.check import check_log, folder_reader
from tests.auditlog.sample import verify
from tests.bench import audit_append, audit_peers
from tests.bench.audit_logs import ORIGIN, Made, make
from tests.bench.clockwork import Table, seconds

RATE = 100_000  # entries a second, the budget
MEMORY = 200_000_000  # bytes, the budget
ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("audit_child.py")


@dataclass(frozen=True)
class Spent:
    """One run of one command; `rss`: the highest memory in bytes."""

    seconds: float
    cpu: float
    rss: int
    code: int


def once(command: list[str], folder: Path, expected: int = 0) -> Spent:
    """Run it, its output into files; SystemExit when it ends otherwise than `expected`."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    result, said = folder / "spent.json", folder / "said"
    for report in ("report.json", "report.html"):  # the command replaces no file
        (folder / report).unlink(missing_ok=True)
    with said.open("wb") as out:
        launcher = [sys.executable, "-I", "-S", str(CHILD), str(result), *command]
        subprocess.run(launcher, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=True)
    spent = Spent(**json.loads(result.read_text()))
    if spent.code != expected:
        tail = said.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{tail}\n{' '.join(command)[:200]}\nended with {spent.code}, {expected} was expected")
    return spent


def rounds(commands: dict[str, list[str]], folder: Path, count: int) -> dict[str, Spent]:
    """Medians of `count` rounds, each command once in each."""
    taken: dict[str, list[Spent]] = {name: [] for name in commands}
    for number in range(count + 1):
        for name, command in commands.items():
            spent = once(command, folder)
            if number or not count:
                taken[name].append(spent)
    return {
        name: Spent(
            statistics.median(one.seconds for one in each),
            statistics.median(one.cpu for one in each),
            max(one.rss for one in each),
            0,
        )
        for name, each in taken.items()
    }


def check_command(program: list[str], made: Made, folder: Path, *more: str) -> list[str]:
    """What an auditor runs, with the log's card as known from the first visit, and both reports."""
    reports = ["--out", str(folder / "report.json"), "--html", str(folder / "report.html")]
    return [*program, "check", str(made.root), "--card", str(folder / "card"), *reports, *more]


def programs(folder: Path) -> tuple[list[str], list[str]]:
    """The auditor's program with `cryptography` and, as one file on bare Python, without."""
    packed = folder / "nvaudit.pyz"
    subprocess.run(
        [sys.executable, ROOT / "packaging" / "nvaudit.py", "--out", packed], check=True, capture_output=True
    )
    return [sys.executable, "-P", "-m", "notevault.auditlog.cli"], [sys.executable, "-I", "-S", str(packed)]


def verification(folder: Path, made: Made, table: Table, count: int) -> None:
    """The verifier with both kinds of Ed25519, and its peers on the same entries."""
    shutil.copy(made.card, folder / "card")
    single = make(folder / "one", 1)
    quick, bare = programs(folder)
    commands = {
        "nvaudit": check_command(quick, made, folder, "--log-only"),
        "built-in": check_command(bare, made, folder, "--log-only"),
        "one": check_command(quick, single, folder, "--log-only"),
        **audit_peers.sha_passes(made, folder),
    }
    for name, found in (
        ("Go", audit_peers.go_program(made, folder)),
        ("journalctl", audit_peers.sealed_journal(made, folder)),
    ):
        if isinstance(found, str):
            table.say(f"not measured against {name}: {found}")
        else:
            commands[name] = found
    taken = rounds(commands, folder, count)
    ours = taken["nvaudit"]
    figure = f"nvaudit check, {made.size:,} entries"
    table.row(figure, ours.seconds, made.size / RATE, f"budget {RATE:,} entries/s")
    for name, what in (
        ("built-in", "the same on bare Python, Ed25519 built in"),
        ("hashlib", "SHA-256 of the same bytes, Python's hashlib"),
        ("sha256sum", "sha256sum of the same bytes"),
        ("Go", "Go: sumdb/note and sumdb/tlog, signed root recomputed"),
        ("journalctl", "journalctl --verify, sealed journal, the same messages"),
    ):
        if name in taken:
            table.row(figure, ours.seconds, taken[name].seconds, what)
    table.row("nvaudit.pyz on bare Python", taken["built-in"].seconds, made.size / RATE, f"at {RATE:,} entries/s")
    fixed = taken.pop("one").seconds
    rate = made.size / (ours.seconds - fixed) if ours.seconds > fixed else 0.0
    table.say(f"a log of one entry takes {fixed * 1000:.0f} ms; what comes after goes at {rate:,.0f} entries/s")
    for name, spent in taken.items():
        speed = f"{made.size / spent.seconds:,.0f} entries/s, {made.bytes / spent.seconds / 1e6:,.0f} MB/s"
        table.say(f"{name:<10} {speed}, {spent.rss / 1e6:.0f} MB at most, {spent.cpu:.2f} s of processor")
    table.say(f"memory of nvaudit: {ours.rss / MEMORY:.2f} of the budget of {MEMORY / 1e6:.0f} MB")


def known(made: Made, table: Table) -> None:
    """The last step alone: the digests that the log leaves alive against those that are known to be there."""
    found = check_log(folder_reader(made.audit), ORIGIN, made.card.read_bytes(), None, verify)
    there = set(found.live)
    spent = seconds(lambda: there ^ set(found.live))
    table.row(f"compare {len(there):,} known digests to the log's", spent, made.size / RATE, f"at {RATE:,} entries/s")


def worst(folder: Path, size: int, table: Table) -> None:
    """Every entry writes a file, so every one of them is remembered until the end."""
    made = make(folder / "writes", size, "writes")
    shutil.copy(made.card, folder / "card")
    spent = once(check_command(programs(folder)[0], made, folder, "--log-only"), folder)
    table.row(f"nvaudit check, {size:,} entries, all writes", spent.seconds, size / RATE, f"budget {RATE:,} entries/s")
    table.say(f"memory, all writes: {spent.rss / 1e6:.0f} MB, {spent.rss / MEMORY:.2f} of the budget")
    shutil.rmtree(made.root)


def with_files(folder: Path, size: int, table: Table, count: int) -> None:
    """The notes' files too, against the log alone and against hashing the files."""
    made = make(folder / "files", size, blobs=True)
    shutil.copy(made.card, folder / "card")
    quick, _ = programs(folder)
    paths = sorted(path for path in (made.root / "blobs").rglob("*") if path.is_file())
    listed = folder / "listed-blobs"
    listed.write_bytes(b"\0".join(os.fsencode(path) for path in paths))
    shell = ["sh", "-c", 'exec "$0" -I -S -c "$1" <"$2"', sys.executable, audit_peers.HASH_ALL, str(listed)]
    taken = rounds(
        {
            "files": check_command(quick, made, folder),
            "log": check_command(quick, made, folder, "--log-only"),
            "hash": shell,
        },
        folder,
        count,
    )
    figure = f"nvaudit check, {size:,} entries, {len(paths):,} files"
    table.row(figure, taken["files"].seconds, taken["log"].seconds, "the log alone")
    extra = taken["files"].seconds - taken["log"].seconds
    table.row("  of it for the files", extra, taken["hash"].seconds, "SHA-256 of the files, Python's hashlib")
    table.say(f"{len(paths) / max(extra, 1e-9):,.0f} files/s, {taken['files'].rss / 1e6:.0f} MB at most")
    shutil.rmtree(made.root)


def measure(folder: Path, size: int, table: Table, count: int = 3, files: int = 20_000) -> None:
    """Everything there is about the log, `size` entries long, in `count` rounds."""
    folder.mkdir(exist_ok=True)
    logs: list[Made] = []
    spent = seconds(lambda: logs.append(make(folder / "many", size)))
    made = logs[0]
    table.say(f"{size:,} entries of {made.bytes / size:.0f} bytes made in {spent:.1f} s, {made.epoch:,} epochs sealed")
    verification(folder, made, table, count)
    known(made, table)
    worst(folder, size, table)
    with_files(folder, min(size, files), table, count)
    audit_append.measure(made, folder, table, min(audit_append.COMMITS, size))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--entries", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=3, help="counted ones; one more comes before them")
    asked.add_argument(
        "--folder", type=Path, help="where to work, with some GB free; on the disk that is to be measured"
    )
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        measure(Path(name), given.entries, Table(), given.rounds)


if __name__ == "__main__":
    main()
