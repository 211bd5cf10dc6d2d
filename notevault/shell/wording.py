"""Sentences of the vault's inner rooms, in the words of the screen; and what it means that a vault can only be read."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAIN = (
    (re.compile(r"\bcheckpoint(s?)\b", re.IGNORECASE), r"signed state\1"),
    (re.compile(r"\borigin(s?)\b", re.IGNORECASE), r"log\1"),
    (re.compile(r"\bepoch(s?)\b", re.IGNORECASE), r"key period\1"),
    (re.compile(r"\bseal(s?)\b", re.IGNORECASE), r"closing signature\1"),
    (re.compile(r"\bBLOB(S?)\b"), r"RECORD\1"),
    (re.compile(r"\bblob(s?)\b", re.IGNORECASE), r"record\1"),
    (re.compile(r"\bheader(s?)\b", re.IGNORECASE), r"key file\1"),
    (re.compile(r"\bslot(s?)\b", re.IGNORECASE), r"lock\1"),
    (re.compile(r"\banchor(s?)\b", re.IGNORECASE), r"outside memory\1"),
)
_KINDS = {
    "BLOB SEAL": "DOES NOT OPEN",
    "HEADER": "KEY FILE",
    "UNAUTHENTIC": "NOT MADE IN THIS VAULT",
    "UNLOGGED BLOB": "NOT IN THE LOG",
}
_DAMAGED = "DAMAGED: its log does not agree with its signed state. "
_HEAD = re.compile(r"[A-Z][A-Z _]+: ")


def in_plain_words(sentence: str) -> str:
    """Without the words that only the format knows."""
    for pattern, word in _PLAIN:
        sentence = pattern.sub(word, sentence)
    return sentence


def found_words(code: str, sentence: str) -> str:
    """One finding of a check: its kind said once, then the sentence."""
    kind = code.replace("_", " ")
    if _HEAD.match(sentence) or sentence.startswith(kind):
        return in_plain_words(sentence)
    return in_plain_words(f"{_KINDS.get(kind, kind)}: {sentence.replace(f'{kind}: ', '')}")


@dataclass(frozen=True)
class Standing:
    """`title`: what is the matter; `means`: what that tells, and what it does not; `detail`: the place."""

    title: str
    means: str
    detail: str
    may_go_on: bool = True
    mend: str = ""
    """What a backup can do for it, if there is one."""


_STANDINGS = {
    "COPY": (
        "This folder is a copy of your vault",
        "Two folders that are both written in could never be brought together again, so here you can only look. What"
        " you open is entered in the vault's own log later.",
    ),
    "FORGED": (
        "Somebody else wrote in the log of this vault",
        "The log was signed or carried on with a key that is not this vault's. No failing disk does that: somebody"
        " changed the log who did not have your passphrase.",
    ),
    "FORKED: two laptops": (
        "Two laptops went on with this vault, each by itself",
        "Both are yours, and what was saved on either is here. Going on brings them together in a new log; nothing of"
        " either is lost.",
    ),
    "FORKED": (
        "The log of this vault is not the one this laptop knows",
        "Where this laptop has seen certain entries, there are others now. Either two copies of the folder were used"
        " and got mixed (by a cloud folder, or on another laptop), or somebody wrote the log anew.",
    ),
    "ROLLED BACK": (
        "This vault is older than it should be",
        "Something that this laptop has seen is missing. Perhaps an older copy of the folder was put back, or the end"
        " of the log was taken away. Notes written since then are not in it. If you have the newer folder, leave and"
        " put it back.",
    ),
    "DAMAGED": (
        "The log of this vault is damaged",
        "A part of the log is missing, or is not what was written. A failing disk or an interrupted copy may be the"
        " reason, or somebody changed it: that cannot be told from here.",
    ),
}


def standing(why: str) -> Standing:
    """Why a vault is read-only, from the sentence that begins with its kind."""
    said = why.removeprefix(_DAMAGED)
    kind = next((each for each in _STANDINGS if said.startswith(each)), "DAMAGED")
    title, means = _STANDINGS[kind]
    mend = _HEAL if said != why or kind == "DAMAGED" else _RESTORE if kind == "ROLLED BACK" else ""
    return Standing(title, means, in_plain_words(said), kind != "COPY", mend)


_HEAL = "Then `notevault backup heal`, in a terminal, mends it from a backup, if there is one."
_RESTORE = (
    "Then `notevault backup restore --from DIR --to NEWVAULT`, in a terminal, brings the newest notes from a backup, if"
    " there is one."
)


def first_steps(folder: str, mend: str) -> list[str]:
    """What to do before anything else, and that one may go on. `mend`: of the `Standing`."""
    steps = [f"First copy the whole folder to another disk, as it is ({folder}).", mend]
    return [
        " ".join(filter(None, [*steps, "Until you decide, nothing is changed here."])),
        "You may also go on: a new log begins that cites the old one. The old one is kept, `verify` goes on naming what"
        " is wrong with it, and an auditor sees it too.",
    ]
