"""A terminal screen as an SVG picture: the cells of a pyte screen, in the colours of a quiet light terminal."""

from __future__ import annotations

from html import escape
from itertools import groupby

import pyte

CELL_W, CELL_H, MARGIN, BAR = 9.0, 19, 14, 30
INK, PAPER, FAINT = "#1f2328", "#ffffff", "#d0d7de"
FONT = "ui-monospace,'SF Mono','DejaVu Sans Mono',Menlo,Consolas,monospace"


def draw(screen: pyte.Screen, title: str) -> str:
    """The whole picture; `title` stands in its frame."""
    width = screen.columns * CELL_W + 2 * MARGIN
    height = screen.lines * CELL_H + 2 * MARGIN + BAR
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}"'
        f' height="{height:g}" role="img" aria-label="{escape(title)}">',
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}" stroke="{FAINT}"/>',
        f'<path d="M0 {BAR}H{width:g}" stroke="{FAINT}"/>',
        f'<text x="{MARGIN}" y="{BAR - 10}" font-family="sans-serif" font-size="13" fill="#59636e">'
        f"{escape(title)}</text>",
    ]
    for row in range(screen.lines):
        parts += _row(screen, row)
    if not screen.cursor.hidden:
        x, y = MARGIN + screen.cursor.x * CELL_W, BAR + MARGIN + screen.cursor.y * CELL_H
        parts.append(f'<rect x="{x:g}" y="{y + 1:g}" width="2" height="{CELL_H - 2}" fill="#0969da"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _row(screen: pyte.Screen, row: int) -> list[str]:
    cells = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
    parts = []
    y = BAR + MARGIN + row * CELL_H
    for look, run_of in groupby(cells, key=lambda each: (each[1].reverse, each[1].bold, each[1].underscore)):
        run = list(run_of)
        reverse, bold, underlined = look
        text = "".join(cell.data for _, cell in run)
        x, length = MARGIN + run[0][0] * CELL_W, len(run) * CELL_W
        if reverse:
            parts.append(f'<rect x="{x:g}" y="{y:g}" width="{length:g}" height="{CELL_H}" fill="{INK}"/>')
        if not text.strip():
            continue
        style = (' font-weight="bold"' if bold else "") + (' text-decoration="underline"' if underlined else "")
        parts.append(
            f'<text x="{x:g}" y="{y + 14:g}" font-family="{FONT}" font-size="15" textLength="{length:g}"'
            f' lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="{PAPER if reverse else INK}"{style}>'
            f"{escape(text)}</text>"
        )
    return parts
