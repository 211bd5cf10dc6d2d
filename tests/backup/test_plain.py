"""Words for people and for the command line: sizes, names, files."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notevault.backup.model import Problem
from notevault.backup.words.plain import path_words, problem_words, quoted, size_words, step_words
from notevault.backup.words.status import SAYS

OURS = re.compile(r"blobs|anchors|headers|audit/|[0-9a-f]{13}")
DIGEST = "26d61ecad8a4259f3f996d2598d95b580e36998d14e9d041a641f22e4a8e0ba8"
LOG = "ab" * 16


def windows_words(line: str) -> list[str]:
    """As a program on Windows takes its command line apart (the rules of its C library)."""
    words, word, inside, at, begun = [], "", False, 0, False
    while at < len(line):
        slashes = 0
        while at < len(line) and line[at] == "\\":
            slashes, at = slashes + 1, at + 1
        if at < len(line) and line[at] == '"':
            word += "\\" * (slashes // 2)
            begun = True
            if slashes % 2:
                word += '"'
            else:
                inside = not inside
            at += 1
            continue
        word += "\\" * slashes
        begun = begun or slashes > 0
        if at == len(line):
            break
        if line[at] in " \t" and not inside:
            words += [word] if begun else []
            word, begun = "", False
        else:
            word, begun = word + line[at], True
        at += 1
    return [*words, *([word] if begun else [])]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_name_in_a_command_is_read_as_it_is(name: str) -> None:
    assert shlex.split(f"heal {quoted(name, windows=False)} --full") == ["heal", name, "--full"]
    assert windows_words(f"heal {quoted(name, windows=True)} --full") == ["heal", name, "--full"]


def test_a_plain_name_is_not_decorated() -> None:
    assert [quoted(name, windows=windows) for name in ("usb", "USB Blue") for windows in (False, True)] == [
        "usb",
        "usb",
        "'USB Blue'",
        '"USB Blue"',
    ]


@pytest.mark.parametrize("verdict", sorted(SAYS))
def test_every_step_that_names_a_place_can_be_typed(verdict: str) -> None:
    for command in re.findall(r"`(notevault [^`]*)`", step_words(verdict, 'Anna\'s "old" stick')):
        words = shlex.split(command)
        assert "{name}" not in words
        assert words[:2] == ["notevault", "backup"] or words[1] == "verify"
        if len(words) == 4 and words[2] in ("heal", "remove"):
            assert words[3] == 'Anna\'s "old" stick'


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Problem("CHANGED", f"blobs/26/{DIGEST}", "too long"), "sealed file 26d61ecad8a4: too long"),
        (Problem("MISSING", f"blobs/26/{DIGEST}"), "sealed file 26d61ecad8a4: it is not there"),
        (Problem("SOURCE", DIGEST, "missing in the vault"), "sealed file 26d61ecad8a4: missing in the vault"),
        (Problem("PLANTED", "blobs/26", "it is no real folder"), "a folder of sealed files: it is no real folder"),
        (Problem("MISSING", f"headers/{LOG}", "the newest key file"), "the newest key file: it is not there"),
        (Problem("LOST", f"headers/{LOG}/00000012-{DIGEST}", "no copy has it"), "key file 12: no copy has it"),
        (Problem("LOG", f"audit/{LOG}", "3 entries of it are not there"), "the log: 3 entries of it are not there"),
        (Problem("FORKED", f"anchors/{LOG}", "they contradict"), "a signed state of the log: they contradict"),
        (Problem("PLACE", "USB Blue", "It is not plugged in."), "USB Blue: It is not plugged in."),
        (Problem("REFILLED", "", "1 file"), "1 file"),
    ],
)  # fmt: skip
def test_what_was_found_is_said_without_our_own_paths(problem: Problem, words: str) -> None:
    assert problem_words(problem) == words
    assert not OURS.search(words)


@given(
    st.sampled_from(["blobs", "audit", "headers", "anchors"]), st.lists(st.sampled_from([LOG, DIGEST, "26", "card"]))
)
def test_no_path_of_ours_is_ever_shown(first: str, rest: list[str]) -> None:
    assert not OURS.search(path_words("/".join([first, *rest])))


def test_sizes_have_the_unit_that_fits() -> None:
    assert [size_words(n) for n in (0, 1, 999, 16_736, 1_048_576, 2_340_000_000)] == [
        "0 bytes", "1 byte", "999 bytes", "16.7 KB", "1.0 MB", "2.3 GB",
    ]  # fmt: skip
