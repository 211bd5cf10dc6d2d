"""Anchors, cosignatures, state files and disclosures on an old Python, with nothing beside the package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.auditlog.sample import IDENTITY, ORIGIN, VAULT, VIK
from tests.auditlog.test_alone import MODULES, pythons
from tests.auditlog.test_vectors import load
from tests.vectors import generate_trust

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from auditlog import anchor, card, cosign, disclosure, ed25519, entry, state
here, origin, identity, vault, vik = Path(sys.argv[2]), sys.argv[3], *sys.argv[4:]
identity, viks, verify = bytes.fromhex(identity), [bytes.fromhex(vik)], ed25519.verify
data = (here / "anchor").read_bytes()
print(anchor.check(origin, (here / "name").read_text(), data, identity, verify, "x").size)
witness = cosign.parse_witness((here / "witness").read_bytes().decode("utf-8"))
print([seen.when for seen in cosign.seen((here / "cosigned").read_bytes(), origin, identity, [witness], verify)])
found = state.load(here / "state")
grown = state.with_visit(found, origin, 2**50, bytes(32), 5)
print(state.save(here / "state", grown), state.load(here / "state") == grown, state.check(grown, vault, viks))
opened = disclosure.parse((here / "disclosure").read_bytes())
mine, tagged = disclosure.matcher(opened), entry.parse((here / "entry").read_bytes())
print(disclosure.check(opened, vault, viks, verify), mine(tagged, origin), mine(tagged, "00" * 16))
print(card.parse_fingerprint(card.spell_fingerprint(card.fingerprint(data))) == card.fingerprint(data))
"""


def _alone(python: str, folder: Path) -> list[str]:
    (folder / "auditlog").mkdir(parents=True)
    for module in MODULES:
        shutil.copy(module, folder / "auditlog" / module.name)
    anchor, shown = load("anchors.json")["anchors"][1], load("disclosure.json")
    files = {
        "name": anchor["name"], "anchor": anchor["bytes"], "cosigned": load("cosigned.json")["cosigned"][1]["bytes"],
        "witness": load("cosigned.json")["witnesses"][1], "state": load("state.json")["states"][0]["bytes"],
        "disclosure": shown["bytes"], "entry": shown["entries"][0]["bytes"],
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    keys = [ORIGIN, IDENTITY.pub.hex(), VAULT, VIK.pub.hex()]
    done = subprocess.run(
        [python, "-I", "-S", "-W", "error", "-c", PROGRAM, str(folder), str(folder), *keys],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


EXPECTED = ["3", f"[{(generate_trust.TIME + 1) * 1000}]", "None True None", "None True False", "True"]


def test_it_runs_without_site_packages(tmp_path: Path) -> None:
    assert _alone(sys.executable, tmp_path / "own") == EXPECTED


def test_it_runs_on_every_other_python_here(tmp_path: Path) -> None:
    others = pythons()
    if not others:
        pytest.skip("no other Python 3.9 or newer on PATH or in pyenv")
    for number, python in enumerate(others):
        assert _alone(python, tmp_path / str(number)) == EXPECTED, python
