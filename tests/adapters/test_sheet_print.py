"""The sheet on paper: read back by other programs, and silent about what it may not tell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notevault.adapters.sheet_print import TITLE, SheetModel, sheet_pdf, sheet_text
from notevault.formats.sheet import decode, encode, parse_sheet

SEED = bytes(range(7, 39))
PRINT = bytes(range(200, 216))
MODEL = SheetModel(
    tuple(encode(SEED, PRINT)), "00112233445566778899aabbccddeeff", "21 Nov 2026", PRINT.hex(), f"notevault/{'5a' * 16}"
)
NEVER = ("slot", "header", "blob", "origin", "epoch", "seal", "anchor", "checkpoint", "kit")


def needs(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed (Debian: poppler-utils, zbar-tools)")


def run(*command: str | Path) -> str:
    done = subprocess.run([str(each) for each in command], capture_output=True, check=True, timeout=60)
    return done.stdout.decode()


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.pdf"
    path.write_bytes(sheet_pdf(MODEL))
    return path


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=16, max_size=16))
@settings(max_examples=50)
def test_the_printed_page_reads_back(seed: bytes, fingerprint: bytes) -> None:
    model = SheetModel(tuple(encode(seed, fingerprint)), "ab" * 16, "2026-11-21", fingerprint.hex())
    code = parse_sheet(sheet_text(model))
    assert (code.seed, code.fingerprint) == (seed, fingerprint)


def test_the_page_fits_a_terminal_and_a_plain_printer() -> None:
    text = sheet_text(MODEL)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 76
    assert len(text.splitlines()) <= 60  # one sheet of paper


def test_both_papers_say_what_it_is_and_what_to_do(pdf: Path) -> None:
    needs("pdftotext")
    for page in (sheet_text(MODEL), run("pdftotext", "-layout", pdf, "-")):
        low = " ".join(page.lower().split())
        restore = "notevault backup restore --from"
        for word in ("recovery sheet", restore, "notevault recover", "notevault sheet new", "destroy", "by hand"):
            assert word in low
        assert low.index(restore) < low.index("notevault recover --vault"), "most have a backup place and no more"
        for word in ("21 nov 2026", "make a new vault and import"):
            assert word in low
        assert "0011 2233 4455 6677 8899 aabb ccdd eeff" in low
        assert not [word for word in NEVER if word in low.split()]


def test_a_qr_reader_gets_the_code_from_the_print(pdf: Path, tmp_path: Path) -> None:
    needs("pdftoppm", "zbarimg")
    run("pdftoppm", "-r", "100", "-gray", "-png", pdf, tmp_path / "page")
    pictures = sorted(tmp_path.glob("page*.png"))
    assert len(pictures) == 1  # one sheet of paper
    read = run("zbarimg", "--raw", "-q", "--nodbus", pictures[0]).strip()
    assert read == MODEL.code()
    assert decode(read).seed == SEED


def test_the_text_of_the_pdf_reads_back(pdf: Path) -> None:
    needs("pdftotext")
    text = run("pdftotext", "-layout", pdf, "-")
    assert all(group in text for group in MODEL.groups)
    assert parse_sheet(text).seed == SEED


def test_the_same_sheet_is_the_same_bytes() -> None:
    assert sheet_pdf(MODEL) == sheet_pdf(MODEL)


def test_the_pdf_tells_nothing_about_itself_but_what_it_is(pdf: Path) -> None:
    needs("pdfinfo")
    info = dict(line.split(":", 1) for line in run("pdfinfo", pdf).splitlines() if ":" in line)
    assert info["Title"].strip() == TITLE
    assert "595.28 x 841.89" in info["Page size"]
    raw = pdf.read_bytes()
    for secret in (*MODEL.groups, MODEL.code(), MODEL.vault_id):
        assert secret.encode() not in raw  # the page itself is compressed; nothing stands beside it


def test_the_groups_are_in_no_repr() -> None:
    shown = repr(MODEL)
    assert not [group for group in MODEL.groups if group in shown]


def test_a_sheet_of_another_size_is_never_printed() -> None:
    short = SheetModel(MODEL.groups[:20], MODEL.vault_id, MODEL.made, MODEL.fingerprint)
    for draw in (sheet_text, sheet_pdf):
        with pytest.raises(ValueError, match="21 groups"):
            draw(short)


def test_the_heavy_libraries_come_only_with_a_pdf() -> None:
    probe = "import sys, notevault.adapters.sheet_print; print([m for m in ('reportlab', 'segno') if m in sys.modules])"
    assert run(sys.executable, "-c", probe).strip() == "[]"
