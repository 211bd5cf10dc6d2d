"""Warnings on home and in the toolbar, long pages, and what Tab offers after `audit`: pure values, no terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.errors import Busy, LogDamaged, UsageFault
from notevault.shell.alarms import Alarms
from notevault.shell.commands_audit import _asked
from notevault.shell.complete import Catalogue, complete
from notevault.shell.home import HomeScreen
from notevault.shell.paint import row_width
from notevault.shell.safe import cell_width
from notevault.shell.screens import Page
from notevault.shell.toolbar import Bar
from tests.shell.test_home import CLIENTS, DATA, picture, type_into

WARNED = replace(DATA, warnings=("The log has a finding: type `audit`.",), reminder="Look over the last month.")


def test_a_warning_stays_on_home_whatever_is_typed_and_a_message_does_not() -> None:
    screen = HomeScreen(WARNED, ["Saved."])
    assert " ! The log has a finding: type `audit`." in picture(screen)
    assert " Look over the last month." in picture(screen)
    type_into(screen, "open and")
    rows = picture(screen)
    assert " Saved." not in rows
    assert " ! The log has a finding: type `audit`." in rows


@given(st.integers(1, 130), st.integers(1, 50), st.text(max_size=200), st.booleans())
def test_home_with_warnings_fits_every_window(width: int, height: int, said: str, typing: bool) -> None:
    screen = HomeScreen(replace(WARNED, warnings=(said, "Short.", said)), [said])
    if typing:
        type_into(screen, "o")
    painted = screen.paint("", Bar("locks in 9:59", finding=True).text(width), width, height)
    assert len(painted.rows) == height
    assert all(row_width(row) <= width for row in painted.rows)


def test_the_toolbar_names_a_finding_first_and_longest() -> None:
    bar = Bar("locks in 4:32", "saved 09:41", finding=True, sheet=False)
    assert bar.text(120).startswith(" FINDING: type audit \u2502 ")
    for width in range(10, 140):
        assert cell_width(bar.text(width)) == width
        assert bar.text(width).startswith(" FINDING")


def test_an_alarm_is_told_once_and_kept_until_it_was_looked_at() -> None:
    alarms = Alarms()
    assert alarms.lines(0) == []
    assert not alarms.is_grave(0)
    alarms.noticed(["Three tries."])
    alarms.noticed(["Three tries."])
    assert alarms.lines(0) == ["Three tries: type `audit`."]
    assert not alarms.is_grave(0)
    alarms.heard(Busy("Another window."))
    assert not alarms.is_grave(0)
    alarms.heard(LogDamaged("TRUNCATED: fewer."))
    assert alarms.is_grave(0)
    assert alarms.lines(0)[0] == "Something in this vault does not hold: type `audit`."
    assert alarms.lines(2)[0] == "The log has 2 findings: type `audit`."
    assert alarms.sentences() == ["TRUNCATED: fewer.", "Three tries."]
    alarms.clear()
    alarms.noticed(["Three tries."])
    assert alarms.lines(0) == []


def test_a_page_may_begin_at_its_end_and_keeps_the_heading_that_was_scrolled_away_in_sight() -> None:
    rows = [[("class:heading", "Fri 20 Nov")], *([("", f"row {n}")] for n in range(100))]
    page = Page("Log", lambda _width, _hidden: rows, at_end=True)
    shown = picture(page)
    assert shown[1] == " \u2191 more   Fri 20 Nov"
    assert "row 99" in shown[-3]
    page.act("text_start")
    shown = picture(page)
    assert shown[2] == " Fri 20 Nov"
    assert shown[-3] == " \u2193 more"
    page.act("row_end")
    assert "row 99" in picture(page)[-3]
    seen = set(picture(page))
    for _ in range(10):
        page.act("page_up")
        seen |= set(picture(page))
    assert {f" row {n}" for n in range(100)} <= seen, "turning pages passes over no row"


@pytest.mark.parametrize(
    ("typed", "offers"),
    [("audit re", ["review"]), ("audit an", ["C-007", "C-014"]), ("au", ["audit"]), ("audit ", []), ("open re", [])],
)
def test_what_tab_offers_after_audit(typed: str, offers: list[str]) -> None:
    assert [each.text for each in complete(typed, len(typed), Catalogue(CLIENTS))] == offers


@pytest.mark.parametrize(
    ("rest", "asked"),
    [
        ("", ("", None)),
        ("30", ("", 30)),
        ("anna", ("anna", None)),
        ("anna berg 365", ("anna berg", 365)),
        ("c-014", ("c-014", None)),
        ("C-014 3660", ("C-014", 3660)),
    ],
)
def test_what_audit_takes(rest: str, asked: tuple[str, int | None]) -> None:
    assert _asked(rest) == asked


@pytest.mark.parametrize("rest", ["0", "3661", "99999999999999999999", "anna 0"])
def test_a_number_of_days_out_of_range_is_refused(rest: str) -> None:
    with pytest.raises(UsageFault):
        _asked(rest)
