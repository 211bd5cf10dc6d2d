"""`python -m tests.bench.run [--quick] [--audit] [--backup]`: every budget of the design that applies, with
ratios, in one run.

Nothing here fails a test. Take medians and ratios, not single times; run it on an idle machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from notevault.crypto import kdf
from tests.bench import audit, backup, core, peers, screens
from tests.bench.clockwork import Table, medians, quiet, seconds
from tests.bench.vaults import PASSPHRASE, build


def start_up(folder: Path, table: Table) -> None:
    bare = quiet([sys.executable, "-c", "pass"])
    taken = medians({"ours": quiet([sys.executable, "-P", "-m", "notevault", "--version"]), "bare": bare}, runs=15)
    table.row("start: notevault --version", taken["ours"], taken["bare"], "bare python -c pass (budget 4x)")
    home = build(folder / "small", 200)
    secret = folder / "secret"
    secret.write_text(PASSPHRASE + "\n")
    secret.chmod(0o600)
    command = [sys.executable, "-P", "-m", "notevault", "--passphrase-file", str(secret), "client", "show", "C-0001"]
    whole = medians({"command": quiet(command, home.root)}, runs=9)["command"]
    cost = sorted(seconds(lambda: kdf.argon2id(b"x", bytes(16), kdf.CHEAPEST)) for _ in range(5))[2]
    table.row("one-shot command, without the KDF", whole - cost, 0.120, "budget 120 ms")


def notes(folder: Path, table: Table, *, quick: bool) -> None:
    start_up(folder, table)
    screens.measure(folder, table)
    for count in (1_000, 10_000) if quick else (1_000, 10_000, 50_000):
        start = time.perf_counter()
        home = build(folder / str(count), count)
        spent = time.perf_counter() - start
        table.say(f"{count:,} notes imported in {spent:.1f} s, {count / spent:,.0f} a second")
        core.measure(home, count, table)
    if not quick:
        peers.compare(folder, table)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument(
        "--quick", action="store_true", help="up to 10,000 notes, 20,000 log entries, 2,000 files; no jrnl"
    )
    asked.add_argument("--audit", action="store_true", help="the audit log alone")
    asked.add_argument("--backup", action="store_true", help="backups alone")
    asked.add_argument("--folder", type=Path, help="where to work; a folder on the disk that is to be measured")
    given = asked.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        everything = not (given.audit or given.backup)
        if everything:
            notes(Path(name), table, quick=given.quick)
        if everything or given.audit:
            audit.measure(Path(name) / "audit", 20_000 if given.quick else 1_000_000, table)
        if everything or given.backup:
            few = {"blobs": 2_000, "growth": 0, "rounds": 1} if given.quick else {}
            backup.measure(Path(name) / "backup", table, **few)


if __name__ == "__main__":
    main()
