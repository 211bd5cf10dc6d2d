"""What a command says, and where: data on standard output, everything else on standard error.

With --json each answer is one object on a line of its own (ASCII, keys sorted), so that a list can be read while it is
still being written. On a terminal nothing reaches it but visible characters; into a pipe or a file text goes as it is.
No colour is ever used, so NO_COLOR needs nothing.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import IO

from notevault.errors import StorageFault


def prepare_streams() -> None:
    """UTF-8 into files and pipes wherever we run; what a terminal cannot show becomes an escape, never an exception."""
    nowhere = Path(os.devnull)  # a stream that the caller closed is None here
    sys.stdout = sys.stdout or nowhere.open("w", encoding="utf-8")
    sys.stderr = sys.stderr or nowhere.open("w", encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue
        if stream.isatty():
            reconfigure(errors="backslashreplace")
        else:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def harmless(text: str) -> str:
    from notevault.shell.safe import visible

    return visible(text)


class Output:
    """`as_json` and `plain` as given on the command line."""

    def __init__(self, as_json: bool = False, plain: bool = False) -> None:
        self.as_json = as_json
        self._moving = not plain and sys.stderr.isatty()  # a line that redraws itself is noise for a screen reader
        self._shown = ""

    def saved(self, id_: str, what: str, **facts: object) -> None:
        """The acknowledgement of a durable act: one line, flushed at once."""
        if self.as_json:
            self._put(json.dumps({"saved": id_, "what": what, **facts}, sort_keys=True))
        else:
            self._put(f"saved {id_}")
        self.flush()

    def row(self, facts: dict[str, object], line: str) -> None:
        """One answer: the object with --json, else the line."""
        self._put(json.dumps(facts, sort_keys=True) if self.as_json else line)

    def text(self, text: str) -> None:
        """Words as they are (note text), and a line end where they have none."""
        self._put(text.removesuffix("\n"))

    def say(self, sentence: str) -> None:
        """A message: standard error."""
        self.clear()
        self.flush()  # where both go to one place, in the order in which they were said
        self._write(sys.stderr, sentence + "\n")

    def warn(self, sentence: str) -> None:
        self.say(f"Note: {sentence}")

    def progress(self, what: str, done: int, total: int) -> None:
        """A line that redraws itself, on a terminal only."""
        if total > 0:
            self.redraw(f"{what}: {done:,} of {total:,}")

    def redraw(self, line: str) -> None:
        """As `progress`, in words of one's own."""
        if not self._moving:
            return
        line = fitted(harmless(line), _columns() - 1)
        if line != self._shown:
            self._write(sys.stderr, f"\r{line}{' ' * (_width(self._shown) - _width(line))}", raw=True)
            self._shown = line

    def clear(self) -> None:
        """Take the progress line away."""
        if self._shown:
            self._write(sys.stderr, f"\r{' ' * min(_width(self._shown), _columns() - 1)}\r", raw=True)
            self._shown = ""

    def flush(self) -> None:
        """Raises StorageFault where the other end cannot take it (BrokenPipeError passes through)."""
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError:
            raise _unwritten() from None

    def _put(self, line: str) -> None:
        self.clear()
        self._write(sys.stdout, line + "\n")

    def _write(self, stream: IO[str], text: str, *, raw: bool = False) -> None:
        try:
            stream.write(harmless(text) if not raw and stream.isatty() else text)
            if stream is sys.stderr:
                stream.flush()
        except BrokenPipeError:
            raise
        except OSError:
            raise _unwritten() from None


def fitted(line: str, width: int) -> str:
    """Cut to so many columns; where it says what of how much ("...: 3 of 8"), the numbers stay and the words give way.

    A line that is wider than the terminal cannot be drawn over: each of its states would stay on the screen.
    """
    if _width(line) <= width:
        return line
    what, colon, numbers = line.rpartition(": ")
    rest = f"\u2026{colon}{numbers}"
    if not colon or _width(rest) > width:
        what, rest = line, "\u2026"
    while what and _width(what) + _width(rest) > width:
        what = what[:-1]
    return (what + rest)[: max(0, width)]


def _width(text: str) -> int:
    """Columns on a terminal."""
    from notevault.shell.safe import cell_width

    return cell_width(text)


def _columns() -> int:
    """Of the terminal that standard error is; 80 where it does not say."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _unwritten() -> StorageFault:
    return StorageFault(
        "The answer could not be written where it was to go.",
        "What was saved is saved. Check the disk, or the program that reads the answer.",
    )
