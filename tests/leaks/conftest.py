"""Root, an ordinary user, and her Python. Not being root is a reason to skip, but never in CI as root."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leaks import ground, user


@pytest.fixture(scope="session")
def open_ground() -> Iterator[Path]:
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs Linux and root: another user's memory and files are looked into")
    with ground.shared_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def her_python(open_ground: Path) -> tuple[int, str, str | None]:
    uid = ground.free_uid()
    try:
        return uid, *ground.reachable_python(uid, open_ground)
    except ground.Unreachable as reason:
        if os.environ.get("CI") == "true":
            pytest.fail(str(reason))
        pytest.skip(str(reason))


@pytest.fixture
def person(her_python: tuple[int, str, str | None], open_ground: Path) -> Iterator[user.Person]:
    uid, python, path = her_python
    with ground.new_person(python, path, open_ground, uid) as somebody:
        yield somebody
