"""The auditor's state file: it forgets nothing it should keep, and is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import card, state
from notevault.auditlog.fault import Fault, sound
from notevault.auditlog.outcome import Seen
from notevault.auditlog.state import Head, State
from tests.auditlog.sample import CARD, ORIGIN, VAULT, VIK

OTHER = "0e" * 16
ROOTS = st.binary(min_size=32, max_size=32)
NUMBERS = st.integers(0, 2**53 - 1)
HEX16 = st.binary(min_size=16, max_size=16).map(bytes.hex)
HEADS = st.lists(NUMBERS, min_size=1, max_size=5, unique=True).flatmap(
    lambda sizes: st.tuples(*(st.builds(Head, st.just(size), ROOTS, NUMBERS) for size in sorted(sizes)))
)
STATES = st.builds(State, HEX16, ROOTS.map(bytes.hex), HEX16, st.dictionaries(HEX16, HEADS, max_size=4))


def root(n: int) -> bytes:
    return n.to_bytes(32, "big")


def visited(*sizes: int, origin: str = ORIGIN) -> State:
    found = sound(state.new(CARD))
    for number, size in enumerate(sizes):
        found = sound(state.with_visit(found, origin, size, root(size), 1000 + number))
    return found


def test_a_new_state_belongs_to_the_card() -> None:
    found = sound(state.new(CARD))
    assert found == State(VAULT, VIK.pub.hex(), card.fingerprint(CARD), {})
    assert state.check(found, VAULT, [VIK.pub]) is None
    assert isinstance(state.new(CARD[:-1]), Fault)


@given(STATES)
def test_states_print_and_read_back(one: State) -> None:
    data = state.dump(one)
    assert state.parse(data) == one
    assert data.endswith(b"\n")
    assert len(data) <= state.MAX_BYTES


def test_the_fullest_state_fits_its_file() -> None:
    heads = tuple(Head(2**53 - 64 + n, bytes(32), 2**53 - 1) for n in range(state.MAX_HEADS))
    full = State("f" * 32, "f" * 64, "f" * 32, {f"{n:032x}": heads for n in range(state.MAX_LOGS)})
    assert len(state.dump(full)) <= state.MAX_BYTES
    fault = state.with_visit(full, "e" * 32, 1, bytes(32), 1)
    assert isinstance(fault, Fault)
    assert fault.code == "TOO_MANY"
    assert not isinstance(state.with_visit(full, f"{5:032x}", 2**53 - 1, bytes(32), 1), Fault)


@given(st.binary(max_size=200), st.integers(0, 400))
def test_random_states_never_raise(data: bytes, at: int) -> None:
    assert isinstance(state.parse(data), Fault)
    good = state.dump(visited(3, 70))
    for spoiled in (good[:at] + data + good[at:], good[:at] + data + good[at + len(data) :]):
        found = state.parse(spoiled)
        assert isinstance(found, Fault) or state.dump(found) == spoiled


def test_no_changed_byte_reads_as_the_same_state() -> None:
    good = visited(3, 70)
    data = state.dump(good)
    for at in range(len(data)):
        for bit in (1, 32):
            spoiled = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
            assert state.parse(spoiled) != good


@pytest.mark.parametrize("data", [b'{"a":' * 30000 + b"1" + b"}" * 30000 + b"\n", b"[" * 200000 + b"\n", b"\0" * 999])
def test_deep_and_empty_files_are_faults(data: bytes) -> None:
    assert isinstance(state.parse(data), Fault)


def test_a_visit_is_remembered_with_its_time() -> None:
    found = visited(3, 70)
    assert state.heads(found) == [
        Seen(ORIGIN, 3, root(3), "your state file", 1000),
        Seen(ORIGIN, 70, root(70), "your state file", 1001),
    ]


def test_the_state_never_shrinks() -> None:
    before = visited(70)
    assert state.with_visit(before, ORIGIN, 69, root(69), 5) == before
    assert state.with_visit(before, ORIGIN, 70, root(1), 5) == before
    assert state.with_visit(before, ORIGIN, 0, root(0), 5) == before


def test_the_same_head_keeps_the_time_it_was_first_seen() -> None:
    before = visited(70)
    assert state.with_visit(before, ORIGIN, 70, root(70), 9999) == before


def test_the_state_it_was_made_from_is_left_alone() -> None:
    before = visited(3)
    after = sound(state.with_visit(before, ORIGIN, 4, root(4), 5))
    assert [seen.size for seen in state.heads(before)] == [3]
    assert [seen.size for seen in state.heads(after)] == [3, 4]


def test_the_first_visit_and_the_last_63_are_kept() -> None:
    found = visited(*range(10, 110))
    sizes = [seen.size for seen in state.heads(found)]
    assert sizes == [10, *range(47, 110)]
    assert len(sizes) == state.MAX_HEADS
    assert state.parse(state.dump(found)) == found


@given(st.lists(st.tuples(st.sampled_from([ORIGIN, OTHER]), st.integers(0, 40), ROOTS), max_size=90))
def test_whatever_is_visited_the_highest_and_the_first_are_kept(visits: list[tuple[str, int, bytes]]) -> None:
    found = sound(state.new(CARD))
    for number, (origin, size, seen_root) in enumerate(visits):
        found = sound(state.with_visit(found, origin, size, seen_root, number))
    assert state.parse(state.dump(found)) == found
    for origin in {visit[0] for visit in visits}:
        own = [visit for visit in visits if visit[0] == origin]
        sizes = [head.size for head in found.logs[origin]]
        assert sizes[-1] == max(visit[1] for visit in own)
        assert sizes[0] == own[0][1]


@pytest.mark.parametrize(
    ("origin", "size", "seen_root", "ms"),
    [("x", 1, root(1), 1), (ORIGIN, -1, root(1), 1), (ORIGIN, 1, b"", 1), (ORIGIN, 1, root(1), 2**53)],
)
def test_a_head_no_state_can_hold_is_our_own_mistake(origin: str, size: int, seen_root: bytes, ms: int) -> None:
    with pytest.raises(ValueError, match="name"):
        state.with_visit(visited(), origin, size, seen_root, ms)


@pytest.mark.parametrize(("vault", "viks", "code"), [("0" * 32, [VIK.pub], "WRONG_VAULT"), (VAULT, [], "WRONG_KEY")])
def test_another_vaults_state_is_refused(vault: str, viks: list[bytes], code: str) -> None:
    fault = state.check(visited(3), vault, viks)
    assert fault is not None
    assert fault.code == code


def test_a_saved_state_loads_again(tmp_path: Path) -> None:
    path = tmp_path / "visits.json"
    assert state.load(path) is None
    for one in (visited(3), visited(3, 70)):
        assert state.save(path, one) is None
        assert state.load(path) == one
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_bare_file_name_is_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert state.save("visits.json", visited(3)) is None
    assert state.load("visits.json") == visited(3)


@pytest.mark.parametrize("dangling", [False, True])
def test_nothing_is_read_or_written_through_a_link(tmp_path: Path, dangling: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    if not dangling:
        target.write_bytes(state.dump(visited(3)))
    link.symlink_to(target)
    for fault in (state.load(link), state.save(link, visited(70))):
        assert isinstance(fault, Fault)
    assert link.is_symlink()
    assert target.exists() is not dangling
    if not dangling:
        assert target.read_bytes() == state.dump(visited(3))
    assert len(list(tmp_path.iterdir())) == (1 if dangling else 2)


def test_a_pipe_or_folder_is_refused_and_nothing_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder"):
        for fault in (state.load(path), state.save(path, visited(3))):
            assert isinstance(fault, Fault)
            assert fault.code in ("UNREADABLE", "UNWRITABLE")


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "visits"
    with path.open("wb") as file:
        file.truncate(10 << 30)
    fault = state.load(path)
    assert isinstance(fault, Fault)
    assert fault.code == "TOO_LARGE"


@pytest.mark.parametrize("name", ["missing/visits", "file/visits", "bad\0name", "n" * 300])
def test_a_place_that_cannot_be_written_is_a_fault_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    fault = state.save(tmp_path / name, visited(3))
    assert isinstance(fault, Fault)
    assert fault.code == "UNWRITABLE"
    assert fault.sentence
    assert not isinstance(state.load(tmp_path / name), State)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("data", [b"", b"{}\n", b"not json\n"])
def test_a_spoiled_file_is_a_fault(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "visits").write_bytes(data)
    assert isinstance(state.load(tmp_path / "visits"), Fault)


def test_a_state_that_would_not_read_again_is_never_saved(tmp_path: Path) -> None:
    path = tmp_path / "visits"
    assert state.save(path, visited(3)) is None
    shrunk = State(VAULT, VIK.pub.hex(), "0" * 32, {ORIGIN: (Head(5, root(5), 1), Head(4, root(4), 2))})
    with pytest.raises(ValueError, match="logs"):
        state.save(path, shrunk)
    assert state.load(path) == visited(3)
