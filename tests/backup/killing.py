"""`kill -9` at one step of some work: the process is a fork of this one, so that every step can be tried in turn."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

Steps = Iterable[tuple[type[Any], Iterable[str]]]
"""Classes, and of each the methods that change a disk: before every call of one stands a step."""


def ticking(method: Callable[..., Any], tick: Callable[[], None]) -> Callable[..., Any]:
    def called(*args: Any, **named: Any) -> Any:
        tick()
        return method(*args, **named)

    return called


def killed_at(step: int, steps: Steps, work: Callable[[], bool]) -> int:
    """`work` in a process of its own that kills itself before `step` (the first is 1). How it ended: SIGKILL; 0: it was
    over and gave True; 3: it gave False; 4: it raised. For POSIX.
    """
    child = os.fork()
    if child == 0:
        try:
            left = step

            def tick() -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            for kind, names in steps:
                for name in names:
                    setattr(kind, name, ticking(getattr(kind, name), tick))
            os._exit(0 if work() else 3)
        finally:
            os._exit(4)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
