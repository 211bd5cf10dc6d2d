"""Finding clients, telling namesakes apart, noticing similar names: tables."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.domain.clients import Client
from notevault.domain.matching import code_key, find_clients, label, namesakes, rank, similar
from notevault.domain.suggest import distance, suggest


def client(name: str, code: str, born: int | None = None, active: bool = True) -> Client:
    return Client(name, code, date(born, 3, 4) if born else None, 0, active=active)


CLIENTS = [
    client("Anna Berg", "C-014", 1980),
    client("Anders Ek", "C-007"),
    client("Jon Lind", "C-031"),
    client("Bergdís Ánna Lindqvist", "C-002"),
    client("Åsa Öberg", "C-100"),
    client("Søren O'Neil-Smith", "K-7"),
    client("Li Wei", "C-055"),
    client("Hannah Vandenberg", "C-003", active=False),
    client("李雷", "C-056"),
]


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("anna berg", ["C-014", "C-002", "C-003"]),
        ("ANNA", ["C-014", "C-002", "C-003"]),
        ("berg", ["C-002", "C-014", "C-100", "C-003"]),
        ("ber", ["C-002", "C-014", "C-100", "C-003"]),
        ("an", ["C-007", "C-014", "C-002"]),
        ("an be", ["C-014", "C-002"]),
        ("berg anna", ["C-002", "C-014", "C-003"]),
        ("lin", ["C-002", "C-031"]),
        ("ind", ["C-002", "C-031"]),
        ("asa", ["C-100"]),
        ("oberg", ["C-100"]),
        ("öbe", ["C-100"]),
        ("soren", ["K-7"]),
        ("oneil", ["K-7"]),
        ("smith", ["K-7"]),
        ("eil", ["K-7"]),
        ("li", ["C-055", "C-002", "C-031"]),
        ("李", ["C-056"]),
        ("c-014", ["C-014"]),
        ("C14", ["C-014"]),
        ("c 14", ["C-014"]),
        ("C-0", ["C-007", "C-014", "C-002", "C-031", "C-055", "C-056", "C-003"]),
        ("k7", ["K-7"]),
        ("zzz", []),
        ("nn", []),
        ("", []),
        ("  - ", []),
    ],
)
def test_clients_are_found_by_what_is_typed_best_first(typed: str, codes: list[str]) -> None:
    found = [each.code for each in find_clients(typed, CLIENTS)]
    if typed == "C-0":
        assert sorted(found) == sorted(codes)  # all by code; their order is by name
    else:
        assert found == codes


def test_each_word_typed_needs_a_word_of_its_own() -> None:
    assert find_clients("berg berg", CLIENTS) == []


@given(st.sampled_from(CLIENTS), st.integers(0, 30), st.booleans())
def test_any_three_letters_of_any_part_find_the_client(one: Client, at: int, upper: bool) -> None:
    for word in one.name.replace("'", " ").replace("-", " ").split():
        piece = word[min(at, max(0, len(word) - 3)) :][:3]
        if len(piece) == 3:
            assert one in find_clients(piece.upper() if upper else piece, CLIENTS)


@given(st.text(max_size=30))
def test_any_query_gives_some_of_the_clients_once(typed: str) -> None:
    found = find_clients(typed, CLIENTS)
    assert len({each.code for each in found}) == len(found)
    assert all(rank(typed, each) is not None for each in found)


@pytest.mark.parametrize(
    ("code", "same"),
    [("C-014", "c14"), ("C-014", "C 14"), ("C-0140", "c140"), ("2024.17", "2024-017"), ("K-0", "k000")],
)
def test_codes_are_the_same_however_written(code: str, same: str) -> None:
    assert code_key(code) == code_key(same)
    assert code_key(code) != code_key(code + "1")


NAMESAKES = [
    client("Anna Berg", "C-1", 1980),
    client("Ánna  berg".replace("  ", " "), "C-2", 1991),
    client("Jon", "C-3"),
]


def test_namesakes_are_all_found_and_told_apart_by_year() -> None:
    assert [each.code for each in find_clients("anna", NAMESAKES)] == ["C-1", "C-2"]
    assert label(NAMESAKES[0], NAMESAKES) == "Anna Berg (born 1980)"
    assert label(NAMESAKES[1], NAMESAKES) == "Ánna berg (born 1991)"
    assert label(NAMESAKES[2], NAMESAKES) == "Jon"
    assert namesakes(NAMESAKES[0], NAMESAKES) == [NAMESAKES[1]]


@pytest.mark.parametrize("born", [1980, None])
def test_namesakes_whose_years_do_not_tell_get_their_codes(born: int | None) -> None:
    both = [client("Anna Berg", "C-1", 1980), client("Anna Berg", "C-2", born)]
    assert [label(each, both) for each in both] == ["Anna Berg (C-1)", "Anna Berg (C-2)"]


@pytest.mark.parametrize(
    ("typed", "same", "close"),
    [
        ("Anna Berg", ["C-014"], []),
        ("berg ANNA", ["C-014"], []),
        ("Anne Berg", [], ["C-014"]),
        ("Anna Bergh", [], ["C-014"]),
        ("Anan Berg", [], ["C-014"]),
        ("Asa Oberg", ["C-100"], []),
        ("John Lind", [], ["C-031"]),
        ("Jan Lund", [], ["C-031"]),
        ("Lu Wei", [], ["C-055"]),
        ("Lo Wai", [], ["C-055"]),
        ("Anders Lind", [], []),
        ("Eva Dahl", [], []),
        ("", [], []),
    ],
)
def test_similar_names_are_noticed_before_they_become_two_clients(
    typed: str, same: list[str], close: list[str]
) -> None:
    found_same, found_close = similar(typed, CLIENTS)
    assert [each.code for each in found_same] == same
    assert [each.code for each in found_close] == close


@pytest.mark.parametrize(
    ("a", "b", "slips"),
    [
        ("open", "opne", 1),
        ("open", "open", 0),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
        ("ca", "abc", 3),
        ("ab", "ba", 1),
    ],
)
def test_distances(a: str, b: str, slips: int) -> None:
    assert distance(a, b) == slips


@given(st.text(max_size=8), st.text(max_size=8))
def test_a_distance_is_the_same_both_ways_and_zero_for_the_same(a: str, b: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) <= max(len(a), len(b))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("opne", "open"),
        ("ope", "open"),
        ("fidn", "find"),
        ("lokc", "lock"),
        ("x", None),
        ("", None),
        ("open", "open"),
        ("opqrs", None),
    ],
)
def test_the_nearest_word_is_suggested_or_none(typed: str, meant: str | None) -> None:
    assert suggest(typed, ["open", "find", "lock", "clients"]) == meant
