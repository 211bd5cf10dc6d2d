"""The command line: words to a command, options before and after it, every error to a sentence and an exit code.

Nothing heavy is imported here: `--help` and a mistyped word cost no more than argparse.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType

from notevault.cli.commands import COMMANDS, COMMON, GROUPS, Command, front_page, group_page
from notevault.cli.output import Output, harmless, prepare_streams
from notevault.errors import Interrupted, NotevaultError, NoVault, UsageFault
from notevault.storage import backupplace
from notevault.wiring.locked import locked_side, protect_process

HELP = ("-h", "--help")
_WITHOUT_VAULT = ("help", "version", "demo", "backup restore")  # what may be said to have --vault of whatever it is
_TAKES = {name for name, facts in COMMON if "metavar" in facts}
_FLAGS = {name for name, _ in COMMON} - _TAKES
# Options that would hold a secret or a note's text: seen by every program on the machine and kept in the history.
_SECRET = re.compile(
    r"--?(pass(phrase|word|wd)?|pw|pin|secret|key|groups?|sheet-code)(=.*)?", re.IGNORECASE | re.DOTALL
)
_TEXT = re.compile(r"--?(text|body|content|message|m|note)(=.*)?", re.IGNORECASE | re.DOTALL)
_TEXT_STEP = "Put it into a file (--file F), or pipe it in; `notevault` alone opens the editor."


def main(argv: list[str]) -> int:
    protect_process()
    prepare_streams()
    try:
        code = _run(argv)
        Output().flush()
    except NotevaultError as fault:
        _say(fault.sentence, fault.next_step)
        return _end(fault.exit_code)
    except KeyboardInterrupt:
        _say("Interrupted.", "")
        return _end(Interrupted.exit_code)
    except BrokenPipeError:
        return _end(74)  # whoever read our answer has gone; nobody is left to be told
    except Exception as fault:  # noqa: BLE001  the last line: no traceback, and no words of an exception
        where = _own_place(fault.__traceback__)
        step = "Nothing that was saved is lost. Please report this sentence; it holds nothing of your notes."
        _say(f"Something went wrong inside notevault ({type(fault).__name__} at {where}).", step)
        return _end(70)
    return code


def _end(code: int) -> int:
    """What is still in the buffer goes out if it can; Python must not complain about it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _say(sentence: str, step: str) -> None:
    text = f"notevault: {sentence}\n" + (f"  {step}\n" if step else "")
    try:
        sys.stderr.write(harmless(text) if sys.stderr.isatty() else text)
        sys.stderr.flush()
    except OSError:
        pass  # nowhere left to say it; the exit code does


def _own_place(traceback: TracebackType | None) -> str:
    """File and line of the innermost frame of our own code: no values, no text."""
    root = Path(__file__).resolve().parent.parent
    place = "an unknown place"
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(root):
            place = f"{path.relative_to(root).as_posix()}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


# -- words and options


def _run(argv: Sequence[str]) -> int:
    words, options, rest = split(argv)
    _refuse_secrets(argv)
    if any(option in HELP for option in options):
        print_help(words)
        return 0
    if not words:
        words = ["shell"]
    name = " ".join(words)
    command = COMMANDS.get(name)
    if command is None:
        raise _unknown(words)
    if any(word in HELP for word in _before_dashes(rest)):
        print_help(words)
        return 0
    from notevault.cli.common import Context
    from notevault.cli.parser import build

    args = build(name, command).parse([*options, *rest])
    ctx = Context(args, locked_side(args.vault))
    if name not in _WITHOUT_VAULT:
        backupplace.refuse(ctx.side.vault)
    try:
        return _handler(command)(ctx)
    except NoVault as fault:
        from notevault.cli.backup_ground import gone

        raise gone(ctx, fault) from None


def _handler(command: Command) -> Callable[..., int]:
    module, function = command.handler.split(":")
    found: Callable[..., int] = getattr(import_module(f"notevault.cli.{module}"), function)
    return found


def split(argv: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """(the one or two words of the command, options before and between them, everything after). UsageFault."""
    words: list[str] = []
    options: list[str] = []
    at = 0
    while at < len(argv):
        word = argv[at]
        if word in _TAKES:
            if at + 1 == len(argv):
                raise UsageFault(f"{word} needs a value.")
            options += argv[at : at + 2]
            at += 2
            continue
        if word in _FLAGS or word in HELP or word.split("=", 1)[0] in _TAKES:
            options.append(word)
        elif word == "--version" and not words:
            words.append("version")
        elif word.startswith("-"):
            _refuse_secrets([word])
            raise UsageFault("There is an option that is not known, or not before the command.")
        else:
            words.append(word)
        at += 1
        if len(words) == 2 or (words and words[0] not in GROUPS):
            break
    return words, options, list(argv[at:])


def _before_dashes(words: Sequence[str]) -> list[str]:
    return list(words[: words.index("--")]) if "--" in words else list(words)


def _refuse_secrets(argv: Sequence[str]) -> None:
    for word in _before_dashes(argv):
        if _SECRET.fullmatch(word):
            raise UsageFault(
                "A passphrase or a sheet is never given on the command line: other programs and the terminal's history"
                " would see it.",
                "You are asked for it, or name a file with --passphrase-file F (or --sheet FILE). If you have just"
                " typed the real one: `notevault passphrase change`, and clear that line from the history.",
            )
        if _TEXT.fullmatch(word):
            raise UsageFault("The text of a note is never given on the command line.", _TEXT_STEP)


def _unknown(words: list[str]) -> UsageFault:
    from notevault.domain.suggest import suggest

    if words[0] in GROUPS:
        choices = [name.split()[1] for name in COMMANDS if name.split()[0] == words[0]]
        if len(words) == 1:
            return UsageFault(f"`notevault {words[0]}` needs one more word: {', '.join(choices)}.")
        near = suggest(words[1], choices)
        found = f"{words[0]} {near}" if near else None
    else:
        firsts = {name.split()[0] for name in COMMANDS}
        found = suggest(words[0], firsts | {name for name in COMMANDS if " " not in name})
        if found is None and words[0].rstrip("s") in firsts:
            found = words[0].rstrip("s")
    if found is None:
        return UsageFault("There is no such command.")
    return UsageFault("There is no such command.", f"Did you mean `notevault {found}`? Nothing was done.")


def print_help(words: Sequence[str]) -> None:
    """The front page, a group's page or a command's. UsageFault for an unknown one."""
    name = " ".join(words)
    if not words:
        text = front_page()
    elif name in COMMANDS:
        from notevault.cli.parser import build

        text = build(name, COMMANDS[name]).format_help()
    elif name in GROUPS:
        text = group_page(name)
    else:
        raise _unknown(list(words))
    sys.stdout.write(text)
