"""One thread for one backup place: it does what it is given, one thing at a time, and never ends the others.

A system call that hangs cannot be ended from outside; the thread is then simply not given anything more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from notevault.backup import model
from notevault.backup.model import CheckReport, PlaceFile, Report
from notevault.backup.worker.passing import Round
from notevault.ports import Clock

LET_GO_S = 5.0


@dataclass(frozen=True)
class Job:
    what: str  # schedule.PASS, QUICK, SAMPLED
    place: PlaceFile
    round: Round


@dataclass(frozen=True)
class Done:
    job: Job
    report: Report | CheckReport
    boot_ms: int


Work = Callable[[Job, Callable[..., None], Callable[[], bool]], Report | CheckReport]
"""The job, a progress callback, and whether to stop early."""


class Hand:
    """`finished` is called from this thread after each job; what was done is fetched with `take`."""

    def __init__(self, work: Work, clock: Clock, finished: Callable[[], None]) -> None:
        self._work, self._clock, self._finished = work, clock, finished
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._done: SimpleQueue[Done] = SimpleQueue()
        self._alive_ms = 0
        self._stop = False
        self.job: Job | None = None  # what it is at, until what came of it was taken
        self.told_slow = False
        self._thread = threading.Thread(target=self._run, name="place", daemon=True)
        self._thread.start()

    def give(self, job: Job) -> None:
        """Only while `job` is None."""
        self._alive_ms = self._clock.boot_ms()
        self.told_slow = False
        self.job = job
        self._jobs.put(job)

    def take(self) -> Done | None:
        """What was done last, once; then the next job may be given."""
        try:
            done = self._done.get_nowait()
        except Empty:
            return None
        self.job = None
        return done

    def still_for(self, now_boot: int) -> int:
        """Milliseconds without any progress in the job that it is at."""
        return now_boot - self._alive_ms if self.job is not None else 0

    def stop(self) -> None:
        """Let what it is at end between two files."""
        self._stop = True

    def dismiss(self, *, stop: bool = True) -> None:
        """Nothing more will come; with `stop` what it is at ends too."""
        self._stop = self._stop or stop
        self._jobs.put(None)

    def join(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            report: Report | CheckReport
            try:
                report = self._work(job, self._progress, self._stopping)
            except Exception as fault:  # noqa: BLE001  whatever it was, the other places go on
                report = Report(model.FAULT, detail=f"Something went wrong inside notevault ({type(fault).__name__}).")
            self._done.put(Done(job, report, self._clock.boot_ms()))
            self._finished()

    def _progress(self, *_: object, **__: object) -> None:
        self._alive_ms = self._clock.boot_ms()

    def _stopping(self) -> bool:
        return self._stop


def patiently(work: Work, job: Job, clock: Clock, slow_ms: int) -> Report | CheckReport | None:
    """Do one job in a thread and wait for it; None once it has not moved for `slow_ms`: then it is left to itself.

    An interrupt while waiting lets the job end between two files, and goes on to the caller.
    """
    ready: SimpleQueue[None] = SimpleQueue()
    hand = Hand(work, clock, lambda: ready.put(None))
    hand.give(job)
    hand.dismiss(stop=False)
    try:
        while hand.still_for(clock.boot_ms()) < slow_ms:
            with suppress(Empty):
                ready.get(timeout=1.0)
                done = hand.take()
                return None if done is None else done.report
    except BaseException:
        hand.stop()
        hand.join(LET_GO_S)
        raise
    return None
