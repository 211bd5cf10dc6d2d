"""The files of one batch on their way to a backup place, by the folders that they are for.

What is for a folder that is not there yet is gathered in one below the stage, which then becomes that folder: one
rename instead of one for each file (a first backup has 20,000 of them).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from notevault.adapters.place_platform import Folder
from notevault.adapters.place_stage import NEW, Stage
from notevault.adapters.place_tree import split

Descend = Callable[[str], AbstractContextManager[Folder]]
"""A folder of the place, held."""
Make = Callable[[list[str]], None]
"""`WriteOnce.make_folders`."""


@dataclass
class _Heap:
    """What is for one folder. `gathered`: the name below the stage of the folder that it lies in; "": the stage."""

    gathered: str = ""
    files: list[tuple[str, str, bytes]] = field(default_factory=list)  # name, name while unfinished, SHA-256 or b""


class Batch:
    """`each`: every file is synced by itself, and every folder after its names; else the caller syncs everything before
    `read_back` and after `give`. `gathers`: a whole folder may be renamed; else one that is not there is made. What has
    no name after `give` the stage clears away.
    """

    def __init__(self, stage: Stage, descend: Descend, make: Make, *, each: bool, gathers: bool, hashed: bool) -> None:
        self._stage, self._descend, self._make = stage, descend, make
        self._each, self._gathers, self._hashed = each, gathers, hashed
        self._heaps: list[tuple[str, _Heap]] = []
        self._of: dict[str, _Heap] = {}  # folder of the place -> the heap that is written to
        self._at = ""  # the heap that was written to last
        self._into: Folder | None = None  # its folder below the stage, held

    def write(self, folder: str, name: str, data: bytes) -> None:
        heap = self._of.get(folder)
        if heap is None:
            heap = self._begin(folder, absent=bool(folder) and self._is_absent(folder))
        elif folder != self._at:
            self._hold(self._stage.sub(heap.gathered) if heap.gathered else None)
        self._at = folder
        digest = hashlib.sha256(data).digest() if self._hashed else b""
        if heap.gathered:
            try:
                temp = self._stage.write(data, sync=self._each, into=self._into, name=name)
            except FileExistsError:  # twice in one batch: what came second is held against the first
                heap = self._begin(folder, absent=False)
        if not heap.gathered:
            temp = self._stage.write(data, sync=self._each)
        heap.files.append((name, temp, digest))

    def read_back(self) -> None:
        """StorageFault when a file does not come back as it was written."""
        for _, heap in self._heaps:
            with self._source(heap) as source:
                for _, temp, digest in heap.files:
                    self._stage.read_back(temp, digest, source)

    def give(self) -> list[str]:
        """NEW, KEPT or TAKEN of every file."""
        outcomes: list[str] = []
        for folder, heap in self._heaps:
            if heap.gathered and self._take_place(folder, heap):
                outcomes += [NEW] * len(heap.files)
                continue
            with self._descend(folder) as target, self._source(heap) as source:
                outcomes += [
                    self._stage.give(temp, target, name, sync=self._each, source=source) for name, temp, _ in heap.files
                ]
                if self._each:
                    self._stage.note(target.sync())
        return outcomes

    def close(self) -> None:
        self._hold(None)

    # Helpers

    def _is_absent(self, folder: str) -> bool:
        """NotFound where the folder above it is absent too."""
        above, last = split(folder)
        with self._descend(above) as parent:
            try:
                parent.look(last)
            except FileNotFoundError:
                return True
        return False

    def _begin(self, folder: str, *, absent: bool) -> _Heap:
        gathers = absent and self._gathers
        if absent and not gathers:
            self._make([folder])
        heap = self._of[folder] = _Heap(self._stage.gather() if gathers else "")
        self._heaps.append((folder, heap))
        self._hold(self._stage.sub(heap.gathered) if gathers else None)
        return heap

    def _take_place(self, folder: str, heap: _Heap) -> bool:
        above, last = split(folder)
        with self._descend(above) as parent:
            return self._stage.give_gathered(heap.gathered, parent, last)

    def _source(self, heap: _Heap) -> AbstractContextManager[Folder | None]:
        return contextlib.closing(self._stage.sub(heap.gathered)) if heap.gathered else contextlib.nullcontext()

    def _hold(self, folder: Folder | None) -> None:
        if self._into is not None:
            self._into.close()
        self._into = folder
