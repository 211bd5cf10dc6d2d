"""The two programs that judge from outside: `nvaudit.pyz` on a Python without anything, and the Go program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.homes import ROOT
from tests.interop import program

SLOW_S = 10.0
"""No answer about a thousand entries may take so long, whatever was done to them."""


@dataclass(frozen=True)
class Said:
    """`report`: what `--out` got, where a verdict was reached."""

    code: int
    out: str
    err: str
    seconds: float
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def findings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.report.get("findings", {}).get("list", [])
        return found


@dataclass(frozen=True)
class Bare:
    """`nvaudit.pyz`, started with `-I -S` in an empty folder with an empty environment."""

    pyz: Path
    empty: Path

    @classmethod
    def build(cls, folder: Path) -> Bare:
        (folder / "empty").mkdir(parents=True)
        pyz = folder / "nvaudit.pyz"
        builder = [sys.executable, str(ROOT / "packaging/nvaudit.py"), "--out", str(pyz)]
        subprocess.run(builder, check=True, capture_output=True)
        return cls(pyz, folder / "empty")

    def run(self, *argv: object) -> Said:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(self.pyz), *map(str, argv)],
            cwd=self.empty, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        assert not list(self.empty.iterdir()), "nothing may be left behind"
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode(), seconds)

    def check(self, folder: Path, *argv: object) -> Said:
        """With its report, which goes to a file beside the program."""
        out = self.pyz.with_name("report.json")
        out.unlink(missing_ok=True)
        said = self.run("check", folder, "--out", out, *argv)
        report = json.loads(out.read_bytes()) if out.exists() else {}
        return Said(said.code, said.out, said.err, said.seconds, report)


def go_program(folder: Path) -> Path:
    """Built in `folder`, once. RuntimeError where there is no Go."""
    if not program.can_build():
        raise RuntimeError(program.LACKING)
    folder.mkdir(exist_ok=True)
    return program.build(folder)


def go_says(built: Path, *argv: object) -> tuple[int, list[str]]:
    """Exit code, and the lines of what does not hold."""
    done = subprocess.run([str(built), *map(str, argv)], capture_output=True, text=True, timeout=120, check=False)
    assert "panic" not in done.stderr, done.stderr
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    return done.returncode, [line.removeprefix("FAIL ") for line in lines if not line.startswith("ok ")]


def bare_environment_has_nothing(bare: Bare) -> bool:
    """The Python that it runs on: no packages of others, nothing of ours."""
    code = "import importlib.util as u; print([n for n in ('notevault', 'cryptography', 'pytest') if u.find_spec(n)])"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=bare.empty, env={}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip() == "[]"


def copy_tree(source: Path, target: Path) -> Path:
    """Anew, whatever lay there."""
    if os.path.lexists(target):
        shutil.rmtree(target)
    return shutil.copytree(source, target, symlinks=True)
