"""The core's figures: unlock, open, save, find at several sizes, against their budgets and against raw fsyncs."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from notevault.crypto import kdf
from notevault.domain import notes
from notevault.vault import unlock
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from tests.bench.clockwork import Table, medians, seconds
from tests.bench.vaults import PASSPHRASE, Home, texts

SEARCHES = (["hypertension"], ["pain"], ["blood", "pressure"], ["nosuchword"])


def raw_commit(folder: Path, blob: bytes | None) -> Callable[[], object]:
    """The same files written and synced with bare system calls: what the disk alone takes."""
    folder.mkdir(exist_ok=True)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    numbers = iter(range(10**9))

    def place(name: str, data: bytes) -> None:
        temp = folder / f"t{name}"
        fd = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(fd, data)
        os.fsync(fd)
        os.close(fd)
        temp.rename(folder / name)
        top = os.open(folder, os.O_RDONLY)
        os.fsync(top)
        os.close(top)

    def act() -> None:
        if blob is not None:
            place(hashlib.sha256(blob + str(next(numbers)).encode()).hexdigest(), blob)
        os.write(log, b"x" * 700)
        os.fsync(log)
        place("checkpoint", b"y" * 400)

    return act


def measure(home: Home, count: int, table: Table) -> None:
    env, pw = home.env(), kdf.normalise(PASSPHRASE)
    opened: list[Session] = []

    def open_it() -> None:
        opened.append(unlock.unlock(env, home.vault, pw, shell=True))

    def close_last() -> None:
        opened.pop().close("")

    spent = []
    for _ in range(4):
        spent.append(seconds(open_it))
        close_last()
    cost = sorted(seconds(lambda: kdf.argon2id(pw, bytes(16), kdf.CHEAPEST)) for _ in range(5))[2]
    table.row(f"unlock, {count:,} notes, without the KDF", sorted(spent[1:])[1] - cost, 0.4, "budget 0.4 s")
    open_it()
    book = Notebook(opened[-1])
    _act(book, home, count, table)
    table.row(
        f"close with the snapshot, {count:,} notes", seconds(lambda: opened.pop().close("exit")), 1.0, "one second"
    )


def _act(book: Notebook, home: Home, count: int, table: Table) -> None:
    clock = book.session.env.clock
    client = book.clients()[0]
    fresh = iter(texts(40, seed=9))
    views = iter(random.Random(3).choices(book.notes(limit=500), k=60))
    now = clock.wall_ms()
    raw = home.root / "raw"
    both = medians(
        {
            "save": lambda: book.add_note(client.id, notes.Note(next(fresh), now, 0, now, now)),
            "raw save": raw_commit(raw, b"z" * 4184),
            "open": lambda: book.open_note(next(views).id),
            "raw open": raw_commit(raw, None),
        },
        runs=15,
    )
    shutil.rmtree(raw)
    table.row(f"save a note, {count:,} notes", both["save"], both["raw save"], "its own fsyncs alone (budget 2x)")
    table.row(f"open a note, logged first, {count:,} notes", both["open"], both["raw open"], "its own fsyncs alone")
    for words in SEARCHES:
        taken = medians({"find": lambda words=words: book.find(words)}, runs=5)["find"]  # type: ignore[misc]
        total = book.find(words).total
        table.row(f"find {' '.join(words)!r} ({total:,} of {count:,})", taken, 0.1, "budget 100 ms to 20 excerpts")
