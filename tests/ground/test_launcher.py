"""The launcher: ready environments start at once, everything that fails ends in a sentence. No network is used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .project import ROOT

PROGRAM = """
import os, sys
print(sys.argv[1:], sys.flags.isolated, "PYTHONDONTWRITEBYTECODE" in os.environ, sys.prefix)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the launcher, a lock without packages, and a program that tells how it was started."""
    root = tmp_path / "Praxis Möwe & Söhne"
    (root / "notevault").mkdir(parents=True)
    (root / "notevault" / "__init__.py").touch()
    (root / "notevault" / "__main__.py").write_text(PROGRAM, encoding="utf-8")
    shutil.copytree(ROOT / "packaging", root / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "requirements.lock").write_text("# nothing\n", encoding="utf-8")
    return root


def start(root: Path, *arguments: str, without: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run the launcher in an environment that would mislead it, on a Python that lacks the modules `without`."""
    run = root / "packaging" / "run.py"
    code = f"""
import runpy, sys
sys.modules.update(dict.fromkeys({without!r}))  # None: how Python itself marks what must not be imported
sys.path.insert(0, {str(run.parent)!r})
sys.argv[:] = {[str(run), *arguments]!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    installer = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    env = {**os.environ, **installer, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "/nowhere"}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, cwd=root.parent, capture_output=True, text=True, timeout=120, check=False)


def made(root: Path) -> Path:
    """The one environment below `.venv`."""
    (found,) = [path for path in (root / ".venv").iterdir() if path.is_dir()]
    return found


@pytest.mark.slow
def test_a_first_start_sets_up_and_a_second_one_only_starts(checkout: Path) -> None:
    first = start(checkout, "note", "add words")
    assert first.returncode == 0, first.stderr
    prefix = made(checkout)
    assert prefix.name.startswith(f"run-{sys.implementation.cache_tag}-")
    assert first.stdout == f"['note', 'add words'] 1 False {prefix}\n"
    assert "setting up" in first.stderr
    second = start(checkout)
    assert (second.stdout, second.stderr) == (f"[] 1 False {prefix}\n", "")
    command = subprocess.run([prefix / "bin" / "notevault", "a b"], capture_output=True, text=True, check=True)
    assert command.stdout.startswith("['a b'] 1")
    (checkout / "requirements.lock").write_text("# changed\n", encoding="utf-8")
    assert "setting up" in start(checkout).stderr


@pytest.mark.slow
def test_a_set_up_that_was_interrupted_is_done_again(checkout: Path) -> None:
    assert start(checkout).returncode == 0
    half = made(checkout)
    (half / "made-from").unlink()  # what a rebuild does first
    shutil.rmtree(half / "lib")
    (half / "bin" / "python").unlink()
    (half / "bin" / "python").write_text("not a program", encoding="utf-8")
    done = start(checkout)
    assert done.returncode == 0, done.stderr
    assert "ready" in done.stderr


def failed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.slow
def test_packages_that_cannot_be_had_end_in_a_sentence_and_are_tried_again(checkout: Path) -> None:
    lock = checkout / "requirements.lock"
    lock.write_text(f"segno==1.6.6 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    for _ in range(2):
        assert "could not be downloaded" in failed(start(checkout))


@pytest.mark.slow
def test_a_package_without_its_hash_is_never_installed(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("segno==1.6.6\n", encoding="utf-8")
    failed(start(checkout))


def test_a_python_without_ensurepip_and_pip_names_the_debian_package(checkout: Path) -> None:
    assert "apt install python3-venv" in failed(start(checkout, without=("ensurepip", "pip")))


def test_a_folder_that_cannot_be_written_to_is_named(checkout: Path) -> None:
    (checkout / ".venv").write_text("in the way, for root too", encoding="utf-8")
    said = failed(start(checkout))
    assert "cannot be written to" in said
    assert str(checkout) in said


@pytest.mark.slow
def test_a_start_from_a_ready_environment_reads_no_heavy_module(checkout: Path) -> None:
    start(checkout)
    code = "import sys, environment\nassert environment.ready('run')\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(checkout / 'packaging')!r})\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"subprocess", "pathlib", "hashlib", "venv", "re"} & set(done.stdout.split())
