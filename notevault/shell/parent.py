"""The shell's parent: it owns the terminal and starts one child after the other; it never holds a key or a text.

    child's end            what follows
    0, 64..77, 130         the shell ends with that status (a `say` line tells why)
    LOCKED (10)            the next child, which asks to unlock and returns to the note
    ended as overdue       the same (`overdue`)
    a signal, 70, others   the same, and the user is told that her text is kept; three times in CRASH_SPAN_MS: the end
Interrupts are ignored, a hang-up or a request to end is passed on and waited for. The locks of the vault are held
here, so that no second shell comes in between two children. Backups are made by a process of its own, hosted here
(`hosted`); a demo has none.
"""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

from notevault.errors import Busy, NotevaultError
from notevault.shell.control import LOCKED, Channel
from notevault.shell.hosted import HostedWorker
from notevault.shell.overdue import Overdue
from notevault.shell.terminal import both_ends_are_terminals, is_dumb, this_screen, write
from notevault.wiring.locked import (
    DemoPlace,
    LockedSide,
    demo_place,
    hold_lock,
    protect_process,
    self_command,
    self_environment,
)

CRASHES = 3
CRASH_SPAN_MS = 60_000
PATIENCE_MS = 15_000
"""How long a child may take to seal after it was told to end; a lock waits at most 2 s for the key store."""
_PLAIN_ENDS = frozenset({0, 64, 65, 66, 69, 73, 74, 75, 77, 130})
CRASH_WORDS = "The window stopped unexpectedly. Your text is kept."
STUCK_WORDS = "The window did not answer any more, so it was closed to lock the vault. What it was doing may be undone."
STOP_WORDS = (
    "notevault stopped unexpectedly three times in a row, so it does not start again by itself.\n"
    "What was saved is safe, and unsaved text is kept as a draft.\n"
    "Next: `notevault doctor` looks for the cause; `notevault` tries again.\n"
)


def main(side: LockedSide, *, plain: bool, demo: bool = False) -> int:
    """Run the shell until it is left; the exit status. Prints its own sentences, raises nothing."""
    protect_process()
    if not both_ends_are_terminals():
        sys.stderr.write("The shell needs a terminal.\n`notevault --help` shows the commands that do not.\n")
        return 64
    try:
        with ExitStack() as stack:
            place = stack.enter_context(demo_place()) if demo else None
            return _Parent(side, place, plain=plain or is_dumb(), stack=stack).run()
    except NotevaultError as fault:
        sys.stderr.write(f"{fault.sentence}\n{fault.next_step}\n")
        return fault.exit_code


class _Parent:
    def __init__(self, side: LockedSide, place: DemoPlace | None, *, plain: bool, stack: ExitStack) -> None:
        self._side, self._place, self._plain, self._stack = side, place, plain, stack
        self._screen = this_screen(full=not plain)
        self._held: set[str] = set()
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._after = "start"
        self._words = ""
        self._ending: int | None = None  # the signal that told us to end
        self._deadline = 0
        self._lock = Overdue()
        self._worker = HostedWorker(side) if place is None else None

    def run(self) -> int:
        self._catch_signals()
        self._screen.enter()
        code = 70
        crashes: list[int] = []
        try:
            while True:
                code = self._one_child()
                self._screen.between()
                if self._ending is not None:
                    code = 128 + self._ending
                    break
                if self._lock.ended:
                    self._after, self._words, code = "idle", f"{self._words}{STUCK_WORDS}\n", LOCKED
                if code in _PLAIN_ENDS:
                    break
                if code != LOCKED:
                    now = self._side.clock.boot_ms()
                    crashes = [at for at in crashes if now - at < CRASH_SPAN_MS] + [now]
                    if len(crashes) == CRASHES:
                        self._words, code = STOP_WORDS, 70
                        break
                    self._after = "crash"
        finally:
            self._screen.restore()
            if self._worker is not None:
                asked = self._ending is None and code in _PLAIN_ENDS
                self._worker.end((lambda words: write(f"{words}\n")) if asked else None)
        if self._words:
            write(self._words.rstrip("\n") + "\n")
        return code

    def _one_child(self) -> int:
        """Start a child and wait for its end; its exit status, negative for a signal."""
        ours, theirs = socket.socketpair() if sys.platform != "win32" else (None, None)
        fd = -1 if theirs is None else theirs.fileno()
        words = ["_child", "--after", self._after, "--control", str(fd), "--vault", str(self._side.vault)]
        words += ["--plain"] if self._plain else []
        words += ["--demo", str(self._place.folder)] if self._place else []
        self._after, self._lock = "key", Overdue()
        self._child = subprocess.Popen(  # noqa: S603 - this program itself, with words of our own
            self_command(*words),
            env=self_environment(),
            pass_fds=() if theirs is None else (fd,),
            restore_signals=False,  # the child goes on ignoring interrupts
        )
        if theirs is not None:
            theirs.close()
        self._channel = Channel(ours)
        try:
            self._listen(self._channel)
            return self._wait()
        finally:
            self._channel.close()
            self._child = None

    def _listen(self, channel: Channel) -> None:
        """Answer the child until it closes its end, which it does by ending."""
        told_dead = False
        while channel.there and not channel.gone and not self._overdue():
            with suppress(InterruptedError):
                if select.select([channel], [], [], 1.0)[0]:
                    for line in channel.receive():
                        self._answer(channel, line)
            self._enforce()
            if self._worker is not None:
                now = self._side.clock.boot_ms()
                self._worker.look(now)
                if (dead := self._worker.is_dead(now)) != told_dead:
                    told_dead = dead
                    channel.send(f"worker {'dead' if dead else 'runs'}")

    def _answer(self, channel: Channel, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "hold":
            channel.send("held" if self._hold(rest) else "busy")
        elif word == "pass":
            channel.send(f"pass {self._place.passphrase if self._place else ''}")
        elif word == "until":
            self._lock.promise(rest)
        elif word == "after":
            self._after = rest
        elif word == "words":
            channel.send(f"words {self._words}")
            self._words = ""
        elif word == "say":
            self._words += rest + "\n"
        elif word == "backup" and self._worker is not None:
            self._worker.waits = rest == "waits" or (rest != "safe" and self._worker.waits)
            if rest == "now":
                self._worker.hint(self._side.clock.boot_ms())

    def _hold(self, name: str) -> bool:
        if name in self._held:
            return True
        try:
            self._stack.enter_context(hold_lock(self._side if self._place is None else self._place.side, name))
        except Busy:
            return False
        self._held.add(name)
        if self._worker is not None and name != "setup":
            self._worker.know(name, self._side.clock.boot_ms())
        return True

    def _wait(self) -> int:
        assert self._child is not None
        while True:
            try:
                return self._child.wait(1.0)
            except subprocess.TimeoutExpired:
                self._enforce()
                if self._overdue():
                    self._child.kill()

    def _enforce(self) -> None:
        """The lock that the child promised."""
        assert self._child is not None
        step = self._lock.look(self._side.clock.boot_ms())
        if step == "end":
            self._child.terminate()
        elif step == "kill":
            self._child.kill()

    def _overdue(self) -> bool:
        return self._ending is not None and self._side.clock.boot_ms() > self._deadline

    def _catch_signals(self) -> None:
        for name in ("SIGINT", "SIGQUIT", "SIGTSTP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_IGN)
        for name in ("SIGHUP", "SIGTERM"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), self._told_to_end)

    def _told_to_end(self, number: int, _frame: object) -> None:
        if self._ending is None:
            self._ending, self._deadline = number, self._side.clock.boot_ms() + PATIENCE_MS
        if self._channel is not None:
            self._channel.send(f"quit {'exit' if number == signal.SIGTERM else 'hangup'}")
