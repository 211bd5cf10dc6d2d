"""The command line of `nvaudit`: its commands, their options, and help for mistyped ones."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import Any, NoReturn

from .cli_stop import USAGE, Stop

FRONT = """nvaudit checks a therapist's log and notes without a passphrase and without
seeing a name.

  nvaudit check FOLDER --card CARD --state STATE
        is everything whole, and what was signed?
  nvaudit card FOLDER
        the cards in the folder, to compare with the paper
  nvaudit entries FOLDER --card CARD
        what was done when, a line for each entry
  nvaudit proof FOLDER --entry N --out FILE
        one entry with its proof, to take along
  nvaudit check-proof FILE --card CARD
        does such a proof hold?
  nvaudit export FOLDER --out DIR
        a log as C2SP tiles, for other tools
  nvaudit witness new NAME --out KEYFILE
        a key of your own to sign with
  nvaudit cosign FOLDER --key KEYFILE --card CARD --state STATE --out FILE
        sign that you saw this state of the log

nvaudit COMMAND --help tells all of its options, nvaudit --version the version.

Exit codes: 0 intact, 1 tampered with and proven, 2 cannot decide, 64 wrong
command line, 66 no such folder or no log in it, 70 a fault of nvaudit, 73 a
file could not be written, 74 a disk or pipe failed, 130 interrupted.
Whatever was not checked is said, and is never counted as a pass.
"""

CARD = "the card of a log as you keep it: a file, or the fingerprint from the paper (in quotes)"
COMMANDS = ("check", "card", "proof", "check-proof", "export", "entries", "witness", "cosign")
_HIDDEN_LONG = {"verify": "check", "list": "entries", "log": "entries", "show": "entries", "report": "check"}


class _Parser(argparse.ArgumentParser):
    """Exit code 64 with a sentence, where argparse would leave with 2, which here says that nothing can be decided."""

    def error(self, message: str) -> NoReturn:
        near = self._near(message)
        raise Stop(USAGE, _sentence(message), near or f"`{self.prog} --help` shows how it is used.")

    def _near(self, message: str) -> str:
        head, _, words = message.partition("unrecognized arguments: ")
        if head or not words:
            return ""
        word = words.split()[0].split("=")[0]
        if len(word) == 4 and all(ch in "0123456789abcdefABCDEF" for ch in word):
            return "A fingerprint goes in quotes, or with dashes instead of spaces."
        near = difflib.get_close_matches(word, list(self._option_string_actions), 1, 0.6)
        return f"Did you mean {near[0]}?" if near else ""


def _sentence(message: str) -> str:
    text = message[:1].upper() + message[1:]
    for old, new in (
        ("The following arguments are required: ", "This is still needed: "),
        ("Unrecognized arguments: ", "This is not known here: "),
    ):
        text = text.replace(old, new)
    return text if text.endswith((".", "?")) else text + "."


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command and its options; `command` is one of COMMANDS, `help` or `version`. Stop 64.

    SystemExit 0 after `COMMAND --help`, which argparse prints.
    """
    if any("\0" in word for word in argv):
        raise Stop(USAGE, "There is a zero byte on the command line.", "`nvaudit --help` shows what there is.")
    if not argv:
        raise Stop(USAGE, "Nothing was asked for.", "`nvaudit --help` shows what there is.")
    word, rest = argv[0], list(argv[1:])
    if word in ("-h", "--help", "help"):
        return argparse.Namespace(command="help")
    if word in ("--version", "-V", "version"):
        return argparse.Namespace(command="version")
    if word == "witness":
        if rest[:1] not in (["new"], ["-h"], ["--help"]):
            raise Stop(USAGE, "`nvaudit witness` needs one more word: new.", "nvaudit witness new NAME --out KEYFILE")
        word, rest = "witness new", rest[1:] if rest[:1] == ["new"] else rest
    elif word not in COMMANDS:
        raise _unknown(word)
    given = _parser(word).parse_args(rest)
    given.command = word
    return given


def _unknown(word: str) -> Stop:
    near = difflib.get_close_matches(word.lower(), COMMANDS, 1, 0.6)
    meant = near[0] if near else _HIDDEN_LONG.get(word.lower())
    if word.startswith("-"):
        return Stop(USAGE, "The command comes first, then its options.", "`nvaudit --help` shows what there is.")
    if meant:
        return Stop(USAGE, f"There is no command {word}.", f"Did you mean `nvaudit {meant}`? Nothing was done.")
    return Stop(USAGE, f"There is no command {word}.", "`nvaudit --help` shows what there is.")


def _parser(word: str) -> argparse.ArgumentParser:
    about, rows = _OPTIONS[word]
    plain: dict[str, Any] = {"prog": f"nvaudit {word}", "description": about, "allow_abbrev": False}
    parser = _Parser(**plain)
    if hasattr(parser, "color"):
        parser.color = False  # Python 3.14 would colour its help
    for name, facts in rows:
        parser.add_argument(*name.split(), **facts)
    return parser


def _number(text: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 16):
        raise argparse.ArgumentTypeError("an entry's number is 0, 1, 2 ...")
    return int(digits)


_FOLDER: tuple[str, dict[str, Any]] = (
    "folder", {"metavar": "FOLDER", "help": "the vault, a copy of it, or a backup place (the stick itself)"},
)  # fmt: skip
_CARD: tuple[str, dict[str, Any]] = ("--card", {"metavar": "CARD", "help": CARD})
_ORIGIN: tuple[str, dict[str, Any]] = (
    "--origin --log", {"metavar": "LOG", "help": "which log, by the first digits of its name, where there are several"},
)  # fmt: skip
_DISCLOSURE: tuple[str, dict[str, Any]] = (
    "--disclosure", {"metavar": "FILE", "help": "a file that tells which entries are of one client in one year"},
)  # fmt: skip
_STATE: tuple[str, dict[str, Any]] = (
    "--state",
    {"metavar": "FILE", "help": "your record of what you saw; made at the first visit, brought up to date at each"},
)


def _out(metavar: str, text: str) -> tuple[str, dict[str, Any]]:
    return "--out", {"metavar": metavar, "required": True, "help": text}


def _must(row: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return row[0], {**row[1], "required": True}


_OPTIONS: dict[str, tuple[str, list[tuple[str, dict[str, Any]]]]] = {
    "check": (
        "Is everything in the folder whole, and what was signed? Nothing in the folder is changed.",
        [
            _FOLDER,
            _CARD,
            _STATE,
            ("--anchors", {
                "metavar": "DIR", "action": "append", "default": [],
                "help": "a backup place, for the states of the log that were left there; may be repeated",
            }),
            ("--cosigned", {
                "metavar": "FILE", "action": "append", "default": [],
                "help": "a state of the log that somebody else signed too; needs --witness; may be repeated",
            }),
            ("--witness", {
                "metavar": "KEY", "action": "append", "default": [],
                "help": "the public key of such a person (name+digits+letters); may be repeated",
            }),
            _DISCLOSURE,
            ("--log-only", {"action": "store_true", "help": "do not look at the notes' files: the log alone"}),
            ("--out", {"metavar": "R.json", "help": "write the report as JSON"}),
            ("--html", {"metavar": "R.html", "help": "write the report as a page to read and to file"}),
            ("--quiet", {"action": "store_true", "help": "no progress and no summary; the exit code and reports tell"}),
        ],
    ),
    "card": (
        "The cards in the folder with their fingerprints. They prove nothing by themselves: compare with the paper.",
        [_FOLDER],
    ),
    "proof": (
        "Take one entry along, with the proof that it stands in the signed log.",
        [_FOLDER, ("--entry", {"metavar": "N", "type": _number, "required": True, "help": "its number, from 0"}),
         _ORIGIN, _out("FILE", "where to write it")],
    ),
    "check-proof": (
        "Does the proof of one entry hold? Neither the log nor the folder is needed.",
        [("file", {"metavar": "FILE", "help": "the proof"}), _must(_CARD)],
    ),
    "export": (
        "Write a log as a folder of C2SP tiles, which other transparency-log tools read.",
        [_FOLDER, _out("DIR", "a folder that is not there yet"), _ORIGIN],
    ),
    "entries": (
        "What was done and when, a line for each entry, without names. Checks the log first, and says how that went.",
        [
            _FOLDER,
            ("--from", {"metavar": "DATE", "dest": "since", "help": "first day, as 2026-11-21 (UTC)"}),
            ("--to", {"metavar": "DATE", "dest": "until", "help": "last day, as 2026-11-30 (UTC)"}),
            _CARD,
            _ORIGIN,
            _DISCLOSURE,
        ],
    ),
    "witness new": (
        "Make a key of your own, to sign states of a log that you have checked.",
        [("name", {"metavar": "NAME", "help": "yours, without spaces: for example auditor.example"}),
         _out("KEYFILE", "where to write the secret key; keep it to yourself")],
    ),
    "cosign": (
        "Check the log against what you saw before, then sign its present state with your key.",
        [
            _FOLDER,
            ("--key", {"metavar": "KEYFILE", "required": True, "help": "your secret key, of `nvaudit witness new`"}),
            _must(_CARD),
            _must(_STATE),
            _ORIGIN,
            _out("FILE", "where to write the signed state"),
        ],
    ),
}  # fmt: skip
