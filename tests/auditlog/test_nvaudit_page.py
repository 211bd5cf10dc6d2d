"""docs/AUDITORS.md says what the program does: every message, every command, every exit code, and no others."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest

from notevault.auditlog import cli_stop, cli_words, walk
from notevault.auditlog.cli_stop import Stop
from notevault.cli.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "notevault" / "auditlog"
PAGE = (ROOT / "docs" / "AUDITORS.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## 4. The messages")[2].partition("## 5.")[0]
CODE = re.compile(r"[A-Z][A-Z]+(?:_[A-Z]+)*")
ONLY_FAULTS = {"CHAIN"}  # a sign inside one log that becomes REWRITTEN or MALFORMED before anybody sees it


def _strings(node: ast.expr) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _codes() -> set[str]:
    """First arguments of every call that makes a finding, and the codes of faults that become one."""
    found: set[str] = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            makes = name in ("Finding", "_find", "_undecided") or any(
                "Weight." in ast.unparse(one) for one in node.args
            )
            if makes or (name == "_sign" and path.name == "walk.py") or (name == "Fault" and path.name == "layout.py"):
                arguments = node.args[1:2] if name == "_sign" else node.args[:1]
                found |= {text for one in arguments for text in _strings(one) if CODE.fullmatch(text)}
    return found - ONLY_FAULTS


def test_every_message_of_the_program_is_on_the_page_and_no_other() -> None:
    listed = set(re.findall(r"`([A-Z][A-Z]+(?:_[A-Z]+)*)`(?=[,)])", TABLE))
    assert listed == _codes()
    assert walk, "the module whose signs are read above"


def test_words_of_messages_are_those_of_the_program() -> None:
    """What stands before a code, in capitals, begins a sentence of the program."""
    sources = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py"))
    words = set(re.findall(r"[|,] `([A-Z][A-Z ]+[A-Z])(?: [a-z]+)?`(?: key file)? \(", TABLE))
    assert len(words) > 15
    for word in words:
        assert re.search(rf'"{word}\b', sources), word


def _commands() -> list[str]:
    spans = re.findall(r"`(nvaudit [^`]+)`", PAGE) + re.findall(r"^ {4}(nvaudit .+)$", PAGE, re.M)
    return [span for span in spans if span.split()[1] in cli_words.COMMANDS]


@pytest.mark.parametrize("line", sorted(set(_commands())))
def test_every_command_on_the_page_is_understood(line: str) -> None:
    cli_words.parse(shlex.split(line)[1:])  # raises Stop for what the program does not know


def test_every_command_of_the_program_is_on_the_page() -> None:
    used = {line.split()[1] for line in _commands()}
    assert used == set(cli_words.COMMANDS)
    with pytest.raises(Stop):
        cli_words.parse(["check", "FOLDER", "--nonsense"])


def test_every_option_of_the_check_is_on_the_page() -> None:
    for name, _ in cli_words._OPTIONS["check"][1]:
        if name not in ("folder", "--quiet"):
            assert name in PAGE, name


def test_every_exit_code_is_on_the_page() -> None:
    codes = {value for name, value in vars(cli_stop).items() if name.isupper() and isinstance(value, int)}
    assert codes == {0, 1, 2, 64, 66, 70, 73, 74, 130}
    for code in codes:
        assert re.search(rf"(\| {code} \||(^|· |\n){code} )", PAGE), code


def test_commands_of_the_product_and_files_named_on_the_page_exist() -> None:
    for words in re.findall(r"`notevault ([a-z ]+?)(?: [A-Z-].*?)?`", PAGE):
        assert words.strip() in COMMANDS, words
    for path in re.findall(r"`((?:tests|packaging|docs)/[\w./]+)`|python3 (packaging/[\w.]+)", PAGE):
        assert (ROOT / (path[0] or path[1])).exists(), path


def test_it_is_one_page() -> None:
    assert len(PAGE.split()) < 1900
