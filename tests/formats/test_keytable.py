"""The key table in clear, and the routing of entries: fixed-width bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.errors import Damaged, NotevaultError, OwnFault, Refused, UnknownFormat, WrongSeal
from notevault.formats.keytable import MAC, ROUTING, KeyTable, Purpose
from notevault.formats.routing import Routing
from tests.formats.builders import a_table

keys = st.binary(min_size=32, max_size=32)
generations = st.integers(1, 2**32 - 1)
client_ids = st.binary(min_size=16, max_size=16).filter(any)
tables = st.builds(
    KeyTable,
    keys,
    st.dictionaries(st.tuples(st.sampled_from(list(Purpose)), generations), keys, max_size=8),
    st.dictionaries(st.tuples(client_ids, generations), keys, max_size=8),
)


@given(tables)
def test_a_table_comes_back_as_it_went(table: KeyTable) -> None:
    assert KeyTable.unpack(table.pack()) == table


@given(tables, st.integers(0), st.integers(1, 255))
def test_a_mutated_table_is_refused_or_is_another_table(table: KeyTable, at: int, flip: int) -> None:
    data = bytearray(table.pack())
    data[at % len(data)] ^= flip
    try:
        again = KeyTable.unpack(bytes(data))
    except NotevaultError:
        return
    assert again != table
    assert again.pack() == bytes(data)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_table_reader_fail_otherwise(data: bytes) -> None:
    for candidate in (data, data.ljust(4096, b"\0"), (len(data).to_bytes(4, "big") + data).ljust(4096, b"\0")):
        try:
            table = KeyTable.unpack(candidate)
        except Damaged:
            continue
        assert table.pack() == candidate


@pytest.mark.parametrize(("clients", "size"), [(0, 4096), (70, 4096), (71, 8192), (300, 16384)])
def test_a_table_is_padded_to_a_power_of_two(clients: int, size: int) -> None:
    assert len(a_table(clients=clients).pack()) == size


def test_rows_out_of_order_or_twice_are_refused() -> None:
    plain = bytearray(a_table(clients=2).pack())
    at = 4 + 36 + 4 + 10 * 37 + 4
    first, second = plain[at : at + 52], plain[at + 52 : at + 104]
    for rows in (second + first, first + first):
        bad = plain[:at] + rows + plain[at + 104 :]
        with pytest.raises(Damaged):
            KeyTable.unpack(bytes(bad))


def test_a_newer_version_or_purpose_is_called_unknown() -> None:
    for at, value in ((5, 2), (4 + 36 + 4, 6)):
        plain = bytearray(KeyTable(bytes(32), {(Purpose.SETTINGS, 1): bytes(32)}, {}).pack())
        plain[at] = value
        with pytest.raises(UnknownFormat):
            KeyTable.unpack(bytes(plain))


def test_the_highest_generation_is_for_writing_and_the_others_for_reading() -> None:
    table = a_table()
    assert table.current(ROUTING) == (2, table.wide[ROUTING, 2])
    assert table.wide_key(MAC, 1) == table.wide[MAC, 1]
    client = b"c" * 16
    table = KeyTable(table.vik_seed, table.wide, {(client, 1): bytes(32), (client, 9): b"9" * 32})
    assert table.client_current(client) == (9, b"9" * 32)
    assert table.client_key(client, 1) == bytes(32)
    assert table.client_ids() == (client,)
    for lacking in (lambda: table.client_key(client, 2), lambda: table.client_current(b"d" * 16)):
        with pytest.raises(WrongSeal):
            lacking()
    with pytest.raises(WrongSeal):
        table.wide_key(MAC, 3)
    with pytest.raises(OwnFault):
        KeyTable(bytes(32), {}, {}).current(MAC)


def test_a_key_of_a_wrong_size_or_number_is_never_kept() -> None:
    good = bytes(32)
    for table in (
        KeyTable(b"", {}, {}),
        KeyTable(good, {(MAC, 1): b"short"}, {}),
        KeyTable(good, {(MAC, 0): good}, {}),
        KeyTable(good, {}, {(b"c" * 16, 2**32): good}),
        KeyTable(good, {}, {(bytes(16), 1): good}),
        KeyTable(good, {}, {(b"c", 1): good}),
    ):
        with pytest.raises(OwnFault):
            table.pack()


def test_too_many_clients_are_said_so() -> None:
    clients = {(i.to_bytes(16, "big"), 1): bytes(32) for i in range(1, 40_400)}
    with pytest.raises(Refused, match="as many clients"):
        KeyTable(bytes(32), {}, clients).pack()


def test_repr_hides_every_key() -> None:
    table = KeyTable(b"VIKSEED!" * 4, {(MAC, 1): b"WIDEKEY!" * 4}, {(b"c" * 16, 1): b"CLIENTK!" * 4})
    assert repr(table) == str(table) == "KeyTable(...)"


routings = st.builds(
    Routing,
    st.integers(1, 8),
    st.integers(0, 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
)


@given(routings, st.integers(0, 47), st.integers(1, 255))
def test_routing_comes_back_and_no_other_byte_is_ignored(routing: Routing, at: int, flip: int) -> None:
    data = routing.pack()
    assert Routing.parse(data) == routing
    bad = bytearray(data)
    bad[at] ^= flip
    try:
        assert Routing.parse(bytes(bad)).pack() == bytes(bad)
    except Damaged:
        assert at in (0, 1, 2, 3, 12, 13, 14, 15)


@pytest.mark.parametrize("size", [0, 47, 49])
def test_routing_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(Damaged):
        Routing.parse(bytes(size))
