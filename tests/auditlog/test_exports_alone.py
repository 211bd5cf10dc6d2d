"""Proofs, tiles and the built-in signer on an old Python, with nothing beside the package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.auditlog import sample
from tests.auditlog.sample import IDENTITY, ORIGIN, Log
from tests.auditlog.test_alone import MODULES, pythons

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from auditlog import cosign, folder, proof, sign25519, tiles
here, origin, identity = Path(sys.argv[1]), sys.argv[2], bytes.fromhex(sys.argv[3])
read = folder.folder_reader(here / "log")
seed = bytes(range(32))
pub = sign25519.public_key(seed)
seen = cosign.make(read("checkpoint"), "auditor.example", pub, lambda text: sign25519.sign(seed, text), 5)
text = proof.make(read, 256, seen)
one = proof.parse(text)
print(proof.check(one, identity, origin=origin).size, proof.dump(one) == text, one.entry == proof.parse(text).entry)
print(cosign.check(cosign.parse(one.signed), [cosign.Witness("auditor.example", pub)], proof.ed25519.verify))
state = tiles.export(read, here / "tiles", identity)
print(tiles.check(folder.folder_reader(here / "tiles"), identity) == state)
print(tiles.export(read, here / "tiles", identity).code, proof.parse("nonsense").code)
"""
EXPECTED = ["300 True True", "[('auditor.example', 5)]", "True", "EXISTS NOT_A_PROOF"]


def _alone(python: str, folder: Path) -> list[str]:
    (folder / "auditlog").mkdir(parents=True)
    for module in MODULES:
        shutil.copy(module, folder / "auditlog" / module.name)
    Log.of(sample.entries(300)).store(folder / "log")
    done = subprocess.run(
        [python, "-I", "-S", "-W", "error", "-c", PROGRAM, str(folder), ORIGIN, IDENTITY.pub.hex()],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_it_runs_without_site_packages(tmp_path: Path) -> None:
    assert _alone(sys.executable, tmp_path / "own") == EXPECTED


def test_it_runs_on_every_other_python_here(tmp_path: Path) -> None:
    others = pythons()
    if not others:
        pytest.skip("no other Python 3.9 or newer on PATH or in pyenv")
    for number, python in enumerate(others):
        assert _alone(python, tmp_path / str(number)) == EXPECTED, python
