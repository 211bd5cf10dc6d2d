"""The auditor's report as JSON (FORMAT 12): everything a verdict holds, in words and numbers, bounded in size.

Long lists are cut; `left_out` beside them says how much. The page for people (`html`) is made from it, so that both
tell the same.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from . import activity, plain, reach, totals, words
from .outcome import AnchorRef, LogReport, SealRef, VaultVerdict
from .verdict import Finding, Weight

FORMAT = "notevault-audit-report/1"

MAX_FINDINGS = 1000
MAX_LOGS = 64
MAX_ROWS = 500  # of any list in a log: with 64 logs and all lists full, some 20 MB
MAX_DAYS = 2400  # by day, over all logs; each log has at least a month
MAX_TEXT = 400

Report = dict[str, Any]
_ORDER = {Weight.TAMPERED: 0, Weight.UNDECIDED: 1, Weight.NOTE: 2}


def report(verdict: VaultVerdict, *, version: str) -> Report:
    """The report as plain values. Deterministic: no clock is read, `checked_ms` tells when it was checked."""
    kind = words.outcome(verdict)
    logs = verdict.logs[-MAX_LOGS:]
    rows = sorted(totals.unexplained(verdict), key=lambda finding: _ORDER[finding.weight])
    by_weight = totals.by_weight(verdict)
    origins = [log.verdict.origin for log in verdict.logs]
    return {
        "activity": _activity(verdict.logs),
        "card_fingerprint": plain.text(verdict.fingerprint, 64),
        "checked": time(verdict.checked_ms),
        "checked_points": _texts(words.checked(verdict)),
        "exit_code": words.EXIT_CODES[kind],
        "findings": _cut(rows, MAX_FINDINGS, lambda one: _finding(one, origins), total=sum(by_weight.values())),
        "findings_by_weight": by_weight,
        "first_visit": verdict.first_visit,
        "format": FORMAT,
        "headline": plain.text(words.headline(verdict), 4 * MAX_TEXT),
        "key_files": {
            "changed": verdict.headers.changed,
            "current": verdict.headers.seq,
            "looked": verdict.headers.named > 0,
            "missing": verdict.headers.missing,
            "named": verdict.headers.named,
            "retired": verdict.headers.retired,
            "sound": verdict.headers.sound,
        },
        "known_since": time(reach.first_seen(verdict)),
        "log_only": verdict.log_only,
        "logs": {
            "left_out": len(verdict.logs) - len(logs),
            "list": [_log(log, max(31, MAX_DAYS // len(logs))) for log in logs],
        },
        "meaning": list(words.MEANS[kind]),
        "not_checked": _texts(words.not_checked(verdict)),
        "notes": {**{name: getattr(verdict.blobs, name) for name in _BLOBS}, "looked": verdict.blobs.looked},
        "own": verdict.own,
        "program": {"name": "notevault" if verdict.own else "nvaudit", "version": plain.text(version, 40)},
        "sentence": plain.text(words.sentence(verdict), 4 * MAX_TEXT),
        "seconds": round(verdict.seconds, 1) if math.isfinite(verdict.seconds) else 0.0,
        "title": words.title(verdict),
        "vault": plain.text(verdict.vault, 64),
        "verdict": kind,
        "what_it_cannot_tell": words.cannot_tell(verdict),
    }


_BLOBS = ("bytes", "changed", "lingering", "live", "missing", "purged", "sound", "unlogged", "unreadable")


def dump(found: Report) -> bytes:
    """ASCII, sorted, indented: two reports of one verdict are equal byte for byte."""
    return json.dumps(found, indent=2, sort_keys=True, allow_nan=False).encode("ascii") + b"\n"


def time(ms: int | None) -> dict[str, Any] | None:
    return None if ms is None else {"ms": ms, "utc": plain.iso(ms)}


def _texts(lines: Iterable[str]) -> list[str]:
    return [plain.text(line, MAX_TEXT) for line in list(lines)[:MAX_ROWS]]


def _cut(rows: Sequence[Any], limit: int, make: Any, *, newest: bool = False, total: int = 0) -> dict[str, Any]:
    """The first `limit` rows, or the last ones. `total`: how many there are, where `rows` are not all of them."""
    kept = rows[-limit:] if newest else rows[:limit]
    return {"left_out": max(total, len(rows)) - len(kept), "list": [make(row) for row in kept]}


def _finding(one: Finding, origins: Sequence[str]) -> dict[str, Any]:
    """A vault's findings name their log by its short name."""
    named = [origin for origin in origins if origin and origin[:8] in one.sentence]
    return {
        "code": plain.text(one.code, 40),
        "first": one.first,
        "last": one.last,
        "origin": plain.text(named[0], 64) if len(named) == 1 else None,
        "sentence": plain.text(one.sentence, MAX_TEXT),
        "weight": one.weight.value,
    }


def _activity(logs: list[LogReport]) -> dict[str, Any]:
    """All logs that count, together: what the chart shows."""
    listed = [log for log in logs if log.listed is not False]
    size, bars = activity.bars(listed)
    return {
        "bars": [{"first": bar.first, "kinds": bar.kinds, "last": bar.last} for bar in bars],
        "days_a_bar": size,
        "period": words.period(listed),
    }


def _log(log: LogReport, max_days: int) -> dict[str, Any]:
    verdict, tally = log.verdict, log.tally
    gaps = [one for one in verdict.findings if one.code in ("MISSING", "TRUNCATED") and one.first >= 0]
    return {
        "anchored": min(log.anchored, verdict.size),
        "anchors": _anchors(log.anchors),
        "by_day": _cut(sorted(tally.days.items()), max_days, _day, newest=True),
        "by_event": _counts(verdict.counts),
        "by_event_and_outcome": [
            {"event": plain.text(event, 60), "n": n, "outcome": plain.text(result, 60)}
            for (event, result), n in sorted(tally.outcomes.items())[:MAX_ROWS]
        ],
        "by_purpose": _counts(tally.purposes),
        "clock_jumps": {
            "total": tally.jumps_total,
            **_cut(
                tally.jumps,
                MAX_ROWS,
                lambda one: {**_at(one), "ms": one.ms, "to": plain.text(one.to, 20)},
                total=tally.jumps_total,
            ),
        },
        "current": log.current,
        "days_without_backup": _without_backup(log),
        "disclosed": _cut(log.disclosed, MAX_ROWS, int),
        "entered_later": tally.reported,
        "epoch": verdict.epoch,
        "failed_unlocks": {
            "total": tally.fails_total,
            **_cut(
                tally.fails,
                MAX_ROWS,
                lambda one: {**_at(one), "happened": time(one.at), "n": one.n, "why": plain.text(one.why, 40)},
                total=verdict.counts.get("session.fail", 0),
            ),
        },
        "follows": _cites(log),
        "found": verdict.found,
        "gaps": _cut(gaps, MAX_ROWS, lambda one: {"code": one.code, "first": one.first, "last": one.last}),
        "listed": log.listed,
        "origin": plain.text(verdict.origin, 64),
        "period": {"first": time(tally.first_ms), "last": time(tally.last_ms)},
        "proven": verdict.proven,
        "remembered": min(log.remembered, verdict.size),
        "root": _root(verdict.root),
        "sealed": min(log.sealed, verdict.size),
        "seals": _seals(log),
        "size": verdict.size,
        "unanchored_tail": log.unanchored_tail,
        "unsealed_tail": log.unsealed_tail,
        "users": len(tally.users),
    }


def _at(one: Any) -> dict[str, Any]:
    return {"entry": one.index, "logged": time(one.t)}


def _day(row: tuple[int, dict[str, int]]) -> dict[str, Any]:
    return {"day": plain.iso_day(row[0]), "events": _counts(row[1])}


def _counts(counts: dict[str, int]) -> dict[str, int]:
    """Of closed words, so few; nothing that was read makes the report long."""
    return {plain.text(key, 60): counts[key] for key in sorted(counts)[:MAX_ROWS]}


def _root(root: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(root[:64]).decode(), "hex": root[:64].hex()}


def _cites(log: LogReport) -> dict[str, Any] | None:
    if log.cites is None:
        return None
    origin, size, root = log.cites
    return {"origin": plain.text(origin, 64), "root": _root(root), "size": size}


def _states(found: Sequence[Any]) -> dict[str, int]:
    states: dict[str, int] = {}
    for one in found:
        states[one.state] = states.get(one.state, 0) + 1
    return dict(sorted(states.items()))


def _seals(log: LogReport) -> dict[str, Any]:
    """Runs of seals in one state: a log of years has thousands that hold, and a few that matter."""
    runs: list[list[SealRef]] = []
    for seal in sorted(log.seals, key=lambda one: one.epoch):
        last = runs[-1] if runs else []
        if last and last[0].state == seal.state and seal.epoch == last[-1].epoch + 1:
            last.append(seal)
        else:
            runs.append([seal])
    cut = _cut(runs, MAX_ROWS, _run, newest=True)
    total = max(log.seals_total, len(log.seals))
    left_out = total - sum(run["n"] for run in cut["list"])
    return {"by_state": _states(log.seals), "left_out": left_out, "list": cut["list"], "total": total}


def _run(seals: list[SealRef]) -> dict[str, Any]:
    return {
        "first": {"closed": time(seals[0].t), "epoch": seals[0].epoch, "size": seals[0].size},
        "last": {"closed": time(seals[-1].t), "epoch": seals[-1].epoch, "size": seals[-1].size},
        "n": len(seals),
        "state": seals[0].state,
    }


def _anchors(anchors: list[AnchorRef]) -> dict[str, Any]:
    """Those that do not agree first, then the newest."""
    rows = sorted(anchors, key=lambda one: (one.state == "agrees", -one.seen.size))
    return {
        "by_state": _states(anchors),
        "total": len(anchors),
        **_cut(
            rows,
            MAX_ROWS,
            lambda one: {
                "outside": one.seen.outside,
                "own": one.seen.own,
                "root": _root(one.seen.root),
                "seen": time(one.seen.when),
                "size": one.seen.size,
                "source": plain.text(one.seen.source, 120),
                "state": one.state,
            },
        ),
    }


def _without_backup(log: LogReport) -> dict[str, Any]:
    ranges = activity.without_backup(log)
    return {
        "days": sum(last - first + 1 for first, last in ranges),
        "told": activity.tells_of_backups(log),
        **_cut(
            ranges,
            MAX_ROWS,
            lambda one: {
                "days": one[1] - one[0] + 1,
                "first": plain.iso_day(one[0]),
                "last": plain.iso_day(one[1]),
                "words": plain.days(*one),
            },
            newest=True,
        ),
    }
