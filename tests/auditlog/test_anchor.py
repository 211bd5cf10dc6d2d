"""Anchors: what a file name says, the file must sign; and the identity alone decides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import anchor, checkpoint
from notevault.auditlog.fault import Fault, sound
from notevault.auditlog.outcome import Seen
from tests.auditlog import sample
from tests.auditlog.sample import EPOCH0, IDENTITY, ORIGIN, Key, Log

DATA = Log(sample.entries(3)).checkpoint(3)
ROOT = sound(checkpoint.parse(DATA)).root
NAME = anchor.name_of(3, ROOT)
ROOTS = st.binary(min_size=32, max_size=32)
SIZES = st.integers(0, 2**53 - 1)


def check(name: str, data: bytes, origin: str = ORIGIN, pub: bytes = IDENTITY.pub) -> Seen | Fault:
    return anchor.check(origin, name, data, pub, sample.verify, "the backup on the stick", 7)


@given(SIZES, ROOTS)
def test_names_read_back(size: int, root: bytes) -> None:
    assert anchor.parse_name(anchor.name_of(size, root)) == (size, root)


@given(st.text(max_size=90))
def test_any_other_name_is_none(text: str) -> None:
    found = anchor.parse_name(text)
    assert found is None or anchor.name_of(*found) == text


@given(st.from_regex(r"[0-9]{1,17}-[0-9a-f]{63,65}", fullmatch=True))
def test_a_state_has_one_name_only(text: str) -> None:
    found = anchor.parse_name(text)
    assert found is None or anchor.name_of(*found) == text


@pytest.mark.parametrize("size_and_root", [(-1, bytes(32)), (2**53, bytes(32)), (1, bytes(31)), (1, b"")])
def test_what_no_checkpoint_can_say_has_no_name(size_and_root: tuple[int, bytes]) -> None:
    with pytest.raises(ValueError, match="root"):
        anchor.name_of(*size_and_root)


def test_an_anchor_tells_what_was_signed_and_where_it_was_seen() -> None:
    assert check(NAME, DATA) == Seen(ORIGIN, 3, ROOT, "the backup on the stick", 7)


@given(SIZES, ROOTS, st.integers(0, 9))
def test_every_checkpoint_is_an_anchor_under_its_own_name_and_no_other(size: int, root: bytes, epoch: int) -> None:
    data = checkpoint.make(ORIGIN, size, root, epoch, IDENTITY.sign, EPOCH0.sign, IDENTITY.pub, EPOCH0.pub)
    found = sound(check(anchor.name_of(size, root), data))
    assert (found.size, found.root) == (size, root)
    assert isinstance(check(NAME, data), Fault)


def test_a_thief_with_the_current_key_alone_makes_no_anchor() -> None:
    thief = Key("thief")
    data = checkpoint.make(ORIGIN, 3, bytes(32), 0, thief.sign, EPOCH0.sign, IDENTITY.pub, EPOCH0.pub)
    fault = check(anchor.name_of(3, bytes(32)), data)
    assert isinstance(fault, Fault)
    assert fault.code == "BAD_SIGNATURE"


def test_an_anchor_of_an_epoch_whose_key_is_gone_still_counts() -> None:
    data = Log(sample.entries(3), 9, Key("erased long ago")).checkpoint(3)
    assert isinstance(check(NAME, data), Seen)


def test_every_changed_byte_of_what_identity_signed_is_found() -> None:
    signed = DATA.index(b"\n", DATA.index(b"\n\n") + 2)  # up to the end of the identity's line
    for at in range(signed):
        for bit in (1, 32):
            spoiled = bytearray(DATA)
            spoiled[at] ^= bit
            assert isinstance(check(NAME, bytes(spoiled)), Fault), at


@given(st.binary(max_size=400), st.text(max_size=20))
def test_random_anchors_never_raise(data: bytes, name: str) -> None:
    assert isinstance(check(NAME, data), Fault)
    assert isinstance(check(name, data), Fault)


def test_each_mismatch_has_its_own_sentence() -> None:
    other = "0e" * 16
    faults = [
        check("x", DATA),
        check("4" + NAME[1:], DATA),
        check(anchor.name_of(3, bytes(32)), DATA),
        check(NAME, DATA, origin=other),
        check(NAME, DATA, pub=Key("other").pub),
    ]
    said = [(fault.code, fault.sentence) for fault in faults if isinstance(fault, Fault)]
    assert [code for code, _ in said] == ["BAD_NAME", "WRONG_SIZE", "WRONG_ROOT", "WRONG_ORIGIN", "KEY_ID"]
    assert len({sentence for _, sentence in said}) == 5
