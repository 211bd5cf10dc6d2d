"""Entries: one spelling each, a closed schema, and a sentence for everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.auditlog import canon, entry, events
from notevault.auditlog.fault import Fault, sound
from tests.auditlog import sample
from tests.auditlog.sample import fields


@pytest.mark.parametrize("ev", sorted(entry.EVENTS))
def test_every_event_is_written_and_read_back(ev: str) -> None:
    values = fields(3, ev)
    data = entry.encode(values)
    found = sound(entry.parse(data))
    assert found.fields() == values
    assert (found.raw, found.ev, found.i, found.a, found.c, found.z) == (
        data, ev, 3, values["a"], values.get("c"), values.get("z"),
    )  # fmt: skip
    assert (found.g, found.h, found.st, found.nt) == tuple(values.get(name) for name in ("g", "h", "st", "nt"))
    assert found.k == values.get("k", {})


@pytest.mark.parametrize("ev", sorted(entry.EVENTS))
def test_taking_away_or_adding_any_field_is_refused_unless_optional(ev: str) -> None:
    rule = entry.EVENTS[ev]
    values = fields(3, ev)
    for name in values:
        taken = {key: value for key, value in values.items() if key != name}
        if name != "v":  # `encode` adds the version
            with pytest.raises(ValueError, match=r"MISSING_FIELD|UNKNOWN_FIELD"):
                entry.encode(taken)
    for name, need, value in (("st", rule.st, "0" * 32), ("nt", rule.nt, "0" * 32), ("c", events.NO, "0" * 64)):
        if need == events.NO and name not in values:
            with pytest.raises(ValueError, match="UNKNOWN_FIELD"):
                entry.encode({**values, name: value})


@pytest.mark.parametrize("ev", sorted(entry.EVENTS))
def test_only_the_actions_of_an_event_are_taken(ev: str) -> None:
    for action in "CRUDE":
        data = canon.dump(fields(3, ev, a=action))
        assert isinstance(entry.parse(data), Fault) is (action not in entry.EVENTS[ev].a)


@pytest.mark.parametrize("ev", sorted(entry.EVENTS))
def test_a_reported_act_tells_when_it_happened(ev: str) -> None:
    values = fields(3, ev, o="reported")
    with pytest.raises(ValueError, match="MISSING_FIELD"):
        entry.encode(values)
    values["k"] = {"at": 12, **values.get("k", {})}
    assert sound(entry.parse(entry.encode(values))).k["at"] == 12
    with pytest.raises(ValueError, match="UNKNOWN_FIELD"):
        entry.encode({**values, "o": "ok"})


@pytest.mark.parametrize("blocks", range(1, 33))
def test_details_of_every_padded_size_are_taken_and_no_other(blocks: int) -> None:
    size = 32 + 256 * blocks
    for extra in (-1, 0, 1, 2):
        values = fields(3, "search.run", x={"d": sample.b64("d", size + extra)})
        assert isinstance(entry.parse(canon.dump(values)), Fault) is (extra != 0)
    beyond = fields(3, "search.run", x={"d": sample.b64("d", 32 + 256 * (32 + blocks))})
    assert isinstance(entry.parse(canon.dump(beyond)), Fault)
    values = fields(3, "search.run", x={"d": sample.b64("d", size)})
    assert len(sound(entry.parse(entry.encode(values))).x["d"]) == size


def test_the_largest_numbers_are_taken_and_the_next_refused() -> None:
    top = entry.encode(fields(3, "session.lock", t=2**53 - 1, m=2**53 - 1, e=2**53 - 1))
    assert sound(entry.parse(top)).t == 2**53 - 1
    beyond = top.replace(str(2**53 - 1).encode(), str(2**53).encode(), 1)
    assert sound_code(entry.parse(beyond)) == "NUMBER"
    wide = fields(3, "session.list", g=2**32)
    assert sound_code(entry.parse(canon.dump(wide))) == "BAD_VALUE"


def sound_code(value: object) -> str:
    assert isinstance(value, Fault)
    return value.code


@given(st.integers(0, 2**53 - 1))
def test_the_number_pattern_takes_every_number(number: int) -> None:
    assert sound(entry.parse(entry.encode(fields(3, "session.lock", m=number)))).m == number


@given(st.binary(max_size=400))
def test_random_bytes_are_a_fault(data: bytes) -> None:
    assert isinstance(entry.parse(data), Fault)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 2**60), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)


@settings(max_examples=150)
@given(st.sampled_from(sorted(entry.EVENTS)), st.sampled_from(["a", "c", "ev", "g", "k", "x", "v", "o", "zz"]), JSON)
def test_any_json_in_any_field_is_a_fault_or_canonical(ev: str, name: str, value: Any) -> None:
    data = json.dumps({**fields(3, ev), name: value}, sort_keys=True, separators=(",", ":")).encode()
    found = entry.parse(data)
    assert isinstance(found, Fault) or entry.encode(found.fields()) == data


@settings(max_examples=150)
@given(st.sampled_from(sorted(entry.EVENTS)), st.data())
def test_a_changed_byte_is_a_fault_or_another_valid_entry(ev: str, data: st.DataObject) -> None:
    raw = bytearray(entry.encode(fields(3, ev)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    found = entry.parse(bytes(raw))
    assert isinstance(found, Fault) or entry.encode(found.fields()) == bytes(raw)


@pytest.mark.parametrize("depth", [3000, 16000])
def test_deep_nesting_is_a_fault(depth: int) -> None:
    assert isinstance(entry.parse(b'{"a":' * (depth // 5)), Fault)
    assert isinstance(entry.parse(b"[" * depth), Fault)


def test_a_fault_does_not_repeat_what_it_read() -> None:
    values = {**fields(3, "session.lock"), "secret name": "Anna Berg"}
    fault = entry.parse(json.dumps(values, sort_keys=True, separators=(",", ":")).encode())
    assert isinstance(fault, Fault)
    assert "Anna" not in str(fault)
    assert "secret" not in str(fault)


def test_the_mac_covers_prefix_origin_and_everything_but_itself() -> None:
    values = fields(3, "session.list")
    message = entry.mac_message(sample.ORIGIN, values)
    without = {name: value for name, value in values.items() if name != "h"}
    assert message == b"notevault/v1/entry-mac\0" + bytes.fromhex(sample.ORIGIN) + canon.dump(without)


def test_encode_refuses_what_no_json_can_hold() -> None:
    for value in (None, 1.5, True, -1, b"bytes", "ä", 'quo"te'):
        with pytest.raises(ValueError, match=r"."):
            entry.encode({**fields(3, "session.lock"), "m": value})
