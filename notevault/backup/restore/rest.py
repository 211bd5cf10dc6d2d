"""What is left to do when everything is copied, for whoever goes on: the same command, or `recover` (FORMAT.md 13.3).

`<to>.restoring/rest`: payload JSON and a newline {`files`, `folders` list of paths, `highest` key file number seen in
any copy, `missing`, `opened` 0 or 1 (the vault is this device's own, and the restore is in its log), `v` 1, `vault`
hex16}. Written before the vault gets its name, removed after the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from notevault.backup.restore.plan import Building
from notevault.errors import Damaged, NotevaultError
from notevault.formats import text
from notevault.ports import Files

REST_LIMIT = 1 << 20
"""Bytes: a dozen paths."""
_KEYS = frozenset({"files", "folders", "highest", "missing", "opened", "v", "vault"})


@dataclass(frozen=True)
class Rest:
    """`folders`: the copies that the vault came from, as they were named."""

    vault: str
    folders: tuple[str, ...]
    files: int = 0
    missing: int = 0
    highest: int = 0
    opened: bool = False

    def encode(self) -> bytes:
        says = {name: getattr(self, name) for name in ("files", "highest", "missing", "vault")}
        says |= {"folders": list(self.folders), "opened": int(self.opened), "v": 1}
        return text.payload_json(says) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Rest:
        """Raises Damaged for anything but the exact form."""
        if len(data) > REST_LIMIT or not data.endswith(b"\n"):
            raise Damaged(_BAD)
        found = text.parse_payload(data[:-1])
        text.exact_keys(found, _KEYS)
        text.integer(found["v"], 1, 1)
        folders = found["folders"]
        if not isinstance(folders, list) or not all(
            type(each) is str and each and "\0" not in each for each in folders
        ):
            raise Damaged(_BAD)
        return cls(
            text.unhex(found["vault"], 16).hex(),
            tuple(folders),
            text.integer(found["files"]),
            text.integer(found["missing"]),
            text.integer(found["highest"]),
            text.integer(found["opened"], 0, 1) == 1,
        )


_BAD = "What was left to do of a restore does not read."


def sayable(folders: Sequence[Path]) -> tuple[str, ...]:
    """Those whose path is text: others cannot be noted, and are named again by whoever adds them as a place."""
    found = []
    for folder in folders:
        try:
            str(folder).encode()
        except UnicodeEncodeError:
            continue
        found.append(str(folder))
    return tuple(found)


def keep(files: Files, to: Path, rest: Rest) -> None:
    files.replace(Building(to).rest, rest.encode())


def left(files: Files, to: Path) -> Rest | None:
    """Of a restore into `to` whose copying is over; None where there is none, or it is finished. Raises nothing."""
    building = Building(to)
    try:
        if files.size(building.journal) is None or not files.names(to) or files.names(building.vault):
            return None
        return Rest.decode(files.read(building.rest, limit=REST_LIMIT))
    except NotevaultError:
        return None


def opened(files: Files, to: Path) -> None:
    """The vault is this device's own now. Does nothing where no restore is under way."""
    rest = left(files, to)
    if rest is not None and not rest.opened:
        keep(files, to, replace(rest, opened=True))
