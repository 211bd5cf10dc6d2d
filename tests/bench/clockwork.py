"""Timing: medians of several runs, things to be compared in turn, so that a slow moment hits both."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def medians(acts: dict[str, Callable[[], object]], runs: int = 7) -> dict[str, float]:
    """The median seconds of each act; a round is one run of every act, the first round is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for round_ in range(runs + 1):
        for name, act in acts.items():
            spent = seconds(act)
            if round_:
                taken[name].append(spent)
    return {name: statistics.median(values) for name, values in taken.items()}


def quiet(argv: list[str], home: Path | None = None, stdin: bytes = b"") -> Callable[[], object]:
    """A whole process, its output thrown away; the byte-code cache allowed, as on any user's machine."""
    env = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    }
    if home is not None:
        env = {key: value for key, value in env.items() if not key.startswith("XDG_")} | {"HOME": str(home)}

    def run() -> None:
        subprocess.run(argv, input=stdin, capture_output=True, env=env, check=True)

    return run


class Table:
    """Rows of figure, measured, limit or peer, ratio; printed as they come."""

    def __init__(self) -> None:
        print(f"{'figure':<46} {'measured':>11} {'against':>11} {'ratio':>7}  what it is held against")

    def row(self, figure: str, measured: float, against: float, what: str) -> None:
        ratio = measured / against if against else float("inf")
        print(f"{figure:<46} {_time(measured):>11} {_time(against):>11} {ratio:>7.2f}  {what}", flush=True)

    def say(self, text: str) -> None:
        print(f"# {text}", flush=True)


def _time(value: float) -> str:
    return f"{value * 1000:.1f} ms" if value < 10 else f"{value:.1f} s"
