"""`nvaudit check`: the verdict on a folder, in words, as a report, and remembered for the next visit."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from . import html, plain, report, words
from .cli_files import distinct, may_write, write
from .cli_run import advance, gather, judge
from .cli_stop import Stop
from .cli_tools import Tools
from .outcome import VaultVerdict
from .version import version


def check(given: argparse.Namespace, tools: Tools) -> int:
    """0 intact, 1 tampered, 2 cannot decide. A report or state file that cannot be written is 73, unless it is 1."""
    out, page = _path(given.out), _path(given.html)
    outputs = [("--out", out), ("--html", page), ("--state", _path(given.state))]
    inputs = [("--card", _path(given.card)), ("--disclosure", _path(given.disclosure))]
    distinct(outputs, [*inputs, *(("--cosigned", Path(name)) for name in given.cosigned)])
    evidence = gather(given, tools)
    for path, what in ((out, "the report"), (page, "the page")):
        if path is not None:
            may_write(path, what, evidence.untouchable, replace=False, step=_dated(path, tools.clock()))
    verdict = judge(evidence, tools, log_only=given.log_only)
    code = words.EXIT_CODES[words.outcome(verdict)]
    written, trouble = _keep(verdict, out, page)
    more = "see the report" if out or page else "--html FILE writes them all"
    try:
        written.append(advance(evidence, verdict, tools))
    except Stop as stop:
        trouble.append(stop)
    say = tools.say
    if not say.quiet:
        say.lines([*words.summary(verdict, more), "", f"Signatures by {tools.signatures_by}.", *filter(None, written)])
    for one in trouble[:-1]:
        say.err(f"nvaudit: {one.sentence}")
    if trouble and code == 1:  # the verdict is what nobody may miss
        say.err(f"nvaudit: {trouble[-1].sentence}", f"  {trouble[-1].step}")
        return code
    if trouble:
        raise trouble[-1]
    return code


def _dated(path: Path, ms: int) -> str:
    """A name that the next visit does not take again: `report-2026-11-22.json`."""
    day = plain.iso_day(ms // plain.DAY_MS)
    return f"Name another file, for example {path.stem}-{'2' if day in path.stem else day}{path.suffix}."


def _path(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def _keep(verdict: VaultVerdict, out: Path | None, page: Path | None) -> tuple[list[str], list[Stop]]:
    """Write the reports; what was written, with its hash, and what could not be."""
    written: list[str] = []
    trouble: list[Stop] = []
    found = report.report(verdict, version=version())
    for path, what in ((out, "report"), (page, "page")):
        if path is None:
            continue
        data = report.dump(found) if what == "report" else html.render(found)
        try:
            write(path, data, f"the {what}", replace=False)
            written.append(f"{what[:1].upper()}{what[1:]} {path}: SHA-256 {hashlib.sha256(data).hexdigest()}")
        except Stop as stop:
            trouble.append(stop)
    return written, trouble
