"""A home of its own with a vault in it, and the real program run inside as a user would.

The vault is made with the cheapest passphrase cost that is accepted, so that a test costs no second per command; the
commands themselves know nothing of it. Nothing here has a terminal unless a test asks for one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "seven amber horses walk home"
MAKE = """
import sys
from pathlib import Path
from notevault.adapters.sheet_print import SheetModel, sheet_text
from notevault.app import opening
from notevault.crypto import kdf
from notevault.formats import sheet
from notevault.wiring.locked import locked_side, protect_process
from notevault.wiring.unlocked import make_env

protect_process()
side = locked_side(None)
session, kit = opening.set_up(make_env(side), side.vault, sys.stdin.read(), kdf.CHEAPEST)
groups = tuple(sheet.encode(kit.seed, kit.fingerprint))
Path(sys.argv[1]).write_text(sheet_text(SheetModel(groups, kit.vault_id.hex(), "today", kit.fingerprint.hex())))
session.close("exit")
"""


@dataclass(frozen=True)
class Home:
    path: Path

    @property
    def vault(self) -> Path:
        return self.path / ".local/share/notevault/vault"

    @property
    def local(self) -> Path:
        """This laptop's own folder of the vault."""
        return next((self.path / ".local/state/notevault").iterdir())

    @property
    def sheet(self) -> Path:
        return self.path / "sheet.txt"

    @property
    def key_file(self) -> Path:
        return next((self.path / ".config/notevault/device").glob("*.json"))

    @property
    def env(self) -> dict[str, str]:
        return {
            "HOME": str(self.path),
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(ROOT),
            "XDG_RUNTIME_DIR": str(self.path / "run"),
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }

    def file(self, name: str, text: str | bytes, mode: int = 0o600) -> str:
        path = self.path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return str(path)

    @property
    def passphrase(self) -> tuple[str, str]:
        """The two words that open the vault without a terminal."""
        return "--passphrase-file", self.file("passphrase", PASSPHRASE + "\n")

    def run(
        self,
        *words: str,
        stdin: str | bytes | None = None,
        code: int | None = 0,
        open_it: bool = False,
        stdout: int = subprocess.PIPE,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """One command without any terminal; `open_it` gives the passphrase from a file. Checks the exit code."""
        command = [sys.executable, "-m", "notevault", *words, *(self.passphrase if open_it else ())]
        done = subprocess.run(
            command,
            input=stdin.encode() if isinstance(stdin, str) else (stdin or b""),
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=self.env | (env or {}),
            cwd=self.path,
            start_new_session=True,
            timeout=120,
            check=False,
        )
        out = (done.stdout or b"").decode("utf-8")
        err = done.stderr.decode("utf-8")
        assert "Traceback" not in err, err
        assert code is None or done.returncode == code, (done.returncode, out, err)
        return subprocess.CompletedProcess(command, done.returncode, out, err)

    def objects(self, *words: str, **more: object) -> list[dict[str, object]]:
        """The answers of a command with --json."""
        done = self.run("--json", *words, open_it=True, **more)  # type: ignore[arg-type]
        return [json.loads(line) for line in done.stdout.splitlines()]

    def saved(self, *words: str, **more: object) -> str:
        """The id of what a command saved; its only line."""
        (line,) = self.run(*words, open_it=True, **more).stdout.splitlines()  # type: ignore[arg-type]
        assert line.startswith("saved ")
        return line.removeprefix("saved ")

    def log_size(self) -> int:
        """Entries under the signed state of the only log."""
        (checkpoint,) = self.vault.glob("audit/*/checkpoint")
        return int(checkpoint.read_text().split("\n")[1])

    def copy(self, to: Path) -> Home:
        """As it lies on the disk, links and permissions included; as another computer's, which knows no other place."""
        shutil.copytree(self.path, to, symlinks=True)
        there = Home(to)
        for place in there.path.glob(".local/state/notevault/*/place"):
            place.unlink()
        return there


def empty_home(path: Path) -> Home:
    path.mkdir(mode=0o700)
    (path / "run").mkdir(mode=0o700)
    return Home(path)


def home_with_vault(path: Path) -> Home:
    home = empty_home(path)
    subprocess.run(
        [sys.executable, "-c", MAKE, str(home.sheet)],
        input=PASSPHRASE,
        text=True,
        env=home.env,
        check=True,
        start_new_session=True,
    )
    home.sheet.chmod(0o600)
    return home
