"""What backups are held against: `cp -r` and sync, rsync, restic, borg; and our own commands, in the same shape.

Debian: `apt-get install restic borgbackup rsync`. What is not installed is told and left out. restic and borg encrypt
and deduplicate, cp and rsync do neither; ours copies what is sealed already. Every tool ends with the file system
synced: restic, borg and ours do so themselves, after cp and rsync `sync -f` does. All of them keep what they know about
the source (restic's and borg's caches, our local folder) in a HOME of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a password for measuring"
PACKAGES = {"rsync": "rsync", "restic": "restic", "borg": "borgbackup"}

Command = list[str]


@dataclass(frozen=True)
class Tool:
    """`store` is a folder that is not there yet for `prepare`, which is not timed; `back` fills a folder that is not
    there. `check` None: there is no such act.
    """

    name: str
    prepare: Callable[[Path], list[Command]]
    save: Callable[[Path], Command]
    again: Callable[[Path], Command]
    check: Callable[[Path], Command] | None
    back: Callable[[Path, Path], Command]
    blobs: str  # where the blobs lie in what `back` made
    env: dict[str, str] = field(default_factory=dict)


def _shell(script: str, *words: Path | str) -> Command:
    return ["sh", "-c", script, *map(str, words)]


def _home(folder: Path, **more: str) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    return {
        "HOME": str(folder),
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        **more,
    }


def cp(source: Path, home: Path) -> Tool:
    return Tool(
        "cp",
        lambda store: [],
        lambda store: _shell('cp -r "$0" "$1" && sync -f "$1"', source, store),
        lambda store: _shell('cp -ru "$0/." "$1" && sync -f "$1"', source, store),
        None,
        lambda store, to: _shell('cp -r "$0" "$1" && sync -f "$1"', store, to),
        "blobs",
        _home(home),
    )


def rsync(source: Path, home: Path) -> Tool:
    copy = 'rsync -a "$0/" "$1/" && sync -f "$1"'
    return Tool(
        "rsync",
        lambda store: [],
        lambda store: _shell(copy, source, store),
        lambda store: _shell(copy, source, store),
        lambda store: _shell('test -z "$(rsync -anci --delete "$0/" "$1/")"', source, store),
        lambda store, to: _shell(copy, store, to),
        "blobs",
        _home(home),
    )


def restic(source: Path, home: Path) -> Tool:
    def do(store: Path, *words: str) -> Command:
        return ["restic", "--quiet", "--repo", str(store), *words]

    return Tool(
        "restic",
        lambda store: [do(store, "init")],
        lambda store: do(store, "backup", str(source)),
        lambda store: do(store, "backup", str(source)),
        lambda store: do(store, "check", "--read-data"),
        lambda store, to: _shell('restic --quiet --repo "$0" restore latest --target "$1" && sync -f "$1"', store, to),
        str(source / "blobs").lstrip("/"),
        _home(home, RESTIC_PASSWORD=PASSWORD),
    )


def borg(source: Path, home: Path) -> Tool:
    fresh = "{now:%Y-%m-%dT%H:%M:%S.%f}"
    return Tool(
        "borg",
        lambda store: [["borg", "init", "--encryption", "repokey", str(store)]],
        lambda store: ["borg", "create", f"{store}::{fresh}", str(source)],
        lambda store: ["borg", "create", f"{store}::{fresh}", str(source)],
        lambda store: ["borg", "check", "--verify-data", str(store)],
        lambda store, to: _shell(
            'mkdir "$1" && cd "$1" && borg extract "$0::$(borg list --last 1 --short "$0")" && sync -f "$1"', store, to
        ),
        str(source / "blobs").lstrip("/"),
        _home(home, BORG_PASSPHRASE=PASSWORD, BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes"),
    )


def ours(source: Path, home: Path) -> Tool:
    """Whole commands, as anybody types them. A place is added before, as a repository is made before."""

    def do(*words: str | Path) -> Command:
        program = [sys.executable, "-P", "-m", "notevault", "--vault", str(source), "--no-input"]
        return [*program, "backup", *map(str, words)]

    return Tool(
        "notevault",
        lambda store: [["mkdir", str(store)], do("add", store, "--name", store.name)],
        lambda store: do("run", store.name),
        lambda store: do("run", store.name),
        lambda store: do("verify", "--full", store.name),
        lambda store, to: do("restore", "--from", store, "--to", to, "--no-places"),
        "blobs",
        _home(home, PYTHONPATH=str(ROOT), XDG_RUNTIME_DIR=str(home)),
    )


def found(source: Path, home: Path, folder: Path) -> tuple[list[Tool], list[str]]:
    """Ours first, then the peers that are installed; and a sentence for each that is not."""
    tools = [ours(source, home)]
    missing: list[str] = []
    for make in (cp, rsync, restic, borg):
        name = make.__name__
        if shutil.which(name):
            tools.append(make(source, folder / f"home-{name}"))
        else:
            missing.append(f"not measured against {name}: it is not here (apt-get install {PACKAGES.get(name, name)})")
    return tools, missing


def version(tool: Tool) -> str:
    """One line, as the tool says it of itself."""
    asked = {"notevault": [sys.executable, "-P", "-m", "notevault", "--version"], "restic": ["restic", "version"]}
    command = asked.get(tool.name, [tool.name, "--version"])
    said = subprocess.run(command, env=tool.env, capture_output=True, check=False).stdout.decode("utf-8", "replace")
    return said.strip().split("\n")[0][:60]
