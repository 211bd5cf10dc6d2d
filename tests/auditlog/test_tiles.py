"""Export as C2SP tiles: the right files with the right hashes, of a signed log or not at all."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.auditlog import bundle, checkpoint, merkle, tiles
from notevault.auditlog.fault import Fault, sound
from notevault.auditlog.folder import folder_reader
from tests.auditlog import sample
from tests.auditlog.forge import Forge, put
from tests.auditlog.sample import IDENTITY, Key, Log

SIZES = [0, 1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 70_000]


def code(found: object) -> str:
    return found.code if isinstance(found, Fault) else "none"


def numbers(size: int) -> Log:
    """A log of tiny entries: tiles do not care what entries say."""
    return Log.of([b"%d" % i for i in range(size)])


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def due(size: int) -> set[str]:
    """The files of a log of that size, from the words of the specification: at level l, floor(s / 256^l) hashes."""
    names, level = {"checkpoint"}, 0
    while size >> (8 * level):
        count = size >> (8 * level)
        for place in ["entries", "0"] if level == 0 else [str(level)]:
            names |= {f"tile/{place}/{n:03d}" for n in range(count // 256)}
            if count % 256:
                names.add(f"tile/{place}/{count // 256:03d}.p/{count % 256}")
        level += 1
    return names


@pytest.mark.parametrize("size", SIZES)
def test_the_files_are_those_of_the_specification_and_give_the_signed_root(size: int, tmp_path: Path) -> None:
    log = numbers(size)
    folder = tmp_path / "tiles"
    state = sound(tiles.export(log.read, folder, IDENTITY.pub, sample.verify))
    assert files(folder) == due(size)
    assert state == sound(tiles.check(folder_reader(folder), IDENTITY.pub, sample.verify))
    assert (state.size, (folder / "checkpoint").read_bytes()) == (size, log.files["checkpoint"])
    leaves = log.leaves
    for name in files(folder) - {"checkpoint"}:
        _, place, tail = name.split("/", 2)
        number, _, width = tail.partition(".p/")
        data = (folder / name).read_bytes()
        first, count = int(number) * 256, int(width or 256)
        if place == "entries":
            assert bundle.split(data) == log.entries[first : first + count]
            continue
        span = 256 ** int(place)  # entries under one hash of this tile
        wanted = [merkle.root(leaves[n * span : (n + 1) * span]) for n in range(first, first + count)]
        assert data == b"".join(wanted)


def test_the_specifications_own_example_comes_out() -> None:
    """273 full and a partial tile of 112 at level 0, one full and a partial of 17 at level 1, one of width 1 above."""
    names = due(70_000)
    assert sum(name.startswith("tile/0/") and ".p" not in name for name in names) == 273
    assert {"tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"} <= names


def test_a_number_of_four_digits_and_more_has_folders() -> None:
    assert tiles.tile_path(0, 1_234_067) == "tile/0/x001/x234/067"
    assert tiles.tile_path(None, 1234, 5) == "tile/entries/x001/234.p/5"
    assert tiles.tile_path(3, 0, 1) == "tile/3/000.p/1"


@settings(max_examples=15)
@given(st.integers(0, 1500))
def test_any_size_goes_out_and_reads_back(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    folder = tmp_path_factory.mktemp("any") / "tiles"
    state = sound(tiles.export(numbers(size).read, folder))
    assert tiles.check(folder_reader(folder)) == state


def test_a_log_of_several_epochs_goes_out_under_its_newest_checkpoint(tmp_path: Path) -> None:
    log = Forge(tmp_path / "vault").begin()
    while log.size < 300:
        log.add("session.lock")
    log.close()
    log.add("session.open")
    log.store()
    state = sound(tiles.export(folder_reader(log.folder), tmp_path / "tiles", log.identity.pub, sample.verify))
    assert (state.size, state.epoch) == (302, 1)


def test_the_way_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    tiles.export(numbers(600).read, tmp_path / "tiles", progress=lambda done, all_: told.append((done, all_)))
    assert told == [(256, 600), (512, 600), (600, 600)]


# -- only what is signed, whole or not at all


def _spoil(name: str) -> Callable[[dict[str, bytes]], None]:
    def spoil(held: dict[str, bytes]) -> None:
        held[name] = held[name][:-1] + bytes([held[name][-1] ^ 1])

    return spoil


def _short(held: dict[str, bytes]) -> None:
    held["open"] = held["open"][:-1]


def _foreign(held: dict[str, bytes]) -> None:
    held["checkpoint"] = numbers(599).files["checkpoint"]


UNSIGNED: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "a changed entry": (_spoil("entries/001"), "WRONG_ROOT"),
    "a changed last entry": (_spoil("open"), "WRONG_ROOT"),
    "a bundle gone": (lambda held: held.pop("entries/000"), "MISSING"),
    "the last entries gone": (lambda held: held.pop("open"), "CUT_SHORT"),
    "the last entry cut": (_short, "CUT_SHORT"),
    "no checkpoint": (lambda held: held.pop("checkpoint"), "MISSING"),
    "a spoiled checkpoint": (_spoil("checkpoint"), "NOT_A_NOTE"),
    "an older checkpoint": (_foreign, "none"),
}


@pytest.mark.parametrize("what", UNSIGNED)
def test_a_log_that_is_not_the_signed_one_leaves_nothing_behind(what: str, tmp_path: Path) -> None:
    spoil, fault = UNSIGNED[what]
    held = dict(numbers(600).files)
    spoil(held)
    assert code(tiles.export(held.get, tmp_path / "tiles")) == fault
    assert [path.name for path in tmp_path.iterdir()] == (["tiles"] if fault == "none" else [])


def test_an_export_under_a_foreign_key_leaves_nothing_behind(tmp_path: Path) -> None:
    assert code(tiles.export(numbers(3).read, tmp_path / "tiles", Key("stranger").pub, sample.verify)) == "KEY_ID"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["checkpoint", "entries/001", "open"])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    log = numbers(600)
    folder = log.store(tmp_path / "log")
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    found = tiles.export(folder_reader(folder), tmp_path / "tiles")
    assert isinstance(found, Fault)
    assert (found.code, found.where) == ("UNREADABLE", name)


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_what_is_there_already_stays_as_it_is(kind: str, tmp_path: Path) -> None:
    goal = tmp_path / "tiles"
    if kind == "folder":
        goal.mkdir()
    elif kind == "file":
        goal.write_text("mine")
    else:
        goal.symlink_to(tmp_path / "nowhere")
    assert code(tiles.export(numbers(3).read, goal)) == "EXISTS"
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]
    assert kind != "file" or goal.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for parent in ("missing", "file"):
        assert code(tiles.export(numbers(3).read, tmp_path / parent / "tiles")) == "UNWRITABLE"
    assert code(tiles.export(numbers(3).read, tmp_path / ("n" * 300))) == "UNWRITABLE"
    assert code(tiles.export(numbers(3).read, f"{tmp_path}/a\0b/tiles")) == "UNWRITABLE"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_interrupted_export_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(done: int, _: int) -> None:
        if done > 256:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiles.export(numbers(600).read, tmp_path / "tiles", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


# -- reading back


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    sound(tiles.export(numbers(600).read, tmp_path / "tiles"))
    return tmp_path / "tiles"


def test_every_changed_missing_or_cut_file_of_an_export_is_noticed(exported: Path) -> None:
    for name in sorted(files(exported) - {"checkpoint"}):
        path = exported / name
        kept = path.read_bytes()
        for spoiled in (kept[:-1] + bytes([kept[-1] ^ 1]), kept[:-1], b"", kept + b"\0"):
            path.write_bytes(spoiled)
            found = tiles.check(folder_reader(exported))
            assert isinstance(found, Fault), name
            assert code(found) != "UNREADABLE"
            if "entries" not in name:
                assert (found.code, found.where) == ("WRONG_TILE", name)
        path.unlink()
        gone = tiles.check(folder_reader(exported))
        assert isinstance(gone, Fault)
        assert (gone.code, gone.where) == ("MISSING", name)
        path.write_bytes(kept)
    assert code(tiles.check(folder_reader(exported))) == "none"


def test_entries_and_hashes_that_fit_but_were_never_signed_are_noticed(exported: Path, tmp_path: Path) -> None:
    other = numbers(600)
    other.entries[5] = b"!"
    other.lay(other.entries)
    other.files["checkpoint"] = other.checkpoint(600)
    sound(tiles.export(other.read, tmp_path / "other"))
    put(tmp_path / "other/checkpoint", (exported / "checkpoint").read_bytes())
    assert code(tiles.check(folder_reader(tmp_path / "other"))) == "WRONG_ROOT"
    assert code(tiles.check(folder_reader(exported), Key("stranger").pub, sample.verify)) == "KEY_ID"


def test_a_link_in_an_export_is_not_followed(exported: Path, tmp_path: Path) -> None:
    tile = exported / "tile/0/000"
    tile.rename(tmp_path / "elsewhere")
    tile.symlink_to(tmp_path / "elsewhere")
    assert code(tiles.check(folder_reader(exported))) == "UNREADABLE"


def test_a_huge_signed_size_is_not_looped_over(exported: Path) -> None:
    keys = (IDENTITY.sign, sample.EPOCH0.sign, IDENTITY.pub, sample.EPOCH0.pub)
    put(exported / "checkpoint", checkpoint.make(sample.ORIGIN, 2**53 - 1, bytes(32), 0, *keys))
    assert code(tiles.check(folder_reader(exported))) == "MISSING"


@pytest.mark.parametrize("entry_size", [10, 200])
def test_memory_does_not_grow_with_the_log(entry_size: int, tmp_path: Path) -> None:
    size = 51_200

    def part(number: int) -> list[bytes]:
        return [(b"%d " % i).ljust(entry_size, b".") for i in range(number * 256, number * 256 + 256)]

    roots = [merkle.root([merkle.leaf_hash(data) for data in part(number)]) for number in range(size // 256)]
    keys = (IDENTITY.sign, sample.EPOCH0.sign, IDENTITY.pub, sample.EPOCH0.pub)
    signed = checkpoint.make(sample.ORIGIN, size, merkle.root(roots), 0, *keys)

    def read(name: str) -> bytes:
        if name == "hashes":
            return b"".join(roots)
        return signed if name == "checkpoint" else bundle.pack(part(int(name.rpartition("/")[2])))

    tracemalloc.start()
    found = tiles.export(read, tmp_path / "tiles")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code(found) == "none"
    assert peak < 1_500_000  # the leaf hashes alone would take 3.3 MB, the entries up to 12 MB
