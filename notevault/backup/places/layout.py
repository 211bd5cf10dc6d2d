"""A backup place: the names in it, its marker, its read-me (FORMAT.md section 13).

Paths are text relative to `base`, their parts joined by `/`. What becomes part of one is checked first, so no value
read from a file can lead out of its folder; a wrong value is our own fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from notevault.errors import Damaged, NotFound, OwnFault
from notevault.formats import text
from notevault.ports import Tree
from notevault.storage.layout import BUNDLE, MAX_SEQ

FOLDER = "notevault"
MARKER = "VAULT.json"
READ_ME = "READ-ME.txt"
BLOBS, HEADERS, AUDIT, ANCHORS, QUARANTINE = "blobs", "headers", "audit", "anchors", "quarantine"
MARKER_LIMIT = 4096
"""Bytes. The marker has 94."""

README = b"""This folder holds sealed backups made by notevault.

Nothing in it can be read without the recovery sheet, or without the laptop
that it belongs to. Please do not rename, sort or delete anything in here.

To get notes back on any computer: install notevault, have the printed
recovery sheet at hand, and type

    notevault backup restore --from FOLDER

where FOLDER is the folder in which you found this folder. It asks for the
sheet.
"""

T = TypeVar("T", bound=Tree)
_HEX32 = re.compile(r"[0-9a-f]{32}")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_PART = re.compile(r"(0|[1-9][0-9]{0,15})-([1-9][0-9]{0,15})")


@dataclass(frozen=True)
class Marker:
    """`VAULT.json`: which place this is, of which vault; both 32 hexadecimal digits (FORMAT.md section 13.1)."""

    place: str
    vault: str

    def encode(self) -> bytes:
        return text.canonical({"place": _id(self.place), "v": 1, "vault": _id(self.vault)}) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Marker:
        """Raises Damaged for anything but the exact form."""
        found = text.parse_canonical(data, limit=MARKER_LIMIT, newline=True)
        text.exact_keys(found, frozenset({"place", "v", "vault"}))
        text.integer(found["v"], 1, 1)
        return cls(text.unhex(found["place"], 16).hex(), text.unhex(found["vault"], 16).hex())


def read_marker(tree: Tree, vault: str) -> Marker:
    """The marker in `tree`, the folder of `base`. Whether it is the right place's is for the caller to compare.

    Raises NotFound when there is none (not plugged in), Damaged when it does not read, is a link, or is of another
    vault; CannotWrite and StorageFault as the system says.
    """
    try:
        data = tree.read(MARKER, limit=MARKER_LIMIT)
    except NotFound:
        raise _not_there() from None
    except Damaged:
        raise _unreadable() from None
    try:
        marker = Marker.decode(data)
    except Damaged:
        raise _unreadable() from None
    if marker.vault != vault:
        raise Damaged("This folder is marked as a backup of another vault; nothing was written to it.", _ELSEWHERE)
    return marker


def look_for(open_tree: Callable[[Path], T], folder: Path, vault: str) -> tuple[T, Marker]:
    """The place in `folder`: its tree, at `base`, and its marker. Errors as of `read_marker`.

    A link for one of the two folders in between is Damaged: what it leads to is not what was chosen, and a tree trusts
    the way to its own root.
    """
    seen: int | None
    try:
        seen = open_tree(folder).size(f"{FOLDER}/{_id(vault)}/{MARKER}")
    except NotFound:
        seen = None
    except Damaged:
        raise Damaged(
            "Something else than a backup (a link, or a file) lies where this backup place should be; nothing was"
            " written to it.",
            _ELSEWHERE,
        ) from None
    if seen is None:
        raise _not_there()
    tree = open_tree(base(folder, vault))
    return tree, read_marker(tree, vault)


_ELSEWHERE = "Keep it as it is, and choose another folder as the backup place."


def _not_there() -> NotFound:
    return NotFound(
        "This backup place is not plugged in, or cannot be reached.", "Plug it in; the backup then goes on by itself."
    )


def _unreadable() -> Damaged:
    return Damaged("The marker file of this backup place does not read; nothing was written to it.", _ELSEWHERE)


def base(folder: Path, vault: str) -> Path:
    """Where the backups of this vault lie in the folder that somebody chose."""
    return folder / FOLDER / _id(vault)


# Names relative to `base`


def blob(digest: str) -> str:
    return f"{BLOBS}/{_digest(digest)[:2]}/{digest}"


def blob_folder(first: int) -> str:
    return f"{BLOBS}/{first:02x}"


def headers(origin: str) -> str:
    return f"{HEADERS}/{_id(origin)}"


def header(origin: str, seq: int, digest: str) -> str:
    if not 1 <= seq <= MAX_SEQ:
        raise OwnFault("A key file was asked for by a number that is none.")
    return f"{headers(origin)}/{seq:08d}-{_digest(digest)}"


def audit(origin: str) -> str:
    return f"{AUDIT}/{_id(origin)}"


def card(origin: str) -> str:
    return f"{audit(origin)}/card"


def entries(origin: str) -> str:
    return f"{audit(origin)}/entries"


def bundle(origin: str, number: int) -> str:
    """Full bundle `number`: x001/234 for 1234, as in the vault (FORMAT.md section 6.4)."""
    if number < 0:
        raise OwnFault("A part of the log was asked for by a number that is none.")
    digits = str(number)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([entries(origin), *(f"x{group}" for group in groups[:-1]), groups[-1]])


def parts(origin: str) -> str:
    return f"{audit(origin)}/parts"


def part(origin: str, start: int, stop: int) -> str:
    """Entries `start` to `stop` - 1, all of one bundle."""
    if not _is_part(start, stop):
        raise OwnFault("A part of the log was asked for by numbers that are none.")
    return f"{parts(origin)}/{start}-{stop}"


def parse_part(name: str) -> tuple[int, int] | None:
    """(from, to) of a file name in `parts`, None for any other name. The inverse of `part`."""
    found = _PART.fullmatch(name)
    if found is None:
        return None
    start, stop = int(found[1]), int(found[2])
    return (start, stop) if _is_part(start, stop) else None


def _is_part(start: int, stop: int) -> bool:
    return 0 <= start < stop < 10**16 and start // BUNDLE == (stop - 1) // BUNDLE


def seals(origin: str) -> str:
    return f"{audit(origin)}/seals"


def seal(origin: str, number: int) -> str:
    if not 0 <= number <= 99_999_999:
        raise OwnFault("A signed state was asked for by a number that is none.")
    return f"{seals(origin)}/{number:08d}"


def anchors(origin: str) -> str:
    return f"{ANCHORS}/{_id(origin)}"


def anchor(origin: str, size: int, root: bytes) -> str:
    if size < 0 or len(root) != 32:
        raise OwnFault("A signed state was to be named that cannot be one.")
    return f"{anchors(origin)}/{size}-{root.hex()}"


def _id(name: str) -> str:
    if _HEX32.fullmatch(name) is None:
        raise OwnFault("A name was used that is none.")
    return name


def _digest(name: str) -> str:
    if _HEX64.fullmatch(name) is None:
        raise OwnFault("A file was asked for by a checksum that is none.")
    return name
