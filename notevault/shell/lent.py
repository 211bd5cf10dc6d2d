"""The terminal as the child has it on loan from the parent, for prompt-toolkit.

It stays raw for as long as the child lives, its alternate screen and title are not ours to touch, and when it goes
away in the middle of a word that is no fault: the text is what has to be saved then.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager

from prompt_toolkit.input import Input, create_input
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.output.vt100 import Vt100_Output


class _Output(Vt100_Output):
    def enter_alternate_screen(self) -> None:
        self.write_raw("\x1b[H")

    def quit_alternate_screen(self) -> None:
        """Stay: the next screen draws over this one."""

    def set_title(self, title: str) -> None:
        """Never a title of a screen's own."""

    def clear_title(self) -> None:
        """Nothing to clear."""

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


def make_output() -> Output:
    if sys.platform == "win32":
        return create_output(sys.stdout)
    return _Output.from_pty(sys.stdout, term=os.environ.get("TERM"))


def make_input() -> Input:
    if sys.platform == "win32":
        return create_input()
    from prompt_toolkit.input.vt100 import Vt100Input

    class _Input(Vt100Input):
        """The mode is set once, by `held_raw`; setting it back on a terminal that has gone would raise."""

        def raw_mode(self) -> AbstractContextManager[None]:
            return contextlib.nullcontext()

        def cooked_mode(self) -> AbstractContextManager[None]:
            return contextlib.nullcontext()

    return _Input(sys.stdin)


def forget_typed(source: Input) -> None:
    """Throw away keys pressed for an earlier screen: those the last application left over, and those not read yet."""
    from prompt_toolkit.input.typeahead import clear_typeahead

    clear_typeahead(source)
    if sys.platform == "win32":
        return
    import termios

    with contextlib.suppress(OSError, termios.error):
        termios.tcflush(source.fileno(), termios.TCIFLUSH)


@contextlib.contextmanager
def held_raw(source: Input) -> Iterator[None]:
    """Raw for a while: what is typed between two screens is neither shown nor a signal. The parent sets it back."""
    if sys.platform == "win32":
        with source.raw_mode():
            yield
        return
    import termios

    from prompt_toolkit.input.vt100 import raw_mode

    mode = raw_mode(source.fileno())
    with contextlib.suppress(OSError, termios.error):
        mode.__enter__()
    try:
        yield
    finally:
        with contextlib.suppress(OSError, termios.error):
            mode.__exit__()
