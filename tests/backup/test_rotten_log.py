"""A full bundle in the middle of the vault's own log rots. A look at the vault does not read it again (its cache and
the log's end hold), so whatever does read it must say that the vault is damaged; nothing may fall silent over it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.app.doctor_backup import look_backup
from notevault.backup import model
from notevault.backup.model import Head
from notevault.backup.status import overview
from notevault.backup.worker.passing import Way, pass_over, take_round
from notevault.backup.worker.results import Results
from tests.backup.scene import DEVICE, Scene
from tests.backup.vaults import Made2
from tests.backup.working import Bench, SomeVolumes, until

FOUND = "REWRITTEN between entries 256-511 of the log."


def flip(made: Made2) -> Callable[[], object]:
    """One byte of bundle 1; gives back what mends it."""
    path = made.paths.bundle(made.origin, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    return lambda: path.write_bytes(whole)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A place that has 300 notes; 500 more since, at which somebody has looked; then the byte."""
    made = Scene(tmp_path, (64,) * 300)
    assert made.go().verdict == model.SAFE
    made.places.save(made.place)
    made.made.grow(500, 64)
    made.source()
    flip(made.made)
    made.clock.advance(3_700_000)
    return made


WAY = Way(SomeVolumes(), lambda path: DiskPlace(path, DEVICE))


def test_a_look_at_the_vault_passes_and_what_waits_is_counted_whole_with_the_damage(scene: Scene) -> None:
    source = scene.source()
    assert source.heads[scene.made.origin].size == scene.made.size
    waiting = source.since(scene.state.heads)
    assert (waiting, waiting.fault) == (model.Waiting(801, source.since({}).first_ms, FOUND), FOUND)
    assert source.since({}).fault == "", "nothing has to be read for a place that has nothing"
    assert source.since({scene.made.origin: Head(scene.made.size, scene.made.root)}) == model.Waiting()


def test_a_pass_says_that_the_vault_is_damaged_and_copies_nothing(scene: Scene) -> None:
    before = scene.there()
    report = scene.again()
    assert (report.verdict, report.detail, report.waiting) == (model.SOURCE, FOUND, 801)
    assert scene.there() == before
    assert (scene.state.verdict, scene.state.waiting) == (model.SOURCE, 801)


@pytest.mark.parametrize("there", [True, False], ids=["plugged in", "in a drawer"])
def test_what_is_remembered_of_the_place_says_so_and_the_log_gets_no_entry(scene: Scene, there: bool) -> None:
    if not there:
        scene.folder.rename(scene.folder.with_name("drawer"))
    report = pass_over(scene.ground, scene.place, take_round(scene.ground), WAY, asked=True)
    assert (report.verdict, report.detail) == (model.SOURCE, FOUND)
    assert (scene.state.verdict, scene.state.waiting, scene.state.failures) == (model.SOURCE, 801, 0)
    assert not Results.of(scene.ground).any(), "the right log may be in a backup"


def test_the_status_and_the_doctor_say_so_before_any_pass(scene: Scene) -> None:
    assert scene.state.verdict == model.SAFE
    seen = overview.look(scene.ground, DiskTree, WAY.volumes)
    assert seen.fault == FOUND
    assert [(one.verdict, one.colour) for one in seen.places] == [(model.SOURCE, "red")]
    assert seen.whole().bar[-1] == "VAULT DAMAGED"
    assert "in the vault itself is damaged" in seen.whole().words
    assert look_backup(seen)[0].state == "bad"


# -- the worker


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.ending.end()


def test_the_worker_says_so_at_every_place_and_goes_on_once_the_log_is_whole(bench: Bench) -> None:
    bench.made.grow(295, 64)
    way = Way(bench.volumes, bench._open)
    assert pass_over(bench.ground, bench.places[0], take_round(bench.ground), way).verdict == model.SAFE
    bench.made.grow(500, 64)
    take_round(bench.ground)
    mend = flip(bench.made)
    bench.start(tick_ms=100)
    until(lambda: {bench.state(0).verdict, bench.state(1).verdict} == {model.SOURCE}, "nobody says so")
    mend()
    bench.made.paths.checkpoint(bench.made.origin).touch()
    until(lambda: bench.safe(0) and bench.safe(1), "it does not go on")
    until(lambda: {bench.state(0).verdict, bench.state(1).verdict} == {model.SAFE}, "it is still told as damaged")
    assert bench.stop()


def test_a_place_that_is_away_does_not_hide_it(bench: Bench) -> None:
    bench.made.grow(295, 64)
    way = Way(bench.volumes, bench._open)
    for at in bench.places:
        assert pass_over(bench.ground, at, take_round(bench.ground), way).verdict == model.SAFE
    bench.made.grow(500, 64)
    take_round(bench.ground)
    flip(bench.made)
    shutil.rmtree(bench.places[0].path)
    bench.start(tick_ms=100)
    until(lambda: {bench.state(0).verdict, bench.state(1).verdict} == {model.SOURCE}, "nobody says so")
    assert bench.stop()
