"""Disclosures: one client's entries of one year and no others; only the vault's owner can make one."""

from __future__ import annotations

import hmac
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.auditlog import disclosure, entry
from notevault.auditlog.disclosure import Disclosure
from notevault.auditlog.fault import Fault, sound
from notevault.crypto import subkeys
from tests.auditlog import sample
from tests.auditlog.sample import ORIGIN, START_MS, VAULT, VIK, Key

OTHER_LOG = "0e" * 16
KEYS = {1: b"1" * 32, 4: b"4" * 32}
YEAR = 2025
DATA = disclosure.make(VAULT, VIK.pub, YEAR, KEYS, START_MS, VIK.sign)
ONE = sound(disclosure.parse(DATA))
MAPS = st.dictionaries(st.integers(1, 2**32 - 1), st.binary(min_size=32, max_size=32), min_size=1, max_size=6)


def tag(key: bytes, origin: str, i: int) -> str:
    return subkeys.tag(key, origin, i).hex()


def made(i: int, st: str | None, t: int = START_MS, ev: str = "record.open") -> entry.Entry:
    return sound(entry.parse(entry.encode(sample.fields(i, ev, st=st, t=t) if st else sample.fields(i, ev, t=t))))


def check(found: Disclosure, vault: str = VAULT) -> Fault | None:
    return disclosure.check(found, vault, [Key("older identity").pub, VIK.pub], sample.verify)


@given(MAPS, st.integers(1970, 9999), st.integers(0, 2**53 - 1))
def test_disclosures_read_back(keys: dict[int, bytes], year: int, ms: int) -> None:
    found = sound(disclosure.parse(disclosure.make(VAULT, VIK.pub, year, keys, ms, VIK.sign)))
    assert check(found) is None
    assert (dict(found.keys), found.year, found.made) == (keys, year, ms)
    assert (found.vault, found.vik) == (VAULT, VIK.pub.hex())
    assert [generation for generation, _ in found.keys] == sorted(keys)


@given(st.binary(max_size=200), st.integers(0, 600))
def test_random_disclosures_never_raise_and_never_hold(data: bytes, at: int) -> None:
    assert isinstance(disclosure.parse(data), Fault)
    for spoiled in (DATA[:at] + data + DATA[at:], DATA[:at] + data + DATA[at + len(data) :]):
        found = disclosure.parse(spoiled)
        assert spoiled == DATA or isinstance(found, Fault) or check(found) is not None


def test_every_changed_byte_of_a_disclosure_is_found() -> None:
    for at in range(len(DATA)):
        for bit in (1, 32):
            found = disclosure.parse(DATA[:at] + bytes([DATA[at] ^ bit]) + DATA[at + 1 :])
            assert isinstance(found, Fault) or check(found) is not None, at


@pytest.mark.parametrize(
    ("keys", "year", "vault"),
    [
        ({}, YEAR, VAULT),
        ({0: b"k" * 32}, YEAR, VAULT),
        ({1: b"k"}, YEAR, VAULT),
        (KEYS, 1969, VAULT),
        (KEYS, YEAR, "x"),
    ],
)
def test_a_wrong_shape_is_our_own_mistake(keys: dict[int, bytes], year: int, vault: str) -> None:
    with pytest.raises(ValueError, match="BAD_VALUE"):
        disclosure.make(vault, VIK.pub, year, keys, START_MS, VIK.sign)


def test_more_keys_than_a_file_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="TOO_LARGE"):
        disclosure.make(VAULT, VIK.pub, YEAR, dict.fromkeys(range(1, 1000), b"k" * 32), START_MS, VIK.sign)


def test_keys_are_never_shown() -> None:
    assert KEYS[1].hex() not in repr(ONE)
    assert repr(KEYS[1]) not in repr(ONE)


@pytest.mark.parametrize(
    ("vault", "viks", "code"),
    [("0" * 32, [VIK.pub], "WRONG_VAULT"), (VAULT, [], "WRONG_KEY"), (VAULT, [Key("x").pub], "WRONG_KEY")],
)
def test_another_vaults_disclosure_is_refused(vault: str, viks: list[bytes], code: str) -> None:
    fault = disclosure.check(ONE, vault, viks, sample.verify)
    assert fault is not None
    assert fault.code == code


@given(st.integers(0, 2**40), st.sampled_from([ORIGIN, OTHER_LOG]), st.sampled_from(sorted(KEYS)))
def test_the_products_tags_are_found(i: int, origin: str, generation: int) -> None:
    found = made(i, tag(KEYS[generation], origin, i))
    assert disclosure.matcher(ONE)(found, origin)


@given(st.integers(0, 2**40), st.binary(min_size=32, max_size=32))
def test_nobody_elses_entry_is_found(i: int, key: bytes) -> None:
    mine = disclosure.matcher(ONE)
    assert not mine(made(i, tag(key, ORIGIN, i)), ORIGIN)
    assert not mine(made(i, tag(KEYS[1], OTHER_LOG, i)), ORIGIN)
    assert not mine(made(i, tag(KEYS[1], ORIGIN, i + 1)), ORIGIN)
    assert not mine(made(i, None, ev="session.open"), ORIGIN)


@pytest.mark.parametrize(
    ("t", "found"),
    [
        (datetime(2025, 1, 1, tzinfo=UTC), True),
        (datetime(2025, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), True),
        (datetime(2024, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), False),
        (datetime(2026, 1, 1, tzinfo=UTC), False),
    ],
)
def test_only_entries_of_that_utc_year_are_found(t: datetime, found: bool) -> None:
    one = made(7, tag(KEYS[1], ORIGIN, 7), t=round(t.timestamp() * 1000))
    assert disclosure.matcher(ONE)(one, ORIGIN) is found


@given(st.integers(1970, 9999))
def test_years_begin_when_the_products_do(year: int) -> None:
    start = disclosure.year_ms(year)
    assert subkeys.utc_year(start) == year
    assert start == 0 or subkeys.utc_year(start - 1) == year - 1


@given(st.binary(min_size=32, max_size=32), st.integers(0, 2**43))
def test_the_matchers_hmac_is_the_librarys(key: bytes, i: int) -> None:
    message = b"notevault/st/v1\0" + bytes.fromhex(ORIGIN) + i.to_bytes(8, "big")
    own = sound(disclosure.parse(disclosure.make(VAULT, VIK.pub, YEAR, {1: key}, START_MS, VIK.sign)))
    assert disclosure.matcher(own)(made(i, hmac.new(key, message, "sha256").hexdigest()[:32]), ORIGIN)


@pytest.mark.slow
def test_a_hundred_thousand_entries_take_less_than_two_seconds() -> None:
    mine, other = disclosure.matcher(ONE), made(5, tag(b"x" * 32, ORIGIN, 5))

    def seconds() -> float:
        start = time.process_time()
        assert not any(mine(other, ORIGIN) for _ in range(100_000))
        return time.process_time() - start

    assert any(seconds() < 2 for _ in range(5))  # half a second here, for two keys; a busy machine may take longer once
