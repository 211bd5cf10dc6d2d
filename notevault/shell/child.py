"""The shell's child: asks for the passphrase, holds the open vault, and ends to lock it.

Started by the parent alone: `notevault _child --after WHY --control FD --vault DIR [--plain] [--demo FOLDER]`.
Whatever happens, nothing is printed that could hold a text: unexpected faults end with status 70 and no traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from notevault.errors import NotevaultError
from notevault.shell.control import LOCKED, Channel
from notevault.shell.terminal import this_screen
from notevault.wiring.locked import LockedSide, demo_side, locked_side, protect_process, remove_demo

if TYPE_CHECKING:  # heavy: imported when the terminal is ours
    from notevault.shell.desk import Desk
    from notevault.shell.keeper import EpochKeeper
    from notevault.shell.ui import Ui

LOCKS = ("key", "idle", "suspend")
_WHY = {"gone": "hangup"}


def main(argv: list[str]) -> int:
    protect_process()
    _silence()
    options = _options(argv)
    for name in ("SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTOU", "SIGTTIN"):
        # With the parent gone we are a background process: giving the terminal back must not stop us.
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    channel = Channel.of_fd(options.control)
    screen = this_screen(full=not options.plain)
    screen.adopt()
    code = 70
    try:
        code = asyncio.run(_run(options, channel))
    except NotevaultError as fault:
        channel.send(f"say {fault.sentence} {fault.next_step}")
        code = fault.exit_code
    except BaseException:  # noqa: BLE001 - a traceback could show a note
        code = 70
    finally:
        if channel.gone:
            screen.restore()
            if options.demo:
                remove_demo(Path(options.demo))
    # No interpreter shutdown: it would wait for threads, and every moment keys stay in memory.
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code)


def _silence() -> None:
    """Tracebacks of threads and destructors go nowhere."""
    sys.excepthook = lambda *_: None
    threading.excepthook = lambda _: None
    sys.unraisablehook = lambda _: None


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="notevault _child", add_help=False)
    parser.add_argument("--after", default="start")
    parser.add_argument("--control", type=int, default=-1)
    parser.add_argument("--vault", required=True)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--demo")
    return parser.parse_args(argv)


async def _run(options: argparse.Namespace, channel: Channel) -> int:
    from notevault.shell.desk import Desk
    from notevault.shell.idle import Idle
    from notevault.shell.keeper import EpochKeeper
    from notevault.shell.toolbar import DEMO
    from notevault.shell.ui import Leave
    from notevault.wiring.unlocked import hurried_store, make_demo_env, make_env

    demo = Path(options.demo) if options.demo else None
    side: LockedSide = demo_side(demo) if demo else locked_side(options.vault)
    desk: Desk
    ui: Ui
    env = make_demo_env(demo) if demo else make_env(side, on_wait=lambda words: ui.waiting(words))
    idle = Idle(env.clock)
    if options.plain:
        from notevault.shell.plain import PlainUi

        ui = PlainUi(idle, lambda width: desk.bar(width), banner=DEMO if demo else "")
    else:
        from notevault.shell.stage import Stage

        ui = Stage(idle, lambda width: desk.bar(width), banner=DEMO if demo else "")
    desk = Desk(env, side, ui, channel, demo)
    _listen(channel, ui.leave, desk.backup.worker_is)
    loop = asyncio.get_running_loop()
    keeper = EpochKeeper(desk, lambda: hurried_store(desk.env, desk.session))
    ticking, promising = loop.create_task(ui.tick()), loop.create_task(_each_second(desk, keeper))
    reason = "exit"
    with ui.terminal():
        try:
            await _work(desk, options.after)
        except Leave as leave:
            reason = leave.reason
        except NotevaultError as fault:
            channel.send(f"say {fault.sentence} {fault.next_step}")
            desk.exit_code = fault.exit_code
        finally:
            ticking.cancel()
            promising.cancel()
            ui.cover()
            keeper.wait(0.5)
            _close(desk, reason)
        ui.farewell(reason)
    if reason in LOCKS:
        channel.send(f"after {reason}")
        return LOCKED
    return desk.exit_code


async def _each_second(desk: Desk, keeper: EpochKeeper) -> None:
    while True:
        desk.promise()
        keeper.look()
        desk.backup.look()
        await asyncio.sleep(1.0)


async def _work(desk: Desk, after: str) -> None:
    """Locked, then open; ends by raising Leave."""
    from notevault.app import opening
    from notevault.app.oneshot import alleged_vault
    from notevault.shell import repl, unlock_screen, wizard

    if said := desk.channel.ask("words").partition(" ")[2].strip():
        desk.ui.news = [said]
    if desk.demo is not None:
        from notevault.shell.demo_screen import open_demo

        await open_demo(desk, after)
    elif opening.has_vault(desk.env, desk.side.vault):
        vault_id = alleged_vault(desk.env, desk.side.vault)
        if vault_id is not None:
            unlock_screen.hold(desk, vault_id)
        await unlock_screen.unlock(desk, after)
    else:
        await wizard.first_run(desk)
    from notevault.wiring.unlocked import lock_memory

    lock_memory()
    await repl.work(desk)


def _close(desk: Desk, reason: str) -> None:
    """Where she was, then the end of the session: logged, the index written, the newest state remembered."""
    if not desk.open:
        return
    from notevault.shell.backup_bar import AT_LOCK
    from notevault.wiring.unlocked import hurry

    desk.jobs.stop()
    if desk.demo is None:
        with contextlib.suppress(NotevaultError, OSError):
            desk.backup.now(AT_LOCK)  # what she wrote last may wait: the parent must know it
    with desk.gate:
        if reason in LOCKS:
            with contextlib.suppress(NotevaultError):
                desk.drafts.keep_view(desk.view)
        hurry(desk.env, desk.session)
        for fault in desk.session.close(_WHY.get(reason, reason)):
            desk.channel.send(f"say While locking: {fault.sentence}")


def _listen(channel: Channel, leave: Callable[[str], None], told: Callable[[str], None]) -> None:
    """The parent's words, its end, and the signals of a terminal that goes away."""
    loop = asyncio.get_running_loop()

    def heard() -> None:
        for line in channel.receive():
            word, _, rest = line.partition(" ")
            if word == "lock":
                leave("key")
            elif word == "worker":
                told(rest)
            elif word == "quit":
                leave(rest if rest in ("exit", "hangup") else "exit")
        if channel.gone:
            loop.remove_reader(channel.fileno())
            leave("gone")

    if channel.there:
        loop.add_reader(channel.fileno(), heard)
    for name, reason in (("SIGHUP", "hangup"), ("SIGTERM", "exit")):
        if hasattr(signal, name):
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(getattr(signal, name), leave, reason)
