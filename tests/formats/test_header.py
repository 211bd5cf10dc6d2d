"""Headers: strict, canonical, capped."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.errors import Damaged, NotevaultError, UnknownFormat
from notevault.formats.header import LIMIT, Header, file_name, parse_file_name
from tests.formats.builders import a_header

HEADERS = [a_header(1), a_header(2, seq=3), a_header(3, seq=2, cross=True, share=True)]


@pytest.mark.parametrize("header", HEADERS, ids=["first", "third", "renewed"])
def test_a_header_comes_back_as_it_went(header: Header) -> None:
    data = header.to_bytes()
    assert Header.parse(data) == header
    assert json.loads(header.unsigned_bytes()).keys() == json.loads(data).keys() - {"sig"}


@given(st.sampled_from(HEADERS), st.integers(0), st.integers(1, 255))
def test_no_altered_byte_gives_the_same_header_or_a_crash(header: Header, at: int, flip: int) -> None:
    data = bytearray(header.to_bytes())
    data[at % len(data)] ^= flip
    try:
        again = Header.parse(bytes(data))
    except NotevaultError:
        return
    assert again != header
    assert again.to_bytes() == bytes(data)


@given(st.sampled_from(HEADERS), st.integers(0))
def test_a_header_cut_short_is_refused(header: Header, at: int) -> None:
    data = header.to_bytes()
    with pytest.raises(Damaged):
        Header.parse(data[: at % len(data)])


def edited(header: Header, **changes: object) -> bytes:
    obj = json.loads(header.to_bytes()) | changes
    obj = {key: value for key, value in obj.items() if value is not None}
    return json.dumps(obj, sort_keys=True, separators=(",", ":")).encode() + b"\n"


SLOT_JSON = json.loads(HEADERS[1].to_bytes())["slots"]
PASSPHRASE_JSON = next(slot for slot in SLOT_JSON if slot["kind"] == "passphrase")
BAD = {
    "no-vault": {"vault": None},
    "unknown-key": {"zzz": 1},
    "upper-case": {"vault": "AB" * 16},
    "seq-zero": {"seq": 0},
    "seq-too-long": {"seq": 100_000_000},
    "seq-text": {"seq": "1"},
    "generation-zero": {"generation": 0},
    "no-prev": {"prev": "0" * 64},
    "slots-swapped": {"slots": SLOT_JSON[::-1]},
    "slot-twice": {"slots": [SLOT_JSON[0], SLOT_JSON[0]]},
    "slots-object": {"slots": {}},
    "slot-text": {"slots": ["passphrase"]},
    "slot-without-kind": {"slots": [{}]},
    "retired-unsorted": {"retired": ["bb" * 16, "aa" * 16]},
    "retired-in-use": {"retired": [SLOT_JSON[0]["id"]]},
    "origin-unlisted": {"origins": {"01" * 16: 7}},
    "origins-list": {"origins": []},
    "origins-text": {"origins": {"5a" * 16: "7"}},
    "short-sig": {"sig": "AAAA"},
    "vik-short": {"vik": "00"},
    "cross-empty": {"cross": {}},
    "ds-zero": {"slots": [PASSPHRASE_JSON | {"ds": 0}]},
    "p-zero": {"slots": [PASSPHRASE_JSON | {"p": 0}]},
    "p-256": {"slots": [PASSPHRASE_JSON | {"p": 256}]},
    "m-beyond-u32": {"slots": [PASSPHRASE_JSON | {"m": 2**32}]},
    "slot-extra": {"slots": [PASSPHRASE_JSON | {"hint": "x"}]},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_a_header_that_is_not_exact_is_refused(changes: dict[str, object]) -> None:
    assert Header.parse(edited(HEADERS[1])) == HEADERS[1]
    with pytest.raises(Damaged) as caught:
        Header.parse(edited(HEADERS[1], **changes))
    assert type(caught.value) is Damaged


@pytest.mark.parametrize("changes", [{"v": 2}, {"v": 2, "zzz": 1}, {"slots": [{"kind": "totp"}]}])
def test_a_newer_header_is_called_unknown(changes: dict[str, object]) -> None:
    with pytest.raises(UnknownFormat):
        Header.parse(edited(HEADERS[1], **changes))


@pytest.mark.parametrize(("k", "n"), [(0, 3), (4, 3), (1, 17)])
def test_a_share_slot_needs_k_of_n_up_to_sixteen(k: int, n: int) -> None:
    share = next(slot for slot in HEADERS[2].slots if slot.kind == "share")
    with pytest.raises(Damaged):
        Header.parse(replace(HEADERS[2], slots=(replace(share, k=k, n=n),)).to_bytes())


def test_size_is_capped_before_parsing() -> None:
    with pytest.raises(Damaged, match="larger"):
        Header.parse(b"{" + b" " * LIMIT)


def test_the_file_name_says_seq_and_digest() -> None:
    name = file_name(HEADERS[1].to_bytes())
    assert name.startswith("00000003-")
    assert len(name) == 73
    assert parse_file_name(name) == (3, name[9:])
    for bad in ("", name[:-1], name.upper(), name.replace("-", "_"), "00000000" + name[8:], "0000000٣" + name[8:]):
        with pytest.raises(Damaged):
            parse_file_name(bad)
