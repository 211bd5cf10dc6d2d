"""`nvaudit.pyz`: one file that runs wherever there is a Python from 3.9 on, and that anybody can build again."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from notevault import __version__
from tests.auditlog.forge import Forge, busy
from tests.auditlog.test_alone import pythons

ROOT = Path(__file__).parents[2]
BUILDER = ROOT / "packaging" / "nvaudit.py"
PYTHONS = [sys.executable, *pythons()]


def _name(python: str) -> str:
    return python if python != sys.executable else "this one"


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("packed") / "nvaudit.pyz"
    done = _build(sys.executable, "--out", str(out))
    assert done.stdout.split()[0] == hashlib.sha256(out.read_bytes()).hexdigest()
    return out


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Forge:
    return busy(tmp_path_factory.mktemp("vault") / "vault", 300)


def _build(python: str, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, str(BUILDER), *argv], capture_output=True, text=True, check=True)


def _alone(python: str, pyz: Path, empty: Path, *argv: object, flags: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """In an empty folder, with an empty environment, without site-packages."""
    empty.mkdir(exist_ok=True)
    keep = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}  # Windows starts nothing without
    done = subprocess.run(
        [python, "-I", "-S", *flags, str(pyz), *map(str, argv)],
        cwd=empty, env=keep, stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
    )  # fmt: skip
    assert not list(empty.iterdir()), "nothing may be left behind"
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("python", PYTHONS, ids=_name)
def test_every_python_here_builds_the_same_bytes(python: str, pyz: Path, tmp_path: Path) -> None:
    _build(python, "--out", str(tmp_path / "again.pyz"))
    assert (tmp_path / "again.pyz").read_bytes() == pyz.read_bytes()


def test_a_changed_file_is_told_from_the_true_one(pyz: Path, tmp_path: Path) -> None:
    assert _build(sys.executable, "--check", str(pyz)).returncode == 0
    other = tmp_path / "other.pyz"
    other.write_bytes(pyz.read_bytes() + b" ")
    done = subprocess.run([sys.executable, str(BUILDER), "--check", str(other)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ANOTHER PROGRAM" in done.stdout


def test_it_holds_the_package_the_version_and_the_licence_and_nothing_else(pyz: Path) -> None:
    names = zipfile.ZipFile(pyz).namelist()
    own = {f"nvaudit/{path.name}" for path in (ROOT / "notevault" / "auditlog").glob("*.py")}
    assert set(names) == own | {"__main__.py", "LICENSE", "nvaudit/_version.py"}
    assert names == sorted(names)


@pytest.mark.parametrize("python", PYTHONS, ids=_name)
def test_it_judges_on_bare_python(python: str, pyz: Path, vault: Forge, tmp_path: Path) -> None:
    def check(*argv: object) -> tuple[int, str, str]:
        return _alone(python, pyz, tmp_path / "empty", "check", vault.folder, *argv)

    log, state = vault.logs[0], tmp_path / "state"
    assert check()[0] == 2, "nothing vouches for it"
    code, out, err = check("--card", vault.fingerprint, "--state", state)
    assert (code, err) == (0, "")
    assert "INTACT" in out
    assert "first visit" in out
    assert "nvaudit's own Ed25519" in out
    code, out, err = check("--card", vault.fingerprint, "--state", state, "--out", tmp_path / "r.json")
    assert (code, err) == (0, "")
    assert "first visit" not in out.lower()
    path = vault.path(log, "open")
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[:-3])
        code, out, err = check("--card", vault.fingerprint, "--state", state, "--html", tmp_path / "r.html")
    finally:
        path.write_bytes(whole)
    assert (code, err) == (1, "")
    assert "TRUNCATED" in out
    assert (tmp_path / "r.json").stat().st_size > 1000
    assert (tmp_path / "r.html").stat().st_size > 1000


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS, ids=_name)
def test_every_command_runs_on_bare_python(python: str, pyz: Path, vault: Forge, tmp_path: Path) -> None:
    def run(*argv: object) -> str:
        code, out, err = _alone(python, pyz, tmp_path / "empty", *argv)
        assert code == 0, err
        return out

    card, state, key = tmp_path / "card", tmp_path / "state", tmp_path / "key"
    card.write_bytes(vault.card)
    assert run("--version") == f"nvaudit {__version__}\n"
    assert "Exit codes" in run("--help")
    assert vault.fingerprint[:4] in run("card", vault.folder)
    run("proof", vault.folder, "--entry", 3, "--out", tmp_path / "proof")
    assert "HOLDS" in run("check-proof", tmp_path / "proof", "--card", card)
    run("export", vault.folder, "--out", tmp_path / "tiles")
    assert "open a record" in run("entries", vault.folder, "--card", card)
    public = run("witness", "new", "auditor.example", "--out", key).strip()
    run("cosign", vault.folder, "--key", key, "--card", card, "--state", state, "--out", tmp_path / "seen")
    assert "witness auditor.example" not in run("check", vault.folder, "--card", card)
    run("check", vault.folder, "--card", card, "--cosigned", tmp_path / "seen", "--witness", public)


LISTING = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as end:
    code = end.code
print("=== modules")
for name, module in sorted(sys.modules.items()):
    print(name, getattr(getattr(module, "__spec__", None), "origin", None), sep="|")
sys.exit(code)
"""


@pytest.mark.parametrize("python", PYTHONS, ids=_name)
def test_it_imports_the_standard_library_and_itself_only(python: str, pyz: Path, vault: Forge, tmp_path: Path) -> None:
    argv = [str(pyz), "check", str(vault.folder), "--card", vault.fingerprint, "--html", str(tmp_path / "r.html")]
    done = subprocess.run([python, "-I", "-S", "-c", LISTING, *argv], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    where = "import sysconfig; print(sysconfig.get_path('stdlib')); print(sysconfig.get_path('platstdlib'))"
    library = subprocess.run([python, "-I", "-S", "-c", where], capture_output=True, text=True).stdout.split("\n")[:2]
    rows = [line.split("|") for line in done.stdout.partition("=== modules\n")[2].splitlines()]
    names = {name for name, _ in rows}
    assert {"nvaudit.cli", "nvaudit.vaultcheck", "nvaudit.html"} <= names
    assert not {name.split(".")[0] for name in names} & {"notevault", "cryptography", "argon2", "site"}
    for name, origin in rows:
        inside = origin.startswith((str(pyz), *library)) and "site-packages" not in origin
        assert inside or origin in ("None", "built-in", "frozen"), (name, origin)


def test_a_file_that_is_not_whole_does_not_end_as_tampering(pyz: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(pyz) as whole, zipfile.ZipFile(tmp_path / "half.pyz", "w") as half:
        for name in whole.namelist():
            if name != "nvaudit/merkle.py":
                half.writestr(name, whole.read(name))
    code, out, err = _alone(sys.executable, tmp_path / "half.pyz", tmp_path / "empty", "check", tmp_path)
    assert (code, out) == (70, "")
    assert "is not whole" in err or "has failed" in err


def test_an_old_python_is_told_so_in_a_sentence(pyz: Path, tmp_path: Path) -> None:
    """Python 2.7 and 3.8 must be able to read the entry: it may use nothing that is newer."""
    text = zipfile.ZipFile(pyz).read("__main__.py").decode()
    ast.parse(text, feature_version=(3, 4))
    roots = sorted((Path.home() / ".pyenv" / "versions").glob("[23].[678]*/bin/python"))
    if not roots:
        pytest.skip("no Python older than 3.9 here")
    for python in roots:
        done = subprocess.run([str(python), str(pyz), "--version"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 69, python
        assert "Python 3.9 or newer is needed" in done.stderr
        assert "Traceback" not in done.stderr
