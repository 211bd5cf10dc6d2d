"""Go's own transparency-log packages accept every log we write, and refuse what was tampered with.

Built from Debian's `golang-go` and `golang-golang-x-mod-dev` alone, without a network.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import checkpoint, merkle, note
from tests.auditlog import sample
from tests.auditlog.sample import EPOCH0, IDENTITY, ORIGIN, Key, Log

SOURCE = Path(__file__).with_name("checklog.go")
GOPATH = Path("/usr/share/gocode")
VKEYS = (
    note.verifier_key(checkpoint.name_of(ORIGIN), IDENTITY.pub),
    note.verifier_key(checkpoint.name_of(ORIGIN, 0), EPOCH0.pub),
)
Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def check(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Runs the Go program, built once, on a folder."""
    go = shutil.which("go")
    if go is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        reason = "Go or its x/mod packages are not here: apt-get install golang-go golang-golang-x-mod-dev"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("go")
    program = folder / "checklog"
    own = {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "GOPROXY": "off",
        "GOFLAGS": "",
    }
    built = subprocess.run(
        [go, "build", "-o", str(program), str(SOURCE)], env={**os.environ, **own}, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr

    def run(log: Path, *more: str, keys: tuple[str, str] = VKEYS) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(program), str(log), *keys, *more], capture_output=True, text=True, timeout=60)

    return run


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
def test_go_accepts_our_log_and_our_proofs(size: int, check: Check, thousand: list[bytes], tmp_path: Path) -> None:
    log = Log.of(thousand[:size])
    folder = log.store(tmp_path / "log")
    given = proofs(log)
    (tmp_path / "proofs.json").write_text(json.dumps(given))
    done = check(folder, str(tmp_path / "proofs.json"))
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert len(lines) == 4 + len(given)
    assert all(line.startswith("ok ") for line in lines)


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


SPOILED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "an entry of a bundle": ("entries/000", lambda data: _flip(data, 5000)),
    "an entry after the bundles": ("open", lambda data: _flip(data, 50)),
    "the last entry cut off": ("open", lambda data: data[:-1]),
    "a bundle emptied": ("entries/000", lambda _: b""),
    "the signed size": ("checkpoint", lambda data: data.replace(b"\n300\n", b"\n299\n")),
    "the signed root": ("checkpoint", lambda data: _flip(data, data.index(b"\n300\n") + 8)),
    "a signature": ("checkpoint", lambda data: _flip(data, len(data) - 20)),
    "one signature line gone": ("checkpoint", lambda data: data[: data.rindex("\u2014".encode())]),
}


@pytest.mark.parametrize("what", SPOILED)
def test_go_refuses_what_was_tampered_with(what: str, check: Check, thousand: list[bytes], tmp_path: Path) -> None:
    log = Log.of(thousand[:300])
    name, spoil = SPOILED[what]
    spoiled = spoil(log.files[name])
    assert spoiled != log.files[name]
    log.files[name] = spoiled
    done = check(log.store(tmp_path))
    assert (done.returncode, "FAIL" in done.stdout) == (1, True)


def test_go_refuses_a_rewritten_history(check: Check, thousand: list[bytes], tmp_path: Path) -> None:
    log = Log.of(thousand[:300])
    log.lay(sample.rechain(thousand[:300], 100, 300, lambda values: values.update(t=values["t"] + 1)))
    done = check(log.store(tmp_path))
    assert (done.returncode, "FAIL root" in done.stdout) == (1, True)


def test_go_refuses_another_logs_keys(check: Check, thousand: list[bytes], tmp_path: Path) -> None:
    other = note.verifier_key(checkpoint.name_of(ORIGIN), Key("stranger").pub)
    done = check(Log.of(thousand[:3]).store(tmp_path), keys=(other, VKEYS[1]))
    assert done.returncode == 1


def test_go_refuses_a_proof_of_another_entry(check: Check, thousand: list[bytes], tmp_path: Path) -> None:
    log = Log.of(thousand[:300])
    given = proofs(log)
    given[0]["leaf"] = given[1]["leaf"]
    given[-2]["oldRoot"] = given[-3]["oldRoot"]
    (tmp_path / "proofs.json").write_text(json.dumps(given))
    done = check(log.store(tmp_path / "log"), str(tmp_path / "proofs.json"))
    assert done.returncode == 1
    assert sum(line.startswith("FAIL") for line in done.stdout.splitlines()) == 2


def test_go_accepts_the_log_of_a_vault_that_was_worked_in(check: Check, tmp_path: Path) -> None:
    """Written by the product itself on a real disk: 300 notes imported, so that a bundle is full and another begun."""
    from notevault.auditlog import card as cards
    from notevault.storage.layout import VaultPaths
    from tests.bench.vaults import build

    home = build(tmp_path / "home", 300)
    (origin,) = (path.name for path in VaultPaths(home.vault).all_audit.iterdir())
    folder = VaultPaths(home.vault).audit(origin)
    card = cards.parse((folder / "card").read_bytes())
    assert isinstance(card, cards.Card)
    keys = (
        note.verifier_key(checkpoint.name_of(origin), card.identity_pub),
        note.verifier_key(checkpoint.name_of(origin, 0), card.epoch0_pub),
    )
    result = check(folder, keys=keys)
    assert result.returncode == 0, result.stdout + result.stderr
    opened = bytearray((folder / "open").read_bytes())
    opened[-9] ^= 1
    (folder / "open").write_bytes(opened)
    assert check(folder, keys=keys).returncode == 1
