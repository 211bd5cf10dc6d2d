"""One command's options as an argparse parser. Its complaints are sentences, and never repeat what was typed: it could
be a name, a passphrase in the wrong place, or the text of a note.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

from notevault.cli.commands import COMMON, Argument, Command
from notevault.errors import UsageFault

MOST = 1_000_000_000


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Argparse's own sentence without the value at its end, as a UsageFault (64 instead of its 2)."""
        plain = re.sub(r":? ?(invalid|'|ignored explicit).*", "", message, flags=re.DOTALL)
        said = re.sub(r"^argument ([^:]+):?\s*", r"\1: ", plain).rstrip(": ")
        said = said if "invalid" not in message else f"{said}: that value cannot be used"
        raise UsageFault(f"{said[:1].upper() + said[1:] if not said.startswith('-') else said}.", self._step())

    def _step(self) -> str:
        return f"`{self.prog} --help` shows how it is used."

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """UsageFault for anything that does not fit, half characters included."""
        for word in argv:
            if any("\ud800" <= letter <= "\udfff" for letter in word):
                raise UsageFault("A word on the command line is not valid text.", "Check the terminal's character set.")
        # Argparse loses words after `--` when options and words are mixed; names that cannot be typed stand for them.
        cut = list(argv).index("--") if "--" in argv else len(argv)
        meant = {f"\0{number}": word for number, word in enumerate(argv[cut + 1 :])}
        args, left = self.parse_known_intermixed_args([*argv[:cut], *meant])
        for name, value in vars(args).items():
            if isinstance(value, list):
                setattr(args, name, [meant.get(word, word) for word in value])
            elif isinstance(value, str):
                setattr(args, name, meant.get(value, value))
        if not left:
            return args
        if any(word.startswith("-") and word != "-" for word in left):
            raise UsageFault("There is an option that this command does not have.", self._step())
        if self.prog == "notevault note add":
            raise UsageFault(
                "The text of a note is never given on the command line: other programs and the terminal's history would"
                " see it.",
                "Put it into a file (--file F), or pipe it in; `notevault` alone opens the editor.",
            )
        raise UsageFault("There is a word too many.", f"{self._step()} A name of several words needs quotes.")


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:10]) <= MOST):
        raise argparse.ArgumentTypeError("invalid number")
    return int(text)


def index(text: str) -> int:
    """A whole number from 0 on."""
    return 0 if text == "0" else count(text)


_TYPES: dict[object, Callable[[str], int]] = {"count": count, "index": index}


def build(name: str, command: Command) -> Parser:
    found = Parser(
        prog=f"notevault {name}",
        description=f"{command.summary[:1].upper()}{command.summary[1:]}.",
        epilog=command.more or None,
        allow_abbrev=False,
    )
    _add(found, "this command's", command.arguments)
    _add(found, "with every command", COMMON)
    return found


def _add(found: Parser, title: str, arguments: Sequence[Argument]) -> None:
    options = found.add_argument_group(title)
    for name, facts in arguments:
        given = dict(facts)
        if facts.get("type") in _TYPES:
            given["type"] = _TYPES[facts["type"]]
        (options if name.startswith("-") else found).add_argument(name, **given)  # type: ignore[arg-type]
