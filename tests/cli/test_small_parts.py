"""The pure parts of the command line, and what it makes of a day, a path, a name."""

from __future__ import annotations

from datetime import date
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.app.adding import session_time
from notevault.cli.commands import COMMANDS
from notevault.cli.health import synced_by
from notevault.cli.output import harmless
from notevault.cli.parser import build
from notevault.cli.show import iso
from notevault.domain.dates import Moment, day_of
from notevault.errors import UsageFault
from tests.fakes.simple import FakeClock


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/home/eva/Dropbox/vault", "Dropbox"),
        ("/home/eva/Dropbox (Private)/vault", "Dropbox"),
        ("/Users/eva/Library/Mobile Documents/com~apple~CloudDocs/vault", "iCloud"),
        ("/Users/eva/Library/CloudStorage/GoogleDrive-eva/vault", "a cloud service"),
        ("/Users/eva/GoogleDrive-eva/vault", "Google Drive"),
        ("/home/eva/OneDrive - Practice/vault", "OneDrive"),
        ("/home/eva/Nextcloud/vault", "Nextcloud"),
        ("/home/eva/.local/share/notevault/vault", None),
        ("/home/eva/boxes/megaphone/dropboxes/vault", None),
    ],
)
def test_a_folder_that_a_service_keeps_in_step_is_told_by_its_path(path: str, service: str | None) -> None:
    assert synced_by(PurePosixPath(path)) == service


@given(st.dates(date(1901, 1, 1), date(2100, 1, 1)), st.integers(-720, 840))
def test_a_day_without_a_time_stays_the_same_day(day: date, offset: int) -> None:
    ms, kept = session_time(Moment(day), FakeClock(offset_minutes=offset))
    assert kept == offset
    assert day_of(ms, kept) == day
    assert iso(ms, kept).startswith(f"{day.isoformat()}T12:00")


def test_a_moment_with_its_own_offset_keeps_it() -> None:
    ms, offset = session_time(Moment(date(2025, 11, 17), 9 * 60, -300), FakeClock(offset_minutes=60))
    assert iso(ms, offset) == "2025-11-17T09:00-05:00"


@given(st.text())
def test_nothing_that_steers_a_terminal_is_said(text: str) -> None:
    said = harmless(text)
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in said)
    assert not set(said) & {"\x7f", "\x9b", "\u202e"}


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "١", "", "9" * 12, "1e3"])
def test_a_count_is_a_whole_number_from_one_on(number: str) -> None:
    with pytest.raises(UsageFault):
        build("note list", COMMANDS["note list"]).parse([f"--limit={number}"])


def test_half_a_character_on_the_command_line_is_refused() -> None:
    with pytest.raises(UsageFault):
        build("find", COMMANDS["find"]).parse(["\udcff"])


def test_words_after_two_dashes_are_words() -> None:
    assert build("find", COMMANDS["find"]).parse(["--limit", "3", "--", "--text", "-x"]).words == ["--text", "-x"]
