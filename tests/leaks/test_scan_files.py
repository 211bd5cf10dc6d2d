"""The scanner itself: whatever is planted, it finds. A scanner that finds nothing proves nothing."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import os
import quopri
import random
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.leaks.canary import in_memory, nonsense, pieces
from tests.leaks.scan_files import Scanner

RNG = random.Random(20261121)
WORD = nonsense(RNG)
ACCENTED = "Þrýmskálda Ćwiękalińska"
NOISE = RNG.randbytes(5000)


def _zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", data)
    return out.getvalue()


def _lines(data: bytes) -> bytes:
    return base64.encodebytes(b"some words before, so that it breaks inside: " * 2 + data)


PLANTS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "upper case": bytes.upper,
    "UTF-16 little": lambda data: data.decode().encode("utf-16-le"),
    "UTF-16 big": lambda data: data.decode().encode("utf-16-be"),
    "UTF-32": lambda data: data.decode().encode("utf-32"),
    "reversed": lambda data: data.decode()[::-1].encode(),
    "base64, place 0": base64.b64encode,
    "base64, place 1": lambda data: base64.b64encode(b"." + data + b".."),
    "base64, place 2": lambda data: base64.b64encode(b".." + data + b"."),
    "base64, urlsafe": lambda data: base64.urlsafe_b64encode(b"\xff\xfe\xfd" + data),
    "base64 in lines": _lines,
    "base64 of upper case": lambda data: base64.b64encode(data.upper()),
    "base64 of UTF-16": lambda data: base64.b64encode(data.decode().encode("utf-16")),
    "base64 twice": lambda data: base64.b64encode(base64.b64encode(b"." + data)),
    "hex": lambda data: data.hex().encode(),
    "HEX": lambda data: data.hex().upper().encode(),
    "hex with blanks": lambda data: data.hex(" ").encode(),
    "hex of hex": lambda data: data.hex().encode().hex().encode(),
    "percent": lambda data: "".join(f"%{each:02X}" for each in data).encode(),
    "percent as in an address": lambda data: quote(data.decode()).encode(),
    "JSON": lambda data: json.dumps({"t": data.decode()}).encode(),
    "every letter \\u": lambda data: "".join(f"\\u{ord(each):04x}" for each in data.decode()).encode(),
    "repr of bytes": lambda data: repr(data).encode(),
    "entities": lambda data: "".join(f"&#{ord(each)};" for each in data.decode()).encode(),
    "quoted-printable, broken": lambda data: quopri.encodestring(b"x" * 68 + data),
    "zlib": zlib.compress,
    "zlib, fast": lambda data: zlib.compress(data * 3, 1),
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zip": _zipped,
    "zlib cut short": lambda data: zlib.compress(NOISE + data + NOISE)[:-40],
    "base64 of zlib": lambda data: base64.b64encode(zlib.compress(data)),
    "gzip in hex": lambda data: gzip.compress(data).hex().encode(),
    "zlib of UTF-16": lambda data: zlib.compress(data.decode().encode("utf-16-le")),
    "gzip in zip": lambda data: _zipped(gzip.compress(data)),
}


@pytest.mark.parametrize("name", PLANTS)
@pytest.mark.parametrize("phrase", [WORD, ACCENTED], ids=["plain", "accented"])
def test_what_is_planted_is_found(name: str, phrase: str, tmp_path: Path) -> None:
    file = tmp_path / "some.bin"
    file.write_bytes(NOISE[:777] + PLANTS[name](phrase.encode()) + NOISE[:333])
    assert Scanner([phrase]).tree(tmp_path), f"{name} was not found"


@pytest.mark.parametrize("name", PLANTS)
def test_without_the_canary_nothing_is_found(name: str, tmp_path: Path) -> None:
    (tmp_path / "some.bin").write_bytes(NOISE[:777] + PLANTS[name](nonsense(RNG).encode()) + NOISE)
    assert Scanner([WORD]).tree(tmp_path) == []


def test_a_half_of_a_word_is_found(tmp_path: Path) -> None:
    for half in pieces(WORD)[1:]:
        assert Scanner([WORD]).data(b"...." + half.encode() + b"....", "here")


def test_a_word_folded_as_an_index_folds_it_is_found() -> None:
    assert Scanner([ACCENTED]).data(b"..... cwiekalinska ....", "here")


def test_names_links_and_attributes_are_read(tmp_path: Path) -> None:
    (tmp_path / f"a-{WORD}.txt").touch()
    assert Scanner([WORD]).tree(tmp_path)
    (tmp_path / f"a-{WORD}.txt").unlink()
    (tmp_path / "link").symlink_to(f"/nowhere/{WORD}")
    assert Scanner([WORD]).tree(tmp_path)
    (tmp_path / "link").unlink()
    (tmp_path / "file").touch()
    try:
        os.setxattr(tmp_path / "file", "user.note", WORD.encode())
    except OSError:
        pytest.skip("this file system keeps no attributes")
    assert Scanner([WORD]).tree(tmp_path)


def test_a_word_across_two_pieces_of_a_large_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.leaks.scan_files.PIECE", 4096)
    monkeypatch.setattr("tests.leaks.scan_files.OVERLAP", 512)
    (tmp_path / "large").write_bytes(b"." * 4090 + WORD.encode() + b"." * 4096)
    assert Scanner([WORD]).tree(tmp_path)


def test_memory_needles_cover_the_three_widths_of_a_string() -> None:
    hows = {needle.how for needle in in_memory(ACCENTED)}
    assert {"utf-8", "utf-16-le", "utf-32-le"} <= hows
    halves = {needle.data for needle in in_memory(WORD)}
    assert {piece.encode() for piece in pieces(WORD)[1:]} <= halves, "whoever holds the word holds its halves"
