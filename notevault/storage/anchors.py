"""Anchors: copies of a log's signed state kept outside the vault, each written once (FORMAT.md section 7.1).

A backup place holds a folder of them. Nothing here replaces or removes one: a log that is later cut short, rolled back
or rewritten still has to agree with all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from notevault.auditlog import anchor, checkpoint
from notevault.auditlog.fault import Fault
from notevault.errors import Damaged, NotFound, OwnFault
from notevault.formats.ids import is_origin
from notevault.ports import Files
from notevault.storage.layout import make_lasting_folder


class AnchorFolder:
    """`folder` is the `anchors` of one vault in one place."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder

    def put(self, signed: bytes) -> Path:
        """Write a checkpoint; durable when it returns. One that is there already is left as it is.

        Raises Damaged when another file, or a link, lies under its name (it stays), DiskFull, CannotWrite,
        StorageFault; OwnFault for bytes that are no checkpoint.
        """
        found = checkpoint.parse(signed)
        if isinstance(found, Fault):
            raise OwnFault("Something that is no signed state was to be written as one.")
        path = self._path(found.origin, found.size, found.root)
        make_lasting_folder(self._files, path.parent)
        self._files.create(path, signed)
        return path

    def origins(self) -> list[str]:
        """The logs that have anchors here; other names are passed over."""
        return [name for name in self._files.names(self._folder) if is_origin(name)]

    def newest(self, origin: str) -> tuple[int, bytes] | None:
        """Size and root that the name of the largest one says. Alleged: nothing was read."""
        return max(self._named(origin), default=None)

    def read(self, origin: str) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of each, by size. What is too large, a link or gone meanwhile is passed over."""
        for size, root in sorted(self._named(origin)):
            path = self._path(origin, size, root)
            try:
                yield path.name, self._files.read(path, limit=checkpoint.MAX_BYTES)
            except (Damaged, NotFound):
                continue

    def _named(self, origin: str) -> list[tuple[int, bytes]]:
        if not is_origin(origin):
            raise OwnFault("A log's name was used that is none.")
        names = self._files.names(self._folder / origin)
        return [named for name in names if (named := anchor.parse_name(name)) is not None]

    def _path(self, origin: str, size: int, root: bytes) -> Path:
        return self._folder / origin / anchor.name_of(size, root)
