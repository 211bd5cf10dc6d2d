"""Sizes, names in commands, and files in words that people read. Pure."""

from __future__ import annotations

import re
import shlex
import sys

from notevault.backup.model import Problem
from notevault.backup.words.status import SAYS

_SEALED = re.compile(r"(?:blobs/[0-9a-f]{2}/)?([0-9a-f]{64})")
_KEY_FILE = re.compile(r"headers/[0-9a-f]{32}/0*([0-9]+)-[0-9a-f]{64}")
_BARE = re.compile(r"[\w.:/\\+-]+", re.ASCII)
_SHORT = 12  # digits of a checksum that tell files apart


def size_words(n: int) -> str:
    """As "812 bytes", "16.7 KB", "1.2 GB"."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if n >= limit:
            return f"{n / limit:,.1f} {unit}"
    return f"{n} byte{'' if n == 1 else 's'}"


def quoted(word: str, *, windows: bool = sys.platform == "win32") -> str:
    """One word of a command that is to be typed: as a POSIX shell, or Windows' cmd.exe and its programs, read it."""
    if not windows:
        return shlex.quote(word)
    if _BARE.fullmatch(word):
        return word
    # The programs themselves take the word apart: a backslash counts only before a quotation mark
    body = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return '"' + re.sub(r"(\\+)$", r"\1\1", body) + '"'


def step_words(verdict: str, name: str) -> str:
    """What to do about a place's verdict; `name` is the place's."""
    word = quoted(name)
    return SAYS[verdict].step.replace("'{name}'", word).replace("{name}", word)


def problem_words(problem: Problem) -> str:
    """What was found, in a clause: "sealed file 26d61ecad8a4: its bytes are others"."""
    what, detail = path_words(problem.path), problem.detail
    if problem.code == "MISSING":
        what = detail if detail and problem.path.startswith("headers/") else what
        detail = "it is not there"
    return ": ".join(part for part in (what, detail) if part)


def path_words(path: str) -> str:
    """What lies at a path in the vault or at a place; anything that is none of ours as it is."""
    if found := _SEALED.fullmatch(path):
        return f"sealed file {found[1][:_SHORT]}"
    if found := _KEY_FILE.fullmatch(path):
        return f"key file {found[1]}"
    first, _, rest = path.partition("/")
    if first == "blobs":
        return "a file among the sealed files" if "/" in rest else "a folder of sealed files"
    if first == "audit":
        return "the log's card for auditors" if rest.endswith("/card") else "the log"
    known = {"headers": "a key file", "anchors": "a signed state of the log", "VAULT.json": "the mark of the place"}
    return known.get(first, path)
