"""What a command takes in: secrets without echo or from a file, answers to questions, note text from a file or a pipe.

Nothing is ever asked where nobody can answer: without a terminal, and with --no-input, asking is a UsageFault.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from notevault.errors import CannotWrite, Interrupted, NotFound, StorageFault, UsageFault

SECRET_LIMIT = 4096  # bytes; the longest passphrase has 1,024
SHEET_LIMIT = 65_536  # bytes; as `formats.sheet.TEXT_LIMIT`
_TTY = Path("/dev/tty")


def can_ask(no_input: bool) -> bool:
    """Whether there is a terminal with a person at it. Standard input may be something else: a note in a pipe."""
    if no_input:
        return False
    if sys.platform == "win32":
        return sys.stdin is not None and sys.stdin.isatty()
    try:
        os.close(os.open(_TTY, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def hidden(prompt: str) -> str:
    """A secret, typed without echo. Interrupted when the terminal is closed (Ctrl-D). Call only after `can_ask`."""
    import getpass

    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise Interrupted("Nothing was typed.") from None
    except UnicodeDecodeError:
        raise UsageFault(
            "The terminal sent something that is no text.", "Check its character set; UTF-8 works."
        ) from None


def show(text: str) -> None:
    """To the terminal itself, so that it reaches no file or pipe. Call only after `can_ask`."""
    if sys.platform == "win32":
        with open("CONOUT$", "w", encoding="utf-8") as screen:  # noqa: PTH123  a device, not a path
            screen.write(text)
        return
    with _TTY.open("w", encoding="utf-8") as screen:
        screen.write(text)


def answer(question: str) -> str:
    """A line typed visibly at the terminal: never a secret. Interrupted when the terminal is closed."""
    if sys.platform == "win32":
        sys.stderr.write(question)
        sys.stderr.flush()
        line = sys.stdin.readline()
    else:
        with _TTY.open("w", encoding="utf-8") as screen:
            screen.write(question)
        with _TTY.open(encoding="utf-8", errors="replace") as keys:
            line = keys.readline()
    if not line:
        raise Interrupted("Nothing was typed.")
    return line.strip()


def yes(question: str, *, default: bool) -> bool:
    """Accepts y, n or Enter alone, and asks again for anything else."""
    choices = "[Y/n]" if default else "[y/N]"
    _forget_typed_ahead()
    while True:
        typed = answer(f"{question} {choices} ").lower()
        if typed in ("y", "yes"):
            return True
        if typed in ("n", "no"):
            return False
        if not typed:
            return default


def _forget_typed_ahead() -> None:
    """An answer is given to a question that was read, never to one that was still to come."""
    if sys.platform == "win32":
        import msvcrt

        while msvcrt.kbhit():
            msvcrt.getwch()
        return
    import termios

    with contextlib.suppress(OSError, termios.error), _TTY.open("rb") as keys:
        termios.tcflush(keys, termios.TCIFLUSH)


def read_input(name: str, what: str, limit: int) -> bytes:
    """A whole file, or standard input for `-`. NotFound, CannotWrite (unreadable), UsageFault (too long, a folder)."""
    if name == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageFault(
                f"`-` means that {what} comes from standard input, but that is your terminal, where it would be seen.",
                "Pipe it in, or name a file.",
            )
        data = sys.stdin.buffer.read(limit + 1)
    else:
        data = _read_file(Path(name), what, limit)
    if len(data) > limit:
        raise UsageFault(f"The file with {what} has more than {limit:,} bytes.", "Is it the right file?")
    return data


def _read_file(path: Path, what: str, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no file {path} with {what}.", "Check the name and the folder.") from None
    except IsADirectoryError:
        raise UsageFault(f"{path} is a folder, not a file with {what}.", "Name the file.") from None
    except PermissionError:
        raise CannotWrite(f"You may not read {path}.", "Check whose file it is.") from None
    except (OSError, ValueError) as fault:
        raise StorageFault(f"{path} could not be read ({type(fault).__name__}).") from None


def secret_from(name: str, what: str, warn: Callable[[str], None]) -> str:
    """The first line of a file (or of standard input for `-`) without its line end; at most 4 KiB of UTF-8.

    Says so when other users of this machine can read the file.
    """
    data = read_input(name, what, SECRET_LIMIT)
    if name != "-" and sys.platform != "win32":
        seen = os.stat(name)  # noqa: PTH116  one call on what the user named
        if stat.S_ISREG(seen.st_mode) and seen.st_mode & 0o077:
            warn(f"Other users of this computer can read {name}: chmod 600 {name}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageFault(f"The file with {what} is not UTF-8 text.", "Save it as UTF-8.") from None
    line = text.split("\n", 1)[0].removesuffix("\r")
    if not line:
        raise UsageFault(f"The file with {what} has an empty first line.", "Put the passphrase on its first line.")
    return line


def need_terminal(what: str, instead: str) -> UsageFault:
    return UsageFault(f"{what}, and there is no terminal to ask at.", instead)
