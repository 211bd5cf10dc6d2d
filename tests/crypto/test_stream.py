"""Streams: chunks cannot be cut, swapped, repeated or moved, and nothing is given before the last has verified."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.crypto import stream
from notevault.crypto.objects import open_object, seal_object
from notevault.errors import Damaged, NotevaultError, StorageFault, WrongSeal
from notevault.formats.envelope import Inner, RecordType, padded_size
from tests.fakes.simple import FakeEntropy

draw = FakeEntropy("streams").draw
CK, VAULT, CLIENT, FILE = draw(32), draw(16), draw(16), draw(16)
EXPECTED: dict[str, Any] = {"type": RecordType.ATTACHMENT, "client": CLIENT, "object": FILE, "version": 1}
STEP = 1 << 16
SEALED_STEP = STEP + 16


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def seal(data: bytes, *, chunk_log2: int = 16, piece: int = 50_000, seed: object = 0) -> bytes:
    return b"".join(
        stream.seal_stream(
            CK, VAULT, 4, CLIENT, FILE, 1, lambda: pieces(data, piece), len(data), chunk_log2, FakeEntropy(repr(seed))
        )
    )


def open_(blob: bytes, piece: int = 40_000, **change: object) -> bytes:
    return stream.open_stream(CK, VAULT, pieces(blob, piece), len(blob), **(EXPECTED | change))


SIZES = [0, 1, 4051, 4052, STEP - 46, STEP - 45, STEP - 44, 2 * STEP - 45, 2 * STEP, 200_000, 5 * STEP - 45 - 7]


@pytest.mark.parametrize("size", SIZES)
def test_a_stream_comes_back_as_it_went(size: int) -> None:
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    blob = seal(data)
    padded = padded_size(45 + size)
    assert len(blob) == 72 + padded + 16 * -(-padded // STEP)
    assert open_(blob) == data
    assert open_object(CK, VAULT, blob, **EXPECTED).payload == data


@given(st.integers(0, 150_000), st.integers(1, 150_000), st.integers(1, 150_000), st.sampled_from([16, 17]))
def test_the_pieces_in_which_bytes_come_do_not_matter(size: int, write: int, read: int, chunk_log2: int) -> None:
    data = bytes(size - size // 2) + b"\xff" * (size // 2)
    write, read = max(write, size // 50), max(read, size // 50)
    blob = seal(data, chunk_log2=chunk_log2, piece=write, seed=1)
    assert blob == seal(data, chunk_log2=chunk_log2, piece=200_000, seed=1)
    assert open_(blob, read) == data


DATA = draw(3 * STEP + 1000)
BLOB = seal(DATA)
CHUNKS = list(pieces(BLOB[72:], SEALED_STEP))


def test_chunks_swapped_repeated_or_left_out_are_found() -> None:
    head = BLOB[:72]
    assert len(CHUNKS) == 4
    a, b, c, d = CHUNKS
    for chunks in ([b, a, c, d], [a, a, c, d], [a, b, d], [a, b, c], [a, b, c, c], [a, b, c, d, d], [d], [a, d], []):
        with pytest.raises(Damaged):
            open_(head + b"".join(chunks))


def test_a_stream_cut_at_a_chunk_border_is_called_cut_short() -> None:
    for count in range(4):
        with pytest.raises(Damaged, match="cut short"):
            open_(BLOB[: 72 + count * SEALED_STEP])


@given(st.integers(0, len(BLOB) - 1))
def test_a_stream_cut_anywhere_is_found(size: int) -> None:
    with pytest.raises(Damaged):
        open_(BLOB[:size])


@given(st.integers(0, len(BLOB) - 1), st.integers(1, 255))
def test_an_altered_byte_is_found(at: int, flip: int) -> None:
    bad = bytearray(BLOB)
    bad[at] ^= flip
    with pytest.raises(Damaged):
        open_(bytes(bad))


def test_every_altered_byte_of_the_head_and_every_tag_is_found() -> None:
    tags = [72 + j * SEALED_STEP + STEP + k for j in range(3) for k in range(16)] + list(
        range(len(BLOB) - 16, len(BLOB))
    )
    for at in [*range(80), *tags]:
        bad = bytearray(BLOB)
        bad[at] ^= 0x10
        with pytest.raises(Damaged):
            open_(bytes(bad))


def test_a_file_that_is_shorter_or_longer_than_its_stated_size_is_found() -> None:
    for stated in (len(BLOB) - 1, len(BLOB) + 1, len(BLOB) + SEALED_STEP, 0, 72, 88):
        with pytest.raises(Damaged):
            stream.open_stream(CK, VAULT, iter([BLOB]), stated, **EXPECTED)
    with pytest.raises(Damaged):
        stream.open_stream(CK, VAULT, iter([BLOB, b"more"]), len(BLOB), **EXPECTED)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"type": RecordType.NOTE}, "another kind"),
        ({"client": draw(16)}, "moved to another client"),
        ({"object": draw(16)}, "another note"),
        ({"version": 2}, "another revision"),
    ],
)
def test_a_stream_moved_to_another_place_does_not_open(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(WrongSeal, match=sentence):
        open_(BLOB, **change)


def test_a_stream_of_another_client_or_vault_does_not_open() -> None:
    for ck, vault in ((draw(32), VAULT), (CK, draw(16))):
        with pytest.raises(WrongSeal, match="another client or another vault"):
            stream.open_stream(ck, vault, iter([BLOB]), len(BLOB), **EXPECTED)


def test_a_single_shot_object_is_no_stream() -> None:
    blob = seal_object(CK, VAULT, Inner(4, CLIENT, FILE, 1, b"x"), FakeEntropy())
    with pytest.raises(WrongSeal):
        open_(blob)


class Changing:
    """A file that is different when it is read for the second time."""

    def __init__(self, first: bytes, second: bytes) -> None:
        self.versions = [first, second]

    def __call__(self) -> Iterator[bytes]:
        return pieces(self.versions.pop(0), 30_000)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DATA, DATA[:-1] + b"\0"),
        (DATA, b"\0" + DATA[1:]),
        (DATA, DATA[:-1]),
        (DATA, DATA + b"\0"),
        (DATA[:-1], DATA),
        (DATA + b"\0", DATA),
        (DATA, b""),
    ],
)
def test_a_source_that_changes_between_the_passes_never_becomes_a_whole_object(first: bytes, second: bytes) -> None:
    given_out = bytearray()
    sealing = stream.seal_stream(CK, VAULT, 4, CLIENT, FILE, 1, Changing(first, second), len(DATA), 16, FakeEntropy())
    with pytest.raises(StorageFault, match="changed"):
        given_out.extend(byte for piece in sealing for byte in piece)
    assert len(given_out) <= 72 + 3 * SEALED_STEP
    if given_out:
        with pytest.raises(Damaged):
            open_(bytes(given_out))


def test_nothing_is_given_before_the_last_chunk_has_verified() -> None:
    bad = BLOB[:-1] + bytes([BLOB[-1] ^ 1])
    seen: list[bytes] = []
    with pytest.raises(WrongSeal):
        seen.append(open_(bad))
    assert not seen


def test_the_same_file_sealed_twice_shares_no_salt() -> None:
    assert seal(DATA, seed=1)[8:40] != seal(DATA, seed=2)[8:40]


def test_opening_takes_the_memory_of_one_copy_and_a_few_chunks() -> None:
    size = 8 << 20
    blob = seal(bytes(size), chunk_log2=20, piece=1 << 20)
    tracemalloc.start()
    try:
        stream.open_stream(CK, VAULT, pieces(blob, 1 << 20), len(blob), **EXPECTED)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size + (8 << 20)


@given(st.binary(max_size=120))
def test_no_bytes_make_the_reader_fail_otherwise(data: bytes) -> None:
    for candidate in (data, b"NVO1\1\1\x10\0" + data):
        with pytest.raises(NotevaultError):
            open_(candidate, 7)
