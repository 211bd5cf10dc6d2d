"""`nvaudit card`: the cards that lie in the folder, for comparing with what the therapist gave on paper."""

from __future__ import annotations

import argparse
import os
import shlex
import string
from pathlib import Path

from . import card, plain
from .cli_stop import INTACT, TAMPERED, UNDECIDED
from .cli_tools import Tools, opened
from .fault import Fault
from .folder import folder_reader

_BARE = frozenset(string.ascii_letters + string.digits + "_-.:/\\")  # means itself in cmd and PowerShell
LATER = """A card that came with the folder proves nothing by itself: whoever could replace the log could replace it.
Compare the fingerprint with the paper that the therapist gave you in person, digit by digit. If they are equal:
  nvaudit check {folder} --card "{fingerprint}" --state STATE"""


def show(given: argparse.Namespace, tools: Tools) -> int:
    """Exit 0 when every log has a card whose own signature holds, 1 when one does not, 2 when one is not there."""
    code, last = INTACT, ""
    for origin, folder in sorted(opened(given.folder, tools.say).logs.items()):
        found, lines, fingerprint = _describe(folder, origin, tools)
        code = TAMPERED if TAMPERED in (code, found) else max(code, found)
        last = fingerprint or last
        tools.say.out(f"Log {origin}")
        for line in lines:
            tools.say.out(f"  {line}")
    if last:
        for line in ("", *LATER.format(folder=pasted(given.folder), fingerprint=last).split("\n")):
            tools.say.out(line)
    return code


def pasted(folder: str, windows: bool = os.name == "nt") -> str:
    """The folder as a shell takes it for one name and nothing else; `FOLDER` where no spelling is safe in every shell
    of the system.
    """
    if not folder.isprintable() or (windows and set(folder) & set("%$`!\"'\u2018\u2019\u201c\u201d\u201e")):
        return "FOLDER"
    if folder.startswith("-"):
        folder = os.path.join(".", folder)  # noqa: PTH118  `Path` leaves the dot out
    if not windows:
        return shlex.quote(folder)
    return f'"{folder}"' if set(folder) - _BARE or not folder else folder


def _describe(folder: Path, origin: str, tools: Tools) -> tuple[int, list[str], str]:
    """Exit code, lines and fingerprint ("" where there is no card to compare)."""
    data = folder_reader(folder)("card")
    if data is None:
        return UNDECIDED, ["has no card"], ""
    if isinstance(data, Fault):
        return UNDECIDED, [f"its card cannot be read: {data.sentence}"], ""
    found = card.parse(data)
    if isinstance(found, Fault):
        return TAMPERED, [f"FORGED card: {found.sentence}"], ""
    fault = card.check(found, found.vik_pub, tools.verify)
    if fault is None and found.origin != origin:
        fault = Fault("WRONG_ORIGIN", "it is the card of another log")
    if fault is not None:
        return TAMPERED, [f"FORGED card: {fault.sentence}"], ""
    fingerprint = card.spell_fingerprint(card.fingerprint(data))
    lines = [f"fingerprint  {fingerprint}", f"made         {plain.when(found.created)}", f"vault        {found.vault}"]
    return INTACT, lines, fingerprint
