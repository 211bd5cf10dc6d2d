"""Go's own transparency-log packages accept every log we write, and the proofs that we make of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import merkle
from tests.auditlog import forge, sample
from tests.auditlog.sample import Log
from tests.interop import logs
from tests.interop.conftest import Checklog


@pytest.fixture(scope="module")
def thousand() -> list[bytes]:
    return sample.entries(1000)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def proofs(log: Log) -> list[dict[str, Any]]:
    """Inclusion and consistency proofs of ours: ends, borders of bundles, powers of two, and in between."""
    leaves = log.leaves
    size, root = len(leaves), merkle.root(leaves)
    places = sorted({i for i in (0, 1, 2, 63, 64, 127, 254, 255, 256, 511, 767, size // 3, size - 1) if 0 <= i < size})
    included = [
        {"kind": "inclusion", "size": size, "root": _text(root), "index": i, "leaf": _text(leaves[i]),
         "path": [_text(step) for step in merkle.prove_inclusion(leaves, i)]}
        for i in places
    ]  # fmt: skip
    olds = sorted({i + 1 for i in places})
    consistent = [
        {"kind": "consistency", "size": size, "root": _text(root), "old": n, "oldRoot": _text(merkle.root(leaves[:n])),
         "path": [_text(step) for step in merkle.prove_consistency(leaves, n)]}
        for n in olds
    ]  # fmt: skip
    return included + consistent


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 1000])
def test_go_accepts_our_log_and_makes_the_same_proofs(
    size: int, checklog: Checklog, thousand: list[bytes], tmp_path: Path
) -> None:
    log = Log.of(thousand[:size])
    folder = log.store(tmp_path / "log")
    given = proofs(log)
    (tmp_path / "proofs.json").write_text(json.dumps(given))
    said = checklog("-proofs", tmp_path / "proofs.json", folder)
    assert (said.code, said.failures) == (0, [])
    assert said.held == len(said.lines) == 7 + len(given)


@pytest.mark.parametrize("size", logs.SIZES)
def test_go_accepts_a_log_of_one_epoch(size: int, checklog: Checklog, tmp_path: Path) -> None:
    said = checklog(logs.plain(tmp_path, size))
    assert (said.code, said.failures) == (0, [])
    assert "ok every entry is included" in said.lines


@pytest.mark.parametrize(
    ("sizes", "then"),
    [((2,), 0), ((2,), 1), ((256,), 0), ((256,), 1), ((255, 257), 3), ((3, 4, 5, 6), 0), ((100, 256, 300, 600), 100)],
)
def test_go_accepts_a_log_of_several_epochs_with_their_seals(
    sizes: tuple[int, ...], then: int, checklog: Checklog, tmp_path: Path
) -> None:
    said = checklog(logs.epochs(tmp_path, *sizes, then=then).folder)
    assert (said.code, said.failures) == (0, [])
    assert [line for line in said.lines if line.startswith("ok seal") and "begins" not in line] == [
        f"ok seal {epoch:08d}" for epoch in range(len(sizes))
    ]
    assert sum(" begins " in line for line in said.lines) == len(sizes)


def test_go_accepts_a_close_signed_in_either_epoch(checklog: Checklog, tmp_path: Path) -> None:
    """The last entry closes an epoch: its checkpoint is of the outgoing epoch, or already of the next."""
    log = logs.epochs(tmp_path, 5)
    for epoch in (0, 1):
        log.sign(log.signed(epoch=epoch))
        assert checklog(log.folder).code == 0
    log.sign(log.signed(epoch=1, key=log.epoch_key(0)))
    assert checklog(log.folder).code == 1


def test_go_accepts_every_log_of_a_busy_vault(checklog: Checklog, tmp_path: Path) -> None:
    vault = forge.busy(tmp_path, 900, logs=2)
    for log in vault.logs:
        said = checklog(log.folder)
        assert (said.code, said.failures) == (0, [])
        assert len(log.seals) > 1


@pytest.mark.parametrize("size", [0, 1, 300])
def test_the_last_full_bundle_may_still_be_called_open(size: int, checklog: Checklog, tmp_path: Path) -> None:
    folder = logs.plain(tmp_path, 256)
    (folder / "open").unlink()
    (folder / "entries/000").rename(folder / "open")
    with (folder / "open").open("ab") as file:
        file.write(bytes(size))  # what an interrupted commit left behind
    assert checklog(folder).code == 0


def test_go_measures_itself(checklog: Checklog, tmp_path: Path) -> None:
    log = logs.epochs(tmp_path, 300, then=400)
    said = checklog("-bench", log.folder)
    figures = json.loads(said.lines[1])
    assert (said.code, figures["entries"], figures["bytes"]) == (0, 700, sum(map(len, log.entries)))
    parts = sum(figures[name] for name in ("read", "parse", "hash", "root"))
    assert parts == pytest.approx(figures["total"])
    logs.spoil(log.folder / "open", 50)
    assert checklog("-bench", log.folder).code == 1


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("-nonsense",),
        ("/nonexistent",),
        (".", "."),
        ("-card", "card"),
        ("-tiles", "t"),
        ("-bench",),
        ("-cosigned", "f", "."),
        ("-witness", "k", "."),
        ("-card", "c", "-tiles", "t", "-anchors", "a"),
    ],
)
def test_a_wrong_call_is_not_a_verdict(given: tuple[str, ...], checklog: Checklog) -> None:
    said = checklog(*given)
    assert (said.code, said.lines) == (2, [])
    assert "usage" in said.err.lower()
