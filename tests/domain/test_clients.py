"""Clients as values: what is accepted, what is stored, what is refused."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.domain.clients import (
    Client,
    check_code_free,
    clean_code,
    clean_name,
    from_payload,
    new_client,
    next_code,
    to_payload,
)
from notevault.domain.payload import from_bytes
from notevault.errors import Damaged, NotevaultError, UnknownFormat, UsageFault

NOW = 1_795_000_000_000
ANNA = new_client("Anna  Berg ", "c-014", date(1980, 5, 17), NOW)

names = st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf")), min_size=1, max_size=60)
clients = st.builds(
    new_client,
    names.filter(lambda text: any(map(str.isalnum, text))).filter(lambda text: len(clean_name(text)) < 120),
    st.from_regex(r"[A-Z0-9]([A-Z0-9._-]{0,14}[A-Z0-9])?", fullmatch=True),
    st.none() | st.dates(date(1880, 1, 1), date(2026, 1, 1)),
    st.integers(NOW, NOW + 10**12),
    st.text(alphabet=st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf")), max_size=200),
)


@given(clients)
def test_a_client_comes_back_from_its_record(client: Client) -> None:
    assert from_payload(to_payload(client)) == client


def test_the_record_is_the_bytes_written_down() -> None:
    assert to_payload(ANNA) == (
        b'{"active":true,"born":"1980-05-17","code":"C-014","created":1795000000000,"name":"Anna Berg","note":"","v":1}'
    )


def test_text_beyond_ascii_stands_as_itself() -> None:
    assert "Zoë Łuk".encode() in to_payload(new_client("Zoë Łuk", "C-1", None, NOW))


@given(clients, st.integers(0, 10_000), st.integers(1, 255))
def test_an_altered_record_is_never_taken_for_the_same(client: Client, at: int, flip: int) -> None:
    data = bytearray(to_payload(client))
    data[at % len(data)] ^= flip
    try:
        assert from_payload(bytes(data)) != client
    except (Damaged, UnknownFormat) as fault:
        assert fault.sentence  # noqa: PT017 - either outcome is right


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_bytes_are_a_client_or_damage(data: bytes) -> None:
    try:
        from_payload(data)
    except (Damaged, UnknownFormat) as fault:
        assert fault.exit_code == 65  # noqa: PT017


def changed(**fields: object) -> bytes:
    value = json.loads(to_payload(ANNA)) | fields
    kept = {name: each for name, each in value.items() if each is not ...}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(errors="surrogatepass")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 5000,
        b'"' + b"x" * 70_000 + b'"',
        to_payload(ANNA) + b" ",
        to_payload(ANNA).replace(b":1}", b":1.0}"),
        to_payload(ANNA).replace(b"{", b'{"active":true,', 1),
        to_payload(ANNA).replace(b"Anna", b"\\u0041nna"),
        to_payload(ANNA).replace(b"1795000000000", b"1" * 5000),
        changed(extra=1),
        changed(note=...),
        changed(active=1),
        changed(created="1"),
        changed(created=True),
        changed(created=-(10**15)),
        changed(born="19800517"),
        changed(born="1980-W20-6"),
        changed(born="1980-02-30"),
        changed(born="1700-01-01"),
        changed(code="c-014"),
        changed(name=" Anna"),
        changed(name="Zoe\u0308"),
        changed(name=""),
        changed(name="A\x1b[31m"),
        changed(name="\ud800A"),
        changed(v=...),
        changed(v=True),
    ],
)
def test_what_is_not_the_one_spelling_of_a_client_is_damage(data: bytes) -> None:
    with pytest.raises(Damaged) as caught:
        from_payload(data)
    assert type(caught.value) is Damaged
    assert "Anna" not in str(caught.value)


def test_a_newer_version_is_unknown_not_damaged() -> None:
    with pytest.raises(UnknownFormat):
        from_payload(changed(v=2, more="x"))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Anna \t Berg\n", "Anna Berg"),
        ("Zoe\u0308", "Zoë"),
        ("李雷", "李雷"),
        ("O'Neil-Smith, Jr.", "O'Neil-Smith, Jr."),
    ],
)
def test_names_are_stored_in_one_form(typed: str, stored: str) -> None:
    assert clean_name(typed) == stored


@pytest.mark.parametrize("typed", ["", "   ", "--", "x" * 121, "A\x00B", "A\x1b[2J", "A\u202eB", "A\ud800"])
def test_names_that_cannot_stand_are_refused(typed: str) -> None:
    with pytest.raises(UsageFault) as caught:
        clean_name(typed)
    assert caught.value.next_step
    assert not typed.strip("- ") or typed not in caught.value.sentence


@pytest.mark.parametrize(("typed", "stored"), [("c-014", "C-014"), (" x1 ", "X1"), ("2024.17", "2024.17")])
def test_codes_are_stored_in_capitals(typed: str, stored: str) -> None:
    assert clean_code(typed) == stored


@pytest.mark.parametrize("typed", ["", "-1", "C 1", "C/1", "C-", "x" * 17, "Ä1", "C-۱"])
def test_codes_that_cannot_stand_are_refused(typed: str) -> None:
    with pytest.raises(UsageFault):
        clean_code(typed)


@pytest.mark.parametrize(
    ("codes", "suggested"),
    [
        ([], "C-001"),
        (["C-001", "C-002"], "C-003"),
        (["C-001", "C-007"], "C-008"),
        (["X-9", "C-2a"], "C-001"),
        (["C-999"], "C-1000"),
        (["C-0003"], "C-004"),
    ],
)
def test_the_next_code_is_above_all_others(codes: list[str], suggested: str) -> None:
    assert next_code(codes) == suggested


def test_a_taken_code_is_refused_with_a_free_one() -> None:
    check_code_free("C-002", ["C-001"])
    with pytest.raises(UsageFault) as caught:
        check_code_free("C-001", ["C-001"])
    assert "C-002" in caught.value.next_step


def test_a_birth_in_the_future_or_the_middle_ages_is_refused() -> None:
    for born in (date(2090, 1, 1), date(1800, 1, 1)):
        with pytest.raises(UsageFault):
            new_client("Anna", "C-1", born, NOW)


def test_long_or_unprintable_remarks_are_refused() -> None:
    for note in ("x" * 4001, "a\x07b"):
        with pytest.raises(NotevaultError):
            new_client("Anna", "C-1", None, NOW, note)
    assert new_client("Anna", "C-1", None, NOW, "two\nlines").note == "two\nlines"


def test_the_name_is_in_no_repr() -> None:
    assert "Anna" not in repr(ANNA)
    assert "C-014" not in repr(ANNA)


@pytest.mark.parametrize(("number", "kept"), [(2**53 - 1, True), (1 - 2**53, True), (2**53, False), (-(2**53), False)])
def test_numbers_are_kept_as_far_as_every_reader_keeps_them(number: int, kept: bool) -> None:
    data = b'{"n":%d,"v":1}' % number
    if kept:
        assert from_bytes(data, "record", 1, {"n": (int,)}, 100) == {"n": number}
    else:
        with pytest.raises(Damaged):
            from_bytes(data, "record", 1, {"n": (int,)}, 100)
