"""The package stands alone: an old Python, no site-packages, nothing of ours beside it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.auditlog import sample
from tests.auditlog.sample import CARD, ORIGIN, Log

PACKAGE = Path(__file__).parents[2] / "notevault" / "auditlog"
MODULES = sorted(path for path in PACKAGE.glob("*.py") if path.name != "cli.py")  # cli.py alone may use `cryptography`

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from auditlog import bundle, canon, card, checkpoint, check, ed25519, entry, merkle, note
folder, origin = Path(sys.argv[2]), sys.argv[3]
pinned = (folder / "card").read_bytes()
verdict = check.check_log(check.folder_reader(folder), origin, pinned)
print(verdict.exit_code, verdict.size, verdict.root.hex(), [str(f) for f in verdict.findings])
data = bundle.split(bytes((folder / "entries/000").read_bytes()))[5]
print(entry.encode(entry.parse(data).fields()) == data)
(folder / "open").write_bytes(b"\\x00\\x05hello")
spoiled = check.check_log(check.folder_reader(folder), origin, pinned)
print(spoiled.exit_code, spoiled.findings[0].code)
"""


def pythons() -> list[str]:
    """Other Pythons from 3.9 up, on PATH or from pyenv."""
    found: dict[str, str] = {}
    for minor in range(9, 20):
        if minor == sys.version_info.minor:
            continue
        roots = sorted((Path.home() / ".pyenv" / "versions").glob(f"3.{minor}.*"), reverse=True)
        candidates = [str(root / "bin" / "python") for root in roots]
        on_path = shutil.which(f"python3.{minor}")
        for candidate in [*candidates, *([on_path] if on_path else [])]:
            if f"3.{minor}" not in found and _runs(candidate, minor):
                found[f"3.{minor}"] = candidate
    return list(found.values())


def _runs(candidate: str, minor: int) -> bool:
    try:
        done = subprocess.run(
            [candidate, "-c", "import sys; print(sys.version_info[1])"], capture_output=True, text=True
        )
    except OSError:
        return False
    return done.stdout.strip() == str(minor)


def _alone(python: str, tmp_path: Path) -> list[str]:
    (tmp_path / "auditlog").mkdir(parents=True, exist_ok=True)
    for module in MODULES:
        shutil.copy(module, tmp_path / "auditlog" / module.name)
    folder = Log.of(sample.entries(300)).store(tmp_path / "log")
    done = subprocess.run(
        [python, "-I", "-S", "-W", "error", "-c", PROGRAM, str(tmp_path), str(folder), ORIGIN],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def expected() -> list[str]:
    from notevault.auditlog import merkle

    root = merkle.root([merkle.leaf_hash(data) for data in sample.entries(300)]).hex()
    return [f"0 300 {root} []", "True", "1 TRUNCATED"]


def test_it_runs_without_site_packages_and_without_the_rest_of_notevault(tmp_path: Path) -> None:
    assert _alone(sys.executable, tmp_path) == expected()


def test_it_runs_on_every_other_python_here(tmp_path: Path) -> None:
    others = pythons()
    if not others:
        pytest.skip("no other Python 3.9 or newer on PATH or in pyenv")
    for number, python in enumerate(others):
        assert _alone(python, tmp_path / str(number)) == expected(), python


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_it_imports_the_standard_library_and_itself_only(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            assert all(name.name.split(".")[0] in sys.stdlib_module_names for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1 or (node.level == 0 and str(node.module).split(".")[0] in sys.stdlib_module_names)


def test_the_sample_card_is_the_one_checked() -> None:
    assert Log.of(sample.entries(1)).files["card"] == CARD
