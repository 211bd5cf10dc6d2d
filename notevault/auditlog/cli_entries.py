"""`nvaudit entries`: what was done and when, a line each. The check comes first, and its answer stands first."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from datetime import datetime, timezone

from . import entry, merkle, plain, stored, words
from .bundle import ENTRIES
from .cli_line import line_of
from .cli_run import Evidence, gather, judge
from .cli_stop import TAMPERED, UNDECIDED, USAGE, Stop
from .cli_tools import Tools, one_origin
from .entry import Entry
from .fault import Fault
from .outcome import LogReport
from .placelook import reader

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_DAY_MS = 86_400_000
_OTHERS = "WRONG_ROOT"
_CHANGED = Fault(_OTHERS, "these entries changed after they were checked: they are not shown")


def show(given: argparse.Namespace, tools: Tools) -> int:
    """The exit code is the check's."""
    start, end = _from(given.since), _until(given.until)
    if start >= end:
        raise Stop(USAGE, "The last day is before the first.", "Days are written 2026-11-21.")
    evidence = gather(given, tools)
    verdict = judge(evidence, tools, log_only=True)
    say = tools.say
    other = False  # were entries there that nobody checked?
    say.lines([words.headline(verdict)])
    for finding in verdict.findings:
        if finding.code == "NOT_USED":
            say.out(finding.sentence)
    logs = verdict.logs
    if given.origin is not None:
        wanted = one_origin([log.verdict.origin for log in logs], given.origin)
        logs = [log for log in logs if log.verdict.origin == wanted]
    for log in logs:
        name = plain.short(log.verdict.origin)
        say.out()
        say.out(f"Log {name}: {plain.count(log.verdict.size, 'entry', 'entries')}."
                " Times are UTC, by the laptop's clock.")  # fmt: skip
        if log.listed is False:
            say.out(f"NOT LISTED: the vault does not name log {name} as one of its own; it counts nowhere.")
        if not log.verdict.proven:
            say.out(f"NOT PROVEN: what follows was found in log {name}; it is not proven to be what was signed.")
        only = set(log.disclosed) if evidence.disclosure is not None else None
        shown = 0
        for line in _lines(evidence, tools, log, start, end, only):
            if line is None:
                other = True
                continue
            say.out(line)
            shown += 1
            if say.gone:
                return words.EXIT_CODES[words.outcome(verdict)]
        of = " of the client disclosed" if only is not None else ""
        say.out(f"{plain.count(shown, 'entry', 'entries')}{of} in log {name}.")
    if other and words.EXIT_CODES[words.outcome(verdict)] != TAMPERED:
        raise Stop(
            UNDECIDED,
            "Entries changed between the check and the printing: they are left out; the answer above is not theirs.",
            "Copy the folder to a disk of yours, and run the command on the copy.",
        )
    return words.EXIT_CODES[words.outcome(verdict)]


def _lines(
    evidence: Evidence, tools: Tools, log: LogReport, start: int, end: int, only: set[int] | None
) -> Iterator[str | None]:
    """None, after a line that says so, for entries that are not those that were checked."""
    for index, one in _entries(evidence, tools, log):
        if isinstance(one, Fault):
            if one.code == _OTHERS:
                yield None
            place = f" ({one.where})" if one.where else ""
            yield f"{index:>7}  NOT READABLE: {one.sentence}{place}"
        elif start <= one.t < end and (only is None or index in only):
            yield line_of(one)


def _entries(evidence: Evidence, tools: Tools, log: LogReport) -> Iterator[tuple[int, Entry | Fault]]:
    """One bundle at a time in memory. What cannot be read is a Fault in its place; three in a row end it: a forged size
    may be 2^53.
    """
    origin, size, bad = log.verdict.origin, log.verdict.size, 0
    if origin not in evidence.layout.logs:
        return
    pinned = evidence.pinned if isinstance(evidence.pinned, bytes) else None
    read = reader(evidence.layout, origin, tools.verify, pinned)
    if log.verdict.proven and len(log.roots) != stored.bundles(size):
        yield 0, _CHANGED
        return
    for number in range(stored.bundles(size)):
        found = stored.entries_of(read, size, number)
        checked = log.roots[number] if number < len(log.roots) else None
        if isinstance(found, Fault):
            found = _CHANGED if log.verdict.proven else found
        elif checked is not None and merkle.root([merkle.leaf_hash(data) for data in found]) != checked:
            found = _CHANGED
        if isinstance(found, Fault):
            yield number * ENTRIES, found
            bad += 1
            if bad == 3:
                return
            continue
        bad = 0
        for offset, data in enumerate(found):
            yield number * ENTRIES + offset, entry.parse(data)


def _from(text: str | None) -> int:
    return -(2**60) if text is None else _day(text)


def _until(text: str | None) -> int:
    return 2**60 if text is None else _day(text) + _DAY_MS


def _day(text: str) -> int:
    """The first millisecond of a UTC day."""
    found = _DATE.fullmatch(text.strip())
    try:
        if found:
            moment = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=timezone.utc)  # noqa: UP017  (3.9)
            return int(moment.timestamp()) * 1000
    except (ValueError, OverflowError):
        pass
    raise Stop(USAGE, f"{text} is not a day.", "Write a day as 2026-11-21: year, month, day.")
