"""A day of two hundred acts: the log tells all of it in order, outsiders find it whole, and it gives away no word."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.audit_day import bare as programs
from tests.audit_day.bare import Bare
from tests.audit_day.compare import belongs, differences, entries, given_away
from tests.audit_day.day import Day
from tests.cli.homes import Home

pytestmark = pytest.mark.slow


@pytest.fixture
def night(day: Day) -> Home:
    """Her home when she left for the day. Not to be changed: copy it."""
    return day.moments["night"]


def log_of(home: Home) -> Path:
    (folder,) = (home.vault / "audit").iterdir()
    return folder


@pytest.fixture
def card(day: Day, night: Home, tmp_path: Path) -> Path:
    """As the auditor got it at his first visit."""
    out = tmp_path / "card.json"
    night.copy(tmp_path / "at-the-visit").run("audit", "card", "--out", str(out), "--no-input")
    return out


def test_the_day_has_two_hundred_acts_of_every_kind(day: Day) -> None:
    assert len(day.script) >= 200
    done = {act.what.split(":")[0].split(",")[0] for act in day.script}
    assert done >= {
        "unlock", "a wrong passphrase", "a wrong passphrase in the open vault", "leave",
        "lock", "lock over an open note", "close the window",
        "write a new note", "open a note", "change a note", "sign a note", "change and sign a note",
        "read an earlier version", "search", "hide or show names", "settings", "import", "verify", "doctor",
        "change the passphrase", "look at the log", "review the log", "list the clients",
    }  # fmt: skip


def test_every_act_is_in_the_log_in_its_order_and_nothing_else_is(day: Day, night: Home) -> None:
    log = entries(log_of(night))
    assert [entry["ev"] for entry in log[:1]] == ["vault.create"]
    assert differences(day.script, log[1:]) == []
    assert len(log) == day.size == night.log_size()


def test_what_is_compared_is_compared(day: Day, night: Home) -> None:
    """The comparison itself: an entry less, one more, one changed, two exchanged, each is seen."""
    acts, log = day.script, entries(log_of(night))[1:]
    assert differences(acts, log[:-1])[0].endswith("is not in the log")
    assert "nobody did that" in differences(acts, [*log, log[-1]])[0]
    for field, value in (("ev", "record.print"), ("o", "fail"), ("pu", "export"), ("t", log[40]["t"] - 3_600_000)):
        assert differences(acts, [*log[:40], {**log[40], field: value}, *log[41:]])
    two = next(i for i in range(40, 80) if log[i]["ev"] != log[i + 1]["ev"])
    assert differences(acts, [*log[:two], log[two + 1], log[two], *log[two + 2 :]])


def test_bare_python_finds_the_log_whole_and_counts_as_the_hands_did(
    day: Day, night: Home, card: Path, bare: Bare, tmp_path: Path
) -> None:
    assert programs.bare_environment_has_nothing(bare)
    page = tmp_path / "report.html"
    said = bare.check(night.vault, "--card", card, "--state", tmp_path / "state", "--html", page)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("INTACT (first visit)")
    assert said.seconds < programs.SLOW_S
    report = said.report
    (log,) = report["logs"]["list"]
    assert (log["size"], log["found"], log["proven"]) == (day.size, day.size, True)
    locks = sum(act.what.startswith(("lock", "leave", "close the window")) for act in day.script)
    assert log["seals"]["total"] == log["seals"]["by_state"]["holds"] == locks >= 14
    assert log["sealed"] == day.size, "the last act was a lock"

    expected = Counter({("vault.create", "ok"): 1})
    for act in day.script:
        expected += Counter((each.ev, each.o) for each in act.expected)
    expected += Counter((entry["ev"], entry["o"]) for entry in entries(log_of(night)) if belongs(entry))
    assert {(row["event"], row["outcome"]): row["n"] for row in log["by_event_and_outcome"]} == dict(expected)
    assert log["failed_unlocks"]["total"] == expected["session.fail", "fail"] == 5
    written = expected["record.write", "ok"] + expected["record.sign", "ok"] + expected["settings.change", "ok"]
    assert (report["notes"]["live"], report["notes"]["sound"]) == (written, written)
    assert report["key_files"]["named"] == 1 + expected["header.write", "ok"]
    assert log["users"] == 1


def test_a_later_visit_knows_the_earlier_one(day: Day, night: Home, card: Path, bare: Bare, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert bare.check(day.moments["noon"].vault, "--card", card, "--state", state).code == 0
    said = bare.check(night.vault, "--state", state)
    assert said.code == 0
    assert said.out.startswith("INTACT:")
    (log,) = said.report["logs"]["list"]
    assert 0 < log["anchored"] < day.size
    assert [row["state"] for row in log["anchors"]["list"]] == ["agrees"]


def test_go_accepts_the_same_log(day: Day, night: Home, card: Path, go: Path, tmp_path: Path) -> None:
    anchors = tmp_path / "anchors"
    day.lay_anchors(anchors, day.size)
    code, failed = programs.go_says(go, "-card", card, "-anchors", anchors / log_of(night).name, log_of(night))
    assert (code, failed) == (0, [])


def test_the_product_finds_it_whole_too(night: Home, tmp_path: Path) -> None:
    home = night.copy(tmp_path / "home")
    assert "INTACT" in home.run("audit", "verify", "--no-input").stdout


def test_neither_the_log_nor_the_reports_hold_a_name_a_word_of_a_note_or_of_a_search(
    day: Day, night: Home, card: Path, bare: Bare, tmp_path: Path
) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    done = bare.run("check", day.home.vault, "--card", card, "--out", pages / "r.json", "--html", pages / "r.html")
    assert done.code == 0
    (pages / "said").write_text(done.out)
    (pages / "entries").write_text(bare.run("entries", day.home.vault, "--card", card).out)
    assert (pages / "r.html").stat().st_size > 10_000
    assert json.loads((pages / "r.json").read_bytes())["exit_code"] == 0
    for place in (pages, day.home.vault / "audit", day.home.vault / "headers"):
        assert given_away(day.words, place) == set()
    words = day.words[:4]  # the search finds what is there
    in_base64 = base64.b64encode(words[3].encode())
    forms = [words[0].encode(), words[1].upper().encode(), words[2].encode("utf-16-le"), in_base64]
    for word, form in zip(words, forms, strict=True):
        (pages / "planted").write_bytes(b"<p>--" + form + b"</p>")
        assert given_away(day.words, pages) == {word}


def test_the_page_needs_nothing_from_outside(day: Day, card: Path, bare: Bare, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    bare.run("check", day.home.vault, "--card", card, "--html", page)
    text = page.read_text()
    assert not re.search(r"<script|<link|<img|@import|url\((?!#)|src=|href=\"(?!#)", text)
