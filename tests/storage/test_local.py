"""This device's own files, and the two locks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters.files import DiskFiles
from notevault.errors import Busy, Damaged, NotFound, OwnFault
from notevault.ports import Files
from notevault.storage.local import DeviceFile, HeadFile, LocalState
from notevault.storage.lock import shell_lock, writer_lock
from tests.fakes.files import MemoryFiles

IDS = st.binary(min_size=16, max_size=16)
DEVICES = st.builds(DeviceFile, IDS, IDS, st.binary(min_size=8, max_size=8), st.sampled_from(["keyring", "file"]))
HEADS = st.builds(
    HeadFile,
    IDS,
    IDS.map(bytes.hex),
    st.integers(0, 2**53 - 1),
    st.binary(min_size=32, max_size=32),
    st.integers(0, 99),
)


@pytest.fixture(params=["memory", "disk"])
def local(request: pytest.FixtureRequest, tmp_path: Path) -> LocalState:
    files: Files = MemoryFiles() if request.param == "memory" else DiskFiles()
    return LocalState(files, (Path("/l") if request.param == "memory" else tmp_path) / "vault")


@given(DEVICES)
def test_a_device_file_reads_back(device: DeviceFile) -> None:
    assert DeviceFile.decode(device.encode()) == device


@given(HEADS)
def test_a_head_reads_back(head: HeadFile) -> None:
    assert HeadFile.decode(head.encode()) == head


@given(st.one_of(DEVICES, HEADS), st.data())
def test_a_changed_file_is_refused_or_says_something_else_never_the_same(
    made: DeviceFile | HeadFile, data: st.DataObject
) -> None:
    good = made.encode()
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + data.draw(st.binary(max_size=3).filter(lambda new: new != good[at : at + 1])) + good[at + 1 :]
    with contextlib.suppress(Damaged):
        assert type(made).decode(bad) != made


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{}\n",
        b"null\n",
        b'{"v":1}\n',
        b"x" * 5000,
        DeviceFile(b"v" * 16, b"d" * 16, b"u" * 8, "file").encode()[:-1],
    ],
)
def test_anything_else_is_no_device_file_and_no_head(bad: bytes) -> None:
    with pytest.raises(Damaged):
        DeviceFile.decode(bad)
    with pytest.raises(Damaged):
        HeadFile.decode(bad)


def test_a_device_file_of_an_unknown_store_or_version_is_refused() -> None:
    good = DeviceFile(b"v" * 16, b"d" * 16, b"u" * 8, "file").encode()
    for bad in (good.replace(b'"file"', b'"plain"'), good.replace(b'"v":1', b'"v":2')):
        with pytest.raises(Damaged):
            DeviceFile.decode(bad)


def test_device_and_head_are_kept(local: LocalState) -> None:
    assert local.read_device() is None
    assert local.read_head() is None
    device, head = DeviceFile(b"v" * 16, b"d" * 16, b"u" * 8, "file"), HeadFile(b"v" * 16, "0a" * 16, 3, bytes(32), 2)
    local.write_device(device)
    assert local.write_head(head)
    assert local.read_device() == device
    assert local.read_head() == head


def test_a_damaged_head_is_not_taken_for_no_head(local: LocalState) -> None:
    local.files.make_folder(local.paths.root)
    local.files.replace(local.paths.head, b"")
    with pytest.raises(Damaged):
        local.read_head()


def test_drafts_are_listed_replaced_and_removed(local: LocalState) -> None:
    one, two = "1a" * 16, "2b" * 16
    assert local.drafts.list() == []
    local.drafts.put(two, b"second")
    local.drafts.put(one, b"first")
    local.drafts.put(one, b"first again")
    assert local.drafts.list() == [one, two]
    assert local.drafts.get(one) == b"first again"
    local.drafts.remove(one)
    local.drafts.remove(one)
    assert local.drafts.list() == [two]
    with pytest.raises(NotFound):
        local.drafts.get(one)
    with pytest.raises(OwnFault):
        local.drafts.put("../head", b"")
    local.files.create(local.paths.drafts / "README.txt", b"")
    assert local.drafts.list() == [two]


def test_drafts_and_pending_entries_lie_apart(local: LocalState) -> None:
    local.create_folders()
    local.drafts.put("1a" * 16, b"draft")
    local.pending.put("1a" * 16, b"pending")
    assert (local.drafts.get("1a" * 16), local.pending.get("1a" * 16)) == (b"draft", b"pending")


def test_the_index_is_written_in_pieces_and_read_in_pieces(local: LocalState) -> None:
    assert local.index_size() is None
    local.write_index(bytes([n]) * 1000 for n in range(10))
    assert local.index_size() == 10_000
    assert b"".join(local.stream_index(chunk=777)) == b"".join(bytes([n]) * 1000 for n in range(10))
    local.remove_index()
    with pytest.raises(NotFound):
        list(local.stream_index())


def test_an_index_whose_source_breaks_leaves_the_old_one(local: LocalState) -> None:
    local.write_index(b"old")

    def broken() -> Iterator[bytes]:
        yield b"new"
        raise Damaged("the source broke")

    with pytest.raises(Damaged):
        local.write_index(broken())
    assert b"".join(local.stream_index()) == b"old"


def test_the_view_is_kept(local: LocalState) -> None:
    assert local.read_view() is None
    local.write_view(b"cursor")
    assert local.read_view() == b"cursor"
    local.remove_view()
    assert local.read_view() is None


def test_failed_unlocks_are_counted_and_a_broken_count_is_none(local: LocalState) -> None:
    assert local.fails() == (0, 0)
    local.set_fails(3, 2)
    assert local.fails() == (3, 2)
    for bad in (b"", b"-1", b"x", "١".encode(), b"9" * 100):
        local.files.replace(local.paths.fails, bad)
        assert local.fails() == (0, 0)
    local.set_fails(0)
    assert local.files.size(local.paths.fails) is None


def test_failed_unlocks_that_could_not_be_logged_wait_in_order(local: LocalState) -> None:
    assert local.kept_fails() == []
    local.keep_fail(1000, "passphrase")
    local.keep_fail(2000, "secret-missing")
    assert local.kept_fails() == [(1000, "passphrase"), (2000, "secret-missing")]
    with pytest.raises(OwnFault):
        local.keep_fail(3000, "two words\n")
    data = local.files.read(local.paths.kept_fails, limit=999)
    local.files.replace(local.paths.kept_fails, b"\xff\n12 \n" + data + b"3000 cut sh")
    assert local.kept_fails() == [(1000, "passphrase"), (2000, "secret-missing")]
    local.clear_kept_fails()
    assert local.kept_fails() == []


def test_no_more_than_1000_failed_unlocks_are_kept() -> None:
    local = LocalState(MemoryFiles(), Path("/l"))
    for n in range(1003):
        local.keep_fail(n, "keyring")
    kept = local.kept_fails()
    assert (len(kept), kept[0], kept[-1]) == (1000, (3, "keyring"), (1002, "keyring"))


def test_what_is_set_aside_lies_under_its_day_and_is_never_overwritten(local: LocalState) -> None:
    one = local.set_aside("draft", b"one", wall_ms=1_763_715_600_000)
    two = local.set_aside("draft", b"two", wall_ms=1_763_715_600_000)
    assert one.parent == two.parent == local.paths.set_aside / "2025-11-21"
    assert local.set_aside("draft", b"one", wall_ms=1_763_715_600_000) == one
    assert [local.files.read(path, limit=9) for path in (one, two)] == [b"one", b"two"]
    assert local.set_aside("draft", b"one").parent.name == "undated"


def test_a_second_shell_is_told_at_once_that_another_window_is_open(local: LocalState) -> None:
    with shell_lock(local.files, local):
        with pytest.raises(Busy, match="Another notevault window"), shell_lock(local.files, local):
            pytest.fail("two shells")
        with writer_lock(local.files, local):
            pass
    with shell_lock(local.files, local):
        pass


def test_a_second_writer_waits_and_then_is_told_and_an_error_inside_frees_the_lock(local: LocalState) -> None:
    with (
        writer_lock(local.files, local),
        pytest.raises(Busy, match="is writing to this vault"),
        writer_lock(local.files, local, wait_s=0.05),
    ):
        pytest.fail("two writers")
    with pytest.raises(Busy, match="my own"), writer_lock(local.files, local):
        raise Busy("my own")
    with writer_lock(local.files, local, wait_s=0.0):
        pass
