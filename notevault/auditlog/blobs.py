"""The notes' files against the logs (FORMAT sections 1 and 6): what was written less what was destroyed is there, byte
for byte, and nothing else. No keys are needed: a file's name is the SHA-256 of its bytes, and the log names it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from io import FileIO
from pathlib import Path

from .digests import Digests
from .fault import Fault
from .folder import names, open_file
from .outcome import BlobTally
from .verdict import Finding, Weight

MAX_FINDINGS = 20  # of each kind and weight; the tally has them all
_PIECE = 1 << 20
MOST_LEFT = 16  # files that no log names, and that a verdict may pass over with a note
_DIGEST = re.compile(r"[0-9a-f]{64}")

SMALL = 64 << 10  # bytes: file systems keep small files in odd ways, and they cost nothing to hash
LONGEST = (64 << 20) + (8 << 20)  # of a note's file (FORMAT section 5); only a stream, an attachment's, is longer
_SPARSE = 0x200 | 0x800  # Windows: FILE_ATTRIBUTE_SPARSE_FILE, FILE_ATTRIBUTE_COMPRESSED

Progress = Callable[[int, int], None]  # bytes done, about so many in all


def check_blobs(
    folder: Path,
    written: Sequence[Digests],
    purged: Iterable[Digests],
    sure: bool,
    progress: Progress | None = None,
    *,
    whole: bool = False,
) -> tuple[BlobTally, list[Finding], int]:
    """Tally, findings, and the number of files that are no notes'. `written` and `purged`: of each log; `sure`: all of
    them are proven, so what they do not name is in none. `whole`: besides, no log is missing and nothing else is open;
    then a file that no log names is only told of: an interrupted save leaves one, and where a vault has several logs
    it stays for ever.
    """
    look = _Look(folder, sure, Weight.NOTE if whole and sure else Weight.UNDECIDED)
    gone = list(purged)
    total = max(0, sum(log.weight for log in written) - sum(log.weight for log in gone))
    look.tell = lambda done: progress(done, max(done, total)) if progress else None
    for first in range(256):
        live: dict[bytes, tuple[int, int]] = {}
        for log in written:
            live.update(log.part(first))
        destroyed: set[bytes] = set()
        for log in gone:
            destroyed.update(log.part(first))
        for digest in destroyed:
            live.pop(digest, None)
        look.part(first, live, destroyed)
    look.many()
    look.top()
    return look.tally, look.findings, look.strays


class _Look:
    def __init__(self, folder: Path, sure: bool, unlogged: Weight) -> None:
        self._folder, self._sure, self._unlogged = folder, sure, unlogged
        self.tally = BlobTally(looked=True)
        self.findings: list[Finding] = []
        self.strays = 0
        self._told: dict[tuple[str, Weight], int] = {}
        self._linked: dict[tuple[int, int], bytes] = {}  # digests of files that have several names
        self._done = 0  # bytes
        self.tell: Callable[[int], None] = lambda _done: None

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
                text += "; it counts nowhere, and what it holds was not looked into"
                self._find("UNLOGGED_BLOB", self._unlogged, text)
        for digest, (_, index) in sorted(live.items()):
            tally.missing += 1
            text = f"BLOB MISSING: blobs/{name}/{digest.hex()}, which entry {index} wrote"
            weight = Weight.TAMPERED if self._sure else Weight.UNDECIDED
            self._find("BLOB_MISSING", weight, text, index)

    def many(self) -> None:
        """So many files that no log names are no single save's: an older log may lie beside newer notes."""
        if self._unlogged is Weight.NOTE and self.tally.unlogged > MOST_LEFT:
            text = f"UNLOGGED BLOB: {self.tally.unlogged} files are in no log, more than an interrupted save leaves;"
            text += " an interrupted import leaves them, or an older log that was put beside newer notes"
            self._find("UNLOGGED_BLOB", Weight.UNDECIDED, text)

    def top(self) -> None:
        """What lies beside the 256 folders."""
        for file, kind in names(self._folder):
            if len(file) != 2 or not set(file) <= set("0123456789abcdef"):
                self.strays += not file.startswith(".tmp-")
            elif kind != "folder":
                self.strays += 1

    def _file(self, path: str, digest: bytes, size: int, index: int) -> None:
        found = self._hash(path, size)
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

    def _hash(self, path: str, size: int) -> bytes | str | Fault:
        """SHA-256 of a file that should have `size` bytes; in words how its size differs, before anything is read."""
        opened = open_file(self._folder, path)
        if opened is None:
            return Fault("UNREADABLE", "it was there, and is gone")
        if isinstance(opened, Fault):
            return opened
        with os.fdopen(opened, "rb", buffering=0) as file:
            status = os.fstat(opened)
            there = status.st_size
            if there != size:
                return f"it has {there} bytes, {size} were logged"
            if why := _holes(opened, there):
                return Fault("UNREADABLE", why)
            node = (status.st_dev, status.st_ino)
            if status.st_nlink > 1 and node in self._linked:  # many names of one long file
                return self._linked[node]
            found = self._read(file, size)
        if status.st_nlink > 1 and isinstance(found, bytes):
            self._linked[node] = found
        return found

    def _read(self, file: FileIO, size: int) -> bytes | str | Fault:
        hash_, left = hashlib.sha256(), size
        try:
            while left:
                piece = file.read(min(left, _PIECE))
                if piece is None:  # it would have to wait: no regular file does
                    return Fault("UNREADABLE", "not a file that can be read at once")
                if not piece:
                    return f"it ends {left} bytes early"
                hash_.update(piece)
                left -= len(piece)
                self._done += len(piece)
                self.tell(self._done)
        except OSError as error:
            return Fault("UNREADABLE", error.strerror or "a read failed")
        return hash_.digest()

    def _find(self, code: str, weight: Weight, sentence: str, index: int = -1) -> None:
        told = self._told[code, weight] = self._told.get((code, weight), 0) + 1
        if told <= MAX_FINDINGS:
            self.findings.append(Finding(code, weight, sentence, index, index))
        elif told == MAX_FINDINGS + 1:
            self.findings.append(Finding("MORE", weight, f"There are more such files ({code}); the tally counts them"))


def _holes(file: int, there: int) -> str:
    """Why a file is not read, "" where it is: bytes that the disk does not hold cost nothing to claim and hours to
    hash. What is sealed cannot be compressed, so an honest file has about as many bytes on the disk as it says.
    """
    if there <= SMALL:
        return ""
    found = os.fstat(file)
    if getattr(found, "st_blocks", None) is not None:
        if found.st_blocks * 512 < there // 4:
            with contextlib.suppress(OSError):  # just written, some systems count its blocks only once it is on disk
                os.fsync(file)
            found = os.fstat(file)
        return "it has holes: far fewer bytes are stored than it says" if found.st_blocks * 512 < there // 4 else ""
    attributes = getattr(found, "st_file_attributes", None)  # Windows
    if attributes is None and there > LONGEST:
        return f"it has {there} bytes, and whether they are really stored cannot be seen on this system"
    return "it has holes or is compressed, so it is not read" if (attributes or 0) & _SPARSE else ""
