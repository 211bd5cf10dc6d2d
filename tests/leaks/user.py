"""An ordinary user without a password entry, with folders of her own, who runs the product; we, root, look on.

The product is run by the interpreter of the tests where that user can reach it. Otherwise (a Python below root's
closed home) by the system's Python of the same version, from a stage: the very files of the product and of the
packages that it needs, hard links where possible, in a folder that everybody may read. No capability is lent to her
process, since one with more rights than a user has would prove less.

Her umask is 000, her core files are unlimited: what is closed was closed by the product itself.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import notevault
from tests.leaks import scan_memory
from tests.leaks.canary import Needle, key_needles

if TYPE_CHECKING:
    from tests.leaks.ground import Disk

PACKAGE = Path(notevault.__file__).resolve().parent


@dataclass
class Done:
    code: int
    out: bytes
    err: bytes

    def text(self) -> str:
        return self.out.decode() + self.err.decode()


@dataclass
class Person:
    """`base` is walked through by everybody, `private` holds HOME and TMPDIR, `run` is her runtime folder in memory."""

    uid: int
    base: Path
    private: Path
    python: str
    path: str | None  # PYTHONPATH, where the product is not installed for her interpreter
    run: Path
    disk: Disk | None = None

    @cached_property
    def env(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "XDG_RUNTIME_DIR": str(self.run),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            **({"PYTHONPATH": self.path} if self.path else {}),
        }

    @property
    def home(self) -> Path:
        return self.private / "home"

    @property
    def tmp(self) -> Path:
        return self.private / "tmp"

    @property
    def vault(self) -> Path:
        return self.home / ".local/share/notevault/vault"

    def file(self, name: str, data: bytes) -> Path:
        """A file of hers outside what is scanned, 0600: a passphrase, an original to import."""
        path = self.base / "desk" / name
        path.write_bytes(data)
        path.chmod(0o600)
        os.chown(path, self.uid, self.uid)
        return path

    def command(self, *words: str) -> list[str]:
        return [self.python, "-P", "-m", "notevault", *words]

    def become_her(self) -> None:
        """In the new process, before the program starts."""
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.setgroups([])
        os.setresgid(self.uid, self.uid, self.uid)
        os.setresuid(self.uid, self.uid, self.uid)
        os.umask(0)

    def start(self, argv: Sequence[str], **more: Any) -> subprocess.Popen[bytes]:
        """A process of hers, without a terminal: nothing can be asked for."""
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        return subprocess.Popen(
            list(argv), env=self.env, cwd=self.home, preexec_fn=self.become_her, start_new_session=True, **streams
        )

    def does(self, *words: str, stdin: bytes = b"", timeout: float = 120) -> Done:
        """One command of the product, to its end."""
        process = self.start(self.command(*words))
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Done(process.returncode, out, err)

    def processes(self) -> list[int]:
        return scan_memory.processes_of(self.uid)


_KEYS = """
import base64, json, sys
from pathlib import Path
from notevault.app import opening
from notevault.wiring.locked import locked_side
from notevault.wiring.unlocked import make_env
side = locked_side(sys.argv[1])
session = opening.open_vault(make_env(side), side.vault, sys.stdin.readline().rstrip("\\n"), shell=False, keep_okm=True)
table = session.keys.table
found = {"VK": session.keys.vk, "slot key": session.keys.okm, "VIK": table.vik_seed}
found |= {f"key {purpose}/{generation}": key for (purpose, generation), key in table.wide.items()}
found |= {f"client key {owner.hex()}/{generation}": key for (owner, generation), key in table.clients.items()}
found |= {"log identity": session.log_item.identity_seed, "log epoch": session.log_item.epoch_seed}
session.close("")
print(json.dumps({name: key.hex() for name, key in found.items()}))
"""


def keys_of(person: Person, vault: Path, passphrase: str) -> dict[str, bytes]:
    """Every key of the vault, read by a process of hers that has ended when this returns."""
    process = person.start([person.python, "-c", _KEYS, str(vault)])
    out, err = process.communicate(passphrase.encode() + b"\n", 120)
    assert process.returncode == 0, err.decode()
    return {name: bytes.fromhex(key) for name, key in json.loads(out).items()}


def needles_of(keys: dict[str, bytes]) -> list[Needle]:
    """All forms of each key; of client keys, which are many and spare for the most part, their bytes."""
    found: list[Needle] = []
    for name, key in keys.items():
        found += key_needles(name, key)[: 1 if name.startswith("client key") else None]
    return found
