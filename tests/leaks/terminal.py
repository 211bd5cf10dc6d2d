"""The shell in a real pseudo-terminal, as an ordinary user: keys go in, pyte reads the screen, every byte is kept."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from types import TracebackType

import pexpect
import pyte

from tests.leaks import scan_memory
from tests.leaks.user import Person

PATIENCE_S = 40.0  # Argon2 takes a second on an idle machine; a passing test never waits this long
QUIET_S, SETTLING_S = 0.12, 2.0  # a redraw comes in one burst; a countdown redraws once a second
CTRL_L, CTRL_G, ENTER, ESC, TAB = "\x0c", "\x07", "\r", "\x1b", "\t"
ENTERED, LEFT = b"\x1b[?1049h", b"\x1b[?1049l"
TITLE = re.compile(rb"\x1b\](\d+);(.*?)(?:\x07|\x1b\\)", re.DOTALL)


class Shell:
    """`notevault` in a window of 100 x 30."""

    def __init__(self, person: Person, *words: str) -> None:
        self.person = person
        self.screen = pyte.HistoryScreen(100, 30, history=10_000)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        command, *arguments = person.command(*words)
        self.process = pexpect.spawn(
            command,
            arguments,
            env=person.env,
            cwd=str(person.home),
            dimensions=(30, 100),
            preexec_fn=person.become_her,
            timeout=None,
            echo=True,
        )
        self.process.delaybeforesend = None

    def __enter__(self) -> Shell:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.process.close(force=True)

    # What is seen

    @property
    def text(self) -> str:
        return "\n".join(row.rstrip() for row in self.screen.display)

    def read(self, seconds: float = 0.05) -> bool:
        """Take in what has come; whether the terminal is still held by anybody."""
        try:
            data = self.process.read_nonblocking(1 << 16, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    def until(self, wanted: str | Callable[[], object], seconds: float = PATIENCE_S) -> None:
        held = (lambda: wanted in self.text) if isinstance(wanted, str) else wanted
        end = time.monotonic() + seconds
        while not held():
            if not self.read() and not held():
                raise AssertionError(f"the shell ended before {wanted!r} came:\n{self.text}")
            assert time.monotonic() < end, f"{wanted!r} never came; the screen is:\n{self.text}"
        self._settle()

    def _settle(self) -> None:
        """Take in the rest of a redraw: what was waited for may be its first line, and the test looks at the last."""
        end = time.monotonic() + SETTLING_S
        while time.monotonic() < end:
            before = len(self.raw)
            if not self.read(QUIET_S) or len(self.raw) == before:
                return

    def type(self, keys: str, then: str | Callable[[], object] | None = None) -> None:
        self.process.send(keys.encode())
        if keys.endswith(ESC):  # the silence that makes it an Escape
            quiet = time.monotonic() + 0.4
            while time.monotonic() < quiet and self.read(0.1):
                pass
        if then is not None:
            self.until(then)

    def ended(self) -> int:
        """Wait for the shell's end; its exit status (128 + n for a signal)."""
        end = time.monotonic() + PATIENCE_S
        while self.read():
            assert time.monotonic() < end, f"the shell did not end; the screen is:\n{self.text}"
        self.process.wait()
        return int(self.process.exitstatus if self.process.exitstatus is not None else 128 + self.process.signalstatus)

    # What runs

    @property
    def parent(self) -> int:
        return int(self.process.pid)

    @property
    def child(self) -> int:
        """The process that works unlocked or asks for the passphrase."""
        found = [pid for pid in scan_memory.pids() if scan_memory.parent_of(pid) == self.parent]
        found = [pid for pid in found if scan_memory.is_running(pid) and "_child" in scan_memory.command(pid)]
        assert len(found) == 1, found
        return found[0]

    def until_another_child(self, old: int) -> None:
        def another() -> bool:
            self.read(0.01)
            below = [pid for pid in scan_memory.pids() if scan_memory.parent_of(pid) == self.parent]
            return any(pid != old and "_child" in scan_memory.command(pid) for pid in below)

        assert scan_memory.wait_for(another)
        assert not scan_memory.is_running(old)

    # What the terminal keeps

    @property
    def scrolled_away(self) -> str:
        """Lines that left the screen at its top."""
        rows = [*self.screen.history.top]
        return "\n".join("".join(row[x].data for x in range(self.screen.columns)).rstrip() for row in rows)

    @property
    def outside(self) -> bytes:
        """Every byte that went to the ordinary screen, before, between and after the alternate one."""
        kept, inside = b"", False
        for part in re.split(b"(" + re.escape(ENTERED) + b"|" + re.escape(LEFT) + b")", self.raw):
            if part in (ENTERED, LEFT):
                inside = part == ENTERED
            elif not inside:
                kept += part
        return kept

    @property
    def titles(self) -> bytes:
        return b"\n".join(text for _, text in TITLE.findall(self.raw))
