"""The terminal's line mode as `plain` uses it. Nothing here raises: a terminal that has gone is seen by reading."""

from __future__ import annotations

import contextlib
import os
import select
import sys

LINE_BYTES = 4095
"""The longest line that a terminal in line mode takes (4,096 with its end); it cuts the rest off without a word."""


def gone() -> bool:
    """Whether the terminal itself has closed (and not Ctrl-D been typed)."""
    try:
        os.tcgetpgrp(0)
    except OSError:
        return True
    return False


def echo(on: bool) -> None:
    if sys.platform == "win32":
        return
    import termios

    with contextlib.suppress(OSError, termios.error):
        state = termios.tcgetattr(0)
        state[3] = state[3] | termios.ECHO if on else state[3] & ~termios.ECHO
        termios.tcsetattr(0, termios.TCSADRAIN, state)


def never_stop() -> None:
    """Ctrl-S saves in the full screen; here it would stop the output, and with it the lock. The parent sets it back."""
    if sys.platform == "win32":
        return
    import termios

    with contextlib.suppress(OSError, termios.error):
        state = termios.tcgetattr(0)
        state[0] &= ~termios.IXON
        termios.tcsetattr(0, termios.TCSANOW, state)


def forget() -> None:
    """Throw away what was typed and not read yet."""
    if sys.platform == "win32":
        return
    import termios

    with contextlib.suppress(OSError, termios.error):
        termios.tcflush(0, termios.TCIFLUSH)


def unfinished() -> bytes:
    """What stands in a line that was not ended yet: it can be had by leaving the line mode for a moment."""
    if sys.platform == "win32":
        return b""
    import termios

    data = b""
    with contextlib.suppress(OSError, termios.error):
        state = termios.tcgetattr(0)
        state[3] &= ~termios.ICANON
        termios.tcsetattr(0, termios.TCSANOW, state)
        if select.select([0], [], [], 0)[0]:
            data = os.read(0, 65_536)
        state[3] |= termios.ICANON
        termios.tcsetattr(0, termios.TCSANOW, state)
    return data
