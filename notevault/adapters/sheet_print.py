"""The recovery sheet on paper: a page of plain text, and an A4 PDF with a QR code.

Both carry the same seven numbered lines of three groups (`formats.sheet`), what the sheet is for, and how to use
it. Neither carries anything about clients. The QR code holds the 21 groups joined by "-" (alphanumeric mode,
error correction M or better). The PDF is the same bytes for the same model: no time, no random id, and a title
that tells nothing but what it is. Its fonts are the PDF standard ones, in which 0, 8, B and D are easily told apart.

reportlab and segno are imported when a PDF is made, never before: they cost 0.1 s.
"""

from __future__ import annotations

import io
import textwrap
from dataclasses import dataclass, field
from typing import Any

from notevault.formats.sheet import GROUPS, GROUPS_PER_LINE

WIDTH = 74
TITLE = "notevault recovery sheet"
_WHAT_FOR = (
    "This sheet opens your vault if the laptop is lost or broken, or the passphrase is forgotten. "
    "It is the only way back in then: no one else holds a copy, and no one can make one for you."
)
_KEEP = (
    "Keep this sheet on paper, locked away, in another place than the laptop.",
    "Whoever has it together with a copy of the vault can read every note. Do not photograph or mail it.",
    "If it replaces an older sheet, destroy the older one.",
    "If it is lost or was seen by someone, make a new one:",
)
_RECOVER = (
    "Install notevault on the new laptop and put a copy of the vault there.",
    "Open a terminal and type the command below.",
    "Type the groups when asked: capitals or not, spaces or hyphens as you like. A slip is named by group and line.",
)
_NEW_COMMAND = "notevault sheet new"
_RECOVER_COMMAND = "notevault recover"
_BY_HAND = (
    "No printer? Copy the seven lines by hand. The last character of each group checks the four before it, so a slip "
    "is found when it is typed. I, L, O and U are never used: what looks like I or L is a 1, and like O a 0."
)


@dataclass(frozen=True)
class SheetModel:
    """What a sheet shows. `groups` are secret; the others are public.

    `vault_id` hex, `made` a date as people write it, `fingerprint` of the vault's identity (hex), `log` the name of
    this laptop's log as on its card ("" leaves it out).
    """

    groups: tuple[str, ...] = field(repr=False)
    vault_id: str
    made: str
    fingerprint: str
    log: str = ""

    def code(self) -> str:
        """What the QR code holds."""
        return "-".join(self.groups)

    def lines(self) -> list[tuple[str, ...]]:
        if len(self.groups) != GROUPS:
            raise ValueError("a recovery sheet has 21 groups")
        return [self.groups[at : at + GROUPS_PER_LINE] for at in range(0, GROUPS, GROUPS_PER_LINE)]

    def facts(self) -> list[tuple[str, str]]:
        rows = [
            ("Made on", self.made),
            ("Vault", _in_fours(self.vault_id)),
            ("Fingerprint", _in_fours(self.fingerprint)),
        ]
        return [*rows, ("Log", self.log)] if self.log else rows


def _in_fours(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def sheet_text(model: SheetModel) -> str:
    """The page for a terminal or a text file: at most 74 columns, ASCII. `parse_sheet` reads it back."""

    def prose(text: str, first: str = "  ", rest: str = "  ") -> str:
        return textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False)

    rule = "=" * WIDTH
    thin = "  " + "-" * (WIDTH - 4)
    page = [rule, "", "  NOTEVAULT RECOVERY SHEET", "", prose(_WHAT_FOR), "", thin, ""]
    for number, line in enumerate(model.lines(), 1):
        page += [f"          {number}     " + "      ".join(line), ""]
    page += [thin, ""]
    page += [f"  {name + ':':<13}{value}" for name, value in model.facts()]
    page += ["", "  KEEPING IT", ""]
    page += [prose(text, "  - ", "    ") for text in _KEEP]
    page += [f"        {_NEW_COMMAND}", "", "  USING IT", ""]
    page += [prose(text, "  - ", "    ") for text in _RECOVER]
    page += [f"        {_RECOVER_COMMAND}", "", prose(_BY_HAND), "", rule]
    return "\n".join(page) + "\n"


# A4 in points, the margins, and three inks that survive a poor printer.
_PAGE_W, _PAGE_H = 595.28, 841.89
_LEFT, _RIGHT = 54.0, 541.28
_INK, _SOFT, _HAIR = 0.12, 0.42, 0.78


def sheet_pdf(model: SheetModel) -> bytes:
    """One A4 page, ready to print."""
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    page = Canvas(out, pagesize=(_PAGE_W, _PAGE_H), invariant=1, pageCompression=1)
    page.setTitle(TITLE)
    page.setAuthor("notevault")
    page.setSubject("")
    page.setCreator("notevault")

    page.setFillGray(_SOFT)
    page.setFont("Helvetica", 10)
    page.drawString(_LEFT, 776, "notevault")
    page.drawRightString(_RIGHT, 776, f"Made on {model.made}")
    page.setFillGray(_INK)
    page.setFont("Helvetica-Bold", 27)
    page.drawString(_LEFT, 738, "Recovery sheet")
    _paragraph(page, _WHAT_FOR, _LEFT, 714, _RIGHT - _LEFT, 11.5)

    _code_panel(page, model, top=668, height=300)

    column = (_RIGHT - _LEFT - 30) / 2
    _list(page, "Keeping it", _KEEP, _NEW_COMMAND, _LEFT, 332, column)
    _list(page, "Using it", _RECOVER, _RECOVER_COMMAND, _LEFT + column + 30, 332, column)

    _hairline(page, 152)
    _paragraph(page, _BY_HAND, _LEFT, 132, _RIGHT - _LEFT, 9.5, gray=_SOFT)
    y = 88.0
    for name, value in model.facts()[1:]:
        page.setFillGray(_SOFT)
        page.setFont("Helvetica", 8.5)
        page.drawString(_LEFT, y, name)
        page.setFont("Courier", 8.5)
        page.drawString(_LEFT + 62, y, value)
        y -= 13
    page.showPage()
    page.save()
    return out.getvalue()


def _code_panel(page: Any, model: SheetModel, *, top: float, height: float) -> None:
    """The seven lines in a quiet frame, hairlines between them, the QR code at their right."""
    bottom = top - height
    page.setStrokeGray(_INK)
    page.setLineWidth(0.9)
    page.roundRect(_LEFT, bottom, _RIGHT - _LEFT, height, 7, stroke=1, fill=0)
    size, first_x = 20.0, _LEFT + 42
    advance = size * 0.6 * 5 + 22  # Courier is 0.6 em wide; five characters and a gap
    step = (height - 20) / 7
    code_right = first_x + 3 * advance - 22
    for number, line in enumerate(model.lines(), 1):
        baseline = top - 10 - step * (number - 0.5) - size * 0.3
        page.setFillGray(_SOFT)
        page.setFont("Helvetica", 10)
        page.drawRightString(first_x - 17, baseline + 2, str(number))
        page.setFillGray(_INK)
        page.setFont("Courier-Bold", size)
        for place, group in enumerate(line):
            page.drawString(first_x + place * advance, baseline, group)
        if number > 1:
            page.setStrokeGray(_HAIR)
            page.setLineWidth(0.5)
            y = top - 10 - step * (number - 1)
            page.line(_LEFT + 18, y, code_right, y)
    side = _RIGHT - code_right - 38
    _qr(page, model.code(), _RIGHT - 18 - side, bottom + (height - side) / 2 + 6, side)
    page.setFillGray(_SOFT)
    page.setFont("Helvetica", 8)
    page.drawCentredString(_RIGHT - 18 - side / 2, bottom + (height - side) / 2 - 8, "the same code, for a QR reader")


def _qr(page: Any, code: str, x: float, y: float, side: float) -> None:
    """Dark modules as one path, so that no hair of white shows between them. The frame around it is the quiet zone."""
    import segno

    matrix = segno.make(code, error="m", micro=False).matrix
    module = side / len(matrix)
    path = page.beginPath()
    for row, cells in enumerate(matrix):
        start = None
        for column, dark in enumerate([*cells, 0]):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                path.rect(x + start * module, y + side - (row + 1) * module, (column - start) * module, module)
                start = None
    page.setFillGray(0)
    page.drawPath(path, stroke=0, fill=1)


def _paragraph(page: Any, text: str, x: float, y: float, width: float, size: float, gray: float = _INK) -> float:
    """Text wrapped to `width` with its first baseline at y; returns the baseline after the last line."""
    from reportlab.lib.utils import simpleSplit

    page.setFillGray(gray)
    page.setFont("Helvetica", size)
    for line in simpleSplit(text, "Helvetica", size, width):
        page.drawString(x, y, line)
        y -= size * 1.4
    return y


def _list(page: Any, title: str, items: tuple[str, ...], command: str, x: float, y: float, width: float) -> None:
    page.setFillGray(_INK)
    page.setFont("Helvetica-Bold", 12)
    page.drawString(x, y, title)
    y -= 20
    for item in items:
        page.setFillGray(_SOFT)
        page.circle(x + 2, y + 3, 1.4, stroke=0, fill=1)
        y = _paragraph(page, item, x + 12, y, width - 12, 10) - 4
    page.setFont("Courier-Bold", 10)
    page.drawString(x + 12, y, command)


def _hairline(page: Any, y: float) -> None:
    page.setStrokeGray(_HAIR)
    page.setLineWidth(0.5)
    page.line(_LEFT, y, _RIGHT, y)
