"""The pure parts of the command line, and what it makes of a day, a path, a name."""

from __future__ import annotations

import signal
from datetime import date
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters.places import user_path
from notevault.adapters.volumes_cloud import synced_by
from notevault.app.adding import session_time
from notevault.cli.commands import COMMANDS
from notevault.cli.output import harmless
from notevault.cli.parser import build
from notevault.cli.sheets import uninterrupted
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


@pytest.mark.parametrize("name", ["~nobody-is-called-so/x", "a" * 300, "zero\0byte", "half\udcff\ud800"])
def test_what_cannot_name_a_file_is_a_wrong_use_and_no_crash(name: str) -> None:
    with pytest.raises(UsageFault):
        user_path(name)


def test_links_in_a_ring_are_no_place(tmp_path: Path) -> None:
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    with pytest.raises(UsageFault):
        user_path(str(tmp_path / "ring" / "file"))


@given(st.text(max_size=300))
def test_a_typed_path_is_absolute_or_refused(text: str) -> None:
    try:
        path = user_path(text)
    except UsageFault:
        return
    assert path.is_absolute()


def test_a_home_folder_is_meant_by_its_sign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/not/there yet.pdf") == tmp_path / "not" / "there yet.pdf"


def test_ctrl_c_waits_until_the_sheet_is_in_its_file(tmp_path: Path) -> None:
    done = tmp_path / "sheet"

    def work() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.write_text("whole")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done.read_text() == "whole"
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)  # and it works again afterwards


def test_words_after_two_dashes_are_words() -> None:
    assert build("find", COMMANDS["find"]).parse(["--limit", "3", "--", "--text", "-x"]).words == ["--text", "-x"]
