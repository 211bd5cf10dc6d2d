"""Services: the exact bytes that each system is given, and what is said where the system does not take them."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters import service_launchd, service_systemd, service_windows
from notevault.adapters.service_launchd import LaunchAgents
from notevault.adapters.service_systemd import SystemdUser
from notevault.adapters.service_windows import ScheduledTasks
from notevault.adapters.services import Answer, ask_tool, system_services
from notevault.errors import CannotWrite, NotevaultError, OwnFault, Refused
from notevault.ports import ServiceInstaller

NAME = "notevault-backup-0a1b2c3d"
COMMAND = ["/opt/py thon/bin/python", "-P", "-m", "notevault", "backup", "watch", "--vault", '/home/a/50% "new" $V\\x']

UNIT = r"""[Unit]
Description=notevault: sealed backups of the notes, by themselves

[Service]
Type=exec
ExecStart=:"/opt/py thon/bin/python" "-P" "-m" "notevault" "backup" "watch" "--vault" "/home/a/50%% \"new\" $V\\x"
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

AGENT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>ExitTimeOut</key>
	<integer>90</integer>
	<key>KeepAlive</key>
	<dict>
		<key>SuccessfulExit</key>
		<false/>
	</dict>
	<key>Label</key>
	<string>org.notevault-backup-0a1b2c3d</string>
	<key>LowPriorityIO</key>
	<true/>
	<key>Nice</key>
	<integer>10</integer>
	<key>ProcessType</key>
	<string>Background</string>
	<key>ProgramArguments</key>
	<array>
		<string>/opt/py thon/bin/python</string>
		<string>-P</string>
		<string>-m</string>
		<string>notevault</string>
		<string>backup</string>
		<string>watch</string>
		<string>--vault</string>
		<string>/home/a/50% "new" $V\\x</string>
	</array>
	<key>RunAtLoad</key>
	<true/>
	<key>StandardErrorPath</key>
	<string>/dev/null</string>
	<key>StandardOutPath</key>
	<string>/dev/null</string>
	<key>ThrottleInterval</key>
	<integer>60</integer>
	<key>Umask</key>
	<integer>63</integer>
</dict>
</plist>
"""

TASK = """<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>notevault: sealed backups of the notes, by themselves</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled><UserId>HOME\\ann</UserId></LogonTrigger></Triggers>
  <Principals><Principal id="Author">
    <UserId>HOME\\ann</UserId><LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel>
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
    <Command>C:\\Py &amp; Co\\python.exe</Command><Arguments>-P "D:\\my vault"</Arguments>
  </Exec></Actions>
</Task>
"""


class Tools:
    """The system's tools: what they were asked, and an answer for each first word that matters."""

    def __init__(self, answers: dict[str, Answer] | None = None, default: Answer | None = None) -> None:
        self.answers, self.default = answers or {}, default or Answer(0)
        self.asked: list[list[str]] = []

    def __call__(self, command: Sequence[str]) -> Answer:
        self.asked.append(list(command))
        return next((answer for word, answer in self.answers.items() if word in command), self.default)


def test_the_unit_is_these_bytes() -> None:
    assert service_systemd.unit(COMMAND) == UNIT


def test_the_launch_agent_is_these_bytes_and_reads_as_meant() -> None:
    data = service_launchd.agent(f"org.{NAME}", COMMAND)
    assert data.decode() == AGENT
    assert plistlib.loads(data)["ProgramArguments"] == COMMAND


def test_the_scheduled_task_is_these_bytes() -> None:
    data = service_windows.task("HOME\\ann", ["C:\\Py & Co\\python.exe", "-P", "D:\\my vault"])
    assert data.startswith(b"\xff\xfe")
    assert data.decode("utf-16").replace("\r\n", "\n") == TASK
    assert ET.fromstring(data.decode("utf-16").split("\n", 1)[1]).tag.endswith("}Task")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_itself_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    folder = tmp_path / '50% "new" $HOME \\x'
    folder.mkdir()
    unit = tmp_path / f"{NAME}.service"
    command = [sys.executable, *COMMAND[1:-1], str(folder)]
    unit.write_text(service_systemd.unit(command))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    said = [line for line in done.stderr.splitlines() if NAME in line]
    assert (done.returncode, said) == (0, [])


def unquoted(line: str) -> list[str]:
    """A reader of systemd's quoting of our own, from systemd.syntax(7)."""
    words, word, inside, at = [], "", False, 0
    while at < len(line):
        sign = line[at]
        if inside and sign == "\\":
            at += 1
            word += line[at]
        elif sign == '"':
            inside = not inside
            if not inside:
                words.append(word)
                word = ""
        elif sign == "%":
            assert line[at + 1] == "%"
            at += 1
            word += "%"
        elif inside:
            word += sign
        else:
            assert sign == " "
        at += 1
    assert not inside
    return words


PRINTABLE = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), max_size=30)


@given(st.lists(PRINTABLE, min_size=1, max_size=6))
def test_every_word_comes_back_from_the_unit(words: list[str]) -> None:
    line = next(line for line in service_systemd.unit(words).split("\n") if line.startswith("ExecStart="))
    assert unquoted(line.removeprefix("ExecStart=:")) == words


@pytest.mark.parametrize("bad", ["two\nlines", "a\0b", "half \udcff letter", "\x1b[31m"])
def test_a_folder_that_no_service_file_can_hold_is_refused(bad: str, tmp_path: Path) -> None:
    for make in (service_systemd.unit, lambda words: service_launchd.agent("l", words)):
        with pytest.raises(Refused):
            make(["/bin/x", bad])
    with pytest.raises(Refused):
        service_windows.task("u", ["x", bad])
    with pytest.raises(Refused):
        SystemdUser(tmp_path, ask=Tools()).install(NAME, ["/bin/x", bad])
    assert list(tmp_path.iterdir()) == []


def installers(tmp_path: Path, tools: Tools) -> list[ServiceInstaller]:
    return [
        SystemdUser(tmp_path / "systemd", ask=tools),
        LaunchAgents(tmp_path / "launchd", ask=tools),
        ScheduledTasks("HOME\\ann", ask=tools),
    ]


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_service_is_written_started_and_taken_away(which: int, tmp_path: Path) -> None:
    tools = Tools()
    service = installers(tmp_path, tools)[which]
    assert NAME in service.install(NAME, COMMAND)
    assert service.state(NAME) in ("running", "installed")
    assert service.install(NAME, COMMAND)  # once more is no error
    assert service.remove(NAME)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    secrets = [word for command in tools.asked for word in command if "passphrase" in word]
    assert secrets == []


@pytest.mark.parametrize("which", [0, 1])
def test_what_is_not_there_is_absent_and_removing_it_is_no_error(which: int, tmp_path: Path) -> None:
    tools = Tools()
    service = installers(tmp_path, tools)[which]
    assert service.state(NAME) == "absent"
    assert not service.remove(NAME)
    assert tools.asked == []


@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("answer", [Answer(None), Answer(1, "Failed to connect to bus")])
def test_a_system_that_does_not_take_it_is_said_with_a_next_step(which: int, answer: Answer, tmp_path: Path) -> None:
    service = installers(tmp_path, Tools(default=answer))[which]
    with pytest.raises(CannotWrite) as caught:
        service.install(NAME, COMMAND)
    assert caught.value.next_step
    assert str(tmp_path) not in caught.value.sentence + caught.value.next_step


def test_the_unit_lies_where_systemd_looks_and_only_its_owner_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    SystemdUser(ask=Tools()).install(NAME, COMMAND)
    path = tmp_path / "config" / "systemd" / "user" / f"{NAME}.service"
    assert path.read_text() == UNIT
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="systemd")
def test_without_a_running_systemd_the_real_tool_gives_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container, a machine with another init: the unit is written, and what to type is said."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none/bus")
    service = system_services()
    with pytest.raises(NotevaultError) as caught:
        service.install(NAME, COMMAND)
    assert isinstance(caught.value, CannotWrite)
    assert f"{NAME}.service" in caught.value.next_step
    assert (tmp_path / "systemd" / "user" / f"{NAME}.service").read_text() == UNIT
    assert service.state(NAME) in ("unknown", "installed")
    with suppress(CannotWrite):  # a systemd that is there and does not answer
        assert service.remove(NAME)
    assert service.state(NAME) == "absent"


@pytest.mark.parametrize("which", [0, 1])
def test_a_service_that_the_system_did_not_stop_is_said_to_run_on(which: int, tmp_path: Path) -> None:
    tools = Tools({"disable": Answer(1, "Failed to connect to bus"), "bootout": Answer(5)})
    service = installers(tmp_path, tools)[which]
    service.install(NAME, COMMAND)
    with pytest.raises(CannotWrite) as caught:
        service.remove(NAME)
    assert "may still run" in caught.value.sentence
    assert caught.value.next_step
    assert service.state(NAME) == "absent"  # it is taken away all the same


def test_a_tool_that_is_not_there_or_fails_is_an_answer() -> None:
    assert ask_tool(["/no/such/tool"]) == Answer(None)
    assert ask_tool([sys.executable, "-c", "print('x'); raise SystemExit(3)"]).code == 3


@pytest.mark.parametrize("name", ["", "../x", "a b", "A", "x" * 65, "a;b"])
def test_no_other_name_reaches_the_system(name: str, tmp_path: Path) -> None:
    tools = Tools()
    for service in installers(tmp_path, tools):
        with pytest.raises(OwnFault):
            service.install(name, COMMAND)
    assert tools.asked == []
