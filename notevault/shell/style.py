"""The one style of all screens: reverse, bold, underline and the terminal's own colours, nothing else.

So every screen is readable on light and dark terminals alike, and NO_COLOR has nothing to take away.
"""

from __future__ import annotations

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

STYLE = Style.from_dict(
    {
        "bar": "reverse",  # title row, bottom line
        "bar.strong": "reverse bold",
        "selected": "reverse",
        "hit": "underline bold",  # found elsewhere on the screen
        "odd": "underline",  # a character made visible
        "heading": "bold",
        "key": "bold",
        "message": "bold",
        "alarm": "reverse bold",
        "question": "bold",
        "field": "underline",
        "faint": "",  # dim is unreadable on some terminals
        "chosen": "reverse",  # the row of a list that Enter opens
    }
)

COLOR_DEPTH = ColorDepth.DEPTH_1_BIT
"""Ask prompt-toolkit for attributes only; colours would be guesses about the background."""
