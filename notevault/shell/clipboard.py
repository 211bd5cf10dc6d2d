"""The shell's own clipboard: memory of the unlocked process alone.

No escape sequence (OSC 52) and no other program is used, because either would hand note text to the system,
where other programs, histories and other devices read it. The lock ends the process and the clipboard with it.
"""

from __future__ import annotations


class Clipboard:
    """One piece of text that lives as long as the unlocked shell, shared by its screens."""

    def __init__(self) -> None:
        self._text = ""

    def __repr__(self) -> str:
        return "Clipboard(...)"  # never the text

    def put(self, text: str) -> None:
        """Keep `text`; an empty one leaves what is there, as in Word."""
        if text:
            self._text = text

    def take(self) -> str:
        """What was last put, or an empty text."""
        return self._text

    def drop(self) -> None:
        """Forget it."""
        self._text = ""
