"""What a therapist reads is in her words: no sentence of shell/ or cli/ uses those that belong to the format.

Every string that is not a docstring, a key of a mapping, an option or a name counts as one that may be shown: with a
blank in it, or beginning with a capital letter.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOMS = Path(__file__).resolve().parent.parent.parent / "notevault"
NEVER = re.compile(r"\b(slot|header|blob|origin|epoch|seal|anchor|checkpoint)s?\b", re.IGNORECASE)
"""Words of docs/FORMAT.md. "sealed" and "original" are plain English and stay."""
FILES = sorted([*(ROOMS / "shell").glob("*.py"), *(ROOMS / "cli").glob("*.py")])
FOR_PROGRAMS = ("say ", "after ", "hold ")
"""How the shell's two processes talk to each other."""


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of every string that a person may come to read; the fixed parts of an f-string one by one."""
    tree = ast.parse(source)
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))  # a docstring, or the description of an attribute
        elif isinstance(node, ast.Dict):
            skipped.update(id(key) for key in node.keys if key is not None)
        elif isinstance(node, ast.Subscript):
            skipped.add(id(node.slice))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            text = node.value
            if (" " in text or text[:1].isupper()) and not text.startswith(FOR_PROGRAMS):
                yield node.lineno, text


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_sentence_uses_a_word_of_the_format(path: Path) -> None:
    found = [f"{line}: {text!r}" for line, text in sentences(path.read_text("utf-8")) if NEVER.search(text)]
    assert found == [], f"{path.name} says to a therapist what only the format knows"


def test_the_walk_sees_sentences_and_leaves_the_rest_alone() -> None:
    source = '''
"""The header of this file."""
KEYS = {"a slot": "The blob is gone."}
def f(x):
    """A slot."""
    x.say(f"Checking {x} every seal")
    return x["the origin"], "headers", "Sealed note"
'''
    assert [text for _, text in sentences(source) if NEVER.search(text)] == ["The blob is gone.", " every seal"]
    assert "Sealed note" in [text for _, text in sentences(source)]


def test_there_is_something_to_walk() -> None:
    assert sum(len(list(sentences(path.read_text("utf-8")))) for path in FILES) > 400
