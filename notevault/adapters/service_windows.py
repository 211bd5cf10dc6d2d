"""Windows: a scheduled task of this user that starts at logon (Task Scheduler schema 1.2, schtasks.exe).

Written from the manual; the file is tested byte for byte, the tool's answers on Windows are not.
"""

from __future__ import annotations

import getpass
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from notevault.adapters.file_errors import plain_errors
from notevault.adapters.services import Ask, ask_tool, checked_command, checked_name
from notevault.errors import CannotWrite

_TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>notevault: sealed backups of the notes, by themselves</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled><UserId>{user}</UserId></LogonTrigger></Triggers>
  <Principals><Principal id="Author">
    <UserId>{user}</UserId><LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel>
  </Principal></Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RestartOnFailure><Interval>PT1M</Interval><Count>10</Count></RestartOnFailure>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author"><Exec>
    <Command>{program}</Command><Arguments>{arguments}</Arguments>
  </Exec></Actions>
</Task>
"""


def task(user: str, command: Sequence[str]) -> bytes:
    """The task's XML, UTF-16 with a byte order mark as the tool wants it. Raises Refused for words it cannot hold."""
    program, *rest = checked_command(command)
    text = _TASK.format(user=escape(user), program=escape(program), arguments=escape(subprocess.list2cmdline(rest)))
    return b"\xff\xfe" + text.replace("\n", "\r\n").encode("utf-16-le")


def windowless(program: str) -> str:
    """Python's program without a console window, where it lies beside the one with it."""
    other = Path(program).with_name("pythonw.exe")
    return str(other) if Path(program).name.lower() == "python.exe" and other.is_file() else program


def this_user() -> str:
    """Domain, backslash, name: as the logon knows it."""
    domain = os.environ.get("USERDOMAIN", "")
    return f"{domain}\\{getpass.getuser()}" if domain else getpass.getuser()


class ScheduledTasks:
    """Implements `ports.ServiceInstaller`. The task scheduler keeps the tasks; no file of ours stays."""

    kind = "scheduled task"

    def __init__(self, user: str | None = None, *, ask: Ask = ask_tool) -> None:
        self._user = user
        self._ask = ask

    def install(self, name: str, command: Sequence[str]) -> str:
        name = checked_name(name)
        data = task(self._user or this_user(), [windowless(command[0]), *command[1:]])
        with plain_errors(Path("task.xml")):
            handle, path = tempfile.mkstemp(suffix=".xml")
            try:
                with os.fdopen(handle, "wb") as to:
                    to.write(data)
                made = self._tell("/Create", "/TN", name, "/XML", path, "/F")
            finally:
                Path(path).unlink(missing_ok=True)
        if not made:
            raise CannotWrite(
                "Windows did not take the scheduled task.",
                "Open the Task Scheduler to see whether tasks are allowed on this computer, and try once more.",
            )
        self._tell("/End", "/TN", name)  # an older one that still runs
        self._tell("/Run", "/TN", name)
        return f"Installed as the scheduled task {name}; it runs now and after every logon."

    def remove(self, name: str) -> bool:
        name = checked_name(name)
        self._tell("/End", "/TN", name)
        return self._tell("/Delete", "/TN", name, "/F")

    def state(self, name: str) -> str:
        found = self._ask(("schtasks.exe", "/Query", "/TN", checked_name(name), "/FO", "LIST"))
        if found.code is None:
            return "unknown"
        # The words of its answer are in the user's language, so a running task cannot be told from one that waits
        return "installed" if found.good else "absent"

    def _tell(self, *words: str) -> bool:
        return self._ask(("schtasks.exe", *words)).good
