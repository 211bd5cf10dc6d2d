"""HTML that is XML as well, built from values: whatever is put in is text, so nothing in a folder can become markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_EMPTY = frozenset(("meta", "br", "hr", "line", "rect", "path", "circle", "col"))


SMALL = 12  # rows: such a table is not split between two printed pages


class Node(str):
    """Finished markup. Only this module makes one; a plain string is text."""

    __slots__ = ()


def escape(raw: str) -> str:
    """Text for content and for attributes in double quotes; what may not stand in XML becomes U+FFFD."""
    kept = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in raw)
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def el(name: str, /, *children: str | None, **attributes: str | int | None) -> Node:
    """An element. `class_` is `class`, `stroke_width` is `stroke-width`; an attribute or child None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY and not children:
        return Node(f"<{name}{given}/>")
    inner = "".join(child if isinstance(child, Node) else escape(child) for child in children if child is not None)
    return Node(f"<{name}{given}>{inner}</{name}>")


def join(parts: Iterable[str | None]) -> Node:
    return Node("".join(part if isinstance(part, Node) else escape(part) for part in parts if part is not None))


def style(css: str) -> Node:
    """A style element. `css` is ours, a constant."""
    return Node(f"<style>\n{css}</style>")


def bullets(lines: Sequence[str]) -> Node:
    return el("ul", *(el("li", line) for line in lines))


def facts(rows: Iterable[tuple[str, str | None]]) -> Node:
    """Names and values."""
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in rows if value is not None))


def table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str | None]], *, left_out: int = 0, kind: str = ""
) -> Node:
    """A table with a caption; a head that begins with `#` is of a column of numbers. `kind`: classes for its look."""
    looks = ["n" if head.startswith("#") else None for head in heads]
    top = [el("th", head.lstrip("#"), scope="col", class_=looks[at]) for at, head in enumerate(heads)]
    body = [el("tr", *(el("td", cell, class_=looks[at]) for at, cell in enumerate(row))) for row in rows]
    if left_out:
        words = f"{left_out:,} more {'is' if left_out == 1 else 'are'} not shown here: see the JSON report"
        body.append(el("tr", el("td", words, colspan=len(heads), class_="more")))
    inner = (el("caption", caption), el("thead", el("tr", *top)), el("tbody", *body))
    if len(body) <= SMALL:
        kind = f"{kind} keep".strip()
    return el("table", *inner, class_=kind or None)
