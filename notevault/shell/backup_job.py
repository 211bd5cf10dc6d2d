"""Long work on backups: in a thread beside everything else. She may look on, or go on writing; one at a time.

It is stopped when the vault is locked, which it never puts off: whatever it does can be broken off at any moment and
begun again, and a backup goes on in the worker. One that hangs in a stick or a network folder cannot be ended from
here: it is left to itself, and another may begin.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from notevault.errors import Busy, Interrupted, NotevaultError
from notevault.shell.backup_bar import here
from notevault.shell.paint import Row, wrapped
from notevault.shell.screens import MEASURE

if TYPE_CHECKING:
    from notevault.shell.desk import Desk

Stop = Callable[[], bool]
Work = Callable[[Callable[[str], None], Stop], Sequence[str]]
"""(say, stop) -> the result in lines, the first of which says it all. Raises NotevaultError."""
GOES_ON = "You may go back and write: it goes on beside, and home tells when it is done. A lock stops it."
STUCK = "It does not go on: the stick, disk or network folder does not answer. Something else may be begun meanwhile."
STUCK_S = 60.0
"""Without any step for so long, a job keeps no other waiting."""
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
        self.told = False
        """Whether home has told that it ended."""
        self._moved = time.monotonic()
        self._work = work
        self._stop = threading.Event()

    def begin(self) -> None:
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def stuck(self) -> bool:
        return not self.done.is_set() and time.monotonic() - self._moved > STUCK_S

    def _say(self, words: str) -> None:
        self.words = words
        self._moved = time.monotonic()

    def _stopping(self) -> bool:
        """Asked between two files: so it goes on."""
        self._moved = time.monotonic()
        return self._stop.is_set()

    def _run(self) -> None:
        try:
            self.lines = tuple(self._work(self._say, self._stopping)) or ("Done.",)
        except NotevaultError as fault:
            said = ("It was stopped.",) if isinstance(fault, Interrupted) else (fault.sentence, fault.next_step)
            self.lines = tuple(here(each) for each in said if each)
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
        """Raises Busy while there is another that goes on."""
        if (job := self.running) is not None:
            if not job.stuck:
                raise Busy(f"This is still under way: {job.title}.", "`backup` shows how far it is.")
            job.stop()
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
        job = self._job
        if job is None or not job.done.is_set() or job.told:
            return []
        job.told = True
        if not job.lines[1:]:
            self._job = None
        return [f"{job.title}: {job.lines[0]}", *(["`backup` tells more."] if job.lines[1:] else [])]

    @property
    def untold(self) -> Job | None:
        """One that has ended, with a result that was not on the screen yet, or not all of it."""
        return self._job if self._job is not None and self._job.done.is_set() else None


async def watch(desk: Desk, job: Job) -> None:
    """Look on until she leaves, or to its end; then its result."""
    if not job.stuck:
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
    return [*rows, [("", "")], *wrapped(STUCK if job.stuck else GOES_ON, width)]
