"""What an attack that knows docs/FORMAT.md plants, and what must not be touched by following it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.backup_day.practice import snapshot

SIZES = [900 + 37 * n for n in range(40)]


@dataclass
class Outside:
    """What must not be touched by following something planted."""

    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir()
        for name in ("letter", "photo"):
            (self.folder / name).write_text(f"My {name}.")
        self.before = snapshot(self.folder)

    def untouched(self) -> bool:
        return snapshot(self.folder) == self.before


def aim(path: Path, at: Path) -> None:
    """Put a link in the place of a file or folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(at)
