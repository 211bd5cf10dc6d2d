"""The recovery sheet's code: what it carries, what it finds, what it never tells."""

from __future__ import annotations

import hashlib
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.errors import NotevaultError, OwnFault, UnknownFormat
from notevault.formats import sheet
from notevault.formats.sheet import (
    ALPHABET,
    SheetFault,
    check_group,
    decode,
    encode,
    parse_sheet,
    same_group,
)

SEED = bytes(range(32))
PRINT = bytes(range(100, 116))
GROUPS = encode(SEED, PRINT)

seeds = st.binary(min_size=32, max_size=32)
prints = st.binary(min_size=16, max_size=16)


def slow_encode(payload: bytes) -> list[str]:
    """The docstring's definition once more, by another road: bit strings and a table of logarithms."""
    power = [1]
    while len(power) < 31:
        nxt = power[-1] * 2
        power.append(nxt ^ 0b100101 if nxt > 31 else nxt)
    log = {value: exponent for exponent, value in enumerate(power)}
    bits = "".join(f"{byte:08b}" for byte in payload) + "0000"
    symbols = [int(bits[at : at + 5], 2) for at in range(0, 420, 5)]
    groups = []
    for g in range(21):
        data = symbols[4 * g : 4 * g + 4]
        c = power[g]
        for i, d in enumerate(data):
            c ^= power[(log[d] + i + 1) % 31] if d else 0
        groups.append("".join("0123456789ABCDEFGHJKMNPQRSTVWXYZ"[v] for v in [*data, c]))
    return groups


def payload_of(seed: bytes, fingerprint: bytes, version: int = 1) -> bytes:
    body = bytes([version]) + seed + fingerprint
    return body + hashlib.sha256(b"notevault/v1/sheet\0" + body).digest()[:3]


@given(seeds, prints)
def test_the_code_is_what_its_definition_says(seed: bytes, fingerprint: bytes) -> None:
    assert encode(seed, fingerprint) == slow_encode(payload_of(seed, fingerprint))


@given(seeds, prints, st.sampled_from([" ", "-", "\n", "", " - ", "\t", "\r\n"]), st.booleans())
def test_what_is_printed_reads_back_in_any_spacing(seed: bytes, fingerprint: bytes, gap: str, lower: bool) -> None:
    text = gap.join(encode(seed, fingerprint))
    code = decode(text.lower() if lower else text)
    assert (code.seed, code.fingerprint) == (seed, fingerprint)


@given(seeds, prints)
def test_o_i_and_l_are_read_as_what_they_look_like(seed: bytes, fingerprint: bytes) -> None:
    text = " ".join(encode(seed, fingerprint))
    assert decode(text.replace("0", "O").replace("1", "I")).seed == seed
    assert decode(text.replace("0", "o").replace("1", "l")).seed == seed


def test_every_single_wrong_character_is_found_and_its_group_named() -> None:
    for index, place in itertools.product(range(21), range(5)):
        for letter in ALPHABET:
            if letter == GROUPS[index][place]:
                continue
            spoilt = GROUPS[index][:place] + letter + GROUPS[index][place + 1 :]
            assert not check_group(index, spoilt)
            typed = [*GROUPS[:index], spoilt, *GROUPS[index + 1 :]]
            with pytest.raises(SheetFault) as caught:
                decode(" ".join(typed))
            line = index // 3 + 1
            assert caught.value.sentence == f"Group {index + 1} (line {line}) does not match its check character."
            assert caught.value.group == index


@given(seeds, prints, st.integers(0, 20), st.integers(0, 4), st.integers(0, 4))
def test_two_characters_swapped_in_a_group_are_found(seed: bytes, fp: bytes, index: int, i: int, j: int) -> None:
    group = list(encode(seed, fp)[index])
    before = "".join(group)
    group[i], group[j] = group[j], group[i]
    assert check_group(index, "".join(group)) == ("".join(group) == before)


def test_every_group_of_every_value_survives_no_swap() -> None:
    # All 1,024 pairs of values for two data symbols and their check, in the first and the last group.
    for index, (i, j) in itertools.product((0, 20), itertools.combinations(range(4), 2)):
        for a, b in itertools.product(range(32), repeat=2):
            data = [7, 7, 7, 7]
            data[i], data[j] = a, b
            whole = [*data, sheet._check_symbol(index, data)]
            for x, y in itertools.combinations(range(5), 2):
                swapped = list(whole)
                swapped[x], swapped[y] = swapped[y], swapped[x]
                text = "".join(ALPHABET[v] for v in swapped)
                assert check_group(index, text) == (swapped == whole)


@given(seeds, prints)
@settings(max_examples=30)
def test_a_group_fits_in_no_place_but_its_own(seed: bytes, fingerprint: bytes) -> None:
    groups = encode(seed, fingerprint)
    for index, other in itertools.product(range(21), repeat=2):
        assert check_group(other, groups[index]) == (index == other)
    for i, j in itertools.combinations(range(21), 2):
        swapped = list(groups)
        swapped[i], swapped[j] = groups[j], groups[i]
        with pytest.raises(SheetFault) as caught:
            decode(" ".join(swapped))
        assert caught.value.group == i


def test_five_equal_zeros_are_never_a_group() -> None:
    assert not any(check_group(index, "00000") for index in range(21))


def test_slips_that_every_group_hides_meet_the_check_over_all() -> None:
    # Two wrong symbols in one group, chosen so that the group's own check still holds.
    data = [ALPHABET.index(letter) for letter in GROUPS[5][:4]]
    data[0] ^= 4
    data[1] ^= 2  # alpha*4 == alpha^2*2
    forged = "".join(ALPHABET[v] for v in data) + GROUPS[5][4]
    assert check_group(5, forged)
    with pytest.raises(SheetFault, match="at least two are wrong"):
        decode(" ".join([*GROUPS[:5], forged, *GROUPS[6:]]))


def test_filling_bits_other_than_zero_are_refused() -> None:
    data = [ALPHABET.index(letter) for letter in GROUPS[20][:4]]
    assert data[3] & 15 == 0
    data[3] |= 1
    last = "".join(ALPHABET[v] for v in [*data, sheet._check_symbol(20, data)])
    with pytest.raises(SheetFault):
        decode(" ".join([*GROUPS[:20], last]))


def test_another_version_is_refused_as_unknown() -> None:
    with pytest.raises(UnknownFormat):
        decode(" ".join(slow_encode(payload_of(SEED, PRINT, version=2))))


@pytest.mark.parametrize("bad", ["U", "*", "é", "\0", "ß", "ı", "\u2014", "۱", "Ｋ"])
def test_a_character_outside_the_alphabet_is_named_by_its_group(bad: str) -> None:
    spoilt = GROUPS[6][:2] + bad + GROUPS[6][3:]
    with pytest.raises(SheetFault, match=r"Group 7 \(line 3\) has a character"):
        decode(" ".join([*GROUPS[:6], spoilt, *GROUPS[7:]]))


@pytest.mark.parametrize("index", range(21))
def test_a_missing_and_a_surplus_group_are_named(index: int) -> None:
    without = GROUPS[:index] + GROUPS[index + 1 :]
    with pytest.raises(SheetFault, match=rf"Group {index + 1} \(line {index // 3 + 1}\) is missing"):
        decode(" ".join(without))
    twice = [*GROUPS[: index + 1], GROUPS[index], *GROUPS[index + 1 :]]
    with pytest.raises(SheetFault) as caught:
        decode(" ".join(twice))
    assert caught.value.group == min(index + 1, 20)


def test_a_lost_character_is_named_by_its_group() -> None:
    with pytest.raises(SheetFault, match=r"Group 9 \(line 3\) has 4 characters instead of 5"):
        decode(" ".join([*GROUPS[:8], GROUPS[8][:4], *GROUPS[9:]]))
    rows = ["".join(GROUPS[at : at + 3]) for at in range(0, 21, 3)]
    rows[2] = rows[2][:-1]
    with pytest.raises(SheetFault, match=r"Group 9 \(line 3\)"):
        decode("\n".join(rows))


@pytest.mark.parametrize("text", ["", "   ", "- -", "\n"])
def test_nothing_is_told_as_nothing(text: str) -> None:
    with pytest.raises(SheetFault, match="no recovery code"):
        decode(text)


@given(st.text(max_size=400))
def test_no_text_does_anything_but_decode_or_say_why(text: str) -> None:
    for read in (decode, parse_sheet):
        try:
            read(text)
        except NotevaultError as fault:
            assert fault.sentence.endswith(".")  # noqa: PT017 - reading it is as right as refusing


@given(st.lists(st.text(alphabet=ALPHABET + "UILO -\n123", min_size=1, max_size=6), min_size=19, max_size=23))
def test_faults_never_repeat_what_was_typed(pieces: list[str]) -> None:
    text = " ".join(pieces)
    for read in (decode, parse_sheet):
        with pytest.raises(NotevaultError) as caught:
            read(text)
        plain = re.sub(r"\b(Group|Every|There|This|Line|There|Compare|Type)\b", "", str(caught.value))
        for piece in pieces:
            if len(piece.strip()) >= 4 and piece.strip().isalnum():
                assert piece.strip() not in plain


def page(rows: list[str]) -> str:
    return "Keep it well\n\n" + "\n".join(rows) + "\n\nMade on: 2026-11-21\n2 copies were made.\n"


ROWS = [f"   {n + 1}   {'   '.join(GROUPS[3 * n : 3 * n + 3])}" for n in range(7)]


@pytest.mark.parametrize("mark", ["", ".", ":", ")", " |"])
def test_a_printed_page_is_found_among_other_lines(mark: str) -> None:
    rows = [f"{n + 1}{mark} {'-'.join(GROUPS[3 * n : 3 * n + 3])}" for n in range(7)]
    assert parse_sheet("\ufeff" + page(rows).replace("\n", "\r\n")).seed == SEED


def test_lines_may_come_in_any_order_because_they_are_numbered() -> None:
    assert parse_sheet(page(ROWS[::-1])).seed == SEED


def test_the_bare_code_is_read_as_a_sheet_too() -> None:
    assert parse_sheet("-".join(GROUPS) + "\n").fingerprint == PRINT


def test_a_missing_doubled_or_surplus_line_is_named() -> None:
    with pytest.raises(SheetFault, match=r"Line 4 \(groups 10 to 12\) is missing"):
        parse_sheet(page(ROWS[:3] + ROWS[4:]))
    with pytest.raises(SheetFault, match="Line 2 is there more than once"):
        parse_sheet(page(ROWS[:2] + ROWS[1:]))
    with pytest.raises(SheetFault, match="numbered 8"):
        parse_sheet(page([*ROWS, ROWS[6].replace("7 ", "8 ", 1)]))


def test_a_missing_or_surplus_group_on_a_printed_line_is_named() -> None:
    short = f"3  {GROUPS[6]} {GROUPS[8]}"
    with pytest.raises(SheetFault, match=r"Group 8 \(line 3\) is missing"):
        parse_sheet(page([*ROWS[:2], short, *ROWS[3:]]))
    with pytest.raises(SheetFault, match=r"after group 9 \(line 3\)"):
        parse_sheet(page([*ROWS[:2], ROWS[2] + " " + GROUPS[0], *ROWS[3:]]))
    with pytest.raises(SheetFault, match=r"Group 8 \(line 3\) has 4 characters"):
        parse_sheet(page([*ROWS[:2], f"3 {GROUPS[6]} {GROUPS[7][:4]} {GROUPS[8]}", *ROWS[3:]]))


def test_a_group_asked_back_is_compared_as_it_is_read() -> None:
    group = "01AB2"
    assert same_group(" o1-ab2 ", group)
    assert same_group("OLAB2", group)
    assert not same_group("01AB3", group)
    assert not same_group("01AB", group)
    assert not same_group("01AU2", group)
    assert not same_group("", group)


def test_the_seed_is_in_no_repr() -> None:
    shown = repr(decode(" ".join(GROUPS)))
    assert "seed" not in shown
    assert repr(SEED)[2:12] not in shown


def test_parts_of_the_wrong_size_are_our_own_fault() -> None:
    for seed, fingerprint in ((SEED[:-1], PRINT), (SEED, PRINT + b"x")):
        with pytest.raises(OwnFault):
            encode(seed, fingerprint)
