"""The notes' files against the logs (FORMAT sections 1 and 6): what was written less what was destroyed is there, byte
for byte, and nothing else. No keys are needed: a file's name is the SHA-256 of its bytes, and the log names it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from .digests import Digests
from .fault import Fault
from .folder import names, open_file
from .outcome import BlobTally
from .verdict import Finding, Weight

MAX_FINDINGS = 20  # of each kind; the tally has them all
_PIECE = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")

Progress = Callable[[int, int], None]  # files done, about so many in all


def check_blobs(
    folder: Path, written: Sequence[Digests], purged: Iterable[Digests], sure: bool, progress: Progress | None = None
) -> tuple[BlobTally, list[Finding], int]:
    """Tally, findings, and the number of files that are no notes'. `written` and `purged`: of each log; `sure`: all of
    them are proven, so what they do not name is in none.
    """
    look = _Look(folder, sure)
    gone = list(purged)
    done, total = 0, max(0, sum(log.added for log in written) - sum(log.added for log in gone))
    for first in range(256):
        live: dict[bytes, tuple[int, int]] = {}
        for log in written:
            live.update(log.part(first))
        destroyed: set[bytes] = set()
        for log in gone:
            destroyed.update(log.part(first))
        for digest in destroyed:
            live.pop(digest, None)
        done += len(live)
        any_ = bool(live)
        look.part(first, live, destroyed)
        if progress and any_:
            progress(done, max(done, total))
    look.top()
    return look.tally, look.findings, look.strays


class _Look:
    def __init__(self, folder: Path, sure: bool) -> None:
        self._folder, self._sure = folder, sure
        self.tally = BlobTally(looked=True)
        self.findings: list[Finding] = []
        self.strays = 0
        self._told: dict[str, int] = {}

    def part(self, first: int, live: dict[bytes, tuple[int, int]], destroyed: set[bytes]) -> None:
        """The files whose names begin with this byte; `live` is used up."""
        tally, name = self.tally, f"{first:02x}"
        tally.live += len(live)
        tally.purged += len(destroyed)
        for file, kind in names(self._folder / name):
            if not file:
                tally.unreadable += len(live)
                if live:
                    self._find("UNREADABLE", Weight.UNDECIDED, f"blobs/{name} cannot be read: {kind}")
                return
            if not _DIGEST.fullmatch(file) or not file.startswith(name):
                self.strays += not file.startswith(".tmp-")
                continue
            digest = bytes.fromhex(file)
            known = live.pop(digest, None)
            if known is not None:
                self._file(f"{name}/{file}", digest, *known)
            elif digest in destroyed:
                tally.lingering += 1
                text = f"blobs/{name}/{file} was destroyed for good by the log, and is still there"
                self._find("LINGERING", Weight.NOTE, text)
            else:
                tally.unlogged += 1
                text = f"UNLOGGED BLOB: blobs/{name}/{file} is in no log{'' if self._sure else ' that holds'}"
                self._find("UNLOGGED_BLOB", Weight.UNDECIDED, f"{text}; it counts nowhere")
        for digest, (_, index) in sorted(live.items()):
            tally.missing += 1
            text = f"BLOB MISSING: blobs/{name}/{digest.hex()}, which entry {index} wrote"
            weight = Weight.TAMPERED if self._sure else Weight.UNDECIDED
            self._find("BLOB_MISSING", weight, text, index)

    def top(self) -> None:
        """What lies beside the 256 folders."""
        for file, kind in names(self._folder):
            if len(file) != 2 or not set(file) <= set("0123456789abcdef"):
                self.strays += not file.startswith(".tmp-")
            elif kind != "folder":
                self.strays += 1

    def _file(self, path: str, digest: bytes, size: int, index: int) -> None:
        found = _hash(self._folder, path, size)
        if found == digest:
            self.tally.sound += 1
            self.tally.bytes += size
        elif isinstance(found, Fault):
            self.tally.unreadable += 1
            self._find("UNREADABLE", Weight.UNDECIDED, f"blobs/{path} cannot be read: {found.sentence}", index)
        else:
            self.tally.changed += 1
            why = found if isinstance(found, str) else "its bytes are others"
            self._find("BLOB_CHANGED", Weight.TAMPERED, f"BLOB CHANGED: blobs/{path}, of entry {index}: {why}", index)

    def _find(self, code: str, weight: Weight, sentence: str, index: int = -1) -> None:
        told = self._told[code] = self._told.get(code, 0) + 1
        if told <= MAX_FINDINGS:
            self.findings.append(Finding(code, weight, sentence, index, index))
        elif told == MAX_FINDINGS + 1:
            self.findings.append(Finding("MORE", weight, f"There are more such files ({code}); the tally counts them"))


def _hash(folder: Path, path: str, size: int) -> bytes | str | Fault:
    """SHA-256 of a file that should have `size` bytes; in words how its size differs, before anything is read."""
    opened = open_file(folder, path)
    if opened is None:
        return Fault("UNREADABLE", "it was there, and is gone")
    if isinstance(opened, Fault):
        return opened
    with os.fdopen(opened, "rb", buffering=0) as file:
        there = os.fstat(opened).st_size
        if there != size:
            return f"it has {there} bytes, {size} were logged"
        hash_, left = hashlib.sha256(), size
        try:
            while left:
                piece = file.read(min(left, _PIECE))
                if not piece:
                    return f"it ends {left} bytes early"
                hash_.update(piece)
                left -= len(piece)
        except OSError as error:
            return Fault("UNREADABLE", error.strerror or "a read failed")
    return hash_.digest()
