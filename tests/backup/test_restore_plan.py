"""What a restore writes down before it begins, and what it refuses to begin with."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters.files import DiskFiles
from notevault.backup.restore.plan import Building, Journal, check_target, same
from notevault.errors import CannotWrite, Damaged, NotevaultError, Refused, StorageFault

_ORIGINS = st.binary(min_size=16, max_size=16).map(bytes.hex)
_STATES = st.lists(st.tuples(_ORIGINS, st.integers(0, 2**40), st.binary(min_size=32, max_size=32)), max_size=4)
VAULT = "ab" * 16


@given(_ORIGINS, st.integers(0, 2**45), _STATES)
def test_a_journal_reads_back_as_it_was_written(vault: str, at: int, states: list[tuple[str, int, bytes]]) -> None:
    journal = Journal(vault, at, tuple(sorted(set(states))))
    assert Journal.decode(journal.encode()) == journal


@given(st.binary(max_size=200), st.integers(0, 199), st.integers(0, 7))
def test_a_changed_journal_is_refused_or_means_what_it_says(junk: bytes, at: int, bit: int) -> None:
    data = bytearray(Journal(VAULT, 5, (("cd" * 16, 3, bytes(32)),)).encode())
    data[at % len(data)] ^= 1 << bit
    for bad in (junk, bytes(data)):
        with contextlib.suppress(Damaged):
            assert Journal.decode(bad).encode() == bad


def test_a_folder_with_something_in_it_is_never_restored_into(tmp_path: Path) -> None:
    to = tmp_path / "vault"
    to.mkdir()
    assert not check_target(DiskFiles(), to, None, Building(to)), "an empty folder is fine"
    (to / "letter.txt").write_text("mine")
    with pytest.raises(Refused):
        check_target(DiskFiles(), to, None, Building(to))
    assert (to / "letter.txt").read_text() == "mine"


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_is_no_folder_is_never_restored_into(tmp_path: Path, what: str) -> None:
    to = tmp_path / "vault"
    if what == "file":
        to.write_text("mine")
    else:
        to.symlink_to(tmp_path)
    with pytest.raises(CannotWrite):
        check_target(DiskFiles(), to, None, Building(to))


class Unseen(DiskFiles):
    """A disk that fails: what lies in this folder cannot be listed."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def names(self, folder: Path) -> list[str]:
        if folder == self._folder:
            raise StorageFault("The system reports an input or output error.")
        return super().names(folder)


def test_what_cannot_be_seen_is_never_taken_for_a_restore_that_has_ended(tmp_path: Path) -> None:
    to = tmp_path / "vault"
    to.mkdir()
    (to / "letter.txt").write_text("mine")
    building = Building(to)
    building.root.mkdir()
    journal = Journal(VAULT, 5, (("cd" * 16, 3, bytes(32)),))
    assert check_target(DiskFiles(), to, journal, building)
    with pytest.raises(StorageFault):
        check_target(Unseen(building.root), to, journal, building)


@pytest.mark.skipif(sys.platform == "win32", reason="a name of that length is no error of Windows' own kind")
def test_what_the_system_says_of_the_new_folder_is_never_passed_on_raw(tmp_path: Path) -> None:
    to = tmp_path / ("x" * 300)
    with pytest.raises(NotevaultError):
        check_target(DiskFiles(), to, None, Building(to))


def test_a_folder_beside_that_is_not_ours_is_never_built_in(tmp_path: Path) -> None:
    building = Building(tmp_path / "vault")
    building.root.mkdir()
    (building.root / "photo.jpg").write_bytes(b"mine")
    with pytest.raises(Refused):
        building.read(DiskFiles())
    building.journal.write_bytes(b"{}\n")
    with pytest.raises(Damaged):
        building.read(DiskFiles())


def test_a_restore_killed_before_its_first_word_begins_anew(tmp_path: Path) -> None:
    building = Building(tmp_path / "vault")
    building.root.mkdir()
    building.lock.touch()
    assert building.read(DiskFiles()) is None


def test_an_interrupted_restore_is_never_finished_as_another_one(tmp_path: Path) -> None:
    building = Building(tmp_path / "vault")
    begun = Journal(VAULT, 5, (("cd" * 16, 3, bytes(32)),))
    same(begun, begun, building)
    for other in (
        Journal("ef" * 16, 5, begun.states),
        Journal(VAULT, 9, (("cd" * 16, 4, bytes(32)),)),
    ):
        with pytest.raises(Refused) as caught:
            same(begun, other, building)
        assert "another folder" in caught.value.next_step
