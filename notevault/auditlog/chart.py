"""Activity by day and kind as an inline SVG: stacked bars that can be told apart in colour, in grey and by pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .markup import Node, el
from .plain import KIND_WORDS, KINDS, day, days, number, short_day

WIDTH, HEIGHT = 720, 274
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 16, 66
_PLOT_W, _PLOT_H = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
_MAX_BAR = 34.0
_NARROW = 4.5  # no outline, no triangle: they would be all there is to see
_INK, _GRID = "#1c2430", "#d5d9df"

# kind: background, and the lines over it. Neighbours in a bar differ in lightness as well.
_LOOKS: dict[str, tuple[str, tuple[Node, ...]]] = {
    "written": ("#1f3a5f", ()),
    "opened": ("#a9bfd8", ()),
    "searched": ("#f1f5fa", (el("path", d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", stroke="#4a6b92", stroke_width="1.5"),)),
    "unlocked": ("#d3dde9", (el("circle", cx="3", cy="3", r="1.3", fill="#1f3a5f"),)),
    "failed": ("#8c1c13", (el("path", d="M0,0 L6,6 M6,0 L0,6", stroke="#ffffff", stroke_width="1.2"),)),
    "other": ("#dfe3e8", (el("path", d="M0,3 H6", stroke="#7b8794", stroke_width="1.2"),)),
}


def chart(bars: Sequence[dict[str, Any]], days_a_bar: int) -> Node:
    """`bars`: {first, last, kinds} as in the report's `activity`, oldest first; not empty."""
    first, last = bars[0]["first"], bars[-1]["last"]
    places = (last - first + 1) // days_a_bar
    top = max(max(sum(bar["kinds"].values()) for bar in bars), 1)
    step = _step(top)
    ceiling = -(-top // step) * step
    pitch = min(_PLOT_W / places, _MAX_BAR * 1.5)
    offset = _LEFT + (_PLOT_W - pitch * places) / 2
    drawn = []
    for bar in bars:
        x = offset + (bar["first"] - first) // days_a_bar * pitch
        drawn.append(_bar(bar, x, pitch, ceiling))
    unit = "day" if days_a_bar == 1 else "week" if days_a_bar == 7 else f"{days_a_bar} days"
    return el(
        "svg",
        el("title", f"Activity by {unit} and by kind", id="chart-title"),
        el("desc", _describe(bars, unit), id="chart-desc"),
        el("defs", *(_pattern(kind) for kind in KINDS)),
        *_grid(ceiling, step),
        *drawn,
        *_dates(first, places, days_a_bar, offset, pitch),
        _line(_LEFT, _TOP + _PLOT_H, WIDTH - _RIGHT, _TOP + _PLOT_H, _INK),
        *_legend([kind for kind in KINDS if any(bar["kinds"].get(kind) for bar in bars)], _width(pitch) > _NARROW),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby="chart-title chart-desc",
        xmlns="http://www.w3.org/2000/svg",
    )


def _bar(bar: dict[str, Any], x: float, pitch: float, ceiling: int) -> Node:
    """One bar; a kind with any entries at all is never thinner than a visible line."""
    width = _width(pitch)
    parts, y = [], float(_TOP + _PLOT_H)
    told = []
    for kind in KINDS:
        n = bar["kinds"].get(kind, 0)
        if n <= 0:
            continue
        height = max(n / ceiling * _PLOT_H, 0.8)
        y = max(y - height, 0.0)
        parts.append(
            el(
                "rect",
                x=_n(x + (pitch - width) / 2),
                y=_n(y),
                width=_n(width),
                height=_n(height),
                fill=f"url(#k-{kind})",
                stroke=_INK if width > _NARROW else None,
                stroke_width="0.5" if width > _NARROW else None,
            )
        )
        told.append(f"{number(n)} {KIND_WORDS[kind]}")
    if bar["kinds"].get("failed") and width > _NARROW:
        parts.append(_mark(x + pitch / 2, y - 3))
    return el("g", el("title", f"{days(bar['first'], bar['last'])}: {', '.join(told)}"), *parts)


def _width(pitch: float) -> float:
    return max(pitch * 0.78, pitch - 8)


def _mark(x: float, y: float) -> Node:
    """A triangle above a bar that holds failed unlocks: they are few, and what an auditor looks for."""
    return el("path", d=f"M{_n(x)},{_n(y)} l-3.2,-5.5 h6.4 Z", fill=_LOOKS["failed"][0])


def _pattern(kind: str) -> Node:
    colour, lines = _LOOKS[kind]
    ground = el("rect", width="6", height="6", fill=colour)
    return el("pattern", ground, *lines, id=f"k-{kind}", width="6", height="6", patternUnits="userSpaceOnUse")


def _grid(ceiling: int, step: int) -> list[Node]:
    found = []
    for value in range(0, ceiling + 1, step):
        y = _TOP + _PLOT_H - value / ceiling * _PLOT_H
        if value:
            found.append(_line(_LEFT, y, WIDTH - _RIGHT, y, _GRID))
        found.append(_text(_LEFT - 7, y + 3.5, number(value), "end"))
    return found


def _dates(first: int, places: int, days_a_bar: int, offset: float, pitch: float) -> list[Node]:
    """At most nine dates, evenly set; with months and years where a bar is longer than a day."""
    every = max(1, -(-places // 9))
    long = places * days_a_bar > 300
    found = []
    for place in range(0, places, every):
        x = offset + (place + 0.5) * pitch
        start = first + place * days_a_bar
        label = short_day(start, year=long) if places > 1 else day(start)
        found.append(_line(x, _TOP + _PLOT_H, x, _TOP + _PLOT_H + 4, _INK))
        found.append(_text(x, _TOP + _PLOT_H + 17, label, "middle"))
    return found


def _legend(kinds: Sequence[str], marked: bool) -> list[Node]:
    """Two rows of three at most."""
    found = []
    for number_of, kind in enumerate(kinds):
        x, y = _LEFT + number_of % 3 * 215, HEIGHT - 34 + number_of // 3 * 20
        found.append(
            el("rect", x=x, y=y, width="18", height="12", fill=f"url(#k-{kind})", stroke=_INK, stroke_width="0.6")
        )
        triangle = kind == "failed" and marked
        found.append(_text(x + 25, y + 10, KIND_WORDS[kind] + (" (marked above)" if triangle else ""), "start"))
    return found


def _describe(bars: Sequence[dict[str, Any]], unit: str) -> str:
    sums = {kind: sum(bar["kinds"].get(kind, 0) for bar in bars) for kind in KINDS}
    told = ", ".join(f"{number(n)} {KIND_WORDS[kind]}" for kind, n in sums.items() if n)
    return f"Stacked bars, one for each {unit}, {days(bars[0]['first'], bars[-1]['last'])}. Entries in all: {told}."


def _step(top: int) -> int:
    """1, 2 or 5 times a power of ten, so that there are three to six lines."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power * 5 >= top:
                return factor * power
        power *= 10


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> Node:
    return el("line", x1=_n(x1), y1=_n(y1), x2=_n(x2), y2=_n(y2), stroke=colour, stroke_width="1")


def _text(x: float, y: float, words: str, anchor: str) -> Node:
    return el("text", words, x=_n(x), y=_n(y), text_anchor=anchor, font_size="11", fill=_INK)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
