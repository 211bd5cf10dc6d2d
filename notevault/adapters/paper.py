"""What the printed pages share: an A4 page with reportlab, wrapped text, a QR code. Same bytes for the same content.

reportlab and segno are imported when something is drawn, never before: they cost 0.1 s.
"""

from __future__ import annotations

import io
from typing import Any

# A4 in points, the margins, and three inks that survive a poor printer.
PAGE_W, PAGE_H = 595.28, 841.89
LEFT, RIGHT = 54.0, 541.28
INK, SOFT, HAIR = 0.12, 0.42, 0.78


def in_fours(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


class Paper:
    """One page with its heading. `canvas` is reportlab's."""

    def __init__(self, title: str, heading: str, dated: str) -> None:
        from reportlab.pdfgen.canvas import Canvas

        self._out = io.BytesIO()
        self.canvas: Any = Canvas(self._out, pagesize=(PAGE_W, PAGE_H), invariant=1, pageCompression=1)
        self.canvas.setTitle(title)
        self.canvas.setAuthor("notevault")
        self.canvas.setSubject("")
        self.canvas.setCreator("notevault")
        self.pen("Helvetica", 10, SOFT)
        self.canvas.drawString(LEFT, 776, "notevault")
        self.canvas.drawRightString(RIGHT, 776, dated)
        self.pen("Helvetica-Bold", 27)
        self.canvas.drawString(LEFT, 738, heading)

    def pen(self, font: str, size: float, gray: float = INK) -> None:
        self.canvas.setFillGray(gray)
        self.canvas.setFont(font, size)

    def paragraph(self, text: str, x: float, y: float, width: float, size: float, gray: float = INK) -> float:
        """Text wrapped to `width` with its first baseline at y; returns the baseline after the last line."""
        from reportlab.lib.utils import simpleSplit

        self.pen("Helvetica", size, gray)
        for line in simpleSplit(text, "Helvetica", size, width):
            self.canvas.drawString(x, y, line)
            y -= size * 1.4
        return y

    def frame(self, bottom: float, height: float) -> None:
        self.canvas.setStrokeGray(INK)
        self.canvas.setLineWidth(0.9)
        self.canvas.roundRect(LEFT, bottom, RIGHT - LEFT, height, 7, stroke=1, fill=0)

    def hairline(self, y: float, x: float = LEFT, to: float = RIGHT) -> None:
        self.canvas.setStrokeGray(HAIR)
        self.canvas.setLineWidth(0.5)
        self.canvas.line(x, y, to, y)

    def code(self, matrix: Any, x: float, y: float, side: float) -> None:
        """Dark modules as one path, so that no hair of white shows between them; what is around is the quiet zone."""
        module = side / len(matrix)
        path = self.canvas.beginPath()
        for row, cells in enumerate(matrix):
            start = None
            for column, dark in enumerate([*cells, 0]):
                if dark and start is None:
                    start = column
                elif not dark and start is not None:
                    path.rect(x + start * module, y + side - (row + 1) * module, (column - start) * module, module)
                    start = None
        self.canvas.setFillGray(0)
        self.canvas.drawPath(path, stroke=0, fill=1)

    def done(self) -> bytes:
        self.canvas.showPage()
        self.canvas.save()
        return self._out.getvalue()
