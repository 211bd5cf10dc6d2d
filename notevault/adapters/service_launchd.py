"""macOS: a launchd agent of this user, `~/Library/LaunchAgents/org.<name>.plist` (launchd.plist(5), launchctl(1)).

Written from the manual; the file is tested byte for byte, the tool's answers on a Mac are not.
"""

from __future__ import annotations

import os
import plistlib
from collections.abc import Sequence
from pathlib import Path

from notevault.adapters.files import DiskFiles
from notevault.adapters.services import Ask, ask_tool, checked_command, checked_name
from notevault.errors import CannotWrite
from notevault.ports import Files


def agent(label: str, command: Sequence[str]) -> bytes:
    """The agent's property list. Raises Refused for words that it cannot hold."""
    return plistlib.dumps({
        "Label": label,
        "ProgramArguments": checked_command(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 60,
        "ExitTimeOut": 90,
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "Nice": 10,
        "Umask": 0o077,
        "StandardOutPath": "/dev/null",
        "StandardErrorPath": "/dev/null",
    })  # fmt: skip


class LaunchAgents:
    """Implements `ports.ServiceInstaller`."""

    kind = "launchd"

    def __init__(self, folder: Path | None = None, *, files: Files | None = None, ask: Ask = ask_tool) -> None:
        self._folder = folder or Path.home() / "Library" / "LaunchAgents"
        self._files = files or DiskFiles()
        self._ask = ask
        self._domain = f"gui/{os.getuid()}" if hasattr(os, "getuid") else "gui/0"

    def install(self, name: str, command: Sequence[str]) -> str:
        label = _label(name)
        path = self._folder / f"{label}.plist"
        data = agent(label, command)
        self._files.make_folder(self._folder)
        self._files.replace(path, data)
        self._tell("bootout", f"{self._domain}/{label}")  # an older one, if there is one
        if not self._tell("bootstrap", self._domain, str(path)):
            raise CannotWrite(
                f"The agent was written as {path.name} among your launch agents, but launchd did not take it.",
                "Log out and in again: it starts then. `notevault backup install-service` can also be tried once more.",
            )
        return f"Installed as the launch agent {label}; it runs now and after every login."

    def remove(self, name: str) -> bool:
        label = _label(name)
        path = self._folder / f"{label}.plist"
        there = self._files.size(path) is not None
        if there:
            stopped = self._tell("bootout", f"{self._domain}/{label}")
            self._files.remove(path)
            # A refusal may mean that it did not run at all: only one that is still known to launchd is told
            if not stopped and self._tell("print", f"{self._domain}/{label}"):
                raise CannotWrite(
                    f"The launch agent {label} was taken away, but launchd did not stop it: it may still run.",
                    "Log out and in again: after that it does not run.",
                )
        return there

    def state(self, name: str) -> str:
        label = _label(name)
        if self._files.size(self._folder / f"{label}.plist") is None:
            return "absent"
        found = self._ask(("/bin/launchctl", "print", f"{self._domain}/{label}"))
        if found.code is None:
            return "unknown"
        return "running" if found.good and "state = running" in found.out else "installed"

    def _tell(self, *words: str) -> bool:
        return self._ask(("/bin/launchctl", *words)).good


def _label(name: str) -> str:
    return f"org.{checked_name(name)}"
