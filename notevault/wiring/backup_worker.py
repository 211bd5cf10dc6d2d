"""The worker as a process: hidden beside a shell (`_worker`), or in the foreground and as a service (`backup watch`).

Without a key and without a terminal. The hidden one ends when its standard input is closed, which happens however the
shell's parent ends; both end within `LAST_S` seconds of being told, whatever a place may be hanging in.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from types import FrameType

from notevault.adapters.watcher import FolderWatcher
from notevault.backup.model import PlaceFile, Report
from notevault.backup.worker.ending import Ending
from notevault.backup.worker.worker import END_S, Worker
from notevault.errors import NotevaultError
from notevault.wiring.backup import check_is_vault, ground_of, record_results, way
from notevault.wiring.locked import LockedSide, locked_side, protect_process

NICE = 10
LAST_S = END_S + 15.0
"""After that the process ends itself, even where its main thread is stuck in the vault's own folder."""
_ENDS = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")


def worker_main(argv: Sequence[str]) -> int:
    """`_worker --vault V`. Writes nothing but in the local folder and in the places; its status is for nobody.

    Never returns: threads that hang in a place must not hold up the end of the process.
    """
    protect_process()
    _leave_the_terminal()
    ending = Ending()
    code = 70
    try:
        if len(argv) != 2 or argv[0] != "--vault":
            code = 64
        else:
            _be_nice()
            with _ended_by_signals(ending, interrupts=False):
                _last_resort(ending)
                worker: list[Worker] = []
                _watch_stdin(ending, worker)
                worker.append(make_worker(locked_side(argv[1]), ending))
                code = 0 if worker[0].run() else 74
    except NotevaultError as fault:
        code = fault.exit_code
    except BaseException:  # noqa: BLE001  nobody is there to read it
        code = 70
    os._exit(code)


def watch(side: LockedSide, told: Callable[[PlaceFile, Report], None]) -> int:
    """In the foreground, until it is interrupted or told to end. Raises NoVault and what the local folder raises."""
    ending = Ending()
    _be_nice()
    threading.excepthook = lambda _: None  # a thread's own end is told by what the place's state says
    with _ended_by_signals(ending, interrupts=True):
        worker = make_worker(side, ending, told)
        _last_resort(ending)
        return 0 if worker.run() else 74


def make_worker(side: LockedSide, ending: Ending, told: Callable[[PlaceFile, Report], None] | None = None) -> Worker:
    """Raises NoVault, Refused for a copy of the vault."""
    ground = ground_of(side)
    check_is_vault(side, ground)
    vault_hex = ground.vault_id
    watcher = FolderWatcher(side.vault)
    ending.also(watcher.wake)
    return Worker(
        ground, watcher, way(ground), ending, record=lambda: record_results(side, vault_hex, old=True), told=told
    )


def _watch_stdin(ending: Ending, worker: list[Worker]) -> None:
    """End when nothing holds the other end any more. Anything that is written to it asks for a look at once."""

    def read() -> None:
        # A terminal is not ours to read: whoever starts this by hand gets one round
        with suppress(OSError):
            while not os.isatty(0) and os.read(0, 4096):
                for each in worker:
                    each.look_now()
        ending.end()

    threading.Thread(target=read, name="stdin", daemon=True).start()


def _last_resort(ending: Ending) -> None:
    """The thread waits from the start: none may be started from within a signal's handler."""
    told: SimpleQueue[None] = SimpleQueue()

    def end() -> None:
        told.get()
        time.sleep(LAST_S)
        os._exit(74)

    ending.also(lambda: told.put(None))
    threading.Thread(target=end, name="last", daemon=True).start()


@contextmanager
def _ended_by_signals(ending: Ending, *, interrupts: bool) -> Iterator[None]:
    """`interrupts`: also by Ctrl-C; else that key is for the shell, and a hang-up closes our standard input anyway."""

    def end(number: int, _frame: FrameType | None) -> None:
        if ending.ended and number == signal.SIGINT:
            os._exit(130)  # asked twice; whatever is half done is half done under names that mean nothing yet
        ending.end()

    before = {}
    for name in _ENDS:
        number = getattr(signal, name, None)
        if number is not None:
            ours = end if interrupts or name == "SIGTERM" else signal.SIG_IGN
            before[number] = signal.signal(number, ours)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_the_terminal() -> None:
    """A session of our own, and nothing of ours on anybody's screen."""
    if hasattr(os, "setsid"):
        with suppress(OSError):
            os.setsid()
    with suppress(OSError):
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        if nothing > 2:
            os.close(nothing)


def _be_nice() -> None:
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(NICE)
