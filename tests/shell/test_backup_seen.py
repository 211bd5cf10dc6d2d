"""What toolbar and home go by: counted from the open vault's own log, never from what a worker once hoped."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from notevault.backup.model import FULL, SAFE, Head, PlaceFile, PlaceState, Problem
from notevault.domain.notes import Note
from notevault.errors import Busy, Interrupted, NotFound
from notevault.shell.backup_job import STUCK_S, Jobs, Stop, rows_of_job
from notevault.shell.backup_told import problem_lines
from notevault.shell.control import Channel
from notevault.shell.desk import Desk
from notevault.shell.home import HomeScreen
from notevault.shell.home_data import home_data
from notevault.shell.repl import keep_fresh
from notevault.vault.drafts import Drafts
from notevault.vault.notebook import Notebook
from notevault.wiring.locked import LockedSide
from tests.backup.vaults import Made, small

pytestmark = pytest.mark.disk

DAY_MS = 86_400_000
PLACE = PlaceFile("ab" * 16, "Blue", "/nowhere/blue", "removable", 1)


class House:
    """An open vault at a desk without any screen, and the parent's end of its line."""

    def __init__(self, folder: Path) -> None:
        self.made: Made = small(folder / "home", notes=2)
        self.session = self.made.session()
        ours, theirs = socket.socketpair()
        ours.settimeout(0.2)
        self.parent, channel = Channel(ours), Channel(theirs)
        ui = SimpleNamespace(leaving=None)
        side = LockedSide(self.made.vault, self.made.local, self.session.env.clock)
        self.desk = Desk(self.session.env, side, cast(Any, ui), channel)
        self.desk._session, self.desk._notebook = self.session, Notebook(self.session)
        self.desk._drafts = Drafts(self.session)

    @property
    def now(self) -> int:
        return self.session.env.clock.wall_ms()

    def save(self, **fields: Any) -> None:
        """As the worker leaves it: everything up to the log's end is there."""
        tail = self.session.recorder.tail
        facts: dict[str, Any] = {
            "verdict": SAFE,
            "verdict_ms": self.now,
            "heads": {self.session.origin: Head(tail.size, tail.root)},
            "files": 3,
            "committed_ms": self.now,
            "passed_ms": self.now,
            "read_back": True,
        }
        self.desk.backup.places().save(PLACE)
        self.desk.backup.places().save_state(PLACE.id, PlaceState(**(facts | fields)))

    def write(self, count: int = 1) -> None:
        book = self.desk.notebook
        for _ in range(count):
            book.add_note(book.clients()[0].id, Note("More.", self.now, 0, self.now, self.now))

    def heard(self) -> list[str]:
        return self.parent.receive()


@pytest.fixture
def house(tmp_path: Path) -> Any:
    made = House(tmp_path)
    yield made
    made.session.close("exit")
    made.parent.close()
    made.desk.channel.close()


def test_without_a_place_it_says_so_and_the_parent_need_not_wait(house: House) -> None:
    seen = house.desk.backup.now()
    assert house.desk.backup.bar[0] == "no backup yet: type backup"
    assert (seen.places, seen.waits, house.desk.backup.red) == ((), False, False)
    assert "backup add" in house.desk.backup.reminder()
    assert house.heard() == ["backup safe"]


def test_what_is_saved_after_the_last_backup_waits_at_once_and_reading_is_no_change(house: House) -> None:
    house.save()
    assert house.desk.backup.now().places[0].waiting.changes == 0
    house.desk.notebook.open_note(house.desk.notebook.notes()[0].id)
    house.desk.notebook.clients()
    assert house.desk.backup.now().places[0].waiting.changes == 0
    house.write(2)
    seen = house.desk.backup.now()
    assert (seen.places[0].waiting.changes, seen.waits) == (2, True)
    assert abs(seen.places[0].waiting.first_ms - house.now) < 60_000
    assert house.heard() == ["backup safe", "backup waits"]
    house.save()
    assert house.desk.backup.now().waits is False
    assert house.heard() == ["backup safe"]


def test_a_place_that_is_found_to_be_further_behind_is_counted_anew(house: House) -> None:
    house.save()
    house.desk.backup.now()
    root = house.session.recorder.root_at(1)
    house.save(heads={house.session.origin: Head(1, root)})
    written = house.session.catalogue.count_writes()
    assert written > 2
    assert house.desk.backup.now().places[0].waiting.changes >= written


@pytest.mark.slow
def test_many_changes_over_several_bundles_are_each_counted_once(house: House) -> None:
    house.save()
    house.desk.backup.now()
    for _ in range(6):
        house.write(50)
        house.desk.backup.now()
    assert house.session.recorder.tail.size > 256
    assert house.desk.backup.now().places[0].waiting.changes == 300


def test_a_place_that_cannot_be_reached_makes_nobody_wait_at_the_end(house: House) -> None:
    house.save(verdict="absent")
    house.write()
    seen = house.desk.backup.now()
    assert (seen.places[0].waiting.changes, seen.waits) == (1, False)


def test_a_week_of_waiting_is_red_on_home_and_a_full_place_is_no_green(house: House) -> None:
    house.save(verdict=FULL)
    assert house.desk.backup.now().overall.colour == "amber"
    assert "full" in house.desk.backup.bar[0].lower()
    old = house.now - 8 * DAY_MS
    house.save(waiting=3, waiting_ms=old, committed_ms=old, passed_ms=old)
    house.desk.backup.now()
    assert house.desk.backup.red
    assert house.desk.backup.warnings()
    assert house.desk.backup.reminder() == ""


def test_state_files_that_do_not_read_claim_no_backup(house: House) -> None:
    house.save()
    for name in ("state", "proofs"):
        (house.desk.backup.places().root / PLACE.id / name).write_bytes(b"\x00nonsense")
    house.desk.backup.now()
    assert "ago" not in " ".join(house.desk.backup.bar)
    assert "no backup" in house.desk.backup.bar[0]


def test_a_look_never_waits_for_a_vault_that_is_in_use(house: House) -> None:
    house.save()
    house.desk.backup.now()
    house.write()
    taken, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with house.desk.gate:
            taken.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(20)
    start = time.monotonic()
    house.desk.backup.look()
    house.desk.backup.now()
    assert time.monotonic() - start < 30  # the vault is in use for twice as long
    leave.set()
    thread.join()
    assert house.desk.backup.now().places[0].waiting.changes == 1


def test_a_demo_is_never_looked_at(house: House) -> None:
    house.desk.demo = Path("/tmp/demo")
    house.desk.backup.look()
    time.sleep(0.1)
    assert house.desk.backup.bar == ()


# Long work


def until_done(jobs: Jobs) -> None:
    for _ in range(3000):
        if jobs.running is None:
            return
        time.sleep(0.01)
    raise AssertionError("it never ended")


def test_one_job_at_a_time_and_its_result_is_told_once() -> None:
    jobs, let = Jobs(), threading.Event()

    def work(say: Any, _stop: Stop) -> list[str]:
        say("half")
        let.wait(20)
        return ["All is well.", "More of it."]

    job = jobs.begin("Checking", work)
    with pytest.raises(Busy, match="Checking"):
        jobs.begin("Another", work)
    assert jobs.news() == []
    let.set()
    until_done(jobs)
    assert job.words == "half"
    assert jobs.news() == ["Checking: All is well.", "`backup` tells more."]
    assert jobs.news() == []
    assert jobs.untold is job, "`backup` shows all of it, until it was on the screen"
    assert "More of it." in "".join(text for row in rows_of_job(job, 60) for _, text in row)
    jobs.seen(job)
    assert jobs.untold is None


def test_a_result_of_one_line_is_over_once_it_was_told() -> None:
    jobs = Jobs()
    jobs.begin("Checking", lambda _say, _stop: ["All is well."])
    until_done(jobs)
    assert jobs.news() == ["Checking: All is well."]
    assert jobs.untold is None


def test_a_job_that_hangs_keeps_no_other_waiting_for_ever() -> None:
    jobs, let = Jobs(), threading.Event()

    def work(_say: Any, _stop: Stop) -> list[str]:
        let.wait(20)
        return ["Late."]

    job = jobs.begin("Backing up", work)
    assert not job.stuck
    with pytest.raises(Busy):
        jobs.begin("Another", work)
    job._moved -= STUCK_S + 1  # a minute without a step
    assert job.stuck
    said = " ".join("".join(text for _, text in row) for row in rows_of_job(job, 60))
    assert "does not answer" in said
    other = jobs.begin("Another", lambda _say, _stop: ["Done at once."])
    assert job.stopped
    let.set()
    assert job.done.wait(20)
    assert other.done.wait(20)
    assert jobs.news() == ["Another: Done at once."]


def test_a_job_that_is_asked_to_stop_between_files_is_not_stuck() -> None:
    jobs, go, let = Jobs(), threading.Event(), threading.Event()

    def work(_say: Any, stop: Stop) -> list[str]:
        go.wait(20)
        stop()
        let.wait(20)
        return ["Done."]

    job = jobs.begin("Checking", work)
    job._moved -= STUCK_S + 1
    go.set()
    for _ in range(3000):
        if not job.stuck:
            break
        time.sleep(0.01)
    assert not job.stuck
    let.set()
    until_done(jobs)


# Home while she looks at it


class SeenUi:
    """As much of a `Ui` as home needs: what it is told, and nothing painted."""

    is_plain = False
    leaving = None

    def __init__(self) -> None:
        self.told: list[str] = []

    def home_changed(self, said: Any) -> None:
        self.told += said


def at_home(
    house: House, seconds: float, typed: str, then: Any, held: Any = None, *, every_s: float = 0.05
) -> tuple[HomeScreen, list[str]]:
    """Home for some seconds with a line that was begun, or until `held(screen)`; `then` happens meanwhile."""
    ui = SeenUi()
    house.desk.ui = cast(Any, ui)
    screen = HomeScreen(home_data(house.desk), line=typed)

    async def stay() -> None:
        fresh = asyncio.create_task(keep_fresh(house.desk, screen, every_s))
        await asyncio.sleep(0.05)
        then()
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (held is not None and held(screen)):
            await asyncio.sleep(0.05)
        fresh.cancel()

    asyncio.run(stay())
    return screen, ui.told


def ui_of(house: House) -> SeenUi:
    return cast(SeenUi, house.desk.ui)


@pytest.mark.slow
def test_an_alarm_that_comes_and_goes_while_she_is_at_home_is_painted(house: House) -> None:
    house.save()

    def stop() -> None:
        house.desk.backup.places().freeze(house.now, 7, "many files changed")
        house.desk.backup.now()

    screen, told = at_home(house, 30, "", stop, lambda screen: ui_of(house).told)
    assert any("7 saved files changed or vanished at once" in each for each in screen.data.warnings)
    assert any("7 saved files" in each for each in told)

    def over() -> None:
        house.desk.backup.places().thaw()
        house.desk.backup.now()

    def is_told(screen: HomeScreen) -> bool:
        return not any("saved files" in each for each in screen.data.warnings)

    screen, told = at_home(house, 30, "", over, is_told)
    assert not any("saved files" in each for each in screen.data.warnings)
    assert told == []


@pytest.mark.slow
def test_a_job_that_ends_while_she_is_at_home_is_told_but_never_into_her_typing(house: House) -> None:
    house.save()
    house.desk.backup.now()

    def work() -> None:
        house.desk.jobs.begin("Checking", lambda _say, _stop: ["All is well."])

    screen, told = at_home(house, 30, "", work, lambda screen: ui_of(house).told)
    assert list(screen.message) == told == ["Checking: All is well."]
    screen, told = at_home(house, 0.7, "open an", work, every_s=0.3)
    assert list(screen.message) == told == []
    assert house.desk.jobs.news() == ["Checking: All is well."], "the next home says it"


# What went wrong, in words


def test_a_problem_names_the_file_and_whose_it_is(house: House) -> None:
    write = next(each for each in house.session.catalogue.writes() if any(each.client))
    code = house.desk.notebook.clients()[0].code
    path = f"blobs/{write.digest[:2]}/{write.digest}"
    said = problem_lines(house.desk, [Problem("CHANGED", path, "its bytes are others"), Problem("STRAY", "x", "odd")])
    assert said[0] == f"  sealed file {write.digest[:12]} of {code}: its bytes are others"
    assert said[1] == "  x: odd"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (NotFound("It is not plugged in.", "Plug it in."), ("It is not plugged in.", "Plug it in.")),
        (Interrupted("Stopped.", ""), ("It was stopped.",)),
        (ValueError("a note's text"), ("Something went wrong inside notevault. Nothing that was saved is lost.",)),
    ],
)
def test_what_goes_wrong_in_a_job_is_a_sentence_and_never_its_insides(fault: Exception, said: tuple[str, ...]) -> None:
    jobs = Jobs()

    def work(_say: Any, _stop: Stop) -> list[str]:
        raise fault

    job = jobs.begin("Working", work)
    until_done(jobs)
    assert job.lines == said


def test_a_lock_stops_what_is_under_way() -> None:
    jobs = Jobs()

    def work(_say: Any, stop: Stop) -> list[str]:
        while not stop():
            time.sleep(0.01)
        raise Interrupted("Stopped.", "")

    jobs.begin("Working", work)
    jobs.stop()
    until_done(jobs)
