"""What passes between the editor and the shell that opens it: the job, the hooks, the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass
class EditorJob:
    """What to edit. `title` is the client's name (F8 puts `code` in its place), `detail` the rest of the title row."""

    title: str = field(repr=False)
    code: str
    template: str
    text: str = field(repr=False)
    cursor: int
    read_only: bool = False
    detail: str = ""
    unsaved: bool = False
    """The text comes from a draft: closing saves it even if nothing is typed."""
    names_hidden: bool = False
    aside: Callable[[str], int] | None = None
    """How many words of a text are not hers: the template's headings. They are not counted."""
    sign_warning: Callable[[str], str] | None = None
    """What to say of a text before it is signed ("Nothing is written under Plan."), "" for nothing."""


@dataclass
class EditorResult:
    """How it ended. `reason`: `closed`, `signed`, `locked`, `hangup` or what `should_close` said."""

    text: str = field(repr=False)
    cursor: int
    reason: str
    saved: bool = True
    """`text` is what was last saved (or opened)."""
    names_hidden: bool = False


class EditorHooks(Protocol):
    """The caller's side. All but `save` and `sign` are called on the event loop and must return at once."""

    def activity(self) -> None:
        """A key was pressed: the idle timer starts anew."""

    def on_change(self, text: str, cursor: int) -> None:
        """The text changed; the caller schedules its draft."""

    def save(self, text: str, cursor: int) -> str:
        """Save durably; what to say (`saved 09:41`). Raises NotevaultError: said, text kept. Runs in a thread."""
        ...

    def sign(self, text: str, cursor: int) -> str:
        """Save and sign durably; as `save`. The editor is left when it returns."""
        ...

    def keeping(self) -> tuple[str, str]:
        """What the caller has done by itself with the text as it is now, in a word ("draft kept", "NOT KEPT", "" for
        nothing yet); and a sentence when that failed, else "".
        """
        ...

    def status(self) -> str:
        """The right end of the bottom line: `locks in 4:58`."""
        ...

    def alarm(self) -> Sequence[str]:
        """What must be seen at once, whatever is being written: several wordings, the longest first; () for nothing."""
        ...

    def should_close(self) -> str | None:
        """A reason to leave at once without saving (`locked`, `hangup`), or None."""
        ...
