"""Completion as a table: line with the cursor at |, and what is offered."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.domain.clients import Client
from notevault.shell.complete import BACKUP, COMMANDS, LIMIT, Catalogue, complete, did_you_mean

CLIENTS = [
    Client("Anna Berg", "C-014", date(1980, 5, 17), 0),
    Client("Anders Ek", "C-007", None, 0),
    Client("Jon Lind", "C-031", None, 0),
    Client("Anna Berg", "C-040", date(1991, 1, 2), 0),
    Client("Søren Åberg", "K-2", None, 0),
    Client("Opal Fine", "C-050", None, 0),
]
CATALOGUE = Catalogue(CLIENTS)
HIDDEN = Catalogue(CLIENTS, hide_names=True)


def offered(marked: str, catalogue: Catalogue = CATALOGUE) -> list[tuple[int, str]]:
    line = marked.replace("|", "")
    return [(each.start, each.text) for each in complete(line, marked.index("|"), catalogue)]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("|", []),
        ("   |", []),
        ("o|", [(0, "open")]),
        ("op|", [(0, "open")]),
        ("opa|", [(0, "C-050")]),
        ("  op|", [(2, "open")]),
        ("OP|", [(0, "open")]),
        ("cli|", [(0, "client"), (0, "clients")]),
        ("h|", [(0, "history"), (0, "hide"), (0, "help")]),
        ("lin|", [(0, "C-031")]),
        ("c-031|", [(0, "C-031")]),
        ("anna be|", [(0, "C-014"), (0, "C-040")]),
        ("open |", []),
        ("open an|", [(5, "C-007"), (5, "C-014"), (5, "C-040")]),
        ("open ann|", [(5, "C-014"), (5, "C-040")]),
        ("open berg a|", [(5, "C-014"), (5, "C-040")]),
        ("open  lin|", [(6, "C-031")]),
        ("open soren|", [(5, "K-2")]),
        ("open åbe|", [(5, "K-2")]),
        ("notes c31|", [(6, "C-031")]),
        ("notes C-03|", [(6, "C-031")]),
        ("open ann| later", [(5, "C-014"), (5, "C-040")]),
        ("op|en ann", [(0, "open")]),
        ("open zzz|", []),
        ("find ann|", []),
        ("import ann|", []),
        ("lock ann|", []),
        ("passphrase ann|", []),
        ("help o|", [(5, "open")]),
        ("help ann|", []),
        ("backup|", [(0, "backup")]),
        ("backup |", [(7, word) for word in BACKUP]),
        ("backup re|", [(7, "remove"), (7, "restore")]),
        ("backup zz|", []),
    ],
)
def test_what_tab_offers(marked: str, expected: list[tuple[int, str]]) -> None:
    assert offered(marked) == expected


def test_labels_tell_namesakes_apart_and_the_line_never_gets_a_name() -> None:
    labels = [each.label for each in complete("open ann", 8, CATALOGUE)]
    assert labels == ["Anna Berg (born 1980) C-014", "Anna Berg (born 1991) C-040"]
    assert complete("open lin", 8, CATALOGUE)[0].label == "Jon Lind C-031"


def test_with_hidden_names_only_codes_are_found_and_shown() -> None:
    assert complete("open ann", 8, HIDDEN) == []
    assert complete("anna", 4, HIDDEN) == []
    found = complete("open c-0", 8, HIDDEN)
    assert [each.text for each in found] == ["C-007", "C-014", "C-031", "C-040", "C-050"]
    assert all(each.label == each.text for each in found)
    assert offered("open c31|", HIDDEN) == [(5, "C-031")]


def test_no_more_is_offered_than_a_small_terminal_holds() -> None:
    many = Catalogue([Client("Anna Berg", f"C-{n:03d}", None, 0) for n in range(100)])
    assert len(complete("open ann", 8, many)) == LIMIT
    assert len(complete("anna", 4, many)) == LIMIT


@given(st.text(max_size=40), st.integers(0, 40))
def test_any_line_gets_offers_that_replace_a_part_before_the_cursor(line: str, cursor: int) -> None:
    for catalogue in (CATALOGUE, HIDDEN):
        for each in complete(line, cursor, catalogue):
            assert 0 <= each.start <= min(cursor, len(line))
            assert not line[: each.start].strip() or line.split()[0].lower() in {name for name, _, _ in COMMANDS}


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("opne", "open"),
        ("oepn anna", "open"),
        ("fnid words", "find"),
        ("clinet", "client"),
        ("client's", "clients"),
        ("passprase", "passphrase"),
        ("quti", "quit"),
        ("Opne", "open"),
        ("open", None),
        ("OPEN x", None),
        ("zzzzzz", None),
        ("", None),
        ("   ", None),
    ],
)
def test_an_unknown_command_gets_one_suggestion_or_none(line: str, meant: str | None) -> None:
    assert did_you_mean(line) == meant


def test_names_are_in_no_repr() -> None:
    assert "Berg" not in repr(CATALOGUE)
