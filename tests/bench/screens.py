"""What the eye waits for, measured through a real pseudo-terminal: the prompt, and one key in a long note."""

from __future__ import annotations

import os
import select
import statistics
import sys
import time
from pathlib import Path

import pexpect

from tests.bench.clockwork import Table
from tests.bench.vaults import build

QUIET_S = 0.15  # a screen that says nothing for this long has been drawn
EDITOR = """
import asyncio
from notevault.shell.editor import edit
from notevault.shell.editor_job import EditorJob
class Hooks:
    def activity(self): pass
    def on_change(self, text, cursor): pass
    def save(self, text, cursor): return "saved"
    def sign(self, text, cursor): return "signed"
    def status(self): return "locks in 9:59"
    def should_close(self): return None
    def keeping(self): return "", ""
    def alarm(self): return ()
text = {text}
asyncio.run(edit(EditorJob(title="Bench", code="C-001", template="free", text=text, cursor=len(text) // 2), Hooks()))
"""
PARAGRAPHS = "('word ' * 60 + '\\n\\n') * 133"
ONE_PARAGRAPH = "'word ' * 8000"


def _environment(home: Path) -> dict[str, str]:
    drop = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS")
    kept = {key: value for key, value in os.environ.items() if key not in drop and not key.startswith("XDG_")}
    return kept | {"HOME": str(home), "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}


def _drain(fd: int, first_s: float) -> float:
    """Seconds until the last byte of a redraw: waits `first_s` for the first byte, then until it is quiet."""
    start = last = time.perf_counter()
    wait = first_s
    while select.select([fd], [], [], wait)[0]:
        os.read(fd, 65536)
        last, wait = time.perf_counter(), QUIET_S
    return last - start


def keystroke(home: Path, text: str, key: bytes) -> float:
    child = pexpect.spawn(
        sys.executable, ["-P", "-c", EDITOR.format(text=text)], env=_environment(home), dimensions=(24, 80)
    )
    _drain(child.fileno(), 20)
    taken = []
    for _ in range(25):
        time.sleep(0.05)
        os.write(child.fileno(), key)
        taken.append(_drain(child.fileno(), 5))  # to the last byte of the redraw
    child.close(force=True)
    return statistics.median(taken)


def prompt(home: Path) -> float:
    """From starting the program to the first words of its question."""
    taken = []
    for _ in range(6):
        start = time.perf_counter()
        child = pexpect.spawn(sys.executable, ["-P", "-m", "notevault"], env=_environment(home), dimensions=(24, 80))
        child.expect("(?i)passphrase", timeout=30)
        taken.append(time.perf_counter() - start)
        child.close(force=True)
    return statistics.median(taken[1:])


def measure(folder: Path, table: Table) -> None:
    home = folder / "screens"
    build(home, 50)
    table.row("shell: start to the question for the passphrase", prompt(home), 0.4, "budget 400 ms")
    for name, text in (("40 KB note", PARAGRAPHS), ("40 KB in one paragraph", ONE_PARAGRAPH)):
        table.row(f"a letter typed, {name}", keystroke(home, text, b"x"), 0.03, "budget 30 ms")
        table.row(f"cursor down, {name}", keystroke(home, text, b"\x1b[B"), 0.03, "budget 30 ms")
