"""One pass over one place: what gets there, in which order, and what stops it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from notevault.adapters.files import DiskFiles
from notevault.adapters.place_files import DiskPlace, DiskTree
from notevault.backup import model
from notevault.backup.mirror.mirror import run_pass
from notevault.backup.mirror.plan import OWN_MS, QUIET_MS
from notevault.backup.places import layout as place
from notevault.backup.places.ground import Ground
from notevault.backup.places.registry import Places
from notevault.backup.source import guard
from notevault.backup.source.reading import read_vault
from notevault.backup.status.status import status_of
from notevault.errors import OwnFault
from notevault.ports import Volume
from tests.backup.scene import DEVICE, MINUTE, PLACE, STICK, Scene, whole_states
from tests.backup.vaults import small
from tests.fakes.places import FakePlace, PlaceDisk


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, disk=PlaceDisk(STICK))


def test_after_a_pass_the_place_holds_the_state_byte_for_byte(scene: Scene) -> None:
    report = scene.go()
    assert (report.verdict, report.copied, report.files, report.waiting) == (model.SAFE, 5, 5, 0)
    assert whole_states(scene.there(), scene.made) == [(scene.made.origin, scene.made.size)]
    state = scene.state
    assert (state.verdict, state.files, state.bytes, state.waiting) == (model.SAFE, 5, 5 * 4096, 0)
    assert state.heads[scene.made.origin].size == scene.made.size
    assert state.committed_ms == state.passed_ms == state.quick_ms == scene.clock.wall_ms()


def test_a_pass_with_nothing_to_do_writes_nothing_at_the_place(scene: Scene) -> None:
    scene.go()
    assert scene.disk is not None
    before, steps = scene.there(), len(scene.disk.trace)
    assert scene.go().verdict == model.SAFE
    assert scene.there() == before
    assert len(scene.disk.trace) == steps


def test_the_anchor_is_the_last_thing_that_gets_its_name(scene: Scene) -> None:
    scene.made.close_epoch()
    scene.go()
    scene.made.grow(300, 100)
    scene.go()
    assert scene.disk is not None
    steps = [str(step.path) for step in scene.disk.trace if step.kind == "name"]
    anchors = [number for number, path in enumerate(steps) if "/anchors/" in path]
    logs = [number for number, path in enumerate(steps) if "/audit/" in path]
    files = [number for number, path in enumerate(steps) if "/blobs/" in path or "/headers/" in path]
    first, second = anchors
    assert second == len(steps) - 1
    assert max(n for n in logs if n < first) > max(n for n in files if n < first)
    assert max(logs) > max(files) > first > max(n for n in logs if n < first)
    synced = [step.kind for step in scene.disk.trace][-4:]
    assert synced == ["stage", "sync", "name", "sync"]


def test_a_long_life_leaves_every_committed_state_whole(scene: Scene) -> None:
    made = scene.made
    for turn in range(4):
        made.grow(90, 600)
        made.read(3)
        if turn == 1:
            made.close_epoch()
        if turn == 2:
            made.purge(made.digests[0])
            made.renew()
        if turn == 3:
            made.recover()
            made.grow(4)
        assert scene.go().verdict == model.SAFE
    states = whole_states(scene.there(), made)
    assert len(states) == 5
    assert {origin for origin, _ in states} == set(made.logs)


def test_a_destroyed_note_is_not_copied_and_stays_where_it_was_copied_before(scene: Scene) -> None:
    made = scene.made
    scene.go()
    old, new = made.digests[0], made.grow(1)[0]
    made.purge(old)
    made.purge(new)
    assert scene.go().verdict == model.SAFE
    there = scene.there()
    assert place.blob(old) in there
    assert place.blob(new) not in there


def test_reading_alone_waits_for_company_a_quarter_of_an_hour(scene: Scene) -> None:
    scene.go()
    before = scene.there()
    scene.clock.advance(QUIET_MS - MINUTE)
    scene.made.read(4)
    assert scene.again().verdict == model.SAFE
    assert scene.there() == before
    scene.clock.advance(MINUTE)
    assert scene.again().verdict == model.SAFE
    assert len(scene.anchors()) == 2
    scene.made.read()
    scene.made.grow(1)
    scene.again()
    assert len(scene.anchors()) == 3
    scene.made.read()
    scene.again(whole_log=True)
    assert len(scene.anchors()) == 4


def test_the_backups_own_entries_make_no_backup_within_a_day(scene: Scene) -> None:
    scene.go()
    before = scene.there()
    scene.made.append(("backup.run", "E", {"pu": "system", "k": {"n": 5}}))
    scene.clock.advance(OWN_MS - 2 * 3_700_000)
    scene.again()
    assert scene.there() == before
    scene.clock.advance(2 * 3_700_000)
    scene.again()
    assert len(scene.anchors()) == 2


def test_a_place_without_its_marker_is_never_written_to(scene: Scene) -> None:
    scene.drop(place.MARKER)
    assert scene.go().verdict == model.ABSENT
    assert scene.there() == {}
    assert scene.disk is not None
    assert scene.disk.trace == []


@pytest.mark.parametrize(
    "marker",
    [place.Marker("b2" * 16, "00" * 16).encode(), b"{}", b"", place.Marker(PLACE, "00" * 16).encode()],
)
def test_a_foreign_or_broken_marker_stops_the_pass_before_it_writes(scene: Scene, marker: bytes) -> None:
    scene.put(place.MARKER, marker)
    assert scene.go().verdict == model.FOREIGN
    assert list(scene.there()) == [place.MARKER]


def test_another_place_under_the_same_path_is_foreign(scene: Scene) -> None:
    scene.put(place.MARKER, place.Marker("b2" * 16, scene.made.hex).encode())
    assert scene.go().verdict == model.FOREIGN


def test_a_place_that_has_seen_more_of_the_log_is_not_pushed_to(scene: Scene, tmp_path: Path) -> None:
    older = scene.made.copy_to(tmp_path / "image")
    scene.made.grow(3)
    scene.go()
    before = scene.there()
    report = scene.go(made=older)
    assert report.verdict == model.AHEAD
    older.grow(1)  # still shorter, and on its own way by now
    assert scene.go(made=older).verdict in (model.AHEAD, model.FORKED)
    older.grow(5)
    assert scene.go(made=older).verdict == model.FORKED
    assert scene.there() == before


def test_a_log_that_went_another_way_is_told_of_and_not_mixed_in(scene: Scene, tmp_path: Path) -> None:
    twin = scene.made.copy_to(tmp_path / "twin")
    scene.made.grow(1)
    scene.go()
    twin.grow(1)
    before = scene.there()
    assert scene.go(made=twin).verdict == model.FORKED
    assert scene.there() == before


def test_an_emptied_place_whose_marker_was_kept_is_told_of(scene: Scene) -> None:
    scene.go()
    for path in scene.there():
        if path != place.MARKER:
            scene.drop(path)
    assert scene.go().verdict == model.SHRUNK
    assert list(scene.there()) == [place.MARKER]
    assert scene.go(refill=True).verdict == model.SAFE
    assert whole_states(scene.there(), scene.made) == [(scene.made.origin, scene.made.size)]


def test_an_older_copy_of_the_stick_is_told_of(scene: Scene) -> None:
    scene.go()
    older = scene.there()
    scene.made.grow(2)
    scene.go()
    for path in scene.there().keys() - older.keys():
        scene.drop(path)
    assert scene.go().verdict == model.SHRUNK


def test_a_place_that_lost_most_files_and_kept_its_anchors_is_told_of(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (2000,) * 12, PlaceDisk(STICK))
    scene.go()
    for path in scene.names("blobs/")[:7]:
        scene.drop(path)
    assert scene.go().verdict == model.SHRUNK


def test_a_few_files_that_went_missing_at_the_place_are_copied_again(scene: Scene) -> None:
    scene.go()
    for path in scene.names("blobs/")[:2]:
        scene.drop(path)
    report = scene.go()
    assert (report.verdict, report.copied) == (model.SAFE, 2)
    assert [problem.code for problem in report.problems] == ["REFILLED"]
    assert whole_states(scene.there(), scene.made)


def test_a_piece_of_the_log_that_went_missing_at_the_place_is_copied_again(scene: Scene) -> None:
    scene.made.grow(300, 50)
    scene.made.close_epoch()
    scene.go()
    for start in ("audit/",):
        for path in scene.names(start):
            scene.drop(path)
    assert scene.go().verdict == model.SAFE
    assert whole_states(scene.there(), scene.made)


def test_junk_among_the_anchors_is_set_aside_and_changes_nothing(scene: Scene) -> None:
    scene.go()
    folder = f"anchors/{scene.made.origin}"
    scene.put(f"{folder}/{10**9}-{'ab' * 32}", b"no checkpoint")
    scene.put(f"{folder}/999-{scene.made.root.hex()}", scene.made.checkpoint())
    scene.put(f"{folder}/old (conflicted copy)", b"x")
    report = scene.go()
    assert report.verdict == model.SAFE
    assert len(scene.aside()) == 3
    assert [problem.code for problem in report.problems] == ["ANCHOR"] * 3
    assert len(scene.anchors()) == 1


def test_an_anchor_with_a_flipped_bit_in_its_signature_is_replaced(scene: Scene) -> None:
    scene.go()
    (path,) = scene.anchors()
    lines = scene.made.checkpoint().split(b"\n")
    lines[4] = lines[4][:-9] + (b"A" if lines[4][-9:-8] != b"A" else b"B") + lines[4][-8:]  # the identity's line
    scene.drop(path)
    scene.put(path, b"\n".join(lines))
    scene.places.save_state(PLACE, model.PlaceState())  # what this device remembers is gone: it is looked at anew
    assert scene.go().verdict == model.SAFE
    assert scene.there()[path] == scene.made.checkpoint()
    assert len(scene.aside()) == 1


def test_log_pieces_with_wrong_bytes_are_set_aside_when_nothing_is_remembered(scene: Scene) -> None:
    scene.made.grow(300, 50)
    scene.made.close_epoch()
    origin = scene.made.origin
    scene.put(place.card(origin), b"x")
    scene.put(place.bundle(origin, 0), b"y")
    scene.put(place.part(origin, 256, 256 + 10), b"z")
    scene.put(place.seal(origin, 0), b"s")
    scene.put(f"{place.parts(origin)}/256-266 (1)", b"t")
    assert scene.go().verdict == model.SAFE
    assert len(scene.aside()) == 5
    assert whole_states(scene.there(), scene.made) == [(origin, scene.made.size)]


def test_parts_that_were_there_already_are_used(scene: Scene) -> None:
    scene.go()
    scene.made.grow(1)
    scene.go()
    scene.places.save_state(PLACE, model.PlaceState())
    scene.made.grow(1)
    scene.go()
    parts = scene.names("audit/" + scene.made.origin + "/parts")
    assert len(parts) == 3
    assert scene.aside() == []


def test_a_conflict_copy_of_a_missing_file_is_put_where_it_belongs(scene: Scene) -> None:
    scene.go()
    path = scene.names("blobs/")[0]
    data = scene.there()[path]
    scene.drop(path)
    scene.put(f"{path} (conflicted copy)", data)
    scene.put(f"{path} 2", b"something else")
    scene.put(f"{path.rpartition('/')[0]}/.DS_Store", b"left alone")
    report = scene.go()
    assert report.verdict == model.SAFE
    assert scene.there()[path] == data
    assert len(scene.aside()) == 2
    assert scene.names(path.rpartition("/")[0] + "/.DS_Store")


def test_a_half_arrived_folder_is_completed_without_touching_what_arrived(scene: Scene) -> None:
    scene.go()
    whole = scene.there()
    for number, path in enumerate(sorted(whole)):
        if number % 2 and path != place.MARKER and not path.startswith("anchors/"):
            scene.drop(path)
    scene.places.save_state(PLACE, model.PlaceState())
    assert scene.go().verdict == model.SAFE
    assert whole_states(scene.there(), scene.made)
    assert {path: data for path, data in scene.there().items() if path in whole} == whole


def test_a_file_of_another_size_at_the_place_is_counted_and_not_touched(scene: Scene) -> None:
    scene.go()
    path = scene.names("blobs/")[0]
    scene.put(path, b"short")
    scene.made.grow(1)
    report = scene.go()
    assert report.verdict == model.HURT
    assert (scene.state.hurt, report.files) == (1, 5)
    assert scene.there()[path] == b"short"
    assert len(scene.anchors()) == 2  # the new note is safe all the same


def test_a_vault_file_that_does_not_hash_to_its_name_is_not_copied(scene: Scene) -> None:
    bad = scene.made.digests[2]
    path = scene.made.paths.blob(bad)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    report = scene.go()
    assert (report.verdict, report.copied) == (model.SOURCE, 4)
    assert place.blob(bad) not in scene.there()
    assert guard.recall(scene.ground.files, scene.places).hurt == {bad: "changed"}


def test_many_bad_vault_files_met_while_copying_freeze_every_place(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (3000,) * 20, PlaceDisk(STICK))
    for digest in scene.made.digests[5:15]:
        path = scene.made.paths.blob(digest)
        path.write_bytes(b"!" + path.read_bytes()[1:])
    assert scene.go().verdict == model.FROZEN
    assert scene.anchors() == []
    for path, data in scene.there().items():
        if path.startswith("blobs/"):
            assert hashlib.sha256(data).hexdigest() == path[-64:]
    steps = len(scene.disk.trace) if scene.disk else 0
    assert scene.go().verdict == model.FROZEN
    assert scene.disk is not None
    assert len(scene.disk.trace) == steps


def test_a_vault_whose_disk_was_unplugged_meanwhile_freezes_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (3000,) * 20, PlaceDisk(STICK))
    source, look = scene.source(), scene.look()
    scene.made.vault.rename(tmp_path / "away")
    report = run_pass(scene.ground, scene.place, scene.tree(), Volume("fixed", "", STICK, 7), source, look)
    assert report.verdict == model.SOURCE
    assert scene.places.frozen() is None
    assert scene.anchors() == []


def test_while_frozen_nothing_is_written(scene: Scene) -> None:
    scene.places.freeze(1, 9, "changed")
    assert scene.go().verdict == model.FROZEN
    assert list(scene.there()) == [place.MARKER]


def test_what_does_not_fit_is_not_begun(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (1 << 20,) * 4, PlaceDisk(STICK, capacity=2 << 20))
    report = scene.go()
    assert report.verdict == model.FULL
    assert "free" in report.detail
    assert list(scene.there()) == [place.MARKER]
    assert (scene.state.waiting, scene.state.committed_ms) == (5, 0)


def test_a_lying_stick_gets_no_anchor(tmp_path: Path) -> None:
    scene = Scene(tmp_path, disk=PlaceDisk(STICK, lying=True), kind="removable")
    assert scene.go().verdict == model.BROKEN
    assert scene.anchors() == []


def test_a_stick_is_read_back_and_said_so(tmp_path: Path) -> None:
    scene = Scene(tmp_path, disk=PlaceDisk(STICK, syncs=False), kind="fixed")
    scene.go()
    assert scene.state.durability == "reduced"
    assert not scene.state.read_back
    scene.made.grow(1)
    scene.go()
    assert scene.state.read_back


def test_a_read_only_place_is_read_only_and_an_unplugged_one_absent(scene: Scene) -> None:
    assert scene.disk is not None
    scene.disk.read_only = True
    assert scene.go().verdict == model.READ_ONLY
    scene.disk.read_only = False
    scene.disk.vanish_at(4)
    assert scene.go().verdict == model.ABSENT
    scene.disk.plug_in()
    assert scene.go().verdict == model.SAFE


def test_a_case_insensitive_place_is_as_good(tmp_path: Path) -> None:
    scene = Scene(tmp_path, disk=PlaceDisk(STICK, case_insensitive=True))
    scene.made.grow(260, 40)
    assert scene.go().verdict == model.SAFE
    assert scene.go().copied == 0
    assert whole_states(scene.there(), scene.made)


@pytest.mark.parametrize("where", ["blobs", "blobs/{ab}", "headers/{origin}", "audit/{origin}", "anchors", "headers"])
def test_a_planted_link_stops_the_pass_with_its_own_verdict(scene: Scene, where: str) -> None:
    ab = scene.made.digests[0][:2]
    scene.put(where.format(ab=ab, origin=scene.made.origin), b"", link=True)
    assert scene.go().verdict == model.PLANTED
    assert scene.anchors() == []


def test_a_real_link_is_not_followed(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    target = tmp_path / "elsewhere"
    target.mkdir()
    (scene.base / "blobs").symlink_to(target)
    assert scene.go().verdict == model.PLANTED
    assert list(target.iterdir()) == []


def test_a_pass_that_is_told_to_stop_commits_nothing_and_the_next_goes_on(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (500,) * 600, PlaceDisk(STICK))
    turns = iter([False, True])
    report = scene.go(stop=lambda: next(turns, True))
    assert report.verdict == model.WAITING
    assert report.copied == 256
    assert scene.anchors() == []
    assert (scene.state.waiting, scene.state.verdict) == (601, model.WAITING)
    report = scene.go()
    assert (report.verdict, report.copied) == (model.SAFE, 344)


def test_large_files_are_streamed_and_progress_is_told(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (100, (9 << 20) + 5, 200), PlaceDisk(STICK))
    told: list[tuple[int, int, int]] = []
    assert scene.go(progress=lambda *done: told.append(done)).verdict == model.SAFE
    assert whole_states(scene.there(), scene.made)
    assert told[-1] == (305 + (9 << 20), 305 + (9 << 20), 3)
    assert told == sorted(told)


def test_a_changed_large_file_is_not_copied(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (100, (9 << 20) + 5, 200), PlaceDisk(STICK))
    path = scene.made.paths.blob(scene.made.digests[1])
    with path.open("r+b") as file:
        file.write(b"????")
    assert scene.go().verdict == model.SOURCE
    assert len(scene.names("blobs/")) == 2


def test_a_place_that_another_laptop_went_on_with_is_added_to_and_said(scene: Scene, tmp_path: Path) -> None:
    other = scene.made.copy_to(tmp_path / "new laptop")
    other.recover()
    other.grow(2)
    assert scene.go(made=other).verdict == model.SAFE
    scene.made.grow(1)
    report = scene.go()
    assert report.verdict == model.SAFE
    assert [problem.code for problem in report.problems] == ["OTHER_LOG"]
    other.logs[scene.made.origin] = scene.made.log  # the judge compares with what the old laptop wrote since
    assert len(whole_states(scene.there(), other)) == 3


def test_a_place_with_more_of_a_closed_log_is_no_alarm(scene: Scene, tmp_path: Path) -> None:
    older = scene.made.copy_to(tmp_path / "restored")
    scene.made.grow(2)
    scene.go()
    older.recover()
    older.grow(1)
    report = scene.go(made=older)
    assert report.verdict == model.SAFE
    assert "GAP" in {problem.code for problem in report.problems}


def test_a_look_that_another_process_has_overtaken_raises_no_alarm(scene: Scene) -> None:
    scene.go()
    source, look = scene.source(), scene.look()
    scene.made.grow(2)
    scene.go()
    before = scene.there()
    report = run_pass(scene.ground, scene.place, scene.tree(), Volume("fixed", "", STICK, 7), source, look)
    assert (report.verdict, report.waiting) == (model.WAITING, 0)
    assert scene.there() == before
    assert scene.go().verdict == model.SAFE


def test_two_passes_at_once_do_not_meet(scene: Scene) -> None:
    with scene.places.lock(PLACE, 0.0):
        assert scene.go().verdict == model.BUSY
    assert list(scene.there()) == [place.MARKER]


def test_on_a_real_disk_the_same(tmp_path: Path) -> None:
    scene = Scene(tmp_path, (4096, 100, 9 << 20))
    scene.made.grow(300, 60)
    assert scene.go().verdict == model.SAFE
    scene.made.close_epoch()
    scene.made.grow(10)
    assert scene.go().verdict == model.SAFE
    assert scene.go().copied == 0
    assert len(whole_states(scene.there(), scene.made)) == 2
    assert list((scene.base / f".stage-{DEVICE}").iterdir()) == []


def test_a_real_vault_is_copied_as_it_is_day_after_day(tmp_path: Path) -> None:
    scene, made = Scene(tmp_path / "scene"), small(tmp_path / "real")
    base = place.base(scene.folder, made.hex)
    base.mkdir(parents=True)
    (base / place.MARKER).write_bytes(place.Marker(PLACE, made.hex).encode())
    files = DiskFiles()
    ground = Ground(files, scene.clock, Places(files, made.own), made.vault, DiskTree(made.vault), DEVICE)
    for texts in ((), ("A second day.",), ("A third day.", "And more.")):
        if texts:
            made.write(*texts)
        source = read_vault(ground)
        look = guard.look(source, ground.vault_tree, ground.places, scene.clock.wall_ms())
        volume = Volume("fixed", "", scene.folder, 7)
        report = run_pass(ground, scene.place, DiskPlace(base, DEVICE), volume, source, look)
        assert report.verdict == model.SAFE
        for part in ("blobs", "headers"):
            ours = {
                path.relative_to(made.vault): path.read_bytes()
                for path in (made.vault / part).rglob("*")
                if path.is_file()
            }
            theirs = {path.relative_to(base): path.read_bytes() for path in (base / part).rglob("*") if path.is_file()}
            assert ours == theirs
        scene.clock.advance(3_700_000)
    assert len(list((base / "anchors").rglob("*-*"))) == 3


class Mistaken(FakePlace):
    """Where a mistake of ours shows."""

    def names(self, folder: str) -> set[str]:
        if folder == place.ANCHORS:
            raise OwnFault("A log's name was used that is none.")
        return super().names(folder)


def test_a_mistake_of_ours_in_a_pass_is_not_told_as_a_failing_stick(scene: Scene) -> None:
    assert scene.disk is not None
    scene.go()
    report = scene.go(tree=Mistaken(scene.disk, scene.base))
    assert (report.verdict, report.detail) == (model.FAULT, "A log's name was used that is none.")
    status = status_of(scene.place, scene.state, [0] * 257, None, None, scene.clock.wall_ms(), False)
    assert (status.verdict, status.colour) == (model.FAULT, "amber")
    assert "the place is not to blame" in status.detail
    assert scene.go().verdict == model.SAFE


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("gone", "an older key file is not in the vault any more"),
        ("a folder", "an older key file of the vault could not be read"),
        ("other bytes", "an older key file of the vault holds other bytes than it did"),
    ],
)
def test_why_an_older_key_file_was_not_copied_is_told_as_it_is(scene: Scene, how: str, words: str) -> None:
    older = scene.made.paths.header(scene.made.origin, 1, scene.made.prev)
    scene.made.renew()
    scene.source()
    older.unlink()
    if how == "a folder":
        older.mkdir()
    elif how == "other bytes":
        older.write_bytes(b"{}")
    report = scene.go()
    assert report.verdict == model.SAFE
    assert [one.detail for one in report.problems if one.code == "KEY_FILE"] == [words]
