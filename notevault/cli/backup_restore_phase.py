"""What an interruption of a restore means, in every phase of it: one sentence that is true then, and what to do."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from notevault.errors import Interrupted

_ENDS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
AGAIN = "Run the same command again: it goes on from there."


_OPENED = ("Your notes are back, and this laptop opens them. The backup places are not noted yet.", AGAIN)


def _never() -> bool:
    return False


class Phase:
    """`words`: sentence and next step, should somebody interrupt now."""

    def __init__(self) -> None:
        self.words = ("Nothing was restored.", "Run the same command again when you are ready.")
        self._is_open: Callable[[], bool] = _never

    def locked(self, again: str, is_open: Callable[[], bool]) -> None:
        """`is_open`: whether it has just become this laptop's own; asked when it is interrupted."""
        self.words, self._is_open = ("Everything is copied, but still locked.", again), is_open

    def opened(self) -> None:
        self.words, self._is_open = _OPENED, _never

    def saved(self) -> None:
        self.words = (
            "Your notes are back, and this laptop opens them. Only the first backup from here was interrupted.",
            "`notevault backup run` makes it; while notevault is open it is made by itself.",
        )

    @contextmanager
    def told(self) -> Iterator[None]:
        """Ctrl-C, a closed terminal and a request to end become Interrupted. Where it counts every step is safe to be
        stopped in: what was begun is gone on with, or was never there.
        """

        def stop(_number: int, _frame: FrameType | None) -> None:
            raise KeyboardInterrupt

        before = {number: signal.signal(number, stop) for number in _heeded()}
        try:
            yield
        except KeyboardInterrupt:
            raise Interrupted(*(_OPENED if self._is_open() else self.words)) from None
        finally:
            _restore(before)


@contextmanager
def between_batches() -> Iterator[Callable[[], bool]]:
    """While files are copied an interruption is seen between two batches: nothing is left half."""
    asked: list[int] = []
    before = {number: signal.signal(number, lambda got, _: asked.append(got)) for number in _heeded()}
    try:
        yield lambda: bool(asked)
    finally:
        _restore(before)


def _heeded() -> list[signal.Signals]:
    """Without those that whoever started us wants ignored (nohup)."""
    return [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]


def _restore(before: Mapping[signal.Signals, object]) -> None:
    for number, handler in before.items():
        signal.signal(number, handler)  # type: ignore[arg-type]  # what `signal` gave us
