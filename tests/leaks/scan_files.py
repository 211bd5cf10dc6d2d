"""Looks for canaries in files: names, contents, and whatever is compressed or encoded in them, four layers deep.

Undone on the way: zlib, gzip, bzip2, xz and zip at any offset, runs of base64 and hex. Not undone, since nothing here
writes it and Python 3.11 does not read it: zstd, lz4, brotli.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import lzma
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.leaks.canary import Needle, in_files

DEPTH = 4
LIMIT = 64 << 20  # bytes that one packed stream may give
PIECE = 32 << 20  # bytes looked at in one go; a disk image is larger
OVERLAP = 1 << 16
BLOCK = 4096

_BLANKS = b" \t\r\n"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){12,}")
# The two bytes of a zlib header: method 8, any window, and divisible by 31.
_ZLIB = re.compile(
    b"|".join(
        b"%s[%s]"
        % (
            re.escape(bytes([cmf])),
            b"".join(re.escape(bytes([flag])) for flag in range(256) if (cmf << 8 | flag) % 31 == 0),
        )
        for cmf in range(0x08, 0x88, 0x10)
    )
)


@dataclass(frozen=True)
class Hit:
    where: str
    needle: Needle
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        via = "".join(f" inside {step}" for step in self.path)
        return f"{self.where}: {self.needle.what!r} as {self.needle.how}{via}"


class Scanner:
    def __init__(self, phrases: Iterable[str] = (), needles: Iterable[Needle] = ()) -> None:
        self.needles = [needle for phrase in phrases for needle in in_files(phrase)] + list(needles)

    def data(self, data: bytes, where: str) -> list[Hit]:
        return list(self._look(data, where, (), set()))

    def _look(self, data: bytes, where: str, path: tuple[str, ...], seen: set[int]) -> Iterator[Hit]:
        mark = hash(data)
        if mark in seen or len(data) < 8:
            return
        seen.add(mark)
        yield from self._plain(data, where, path)
        if len(path) < DEPTH:
            for how, inner in _unpacked(data):
                yield from self._look(inner, where, (*path, how), seen)

    def _plain(self, data: bytes, where: str, path: tuple[str, ...]) -> Iterator[Hit]:
        looks = [data]
        squeezed = data.translate(None, _BLANKS)  # base64 and hex in lines
        if len(squeezed) != len(data):
            looks.append(squeezed)
        if b"=\n" in data or b"=\r\n" in data:  # quoted-printable's soft line ends
            looks.append(data.replace(b"=\r\n", b"").replace(b"=\n", b""))
        found: set[Needle] = set()
        for each in looks:
            low = each.lower()
            for needle in self.needles:
                if needle not in found and needle.data in (low if needle.folded else each):
                    found.add(needle)
                    yield Hit(where, needle, path)

    # -- trees and images

    def tree(self, root: Path, leave_out: Sequence[Path] = ()) -> list[Hit]:
        """Names, contents, link targets and extended attributes of everything below `root`, which may be a file."""
        hits: list[Hit] = []
        for path in everything(root):
            if path not in leave_out:
                hits += self.name(path) + self._file(path)
        return hits

    def name(self, path: Path) -> list[Hit]:
        return list(self._plain(os.fsencode(path.name), f"the name {path}", ()))

    def _file(self, path: Path) -> list[Hit]:
        kind = path.lstat().st_mode
        hits: list[Hit] = []
        if stat.S_ISLNK(kind):
            return self.data(os.fsencode(os.readlink(path)), f"the link {path}")
        for name in os.listxattr(path):
            hits += self.data(os.getxattr(path, name), f"attribute {name} of {path}")
        if stat.S_ISREG(kind):
            hits += self.image(path)
        return hits

    def image(self, path: Path) -> list[Hit]:
        """A file of any size, a disk image too, in overlapping pieces; only blocks of zeros are left out."""
        hits: list[Hit] = []
        with path.open("rb") as file:
            tail = b""
            while piece := file.read(PIECE):
                hits += self.data(tail + without_zeros(piece), str(path))
                tail = piece[-OVERLAP:]
        return hits


def without_zeros(data: bytes) -> bytes:
    """One block of zeros stays of many, so that what lies beside them does not come together."""
    if len(data) < 16 * BLOCK:
        return data
    nothing = bytes(BLOCK)
    blocks = (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))
    return b"".join(b"\0" if block == nothing else block for block in blocks)


def everything(root: Path) -> Iterator[Path]:
    """`root` and all below it; links are not followed. What vanishes meanwhile was not left behind."""
    if not root.is_symlink() and not root.exists():
        return
    yield root
    if root.is_dir() and not root.is_symlink():
        for folder, folders, files in os.walk(root):
            for name in [*folders, *files]:
                yield Path(folder, name)


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    for head in _ZLIB.finditer(data):  # chance hits end at the first bad block
        yield from _pulled("zlib", zlib.decompressobj, data, head.start())
    for magic, how, make in _MAGICS:
        at = data.find(magic)
        while at >= 0:
            yield from _pulled(how, make, data, at)
            at = data.find(magic, at + 1)
    at = data.find(b"PK\x03\x04")
    while at >= 0:
        if len(data) >= at + 30:
            skip = (
                30
                + int.from_bytes(data[at + 26 : at + 28], "little")
                + int.from_bytes(data[at + 28 : at + 30], "little")
            )
            yield from _pulled("zip", lambda: zlib.decompressobj(-15), data, at + skip)
        at = data.find(b"PK\x03\x04", at + 1)
    yield from _decoded(data)


_MAGICS: tuple[tuple[bytes, str, Callable[[], object]], ...] = (
    (b"\x1f\x8b\x08", "gzip", lambda: zlib.decompressobj(31)),
    (b"BZh", "bzip2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMADecompressor),
    (b"\x5d\x00\x00", "lzma", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE)),
)


def _pulled(how: str, make: Callable[[], object], data: bytes, at: int) -> Iterator[tuple[str, bytes]]:
    """What comes out before the stream ends or breaks: a truncated one counts as far as it goes."""
    machine = make()
    out = b""
    view = memoryview(data)
    try:
        while at < len(view) and len(out) < LIMIT:
            step = machine.decompress(bytes(view[at : at + 4096]))  # type: ignore[attr-defined]
            out += step
            at += 4096
            if machine.eof:  # type: ignore[attr-defined]
                break
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        pass
    if len(out) >= 8:
        yield how, out


def _decoded(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Runs of base64 and of hex, so that what was compressed or encoded before is found too."""
    for text in dict.fromkeys((data, data.translate(None, _BLANKS))):
        for run in _BASE64.finditer(text):
            letters = run.group().rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
            for start in range(4):
                part = letters[start:]
                part = part[: len(part) // 4 * 4] if len(part) % 4 == 1 else part + b"=" * (-len(part) % 4)
                try:
                    yield "base64", base64.b64decode(part)  # noqa: TID251  any text at all, not one of ours
                except (binascii.Error, ValueError):
                    continue
        for run in _HEX.finditer(text):
            for start in (0, 1):
                digits = run.group()[start:]
                yield "hex", bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
