"""The live set and its cache: the same as a plain dictionary, and nothing of a damaged cache is ever believed."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.adapters.files import DiskFiles
from notevault.backup.source import cache as livecache
from notevault.backup.source.cache import Kept, NamedKeyFile, Walked
from notevault.backup.source.keyfiles import KeyFile
from notevault.backup.source.live import Live

# few different ones, so that the same file is written twice and destroyed
DIGESTS = st.integers(0, 40).map(lambda n: bytes([n * 6 % 256]) + bytes([n]) * 31)
WRITES = st.dictionaries(DIGESTS, st.tuples(st.integers(0, 2**53 - 1), st.integers(0, 2**40 - 1)))


def everything(live: Live) -> dict[bytes, tuple[int, int]]:
    return {digest: what for first in range(256) for digest, what in live.part(first).items()}


@given(st.lists(st.tuples(WRITES, st.sets(DIGESTS)), max_size=5))
def test_growing_is_writing_less_what_was_destroyed_whatever_the_order(steps: list) -> None:  # type: ignore[type-arg]
    live, written, purged = Live(), dict[bytes, tuple[int, int]](), set[bytes]()
    for writes, gone in steps:
        live = live.grown(writes, gone)
        written.update(writes)
        purged |= gone
        expected = {digest: what for digest, what in written.items() if digest not in purged}
        assert everything(live) == expected
        assert live.count == len(expected)
        assert live.weight == sum(size for size, _ in expected.values())
        for first in range(256):
            assert live.names(first) == {d.hex() for d in expected if d[0] == first}
            assert live.sizes(first) == {d.hex(): size for d, (size, _) in expected.items() if d[0] == first}
        for digest in {*written, *purged}:
            assert live.get(digest) == live.get(digest.hex()) == expected.get(digest, (None,))[0]
        written = {digest: what for digest, what in written.items() if digest not in purged}


@given(WRITES, st.sets(DIGESTS))
def test_what_is_packed_comes_back(writes: dict[bytes, tuple[int, int]], gone: set[bytes]) -> None:
    live = Live().grown(writes, gone)
    again = Live.unpack(*live.pack(), live.purged)
    assert everything(again) == everything(live)
    assert again.count == live.count


def test_records_in_a_wrong_part_do_not_unpack() -> None:
    counts, data = Live().grown({b"\1" * 32: (5, 0)}, ()).pack()
    for wrong in (counts[::-1], counts[:-1], [0] * 256, [*counts[:1], -1, *counts[2:]]):
        with pytest.raises(ValueError, match=r"."):
            Live.unpack(wrong, data, frozenset())


def _kept() -> Kept:
    key_file = KeyFile("0a" * 16, 3, "cd" * 32, "0b" * 16, b"v" * 32, None, 7, {"0a" * 16: 7})
    live = Live().grown({bytes([n]) * 32: (n, n) for n in range(9)}, [b"\3" * 32])
    walked = Walked(9, b"r" * 32, b"c" * 32, b"p" * 32, 4, 1000)
    named = (NamedKeyFile("0a" * 16, 3, "cd" * 32, 500),)
    return Kept("0b" * 16, frozenset([b"v" * 32]), {"0a" * 16: walked}, {key_file.key: key_file}, named, live)


def test_a_cache_comes_back_as_it_was_written() -> None:
    kept = _kept()
    again = livecache.decode(livecache.encode(kept))
    assert everything(again.live) == everything(kept.live)
    assert (again.vault, again.viks, again.logs, again.key_files, again.named, again.live.purged) == (
        kept.vault, kept.viks, kept.logs, kept.key_files, kept.named, kept.live.purged,
    )  # fmt: skip


@given(st.data())
def test_a_damaged_cache_is_never_believed(data: st.DataObject) -> None:
    good = bytearray(livecache.encode(_kept()))
    at = data.draw(st.integers(0, len(good) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "more"]))
    if kind == "flip":
        good[at] ^= data.draw(st.integers(1, 255))
    elif kind == "cut":
        del good[at:]
    else:
        good[at:at] = b"0"
    with pytest.raises((ValueError, KeyError, TypeError, IndexError)):
        livecache.decode(bytes(good))


@given(st.binary(max_size=300))
def test_no_bytes_at_all_are_a_cache_by_chance(data: bytes) -> None:
    with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
        livecache.decode(data)
        raise AssertionError("believed")


def test_a_cache_that_cannot_be_written_or_read_is_done_without(tmp_path: Path) -> None:
    files, path = DiskFiles(), tmp_path / "file" / "live"
    (tmp_path / "file").write_bytes(b"a file where the folder belongs")
    with contextlib.suppress(Exception):
        livecache.save(files, path, _kept())
    assert livecache.load(files, path) is None
    assert livecache.load(files, None) is None
    assert livecache.load(files, tmp_path / "absent") is None
