"""Running `nvaudit` in a test: inside this process, or as a program of its own where pipes and signals matter."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from notevault.auditlog import cli
from tests.auditlog import forge, sample

NOW = sample.START_MS + 40 * forge.DAY
ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "notevault.auditlog.cli"]


@dataclass
class Said:
    """What a run came to."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


class Run:
    """`run("check", folder, "--card", card)`; `now` is the clock's time in ms."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.now = NOW

    def __call__(self, *argv: Any) -> Said:
        self._capsys.readouterr()
        code = cli.main([str(word) for word in argv], clock=lambda: self.now)
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return Said(code, said.out, said.err)


def program(*argv: Any, **more: Any) -> Said:
    """As a process of its own."""
    done = subprocess.run(
        [*PROGRAM, *map(str, argv)], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, **more
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder, its bytes and its time: to see that nothing was touched."""
    found = {}
    for path in sorted(folder.rglob("*")):
        found[str(path.relative_to(folder))] = (path.read_bytes() if path.is_file() else b"", path.stat().st_mtime_ns)
    return found
