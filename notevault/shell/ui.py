"""What a use of the shell needs to ask and to show: one protocol, full screen (`stage`) or line by line (`plain`).

Flows (wizard, unlocking, commands) are written against it once, so both ways of working offer the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from notevault.shell.editor_job import EditorHooks, EditorJob, EditorResult
from notevault.shell.home import HomeScreen
from notevault.shell.idle import Idle
from notevault.shell.paint import Row
from notevault.shell.screens import Check, Rows, Words

T = TypeVar("T")
Progress = Callable[[str], None]
Items = Callable[[int, bool], Sequence[Sequence[Row]]]


class Leave(Exception):
    """No fault: the way out of every screen at once. `reason`: key, idle, suspend (lock); exit; hangup, gone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


ENDS = ("exit", "hangup", "gone")
"""Reasons that no lock may stand in for: they end the shell, and a question asked meanwhile has nobody to answer it."""


def graver(leaving: str | None, reason: str) -> str:
    """The reason to leave for, when `leaving` was one already."""
    return reason if leaving is None or (reason in ENDS and leaving not in ENDS) else leaving


class Ui(Protocol):
    """Every method that waits for the user raises Leave when the shell is to be locked or left."""

    names_hidden: bool
    idle: Idle
    leaving: str | None
    is_plain: bool
    news: list[str]
    """What went wrong while the vault was being locked: said by all that is asked until it is open again."""

    async def ask(
        self,
        title: Words,
        text: Sequence[Words],
        label: str,
        *,
        initial: str = "",
        secret: bool = False,
        revealable: bool = False,
        check: Check | None = None,
        live: Callable[[str], str] | None = None,
        private: bool = False,
    ) -> str | None:
        """An answer that `check` had nothing against; None to go back. `private`: as names are, `initial` may be hidden
        while it is asked.
        """
        ...

    async def confirm(self, title: Words, text: Sequence[Words], question: str, *, default: bool | None) -> bool | None:
        """Yes, no, or None to go back. `default` None: it vouches for something, so Enter alone is no answer, and keys
        that were pressed before the question appeared are thrown away.
        """
        ...

    async def choose(
        self, title: Words, text: Sequence[Words], items: Items, *, selected: int = 0, numbered: bool = False
    ) -> int | None: ...

    async def page(self, title: Words, rows: Rows, *, at_end: bool = False) -> None:
        """Something to read; `at_end`: its last rows are seen first."""
        ...

    async def work(self, title: Words, text: Sequence[Words], job: Callable[[Progress], T]) -> T:
        """Run `job` in a thread, showing what it says of its progress. Its exceptions come out here."""
        ...

    async def home(self, screen: HomeScreen) -> str | int | None:
        """A command line, or the place of the row to be opened, or None to look again."""
        ...

    def home_changed(self, said: Sequence[str]) -> None:
        """What `home` shows was changed meanwhile; `said` is new in it."""
        ...

    async def edit(self, job: EditorJob, hooks: EditorHooks) -> EditorResult: ...

    def leave(self, reason: str) -> None:
        """From a key, a countdown, a signal: everything that waits raises Leave."""
        ...

    async def tick(self) -> None:
        """To run beside everything else."""
        ...

    def terminal(self) -> AbstractContextManager[None]:
        """Around everything: the terminal as this way of working needs it."""
        ...

    def waiting(self, words: str) -> None:
        """Said while a thread works, from that thread: the system's key store waits for its own dialog."""
        ...

    def cover(self) -> None:
        """Before the vault is closed: nothing readable stays on the screen meanwhile."""
        ...

    def farewell(self, reason: str) -> None:
        """The last words, after the vault is closed."""
        ...


def rows_of(*lines: str) -> Rows:
    """A page of plain text, wrapped to the width."""
    from notevault.shell.paint import wrapped

    return lambda width, _hidden: [row for line in lines for row in wrapped(line, min(width, 76))]


def options(*labels: str) -> Items:
    """The entries of a short choice; a second line after a newline explains."""
    return lambda _width, _hidden: [[[("", part)] for part in label.split("\n")] for label in labels]
