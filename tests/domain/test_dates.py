"""Dates as shown and as typed: tables, and properties for the reader."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.domain.dates import (
    MS_MAX,
    MS_MIN,
    Moment,
    ago,
    countdown,
    day_of,
    day_words,
    local,
    moment_words,
    parse_day,
    parse_moment,
    saved_words,
    to_ms,
)
from notevault.errors import UsageFault

TODAY = date(2026, 11, 21)
NINE = 1_794_906_000_000  # 2026-11-17 09:00 UTC

days = st.dates(date(1901, 1, 1), date(9998, 12, 31))


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("1980-05-17", date(1980, 5, 17)),
        (" 1980-5-7 ", date(1980, 5, 7)),
        ("1980/05/17", date(1980, 5, 17)),
        ("17.5.1980", date(1980, 5, 17)),
        ("4.5.1980", date(1980, 5, 4)),
        ("04. 05. 1980", date(1980, 5, 4)),
        ("17/5/1980", date(1980, 5, 17)),
        ("5/17/1980", date(1980, 5, 17)),
        ("17-05-1980", date(1980, 5, 17)),
        ("5/5/1980", date(1980, 5, 5)),
        ("17 May 1980", date(1980, 5, 17)),
        ("17. may 1980", date(1980, 5, 17)),
        ("May 17, 1980", date(1980, 5, 17)),
        ("3 Sept 2026", date(2026, 9, 3)),
        ("3 September 2026", date(2026, 9, 3)),
        ("29.2.2024", date(2024, 2, 29)),
        ("today", TODAY),
        ("Yesterday", date(2026, 11, 20)),
    ],
)
def test_days_are_read_as_people_type_them(typed: str, day: date) -> None:
    assert parse_day(typed, TODAY) == day


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("4/5/1980", "not clear"),
        ("04-05-1980", "not clear"),
        ("17.5.80", "four digits"),
        ("1/2/80", "four digits"),
        ("29.2.2023", "no such day"),
        ("1980-13-01", "no such day"),
        ("31/31/1980", "no such day"),
        ("17 Mai 1980", "month"),
        ("tomorrow", "not a date"),
        ("17/5-1980", "not a date"),
        ("", "not a date"),
        ("0000-01-01", "no such day"),
        ("１９８０-05-17", "not a date"),
    ],
)
def test_what_is_no_day_or_not_clear_is_refused_without_repeating_it(typed: str, says: str) -> None:
    with pytest.raises(UsageFault, match=says) as caught:
        parse_day(typed, TODAY)
    assert "1980-05-17" in caught.value.next_step
    assert not typed or typed not in caught.value.sentence


def test_the_order_can_be_said_and_then_nothing_is_unclear() -> None:
    assert parse_day("4/5/1980", order="dmy") == date(1980, 5, 4)
    assert parse_day("4/5/1980", order="mdy") == date(1980, 4, 5)
    with pytest.raises(UsageFault, match="no such day"):
        parse_day("17/5/1980", order="mdy")


def test_today_means_nothing_where_no_today_is_given() -> None:
    with pytest.raises(UsageFault):
        parse_day("today")


@given(days)
def test_every_day_reads_back_from_every_clear_spelling(day: date) -> None:
    for text in (
        day.isoformat(),
        f"{day.day}.{day.month}.{day.year}",
        f"{day.day} {day:%B} {day.year}",
        day_words(day, date(1900, 1, 1)).split(" ", 1)[1],
    ):
        assert parse_day(text) == day


@given(days)
def test_slashes_are_read_only_where_they_can_mean_one_day(day: date) -> None:
    typed = f"{day.day}/{day.month}/{day.year}"
    if day.day > 12 or day.day == day.month:
        assert parse_day(typed) == day
    else:
        with pytest.raises(UsageFault):
            parse_day(typed)


@given(st.text(max_size=40) | st.text(alphabet="0123456789-/.: TZ+apm", max_size=30))
def test_any_text_is_a_moment_or_a_sentence(text: str) -> None:
    try:
        assert parse_moment(text, TODAY).day
    except UsageFault as fault:
        assert fault.next_step  # noqa: PT017


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2026-11-17", Moment(date(2026, 11, 17))),
        ("2026-11-17 09:00", Moment(date(2026, 11, 17), 540)),
        ("2026-11-17T09:00:30Z", Moment(date(2026, 11, 17), 540, 0)),
        ("2026-11-17T09:00:30.123456+01:00", Moment(date(2026, 11, 17), 540, 60)),
        ("2026-11-17 09:00 -0530", Moment(date(2026, 11, 17), 540, -330)),
        ("17.11.2026 9.05", Moment(date(2026, 11, 17), 545)),
        ("17. 11. 2026 9:05", Moment(date(2026, 11, 17), 545)),
        ("11/17/2026 9:05 PM", Moment(date(2026, 11, 17), 21 * 60 + 5)),
        ("11/17/2026 12:05 a.m.", Moment(date(2026, 11, 17), 5)),
        ("17 Nov 2026 9:05", Moment(date(2026, 11, 17), 545)),
        ("today 9:05", Moment(TODAY, 545)),
    ],
)
def test_moments_are_read_as_exports_write_them(typed: str, moment: Moment) -> None:
    assert parse_moment(typed, TODAY) == moment


@pytest.mark.parametrize(
    "typed", ["2026-11-17 25:00", "2026-11-17 9:61", "2026-11-17 13:00 pm", "2026-11-17 0:10 am", "09:00"]
)
def test_times_that_do_not_exist_are_refused(typed: str) -> None:
    with pytest.raises(UsageFault):
        parse_moment(typed)


def test_moments_are_shown_in_the_local_time_of_then() -> None:
    assert moment_words(NINE, 0, TODAY) == "Tue 17 Nov 09:00"
    assert moment_words(NINE, -600, TODAY) == "Mon 16 Nov 23:00"
    assert moment_words(NINE, 60, date(2027, 1, 1)) == "Tue 17 Nov 2026 10:00"


@given(st.integers(MS_MIN, MS_MAX), st.integers(-1440, 1440))
def test_a_moment_comes_back_from_its_local_day_and_minute(ms: int, offset: int) -> None:
    then = local(ms, offset)
    whole = ms // 60_000 * 60_000
    if whole >= MS_MIN:
        assert to_ms(day_of(ms, offset), then.hour * 60 + then.minute, offset) == whole


@pytest.mark.parametrize(("ms", "offset"), [(MS_MIN - 1, 0), (MS_MAX + 1, 0), (0, 1441), (10**30, 0)])
def test_moments_out_of_range_are_refused(ms: int, offset: int) -> None:
    with pytest.raises(UsageFault):
        local(ms, offset)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (0, "just now"),
        (3, "3 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (12 * 60 + 59, "12 min ago"),
        (3600, "1 h ago"),
        (47 * 3600, "47 h ago"),
        (48 * 3600, "2 days ago"),
        (90 * 86400, "90 days ago"),
    ],
)
def test_how_long_ago_is_said_in_words(seconds: int, words: str) -> None:
    assert ago(NINE, NINE + seconds * 1000) == words
    assert saved_words(NINE, NINE + seconds * 1000) == f"saved {words}"


@pytest.mark.parametrize(("seconds", "shown"), [(272, "4:32"), (0, "0:00"), (-4, "0:00"), (600, "10:00")])
def test_the_countdown(seconds: int, shown: str) -> None:
    assert countdown(seconds) == shown
