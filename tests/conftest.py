"""Shared by all tests: hypothesis profiles, the fakes of the ports, and a home of one's own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.fakes.files import MemoryFiles
from tests.fakes.secrets import FakeSecrets
from tests.fakes.simple import FakeClock, FakeEntropy, FakeMachine

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("night", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") == "true" else "dev"))


@pytest.fixture
def on_disk() -> Iterator[Path]:
    """A folder on the machine's own disk; `tmp_path` lies in memory where there is room (packaging/test.py)."""
    with tempfile.TemporaryDirectory(prefix="notevault-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


@pytest.fixture
def tmp_path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Pytest's own, or a folder on the disk for what is marked `disk`."""
    if request.node.get_closest_marker("disk") is None:
        return tmp_path
    found = request.getfixturevalue("on_disk")
    assert isinstance(found, Path)
    return found


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def entropy() -> FakeEntropy:
    return FakeEntropy("tests")


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine()


@pytest.fixture
def memory_files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def fake_secrets() -> FakeSecrets:
    return FakeSecrets()


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HOME and all XDG folders inside the test's own folder, so that nothing of the developer's is touched."""
    home = tmp_path / "home"
    home.mkdir(0o700)
    for variable, name in (
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_CACHE_HOME", ".cache"),
        ("XDG_RUNTIME_DIR", "run"),
    ):
        (home / name).mkdir(parents=True, mode=0o700)
        monkeypatch.setenv(variable, str(home / name))
    monkeypatch.setenv("HOME", str(home))
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND"):
        monkeypatch.delenv(variable, raising=False)
    return home
