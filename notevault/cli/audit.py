"""audit verify and audit report: the check that an auditor makes, on one's own vault, without the passphrase."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack

from notevault.adapters.places import user_path
from notevault.app import auditing
from notevault.auditlog import html, totals, words
from notevault.auditlog import report as reports
from notevault.auditlog.outcome import LogReport, VaultVerdict
from notevault.auditlog.plain import short
from notevault.auditlog.report import Report
from notevault.auditlog.verdict import Weight
from notevault.auditlog.version import version
from notevault.cli import newfile
from notevault.cli.common import GONE, NOT_INTACT, SALVAGED, Context

WHAT = "The report"
_GONE = {"NO_LOG", "NO_HEADER"}
_ORDER = (Weight.TAMPERED, Weight.UNDECIDED, Weight.NOTE)


def verify(ctx: Context) -> int:
    checked = _check(ctx)
    return _tell(ctx, checked, "`notevault audit report --html FILE` writes them all")


def report(ctx: Context) -> int:
    """As `verify`, and the report into files, or alone to standard output."""
    kinds: list[tuple[str | None, Callable[[Report], bytes]]] = [
        (ctx.args.out, reports.dump),
        (ctx.args.html, html.render),
    ]
    files = [(newfile.place(name, ctx.side.vault, WHAT), make) for name, make in kinds if name is not None]
    with ExitStack() as stack:
        ready = [(stack.enter_context(newfile.reserved(path, WHAT)), make) for path, make in files]
        checked = _check(ctx)
        found = reports.report(checked.verdict, version=version())
        for write, make in ready:
            write(make(found))
    if not files:
        text = reports.dump(found).decode("ascii")
        ctx.out.text(json.dumps(found, sort_keys=True) if ctx.args.json else text)
        _remark(ctx, checked)
        return _code(checked.verdict)
    code = _tell(ctx, checked, "see the report")
    for path, _ in files:
        ctx.out.say(f"{WHAT}: {path}")
    return code


def _check(ctx: Context) -> auditing.Checked:
    return auditing.check_own(
        ctx.env,
        ctx.side.vault,
        [user_path(name) for name in ctx.args.places],
        log_only=ctx.args.log_only,
        progress=lambda what, done, of: ctx.out.progress(what.capitalize(), done, of),
    )


def _code(verdict: VaultVerdict) -> int:
    """An "intact" that what was checked does not warrant is none, whatever its findings say."""
    return words.EXIT_CODES[words.outcome(verdict)]


def _tell(ctx: Context, checked: auditing.Checked, more: str) -> int:
    verdict = checked.verdict
    if ctx.args.json:
        for each in [one for weight in _ORDER for one in verdict.of(weight)]:
            place = {"first": each.first, "last": each.last} if each.first >= 0 else {}
            ctx.out.row({"finding": each.code, "sentence": each.sentence, "weight": each.weight.value, **place}, "")
        ctx.out.row(_facts(checked), "")
    else:
        for line in words.summary(verdict, more):
            ctx.out.text(line)
    _remark(ctx, checked)
    return _code(verdict)


def _remark(ctx: Context, checked: auditing.Checked) -> None:
    for sentence in checked.remarks:
        ctx.out.warn(sentence)
    if _code(checked.verdict) == 1:
        ctx.out.say(SALVAGED if _salvaged(checked.verdict) else NOT_INTACT)
    elif any(one.code in _GONE for one in checked.verdict.of(Weight.UNDECIDED)):
        ctx.out.say(GONE)


def _salvaged(verdict: VaultVerdict) -> bool:
    """Whether all that is amiss lies in logs that a salvage gave up: cited with nothing, by a log that is sound and
    into which their records were taken over (FORMAT.md section 6.3, `import.run`).
    """
    old = {log.cites[0] for log in verdict.logs if log.cites is not None and not log.cites[1] and _took_over(log)}
    said = {
        f"{one.sentence} (log {short(log.verdict.origin)})"
        for log in verdict.logs
        if log.verdict.origin in old
        for one in log.verdict.findings
    }
    amiss = [one for one in verdict.findings if one.weight is not Weight.NOTE]
    return not verdict.blobs.unlogged and all(one.sentence in said for one in amiss)


def _took_over(log: LogReport) -> bool:
    return log.verdict.proven and "import.run" in log.verdict.counts and "recovery" in log.tally.purposes


def _facts(checked: auditing.Checked) -> dict[str, object]:
    verdict = checked.verdict
    logs, found = words.counted(verdict), totals.by_weight(verdict)
    return {
        "entered": checked.entered,
        "entries": sum(log.verdict.size for log in logs),
        "headline": words.headline(verdict),
        "key_files": verdict.headers.sound,
        "logs": len(logs),
        "records": verdict.blobs.sound,
        "sealed": sum(min(log.sealed, log.verdict.size) for log in logs),
        "remembered": sum(min(log.remembered, log.verdict.size) for log in logs),
        "undecided": found[Weight.UNDECIDED.value],
        "verdict": words.outcome(verdict),
        "vouched": sum(min(log.anchored, log.verdict.size) for log in logs),
        "findings": found[Weight.TAMPERED.value],
    }
