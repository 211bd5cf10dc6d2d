"""Linux: a systemd unit of this user, `~/.config/systemd/user/<name>.service` (systemd.service(5), systemd.exec(5))."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from notevault.adapters.files import DiskFiles
from notevault.adapters.services import Ask, ask_tool, checked_command, checked_name
from notevault.errors import CannotWrite
from notevault.ports import Files

_UNIT = """\
[Unit]
Description=notevault: sealed backups of the notes, by themselves

[Service]
Type=exec
ExecStart=:{command}
Restart=on-failure
RestartSec=60
RestartPreventExitStatus=64 66 77
TimeoutStopSec=90
Nice=10
IOSchedulingClass=idle
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
StandardInput=null
StandardOutput=null
StandardError=null

[Install]
WantedBy=default.target
"""
# `:` before the command: no word of it is taken for a variable (systemd 244). Exit 64, 66 and 77: used wrongly, no
# vault there, a copy of a vault that lies elsewhere; trying again once a minute mends none of them. Nothing goes to the
# journal: a place may be named after a person.


def unit(command: Sequence[str]) -> str:
    """The unit's text. Raises Refused for words that it cannot hold."""
    return _UNIT.format(command=" ".join(map(_quoted, checked_command(command))))


def _quoted(word: str) -> str:
    """As systemd.syntax(7) has it; `%` would begin a specifier."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def units_folder() -> Path:
    given = os.environ.get("XDG_CONFIG_HOME", "")
    config = Path(given) if given.startswith("/") else Path.home() / ".config"
    return config / "systemd" / "user"


class SystemdUser:
    """Implements `ports.ServiceInstaller`."""

    kind = "systemd"

    def __init__(self, folder: Path | None = None, *, files: Files | None = None, ask: Ask = ask_tool) -> None:
        self._folder = folder or units_folder()
        self._files = files or DiskFiles()
        self._ask = ask

    def install(self, name: str, command: Sequence[str]) -> str:
        path = self._path(name)
        text = unit(command)
        self._files.make_folder(self._folder)
        self._files.replace(path, text.encode("utf-8"))
        for words in (("daemon-reload",), ("enable", path.name), ("restart", path.name)):
            if not self._tell(*words):
                raise CannotWrite(
                    f"The service was written as {path.name} where systemd looks for it, but systemd did not take it.",
                    "After the next login type: systemctl --user daemon-reload && systemctl --user enable --now"
                    f" {path.name}",
                )
        return f"Installed as the service {path.name}; it runs now and after every login."

    def remove(self, name: str) -> bool:
        path = self._path(name)
        there = self._files.size(path) is not None
        if there:
            stopped = self._ask(("systemctl", "--user", "disable", "--now", path.name))
            self._files.remove(path)
            # Where systemd does not answer, its own link would start a unit that is not there: it says so, no more
            self._tell("daemon-reload")
            if stopped.code:  # without the tool there is nothing that could run it
                raise CannotWrite(
                    f"The service {path.name} was taken away, but systemd did not stop it: it may still run.",
                    f"Type: systemctl --user stop {path.name}. After the next login it does not run.",
                )
        return there

    def state(self, name: str) -> str:
        path = self._path(name)
        if self._files.size(path) is None:
            return "absent"
        found = self._ask(("systemctl", "--user", "is-active", path.name))
        if found.good:
            return "running"
        return "installed" if found.out.strip() in ("inactive", "failed", "activating", "deactivating") else "unknown"

    def _path(self, name: str) -> Path:
        return self._folder / f"{checked_name(name)}.service"

    def _tell(self, *words: str) -> bool:
        return self._ask(("systemctl", "--user", *words)).good
