"""Builds `checklog`, our Go program on Go's own transparency-log packages, from Debian's sources, without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SOURCES = sorted(Path(__file__).with_name("checklog").glob("*.go"))
GOPATH = Path("/usr/share/gocode")  # where golang-golang-x-mod-dev puts its sources
LACKING = "Go or its x/mod packages are not here: apt-get install golang-go golang-golang-x-mod-dev"


def can_build() -> bool:
    return shutil.which("go") is not None and (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir()


def build(folder: Path) -> Path:
    """The program, built in `folder`. RuntimeError with what the compiler says."""
    program = folder / "checklog"
    done = subprocess.run(
        ["go", "build", "-o", str(program), *map(str, SOURCES)],
        env={
            **os.environ,
            "GO111MODULE": "off",
            "GOPATH": str(GOPATH),
            "GOCACHE": str(folder / "cache"),
            "GOPROXY": "off",
            "GOFLAGS": "",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return program
