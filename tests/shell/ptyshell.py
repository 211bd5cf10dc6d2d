"""The whole shell on a real pty: pexpect starts it and types, pyte shows what a person would see.

    with Shell(home) as shell:
        shell.until("Passphrase")
        shell.type("four blue horses sing\\r")
Nothing sleeps for a guessed time: `until` waits for what is to appear and fails with the screen as it is.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pyte

from notevault.adapters.clock import SystemClock
from notevault.adapters.entropy import SystemEntropy
from notevault.adapters.files import DiskFiles
from notevault.adapters.machine import SystemMachine
from notevault.adapters.places import default_vault, local_root, secrets_folder
from notevault.crypto import kdf
from notevault.domain import clients
from notevault.domain.notes import Note
from notevault.vault import found, rekey, unlock
from notevault.vault.env import Env
from notevault.vault.notebook import Notebook
from notevault.vault.session import Session
from notevault.wiring.unlocked import _FilesIn

PATIENCE_S = 40.0  # two cores, shared; a passing test never waits this long
PASSPHRASE = "four blue horses sing"
COST = kdf.KdfParams(64 * kdf.MIB, 4, 4)
"""Cheap, and not below the policy: nothing is wrapped anew at unlock."""
QUIET_S, SETTLING_S = 0.12, 2.0  # a redraw comes in one burst; a countdown redraws once a second
CTRL_L, ESC, F8, LEFT, UP, DOWN = "\x0c", "\x1b", "\x1b[19~", "\x1b[D", "\x1b[A", "\x1b[B"
_ROOT = Path(__file__).resolve().parent.parent.parent
_START = (
    "import sys; from notevault.shell.parent import main; from notevault.wiring.locked import locked_side;"
    "sys.exit(main(locked_side(None), plain='plain' in sys.argv, demo='demo' in sys.argv))"
)


def disk_env() -> Env:
    """The real ports in the test's own HOME, secrets in the file store."""
    files = DiskFiles()
    return Env(SystemClock(), SystemEntropy(), files, SystemMachine(), _FilesIn(secrets_folder(), files), local_root())


_made: dict[bool, Path] = {}


def make_vault(*, sheet: bool = True) -> None:
    """A small vault where the shell looks for one: a client, a note and (`sheet`) a confirmed recovery sheet.

    Made once a run, for it costs a second, and copied into each test's own HOME: no file in it knows where it lies.
    """
    home = Path(os.environ["HOME"])
    if sheet in _made:
        shutil.copytree(_made[sheet], home, dirs_exist_ok=True)
        for place in local_root().glob("*/place"):
            place.unlink()  # else the one it was copied from, which is still there, counts as the vault itself
        return
    _make(sheet)
    kept = Path(tempfile.mkdtemp(prefix="made-", dir=home.parent.parent)) / "home"
    shutil.copytree(home, kept)
    _made[sheet] = kept


def _make(sheet: bool) -> None:
    env = disk_env()
    session, _ = found.create(env, default_vault(), kdf.normalise(PASSPHRASE), COST)
    notebook = Notebook(session)
    now = env.clock.wall_ms()
    view = notebook.add_client(clients.new_client("Anna Berg", "C-014", None, now))
    notebook.add_note(view.id, Note("Slept four hours.", now - 86_400_000, 0, now, now))
    if sheet:
        rekey.confirm_sheet(session)
    assert session.close("exit") == []


def open_vault() -> Session:
    return unlock.unlock(disk_env(), default_vault(), kdf.normalise(PASSPHRASE), shell=False)


class Shell:
    def __init__(self, *words: str, columns: int = 80, rows: int = 24, **extra: str) -> None:
        env = dict(os.environ) | {"TERM": "xterm-256color", "PYTHONPATH": str(_ROOT)} | extra
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.process = pexpect.spawn(
            sys.executable,
            ["-P", "-c", _START, *words],
            env=env,
            dimensions=(rows, columns),
            timeout=PATIENCE_S,
            echo=True,
        )
        self.process.delaybeforesend = None
        self._hung_up = False
        self.before = termios.tcgetattr(self.process.child_fd)

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in [*self.children(), self.process.pid]:
            with_gone(lambda pid=pid: os.kill(pid, signal.SIGKILL))
        if not self._hung_up:
            self.process.close(force=True)

    # Looking

    def read(self, wait_s: float = 0.05) -> None:
        try:
            data = self.process.read_nonblocking(65_536, timeout=wait_s)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.raw += data
        self._stream.feed(data)

    @property
    def text(self) -> str:
        return "\n".join(row.rstrip() for row in self.screen.display)

    @property
    def flat(self) -> str:
        """The screen as one line, for sentences that wrap."""
        return " ".join(self.text.split())

    @property
    def cursor(self) -> tuple[int, int]:
        return self.screen.cursor.x, self.screen.cursor.y

    def until(self, wanted: str | Callable[[], object]) -> None:
        held = (lambda: wanted in self.flat) if isinstance(wanted, str) else wanted
        end = time.monotonic() + PATIENCE_S
        while not held():
            if time.monotonic() > end:
                raise AssertionError(f"{wanted!r} never came; the screen is:\n{self.text}")
            self.read()
        self.settle()

    def settle(self) -> None:
        """Take in the rest of a redraw: what was waited for may be its first line, and the test looks at the last."""
        end = time.monotonic() + SETTLING_S
        while time.monotonic() < end:
            before = len(self.raw)
            self.read(QUIET_S)
            if len(self.raw) == before:
                return

    def type(self, keys: str) -> None:
        self.process.send(keys)

    def until_ended(self) -> int:
        """Wait for the parent's end; its exit status."""
        end = time.monotonic() + PATIENCE_S
        while self.process.isalive():
            assert time.monotonic() < end, f"it never ended; the screen is:\n{self.text}"
            self.read()
        self.settle()
        self.process.wait()
        return self.process.exitstatus if self.process.exitstatus is not None else -(self.process.signalstatus or 0)

    def hang_up(self) -> None:
        """Close the terminal, as when its window is closed."""
        self._hung_up = True
        self.process.ptyproc.fileobj.close()

    # Steps that many tests take

    def unlock(self) -> None:
        self.until("Passphrase")
        self.type(PASSPHRASE + "\r")

    def to_new_note(self) -> None:
        """From home into the editor, on a new free note for C-014."""
        self.until("notevault>")
        self.type("new c-014\r")
        self.until("1 free")
        self.type("1")
        self.until("^S save")

    # Processes and the terminal

    def children(self) -> list[int]:
        """Processes whose parent is the shell's parent."""
        return [pid for pid, parent in processes() if parent == self.process.pid]

    def child(self) -> int:
        (pid,) = self.children()
        return pid

    def terminal_is_as_before(self) -> bool:
        now = termios.tcgetattr(self.process.child_fd)
        return now[:4] == self.before[:4]


def with_gone(act: Callable[[], object]) -> None:
    """A process that has ended already is no fault."""
    try:
        act()
    except ProcessLookupError:
        return


def processes() -> list[tuple[int, int]]:
    """(pid, parent's pid) of all that live; zombies are dead."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            except (OSError, ValueError):
                continue
            if state != "Z":
                found.append((int(entry.name), int(parent)))
    return found


def is_alive(pid: int) -> bool:
    return any(pid == each for each, _ in processes())
