"""The backup worker as the shell's parent hosts it: a process of its own without any key, alive also while locked.

    nothing     the vault is not known yet, no backup place was added, the folder is a copy of a vault, or a demo
    running     `notevault _worker --vault DIR`; it backs up by itself for as long as its standard input is open
    gone        it ended though nobody told it to: started again after AGAIN_MS, later and later
    told        its standard input is closed: it brings what is waiting to the places and ends, with us or after us
Started only when the first screen has had its time. Nothing here waits for it but the very end (`end`), and that
LEAVE_S at most. The parent reads names of folders only; no state, no log.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from notevault.adapters.files import DiskFiles
from notevault.storage.local import LocalState
from notevault.wiring.locked import LockedSide, self_command, self_environment

FIRST_MS = 1_500
"""After the vault is known: the child that shows the first screen has the processor until then."""
LOOK_MS = 5_000
"""Between two looks whether a first backup place was added, here or by a command."""
AGAIN_MS = (5_000, 30_000, 300_000)
EARLY_MS, DEAD_ENDS = 20_000, 2
"""One that ran for less has not done anything; after so many the shell says so."""
LASTED_MS = 600_000
"""One that ran for so long is started again soon."""
LEAVE_S = 2.0
POLL_S = 0.02
LAST_WORDS = "Backing up the last changes\u2026"
LATER_WORDS = "The backup goes on by itself."
LOOK = b"look\n"
"""A line on its standard input: something may have changed, look now."""


class HostedWorker:
    def __init__(self, side: LockedSide, command: Sequence[str] | None = None) -> None:
        """`command`: what is started; the worker of this program by itself."""
        self._side = side
        self._command = command or self_command("_worker", "--vault", str(side.vault))
        self._vault: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0
        self._started = self._ends = 0
        self._early = 0  # ends in a row
        self.waits = False
        """Whether something is not in a backup, as far as the child knows."""

    def know(self, vault: str, now: int) -> None:
        """The vault's id, 32 hexadecimal digits: the shell's lock on it is held. `now`: `clock.boot_ms()`."""
        if self._vault is None:
            self._vault = vault
            self._not_before = now + FIRST_MS

    def look(self, now: int) -> None:
        """About once a second; never waits."""
        if self._process is not None:
            if self._process.poll() is not None:
                self._drop()
                self._early = 0 if now - self._started > EARLY_MS else self._early + 1
                self._ends = 0 if now - self._started > LASTED_MS else self._ends
                self._not_before = now + AGAIN_MS[min(self._ends, len(AGAIN_MS) - 1)]
                self._ends += 1
        elif self._vault is not None and now >= self._not_before:
            self._not_before = now + LOOK_MS
            if self._has_place(self._vault) and not self._is_copy(self._vault):
                self._started = now
                self._start()

    def is_dead(self, now: int) -> bool:
        """Whether it ends early each time that it is started: then nothing is backed up by itself."""
        lasts = self._process is not None and now - self._started > EARLY_MS
        return self._early >= DEAD_ENDS and not lasts

    def hint(self, now: int) -> None:
        """A place was added, or a backup was asked for: look at once."""
        if self._process is None:
            self._not_before = min(self._not_before, now)
            self.look(now)
        elif self._process.stdin is not None:
            with suppress(OSError, ValueError):  # it has just ended, or reads no more: the next look says
                self._process.stdin.write(LOOK)

    def end(self, say: Callable[[str], None] | None) -> None:
        """Close its input. With `say` and something that waits: for LEAVE_S at most, said; else at once."""
        process = self._process
        if process is None:
            return
        self._close_input()
        if say is not None and self.waits and process.poll() is None:
            say(LAST_WORDS)
            until = time.monotonic() + LEAVE_S
            while process.poll() is None and time.monotonic() < until:
                time.sleep(POLL_S)
            if process.poll() is None:
                say(LATER_WORDS)
        process.returncode = process.poll() or 0  # it may outlive us, and nobody is left to wait for it
        self._process = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def _root(self, vault: str) -> Path:
        return self._side.local_root / vault

    def _has_place(self, vault: str) -> bool:
        with suppress(OSError), os.scandir(self._root(vault) / "backup") as found:
            return any((Path(each.path) / "place").is_file() for each in found if each.is_dir(follow_symlinks=False))
        return False

    def _is_copy(self, vault: str) -> bool:
        """As `vault.survey.copy_of`, from afar: the vault itself lies elsewhere, and its places are not this copy's."""
        place = LocalState(DiskFiles(), self._root(vault)).place()
        if place is None or place == str(self._side.vault):
            return False
        with suppress(OSError):
            return any((Path(place) / "headers").iterdir())
        return False

    def _start(self) -> None:
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        with suppress(OSError):  # no more processes: the next look tries again
            started = subprocess.Popen(  # noqa: S603 - this program itself, with words of our own
                list(self._command),
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self_environment(),
                cwd=self._side.local_root,  # a folder on a stick must not be held by us
                start_new_session=True,  # it must not go with the terminal
                creationflags=flags,
            )
            if started.stdin is not None and sys.platform != "win32":
                os.set_blocking(started.stdin.fileno(), False)  # a worker that does not read keeps nobody waiting
            self._process = started

    def _close_input(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def _drop(self) -> None:
        self._close_input()
        self._process = None
