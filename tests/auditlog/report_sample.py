"""Verdicts made up for the report's tests and pictures: a practice's log day by day, the same every time."""

from __future__ import annotations

import hashlib

from notevault.auditlog.outcome import (
    DAY_MS,
    AnchorRef,
    BlobTally,
    Fail,
    HeaderTally,
    Jump,
    LogReport,
    SealRef,
    Seen,
    VaultVerdict,
)
from notevault.auditlog.verdict import Finding, LogVerdict, Weight

ORIGIN = "1a2b3c4d5e6f708192a3b4c5d6e7f809"
OTHER = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
LAST_DAY = 20_778  # 21 Nov 2026, a Saturday
HOUR_MS = 3_600_000
A_DAY = {
    "session.open": 3,
    "session.lock": 3,
    "session.list": 2,
    "record.open": 17,
    "record.write": 9,
    "record.sign": 5,
    "search.run": 4,
    "epoch.close": 4,
    "backup.run": 1,
}
PURPOSE = {"record": "care", "session": "care", "search": "care", "backup": "system", "epoch": "system"}


def some(word: str, below: int) -> int:
    """A number that only depends on the word."""
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % below


def log(days: int, origin: str = ORIGIN, last_day: int = LAST_DAY) -> LogReport:
    """A log of so many days up to the last one: five working days a week, two weeks of holiday a year."""
    report = LogReport(LogVerdict(origin, vault="a1" * 16, proven=True), listed=True, current=True)
    for day in range(last_day - days + 1, last_day + 1):
        if days == 1 or ((day - 4) % 7 < 5 and not 200 < (day - 20_454) % 365 < 215):
            _work(report, day)
    tally, verdict = report.tally, report.verdict
    if tally.days:
        tally.first_ms = min(tally.days) * DAY_MS + 8 * HOUR_MS
        tally.last_ms = max(tally.days) * DAY_MS + 17 * HOUR_MS
    verdict.counts = {
        event: sum(row.get(event, 0) for row in tally.days.values())
        for event in sorted({event for row in tally.days.values() for event in row})
    }
    verdict.size = verdict.found = sum(verdict.counts.values())
    verdict.root = hashlib.sha256(b"root").digest()
    verdict.epoch = len(report.seals)
    report.sealed = report.seals[-1].size if report.seals else 0
    tally.users = {"c3" * 8}
    return report


def _work(report: LogReport, day: int) -> None:
    tally, name = report.tally, f"{report.verdict.origin} {day}"
    row = {event: n + some(f"{name} {event}", n + 3) - n // 3 for event, n in A_DAY.items()}
    row["backup.run"] = int(some(f"{name} backup", 9) > 0)
    if some(f"{name} fail", 6) == 0:
        row["session.fail"] = 1
        why = ("passphrase", "passphrase", "keyring", "secret-missing")[some(f"{name} why", 4)]
        n = 1 + some(f"{name} n", 3)
        ms = day * DAY_MS + 9 * HOUR_MS
        tally.fails.append(Fail(report.verdict.size, ms, ms, n, why))
        tally.fails_total += n
    if some(f"{name} jump", 25) == 0:
        row["clock.jump"] = 1
        tally.jumps.append(Jump(report.verdict.size, day * DAY_MS + 10 * HOUR_MS, 7_260_000, "ahead"))
        tally.jumps_total += 1
    if some(f"{name} print", 7) == 0:
        row["record.print"] = 2
    row = {event: n for event, n in row.items() if n > 0}
    tally.days[day] = row
    if row.get("record.write") or row.get("record.sign"):
        tally.kept[day] = report.verdict.size
    for event, n in row.items():
        bad = "fail" if event == "session.fail" else "refused" if event == "record.print" and day % 3 == 0 else "ok"
        tally.outcomes[event, bad] = tally.outcomes.get((event, bad), 0) + n
        purpose = PURPOSE.get(event.split(".")[0], "admin")
        tally.purposes[purpose] = tally.purposes.get(purpose, 0) + n
        report.verdict.size += n
        if event == "epoch.close":
            for part in range(n):
                at = day * DAY_MS + (9 + part) * HOUR_MS
                report.seals.append(SealRef(len(report.seals), report.verdict.size, at, "holds"))
    if row.get("backup.run"):
        tally.backups[day] = report.verdict.size - 1


def anchor(report: LogReport, back: int, source: str, day: int, state: str = "agrees") -> AnchorRef:
    size = max(0, report.verdict.size - back)
    seen = Seen(report.verdict.origin, size, hashlib.sha256(b"%d" % size).digest(), source, day * DAY_MS + 16 * HOUR_MS)
    if state == "agrees":
        report.anchored = max(report.anchored, size)
    return AnchorRef(seen, state)


def intact(days: int = 92, *, first_visit: bool = False) -> VaultVerdict:
    """A vault of so many days, with a state of an earlier visit and anchors of a backup place."""
    report = log(days)
    if not first_visit:
        report.anchors = [anchor(report, 2 * report.verdict.size // 3, "your state file", LAST_DAY - days // 2)]
        report.anchors += [anchor(report, 40 * n + 37, "backup place", LAST_DAY - 1 - n) for n in range(3)]
    blobs = BlobTally(looked=True, live=812, sound=812, bytes=5_439_488, purged=3)
    findings = [_tail(report)]
    if first_visit:
        text = "FIRST VISIT: nothing seen earlier was given, so a log cut or replaced before today would not show"
        findings.insert(0, Finding("FIRST_VISIT", Weight.NOTE, text))
    return VaultVerdict(
        vault="a1" * 16,
        fingerprint="4be1037c55d29a0fe6b8c4417d90e2a3",
        checked_ms=(LAST_DAY + 1) * DAY_MS - 8 * HOUR_MS,
        first_visit=first_visit,
        logs=[report],
        headers=HeaderTally(seq=4, named=4, sound=4),
        blobs=blobs,
        findings=findings,
        seconds=0.4,
    )


def _tail(report: LogReport) -> Finding:
    size, tail = report.verdict.size, report.unsealed_tail
    many = "entry" if tail == 1 else f"{tail} entries"
    text = f"NOT SEALED YET: the last {many} of log {report.verdict.origin[:8]}"
    return Finding("NOT_SEALED_YET", Weight.NOTE, text, size - tail, size - 1)


def tampered(findings: int = 30) -> VaultVerdict:
    """Two logs, one of them spoiled in so many places, and notes' files gone."""
    verdict = intact()
    old = log(60, OTHER, LAST_DAY - 92)
    old.current = False
    verdict.logs.insert(0, old)
    spoiled = verdict.logs[1]
    spoiled.verdict.proven = False
    name = spoiled.verdict.origin[:8]
    for n in range(findings):
        first = 20 + 31 * n
        if n % 6 == 5:
            digest = hashlib.sha256(b"%d" % n).hexdigest()
            verdict.findings.append(
                Finding("BLOB_MISSING", Weight.TAMPERED, f"BLOB MISSING: {digest}, of entry {first}")
            )
            continue
        code = "MISSING" if n % 6 == 4 else "REWRITTEN"
        sign = "" if n % 2 else f"; first sign: entry {first + 3} does not follow from the entry before it"
        between = f"{code} between entries {first}-{first + 9}{sign}" if code == "REWRITTEN" else (
            f"MISSING entries {first}-{first + 9}"
        )  # fmt: skip
        finding = Finding(code, Weight.TAMPERED, f"log {name}: {between}", first, first + 9)
        verdict.findings.append(finding)
        spoiled.verdict.findings.append(finding)
    text = f"log {name}: ROLLED BACK: your state file saw 9000 entries on 3 Nov 2026, now {spoiled.verdict.size}"
    verdict.findings.insert(0, Finding("ROLLED_BACK", Weight.TAMPERED, text))
    verdict.findings.append(Finding("UNLISTED", Weight.UNDECIDED, "UNLISTED origin 00112233: it counts nowhere"))
    spoiled.seals[40] = SealRef(40, spoiled.seals[40].size, spoiled.seals[40].t, "forged")
    spoiled.seals[41] = SealRef(41, spoiled.seals[41].size, spoiled.seals[41].t, "missing")
    spoiled.sealed = spoiled.seals[39].size
    spoiled.anchors.insert(0, anchor(spoiled, -4000, "your state file", LAST_DAY - 18, "beyond"))
    verdict.blobs.missing = findings // 6
    verdict.blobs.sound -= verdict.blobs.missing
    return verdict


def undecided() -> VaultVerdict:
    """No card was given."""
    verdict = intact(first_visit=True)
    verdict.fingerprint = verdict.vault = ""
    verdict.logs[0].verdict.proven = False
    verdict.findings.insert(0, Finding("UNPINNED", Weight.UNDECIDED, "UNPINNED: no card was given, so whose log it is"))
    return verdict
