"""What `nvaudit` says, and where: answers on standard output, progress and complaints on standard error.

No colour is used anywhere. Text is UTF-8 into files and pipes; a terminal that cannot show a character gets a plain one
or an escape, never an exception. Nothing that a file name may hold reaches a terminal as a control character.
A reader that has gone away changes neither the verdict nor the reports: the rest of the answer is dropped.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable
from typing import TextIO

from .cli_stop import BROKEN_IO, Stop, why

_PLAIN = str.maketrans({
    "\u00b7": "-", "\u2013": "-", "\u2014": "-", "\u2026": "...", "\u2018": "'", "\u2019": "'", "\u201c": '"',
    "\u201d": '"', "\u2192": "->", "\u00d7": "x",
})  # fmt: skip
_REDRAW_S = 0.2  # between two looks of the progress line: fast enough to live, slow enough to read
_RATE_AFTER_S = 1.0  # a rate from less than this is a guess


def prepare_streams() -> None:
    """Streams that the caller closed become the null device; the others never raise for a character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  for the process's life
            continue
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue
        if stream.isatty():
            reconfigure(errors="backslashreplace")
        else:
            reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def harmless(text: str) -> str:
    """Control characters, and those that turn the reading direction, as escapes; line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        ch if ch.isprintable() or ch in "\n\t" or "\ud800" <= ch <= "\udfff" else ascii(ch)[1:-1] for ch in text
    )


def one_line(text: str) -> str:
    """`harmless`, and line ends and tabs too: a name may hold them, and must not look like an answer of ours."""
    return harmless(text).replace("\n", "\\n").replace("\t", "\\t")


class Say:
    """`quiet`: no answers but those that a command needs, no progress."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.gone = False  # nobody reads standard output any more, or it takes nothing
        self.trouble: Stop | None = None  # why it takes nothing
        self._moving = not quiet and sys.stderr.isatty()
        self._width = 0  # of the progress line on the screen
        self._begun = self._drawn = 0.0
        self._what, self._done = "", 0

    def be_quiet(self) -> None:
        self.quiet, self._moving = True, False

    def out(self, text: str = "") -> None:
        """An answer, on one line.

        What cannot be written is dropped, and `trouble` tells: the work goes on, its verdict counts.
        """
        self._clear()
        if not self.gone:
            self._try(lambda: sys.stdout.write(_fit(sys.stdout, one_line(text)) + "\n"))

    def lines(self, lines: Iterable[str]) -> None:
        """An answer of several lines, broken at words where a terminal would break them anywhere."""
        width = min(110, shutil.get_terminal_size().columns - 1) if sys.stdout.isatty() else 0
        for line in map(one_line, lines):
            indent = len(line) - len(line.lstrip())
            if 20 < width < len(line):
                further = " " * (indent + (2 if indent else 0))
                for part in textwrap.wrap(line, width, subsequent_indent=further, break_on_hyphens=False):
                    self.out(part)
            else:
                self.out(line)

    def err(self, *lines: str) -> None:
        """A complaint or a hint."""
        self._clear()
        self.flush()  # where both go to one place, in the order in which they were said
        _to_stderr("".join(_fit(sys.stderr, one_line(line)) + "\n" for line in lines))

    def flush(self) -> None:
        if not self.gone:
            self._try(sys.stdout.flush)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except BrokenPipeError:  # nobody reads any more: `| head` is no fault
            self._drop()
        except (OSError, ValueError) as error:
            self._drop()
            self.trouble = Stop(
                BROKEN_IO,
                f"The answer could not be written to standard output ({why(error)}).",
                "Check the disk or the program that it goes to, and run the command again.",
            )

    def _drop(self) -> None:
        """Python must not complain at its end about what it could not write."""
        self.gone = True
        with contextlib.suppress(OSError, ValueError):  # not a real stream: nothing to complain about either
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)

    # -- progress, on a terminal only

    def progress(self, what: str, done: int, total: int) -> None:
        """As `check_vault` calls it: what there is to do, how much is done, how much there is in all (0: not known)."""
        if not self._moving:
            return
        now = time.monotonic()
        if what != self._what or done < self._done or not self._begun:  # a smaller number: the next log
            self._begun, self._drawn = now, 0.0
        self._what, self._done = what, done
        if now - self._drawn < _REDRAW_S:
            return
        self._drawn = now
        self._draw(progress_line(what, done, total, now - self._begun))

    def _draw(self, line: str) -> None:
        width = max(20, shutil.get_terminal_size().columns - 1)
        line = _fit(sys.stderr, line)[:width]
        _to_stderr("\r" + line.ljust(self._width))
        self._width = len(line)

    def _clear(self) -> None:
        if self._width:
            _to_stderr("\r" + " " * self._width + "\r")
            self._width = 0


def progress_line(what: str, done: int, total: int, seconds: float) -> str:
    """`log entries: 512,000 of 1,000,000 · 101,000 a second · about 5 s left`; these two once they mean something."""
    line = f"{what}: {done:,} of {total:,}" if total else f"{what}: {done:,}"
    if seconds < _RATE_AFTER_S or not done:
        return line
    rate = done / seconds
    line += f" \u00b7 {int(rate):,} a second"
    return f"{line} \u00b7 about {duration((total - done) / rate)} left" if total > done else line


def duration(seconds: float) -> str:
    whole = max(1, round(seconds))
    if whole < 90:
        return f"{whole} s"
    return f"{round(whole / 60)} min" if whole < 5400 else f"{whole / 3600:.1f} h"


def _fit(stream: TextIO, text: str) -> str:
    """For this stream: no control characters on a terminal, typographic signs in plain where it cannot show them."""
    text = harmless(text)
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8", "surrogateescape")
    except (UnicodeEncodeError, LookupError):
        return text.translate(_PLAIN)
    return text


def _to_stderr(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # nowhere left to say it; the exit code does
