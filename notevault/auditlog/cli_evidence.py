"""What the auditor holds beside the folder, read from her files: card, state, anchors, cosigned states, disclosure."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Union

from . import card, cosign, disclosure, state
from .cli_files import read
from .cli_stop import NO_INPUT, UNDECIDED, USAGE, Stop
from .fault import Fault

Pinned = Union[bytes, str]  # noqa: UP007  (evaluated, and Python 3.9 has no other way)
"""A card's bytes, or the fingerprint of one, 32 hex digits."""


def card_from(text: str) -> Pinned:
    """The card that --card speaks of: a file that holds one (or its fingerprint), or a fingerprint.

    A card that went through a phone or an editor may have lost or changed its line end; that is put right.
    """
    typed = card.parse_fingerprint(text)
    path = Path(text)
    if typed is not None and not os.path.lexists(path):
        return typed
    if not text or "\0" in text:
        raise Stop(USAGE, "That is neither a file nor a fingerprint.", "Name the card's file, or type its fingerprint.")
    if typed is None and not os.path.lexists(path) and _like_digits(text):
        raise Stop(
            USAGE, "A card's fingerprint has 8 groups of 4 of the digits 0-9 and a-f.", "Compare it with the paper."
        )
    data = read(path, "a card", card.MAX_BYTES).removeprefix(b"\xef\xbb\xbf").rstrip(b" \t\r\n")
    if typed_in_file := card.parse_fingerprint(data.decode("ascii", "replace")):
        return typed_in_file
    found = card.parse(data + b"\n")
    if isinstance(found, Fault):
        raise Stop(
            USAGE,
            f"{path} is not a card: {found.sentence}.",
            "Name the file with the card that you were given, or type its fingerprint from the paper.",
        )
    return data + b"\n"


def _like_digits(text: str) -> bool:
    """Digits and gaps, of about the right number: rather a mistyped fingerprint than a file's name."""
    bare = text.replace(" ", "").replace("-", "")
    return 16 <= len(bare) <= 48 and sum(ch in "0123456789abcdefABCDEF" for ch in bare) >= len(bare) - 3


def state_from(path: Path) -> state.State | None:
    """The auditor's state; None when there is none yet. Stop 2: a damaged one is not a first visit."""
    found = state.load(path)
    if isinstance(found, Fault):
        raise Stop(
            UNDECIDED,
            f"{path} cannot be used as your state file: {found.sentence}.",
            "It was left as it is. Take a copy of it that you kept; without one, name a new file: then what you saw"
            " at earlier visits is not compared.",
        )
    return found


def check_state(found: state.State, path: Path, vaults: Iterable[str]) -> None:
    """Stop 2 when it is of none of these vaults (hex16), as far as any are known."""
    known = set(vaults)
    if known and found.vault not in known:
        raise Stop(
            UNDECIDED,
            f"{path} is your state file of another vault ({found.vault[:8]}, not {min(known)[:8]}).",
            "It was left as it is. Name the state file of this vault, or a new one for a first visit.",
        )


def disclosure_from(path: Path) -> bytes:
    """A file that is a disclosure; whether it holds is for the check."""
    data = read(path, "a disclosure", disclosure.MAX_BYTES)
    found = disclosure.parse(data)
    if isinstance(found, Fault):
        raise Stop(USAGE, f"{path} is not a disclosure: {found.sentence}.", "Ask the therapist for it again.")
    return data


def cosigned_from(path: Path) -> bytes:
    """A file that is a cosigned state; whether it holds is for the check."""
    data = read(path, "a cosigned state", cosign.MAX_BYTES)
    found = cosign.parse(data)
    if isinstance(found, Fault):
        raise Stop(USAGE, f"{path} is not a cosigned state: {found.sentence}.", "Ask for it again.")
    return data


def witness_from(text: str) -> str:
    """The public key of a witness, as text."""
    found = cosign.parse_witness(text.strip())
    if isinstance(found, Fault):
        raise Stop(USAGE, f"That is not a witness's public key: {found.sentence}.", "It looks like name+1a2b3c4d+AB=")
    return text.strip()


def anchors_from(name: str) -> Path:
    """A backup place, or the folder `anchors` of one."""
    if not name or not os.path.isdir(name):  # noqa: PTH112  as the user typed it
        raise Stop(NO_INPUT, f"There is no folder {name} with kept states.", "Is the backup place plugged in?")
    return Path(name)
