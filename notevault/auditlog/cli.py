"""`nvaudit`: the auditor's command. Words to a command, every end to an exit code, every error to a sentence.

Exit: 0 intact, 1 tampered (only on proof), 2 cannot decide; 64 usage, 66 no such folder or no log there, 70 our own
fault, 73 cannot write, 74 input or output failed, 130 interrupted. No traceback reaches a person.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module

from . import cli_words, ed25519
from .cli_say import Say, prepare_streams
from .cli_stop import BROKEN_IO, INTACT, INTERRUPTED, OWN_FAULT, Stop, why
from .cli_tools import Clock, Tools
from .note import Verify
from .pubkeys import usable
from .version import version

_HANDLERS = {
    "check": "cli_check:check",
    "card": "cli_card:show",
    "proof": "cli_proof:make",
    "check-proof": "cli_proof:check",
    "export": "cli_proof:export",
    "entries": "cli_entries:show",
    "witness new": "cli_witness:new",
    "cosign": "cli_witness:cosign",
}


def main(argv: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """`argv` without the program's name; `clock` gives milliseconds since 1970 (the system's by default)."""
    try:
        prepare_streams()
        return _guarded(sys.argv[1:] if argv is None else argv, Say(), clock or _wall)
    except KeyboardInterrupt:  # a second one, while the first was being told of
        return INTERRUPTED
    except Exception:  # noqa: BLE001  Python itself would leave with 1, which says that something was tampered with
        return OWN_FAULT


def _guarded(argv: Sequence[str], say: Say, clock: Clock) -> int:
    try:
        code = _run(argv, say, clock)
    except Stop as stop:
        _complain(say, stop.sentence, stop.step)
        code = stop.code
    except KeyboardInterrupt:
        _complain(say, "Interrupted.", "Nothing was concluded. What it was to write is whole or not there.")
        code = INTERRUPTED
    except OSError as error:
        _complain(say, f"A disk or a pipe failed: {why(error)}.", "Nothing was concluded. Run the command again.")
        code = BROKEN_IO
    except Exception as error:  # noqa: BLE001  the last line: no traceback, and no words of an exception
        _complain(
            say,
            f"nvaudit itself has failed ({type(error).__name__}); that says nothing about the log.",
            f"Please report this sentence, with the command and version {version()}, to the makers of notevault.",
        )
        code = OWN_FAULT
    return _end(say, code)


def _run(argv: Sequence[str], say: Say, clock: Clock) -> int:
    try:
        given = cli_words.parse(argv)
    except SystemExit:  # argparse has printed the help that was asked for
        return INTACT
    if given.command == "help":
        for line in cli_words.FRONT.rstrip("\n").split("\n"):
            say.out(line)
        return INTACT
    if given.command == "version":
        say.out(f"nvaudit {version()}")
        return INTACT
    if getattr(given, "quiet", False):
        say.be_quiet()
    verify, by = verifier()
    module, function = _HANDLERS[given.command].split(":")
    handler: Callable[..., int] = getattr(import_module(f".{module}", __package__), function)
    return handler(given, Tools(say, clock, verify, by))


def _complain(say: Say, sentence: str, step: str) -> None:
    say.err(f"nvaudit: {sentence}", *([f"  {step}"] if step else ()))


def _end(say: Say, code: int) -> int:
    """What is still in the buffer goes out. An answer that got lost spoils a good end only: no verdict is hidden."""
    say.flush()
    if say.trouble is None:
        return code
    _complain(say, say.trouble.sentence, say.trouble.step)
    return code or say.trouble.code


def _wall() -> int:
    return time.time_ns() // 1_000_000  # noqa: TID251  the one place where this program reads the clock


# RFC 8032 section 7.1, TEST 1: a verifier that gets this wrong is not used.
_PUB = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
_SIG = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
)


def verifier() -> tuple[Verify, str]:
    """The quickest verifier of Ed25519 signatures there is here, and its name: `cryptography`'s, else the built-in."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        def quick(pub: bytes, msg: bytes, sig: bytes) -> bool:
            if not usable(pub) or len(sig) != 64:
                return False
            try:
                Ed25519PublicKey.from_public_bytes(pub).verify(sig, msg)
            except (InvalidSignature, ValueError, TypeError):
                return False
            return True

        if quick(_PUB, b"", _SIG) and not quick(_PUB, b"x", _SIG):
            return quick, "the package cryptography"
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001, S110  a broken build ends in anything, its own kind of panic too
        pass
    return ed25519.verify, "nvaudit's own Ed25519"


if __name__ == "__main__":
    sys.exit(main())
