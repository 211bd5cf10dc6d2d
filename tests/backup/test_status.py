"""How safe what was saved is, in colours and words: tables, and what must hold for every state there can be."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.backup import model
from notevault.backup.model import PlaceFile, PlaceState, Waiting
from notevault.backup.places.forms import Frozen
from notevault.backup.status.status import AMBER, GREEN, RED, Overall, PlaceStatus, overall, status_of
from notevault.backup.words.status import SAYS, age_words, since_words, span_words

MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_763_544_600_000  # Wed 19 Nov 2025, 09:30 UTC
NEVER = re.compile(
    r"\b(destination|slot|header|blob|origin|epoch|seal|anchor|checkpoint|quarantine|verdict|marker|hash|SHA)\b", re.I
)

BLUE = PlaceFile("ab" * 16, "USB Blue", "/media/blue", "removable", NOW - 90 * DAY)
NAS = PlaceFile("cd" * 16, "NAS", "/mnt/nas", "network", NOW - 90 * DAY)
CLOUD = PlaceFile("ef" * 16, "Dropbox", "/home/a/Dropbox/b", "cloud", NOW - 90 * DAY)
SAFE = PlaceState(
    verdict=model.SAFE,
    files=20_412,
    bytes=113_000_000,
    committed_ms=NOW - 2 * DAY,
    passed_ms=NOW - 3 * MIN,
    read_back=True,
)
PROVEN = [NOW - 2 * DAY] * 256 + [NOW - HOUR]
NOTHING = Waiting()


def status(
    state: PlaceState = SAFE,
    place: PlaceFile = BLUE,
    *,
    proofs: list[int] = PROVEN,
    frozen: Frozen | None = None,
    waiting: Waiting | None = NOTHING,
    now: int = NOW,
    handed: bool = False,
    service: str = "",
) -> PlaceStatus:
    return status_of(place, state, proofs, frozen, waiting, now, handed, service=service)


def test_the_line_of_a_place_where_all_is_well() -> None:
    found = status()
    assert found.words == (
        "USB Blue: 20,412 sealed files safe · last backup 3 min ago · last proven 2 days ago · 0 waiting"
    )
    assert (found.colour, found.detail, found.next_step) == (GREEN, "All that was saved is there.", "")


@pytest.mark.parametrize(
    ("found", "colour", "line"),
    [
        (
            status(replace(SAFE, verdict=model.ABSENT, passed_ms=NOW - 60 * DAY, committed_ms=NOW - 60 * DAY)),
            GREEN,  # a holiday: nothing was written
            "USB Blue: 20,412 sealed files safe · last backup 8 weeks ago · last proven 2 days ago · 0 waiting"
            " · not connected",
        ),
        (
            status(replace(SAFE, verdict=model.ABSENT), waiting=Waiting(12, NOW - 23 * HOUR)),
            GREEN,
            "USB Blue: 20,412 sealed files safe · last backup 3 min ago · last proven 2 days ago"
            " · 12 waiting since Tue · not connected",
        ),
        (
            status(replace(SAFE, verdict=model.ABSENT), waiting=Waiting(12, NOW - 24 * HOUR)),
            AMBER,
            "USB Blue: 20,412 sealed files safe · last backup 3 min ago · last proven 2 days ago"
            " · 12 waiting since Tue · not connected",
        ),
        (
            status(replace(SAFE, verdict=model.ABSENT), waiting=Waiting(1200, NOW - 7 * DAY)),
            RED,
            "USB Blue: 20,412 sealed files safe · last backup 3 min ago · last proven 2 days ago"
            " · 1,200 waiting since 12 Nov · not connected",
        ),
        (
            status(replace(SAFE, verdict=model.FULL), waiting=Waiting(2, NOW - HOUR)),
            AMBER,
            "USB Blue: FULL · 20,412 sealed files safe · last backup 3 min ago · last proven 2 days ago"
            " · 2 waiting since 08:30",
        ),
        (
            status(replace(SAFE, verdict=model.HURT, hurt=3)),
            RED,
            "USB Blue: DAMAGED · 20,412 sealed files there before · last backup 3 min ago · last proven 2 days ago"
            " · 0 waiting",
        ),
        (
            status(PlaceState(), replace(BLUE, added_ms=NOW - 5), proofs=[0] * 257, waiting=Waiting(31, 5)),
            AMBER,  # years of notes, but the place was named just now
            "USB Blue: no backup there yet · 31 waiting since 09:29",
        ),
        (
            status(PlaceState(), replace(BLUE, added_ms=NOW - 8 * DAY), proofs=[0] * 257, waiting=Waiting(31, 5)),
            RED,
            "USB Blue: no backup there yet · 31 waiting since 11 Nov",
        ),
        (
            status(place=CLOUD, handed=True, service="Dropbox's folder", proofs=[0, 7] * 128 + [0]),
            GREEN,
            "Dropbox: 20,412 sealed files handed to Dropbox's folder 3 min ago · proven in part · 0 waiting",
        ),
        (
            status(replace(SAFE, files=1), replace(BLUE, added_ms=NOW - 91 * DAY), proofs=[0] * 257),
            AMBER,  # it was never read again
            "USB Blue: 1 sealed file safe · last backup 3 min ago · not proven yet · 0 waiting",
        ),
        (
            status(replace(SAFE, files=1), proofs=[]),
            GREEN,
            "USB Blue: 1 sealed file safe · last backup 3 min ago · not proven yet · 0 waiting",
        ),
    ],
)
def test_colour_and_line(found: PlaceStatus, colour: str, line: str) -> None:
    assert (found.words, found.colour) == (line, colour)


def test_written_but_not_looked_at_is_not_green() -> None:
    unread = replace(SAFE, read_back=False)
    assert status(unread).colour == AMBER
    assert "not yet read again" in status(unread).detail
    assert status(replace(unread, quick_ms=SAFE.committed_ms)).colour == GREEN
    assert status(replace(unread, quick_ms=SAFE.committed_ms - 1)).colour == AMBER
    inside = replace(BLUE, kind="fixed")
    assert status(unread, inside).colour == GREEN
    assert status(replace(unread, durability="reduced"), inside).colour == AMBER


def test_a_cloud_folder_is_never_called_safe() -> None:
    for state in (SAFE, replace(SAFE, verdict=model.ABSENT), replace(SAFE, verdict=model.WAITING)):
        found = status(state, CLOUD, handed=True)
        assert "safe" not in found.words + found.detail
        assert "handed to the cloud service's folder" in found.words
    assert "Only the service shows whether it was sent on." in status(place=CLOUD, handed=True).detail


def test_a_freeze_stops_every_place_and_ends_with_its_file() -> None:
    frozen = Frozen(NOW, 312, "")
    for state in (SAFE, PlaceState(), replace(SAFE, verdict=model.ABSENT)):
        found = status(state, frozen=frozen)
        assert (found.colour, found.verdict) == (RED, model.FROZEN)
        assert found.detail.startswith("312 saved files changed or vanished at once")
        assert state is not SAFE or "20,412 sealed files safe" in found.words
        assert "Unplug your backup places now" in found.next_step
    assert status(replace(SAFE, verdict=model.FROZEN)).verdict == model.WAITING


def test_damage_found_stays_found_while_the_stick_is_in_a_drawer() -> None:
    found = status(replace(SAFE, verdict=model.ABSENT, hurt=1))
    assert (found.verdict, found.colour) == (model.HURT, RED)
    assert found.detail == "1 backed-up file is missing or changed there."
    assert "backup heal" in found.next_step


def test_a_clock_that_went_back_is_said_and_not_green() -> None:
    found = status(now=NOW - 400 * DAY)
    assert found.colour == AMBER
    assert "clock has gone back" in found.detail
    assert status(now=NOW - HOUR).colour == GREEN  # summer time, or a small correction


def test_what_waits_is_taken_from_the_last_pass_where_nobody_looked() -> None:
    behind = replace(SAFE, waiting=4, waiting_ms=NOW - 3 * DAY)
    found = status(behind, waiting=None)
    assert (found.waiting, found.colour) == (Waiting(4, NOW - 3 * DAY), AMBER)
    assert "What you saved since Sun is not there." in found.detail


def test_the_name_of_the_place_stands_in_what_to_type() -> None:
    assert "`notevault backup remove 'USB Blue'`" in status(replace(SAFE, verdict=model.FOREIGN)).next_step


states = st.builds(
    PlaceState,
    verdict=st.sampled_from(model.VERDICTS),
    files=st.integers(0, 10**9),
    bytes=st.integers(0, 10**15),
    committed_ms=st.integers(0, 2 * NOW),
    passed_ms=st.integers(0, 2 * NOW),
    waiting=st.integers(0, 10**6),
    waiting_ms=st.integers(0, 2 * NOW),
    hurt=st.integers(0, 3),
    durability=st.sampled_from(["full", "reduced"]),
    read_back=st.booleans(),
    quick_ms=st.integers(0, 2 * NOW),
)
clocks = st.integers(0, 2**53 - 1)


@given(states, st.lists(clocks, max_size=257), st.booleans(), clocks, st.booleans(), st.integers(-840, 840))
def test_every_state_has_words_and_no_alarm_is_ever_green(
    state: PlaceState, proofs: list[int], frozen: bool, now: int, handed: bool, offset: int
) -> None:
    freeze = Frozen(1, 2, "") if frozen else None
    found = status_of(BLUE, state, proofs, freeze, None, now, handed, offset_minutes=offset)
    said = " ".join((found.words, found.detail, found.next_step))
    assert found.detail.endswith(".")
    assert not NEVER.search(said), said
    assert "{" not in said
    assert "\n" not in said
    if found.verdict in model.ALARMS:
        assert found.colour == RED
    if found.colour == GREEN:
        assert found.state.committed_ms
        assert not found.state.hurt
    else:
        assert found.next_step
    assert set(found.facts()) >= {"name", "verdict", "colour", "words", "step", "waiting"}
    whole = overall([found, status()], now, offset_minutes=offset)
    assert whole.words.endswith(".")
    assert list(whole.bar) == sorted(whole.bar, key=len, reverse=True)
    assert whole.colour == RED or found.verdict not in model.ALARMS
    assert whole.colour == GREEN or whole.next_step


def test_every_verdict_has_a_sentence_and_all_but_a_good_one_a_next_step() -> None:
    assert set(SAYS) == set(model.VERDICTS)
    for verdict, says in SAYS.items():
        assert says.sentence.endswith(".")
        assert bool(says.step) == (verdict != model.SAFE)
        assert len(says.step) < 260


# -- all places together


def bar(*places: PlaceStatus) -> Overall:
    return overall(places, NOW)


def test_the_bar_says_how_old_the_best_backup_is() -> None:
    old = status(replace(SAFE, passed_ms=NOW - 5 * HOUR), NAS)
    assert bar(status(), old).bar == ("backup 3 min ago", "backup 3 min", "backup ok")
    assert bar(status(replace(SAFE, passed_ms=NOW))).bar == ("backup just now", "backup ok")
    assert bar(status(), old).words == "What was saved is in 2 backup places."
    assert bar(status(), old).colour == GREEN
    assert bar(status(waiting=Waiting(2, NOW - MIN))).words == (
        "What was saved before is in 1 backup place; 2 changes will be in the next backup."
    )
    assert bar(status(place=CLOUD, handed=True)).bar[0] == "handed to the cloud 3 min ago"
    assert bar(status(place=CLOUD, handed=True), old).bar[0] == "backup 5 h ago"  # what was looked at counts more


def test_files_that_were_given_up_stay_said_whatever_else_is_well() -> None:
    well = overall([status()], NOW, lost=2)
    assert well.colour == "amber"
    assert well.bar[0] == "2 files lost: type backup"
    assert well.words.startswith("2 saved files are in no copy")
    assert "heal --from" in well.next_step
    worse = overall([status(replace(SAFE, verdict=model.AHEAD))], NOW, lost=1)
    assert (worse.colour, worse.bar) == ("red", bar(status(replace(SAFE, verdict=model.AHEAD))).bar)
    assert worse.words.startswith("1 saved file is in no copy")
    assert overall([], NOW, lost=1) == overall([], NOW)


def test_a_damaged_log_is_said_apart_from_damaged_files() -> None:
    found = status(replace(SAFE, hurt_log=2))
    assert (found.colour, found.verdict) == ("red", model.HURT)
    assert found.detail == "Pieces of the log are damaged or missing there."
    assert "`notevault backup run`" in found.next_step
    assert "2 backed-up files" in status(replace(SAFE, hurt=2, hurt_log=2)).detail


def test_the_bar_never_says_ok_while_something_waits() -> None:
    """Green lasts a day; that notes are in no backup yet is said before."""
    away = replace(SAFE, verdict=model.ABSENT, passed_ms=NOW - 12 * MIN)
    found = bar(status(away, waiting=Waiting(3, NOW - 5 * MIN)))
    assert found.colour == GREEN
    assert found.bar == ("3 wait for backup, last 12 min ago", "3 wait for backup", "3 waiting")
    assert (
        found.words == "What was saved before is in 1 backup place; 3 changes wait until USB Blue is connected again."
    )
    assert bar(status(waiting=Waiting(1, NOW - MIN))).bar[1] == "1 waits for backup"
    assert "wait" not in bar(status(away, waiting=Waiting(3, NOW - 5 * MIN)), status(place=NAS)).bar[0]
    behind = status(replace(SAFE, verdict=model.ABSENT), NAS, waiting=Waiting(9, NOW - 9 * DAY))
    late = bar(status(waiting=Waiting(2, NOW - MIN)), behind)
    assert late.bar == ("2 wait for backup, 1 place behind", "2 wait for backup", "2 waiting")


def test_a_place_in_memory_is_never_green_and_says_why() -> None:
    inside = replace(BLUE, kind="memory")
    for state in (SAFE, replace(SAFE, verdict=model.WAITING), replace(SAFE, verdict=model.ABSENT)):
        found = status(state, inside)
        assert found.colour == AMBER
        assert "this computer's memory" in found.detail
        assert "stick" in found.next_step
        assert " safe" not in found.words
        assert bar(found).bar == ("backup in memory only: type backup", "backup in memory only", "backup: look")
    assert bar(status(place=inside), status(place=NAS)).words == "What was saved is in 1 backup place."
    assert status(replace(SAFE, verdict=model.FULL), inside).detail.startswith("It is full.")


def test_a_lone_place_on_the_vaults_own_disk_says_so() -> None:
    found = status_of(BLUE, SAFE, PROVEN, None, NOTHING, NOW, False, same_disk=True)
    assert found.words.endswith("last proven 2 days ago · same disk · 0 waiting")
    assert found.colour == GREEN


def test_without_any_place_the_bar_asks_for_one() -> None:
    assert bar().bar == ("no backup yet: type backup", "no backup yet", "no backup")
    assert "if this computer is lost, so are your notes" in bar().words
    assert "backup add" in bar().next_step


def test_what_waits_everywhere_is_on_the_bar_with_its_day() -> None:
    away = replace(SAFE, verdict=model.ABSENT)
    late = status(away, waiting=Waiting(2, NOW - 2 * DAY))
    later = status(away, NAS, waiting=Waiting(9, NOW - 9 * DAY))
    assert bar(late, later).bar == ("2 changes wait for backup since Mon", "2 wait for backup", "backup waits")
    assert bar(late, later).colour == AMBER
    assert bar(later).colour == RED
    one = status(away, waiting=Waiting(1, NOW - 2 * DAY))
    assert bar(one).bar[0] == "1 change waits for backup since Mon"


def test_one_good_place_is_a_backup_and_a_place_left_behind_is_named() -> None:
    behind = status(replace(SAFE, verdict=model.ABSENT), NAS, waiting=Waiting(9, NOW - 9 * DAY))
    found = bar(behind, status())
    assert (found.colour, found.bar[0]) == (AMBER, "backup 3 min ago, 1 place behind")
    assert "NAS is behind: It is not plugged in" in found.words


@pytest.mark.parametrize("verdict", sorted(model.ALARMS))
def test_an_alarm_at_one_place_is_on_the_bar_whatever_the_others_are(verdict: str) -> None:
    frozen = Frozen(NOW, 3, "") if verdict == model.FROZEN else None
    found = bar(status(), status(replace(SAFE, verdict=verdict), NAS, frozen=frozen), status(place=CLOUD, handed=True))
    word = {model.FROZEN: "BACKUP STOPPED", model.SOURCE: "VAULT DAMAGED"}.get(verdict, "BACKUP ALARM")
    assert found.bar == (f"{word}: type backup", word)
    assert found.colour == RED
    assert word != "BACKUP ALARM" or found.words.startswith("NAS: ")


# -- times


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (-DAY, "just now"),
        (59_999, "just now"),
        (MIN, "1 min ago"),
        (119 * MIN, "119 min ago"),
        (2 * HOUR, "2 h ago"),
        (47 * HOUR, "47 h ago"),
        (2 * DAY, "2 days ago"),
        (20 * DAY, "20 days ago"),
        (21 * DAY, "3 weeks ago"),
        (90 * DAY, "3 months ago"),
        (730 * DAY, "2 years ago"),
    ],
)
def test_an_age_is_said_as_people_say_it(ms: int, words: str) -> None:
    assert age_words(ms) == words


@pytest.mark.parametrize(
    ("at", "offset", "words"),
    [
        (NOW, 0, "since 09:30"),
        (NOW - 3 * HOUR, 60, "since 07:30"),
        (NOW - 10 * HOUR, 0, "since Tue"),
        (NOW - 10 * HOUR, 120, "since 01:30"),
        (NOW - 6 * DAY, 0, "since Thu"),
        (NOW - 7 * DAY, 0, "since 12 Nov"),
        (NOW - 400 * DAY, 0, "since 15 Oct 2024"),
        (NOW + DAY, 0, "since 09:30"),
    ],
)
def test_since_when(at: int, offset: int, words: str) -> None:
    assert since_words(at, NOW, offset) == words


@given(clocks, clocks, st.integers(-840, 840))
def test_any_time_has_words(at: int, now: int, offset: int) -> None:
    assert since_words(at, now, offset).startswith("since ")
    assert span_words(now - at) == "" or now - at >= MIN


def test_what_was_only_handed_to_a_service_is_not_said_to_be_in_a_place() -> None:
    cloud = status(place=CLOUD, handed=True, service="Dropbox's folder")
    assert overall([cloud], NOW).words == "What was saved was handed to Dropbox's folder."
    both = overall([status(), cloud], NOW).words
    assert both == "What was saved is in 1 backup place and was handed to 1 cloud folder."
    waits = overall([status(waiting=Waiting(1, NOW))], NOW).words
    assert waits == "What was saved before is in 1 backup place; 1 change will be in the next backup."


def test_a_stop_of_which_the_why_does_not_read_is_not_called_an_attack() -> None:
    unread = status(frozen=Frozen(0, 0, "the note of why does not read"))
    assert "cannot be read" in unread.detail
    assert "ransom" not in unread.detail
    assert "`notevault backup heal`" in unread.next_step
    assert "ransom" in status(frozen=Frozen(NOW, 7, "changed")).detail


def test_a_name_with_an_apostrophe_can_be_typed_as_it_is_printed() -> None:
    step = status(replace(SAFE, verdict=model.SHRUNK), replace(BLUE, name="Anna's stick")).next_step
    (command,) = re.findall(r"`(notevault backup heal [^`]*)`", step)
    assert shlex.split(command)[-1] == "Anna's stick"


def test_a_clock_that_was_once_ahead_neither_proves_nor_hides_anything() -> None:
    """The place was added, backed up and proven on a day that has not come yet; since then the clock is right."""
    ahead = NOW + 300 * DAY
    place = replace(BLUE, added_ms=ahead)
    since = replace(SAFE, committed_ms=ahead, drill_ms=ahead, passed_ms=NOW - HOUR)
    found = status(since, place, proofs=[ahead] * 256 + [NOW])
    assert "clock" not in found.detail
    assert "last backup 60 min ago" in found.words
    assert "proven in part" in found.words
    assert found.state.drill_ms == 0
    waits = status(since, place, waiting=Waiting(3, NOW - 40 * DAY))
    assert waits.colour == RED
    assert "clock" in status(replace(SAFE, committed_ms=ahead, passed_ms=ahead)).detail
