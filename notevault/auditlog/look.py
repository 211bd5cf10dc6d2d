"""How the report looks, on a screen and on A4. Nothing is told by colour alone, nothing is fetched from anywhere."""

from __future__ import annotations

from .markup import Node, el

CSS = """
:root { --ink: #1c2430; --soft: #55606e; --rule: #c9ced6; --faint: #f5f6f8; }
* { box-sizing: border-box; }
html { background: #fff; color: var(--ink); -webkit-text-size-adjust: 100%; }
body { max-width: 50rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem;
  font: 16px/1.5 "Segoe UI", "Helvetica Neue", "Noto Sans", "Liberation Sans", "Nimbus Sans", Arial, sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; font-weight: 600; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1.2rem; line-height: 1.3; font-weight: 600; margin: 2.6rem 0 .7rem; padding-bottom: .3rem;
  border-bottom: 1px solid var(--rule); }
h3 { font-size: 1rem; font-weight: 600; margin: 1.6rem 0 .4rem; }
p { margin: .5rem 0; }
ul { margin: .5rem 0; padding-left: 1.2rem; }
li { margin: .25rem 0; }
code { font: .86em/1.45 ui-monospace, "SF Mono", Consolas, "Noto Sans Mono", "Liberation Mono", monospace;
  overflow-wrap: anywhere; }
.sub { color: var(--soft); margin: .2rem 0 1.4rem; }
dl { margin: .6rem 0; }
dl div { display: grid; grid-template-columns: 11.5rem 1fr; gap: 0 1rem; padding: .2rem 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }

.verdict { display: grid; grid-template-columns: 4.2rem 1fr; gap: 0 1.1rem; align-items: start;
  margin: 1.6rem 0 0; padding: 1.1rem 1.3rem 1.1rem 1.1rem; }
.findings caption::first-letter { text-transform: uppercase; }
.verdict h2 { border: 0; margin: 0 0 .3rem; padding: 0; font-size: 1.45rem; letter-spacing: .04em; }
.verdict p { margin: 0; }
.verdict svg { width: 4.2rem; height: 4.2rem; display: block; }
.intact { border: 2px solid #2d5d46; }
.intact h2 { color: #2d5d46; }
.tampered { border: 9px solid #111; }
.tampered h2 { color: #8c1c13; }
.undecided { border: 3px dashed #4a4f57; background: var(--faint); }

table { border-collapse: collapse; width: 100%; margin: .8rem 0 1.4rem; font-size: .875rem; line-height: 1.4; }
caption { text-align: left; font-weight: 600; padding: 0 0 .35rem; }
th, td { text-align: left; vertical-align: top; padding: .32rem .7rem .32rem 0; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; color: var(--soft); border-bottom: 1.5px solid var(--ink); }
th:last-child, td:last-child { padding-right: 0; }
.sums tr:last-child td { font-weight: 600; border-top: 1.5px solid var(--ink); }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.n { text-align: right; white-space: nowrap; overflow-wrap: normal; }
.n + th, .n + td { padding-left: 1.4rem; }
td code { white-space: nowrap; overflow-wrap: normal; }
.findings td:last-child { white-space: nowrap; }
.more, .none { color: var(--soft); font-style: italic; }
.findings td:first-child { white-space: nowrap; font-weight: 600; }
.dates td:first-child { white-space: nowrap; }
.narrow { width: auto; min-width: 22rem; }
figure { margin: .8rem 0 1.2rem; }
figure svg { width: 100%; height: auto; display: block; font-family: inherit; }
figcaption { color: var(--soft); font-size: .875rem; margin-top: .5rem; }
.sign { display: grid; grid-template-columns: 1fr 1fr; gap: 3.2rem 2.5rem; margin-top: 3.4rem; }
.sign div { border-top: 1px solid var(--ink); padding-top: .25rem; color: var(--soft); font-size: .875rem; }
.sign .wide { grid-column: 1 / 3; }

@media screen and (max-width: 40rem) {
  dl div { grid-template-columns: 1fr; }
  .verdict { grid-template-columns: 1fr; gap: .6rem; }
  .narrow { min-width: 0; width: 100%; }
}
@page { size: A4; margin: 17mm 16mm 19mm;
  @bottom-left { content: "Audit log report"; font: 8pt sans-serif; color: #55606e; }
  @bottom-right { content: "page " counter(page) " of " counter(pages); font: 8pt sans-serif; color: #55606e; } }
@media print {
  body { max-width: none; margin: 0; padding: 0; font-size: 9.5pt; line-height: 1.42; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  h2 { margin-top: 6mm; }
  .sign { gap: 13mm 10mm; margin-top: 13mm; }
  h2, h3, caption, h2 + p { break-after: avoid; }
  thead { display: table-header-group; }
  tr, li, figure, .verdict, .sign, .keep, dl div { break-inside: avoid; }
  p { orphans: 3; widows: 3; }
}
"""


def icon(kind: str) -> Node:
    """A ring with a tick; a black octagon with a cross; a dashed ring with a question mark."""
    if kind == "intact":
        shapes = [
            el("circle", cx="32", cy="32", r="27", fill="#fff", stroke="#2d5d46", stroke_width="4"),
            el("path", d="M19 33 l9 10 l18 -21", fill="none", stroke="#2d5d46", stroke_width="6"),
        ]
    elif kind == "tampered":
        shapes = [
            el("path", d="M20.5 4 H43.5 L60 20.5 V43.5 L43.5 60 H20.5 L4 43.5 V20.5 Z", fill="#111"),
            el("path", d="M21 21 L43 43 M43 21 L21 43", stroke="#fff", stroke_width="7"),
        ]
    else:
        ring = {"stroke": "#4a4f57", "stroke_width": "4", "stroke_dasharray": "8.5 5.6"}
        shapes = [
            el("circle", cx="32", cy="32", r="27", fill="#fff", **ring),
            el("path", d="M23 25 a9 9 0 1 1 13 8 q-4 2 -4 7", fill="none", stroke="#4a4f57", stroke_width="5"),
            el("circle", cx="32", cy="47.5", r="3.4", fill="#4a4f57"),
        ]
    return el("svg", *shapes, viewBox="0 0 64 64", aria_hidden="true", xmlns="http://www.w3.org/2000/svg")
