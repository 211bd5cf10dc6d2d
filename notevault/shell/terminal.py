"""The terminal as the shell's parent owns it: its state saved, the alternate screen entered, all of it given back.

Two variants behind one seam. Windows is untested: there the console is left as the child leaves it.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Protocol

TITLE = "notevault"  # never a name
RESET = (
    "\x1b[0m"  # attributes
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l"  # mouse
    "\x1b[?2004l"  # bracketed paste
    "\x1b[?1l\x1b>"  # cursor and number keys
    "\x1b[?25h\x1b[?7h"  # cursor shown, lines wrap
)
CLEAR = "\x1b[2J\x1b[H"
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
FORGET_SCROLLBACK = "\x1b[3J"
_TITLED = ("xterm", "screen", "tmux", "rxvt", "alacritty", "foot", "kitty", "gnome", "konsole", "wezterm", "vte")


class Screen(Protocol):
    def enter(self) -> None:
        """Before the first child: whole screen, own title."""
        ...

    def adopt(self) -> None:
        """In a child: remember the state, to give the terminal back in place of a parent that is gone."""
        ...

    def between(self) -> None:
        """After a child's end, however it ended."""
        ...

    def restore(self) -> None:
        """As it was before `enter`; safe to call at any time and twice."""
        ...


def is_dumb() -> bool:
    return os.environ.get("TERM", "") in ("", "dumb", "unknown") and sys.platform != "win32"


def both_ends_are_terminals() -> bool:
    try:
        return os.isatty(0) and os.isatty(1)
    except OSError:
        return False


def write(text: str) -> None:
    """To the terminal itself; a terminal that has gone away is no fault."""
    data = text.encode()
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(1, data) :]


class PosixScreen:
    """`full`: with alternate screen and title; otherwise (plain) only the line discipline is looked after."""

    def __init__(self, *, full: bool) -> None:
        self._full = full
        self._titled = os.environ.get("TERM", "").startswith(_TITLED)
        self._saved: list[Any] | None = None
        self._inside = False

    def adopt(self) -> None:
        """The parent has turned the echo off; every terminal that a shell was started in had it on."""
        import termios

        self._remember()
        if self._saved is not None:
            self._saved[3] |= termios.ECHO

    def enter(self) -> None:
        self._remember()
        self._settle(echo=False)
        if self._full:
            title = f"\x1b[22;2t\x1b]2;{TITLE}\x07" if self._titled else ""
            write(ENTER + title + CLEAR)

    def between(self) -> None:
        self._settle(echo=False)
        if self._full:
            write(RESET + CLEAR)

    def restore(self) -> None:
        self._settle(echo=True)
        if self._full and self._inside:
            self._inside = False
            write(RESET + CLEAR + LEAVE + ("\x1b[23;2t" if self._titled else ""))

    def _remember(self) -> None:
        import termios

        self._inside = True
        with contextlib.suppress(OSError, termios.error):
            self._saved = termios.tcgetattr(0)

    def _settle(self, *, echo: bool) -> None:
        """Line discipline as saved; keys typed meanwhile are thrown away: they were meant for a note.

        Without `echo`, what is typed before the next child asks for it stays unseen: it may be the passphrase.
        """
        import termios

        if self._saved is not None:
            state = list(self._saved)
            if not echo:
                state[3] &= ~termios.ECHO
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(0, termios.TCSANOW, state)
            with contextlib.suppress(OSError, termios.error):
                termios.tcflush(0, termios.TCIFLUSH)


class WindowsScreen:
    """Untested. The console's modes are set and reset by the child's own library."""

    def __init__(self, *, full: bool) -> None:
        self._full = full

    def adopt(self) -> None:
        """Nothing to remember."""

    def enter(self) -> None:
        if self._full:
            write(ENTER + CLEAR)

    def between(self) -> None:
        if self._full:
            write(RESET + CLEAR)

    def restore(self) -> None:
        if self._full:
            write(RESET + CLEAR + LEAVE)


def this_screen(*, full: bool) -> Screen:
    return WindowsScreen(full=full) if sys.platform == "win32" else PosixScreen(full=full)
