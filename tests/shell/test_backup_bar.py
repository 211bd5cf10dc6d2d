"""The toolbar's word on backups: honest, never in the way of the rest, the last thing to be cut when it is an alarm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.shell.backup_bar import here
from notevault.shell.safe import cell_width
from notevault.shell.toolbar import Bar

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
