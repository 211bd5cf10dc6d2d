"""Long work on backups: in a thread beside everything else. She may look on, or go on writing; one at a time.

It is stopped when the vault is locked, which it never puts off: whatever it does can be broken off at any moment and
begun again, and a backup goes on in the worker.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from notevault.errors import Busy, Interrupted, NotevaultError
from notevault.shell.paint import Row, wrapped
from notevault.shell.screens import MEASURE

if TYPE_CHECKING:
    from notevault.shell.desk import Desk

Stop = Callable[[], bool]
Work = Callable[[Callable[[str], None], Stop], Sequence[str]]
"""(say, stop) -> the result in lines, the first of which says it all. Raises NotevaultError."""
GOES_ON = "You may go back and write: it goes on beside, and home tells when it is done. A lock stops it."
FAST_S = 1.5
"""Waited for on a screen without any key, so that what is done at once is answered at once."""
PLAIN_S = 10.0
OURS = "Something went wrong inside notevault. Nothing that was saved is lost."


class Job:
    def __init__(self, title: str, work: Work) -> None:
        self.title = title
        self.words = ""
        self.lines: tuple[str, ...] = ()
        self.done = threading.Event()
        self.shown = False
        """Whether its result was on the screen."""
        self._work = work
        self._stop = threading.Event()

    def begin(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def _say(self, words: str) -> None:
        self.words = words

    def _run(self) -> None:
        try:
            self.lines = tuple(self._work(self._say, self._stop.is_set)) or ("Done.",)
        except NotevaultError as fault:
            stopped = isinstance(fault, Interrupted)
            self.lines = ("It was stopped.",) if stopped else tuple(filter(None, (fault.sentence, fault.next_step)))
        except Exception:  # noqa: BLE001 - a traceback could show a note
            self.lines = (OURS,)
        finally:
            self.done.set()


class Jobs:
    def __init__(self) -> None:
        self._job: Job | None = None

    @property
    def running(self) -> Job | None:
        return self._job if self._job is not None and not self._job.done.is_set() else None

    def begin(self, title: str, work: Work) -> Job:
        """Raises Busy while there is another."""
        if self.running is not None:
            raise Busy(f"This is still under way: {self.running.title}.", "`backup` shows how far it is.")
        self._job = Job(title, work)
        self._job.begin()
        return self._job

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()

    def seen(self, job: Job) -> None:
        """Its result was on the screen."""
        if self._job is job:
            self._job = None

    def news(self) -> list[str]:
        """The result of a job that ended while she was elsewhere; once."""
        if self._job is None or not self._job.done.is_set():
            return []
        job, self._job = self._job, None
        return [f"{job.title}: {job.lines[0]}", *(["`backup` tells more."] if job.lines[1:] else [])]


async def watch(desk: Desk, job: Job) -> None:
    """Look on until she leaves, or to its end; then its result."""
    await _a_moment(desk, job, PLAIN_S if desk.ui.is_plain else FAST_S)
    if job.done.is_set() or not desk.ui.is_plain:
        await desk.ui.page(job.title, lambda width, _hidden: rows_of_job(job, min(width, MEASURE)))
    if job.shown:
        desk.jobs.seen(job)
        await desk.backup.refresh()
    elif not job.done.is_set():
        desk.say("It goes on beside; `backup` shows how far it is.")


async def _a_moment(desk: Desk, job: Job, seconds: float) -> None:
    def wait(say: Callable[[str], None]) -> None:
        for _ in range(int(seconds / 0.1)):
            say(job.words)
            if desk.ui.leaving or job.done.wait(0.1):
                return

    await desk.ui.work(job.title, ["One moment\u2026"], wait)
    await asyncio.sleep(0)


def rows_of_job(job: Job, width: int) -> list[Row]:
    if job.done.is_set():
        job.shown = True
        return [row for line in job.lines for row in wrapped(line, width)]
    rows = wrapped(f"Under way: {job.words}" if job.words else "Under way\u2026", width)
    return [*rows, [("", "")], *wrapped(GOES_ON, width)]
