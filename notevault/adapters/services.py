"""Which installer of services this system has, and what all of them need: a name, a command, a tool to be asked."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from notevault.errors import OwnFault, Refused
from notevault.ports import ServiceInstaller

TOOL_S = 20.0
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")


class Answer(NamedTuple):
    """What a system's tool said. `code` is None where there is no such tool, or where it did not answer in time."""

    code: int | None
    out: str = ""

    @property
    def good(self) -> bool:
        return self.code == 0


Ask = Callable[[Sequence[str]], Answer]


def ask_tool(command: Sequence[str]) -> Answer:
    """Run a tool of the system, without a terminal and for at most 20 s. Raises nothing of the system's."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed tool with words of our own
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TOOL_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return Answer(None)
    return Answer(done.returncode, done.stdout.decode("utf-8", "replace"))


def checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise OwnFault("A service was asked for by a name that is none.")
    return name


def checked_command(command: Sequence[str]) -> list[str]:
    """Words that a file of the system can hold. Raises Refused for a path with a line end or without proper letters."""
    for word in command:
        if not word.isprintable():  # control characters, and half letters that stand for bytes that are no text
            raise Refused(
                "A folder's name has characters in it that the system's services cannot start.",
                "Rename the folder, or start `notevault backup watch` in another way.",
            )
    if not command:
        raise OwnFault("A service was to be made that does nothing.")
    return list(command)


def system_services() -> ServiceInstaller:
    if sys.platform == "win32":
        from notevault.adapters.service_windows import ScheduledTasks

        return ScheduledTasks()
    if sys.platform == "darwin":
        from notevault.adapters.service_launchd import LaunchAgents

        return LaunchAgents()
    from notevault.adapters.service_systemd import SystemdUser

    return SystemdUser()
