"""One vault made once; every test works on its own copy of that home."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.homes import Home, empty_home, home_with_vault


@pytest.fixture(scope="session")
def made_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with an empty vault. Not to be changed: copy it."""
    return home_with_vault(tmp_path_factory.mktemp("made") / "home")


@pytest.fixture(scope="session")
def working_home(made_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two clients and two notes. Not to be changed: copy it."""
    home = made_home.copy(tmp_path_factory.mktemp("working") / "home")
    home.saved("client", "add", "Anna Berg", "--code", "C-014", "--born", "1980-05-17")
    home.saved("client", "add", "Jon Lind")
    home.saved(
        "note", "add", "--client", "C-014", "--date", "2025-11-17 09:00", stdin="Slept four hours.\nBad dreams.\n"
    )
    home.saved("note", "add", "--client", "C-015", "--title", "first talk", stdin="Came on time. Grüße ☕\n")
    return home


@pytest.fixture
def home(made_home: Home, tmp_path: Path) -> Home:
    return made_home.copy(tmp_path / "home")


@pytest.fixture
def worked(working_home: Home, tmp_path: Path) -> Home:
    return working_home.copy(tmp_path / "home")


@pytest.fixture
def bare(tmp_path: Path) -> Home:
    """A home without a vault."""
    return empty_home(tmp_path / "home")
