"""The toolbar's word on backups: honest, never in the way of the rest, the last thing to be cut when it is an alarm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.shell.backup_bar import BackupBar, here
from notevault.shell.safe import cell_width
from notevault.shell.toolbar import Bar

pytestmark = pytest.mark.disk

NONE = ("no backup yet: type backup", "no backup yet", "no backup")
STOPPED = ("BACKUP STOPPED: type backup", "BACKUP STOPPED")


def test_nothing_is_claimed_before_the_first_look() -> None:
    assert Bar("locks in 4:32", "saved 09:41").text(80).rstrip() == " locks in 4:32 │ saved 09:41"


def test_a_backup_stands_last_and_gets_shorter_before_anything_else() -> None:
    bar = Bar("locks in 4:32", "saved 09:41", ("backup 12 min ago, 1 place behind", "backup 12 min ago", "backup"))
    assert bar.text(80).rstrip() == " locks in 4:32 │ saved 09:41 │ backup 12 min ago, 1 place behind"
    assert bar.text(55).rstrip() == " locks in 4:32 │ saved 09:41 │ backup 12 min ago"
    assert bar.text(42).rstrip() == " locks in 4:32 │ saved 09:41 │ backup"


def test_the_sheet_is_asked_for_in_full_beside_a_missing_backup_at_80_columns() -> None:
    text = Bar("locks in 10:00", "saved 09:41", NONE, sheet=False).text(80)
    assert "NOT RECOVERABLE: print your sheet" in text
    assert "no backup" in text


@given(st.integers(20, 140), st.booleans(), st.booleans(), st.booleans())
def test_an_alarm_stands_before_the_countdown_and_is_never_left_out(
    width: int, read_only: bool, sheet: bool, finding: bool
) -> None:
    bar = Bar("locks in 4:32", "saved 09:41", STOPPED, True, sheet, read_only, finding)
    text = bar.text(width)
    assert cell_width(text) == width
    assert all("BACKUP STOPPED" in each for each in bar.wordings())
    if "locks in" in text:
        assert text.index("BACKUP STOPPED") < text.index("locks in")


@pytest.mark.parametrize("alarm", [True, False])
@pytest.mark.parametrize("finding", [True, False])
@pytest.mark.parametrize("sheet", [True, False])
def test_at_40_columns_alarm_and_countdown_are_both_there(alarm: bool, finding: bool, sheet: bool) -> None:
    words = STOPPED if alarm else ("backup 3 min ago", "backup 3 min", "backup ok")
    text = Bar("locks in 10:00", "saved 09:41", words, alarm, sheet, False, finding).text(40)
    assert "10:00" in text
    assert ("BACKUP STOPPED" in text) == alarm
    assert ("FINDING" in text) == finding


@given(st.integers(26, 140), st.booleans(), st.booleans(), st.integers(0, 3))
def test_the_wording_does_not_change_with_every_digit_of_the_countdown(
    width: int, alarm: bool, sheet: bool, at: int
) -> None:
    words = (NONE, STOPPED, ("backup 12 min ago", "backup 12 min", "backup ok"), ())[at]
    said = {
        Bar(f"locks in {left}", "saved 09:41", words, alarm and at == 1, sheet)
        .text(width)
        .replace(left, "0:00")
        .strip()
        for left in ("10:00", "9:59", "0:31")
    }
    assert len(said) == 1


def test_a_green_backup_keeps_its_age_where_that_fits() -> None:
    green = ("backup 12 min ago", "backup 12 min", "backup ok")
    assert "backup 12 min ago" in Bar("locks in 9:59", "saved 09:41", green).text(80)
    assert Bar("locks in 9:59", "saved 09:41", green).text(47).rstrip().endswith("backup 12 min")
    assert Bar("locks in 9:59", "saved 09:41", green).text(42).rstrip().endswith("backup ok")


@pytest.mark.parametrize(
    ("terminal", "shell"),
    [
        ("`notevault backup run` brings it.", "`backup run` brings it."),
        ("`notevault backup add DIR`, or `notevault backup heal`", "`backup add DIR`, or `backup heal`"),
        ("`notevault backup restore --from DIR --to V`", "`notevault backup restore --from DIR --to V`"),
        ("`notevault verify`", "`notevault verify`"),
    ],
)
def test_advice_is_given_in_the_commands_of_this_prompt(terminal: str, shell: str) -> None:
    assert here(terminal) == shell


def test_a_worker_that_does_not_run_is_said_in_the_bar_and_at_home() -> None:
    bar = BackupBar(object())  # type: ignore[arg-type]
    assert bar.warnings() == []
    bar.worker_is("dead")
    assert "does not run" in bar.bar[0]
    assert "does not run" in bar.warnings()[0]
    bar.worker_is("runs")
    assert bar.bar == ()
