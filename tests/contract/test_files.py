"""What the Files port promises, asked of the real disk and of the fake alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notevault.adapters.files import DiskFiles
from notevault.errors import Busy, Damaged, NotevaultError, NotFound
from notevault.ports import Files
from tests.fakes.files import MemoryFiles

LinkMaker = Callable[[Path], None]


class Ground:
    """A Files implementation, a folder that exists in it, and a way to lay something irregular there."""

    def __init__(
        self, files: Files, root: Path, put_irregular: LinkMaker, put_raw: Callable[[Path, bytes], None]
    ) -> None:
        self.files = files
        self.root = root
        self.put_irregular = put_irregular
        self.put_raw = put_raw


def _link(path: Path) -> None:
    target = path.parent / "elsewhere"
    target.write_bytes(b"a secret of someone else")
    path.symlink_to(target)


@pytest.fixture(params=["disk", "memory"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    if request.param == "disk":
        return Ground(DiskFiles(), tmp_path, _link, lambda path, data: (path.write_bytes(data), None)[1])
    memory = MemoryFiles()
    memory.make_folder(Path("/v"))
    return Ground(memory, Path("/v"), memory.put_irregular, memory.put_raw)


def test_what_was_created_is_read_back_whole_and_in_ranges(ground: Ground) -> None:
    path = ground.root / "a"
    ground.files.create(path, b"0123456789")
    assert ground.files.read(path, limit=10) == b"0123456789"
    assert ground.files.read_range(path, 3, 4) == b"3456"
    assert ground.files.read_range(path, 8, 50) == b"89"
    assert ground.files.read_range(path, 50, 5) == b""
    assert ground.files.size(path) == 10
    assert list(ground.files.stream(path, chunk=4)) == [b"0123", b"4567", b"89"]


def test_pieces_make_one_file(ground: Ground) -> None:
    ground.files.create(ground.root / "a", (bytes([i]) * i for i in range(5)))
    assert ground.files.read(ground.root / "a", limit=99) == b"\1\2\2\3\3\3\4\4\4\4"


def test_a_file_larger_than_its_limit_is_not_read(ground: Ground) -> None:
    ground.files.create(ground.root / "a", b"12345")
    with pytest.raises(Damaged):
        ground.files.read(ground.root / "a", limit=4)


def test_an_absent_file_is_not_found_and_has_no_size(ground: Ground) -> None:
    path = ground.root / "nothing"
    assert ground.files.size(path) is None
    with pytest.raises(NotFound):
        ground.files.read(path, limit=9)
    with pytest.raises(NotFound):
        ground.files.read_range(path, 0, 1)
    with pytest.raises(NotFound):
        list(ground.files.stream(path, chunk=9))
    with pytest.raises(NotFound):
        ground.files.append(path, b"x", at=3)


def test_writing_into_an_absent_folder_is_not_found(ground: Ground) -> None:
    with pytest.raises(NotFound):
        ground.files.create(ground.root / "no" / "a", b"x")
    with pytest.raises(NotFound):
        ground.files.replace(ground.root / "no" / "a", b"x")


def test_names_are_sorted_and_an_absent_folder_is_empty(ground: Ground) -> None:
    for name in ("b", "a", "c"):
        ground.files.create(ground.root / name, b"")
    ground.files.make_folder(ground.root / "aa")
    assert ground.files.names(ground.root) == ["a", "aa", "b", "c"]
    assert ground.files.names(ground.root / "absent") == []


def test_our_own_temporary_files_are_not_listed(ground: Ground) -> None:
    ground.put_raw(ground.root / (".tmp-" + "0" * 32), b"half")
    assert ground.files.names(ground.root) == []


def test_create_keeps_an_equal_file_and_refuses_another(ground: Ground) -> None:
    path = ground.root / "a"
    ground.files.create(path, b"same")
    ground.files.create(path, b"same")
    with pytest.raises(Damaged):
        ground.files.create(path, b"SAME")
    with pytest.raises(Damaged):
        ground.files.create(path, b"same and more")
    assert ground.files.read(path, limit=99) == b"same"
    assert ground.files.names(ground.root) == ["a"]


def test_a_batch_makes_every_file_in_every_folder(ground: Ground) -> None:
    ground.files.make_folder(ground.root / "x" / "y")
    items = [(ground.root / "a", b"1"), (ground.root / "x" / "b", b"2"), (ground.root / "x" / "y" / "c", b"")]
    ground.files.create_batch(iter(items))
    ground.files.create_batch(items)
    ground.files.create_batch([])
    for path, data in items:
        assert ground.files.read(path, limit=9) == data


def test_a_batch_that_cannot_be_whole_leaves_nothing(ground: Ground) -> None:
    ground.files.create(ground.root / "b", b"old")
    with pytest.raises(Damaged):
        ground.files.create_batch([(ground.root / "a", b"1"), (ground.root / "b", b"other"), (ground.root / "c", b"3")])
    assert ground.files.names(ground.root) == ["b"]
    assert ground.files.read(ground.root / "b", limit=9) == b"old"


def test_replace_puts_new_bytes_in_place_of_old_ones(ground: Ground) -> None:
    path = ground.root / "a"
    ground.files.replace(path, b"first, and long")
    ground.files.replace(path, [b"sec", b"ond"])
    assert ground.files.read(path, limit=99) == b"second"


def test_append_grows_only_a_file_of_the_expected_size(ground: Ground) -> None:
    path = ground.root / "log"
    ground.files.append(path, b"one\n", at=0)
    ground.files.append(path, b"two\n", at=4)
    for wrong in (0, 3, 9):
        with pytest.raises(Damaged):
            ground.files.append(path, b"three\n", at=wrong)
    assert ground.files.read(path, limit=99) == b"one\ntwo\n"


def test_append_at_nought_takes_an_empty_file(ground: Ground) -> None:
    ground.files.create(ground.root / "log", b"")
    ground.files.append(ground.root / "log", b"x", at=0)
    assert ground.files.read(ground.root / "log", limit=9) == b"x"


def test_move_never_overwrites(ground: Ground) -> None:
    ground.files.make_folder(ground.root / "aside")
    ground.files.create(ground.root / "a", b"a")
    ground.files.create(ground.root / "b", b"b")
    ground.files.move(ground.root / "a", ground.root / "aside" / "a")
    assert ground.files.read(ground.root / "aside" / "a", limit=9) == b"a"
    assert ground.files.size(ground.root / "a") is None
    with pytest.raises(Damaged):
        ground.files.move(ground.root / "b", ground.root / "aside" / "a")
    with pytest.raises(NotFound):
        ground.files.move(ground.root / "absent", ground.root / "c")
    assert ground.files.read(ground.root / "b", limit=9) == b"b"


def test_a_whole_folder_can_be_set_aside(ground: Ground) -> None:
    ground.files.make_folder(ground.root / "old" / "inner")
    ground.files.create(ground.root / "old" / "inner" / "a", b"a")
    ground.files.move(ground.root / "old", ground.root / "new")
    assert ground.files.read(ground.root / "new" / "inner" / "a", limit=9) == b"a"
    assert ground.files.names(ground.root) == ["new"]


def test_remove_takes_a_file_once_and_is_content_afterwards(ground: Ground) -> None:
    ground.files.create(ground.root / "a", b"a")
    ground.files.remove(ground.root / "a")
    ground.files.remove(ground.root / "a")
    ground.files.remove(ground.root / "absent" / "a")
    assert ground.files.names(ground.root) == []


def test_make_folder_is_content_with_an_existing_one(ground: Ground) -> None:
    ground.files.make_folder(ground.root / "x" / "y" / "z")
    ground.files.make_folder(ground.root / "x" / "y")
    assert ground.files.names(ground.root / "x") == ["y"]
    ground.files.create(ground.root / "file", b"")
    with pytest.raises(Damaged):
        ground.files.make_folder(ground.root / "file")


@pytest.mark.parametrize(
    "use",
    [
        lambda f, p: f.read(p, limit=99),
        lambda f, p: f.read_range(p, 0, 9),
        lambda f, p: list(f.stream(p, chunk=9)),
        lambda f, p: f.size(p),
        lambda f, p: f.append(p, b"x", at=0),
        lambda f, p: f.create(p, b"a secret of someone else"),
        lambda f, p: f.create_batch([(p, b"a secret of someone else")]),
    ],
    ids=["read", "read_range", "stream", "size", "append", "create", "create_batch"],
)
def test_a_link_in_a_file_s_place_is_never_followed(ground: Ground, use: Callable[[Files, Path], object]) -> None:
    path = ground.root / "a"
    ground.put_irregular(path)
    with pytest.raises(Damaged):
        use(ground.files, path)


@pytest.mark.parametrize(
    "use",
    [
        lambda f, p: f.read(p, limit=99),
        lambda f, p: f.size(p),
        lambda f, p: f.append(p, b"x", at=0),
        lambda f, p: f.replace(p, b"x"),
        lambda f, p: f.remove(p),
        lambda f, p: f.create(p, b"x"),
    ],
    ids=["read", "size", "append", "replace", "remove", "create"],
)
def test_a_folder_in_a_file_s_place_is_damage(ground: Ground, use: Callable[[Files, Path], object]) -> None:
    ground.files.make_folder(ground.root / "a")
    with pytest.raises(Damaged):
        use(ground.files, ground.root / "a")


def test_a_second_taker_of_the_lock_is_told_that_it_is_busy(ground: Ground) -> None:
    path = ground.root / "lock"
    with ground.files.lock(path, wait_s=0), pytest.raises(Busy), ground.files.lock(path, wait_s=0.02):
        pytest.fail("two held the lock")
    with ground.files.lock(path, wait_s=0):
        pass


def test_the_lock_is_freed_when_its_work_fails(ground: Ground) -> None:
    path = ground.root / "lock"
    with pytest.raises(ZeroDivisionError), ground.files.lock(path, wait_s=0):
        raise ZeroDivisionError
    with ground.files.lock(path, wait_s=0):
        pass


NAMES = st.sampled_from(["a", "b", "c"])
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), NAMES, st.binary(max_size=9)),
        st.tuples(st.just("replace"), NAMES, st.binary(max_size=9)),
        st.tuples(st.just("append"), NAMES, st.binary(max_size=9), st.integers(0, 12)),
        st.tuples(st.just("move"), NAMES, NAMES),
        st.tuples(st.just("remove"), NAMES),
    ),
    max_size=8,
)


def _play(files: Files, root: Path, acts: list[tuple[object, ...]]) -> list[str]:
    told = []
    for act in acts:
        path = root / str(act[1])
        try:
            if act[0] == "append":
                files.append(path, act[2], at=act[3])  # type: ignore[arg-type]
            elif act[0] == "move":
                files.move(path, root / str(act[2]))
            elif act[0] == "remove":
                files.remove(path)
            else:
                getattr(files, str(act[0]))(path, act[2])
            told.append("done")
        except NotevaultError as error:
            told.append(type(error).__name__)
    told += [f"{name}={files.read(root / name, limit=999)!r}" for name in files.names(root)]
    return told


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_the_fake_and_the_disk_tell_the_same_story(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[object, ...]]
) -> None:
    memory = MemoryFiles()
    memory.make_folder(Path("/v"))
    root = tmp_path_factory.mktemp("story")
    assert _play(DiskFiles(), root, acts) == _play(memory, Path("/v"), acts)
    assert [p.name for p in root.iterdir() if p.name.startswith(".tmp-")] == []
