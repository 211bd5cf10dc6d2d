"""The report: its headline is honest, its numbers agree, and nothing that was not checked reads as a pass."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.auditlog import activity, events, html, plain, report, words
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
from notevault.auditlog.verdict import Finding, HeaderRef, LogVerdict, Weight
from tests.auditlog import report_sample as sample

KEYS: dict[str, Any] = {
    "activity": dict, "card_fingerprint": str, "checked": dict, "checked_points": list, "exit_code": int,
    "findings": dict, "findings_by_weight": dict, "first_visit": bool, "format": str, "headline": str,
    "key_files": dict, "known_since": (dict, type(None)), "log_only": bool, "logs": dict, "meaning": list,
    "not_checked": list, "notes": dict, "own": bool, "program": dict,
    "seconds": float, "sentence": str, "title": str, "vault": str, "verdict": str,
    "what_it_cannot_tell": list,
}  # fmt: skip
LOG_KEYS: dict[str, Any] = {
    "anchored": int, "anchors": dict, "by_day": dict, "by_event": dict, "by_event_and_outcome": list,
    "by_purpose": dict, "clock_jumps": dict, "current": bool, "days_without_backup": dict, "disclosed": dict,
    "entered_later": int, "epoch": int, "failed_unlocks": dict, "follows": (dict, type(None)), "found": int,
    "gaps": dict, "listed": (bool, type(None)), "origin": str, "period": dict, "proven": bool, "remembered": int,
    "root": dict,
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
    (sample.tampered(), 1, "TAMPERED: log 1a2b3c4d: ROLLED BACK: your state file saw 9000 entries on 3 Nov 2026"),
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


def undated() -> VaultVerdict:
    """Known only by a state in a backup place, which bears no date."""
    verdict = sample.intact()
    log = verdict.logs[0]
    log.anchors = [replace(one, seen=replace(one.seen, when=None, source="a backup place")) for one in log.anchors]
    return verdict


def own(*, agrees: bool = True) -> VaultVerdict:
    """As `notevault audit report` finds it: nothing but this laptop's memory to hold against the log."""
    verdict = sample.intact()
    log = verdict.logs[0]
    seen = Seen(sample.ORIGIN, log.verdict.size, log.verdict.root, "this laptop's memory", outside=False, own=True)
    log.anchors, log.anchored = [AnchorRef(seen, "agrees" if agrees else "beyond")], 0
    verdict.own = True
    return verdict


def test_no_later_visit_forgets_since_when_the_log_is_known() -> None:
    """A second check a minute later, or a state copied out of the folder itself, makes nothing of before known."""
    first = "6 Oct 2026 16:00 UTC"
    found = made(sample.intact())
    assert f"before {first}, when it was first seen, nothing is known" in found["headline"]
    assert f"a log cut, rolled back or replaced before it was first seen, {first}" in found["not_checked"]
    assert any(
        line.startswith("Whether the log was cut, rolled back or replaced before it was")
        for line in found["what_it_cannot_tell"]
    )
    assert found["known_since"]["utc"] == "2026-10-06T16:00:00Z"
    found = made(undated())
    assert "bears no date, so of the time before this check nothing is known" in found["headline"]
    assert (found["known_since"], found["first_visit"]) == (None, False)
    assert any("before this check" in line for line in found["not_checked"])
    assert first in html.page(sample.intact(), version="0").decode()


def test_that_a_later_log_cites_one_is_no_day_on_which_somebody_saw_it() -> None:
    verdict = undated()
    old = verdict.logs[0]
    later = sample.log(3, sample.OTHER)
    later.cites = (sample.ORIGIN, old.verdict.size, old.verdict.root)
    seen = Seen(*later.cites, "the log 9f8e7d6c, which follows it", later.tally.first_ms)
    old.anchors.append(AnchorRef(seen, "agrees"))
    verdict.logs.append(later)
    assert made(verdict)["known_since"] is None


def test_what_the_own_laptop_remembers_is_not_outside() -> None:
    found = made(own())
    assert "it agrees with what this laptop remembers; nothing of it is vouched for from outside" in found["headline"]
    assert "a log put back together with this laptop's memory would not show" in found["headline"]
    assert (found["own"], found["program"]["name"], found["exit_code"]) == (True, "notevault", 0)
    log = found["logs"]["list"][0]
    assert (log["anchored"], log["remembered"]) == (0, log["size"])
    assert [(one["outside"], one["own"]) for one in log["anchors"]["list"]] == [(False, True)]
    assert not any("this same folder" in line for line in found["checked_points"])
    assert made(own(agrees=False))["exit_code"] != 0


def test_key_files_that_are_not_here_stand_under_not_checked() -> None:
    verdict = log_only()
    verdict.logs[0].verdict.headers.append(HeaderRef(0, 1, "ab" * 32, 900))
    verdict.headers = HeaderTally()
    found = made(verdict)
    assert any(line.startswith("the key files: none are here") for line in found["not_checked"])
    assert not any("key files" in line for line in found["checked_points"])
    assert found["key_files"]["looked"] is False
    assert b"The key files were not checked" in html.page(verdict, version="0")


def test_findings_that_are_not_listed_are_counted() -> None:
    verdict = sample.intact()
    verdict.blobs.changed = 60
    rows = [Finding("BLOB_CHANGED", Weight.TAMPERED, f"BLOB CHANGED: {n}") for n in range(20)]
    verdict.findings = [
        *rows, Finding("MORE", Weight.TAMPERED, "There are more such files (BLOB_CHANGED); the tally counts them"),
        Finding("MORE", Weight.NOTE, "There are more such findings (STRAY) than are listed"),
    ]  # fmt: skip
    found = made(verdict)
    assert found["findings_by_weight"] == {"tampered": 60, "undecided": 0, "note": 1}
    assert [row["code"] for row in found["findings"]["list"]] == ["BLOB_CHANGED"] * 20 + ["MORE"]
    assert found["findings"]["left_out"] == 40
    assert ", and 59 more findings that prove a change" in found["headline"]


def test_failed_unlocks_that_are_not_listed_are_counted() -> None:
    log = LogReport(LogVerdict("00" * 16, size=3001, counts={"session.fail": 3000}))
    log.tally.fails = [Fail(n, n, n, 1, "passphrase") for n in range(1000)]
    log.tally.fails_total = 3000
    log.tally.jumps, log.tally.jumps_total = [Jump(n, n, 5, "back") for n in range(1000)], 1700
    found = made(VaultVerdict(logs=[log]))["logs"]["list"][0]
    for name, total in (("failed_unlocks", 3000), ("clock_jumps", 1700)):
        assert found[name]["left_out"] + len(found[name]["list"]) == total


def test_without_a_signed_state_nothing_is_sealed_or_vouched_for() -> None:
    log = LogReport(LogVerdict("00" * 16, size=0, found=40), sealed=30, anchored=20)
    found = made(VaultVerdict(logs=[log]))["logs"]["list"][0]
    assert (found["sealed"], found["anchored"], found["unsealed_tail"], found["found"]) == (0, 0, 0, 40)


def test_a_first_visit_is_told_of_however_many_notes_there_are() -> None:
    verdict = sample.intact(first_visit=True)
    first = next(one for one in verdict.findings if one.code == "FIRST_VISIT")
    verdict.findings.remove(first)
    verdict.findings += [Finding("STRAY", Weight.NOTE, f"note {n}") for n in range(9)]
    verdict.findings.append(first)
    assert any("FIRST VISIT" in line for line in words.summary(verdict))


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
        assert found.keys() == KEYS.keys()
        assert all(isinstance(found[key], kind) for key, kind in KEYS.items())
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


@pytest.mark.slow
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


@pytest.mark.slow
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
    assert lines[6].endswith("more")
    assert words.summary(verdict, "see the report")[6].endswith(" more: see the report")
    assert "Checked:" in lines
    assert "Not checked:" in lines


def test_days_without_backup_run_from_the_first_unsaved_work_to_the_next_backup() -> None:
    log = LogReport(LogVerdict("00" * 16))
    write, read = {"record.write": 1}, {"record.open": 1}
    log.tally.days = {10: write, 11: read, 13: {"backup.run": 1, **write}, 20: read, 21: write, 22: write, 30: read}
    log.tally.kept, log.verdict.counts = {10: 1, 13: 3, 21: 6, 22: 7}, {"backup.run": 2}
    log.tally.backups = {13: 4, 22: 8}
    assert activity.without_backup(log) == [(10, 12), (21, 21)]
    log.tally.backups = {13: 4}
    assert activity.without_backup(log) == [(10, 12), (21, 29)]  # day 30 may not be over
    log.tally.backups = {}
    assert activity.without_backup(log) == [(10, 29)]


def test_what_was_written_after_the_days_backup_waits() -> None:
    log = LogReport(LogVerdict("00" * 16, counts={"backup.run": 1}))
    log.tally.days = {0: {"vault.create": 1}, 1: {"backup.run": 1, "record.write": 1}, 100: {"session.lock": 1}}
    log.tally.kept, log.tally.backups = {0: 0, 1: 2}, {1: 1}
    assert activity.without_backup(log) == [(0, 99)]
    log.tally.kept, log.tally.backups = {0: 0, 1: 1}, {1: 2}
    assert activity.without_backup(log) == [(0, 0)]
    log.tally.kept, log.tally.backups = {0: 0, 1: 3}, {1: 1, 2: 2}  # the clock went back after the backup of day 2
    assert activity.without_backup(log) == [(0, 99)]


def test_the_day_that_runs_is_not_called_a_day_without_backup() -> None:
    log = LogReport(LogVerdict("00" * 16, counts={"backup.run": 1}))
    log.tally.days, log.tally.kept = {5: {"backup.run": 1, "record.write": 1}}, {5: 1}
    assert activity.without_backup(log) == []


def test_a_log_without_any_backup_says_so_once() -> None:
    verdict = sample.intact()
    log = verdict.logs[0]
    log.tally.backups = {}
    del log.verdict.counts["backup.run"]
    found = made(verdict)["logs"]["list"][0]["days_without_backup"]
    assert found == {"days": 0, "left_out": 0, "list": [], "told": False}
    page = html.page(verdict, version="0").decode()
    assert "This log tells of no backup (none was set up, or none has ever got through to the log)." in page
    assert "had reached no backup" not in page


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
        log.tally.kept = draw(st.dictionaries(st.integers(0, 30_000), numbers, max_size=3))
        log.tally.backups = draw(st.dictionaries(st.integers(0, 30_000), numbers, max_size=3))
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
