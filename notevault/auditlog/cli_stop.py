"""How a command of `nvaudit` ends before its time: one plain sentence, a next step, an exit code.

Not always an error: a state file that cannot be used is a verdict (2).
"""

from __future__ import annotations

INTACT, TAMPERED, UNDECIDED = 0, 1, 2
USAGE = 64  # the command line
NO_INPUT = 66  # no such folder or file, or no log in it
OWN_FAULT = 70
CANNOT_WRITE = 73
BROKEN_IO = 74
INTERRUPTED = 130


class Stop(Exception):
    """`sentence` says what is wrong, `step` what to do about it (may be empty)."""

    def __init__(self, code: int, sentence: str, step: str = "") -> None:
        super().__init__(sentence)
        self.code, self.sentence, self.step = code, sentence, step


def why(error: BaseException) -> str:
    """The system's own words for what went wrong with a file, without its name."""
    return getattr(error, "strerror", None) or type(error).__name__
