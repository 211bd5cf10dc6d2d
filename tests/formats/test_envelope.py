"""Heads, inners and padding of objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.errors import Damaged, NotevaultError, OwnFault, UnknownFormat
from notevault.formats import envelope
from notevault.formats.envelope import Inner, RecordType, padded_size
from notevault.formats.ids import ZERO_ID

CLIENT, NOTE = b"c" * 16, b"o" * 16
GOOD = [
    (1, CLIENT, ZERO_ID, 1),
    (2, CLIENT, NOTE, 7),
    (3, ZERO_ID, ZERO_ID, 2),
    (4, CLIENT, NOTE, 1),
    (5, ZERO_ID, NOTE, 0),
    (6, ZERO_ID, ZERO_ID, 1),
    (7, ZERO_ID, ZERO_ID, 1),
    (8, ZERO_ID, NOTE, 1),
]
PADDED = [
    (0, 4096), (1, 4096), (4096, 4096), (4097, 8192), (8192, 8192), (8193, 16384), (16384, 16384),
    (16385, 17408), (17408, 17408), (17409, 18432), (32768, 32768), (32769, 34816), (65536, 65536), (65537, 67584),
    (100_000, 100_352), (1_000_000, 1_015_808), (2**26, 2**26), (2**26 + 1, 2**26 + 2**21), (2**32 + 1, 2**32 + 2**26),
]  # fmt: skip


@pytest.mark.parametrize(("size", "padded"), PADDED)
def test_sizes_are_padded_as_the_table_says(size: int, padded: int) -> None:
    assert padded_size(size) == padded


@given(st.integers(0, 2**48))
def test_padding_never_shrinks_wastes_at_most_an_eighth_and_is_its_own_padding(n: int) -> None:
    padded = padded_size(n)
    assert padded >= n
    assert padded_size(padded) == padded
    assert n <= 16384 or (padded - n) * 8 <= n


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_padding_keeps_order(a: int, b: int) -> None:
    assert (a <= b) <= (padded_size(a) <= padded_size(b))


def pad(inner: Inner) -> bytes:
    data = envelope.pack_inner(inner)
    return data.ljust(padded_size(len(data)), b"\0")


@given(st.sampled_from(GOOD), st.binary(max_size=60))
def test_an_inner_comes_back_as_it_went(address: tuple[int, bytes, bytes, int], payload: bytes) -> None:
    inner = Inner(*address, payload)
    again = envelope.parse_inner(pad(inner))
    assert again == inner
    assert type(again.type) is RecordType


@given(st.sampled_from(GOOD), st.binary(max_size=60), st.integers(0, 4095), st.integers(1, 255))
def test_a_mutated_inner_is_refused_or_is_another_record(
    address: tuple[int, bytes, bytes, int], payload: bytes, at: int, flip: int
) -> None:
    inner = Inner(*address, payload)
    data = bytearray(pad(inner))
    data[at] ^= flip
    try:
        again = envelope.parse_inner(bytes(data))
    except NotevaultError:
        return
    assert again != inner
    assert at < 45 + len(payload)  # padding was never altered without notice
    assert pad(again) == bytes(data)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_parsers_fail_otherwise(data: bytes) -> None:
    for parse in (envelope.parse_inner, envelope.parse_head, envelope.parse_inner_head):
        with pytest.raises(Damaged):  # too short for anything valid: an inner has 4096, a head a magic
            parse(b"\xff" + data)


@pytest.mark.parametrize("address", GOOD)
def test_an_address_that_contradicts_its_type_is_neither_written_nor_read(
    address: tuple[int, bytes, bytes, int],
) -> None:
    kind, client, object_, version = address
    other = {CLIENT: ZERO_ID, ZERO_ID: CLIENT, NOTE: ZERO_ID}
    wrong = [(kind, other[client], object_, version), (kind, client, other[object_], version)]
    if kind != 5:
        wrong.append((kind, client, object_, 0))
    if kind in (4, 6, 7, 8):
        wrong.append((kind, client, object_, 2))
    for bad in wrong:
        with pytest.raises(OwnFault):
            envelope.pack_inner(Inner(*bad, b""))
        with pytest.raises(Damaged):
            envelope.parse_inner(envelope._INNER.pack(*bad, 0).ljust(4096, b"\0"))


def test_an_unknown_type_is_called_unknown() -> None:
    for number in (0, 9, 255):
        with pytest.raises(UnknownFormat):
            envelope.parse_inner(envelope._INNER.pack(number, CLIENT, NOTE, 1, 0).ljust(4096, b"\0"))


def test_a_length_beyond_the_record_or_of_another_padding_is_refused() -> None:
    for length, size in ((4096 - 44, 4096), (2**63, 4096), (10, 8192), (5000, 4096)):
        with pytest.raises(Damaged):
            envelope.parse_inner(envelope._INNER.pack(2, CLIENT, NOTE, 1, length).ljust(size, b"\0"))


@pytest.mark.parametrize("chunk_log2", [0, 16, 20, 22])
def test_a_head_comes_back_as_it_went(chunk_log2: int) -> None:
    data = envelope.pack_head_prefix(b"s" * 32, chunk_log2=chunk_log2) + b"k" * 32
    assert envelope.parse_head(data) == envelope.Head(bool(chunk_log2), chunk_log2, b"s" * 32, b"k" * 32)
    for at in range(8):
        for flip in range(1, 256):
            bad = bytearray(data)
            bad[at] ^= flip
            try:
                head = envelope.parse_head(bytes(bad))
            except Damaged:
                continue
            # only another permitted chunk size parses: the commitment covers it
            assert at == 6
            assert head.chunk_log2 != chunk_log2


@pytest.mark.parametrize(("at", "value"), [(4, 2), (5, 2), (5, 3), (5, 0x80)])
def test_a_newer_suite_or_flag_is_called_unknown(at: int, value: int) -> None:
    data = bytearray(envelope.pack_head_prefix(b"s" * 32) + b"k" * 32)
    data[at] = value
    with pytest.raises(UnknownFormat):
        envelope.parse_head(bytes(data))


@given(st.integers(0, 2**27), st.sampled_from([16, 20, 22]))
def test_a_streams_size_tells_its_padded_size(n: int, chunk_log2: int) -> None:
    padded = padded_size(n)
    size = 72 + padded + 16 * envelope.chunk_count(padded, chunk_log2)
    assert envelope.stream_padded_size(size, chunk_log2) == padded
    for wrong in (size - 1, size + 1, size - 16, size + 16):
        with pytest.raises(Damaged):
            envelope.stream_padded_size(wrong, chunk_log2)


def test_repr_does_not_show_the_payload() -> None:
    assert "secret" not in repr(Inner(2, CLIENT, NOTE, 1, b"secret"))
