"""The recovery sheet on paper: a page of plain text, and an A4 PDF with a QR code.

Both carry the same seven numbered lines of three groups (`formats.sheet`), what the sheet is for, and how to use
it. Neither carries anything about clients. The QR code holds the 21 groups joined by "-" (alphanumeric mode,
error correction M or better). The PDF is the same bytes for the same model: no time, no random id, and a title
that tells nothing but what it is. Its fonts are the PDF standard ones, in which 0, 8, B and D are easily told apart.

reportlab and segno are imported when a PDF is made, never before: they cost 0.1 s.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

from notevault.adapters.paper import LEFT, RIGHT, SOFT, Paper, in_fours
from notevault.formats.sheet import GROUPS, GROUPS_PER_LINE


class _Command(str):
    """A line to be typed, among what is told."""

    __slots__ = ()


WIDTH = 74
TITLE = "notevault recovery sheet"
_WHAT_FOR = (
    "This sheet opens your vault if the laptop is lost or broken, or the passphrase is forgotten. "
    "It is the only way back in then: no one else holds a copy, and no one can make one for you."
)
_KEEP = (
    "Keep this sheet on paper, locked away, in another place than the laptop.",
    "Whoever has it together with a copy of the vault can read every note. Do not photograph or mail it.",
    "If it replaces an older sheet, destroy the older one: it still opens older copies.",
    "If it was stolen: make a new vault and import your notes into it. If it is only lost, make a new one:",
    _Command("notevault sheet new"),
)
_USE = (
    "Install notevault on the new laptop, open a terminal and type a command. From a backup place, as a stick:",
    _Command("notevault backup restore --from STICK"),
    "With the vault's own folder, brought along from the old laptop:",
    _Command("notevault recover --vault FOLDER"),
    "Type the groups when asked: capitals or not, spaces or hyphens as you like. A slip is named by group and line.",
)
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
            ("Vault", in_fours(self.vault_id)),
            ("Fingerprint", in_fours(self.fingerprint)),
        ]
        return [*rows, ("Log", self.log)] if self.log else rows


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
    page += [f"        {text}" if isinstance(text, _Command) else prose(text, "  - ", "    ") for text in _KEEP]
    page += ["", "  USING IT", ""]
    page += [f"        {text}" if isinstance(text, _Command) else prose(text, "  - ", "    ") for text in _USE]
    page += ["", prose(_BY_HAND), "", rule]
    return "\n".join(page) + "\n"


def sheet_pdf(model: SheetModel) -> bytes:
    """One A4 page, ready to print."""
    paper = Paper(TITLE, "Recovery sheet", f"Made on {model.made}")
    paper.paragraph(_WHAT_FOR, LEFT, 714, RIGHT - LEFT, 11.5)

    _code_panel(paper, model, top=672, height=296)

    column = (RIGHT - LEFT - 30) / 2
    _list(paper, "Keeping it", _KEEP, LEFT, 342, column)
    _list(paper, "Using it", _USE, LEFT + column + 30, 342, column)

    paper.hairline(152)
    paper.paragraph(_BY_HAND, LEFT, 132, RIGHT - LEFT, 9.5, SOFT)
    y = 88.0
    for name, value in model.facts()[1:]:
        paper.pen("Helvetica", 8.5, SOFT)
        paper.canvas.drawString(LEFT, y, name)
        paper.canvas.setFont("Courier", 8.5)
        paper.canvas.drawString(LEFT + 62, y, value)
        y -= 13
    return paper.done()


def _code_panel(paper: Paper, model: SheetModel, *, top: float, height: float) -> None:
    """The seven lines in a quiet frame, hairlines between them, the QR code at their right."""
    import segno

    bottom = top - height
    paper.frame(bottom, height)
    size, first_x = 20.0, LEFT + 42
    advance = size * 0.6 * 5 + 22  # Courier is 0.6 em wide; five characters and a gap
    step = (height - 20) / 7
    code_right = first_x + 3 * advance - 22
    for number, line in enumerate(model.lines(), 1):
        baseline = top - 10 - step * (number - 0.5) - size * 0.3
        paper.pen("Helvetica", 10, SOFT)
        paper.canvas.drawRightString(first_x - 17, baseline + 2, str(number))
        paper.pen("Courier-Bold", size)
        for place, group in enumerate(line):
            paper.canvas.drawString(first_x + place * advance, baseline, group)
        if number > 1:
            paper.hairline(top - 10 - step * (number - 1), LEFT + 18, code_right)
    side = RIGHT - code_right - 38
    matrix = segno.make(model.code(), error="m", micro=False).matrix
    paper.code(matrix, RIGHT - 18 - side, bottom + (height - side) / 2 + 6, side)
    paper.pen("Helvetica", 8, SOFT)
    words = "the same code, for a QR reader"
    paper.canvas.drawCentredString(RIGHT - 18 - side / 2, bottom + (height - side) / 2 - 8, words)


def _list(paper: Paper, title: str, items: tuple[str, ...], x: float, y: float, width: float) -> None:
    paper.pen("Helvetica-Bold", 12)
    paper.canvas.drawString(x, y, title)
    y -= 20
    for item in items:
        if isinstance(item, _Command):
            paper.pen("Courier-Bold", 9)
            paper.canvas.drawString(x + 12, y, item)
            y -= 17
            continue
        paper.canvas.setFillGray(SOFT)
        paper.canvas.circle(x + 2, y + 3, 1.4, stroke=0, fill=1)
        y = paper.paragraph(item, x + 12, y, width - 12, 9.5) - 3
