"""What a healing has done so far, shared by those who heal the vault and the places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from notevault.backup.model import Problem

Progress = Callable[[int, int], None]
"""Parts looked at, parts in all: 256 for the vault and for each place."""


@dataclass
class Healing:
    """Filled by the healers."""

    progress: Progress
    stop: Callable[[], bool]
    parts: int = 0
    done: int = 0
    healed: int = 0
    aside: int = 0
    lost: dict[str, None] = field(default_factory=dict)  # digests that no copy has, of live files
    problems: list[Problem] = field(default_factory=list)

    def step(self) -> bool:
        """One part is done. Whether to go on."""
        self.done += 1
        self.progress(self.done, self.parts)
        return not self.stop()
