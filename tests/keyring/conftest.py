"""A private session bus with a real gnome-keyring daemon (or a crooked one), a fresh HOME, and no display."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
LOGIN = "the login password"

# No folder of activatable services: nothing starts by itself, and no dialog can reach a screen.
BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"""


class Desktop:
    """A login session without a screen. Every process it starts is ended by its id."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._running: list[subprocess.Popen[bytes]] = []
        self._daemon: subprocess.Popen[bytes] | None = None

    def start_bus(self) -> None:
        socket, config = self._folder / "bus", self._folder / "bus.conf"
        config.write_text(BUS_CONFIG.format(socket=socket))
        bus = self._start(["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"], out=True)
        assert bus.stdout is not None
        address = bus.stdout.readline().decode().strip()
        self._monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)

    def start_keyring(self, password: str | None) -> None:
        """gnome-keyring, its login collection unlocked with the password, or not at all."""
        argv = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        daemon = self._start(argv if password is None else [*argv, "--unlock"], into=(password or "").encode())
        self._daemon = daemon
        self._wait_for_service()

    def start_crooked(self, mode: str) -> None:
        service = self._start([sys.executable, str(Path(__file__).with_name("crooked_service.py")), mode], out=True)
        assert service.stdout is not None
        assert service.stdout.readline() == b"ready\n"

    def stop_keyring(self) -> None:
        assert self._daemon is not None
        self._end(self._daemon)
        self._daemon = None

    def freeze_keyring(self) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)

    def thaw_keyring(self) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGCONT)

    def lock_collection(self) -> None:
        import secretstorage

        with closing(secretstorage.dbus_init()) as bus:
            collection = secretstorage.get_default_collection(bus)
            collection.lock()
            assert collection.is_locked()

    def end(self) -> None:
        for process in reversed(self._running):
            self._end(process)

    def _start(self, argv: list[str], *, out: bool = False, into: bytes = b"") -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if out else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        self._running.append(process)
        assert process.stdin is not None
        process.stdin.write(into)
        process.stdin.close()
        return process

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _wait_for_service(self) -> None:
        import secretstorage
        from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]
        from jeepney.io.blocking import Proxy  # type: ignore[import-untyped]

        deadline = time.monotonic() + 60
        with closing(secretstorage.dbus_init()) as bus:
            while not Proxy(message_bus, bus).NameHasOwner("org.freedesktop.secrets")[0]:
                assert time.monotonic() < deadline, "gnome-keyring did not come up"
                time.sleep(0.05)


@pytest.fixture
def desktop(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desktop]:
    missing = [p for p in ("dbus-daemon", "gnome-keyring-daemon") if shutil.which(p) is None]
    if missing:
        reason = f"{' and '.join(missing)} not installed (Debian: apt install dbus gnome-keyring)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    session = Desktop(tmp_path, monkeypatch)
    try:
        yield session
    finally:
        session.end()
