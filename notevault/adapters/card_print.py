"""A log's card on paper: plain text with a QR code of blocks, and an A4 PDF.

The QR code holds the card file's bytes as they are, so that a reader's output is the file that `nvaudit --card` takes.
Nothing on it is secret. The PDF is the same bytes for the same model.

reportlab and segno are imported when something is drawn, never before: they cost 0.1 s.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from notevault.adapters.paper import INK, LEFT, RIGHT, SOFT, Paper, in_fours

WIDTH = 76
QUIET = 2  # modules around the code: readers manage with two, and four would need 85 columns
TITLE = "notevault log card"
_WHAT_FOR = (
    "For whoever checks this vault's log. With this card they can tell, on a computer of their own and without a "
    "passphrase, whether the log in a copy of the vault is really this vault's, and whether anything in it was changed "
    "or taken out. The card is no secret: it names nobody and opens nothing."
)
_USE = (
    "Hand it over in person, or send the card file and read the card's fingerprint aloud: the check prints it too.",
    "The QR code holds the card file. Save what a QR reader shows, byte for byte, or take the file itself.",
    "Keep the card, and the state file that each check leaves. From the second check on they show whether the log "
    "was cut short or exchanged in between.",
)
_CHECK = "nvaudit check FOLDER --card CARD --state STATE --out report.json"
_FILE = "notevault audit card --out CARD"


@dataclass(frozen=True)
class CardModel:
    """`data`: the card file's bytes. Fingerprints in hex; dates as people write them."""

    data: bytes
    fingerprint: str
    vault_id: str
    vault_fingerprint: str
    log: str
    begun: str
    printed: str

    def facts(self) -> list[tuple[str, str]]:
        return [
            ("Card's fingerprint", in_fours(self.fingerprint)),
            ("Vault", in_fours(self.vault_id)),
            ("Vault's fingerprint", in_fours(self.vault_fingerprint)),
            ("", "(the one on the recovery sheet)"),
            ("Log", self.log),
            ("Log begun on", self.begun),
            ("Printed on", self.printed),
        ]


def card_text(model: CardModel) -> str:
    """The page without the code: ASCII, at most 76 columns."""

    def prose(text: str, first: str = "  ", rest: str = "  ") -> str:
        return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False)

    rule = "=" * WIDTH
    page = [rule, "", "  NOTEVAULT LOG CARD", "", prose(_WHAT_FOR), "", "  " + "-" * (WIDTH - 4), ""]
    page += [f"  {name + ':' if name else '':<22}{value}" for name, value in model.facts()]
    page += ["", "  USING IT", "", *(prose(text, "  - ", "    ") for text in _USE)]
    page += ["", f"        {_CHECK}", f"        {_FILE}", "", rule]
    return "\n".join(page) + "\n"


def code_width(data: bytes) -> int:
    """Columns that `code_text` takes."""
    return len(_matrix(data, "l")) + 2 * QUIET


def code_text(data: bytes, *, dark_screen: bool) -> str:
    """The QR code, two modules to a character. `dark_screen`: for light letters on black; else for paper."""
    blank = QUIET * 2 + len(_matrix(data, "l"))
    rows = [[False] * blank] * QUIET
    rows += [[False] * QUIET + [bool(cell) for cell in line] + [False] * QUIET for line in _matrix(data, "l")]
    rows += [[False] * blank] * (QUIET + len(rows) % 2)
    drawn = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=False):
        pairs = zip(upper, lower, strict=True)
        lines.append("".join(drawn[up is not dark_screen, down is not dark_screen] for up, down in pairs))
    return "\n".join(line.rstrip() if not dark_screen else line for line in lines) + "\n"


def _matrix(data: bytes, error: str) -> Any:
    import segno

    return segno.make(data, error=error, micro=False, boost_error=False).matrix


def card_pdf(model: CardModel) -> bytes:
    """One A4 page, ready to print."""
    paper = Paper(TITLE, "Log card", f"Printed on {model.printed}")
    y = paper.paragraph(_WHAT_FOR, LEFT, 714, RIGHT - LEFT, 11.5) - 6
    y = _facts(paper, model, y)
    side = 250.0
    paper.code(_matrix(model.data, "m"), LEFT + (RIGHT - LEFT - side) / 2, y - side, side)
    y -= side + 34
    paper.pen("Helvetica-Bold", 12)
    paper.canvas.drawString(LEFT, y, "Using it")
    y -= 18
    for text in _USE:
        y = paper.paragraph(text, LEFT, y, RIGHT - LEFT, 10, SOFT) - 3
    paper.pen("Courier-Bold", 9.5)
    for command in (_CHECK, _FILE):
        paper.canvas.drawString(LEFT, y - 4, command)
        y -= 15
    return paper.done()


def _facts(paper: Paper, model: CardModel, y: float) -> float:
    """The card's own fingerprint large, in a frame; the rest below it."""
    (name, value), *rest = model.facts()
    paper.frame(y - 46, 54)
    paper.pen("Helvetica", 9, SOFT)
    paper.canvas.drawString(LEFT + 14, y - 6, name)
    paper.pen("Courier-Bold", 18)
    paper.canvas.drawString(LEFT + 14, y - 32, value)
    y -= 68
    for name, value in rest:
        paper.pen("Helvetica", 9, SOFT)
        paper.canvas.drawString(LEFT, y, name)
        paper.pen("Courier" if name else "Helvetica", 9, INK if name else SOFT)
        paper.canvas.drawString(LEFT + 100, y, value)
        y -= 14
    paper.hairline(y)
    return y - 20
