"""One day in the shell for all tests here: it takes minutes, so test processes beside each other share it."""

from __future__ import annotations

import fcntl
import os
import pickle
from pathlib import Path

import pytest

from tests.audit_day.bare import Bare, go_program
from tests.audit_day.day import Day, a_day, evening


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Not to be changed: copy it. The evening's import is in it; `day.moments["night"]` is the home before that."""
    root = tmp_path_factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "audit-day"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / "day.pickle"
        if made.exists():
            kept: Day = pickle.loads(made.read_bytes())
            return kept
        fresh = a_day(folder)
        evening(fresh)
        made.write_bytes(pickle.dumps(fresh))
        return fresh


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    return Bare.build(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return go_program(tmp_path_factory.mktemp("go"))
    except RuntimeError as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))
