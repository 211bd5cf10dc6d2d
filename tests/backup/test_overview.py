"""How safe things are at this moment: `backup status` and `doctor` say the same, and only what is true."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from notevault.adapters.clock import SystemClock
from notevault.adapters.entropy import SystemEntropy
from notevault.app.doctor_backup import look_backup
from notevault.app.doctoring import Item
from notevault.backup import model
from notevault.backup.model import PlaceFile, PlaceState, Waiting
from notevault.backup.places.adding import add
from notevault.backup.status import overview
from notevault.backup.status.overview import Here, Overview, seen_now
from notevault.backup.status.status import AMBER, GREEN, RED, status_of
from notevault.ports import Volume
from notevault.wiring import backup as wired
from notevault.wiring.locked import LockedSide
from tests.backup.vaults import Made, small

pytestmark = pytest.mark.disk

DAY = 86_400_000
NOW = 1_763_544_600_000
HOME = Volume("fixed", "", Path("/"), 1)
STICK = Volume("removable", "USB stick BLUE", Path("/media/blue"), 2)
GOOD = PlaceState(
    verdict=model.SAFE, files=4, committed_ms=NOW - DAY, passed_ms=NOW - DAY, read_back=True, drill_ms=NOW - DAY
)


@dataclass
class Later(SystemClock):
    by_ms: int = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.by_ms


def place(kind: str = "removable", name: str = "Blue") -> PlaceFile:
    return PlaceFile(name.encode().hex().ljust(32, "0"), name, f"/media/{name}", kind, NOW - 30 * DAY)


def seen(*places: tuple[PlaceFile, PlaceState, Here | None], home: Volume | None = HOME) -> Overview:
    found = [
        status_of(one, seen_now(state, here), [NOW - DAY] * 257, None, Waiting(), NOW, one.kind == "cloud")
        for one, state, here in places
    ]
    known = {one.id: here for one, _, here in places if here is not None}
    return Overview(tuple(found), known, None, "", home, 0, NOW, 0)


def items(*places: tuple[PlaceFile, PlaceState, Here | None]) -> dict[str, Item]:
    return {item.topic: item for item in look_backup(seen(*places))}


# -- the same look for both


@pytest.fixture
def backed(tmp_path: Path) -> tuple[Made, PlaceFile]:
    made = small(tmp_path / "home", notes=1)
    ground = wired.ground_of(LockedSide(made.vault, made.local, SystemClock()))
    (tmp_path / "stick").mkdir()
    added = add(
        ground.files, ground.places, made.vault, made.local, made.hex, tmp_path / "stick", "Blue", wired.volumes(),
        wired.open_place, SystemEntropy(), SystemClock().wall_ms(),
    )  # fmt: skip
    wired.run_once(LockedSide(made.vault, made.local, SystemClock()))
    return made, added.place


def later(made: Made, by_ms: int) -> Overview:
    return wired.overview_of(LockedSide(made.vault, made.local, Later(by_ms)))


def test_what_was_written_since_the_last_pass_is_red_for_the_doctor_too(backed: tuple[Made, PlaceFile]) -> None:
    made, _ = backed
    assert later(made, 0).whole().colour == GREEN
    made.write("one", "two", "three")
    found = later(made, 10 * DAY)
    assert (found.whole().colour, found.places[0].waiting.changes) == (RED, 3)
    said = look_backup(found)[0]
    assert (said.state, said.sentence, said.step) == ("bad", found.whole().words, found.whole().next_step)


def test_a_place_that_nobody_reads_again_turns_amber_after_90_days(backed: tuple[Made, PlaceFile]) -> None:
    made, at = backed
    assert later(made, 89 * DAY).whole().colour == GREEN
    found = later(made, 91 * DAY)
    assert found.whole().colour == AMBER
    assert "not read again" not in found.whole().words
    assert "Nothing there was read again for over 90 days" in found.whole().words
    assert found.whole().next_step == "`notevault backup verify Blue`"
    ground = wired.ground_of(LockedSide(made.vault, made.local, SystemClock()))
    ground.places.save_proofs(at.id, [0] * 256 + [SystemClock().wall_ms() + 30 * DAY])
    assert later(made, 91 * DAY).whole().colour == GREEN


def test_a_place_deleted_on_a_disk_that_is_there_is_red_before_any_pass(backed: tuple[Made, PlaceFile]) -> None:
    made, at = backed
    (Path(at.path) / "notevault").rename(Path(at.path) / "elsewhere")
    if wired.volumes().of(Path(at.path)).kind not in ("fixed", "cloud") and at.volume is None:
        pytest.skip("the system does not say what this folder lies on")
    found = later(made, 0)
    assert found.places[0].verdict == model.EMPTIED
    assert look_backup(found)[0].state == "bad"


def test_a_place_that_hangs_is_waited_for_a_moment_and_not_called_safe(backed: tuple[Made, PlaceFile]) -> None:
    made, _ = backed
    ground, free = wired.ground_of(LockedSide(made.vault, made.local, SystemClock())), threading.Event()

    def hangs(path: Path) -> object:
        free.wait(20)
        return wired.open_tree(path)

    found = overview.look(ground, hangs, wired.volumes(), patience_s=0.1)  # type: ignore[arg-type]
    free.set()
    assert found.here == {}
    assert found.places[0].verdict == model.SLOW


@pytest.mark.parametrize(
    ("verdict", "here", "now"),
    [
        (model.SAFE, Here(False), model.ABSENT),
        (model.WAITING, Here(False), model.ABSENT),
        (model.ABSENT, Here(False, emptied=True), model.EMPTIED),
        (model.ABSENT, Here(True), model.SAFE),
        (model.EMPTIED, Here(True), model.SAFE),
        (model.SAFE, None, model.SLOW),
        (model.HURT, Here(False), model.HURT),
        (model.AHEAD, Here(False, emptied=True), model.AHEAD),
        (model.FULL, Here(True), model.FULL),
    ],
)
def test_what_is_plugged_in_now_counts_and_an_alarm_stays(verdict: str, here: Here | None, now: str) -> None:
    assert seen_now(replace(GOOD, verdict=verdict), here).verdict == now


# -- the rule of three


@pytest.mark.parametrize(
    ("kind", "here", "days", "good"),
    [
        ("removable", Here(False), 3, True),
        ("network", Here(False), 13, True),
        ("unknown", Here(False), 13, True),
        ("removable", Here(False), 15, False),  # no longer fresh
        ("removable", Here(True, STICK), 3, False),  # plugged in: within reach of whatever runs here
        ("removable", None, 3, False),  # it did not say
        ("fixed", Here(False), 3, False),  # a folder that is gone is no unplugged copy
        ("memory", Here(False), 3, False),  # and what was in memory is gone
        ("cloud", Here(False), 3, False),
    ],
)
def test_only_what_can_be_unplugged_and_is_counts_as_out_of_reach(
    kind: str, here: Here | None, days: int, good: bool
) -> None:
    state = replace(GOOD, committed_ms=NOW - days * DAY, passed_ms=NOW - days * DAY)
    assert (items((place(kind), state, here))["unplugged backup"].state == "good") is good


def test_a_damaged_copy_out_of_reach_is_none() -> None:
    assert items((place(), replace(GOOD, hurt=1), Here(False)))["unplugged backup"].state == "warn"
    assert items((place(), replace(GOOD, verdict=model.SHRUNK), Here(False)))["unplugged backup"].state == "warn"


def test_what_was_only_in_memory_is_no_backup_to_count() -> None:
    two = items((place("memory", "Ram"), GOOD, Here(False)), (place(), GOOD, Here(True, STICK)))
    assert two["backup copies"].state == "warn"
    assert items((place("removable", "Red"), GOOD, None), (place(), GOOD, Here(False)))["backup copies"].state == "good"


def test_a_stick_that_was_pulled_lies_on_no_disk_of_ours() -> None:
    """Its mount point is left as a folder of the vault's own disk."""
    assert "backup disk" not in items((place(), GOOD, Here(False)))
    assert items((place(), GOOD, Here(True, STICK)))["backup disk"].state == "good"
    assert items((place("fixed"), GOOD, Here(True, HOME)))["backup disk"].state == "warn"
    assert items((place("cloud"), GOOD, Here(True, HOME)))["backup disk"].state == "good"


def test_a_practice_restore_that_failed_is_not_forgotten() -> None:
    failed = replace(GOOD, drill_ms=0, told={"backup.drill": ("fail", NOW - DAY)})
    said = items((place(name="Anna's"), failed, Here(True, STICK)), (place(), GOOD, None))["practice restore"]
    assert said.state == "bad"
    assert "The last one from Anna's failed" in said.sentence
    assert "`notevault backup drill 'Anna'\"'\"'s'`" in said.step
    again = replace(failed, drill_ms=NOW, told={"backup.drill": ("ok", NOW)})
    assert items((place(), again, None))["practice restore"].state == "good"
