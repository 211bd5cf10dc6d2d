"""The report: its headline is honest, its numbers agree, and nothing that was not checked reads as a pass."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.auditlog import activity, events, html, plain, report, words
from notevault.auditlog.outcome import DAY_MS, BlobTally, HeaderTally, LogReport, SealRef, VaultVerdict
from notevault.auditlog.verdict import Finding, LogVerdict, Weight
from tests.auditlog import report_sample as sample

KEYS = {
    "activity": dict, "card_fingerprint": str, "checked": dict, "checked_points": list, "exit_code": int,
    "findings": dict, "findings_by_weight": dict, "first_visit": bool, "format": str, "headline": str,
    "key_files": dict, "log_only": bool, "logs": dict, "meaning": list, "not_checked": list, "notes": dict,
    "program": dict, "seconds": float, "sentence": str, "title": str, "vault": str, "verdict": str,
    "what_it_cannot_tell": list,
}  # fmt: skip
LOG_KEYS: dict[str, Any] = {
    "anchored": int, "anchors": dict, "by_day": dict, "by_event": dict, "by_event_and_outcome": list,
    "by_purpose": dict, "clock_jumps": dict, "current": bool, "days_without_backup": dict, "disclosed": dict,
    "entered_later": int, "epoch": int, "failed_unlocks": dict, "follows": (dict, type(None)), "found": int,
    "gaps": dict, "listed": (bool, type(None)), "origin": str, "period": dict, "proven": bool, "root": dict,
    "sealed": int, "seals": dict, "size": int, "unanchored_tail": int, "unsealed_tail": int, "users": int,
}  # fmt: skip


def made(verdict: VaultVerdict) -> report.Report:
    found: report.Report = json.loads(report.dump(report.report(verdict, version="0.3.0")))
    return found


def log_only() -> VaultVerdict:
    verdict = sample.intact()
    verdict.log_only, verdict.blobs = True, BlobTally()
    return verdict


def with_finding(weight: Weight, sentence: str) -> VaultVerdict:
    verdict = sample.intact()
    verdict.findings.append(Finding("ANY", weight, sentence))
    return verdict


HEADLINES = [
    (
        sample.intact(),
        0,
        "INTACT: the log of 4,400 entries is as signed, and 812 files of notes are as logged;",
    ),
    (sample.intact(first_visit=True), 0, "INTACT (first visit): the log of 4,400 entries is as signed, and 812 files"),
    (
        log_only(),
        0,
        "INTACT (the log alone): the log of 4,400 entries is as signed; the notes' files were",
    ),
    (sample.tampered(), 1, "TAMPERED: log 1a2b3c4d: ROLLED BACK: you saw 9000 entries on 3 Nov 2026 (your state file)"),
    (with_finding(Weight.TAMPERED, "REWRITTEN between entries 23-43"), 1, "TAMPERED: REWRITTEN between entries 23-43."),
    (sample.undecided(), 2, "CANNOT DECIDE: UNPINNED: no card was given, so whose log it is. This is not a pass"),
    (with_finding(Weight.UNDECIDED, "NOT SEALED: epoch 3."), 2, "CANNOT DECIDE: NOT SEALED: epoch 3. This is not a"),
    (VaultVerdict(), 2, "CANNOT DECIDE: no log was found. This is not a pass"),
]


@pytest.mark.parametrize(("verdict", "code", "start"), HEADLINES)
def test_each_kind_of_verdict_has_its_headline(verdict: VaultVerdict, code: int, start: str) -> None:
    assert words.headline(verdict).startswith(start)
    found = made(verdict)
    assert (found["exit_code"], found["headline"]) == (code, words.headline(verdict))
    assert found["headline"] == f"{found['title']}: {found['sentence']}"


def test_an_intact_headline_says_how_far_it_reaches_and_where_it_ends() -> None:
    line = words.headline(sample.intact())
    assert "vouched for from outside up to entry 4,362 (seen 20 Nov 2026 16:00 UTC), not the last 37" in line
    assert "sealed up to entry 4,398 (closed 20 Nov 2026 15:00 UTC), not the last one" in line


def test_a_first_visit_says_what_would_not_show() -> None:
    line = words.headline(sample.intact(first_visit=True))
    assert "nothing of it is vouched for from outside" in line
    assert "cut, rolled back or replaced before it would not show" in line


def spoiled(name: str) -> VaultVerdict:
    """Without any finding that says so: a checker that forgot to tell."""
    verdict = sample.intact()
    log = verdict.logs[0]
    if name == "unproven":
        log.verdict.proven = False
    elif name == "unlisted":
        log.listed = False
    elif name == "notes not looked at":
        log.verdict.written.add("ab" * 32, 4184)
        verdict.blobs = BlobTally()
    elif name == "note missing":
        verdict.blobs.missing = 1
    elif name == "note unreadable":
        verdict.blobs.unreadable = 1
    elif name == "key file changed":
        verdict.headers = HeaderTally(seq=4, named=4, sound=3, changed=1)
    elif name == "seal missing":
        log.seals[3] = replace(log.seals[3], state="missing")
    elif name == "state contradicts":
        log.anchors[0] = replace(log.anchors[0], state="contradicts")
    elif name == "log's own finding":
        log.verdict.findings.append(Finding("REWRITTEN", Weight.TAMPERED, "REWRITTEN between entries 1-2", 1, 2))
    return verdict


@pytest.mark.parametrize(
    "name",
    [
        "unproven", "unlisted", "notes not looked at", "note missing", "note unreadable", "key file changed",
        "seal missing", "state contradicts", "log's own finding",
    ],
)  # fmt: skip
def test_what_was_not_checked_never_reads_as_a_pass(name: str) -> None:
    verdict = spoiled(name)
    assert words.headline(verdict).startswith("CANNOT DECIDE: ")
    assert made(verdict)["exit_code"] == 2
    assert b"INTACT" not in html.page(verdict, version="0")
    assert not any("INTACT" in line for line in words.summary(verdict))


def test_every_word_of_the_log_has_plain_words() -> None:
    assert set(plain.EVENTS) == set(events.EVENTS)
    assert set(plain.OUTCOMES) == set(events.OUTCOMES)
    assert set(plain.PURPOSES) == set(events.PURPOSES)
    fails = events.EVENTS["session.fail"].k["why"]
    assert events.one_of(*plain.FAILS) == fails


def test_the_report_has_the_keys_and_types_that_its_format_promises() -> None:
    for verdict, _, _ in HEADLINES:
        found = made(verdict)
        assert {key: type(value) for key, value in found.items()} == KEYS
        assert found["format"] == "notevault-audit-report/1"
        for log in found["logs"]["list"]:
            assert log.keys() == LOG_KEYS.keys()
            assert all(isinstance(log[key], kind) for key, kind in LOG_KEYS.items())


def test_sums_agree_with_each_other() -> None:
    for verdict in (sample.intact(), sample.intact(1096), sample.tampered()):
        found = made(verdict)
        bars = found["activity"]["bars"]
        logs = found["logs"]["list"]
        assert sum(sum(bar["kinds"].values()) for bar in bars) == sum(sum(log["by_event"].values()) for log in logs)
        for log in logs:
            size = log["size"]
            assert sum(log["by_event"].values()) == size == sum(log["by_purpose"].values())
            assert sum(row["n"] for row in log["by_event_and_outcome"]) == size
            assert sum(sum(row["events"].values()) for row in log["by_day"]["list"]) == size
            assert sum(row["n"] for row in log["failed_unlocks"]["list"]) == log["failed_unlocks"]["total"]
            assert sum(row["n"] for row in log["seals"]["list"]) == log["seals"]["total"]
            assert sum(log["seals"]["by_state"].values()) == log["seals"]["total"]
            assert sum(row["days"] for row in log["days_without_backup"]["list"]) == log["days_without_backup"]["days"]
            assert log["sealed"] + log["unsealed_tail"] == size == log["anchored"] + log["unanchored_tail"]
        assert sum(found["findings_by_weight"].values()) == len(found["findings"]["list"])


def test_a_finding_names_its_log_and_its_entries() -> None:
    rows = made(sample.tampered())["findings"]["list"]
    one = next(row for row in rows if row["first"] == 20)
    assert (one["origin"], one["last"], one["weight"]) == (sample.ORIGIN, 29, "tampered")
    assert [row["weight"] for row in rows] == sorted((row["weight"] for row in rows), key=WEIGHTS.index)
    gaps = made(sample.tampered())["logs"]["list"][1]["gaps"]["list"]
    assert gaps[0] == {"code": "MISSING", "first": 144, "last": 153}


WEIGHTS = ["tampered", "undecided", "note"]


def test_two_reports_of_one_verdict_are_equal_byte_for_byte() -> None:
    one, two = sample.tampered(), sample.tampered()
    assert report.dump(report.report(one, version="1")) == report.dump(report.report(two, version="1"))
    assert html.page(one, version="1") == html.page(two, version="1")


def test_json_is_sorted_indented_ascii_and_ends_with_a_newline() -> None:
    data = report.dump(report.report(with_finding(Weight.NOTE, "Zoë\u202e \x1b[31m"), version="1"))
    assert data == json.dumps(json.loads(data), indent=2, sort_keys=True).encode("ascii") + b"\n"
    assert "Zoë? ?[31m" in data.decode("unicode_escape")


def test_long_lists_are_cut_and_say_so() -> None:
    verdict = sample.intact(1)
    verdict.findings = [Finding("ANY", Weight.TAMPERED, f"finding {n} " + "x" * 5000, n, n) for n in range(10_000)]
    log = verdict.logs[0]
    log.disclosed = list(range(1_000_000))
    log.tally.days = {day: {"record.open": 1, "record.write": 2} for day in range(1_000_000)}
    log.seals = [SealRef(n, n, n, ("holds", "unchecked")[n % 2]) for n in range(100_000)]
    found = made(verdict)
    assert found["findings"]["left_out"] == 9000
    assert found["logs"]["list"][0]["disclosed"]["left_out"] == 999_500
    assert found["logs"]["list"][0]["by_day"]["list"][-1] == {
        "day": "4707-11-28",
        "events": {"record.open": 1, "record.write": 2},
    }
    assert len(report.dump(found)) < 3_000_000
    assert len(html.page(verdict, version="1")) < 500_000


def test_a_vault_of_a_million_logs_makes_no_endless_report() -> None:
    one = sample.log(10)
    verdict = replace(sample.intact(), logs=[one] * 100_000)
    found = made(verdict)
    assert (len(found["logs"]["list"]), found["logs"]["left_out"]) == (64, 99_936)
    assert len(words.summary(verdict)) <= words.MAX_LINES


def test_the_summary_fits_on_a_screen_and_begins_with_the_findings() -> None:
    verdict = sample.tampered(5000)
    for n in range(50):
        verdict.findings.append(Finding("ANY", Weight.NOTE, f"NOTE: {n}"))
        verdict.findings.append(Finding("ANY", Weight.UNDECIDED, f"NOT SEALED: {n}"))
    lines = words.summary(verdict)
    assert len(lines) <= 25
    assert lines[0].startswith("TAMPERED: ")
    assert lines[1].startswith("  proof    log 1a2b3c4d: ROLLED BACK")
    assert "see the report" in lines[6]
    assert "Checked:" in lines
    assert "Not checked:" in lines


def test_days_without_backup_run_from_the_first_unsaved_work_to_the_next_backup() -> None:
    log = LogReport(LogVerdict("00" * 16))
    write, read = {"record.write": 1}, {"record.open": 1}
    log.tally.days = {10: write, 11: read, 13: {"backup.run": 1, **write}, 20: read, 21: write, 22: write, 30: read}
    log.tally.backup_days = {13, 22}
    assert activity.without_backup(log) == [(10, 12), (21, 21)]
    log.tally.backup_days = {13}
    assert activity.without_backup(log) == [(10, 12), (21, 30)]
    log.tally.backup_days = set()
    assert activity.without_backup(log) == [(10, 30)]


@pytest.mark.parametrize(("span", "size"), [(1, 1), (30, 1), (91, 1), (92, 7), (1096, 7), (3000, 28), (10**9, 5917184)])
def test_bars_are_days_then_weeks_then_longer_and_never_too_many(span: int, size: int) -> None:
    log = LogReport(LogVerdict("00" * 16))
    log.tally.days = {day: {"record.open": 1} for day in {20_000, 20_000 + span - 1}}
    found, bars = activity.bars([log])
    assert found == size
    assert sum(bar.total for bar in bars) == len(log.tally.days)
    assert (bars[-1].last - bars[0].first + 1) // size <= activity.MAX_BARS
    if size == 7:
        assert bars[0].first % 7 == 4  # a Monday: day 0 was a Thursday


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (20_778 * DAY_MS + 16 * 3_600_000 + 120_000, "21 Nov 2026 16:02 UTC"),
        (None, "not known"),
        (2**53 - 1, "no date (9,007,199,254,740,991 ms)"),
    ],
)
def test_dates_are_said_in_utc_and_giant_ones_do_no_harm(ms: int | None, said: str) -> None:
    assert plain.when(ms) == said


def test_spans_and_lengths_of_time_in_words() -> None:
    assert plain.days(20_778, 20_778) == "21 Nov 2026"
    assert plain.days(20_770, 20_778) == "13 to 21 Nov 2026"
    assert plain.days(20_740, 20_778) == "14 Oct to 21 Nov 2026"
    assert plain.lasting(90_061_000) == "1 day 1 hour"
    assert plain.lasting(-59_000) == "59 seconds"


numbers = st.integers(0, 2**53 - 1)
findings = st.builds(
    Finding, st.text(max_size=20), st.sampled_from(Weight), st.text(max_size=60), st.integers(-1, 2**53), numbers
)
seals = st.builds(SealRef, numbers, numbers, st.none() | numbers, st.sampled_from([*plain.SEALS, "another state"]))
day_events = st.dictionaries(st.sampled_from(list(plain.EVENTS)) | st.text(max_size=9), numbers, max_size=4)


@st.composite
def verdicts(draw: st.DrawFn) -> VaultVerdict:
    logs = []
    for _ in range(draw(st.integers(0, 3))):
        verdict = LogVerdict(
            draw(st.text(max_size=40)), size=draw(numbers), found=draw(numbers), root=draw(st.binary(max_size=40)),
            proven=draw(st.booleans()), counts=draw(day_events), findings=draw(st.lists(findings, max_size=2)),
        )  # fmt: skip
        log = LogReport(verdict, listed=draw(st.none() | st.booleans()), seals=draw(st.lists(seals, max_size=4)))
        log.tally.days = draw(st.dictionaries(st.integers(0, 2**53 // DAY_MS), day_events, max_size=5))
        log.tally.outcomes = {(event, "ok"): n for event, n in verdict.counts.items()}
        log.tally.purposes = draw(day_events)
        log.tally.backup_days = draw(st.sets(st.integers(0, 30_000), max_size=3))
        log.tally.first_ms, log.tally.last_ms = draw(st.none() | numbers), draw(st.none() | numbers)
        log.sealed, log.anchored = draw(numbers), draw(numbers)
        logs.append(log)
    return VaultVerdict(
        draw(st.text(max_size=40)), draw(st.text(max_size=40)), draw(numbers), draw(st.booleans()), draw(st.booleans()),
        logs, findings=draw(st.lists(findings, max_size=5)), seconds=draw(st.floats()),
        blobs=BlobTally(looked=draw(st.booleans()), live=draw(numbers), sound=draw(numbers), missing=draw(numbers)),
    )  # fmt: skip


@settings(max_examples=60)
@given(verdicts())
def test_any_verdict_gives_a_report_and_a_summary(verdict: VaultVerdict) -> None:
    found = made(verdict)
    assert found["exit_code"] == words.EXIT_CODES[found["verdict"]]
    if verdict.exit_code:
        assert found["exit_code"] == verdict.exit_code
    assert found["headline"].startswith(words.TITLES[found["verdict"]])
    lines = words.summary(verdict)
    assert len(lines) <= words.MAX_LINES
    assert all(line.isprintable() for line in lines)
