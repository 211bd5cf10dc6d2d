"""What the attacks by the format share: a made-up vault with one place, and things outside that nobody may touch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backup_day.planting import SIZES, Outside
from tests.backup_day.practice import Practice


@pytest.fixture
def practice(tmp_path: Path) -> Practice:
    """Of random bytes; a test that reads notes has one of its own."""
    return Practice.synthetic(tmp_path / "practice", SIZES)


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path / "outside")
