"""What a restore leaves to be done, so that whoever goes on can finish it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters.files import DiskFiles
from notevault.backup.restore import rest as restore_rest
from notevault.backup.restore.plan import Building, Journal
from notevault.backup.restore.rest import Rest
from notevault.backup.restore.restore import finish
from notevault.errors import Damaged

_PATHS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
_IDS = st.binary(min_size=16, max_size=16).map(bytes.hex)
_COUNTS = st.integers(0, 2**40)
VAULT = "ab" * 16


@given(st.builds(Rest, _IDS, st.lists(_PATHS, max_size=3).map(tuple), _COUNTS, _COUNTS, _COUNTS, st.booleans()))
def test_what_is_left_reads_back_as_it_was_written(rest: Rest) -> None:
    assert Rest.decode(rest.encode()) == rest


@given(st.binary(max_size=200), st.integers(0, 199), st.integers(0, 7))
def test_changed_bytes_are_refused_or_mean_what_they_say(junk: bytes, at: int, bit: int) -> None:
    data = bytearray(Rest(VAULT, ("/media/stick",), 5, 0, 3).encode())
    data[at % len(data)] ^= 1 << bit
    for bad in (junk, bytes(data)):
        with contextlib.suppress(Damaged):
            assert Rest.decode(bad).encode() == bad


def begun(tmp_path: Path, *, whole: bool = True) -> Path:
    to = tmp_path / "vault"
    building = Building(to)
    building.root.mkdir()
    building.journal.write_bytes(Journal(VAULT, 5, ()).encode())
    (to if whole else building.vault).mkdir()
    ((to if whole else building.vault) / "blobs").mkdir()
    restore_rest.keep(DiskFiles(), to, Rest(VAULT, ("/media/stick",), 5))
    return to


def test_nothing_is_left_where_no_restore_was_or_its_copying_is_not_over(tmp_path: Path) -> None:
    files = DiskFiles()
    assert restore_rest.left(files, tmp_path / "nowhere") is None
    (tmp_path / "one").mkdir()
    assert restore_rest.left(files, begun(tmp_path / "one", whole=False)) is None


def test_it_is_opened_once_and_finished_once(tmp_path: Path) -> None:
    files, to = DiskFiles(), begun(tmp_path)
    first = restore_rest.left(files, to)
    assert first is not None
    assert not first.opened
    restore_rest.opened(files, to)
    then = restore_rest.left(files, to)
    assert then is not None
    assert then.opened
    finish(files, to)
    assert restore_rest.left(files, to) is None
    assert not Building(to).root.exists()


@pytest.mark.parametrize("bad", [b"", b"{}\n", b"\xff" * 40])
def test_what_does_not_read_is_no_reason_to_stop(tmp_path: Path, bad: bytes) -> None:
    to = begun(tmp_path)
    Building(to).rest.write_bytes(bad)
    assert restore_rest.left(DiskFiles(), to) is None


def test_killed_while_the_last_traces_go_the_folder_beside_is_no_obstacle(tmp_path: Path) -> None:
    files, to = DiskFiles(), begun(tmp_path)
    Building(to).journal.unlink()  # the journal goes before the rest
    assert Building(to).read(files) is None
    assert restore_rest.left(files, to) is None
