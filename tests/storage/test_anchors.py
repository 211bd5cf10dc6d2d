"""Anchors in a folder outside the vault: written once, never replaced, believed only when signed."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from notevault.auditlog import anchor
from notevault.auditlog.fault import Fault
from notevault.auditlog.outcome import Seen
from notevault.errors import Damaged, DiskFull, OwnFault
from notevault.storage.anchors import AnchorFolder
from tests.fakes.files import CrashNow, MemoryFiles
from tests.storage.making import IDENTITY, ORIGIN, _holds, sign

PLACE = Path("/stick/notevault/ab/anchors")
ROOT = b"r" * 32


def _place(files: MemoryFiles) -> AnchorFolder:
    return AnchorFolder(files, PLACE)


def test_what_was_put_is_read_back_by_size_and_holds_under_the_logs_identity() -> None:
    files = MemoryFiles()
    place = _place(files)
    for size in (300, 7, 70):
        place.put(sign(size, ROOT))
    assert place.origins() == [ORIGIN]
    assert place.newest(ORIGIN) == (300, ROOT)
    found = [anchor.check(ORIGIN, name, data, IDENTITY, _holds, "a stick") for name, data in place.read(ORIGIN)]
    assert found == [Seen(ORIGIN, size, ROOT, "a stick") for size in (7, 70, 300)]


def test_one_signed_with_another_key_or_under_another_name_is_refused() -> None:
    place = _place(MemoryFiles())
    path = place.put(sign(7, ROOT))
    good = sign(7, ROOT)
    assert isinstance(anchor.check(ORIGIN, path.name, good, b"x" * 32, _holds, "a stick"), Fault)
    assert isinstance(anchor.check(ORIGIN, anchor.name_of(8, ROOT), good, IDENTITY, _holds, "a stick"), Fault)
    assert isinstance(anchor.check("0" * 32, path.name, good, IDENTITY, _holds, "a stick"), Fault)


def test_the_same_state_again_is_no_fault_and_another_file_under_its_name_is_never_replaced() -> None:
    files = MemoryFiles()
    place = _place(files)
    path = place.put(sign(7, ROOT))
    assert place.put(sign(7, ROOT)) == path
    files.put_raw(path, b"something else\n")
    with pytest.raises(Damaged):
        place.put(sign(7, ROOT))
    assert files.raw(path) == b"something else\n"


def test_links_and_strange_names_are_passed_over() -> None:
    files = MemoryFiles()
    place = _place(files)
    path = place.put(sign(7, ROOT))
    files.put_irregular(path.with_name(anchor.name_of(9, ROOT)))
    files.put_raw(path.with_name("notes.txt"), b"")
    files.put_raw(PLACE / "desktop.ini", b"")
    assert [name for name, _ in place.read(ORIGIN)] == [path.name]
    assert place.origins() == [ORIGIN]


def test_only_signed_states_are_written() -> None:
    with pytest.raises(OwnFault):
        _place(MemoryFiles()).put(b"notevault\n7\n")


def test_killed_or_out_of_space_at_any_step_there_is_a_whole_anchor_or_none() -> None:
    files = MemoryFiles()
    _place(files).put(sign(7, ROOT))
    steps = len(files.trace)
    for step in range(1, steps + 1):
        full = MemoryFiles()
        full.fail_at(step, errno.ENOSPC, lasting=True)
        with pytest.raises(DiskFull):
            _place(full).put(sign(7, ROOT))
        killed = MemoryFiles()
        killed.crash_at(step)
        with pytest.raises(CrashNow):
            _place(killed).put(sign(7, ROOT))
        for later in (killed.after_kill(), killed.after_power_cut(step)):
            assert [data for _, data in _place(later).read(ORIGIN)] in ([], [sign(7, ROOT)])
            _place(later).put(sign(7, ROOT))
            assert _place(later).newest(ORIGIN) == (7, ROOT)
