"""A pair of hands at the real shell, on a real pty. Every act notes when it was done and what the log must say of it.

What an act must leave in the log is written down by the act itself, from docs/FORMAT.md 6.3 and never from the log:
`Expected` entries in their order. The hands wait until the log has grown by so many entries, and no longer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.cli.homes import Home
from tests.shell.ptyshell import CTRL_L, ESC, Shell

ENTER, CTRL_S, CTRL_G = "\r", "\x13", "\x07"
PROMPT = "notevault>"
EDITOR, READING = "^S save", "^F find F8 names"


@dataclass(frozen=True)
class Expected:
    """One entry: event, letter, purpose, outcome, and those fields of `k` that can be known beforehand."""

    ev: str
    a: str
    pu: str = "care"
    o: str = "ok"
    k: Mapping[str, Any] = field(default_factory=dict)


OPENED = Expected("record.open", "R")
LISTED, LOOKED = Expected("session.list", "R"), Expected("session.list", "R", "review")
UNLOCKED = Expected("session.open", "E", k={"how": "passphrase"})
FAILED = Expected("session.fail", "E", "system", "fail", {"n": 1, "why": "passphrase"})
CREATED, REVISED = Expected("record.write", "C"), Expected("record.write", "U")
BROUGHT_IN = Expected("record.write", "C", "import")
SIGNED = Expected("record.sign", "U")
SEARCHED = Expected("search.run", "R")
CLOSED = Expected("epoch.close", "E", "system")


@dataclass(frozen=True)
class Act:
    """What was done, from when to when (ms since 1970), and what the log must have of it."""

    what: str
    expected: tuple[Expected, ...]
    began: int
    ended: int


def wall_ms() -> int:
    return time.time_ns() // 1_000_000  # noqa: TID251  to compare with the log's own times


class Quick(Shell):
    """It does not wait for the rest of a redraw: every act here ends with words that come last, or with the log."""

    def settle(self) -> None:
        self.read(0.03)


@dataclass
class Note:
    """As the hands remember it."""

    text: str
    signed: bool = False


@dataclass
class Door:
    """One person at the shell: how an act is done, and the acts of coming and going (`hand.Hand` has the others).

    `notes` by the client's code, the newest last; `acts` in the order in which they were done.
    """

    home: Home
    passphrase: str
    acts: list[Act] = field(default_factory=list)
    notes: dict[str, list[Note]] = field(default_factory=dict)
    size: int = 0
    locks: int = 0
    open_shell: Shell | None = None
    _listed: bool = False

    @property
    def shell(self) -> Shell:
        assert self.open_shell is not None, "a window is open"
        return self.open_shell

    # -- how an act is done

    @contextmanager
    def act(self, what: str, *expected: Expected) -> Iterator[None]:
        began = wall_ms()
        yield
        self.size += len(expected)
        self.shell.until(lambda: self.home.log_size() >= self.size)
        self.acts.append(Act(what, expected, began, wall_ms()))

    def line(self, text: str, then: str) -> None:
        """A line at the prompt: seen before Enter, so that an older answer is not taken for this one's."""
        self.shell.until(PROMPT)
        self.shell.type(text)
        self.shell.until(f"{PROMPT} {text}")
        self.shell.type(ENTER)
        self.shell.until(then)

    def back(self) -> None:
        self.shell.type(ESC)
        self.shell.until(PROMPT)

    def listing(self) -> tuple[Expected, ...]:
        """Names are shown at home; that is entered once for each unlock."""
        first, self._listed = not self._listed, True
        return (LISTED,) if first else ()

    # -- the door

    def start(self) -> None:
        """The window is opened; that alone is no act."""
        home = self.home.path
        folders = {"DATA": ".local/share", "STATE": ".local/state", "CONFIG": ".config", "CACHE": ".cache"}
        places = {f"XDG_{name}_HOME": str(home / path) for name, path in folders.items()}
        places |= {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run"), "TZ": "UTC", "LANG": "C.UTF-8"}
        self.open_shell = Quick(columns=80, rows=24, **places)

    def unlock(self) -> None:
        self._listed = False
        with self.act("unlock", UNLOCKED, *self.listing()):
            self._pass(PROMPT)

    def unlock_into_note(self) -> None:
        """After a lock over an open note the shell goes back to that note; home, and its names, come later."""
        self._listed = False
        with self.act("unlock into the note", UNLOCKED, OPENED):
            self._pass(EDITOR)

    def _pass(self, then: str) -> None:
        self.shell.until("Your passphrase opens the vault")
        self.shell.type(self.passphrase + ENTER)
        self.shell.until(then)

    def wrong(self, typed: str) -> None:
        with self.act("a wrong passphrase", FAILED):
            self.shell.until("Your passphrase opens the vault")
            self.shell.type(typed + ENTER)
            self.shell.until("That is not the passphrase")

    def lock(self) -> None:
        self._end("lock", "key", lambda: self.shell.type(CTRL_L))
        self.shell.until("Locked.")

    def leave(self) -> None:
        self._end("leave", "exit", lambda: self.line("quit", ""))
        assert self.shell.until_ended() == 0
        self._gone()

    def hang_up(self) -> None:
        """The window is closed with everything open."""
        self._end("close the window", "hangup", self.shell.hang_up, gone=True)
        self._gone()

    def _end(self, what: str, why: str, do: Any, *, gone: bool = False) -> None:
        self.locks += 1
        expected = (locked(why), CLOSED)
        if not gone:
            with self.act(what, *expected):
                do()
            return
        began = wall_ms()
        do()
        self.size += len(expected)
        end = time.monotonic() + 60
        while self.home.log_size() < self.size or self.shell.process.isalive():
            assert time.monotonic() < end, "it never ended"
            time.sleep(0.02)
        self.acts.append(Act(what, expected, began, wall_ms()))

    def _gone(self) -> None:
        shell, self.open_shell = self.shell, None
        shell.__exit__()


def locked(why: str) -> Expected:
    return Expected("session.lock", "E", k={"why": why})
