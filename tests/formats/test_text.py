"""Canonical JSON, payload JSON, base64, hex: one spelling per value, and nothing but Damaged for the rest."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.errors import Damaged, OwnFault
from notevault.formats.text import (
    MAX_INT,
    b64,
    canonical,
    exact_keys,
    integer,
    parse_canonical,
    parse_payload,
    payload_json,
    unb64,
    unhex,
)

plain = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, blacklist_characters='"\\'), max_size=8)
whole = st.integers(0, MAX_INT)
canon_values = st.recursive(
    plain | whole, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3), max_leaves=8
)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
payload_values = st.recursive(
    anything | st.integers(-MAX_INT, MAX_INT) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(st.dictionaries(plain, canon_values, max_size=4).filter(lambda value: depth(value) <= 8))
def test_canonical_json_comes_back_as_it_went(obj: dict[str, object]) -> None:
    data = canonical(obj)
    assert parse_canonical(data, limit=len(data)) == obj
    assert parse_canonical(data + b"\n", limit=len(data) + 1, newline=True) == obj


@given(st.dictionaries(anything, payload_values, max_size=4).filter(lambda value: depth(value) <= 8))
def test_payload_json_comes_back_as_it_went(obj: dict[str, object]) -> None:
    assert parse_payload(payload_json(obj)) == obj


@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,0123456789abe+-.\\ntrufls ', max_size=24).map(str.encode))
def test_whatever_parses_is_spelled_the_one_way(data: bytes) -> None:
    for parse, spell in ((lambda d: parse_canonical(d, limit=100), canonical), (parse_payload, payload_json)):
        try:
            value = parse(data)
        except Damaged:
            continue
        assert spell(value) == data


REFUSED = [
    b"",
    b"{",
    b"[]",
    b"1",
    b'{"a": 1}',
    b' {"a":1}',
    b'{"a":1}\n',
    b'{"b":1,"a":1}',
    b'{"a":1,"a":1}',
    b'{"a":1,"a":2}',
    b'{"a":-1}',
    b'{"a":01}',
    b'{"a":1.0}',
    b'{"a":1e3}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":true}',
    b'{"a":null}',
    b'{"a":9007199254740992}',
    b'{"a":' + b"9" * 5000 + b"}",
    b'{"a":"\\u0041"}',
    b'{"a":"\\n"}',
    b'{"a":"\\""}',
    b'{"a":"\x7f"}',
    '{"a":"ä"}'.encode(),
    b'{"a":"\xff"}',
    b"\xef\xbb\xbf{}",
    b'{"a":' + b"[" * 9 + b"]" * 9 + b"}",
    b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}",
]


@pytest.mark.parametrize("data", REFUSED, ids=range(len(REFUSED)))
def test_another_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(Damaged):
        parse_canonical(data, limit=1_000_000)


def test_size_is_checked_before_parsing_and_the_newline_is_counted() -> None:
    assert parse_canonical(b"{}", limit=2) == {}
    for data, limit, newline in ((b"{}", 1, False), (b"{}", 9, True), (b"{}\n\n", 9, True), (b"{}\r\n", 9, True)):
        with pytest.raises(Damaged):
            parse_canonical(data, limit=limit, newline=newline)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1.5}',
        b'{"a":"\\u00e4"}',
        b'{"a":"\\/"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\n"}',
        b"[]",
    ],
)
def test_a_payload_in_another_spelling_is_refused(data: bytes) -> None:
    with pytest.raises(Damaged):
        parse_payload(data)


def test_control_characters_are_spelled_as_the_format_says() -> None:
    text = "".join(map(chr, range(0x21))) + '"\\\x7fä\U0001f600\u2028'
    spelled = payload_json({"t": text}).decode()
    escapes = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
    expected = "".join(escapes.get(i, f"\\u{i:04x}") for i in range(0x20)) + ' \\"\\\\\x7fä\U0001f600\u2028'
    assert spelled == '{"t":"' + expected + '"}'


@pytest.mark.parametrize(
    "value", [{"a": True}, {"a": None}, {"a": 1.0}, {"a": -1}, {"a": "ä"}, {1: "a"}, [], {"a": b""}]
)
def test_what_canonical_json_cannot_hold_is_our_own_fault(value: object) -> None:
    with pytest.raises(OwnFault) as caught:
        canonical(value)  # type: ignore[arg-type]
    assert json.dumps("ä") not in str(caught.value)


def test_a_lone_surrogate_is_never_written() -> None:
    with pytest.raises(OwnFault):
        payload_json({"a": "\ud800"})


@given(st.binary(max_size=40))
def test_base64_comes_back_and_has_one_spelling(data: bytes) -> None:
    assert unb64(b64(data)) == data
    assert unb64(b64(data), len(data)) == data


@given(st.text(alphabet="AQgw09+/=-_ \n", max_size=9))
def test_base64_that_decodes_is_spelled_the_one_way(text: str) -> None:
    try:
        data = unb64(text)
    except Damaged:
        return
    assert b64(data) == text


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("AA", 1),
        ("AA=", 1),
        ("AA==\n", 1),
        ("AB==", 1),
        ("A-==", 1),
        ("AAAA", 2),
        (" AA==", 1),
        ("ÄÄ==", 1),
        (None, 1),
        (b"AA==", 1),
        (7, 1),
    ],
)
def test_loose_base64_is_refused(text: object, n: int) -> None:
    with pytest.raises(Damaged):
        unb64(text, n)


@pytest.mark.parametrize("text", ["0", "0G", "AB", "0 ", "0x", "٠٠", "", "000", None, 5, b"00"])
def test_loose_hex_is_refused(text: object) -> None:
    assert unhex("0f", 1) == b"\x0f"
    with pytest.raises(Damaged):
        unhex(text, 1)


def test_numbers_and_keys_are_taken_exactly() -> None:
    assert integer(3, 3, 3) == 3
    for value in (2, 4, True, "3", 3.0, None):
        with pytest.raises(Damaged):
            integer(value, 3, 3)
    keys = frozenset({"a"})
    assert exact_keys({"a": 1, "b": 2}, keys, frozenset({"b"})) == {"a": 1, "b": 2}
    for obj in ({}, {"a": 1, "c": 1}, [], None):
        with pytest.raises(Damaged):
            exact_keys(obj, keys)
