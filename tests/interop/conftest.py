"""The Go program, built once for all tests of this folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop import program


@dataclass(frozen=True)
class Said:
    """Exit code and lines of one run."""

    code: int
    lines: list[str]
    err: str

    @property
    def failures(self) -> list[str]:
        return [line for line in self.lines if line.startswith("FAIL ")]

    @property
    def held(self) -> int:
        return sum(line.startswith("ok ") for line in self.lines)


Checklog = Callable[..., Said]


@pytest.fixture(scope="session")
def checklog(tmp_path_factory: pytest.TempPathFactory) -> Checklog:
    """Runs `checklog` with these arguments."""
    if not program.can_build():
        if os.environ.get("CI") == "true":
            pytest.fail(program.LACKING)
        pytest.skip(program.LACKING)
    built = program.build(tmp_path_factory.mktemp("go"))

    def run(*given: str | Path) -> Said:
        done = subprocess.run([str(built), *map(str, given)], capture_output=True, text=True, timeout=60, check=False)
        assert "panic" not in done.stderr
        return Said(done.returncode, done.stdout.splitlines(), done.stderr)

    return run
