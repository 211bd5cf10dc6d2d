"""A terminal for tests: prompt-toolkit writes to it, pyte reads it, keys go in through a pipe.

    async def scene() -> None:
        with open_terminal(80, 24) as term:
            task = asyncio.create_task(application.run_async())   # made with input=term.input, output=term.output
            await term.until("Unlock")
            await term.type("abc\\r")
            ...
    asyncio.run(scene())

`until` waits for something to appear instead of sleeping for a guessed time; it fails with the screen as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyte
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

PATIENCE_S = 30.0  # a busy machine; a passing test never waits this long

UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
HOME, END, PAGE_UP, PAGE_DOWN = "\x1b[H", "\x1b[F", "\x1b[5~", "\x1b[6~"
CTRL_HOME, CTRL_END, CTRL_LEFT, CTRL_RIGHT = "\x1b[1;5H", "\x1b[1;5F", "\x1b[1;5D", "\x1b[1;5C"
SHIFT_LEFT, SHIFT_RIGHT, SHIFT_UP, SHIFT_DOWN = "\x1b[1;2D", "\x1b[1;2C", "\x1b[1;2A", "\x1b[1;2B"
SHIFT_HOME, SHIFT_END, CTRL_SHIFT_RIGHT = "\x1b[1;2H", "\x1b[1;2F", "\x1b[1;6C"
F1, F3, SHIFT_F3, F8, ESC, BACKSPACE, DELETE = "\x1bOP", "\x1bOR", "\x1b[1;2R", "\x1b[19~", "\x1b", "\x7f", "\x1b[3~"


def pasted(text: str) -> str:
    """What a terminal sends when text is pasted."""
    return f"\x1b[200~{text}\x1b[201~"


class _Pipe:
    """The file-like end prompt-toolkit writes to; keeps every byte besides feeding pyte."""

    encoding = "utf-8"

    def __init__(self, stream: pyte.Stream) -> None:
        self._stream = stream
        self.raw: list[str] = []

    def write(self, data: str) -> int:
        self.raw.append(data)
        self._stream.feed(data)
        return len(data)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError("a terminal made of memory")


class Terminal:
    """`input` and `output` for an Application; `lines`, `cursor`, `reversed_text` tell what is on the screen."""

    def __init__(self, columns: int, rows: int, source: PipeInput) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._pipe = _Pipe(pyte.Stream(self.screen))
        self.input = source
        self.typed = ""  # last
        self.output = Vt100_Output(
            self._pipe,  # type: ignore[arg-type]
            lambda: Size(rows=self.screen.lines, columns=self.screen.columns),
            term="xterm-256color",
            default_color_depth=ColorDepth.DEPTH_24_BIT,
            enable_cpr=False,
        )

    @property
    def lines(self) -> list[str]:
        """The rows, without trailing blanks; a wide character once."""
        return [row.rstrip() for row in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def raw(self) -> str:
        """Everything ever sent to the terminal."""
        return "".join(self._pipe.raw)

    @property
    def cursor(self) -> tuple[int, int]:
        """(column, row), from 0."""
        return self.screen.cursor.x, self.screen.cursor.y

    def marked(self, attribute: str = "reverse", rows: slice = slice(None)) -> str:
        """All text with an attribute (`reverse`, `bold`, `underscore`), row by row, `|` between pieces."""
        pieces: list[str] = []
        for y in range(self.screen.lines)[rows]:
            open_piece = False
            for x in range(self.screen.columns):
                cell = self.screen.buffer[y][x]
                if getattr(cell, attribute):
                    if not open_piece:
                        pieces.append("")
                    pieces[-1] += cell.data
                    open_piece = True
                else:
                    open_piece = False
        return "|".join(pieces)

    async def until(self, wanted: str | Callable[[], object]) -> None:
        """Wait until a text is on the screen, or a condition holds."""
        held = (lambda: wanted in self.text) if isinstance(wanted, str) else wanted
        for _ in range(int(PATIENCE_S / 0.005)):
            if held():
                return
            await asyncio.sleep(0.005)
        what = repr(wanted) if isinstance(wanted, str) else "the condition"
        raise AssertionError(f"{what} never came; cursor {self.cursor}, the screen is:\n{self.text}")

    async def type(self, keys: str) -> None:
        """Send keys as a terminal would; a lone Escape at the end gets the silence that makes it an Escape."""
        self.typed = keys
        self.input.send_text(keys)
        for _ in range(15 if keys.endswith("\x1b") else 1):  # in steps: each lets what is due be done
            await asyncio.sleep(0.01)

    async def resize(self, columns: int, rows: int) -> None:
        """Change the size as a window manager would (prompt-toolkit looks at it every half second)."""
        self.screen.resize(rows, columns)
        self.screen.ensure_hbounds()
        self.screen.ensure_vbounds()  # a real terminal never leaves its cursor outside
        await asyncio.sleep(0)


@contextmanager
def open_terminal(columns: int = 80, rows: int = 24) -> Iterator[Terminal]:
    with create_pipe_input() as source:
        yield Terminal(columns, rows, source)
